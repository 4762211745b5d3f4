"""Jobs in classes that are written as a function and what is assigned to its prototype, here or in other files."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

PACKAGE = '{"main": "main.js", "dependencies": {"node-schedule": "2", "pg": "8", "dayjs": "1"}}'
WORK = """
    const { Pool } = require('pg');
    const db = new Pool();
    exports.sweep = async () => { await db.query('delete from sessions'); };
    exports.count = async () => { await db.query('update totals set n = n + 1'); };
"""


def test_methods_in_files_of_their_own(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "work.js": WORK,
        "main.js": """
            const Hub = require('./hub');
            const Clock = require('./clock');
            const hub = new Hub(new Clock());
            hub.start();
        """,
        "clock/index.js": """
            const schedule = require('node-schedule');
            const { scheduleJob } = require('./clock.scheduleJob');
            const Clock = function Clock() { this.library = schedule; };
            Clock.prototype.scheduleJob = scheduleJob;
            module.exports = Clock;
        """,
        "clock/clock.scheduleJob.js": """
            function scheduleJob(rule, method) { return this.library.scheduleJob(rule, method); }
            module.exports = { scheduleJob };
        """,
        "hub/index.js": """
            const { start } = require('./hub.start');
            const { refresh } = require('./hub.refresh');
            function Hub(clock) { this.clock = clock; this.every = 30 * 1000; }
            Hub.prototype.start = start;
            Hub.prototype.refresh = refresh;
            module.exports = Hub;
        """,
        "hub/hub.start.js": """
            const { count } = require('../work');
            function start() {
              setInterval(this.refresh.bind(this), this.every);
              this.clock.scheduleJob('0 3 * * *', () => count());
              if (!this.early) {
                const rule = { hour: 11, minute: 10 };
                this.early = this.clock.scheduleJob(rule, () => count());
              }
              if (!this.late) {
                const rule = { hour: 16, minute: 10, dayOfWeek: [1, 5] };
                this.late = this.clock.scheduleJob(rule, () => count());
              }
            }
            module.exports = { start };
        """,
        "hub/hub.refresh.js": """
            const { sweep } = require('../work');
            async function refresh() { await sweep(); await this.clock.scheduleJob(new Date(), () => {}); }
            module.exports = { refresh };
        """,
    }
    found = discover(tmp_path, files)
    assert [(j.at, j.schedule, j.handler) for j in found.jobs] == [
        ("hub/hub.start.js:4", "0 3 * * *", "count"),
        ("hub/hub.start.js:7", "0 10 11 * * *", "count"),
        ("hub/hub.start.js:11", "0 10 16 * * 1,5", "count"),
        ("hub/index.js:3", "30 s", "Hub.refresh"),
    ]


def test_a_class_in_one_file(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "work.js": WORK,
        "main.js": """
            const util = require('util');
            const { sweep } = require('./work');
            function Base() { this.every = 60 * 1000; }
            Base.prototype.start = Base.prototype.begin = function () {
              setInterval(() => this.tick(), this.every);
            };
            function Sweeper() { Base.call(this); }
            util.inherits(Sweeper, Base);
            Object.assign(Sweeper.prototype, { async tick() { await sweep(); } });
            new Sweeper().begin();
            function Idle() {}
            Idle.prototype = { start() { setInterval(() => sweep(), 1000); } };
            module.exports = Idle;
        """,
    }
    found = discover(tmp_path, files)
    assert [(j.schedule, j.handler) for j in found.jobs] == [
        ("60 s", "sweep"),
        ("1 s", "sweep"),
    ]


def test_the_fields_of_a_rule_that_are_open_are_no_star(tmp_path: Path) -> None:
    main = """
        const schedule = require('node-schedule');
        const { sweep } = require('./work');
        async function arm(settings) {
          const day = Number(process.env.DAY);
          schedule.scheduleJob({ dayOfWeek: day, hour: 9, minute: 0 }, sweep);
          const rule = new schedule.RecurrenceRule();
          rule.hour = 1;
          rule.minute = 30;
          schedule.scheduleJob('nightly', rule, sweep);
          const random = new schedule.RecurrenceRule();
          random.hour = Math.floor(Math.random() * 7);
          schedule.scheduleJob('some-night', random, sweep);
          (await settings.rows()).forEach((row) => { schedule.scheduleJob(row.cron, sweep); });
          settings.router.post('/jobs', (req, res) => { schedule.scheduleJob(req.body.cron, sweep); res.end(); });
        }
        arm(require('./settings'));
    """
    found = discover(
        tmp_path,
        {"package.json": PACKAGE, "work.js": WORK, "settings.js": "exports.x = 1;\n", "main.js": main},
    )
    assert [(j.name, j.schedule) for j in found.jobs] == [
        (None, "open"),
        ("nightly", "0 30 1 * * *"),
        ("some-night", "open"),
        (None, "open"),
    ]


def test_a_single_date_is_no_schedule(tmp_path: Path) -> None:
    main = """
        const schedule = require('node-schedule');
        const dayjs = require('dayjs');
        const { sweep } = require('./work');
        function Clock() { this.library = schedule; }
        Clock.prototype.at = function (rule, work) { return this.library.scheduleJob(rule, work); };
        const clock = new Clock();
        clock.at(dayjs().add(5, 'minute').toDate(), sweep);
        clock.at('0 5 * * *', sweep);
    """
    found = discover(tmp_path, {"package.json": PACKAGE, "work.js": WORK, "main.js": main})
    assert [(j.schedule, j.at) for j in found.jobs] == [("0 5 * * *", "main.js:8")]
