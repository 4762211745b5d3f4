"""Changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from cronaudit.model.schedule import Dialect, DstHazard, HazardKind, Schedule, ZoneBasis
from cronaudit.schedule.dst import dst_hazard, hazard_words
from cronaudit.schedule.zones import find_zone, transitions, zone_has_dst

TODAY = date(2026, 11, 23)


def hazard(expression: str, zone: str | None, after: date = TODAY, years: int = 2) -> DstHazard | None:
    return dst_hazard(Schedule(expression=expression, dialect=Dialect.UNIX5), zone, after, years)


def test_all_parts_of_a_hazard() -> None:
    assert hazard("30 2 * * *", "Europe/Berlin") == DstHazard(
        on=date(2027, 3, 28),
        at="02:30",
        kind=HazardKind.SKIPPED,
        zone="Europe/Berlin",
        basis=ZoneBasis.SET,
        clock_from="02:00",
        clock_to="03:00",
    )


@pytest.mark.parametrize(
    ("expression", "zone", "after", "words"),
    [
        (
            "0 2 * * *",
            "Europe/Berlin",
            date(2027, 3, 28),
            "02:00 is skipped on 2027-03-28 in Europe/Berlin (clocks go from 02:00 to 03:00)",
        ),
        (
            "0 2 * * *",
            "Europe/Berlin",
            date(2027, 3, 29),
            "02:00 is doubled on 2027-10-31 in Europe/Berlin (clocks go from 03:00 to 02:00)",
        ),
        (
            "30 1 * * *",
            "europe/london",
            TODAY,
            "01:30 is skipped on 2027-03-28 in Europe/London (clocks go from 01:00 to 02:00)",
        ),
        (
            "30 1 * * *",
            "America/New_York",
            TODAY,
            "01:30 is doubled on 2027-11-07 in America/New_York (clocks go from 02:00 to 01:00)",
        ),
        (
            "15,45 1-2 * * 0",
            "Australia/Lord_Howe",
            TODAY,
            "01:45 is doubled on 2027-04-04 in Australia/Lord_Howe (clocks go from 02:00 to 01:30)",
        ),
        (
            "30 2 * * *",
            None,
            TODAY,
            (
                "no zone set, so that the host's decides: 02:30 is skipped on 2027-03-14 in America/New_York"
                " (clocks go from 02:00 to 03:00)"
            ),
        ),
    ],
)
def test_next_real_date(expression: str, zone: str | None, after: date, words: str) -> None:
    found = hazard(expression, zone, after)
    assert found is not None
    assert hazard_words(found) == words


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("30 1 * * *", "Europe/Berlin"),
        ("0 3 * * *", "Europe/Berlin"),
        ("30 2 * * 1-5", "Europe/Berlin"),
        ("*/15 * * * *", "Europe/Berlin"),
        ("30 2 * * *", "UTC"),
        ("30 2 * * *", "Asia/Tokyo"),
        ("30 2 * * *", "+02:00"),
        ("30 2 * * *", "Middle/Earth"),
        ("30 25 * * *", "Europe/Berlin"),
    ],
)
def test_no_hazard(expression: str, zone: str) -> None:
    assert hazard(expression, zone) is None


def test_intervals_have_no_hazard() -> None:
    assert dst_hazard(Schedule(interval_seconds=86_400), "Europe/Berlin", TODAY) is None


def test_every_time_that_job_04_asks_about_has_an_example_date() -> None:
    for minute in range(60, 180):
        found = hazard(f"{minute % 60} {minute // 60} * * *", None, years=1)
        assert found is not None
        assert (found.at, found.basis) == (f"{minute // 60:02}:{minute % 60:02}", ZoneBasis.EXAMPLE)


def test_look_ahead_is_bounded() -> None:
    # The 31st of October is the day of the change in 2027, but not in 2028.
    assert hazard("0 2 31 10 *", "Europe/Berlin", date(2027, 11, 1), years=1) is None
    found = hazard("0 2 31 10 *", "Europe/Berlin", TODAY, years=1)
    assert found is not None
    assert found.on == date(2027, 10, 31)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", True),
        ("America/New_York", True),
        ("Europe/Dublin", True),
        ("Australia/Lord_Howe", True),
        ("EST5EDT", True),
        ("UTC", False),
        ("Etc/GMT", False),
        ("Asia/Tokyo", False),
        ("Asia/Kolkata", False),
        ("UTC+2", False),
        (None, None),
        ("Middle/Earth", None),
    ],
)
def test_zone_has_dst(zone: str | None, *, expected: bool | None) -> None:
    assert zone_has_dst(zone, 2027) is expected


def test_zone_that_gave_up_its_changes() -> None:
    assert zone_has_dst("Europe/Moscow", 2010) is True
    assert zone_has_dst("Europe/Moscow", 2020) is False


def test_zones_by_name() -> None:
    assert find_zone(" utc ") is UTC
    assert find_zone("Z") is UTC
    assert str(find_zone("america/new_york")) == "America/New_York"
    assert find_zone("GMT-05:30") == timezone(-timedelta(hours=5, minutes=30))
    assert find_zone("+99") is None
    assert find_zone("../../etc/passwd") is None


def test_transitions_in_order() -> None:
    zone = find_zone("Europe/Berlin")
    assert zone is not None
    found = transitions(zone, datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    assert [(str(change.at), str(change.to), change.forward) for change in found] == [
        ("2027-03-28 02:00:00", "2027-03-28 03:00:00", True),
        ("2027-10-31 03:00:00", "2027-10-31 02:00:00", False),
    ]
