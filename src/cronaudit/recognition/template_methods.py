"""What a job's own class gives to the base class that runs it."""

from __future__ import annotations

from collections.abc import Iterable

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Class, Return
from cronaudit.model.trace import Event
from cronaudit.model.value import Closure
from cronaudit.model.walking import expressions

_ASKS = lazy_regex(r"_*(get|is|has|should|can|needs)(_|[A-Z])")


def given_work(own: Class, events: Iterable[Event]) -> Event | None:
    """Where the method of the class is called that does the work; a base may ask for something before it runs it."""
    given = [
        event
        for event in events
        if isinstance(event.callee, Closure)
        and event.callee.function.owner is own
        and event.callee.function.name != "constructor"
    ]
    return next((e for e in given if not _only_answers(e)), next(iter(given), None))


def _only_answers(event: Event) -> bool:
    """Whether a method only says something of its class: by its name, or ``def interval(self): return 3300``."""
    if not isinstance(event.callee, Closure):
        return False
    function = event.callee.function
    if _ASKS.match(function.name or ""):
        return True
    returns = any(isinstance(s, Return) and s.value is not None for s in function.body)
    return returns and not any(isinstance(e, Call) for e in expressions(function.body))
