"""``errors.caught``: can an error of the work leave the job, and which handler takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from cronaudit.model.facts import Fact
from cronaudit.model.ir import Assign, Call, Do, Handler, Try
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.model.value import Closure, External, Symbol, Unknown
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.acts import acts_of, is_work
from cronaudit.recognition.facts.frames import Frame, Frames, catching
from cronaudit.recognition.facts.operations import operations_of

Caught = Literal["whole", "framework", "part", "none"]

_SAFE_EFFECTS = ("log", "metric.", "id.", "host.", "timer.", "memory.", "yield", "sleep", "timeout.", "async.wait",
                 "flag.", "run.", "tx.", "board.", "cron.", "retry.", "concurrency.")  # fmt: skip
"""What does not fail by itself, or only hands on what its callback throws."""
_AROUND = ("lock.", "leader.", "monitor.", "alert.", "tracker.", "key.")
"""What stands around the body and is none of it."""
_UNSAFE_BUILTINS = frozenset((
    "global:fetch", "global:JSON.parse", "builtins.open", "builtins.int", "builtins.float",
    "builtins.next", "builtins.exec", "builtins.eval", "global:decodeURIComponent", "global:atob",
))  # fmt: skip


class Escape(Struct, frozen=True, eq=False):
    """A place from which an error leaves the job."""

    event: Event


def caught_of(context: JobContext) -> Fact[Caught]:
    """``errors.caught``."""
    walk = _Walk(context)
    escapes = list(walk.escapes(walk.frames.root, set()))
    handler = work_handler(context)
    trait = context.trait("errors.caught") in ("framework", "whole")
    if handler is not None and not escapes and context.trace.complete:
        return Fact("whole", "The whole body is caught", (handler,), ())
    if trait or _option_catches(context):
        places = (handler,) if handler is not None else (context.site,)
        return Fact("framework", "The framework records the failure and lives on", places)
    typed = typed_try(context) if escapes else None
    if typed is not None:
        return Fact("part", "Only some types of errors are caught", (handler_location(typed, context),))
    if escapes:
        first = escapes[0].event
        inside = next(iter(walk.guarded), None)
        if inside is not None:
            what = f"{_name(first)} at {first.location} lies outside of it"
            return Fact(
                "part",
                f"Only parts of the body are caught: {what}",
                (first.location, inside.location),
                first.path,
            )
        return Fact(
            "none", f"An error of {_name(first)} escapes into the scheduler", (first.location,), first.path
        )
    return context.absent("none", "Nothing catches")


def _option_catches(context: JobContext) -> bool:
    """Whether the scheduler is given a function for errors."""
    return isinstance(context.registration.options.get("error_handler"), Closure)


def work_handler(context: JobContext) -> Location | None:
    """The outermost handler around the work."""
    region = outermost_try(context)
    return handler_location(region, context) if region is not None else None


def outermost_try(context: JobContext) -> Region | None:
    """The widest TRY on the walk whose handler takes every error of something that can fail."""
    walk = _Walk(context)
    acts = acts_of(context, operations_of(context))
    around: Counter[int] = Counter(id(r) for a in acts for r in a.event.regions())
    size: Counter[int] = Counter(id(r) for e in context.trace.events for r in e.regions())
    best: tuple[tuple[int, int], Region] | None = None
    for event in context.trace.events:
        if not walk.can_fail(event) or event.inside(RegionKind.CATCH):
            continue
        outer = [r for r in event.regions() if catching(r)]
        if outer:
            held = (around[id(outer[-1])], size[id(outer[-1])])
            if best is None or held > best[0]:
                best = (held, outer[-1])
    return best[1] if best is not None else None


def typed_try(context: JobContext) -> Region | None:
    """A TRY around all acts of the work whose handlers take some types of errors only."""
    acts = acts_of(context, operations_of(context))
    for region in acts[0].event.regions() if acts else ():
        node = region.node
        if region.kind is not RegionKind.TRY or not isinstance(node, Try) or not node.handlers:
            continue
        if not catching(region) and all(any(r.node is node for r in a.event.regions()) for a in acts):
            return region
    return None


def handler_location(region: Region, context: JobContext) -> Location:
    """Where the handler of a TRY stands."""
    path = next(
        (e.location.path for e in context.trace.events if any(r is region for r in e.regions())),
        context.site.path,
    )
    node = region.node
    if isinstance(node, Try) and node.handlers:
        first: Handler = node.handlers[0]
        return Location(path, first.line, first.end_line)
    return Location(path, int(getattr(node, "end_line", 0) or getattr(node, "line", 1)))


class _Walk:
    def __init__(self, context: JobContext) -> None:
        self._context = context
        self.frames: Frames = operations_of(context).frames
        self._effects: dict[int, list[str]] = {}
        for sighting in context.sightings:
            self._effects.setdefault(sighting.event.order, []).append(sighting.effect)
        self._events = context.trace.events

    @property
    def guarded(self) -> Iterator[Event]:
        """What can fail and stands in a TRY that takes every error."""
        return (
            e
            for e in self._events
            if self.can_fail(e)
            and is_work(self._context, e)
            and not self._is_around(e)
            and any(catching(r) for r in e.regions())
        )

    def _is_around(self, event: Event) -> bool:
        """Whether an event is no part of the body: giving back a lock, telling a monitor."""
        effects = self._effects.get(event.order, ())
        return bool(effects) and all(e.startswith(_AROUND) for e in effects)

    def escapes(self, frame: Frame, seen: set[int]) -> Iterator[Escape]:
        """The places in a frame from which an error leaves it."""
        if id(frame) in seen:
            return
        seen.add(id(frame))
        base = frame.enter.region if frame.enter is not None else None
        for item in frame.items:
            if isinstance(item, Frame):
                enter = item.enter
                assert enter is not None  # noqa: S101 - only the root has none
                if self._is_caught(enter, base) and not self._is_floating(item):
                    continue
                yield from self.escapes(item, seen)
            elif item.kind is EventKind.THROW:
                if not self._is_caught(item, base):
                    yield Escape(item)
            elif item.inside(RegionKind.CATCH) or item.inside(RegionKind.FINALLY):
                continue
            elif self.can_fail(item) and not self._is_caught(item, base):
                yield Escape(item)
            elif self._calls_again(item) and not self._is_caught(item, base):
                assert isinstance(item.callee, Closure)  # noqa: S101 - the test has looked
                first = self.frames.first(item.callee.function)
                if first is not None and any(True for _ in self.escapes(first, set(seen) | {id(frame)})):
                    yield Escape(item)

    def _is_caught(self, event: Event, base: Region | None) -> bool:
        for region in event.regions():
            if region is base:
                return False
            if catching(region):
                return True
        return False

    def _is_floating(self, frame: Frame) -> bool:
        """Whether an async function is called and left to itself: its rejection reaches no ``try`` around the call."""
        call = frame.call
        if call is None or frame.is_callback or frame.function is None or not frame.function.is_async:
            return False
        if call.awaited or isinstance(call.statement, Assign):
            return False
        return isinstance(call.statement, Do) and not any(
            r.kind is RegionKind.TRY and isinstance(r.node, Call) for r in call.regions()
        )

    def _calls_again(self, event: Event) -> bool:
        return (
            event.kind is EventKind.CALL
            and isinstance(event.callee, Closure)
            and not self.frames.enters(event, self._events)
        )

    def can_fail(self, event: Event) -> bool:
        """Whether a call may throw or reject by itself: it reaches something outside the project that is no log."""
        if event.kind is not EventKind.CALL or event.passed or self.frames.is_set_up(event):
            return False
        effects = self._effects.get(event.order)
        if effects:
            return not all(e.startswith(_SAFE_EFFECTS) for e in effects)
        callee = event.callee
        if isinstance(callee, External):
            path = callee.path
            if path.startswith(("global:", "builtins.")):
                return path in _UNSAFE_BUILTINS
            return event.awaited
        return isinstance(callee, Unknown | Symbol) and event.awaited


def _name(event: Event) -> str:
    if event.kind is EventKind.THROW:
        return "throw"
    name = getattr(getattr(event.call, "callee", None), "name", "")
    return f"{name}()" if name else "a call"
