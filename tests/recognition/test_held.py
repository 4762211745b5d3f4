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
