"""What happens when a job fails, and when its process ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cronaudit.model.facts import ErrorFacts, Fact
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import errors

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = """
{"name": "shop", "scripts": {"start": "node src/index.js"},
 "dependencies": {"node-cron": "^3.0.0", "pg": "^8.0.0", "pino": "^9.0.0", "winston": "^3.0.0", "bullmq": "^5.0.0"}}
"""
HEAD = """\
const { Pool } = require('pg');
const { Queue } = require('bullmq');
const log = require('pino')();
const winston = require('winston').createLogger({});
const pool = new Pool();
const queue = new Queue('mails');
const dead = new Queue('dead-letters');
const work = () => pool.query(`UPDATE carts SET state = 'done' WHERE state = 'open'`);
const all = async () => (await pool.query('SELECT id FROM carts LIMIT 10')).rows;
const touch = (id) => pool.query('UPDATE carts SET x = 1 WHERE id = $1', [id]);
"""
FIRST = HEAD.count("\n") + 1


def facts(service_of: ServiceOf, body: str, after: str = "") -> ErrorFacts:
    source = HEAD + f"setInterval(async () => {{{body}}}, 60_000);\n{after}"
    found = service_of({"package.json": PACKAGE, "src/index.js": source})
    assert len(found) == 1
    return errors.build(found[0])


def line(fact: Fact[Any]) -> int:
    return fact.locations[0].line - FIRST + 1


# ---- caught -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "caught"),
    [
        ("await work();", "none"),
        ("try { await work(); } catch (e) { log.error({ e }, 'failed'); }", "whole"),
        ("await work().catch((e) => log.error({ e }, 'failed'));", "whole"),
        ("work().catch((e) => log.error({ e }, 'failed'));", "whole"),
        ("await work().then(() => 1, (e) => log.error({ e }, 'failed'));", "whole"),
        ("try { await work(); } finally { log.info('done'); }", "none"),
        ("try { await work(); } catch (e) { log.error({ e }, 'failed'); throw e; }", "part"),
        (
            "const rows = await all();\ntry { await work(rows); } catch (e) { log.error({ e }, 'failed'); }",
            "part",
        ),
        ("for (const r of await all()) { try { await touch(r.id); } catch (e) { log.warn(e); } }", "part"),
        # Logs and clocks do not fail.
        (
            (
                "const t = Date.now();\nlog.info({ t }, 'start');\n"
                "try { await work(); } catch (e) { log.error({ e, t }); }"
            ),
            "whole",
        ),
    ],
)
def test_caught(service_of: ServiceOf, body: str, caught: str) -> None:
    assert facts(service_of, body).caught.value == caught


def test_floating_promise_escapes_its_try(service_of: ServiceOf) -> None:
    body = (
        "const run = async () => { await work(); };\ntry { run(); } catch (e) { log.error({ e }, 'failed'); }"
    )
    assert facts(service_of, body).caught.value != "whole"


def test_what_escapes_is_named(service_of: ServiceOf) -> None:
    found = facts(service_of, "\nawait pool.query('DELETE FROM carts');\n")
    assert (found.caught.value, found.caught.detail) == (
        "none",
        "An error of query() escapes into the scheduler",
    )
    assert line(found.caught) == 2


# ---- logged -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line_of_handler", "logged"),
    [
        ("log.error({ err, job: 'settle', cart: 7 }, 'failed');", "context"),
        ("log.error({ err }, 'failed');", "bare"),
        ("log.error(err);", "bare"),
        ("log.error('failed', { err });", "dropped-object"),
        ("log.error('failed: %s', err);", "bare"),
        ("log.error(`failed for ${shop}: ${err.message}`);", "context"),
        ("log.warn({ err, shop }, 'failed');", "warning"),
        ("log.child({ job: 'settle' }).error({ err }, 'failed');", "context"),
        ("const message = String(err);\nwinston.error('failed', { shop, error: message });", "context"),
        ("winston.error('failed', { error: err });", "bare"),
        ("console.log('settle failed', shop, err);", "bare"),
        ("console.error(`settle of ${shop} failed`, err);", "context"),
        ("log.info('failed');", "bare"),
        ("log.debug({ err, shop }, 'failed');", "swallowed"),
        ("", "swallowed"),
    ],
)
def test_logged(service_of: ServiceOf, line_of_handler: str, logged: str) -> None:
    body = f"const shop = await next();\ntry {{ await work(); }} catch (err) {{ {line_of_handler} }}"
    assert facts(service_of, body).logged.value == logged


def test_logger_of_the_project(service_of: ServiceOf) -> None:
    body = """
const report = (error, details) => { log.error({ err: error, ...details }, 'failed'); };
const shop = 7;
try { await work(); } catch (e) { report(e, { shop: shop.id }); }
"""
    assert facts(service_of, body).logged.value == "context"


@pytest.mark.parametrize(
    ("after", "logged"),
    [
        ("throw new Error('gave up');", None),
        ("log.error('gave up');", "swallowed"),
        ("", "swallowed"),
    ],
)
def test_tries_that_give_up_in_the_end(service_of: ServiceOf, after: str, logged: str | None) -> None:
    body = f"""
const shop = await next();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
try {{
  let tries = 0;
  while (tries++ < 3) {{
    try {{ return await touch(7); }} catch (err) {{ await pause(500); }}
  }}
  {after}
}} catch (err) {{ log.error({{ err, shop }}, 'failed'); }}
"""
    assert facts(service_of, body).logged.value == (logged or "context")


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("say('failed', 'error', { reason: err.message })", "context"),
        ("say('failed', 'error')", "bare"),
        ("say('failed', 'warn', { reason: err.message })", "warning"),
        ("say('failed', 'info', { reason: err.message })", "bare"),
        # What the call leaves out is what the function says itself.
        ("say('failed')", "swallowed"),
    ],
)
def test_a_logger_that_is_told_the_level(service_of: ServiceOf, said: str, logged: str) -> None:
    body = f"""
const say = (message, level = 'debug', more = {{}}) => {{ winston[level](message, {{ shop, ...more }}); }};
const shop = await next();
say('begun', 'info');
try {{ await work(); }} catch (err) {{ {said}; }}
"""
    assert facts(service_of, body).logged.value == logged


def test_swallowed_items_beside_a_good_handler(service_of: ServiceOf) -> None:
    body = """
try {
  for (const row of await all()) { try { await touch(row.id); } catch {} }
} catch (err) { log.error({ err, job: 'settle' }, 'failed'); }
"""
    found = facts(service_of, body)
    assert (found.logged.value, found.logged.detail) == ("swallowed", "Errors of single items are swallowed")


@pytest.mark.parametrize(
    ("after", "logged"),
    [
        ("", "swallowed"),
        (
            "for (const r of results) if (r.status === 'rejected') log.error({ err: r.reason }, 'x');",
            "context",
        ),
    ],
)
def test_settled_promises(service_of: ServiceOf, after: str, logged: str) -> None:
    body = f"""
try {{
  const results = await Promise.allSettled((await all()).map((row) => touch(row.id)));
  {after}
}} catch (err) {{ log.error({{ err, job: 'settle' }}, 'failed'); }}
"""
    assert facts(service_of, body).logged.value == logged


# ---- progress and dead letters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "progress"),
    [
        ("await work();", "none"),
        ("const { rowCount } = await work();\nlog.info({ rowCount }, 'done');", "counts"),
        ("const rows = await all();\nawait touch(rows[0].id);\nlog.info(`${rows.length} carts`);", "counts"),
        ("for (const r of await all()) await queue.add('mail', r);", "items"),
        ("await queue.addBulk((await all()).map((r) => ({ name: 'mail', data: r })));", "items"),
        ("await queue.add('mail', {});", "none"),
        # The state of each item is what the work is about, no place up to which it is done.
        ("for (const r of await all()) await touch(r.id);", "none"),
    ],
)
def test_progress(service_of: ServiceOf, body: str, progress: str) -> None:
    assert facts(service_of, body).progress.value == progress


CURSOR = "const { rows: [c] } = await pool.query('SELECT position FROM job_cursor WHERE job = $1', ['a']);"
SAVE = "await pool.query('UPDATE job_cursor SET position = $1 WHERE job = $2', [r.id, 'a']);"


def test_checkpoint(service_of: ServiceOf) -> None:
    found = facts(service_of, f"{CURSOR}\nfor (const r of await all(c)) {{ await touch(r.id); {SAVE} }}")
    assert (found.progress.value, found.progress.detail) == (
        "checkpoint",
        "Checkpoint is persisted in job_cursor",
    )


def test_checkpoint_that_nobody_reads(service_of: ServiceOf) -> None:
    assert (
        facts(service_of, f"for (const r of await all()) {{ await touch(r.id); {SAVE} }}").progress.value
        == "none"
    )


def test_what_was_looked_at_longest_ago_comes_first(service_of: ServiceOf) -> None:
    body = """
const { rows } = await pool.query('SELECT id FROM domains ORDER BY checked_at LIMIT 10');
for (const r of rows) await pool.query('UPDATE domains SET checked_at = now() WHERE id = $1', [r.id]);
"""
    assert facts(service_of, body).progress.value == "checkpoint"


@pytest.mark.parametrize(
    ("handler", "dead_letter"),
    [
        ("log.error({ err }, 'failed');", "none"),
        ("await pool.query(`INSERT INTO failed_runs (reason) VALUES ($1)`, [String(err)]);", "kept"),
        ("await pool.query(`UPDATE runs SET status = 'FAILED' WHERE id = $1`, [1]);", "kept"),
        ("await dead.add('settle', { reason: String(err) });", "kept"),
        ("await pool.query(`UPDATE runs SET status = 'open' WHERE id = $1`, [1]);", "none"),
    ],
)
def test_dead_letter(service_of: ServiceOf, handler: str, dead_letter: str) -> None:
    assert (
        facts(service_of, f"try {{ await work(); }} catch (err) {{ {handler} }}").dead_letter.value
        == dead_letter
    )


KEEP = "await pool.query(`INSERT INTO failures (reason) VALUES ($1)`, [String(err)]);"
SETTLE = "await pool.query('UPDATE orders SET state = 1'); await pool.query('UPDATE ledger SET total = 1');"


@pytest.mark.parametrize(
    ("body", "dead_letter"),
    [
        # What fails is a preparation, and the work goes unrecorded.
        (f"try {{ await fetch('https://rates.example'); }} catch (err) {{ {KEEP} }}\n{SETTLE}", "none"),
        (f"try {{ {SETTLE} }} catch (err) {{ {KEEP} }}", "kept"),
        # Each item that fails is kept.
        (
            f"{SETTLE}\nfor (const o of [1, 2]) {{ try {{ await fetch('https://x.io'); }} catch (err) {{ {KEEP} }} }}",
            "kept",
        ),
    ],
)
def test_only_what_fails_of_the_work_is_a_dead_letter(
    service_of: ServiceOf, body: str, dead_letter: str
) -> None:
    assert facts(service_of, body).dead_letter.value == dead_letter


# ---- the end of the process -------------------------------------------------------------------------------------

HELD = """
const cron = require('node-cron');
const { Pool } = require('pg');
const pool = new Pool();
class Job {
  running = null;
  timer = null;
  isRunning = false;
  start() { this.timer = setInterval(() => this.tick(), 60000); }
  tick() { %s }
  async run() { await pool.query(`UPDATE carts SET state = 'done' WHERE state = 'open'`); }
  labels = new Map();
  label() { return `sweep-${this.count}`; }
  async stop() { %s }
}
const job = new Job();
job.start();
%s
"""
HOLD = "this.running = this.run();"
CLEAR = "clearInterval(this.timer);"
SIGTERM = "process.on('SIGTERM', async () => { await job.stop(); process.exit(0); });"


@pytest.mark.parametrize(
    ("tick", "stop", "signal", "words"),
    [
        (HOLD, f"{CLEAR} await this.running;", SIGTERM, ("awaited", "awaited")),
        (
            HOLD,
            f"{CLEAR} if (this.running) await Promise.allSettled([this.running]);",
            SIGTERM,
            ("awaited", "awaited"),
        ),
        # The same handler for a list of signals.
        (
            HOLD,
            f"{CLEAR} await this.running;",
            "['SIGINT', 'SIGTERM'].forEach((s) => { process.on(s, () => job.stop()); });",
            ("awaited", "awaited"),
        ),
        (
            HOLD,
            f"{CLEAR} await this.running;",
            "for (const s of ['SIGTERM', 'SIGINT']) { process.on(s, async () => { await job.stop(); }); }",
            ("awaited", "awaited"),
        ),
        (
            HOLD,
            f"{CLEAR} await this.running;",
            "['SIGINT', 'SIGUSR1'].forEach((s) => { process.on(s, () => job.stop()); });",
            ("held", "none"),
        ),
        (HOLD, CLEAR, SIGTERM, ("held", "none")),
        # What is computed, and the key under which something is put, is no execution.
        (
            "this.last = this.label(); this.run();",
            CLEAR,
            SIGTERM,
            ("none", "none"),
        ),
        (
            "const label = this.label(); this.labels.set(label, 1); this.run();",
            CLEAR,
            SIGTERM,
            ("none", "none"),
        ),
        (HOLD, f"{CLEAR} await this.running;", "", ("held", "none")),
        # A key on a keyboard is no SIGTERM.
        (HOLD, f"{CLEAR} await this.running;", SIGTERM.replace("SIGTERM", "SIGINT"), ("held", "none")),
        ("return this.run();", f"{CLEAR} await this.running;", SIGTERM, ("none", "none")),
        ("this.isRunning = true; return this.run();", CLEAR, SIGTERM, ("flag", "none")),
        (
            "this.isRunning = true; return this.run();",
            "while (this.isRunning) await new Promise((r) => setTimeout(r, 100));",
            SIGTERM,
            ("awaited", "awaited"),
        ),
    ],
)
def test_end_of_the_process(
    service_of: ServiceOf, tick: str, stop: str, signal: str, words: tuple[str, str]
) -> None:
    found = service_of({"package.json": PACKAGE, "src/index.js": HELD % (tick, stop, signal)})
    assert len(found) == 1
    built = errors.build(found[0])
    assert (built.in_progress.value, built.lock_cleanup.value) == words


def test_all_jobs_of_a_list_are_stopped(service_of: ServiceOf) -> None:
    source = HELD % (HOLD, f"{CLEAR} await this.running;", "") + (
        "const jobs = [job, new Job()];\n"
        "async function end() { for (const one of jobs) { await one.stop(); } process.exit(0); }\n"
        "process.once('SIGTERM', () => void end());\n"
    )
    found = service_of({"package.json": PACKAGE, "src/index.js": source})
    assert {errors.build(c).in_progress.value for c in found} == {"awaited"}


WORKER = """
const { Queue, Worker } = require('bullmq');
const queue = new Queue('jobs');
queue.upsertJobScheduler('settle', { pattern: '0 * * * *' }, { name: 'settle', opts: %s });
const worker = new Worker('jobs', async (job) => { await fetch('https://shop.example', { method: 'POST' }); });
%s
"""


@pytest.mark.parametrize(
    ("signal", "in_progress"),
    [
        ("process.on('SIGTERM', async () => { await worker.close(); process.exit(0); });", "awaited"),
        ("process.on('SIGTERM', () => { worker.close().then(() => process.exit(0)); });", "awaited"),
        ("process.on('SIGTERM', () => { worker.close(); process.exit(0); });", "none"),
        ("process.on('SIGTERM', () => process.exit(0));", "none"),
        ("", "none"),
    ],
)
def test_queue_worker(service_of: ServiceOf, signal: str, in_progress: str) -> None:
    found = service_of({"package.json": PACKAGE, "src/index.js": WORKER % ("{}", signal)})
    assert [errors.build(c).in_progress.value for c in found] == [in_progress]
    assert [errors.build(c).lock_cleanup.value for c in found] == ["bound"]


@pytest.mark.parametrize(
    ("options", "after", "dead_letter"),
    [
        ("{}", "", "default"),
        ("{ removeOnFail: { age: 86400 } }", "", "kept"),
        ("{ removeOnFail: true }", "", "none"),
        (
            "{}",
            "const dead = new Queue('dead');\nworker.on('failed', (job) => { dead.add('x', job.data); });",
            "kept",
        ),
        ("{}", "worker.on('failed', (job, err) => { console.error(job.name, err); });", "default"),
    ],
)
def test_failed_set(service_of: ServiceOf, options: str, after: str, dead_letter: str) -> None:
    found = service_of({"package.json": PACKAGE, "src/index.js": WORKER % (options, after)})
    assert [errors.build(c).dead_letter.value for c in found] == [dead_letter]


def test_a_framework_that_logs_the_error_alone(service_of: ServiceOf) -> None:
    (context,) = service_of(
        {
            "package.json": '{"dependencies": {"@nestjs/schedule": "^5.0.0", "pg": "^8.0.0"}}',
            "src/sweep.service.ts": """
                import { Injectable } from '@nestjs/common';
                import { Cron } from '@nestjs/schedule';
                import { Pool } from 'pg';
                @Injectable()
                export class SweepService {
                  private readonly pool = new Pool();
                  @Cron('0 3 * * *')
                  async sweep() { await this.pool.query('DELETE FROM sessions WHERE over'); }
                }
            """,
        }
    )
    found = errors.build(context)
    assert (found.caught.value, found.logged.value) == ("framework", "bare")
