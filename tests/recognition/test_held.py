"""Schedulers that a program hands around in a container: a member of an application, a service by its class's name."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

PACKAGE = (
    '{"main": "main.js", "dependencies": {"cronosjs": "1", "fastify": "4", "fastify-plugin": "4", "pg": "8"}}'
)
WORK = """
    const { Pool } = require('pg');
    const db = new Pool();
    exports.sweep = async () => { await db.query('delete from sessions'); };
    exports.count = async () => { await db.query('update totals set n = n + 1'); };
"""


def test_a_plugin_decorates_the_application_with_its_scheduler(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "work.js": WORK,
        "main.js": """
            const app = require('fastify')();
            app.register(require('./keeper'));
            app.register(require('./billing'));
            app.register(require('./other'));
            app.listen({ port: 80 });
        """,
        "keeper.js": """
            const { scheduleTask } = require('cronosjs');
            const plugin = require('fastify-plugin');
            module.exports = plugin(async function (app) {
              const known = {};
              async function addTask(task) {
                known[task.name] = task;
                if (task.schedule) scheduleTask(task.schedule, () => start(task));
              }
              function start(task) { return task.run(app).catch((e) => app.log.error(e)); }
              await addTask(require('./sessions'));
              app.decorate('keeper', { addTask, known });
            });
        """,
        "sessions.js": """
            const { sweep } = require('./work');
            module.exports = {
              name: 'session-sweep', schedule: '0 2 * * *', run: async () => { await sweep(); await sweep(); },
            };
        """,
        "billing.js": """
            const { count } = require('./work');
            module.exports = async function (app) {
              app.keeper.addTask({ name: 'totals', schedule: '@weekly', run: count });
              app.keeper.addTask({ name: 'at-start', schedule: '', run: count });
            };
        """,
        "other.js": """
            const { count } = require('./work');
            module.exports = async function (app) {
              app.board.addTask({ name: 'a card of a board', schedule: '0 1 * * *', run: count });
            };
        """,
    }
    found = discover(tmp_path, files)
    assert [(j.name, j.schedule, j.runs) for j in found.jobs] == [
        ("totals", "@weekly", "count"),
        ("session-sweep", "0 2 * * *", "run"),
    ]


def test_a_service_is_known_by_the_name_of_its_class(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "work.js": WORK,
        "main.js": """
            const { Scheduler } = require('./scheduler');
            const context = { scheduler: new Scheduler() };
            for (const file of require('fs').readdirSync('./parts')) require(`./parts/${file}`).start(context);
        """,
        "scheduler.js": """
            const { scheduleTask } = require('cronosjs');
            exports.Scheduler = class Scheduler {
              addJob(rule, work) { return scheduleTask(rule, work); }
            };
        """,
        "parts/sessions.js": """
            const { sweep } = require('../work');
            exports.start = (context) => { context.scheduler.addJob('0 2 * * *', sweep); };
        """,
        "parts/cards.js": """
            const { count } = require('../work');
            exports.start = (context) => { context.deck.addJob('0 3 * * *', count); };
        """,
    }
    found = discover(tmp_path, files)
    assert found.rows() == [(None, "0 2 * * *", "sweep")]


def test_a_method_of_one_word_is_known_beside_the_name_of_its_class_alone(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "work.js": WORK,
        "main.js": """
            const { PlannerService } = require('./planner');
            const { SweepService } = require('./sweeping');
            const { begin } = require('./begin');
            const makers = { services() { return wire({ plannerService: new PlannerService() }); } };
            function start(made = makers) {
              const services = made.services();
              begin(services);
            }
            start();
        """,
        "planner.js": """
            exports.PlannerService = class PlannerService {
              constructor() { this.timers = []; }
              plan(work, ms, id) { this.timers.push(setInterval(async () => { await work(); }, ms)); }
            };
        """,
        "begin.js": """
            const { sweep, count } = require('./work');
            exports.begin = (services) => {
              const { plannerService, floorService } = services;
              plannerService.plan(sweep, 60 * 1000, 'sweep');
              plannerService.plan(count, 30 * 1000, 'count');
              floorService.plan(count, 15 * 1000, 'a plan of a floor');
            };
        """,
        "sweeping.js": "exports.SweepService = class SweepService {};",
    }
    found = discover(tmp_path, files)
    assert [(j.name, j.schedule, j.runs, j.at) for j in found.jobs] == [
        ("sweep", "60 s", "sweep", "begin.js:4"),
        ("count", "30 s", "count", "begin.js:5"),
    ]


def test_a_library_s_object_is_handed_to_the_function_that_plans(tmp_path: Path) -> None:
    files = {
        "package.json": '{"main": "main.js", "dependencies": {"agenda": "1", "pg": "8"}}',
        "work.js": WORK,
        "main.js": """
            import Agenda from 'agenda';
            import * as retry from './retry';
            let agenda = null;
            function begin() {
              agenda = new Agenda({ db: { address: 'mongo' } });
              agenda.on('ready', () => { retry.setup(agenda); agenda.start(); });
            }
            begin();
        """,
        "retry.js": """
            import { sweep } from './work';
            const config = require('nconf');
            export function setup(agenda) {
              agenda.define('retry', (job, done) => sweep(job, done));
              agenda.define('report', (job, done) => sweep(job, done));
              agenda.every('1 minutes', 'retry');
              return agenda.every(config.get('reports').weeklyReportAt, 'report');
            }
        """,
    }
    found = discover(tmp_path, files)
    assert [(j.name, j.schedule, j.runs) for j in found.jobs] == [
        ("retry", "60 s", "sweep"),
        ("report", "open", "sweep"),
    ]


def test_a_class_that_a_container_makes_waits_for_its_settings(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "work.js": WORK,
        "main.js": """
            const { SweepService } = require('./sweeping');
            const { Ticker } = require('./ticker');
            container.get(SweepService).init();
        """,
        "sweeping.js": """
            const { sweep } = require('./work');
            class SweepService {
              constructor(config) { this.config = config; }
              init() { this.timer = setInterval(async () => await this.sweep(), this.config.minutes * 60000); }
              async sweep() { await sweep(); }
            }
            exports.SweepService = SweepService;
        """,
        "ticker.js": """
            class Ticker {
              constructor(ms, work) { setInterval(work, ms); }
            }
            exports.Ticker = Ticker;
        """,
    }
    found = discover(tmp_path, files)
    assert [(j.schedule, j.runs, j.at, j.live) for j in found.jobs] == [
        ("open", "sweep", "sweeping.js:4", True)
    ]
