# ruff: noqa: S608 - the statements are those of the audited services

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import HistoryFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import history

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = (
    '{"name": "shop", "dependencies": {"node-cron": "^3.0.0"}, "scripts": {"start": "node src/index.js"}}'
)
HEAD = """
const cron = require('node-cron');
const client = require('prom-client');
const express = require('express');
const { Pool } = require('pg');
const pool = new Pool();
"""
METRICS = """
const took = new client.Histogram({ name: 'job_duration_seconds', help: 'x', labelNames: ['job'] });
const good = new client.Counter({ name: 'job_successes_total', help: 'x' });
const bad = new client.Counter({ name: 'job_failures_total', help: 'x' });
async function close() {
  const stop = took.startTimer({ job: 'close' });
  try {
    await pool.query('DELETE FROM carts');
    good.inc();
  } catch (error) {
    bad.inc();
  } finally {
    stop();
  }
}
cron.schedule('0 4 * * *', close, { name: 'close' });
"""
SERVED = """
const app = express();
app.get('/metrics', async (_req, res) => { res.end(await client.register.metrics()); });
app.listen(3000);
"""


def facts(service_of: ServiceOf, source: str) -> HistoryFacts:
    jobs = service_of({"package.json": PACKAGE, "src/index.js": HEAD + source})
    assert len(jobs) == 1
    return history.build(jobs[0])


def test_metrics_that_are_served(service_of: ServiceOf) -> None:
    found = facts(service_of, METRICS + SERVED)
    assert (found.duration.value, found.outcomes.value) == ("exported", "both")
    assert found.duration.detail == "Histogram job_duration_seconds, exported"


def test_metrics_that_nobody_can_read(service_of: ServiceOf) -> None:
    found = facts(service_of, METRICS)
    assert (found.duration.value, found.outcomes.value) == ("weak", "weak")


def test_metrics_of_one_process_served_by_another(service_of: ServiceOf) -> None:
    jobs = service_of(
        {
            "package.json": (
                '{"name": "shop", "scripts": {"start:api": "node src/api.js", "start:worker": "node src/worker.js"}}'
            ),
            "src/worker.js": HEAD + METRICS,
            "src/api.js": HEAD + SERVED,
        }
    )
    assert history.build(jobs[0]).duration.value == "weak"


def test_a_counter_of_items_is_no_counter_of_runs(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const sent = new client.Counter({ name: 'mails_sent_total', help: 'x' });
        async function mail() {
          const { rows } = await pool.query('SELECT * FROM mails LIMIT 10');
          for (const row of rows) {
            await pool.query('UPDATE mails SET sent = true WHERE id = $1', [row.id]);
            sent.inc();
          }
        }
        cron.schedule('0 4 * * *', mail, { name: 'mail' });
        """
        + SERVED,
    )
    assert found.outcomes.value == "none"


def test_one_counter_with_the_outcome_as_its_label(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const runs = new client.Counter({ name: 'job_runs_total', help: 'x', labelNames: ['outcome'] });
        async function close() {
          try {
            await pool.query('DELETE FROM carts');
            runs.inc({ outcome: 'success' });
          } catch (error) {
            runs.inc({ outcome: 'failure' });
          }
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """
        + SERVED,
    )
    assert found.outcomes.value == "both"


def test_stub_metrics_and_a_hardcoded_rate(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        function recordDuration(name, ms) { console.debug(name, ms); }
        function recordOutcome(name, outcome) {}
        function failureRate() { return 0; }
        async function close() {
          const startedAt = Date.now();
          await pool.query('DELETE FROM carts');
          recordOutcome('close', 'success');
          recordDuration('close', Date.now() - startedAt);
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert (found.duration.value, found.duration.detail) == ("stub", "recordDuration is a stub")
    assert (found.outcomes.value, found.outcomes.detail) == ("hardcoded", "failureRate returns hardcoded 0")


def test_duration_in_the_log_only(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        async function close() {
          const startedAt = Date.now();
          await pool.query('DELETE FROM carts');
          console.log('done', { durationMs: Date.now() - startedAt });
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert found.duration.value == "log"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO job_runs (name, started_at, status) VALUES ($1, now(), 'done')", "stored"),
        ("INSERT INTO audit (job, finished_at) VALUES ('close', now())", "stored"),
        ("INSERT INTO order_events (order_id, type) VALUES ($1, 'closed')", "none"),
        ("UPDATE jobs SET last_run_at = now() WHERE name = 'close'", "last"),
        ("UPDATE carts SET closed_at = now()", "none"),
    ],
)
def test_rows_of_runs(service_of: ServiceOf, statement: str, expected: str) -> None:
    found = facts(
        service_of,
        f"""
        async function close() {{
          await pool.query('DELETE FROM carts');
          await pool.query({statement!r}, ['close']);
        }}
        cron.schedule('0 4 * * *', close, {{ name: 'close' }});
        """.replace('"', "`"),
    )
    assert found.runs.value == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", "stored"),
        (", opts: { removeOnComplete: true }", "none"),
        (", opts: { removeOnComplete: { count: 100 } }", "stored"),
        (", opts: { removeOnComplete: 1 }", "last"),
    ],
)
def test_the_history_that_a_queue_keeps(service_of: ServiceOf, options: str, expected: str) -> None:
    jobs = service_of(
        {
            "package.json": PACKAGE,
            "src/index.js": f"""
            const {{ Queue, Worker }} = require('bullmq');
            const {{ Pool }} = require('pg');
            const pool = new Pool();
            const queue = new Queue('carts');
            queue.upsertJobScheduler('close', {{ pattern: '0 4 * * *' }}, {{ name: 'close'{options} }});
            const worker = new Worker('carts', async () => {{ await pool.query('DELETE FROM carts'); }});
            """,
        }
    )
    assert history.build(jobs[0]).runs.value == expected


# ---- how long the results of a queue live -----------------------------------------------------------------------

RQ_HEAD = """
from datetime import timedelta
from rq import cron
from rq_scheduler import Scheduler
from shop.tasks import sweep

scheduler = Scheduler()
"""
RQ_TASKS = "def sweep():\n    open('/tmp/carts', 'w').close()\n"


@pytest.mark.parametrize(
    ("armed", "runs", "detail"),
    [
        (
            "cron.register(sweep, 'low', cron='0 * * * *')",
            "none",
            "Results are kept 8min 20s, the next run comes after 1h",
        ),
        (
            "cron.register(sweep, 'low', interval=60)",
            "stored",
            "Results are kept 8min 20s, longer than the time between two runs",
        ),
        (
            "cron.register(sweep, 'low', interval=3600, result_ttl=-1)",
            "stored",
            "Results are kept without end",
        ),
        ("cron.register(sweep, 'low', interval=60, result_ttl=0)", "none", "The result of a run is not kept"),
        ("scheduler.cron('0 4 * * *', func=sweep)", "stored", "The scheduler keeps past runs"),
        (
            "scheduler.schedule(None, sweep, interval=600, result_ttl=600)",
            "none",
            "Results are kept 10min, the next run comes after 10min",
        ),
        (
            "scheduler.schedule(None, sweep, interval=600, result_ttl=1200)",
            "stored",
            "Results are kept 20min, longer than the time between two runs",
        ),
    ],
)
def test_results_that_expire_before_the_next_run_are_no_history(
    service_of: ServiceOf, armed: str, runs: str, detail: str
) -> None:
    (job,) = service_of(
        {
            "requirements.txt": "rq\nrq-scheduler\n",
            "shop/__init__.py": "",
            "shop/tasks.py": RQ_TASKS,
            "arm.py": RQ_HEAD + armed + "\n",
        }
    )
    found = history.build(job).runs
    assert (found.value, found.detail) == (runs, detail)


def test_a_result_time_that_nobody_knows_is_not_decided(service_of: ServiceOf) -> None:
    (job,) = service_of(
        {
            "requirements.txt": "rq\nrq-scheduler\n",
            "shop/__init__.py": "",
            "shop/tasks.py": RQ_TASKS,
            "arm.py": "import os\n"
            + RQ_HEAD
            + "cron.register(sweep, 'low', interval=60, result_ttl=int(os.environ['KEEP']))\n",
        }
    )
    found = history.build(job).runs.value
    assert isinstance(found, Unresolved)
    assert "how long results are kept: KEEP comes from the environment" in found.reason


@pytest.mark.parametrize(("more", "runs"), [("", "none"), (", keep_result=7200", "stored")])
def test_cron_jobs_of_arq_keep_no_result_unless_they_are_told_to(
    service_of: ServiceOf, more: str, runs: str
) -> None:
    (job,) = service_of(
        {
            "requirements.txt": "arq\n",
            "worker.py": f"""
                from arq import cron

                async def sweep(ctx):
                    open('/tmp/carts', 'w').close()

                class WorkerSettings:
                    cron_jobs = [cron(sweep, minute=5{more})]
                """,
        }
    )
    assert history.build(job).runs.value == runs
