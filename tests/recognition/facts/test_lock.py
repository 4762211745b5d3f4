"""Locks in the shapes in which people write them, good and bad side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cronaudit.model.facts import Fact, LockFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import lock

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = """
{"name": "shop", "scripts": {"start": "node src/index.js"},
 "dependencies": {"node-cron": "^3.0.0", "ioredis": "^5.0.0", "pg": "^8.0.0", "redlock": "^5.0.0"}}
"""
HEAD = """\
const cron = require('node-cron');
const Redis = require('ioredis');
const Redlock = require('redlock').default;
const { Pool } = require('pg');
const redis = new Redis('redis://redis:6379');
const pool = new Pool();
const log = require('pino')();
async function settle() { await pool.query('DELETE FROM carts WHERE expired'); }
"""
FIRST = HEAD.count("\n") + 1


def jobs(service_of: ServiceOf, source: str, more: dict[str, str] | None = None) -> list[JobContext]:
    return service_of({"package.json": PACKAGE, "src/index.js": HEAD + source, **(more or {})})


def facts(service_of: ServiceOf, source: str, more: dict[str, str] | None = None) -> LockFacts:
    found = jobs(service_of, source, more)
    assert len(found) == 1
    return lock.build(found[0])


def words(found: LockFacts) -> tuple[object, ...]:
    names = (
        "kind",
        "coverage",
        "fail_open",
        "release",
        "acquire_failure",
        "release_failure",
        "store_failure",
    )
    return tuple(getattr(found, n).value for n in names)


def line(fact: Fact[Any]) -> int:
    return fact.locations[0].line - FIRST + 1


def test_no_lock(service_of: ServiceOf) -> None:
    found = facts(service_of, "cron.schedule('0 * * * *', settle, { name: 'settle' });\n")
    assert found.kind.value == "none"
    assert found.kind.detail == "No lock"
    assert line(found.kind) == 1


def test_set_nx_with_finally(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  const taken = await redis.set('job:settle', '1', 'PX', 60000, 'NX');
  if (!taken) {
    log.info('held elsewhere');
    return;
  }
  try {
    await settle();
  } finally {
    await redis.del('job:settle').catch((err) => log.error({ err }, 'release failed'));
  }
}, { name: 'settle' });
""",
    )
    assert words(found) == ("lease", "all", False, "finally", "handled", "logged", "unhandled")
    assert (found.key.value, found.key_distinct.value) == ("job:settle", True)
    assert (found.ttl_seconds.value, found.ttl_unit.value, found.renewal.value) == (60.0, "ms", "none")
    assert found.kind.detail == "Redis SET NX lock"
    assert [line(found.kind), line(found.release), line(found.release_failure)] == [3, 10, 11]


def test_result_ignored(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  await redis.set('job:settle', '1', 'EX', 60, 'NX');
  await settle();
}, { name: 'settle' });
""",
    )
    assert words(found)[:5] == ("lease", "some", False, "expires", "ignored")
    assert found.ttl_seconds.value == 60.0


def test_released_on_success_only(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  if ((await redis.set('job:settle', '1', 'EX', 60, 'NX')) !== 'OK') return;
  await settle();
  await redis.del('job:settle');
}, { name: 'settle' });
""",
    )
    assert found.coverage.value == "all"
    assert found.release.value == "success"
    assert found.release_failure.value == "unhandled"


def test_released_on_success_and_in_the_handler(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  if ((await redis.set('job:settle', '1', 'EX', 60, 'NX')) !== 'OK') return;
  try {
    await settle();
  } catch (err) {
    if (err.code === 'RETRY') {
      await redis.del('job:settle');
    }
    throw err;
  }
  await redis.del('job:settle');
}, { name: 'settle' });
""",
    )
    assert found.release.value == "some-errors"


def test_fail_open(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
async function acquire() {
  try {
    return (await redis.set('job:settle', '1', 'EX', 60, 'NX')) === 'OK';
  } catch (err) {
    log.error({ err }, 'redis is down');
    return true;
  }
}
cron.schedule('0 * * * *', async () => {
  if (!(await acquire())) return;
  await settle();
}, { name: 'settle' });
""",
    )
    assert words(found)[:3] == ("lease", "all", True)
    assert found.store_failure.value == "caught"


def test_closed_when_the_store_is_down(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
async function acquire() {
  try {
    return (await redis.set('job:settle', '1', 'EX', 60, 'NX')) === 'OK';
  } catch (err) {
    log.error({ err }, 'redis is down');
    return false;
  }
}
cron.schedule('0 * * * *', async () => {
  if (!(await acquire())) return;
  await settle();
}, { name: 'settle' });
""",
    )
    assert words(found)[:5] == ("lease", "all", False, "expires", "handled")


def test_a_path_around_the_lock(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  if (process.env.USE_LOCK) {
    if (!(await redis.set('job:settle', '1', 'EX', 60, 'NX'))) return;
    await settle();
  } else {
    await settle();
  }
}, { name: 'settle' });
""",
    )
    assert found.coverage.value == "some"


def test_a_lock_of_something_else_is_none(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
async function warm() {
  if (!(await redis.set('cache:warm', '1', 'EX', 60, 'NX'))) return;
  log.info('warm');
}
cron.schedule('0 * * * *', async () => {
  await warm();
  await settle();
}, { name: 'settle' });
""",
    )
    assert found.kind.value == "none"


def test_redlock_using_on_three_nodes(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const redlock = new Redlock([new Redis(1), new Redis(2), new Redis(3)]);
cron.schedule('0 * * * *', async () => {
  try {
    await redlock.using(['job:settle'], 60000, async () => { await settle(); });
  } catch (err) {
    log.error({ err }, 'settle failed');
  }
}, { name: 'settle' });
""",
    )
    assert words(found) == ("lease", "all", False, "finally", "handled", "logged", "caught")
    assert (found.renewal.value, found.store.value, found.ttl_seconds.value) == (
        "renewed",
        "replicated",
        60.0,
    )


def test_redlock_on_one_node_released_in_finally(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const redlock = new Redlock([redis]);
cron.schedule('0 * * * *', async () => {
  const lock = await redlock.acquire(['job:settle'], 60000);
  try {
    await settle();
  } finally {
    await lock.release();
  }
}, { name: 'settle' });
""",
    )
    assert words(found)[:5] == ("lease", "all", False, "finally", "handled")
    assert (found.renewal.value, found.store.value) == ("none", "single")


def test_acquire_error_swallowed(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const redlock = new Redlock([redis]);
cron.schedule('0 * * * *', async () => {
  let lock;
  try {
    lock = await redlock.acquire(['job:settle'], 60000);
  } catch (err) {
    return;
  }
  try {
    await settle();
  } finally {
    await lock.release().catch(() => {});
  }
}, { name: 'settle' });
""",
    )
    assert found.acquire_failure.value == "swallowed"
    assert found.release_failure.value == "swallowed"
    assert found.coverage.value == "all"


def test_extended_on_a_timer(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const redlock = new Redlock([redis]);
cron.schedule('0 * * * *', async () => {
  const lock = await redlock.acquire(['job:settle'], 60000);
  const timer = setInterval(() => lock.extend(60000), 20000);
  try {
    await settle();
  } finally {
    clearInterval(timer);
    await lock.release();
  }
}, { name: 'settle' });
""",
    )
    assert found.renewal.value == "renewed"
    assert line(found.renewal) == 5


def test_expire_behind_setnx_is_a_ttl_and_no_renewal(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  const taken = await redis.setnx('job:settle', '1');
  if (taken === 0) return;
  await redis.expire('job:settle', 90);
  await settle();
}, { name: 'settle' });
""",
    )
    assert (found.ttl_seconds.value, found.renewal.value) == (90.0, "none")
    assert found.acquire_failure.value == "handled"


def test_advisory_lock_of_a_session(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  const client = await pool.connect();
  try {
    const { rows } = await client.query('SELECT pg_try_advisory_lock(4711) AS locked');
    if (!rows[0].locked) return;
    try {
      await settle();
    } finally {
      await client.query('SELECT pg_advisory_unlock(4711)');
    }
  } finally {
    client.release();
  }
}, { name: 'settle' });
""",
    )
    assert words(found)[:5] == ("session", "all", False, "finally", "handled")
    assert found.renewal.value == "bound"
    assert isinstance(found.store.value, Unresolved)


def test_advisory_lock_whose_answer_nobody_reads(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  const client = await pool.connect();
  await client.query('SELECT pg_try_advisory_lock(4711)');
  await settle();
}, { name: 'settle' });
""",
    )
    assert (found.kind.value, found.acquire_failure.value, found.coverage.value) == (
        "session",
        "ignored",
        "some",
    )


def test_shared_key(service_of: ServiceOf) -> None:
    found = jobs(
        service_of,
        """
async function purge() { await pool.query('DELETE FROM mails WHERE old'); }
async function guarded(work) {
  if (!(await redis.set('cron', '1', 'EX', 60, 'NX'))) return;
  await work();
}
cron.schedule('0 * * * *', () => guarded(settle), { name: 'settle' });
cron.schedule('5 * * * *', () => guarded(purge), { name: 'purge' });
""",
    )
    built = [lock.build(job) for job in found]
    assert [b.key_distinct.value for b in built] == [False, False]
    assert built[0].key_distinct.detail == "cron is also the key of purge"


def test_key_with_the_name_of_the_job(service_of: ServiceOf) -> None:
    found = jobs(
        service_of,
        """
async function purge() { await pool.query('DELETE FROM mails WHERE old'); }
async function guarded(name, work) {
  if (!(await redis.set(`job:${name}`, '1', 'EX', 60, 'NX'))) return;
  await work();
}
cron.schedule('0 * * * *', () => guarded('settle', settle), { name: 'settle' });
cron.schedule('5 * * * *', () => guarded('purge', purge), { name: 'purge' });
""",
    )
    built = [lock.build(job) for job in found]
    assert [(b.key.value, b.key_distinct.value, b.coverage.value) for b in built] == [
        ("job:settle", True, "all"),
        ("job:purge", True, "all"),
    ]
    assert built[0].coverage.detail == "guarded() wrapper"


@pytest.mark.parametrize(
    "source",
    [
        """
let running = false;
cron.schedule('0 * * * *', async () => {
  if (running) return;
  running = true;
  try { await settle(); } finally { running = false; }
}, { name: 'settle' });
""",
        """
class Settler {
  async run() {
    if (this.isRunning) { log.warn('still running'); return; }
    this.isRunning = true;
    try { await settle(); } finally { this.isRunning = false; }
  }
}
const settler = new Settler();
cron.schedule('0 * * * *', () => settler.run(), { name: 'settle' });
""",
        """
let current = null;
cron.schedule('0 * * * *', () => {
  if (current !== null) return;
  current = settle().finally(() => { current = null; });
}, { name: 'settle' });
""",
    ],
)
def test_guards_in_the_process(service_of: ServiceOf, source: str) -> None:
    found = facts(service_of, source)
    assert found.kind.value == "in-process"
    assert found.coverage.value == "some"


def test_a_flag_that_is_never_lowered_is_no_guard(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
let warned = false;
cron.schedule('0 * * * *', async () => {
  if (warned) return;
  warned = true;
  await settle();
}, { name: 'settle' });
""",
    )
    assert found.kind.value == "none"


def test_work_that_is_not_awaited_outlives_the_lock(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  if (!(await redis.set('job:settle', '1', 'EX', 60, 'NX'))) return;
  try {
    settle();
  } finally {
    await redis.del('job:settle');
  }
}, { name: 'settle' });
""",
    )
    assert found.coverage.value == "some"
    assert line(found.coverage) == 5


def test_token_compared_before_the_release(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  const token = String(Math.random());
  if (!(await redis.set('job:settle', token, 'EX', 60, 'NX'))) return;
  try {
    await settle();
  } finally {
    if ((await redis.get('job:settle')) === token) {
      await redis.del('job:settle');
    }
  }
}, { name: 'settle' });
""",
    )
    assert found.release.value == "finally"


def test_each_item_locked_is_not_the_run(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  const { rows } = await pool.query('SELECT id FROM orders');
  for (const order of rows) {
    if (!(await redis.set(`order:${order.id}`, '1', 'EX', 60, 'NX'))) continue;
    await pool.query('UPDATE orders SET settled = true WHERE id = $1', [order.id]);
  }
}, { name: 'settle' });
""",
    )
    assert found.coverage.value == "some"
    assert found.coverage.detail == "Each item is locked, not the run"


def test_claim_row_for_each_slot(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const { PrismaClient } = require('@prisma/client');
const prisma = new PrismaClient();
async function claim(jobId, slot) {
  try {
    return await prisma.run.create({ data: { id: `${jobId}:${slot}`, jobId } });
  } catch (err) {
    if (err.code === 'P2002') return null;
    throw err;
  }
}
cron.schedule('0 * * * *', async () => {
  const slot = Math.floor(Date.now() / 3600000);
  const run = await claim('settle', slot);
  if (!run) return;
  await settle();
}, { name: 'settle' });
""",
    )
    assert words(found)[:3] == ("slot", "all", False)
    assert (found.renewal.value, found.release.value, found.acquire_failure.value) == (
        "slot",
        "claim",
        "handled",
    )


def test_an_insert_that_only_logs_its_duplicate_claims_nothing(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const { PrismaClient } = require('@prisma/client');
const prisma = new PrismaClient();
cron.schedule('0 * * * *', async () => {
  const slot = Math.floor(Date.now() / 3600000);
  try {
    await prisma.run.create({ data: { id: `settle:${slot}`, job: 'settle' } });
  } catch (err) {
    if (err.code === 'P2002') log.warn('twice');
  }
  await settle();
}, { name: 'settle' });
""",
    )
    assert found.kind.value == "slot"
    assert (found.coverage.value, found.acquire_failure.value) == ("some", "ignored")


def test_sentinel_is_several_nodes(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const ha = new Redis({ sentinels: [{ host: 'a' }, { host: 'b' }], name: 'jobs' });
cron.schedule('0 * * * *', async () => {
  if (!(await ha.set('job:settle', '1', 'EX', 60, 'NX'))) return;
  await settle();
}, { name: 'settle' });
""",
    )
    assert found.store.value == "replicated"
    assert line(found.store) == 2


def test_ttl_from_the_environment(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  if (!(await redis.set('job:settle', '1', 'EX', Number(process.env.LOCK_TTL), 'NX'))) return;
  await settle();
}, { name: 'settle' });
""",
    )
    assert isinstance(found.ttl_seconds.value, Unresolved)
    assert "LOCK_TTL" in found.ttl_seconds.value.reason


def test_rows_claimed_in_a_transaction(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query('SELECT id FROM orders FOR UPDATE SKIP LOCKED');
    await client.query('UPDATE orders SET settled = true WHERE id = ANY($1)', [rows]);
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}, { name: 'settle' });
""",
    )
    assert (found.kind.value, found.coverage.value, found.release.value) == ("row", "all", "claim")
    assert (found.renewal.value, found.acquire_failure.value) == ("bound", "handled")


def test_rows_locked_without_a_transaction_are_free_at_once(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  const { rows } = await pool.query('SELECT id FROM orders FOR UPDATE SKIP LOCKED');
  await pool.query('UPDATE orders SET settled = true WHERE id = ANY($1)', [rows]);
}, { name: 'settle' });
""",
    )
    assert found.kind.value == "none"


def test_a_key_by_parameter(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const LOCK_ID = 815;
cron.schedule('0 * * * *', async () => {
  const client = await pool.connect();
  const result = await client.query('SELECT pg_try_advisory_lock($1) AS ok', [LOCK_ID]);
  if (!result.rows[0].ok) return;
  await settle();
}, { name: 'settle' });
""",
    )
    assert (found.kind.value, found.key.value, found.key_distinct.value) == ("session", "815", True)
    assert found.release.value == "expires"


def test_a_timer_that_is_armed_is_no_guard(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
let timer = null;
cron.schedule('0 * * * *', async () => {
  if (timer) return;
  timer = setTimeout(() => { timer = null; }, 1000);
  await settle();
}, { name: 'settle' });
""",
    )
    assert found.kind.value == "none"


CELERY = """
from celery import Celery
from celery.schedules import crontab
import redis

app = Celery('shop', broker='redis://redis:6379')
client = redis.Redis(host='redis')
app.conf.beat_schedule = {
    'settle': {'task': 'shop.tasks.settle', 'schedule': crontab(minute=0)},
}
"""


def python_facts(service_of: ServiceOf, source: str) -> LockFacts:
    found = service_of(
        {
            "requirements.txt": "celery\nredis\n",
            "shop/__init__.py": "",
            "shop/celery.py": CELERY,
            "shop/tasks.py": source,
        }
    )
    assert len(found) == 1
    return lock.build(found[0])


def test_a_message_is_claimed_once(service_of: ServiceOf) -> None:
    found = python_facts(
        service_of,
        """
from shop.celery import app

@app.task(name='shop.tasks.settle')
def settle():
    print('settled')
""",
    )
    assert (found.kind.value, found.renewal.value, found.scheduler.value) == ("message", "early-ack", "any")


def test_acknowledged_late(service_of: ServiceOf) -> None:
    found = python_facts(
        service_of,
        """
from shop.celery import app

@app.task(name='shop.tasks.settle', acks_late=True)
def settle():
    print('settled')
""",
    )
    assert (found.kind.value, found.renewal.value) == ("message", "none")


def test_a_redis_lock_around_a_task(service_of: ServiceOf) -> None:
    found = python_facts(
        service_of,
        """
from shop.celery import app, client
import requests

@app.task(name='shop.tasks.settle')
def settle():
    with client.lock('settle', timeout=300, blocking_timeout=1):
        requests.post('https://bank.example/settle', timeout=10)
""",
    )
    assert (found.kind.value, found.coverage.value, found.release.value) == ("lease", "all", "finally")
    assert (found.key.value, found.ttl_seconds.value, found.ttl_unit.value) == ("settle", 300.0, "s")


@pytest.mark.parametrize(
    ("words", "kind", "ttl"),
    [("timeout=300, blocking_timeout=1", "lease", 300.0), ("timeout=300", "message", None)],
)
def test_a_redis_lock_of_a_client_that_lies_outside_the_tree(
    service_of: ServiceOf, words: str, kind: str, ttl: float | None
) -> None:
    found = python_facts(
        service_of,
        f"""
from corp.stores import get_store
from shop.celery import app
import requests

@app.task(name='shop.tasks.settle')
def settle():
    store = get_store()
    with store.lock('settle', {words}):
        requests.post('https://bank.example/settle', timeout=10)
""",
    )
    assert (found.kind.value, found.ttl_seconds.value) == (kind, ttl)


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("with client.lock(f'run.{self.name}', timeout=300):", "return self.work()", "lease"),
        ("with client.lock(f'run.{self.name}', timeout=300):", "pass\n        return self.work()", "message"),
    ],
)
def test_a_base_class_locks_work_that_leads_out_of_the_tree(
    service_of: ServiceOf, first: str, second: str, kind: str
) -> None:
    found = python_facts(
        service_of,
        f"""
from celery import Task
from corp.rates import refresh
from shop.celery import app, client
from shop.owner import owner_of

class Cron(Task):
    def run(self):
        print(owner_of(1))
        {first}
            {second}

class Settle(Cron):
    name = 'shop.tasks.settle'
    def work(self):
        refresh()

app.register_task(Settle())
""",
    )
    assert found.kind.value == kind


def test_a_redis_lock_by_hand(service_of: ServiceOf) -> None:
    found = python_facts(
        service_of,
        """
from shop.celery import app, client
import requests

@app.task(name='shop.tasks.settle')
def settle():
    lock = client.lock('settle', timeout=300)
    if not lock.acquire(blocking=False):
        return
    try:
        requests.post('https://bank.example/settle', timeout=10)
    finally:
        lock.release()
""",
    )
    assert (found.kind.value, found.coverage.value, found.release.value) == ("lease", "all", "finally")
    assert (found.acquire_failure.value, found.key.value, found.ttl_seconds.value) == (
        "handled",
        "settle",
        300.0,
    )


def test_a_guard_around_one_part_of_the_run_is_no_lock(service_of: ServiceOf) -> None:
    source = """
let loading = false;
async function load() {
  if (loading) return;
  loading = true;
  try { await pool.query("UPDATE lists SET at = now()"); } finally { loading = false; }
}
cron.schedule('0 * * * *', async () => { await load(); await settle(); });
"""
    found = facts(service_of, source)
    assert (found.kind.value, found.kind.detail) == ("none", "No lock")
