"""What is begun and not finished: each of these was once taken for the whole thing, or for nothing."""

from __future__ import annotations

from collections.abc import Callable

from cronaudit.model.facts import JobFacts
from cronaudit.recognition.assemble import facts_of
from cronaudit.recognition.context import JobContext

ServiceOf = Callable[[dict[str, str]], list[JobContext]]
PACKAGE = """
{"dependencies": {"bullmq": "5.12.0", "croner": "8.1.0", "cron": "3.1.7", "ioredis": "5.4.1", "pg": "8.12.0",
"postgres": "3.4.4"}}
"""
POOL = "import pg from 'pg';\nexport const pool = new pg.Pool({ max: 5 });\n"


def _only(service_of: ServiceOf, source: str) -> JobFacts:
    contexts = service_of({"package.json": PACKAGE, "src/pool.js": POOL, "src/index.js": source})
    assert len(contexts) == 1
    return facts_of(contexts[0])


def test_a_release_whose_failure_only_some_errors_log_is_unhandled(service_of: ServiceOf) -> None:
    found = _only(
        service_of,
        """
        import { Cron } from 'croner';
        import { Redis } from 'ioredis';
        import { pool } from './pool.js';
        const redis = new Redis();
        class Gone extends Error {}
        new Cron('0 * * * *', { name: 'sweep' }, async () => {
          if ((await redis.set('lock:sweep', '1', 'EX', 60, 'NX')) !== 'OK') return;
          try {
            await pool.query('DELETE FROM sessions WHERE expires_at < now()');
            await redis.del('lock:sweep');
          } catch (error) {
            if (error instanceof Gone) { console.error(error); return; }
            throw error;
          }
        });
        """,
    )
    assert found.lock.kind.value == "lease"
    assert found.lock.release_failure.value == "unhandled"


def test_a_lock_that_throws_into_an_empty_catch_is_swallowed(service_of: ServiceOf) -> None:
    found = _only(
        service_of,
        """
        import { Cron } from 'croner';
        import { Redis } from 'ioredis';
        import { pool } from './pool.js';
        const redis = new Redis();
        async function acquire(key) {
          if ((await redis.set(key, '1', 'EX', 60, 'NX')) !== 'OK') throw new Error('held');
        }
        new Cron('0 * * * *', { name: 'sweep' }, async () => {
          try { await acquire('lock:sweep'); } catch { return; }
          await pool.query('DELETE FROM sessions WHERE expires_at < now()');
        });
        """,
    )
    assert found.lock.acquire_failure.value == "swallowed"


def test_asking_again_without_end_is_a_retry_of_a_part_and_no_pause_of_the_work(
    service_of: ServiceOf,
) -> None:
    found = _only(
        service_of,
        """
        import { setTimeout as sleep } from 'node:timers/promises';
        import { pool } from './pool.js';
        async function sizeOf(id) {
          for (;;) {
            try { return (await (await fetch('http://storage/' + id)).json()).size; } catch { await sleep(2000); }
          }
        }
        async function measure() {
          const { rows } = await pool.query('SELECT id FROM buckets LIMIT 50');
          for (const row of rows) {
            await pool.query('UPDATE buckets SET size = $2 WHERE id = $1', [row.id, await sizeOf(row.id)]);
          }
        }
        setInterval(measure, 60_000);
        """,
    )
    assert found.retry.scope.value == "part"
    assert found.retry.attempts.value == "unbounded"
    assert found.retry.delay.value == "fixed"
    assert found.data.loop.value == "async"


def test_a_timer_that_feeds_a_queue_keeps_one_of_the_two_and_the_queue_its_failures(
    service_of: ServiceOf,
) -> None:
    found = _only(
        service_of,
        """
        import { Queue } from 'bullmq';
        import { pool } from './pool.js';
        const queue = new Queue('imports', {});
        setInterval(async () => {
          const { rows } = await pool.query('SELECT id FROM imports LIMIT 10');
          for (const row of rows) { await queue.add('import', { id: row.id }); }
        }, 60_000);
        """,
    )
    assert found.runner.library.value == "own-queue"
    assert found.runner.persistence.value == "one"
    assert found.errors.dead_letter.value == "default"


def test_a_queue_logs_no_failure_by_itself_and_a_listener_may(service_of: ServiceOf) -> None:
    source = (
        "import { Queue, Worker } from 'bullmq';\nimport { pool } from './pool.js';\n"
        "const queue = new Queue('reaping', {});\n"
        "await queue.add('reap', {}, { repeat: { pattern: '0 4 * * *' } });\n"
        "const worker = new Worker('reaping', async () => {\n"
        "  await pool.query('DELETE FROM files WHERE NOT EXISTS (SELECT 1 FROM users)');\n});\n"
    )
    silent = _only(service_of, source)
    told = _only(
        service_of,
        source + "worker.on('failed', (job, error) => console.error(job.name, error));\n",
    )
    assert silent.errors.logged.value == "swallowed"
    assert told.errors.logged.value == "context"
    assert told.effects.guard.value == "conditional"


def test_a_cursor_streams_what_its_statement_selects(service_of: ServiceOf) -> None:
    found = _only(
        service_of,
        """
        import postgres from 'postgres';
        const sql = postgres('postgres://localhost/x', { max: 2 });
        setInterval(async () => {
          for await (const rows of sql`select id from accounts`.cursor(100)) {
            for (const row of rows) { await sql`update accounts set seen = now() where id = ${row.id}`; }
          }
        }, 60_000);
        """,
    )
    assert found.data.reads.value == "streamed"


def test_what_the_one_maker_of_a_class_hands_in_is_known_on_the_walk(service_of: ServiceOf) -> None:
    found = _only(
        service_of,
        """
        import { CronJob } from 'cron';
        import { Redis } from 'ioredis';
        import { pool } from './pool.js';
        class Sync {
          constructor(redis, pool) { this.redis = redis; this.pool = pool; }
          start() {
            const onTick = () => this.run();
            this.cron = CronJob.from({ name: 'sync', cronTime: '0 0 4 * * *', onTick, start: true });
          }
          async run() {
            if ((await this.redis.set('lock:sync', '1', 'NX')) !== 'OK') return;
            await this.pool.query("UPDATE feeds SET state = 'done'");
            await this.redis.del('lock:sync').catch(() => undefined);
          }
        }
        const jobs = [new Sync(new Redis(), pool)];
        for (const job of jobs) job.start();
        """,
    )
    assert found.lock.kind.value == "lease"
    assert found.lock.ttl_seconds.value is None
    assert found.lock.release.value == "success"
    assert found.errors.caught.value == "none"
