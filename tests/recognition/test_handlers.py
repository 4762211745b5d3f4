"""What a job runs, behind wrappers of the project's own, and the name that those are told."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

PACKAGE = '{"main": "main.ts", "dependencies": {"croner": "9", "pg": "8", "cls-hooked": "4"}}'
WORK = """
    import { Pool } from 'pg';
    const db = new Pool();
    export async function sweep() { await db.query('delete from sessions'); }
    export async function count() { await db.query('update totals set n = n + 1'); }
"""


def test_what_a_wrapper_gives_back_runs_what_it_was_handed(tmp_path: Path) -> None:
    main = """
        import { Cron } from 'croner';
        import { sweep, count } from './work';
        function monitored<T>(name: string, work: () => Promise<T>) {
          return async () => {
            try { await work(); } catch (error) { console.error(name, error); }
          };
        }
        new Cron('*/5 * * * *', monitored('session-sweep', sweep));
        new Cron('17 * * * *', monitored('totals', count));
    """
    found = discover(tmp_path, {"package.json": PACKAGE, "work.ts": WORK, "main.ts": main})
    assert found.rows() == [("session-sweep", "*/5 * * * *", "sweep"), ("totals", "17 * * * *", "count")]


def test_a_wrapper_that_hands_the_work_on_to_a_library(tmp_path: Path) -> None:
    main = """
        import { createNamespace } from 'cls-hooked';
        import { sweep, count } from './work';
        const space = createNamespace('app');
        function inSpace(callback) { return space.runAndReturn(callback); }
        function wrap(callback) { return () => { inSpace(callback); }; }
        function nightly() {
          inSpace(() => { sweep(); count(); });
        }
        setInterval(wrap(sweep), 60_000);
        setInterval(wrap(() => count()), 120_000);
        setInterval(() => nightly(), 180_000);
    """
    found = discover(tmp_path, {"package.json": PACKAGE, "work.ts": WORK, "main.ts": main})
    assert found.rows() == [(None, "60 s", "sweep"), (None, "120 s", "count"), (None, "180 s", "nightly")]


def test_what_is_handed_beside_the_work_leaves_the_wrapper_as_it_is(tmp_path: Path) -> None:
    main = """
        import { sweep, count } from './work';
        function both(first, second) { return async () => { await first(); await second(); }; }
        setInterval(both(sweep, count), 60_000);
    """
    found = discover(tmp_path, {"package.json": PACKAGE, "work.ts": WORK, "main.ts": main})
    assert found.rows() == [(None, "60 s", "both.<anonymous>")]


def test_a_timer_that_waits_until_work_is_due_ends_with_it(tmp_path: Path) -> None:
    main = """
        import { sweep } from './work';
        class Delayed {
          last = 0;
          changed() { setTimeout(() => this.look(), 100); }
          look() {
            if (Date.now() - this.last > 1000) { this.last = Date.now(); sweep(); }
            else { this.changed(); }
          }
        }
        class Steady {
          next() { setTimeout(() => this.look(), 60_000); }
          look() { sweep(); this.next(); }
        }
        export const delayed = new Delayed();
        new Steady().next();
    """
    found = discover(tmp_path, {"package.json": PACKAGE, "work.ts": WORK, "main.ts": main})
    assert [(j.schedule, j.at) for j in found.jobs] == [("60 s", "main.ts:11")]


def test_a_line_of_a_log_beside_the_work_is_no_work(tmp_path: Path) -> None:
    main = """
        import { Cron } from 'croner';
        import { sweep, count } from './work';
        const logger = require('./logger');
        class Jobs {
          logger = logger;
          start() {
            new Cron('0 1 * * *', () => { logger.info('sweeping'); sweep(); });
            new Cron('0 2 * * *', async () => {
              this.logger.debug('counting');
              await count();
              console.log('counted');
            });
            new Cron('0 3 * * *', async () => { console.log('both'); await sweep(); await count(); });
          }
        }
        new Jobs().start();
    """
    files = {
        "package.json": PACKAGE,
        "work.ts": WORK,
        "logger.ts": "export const info = 1;\n",
        "main.ts": main,
    }
    assert [(j.schedule, j.handler) for j in discover(tmp_path, files).jobs] == [
        ("0 1 * * *", "sweep"),
        ("0 2 * * *", "count"),
        ("0 3 * * *", "Jobs.start.<anonymous>"),
    ]


def test_what_goes_on_after_the_work_is_not_the_work(tmp_path: Path) -> None:
    main = """
        import { sweep, count } from './work';
        async function check(version, then) { const found = await sweep(); then(null, found); }
        function told(error, found) { if (!error) console.log(found); }
        setInterval(() => check('1.0', told), 60_000);
        function mailed(address, text) { count(); }
        async function report(run, send) { const rows = await sweep(); each(rows, send, run); }
        function each(rows, send, run) { for (const row of rows) send(row.address, row.text); }
        setInterval((run) => report(run, mailed), 120_000);
    """
    found = discover(tmp_path, {"package.json": PACKAGE, "work.ts": WORK, "main.ts": main})
    assert [(j.schedule, j.runs) for j in found.jobs] == [("60 s", "check"), ("120 s", "report")]


def test_what_a_function_that_only_arms_a_timer_runs(tmp_path: Path) -> None:
    main = """
        import { sweep, count } from './work';
        class Pruning {
          next(pause = 3_600_000) {
            this.stop();
            this.timer = setTimeout(() => {
              this.prune().then((rate) => this.next(rate)).catch((error) => { report(error); this.next(1000); });
            }, pause);
          }
          stop() { clearTimeout(this.timer); }
          async prune() { await sweep(); return 60_000; }
        }
        class Counting {
          next() { this.timer = setTimeout(async () => { await this.count(); }, 60_000); }
          async count() { await count(); this.next(); }
        }
        class Both {
          next() { this.timer = setTimeout(async () => { await sweep(); await count(); this.next(); }, 60_000); }
        }
        class Ready {
          next() {
            this.timer = setTimeout(() => { const due = pick(this.all); this.run(due); this.next(); }, 60_000);
          }
          async run(due) { await count(); }
        }
        function report(error) { console.error(error); }
        new Pruning().next(); new Counting().next(); new Both().next(); new Ready().next();
    """
    found = discover(tmp_path, {"package.json": PACKAGE, "work.ts": WORK, "main.ts": main})
    assert [(j.kind, j.runs) for j in found.jobs] == [
        ("set-timeout-loop", "Pruning.prune"),
        ("set-timeout-loop", "Counting.count"),
        ("set-timeout-loop", "Both.next"),
        ("set-timeout-loop", "Ready.next"),
    ]
