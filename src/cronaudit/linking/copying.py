"""Functions that only give back what they are given, or a copy of it: ``(job) => Object.freeze({ ...job })``."""

from __future__ import annotations

from cronaudit.model.ir import Call, Expr, Function, Name, Object, Return

_COPYING = frozenset(("freeze", "seal", "structuredClone", "cloneDeep", "clone", "assign"))


def is_copy(function: Function) -> bool:
    """Whether a function gives back its one parameter as it is."""
    if len(function.params) != 1 or len(function.body) != 1:
        return False
    only = function.body[0]
    return isinstance(only, Return) and _copies(only.value, function.params[0].name)


def _copies(expr: Expr | None, name: str | None) -> bool:
    if isinstance(expr, Name):
        return expr.name == name
    if isinstance(expr, Object):
        return len(expr.entries) == 1 and expr.entries[0].key is None and _copies(expr.entries[0].value, name)
    if not isinstance(expr, Call) or getattr(expr.callee, "name", "") not in _COPYING:
        return False
    given = [a.value for a in expr.args if not (isinstance(a.value, Object) and not a.value.entries)]
    return len(given) == 1 and _copies(given[0], name)
