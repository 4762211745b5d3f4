"""Lists, maps and objects that are filled elsewhere: ``register(job) { this.jobs.push(job); }``.

Maps and objects must start empty; a list may begin with what is written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cronaudit.linking.folder import Folder
from cronaudit.linking.loop_puts import put_by_loop
from cronaudit.linking.scopes import ITEM
from cronaudit.model.ir import Array, Call, Class, Expr, Function, Member, Module, Name, Spread, This
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


def grown_variable(folder: Folder, written: list[Expr | None], name: str, scope: Scope) -> Sequence | None:
    """A list that is written out, then replaced by itself with more: ``jobs = jobs.concat([…])``, ``[...jobs, …]``."""
    begun = [
        e for e in written if isinstance(e, Array) and not any(_is_name_spread(i, name) for i in e.items)
    ]
    if len(begun) != 1:
        return None
    items: list[Value | Lazy] = [Lazy(item, scope) for item in begun[0].items]
    for more in written:
        if more is begun[0]:
            continue
        added = _more_of(more, name)
        if added is None:
            return None
        items += [Lazy(item, scope) for item in added]
    if any(isinstance(item, Lazy) and isinstance(item.expr, Spread) for item in items):
        return None
    value = Sequence(tuple(items), complete=False)
    filled = filled_variable(folder, value, name, scope)
    return filled if isinstance(filled, Sequence) else value


def _more_of(expr: Expr | None, name: str) -> tuple[Expr, ...] | None:
    """What is added to the list `name`; None where the expression is something else."""
    if isinstance(expr, Array) and any(_is_name_spread(item, name) for item in expr.items):
        return tuple(item for item in expr.items if not _is_name_spread(item, name))
    callee = expr.callee if isinstance(expr, Call) else None
    if not (isinstance(expr, Call) and isinstance(callee, Member) and callee.name == "concat"):
        return None
    if not (isinstance(callee.object, Name) and callee.object.name == name):
        return None
    arrays = [a.value for a in expr.args if isinstance(a.value, Array)]
    return tuple(i for array in arrays for i in array.items) if len(arrays) == len(expr.args) else None


def _is_name_spread(item: Expr, name: str) -> bool:
    return isinstance(item, Spread) and isinstance(item.value, Name) and item.value.name == name


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
            written = (Lazy(call.args[0].value, scope), Lazy(call.args[1].value, scope))
            yield from tuple(put_by_loop(folder, call, node)) or (written,)
    for node in nodes:
        for store in folder.scopes.stores(node):
            if store.name == ITEM and store.key is not None and is_it(store.object):
                scope = folder.scope_of(node)
                yield Lazy(store.key, scope), Lazy(store.value, scope)
