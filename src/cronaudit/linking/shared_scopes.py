"""What comes to the same: what asks nothing of a call is folded once, and equal calls and objects are one."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from cronaudit.linking.scopes import Scopes, leaves
from cronaudit.model.ir import (
    AssignExpr,
    Class,
    Comprehension,
    Const,
    Expr,
    Function,
    Module,
    Name,
    Opaque,
    Super,
    This,
)
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, ClassValue, Closure, Instance, Lazy, Scope, Value
from cronaudit.model.walking import children

_OF_ITS_PLACE: Final = (AssignExpr, Class, Comprehension, Function, Opaque, Super, This)
"""What is another value in each scope, or may be."""
_NOTHING: Final[frozenset[str]] = frozenset()


class SharedCall(Struct, eq=False):
    """All calls of a function that are passed the same."""

    key: tuple[object, ...]
    scope: Scope | None = None
    """In which the body is folded, once it is."""
    result: Value | None = None
    """What the body came to."""


class SharedScopes:
    """Finds the scope in which an expression, or a call, has been folded already."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        # By the things themselves, which a dictionary tells apart by identity: so none of them is freed meanwhile.
        self._asked: dict[Expr, frozenset[str] | None] = {}
        self._locals: dict[Function, frozenset[str]] = {}
        self._calls: dict[tuple[object, ...], SharedCall] = {}
        self._instances: dict[tuple[object, ...], Instance] = {}

    def home(self, expr: Expr, scope: Scope) -> Scope:
        """The scope of the module where `expr` asks for nothing that the functions around it define, else `scope`."""
        names = self._names(expr)
        if names is None:
            return scope
        current = scope
        while current.parent is not None:
            node = current.node
            if isinstance(node, Module) or not (
                names.isdisjoint(current.values) and names.isdisjoint(self._defined(node))
            ):
                return scope
            current = current.parent
        return current

    def call(self, closure: Closure, args: Arguments) -> SharedCall:
        """What is known of calls like this one."""
        key = _key(closure, args)
        known = self._calls.get(key)
        if known is None:
            known = self._calls[key] = SharedCall(key)
        return known

    def forget(self, call: SharedCall) -> None:
        """Let the next call like this one be folded anew."""
        self._calls.pop(call.key, None)

    def instance(self, of: ClassValue, args: Arguments | None, at: Location | None) -> Instance:
        """The object that is made at a place with the same arguments: its fields are looked up once."""
        key = (of.cls, of.scope, at, None if args is None else _passed_all(args))
        made = self._instances.get(key)
        if made is None:
            made = self._instances[key] = Instance(of, args, at)
        return made

    def _names(self, expr: Expr) -> frozenset[str] | None:
        """The names that an expression asks for; None where more than names matters."""
        if expr not in self._asked:
            self._asked[expr] = self._look(expr)
        return self._asked[expr]

    def _look(self, expr: Expr) -> frozenset[str] | None:
        if isinstance(expr, Name):
            return frozenset((expr.name,))
        if isinstance(expr, _OF_ITS_PLACE):
            return None
        if isinstance(expr, Const):
            return _NOTHING
        names: set[str] = set()
        for child in children(expr):
            inner = self._names(child)
            if inner is None:
                return None
            names |= inner
        return frozenset(names)

    def _defined(self, node: Function) -> frozenset[str]:
        known = self._locals.get(node)
        if known is None:
            targets = (leaf for param in node.params for leaf, _, _ in leaves(param.target))
            params = {leaf.name for leaf in targets if isinstance(leaf, Name)}
            known = self._locals[node] = frozenset((*params, *self._scopes.table(node)))
        return known


def _key(closure: Closure, args: Arguments) -> tuple[object, ...]:
    return (closure.function, closure.scope, closure.this, *closure.bound, *_passed_all(args))


def _passed_all(args: Arguments) -> tuple[object, ...]:
    named = ((name, _passed(value)) for name, value in args.named.items())
    return (args.complete, args.certain, *map(_passed, args.positional), None, *named, None, *args.spreads)


def _passed(value: Value | Lazy) -> object:
    """What tells an argument from others; a parameter that is handed on is what was passed for it."""
    while isinstance(value, Lazy):
        handed_on = value.scope.values.get(value.expr.name) if isinstance(value.expr, Name) else None
        if handed_on is None:
            return (value.expr, value.scope)
        value = handed_on
    return value
