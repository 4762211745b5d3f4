"""Tests of the message that started a run: one worker takes many jobs and tells them apart by name or data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.model.ir import Expr, Member, Name, Operation
from cronaudit.model.value import External, Known, Scope

if TYPE_CHECKING:
    from cronaudit.linking.fold import Evaluator

_STEPS = 6
"""Names and members between a test and the message."""


def holds(test: Expr, scope: Scope, evaluator: Evaluator) -> bool | None:
    """Whether ``job.name === 'x'``, ``job.data.type !== 'x'`` holds in the walk of one job; None elsewhere."""
    if not isinstance(test, Operation):
        return None
    if test.op == "or":
        found = [holds(operand, scope, evaluator) for operand in test.operands]
        return True if True in found else None if None in found else False
    if test.op not in ("==", "!=") or len(test.operands) != 2:
        return None
    if not any(_is_of_message(operand, scope, evaluator) for operand in test.operands):
        return None
    left, right = (evaluator.fold(operand, scope) for operand in test.operands)
    if isinstance(left, Known) and isinstance(right, Known) and isinstance(left.value, str):
        return (left.value == right.value) is (test.op == "==")
    return None


def _is_of_message(expr: Expr, scope: Scope, evaluator: Evaluator) -> bool:
    """Whether a value is a part of what the run was handed: its name, a field of its data, a variable of either."""
    for _ in range(_STEPS):
        if isinstance(expr, Member):
            expr = expr.object
            whole = evaluator.fold(expr, scope)
            if isinstance(whole, External) and whole.members:
                return True
        elif isinstance(expr, Name):
            bindings = evaluator.scopes.table(scope.node).get(expr.name, ())
            binding = bindings[0] if len(bindings) == 1 else None
            if binding is None or binding.value is None:
                return False
            expr = binding.value
            source = evaluator.fold(expr, scope) if binding.path else None
            if isinstance(source, External) and source.members:
                return True
        else:
            return False
    return False
