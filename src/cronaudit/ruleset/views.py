"""Facts as templates see them: a value that prints itself and carries what else is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from cronaudit.model.facts import Fact, ServiceFacts, Unresolved
from cronaudit.model.job import Job
from cronaudit.ruleset.fields import SERVICE, field_types


class _Carrier:
    """What every printed fact carries beside its value."""

    __slots__ = ()
    fact: Fact[Any]

    @property
    def detail(self) -> str:
        return self.fact.detail

    @property
    def at(self) -> str:
        return str(self.fact.locations[0]) if self.fact.locations else ""

    @property
    def file(self) -> str:
        return self.fact.locations[0].path if self.fact.locations else ""

    @property
    def reason(self) -> str:
        return self.fact.value.reason if isinstance(self.fact.value, Unresolved) else ""


class _Text(_Carrier, str):
    __slots__ = ("fact",)


class _Number(_Carrier, float):
    __slots__ = ("fact",)


class _Flag(_Carrier):
    __slots__ = ("fact",)

    def __bool__(self) -> bool:
        return bool(self.fact.value)

    def __str__(self) -> str:
        return "yes" if self.fact.value else "no"


class Missing(_Carrier):
    """A value that is none or unresolved."""

    __slots__ = ("fact",)

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "none" if self.fact.value is None else "unresolved"


def _shown(fact: Fact[Any]) -> _Carrier:
    value = fact.value
    shown: Any
    if isinstance(value, bool):
        shown = _Flag()
    elif isinstance(value, str):
        shown = _Text(value)
    elif isinstance(value, int | float):
        shown = _Number(value)
    else:
        shown = Missing()
    shown.fact = fact
    return shown  # type: ignore[no-any-return] # one of the four above


class _Group:
    """A group of facts as templates see it."""

    __slots__ = ("_extras", "_facts")

    def __init__(self, facts: object, extras: Mapping[str, object] | None = None) -> None:
        self._facts = facts
        self._extras = extras or {}

    def __getattr__(self, name: str) -> object:
        return self._extras[name] if name in self._extras else _shown(getattr(self._facts, name))


class _Jobs(Struct, frozen=True):
    count: int


def context(job: Job | None, service: ServiceFacts, live: int) -> dict[str, object]:
    """Return what a template may name: the groups of a job's facts, ``service`` and ``jobs.count``."""
    found: dict[str, object] = {SERVICE: _Group(service), "jobs": _Jobs(live)}
    if job is not None:
        for group in field_types():
            if group != SERVICE:
                extras = _job_extras(job) if group == "job" else None
                found[group] = _Group(getattr(job.facts, group), extras)
    return found


def _job_extras(job: Job) -> Mapping[str, object]:
    return {
        "id": job.id,
        "display_name": job.display_name,
        "place": str(job.location),
        "path": job.location.path,
        "symbol": job.handler.symbol if job.handler else "",
        "schedule_text": job.schedule.text,
    }


def plain(value: object) -> object:
    """Return whole numbers without a fraction: ``900000``, not ``900000.0``."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
