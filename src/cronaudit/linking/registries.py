"""Lists, maps and objects that are filled elsewhere: ``register(job) { this.jobs.push(job); }``.

Maps and objects must start empty; a list may begin with what is written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cronaudit.linking.folder import Folder
from cronaudit.linking.scopes import ITEM
from cronaudit.model.ir import Class, Expr, Function, Member, Module, Name, This
from cronaudit.model.value import External, Lazy, Record, Scope, Sequence, Value
from cronaudit.model.walking import functions_in

_LIST_FILLERS = ("push", "unshift", "add", "append", "appendleft")
_MAPS = frozenset(("global:Map()", "global:WeakMap()"))
_SETS = frozenset(("global:Set()", "global:WeakSet()"))


def is_fillable(value: Value) -> bool:
    """Whether a value is an empty container, that something may fill."""
    if isinstance(value, Sequence):
        return not value.items
    if isinstance(value, Record):
        return not value.entries
    if isinstance(value, External):
        return value.path in _MAPS | _SETS and (value.args is None or not value.args.positional)
    return False


def filled_variable(folder: Folder, value: Value, name: str, scope: Scope) -> Value:
    """The content of the variable `name` of `scope`, which starts as `value`."""

    def is_it(expr: Expr) -> bool:
        return isinstance(expr, Name) and expr.name == name

    nodes: tuple[Function | Module, ...] = (scope.node, *functions_in(scope.node))
    return _filled(folder, value, scope.module, nodes, is_it)


def filled_field(folder: Folder, value: Value, cls: Class, name: str) -> Value:
    """The content of the field `name`, which the class starts as the empty `value`."""

    def is_it(expr: Expr) -> bool:
        return isinstance(expr, Member) and expr.name == name and _is_own(expr.object, cls)

    nodes: tuple[Function | Module, ...] = tuple(f for m in cls.methods for f in (m, *functions_in(m)))
    return _filled(folder, value, cls.module, nodes, is_it)


def _is_own(expr: Expr, cls: Class) -> bool:
    return isinstance(expr, This) or (isinstance(expr, Name) and expr.name == cls.name)


def _filled(
    folder: Folder,
    value: Value,
    module: Module,
    nodes: tuple[Function | Module, ...],
    is_it: Callable[[Expr], bool],
) -> Value:
    inside = {id(n) for n in nodes}
    items: list[Value | Lazy] = list(_added(folder, module, inside, is_it))
    pairs = list(_keyed(folder, module, nodes, inside, is_it))
    at = getattr(value, "at", None)
    if pairs and not items:
        return Sequence(tuple(Sequence(p, complete=True) for p in pairs), complete=False, at=at, is_map=True)
    begun = value.items if isinstance(value, Sequence) else ()
    return Sequence((*begun, *items), complete=False, at=at) if items else value


def _added(
    folder: Folder, module: Module, inside: set[int], is_it: Callable[[Expr], bool]
) -> Iterator[Value | Lazy]:
    for filler in _LIST_FILLERS:
        for call, node in folder.modules.calls_of(module, filler):
            if id(node) in inside and isinstance(call.callee, Member) and is_it(call.callee.object):
                for argument in call.args:
                    if not argument.spread:
                        yield Lazy(argument.value, folder.scope_of(node))


def _keyed(
    folder: Folder,
    module: Module,
    nodes: tuple[Function | Module, ...],
    inside: set[int],
    is_it: Callable[[Expr], bool],
) -> Iterator[tuple[Value | Lazy, Value | Lazy]]:
    for call, node in folder.modules.calls_of(module, "set"):
        two = len(call.args) == 2
        if two and id(node) in inside and isinstance(call.callee, Member) and is_it(call.callee.object):
            scope = folder.scope_of(node)
            yield Lazy(call.args[0].value, scope), Lazy(call.args[1].value, scope)
    for node in nodes:
        for store in folder.scopes.stores(node):
            if store.name == ITEM and store.key is not None and is_it(store.object):
                scope = folder.scope_of(node)
                yield Lazy(store.key, scope), Lazy(store.value, scope)
