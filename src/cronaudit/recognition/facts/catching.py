"""Where an error goes that a call throws: which handler takes it, and whether that one tells anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct

from cronaudit.model.ir import Call, Handler, If, Return, Throw, Try
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.model.walking import statements
from cronaudit.recognition.sightings import Sighting

_TELLING = ("log", "tracker.capture", "alert.send")
_QUIET = frozenset(("debug", "trace"))


class Caught(Struct, frozen=True):
    """The end of an error."""

    how: Literal["logged", "swallowed", "unhandled"]
    location: Location | None
    """The log line, or the handler that says nothing."""
    regions: tuple[Region, ...] = ()
    """The TRY regions that it has passed, inner first."""


def catch_of(
    event: Event,
    events: tuple[Event, ...],
    sightings: Iterable[Sighting],
    misses: Callable[[Region], bool] = lambda _region: False,
) -> Caught:
    """Who learns of an error that `event` throws; `misses` tells whether all handlers are for other errors."""
    telling = [s for s in sightings if s.effect in _TELLING and s.description.word("level") not in _QUIET]
    passed: list[Region] = []
    for region in _tries(event.region):
        if misses(region):
            continue
        passed.append(region)
        inside = [e for e in events if _is_in_handler(e, region)]
        heard = [s for s in telling if any(s.event is e for e in inside)]
        # What a handler says of some errors only, while it gives the others on, is not said of all.
        some = [s for s in heard if _is_asked(s.event, region)]
        if heard and (len(some) < len(heard) or not _throws_on(region, inside) or _in_both_arms(some)):
            return Caught("logged", heard[0].location, tuple(passed))
        if _throws_on(region, inside):
            continue
        return Caught("swallowed", _handler_location(region, event), tuple(passed))
    return Caught("unhandled", None, tuple(passed))


def _tries(region: Region | None) -> Iterable[Region]:
    """The TRY regions whose handlers see an error, inner first."""
    for one in region.outward() if region is not None else ():
        if one.kind is not RegionKind.TRY:
            continue
        if (isinstance(one.node, Try) and one.node.handlers) or (
            isinstance(one.node, Call) and getattr(one.node.callee, "name", "") in ("catch", "then")
        ):
            yield one


def _is_in_handler(event: Event, region: Region) -> bool:
    return any(r.kind is RegionKind.CATCH and r.node is region.node for r in event.regions())


def _arms(event: Event, region: Region) -> list[Region]:
    """The arms of branches around an event, within the handler of a TRY region."""
    found: list[Region] = []
    for one in event.regions():
        if one.kind is RegionKind.CATCH and one.node is region.node:
            return found
        if one.kind in (RegionKind.THEN, RegionKind.ELSE):
            found.append(one)
    return []


def _is_asked(event: Event, region: Region) -> bool:
    return bool(_arms(event, region))


def _in_both_arms(some: list[Sighting]) -> bool:
    """Whether each way through a branch tells: ``if (final) error(…) else warn(…)``."""
    kinds: dict[int, set[RegionKind]] = {}
    for sighting in some:
        for arm in sighting.event.regions():
            kinds.setdefault(id(arm.node), set()).add(arm.kind)
    return any({RegionKind.THEN, RegionKind.ELSE} <= k for k in kinds.values())


def _throws_on(region: Region, inside: list[Event]) -> bool:
    """Whether the handler gives the error on, on some way."""
    if isinstance(region.node, Try):
        return any(isinstance(s, Throw) for h in region.node.handlers for s in statements(h.body))
    return any(e.kind is EventKind.THROW for e in inside)


def _handler_location(region: Region, event: Event) -> Location | None:
    node = region.node
    path = event.scope.module.path
    if isinstance(node, Try) and node.handlers:
        handler = node.handlers[0]
        return Location(path, handler.line, handler.end_line)
    return Location(path, node.line) if isinstance(node, Call) else None


def asks_error(handler: Handler) -> bool:
    """Whether a handler looks at what went wrong before it goes on: a type, a code, a condition on the error."""
    if handler.types:
        return bool(handler.body)
    return any(
        isinstance(s, If) and _mentions(s, handler.name)
        for s in statements(handler.body)
        if not isinstance(s, Return)
    )


def _mentions(statement: If, name: str | None) -> bool:
    from cronaudit.model.ir import Name
    from cronaudit.model.walking import inside

    return name is not None and any(isinstance(e, Name) and e.name == name for e in inside(statement.test))
