"""Schedules that are objects: rules whose fields are assigned, and fields that a call is handed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

HEAD = """
const { Range, RecurrenceRule, scheduleJob } = require('node-schedule');
const { Pool } = require('pg');
const pool = new Pool();
const sweep = () => pool.query('delete from sessions');
"""
RULE = "const rule = new RecurrenceRule();\n"
PACKAGE = '{"main": "main.js", "dependencies": {"node-schedule": "2", "pg": "8"}}'


@pytest.mark.parametrize(
    ("fields", "expression", "zone"),
    [
        ("rule.hour = 1; rule.minute = 10;", "0 10 1 * * *", None),
        ("rule.minute = 42;", "0 42 * * * *", None),
        ("rule.hour = 3; rule.minute = 0; rule.tz = 'Etc/UTC';", "0 0 3 * * *", "Etc/UTC"),
        (
            "rule.dayOfWeek = [0, new Range(4, 6)]; rule.hour = 17; rule.minute = 0;",
            "0 0 17 * * 0,4-6",
            None,
        ),
        # When in the minute it runs tells nothing about the hour.
        (
            "rule.hour = 1; rule.minute = 10; rule.second = Math.floor(Math.random() * 59);",
            "0 10 1 * * *",
            None,
        ),
        ("rule.hour = Math.floor(Math.random() * 7); rule.minute = 10;", "open", None),
    ],
)
def test_a_rule_has_the_fields_that_are_assigned(
    tmp_path: Path, fields: str, expression: str, zone: str | None
) -> None:
    main = f"{HEAD}{RULE}{fields}\nscheduleJob('sweep', rule, sweep);\n"
    job = discover(tmp_path, {"package.json": PACKAGE, "main.js": main}).only()
    assert (job.name, job.schedule, job.zone) == ("sweep", expression, zone)


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ("{ hour: 14, minute: 30, dayOfWeek: 0 }", "0 30 14 * * 0"),
        # Months are counted from 0, as in dates.
        ("{ hour: 14, minute: 30, date: 1, month: 0 }", "0 30 14 1 1 *"),
        ("{ hour: [6, 18], minute: 0 }", "0 0 6,18 * * *"),
    ],
)
def test_fields_of_an_object(tmp_path: Path, fields: str, expression: str) -> None:
    main = f"{HEAD}scheduleJob('sweep', {fields}, sweep);\n"
    job = discover(tmp_path, {"package.json": PACKAGE, "main.js": main}).only()
    assert (job.name, job.schedule) == ("sweep", expression)
