"""Kleene's three truth values over the facts of a job: the closures that conditions are compiled to."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from cronaudit.model.facts import Fact, JobFacts, ServiceFacts, Unresolved
from cronaudit.model.source import Location
from cronaudit.ruleset.fields import SERVICE


class Unknown(Struct, frozen=True):
    """Kleene's third value, with the unresolved facts that it comes from."""

    origins: tuple[tuple[str, Unresolved], ...]
    """(field, value), in the order in which they were met."""

    def joined(self, other: Unknown | None) -> Unknown:
        """Return both origins."""
        return Unknown(tuple(dict.fromkeys((*other.origins, *self.origins)))) if other else self


Truth = bool | Unknown


class Reading(Struct):
    """What a condition is evaluated on, and what it has read."""

    facts: JobFacts | None
    """None in service scope."""
    service: ServiceFacts
    jobs: Sequence[JobFacts] = ()
    """All live jobs, for the aggregates."""
    seen: dict[str, Fact[Any]] = {}
    """Every fact that was read, by field, in order."""


Read = Callable[[Reading], Any]
"""A compiled operand or condition."""
Operator = Callable[[float, float], float]


def reader(group: str, name: str, full: str) -> Read:
    """Return the value of a fact, noted as seen; unknown where it is unresolved."""

    def read(reading: Reading) -> object:
        holder = reading.service if group == SERVICE else getattr(reading.facts, group)
        fact: Fact[Any] = getattr(holder, name)
        reading.seen.setdefault(full, fact)
        value = fact.value
        return Unknown(((full, value),)) if isinstance(value, Unresolved) else value

    return read


def kleene(parts: Sequence[Read], *, decisive: bool) -> Read:
    """Return the conjunction (``decisive`` false: one false part decides) or the disjunction of the parts."""

    def evaluate(reading: Reading) -> Truth:
        unknown: Unknown | None = None
        for part in parts:
            truth: Truth = part(reading)
            if truth is decisive:
                return decisive
            if isinstance(truth, Unknown):
                unknown = truth.joined(unknown)
        return not decisive if unknown is None else unknown

    return evaluate


def negation(inner: Read) -> Read:
    """Return the opposite; unknown stays unknown."""

    def evaluate(reading: Reading) -> Truth:
        truth = inner(reading)
        return truth if isinstance(truth, Unknown) else not truth

    return evaluate


def is_unknown(read: Read, wanted: bool) -> Read:  # noqa: FBT001 - the answer asked for
    """Return whether the value is (``wanted``) or is not unresolved; never unknown itself."""
    return lambda reading: isinstance(read(reading), Unknown) is wanted


def is_none(read: Read) -> Read:
    """Return whether the value is known to be absent."""

    def evaluate(reading: Reading) -> Truth:
        value = read(reading)
        return value if isinstance(value, Unknown) else value is None

    return evaluate


def is_in(read: Read, values: frozenset[Any]) -> Read:
    """Return whether the value is one of the literals; none is no member."""

    def evaluate(reading: Reading) -> Truth:
        value = read(reading)
        return value if isinstance(value, Unknown) else value in values

    return evaluate


def pair(compare: Callable[[Any, Any], bool], left: Read, right: Read) -> Read:
    """Return a comparison; with none on a side only ``!=`` holds, not even between two that are none."""
    unequal = compare is operator.ne

    def evaluate(reading: Reading) -> Truth:
        one, other = left(reading), right(reading)
        if isinstance(one, Unknown):
            return other.joined(one) if isinstance(other, Unknown) else one
        if isinstance(other, Unknown):
            return other
        if one is None or other is None:
            return unequal
        return bool(compare(one, other))

    return evaluate


def calculation(op: Operator, left: Read, right: Read) -> Read:
    """Return a number; none where a side is none, and for a division by zero."""

    def evaluate(reading: Reading) -> object:
        one, other = left(reading), right(reading)
        if isinstance(one, Unknown):
            return other.joined(one) if isinstance(other, Unknown) else one
        if isinstance(other, Unknown):
            return other
        if one is None or other is None or (op is operator.truediv and not other):
            return None
        return op(one, other)

    return evaluate


def over_jobs(name: str, condition: Read, *, decisive: bool) -> Read:
    """Return ``any`` (``decisive`` true: one true job decides) or ``all`` over the live jobs."""

    def evaluate(reading: Reading) -> Truth:
        unknown: Unknown | None = None
        matching = deciding = 0
        places: dict[Location, None] = {}
        for facts in reading.jobs:
            inner = Reading(facts, reading.service)
            truth: Truth = condition(inner)
            matching += truth is True
            if isinstance(truth, Unknown):
                unknown = truth.joined(unknown)
            elif truth is decisive:
                deciding += 1
                places.update((place, None) for fact in inner.seen.values() for place in fact.locations[:1])
        detail = f"{matching} of {len(reading.jobs)} jobs"
        if unknown is not None and not deciding:
            reading.seen[name] = Fact(unknown.origins[0][1], detail)
            return unknown
        answer = decisive if deciding else not decisive
        reading.seen[name] = Fact(answer, detail, tuple(places))
        return answer

    return evaluate
