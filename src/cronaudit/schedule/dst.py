"""What a change of the clocks does to a job that runs by the local clock (JOB-04)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from cronaudit.model.schedule import CronExpression, DstHazard, HazardKind, Schedule, ZoneBasis
from cronaudit.schedule.cron import runs_on
from cronaudit.schedule.occurrences import runs_at_least_hourly
from cronaudit.schedule.wording import meaning
from cronaudit.schedule.zones import find_zone, transitions

if TYPE_CHECKING:
    from cronaudit.schedule.zones import Transition

EXAMPLE_ZONE: Final = "America/New_York"
"""Stands in where nothing sets a zone. Its gap (02:00-02:59) and overlap (01:00-01:59) together cover all the hours
that JOB-04 asks about; Berlin's would say nothing of a run at 01:30."""


def dst_hazard(schedule: Schedule, zone: str | None, after: date, years: int = 2) -> DstHazard | None:
    """The first date from `after` on, within `years`, on which a run is skipped or doubled.

    A run is skipped if the clock never shows its time on that date, and doubled if it shows it twice; what the
    scheduler makes of that differs. Without a zone the host's decides: `EXAMPLE_ZONE` then gives the date. None for
    intervals, for what runs at least hourly, for zones that are unknown or do not change their clocks, and where the
    changes miss every run.
    """
    cron = meaning(schedule)
    if not isinstance(cron, CronExpression) or runs_at_least_hourly(schedule):
        return None
    name = zone or EXAMPLE_ZONE
    local = find_zone(name)
    if local is None:
        return None
    start = datetime.combine(after, time(), UTC) - timedelta(days=1)
    for change in transitions(local, start, start + timedelta(days=1 + 366 * years)):
        run = _run_within(cron, change)
        if run is not None and run.date() >= after:
            return DstHazard(
                on=run.date(),
                at=f"{run:%H:%M}",
                kind=HazardKind.SKIPPED if change.forward else HazardKind.DOUBLED,
                zone=str(local),
                basis=ZoneBasis.SET if zone else ZoneBasis.EXAMPLE,
                clock_from=f"{change.at:%H:%M}",
                clock_to=f"{change.to:%H:%M}",
            )
    return None


def _run_within(cron: CronExpression, change: Transition) -> datetime | None:
    """The first run among the local times that the change skips or repeats."""
    moment, end = min(change.at, change.to), max(change.at, change.to)
    while moment < end:
        if moment.hour in cron.hours and moment.minute in cron.minutes and runs_on(cron, moment.date()):
            return moment
        moment += timedelta(minutes=1)
    return None


def hazard_words(hazard: DstHazard) -> str:
    """Words for evidence: "02:30 is skipped on 2027-03-28 in Europe/Berlin (clocks go from 02:00 to 03:00)"."""
    words = (
        f"{hazard.at} is {hazard.kind.value} on {hazard.on.isoformat()} in {hazard.zone}"
        f" (clocks go from {hazard.clock_from} to {hazard.clock_to})"
    )
    if hazard.basis is ZoneBasis.EXAMPLE:
        return f"no zone set, so that the host's decides: {words}"
    return words
