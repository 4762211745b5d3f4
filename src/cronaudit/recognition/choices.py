"""Tests that a caller, an option or a setting decides: what they come to where nobody chooses otherwise."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, Final

from cronaudit.model.ir import Assign, Call, Const, Expr, Function, Member, Name, Operation, This
from cronaudit.model.linker import Linker
from cronaudit.model.value import Arguments, Choice, Closure, Known, Scope, Symbol, Value
from cronaudit.model.walking import statements

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
    if isinstance(test, Call):
        return True if _is_unless_handed(test, scope, linker) else None
    chosen = _chosen(test, scope, linker)
    return bool(chosen.value) if chosen is not None else None


def _is_unless_handed(test: Call, scope: Scope, linker: Linker) -> bool:
    """Whether a test asks what its object may be handed, and holds where it is not: ``while self.condition():``."""
    if test.args or not isinstance(test.callee, Member) or not isinstance(test.callee.object, This):
        return False
    asked = linker.fold(test.callee, scope)
    options = asked.options if isinstance(asked, Choice) else (*_instead_of(asked, linker),)
    answers = [linker.apply(o, Arguments((), {})) for o in options if isinstance(o, Closure)]
    return any(isinstance(answer, Known) and answer.value is True for answer in answers)


def _instead_of(value: Value, linker: Linker) -> Iterator[Value]:
    """What a function takes where it is not handed a parameter: ``if condition is None: condition = lambda: True``."""
    if not isinstance(value, Symbol) or value.path or not isinstance(value.owner, Function):
        return
    for statement in statements(value.owner.body):
        target = statement.target if isinstance(statement, Assign) else None
        written = statement.value if isinstance(statement, Assign) else None
        if written is not None and isinstance(target, Name) and target.name == value.name:
            yield linker.fold(written, linker.scope_of(value.owner))


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
