"""Branches that the call at hand closes: what ``refresh(force = false)`` does under ``if (force)`` is not done.

Only what is written out in the call, or left out of it, closes one: a variable may have changed until then. And only
switches do, which are a boolean or a text: a number may count the tries of a function that calls itself.
"""

from __future__ import annotations

from cronaudit.model.ir import Array, Assign, Const, Expr, Function, If, Name, Object, Operation
from cronaudit.model.value import Arguments, Closure, Lazy, Scope, Value
from cronaudit.model.walking import inside, statements

_MOST_WAYS = 4
_SCALARS = (bool, str, type(None))


class Branches:
    """Remembers the tests of functions on their parameters, and in how many ways each function was entered."""

    def __init__(self) -> None:
        self._tests: dict[int, tuple[If, ...]] = {}
        self._assigned: dict[int, frozenset[str]] = {}
        self._ways: dict[int, set[tuple[tuple[int, bool], ...]]] = {}
        self._told: dict[int, dict[str, Const]] = {}
        """By scope, the parameters that its call states."""
        self._keep: list[object] = []

    def taken(self, closure: Closure, args: Arguments, scope: Scope) -> dict[int, bool]:
        """By the tests of a function that a call settles, whether each holds; none where too many calls differ."""
        function = closure.function
        told = self._told_by(function, (*closure.bound, *args.positional), args)
        if not told:
            return {}
        self._told[id(scope)] = told
        self._keep.append(scope)
        found = {id(t): holds for t in self._of(function) if (holds := _holds(t.test, told)) is not None}
        ways = self._ways.setdefault(id(function), set())
        ways.add(tuple(found.items()))
        return found if len(ways) <= _MOST_WAYS else {}

    def _told_by(
        self, function: Function, positional: tuple[Value | Lazy, ...], args: Arguments
    ) -> dict[str, Const]:
        told: dict[str, Const] = {}
        certain = len(positional) if args.complete else len(positional) - len(args.positional) + args.certain
        for position, param in enumerate(function.params):
            if param.rest:
                break
            if param.name is None or param.name in self._set_in(function):
                continue
            stated: Const | None = None
            if position < certain or param.name in args.named:
                raw = positional[position] if position < certain else args.named[param.name]
                stated = self._literal(raw)
                if stated is not None and stated.value is None and param.default is not None:
                    stated = param.default if isinstance(param.default, Const) else None
            elif args.complete:
                stated = Const(None, function.line) if param.default is None else None
                stated = param.default if isinstance(param.default, Const) else stated
            if stated is not None and isinstance(stated.value, _SCALARS):
                told[param.name] = stated
        return told

    def _literal(self, raw: Value | Lazy) -> Const | None:
        if not isinstance(raw, Lazy):
            return None
        if isinstance(raw.expr, Name):
            return self._told.get(id(raw.scope), {}).get(raw.expr.name)
        return raw.expr if isinstance(raw.expr, Const) else None

    def _of(self, function: Function) -> tuple[If, ...]:
        known = self._tests.get(id(function))
        if known is None:
            known = self._tests[id(function)] = tuple(
                s for s in statements(function.body) if isinstance(s, If)
            )
            self._keep.append(function)
        return known

    def _set_in(self, function: Function) -> frozenset[str]:
        """The names that a function assigns to."""
        known = self._assigned.get(id(function))
        if known is None:
            assigned = (s for s in statements(function.body) if isinstance(s, Assign))
            known = self._assigned[id(function)] = frozenset(n for s in assigned for n in _names(s.target))
            self._keep.append(function)
        return known


def _holds(test: Expr, told: dict[str, Const]) -> bool | None:
    if isinstance(test, Name):
        return bool(told[test.name].value) if test.name in told else None
    if not isinstance(test, Operation):
        return None
    if test.op == "not":
        inner = _holds(test.operands[0], told)
        return None if inner is None else not inner
    if test.op in ("and", "or"):
        found = [_holds(operand, told) for operand in test.operands]
        deciding = test.op == "or"
        return deciding if deciding in found else None if None in found else not deciding
    if test.op in ("==", "!=", "is", "is not") and any(isinstance(o, Name) for o in test.operands):
        sides = [told.get(o.name) if isinstance(o, Name) else o for o in test.operands]
        values = [o.value for o in sides if isinstance(o, Const) and isinstance(o.value, _SCALARS)]
        return (values[0] == values[1]) is (test.op in ("==", "is")) if len(values) == 2 else None
    return None


def _names(target: Expr) -> list[str]:
    return [e.name for e in inside(target) if isinstance(e, Name)] + [
        n for e in inside(target) if isinstance(e, Object | Array) for n in _in_pattern(e)
    ]


def _in_pattern(pattern: Object | Array) -> list[str]:
    values = [e.value for e in pattern.entries] if isinstance(pattern, Object) else list(pattern.items)
    targets = [getattr(v, "target", v) for v in values]
    return [t.name for t in targets if isinstance(t, Name)]
