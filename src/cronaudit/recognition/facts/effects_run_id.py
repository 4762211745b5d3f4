"""An id for each run: made by the job or offered by its framework, and where it is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cronaudit.model.facts import Fact
from cronaudit.model.ir import Call, Expr, Member, Name, This
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import Closure, Record
from cronaudit.model.walking import contains, inside
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.frames import Frame, Frames
from cronaudit.recognition.facts.operations import operations_of
from cronaudit.recognition.facts.run_history import row_of_run
from cronaudit.recognition.facts.usage import names_of, targets

RunId = Literal["used", "available", "none"]

_RECORDS = ("log", "log.base", "db.insert", "db.upsert", "db.update", "db.query", "tracker.capture", "monitor.ping",
            "monitor.checkin", "queue.enqueue", "metric.push", "alert.send")  # fmt: skip
"""Calls that put an id where somebody can read it later."""
_BINDS = frozenset(
    ("child", "bind", "with_fields", "withFields", "withContext", "setContext", "set_tag", "setTag", "run")
)
"""Methods that give an id to all that is logged afterwards."""
_IDS = frozenset(
    ("id", "jobId", "job_id", "runId", "run_id", "messageId", "correlationId", "executionId", "uuid")
)
_DEPTH = 4


def run_id_of(context: JobContext) -> Fact[RunId]:
    """``effects.run_id``."""
    frames = operations_of(context).frames
    search = _Search(context, frames)
    for sighting in context.seen("id.make", "id.run"):
        place = search.use_of_call(sighting.event)
        if place is not None:
            return Fact("used", "Id for each run", (place, sighting.location), sighting.path)
    row = _of_row(context)
    if row is not None:
        return row
    offered = (
        context.trait("effects.run_id") in ("available", "used") or context.registration.consumer is not None
    )
    place = search.use_of_parameter() if offered else None
    if place is not None:
        return Fact("used", "Id of the framework in logs or records", (place,))
    if offered:
        return Fact("available", "The framework has an id, the code never uses it", (context.site,))
    made = context.seen("id.make")
    detail = "No id per run" if not made else "No id per run (one is made, for something else)"
    return context.absent("none", detail)


def _of_row(context: JobContext) -> Fact[RunId] | None:
    """The id of the row that is written for each run, by which its outcome is recorded."""
    row = row_of_run(context)
    where = row.outcome.param("where") if row is not None and row.outcome is not None else None
    if row is None or row.outcome is None or not isinstance(where, Record) or not _IDS & set(where.entries):
        return None
    places = (row.outcome.location, row.inserted.location)
    return Fact("used", f"Id of the row of {row.table} that each run has", places, row.outcome.path)


class _Search:
    """Follows an id from where it is made to where it is written."""

    def __init__(self, context: JobContext, frames: Frames) -> None:
        self._context = context
        self._frames = frames
        self._records = {s.event.order for s in context.seen(*_RECORDS)}
        self._others = {
            s.event.order for s in context.seen("lock.*", "id.*", "cache.*", "http.*", "sleep", "leader.*")
        }

    def use_of_call(self, made: Event) -> Location | None:
        """Where the result of a call is logged or recorded."""
        frame = self._frames.of(made)
        for event in self._calls(frame):
            if event is made or event.call is None or not self._is_record(event):
                continue
            if any(contains(a.value, made.call) for a in event.call.args):
                return event.location
        names = frozenset(targets(made))
        return self._use_of(frame, names, _DEPTH) if names else None

    def use_of_parameter(self) -> Location | None:
        """Where the id of the object that the framework hands over is logged or recorded."""
        handler = self._context.registration.handler
        if not isinstance(handler, Closure):
            return None
        frame = self._frames.first(handler.function)
        if frame is None:
            return None
        function = handler.function
        first = frozenset(names_of(function.params[0].target)) if function.params else frozenset()
        return self._id_of(frame, first, _DEPTH)

    def _id_of(self, frame: Frame, names: frozenset[str], depth: int) -> Location | None:
        for event in self._calls(frame):
            if event.call is None:
                continue
            for argument in event.call.args:
                if not any(_is_id(e, names) for e in inside(argument.value)):
                    continue
                if self._is_record(event):
                    return event.location
                found = self._inside(
                    event, argument.value, depth, lambda e: any(_is_id(i, names) for i in inside(e))
                )
                if found is not None:
                    return found
        for inner in self._entered(frame) if depth else ():
            passed = frozenset(_passed(inner, names))
            if passed:
                found = self._id_of(inner, passed, depth - 1)
                if found is not None:
                    return found
        return None

    def _use_of(self, frame: Frame, names: frozenset[str], depth: int) -> Location | None:
        for event in self._calls(frame):
            if event.call is None or event.order in self._others:
                continue
            if not any(_names(a.value, names) for a in event.call.args):
                continue
            if self._is_record(event):
                return event.location
            found = self._inside(event, None, depth, lambda e: _names(e, names))
            if found is not None:
                return found
        return None

    def _inside(self, event: Event, _value: Expr | None, depth: int, takes: object) -> Location | None:
        """Follow an argument into the function that it is given to."""
        if not depth or not isinstance(event.callee, Closure):
            return None
        inner = self._frames.first(event.callee.function)
        if inner is None or event.call is None:
            return None
        names: set[str] = set()
        for position, argument in enumerate(event.call.args):
            if takes(argument.value) and position < len(event.callee.function.params):  # type: ignore[operator]
                names.update(names_of(event.callee.function.params[position].target))
        return self._use_of(inner, frozenset(names), depth - 1) if names else None

    def _is_record(self, event: Event) -> bool:
        name = getattr(getattr(event.call, "callee", None), "name", "")
        return event.order in self._records or (name in _BINDS and not isinstance(event.callee, Closure))

    def _calls(self, frame: Frame) -> Iterator[Event]:
        """The calls of a function, and those of functions that are written inside it."""
        for item in frame.items:
            if isinstance(item, Frame):
                if item.function is not None and item.function.parent is frame.function:
                    yield from self._calls(item)
            elif item.kind is EventKind.CALL:
                yield item

    @staticmethod
    def _entered(frame: Frame) -> Iterator[Frame]:
        return (i for i in frame.items if isinstance(i, Frame) and i.call is not None and not i.is_callback)


def _is_id(expr: Expr, names: frozenset[str]) -> bool:
    if not isinstance(expr, Member) or expr.name not in _IDS:
        return False
    owner = expr.object
    if isinstance(owner, Name):
        return owner.name in names
    return isinstance(owner, Member) and owner.name == "request" and isinstance(owner.object, This | Name)


def _names(expr: Expr, names: frozenset[str]) -> bool:
    return any(isinstance(e, Name) and e.name in names for e in inside(expr))


def _passed(frame: Frame, names: frozenset[str]) -> Iterator[str]:
    """The parameters of an entered function that hold one of these names."""
    call: Call | None = frame.call.call if frame.call is not None else None
    if call is None or frame.function is None:
        return
    for position, argument in enumerate(call.args):
        if (
            isinstance(argument.value, Name)
            and argument.value.name in names
            and position < len(frame.function.params)
        ):
            yield from names_of(frame.function.params[position].target)
