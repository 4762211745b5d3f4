"""The trace of a job as the tree of calls that it is: which function was entered where, and where else it is called.

A walk enters a function once. What is done in it is done at every call of it: `Frames.places` gives all of them, so
that a write inside a transaction at one call and outside at another is seen as both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from cronaudit.model.ir import Function, FunctionKind, Try
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.model.value import Closure

_DEPTH = 6
_MOST_PLACES = 64


class Frame(Struct, eq=False):
    """One entered function."""

    function: Function | None
    """None for the whole trace."""
    enter: Event | None
    call: Event | None
    """The call that entered it; None for the trigger and for the links of a promise chain."""
    is_callback: bool
    """Whether the function was handed to `call`."""
    parent: Frame | None
    items: list[Item] = []

    def outward(self) -> Iterator[Frame]:
        """This frame and those around it."""
        current: Frame | None = self
        while current is not None:
            yield current
            current = current.parent


Item: TypeAlias = "Event | Frame"


class Place(Struct, frozen=True, eq=False):
    """One way in which the walk comes to an event."""

    regions: tuple[Region, ...]
    """What surrounds it, inner first."""
    order: int
    """Its position in the trace, or that of the call that comes to it again."""
    frame: Frame
    """The frame of that position."""


class Frames:
    """The tree of calls of one trace."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        self.root = Frame(None, None, None, is_callback=False, parent=None)
        self._of: dict[int, Frame] = {}
        self._first: dict[int, Frame] = {}
        self._again: dict[int, list[Event]] = {}
        self._build(events)

    def _build(self, events: tuple[Event, ...]) -> None:
        stack: list[tuple[Frame, int]] = [(self.root, 0)]
        for event in events:
            while len(stack) > 1 and len(event.path) < stack[-1][1]:
                stack.pop()
            around = stack[-1][0]
            self._of[event.order] = around
            if event.kind is EventKind.ENTER and isinstance(event.callee, Closure):
                call, is_callback = _entered_by(event, events)
                frame = Frame(event.callee.function, event, call, is_callback, around)
                around.items.append(frame)
                self._first.setdefault(id(event.callee.function), frame)
                self._of[event.order] = frame
                stack.append((frame, len(event.path) + 1))
                continue
            around.items.append(event)
            if (
                event.kind is EventKind.CALL
                and isinstance(event.callee, Closure)
                and not self.enters(event, events)
            ):
                self._again.setdefault(id(event.callee.function), []).append(event)

    @staticmethod
    def enters(call: Event, events: tuple[Event, ...]) -> bool:
        """Whether this call entered its function, and not an earlier one."""
        after = events[call.order + 1] if call.order + 1 < len(events) else None
        return after is not None and after.kind is EventKind.ENTER and _same(after, call)

    def of(self, event: Event) -> Frame:
        """The frame that an event stands in; of an ENTER the frame that it begins."""
        return self._of.get(event.order, self.root)

    def first(self, function: Function) -> Frame | None:
        """The frame in which a function was walked."""
        return self._first.get(id(function))

    def called_from(self, event: Event) -> tuple[Event, ...]:
        """The calls through which the walk came to an event, inner first."""
        return tuple(f.call for f in self.of(event).outward() if f.call is not None and not f.is_callback)

    def is_set_up(self, event: Event) -> bool:
        """Whether an event belongs to a constructor: an object is made once (``getInstance()``), not in every run."""
        return any(
            f.function is not None and f.function.kind is FunctionKind.CONSTRUCTOR
            for f in self.of(event).outward()
        )

    def places(self, event: Event) -> tuple[Place, ...]:
        """All ways in which the walk comes to an event, the walked one first."""
        found: list[Place] = []
        for place in self._places(event, 0):
            found.append(place)
            if len(found) >= _MOST_PLACES:
                break
        return tuple(found)

    def _places(self, event: Event, depth: int) -> Iterator[Place]:
        regions = tuple(event.regions())
        frame = self.of(event)
        yield Place(regions, event.order, frame)
        if depth >= _DEPTH:
            return
        for around in frame.outward():
            if (
                around.function is None
                or around.enter is None
                or self._first.get(id(around.function)) is not around
            ):
                continue
            inner = _up_to(regions, around.enter.region)
            for call in self._again.get(id(around.function), ()):
                if any(f is around for f in self.of(call).outward()):
                    continue
                for place in self._places(call, depth + 1):
                    yield Place((*inner, *place.regions), place.order, place.frame)


def _entered_by(enter: Event, events: tuple[Event, ...]) -> tuple[Event | None, bool]:
    region = enter.region
    if region is not None and region.kind is RegionKind.CALLBACK and isinstance(region.info, Event):
        before = events[enter.order - 1] if enter.order else None
        if not (before is not None and before.kind is EventKind.CALL and _same(enter, before)):
            return region.info, True
    before = events[enter.order - 1] if enter.order else None
    if before is not None and before.kind is EventKind.CALL and len(before.path) == len(enter.path):
        return before, False
    return None, False


def _same(enter: Event, call: Event) -> bool:
    return (
        isinstance(enter.callee, Closure)
        and isinstance(call.callee, Closure)
        and enter.callee.function is call.callee.function
    )


def _up_to(regions: tuple[Region, ...], end: Region | None) -> tuple[Region, ...]:
    for position, region in enumerate(regions):
        if region is end:
            return regions[:position]
    return regions


# ---- regions ----------------------------------------------------------------------------------------------------

EACH = frozenset(("map", "forEach", "flatMap", "filter", "some", "every", "reduce", "each", "eachSeries", "eachLimit",
                  "mapSeries", "mapLimit"))  # fmt: skip
"""Methods that call a function once for each item of a collection."""


def each_method(region: Region) -> str | None:
    """The method that runs a callback for each item: ``map``."""
    if (
        region.kind is not RegionKind.CALLBACK
        or not isinstance(region.info, Event)
        or region.info.call is None
    ):
        return None
    name = getattr(region.info.call.callee, "name", "")
    return name if name in EACH else None


def repeats(region: Region) -> bool:
    """Whether what stands in a region is done once for each of several things."""
    return region.kind is RegionKind.LOOP or each_method(region) is not None


def catching(region: Region) -> bool:
    """Whether a failure inside a TRY region comes to a handler that takes every error."""
    if region.kind is not RegionKind.TRY:
        return False
    node = region.node
    if not isinstance(node, Try):
        # A promise chain: only its `catch` (or the second function of `then`) handles.
        return getattr(getattr(node, "callee", None), "name", "") in ("catch", "then")
    return any(all_errors(h.types) for h in node.handlers)


_ALL_ERRORS = frozenset(("Exception", "BaseException"))


def all_errors(types: tuple[object, ...]) -> bool:
    """Whether the types of a handler take every error: none stated, or the base of all."""
    if not types:
        return True
    return any(getattr(t, "name", "") in _ALL_ERRORS or all_errors_in(getattr(t, "items", ())) for t in types)


def all_errors_in(items: tuple[object, ...]) -> bool:
    """The same of the members of a tuple of types."""
    return any(getattr(t, "name", "") in _ALL_ERRORS for t in items)
