"""Schedules, with their words, from what code states."""

from __future__ import annotations

from cronaudit.model.schedule import CronExpression, Dialect, Interval, Schedule, ScheduleError
from cronaudit.schedule.durations import interval_words
from cronaudit.schedule.normalise import normalise, parse_graphile_line
from cronaudit.schedule.wording import cron_words


def read_schedule(expression: str, dialect: Dialect, timezone: str | None = None) -> Schedule | ScheduleError:
    """The schedule that an expression states. A zone within the expression wins over `timezone`."""
    match normalise(expression, dialect):
        case CronExpression() as cron:
            written = " ".join(expression.split())
            if dialect is Dialect.GRAPHILE and (entry := parse_graphile_line(written)):
                written = entry.expression
            return Schedule(written, None, cron.timezone or timezone, cron_words(cron), dialect)
        case Interval(seconds):
            return Schedule(None, seconds, timezone, interval_words(seconds), dialect)
        case error:
            return error


def interval_schedule(seconds: float, timezone: str | None = None) -> Schedule:
    """The schedule of a job that runs every so many seconds."""
    return Schedule(None, seconds, timezone, interval_words(seconds))
