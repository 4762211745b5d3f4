"""``schedule``: when a job runs, what is said about it, and what a change of the clocks does to it."""

from __future__ import annotations

from typing import Literal, TypeVar

from msgspec.structs import replace

from cronaudit.model.facts import Fact, ScheduleFacts, Unresolved
from cronaudit.model.schedule import Schedule
from cronaudit.model.source import Location
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.schedule_words import words_of
from cronaudit.recognition.facts.timezones import zone_of
from cronaudit.schedule.dst import dst_hazard, hazard_words
from cronaudit.schedule.occurrences import runs_at_least_hourly, runs_between_one_and_three
from cronaudit.schedule.zones import zone_has_dst

T = TypeVar("T")
_LENGTHS = frozenset(("every", "duration"))


def build(context: JobContext) -> ScheduleFacts:
    """The schedule's facts."""
    timing = context.registration.timing
    at = timing.at or context.site
    zone, source = zone_of(context)
    known = zone.value if isinstance(zone.value, str) else None
    schedule = replace(timing.schedule, timezone=known)
    form = _form(context, at)
    return ScheduleFacts(
        form=form,
        expression=_open(context, schedule.expression, schedule.expression or "", at),
        interval_seconds=_open(context, schedule.interval_seconds, schedule.text, at),
        words=words_of(context, schedule),
        timezone=zone,
        timezone_source=source,
        zone_has_dst=_zone_has_dst(zone, context.service.date.year),
        in_dst_hours=_asked(context, runs_between_one_and_three(schedule), f"Runs {schedule.text}", at),
        at_least_hourly=_asked(context, runs_at_least_hourly(schedule), "Runs at least hourly", at),
        dst_date=_dst_date(context, schedule, zone, at),
    )


def _form(context: JobContext, at: Location) -> Fact[Literal["cron", "interval", "data"]]:
    timing = context.registration.timing
    scheduler = context.registration.scheduler
    if timing.schedule.is_interval:
        return Fact("interval", timing.schedule.text, (at,))
    if timing.open is None and not timing.schedule.is_resolved and not timing.invalid:
        return Fact("interval", f"Runs {timing.schedule.text}, whatever the clock says", (at,))
    if scheduler is None or (scheduler.schedule and all(p.form in _LENGTHS for p in scheduler.schedule)):
        return Fact("interval", "Interval-based, not time-based", (at,))
    if (timing.open is not None and timing.from_data) or timing.schedule.expression == "":
        # An empty expression is the place of one that is filled in at run time.
        return Fact("data", "Schedule comes from data at run time", (at,))
    return Fact("cron", timing.schedule.expression or "", (at,))


def _open(context: JobContext, value: T, detail: str, at: Location) -> Fact[T]:
    timing = context.registration.timing
    if timing.open is not None and value is None:
        return Fact(timing.open, "", (at,))
    return Fact(value, detail, (at,))


def _asked(context: JobContext, value: bool | None, detail: str, at: Location) -> Fact[bool]:  # noqa: FBT001 - the answer
    timing = context.registration.timing
    if value is not None:
        if timing.default_of and value:
            detail = f"{detail} (default of {timing.default_of})"
        return Fact(value, detail if value else "", (at,))
    if timing.open is not None:
        return Fact(timing.open, "", (at,))
    return Fact(Unresolved(timing.invalid or "the schedule is not resolved", at), "", (at,))


def _zone_has_dst(zone: Fact[str | None], year: int) -> Fact[bool]:
    if isinstance(zone.value, Unresolved):
        return Fact(zone.value, "", zone.locations)
    if zone.value is None:
        # Hosts differ: one that changes its clocks must be reckoned with.
        return Fact(value=True, detail="No zone set, so that the host's decides")
    has = zone_has_dst(zone.value, year)
    if has is None:
        return Fact(Unresolved(f"'{zone.value}' is no time zone that is known"), "", zone.locations)
    return Fact(has, f"{zone.value} has {'' if has else 'no '}DST", zone.locations)


def _dst_date(
    context: JobContext, schedule: Schedule, zone: Fact[str | None], at: Location
) -> Fact[str | None]:
    if isinstance(zone.value, Unresolved):
        return Fact(zone.value, "", (at,))
    hazard = dst_hazard(schedule, zone.value, context.service.date)
    if hazard is None:
        named = zone.value if zone.value is not None else "the host"
        return Fact(None, f"Runs {schedule.text}, by the clock of {named}", (at,))
    return Fact(hazard.on.isoformat(), hazard_words(hazard), (at,))
