"""Notations of schedules, dialect by dialect."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cronaudit.model.schedule import CronExpression, DayRule, Dialect, Interval, Schedule, ScheduleError
from cronaudit.schedule.build import interval_schedule, read_schedule
from cronaudit.schedule.normalise import (
    GraphileEntry,
    expression_of_fields,
    normalise,
    parse_graphile_line,
)

if TYPE_CHECKING:
    from cronaudit.schedule.normalise import FieldInput


def cron(expression: str, dialect: Dialect) -> CronExpression:
    result = normalise(expression, dialect)
    assert isinstance(result, CronExpression), result
    return result


@pytest.mark.parametrize(
    ("expression", "dialect", "canonical"),
    [
        ("*/5 * * * *", Dialect.UNIX5, "*/5 * * * *"),
        ("  14   03 * * * ", Dialect.UNIX5, "14 3 * * *"),
        ("0-59/5 * * * *", Dialect.UNIX5, "*/5 * * * *"),
        ("5/15 * * * *", Dialect.GITHUB, "5/15 * * * *"),
        ("5-59/15 * * * *", Dialect.GITHUB, "5/15 * * * *"),
        ("0 9-17/4 * * *", Dialect.UNIX5, "0 9-17/4 * * *"),
        ("0 0 * jan-mar mon,THU", Dialect.UNIX5, "0 0 * 1-3 1,4"),
        ("0 0 * * 7", Dialect.UNIX5, "0 0 * * 0"),
        ("0 0 * * 0-7", Dialect.UNIX5, "0 0 * * *"),
        ("0 0 * * 5-7", Dialect.UNIX5, "0 0 * * 5,6,0"),
        ("0 0 20 * 0-6", Dialect.UNIX5, "0 0 * * *"),
        ("0 0 20 * 0-6", Dialect.SECONDS6, "0 0 20 * *"),
        ("0 0 * * 1-5", Dialect.KUBERNETES, "0 0 * * 1-5"),
        ("0 0 ? * *", Dialect.KUBERNETES, "0 0 * * *"),
        ("@weekly", Dialect.UNIX5, "0 0 * * 0"),
        ("@MIDNIGHT", Dialect.KUBERNETES, "0 0 * * *"),
        ("@weekdays", Dialect.SECONDS6, "0 0 * * 1-5"),
        ("@secondly", Dialect.SECONDS6, "* * * * * *"),
        ("0 0 17 * * 0", Dialect.SECONDS6, "0 17 * * 0"),
        ("*/10 * * * * *", Dialect.SECONDS6, "*/10 * * * * *"),
        ("0 0 17 L * ?", Dialect.SECONDS6, "0 17 L * *"),
        ("0 0 12 1 1 * 2030", Dialect.SECONDS6, "0 0 12 1 1 * 2030"),
        ("0 0 0 1 0 *", Dialect.SECONDS6_MONTH0, "0 0 1 1 *"),
        ("0 0 0 1 11 *", Dialect.SECONDS6_MONTH0, "0 0 1 12 *"),
        ("@yearly", Dialect.SECONDS6_MONTH0, "0 0 1 1 *"),
        ("0 0 1 January Monday", Dialect.NODE_CRON, "0 0 1 1 1"),
        ("0 0 0 ? * 2-6", Dialect.QUARTZ, "0 0 * * 1-5"),
        ("0 0 0 ? * FRI-MON", Dialect.QUARTZ, "0 0 * * 5,6,0,1"),
        ("0 0 22-2 * * ?", Dialect.QUARTZ, "0 22,23,0,1,2 * * *"),
        ("0 0 0 ? * 6L", Dialect.QUARTZ, "0 0 * * 5L"),
        ("0 0 0 ? * 2#3", Dialect.QUARTZ, "0 0 * * 1#3"),
        ("0 0 0 ? * L", Dialect.QUARTZ, "0 0 * * 6"),
        ("0 15 10 LW * ?", Dialect.QUARTZ, "15 10 LW * *"),
        ("0 15 10 L-3 * ?", Dialect.QUARTZ, "15 10 L-3 * *"),
        ("30 15 10 15W * ? 2027-2030", Dialect.QUARTZ, "30 15 10 15W * * 2027-2030"),
        ("cron(0 12 ? * MON-FRI *)", Dialect.AWS, "0 12 * * 1-5"),
        ("cron(0/15 10 * * ? 2027)", Dialect.AWS, "0 */15 10 * * * 2027"),
        ("0 12 * * ? *", Dialect.AWS, "0 12 * * *"),
        ("0 2 * * 0", Dialect.APSCHEDULER, "0 2 * * 1"),
        ("0 2 * * 5-6", Dialect.APSCHEDULER, "0 2 * * 6,0"),
        ("0 2 * * mon-sun", Dialect.APSCHEDULER, "0 2 * * *"),
        ("0 2 * * sat", Dialect.CELERY, "0 2 * * 6"),
        ("0 22-2 * * *", Dialect.CELERY, "0 22,23,0,1,2 * * *"),
        ('0 5 * * 1 send_report ?fill=4h&max=10 {"a": 1}', Dialect.GRAPHILE, "0 5 * * 1"),
        ("0 5 * * 1", Dialect.GRAPHILE, "0 5 * * 1"),
        ("0 3 * * *", Dialect.AGENDA, "0 3 * * *"),
        ("*/5 * * * *", Dialect.BREE, "*/5 * * * *"),
        ("at 10:15 am", Dialect.BREE, "15 10 * * *"),
        ("at 12:00 am", Dialect.LATER, "0 0 * * *"),
        ("at 10:15 pm on Mon and Wednesday", Dialect.LATER, "15 22 * * 1,3"),
        ("at 09:30 every weekday", Dialect.LATER, "30 9 * * 1-5"),
    ],
)
def test_canonical_text(expression: str, dialect: Dialect, canonical: str) -> None:
    assert cron(expression, dialect).text == canonical


@pytest.mark.parametrize(
    ("expression", "dialect", "seconds"),
    [
        ("rate(5 minutes)", Dialect.AWS, 300),
        ("rate(1 day)", Dialect.AWS, 86_400),
        ("@every 1h30m", Dialect.KUBERNETES, 5400),
        ("5 minutes", Dialect.AGENDA, 300),
        ("one hour", Dialect.HUMAN_INTERVAL, 3600),
        ("3 days and 4 hours", Dialect.AGENDA, 273_600),
        ("every 5 mins", Dialect.HUMAN_INTERVAL, 300),
        ("1500", Dialect.HUMAN_INTERVAL, 1.5),
        ("5m", Dialect.MS, 300),
        ("100", Dialect.MS, 0.1),
        ("2 days", Dialect.MS, 172_800),
        ("5m", Dialect.BREE, 300),
        ("every 2 hours", Dialect.BREE, 7200),
        ("every 5 min", Dialect.LATER, 300),
        ("every day", Dialect.LATER, 86_400),
        ("PT5M", Dialect.ISO8601, 300),
        ("P1DT12H", Dialect.ISO8601, 129_600),
    ],
)
def test_intervals(expression: str, dialect: Dialect, seconds: float) -> None:
    assert normalise(expression, dialect) == Interval(seconds)


@pytest.mark.parametrize(
    ("expression", "dialect", "field", "value", "message"),
    [
        ("0 25 * * *", Dialect.UNIX5, "hour", "25", "25 is outside 0-23"),
        ("60 * * * *", Dialect.UNIX5, "minute", "60", "60 is outside 0-59"),
        ("0 0 0 * *", Dialect.UNIX5, "day of month", "0", "0 is outside 1-31"),
        ("0 0 * 13 *", Dialect.UNIX5, "month", "13", "13 is outside 1-12"),
        ("0 0 * 12 *", Dialect.SECONDS6_MONTH0, "month", "12", "12 is outside 0-11"),
        ("0 0 * * 8", Dialect.UNIX5, "day of week", "8", "8 is outside 0-7"),
        ("0 0 0 ? * 0", Dialect.QUARTZ, "day of week", "0", "0 is outside 1-7"),
        ("0 0 * * 7", Dialect.APSCHEDULER, "day of week", "7", "7 is outside 0-6"),
        ("0 0 * * mo", Dialect.UNIX5, "day of week", "mo", "'mo' is not a number or name"),
        ("a * * * *", Dialect.UNIX5, "minute", "a", "'a' is not a number"),
        ("*/0 * * * *", Dialect.UNIX5, "minute", "*/0", "the step in '*/0' is not a number above 0"),
        ("0 0 1,,2 * *", Dialect.UNIX5, "day of month", "1,,2", "'1,,2' has an empty element"),
        ("0 22-2 * * *", Dialect.UNIX5, "hour", "22-2", "the range '22-2' runs backwards"),
        ("0 0 ? * *", Dialect.UNIX5, "day of month", "?", "'?' is not known here"),
        ("0 0 L * *", Dialect.UNIX5, "day of month", "l", "'l' is not a number"),
        ("0 0 * * 1#6", Dialect.SECONDS6, "day of week", "1#6", "6 in '1#6' is outside 1-5"),
        ("0 0 30 2 *", Dialect.UNIX5, "day of month", "30", "day 30 never comes in month 2: it never runs"),
        ("* * * *", Dialect.UNIX5, "expression", "* * * *", "4 fields where unix5 has 5"),
        ("0 0 0 * * *", Dialect.UNIX5, "expression", "0 0 0 * * *", "6 fields where unix5 has 5"),
        (
            "* * * * * * *",
            Dialect.NODE_CRON,
            "expression",
            "* * * * * * *",
            "7 fields where node-cron has 5 or 6",
        ),
        ("@daily", Dialect.GITHUB, "expression", "@daily", "the nickname @daily is not known in github"),
        ("@reboot", Dialect.UNIX5, "expression", "@reboot", "@reboot runs once at start, not on a schedule"),
        (
            "0 0 0 * * *",
            Dialect.QUARTZ,
            "day of month and day of week",
            "* and *",
            "quartz needs '?' in exactly one of the two day fields, found * and *",
        ),
        (
            "rate(5 parsecs)",
            Dialect.AWS,
            "rate",
            "5 parsecs",
            "'5 parsecs' is not a number of minutes, hours or days",
        ),
        ("rate(0 minutes)", Dialect.AWS, "expression", "rate(0 minutes)", "the interval is 0"),
        (
            "at(2027-01-01T00:00:00)",
            Dialect.AWS,
            "expression",
            "at(2027-01-01T00:00:00)",
            "at(…) runs once, not on a schedule",
        ),
        ("soon", Dialect.AGENDA, "expression", "soon", "'soon' is no length of time"),
        ("P1M", Dialect.ISO8601, "expression", "P1M", "it is no ISO 8601 duration of fixed length"),
        ("at 13:00 pm", Dialect.LATER, "hour", "13", "13 pm is no time of the day"),
        (
            "on the last day",
            Dialect.LATER,
            "expression",
            "on the last day",
            "'on the last day' is beyond the later.js text that is understood",
        ),
        ("  ", Dialect.UNIX5, "expression", "  ", "it is empty"),
    ],
)
def test_errors_name_field_value_and_reason(
    expression: str, dialect: Dialect, field: str, value: str, message: str
) -> None:
    assert normalise(expression, dialect) == ScheduleError(field, value, message)


def test_error_reads_as_a_sentence() -> None:
    assert str(normalise("0 25 * * *", Dialect.UNIX5)) == "hour: 25 is outside 0-23"


@pytest.mark.parametrize(
    ("expression", "dialect", "rule"),
    [
        ("0 0 13 * 5", Dialect.UNIX5, DayRule.EITHER),
        ("0 0 */2 * 1", Dialect.UNIX5, DayRule.BOTH),
        ("0 0 */2 * 1", Dialect.KUBERNETES, DayRule.EITHER),
        ("0 0 13 * 5", Dialect.SECONDS6, DayRule.EITHER),
        ("0 0 13 * 5", Dialect.NODE_CRON, DayRule.BOTH),
        ("0 0 13 * 5", Dialect.CELERY, DayRule.BOTH),
        ("0 0 13 * 4", Dialect.APSCHEDULER, DayRule.BOTH),
        ("0 0 13 * *", Dialect.UNIX5, DayRule.BOTH),
    ],
)
def test_day_fields_combine_as_the_dialect_says(expression: str, dialect: Dialect, rule: DayRule) -> None:
    assert cron(expression, dialect).day_rule is rule


def test_all_parts_of_an_expression() -> None:
    assert cron("CRON_TZ=Europe/Berlin 0,30 2 1 */6 *", Dialect.KUBERNETES) == CronExpression(
        text="0,30 2 1 */6 *",
        seconds=(0,),
        minutes=(0, 30),
        hours=(2,),
        days=(1,),
        day_terms=(),
        months=(1, 7),
        weekdays=(0, 1, 2, 3, 4, 5, 6),
        weekday_terms=(),
        years=(),
        day_rule=DayRule.BOTH,
        timezone="Europe/Berlin",
    )


@pytest.mark.parametrize(
    ("fields", "dialect", "expression"),
    [
        ({"hour": 2, "minute": 30}, Dialect.CELERY, "30 2 * * *"),
        ({"hour": 2}, Dialect.CELERY, "* 2 * * *"),
        ({"hour": 3, "minute": 0, "day_of_week": "mon, thu"}, Dialect.CELERY, "0 3 * * mon,thu"),
        ({"minute": 0, "hour": 3, "day_of_month": 1}, Dialect.CELERY, "0 3 1 * *"),
        ({"minute": [0, 30], "month_of_year": "*/3"}, Dialect.CELERY, "0,30 * * */3 *"),
        ({}, Dialect.CELERY, "* * * * *"),
        ({"hour": 2}, Dialect.APSCHEDULER, "0 2 * * *"),
        ({"minute": "*/5"}, Dialect.APSCHEDULER, "*/5 * * * *"),
        ({"second": 10}, Dialect.APSCHEDULER, "10 * * * * *"),
        ({"day_of_week": "mon"}, Dialect.APSCHEDULER, "0 0 * * mon"),
        ({"month": "1-6", "day": "3rd fri", "hour": 4}, Dialect.APSCHEDULER, "0 4 * 1-6 fri#3"),
        ({"day": "last sun"}, Dialect.APSCHEDULER, "0 0 * * sunL"),
        ({"day": "last"}, Dialect.APSCHEDULER, "0 0 L * *"),
        ({"year": 2027}, Dialect.APSCHEDULER, "0 0 0 1 1 * 2027"),
    ],
)
def test_expression_of_builder_fields(
    fields: dict[str, FieldInput], dialect: Dialect, expression: str
) -> None:
    assert expression_of_fields(fields, dialect) == expression
    assert isinstance(normalise(expression, dialect), CronExpression)


def test_builder_fields_without_counterpart() -> None:
    assert expression_of_fields({"hours": 2}, Dialect.CELERY) == ScheduleError(
        "hours", "2", "celery has no field 'hours'"
    )
    assert expression_of_fields({"week": "*/2"}, Dialect.APSCHEDULER) == ScheduleError(
        "week", "*/2", "weeks of the year have no counterpart in cron"
    )


def test_graphile_line() -> None:
    line = '0 4 * * *  vacuum ?fill=4h&jobKey=v  {"deep": true}'
    assert parse_graphile_line(line) == GraphileEntry(
        "0 4 * * *", "vacuum", "fill=4h&jobKey=v", '{"deep": true}'
    )
    assert parse_graphile_line("0 4 * * *") is None


def test_read_schedule_keeps_the_expression_as_written() -> None:
    assert read_schedule("0  0 17 * *  0", Dialect.SECONDS6, "UTC") == Schedule(
        "0 0 17 * * 0", None, "UTC", "at 17:00, on Sunday", Dialect.SECONDS6
    )
    assert read_schedule("0 4 * * * vacuum ?fill=4h", Dialect.GRAPHILE) == Schedule(
        "0 4 * * *", None, None, "at 04:00, every day", Dialect.GRAPHILE
    )


def test_zone_in_the_expression_wins() -> None:
    schedule = read_schedule("TZ=Asia/Tokyo 0 4 * * *", Dialect.KUBERNETES, "UTC")
    assert isinstance(schedule, Schedule)
    assert schedule.timezone == "Asia/Tokyo"


def test_kinds_of_schedule() -> None:
    every_minute = interval_schedule(60)
    assert every_minute == Schedule(None, 60, None, "every minute", None)
    assert (every_minute.is_interval, every_minute.is_cron, every_minute.is_resolved) == (True, False, True)
    daily = read_schedule("@daily", Dialect.UNIX5)
    assert isinstance(daily, Schedule)
    assert (daily.is_interval, daily.is_cron, daily.is_resolved) == (False, True, True)
    assert (Schedule().is_interval, Schedule().is_cron, Schedule().is_resolved) == (False, False, False)


def test_importing_the_package_leaves_the_heavy_libraries_alone() -> None:
    code = (
        "import sys, cronaudit.schedule.build, cronaudit.schedule.comments, cronaudit.schedule.dst;"
        "print(sorted({'cron_descriptor', 'cronsim', 'zoneinfo', 'tzdata'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
