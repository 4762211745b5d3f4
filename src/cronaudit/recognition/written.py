"""Parts of a call as its author has written them."""

from __future__ import annotations

from cronaudit.model.ir import Call, Expr, Member
from cronaudit.model.knowledge import Selector


def argument_of(call: Call, selector: Selector) -> Expr | None:
    """The argument that a selector speaks of, as written."""
    if selector.members:
        return None
    if selector.root == "kwargs":
        return next((a.value for a in call.args if a.name == selector.index), None)
    listed = [a for a in call.args if a.name is None]
    position = selector.index if selector.root == "args" and isinstance(selector.index, int) else len(listed)
    return listed[position].value if position < len(listed) and not listed[position].spread else None


def spelled(expr: Expr) -> str:
    """A variable or member as it is written: ``self.queue.ready``."""
    return (
        f"{spelled(expr.object)}.{expr.name}" if isinstance(expr, Member) else getattr(expr, "name", "this")
    )
