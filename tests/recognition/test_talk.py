"""Timers that only say what they did in memory, and intervals out of a setting with a default."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

LOG = """
    const fs = require('fs');
    const file = fs.createWriteStream('app.log');
    function line(text) { fs.appendFileSync('app.log', text); }
    exports.info = function info(text) { line(`${Date.now()} ${text}`); };
"""


def test_a_logger_that_writes_a_file_makes_no_job(tmp_path: Path) -> None:
    main = """
        const log = require('./services/log');
        const fs = require('fs');
        const open = {};
        setInterval(() => {
          for (const key in open) {
            if (Date.now() - open[key].at > 60_000) { log.info(`dropped ${key}`); delete open[key]; }
          }
        }, 60_000);
        setInterval(() => {
          log.info('saving');
          fs.writeFileSync('state.json', JSON.stringify(open));
        }, 30_000);
    """
    found = discover(
        tmp_path, {"package.json": '{"main": "main.js"}', "services/log.js": LOG, "main.js": main}
    )
    assert [(j.schedule, j.at) for j in found.jobs] == [("30 s", "main.js:12")]
    assert found.rejected == ("main.js:4 its work stays in the memory of the process",)


def test_a_timer_that_is_armed_again_with_another_interval_goes_on(tmp_path: Path) -> None:
    main = """
        const { Pool } = require('pg');
        const db = new Pool();
        class Tokens {
          expires = 3600;
          start() { this.timer = setInterval(this.refresh.bind(this), this.expires * 1000); }
          async refresh() {
            const before = this.expires;
            await db.query('update tokens set at = now()');
            if (this.expires !== before) { clearInterval(this.timer); this.start(); }
          }
        }
        class Waiting {
          start() { this.timer = setInterval(this.look.bind(this), 5000); }
          async look() {
            const { rows } = await db.query('update jobs set asked = now() returning ready');
            if (rows.length) clearInterval(this.timer);
          }
        }
        new Tokens().start();
        new Waiting().start();
    """
    package = '{"main": "main.js", "dependencies": {"pg": "8"}}'
    found = discover(tmp_path, {"package.json": package, "main.js": main})
    assert [(j.schedule, j.handler) for j in found.jobs] == [("3600 s", "Tokens.refresh")]
    assert found.rejected == ("main.js:13 it clears itself once its condition holds",)


def test_a_number_of_hours_out_of_a_setting_with_a_default(tmp_path: Path) -> None:
    main = """
        import Agenda from 'agenda';
        import { Pool } from 'pg';
        const db = new Pool();
        function number(text) { const n = parseInt(text, 10); return isNaN(n) ? undefined : n; }
        function setting(value, fallback, limits) {
          if (value === undefined) return fallback;
          const n = number(value);
          if (n === undefined || n < limits.min) { console.warn('too small'); return fallback; }
          return n;
        }
        const HOURS = setting(process.env.SWEEP_HOURS, 24, { min: 1 });
        const agenda = new Agenda();
        agenda.define('sweep', async () => { await db.query('delete from sessions'); });
        async function main() {
          const job = agenda.create('sweep', {});
          job.repeatEvery(HOURS + ' hours');
          await job.save();
        }
        main();
    """
    package = '{"main": "main.ts", "dependencies": {"agenda": "5", "pg": "8"}}'
    found = discover(tmp_path, {"package.json": package, "main.ts": main})
    assert [(j.name, j.schedule) for j in found.jobs] == [("sweep", "86400 s")]
