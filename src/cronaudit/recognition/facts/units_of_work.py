"""Transactions that nobody begins: a session collects what is written until a commit writes it all at once."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.source import Location
from cronaudit.model.trace import Event, Region, RegionKind
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.frames import Place
from cronaudit.recognition.facts.operations import Operation, Operations
from cronaudit.recognition.facts.spans import spans_of
from cronaudit.recognition.sightings import Sighting

_Key = tuple[int, int]


class UnitsOfWork:
    """Which writes of a run one commit writes."""

    def __init__(self, context: JobContext, operations: Operations) -> None:
        self._frames = operations.frames
        self._spans = spans_of(context)
        commits = [s for s in context.seen("tx.commit") if _is_implicit(s)]
        everywhere = (*context.sightings, *context.enqueued)
        self._libraries = {s.library for s in everywhere if _is_implicit(s)}
        self._owned = {id(s.event) for s in everywhere if s.library in self._libraries}
        self._orders = frozenset(s.event.order for s in commits)
        self._later = dict(_ends_of_tasks(context.enqueued))
        self._ends: list[tuple[_Key, Event]] = sorted(
            (
                ((place.order, s.event.order), s.event)
                for s in commits
                for place in self._frames.places(s.event)
            ),
            key=lambda end: end[0],
        )

    def of(self, writes: tuple[Operation, ...]) -> tuple[list[frozenset[int]], Location | None]:
        """The writes of each unit by their position, and the first commit; none where a write is in no unit."""
        units: dict[object, set[int]] = {}
        first: Location | None = None
        if len(self._libraries) != 1:
            return [], None
        for position, write in enumerate(writes):
            if id(write.event) not in self._owned:
                return [], None
            for end in self._ends_of(write):
                if end is None:
                    return [], None
                units.setdefault(end[0], set()).add(position)
                first = first or end[1]
        return [frozenset(unit) for unit in units.values()], first

    def _ends_of(self, write: Operation) -> Iterator[tuple[object, Location] | None]:
        if write.enqueued:
            commit = self._later.get(id(write.event))
            yield (id(commit), commit.location) if commit is not None else None
            return
        for place in self._frames.places(write.event):
            yield self._end_of(write.event, place)

    def _end_of(self, event: Event, place: Place) -> tuple[object, Location] | None:
        for region in place.regions:
            commit = next(self._committing(region), None)
            if commit is not None:
                return id(region.node), commit.location
        found = next((end for end in self._ends if end[0] > (place.order, event.order)), None)
        return None if found is None else (found[0], found[1].location)

    def _committing(self, region: Region) -> Iterator[Event]:
        """``with session_of() as session:``, where the manager commits once the block is done."""
        if region.kind is RegionKind.WITH and isinstance(region.info, Event):
            inside = self._spans.brings_about(region.info) & self._orders
            yield from (self._spans.events[order] for order in sorted(inside))


def _is_implicit(sighting: Sighting) -> bool:
    return sighting.effect == "tx.commit" and sighting.description.word("implicit") is True


def _ends_of_tasks(enqueued: tuple[Sighting, ...]) -> Iterator[tuple[int, Event]]:
    """What each enqueued task does, with the commit that it comes to next; a task begins where the order does."""
    commit: Event | None = None
    last: Event | None = None
    for sighting in reversed(enqueued):
        if last is not None and sighting.event.order > last.order:
            commit = None
        last = sighting.event
        if _is_implicit(sighting):
            commit = sighting.event
        elif commit is not None:
            yield id(sighting.event), commit
