"""The tests that an assignment stands behind."""

from __future__ import annotations

from collections.abc import Iterable

from cronaudit.linking.folder import Folder
from cronaudit.model.ir import AssignExpr, Call, Const, Expr, Member, Name, Operation
from cronaudit.model.value import Env, Scope
from cronaudit.model.walking import inside


def is_optional(folder: Folder, guards: Iterable[Expr], scope: Scope) -> bool:
    """Whether an assignment stands in a branch that only a variable of the environment without a default opens."""
    return any(
        isinstance(test, AssignExpr | Name | Call) and isinstance(folder.fold(test, scope), Env)
        for test in guards
    )


def tests_for_absence(test: Expr, name: str) -> bool:
    """Whether a test asks if `name` is missing: ``!x``, ``x == null``, ``isNaN(x)``, ``x === undefined``."""
    if isinstance(test, Operation):
        if test.op == "not":
            operand = test.operands[0]
            return isinstance(operand, Name) and operand.name == name
        if test.op in ("==", "is"):
            return any(isinstance(o, Name) and o.name == name for o in test.operands) and any(
                isinstance(o, Const) and o.value in (None, "undefined") for o in test.operands
            )
        if test.op == "or":
            return any(tests_for_absence(o, name) for o in test.operands)
        return False
    if isinstance(test, Call):
        callee = test.callee
        called = callee.name if isinstance(callee, Name | Member) else ""
        return called == "isNaN" and any(
            isinstance(e, Name) and e.name == name for a in test.args for e in inside(a.value)
        )
    return False
