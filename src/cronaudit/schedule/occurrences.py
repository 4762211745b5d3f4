"""The coming runs of a schedule, and the questions that checks ask about its hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from cronaudit.model.schedule import CronExpression, Interval, Schedule, ScheduleError
from cronaudit.schedule.cron import runs_on
from cronaudit.schedule.durations import HOUR
from cronaudit.schedule.wording import meaning
from cronaudit.schedule.zones import find_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

# 29 February on a given weekday comes back within 40 years, also across a century without it.
_HORIZON_DAYS: Final = 41 * 366


def next_runs(schedule: Schedule, zone: str | None, after: datetime, count: int) -> tuple[datetime, ...]:
    """The first runs later than `after`, in the zone (UTC where it is None or unknown), at most `count`.

    A naive `after` is local time of the zone. None for intervals, which have no anchor, and for schedules that are
    not resolved. Runs that fall into a gap or an overlap are placed as Debian's cron does, through cronsim.
    """
    cron = meaning(schedule)
    if not isinstance(cron, CronExpression):
        return ()
    local = (find_zone(zone) if zone else None) or UTC
    moment = after.astimezone(local) if after.tzinfo else after.replace(tzinfo=local)
    runs: list[datetime] = []
    for run in _runs(cron, moment):
        if len(runs) == count:
            break
        runs.append(run)
    return tuple(runs)


def _runs(cron: CronExpression, moment: datetime) -> Iterator[datetime]:
    # cronsim knows neither years, nor W, nor the dialects' own ways to combine the day fields: it gets the time of the
    # day, and this module the date.
    from cronsim import CronSim

    fields = cron.text.split()
    seconds = "" if cron.seconds == (0,) else f"{fields[0]} "
    minute, hour = fields[:2] if len(fields) == 5 else fields[1:3]
    times = f"{seconds}{minute} {hour} * * *"
    ticks = CronSim(times, moment)
    while True:
        tick = next(ticks)
        if runs_on(cron, tick.date()):
            yield tick
            continue
        day = _next_date(cron, tick.date())
        if day is None:
            return
        ticks = CronSim(times, datetime.combine(day, time(), moment.tzinfo) - timedelta(seconds=1))


def _next_date(cron: CronExpression, day: date) -> date | None:
    if cron.years and day.year > max(cron.years):
        return None
    for distance in range(1, _HORIZON_DAYS):
        candidate = day + timedelta(days=distance)
        if runs_on(cron, candidate):
            return candidate
    return None


def runs_between_one_and_three(schedule: Schedule) -> bool | None:
    """Whether the local clock shows 01:00 to 02:59 at some run (JOB-04). False for intervals, None if not known."""
    match meaning(schedule):
        case CronExpression(hours=hours):
            return 1 in hours or 2 in hours
        case Interval():
            return False
        case None | ScheduleError():
            return None


def runs_at_least_hourly(schedule: Schedule) -> bool | None:
    """Whether no hour passes without a run, on the days that have runs (JOB-04). None if not known."""
    match meaning(schedule):
        case CronExpression(hours=hours):
            # With all hours there the minutes are the same in each, so that no gap exceeds 60 minutes.
            return len(hours) == 24
        case Interval(seconds):
            return seconds <= HOUR
        case None | ScheduleError():
            return None
