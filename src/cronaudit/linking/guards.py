"""The tests that an assignment stands behind."""

from __future__ import annotations

from collections.abc import Iterable

from cronaudit.linking.folder import Folder
from cronaudit.linking.scopes import Binding
from cronaudit.model.ir import AssignExpr, Call, Const, Expr, Member, Name, Operation
from cronaudit.model.value import (
    ClassValue,
    Closure,
    Env,
    Instance,
    Known,
    Namespace,
    Record,
    Scope,
    Sequence,
    Value,
)
from cronaudit.model.walking import inside


def truth(value: Value) -> bool | None:
    """Whether a value is truthy; None where that cannot be told."""
    match value:
        case Known():
            if value.default_of is not None:
                return None
            return bool(value.value)
        case Closure() | ClassValue() | Instance() | Namespace() | Record() | Sequence():
            return True
        case _:
            return None


def _speaks_of(expr: Expr, name: str) -> bool:
    return any(isinstance(e, Name) and e.name == name for e in inside(expr))


def taken(folder: Folder, bindings: list[Binding], name: str, scope: Scope) -> list[Binding]:
    """Of several assignments those whose tests may hold: ``if (every === 'daily') pattern = …``, called with a word."""
    found: list[Binding] = []
    for binding in bindings:
        tests = [
            None if _speaks_of(t, name) else folder.fold(t, scope)
            for t in binding.guarded_by
            if binding.owner is scope.node
        ]
        held = [truth(t) if t is not None else None for t in tests]
        if False in held:
            continue
        if held and all(held) and binding.value is not None and not _speaks_of(binding.value, name):
            found.clear()  # what is certain to run last overwrites what stands before it
        found.append(binding)
    return found


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
