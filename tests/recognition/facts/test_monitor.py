from __future__ import annotations

from collections.abc import Callable

from cronaudit.model.facts import MonitorFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import monitor

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = (
    '{"name": "shop", "dependencies": {"node-cron": "^3.0.0"}, "scripts": {"start": "node src/index.js"}}'
)


def facts(service_of: ServiceOf, source: str, more: dict[str, str] | None = None) -> MonitorFacts:
    jobs = service_of({"package.json": PACKAGE, "src/index.js": source, **(more or {})})
    assert len(jobs) == 1
    return monitor.build(jobs[0])


def words(found: MonitorFacts) -> tuple[object, ...]:
    return tuple(
        getattr(found, n).value for n in ("service", "start", "completion", "failure", "grace", "missed")
    )


def test_pings_by_url_and_region(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        const { Pool } = require('pg');
        const pool = new Pool();
        const PING = 'https://hc-ping.com/3f1e2b66-7f5f-4a0e-9d6b-0a3b0a5f8a11';
        async function close() {
          await fetch(`${PING}/start`);
          try {
            await pool.query('DELETE FROM carts WHERE expired');
            await fetch(PING);
          } catch (error) {
            await fetch(`${PING}/fail`, { method: 'POST', body: String(error) });
            throw error;
          }
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert words(found) == ("Healthchecks.io", "signal", "signal", "signal", "elsewhere", "ping")
    assert [
        str(found.start.locations[0]),
        str(found.completion.locations[0]),
        str(found.failure.locations[0]),
    ] == [
        "src/index.js:6",
        "src/index.js:9",
        "src/index.js:11",
    ]


def test_a_ping_in_finally_is_no_failure_signal(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        const { Pool } = require('pg');
        const pool = new Pool();
        async function close() {
          try {
            await pool.query('DELETE FROM carts WHERE expired');
          } finally {
            await fetch(process.env.HEARTBEAT_URL);
          }
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert words(found)[1:4] == ("none", "signal", "none")
    assert str(found.completion.locations[0]) == "src/index.js:8"


def test_a_success_ping_in_the_handler_of_the_error_tells_no_failure(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        const { Pool } = require('pg');
        const pool = new Pool();
        async function close() {
          try {
            await pool.query('DELETE FROM carts WHERE expired');
          } catch (error) {
            await fetch('https://hc-ping.com/3f1e2b66-7f5f-4a0e-9d6b-0a3b0a5f8a11');
          }
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert words(found)[1:4] == ("none", "none", "none")


def test_one_helper_called_three_times_gives_three_signals(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        const { Pool } = require('pg');
        const pool = new Pool();
        async function tell(suffix) {
          await fetch(`https://hc-ping.com/${process.env.PING_KEY}/close${suffix}`);
        }
        async function close() {
          await tell('/start');
          try {
            await pool.query('DELETE FROM carts WHERE expired');
            await tell('');
          } catch (error) {
            await tell('/fail');
          }
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert words(found)[:4] == ("Healthchecks.io", "signal", "signal", "signal")
    assert str(found.failure.locations[0]) == "src/index.js:13"
    assert found.failure.detail == "tell() to Healthchecks.io"


def test_a_request_to_another_service_is_no_signal(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        cron.schedule('0 4 * * *', async () => {
          await fetch('https://api.carrier.example/track', { method: 'POST' });
        }, { name: 'track' });
        """,
    )
    assert words(found) == (None, "none", "none", "none", "none", "none")
    assert found.service.detail == "No external monitoring"


def test_a_monitor_around_the_work_tells_all_and_knows_the_schedule(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        const Sentry = require('@sentry/node');
        const { Pool } = require('pg');
        const pool = new Pool();
        async function close() {
          await Sentry.withMonitor('close', async () => {
            await pool.query('DELETE FROM carts WHERE expired');
          }, { schedule: { type: 'crontab', value: '0 4 * * *' }, checkinMargin: 5 });
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert words(found) == ("Sentry Crons", "signal", "signal", "signal", "declared", "schedule")


def test_a_monitor_around_something_else_tells_nothing(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        const Sentry = require('@sentry/node');
        const { Pool } = require('pg');
        const pool = new Pool();
        async function close() {
          await Sentry.withMonitor('warm-up', async () => { console.log('warm'); });
          await pool.query('DELETE FROM carts WHERE expired');
        }
        cron.schedule('0 4 * * *', close, { name: 'close' });
        """,
    )
    assert words(found)[1:4] == ("none", "none", "none")


def test_only_what_is_registered_with_the_instrumented_scheduler_is_watched(service_of: ServiceOf) -> None:
    jobs = service_of(
        {
            "package.json": PACKAGE,
            "src/index.js": """
            const cron = require('node-cron');
            const Sentry = require('@sentry/node');
            const { Pool } = require('pg');
            const pool = new Pool();
            const watched = Sentry.cron.instrumentNodeCron(cron);
            watched.schedule('0 4 * * *', () => pool.query('DELETE FROM carts'), { name: 'carts' });
            cron.schedule('0 5 * * *', () => pool.query('DELETE FROM sessions'), { name: 'sessions' });
            """,
        }
    )
    found = {j.registration.name: monitor.build(j) for j in jobs}
    assert words(found["carts"]) == ("Sentry Crons", "signal", "signal", "signal", "elsewhere", "schedule")
    assert found["sessions"].service.value is None


def test_a_declared_check_needs_a_ping(service_of: ServiceOf) -> None:
    check = """
    # Checks at healthchecks.io
    checks:
      - slug: close
        schedule: "0 4 * * *"
        grace: 900
    """
    work = """
    const cron = require('node-cron');
    const { Pool } = require('pg');
    const pool = new Pool();
    cron.schedule('0 4 * * *', async () => {
      await pool.query('DELETE FROM carts');
    }, { name: 'close' });
    """
    silent = facts(service_of, work, {"deploy/checks.yaml": check})
    assert words(silent) == ("Healthchecks.io", "none", "none", "none", "declared", "none")


def test_an_alert_rule_on_the_last_success_counts_for_the_job_that_writes_it(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        const client = require('prom-client');
        const { Pool } = require('pg');
        const pool = new Pool();
        const last = new client.Gauge({ name: 'close_last_success_timestamp_seconds', help: 'x' });
        cron.schedule('0 4 * * *', async () => {
          await pool.query('DELETE FROM carts');
          last.setToCurrentTime();
        }, { name: 'close' });
        """,
        {
            "deploy/rules.yaml": """
            groups:
              - name: jobs
                rules:
                  - alert: OtherMissed
                    expr: time() - other_last_success_timestamp_seconds > 90000
                  - alert: CloseMissed
                    expr: time() - close_last_success_timestamp_seconds > 90000
            """
        },
    )
    assert (found.missed.value, found.missed.detail) == ("rule", "Alert rule CloseMissed")
    assert str(found.missed.locations[0]) == "deploy/rules.yaml:6"
    assert found.service.value == "Prometheus"


def test_a_stub_is_named(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        const { Pool } = require('pg');
        const pool = new Pool();
        async function alertFailure(error) {
          // TODO: send it
          console.error('failed', error);
        }
        cron.schedule('0 4 * * *', async () => {
          try {
            await pool.query('DELETE FROM carts');
          } catch (error) {
            await alertFailure(error);
          }
        }, { name: 'close' });
        """,
    )
    assert (found.failure.value, found.failure.detail) == ("stub", "alertFailure is a stub")
    assert (found.service.value, found.service.detail) == (None, "All internal stubs")
    assert str(found.service.locations[0]) == "src/index.js:4"


def test_an_address_that_is_not_resolved_leaves_the_signals_open(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
        const cron = require('node-cron');
        const { Pool } = require('pg');
        const options = require('./options-of-the-host');
        const pool = new Pool();
        cron.schedule('0 4 * * *', async () => {
          await pool.query('DELETE FROM carts');
          await fetch(options.read('x').pingUrl);
        }, { name: 'close' });
        """,
    )
    assert isinstance(found.completion.value, Unresolved)
    assert found.completion.value.reason == "the address pingUrl of a ping is not resolved"


PYTHON = """
import sentry_sdk
from sentry_sdk.crons import capture_checkin, monitor
from sentry_sdk.crons.consts import MonitorStatus
from apscheduler.schedulers.background import BackgroundScheduler
import psycopg2

connection = psycopg2.connect("dbname=shop")
scheduler = BackgroundScheduler()
"""


def python_facts(service_of: ServiceOf, source: str) -> MonitorFacts:
    jobs = service_of({"shop/jobs.py": PYTHON + source})
    assert len(jobs) == 1
    return monitor.build(jobs[0])


def test_a_decorated_handler(service_of: ServiceOf) -> None:
    found = python_facts(
        service_of,
        """
@monitor(monitor_slug="close", monitor_config={"checkin_margin": 5})
def close():
    connection.cursor().execute("DELETE FROM carts")


scheduler.add_job(close, "cron", hour=4, id="close")
scheduler.start()
""",
    )
    assert words(found) == ("Sentry Crons", "signal", "signal", "signal", "declared", "ping")


def test_a_block_around_the_work(service_of: ServiceOf) -> None:
    found = python_facts(
        service_of,
        """
def close():
    with monitor(monitor_slug="close"):
        connection.cursor().execute("DELETE FROM carts")


scheduler.add_job(close, "cron", hour=4, id="close")
scheduler.start()
""",
    )
    assert words(found) == ("Sentry Crons", "signal", "signal", "signal", "elsewhere", "ping")


def test_check_ins_by_status(service_of: ServiceOf) -> None:
    found = python_facts(
        service_of,
        """
def close():
    check = capture_checkin(monitor_slug="close", status=MonitorStatus.IN_PROGRESS)
    connection.cursor().execute("DELETE FROM carts")
    capture_checkin(monitor_slug="close", check_in_id=check, status=MonitorStatus.OK)


scheduler.add_job(close, "cron", hour=4, id="close")
scheduler.start()
""",
    )
    assert words(found) == ("Sentry Crons", "signal", "signal", "none", "elsewhere", "ping")


def test_an_integration_that_checks_every_task_in(service_of: ServiceOf) -> None:
    jobs = service_of(
        {
            "shop/__init__.py": "",
            "shop/celery.py": """
            import sentry_sdk
            from celery import Celery
            from celery.schedules import crontab
            from sentry_sdk.integrations.celery import CeleryIntegration

            sentry_sdk.init(integrations=[CeleryIntegration(monitor_beat_tasks=True)])
            app = Celery("shop")
            app.conf.beat_schedule = {"close": {"task": "shop.tasks.close", "schedule": crontab(hour=4)}}


            @app.task(name="shop.tasks.close")
            def close():
                print("closed")
            """,
        }
    )
    assert len(jobs) == 1
    assert words(monitor.build(jobs[0])) == (
        "Sentry Crons",
        "signal",
        "signal",
        "signal",
        "elsewhere",
        "schedule",
    )
