"""What a comment can claim about the time of runs."""

from __future__ import annotations

from enum import Enum
from typing import Final

from msgspec import Struct

from cronaudit.schedule.durations import DAY

MONTH: Final = 30 * DAY
"""Stands for a calendar month in periods; so does `YEAR` for a year. No one writes "every 30 days" for either."""
QUARTER: Final = 3 * MONTH
YEAR: Final = 12 * MONTH


class Strength(Enum):
    """How surely words speak of the schedule."""

    STRONG = "strong"
    """Words such as "every 5 minutes", "at 02:00"."""
    WEAK = "weak"
    """Words such as "the weekly digest": they count only where the schedule bears them out."""


class Period(Struct, frozen=True):
    """How often: "every 5 minutes", "twice a day"."""

    seconds: float
    times: int = 1
    """Runs in each period."""


class ClockTime(Struct, frozen=True):
    """A time of the day: "at 02:00", "3 pm"."""

    minutes: frozenset[int]
    """Minutes of the day that may be meant: "3:00" is 03:00 or 15:00."""
    whole_hour: bool
    """Only the hour is named, which leaves the minute open."""


class DaysOfWeek(Struct, frozen=True):
    """Weekdays: "on Mondays", "Mon-Fri". 0 is Sunday."""

    days: frozenset[int]


class DaysOfMonth(Struct, frozen=True):
    """Dates: "on the 1st", "last day of the month"; 0 stands for the last."""

    days: frozenset[int]


class Vague(Struct, frozen=True):
    """Words on when it runs that cannot be held against an expression: "first Monday of the month"."""


Claim = Period | ClockTime | DaysOfWeek | DaysOfMonth | Vague


class Sentence(Struct, frozen=True):
    """One sentence of a comment, read."""

    claims: tuple[tuple[Claim, Strength], ...]
    sizes: tuple[float, ...]
    """Lengths of time, in seconds, that no claim uses: "5 minutes"."""
    starts_with_size: bool
    rest: tuple[str, ...]
    """Words that say nothing of the schedule."""
    speaks_of_runs: bool
    """Whether it names the run, the schedule or the interval itself."""
    doubtful: bool
    """Whether it may speak of another time than now, or of something else: "used to", "retries", "if"."""
    zones: tuple[str, ...]
    """Time zones named, lower case."""
