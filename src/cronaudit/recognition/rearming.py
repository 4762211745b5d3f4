"""Whether a round arms the next one, or waits until it can do its work."""

from __future__ import annotations

from cronaudit.model.ir import Call, Function, If, Stmt
from cronaudit.model.walking import blocks, calls_in, expressions, holds


def goes_on_in(function: Function, around: set[str]) -> bool:
    """Whether a function calls one of these, and not only where it does something else otherwise."""
    again = [c for c in calls_in(function) if getattr(c.callee, "name", None) in around]
    return any(not _works_otherwise(function.body, c, around) for c in again)


def _works_otherwise(body: tuple[Stmt, ...], call: Call, around: set[str]) -> bool:
    """Whether the other branch of a test around a call does not come round again: it is what was waited for."""
    for statement in body:
        for block in blocks(statement):
            if not holds(block, call):
                continue
            others = (
                [b for b in blocks(statement) if b and b is not block] if isinstance(statement, If) else []
            )
            ends = any(
                all(getattr(e, "name", None) not in around for e in expressions(other)) for other in others
            )
            return ends or _works_otherwise(block, call, around)
    return False
