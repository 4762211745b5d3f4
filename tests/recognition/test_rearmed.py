"""One arming call to which several ways lead: which of them are jobs of their own."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

PACKAGE = '{"name": "shop", "main": "src/server.ts", "dependencies": {"express": "4", "pg": "8", "node-schedule": "2"}}'
PLAN = """
    import { scheduleJob } from 'node-schedule';
    import { Pool } from 'pg';
    export const db = new Pool();
    export const NIGHTLY = '50 23 * * *';
    export async function dump(id: string) { await db.query('insert into dumps values ($1)', [id]); }
    export async function prune() { await db.query('delete from images'); }
    export function planDump(row: Row) {
      const { id, schedule } = row;
      scheduleJob(id, schedule, async () => { await dump(id); });
    }
    export function planPrune(host: string) {
      scheduleJob(host, NIGHTLY, async () => { await prune(); });
    }
    export function planNamed(name: string, row: Row, work: () => Promise<void>) {
      scheduleJob(name, row.schedule, async () => { console.log(name); await work(); });
    }
"""
SERVER = """
    import express from 'express';
    import { scheduleJob } from 'node-schedule';
    import { NIGHTLY, db, dump, planDump, planNamed, planPrune, prune } from './plan';
    const app = express();
    async function boot() {
      for (const row of (await db.query('select * from plans')).rows) planDump(row);
      for (const host of (await db.query('select * from hosts')).rows) planPrune(host.id);
      const settings = (await db.query('select * from settings')).rows[0];
      planNamed('first', settings, async () => { await dump('a'); });
      planNamed('second', settings, async () => { await dump('b'); });
      scheduleJob('local-prune', NIGHTLY, async () => { await prune(); console.log('pruned'); });
    }
    app.post('/plans', async (req, res) => {
      const row = (await db.query('insert into plans values ($1)', [req.body])).rows[0];
      planDump(row);
      planPrune(row.host);
      res.end();
    });
    app.post('/switch', (req, res) => {
      scheduleJob('local-prune', NIGHTLY, async () => { await prune(); });
      res.end();
    });
    boot();
    app.listen(80);
"""


def test_what_a_request_arms_again_is_the_job_that_the_start_arms(tmp_path: Path) -> None:
    found = discover(tmp_path, {"package.json": PACKAGE, "src/plan.ts": PLAN, "src/server.ts": SERVER})

    assert [(j.at, j.name, j.schedule) for j in found.jobs] == [
        ("src/plan.ts:9", None, "open"),
        ("src/plan.ts:12", None, "50 23 * * *"),
        ("src/server.ts:9", "first", "open"),
        ("src/server.ts:10", "second", "open"),
        ("src/server.ts:11", "local-prune", "50 23 * * *"),
    ]


QUEUE = """
    import { Queue, Worker } from 'bullmq';
    import { Pool } from 'pg';
    const db = new Pool();
    const jobs = new Queue('jobs');
    new Worker('jobs', async (job) => { await db.query('insert into runs values ($1)', [job.name]); });
    export async function plan(job: Planned) {
      if (job.type === 'report') {
        await jobs.add(job.reportId, job, { repeat: { pattern: job.cron } });
      } else if (job.type === 'sweep') {
        await jobs.add('sweep', job, { repeat: { pattern: job.cron } });
      } else {
        await jobs.add(job.mailId, job, { repeat: { pattern: job.cron, tz: job.zone || 'UTC' } });
      }
    }
"""
FEEDER = """
    import express from 'express';
    import { db } from './db';
    import { plan } from './queue';
    async function boot() {
      await plan({ type: 'sweep', cron: '0 3 * * *' });
      for (const row of await db.reports()) await plan({ type: 'report', reportId: row.id, cron: row.cron });
      for (const row of await db.mails()) await plan({ type: 'mail', mailId: row.id, cron: row.cron });
    }
    const app = express();
    app.post('/plans', async (req, res) => { await plan(req.body); res.end(); });
    boot();
    app.listen(80);
"""


def test_what_a_caller_hands_in_closes_the_branches_that_are_not_its_own(tmp_path: Path) -> None:
    found = discover(tmp_path, {"package.json": PACKAGE, "src/queue.ts": QUEUE, "src/feeder.ts": FEEDER})

    assert [(j.at, j.name, j.schedule, j.zone) for j in found.jobs] == [
        ("src/feeder.ts:5", "sweep", "0 3 * * *", None),
        ("src/feeder.ts:6", None, "open", None),
        ("src/feeder.ts:7", None, "open", "UTC"),
    ]


MIXIN = """
    const { scheduleJob } = require('node-schedule');
    const fs = require('fs');
    module.exports = function (Engine) {
      Engine.planRestart = function (app) {
        scheduleJob(app.restartCron, function restart() { fs.writeFileSync('restarts', app.id); });
      };
    };
"""
OPEN = """
    const { scheduleJob } = require('node-schedule');
    exports.planRestart = function (app) { scheduleJob(app.restartCron, function restart() {}); };
"""


def test_a_function_that_is_put_on_what_its_maker_was_handed_is_called_by_whoever_has_it(
    tmp_path: Path,
) -> None:
    engine = "const { Engine, apps } = require('engine-kit');\nrequire('./mixin')(Engine);\n"
    use = "for (const app of apps()) Engine.planRestart(app);\n"

    found = discover(tmp_path, {"mixin.js": MIXIN, "server.js": engine + use})

    assert found.rows() == [(None, "open", "planRestart.restart")]


def test_a_wrapper_that_is_only_exported_arms_nothing(tmp_path: Path) -> None:
    assert discover(tmp_path, {"lib.js": OPEN}).rows() == []
