from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import ScheduleFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import schedule

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = (
    '{"name": "shop", "dependencies": {"node-cron": "^3.0.0"}, "scripts": {"start": "node src/index.js"}}'
)
HEAD = """const cron = require('node-cron');
const { Pool } = require('pg');
const pool = new Pool();
const close = () => pool.query('DELETE FROM carts');
"""


def facts(service_of: ServiceOf, source: str, more: dict[str, str] | None = None) -> ScheduleFacts:
    jobs = service_of({"package.json": PACKAGE, "src/index.js": HEAD + source, **(more or {})})
    assert len(jobs) == 1
    return schedule.build(jobs[0])


@pytest.mark.parametrize(
    ("source", "expected", "detail"),
    [
        ("cron.schedule('0 4 * * *', close);", "none", "No words beside the schedule: bare '0 4 * * *'"),
        ("// Daily at 04:00\ncron.schedule('0 4 * * *', close);", "words", "Comment: 'Daily at 04:00'"),
        ("cron.schedule('0 4 * * *', close); // daily at 04:00", "words", "Comment: 'daily at 04:00'"),
        (
            "// Every day at 05:00\ncron.schedule('0 4 * * *', close);",
            "contradicts",
            "Comment 'Every day at 05:00' contradicts at 04:00, every day",
        ),
        (
            "// Frees the stock\ncron.schedule('0 4 * * *', close);",
            "none",
            "No words beside the schedule: bare '0 4 * * *'",
        ),
        (
            "const EVERY_DAY_AT_4AM = '0 4 * * *';\ncron.schedule(EVERY_DAY_AT_4AM, close);",
            "words",
            "Named preset EVERY_DAY_AT_4AM",
        ),
        ("setInterval(close, 300000); // 5 minutes", "size", "Interval with its size: '5 minutes'"),
        ("setInterval(close, 5 * 60 * 1000);", "none", "No words beside the schedule: bare number"),
        (
            "const FIVE_MINUTES = 300000;\nsetInterval(close, FIVE_MINUTES);",
            "size",
            "Size in the name FIVE_MINUTES",
        ),
        (
            "cron.schedule('0 4 * * *', async () => {\n  // every minute counts here\n  await close();\n});",
            "none",
            "No words beside the schedule: bare '0 4 * * *'",
        ),
    ],
)
def test_words_beside_the_schedule(service_of: ServiceOf, source: str, expected: str, detail: str) -> None:
    found = facts(service_of, source)
    assert (found.words.value, found.words.detail) == (expected, detail)


def test_a_remark_on_another_job_is_none(service_of: ServiceOf) -> None:
    jobs = service_of(
        {
            "package.json": PACKAGE,
            "src/index.js": HEAD
            + "// Daily at 04:00\ncron.schedule('0 4 * * *', close);\ncron.schedule('0 5 * * *', close);\n",
        }
    )
    assert [schedule.build(j).words.value for j in jobs] == ["words", "none"]


@pytest.mark.parametrize(
    ("source", "zone", "by"),
    [
        ("cron.schedule('0 4 * * *', close);", None, "none"),
        ("cron.schedule('0 4 * * *', close, { timezone: 'Europe/Vienna' });", "Europe/Vienna", "job"),
        ("cron.schedule('0 4 * * *', close, { timezone: process.env.ZONE || 'UTC' });", "UTC", "job"),
        ("process.env.TZ = 'UTC';\ncron.schedule('0 4 * * *', close);", "UTC", "service"),
    ],
)
def test_the_zone_and_who_sets_it(service_of: ServiceOf, source: str, zone: str | None, by: str) -> None:
    found = facts(service_of, source)
    assert (found.timezone.value, found.timezone_source.value) == (zone, by)


def test_a_zone_without_a_default_leaves_open_whether_it_is_set(service_of: ServiceOf) -> None:
    found = facts(service_of, "cron.schedule('0 4 * * *', close, { timezone: process.env.ZONE });")
    assert isinstance(found.timezone_source.value, Unresolved)
    assert found.timezone_source.value.reason == (
        "the time zone is not resolved: ZONE comes from the environment and has no default"
    )


def test_a_zone_from_settings_is_set(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const settings = require('some-settings');
        cron.schedule('0 4 * * *', close, { timezone: settings.read('zone') });
        """,
    )
    assert isinstance(found.timezone.value, Unresolved)
    assert found.timezone_source.value == "job"


def test_the_zone_of_the_container_that_runs_it(service_of: ServiceOf) -> None:
    compose = """
    services:
      app:
        build: .
        command: node src/index.js
        environment:
          TZ: Europe/Vienna
    """
    dockerfile = 'FROM node:20\nCOPY . .\nCMD ["node", "src/index.js"]\n'
    found = facts(
        service_of,
        "cron.schedule('30 2 * * *', close);",
        {"docker-compose.yml": compose, "Dockerfile": dockerfile},
    )
    assert (found.timezone.value, found.timezone_source.value) == ("Europe/Vienna", "container")
    assert str(found.timezone.locations[0]) == "docker-compose.yml:6"


@pytest.mark.parametrize(
    ("loads", "by"),
    [("require('./zone');\n", "service"), ("", "none")],
)
def test_a_zone_counts_in_the_process_that_sets_it(service_of: ServiceOf, loads: str, by: str) -> None:
    found = facts(
        service_of,
        f"{loads}cron.schedule('0 4 * * *', close);",
        {
            "src/zone.js": "process.env.TZ = 'UTC';\n",
            "src/api.js": "require('./zone');\nrequire('express')().listen(80);\n",
            "package.json": '{"scripts": {"start": "node src/api.js", "worker": "node src/index.js"}}',
        },
    )
    assert found.timezone_source.value == by


def test_a_run_in_the_hour_that_is_skipped(service_of: ServiceOf) -> None:
    found = facts(service_of, "cron.schedule('30 2 * * *', close, { timezone: 'Europe/Vienna' });")
    assert (found.in_dst_hours.value, found.zone_has_dst.value, found.at_least_hourly.value) == (
        True,
        True,
        False,
    )
    assert found.dst_date.value == "2027-03-28"
    assert found.dst_date.detail == (
        "02:30 is skipped on 2027-03-28 in Europe/Vienna (clocks go from 02:00 to 03:00)"
    )


def test_an_interval(service_of: ServiceOf) -> None:
    found = facts(service_of, "setInterval(close, 300000);")
    assert (found.form.value, found.interval_seconds.value, found.expression.value) == (
        "interval",
        300.0,
        None,
    )


def test_a_schedule_without_a_default_is_open(service_of: ServiceOf) -> None:
    found = facts(service_of, "cron.schedule(process.env.CLOSE_CRON, close);")
    assert found.form.value == "cron"
    assert isinstance(found.expression.value, Unresolved)
    assert isinstance(found.in_dst_hours.value, Unresolved)


def test_a_schedule_with_a_default_counts_as_that(service_of: ServiceOf) -> None:
    found = facts(service_of, "cron.schedule(process.env.CLOSE_CRON || '0 4 * * *', close);")
    assert found.expression.value == "0 4 * * *"


def test_words_above_the_call_that_takes_the_registration(service_of: ServiceOf) -> None:
    source = (
        "const jobs = [];\nfunction start() {\n  // Closes carts daily at 04:00\n  jobs.push({\n    id: 'close',\n"
        "    task: cron.schedule('0 4 * * *', close),\n  });\n}\nstart();\n"
    )
    words = facts(service_of, source).words
    assert (words.value, words.detail) == ("words", "Comment: 'Closes carts daily at 04:00'")
