from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import Identity
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import identity

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = (
    '{"name": "shop", "dependencies": {"node-cron": "^3.0.0"}, "scripts": {"start": "node src/index.js"}}'
)
HEAD = """const cron = require('node-cron');
const { Pool } = require('pg');
const pool = new Pool();
async function close() { await pool.query('DELETE FROM carts'); }
"""


def all_facts(service_of: ServiceOf, source: str) -> list[Identity]:
    return [identity.build(j) for j in service_of({"package.json": PACKAGE, "src/index.js": HEAD + source})]


def facts(service_of: ServiceOf, source: str) -> Identity:
    (found,) = all_facts(service_of, source)
    return found


@pytest.mark.parametrize(
    ("source", "name", "by"),
    [
        ("cron.schedule('0 4 * * *', close, { name: 'carts' });", "carts", "explicit"),
        ("cron.schedule('0 4 * * *', close);", "close", "symbol"),
        ("cron.schedule('0 4 * * *', async () => { await close(); await close(); });", None, "none"),
        (
            "function start() { cron.schedule('0 4 * * *', async () => { await close(); await close(); }); }\nstart();",
            "start",
            "symbol",
        ),
    ],
)
def test_names(service_of: ServiceOf, source: str, name: str | None, by: str) -> None:
    found = facts(service_of, source)
    assert (found.name.value, found.name_source.value, found.name_shared.value) == (name, by, False)


def test_two_jobs_of_one_name(service_of: ServiceOf) -> None:
    first, second = all_facts(
        service_of,
        "cron.schedule('0 4 * * *', close, { name: 'x' });\ncron.schedule('0 5 * * *', close, { name: 'x' });",
    )
    assert (first.name_shared.value, second.name_shared.value) == (True, True)
    assert first.name_shared.detail == "'x' is also the name of src/index.js:6"


@pytest.mark.parametrize(
    ("body", "stub"),
    [
        ("", True),
        ("console.log('close');", True),
        ("throw new Error('not implemented');", True),
        ("/* TODO */ return 0;", True),
        ("await pool.query('DELETE FROM carts');", False),
        ("throw new Error('broken');", False),
    ],
)
def test_stubs(service_of: ServiceOf, body: str, stub: bool) -> None:
    found = facts(
        service_of, f"cron.schedule('0 4 * * *', async function run() {{ {body} }}, {{ name: 'x' }});"
    )
    assert found.stub.value is stub


@pytest.mark.parametrize(
    ("body", "alone"),
    [
        ("console.log(process.memoryUsage().heapUsed);", True),
        ("const batch = buffer; buffer = []; await pool.query('INSERT INTO hits VALUES ($1)', batch);", True),
        ("const batch = buffer; await pool.query('INSERT INTO hits VALUES ($1)', batch);", False),
        ("await pool.query('INSERT INTO load VALUES ($1)', [process.memoryUsage().rss]);", False),
        ("await pool.query('DELETE FROM carts');", False),
    ],
)
def test_work_on_the_instance_itself(service_of: ServiceOf, body: str, alone: bool) -> None:
    found = facts(
        service_of,
        f"let buffer = [];\ncron.schedule('0 4 * * *', async function run() {{ {body} }}, {{ name: 'x' }});",
    )
    assert found.per_instance.value is alone


@pytest.mark.parametrize(
    ("source", "switch"),
    [
        ("if (process.env.RUN_JOBS === 'true') { SCHEDULE }", "RUN_JOBS"),
        ("if (process.env.RUN_JOBS) { SCHEDULE }", "RUN_JOBS"),
        ("function start() { if (!process.env.RUN_JOBS) return; SCHEDULE }\nstart();", "RUN_JOBS"),
        ("function start() { SCHEDULE }\nif (process.env.RUN_JOBS) { start(); }", "RUN_JOBS"),
        ("if (process.env.RUN_JOBS !== 'false') { SCHEDULE }", None),
        ("if (!process.env.NO_JOBS) { SCHEDULE }", None),
        ("if (process.env.NODE_ENV === 'production') { SCHEDULE }", None),
        ("const on = process.env.RUN_JOBS || 'true';\nif (on === 'true') { SCHEDULE }", None),
        ("const on = process.env.RUN_JOBS || 'false';\nif (on === 'true') { SCHEDULE }", "RUN_JOBS"),
        ("SCHEDULE", None),
    ],
)
def test_switches(service_of: ServiceOf, source: str, switch: str | None) -> None:
    found = facts(service_of, source.replace("SCHEDULE", "cron.schedule('0 4 * * *', close, { name: 'x' });"))
    assert found.switch.value == switch
    assert found.switch.detail == ("" if switch is None else f"off unless {switch} is set")
