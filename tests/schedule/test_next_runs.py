"""Coming runs, and the questions on hours."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from cronaudit.model.schedule import CronExpression, Dialect, Schedule
from cronaudit.schedule.cron import runs_on
from cronaudit.schedule.normalise import normalise
from cronaudit.schedule.occurrences import next_runs, runs_at_least_hourly, runs_between_one_and_three

AFTER = datetime(2026, 11, 23, 14, 0)  # noqa: DTZ001 - local time of the zone under test; a Monday


def runs(expression: str, dialect: Dialect, zone: str | None, after: datetime, count: int) -> list[str]:
    found = next_runs(Schedule(expression=expression, dialect=dialect), zone, after, count)
    return [f"{run:%Y-%m-%d %H:%M:%S %z}" for run in found]


@pytest.mark.parametrize(
    ("expression", "dialect", "expected"),
    [
        ("30 2 * * *", Dialect.UNIX5, ["2026-11-24 02:30:00 +0000", "2026-11-25 02:30:00 +0000"]),
        ("0 0 17 * * 0", Dialect.SECONDS6, ["2026-11-29 17:00:00 +0000", "2026-12-06 17:00:00 +0000"]),
        ("*/20 59 23 L * ?", Dialect.QUARTZ, ["2026-11-30 23:59:00 +0000", "2026-11-30 23:59:20 +0000"]),
        (
            "0 0 0 15W * ? 2027-2028",
            Dialect.QUARTZ,
            ["2027-01-15 00:00:00 +0000", "2027-02-15 00:00:00 +0000"],
        ),
        ("0 0 0 1W 5 ?", Dialect.QUARTZ, ["2027-05-03 00:00:00 +0000", "2028-05-01 00:00:00 +0000"]),
        ("0 0 0 1 1 ? 2027", Dialect.QUARTZ, ["2027-01-01 00:00:00 +0000"]),
        ("0 0 0 1 1 ? 2020", Dialect.QUARTZ, []),
        ("0 9 ? * 2#1 *", Dialect.AWS, ["2026-12-07 09:00:00 +0000", "2027-01-04 09:00:00 +0000"]),
        ("0 0 13 * 5", Dialect.UNIX5, ["2026-11-27 00:00:00 +0000", "2026-12-04 00:00:00 +0000"]),
        ("0 0 13 * 5", Dialect.CELERY, ["2027-08-13 00:00:00 +0000", "2028-10-13 00:00:00 +0000"]),
        ("0 0 29 2 *", Dialect.UNIX5, ["2028-02-29 00:00:00 +0000", "2032-02-29 00:00:00 +0000"]),
        ("0 2 * * 0", Dialect.APSCHEDULER, ["2026-11-30 02:00:00 +0000", "2026-12-07 02:00:00 +0000"]),
    ],
)
def test_dates(expression: str, dialect: Dialect, expected: list[str]) -> None:
    assert runs(expression, dialect, None, AFTER, 2) == expected


def test_gap_runs_right_after_it_and_overlap_runs_once_as_debian_does() -> None:
    spring = datetime(2027, 3, 27, 12, 0)  # noqa: DTZ001 - as AFTER
    assert runs("30 2 * * *", Dialect.UNIX5, "Europe/Berlin", spring, 2) == [
        "2027-03-28 03:00:00 +0200",
        "2027-03-29 02:30:00 +0200",
    ]
    autumn = datetime(2027, 10, 30, 12, 0)  # noqa: DTZ001 - as AFTER
    assert runs("30 2 * * *", Dialect.UNIX5, "Europe/Berlin", autumn, 2) == [
        "2027-10-31 02:30:00 +0200",
        "2027-11-01 02:30:00 +0100",
    ]


def test_aware_start_is_brought_to_the_zone() -> None:
    start = datetime(2027, 1, 1, 6, 0, tzinfo=UTC)
    assert runs("0 2 * * *", Dialect.UNIX5, "America/New_York", start, 1) == ["2027-01-01 02:00:00 -0500"]


def test_intervals_and_the_unresolved_have_no_runs() -> None:
    assert next_runs(Schedule(interval_seconds=60), None, AFTER, 3) == ()
    assert next_runs(Schedule(), None, AFTER, 3) == ()
    assert runs("0 25 * * *", Dialect.UNIX5, None, AFTER, 3) == []


@pytest.mark.parametrize(
    ("expression", "dialect", "day", "expected"),
    [
        ("0 0 0 LW * ?", Dialect.QUARTZ, date(2027, 1, 29), True),
        ("0 0 0 LW * ?", Dialect.QUARTZ, date(2027, 1, 31), False),
        ("0 0 0 L-3 * ?", Dialect.QUARTZ, date(2027, 2, 25), True),
        ("0 0 0 31W * ?", Dialect.QUARTZ, date(2027, 1, 29), True),
        ("0 0 0 31W * ?", Dialect.QUARTZ, date(2027, 4, 30), False),
        ("0 0 0 ? * 6L", Dialect.QUARTZ, date(2027, 4, 30), True),
        ("0 0 0 ? * 6L", Dialect.QUARTZ, date(2027, 4, 23), False),
        ("0 0 0 ? * 6#5", Dialect.QUARTZ, date(2027, 4, 30), True),
    ],
)
def test_days_that_depend_on_the_month(
    expression: str, dialect: Dialect, day: date, *, expected: bool
) -> None:
    cron = normalise(expression, dialect)
    assert isinstance(cron, CronExpression)
    assert runs_on(cron, day) is expected


@pytest.mark.parametrize(
    ("schedule", "in_window", "hourly"),
    [
        (Schedule("30 2 * * *", dialect=Dialect.UNIX5), True, False),
        (Schedule("14 03 * * *", dialect=Dialect.SECONDS6), False, False),
        (Schedule("0 0 * * *", dialect=Dialect.UNIX5), False, False),
        (Schedule("59 2 1 1 *", dialect=Dialect.UNIX5), True, False),
        (Schedule("*/15 * * * *", dialect=Dialect.UNIX5), True, True),
        (Schedule("45 * * * *", dialect=Dialect.UNIX5), True, True),
        (Schedule("0 */2 * * *", dialect=Dialect.UNIX5), True, False),
        (Schedule("0 */8 * * *", dialect=Dialect.UNIX5), False, False),
        (Schedule("0 9-17 * * *", dialect=Dialect.UNIX5), False, False),
        (Schedule("0 0 2 ? * 2", dialect=Dialect.QUARTZ), True, False),
        (Schedule(interval_seconds=3600), False, True),
        (Schedule(interval_seconds=86_400), False, False),
        (Schedule("rate(1 day)", dialect=Dialect.AWS), False, False),
        (Schedule(), None, None),
        (Schedule("0 25 * * *", dialect=Dialect.UNIX5), None, None),
    ],
)
def test_hours_that_job_04_asks_about(
    schedule: Schedule, *, in_window: bool | None, hourly: bool | None
) -> None:
    assert runs_between_one_and_three(schedule) is in_window
    assert runs_at_least_hourly(schedule) is hourly
