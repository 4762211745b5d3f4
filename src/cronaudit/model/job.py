"""A scheduled job, as found."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from cronaudit.model.facts import JobFacts, Walk
from cronaudit.model.schedule import Schedule
from cronaudit.model.source import Location


class JobState(StrEnum):
    """Whether anything starts the job."""

    LIVE = "live"
    DORMANT = "dormant"


class Handler(Struct, frozen=True):
    """What runs."""

    location: Location
    symbol: str


class Job(Struct, frozen=True):
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
