"""The signals that a run sends to an external monitor: each with the phase that it tells, and its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from cronaudit.knowledge.matcher import Matcher, phase_of
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Const, Function, Loop, LoopKind
from cronaudit.model.knowledge import Host
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, RegionKind
from cronaudit.model.value import Arguments, Closure, External, Value
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.facts.hosts import host_of, texts
from cronaudit.recognition.facts.replays import Occurrence, occurrences
from cronaudit.recognition.facts.spans import core_of, covers_run, spans_of, work_of
from cronaudit.recognition.sightings import Sighting

Phase = Literal["start", "completion", "failure"]

_WORDS: Final[dict[Phase, frozenset[str]]] = {
    "start": frozenset("in_progress in-progress start started starting run running begin begun".split()),
    "failure": frozenset("error errored fail failed failure failing down critical".split()),
    "completion": frozenset(
        "ok success succeeded complete completed done finish finished up pass passed".split()
    ),
}
"""What libraries and people call the phases of a check-in."""
_OPEN_TAIL: Final = lazy_regex(r"(?:/|[?&](?:state|status|exit_?code|code)=)\$\{…\}$", re.IGNORECASE)


class Signal(Struct, frozen=True):
    """One call to a monitor."""

    service: str
    phases: tuple[Phase, ...]
    name: str | None
    """The slug or name of the monitor, as far as it is known."""
    schedule: bool
    """Whether it tells the monitor the schedule."""
    grace: bool
    """Whether it tells the monitor a margin or a maximum run time."""
    carries: bool
    """Whether the monitor learns duration and outcome from it alone."""
    location: Location
    path: tuple[str, ...]
    detail: str
    source: Location
    """Where the call to the monitor itself stands."""


@once
def signals_of(context: JobContext) -> tuple[Signal, ...]:
    """All signals of a job's run, in the order of the walk."""
    reader = _Reader(context)
    found = [
        s
        for o in occurrences(context, "monitor.ping", "monitor.checkin")
        if (s := reader.read(o)) is not None
    ]
    found += [s for o in occurrences(context, "http.request") if (s := reader.hosted(o)) is not None]
    found += [s for o in occurrences(context, "monitor.wrap") if (s := reader.wrap(o)) is not None]
    found += list(reader.decorators())
    return tuple(found)


class _Reader:
    """Reads the calls of one job."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._linker: Linker = context.linker
        self._matcher: Matcher = context.service.matcher
        self._spans = spans_of(context)
        self._pings = {s.event.order for s in context.seen("monitor.ping", "monitor.checkin", "monitor.wrap")}
        core = core_of(context, self._spans)
        work = [e for e in work_of(context) if e.order not in self._pings and not self._is_ping(e)]
        if core is not None:
            self._begin: int | None = core.order
            self._end: int | None = max((core.order, *(e.order for e in self._spans.span(core))))
            self._work_path = core.path
        else:
            normal = [e for e in work if not e.inside(RegionKind.CATCH) and not e.inside(RegionKind.FINALLY)]
            self._begin = normal[0].order if normal else None
            self._end = normal[-1].order if normal else None
            self._work_path = (
                normal[0].path if normal else (context.trace.events[0].path if context.trace.events else ())
            )

    def _is_ping(self, event: Event) -> bool:
        for sighting in self._context.seen("http.request"):
            if sighting.event is event:
                return self._host(sighting) is not None
        return False

    # ---- calls -----------------------------------------------------------------------------------------------

    def read(self, occurrence: Occurrence) -> Signal | None:
        """A call that a library describes as a ping or check-in."""
        sighting = occurrence.sighting
        word = sighting.description.word("phase")
        state = sighting.param("state")
        said = [*texts(state), *([] if not isinstance(word, str) or word == "auto" else [word])]
        phases = tuple(dict.fromkeys(p for text in said if (p := _phase(text)) is not None))
        if not phases and (url := sighting.param("url")) is not None:
            phases = self._url_phases(url, self._host(sighting))
        service = sighting.description.word("service")
        return self._signal(
            occurrence,
            str(service or sighting.library),
            phases or self._placed(sighting.event, open_state=state is not None and not texts(state)),
        )

    def hosted(self, occurrence: Occurrence) -> Signal | None:
        """A request to a host that is a monitor."""
        host = self._host(occurrence.sighting)
        url = occurrence.sighting.param("url")
        if host is None or url is None:
            return None
        phases = self._url_phases(url, host)
        if not phases or phases == ("completion",):
            open_tail = any(_OPEN_TAIL.search(t) for t in texts(url))
            phases = self._placed(occurrence.sighting.event, open_state=open_tail)
        return self._signal(occurrence, host.service, phases)

    def wrap(self, occurrence: Occurrence) -> Signal | None:
        """A call that runs the work as its callback or block."""
        sighting = occurrence.sighting
        inside = frozenset(
            e.order
            for e in self._context.trace.events
            if any(
                r.kind in (RegionKind.CALLBACK, RegionKind.WITH) and r.info is sighting.event
                for r in e.regions()
            )
        )
        if not covers_run(inside, self._context, self._spans):
            return None
        service = str(sighting.description.word("service") or sighting.library)
        return self._signal(occurrence, service, ("start", "completion", "failure"), carries=True)

    def decorators(self) -> Iterator[Signal]:
        """``@monitor(monitor_slug='close')`` on the function that does the work."""
        seen: set[int] = set()
        for handler in (self._context.registration.handler, self._context.handler):
            if not isinstance(handler, Closure) or id(handler.function) in seen:
                continue
            seen.add(id(handler.function))
            for sighting in _decorated(handler.function, self._context):
                service = str(sighting.description.word("service") or sighting.library)
                phases: tuple[Phase, ...] = ("start", "completion", "failure")
                yield self._signal(Occurrence(sighting, ()), service, phases, carries=True)

    # ---- parts -----------------------------------------------------------------------------------------------

    def _host(self, sighting: Sighting) -> Host | None:
        return host_of(sighting, self._matcher, "monitor.ping")

    @staticmethod
    def _url_phases(url: Value, host: Host | None) -> tuple[Phase, ...]:
        if host is None:
            return ()
        names: dict[str, Phase] = {"start": "start", "failure": "failure", "success": "completion"}
        found = (names.get(phase_of(host, t)) for t in texts(url) or [""])
        return tuple(dict.fromkeys(p for p in found if p is not None))

    def _placed(self, event: Event, *, open_state: bool) -> tuple[Phase, ...]:
        """What a call without a phase of its own tells, by its place on the path."""
        if event.inside(RegionKind.CATCH):
            return ("failure",) if open_state else ()
        if event.inside(RegionKind.FINALLY):
            return ("completion", "failure") if open_state else ("completion",)
        if self._begin is None or self._end is None:
            return ("completion",)
        if event.order < self._begin:
            return ("start",)
        return ("completion",) if event.order > self._end and not _in_item_loop(event, self._context) else ()

    def _signal(
        self, occurrence: Occurrence, service: str, phases: tuple[Phase, ...], *, carries: bool = False
    ) -> Signal:
        sighting = occurrence.sighting
        kept = tuple(p for p in phases if self._can_tell(p, sighting.event, carries=carries))
        name = sighting.text("name")
        url = sighting.param("url")
        if name is None and url is not None:
            name = _slug(next(iter(texts(url)), ""))
        caller = next((e for e in occurrence.calls if self._work_path[: len(e.path)] == e.path), None)
        called = _called(caller) if caller is not None else ""
        return Signal(
            service=service,
            phases=kept,
            name=name,
            schedule=sighting.param("schedule") is not None,
            grace=sighting.param("grace") is not None or sighting.param("max_runtime") is not None,
            carries=carries,
            location=occurrence.place_in(self._work_path),
            path=sighting.path,
            detail=f"{called}() to {service}" if called else service,
            source=sighting.location,
        )

    def _can_tell(self, phase: Phase, event: Event, *, carries: bool) -> bool:
        """Whether a call at that place is reached in that phase of a run."""
        if carries:
            return True
        if phase == "failure":
            return (
                event.inside(RegionKind.CATCH) or event.inside(RegionKind.FINALLY) or _tells_by_state(event)
            )
        if event.inside(RegionKind.CATCH):
            return False
        if phase == "start":
            return self._begin is None or event.order < self._begin
        return self._end is None or (event.order > self._end and not _in_item_loop(event, self._context))


def _tells_by_state(event: Event) -> bool:
    """``if (result.ok) ping() else ping('/fail')``: a branch of a test on the outcome."""
    return any(r.kind in (RegionKind.ELSE, RegionKind.THEN) for r in event.regions())


def _in_item_loop(event: Event, context: JobContext) -> bool:
    """Inside a loop over items; the endless loop of a worker, or that of the job itself, is none."""
    for region in event.regions():
        if region.node is context.registration.loop:
            continue
        if region.kind is RegionKind.LOOP and isinstance(region.node, Loop):
            endless = region.node.kind is LoopKind.WHILE and (
                region.node.test is None
                or (isinstance(region.node.test, Const) and bool(region.node.test.value))
            )
            if not endless:
                return True
    return False


def _phase(text: str) -> Phase | None:
    word = text.strip().lower().rsplit(".", 1)[-1]
    return next((phase for phase, words in _WORDS.items() if word in words), None)


def _slug(url: str) -> str | None:
    parts = [p for p in re.split(r"[/?#]", url.split("://", 1)[-1])[1:] if p and "${" not in p]
    named = [p for p in parts if _phase(p) is None and re.search(r"[a-z]", p) and len(p) > 2]
    return named[-1] if named else None


def _called(event: Event) -> str:
    callee = event.call.callee if isinstance(event.call, Call) else None
    name = getattr(callee, "name", "")
    return name if isinstance(name, str) else ""


def _decorated(function: Function, context: JobContext) -> Iterator[Sighting]:
    scope = context.linker.scope_of(function.parent)
    for decorator in function.decorators:
        call = decorator if isinstance(decorator, Call) else None
        callee = context.linker.fold(call.callee if call is not None else decorator, scope)
        if not isinstance(callee, External):
            continue
        for effect in context.service.matcher.effects(callee.path):
            if effect.effect != "monitor.wrap":
                continue
            args: Arguments | None = (
                context.linker.arguments(call, scope) if call is not None else Arguments((), {})
            )
            at = Location(function.module.path, call.line if call is not None else function.line)
            event = Event(EventKind.CALL, 0, call, callee, scope, None, (function.symbol,), at, None)
            view = External(callee.path, args, at, callee.receiver, call)
            yield Sighting("monitor.wrap", effect, event, view, context.linker)
