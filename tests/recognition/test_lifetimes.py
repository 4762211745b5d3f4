"""Timers of objects that a request or a queued job makes anew, beside those of objects that the process makes once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

PACKAGE = '{"main": "main.ts", "dependencies": {"express": "4", "pg": "8"}}'
RUNNER = """
    import { Pool } from 'pg';
    const db = new Pool();
    export abstract class Runner {
      private timer: NodeJS.Timeout | null = null;
      abstract load(): Promise<void>;
      start() { this.timer = setInterval(() => this.load(), 60_000); }
      finish() { if (this.timer) clearInterval(this.timer); }
    }
    export class Report extends Runner {
      async load() { await db.query('update reports set seen = now()'); }
    }
    export class Sweeper extends Runner {
      async load() { await db.query('delete from sessions'); }
    }
    export class Both extends Runner {
      async load() { await db.query('update both set n = n + 1'); }
    }
"""


def test_objects_of_requests_and_of_the_process(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "runner.ts": RUNNER,
        "reports.ts": """
            import { Report } from './runner';
            export async function build(id: string) {
              let report: Report;
              report = new Report();
              report.start();
              return id;
            }
        """,
        "main.ts": """
            import express from 'express';
            import { build } from './reports';
            import { Both, Sweeper } from './runner';
            const app = express();
            app.get('/report', async (req, res) => { res.json(await build(req.params.id)); });
            app.get('/both', (req, res) => { const both = new Both(); both.start(); res.end(); });
            function main() {
              const sweeper = new Sweeper();
              sweeper.start();
              const both = new Both();
              both.start();
            }
            main();
        """,
    }
    found = discover(tmp_path, files)
    assert sorted((j.schedule, j.handler) for j in found.jobs) == [
        ("60 s", "Both.load"),
        ("60 s", "Both.load"),
        ("60 s", "Sweeper.load"),
    ]
    assert [r for r in found.rejected if "makes its object" in r] == [
        "runner.ts:6 it lives as long as what makes its object: a request, a queued job or a page"
    ]


def test_what_a_request_starts_once_for_all_is_a_job(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "runner.ts": RUNNER,
        "main.ts": """
            import express from 'express';
            import { Pool } from 'pg';
            import { Sweeper } from './runner';
            const db = new Pool();
            const app = express();
            let shared: Sweeper | undefined;
            function sweeper() {
              if (!shared) { shared = new Sweeper(); shared.start(); }
              return shared;
            }
            function beat(emit: (n: number) => void) {
              const timer = setInterval(() => db.query('update beats set n = n + 1'), 30_000);
              return () => clearInterval(timer);
            }
            app.get('/', (req, res) => { sweeper(); const stop = beat(res.write); res.on('close', stop); });
        """,
    }
    found = discover(tmp_path, files)
    assert [(j.schedule, j.handler) for j in found.jobs] == [("60 s", "Sweeper.load")]


BEAT = (
    "import threading\nfrom celery import shared_task\nimport sqlite3\nfrom shop import orders\n\n\n"
    "def renew(stopped, key):\n    while not stopped.wait(20):\n"
    "        sqlite3.connect('shop.db').execute('update locks set seen = now()')\n"
    "\n\n"
)
STARTED = (
    "def {name}(key):\n    done = threading.Event()\n"
    "    beat = threading.Thread(target=renew, args=(done, key), daemon=True)\n    beat.start()\n"
    "    try:\n        orders.export(key)\n    {after}\n\n\n"
)


@pytest.mark.parametrize(
    ("starters", "jobs"),
    [
        # a task of a queue renews its lock by it, and ends it
        ("@shared_task\n" + STARTED.format(name="export", after="finally:\n        done.set()"), 0),
        # nothing ends it when the task is done
        ("@shared_task\n" + STARTED.format(name="export", after="except ValueError:\n        pass"), 1),
        # the program itself starts it
        (STARTED.format(name="main", after="finally:\n        done.set()") + "main('all')\n", 1),
        # both do
        (
            "@shared_task\n"
            + STARTED.format(name="export", after="finally:\n        done.set()")
            + STARTED.format(name="main", after="finally:\n        done.set()")
            + "main('all')\n",
            1,
        ),
    ],
)
def test_a_loop_that_goes_beside_a_queued_task_is_part_of_it(
    tmp_path: Path, starters: str, jobs: int
) -> None:
    found = discover(tmp_path, {"shop/work.py": BEAT + starters})
    assert [(j.schedule, j.handler) for j in found.jobs] == [("20 s", "renew")] * jobs


APP = """
    import { Sweeper } from './runner';
    export async function boot() { const sweeper = new Sweeper(); sweeper.start(); return sweeper; }
"""


@pytest.mark.parametrize(
    ("main", "jobs"),
    [
        # The file itself starts it when it is loaded, and a request may start it again.
        ("(async () => { await boot(); })();", 1),
        ("ready().then(() => { boot(); });", 1),
        # What the first request makes is kept for all others.
        ("const g = global as any; export async function get() { if (!g.app) { g.app = await boot(); } }", 1),
        (
            (
                "let app: any; export async function get() {"
                " if (!app) { app = new Promise((done) => { boot().then(done); }); } return app; }"
            ),
            1,
        ),
        ("export async function get() { const app = await boot(); return app; }", 0),
    ],
)
def test_who_else_starts_what_a_request_starts(tmp_path: Path, main: str, jobs: int) -> None:
    files = {
        "package.json": PACKAGE,
        "runner.ts": RUNNER,
        "app.ts": APP,
        "main.ts": f"""
            import express from 'express';
            import {{ boot }} from './app';
            const app = express();
            async function ready() {{}}
            app.post('/restart', async (req, res) => {{ await boot(); await get(); res.end(); }});
            {main}
        """
        if "get()" not in main
        else f"""
            import express from 'express';
            import {{ boot }} from './app';
            const server = express();
            {main}
            server.get('/', async (req, res) => {{ await get(); res.end(); }});
        """,
    }
    assert [(j.schedule, j.handler) for j in discover(tmp_path, files).jobs] == (
        [("60 s", "Sweeper.load")] * jobs
    )


def test_a_lock_that_renews_itself_is_no_job(tmp_path: Path) -> None:
    lock = """
        import { Pool } from 'pg';
        const db = new Pool();
        export class NAME {
          private timer: NodeJS.Timeout | null = null;
          async TAKE() {
            await db.query('insert into locks values (1)');
            this.timer = setInterval(() => db.query('update locks set seen = now()'), 15_000);
            return true;
          }
          private halt() { if (this.timer) clearInterval(this.timer); }
          async GIVE() { this.halt(); await db.query('delete from locks'); }
        }
        export const made = new NAME();
        made.TAKE();
    """
    named = {
        "lock.ts": lock.replace("NAME", "RowLock").replace("TAKE", "acquire").replace("GIVE", "release"),
        "pump.ts": lock.replace("NAME", "Pump").replace("TAKE", "start").replace("GIVE", "stop"),
        "main.ts": "import './lock';\nimport './pump';\n",
    }
    found = discover(tmp_path, {"package.json": PACKAGE, **named})
    assert [(j.schedule, j.at) for j in found.jobs] == [("15 s", "pump.ts:7")]
    assert found.rejected == ("lock.ts:7 it renews a lock for as long as that is held",)


@pytest.mark.parametrize("maker", ["useEffect(() => { new Retry().begin(); }, []);", "new Retry().begin();"])
def test_what_a_component_makes_lives_with_it(tmp_path: Path, maker: str) -> None:
    files = {
        "package.json": '{"main": "main.ts", "dependencies": {"react": "18", "pg": "8", "next": "14"}}',
        "retry.ts": """
            export class Retry {
              begin() { setInterval(() => fetch('https://hooks.test/seen', { method: 'POST' }), 400); }
            }
        """,
        "main.ts": f"""
            import {{ useEffect }} from 'react';
            import {{ Pool }} from 'pg';
            import {{ Retry }} from './retry';
            {maker}
        """,
    }
    found = discover(tmp_path, files)
    assert [j.schedule for j in found.jobs] == ([] if "useEffect" in maker else ["0.4 s"])
