"""Tests that a caller, an option or a setting decides: what they come to where nobody chooses otherwise."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from cronaudit.model.ir import Const, Expr, Operation
from cronaudit.model.linker import Linker
from cronaudit.model.value import Known, Scope

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "===": operator.eq,
    "is": operator.eq,
    "!=": operator.ne,
    "!==": operator.ne,
    "is not": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_SIDES = 2


def holds_by_default(test: Expr, scope: Scope, linker: Linker) -> bool | None:
    """Whether a test holds where each option and setting has its default; None where something else decides.

    ``if options['iterations'] and done >= options['iterations']: break`` never holds without the option.
    """
    if isinstance(test, Operation):
        if test.op == "not":
            known = holds_by_default(test.operands[0], scope, linker)
            return None if known is None else not known
        if test.op in ("and", "or"):
            decides = test.op == "or"
            sides = [holds_by_default(o, scope, linker) for o in test.operands]
            return decides if decides in sides else None if None in sides else not decides
        if test.op in _COMPARE and len(test.operands) == _SIDES:
            return _compared(test, scope, linker)
    chosen = _chosen(test, scope, linker)
    return bool(chosen.value) if chosen is not None else None


def _compared(test: Operation, scope: Scope, linker: Linker) -> bool | None:
    left, right = (
        Known(o.value) if isinstance(o, Const) else _chosen(o, scope, linker) for o in test.operands
    )
    if left is None or right is None or all(isinstance(o, Const) for o in test.operands):
        return None
    try:
        return bool(_COMPARE[test.op](left.value, right.value))
    except TypeError:
        return None


def _chosen(expr: Expr, scope: Scope, linker: Linker) -> Known | None:
    """The default of an option or setting; a plain number is none: it may count rounds."""
    value = linker.fold(expr, scope)
    return value if isinstance(value, Known) and value.default_of is not None else None
