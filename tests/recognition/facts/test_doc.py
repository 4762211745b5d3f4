# ruff: noqa: S608 - the statements are those of the audited services

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import DocFacts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import doc

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = (
    '{"name": "shop", "dependencies": {"node-cron": "^3.0.0"}, "scripts": {"start": "node src/index.js"}}'
)
HEAD = """const cron = require('node-cron');
const { Pool } = require('pg');
const pool = new Pool();

"""


def facts(
    service_of: ServiceOf,
    comment: str,
    more: dict[str, str] | None = None,
    statement: str = "DELETE FROM webhook_logs",
) -> DocFacts:
    source = f"""{HEAD}{comment}
async function close() {{
  await pool.query('{statement}');
}}

cron.schedule('0 4 * * *', close, {{ name: 'log-closing' }});
"""
    jobs = service_of({"package.json": PACKAGE, "src/index.js": source, **(more or {})})
    assert len(jobs) == 1
    return doc.build(jobs[0])


@pytest.mark.parametrize(
    ("comment", "purpose"),
    [
        ("/** Frees the stock of carts that were left. */", "doc"),
        ("// Frees the stock of carts that were left.", "comment"),
        ("/** Runs every day at 04:00. */", "none"),
        ("/** @returns {Promise<void>} */", "none"),
        ("// eslint-disable-next-line no-console", "none"),
        ("// TODO: move this to the worker", "none"),
        ("// await pool.query(sql);", "none"),
        ("// see https://example.com/carts/expire-the-stock", "none"),
        ("// Frees the stock of carts, see https://example.com/carts", "comment"),
        ("", "none"),
    ],
)
def test_purpose(service_of: ServiceOf, comment: str, purpose: str) -> None:
    assert facts(service_of, comment).purpose.value == purpose


@pytest.mark.parametrize(
    ("comment", "dependencies"),
    [
        ("/**\n * Cleans up.\n * Depends on: tables carts and stocks.\n */", "stated"),
        ("/** Cleans up what is old. Requires the carrier API and Redis. */", "stated"),
        ("/** Cleans up what is old; it needs some patience. */", "none"),
        ("/** Deletes old rows of the webhook_logs table. */", "prose"),
        ("/** Deletes old webhook logs. */", "prose"),
        ("/** Posts the totals to Slack. */", "prose"),
        ("/** Frees the stock of carts that were left. */", "none"),
    ],
)
def test_dependencies(service_of: ServiceOf, comment: str, dependencies: str) -> None:
    assert facts(service_of, comment).dependencies.value == dependencies


def test_a_single_noun_is_no_table(service_of: ServiceOf) -> None:
    assert (
        facts(service_of, "/** Closes orders. */", statement="DELETE FROM orders").dependencies.value
        == "none"
    )


def test_a_section_about_the_job(service_of: ServiceOf) -> None:
    readme = """
    # Shop

    Uses Redis.

    ## Background jobs

    `log-closing` needs the table `webhook_logs` and Redis.
    """
    found = facts(service_of, "/** Frees the stock. */", {"README.md": readme})
    assert found.dependencies.value == "runbook"
    assert str(found.dependencies.locations[0]) == "README.md:5"


def test_a_readme_about_the_service_says_nothing_of_the_job(service_of: ServiceOf) -> None:
    found = facts(
        service_of, "/** Frees the stock. */", {"README.md": "# Shop\n\nNeeds Redis and Postgres.\n"}
    )
    assert found.dependencies.value == "none"


def test_the_doc_of_the_function_that_registers_is_not_that_of_the_job(service_of: ServiceOf) -> None:
    jobs = service_of(
        {
            "package.json": PACKAGE,
            "src/index.js": HEAD
            + """
/** Starts all background jobs of the shop. */
function start() {
  cron.schedule('0 4 * * *', async () => {
    await pool.query('DELETE FROM carts');
  });
}
start();
""",
        }
    )
    assert doc.build(jobs[0]).purpose.value == "none"


def test_the_class_of_the_job(service_of: ServiceOf) -> None:
    jobs = service_of(
        {
            "package.json": PACKAGE,
            "src/index.ts": """
            import cron from 'node-cron';
            import { Pool } from 'pg';
            const pool = new Pool();

            /** Frees the stock of carts that were left. */
            class CartJob {
              start() {
                cron.schedule('0 4 * * *', () => this.run());
              }
              private async run() {
                await pool.query('DELETE FROM carts');
              }
            }
            new CartJob().start();
            """,
        }
    )
    found = doc.build(jobs[0])
    assert (found.purpose.value, found.purpose.detail) == (
        "doc",
        "Doc comment on the class: 'Frees the stock of carts that were left'",
    )


def test_a_link_is_no_purpose(service_of: ServiceOf) -> None:
    found = facts(service_of, "/** See https://example.com/wiki/closing-logs-of-webhooks */")
    assert found.purpose.value == "none"


def test_a_comment_in_the_dispatch_of_several_jobs_is_the_purpose_of_none(service_of: ServiceOf) -> None:
    source = """
        const { Queue, Worker } = require('bullmq');
        const { Pool } = require('pg');
        const pool = new Pool();
        const queue = new Queue('jobs');
        queue.upsertJobScheduler('close', { pattern: '0 4 * * *' }, { name: 'close' });
        queue.upsertJobScheduler('prune', { pattern: '0 5 * * *' }, { name: 'prune' });
        new Worker('jobs', async (job) => {
          // A known job whose payload cannot be parsed keeps throwing
          const work = job.name;
          await pool.query('DELETE FROM webhook_logs WHERE kind = $1', [work]);
        });
    """
    jobs = service_of(
        {"package.json": '{"dependencies": {"bullmq": "^5.0.0"}}', "src/index.js": source},
    )
    assert [doc.build(j).purpose.value for j in jobs] == ["none", "none"]


@pytest.mark.parametrize(
    ("comment", "purpose"),
    [
        ("// Frees the stock of carts that were left.", "comment"),
        ("// Every day at 04:00", "none"),
    ],
)
def test_a_comment_above_the_call_that_takes_the_registration(
    service_of: ServiceOf, comment: str, purpose: str
) -> None:
    source = f"""{HEAD}const plan = [];
function arm() {{
  plan.push({{ id: 'other', job: cron.schedule('0 5 * * *', () => pool.query('DELETE FROM a')) }});
  {comment}
  plan.push({{
    id: 'carts',
    job: cron.schedule('0 4 * * *', () => pool.query('DELETE FROM b')),
  }});
}}
arm();
"""
    _other, carts = service_of({"package.json": PACKAGE, "src/index.js": source})
    assert doc.build(carts).purpose.value == purpose


def test_a_handler_that_says_so_and_hands_on_is_documented_where_the_work_is(service_of: ServiceOf) -> None:
    source = f"""{HEAD}class Logger {{ info(...words) {{ console.log(...words); }} }}
const logger = new Logger();
/** Frees the stock of carts that were left. */
async function close() {{
  await pool.query('DELETE FROM carts');
}}
cron.schedule('0 4 * * *', () => {{
  logger.info('closing carts');
  close();
}}, {{ name: 'carts' }});
"""
    (job,) = service_of({"package.json": PACKAGE, "src/index.js": source})
    assert doc.build(job).purpose.value == "doc"


CRONTAB = {"Dockerfile": 'FROM python:3.13\nCOPY . .\nCOPY times /etc/cron.d/shop\nCMD ["cron", "-f"]\n'}
LINE = "15 4 * * * root python collect.py\n"


@pytest.mark.parametrize(
    ("script", "purpose"),
    [
        ('"""Empties the carts that nobody paid."""\nimport os\nos.remove("carts")\n', "doc"),
        (
            'import os\ndef main():\n    """Empties the carts that nobody paid."""\n    os.remove("carts")\nmain()\n',
            "doc",
        ),
        # One of several functions is no summary of the script.
        (
            (
                'import os\ndef first():\n    """Opens the shop of the day."""\n    os.remove("a")\n'
                'def second():\n    os.remove("b")\nfirst()\nsecond()\n'
            ),
            "none",
        ),
        ('import os\nos.remove("carts")\n', "none"),
    ],
)
def test_a_script_is_documented_by_its_docstring(service_of: ServiceOf, script: str, purpose: str) -> None:
    (context,) = service_of({**CRONTAB, "times": LINE, "collect.py": script})
    assert doc.build(context).purpose.value == purpose
