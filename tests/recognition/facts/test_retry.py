"""Trying again: by the queue, by a library, by a loop of the project's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import RetryFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import retry

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = """
{"name": "shop", "scripts": {"start": "node src/index.js"}, "dependencies": {"node-cron": "^3.0.0", "bullmq": "^5.0.0"}}
"""
HEAD = """\
const cron = require('node-cron');
const { Pool } = require('pg');
const { Queue, Worker } = require('bullmq');
const { setTimeout: sleep } = require('node:timers/promises');
const pool = new Pool();
const log = require('pino')();
const connection = { host: 'redis' };
async function settle() { await pool.query('DELETE FROM carts WHERE expired'); }
"""


def facts(service_of: ServiceOf, source: str) -> RetryFacts:
    found = service_of({"package.json": PACKAGE, "src/index.js": HEAD + source})
    assert len(found) == 1
    return retry.build(found[0])


def words(found: RetryFacts) -> tuple[object, ...]:
    return tuple(getattr(found, n).value for n in ("scope", "attempts", "count", "delay", "predicate"))


NONE = ("none", "none", None, "none", "none")


def test_nothing(service_of: ServiceOf) -> None:
    assert words(facts(service_of, "cron.schedule('0 * * * *', settle, { name: 'settle' });\n")) == NONE


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        (
            """
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    try { return await settle(); } catch (err) {
      if (attempt === 3) throw err;
      await sleep(1000 * 2 ** attempt);
    }
  }""",
            ("run", "bounded", 3.0, "growing", "none"),
        ),
        (
            """
  let attempt = 0;
  while (true) {
    try { await settle(); break; } catch (err) {
      attempt += 1;
      if (attempt >= 5) throw err;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }""",
            ("run", "bounded", 5.0, "fixed", "none"),
        ),
        (
            """
  let retries = 4;
  let done = false;
  while (retries > 0 && !done) {
    try { await settle(); done = true; } catch (err) { retries -= 1; }
  }""",
            ("run", "bounded", 4.0, "none", "none"),
        ),
        (
            """
  for (;;) {
    try { return await settle(); } catch (err) { await sleep(5000); }
  }""",
            ("run", "unbounded", None, "fixed", "none"),
        ),
        (
            """
  for (let i = 0; i < 2; i++) {
    try { return await settle(); } catch (err) { await sleep(500 * (i + 1)); }
  }""",
            ("run", "bounded", 2.0, "fixed", "none"),
        ),
        (
            """
  for (let attempt = 0; attempt < 3; attempt++) {
    try { return await settle(); } catch (err) {
      if (err.code === 'EACCES') throw err;
      await sleep(100);
    }
  }""",
            ("run", "bounded", 3.0, "fixed", "used"),
        ),
        (
            """
  for (let attempt = 0; attempt < 1; attempt++) {
    try { return await settle(); } catch (err) { log.error({ err }, 'failed'); }
  }""",
            NONE,
        ),
    ],
)
def test_own_loops(service_of: ServiceOf, loop: str, expected: tuple[object, ...]) -> None:
    source = f"cron.schedule('0 * * * *', async () => {{{loop}\n}}, {{ name: 'settle' }});\n"
    assert words(facts(service_of, source)) == expected


def test_a_loop_over_items_that_survives_errors_is_no_retry(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  for (const id of [1, 2, 3]) {
    try { await pool.query('UPDATE orders SET done = true WHERE id = $1', [id]); }
    catch (err) { log.error({ err }, 'failed'); }
  }
}, { name: 'settle' });
""",
    )
    assert words(found) == NONE


@pytest.mark.parametrize(
    ("step", "attempts"),
    [
        # Each round asks for another page; how many there are is learnt on the way.
        ("const page = await fetchPage(number); if (number === 1) last = page.pages;", None),
        ("await fetchPage(1); last = 0;", None),
        ("await fetchPage(1); break;", 3.0),
    ],
)
def test_a_loop_over_pages_that_survives_errors_is_no_retry(
    service_of: ServiceOf, step: str, attempts: float | None
) -> None:
    source = """
const fetchPage = (page) => pool.query('UPDATE pages SET seen = true WHERE number = $1', [page]);
cron.schedule('0 * * * *', async () => {
  let last = 3;
  for (let number = 0; number < last; number++) {
    try { STEP }
    catch (err) { log.error({ err }, 'failed'); }
  }
}, { name: 'crawl' });
"""
    found = facts(service_of, source.replace("STEP", step))
    assert found.count.value == attempts


@pytest.mark.parametrize(
    ("before", "scope"), [("await pool.query('SELECT id FROM carts');", "part"), ("", "run")]
)
def test_a_retry_of_the_last_step_is_a_part(service_of: ServiceOf, before: str, scope: str) -> None:
    """A query that fails before the retried call fails the run."""
    source = f"""
cron.schedule('0 * * * *', async () => {{
  {before}
  for (let attempt = 1; attempt <= 3; attempt += 1) {{
    try {{ return await settle(); }} catch (err) {{
      if (attempt === 3) throw err;
      await sleep(1000 * 2 ** attempt);
    }}
  }}
}}, {{ name: 'settle' }});
"""
    assert words(facts(service_of, source)) == (scope, "bounded", 3.0, "growing", "none")


def test_one_request_tried_again_is_a_part(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
async function notify() {
  for (let attempt = 0; attempt < 3; attempt++) {
    try { return await fetch('https://shop.example/done', { method: 'POST' }); } catch (err) { await sleep(1000); }
  }
}
cron.schedule('0 * * * *', async () => { await settle(); await notify(); }, { name: 'settle' });
""",
    )
    assert words(found) == ("part", "bounded", 3.0, "fixed", "none")


def test_attempts_from_the_environment(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const MAX = Number(process.env.MAX_ATTEMPTS);
cron.schedule('0 * * * *', async () => {
  for (let attempt = 0; attempt < MAX; attempt++) {
    try { return await settle(); } catch (err) { await sleep(1000); }
  }
}, { name: 'settle' });
""",
    )
    assert isinstance(found.count.value, Unresolved)
    assert "MAX_ATTEMPTS" in found.count.value.reason


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            "{ attempts: 3, backoff: { type: 'exponential', delay: 1000 } }",
            ("run", "bounded", 3.0, "growing", "none"),
        ),
        (
            "{ attempts: 2, backoff: { type: 'exponential', delay: 1000 } }",
            ("run", "bounded", 2.0, "fixed", "none"),
        ),
        (
            "{ attempts: 3, backoff: { type: 'fixed', delay: 1000 } }",
            ("run", "bounded", 3.0, "fixed", "none"),
        ),
        ("{ attempts: 3, backoff: 5000 }", ("run", "bounded", 3.0, "fixed", "none")),
        ("{ attempts: 3 }", ("run", "bounded", 3.0, "none", "none")),
        ("{ attempts: 1 }", NONE),
        ("{}", NONE),
    ],
)
def test_options_of_the_queue(service_of: ServiceOf, options: str, expected: tuple[object, ...]) -> None:
    found = facts(
        service_of,
        f"""
const queue = new Queue('jobs', {{ connection }});
queue.upsertJobScheduler('settle', {{ pattern: '0 * * * *' }}, {{ name: 'settle', opts: {options} }});
new Worker('jobs', async () => {{ await settle(); }}, {{ connection }});
""",
    )
    assert words(found) == expected


def test_an_error_for_the_queue_that_ends_the_attempts(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const { UnrecoverableError } = require('bullmq');
const queue = new Queue('jobs', { connection, defaultJobOptions: { attempts: 4, backoff: { type: 'exponential' } } });
queue.upsertJobScheduler('settle', { pattern: '0 * * * *' }, { name: 'settle' });
new Worker('jobs', async () => {
  try { await settle(); } catch (err) {
    if (err.code === '23503') throw new UnrecoverableError(err.message);
    throw err;
  }
}, { connection });
""",
    )
    assert words(found) == ("run", "bounded", 4.0, "growing", "used")


CELERY = """
from celery import Celery
from celery.schedules import crontab

app = Celery('shop', broker='redis://redis:6379')
app.conf.beat_schedule = {
    'settle': {'task': 'shop.tasks.settle', 'schedule': crontab(minute=0)},
}
"""


@pytest.mark.parametrize(
    ("decorator", "body", "expected"),
    [
        ("", "charge()", NONE),
        ("max_retries=5", "charge()", NONE),
        ("autoretry_for=(IOError,)", "charge()", ("run", "default", None, "fixed", "used")),
        (
            "autoretry_for=(IOError,), max_retries=4, retry_backoff=True",
            "charge()",
            ("run", "bounded", 5.0, "growing", "used"),
        ),
        (  # a number is the first delay, and grows as well
            "autoretry_for=(IOError,), max_retries=4, retry_backoff=60",
            "charge()",
            ("run", "bounded", 5.0, "growing", "used"),
        ),
        (
            "autoretry_for=(IOError,), max_retries=4, retry_backoff=0",
            "charge()",
            ("run", "bounded", 5.0, "fixed", "used"),
        ),
        (
            "bind=True, max_retries=2",
            (
                "\n    try:\n        charge()\n"
                "    except IOError as error:\n        raise self.retry(exc=error, countdown=30)"
            ),
            ("run", "bounded", 3.0, "fixed", "used"),
        ),
    ],
)
def test_celery_tasks(service_of: ServiceOf, decorator: str, body: str, expected: tuple[object, ...]) -> None:
    name = "'shop.tasks.settle'"
    args = f"name={name}" + (f", {decorator}" if decorator else "")
    signature = "self" if "bind" in decorator else ""
    source = f"""
from shop.celery import app
import requests

def charge():
    requests.post('https://bank.example/settle', timeout=10)

@app.task({args})
def settle({signature}):
    {body.strip(chr(10)).lstrip()}
"""
    found = service_of({"shop/__init__.py": "", "shop/celery.py": CELERY, "shop/tasks.py": source})
    assert len(found) == 1
    assert words(retry.build(found[0])) == expected


def test_python_loop(service_of: ServiceOf) -> None:
    source = """
import time
import requests
import schedule

MAX_ATTEMPTS = 4

def settle():
    for attempt in range(MAX_ATTEMPTS):
        try:
            requests.post('https://bank.example/settle', timeout=10)
            return
        except requests.ConnectionError:
            time.sleep(2 ** attempt)
    raise RuntimeError('settle failed')

schedule.every().hour.do(settle)
while True:
    schedule.run_pending()
    time.sleep(1)
"""
    found = [
        j
        for j in service_of({"requirements.txt": "schedule\n", "main.py": source})
        if j.registration.kind == "python-schedule"
    ]
    assert len(found) == 1
    assert words(retry.build(found[0])) == ("run", "bounded", 4.0, "growing", "used")
