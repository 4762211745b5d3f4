"""Where a job's registration and the definition of its work stand, as `cronaudit fix` has to find them again."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.knowledge.paths import last_of
from cronaudit.model.ir import Call
from cronaudit.model.placement import Placement
from cronaudit.model.source import Location
from cronaudit.model.value import External
from cronaudit.recognition.facts.stated import enqueued_tasks, tasks_of
from cronaudit.recognition.jobs import Found

_CHAIN = 4


def placements_of(found: Found) -> tuple[Placement, ...]:
    """The places that state one job: the one that arms it first, then the definitions of its work."""
    return tuple(dict.fromkeys(_placements(found)))


def _placements(found: Found) -> Iterator[Placement]:
    registration = found.registration
    scheduler = registration.scheduler
    if scheduler is not None:
        yield _placement(scheduler.call, scheduler.how, registration.call, registration.site)
    for task in (*tasks_of(found.context), *enqueued_tasks(found.context)):
        yield _placement(task.consumer.call, task.consumer.how, task.call, task.location)


def _placement(description: str, how: str, call: External, otherwise: Location) -> Placement:
    return Placement(
        description,
        how,
        _written(call.call) or last_of(call.path),
        _at(call, otherwise),
        _receiver(call.receiver, 0),
    )


def _receiver(call: External | None, depth: int) -> Placement | None:
    """The call that made an object; of an object that no call made there is none."""
    if call is None or call.at is None or depth > _CHAIN:
        return None
    path = call.path.removesuffix("()")
    return Placement(
        path,
        "call",
        _written(call.call) or last_of(path),
        _at(call, call.at),
        _receiver(call.receiver, depth + 1),
    )


def _at(call: External, otherwise: Location) -> Location:
    at = call.at or otherwise
    return Location(at.path, at.line, call.call.end_line) if call.call is not None else otherwise


def _written(call: Call | None) -> str:
    """The name under which something is called; it may be imported under another one than its own."""
    return str(getattr(call.callee, "name", "") or "") if call is not None else ""
