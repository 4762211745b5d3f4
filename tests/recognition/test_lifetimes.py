"""Timers of objects that a request or a queued job makes anew, beside those of objects that the process makes once."""

from __future__ import annotations

from pathlib import Path

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
        "runner.ts:6 it lives as long as one request or queued job, which makes its object"
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
