"""What a run changes in the world: its writes, and what it sends out."""

from __future__ import annotations

from msgspec import Struct

from cronaudit.model.source import Location
from cronaudit.model.trace import Event
from cronaudit.model.value import Choice, Closure, Env, Text, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.operations import Operation, Operations
from cronaudit.recognition.sightings import Sighting, is_error_path, text_of

OUTGOING = ("mail.send", "payment.mutate", "queue.enqueue", "alert.send")
SIDE = ("file.write", "cache.set", "process.spawn", "metric.push")
"""What counts as a change only where a run changes nothing else: most of it leaves the same behind when repeated."""
CHANGING_METHODS = frozenset(("POST", "PUT", "PATCH", "DELETE"))


class Act(Struct, eq=False):
    """One change."""

    event: Event
    write: Operation | None
    sighting: Sighting | None
    enqueued: bool

    @property
    def location(self) -> Location:
        """Where the call stands."""
        return self.event.location

    @property
    def path(self) -> tuple[str, ...]:
        """The symbols from the trigger to here."""
        return self.event.path

    @property
    def what(self) -> str:
        """In a word for the evidence: ``INSERT``, ``mail.send``."""
        if self.write is not None:
            return self.write.kind.upper()
        return self.sighting.effect if self.sighting is not None else ""


def acts_of(context: JobContext, operations: Operations) -> tuple[Act, ...]:
    """The changes that are the job's work, in the order of the walk; what only a failure brings about is none."""
    acts = [Act(o.event, o, None, enqueued=o.enqueued) for o in operations.writes]
    acts += [Act(s.event, None, s, enqueued=False) for s in outgoing(context, operations)]
    acts += [
        Act(s.event, None, s, enqueued=True)
        for s in context.enqueued
        if s.effect in OUTGOING or (is_changing_request(s) and not _tells_about_job(s, context))
    ]
    work = tuple(a for a in acts if not is_error_path(a.event.region)) or tuple(acts)
    inner = tuple(a for a in work if a.enqueued or is_work(context, a.event))
    return tuple(sorted(inner or work, key=lambda a: (a.enqueued, a.event.order)))


def outgoing(context: JobContext, operations: Operations) -> tuple[Sighting, ...]:
    """What a run sends out. Work that it enqueues is judged by what that work does, where that is known."""
    sent = [
        s
        for s in context.seen(*OUTGOING, "http.request")
        if (s.effect != "http.request" or (is_changing_request(s) and not _tells_about_job(s, context)))
        and not (s.effect == "queue.enqueue" and context.enqueued)
        and not (s.effect == "alert.send" and is_error_path(s.event.region))
    ]
    if not sent and not operations.writes:
        sent = list(context.seen(*SIDE))
    return tuple(sent)


def is_changing_request(sighting: Sighting) -> bool:
    """Whether a request changes something at the other end, by its method."""
    if sighting.effect != "http.request":
        return False
    method = sighting.text("verb") or sighting.text("method")
    return method is not None and method.upper() in CHANGING_METHODS


def _tells_about_job(sighting: Sighting, context: JobContext) -> bool:
    """Whether a request goes to a monitor or to an alert service: it tells about the job, and is not its work."""
    matcher = context.service.matcher
    url = sighting.param("url")
    text = text_of(url)
    if text is not None and matcher.host(text) is not None:
        return True
    return any(isinstance(v, Env) and matcher.host_of_variable(v.name) is not None for v in _parts(url))


def _parts(value: Value | None) -> tuple[Value, ...]:
    if isinstance(value, Text):
        return tuple(p for p in value.parts if not isinstance(p, str))
    if isinstance(value, Choice):
        return value.options
    return (value,) if value is not None else ()


def is_work(context: JobContext, event: Event) -> bool:
    """Whether an event belongs to the handler, and not to a runner around it."""
    handler = context.handler
    if not isinstance(handler, Closure):
        return True
    return handler.function.symbol in event.path
