"""Facts as plain values, for the result document and for `explain`."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.facts import Fact, JobFacts, Unresolved
from cronaudit.model.source import Location


def named_facts(facts: JobFacts) -> Iterator[tuple[str, Fact[object]]]:
    """All facts by their name in the decision tables: ``lock.ttl_seconds``."""
    for group in facts.__struct_fields__:
        members = getattr(facts, group)
        for member in members.__struct_fields__:
            yield f"{group}.{member}", getattr(members, member)


def is_plainly_absent(fact: Fact[object]) -> bool:
    """Whether it says only that nothing is there: no value, and no place that shows it."""
    value = fact.value  # `is`, since 0.0 == False, and an interval of nothing is something
    return (value is None or value is False or value in ("none", "")) and not fact.locations


def fact_document(fact: Fact[object]) -> dict[str, object]:
    """A fact as the result document writes it."""
    if isinstance(fact.value, Unresolved):
        said: dict[str, object] = {"unresolved": fact.value.reason}
        places = fact.locations or ((fact.value.location,) if fact.value.location else ())
    else:
        said = {"value": number(fact.value) if isinstance(fact.value, float) else fact.value}
        places = fact.locations
    return {**said, "detail": fact.detail, "locations": [location_document(place) for place in places]}


def location_document(location: Location) -> dict[str, object]:
    """A place; the last line only where it is a range."""
    document: dict[str, object] = {"path": location.path, "line": location.line}
    if location.end_line is not None:
        document["end_line"] = location.end_line
    return document


def number(value: float) -> float | None:
    """``60`` for ``60.0``; None for what JSON cannot write."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN is the one number unlike itself
        return None
    return int(value) if value.is_integer() else value
