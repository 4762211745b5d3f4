"""What a run only says: the work of a logger of the project's own."""

from __future__ import annotations

import re

from cronaudit.model.trace import EventKind, Trace
from cronaudit.model.value import Closure

_LOGGER = re.compile(
    r"(^|/)(log|logs|logger|logging)(\.service|/index)?\.[cm]?[jt]s$|(^|/)(log|logger|logging)\.py$"
)
_LEVELS = frozenset(
    ("log", "trace", "debug", "verbose", "info", "notice", "warn", "warning", "error", "fatal")
)


def inside_logger(trace: Trace) -> frozenset[int]:
    """What a logger of the project's own does, whose file is its work: saying that nothing was done is no job."""
    found: set[int] = set()
    depth: int | None = None
    for event in trace.events:
        if depth is not None and len(event.path) <= depth:
            depth = None
        if depth is not None:
            found.add(event.order)
        elif event.kind is EventKind.ENTER and isinstance(event.callee, Closure):
            function = event.callee.function
            if function.name in _LEVELS and _LOGGER.search(function.module.path):
                depth = len(event.path)
    return frozenset(found)
