"""One realistic use of each scheduler, and what the call says about the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

HEAD = (
    "import { Pool } from 'pg';\nconst db = new Pool();\n"
    "async function sweep() { await db.query('delete from sessions'); }\n"
)


@dataclass(frozen=True)
class Use:
    """Code behind `HEAD` in ``src/main.ts``, and the job that it arms."""

    code: str
    kind: str
    name: str | None
    schedule: str
    zone: str | None = None
    handler: str | None = "sweep"
    path: str = "src/main.ts"
    head: str = HEAD


USES = {
    "node-cron": Use(
        (
            "import cron from 'node-cron';\n"
            "cron.schedule('*/5 * * * *', sweep, { timezone: 'Europe/Berlin', name: 'sweep' });"
        ),
        "node-cron", "sweep", "*/5 * * * *", "Europe/Berlin",
    ),
    "node-cron, seconds, namespace import": Use(
        "import * as cron from 'node-cron';\ncron.schedule('0 30 2 * * *', () => { sweep(); });",
        "node-cron", None, "0 30 2 * * *",
    ),
    "node-cron, named import": Use(
        "import { schedule } from 'node-cron';\nschedule('0 * * * *', async () => await sweep());",
        "node-cron", None, "0 * * * *",
    ),
    "node-cron, require": Use(
        "const cron = require('node-cron');\ncron.schedule(process.env.SWEEP_CRON || '0 3 * * *', sweep);",
        "node-cron", None, "0 3 * * *",
    ),
    "cron, constructor": Use(
        "import { CronJob } from 'cron';\nnew CronJob('0 0 4 * * *', sweep, null, true, 'UTC');",
        "cron", None, "0 0 4 * * *", "UTC",
    ),
    "cron, started later": Use(
        (
            "import { CronJob } from 'cron';\n"
            "const job = new CronJob('0 5 * * *', () => sweep(), null, false, 'UTC');\njob.start();"
        ),
        "cron", None, "0 5 * * *", "UTC",
    ),
    "cron, from": Use(
        (
            "import { CronJob } from 'cron';\n"
            "CronJob.from({ cronTime: '15 1 * * 1', onTick: sweep, start: true, timeZone: 'UTC', name: 's' });"
        ),
        "cron", "s", "15 1 * * 1", "UTC",
    ),
    "cron, 2015": Use(
        "var cronJob = require('cron').CronJob;\nnew cronJob('0 17 * * *', function () { sweep(); }, null, true);",
        "cron", None, "0 17 * * *",
    ),
    "croner": Use(
        (
            "import { Cron } from 'croner';\n"
            "new Cron('@daily', { timezone: 'UTC', name: 'sweep', protect: true }, sweep);"
        ),
        "croner", "sweep", "@daily", "UTC",
    ),
    "croner, without options": Use(
        "import Cron from 'croner';\nCron('0 4 * * *', () => sweep());", "croner", None, "0 4 * * *",
    ),
    "node-schedule": Use(
        "import schedule from 'node-schedule';\nschedule.scheduleJob('sweep', '0 4 * * *', sweep);",
        "node-schedule", "sweep", "0 4 * * *",
    ),
    "node-schedule, rule with zone": Use(
        (
            "import schedule from 'node-schedule';\n"
            "schedule.scheduleJob({ rule: '0 6 * * *', tz: 'Asia/Tokyo' }, sweep);"
        ),
        "node-schedule", None, "0 6 * * *", "Asia/Tokyo",
    ),
    "bullmq, job scheduler": Use(
        (
            "import { Queue, Worker } from 'bullmq';\nconst queue = new Queue('mail');\n"
            "new Worker('mail', sweep);\n"
            "await queue.upsertJobScheduler('daily', { pattern: '0 6 * * *', tz: 'UTC' }, { name: 'digest' });"
        ),
        "bullmq", "daily", "0 6 * * *", "UTC",
    ),
    "bullmq, repeat": Use(
        (
            "import { Queue, Worker } from 'bullmq';\nconst queue = new Queue('mail');\n"
            "new Worker('mail', async () => sweep());\n"
            "queue.add('digest', {}, { repeat: { every: 5 * 60 * 1000 }, jobId: 'digest-1' });"
        ),
        "bullmq", "digest-1", "300 s",
    ),
    "bull": Use(
        (
            "import Queue from 'bull';\nconst queue = new Queue('mail');\nqueue.process('digest', sweep);\n"
            "queue.add('digest', {}, { repeat: { cron: '0 8 * * *', tz: 'UTC' } });"
        ),
        "bull", "digest", "0 8 * * *", "UTC",
    ),
    "bull, unnamed": Use(
        (
            "const Bull = require('bull');\nconst queue = Bull('mail');\nqueue.process(sweep);\n"
            "queue.add({}, { repeat: { every: 60000 } });"
        ),
        "bull", "mail", "60 s",
    ),
    "agenda": Use(
        (
            "import Agenda from 'agenda';\nconst agenda = new Agenda();\nagenda.define('sweep', sweep);\n"
            "await agenda.start();\nawait agenda.every('3 minutes', 'sweep');"
        ),
        "agenda", "sweep", "180 s",
    ),
    "pg-boss": Use(
        (
            "import PgBoss from 'pg-boss';\nconst boss = new PgBoss('');\nawait boss.work('sweep', sweep);\n"
            "await boss.schedule('sweep', '0 2 * * *', {}, { tz: 'America/Chicago' });"
        ),
        "pg-boss", "sweep", "0 2 * * *", "America/Chicago",
    ),
    "cadence, spread into services": Use(
        (
            "import { createCadence } from '@cadence-mq/core';\n"
            "function services() { const queue = createCadence({}); return { ...queue, open: () => true }; }\n"
            "type Tasks = ReturnType<typeof services>;\ninterface Deps { tasks: Tasks }\n"
            "function plan({ tasks }: Deps) {\n"
            "  const taskName = 'sweep';\n  tasks.registerTask({ taskName, handler: sweep });\n"
            "  tasks.schedulePeriodicJob({ scheduleId: `often-${taskName}`, taskName, cron: '0 3 * * *' });\n}\n"
            "plan({ tasks: services() });"
        ),
        "cadence-mq", "sweep", "0 3 * * *",
    ),
    "nest, cron": Use(
        (
            "import { Injectable } from '@nestjs/common';\n"
            "import { Cron, CronExpression } from '@nestjs/schedule';\n@Injectable()\nexport class Tasks {\n"
            "  @Cron(CronExpression.EVERY_HOUR, { name: 'hourly', timeZone: 'UTC' })\n"
            "  async hourly() { await sweep(); }\n}"
        ),
        "nest-schedule", "hourly", "0 0-23/1 * * *", "UTC", path="src/tasks.service.ts",
    ),
    "nest, interval": Use(
        (
            "import { Interval } from '@nestjs/schedule';\nexport class Tasks {\n  @Interval('beat', 30_000)\n"
            "  async beat() { await sweep(); await sweep(); }\n}"
        ),
        "nest-schedule", "beat", "30 s", handler="Tasks.beat", path="src/tasks.service.ts",
    ),
    "set-interval": Use("setInterval(sweep, 60 * 60 * 1000);", "set-interval", None, "3600 s"),
    "timers": Use((
        "import { setInterval } from 'node:timers';\nsetInterval(() => { void sweep(); }, 1000);"
    ), "set-interval", None, "1 s"),
    "firebase": Use(
        (
            "import { onSchedule } from 'firebase-functions/v2/scheduler';\n"
            "export const nightly = onSchedule({ schedule: 'every 24 hours', timeZone: 'UTC' }, async "
            "() => { await sweep(); });"
        ),
        "firebase-schedule", None, "86400 s", "UTC",
    ),
    "firebase, words of App Engine": Use(
        (
            "import { onSchedule } from 'firebase-functions/v2/scheduler';\n"
            "export const nightly = onSchedule('every day 03:00', sweep);"
        ),
        "firebase-schedule", None, "every day 03:00",
    ),
    "firebase, first generation": Use(
        (
            "import * as functions from 'firebase-functions';\n"
            "export const hourly = functions.pubsub.schedule('0 * * * *').timeZone('UTC').onRun(sweep);"
        ),
        "firebase-schedule", None, "0 * * * *", "UTC",
    ),
    "inngest": Use(
        (
            "import { Inngest } from 'inngest';\nconst inngest = new Inngest({ id: 'app' });\n"
            "export const f = inngest.createFunction({ id: 'digest' }, { cron: '0 9 * * *' }, async () "
            "=> { await sweep(); await sweep(); });"
        ),
        "inngest", "digest", "0 9 * * *", handler="<anonymous>",
    ),
    "trigger.dev": Use(
        (
            "import { schedules } from '@trigger.dev/sdk/v3';\n"
            "export const digest = schedules.task({ id: 'digest', cron: { pattern: '0 5 * * *', "
            "timezone: 'UTC' }, run: sweep });"
        ),
        "trigger-dev", "digest", "0 5 * * *", "UTC",
    ),
    "temporal": Use(
        (
            "import { Client } from '@temporalio/client';\nconst client = new Client();\n"
            "await client.schedule.create({ scheduleId: 'sweep', spec: { cronExpressions: ['0 1 * * "
            "*'], timezone: 'UTC' },\n  action: { type: 'startWorkflow', workflowType: sweep } });"
        ),
        "temporal", "sweep", "0 1 * * *", "UTC",
    ),
    "qstash": Use(
        (
            "import { Client } from '@upstash/qstash';\nconst client = new Client({ token: 't' });\n"
            "await client.schedules.create({ scheduleId: 'sweep', destination: 'https://x.example', "
            "cron: '*/10 * * * *' });"
        ),
        "qstash", "sweep", "*/10 * * * *", handler=None,
    ),
    "deno": Use("Deno.cron('sweep', '0 4 * * *', sweep);", "deno-cron", "sweep", "0 4 * * *"),
    "medusa": Use(
        (
            "import type { MedusaContainer } from '@medusajs/framework/types';\n"
            "export default async function nightly() { await sweep(); await sweep(); }\n"
            "export const config = { name: 'nightly', schedule: '0 0 * * *' };"
        ),
        "medusa", "nightly", "0 0 * * *", handler="nightly", path="src/jobs/nightly.ts",
    ),
    "netlify": Use(
        "import { schedule } from '@netlify/functions';\nexport const handler = schedule('@hourly', sweep);",
        "netlify-cron", None, "@hourly", path="netlify/functions/sweep.ts",
    ),
    "netlify, configured": Use(
        (
            "import type { Config } from '@netlify/functions';\nexport default sweep;\n"
            "export const config: Config = { schedule: '@daily' };"
        ),
        "netlify-cron", None, "@daily", path="netlify/functions/sweep.ts",
    ),
    "synced-cron": Use(
        (
            "import { SyncedCron } from 'meteor/littledata:synced-cron';\n"
            "SyncedCron.add({ name: 'sweep', schedule(parser) { return parser.text('every 2 hours'); "
            "}, job: sweep });\nSyncedCron.start();"
        ),
        "synced-cron", "sweep", "7200 s",
    ),
    "meteor": Use(
        (
            "import { Meteor } from 'meteor/meteor';\n"
            "Meteor.startup(() => { Meteor.setInterval(() => sweep(), 60 * 60 * 1000); });"
        ),
        "set-interval", None, "3600 s",
    ),
    "synced-cron, behind a proxy": Use(
        (
            "const real = () => require('meteor/quave:synced-cron').SyncedCron;\n"
            "const cron = new Proxy({}, { get(_target, key) { return real()[key]; } });\n"
            "cron.add({ name: 'sweep', schedule: (p) => p.text('every 5 minutes'), job: async () => sweep() });"
        ),
        "synced-cron", "sweep", "300 s",
    ),
    "synced-cron, cron": Use(
        (
            "import { SyncedCron } from 'meteor/quave:synced-cron';\n"
            "SyncedCron.add({\n  name: 'sweep', schedule: (parser) => parser.cron('0 3 * * *'),\n"
            "  job: async () => sweep(),\n});"
        ),
        "synced-cron", "sweep", "0 3 * * *",
    ),
    "payload": Use(
        (
            "import { buildConfig } from 'payload';\nexport default buildConfig({ jobs: { tasks: [\n"
            "  { slug: 'sweep', handler: sweep, schedule: [{ cron: '0 3 * * *', queue: 'nightly' }] },\n] } });"
        ),
        "payload", "sweep", "0 3 * * *", path="src/payload.config.ts",
    ),
    "sst": Use(
        (
            "import { Cron } from 'sst/constructs';\n"
            "export default { stacks(app) { app.stack(function Site({ stack }) {\n"
            "  new Cron(stack, 'Sweep', { schedule: 'rate(5 minutes)', job: 'src/a.handler' }); }); } };"
        ),
        "eventbridge", "Sweep", "300 s", handler=None, path="sst.config.ts",
    ),
    "cdk": Use(
        (
            "import { Rule, Schedule } from 'aws-cdk-lib/aws-events';\n"
            "import { Duration } from 'aws-cdk-lib';\n"
            "new Rule(stack, 'Sweep', { schedule: Schedule.rate(Duration.minutes(5)) });"
        ),
        "eventbridge", "Sweep", "300 s", handler=None,
    ),
    "strapi, added": Use(
        (
            "export default { async bootstrap({ strapi }) { strapi.cron.add({ sweep: { task: sweep, "
            "options: { rule: '0 1 * * *', tz: 'UTC' } } }); } };"
        ),
        "node-schedule", "sweep", "0 1 * * *", "UTC", path="src/index.ts",
    ),
    "strapi, configured": Use(
        "module.exports = { '0 2 * * *': async ({ strapi }) => { await sweep(); await sweep(); } };",
        "node-schedule", None, "0 2 * * *", handler="0 2 * * *", path="config/cron-tasks.js",
        head=HEAD.replace("import { Pool } from", "const { Pool } = require(").replace("'pg';", "'pg');"),
    ),
    "directus": Use(
        (
            "import { defineHook } from '@directus/extensions-sdk';\n"
            "export default defineHook(({ schedule }) => { schedule('*/15 * * * *', sweep); });"
        ),
        "node-schedule", None, "*/15 * * * *",
    ),
    "sapphire": Use(
        (
            "import { ApplyOptions } from '@sapphire/decorators';\n"
            "import { ScheduledTask } from '@sapphire/plugin-scheduled-tasks';\n"
            "@ApplyOptions<ScheduledTask.Options>({ name: 'sweep', pattern: '0 4 * * *' })\n"
            "export class Sweep extends ScheduledTask {\n  async run() { await sweep(); await sweep(); }\n}"
        ),
        "bullmq", "sweep", "0 4 * * *", handler="Sweep.run",
    ),
    "job manager": Use(
        (
            "const JobManager = require('@tryghost/job-manager');\nconst jobs = new JobManager({});\n"
            "jobs.addJob({ at: '0 0 3 * * *', name: 'sweep', job: sweep });"
        ),
        "bree", "sweep", "0 0 3 * * *",
    ),
    "later": Use(
        "import later from '@breejs/later';\nlater.setInterval(sweep, later.parse.text('every 5 mins'));",
        "later", None, "300 s",
    ),
    "adonis": Use(
        "import scheduler from 'adonisjs-scheduler/services/main';\nscheduler.call(sweep).cron('0 7 * * *');",
        "adonis-scheduler", None, "0 7 * * *",
    ),
    "cron-schedule": Use(
        (
            "import { TimerBasedCronScheduler as scheduler, parseCronExpression } from 'cron-schedule';\n"
            "scheduler.setInterval(parseCronExpression('*/5 * * * *'), sweep);"
        ),
        "cron-schedule", None, "*/5 * * * *",
    ),
    "cronosjs": Use(
        (
            "import { scheduleTask } from 'cronosjs';\n"
            "scheduleTask('0 4 * * *', sweep, { timezone: 'Europe/Berlin' });"
        ),
        "cronosjs", None, "0 4 * * *", "Europe/Berlin",
    ),
    "cronosjs, a task": Use(
        (
            "import { CronosExpression, CronosTask } from 'cronosjs';\n"
            "const task = new CronosTask(CronosExpression.parse('0 5 * * *', { timezone: 'UTC' }));\n"
            "task.on('run', sweep).start();"
        ),
        "cronosjs", None, "0 5 * * *", "UTC",
    ),
    "moleculer": Use(
        (
            "import { ServiceBroker } from 'moleculer';\nconst broker = new ServiceBroker();\n"
            "broker.createService({ name: 'x', crons: [{ name: 'sweep', cronTime: '0 1 * * *', onTick: "
            "sweep, timeZone: 'UTC' }] });"
        ),
        "cron", "sweep", "0 1 * * *", "UTC",
    ),
    "fastify-cron": Use(
        (
            "import fastify from 'fastify';\nimport fastifyCron from 'fastify-cron';\nconst app = fastify();\n"
            "app.register(fastifyCron, { jobs: [{ name: 'sweep', cronTime: '0 1 * * *', onTick: sweep, "
            "start: true }] });"
        ),
        "cron", "sweep", "0 1 * * *",
    ),
}  # fmt: skip


OPEN = {
    "firebase, words of App Engine": "no dialect reads App Engine's words (every day 03:00)",
}
"""What is not read yet, and why."""


@pytest.mark.parametrize("library", USES)
def test_each_scheduler(tmp_path: Path, library: str, request: pytest.FixtureRequest) -> None:
    if library in OPEN:
        request.applymarker(pytest.mark.xfail(strict=True, reason=OPEN[library]))
    use = USES[library]
    found = discover(tmp_path, {use.path: use.head + use.code}).only()

    assert (found.kind, found.name, found.schedule, found.zone, found.handler, found.live) == (
        use.kind, use.name, use.schedule, use.zone, use.handler, True,
    )  # fmt: skip
