"""Schedules in words."""

from __future__ import annotations

import pytest

from cronaudit.model.schedule import Dialect, Schedule
from cronaudit.schedule.wording import describe


@pytest.mark.parametrize(
    ("expression", "dialect", "words"),
    [
        ("* * * * *", Dialect.UNIX5, "every minute"),
        ("*/5 * * * *", Dialect.UNIX5, "every 5 minutes"),
        ("0 * * * *", Dialect.UNIX5, "every hour"),
        ("45 * * * *", Dialect.UNIX5, "at 45 minutes past the hour"),
        ("0 */6 * * *", Dialect.UNIX5, "every 6 hours"),
        ("30 2 * * *", Dialect.UNIX5, "at 02:30, every day"),
        ("0 9,17 * * *", Dialect.UNIX5, "at 09:00 and 17:00, every day"),
        ("0 9,12,15 * * *", Dialect.UNIX5, "at 09:00, 12:00 and 15:00, every day"),
        ("0 9-17 * * *", Dialect.UNIX5, "every hour from 09:00 to 17:00"),
        (
            "*/15 9-17 * * 1-5",
            Dialect.UNIX5,
            "every 15 minutes, between 09:00 and 17:59, Monday through Friday",
        ),
        ("0 2 * * mon,thu", Dialect.CELERY, "at 02:00, on Monday and Thursday"),
        ("* 2 * * *", Dialect.CELERY, "every minute, between 02:00 and 02:59"),
        ("0 3 1 * *", Dialect.UNIX5, "at 03:00, on day 1 of the month"),
        ("0 0 1 1 *", Dialect.UNIX5, "at 00:00, on day 1 of the month, in January"),
        ("0 0 13 * 5", Dialect.UNIX5, "at 00:00, on day 13 of the month, or on Friday"),
        ("0 0 13 * 5", Dialect.CELERY, "at 00:00, on day 13 of the month, if it is Friday"),
        ("0 0 17 * * *", Dialect.SECONDS6, "at 17:00, every day"),
        ("*/10 * * * * *", Dialect.SECONDS6, "every 10 seconds"),
        ("30 15 10 ? * 2 2027", Dialect.QUARTZ, "at 10:15:30, on Monday, in 2027"),
        ("0 0 0 ? * 6L", Dialect.QUARTZ, "at 00:00, on the last Friday of the month"),
        ("0 0 0 LW * ?", Dialect.QUARTZ, "at 00:00, on the last weekday of the month"),
        ("rate(12 hours)", Dialect.AWS, "every 12 hours"),
        ("90 seconds", Dialect.HUMAN_INTERVAL, "every 90 seconds"),
        ("0 25 * * *", Dialect.UNIX5, "invalid schedule (hour: 25 is outside 0-23)"),
    ],
)
def test_expression_in_words(expression: str, dialect: Dialect, words: str) -> None:
    assert describe(Schedule(expression=expression, dialect=dialect)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "every 500 milliseconds"),
        (1, "every second"),
        (1.5, "every 1.5 seconds"),
        (60, "every minute"),
        (90, "every 90 seconds"),
        (300, "every 5 minutes"),
        (3600, "every hour"),
        (5400, "every 90 minutes"),
        (21_600, "every 6 hours"),
        (86_400, "every day"),
        (172_800, "every 2 days"),
        (604_800, "every week"),
        (0, "without a pause"),
    ],
)
def test_interval_in_words(seconds: float, words: str) -> None:
    assert describe(Schedule(interval_seconds=seconds)) == words


def test_unresolved_says_so() -> None:
    assert describe(Schedule()) == "not resolved"
    assert describe(Schedule(text="from the database")) == "from the database"
