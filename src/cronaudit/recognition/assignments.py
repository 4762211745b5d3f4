"""What a module sets, for frameworks that read it by name: variables, members, items, and fields of classes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.model.ir import Assign, Call, Const, Expr, Function, Index, Member, Module, Name, Object
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import External, Known, Lazy, Record, Scope, Value
from cronaudit.model.walking import calls_in, functions_in, statements

_NESTED = 2
"""How deep a setting is looked for inside written-out objects: ``CELERY = {"beat_schedule": {…}}``."""


class Setting(Struct, frozen=True, eq=False):
    """One value that is set."""

    path: str
    """What is set: of a known object by its path, else with the file or nothing in front of the name."""
    value: Value
    at: Location
    bound: Bound


def settings(module: Module, linker: Linker, names: frozenset[str]) -> Iterator[Setting]:
    """The places of a module that set something of these names."""
    nodes: tuple[Function | Module, ...] = (module, *linker.functions(module, *names)) if names else ()
    for node in nodes:
        scope = linker.scope_of(node)
        for statement in statements(node.body):
            if isinstance(statement, Assign) and statement.value is not None:
                at = Location(module.path, statement.line, statement.end_line)
                yield from _assigned(statement.target, statement.value, scope, at, linker, names)
        for call in calls_in(node):
            yield from _handed(call, scope, linker, names)
    for call, node in linker.calls(module, ("update",)).get("update", ()) if names else ():
        # Of an object outside the tree ``update`` is a call that the descriptions know.
        own = isinstance(call.callee, Member) and isinstance(call.callee.object, Name)
        if own and call.args and isinstance(call.callee, Member) and _name_of(call.callee.object) in names:
            scope = linker.scope_of(node)
            at = Location(module.path, call.line, call.end_line)
            path = f"{module.path}.{_name_of(call.callee.object)}"
            yield Setting(path, linker.fold(call.args[0].value, scope), at, Bound(scope, ()))
    for cls in linker.classes(module) if names else ():
        for field in cls.fields:
            if field.value is not None:
                scope = linker.class_value(cls).scope
                at = Location(module.path, field.line, field.end_line)
                target = Name(f"{cls.name or ''}.{field.name}", field.line)
                if field.name in names:
                    path = f"{module.path}.{target.name}"
                    yield Setting(path, linker.fold(field.value, scope), at, Bound(scope, ()))
                else:
                    yield from _inside(field.value, scope, at, linker, names, 0)


def _handed(call: Call, scope: Scope, linker: Linker, names: frozenset[str]) -> Iterator[Setting]:
    """Settings among what a call is handed: ``app.config.update({…})``, ``from_mapping(CELERY={…})``."""
    at = Location(scope.module.path, call.line, call.end_line)
    for argument in call.args:
        if argument.name is not None and argument.name in names:
            value = linker.fold(argument.value, scope)
            yield Setting(f"{scope.module.path}.{argument.name}", value, at, Bound(scope, ()))
        elif isinstance(argument.value, Object) or argument.name is not None:
            yield from _inside(argument.value, scope, at, linker, names, 0)


def _assigned(
    target: Expr, value: Expr, scope: Scope, at: Location, linker: Linker, names: frozenset[str]
) -> Iterator[Setting]:
    path = _path_of(target, scope, linker, names)
    if path and _is_filled(value, scope, names):
        return
    if path:
        yield Setting(path, linker.fold(value, scope), at, Bound(scope, ()))
    elif isinstance(target, Index):
        path = _path_of(target.object, scope, linker, names)
        if path:
            yield from _item(path, target.index, value, scope, at, linker)
        else:
            yield from _inside(value, scope, at, linker, names, 0)
    elif isinstance(target, Name | Member):
        yield from _inside(value, scope, at, linker, names, 0)


def _is_filled(value: Expr, scope: Scope, names: frozenset[str]) -> bool:
    """Whether a variable of that very name is handed on into which the code around puts entries: they are settings."""
    if not isinstance(value, Name) or value.name not in names:
        return False
    nodes = (scope.node, *functions_in(scope.node)) if isinstance(scope.node, Function) else (scope.node,)
    return any(
        isinstance(s, Assign) and isinstance(s.target, Index) and _name_of(s.target.object) == value.name
        for node in nodes
        for s in statements(node.body)
    )


def _path_of(target: Expr, scope: Scope, linker: Linker, names: frozenset[str]) -> str:
    name = _name_of(target)
    if name not in names:
        return ""
    if isinstance(target, Name | Index):
        return f"{scope.module.path}.{name}"
    folded = linker.fold(target, scope)
    return folded.path if isinstance(folded, External) else f".{name}"


def _name_of(target: Expr) -> str:
    if isinstance(target, Index) and isinstance(
        target.index, Const
    ):  # ``app.config['SCHEDULE'][name] = {…}``
        return str(target.index.value)
    return target.name if isinstance(target, Name | Member) else ""


def _item(
    path: str, index: Expr, value: Expr, scope: Scope, at: Location, linker: Linker
) -> Iterator[Setting]:
    """``SCHEDULE[name] = {…}``: one entry, and in a loop over a written-out list one for each item.

    In a function that is told what to write (``def plan(task, period): SCHEDULE[task] = {…}``) each call writes one.
    """

    def values(inner: Scope) -> list[Value | Lazy]:
        return [linker.fold(index, inner), linker.fold(value, inner)]

    told = isinstance(scope.node, Function) and linker.needs_caller(linker.fold(index, scope))
    callers = linker.bounds(scope.node) if told and isinstance(scope.node, Function) else ()
    for caller in callers or (Bound(scope, ()),):
        for bound in linker.unroll(caller, values):
            key = linker.fold(index, bound.scope)
            text = str(key.value) if isinstance(key, Known) else ""
            written = linker.fold(value, bound.scope)
            if bound.chain and isinstance(written, Record):
                written = replace(written, at=bound.chain[0])
            yield Setting(path, Record({text: written}, complete=True, at=at), at, bound)


def _inside(
    value: Expr, scope: Scope, at: Location, linker: Linker, names: frozenset[str], depth: int
) -> Iterator[Setting]:
    """Settings that stand in a written-out object, or in the keywords of ``dict(…)``."""
    pairs: list[tuple[str, Expr]] = []
    if isinstance(value, Object):
        pairs = [(e.key, e.value) for e in value.entries if isinstance(e.key, str)]
    elif isinstance(value, Call) and _name_of(value.callee) == "dict":
        pairs = [(a.name, a.value) for a in value.args if a.name is not None]
    for key, inner in pairs:
        if key in names:
            yield Setting(f"{scope.module.path}.{key}", linker.fold(inner, scope), at, Bound(scope, ()))
        elif depth < _NESTED:
            yield from _inside(inner, scope, at, linker, names, depth + 1)
