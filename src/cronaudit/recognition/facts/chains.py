"""Calls on the results of calls: what a chain states before its last call does it."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import Call, Member
from cronaudit.recognition.facts.conditions import chain_of
from cronaudit.recognition.facts.usage import call_before
from cronaudit.recognition.sightings import Sighting


def last_of_chains(sightings: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    """All but the reads that only state what the last call of their chain does."""
    stated = {id(call) for s in sightings for call in _stated_by(s)}
    return tuple(s for s in sightings if s.effect != "db.read" or id(s.event.call) not in stated)


def _stated_by(sighting: Sighting) -> Iterator[Call]:
    """The calls of a chain that only state what its last call does: `Order.objects.filter(…).update(…)`.

    Through a variable a query that is iterated may also be read as a whole; only one that is streamed is not.
    """
    if not sighting.effect.startswith("db."):
        return
    call = call_before(sighting.event)
    while call is not None:
        yield call
        callee = call.callee
        call = callee.object if isinstance(callee, Member) and isinstance(callee.object, Call) else None
    if sighting.effect == "db.stream":
        yield from (link.call for link in list(chain_of(sighting.view))[1:] if link.call is not None)
