"""Calls of a function that another one gives back: ``const plan = makePlan(db); plan('0 4 * * *', clean)``.

It has no name of its own, or one that its callers never see. It is called by the name under which a caller keeps what
it was given, and by the names under which that caller hands it on: ``planCleaning({ plan })``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from msgspec import Struct

from cronaudit.linking.fold import Evaluator
from cronaudit.linking.program import Program
from cronaudit.model.ir import (
    Assign,
    Await,
    Call,
    Class,
    Expr,
    Function,
    Member,
    Module,
    Name,
    Object,
    Parameter,
    Return,
)
from cronaudit.model.value import Choice, Closure, Symbol, Value
from cronaudit.model.walking import calls_in, definitions_in, is_within, statements

_Site: TypeAlias = tuple[Call, Function | Module]
_MOST = 200
"""Names that are followed for one function."""


class _Kept(Struct, frozen=True, eq=False):
    """A name that may mean the function, in a function or file and all that is inside it."""

    name: str
    node: Function | Module


def sites(
    function: Function,
    call_sites: Callable[[Function], tuple[_Site, ...]],
    evaluator: Evaluator,
    program: Program,
) -> Iterator[_Site]:
    """The calls of `function` by those who were given it, and by those whom they hand it to; few may be of others."""
    maker = function.parent
    if not isinstance(maker, Function) or maker.name is None or not _gives_back(maker, function):
        return
    pending: list[_Kept] = []
    for call, where in call_sites(maker):
        for outer in calls_in(where):
            if outer.callee is call:  # ``makePlan(db)('0 4 * * *', clean)``
                yield outer, where
            pending.extend(_handed(outer, where, lambda e, made=call: _plain(e) is made, evaluator))  # type: ignore[misc]
        pending.extend(_kept(call, where))
    seen: set[tuple[str, int]] = set()
    while pending and len(seen) < _MOST:
        kept = pending.pop(0)
        if (kept.name, id(kept.node)) in seen:
            continue
        seen.add((kept.name, id(kept.node)))
        yield from _called(kept, evaluator, program)
        pending.extend(_passed_on(kept, evaluator, program))


def _gives_back(maker: Function, function: Function) -> bool:
    given = (s.value for s in statements(maker.body) if isinstance(s, Return))
    own = function.name
    return any(v is function or (own is not None and isinstance(v, Name) and v.name == own) for v in given)


def _plain(expr: Expr | None) -> Expr | None:
    return expr.value if isinstance(expr, Await) else expr


def _kept(call: Call, where: Function | Module) -> Iterator[_Kept]:
    """The variables and fields that are set to what a call gives."""
    for statement in statements(where.body):
        if isinstance(statement, Assign) and _plain(statement.value) is call:
            if isinstance(statement.target, Name):
                yield _Kept(statement.target.name, where)
            elif isinstance(statement.target, Member):
                yield _Kept(statement.target.name, _module_of(where))
    for definition in definitions_in(where):
        if isinstance(definition, Class):
            for field in definition.fields:
                if _plain(field.value) is call:
                    yield _Kept(field.name, definition.module)


def _called(kept: _Kept, evaluator: Evaluator, program: Program) -> Iterator[_Site]:
    for call, node in program.calls_of(_module_of(kept.node), kept.name):
        if _is_inside(node, kept.node):
            callee = evaluator.fold(call.callee, evaluator.scope_of(node))
            options = callee.options if isinstance(callee, Choice) else (callee,)
            if any(isinstance(one, Symbol | Closure) for one in options):
                yield call, node


def _passed_on(kept: _Kept, evaluator: Evaluator, program: Program) -> Iterator[_Kept]:
    """Who is handed it as an argument, or imports it."""
    module = _module_of(kept.node)

    def means(expr: Expr) -> bool:
        return isinstance(expr, Name | Member) and expr.name == kept.name

    nodes: tuple[Function | Module, ...] = (module, *program.contents(module).functions(kept.name))
    for function in nodes:
        if _is_inside(function, kept.node):
            for call in calls_in(function):
                yield from _handed(call, function, means, evaluator)
    if isinstance(kept.node, Module) and any(e.name == kept.name for e in module.exports):
        for path in program.importing(module.path):
            importer = program.module(path) if program.mentions(path, kept.name) else None
            if importer is not None:
                yield _Kept(kept.name, importer)


def _handed(
    call: Call, where: Function | Module, means: Callable[[Expr], bool], evaluator: Evaluator
) -> Iterator[_Kept]:
    """The names under which a function of the project gets it: those of its parameter, or keys of an object."""
    positions = [(at, name) for at, a in enumerate(call.args) for name in _given(a.value, means)]
    if not positions:
        return
    callee: Value = evaluator.fold(call.callee, evaluator.scope_of(where))
    for option in callee.options if isinstance(callee, Choice) else (callee,):
        if isinstance(option, Closure):
            for at, key in positions:
                if at < len(option.function.params):
                    yield from _named(option.function, option.function.params[at], key)


def _named(function: Function, parameter: Parameter, key: str) -> Iterator[_Kept]:
    name = key or parameter.name
    if name:
        yield _Kept(name, function)
    for entry in parameter.target.entries if isinstance(parameter.target, Object) else ():
        if entry.key == key and isinstance(entry.value, Name) and entry.value.name != key:
            yield _Kept(entry.value.name, function)


def _given(expr: Expr, means: Callable[[Expr], bool]) -> Iterator[str]:
    """The key under which an argument holds it; empty where the argument is it."""
    if means(expr):
        yield ""
    elif isinstance(expr, Object):
        yield from (e.key for e in expr.entries if isinstance(e.key, str) and means(e.value))


def _module_of(node: Function | Module) -> Module:
    return node if isinstance(node, Module) else node.module


def _is_inside(node: Function | Module, outer: Function | Module) -> bool:
    return isinstance(outer, Module) or is_within(node, outer)
