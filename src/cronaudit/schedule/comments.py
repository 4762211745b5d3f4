"""Whether a comment beside a schedule says when the job runs, and whether that is true (JOB-02)."""

from __future__ import annotations

from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from cronaudit.model.schedule import (
    CommentReading,
    CronExpression,
    DayRule,
    Interval,
    Schedule,
    ScheduleError,
)
from cronaudit.schedule.claims import (
    MONTH,
    YEAR,
    ClockTime,
    DaysOfMonth,
    DaysOfWeek,
    Period,
    Sentence,
    Strength,
    Vague,
)
from cronaudit.schedule.durations import DAY, HOUR, MINUTE, WEEK
from cronaudit.schedule.sentences import read_sentences
from cronaudit.schedule.wording import meaning
from cronaudit.schedule.zones import is_utc

if TYPE_CHECKING:
    from cronaudit.schedule.claims import Claim


class _Verdict(Enum):
    """A claim held against the schedule. The order is that of precedence within one kind of claim."""

    AGREES = 0
    OPEN = 1
    """The two cannot be compared with certainty."""
    DISAGREES = 2


_AGREES, _OPEN, _DISAGREES = _Verdict.AGREES, _Verdict.OPEN, _Verdict.DISAGREES


def comment_says(comment: str, schedule: Schedule) -> CommentReading:
    """What the comment says of the schedule's time (rulings 13 and 21).

    A contradiction needs a sentence that speaks of the run and of nothing else, and times in zones known to be equal.
    Words that the schedule bears out count wherever they stand; words that it does not bear out and that may mean
    something else count as nothing.
    """
    runs = meaning(schedule)
    known = None if isinstance(runs, ScheduleError) else runs
    sentences = read_sentences(comment)
    readings = {_read_claims(sentence, known, schedule.timezone) for sentence in sentences}
    for reading in (CommentReading.WORDS, CommentReading.CONTRADICTS):
        if reading in readings:
            return reading
    sizes = {_read_sizes(sentence, known) for sentence in sentences if not sentence.claims}
    for reading in (CommentReading.SIZE, CommentReading.CONTRADICTS):
        if reading in sizes:
            return reading
    return CommentReading.NONE


def _read_claims(
    sentence: Sentence, runs: CronExpression | Interval | None, timezone: str | None
) -> CommentReading:
    strong: dict[type[Claim], _Verdict] = {}
    every: dict[type[Claim], _Verdict] = {}
    for claim, strength in sentence.claims:
        verdict = _judge(claim, sentence, runs, timezone)
        if verdict is None:
            continue
        kind = type(claim)
        every[kind] = min(every.get(kind, verdict), verdict, key=lambda one: one.value)
        if strength is Strength.STRONG:
            strong[kind] = min(strong.get(kind, verdict), verdict, key=lambda one: one.value)
    agrees = _AGREES in every.values()
    if any(verdict is _DISAGREES and every[kind] is _DISAGREES for kind, verdict in strong.items()):
        if not sentence.doubtful and (not sentence.rest or sentence.speaks_of_runs):
            return CommentReading.CONTRADICTS
        return CommentReading.WORDS if agrees else CommentReading.NONE
    if agrees or (_OPEN in strong.values() and not sentence.doubtful):
        return CommentReading.WORDS
    return CommentReading.NONE


def _read_sizes(sentence: Sentence, runs: CronExpression | Interval | None) -> CommentReading:
    if not sentence.sizes or (sentence.doubtful and sentence.rest):
        return CommentReading.NONE
    if sentence.rest and not sentence.starts_with_size and not sentence.speaks_of_runs:
        return CommentReading.NONE
    verdicts = {_judge_period(Period(size), runs, several_times=False) for size in sentence.sizes}
    if _AGREES in verdicts:
        return CommentReading.SIZE
    if sentence.rest or len(sentence.sizes) > 1:
        return CommentReading.NONE
    return CommentReading.CONTRADICTS if verdicts == {_DISAGREES} else CommentReading.SIZE


def _judge(
    claim: Claim, sentence: Sentence, runs: CronExpression | Interval | None, timezone: str | None
) -> _Verdict | None:
    """None where the claim cannot be about this schedule at all."""
    if runs is None or isinstance(claim, Vague):
        return _OPEN
    if isinstance(claim, Period):
        times = [other for other, _ in sentence.claims if isinstance(other, ClockTime)]
        return _judge_period(claim, runs, several_times=len(times) > 1)
    if isinstance(runs, Interval):
        # A timer that is set to run at a time of the day has an interval of whole days.
        return _OPEN if runs.seconds % DAY == 0 else None
    if isinstance(claim, DaysOfMonth):
        return _judge_month_days(claim, runs)
    verdict = _judge_time(claim, runs) if isinstance(claim, ClockTime) else _judge_weekdays(claim, runs)
    return _OPEN if verdict is _DISAGREES and not _same_zone(sentence, timezone) else verdict


def _same_zone(sentence: Sentence, timezone: str | None) -> bool:
    if not sentence.zones:
        return True
    if timezone is None:
        return False
    return all(zone == timezone.lower() or (is_utc(zone) and is_utc(timezone)) for zone in sentence.zones)


def _judge_time(claim: ClockTime, cron: CronExpression) -> _Verdict:
    if len(cron.hours) * len(cron.minutes) > 24:
        return _OPEN
    if claim.whole_hour:
        return _AGREES if any(minute // 60 in cron.hours for minute in claim.minutes) else _DISAGREES
    found = any(minute // 60 in cron.hours and minute % 60 in cron.minutes for minute in claim.minutes)
    return _AGREES if found else _DISAGREES


def _judge_weekdays(claim: DaysOfWeek, cron: CronExpression) -> _Verdict:
    if not _every_date(cron) or cron.weekday_terms:
        return _OPEN
    return _AGREES if claim.days == frozenset(cron.weekdays) else _DISAGREES


def _judge_month_days(claim: DaysOfMonth, cron: CronExpression) -> _Verdict:
    if cron.weekday_terms or cron.day_rule is DayRule.EITHER or not _every_weekday(cron):
        return _OPEN
    if cron.day_terms:
        return _AGREES if cron.day_terms == ("L",) and claim.days == {0} and not cron.days else _OPEN
    return _AGREES if claim.days == frozenset(cron.days) else _DISAGREES


def _every_date(cron: CronExpression) -> bool:
    return len(cron.days) == 31 and cron.day_rule is DayRule.BOTH


def _every_weekday(cron: CronExpression) -> bool:
    return len(cron.weekdays) == 7


def _judge_period(claim: Period, runs: CronExpression | Interval | None, *, several_times: bool) -> _Verdict:
    if runs is None:
        return _OPEN
    if isinstance(runs, Interval):
        wanted = claim.seconds / claim.times
        # Months and years have 28 to 31 and 365 or 366 days; the rest is exact but for rounding.
        tolerance = 0.08 if claim.seconds % MONTH == 0 else 0.001
        return _AGREES if abs(runs.seconds - wanted) <= tolerance * wanted else _DISAGREES
    if claim.times > 1:
        return _judge_count(claim, runs)
    if claim.seconds < DAY:
        return _judge_short_period(claim.seconds, runs)
    if len(runs.seconds) * len(runs.minutes) * len(runs.hours) > 1:
        return _OPEN if several_times else _DISAGREES
    if claim.seconds >= MONTH and claim.seconds % MONTH == 0:
        return _judge_months(round(claim.seconds / MONTH), runs)
    if claim.seconds % WEEK == 0:
        return _judge_weeks(round(claim.seconds / WEEK), runs)
    return _judge_days(claim.seconds / DAY, runs)


def _judge_short_period(seconds: float, cron: CronExpression) -> _Verdict:
    if seconds < MINUTE:
        matches = len(cron.minutes) == 60 and _covers(cron.seconds, seconds, 60)
    elif seconds < HOUR:
        matches = len(cron.seconds) == 1 and _covers(cron.minutes, seconds / MINUTE, 60)
    else:
        once = len(cron.seconds) == 1 and len(cron.minutes) == 1
        # "every hour" is also said of the hours of a day's part: 9-17.
        regular = len(cron.hours) > 1 and _steps(cron.hours) == {seconds / HOUR}
        matches = once and regular and (len(cron.hours) > 2 or _covers(cron.hours, seconds / HOUR, 24))
    return _AGREES if matches else _DISAGREES


def _steps(values: tuple[int, ...]) -> set[float]:
    return {float(after - before) for before, after in pairwise(values)}


def _covers(values: tuple[int, ...], step: float, cycle: int) -> bool:
    return len(values) > 1 and _steps(values) == {step} and values[0] < step and values[-1] + step >= cycle


def _judge_days(days: float, cron: CronExpression) -> _Verdict:
    daily = _every_date(cron) and _every_weekday(cron) and not cron.years
    whole_year = len(cron.months) == 12
    if days != 1:
        if daily:
            return _DISAGREES
        return _AGREES if _every_weekday(cron) and _steps(cron.days) == {days} else _OPEN
    if daily:
        return _AGREES if whole_year else _OPEN
    # "daily" may well be said of working days.
    return _OPEN if len(cron.weekdays) >= 5 and len(cron.days) > 1 else _DISAGREES


def _judge_weeks(weeks: int, cron: CronExpression) -> _Verdict:
    if _every_date(cron) and _every_weekday(cron):
        return _DISAGREES
    if not _every_date(cron) or weeks != 1 or cron.weekday_terms:
        return _DISAGREES if len(cron.days) == 1 and cron.day_rule is DayRule.BOTH else _OPEN
    return _AGREES if len(cron.weekdays) == 1 else _DISAGREES


def _judge_months(months: int, cron: CronExpression) -> _Verdict:
    once = (len(cron.days) + len(cron.day_terms) == 1 and _every_weekday(cron)) or (
        _every_date(cron) and not cron.weekdays and len(cron.weekday_terms) == 1
    )
    if not once:
        weekly = _every_date(cron) and not cron.weekday_terms
        return _DISAGREES if weekly else _OPEN
    if months == round(YEAR / MONTH):
        return _AGREES if len(cron.months) == 1 else _DISAGREES
    return _AGREES if len(cron.months) > 1 and _steps(cron.months) == {months} else _DISAGREES


def _judge_count(claim: Period, cron: CronExpression) -> _Verdict:
    per_hour = len(cron.minutes) * len(cron.seconds)
    if claim.seconds == HOUR:
        return _AGREES if per_hour == claim.times and len(cron.hours) > 1 else _DISAGREES
    per_day = per_hour * len(cron.hours)
    if claim.seconds == DAY:
        if per_day != claim.times:
            return _DISAGREES
        return _AGREES if _every_date(cron) and _every_weekday(cron) else _OPEN
    if claim.seconds == WEEK and _every_date(cron) and not cron.weekday_terms:
        return _AGREES if per_day * len(cron.weekdays) == claim.times else _DISAGREES
    return _OPEN
