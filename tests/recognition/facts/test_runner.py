from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cronaudit.model.facts import Fact, RunnerFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import memory, runner

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

SWEEP = """
    import { Pool } from 'pg';
    const pool = new Pool();
    export async function sweep() {
      await pool.query('DELETE FROM sessions WHERE expires_at < now()');
    }
"""
SERVER = """
    import express from 'express';
    import { start } from './jobs';
    const app = express();
    app.get('/orders', (req, res) => res.json([]));
    app.listen(3000);
    start();
"""
JOBS = """
    import cron from 'node-cron';
    import { sweep } from './sweep';
    export function start() {
      cron.schedule('0 * * * *', sweep);
    }
"""
WORKER = """
    import { createServer } from 'node:http';
    import { start } from './jobs';
    createServer((req, res) => {
      if (req.url === '/metrics') res.end('up 1');
    }).listen(9100);
    start();
"""
PACKAGE = '{"name": "shop", "scripts": {"start": "node src/server.js", "start:worker": "node src/worker.js"}}'


def of(service_of: ServiceOf, files: dict[str, str]) -> RunnerFacts:
    (context,) = service_of(files)
    return runner.build(context)


def at(fact: Fact[Any]) -> str:
    return str(fact.locations[0])


def test_a_job_that_the_server_starts_shares_its_process(service_of: ServiceOf) -> None:
    facts = of(
        service_of,
        {"package.json": PACKAGE, "src/sweep.ts": SWEEP, "src/jobs.ts": JOBS, "src/server.ts": SERVER},
    )
    assert (facts.separation.value, at(facts.separation)) == ("shared", "src/server.ts:6")
    assert (facts.scaling.value, at(facts.scaling)) == ("embedded", "src/server.ts:6")
    assert facts.library.value == "in-process"
    assert facts.persistence.value == "none"
    assert facts.contention.value == "none"


def test_a_worker_with_metrics_only_is_a_process_of_its_own(service_of: ServiceOf) -> None:
    server = SERVER.replace("import { start } from './jobs';\n", "").replace("start();", "")
    facts = of(
        service_of,
        {
            "package.json": PACKAGE,
            "src/sweep.ts": SWEEP,
            "src/jobs.ts": JOBS,
            "src/server.ts": server,
            "src/worker.ts": WORKER,
        },
    )
    assert (facts.separation.value, at(facts.separation)) == ("own", "src/worker.ts:6")
    assert "metrics and health only" in facts.separation.detail
    assert facts.scaling.value == "own"


def test_a_role_variable_is_a_flag(service_of: ServiceOf) -> None:
    server = SERVER.replace("start();", "if (process.env.RUN_JOBS !== 'false') start();")
    facts = of(
        service_of,
        {"package.json": PACKAGE, "src/sweep.ts": SWEEP, "src/jobs.ts": JOBS, "src/server.ts": server},
    )
    assert (facts.separation.value, facts.separation.detail) == ("flag", "By RUN_JOBS, shared by default")
    assert (facts.scaling.value, at(facts.scaling)) == ("flag", "src/server.ts:6")


def test_a_switch_for_tests_is_no_flag(service_of: ServiceOf) -> None:
    server = SERVER.replace("start();", "if (process.env.NODE_ENV !== 'test') start();")
    facts = of(
        service_of,
        {"package.json": PACKAGE, "src/sweep.ts": SWEEP, "src/jobs.ts": JOBS, "src/server.ts": server},
    )
    assert facts.separation.value == "shared"


def test_a_container_of_its_own_scales_alone(service_of: ServiceOf) -> None:
    files = {
        "package.json": '{"name": "shop"}',
        "Dockerfile": 'FROM node:20\nCOPY src ./src\nCMD ["node", "src/server.js"]\n',
        "docker-compose.yml": """
            services:
              web:
                build: .
                ports: ["3000:3000"]
              worker:
                build: .
                command: node src/worker.js
                mem_limit: 256m
        """,
        "src/sweep.js": SWEEP,
        "src/jobs.js": JOBS,
        "src/worker.js": WORKER,
        "src/server.js": SERVER.replace("import { start } from './jobs';\n", "").replace("start();", ""),
    }
    (context,) = service_of(files)
    facts = runner.build(context)
    assert (facts.scaling.value, at(facts.scaling)) == ("own", "docker-compose.yml:5")
    limit = memory.build(context).limit
    assert (limit.value, limit.detail, at(limit)) == (
        "own",
        "worker: memory limit 256m",
        "docker-compose.yml:8",
    )


def test_a_limit_on_the_server_is_shared(service_of: ServiceOf) -> None:
    files = {
        "package.json": '{"name": "shop"}',
        "Dockerfile": 'FROM node:20\nCOPY src ./src\nCMD ["node", "src/server.js"]\n',
        "docker-compose.yml": """
            services:
              web:
                build: .
                ports: ["3000:3000"]
                mem_limit: 512m
        """,
        "src/sweep.js": SWEEP,
        "src/jobs.js": JOBS,
        "src/server.js": SERVER,
    }
    (context,) = service_of(files)
    limit = memory.build(context).limit
    assert limit.value == "shared"
    assert limit.detail == "Container-level only: memory limit 512m, shared with the HTTP server"
    assert at(limit) == "docker-compose.yml:5"


def test_without_an_entry_point_the_process_is_not_known(service_of: ServiceOf) -> None:
    facts = of(service_of, {"src/sweep.ts": SWEEP, "src/jobs.ts": JOBS + "\n    start();\n"})
    assert isinstance(facts.separation.value, Unresolved)
    assert isinstance(facts.scaling.value, Unresolved)


# ---- own timers --------------------------------------------------------------------------------------------------


def test_an_own_timer(service_of: ServiceOf) -> None:
    facts = of(
        service_of,
        {"src/sweep.ts": SWEEP + "\n    setInterval(sweep, 60_000);\n"},
    )
    assert (facts.library.value, facts.library.detail) == ("own", "Custom setInterval")


def test_an_own_timer_that_only_feeds_a_queue(service_of: ServiceOf) -> None:
    feeding = """
        import { Queue } from 'bullmq';
        const queue = new Queue('sweeps');
        setInterval(() => queue.add('sweep', {}), 60_000);
    """
    facts = of(service_of, {"src/feed.ts": feeding})
    assert facts.library.value == "own-queue"
    also_writing = """
        import { Queue } from 'bullmq';
        import { Pool } from 'pg';
        const pool = new Pool();
        const queue = new Queue('sweeps');
        setInterval(async () => {
          await queue.add('sweep', {});
          await pool.query("UPDATE sweeps SET at = now()");
          await pool.query("INSERT INTO sweeps DEFAULT VALUES");
        }, 60_000);
    """
    facts = of(service_of, {"src/feed.ts": also_writing})
    assert facts.library.value == "own"


# ---- state of the instance -----------------------------------------------------------------------------------------


def test_a_cursor_in_a_variable_is_state(service_of: ServiceOf) -> None:
    code = """
        import { Pool } from 'pg';
        const pool = new Pool();
        let lastId = 0;
        async function copy() {
          const { rows } = await pool.query('SELECT id FROM events WHERE id > $1', [lastId]);
          for (const row of rows) {
            await pool.query('INSERT INTO copies VALUES ($1)', [row.id]);
            lastId = row.id;
          }
        }
        setInterval(copy, 60_000);
    """
    state = of(service_of, {"src/copy.ts": code}).instance_state
    assert (state.value, at(state)) == (True, "src/copy.ts:8")
    assert state.detail == "lastId is kept in the instance between runs"


def test_a_cursor_in_the_store_is_none(service_of: ServiceOf) -> None:
    code = """
        import { Pool } from 'pg';
        const pool = new Pool();
        async function copy() {
          let lastId = (await pool.query('SELECT id FROM cursors')).rows[0].id;
          const { rows } = await pool.query('SELECT id FROM events WHERE id > $1', [lastId]);
          for (const row of rows) {
            lastId = row.id;
          }
          await pool.query('UPDATE cursors SET id = $1', [lastId]);
        }
        setInterval(copy, 60_000);
    """
    assert of(service_of, {"src/copy.ts": code}).instance_state.value is False


def test_flags_handles_and_things_made_once_are_no_state(service_of: ServiceOf) -> None:
    code = """
        import { Pool } from 'pg';
        let pool;
        let isRunning = false;
        let handle = null;
        function connect() {
          if (!pool) pool = new Pool();
          return pool;
        }
        async function sweep() {
          if (isRunning) return;
          isRunning = true;
          try {
            await connect().query('DELETE FROM sessions');
          } finally {
            isRunning = false;
          }
        }
        handle = setInterval(sweep, 60_000);
    """
    assert of(service_of, {"src/sweep.ts": code}).instance_state.value is False


def test_a_field_of_an_object_that_outlives_the_run_is_state(service_of: ServiceOf) -> None:
    code = """
        import { Pool } from 'pg';
        class Poller {
          private readonly pool = new Pool();
          private since = new Date(0);
          start() {
            setInterval(() => this.poll(), 60_000);
          }
          async poll() {
            await this.pool.query('DELETE FROM events WHERE at < $1', [this.since]);
            this.since = new Date();
          }
        }
        new Poller().start();
    """
    state = of(service_of, {"src/poller.ts": code}).instance_state
    assert (state.value, at(state)) == (True, "src/poller.ts:10")


# ---- child processes ---------------------------------------------------------------------------------------------


def spawning(options: str) -> str:
    return f"""
        import {{ execFileSync }} from 'node:child_process';
        function dump() {{
          execFileSync('pg_dump', ['shop']{options});
        }}
        setInterval(dump, 86_400_000);
    """


def test_child_processes_with_and_without_a_timeout(service_of: ServiceOf) -> None:
    bounded = of(service_of, {"src/dump.ts": spawning(", { timeout: 600_000 }")}).children
    assert (bounded.value, bounded.detail) == ("timeout", "Child processes get 600 s")
    assert at(bounded) == "src/dump.ts:3"
    loose = of(service_of, {"src/dump.ts": spawning("")}).children
    assert (loose.value, at(loose)) == ("unbounded", "src/dump.ts:3")
    open_ = of(service_of, {"src/dump.ts": spawning(", loadOptions()")}).children
    assert isinstance(open_.value, Unresolved)


def test_some_child_processes(service_of: ServiceOf) -> None:
    code = """
        import { execFileSync } from 'node:child_process';
        function dump() {
          execFileSync('pg_dump', ['shop'], { timeout: 60_000 });
          execFileSync('gzip', ['shop.sql']);
        }
        setInterval(dump, 86_400_000);
    """
    children = of(service_of, {"src/dump.ts": code}).children
    assert (children.value, at(children)) == ("some", "src/dump.ts:4")


def test_no_child_processes(service_of: ServiceOf) -> None:
    children = of(service_of, {"src/sweep.ts": SWEEP + "\n    setInterval(sweep, 60_000);\n"}).children
    assert (children.value, children.detail) == ("no-children", "No child processes")


# ---- queues -----------------------------------------------------------------------------------------------------


def test_a_queue_worker_is_elected_by_its_queue_and_limits_contention(service_of: ServiceOf) -> None:
    code = """
        import { Queue, Worker } from 'bullmq';
        import { sweep } from './sweep';
        const queue = new Queue('sweeps');
        await queue.upsertJobScheduler('sweep', { every: 60_000 }, { name: 'sweep' });
        new Worker('sweeps', async () => sweep(), {
          connection: { host: 'redis' },
          concurrency: 4,
        });
    """
    facts = of(service_of, {"src/sweep.ts": SWEEP, "src/worker.ts": code})
    assert (facts.library.value, facts.library.detail, at(facts.library)) == (
        "production",
        "BullMQ",
        "src/worker.ts:5",
    )
    assert facts.persistence.value == "both"
    assert (facts.election.value, facts.election.detail) == ("queue", "Any of N queue workers")
    assert (facts.contention.value, at(facts.contention)) == ("limited", "src/worker.ts:7")
    assert facts.contention.detail.startswith("Queue, concurrency: 4")


def test_a_setting_recycles_the_workers_of_celery(service_of: ServiceOf) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/celery.py": 'from celery import Celery\n\napp = Celery("shop")\n'
        'app.conf.beat_schedule = {"sweep": {"task": "shop.tasks.sweep", "schedule": 60.0}}\n',
        "shop/tasks.py": "from celery import shared_task\n\n"
        '@shared_task(name="shop.tasks.sweep")\ndef sweep():\n    print("swept")\n',
    }
    (context,) = service_of(files)
    assert memory.build(context).limit.value == "none"
    (context,) = service_of({**files, "shop/settings.py": "CELERY_WORKER_MAX_MEMORY_PER_CHILD = 200_000\n"})
    limit = memory.build(context).limit
    assert (limit.value, at(limit)) == ("own", "shop/settings.py:1")


def test_a_command_of_its_own_beside_the_server_in_one_container(service_of: ServiceOf) -> None:
    dockerfile = 'CMD ["sh", "-c", "exec concurrently \\"node src/server.js\\" \\"node src/worker.js\\""]\n'
    facts = of(
        service_of,
        {
            "package.json": '{"name": "shop"}',
            "Dockerfile": "FROM node:22\nWORKDIR /app\nCOPY . .\n" + dockerfile,
            "src/sweep.ts": SWEEP,
            "src/jobs.ts": JOBS,
            "src/server.ts": SERVER.replace("    start();", "").replace(
                "    import { start } from './jobs';\n", ""
            ),
            "src/worker.ts": WORKER,
        },
    )
    assert (facts.separation.value, facts.separation.detail) == (
        "own",
        "Command of its own beside the server: node src/worker.js",
    )
    assert facts.scaling.value == "embedded"


@pytest.mark.parametrize(
    ("line", "separation"),
    [
        # Who has described `made`? It may be a server of its own.
        ("made.app.listen(4000);", "shared"),
        ("const port = Number(process.env.PORT);\nmade.app.listen(port);", "shared"),
        # A channel of the database, and a method of the project.
        ("made.listen('carts');", "own"),
        ("const own = { listen: (n) => n };\nown.listen(4000);", "own"),
    ],
)
def test_a_command_that_may_serve_is_none_of_its_own(
    service_of: ServiceOf, line: str, separation: str
) -> None:
    dockerfile = 'CMD ["sh", "-c", "exec concurrently \\"node src/server.js\\" \\"node src/side.js\\""]\n'
    facts = of(
        service_of,
        {
            "package.json": '{"name": "shop"}',
            "Dockerfile": "FROM node:22\nWORKDIR /app\nCOPY . .\n" + dockerfile,
            "src/sweep.ts": SWEEP,
            "src/jobs.ts": JOBS,
            "src/server.ts": SERVER.replace("    start();", "").replace(
                "    import { start } from './jobs';\n", ""
            ),
            "src/side.ts": "import { made } from 'maker';\nimport { start } from './jobs';\n"
            + line
            + "\nstart();\n",
        },
    )
    assert facts.separation.value == separation


RENEWED = """
    import {{ Pool }} from 'pg';
    const pool = new Pool();
    class Sweep {{
      items = [];
      source = '';
      begin() {{
        {early}
        this.items = [];
        this.source = 'carts';
      }}
      async step() {{
        for (const item of this.items) {{
          await pool.query(`UPDATE carts SET swept = true WHERE id = $1`, [item.id]);
        }}
      }}
      async run() {{
        {first}
        const rows = await pool.query('SELECT id FROM carts WHERE state = $1 LIMIT 50', [this.source]);
        this.items.push(...rows.rows);
        await this.step();
      }}
    }}
    const sweep = new Sweep();
    setInterval(() => sweep.run(), 60_000);
"""


@pytest.mark.parametrize(
    ("first", "early", "kept"),
    [
        ("this.begin();", "", False),
        ("await this.begin();", "", False),
        ("this.items = []; this.source = 'carts';", "", False),
        ("", "", True),
        # What is made anew on some ways only, or may be left out, is kept on the others.
        ("if (Math.random() > 0.5) { this.begin(); }", "", True),
        ("this.begin();", "if (this.items.length > 100) return;", True),
        ("if (!this.source) { this.items = []; this.source = 'carts'; }", "", True),
        ("this.items = this.items.filter((i) => i.open); this.source = 'carts';", "", True),
    ],
)
def test_what_a_run_makes_anew_before_it_reads_it_is_no_state(
    service_of: ServiceOf, first: str, early: str, kept: bool
) -> None:
    code = RENEWED.format(first=first, early=early)
    assert of(service_of, {"src/sweep.ts": code}).instance_state.value is kept


BEAT = {
    "requirements.txt": "celery==5.4\nflask==3.0\n",
    "shop/celery.py": """
        from celery import Celery
        app = Celery("shop")
        app.conf.beat_schedule = {"sweep": {"task": "shop.tasks.sweep", "schedule": 3600.0}}
    """,
    "shop/tasks.py": """
        from shop.celery import app

        @app.task
        def sweep():
            print("swept")
    """,
    "shop/web.py": """
        from flask import Flask
        from shop.tasks import sweep

        app = Flask(__name__)

        @app.post("/sweep")
        def now():
            sweep.delay()
            return "", 202
    """,
}


@pytest.mark.parametrize(
    ("manifest", "separation", "scaling"),
    [
        ({}, "Celery runs it in a process of its own", "Celery has workers of its own"),
        # The server imports the task to enqueue it; it does not run it.
        (
            {"Procfile": "web: gunicorn shop.web:app\n"},
            "Celery runs it in a process of its own",
            "Celery has workers of its own",
        ),
        (
            {"Procfile": "web: gunicorn shop.web:app\njobs: celery -A shop.celery worker\n"},
            "Procfile process of its own: jobs",
            "Procfile process of its own: jobs",
        ),
    ],
)
def test_tasks_run_in_the_workers_of_their_library(
    service_of: ServiceOf, manifest: dict[str, str], separation: str, scaling: str
) -> None:
    facts = of(service_of, BEAT | manifest)

    assert (facts.separation.value, facts.separation.detail) == ("own", separation)
    assert (facts.scaling.value, facts.scaling.detail) == ("own", scaling)


@pytest.mark.parametrize(
    ("script", "value"), [("dev", "shared"), ("start:development:server", "shared"), ("test:server", None)]
)
def test_what_development_runs_from_its_source_is_the_program(
    service_of: ServiceOf, script: str, value: str | None
) -> None:
    package = json.dumps({"scripts": {"start": "node dist/index.js", script: "vite-node src/bin/serve.ts"}})
    facts = of(
        service_of,
        {
            "package.json": package,
            "src/sweep.ts": SWEEP,
            "src/jobs.ts": JOBS,
            "src/bin/serve.ts": SERVER.replace("./", "../"),
        },
    )

    assert facts.separation.value == value or (
        value is None and isinstance(facts.separation.value, Unresolved)
    )


BUFFER = """
    import { Pool } from 'pg';
    const pool = new Pool();
    class Buffer {
      private rows = [];
      constructor() { setInterval(() => this.flush(), 10_000); }
      add(row) { FILL }
      private async flush() {
        const batch = TAKE;
        await pool.query('INSERT INTO rows VALUES ($1)', batch);
      }
    }
    const buffer = new Buffer();
    buffer.add(1);
"""


@pytest.mark.parametrize(
    ("fill", "take", "kept"),
    [
        ("this.rows.push(row);", "this.rows.splice(0, 500)", "src/buffer.ts:6"),
        ("this.rows.push(row);", "[this.rows.shift()]", "src/buffer.ts:6"),
        # Nothing is taken away, or nothing is put there.
        ("this.rows.push(row);", "[1, 2, 3]", ""),
        ("return row;", "this.rows.splice(0, 500)", ""),
    ],
)
def test_a_buffer_that_requests_fill_is_state(service_of: ServiceOf, fill: str, take: str, kept: str) -> None:
    code = BUFFER.replace("FILL", fill).replace("TAKE", take)
    state = of(service_of, {"src/buffer.ts": code}).instance_state
    assert state.value is bool(kept)
    if kept:
        assert (state.detail, str(state.locations[0])) == ("rows is kept in the instance between runs", kept)
