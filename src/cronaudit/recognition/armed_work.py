"""What a timer that arms itself runs, where the function that arms it does nothing else.

``scheduleNext() { setTimeout(async () => { await this.prune(); }, pause); }``: the job is `prune`, whoever of the two
arms the timer again.
"""

from __future__ import annotations

import re

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Function
from cronaudit.model.linker import Linker
from cronaudit.model.trace import Event, EventKind, RegionKind
from cronaudit.model.value import Closure
from cronaudit.model.walking import expressions, is_within
from cronaudit.recognition.talk import LEVELS

_TIDIES = lazy_regex(r"_*(clear|cancel|stop|reset|is|has|get|should|to)([A-Z_]|$)", re.ASCII)
"""First words of what only makes room for the next timer, or answers a question."""


_AROUND = LEVELS | {"then", "catch", "finally", "clearTimeout", "clearInterval", "unref", "now"}
"""What may be called beside the work."""


def armed_work(handler: Closure, node: Function, linker: Linker) -> Closure | None:
    """The one function of the project that the run of a timer calls; None where what arms it works itself."""
    if handler.function.name is not None or not is_within(handler.function, node):
        return None
    scope = linker.scope_of(node)
    if any(
        _is_work(linker.fold(e.callee, scope), node) for e in expressions(node.body) if isinstance(e, Call)
    ):
        return None
    found: dict[int, Closure] = {}
    for event in linker.walk(handler).events:
        if event.kind is not EventKind.CALL or event.inside(RegionKind.CATCH):
            continue
        callee = event.callee
        stands = event.scope.node
        if not isinstance(stands, Function) or not is_within(stands, handler.function):
            continue
        if not isinstance(callee, Closure) and _name_of(event) not in _AROUND:
            return None  # the run gets something ready, too: all of it is the work
        if _is_work(callee, node):
            assert isinstance(callee, Closure)  # noqa: S101 - work is one
            if event.inside(RegionKind.LOOP) or event.inside(RegionKind.CALLBACK):
                return None  # what is done for each of many is a part of the work
            found[id(callee.function)] = callee
    return next(iter(found.values())) if len(found) == 1 else None


def _name_of(event: Event) -> str:
    return getattr(event.call.callee, "name", "") if event.call is not None else ""


def _is_work(callee: object, node: Function) -> bool:
    function = callee.function if isinstance(callee, Closure) else None
    if function is None or not function.name or is_within(node, function):
        return False
    return (
        function.name not in LEVELS and _TIDIES.match(function.name) is None and not is_within(function, node)
    )
