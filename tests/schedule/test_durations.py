"""Durations, read and worded."""

from __future__ import annotations

import pytest

from cronaudit.model.schedule import DurationUnit
from cronaudit.schedule.durations import duration_words, parse_duration


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [
        ("300000", DurationUnit.MILLISECOND, 300.0),
        ("300", DurationUnit.SECOND, 300.0),
        ("5", DurationUnit.MINUTE, 300.0),
        ("1.5", DurationUnit.HOUR, 5400.0),
        ("2", DurationUnit.DAY, 172_800.0),
        ("60_000", DurationUnit.MILLISECOND, 60.0),
        ("5m", None, 300.0),
        ("5 Min", None, 300.0),
        ("500ms", None, 0.5),
        (".5h", None, 1800.0),
        ("1h30m", None, 5400.0),
        ("1h 30m 15s", None, 5415.0),
        ("2 days", None, 172_800.0),
        ("one hour", None, 3600.0),
        ("an hour", None, 3600.0),
        ("half an hour", None, 1800.0),
        ("twenty-five seconds", None, 25.0),
        ("three days and 4 hours", None, 273_600.0),
        ("1 minute, 30 seconds", None, 90.0),
        ("every 5 mins", None, 300.0),
        ("minute", None, 60.0),
        ("PT5M", None, 300.0),
        ("p1dt2h", None, 93_600.0),
        ("PT0.5S", None, 0.5),
        ("P2W", None, 1_209_600.0),
    ],
)
def test_parse(text: str, unit: DurationUnit | None, seconds: float) -> None:
    assert parse_duration(text, unit) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "soon",
        "5 parsecs",
        "-5m",
        "5 minutes ago",
        "P1M",
        "PT",
        "P",
        "m",
        "5m x",
        "5 5m",
        "1,5h",
        "*/5 * * * *",
    ],
)
def test_parse_refuses(text: str) -> None:
    assert parse_duration(text, None) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (0.15, "150ms"),
        (1.5, "1.5s"),
        (45, "45s"),
        (90, "1min 30s"),
        (300, "5min"),
        (600, "10min"),
        (3600, "1h"),
        (5400, "1h 30min"),
        (86_400, "1 day"),
        (172_800, "2 days"),
        (93_600, "1 day 2h"),
        (-60, "-1min"),
        (float("inf"), "unbounded"),
    ],
)
def test_words(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
