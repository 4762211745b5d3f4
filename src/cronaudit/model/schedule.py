"""When a job runs: the schedule as the code states it, and what its notation comes to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import date


class Dialect(StrEnum):
    """The notation that a schedule is written in. Library files name it by its value."""

    UNIX5 = "unix5"
    """Five fields, nicknames, an optional `CRON_TZ=` in front: crontab(5), pg_cron, supercronic."""
    SECONDS6 = "seconds6"
    """Optional seconds in front, year behind: cron from 3.0, croner, cron-parser, node-schedule, BullMQ."""
    SECONDS6_MONTH0 = "seconds6-month0"
    """The same with months counted from 0: the npm package cron before 3.0."""
    NODE_CRON = "node-cron"
    """Optional seconds in front; day of month and day of week must both match."""
    QUARTZ = "quartz"
    """Seconds first, Sunday is 1, one of the two day fields is `?`, optional year."""
    AWS = "aws"
    """`cron(…)` with a year and without seconds, Sunday is 1; or `rate(…)`."""
    GITHUB = "github"
    """Five fields; nicknames are refused."""
    KUBERNETES = "kubernetes"
    """Five fields, nicknames, `@every 1h30m`, as robfig/cron reads them."""
    CELERY = "celery"
    """The fields of `crontab(…)` in crontab order; both day fields must match."""
    APSCHEDULER = "apscheduler"
    """`CronTrigger.from_crontab` and the fields of `CronTrigger`; Monday is 0, both day fields must match."""
    GRAPHILE = "graphile"
    """Five fields, or a whole line of a graphile-worker crontab with task, options and payload."""
    HUMAN_INTERVAL = "human-interval"
    """A length in English: `3 days and 4 hours`. A bare number is in milliseconds."""
    MS = "ms"
    """A length as the npm package ms reads it: `5m`, `2 days`. A bare number is in milliseconds."""
    ISO8601 = "iso8601"
    """An ISO 8601 duration: `PT5M`."""
    LATER = "later"
    """The text notation of later.js: `every 5 mins`, `at 10:15 am`."""
    BREE = "bree"
    """What Bree takes as an interval: later.js text, else human-interval, else ms."""
    AGENDA = "agenda"
    """What Agenda takes in `every`: a cron expression, else human-interval."""


class DayRule(StrEnum):
    """How day of month and day of week combine. An unrestricted field matches every day."""

    BOTH = "both"
    EITHER = "either"


class CronExpression(Struct, frozen=True):
    """A cron expression in any dialect, brought to one form. All times are those of the local clock."""

    text: str
    """Canonical: numbers only, Sunday is 0; five fields, seconds in front where they are not 0, seven with a year."""
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    """Days of the month, 1 to 31."""
    day_terms: tuple[str, ...]
    """Days of the month that depend on the month: `L`, `L-3`, `LW`, `15W`."""
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    """0 is Sunday, 6 is Saturday."""
    weekday_terms: tuple[str, ...]
    """Weekdays that depend on the month: `5L` is the last Friday, `1#2` the second Monday."""
    years: tuple[int, ...]
    """Empty: every year."""
    day_rule: DayRule
    timezone: str | None = None
    """Zone that the expression itself carries (`CRON_TZ=Europe/Berlin 0 2 * * *`)."""


class Interval(Struct, frozen=True):
    """A schedule that counts from its last run or from the start, not by the clock."""

    seconds: float


class ScheduleError(Struct, frozen=True):
    """Why an expression is no valid schedule in its dialect. A result, never raised at callers."""

    field: str
    """The field at fault ("hour"), or "expression" where the whole is."""
    value: str
    """The part at fault, as written."""
    message: str
    """The concrete reason, without the field's name: "25 is outside 0-23"."""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class Schedule(Struct, frozen=True):
    """When a job runs, as far as the code says. With neither expression nor interval it is not resolved."""

    expression: str | None = None
    """As written, blanks collapsed; None for an interval."""
    interval_seconds: float | None = None
    """Seconds between runs; None for an expression."""
    timezone: str | None = None
    """IANA name of the zone the expression is read in; None where nothing sets one."""
    text: str = ""
    """In words, lower case: "every 5 minutes"."""
    dialect: Dialect | None = None
    """Notation of the expression; None for an interval given as a number."""

    @property
    def is_interval(self) -> bool:
        return self.interval_seconds is not None

    @property
    def is_cron(self) -> bool:
        return self.expression is not None and self.interval_seconds is None

    @property
    def is_resolved(self) -> bool:
        return self.is_interval or self.is_cron


class HazardKind(StrEnum):
    """What a change of the clocks does to a run."""

    SKIPPED = "skipped"
    DOUBLED = "doubled"


class ZoneBasis(StrEnum):
    """Where the zone of a hazard comes from."""

    SET = "set"
    """The project sets it."""
    EXAMPLE = "example"
    """Nothing sets one, so that the host's zone decides; this zone shows what may happen."""


class DstHazard(Struct, frozen=True):
    """A real date on which a run by the local clock is skipped or doubled."""

    on: date
    at: str
    """Local time of the run, `HH:MM`."""
    kind: HazardKind
    zone: str
    """IANA name."""
    basis: ZoneBasis
    clock_from: str
    """What the clock shows when it is changed, `HH:MM`."""
    clock_to: str
    """What it is changed to, `HH:MM`."""


class CommentReading(StrEnum):
    """What a comment beside a schedule says about the time of its runs (JOB-02)."""

    WORDS = "words"
    """When it runs: "every hour", "daily at 02:00"."""
    SIZE = "size"
    """Only how long the interval is: "5 minutes"."""
    CONTRADICTS = "contradicts"
    """When it runs, and the schedule says otherwise beyond doubt."""
    NONE = "none"


class DurationUnit(StrEnum):
    """The unit of a duration that is written as a bare number."""

    MILLISECOND = "ms"
    SECOND = "s"
    MINUTE = "min"
    HOUR = "h"
    DAY = "d"
