"""Schedules in words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from cronaudit.model.schedule import CronExpression, DayRule, Interval, Schedule
from cronaudit.schedule.durations import interval_words
from cronaudit.schedule.normalise import normalise

if TYPE_CHECKING:
    from cronaudit.schedule.normalise import Normalised


def describe(schedule: Schedule) -> str:
    """Lower-case words, 24-hour clock: "at 02:30, every day", "every 6 hours". Says so where nothing is known."""
    match meaning(schedule):
        case CronExpression() as cron:
            return cron_words(cron)
        case Interval(seconds):
            return interval_words(seconds)
        case None:
            return schedule.text or "not resolved"
        case error:
            return f"invalid schedule ({error})"


def meaning(schedule: Schedule) -> Normalised | None:
    """What the schedule comes to; None where it is not resolved or its notation is not known."""
    if schedule.interval_seconds is not None:
        return Interval(schedule.interval_seconds)
    if schedule.expression is None or schedule.dialect is None:
        return None
    return normalise(schedule.expression, schedule.dialect)


@lru_cache(maxsize=1024)
def cron_words(cron: CronExpression) -> str:
    """Words for one expression; the same in every locale."""
    from cron_descriptor import (  # type: ignore[import-untyped]
        ExpressionDescriptor,
        FormatError,
        Options,
    )

    # Without a locale the descriptor asks the host for its own and warns where there is none.
    options = Options(locale_code="en_US", use_24hour_time_format=True)
    try:
        words = ExpressionDescriptor(cron.text, options).get_full_description()
    except FormatError:
        return f"by {cron.text}"
    words = words[0].lower() + words[1:]
    words = re.sub(r"\bat 0 minutes past the hour, (?=between|every|at)", "every hour, ", words)
    words = words.replace("every hour, every ", "every ")
    words = re.sub(r"every hour, between (\d\d:00) and (\d\d):59", r"every hour from \1 to \2:00", words)
    words = words.replace("only on ", "on ").replace("only in ", "in ")
    if cron.day_rule is DayRule.BOTH:
        words = words.replace(", or on ", ", if it is ")
    if re.fullmatch(r"at \d\d:\d\d(:\d\d)?(( and|,) \d\d:\d\d(:\d\d)?|, and \d\d:\d\d(:\d\d)?)*", words):
        words += ", every day"
    return words
