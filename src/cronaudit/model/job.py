"""A scheduled job, as found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cronaudit.model.facts import JobFacts, Walk
from cronaudit.model.schedule import Schedule
from cronaudit.model.source import Location


class JobState(StrEnum):
    """Whether anything starts the job."""

    LIVE = "live"
    DORMANT = "dormant"


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs."""

    location: Location
    symbol: str


@dataclass(frozen=True, slots=True)
class Job:
    """One scheduled job with all that is known of it."""

    id: str
    """Stable: does not change when lines move."""
    name: str | None
    """None where the code gives none."""
    display_name: str
    """The name, else the symbol of the handler, else the place."""
    state: JobState
    state_reason: str
    """Why it counts as live or dormant."""
    kind: str
    location: Location
    """Where the schedule is stated or registered."""
    schedule: Schedule
    handler: Handler | None
    """None where it cannot be resolved."""
    trigger: str
    """The call that arms it, as a library path: ``node-cron:schedule``."""
    facts: JobFacts
    walk: Walk
