# ruff: noqa: S608 - the statements are those of the audited services

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import AlertFacts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import alert

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = (
    '{"name": "shop", "dependencies": {"node-cron": "^3.0.0"}, "scripts": {"start": "node src/index.js"}}'
)
HEAD = """
const cron = require('node-cron');
const Sentry = require('@sentry/node');
const { Pool } = require('pg');
const pool = new Pool();
"""


def facts(service_of: ServiceOf, source: str, more: dict[str, str] | None = None) -> AlertFacts:
    jobs = service_of({"package.json": PACKAGE, "src/index.js": HEAD + source, **(more or {})})
    assert len(jobs) == 1
    return alert.build(jobs[0])


def test_a_capture_around_the_work_is_explicit(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        async function close() {
          try {
            await pool.query('DELETE FROM carts');
          } catch (error) {
            Sentry.captureException(error);
          }
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert (found.failure.value, found.failure.detail) == ("explicit", "Sentry.captureException")
    assert found.handler.value == "explicit"


def test_a_capture_around_a_part_is_not(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        async function close() {
          try {
            await pool.query('UPDATE flags SET seen = true');
          } catch (error) {
            Sentry.captureException(error);
          }
          await pool.query('DELETE FROM carts');
          await pool.query('DELETE FROM sessions');
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert found.handler.value == "global"
    assert found.handler.detail == "Sentry.captureException, for a part of the work only"


@pytest.mark.parametrize(
    ("handled", "expected"),
    [("throw error;", "global"), ("console.error(error);", "none")],
)
def test_a_global_hook_sees_only_what_gets_out(service_of: ServiceOf, handled: str, expected: str) -> None:
    found = facts(
        service_of,
        f"""
        Sentry.init({{ dsn: process.env.SENTRY_DSN }});
        async function close() {{
          try {{
            await pool.query('DELETE FROM carts');
          }} catch (error) {{
            {handled}
          }}
        }}
        cron.schedule('0 4 * * *', close, {{ name: 'close' }});
        """,
    )
    assert found.failure.value == expected


def test_a_chat_webhook_in_the_handler_is_an_alert(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        async function close() {
          try {
            await pool.query('DELETE FROM carts');
          } catch (error) {
            await fetch(process.env.SLACK_WEBHOOK_URL, { method: 'POST', body: error.message });
          }
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert (found.failure.value, found.failure.detail) == ("explicit", "Alert to Slack")


def test_messages_that_are_the_business_of_the_job_are_no_alerts(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        async function remind() {
          await fetch('https://hooks.slack.com/services/T0/B0/x', { method: 'POST', body: 'stand-up' });
        }
        cron.schedule('0 9 * * 1-5', remind, { name: 'remind' });
        """,
    )
    assert found.failure.value == "none"


def test_the_failure_handler_of_the_queue_counts(service_of: ServiceOf) -> None:
    jobs = service_of(
        {
            "package.json": PACKAGE,
            "src/index.js": """
            const { Queue, Worker } = require('bullmq');
            const Sentry = require('@sentry/node');
            const { Pool } = require('pg');
            const pool = new Pool();
            const queue = new Queue('carts');
            queue.upsertJobScheduler('close', { pattern: '0 4 * * *' }, { name: 'close' });
            const worker = new Worker('carts', async () => { await pool.query('DELETE FROM carts'); });
            worker.on('failed', (job, error) => { Sentry.captureException(error); });
            """,
        }
    )
    found = alert.build(jobs[0])
    assert (found.failure.value, found.failure.detail) == (
        "explicit",
        "Sentry.captureException in the failure handler",
    )


def test_the_failure_handler_of_another_queue_does_not(service_of: ServiceOf) -> None:
    jobs = service_of(
        {
            "package.json": PACKAGE,
            "src/index.js": """
            const { Queue, Worker } = require('bullmq');
            const Sentry = require('@sentry/node');
            const { Pool } = require('pg');
            const pool = new Pool();
            const queue = new Queue('carts');
            queue.upsertJobScheduler('close', { pattern: '0 4 * * *' }, { name: 'close' });
            const worker = new Worker('carts', async () => { await pool.query('DELETE FROM carts'); });
            const mails = new Worker('mails', async () => { await pool.query('DELETE FROM mails'); });
            mails.on('failed', (job, error) => { Sentry.captureException(error); });
            """,
        }
    )
    assert alert.build(jobs[0]).failure.value == "none"


def test_a_stub_on_the_error_path(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        function notifyOnCall(error) {}
        async function close() {
          try {
            await pool.query('DELETE FROM carts');
          } catch (error) {
            notifyOnCall(error);
          }
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert (found.failure.value, found.failure.detail) == ("stub", "notifyOnCall is a stub")


@pytest.mark.parametrize(
    ("test", "then", "expected"),
    [
        ("Date.now() - startedAt > 60000", "Sentry.captureMessage('slow');", "alert"),
        ("Date.now() - startedAt > 60000", "console.warn('slow');", "warning"),
        ("durationMs > limit", "console.warn('slow');", "warning"),
        ("Date.now() - lastSeen > 60000", "console.warn('gone');", "none"),
        ("Date.now() - startedAt > 60000", "console.log('done');", "none"),
        ("rows > limit", "console.warn('many');", "none"),
    ],
)
def test_slow_runs(service_of: ServiceOf, test: str, then: str, expected: str) -> None:
    found = facts(
        service_of,
        f"""
        async function close() {{
          const startedAt = Date.now();
          const rows = await pool.query('DELETE FROM carts');
          const durationMs = Date.now() - startedAt;
          if ({test}) {{
            {then}
          }}
        }}
        cron.schedule('0 4 * * *', close, {{ name: 'close' }});
        """,
    )
    assert found.slow.value == expected


def test_alert_rules_over_the_metrics_of_the_job(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const client = require('prom-client');
        const failures = new client.Counter({ name: 'close_failures_total', help: 'x' });
        const took = new client.Histogram({ name: 'close_duration_seconds', help: 'x' });
        async function close() {
          const stop = took.startTimer();
          try {
            await pool.query('DELETE FROM carts');
          } catch (error) {
            failures.inc();
          }
          stop();
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
        {
            "deploy/rules.yaml": """
            groups:
              - name: jobs
                rules:
                  - alert: CloseFailed
                    expr: increase(close_failures_total[1h]) > 0
                  - alert: CloseSlow
                    expr: rate(close_duration_seconds_sum[1h]) / rate(close_duration_seconds_count[1h]) > 60
            """
        },
    )
    assert (found.failure.value, found.failure.detail) == ("rule", "Alert rule CloseFailed")
    assert (found.slow.value, str(found.slow.locations[0])) == ("rule", "deploy/rules.yaml:6")
    assert found.handler.value == "none"


def test_a_capture_for_each_item_counts_where_it_guards_most_of_the_work(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        async function close() {
          const { rows } = await pool.query('SELECT id FROM carts LIMIT 100');
          for (const row of rows) {
            try {
              await pool.query('UPDATE carts SET open = false WHERE id = $1', [row.id]);
              await pool.query('UPDATE stocks SET held = held - 1 WHERE cart = $1', [row.id]);
            } catch (error) {
              Sentry.captureException(error);
            }
          }
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert found.handler.value == "explicit"


def test_the_handler_of_what_nobody_catches(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        process.on('unhandledRejection', (error) => { Sentry.captureException(error); });
        cron.schedule('0 4 * * *', async () => { await pool.query('DELETE FROM carts'); }, { name: 'close' });
        """,
    )
    assert (found.handler.value, found.handler.detail) == ("global", "The handler of uncaught errors alerts")
