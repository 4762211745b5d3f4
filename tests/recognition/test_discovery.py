"""One realistic use of each scheduler, and what the call says about the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

HEAD = "import { Pool } from 'pg';\nconst db = new Pool();\nasync function sweep() { await db.query('delete from sessions'); }\n"


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
        "import cron from 'node-cron';\ncron.schedule('*/5 * * * *', sweep, { timezone: 'Europe/Berlin', name: 'sweep' });",
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
        "import { CronJob } from 'cron';\nconst job = new CronJob('0 5 * * *', () => sweep(), null, false, 'UTC');\njob.start();",
        "cron", None, "0 5 * * *", "UTC",
    ),
    "cron, from": Use(
        "import { CronJob } from 'cron';\nCronJob.from({ cronTime: '15 1 * * 1', onTick: sweep, start: true, timeZone: 'UTC', name: 's' });",
        "cron", "s", "15 1 * * 1", "UTC",
    ),
    "cron, 2015": Use(
        "var cronJob = require('cron').CronJob;\nnew cronJob('0 17 * * *', function () { sweep(); }, null, true);",
        "cron", None, "0 17 * * *",
    ),
    "croner": Use(
        "import { Cron } from 'croner';\nnew Cron('@daily', { timezone: 'UTC', name: 'sweep', protect: true }, sweep);",
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
        "import schedule from 'node-schedule';\nschedule.scheduleJob({ rule: '0 6 * * *', tz: 'Asia/Tokyo' }, sweep);",
        "node-schedule", None, "0 6 * * *", "Asia/Tokyo",
    ),
    "bullmq, job scheduler": Use(
        "import { Queue, Worker } from 'bullmq';\nconst queue = new Queue('mail');\nnew Worker('mail', sweep);\n"
        "await queue.upsertJobScheduler('daily', { pattern: '0 6 * * *', tz: 'UTC' }, { name: 'digest' });",
        "bullmq", "daily", "0 6 * * *", "UTC",
    ),
    "bullmq, repeat": Use(
        "import { Queue, Worker } from 'bullmq';\nconst queue = new Queue('mail');\nnew Worker('mail', async () => sweep());\n"
        "queue.add('digest', {}, { repeat: { every: 5 * 60 * 1000 }, jobId: 'digest-1' });",
        "bullmq", "digest-1", "300 s",
    ),
    "bull": Use(
        "import Queue from 'bull';\nconst queue = new Queue('mail');\nqueue.process('digest', sweep);\n"
        "queue.add('digest', {}, { repeat: { cron: '0 8 * * *', tz: 'UTC' } });",
        "bull", "digest", "0 8 * * *", "UTC",
    ),
    "bull, unnamed": Use(
        "const Bull = require('bull');\nconst queue = Bull('mail');\nqueue.process(sweep);\n"
        "queue.add({}, { repeat: { every: 60000 } });",
        "bull", "mail", "60 s",
    ),
    "agenda": Use(
        "import Agenda from 'agenda';\nconst agenda = new Agenda();\nagenda.define('sweep', sweep);\n"
        "await agenda.start();\nawait agenda.every('3 minutes', 'sweep');",
        "agenda", "sweep", "180 s",
    ),
    "pg-boss": Use(
        "import PgBoss from 'pg-boss';\nconst boss = new PgBoss('');\nawait boss.work('sweep', sweep);\n"
        "await boss.schedule('sweep', '0 2 * * *', {}, { tz: 'America/Chicago' });",
        "pg-boss", "sweep", "0 2 * * *", "America/Chicago",
    ),
    "nest, cron": Use(
        "import { Injectable } from '@nestjs/common';\nimport { Cron, CronExpression } from '@nestjs/schedule';\n@Injectable()\nexport class Tasks {\n"
        "  @Cron(CronExpression.EVERY_HOUR, { name: 'hourly', timeZone: 'UTC' })\n  async hourly() { await sweep(); }\n}",
        "nest-schedule", "hourly", "0 0-23/1 * * *", "UTC", path="src/tasks.service.ts",
    ),
    "nest, interval": Use(
        "import { Interval } from '@nestjs/schedule';\nexport class Tasks {\n"
        "  @Interval('beat', 30_000)\n  async beat() { await sweep(); await sweep(); }\n}",
        "nest-schedule", "beat", "30 s", handler="Tasks.beat", path="src/tasks.service.ts",
    ),
    "set-interval": Use("setInterval(sweep, 60 * 60 * 1000);", "set-interval", None, "3600 s"),
    "timers": Use("import { setInterval } from 'node:timers';\nsetInterval(() => { void sweep(); }, 1000);", "set-interval", None, "1 s"),
    "firebase": Use(
        "import { onSchedule } from 'firebase-functions/v2/scheduler';\n"
        "export const nightly = onSchedule({ schedule: 'every 24 hours', timeZone: 'UTC' }, async () => { await sweep(); });",
        "firebase-schedule", None, "86400 s", "UTC",
    ),
    "firebase, words of App Engine": Use(
        "import { onSchedule } from 'firebase-functions/v2/scheduler';\nexport const nightly = onSchedule('every day 03:00', sweep);",
        "firebase-schedule", None, "every day 03:00",
    ),
    "firebase, first generation": Use(
        "import * as functions from 'firebase-functions';\n"
        "export const hourly = functions.pubsub.schedule('0 * * * *').timeZone('UTC').onRun(sweep);",
        "firebase-schedule", None, "0 * * * *", "UTC",
    ),
    "inngest": Use(
        "import { Inngest } from 'inngest';\nconst inngest = new Inngest({ id: 'app' });\n"
        "export const f = inngest.createFunction({ id: 'digest' }, { cron: '0 9 * * *' }, async () => { await sweep(); await sweep(); });",
        "inngest", "digest", "0 9 * * *", handler="<anonymous>",
    ),
    "trigger.dev": Use(
        "import { schedules } from '@trigger.dev/sdk/v3';\n"
        "export const digest = schedules.task({ id: 'digest', cron: { pattern: '0 5 * * *', timezone: 'UTC' }, run: sweep });",
        "trigger-dev", "digest", "0 5 * * *", "UTC",
    ),
    "temporal": Use(
        "import { Client } from '@temporalio/client';\nconst client = new Client();\n"
        "await client.schedule.create({ scheduleId: 'sweep', spec: { cronExpressions: ['0 1 * * *'], timezone: 'UTC' },\n"
        "  action: { type: 'startWorkflow', workflowType: sweep } });",
        "temporal", "sweep", "0 1 * * *", "UTC",
    ),
    "qstash": Use(
        "import { Client } from '@upstash/qstash';\nconst client = new Client({ token: 't' });\n"
        "await client.schedules.create({ scheduleId: 'sweep', destination: 'https://x.example', cron: '*/10 * * * *' });",
        "qstash", "sweep", "*/10 * * * *", handler=None,
    ),
    "deno": Use("Deno.cron('sweep', '0 4 * * *', sweep);", "deno-cron", "sweep", "0 4 * * *"),
    "medusa": Use(
        "import type { MedusaContainer } from '@medusajs/framework/types';\nexport default async function nightly() { await sweep(); await sweep(); }\nexport const config = { name: 'nightly', schedule: '0 0 * * *' };",
        "medusa", "nightly", "0 0 * * *", handler="nightly", path="src/jobs/nightly.ts",
    ),
    "netlify": Use(
        "import { schedule } from '@netlify/functions';\nexport const handler = schedule('@hourly', sweep);",
        "netlify-cron", None, "@hourly", path="netlify/functions/sweep.ts",
    ),
    "netlify, configured": Use(
        "import type { Config } from '@netlify/functions';\nexport default sweep;\nexport const config: Config = { schedule: '@daily' };",
        "netlify-cron", None, "@daily", path="netlify/functions/sweep.ts",
    ),
    "synced-cron": Use(
        "import { SyncedCron } from 'meteor/littledata:synced-cron';\n"
        "SyncedCron.add({ name: 'sweep', schedule(parser) { return parser.text('every 2 hours'); }, job: sweep });\nSyncedCron.start();",
        "synced-cron", "sweep", "every 2 hours",
    ),
    "payload": Use(
        "import { buildConfig } from 'payload';\nexport default buildConfig({ jobs: { tasks: [\n"
        "  { slug: 'sweep', handler: sweep, schedule: [{ cron: '0 3 * * *', queue: 'nightly' }] },\n] } });",
        "payload", "sweep", "0 3 * * *", path="src/payload.config.ts",
    ),
    "sst": Use(
        "import { Cron } from 'sst/constructs';\nexport default { stacks(app) { app.stack(function Site({ stack }) {\n"
        "  new Cron(stack, 'Sweep', { schedule: 'rate(5 minutes)', job: 'src/a.handler' }); }); } };",
        "eventbridge", "Sweep", "300 s", handler=None, path="sst.config.ts",
    ),
    "cdk": Use(
        "import { Rule, Schedule } from 'aws-cdk-lib/aws-events';\nimport { Duration } from 'aws-cdk-lib';\n"
        "new Rule(stack, 'Sweep', { schedule: Schedule.rate(Duration.minutes(5)) });",
        "eventbridge", "Sweep", "300 s", handler=None,
    ),
    "strapi, added": Use(
        "export default { async bootstrap({ strapi }) { strapi.cron.add({ sweep: { task: sweep, options: { rule: '0 1 * * *', tz: 'UTC' } } }); } };",
        "node-schedule", "sweep", "0 1 * * *", "UTC", path="src/index.ts",
    ),
    "strapi, configured": Use(
        "module.exports = { '0 2 * * *': async ({ strapi }) => { await sweep(); await sweep(); } };",
        "node-schedule", None, "0 2 * * *", handler="0 2 * * *", path="config/cron-tasks.js",
        head=HEAD.replace("import { Pool } from", "const { Pool } = require(").replace("'pg';", "'pg');"),
    ),
    "directus": Use(
        "import { defineHook } from '@directus/extensions-sdk';\nexport default defineHook(({ schedule }) => { schedule('*/15 * * * *', sweep); });",
        "node-schedule", None, "*/15 * * * *",
    ),
    "sapphire": Use(
        "import { ApplyOptions } from '@sapphire/decorators';\nimport { ScheduledTask } from '@sapphire/plugin-scheduled-tasks';\n"
        "@ApplyOptions<ScheduledTask.Options>({ name: 'sweep', pattern: '0 4 * * *' })\nexport class Sweep extends ScheduledTask {\n"
        "  async run() { await sweep(); await sweep(); }\n}",
        "bullmq", "sweep", "0 4 * * *", handler="Sweep.run",
    ),
    "job manager": Use(
        "const JobManager = require('@tryghost/job-manager');\nconst jobs = new JobManager({});\n"
        "jobs.addJob({ at: '0 0 3 * * *', name: 'sweep', job: sweep });",
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
        "import { TimerBasedCronScheduler as scheduler, parseCronExpression } from 'cron-schedule';\n"
        "scheduler.setInterval(parseCronExpression('*/5 * * * *'), sweep);",
        "cron-schedule", None, "*/5 * * * *",
    ),
    "moleculer": Use(
        "import { ServiceBroker } from 'moleculer';\nconst broker = new ServiceBroker();\n"
        "broker.createService({ name: 'x', crons: [{ name: 'sweep', cronTime: '0 1 * * *', onTick: sweep, timeZone: 'UTC' }] });",
        "cron", "sweep", "0 1 * * *", "UTC",
    ),
    "fastify-cron": Use(
        "import fastify from 'fastify';\nimport fastifyCron from 'fastify-cron';\nconst app = fastify();\n"
        "app.register(fastifyCron, { jobs: [{ name: 'sweep', cronTime: '0 1 * * *', onTick: sweep, start: true }] });",
        "cron", "sweep", "0 1 * * *",
    ),
}  # fmt: skip


OPEN = {
    "synced-cron": "a schedule that a function of the job computes from the parser it is given is not followed",
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


# ---- what arms no job ---------------------------------------------------------------------------------------------

NO_JOBS = {
    "a date": "import schedule from 'node-schedule';\nschedule.scheduleJob(new Date(2030, 1, 1), sweep);",
    "a date in a variable": "import schedule from 'node-schedule';\nexport function plan(runAt: Date) { schedule.scheduleJob(runAt, sweep); }",
    "a queue's plain add": "import { Queue } from 'bullmq';\nnew Queue('mail').add('digest', {}, { delay: 1000 });",
    "an expression that is only checked": "import cron from 'node-cron';\ncron.validate('* * * * *');",
    "croner for its dates": "import { Cron } from 'croner';\nexport const next = new Cron('0 0 * * *').nextRun();",
    "another library's schedule": "import { schedule } from 'somewhere';\nschedule('* * * * *', sweep);",
    "a method of the project": "class Plan { schedule(at: string, fn: () => void) {} }\nnew Plan().schedule('* * * * *', sweep);",
    "no interval of agenda": "import Agenda from 'agenda';\nnew Agenda().now('sweep');",
    "commented out": "import cron from 'node-cron';\n// cron.schedule('* * * * *', sweep);\n/* cron.schedule('0 * * * *', sweep); */",
}


@pytest.mark.parametrize("shape", NO_JOBS)
def test_what_arms_no_job(tmp_path: Path, shape: str) -> None:
    assert discover(tmp_path, {"src/main.ts": HEAD + NO_JOBS[shape]}).rows() == []


def test_an_invalid_expression_is_a_job_with_that_fault(tmp_path: Path) -> None:
    code = "import cron from 'node-cron';\ncron.schedule('61 * * * *', sweep);"

    assert discover(tmp_path, {"src/main.ts": HEAD + code}).only().schedule == "invalid: minute: 61 is outside 0-59"


def test_a_schedule_from_the_environment_stays_open(tmp_path: Path) -> None:
    code = "import cron from 'node-cron';\ncron.schedule(process.env.SWEEP_CRON, sweep, { timezone: process.env.TZ });"
    found = discover(tmp_path, {"src/main.ts": HEAD + code}).only()

    assert (found.schedule, found.zone) == ("open", "open")


def test_each_repeatable_of_one_queue_has_its_own_worker_branch(tmp_path: Path) -> None:
    files = {
        "src/queue.ts": "import { Queue } from 'bullmq';\nexport const mail = new Queue('mail');\nexport const bills = new Queue('bills');",
        "src/work.ts": (
            "import { Worker } from 'bullmq';\nimport { Pool } from 'pg';\nconst db = new Pool();\n"
            "new Worker('mail', async () => { await db.query('x'); await db.query('y'); });\n"
            "new Worker('bills', async function charge() { await db.query('x'); await db.query('y'); });"
        ),
        "src/main.ts": (
            "import './work';\nimport { mail, bills } from './queue';\n"
            "mail.add('digest', {}, { repeat: { pattern: '0 7 * * *' } });\nbills.add('charge', {}, { repeat: { every: 60000 } });"
        ),
    }

    assert discover(tmp_path, files).rows() == [
        ("digest", "0 7 * * *", "<anonymous>"),
        ("charge", "60 s", "charge"),
    ]


def test_a_consumer_that_gets_its_queue_from_another_file(tmp_path: Path) -> None:
    files = {
        "src/queue.js": "const Bull = require('bull');\nexports.mail = new Bull('mail');",
        "src/work.js": (
            "const { mail } = require('./queue');\nconst { Pool } = require('pg');\nconst db = new Pool();\n"
            "async function digest() { await db.query('x'); await db.query('y'); }\nmail.process('digest', digest);"
        ),
        "src/main.js": "require('./work');\nconst { mail } = require('./queue');\nmail.add('digest', {}, { repeat: { cron: '0 7 * * *' } });",
    }

    assert discover(tmp_path, files).rows() == [("digest", "0 7 * * *", "digest")]


def test_which_of_several_consumers_takes_a_job_is_not_guessed(tmp_path: Path) -> None:
    code = (
        "import { Queue, Worker } from 'bullmq';\nnew Worker(process.env.A, async () => sweep());\nnew Worker(process.env.B, async () => {});\n"
        "new Queue(process.env.C).add('x', {}, { repeat: { every: 1000 } });"
    )

    assert discover(tmp_path, {"src/main.ts": HEAD + code}).only().handler is None


def test_nest_queues(tmp_path: Path) -> None:
    files = {
        "src/mail.processor.ts": (
            "import { Processor, WorkerHost } from '@nestjs/bullmq';\nimport { Pool } from 'pg';\n@Processor('mail')\n"
            "export class MailProcessor extends WorkerHost {\n  constructor(private db: Pool) { super(); }\n"
            "  async process() { await this.db.query('x'); await this.db.query('y'); }\n}"
        ),
        "src/mail.service.ts": (
            "import { InjectQueue } from '@nestjs/bullmq';\nimport { Queue } from 'bullmq';\nimport { Injectable } from '@nestjs/common';\n"
            "@Injectable()\nexport class MailService {\n  constructor(@InjectQueue('mail') private readonly queue: Queue) {}\n"
            "  async onModuleInit() { await this.queue.add('digest', {}, { repeat: { pattern: '0 8 * * *' } }); }\n}"
        ),
    }

    assert discover(tmp_path, files).rows() == [("digest", "0 8 * * *", "MailProcessor.process")]


# ---- schedulers of the project's own ------------------------------------------------------------------------------


def test_a_function_that_plans(tmp_path: Path) -> None:
    files = {
        "src/plan.ts": (
            "import cron from 'node-cron';\nexport function scheduleDaily(name: string, hour: number, work: () => Promise<void>) {\n"
            "  cron.schedule(`0 ${hour} * * *`, async () => { console.log(name); await work(); }, { timezone: 'UTC', name });\n}"
        ),
        "src/main.ts": HEAD + "import { scheduleDaily } from './plan';\nscheduleDaily('sweep', 3, sweep);\nscheduleDaily('again', 4, sweep);",
    }
    found = discover(tmp_path, files)

    assert sorted((j.name, j.schedule, j.zone) for j in found.jobs) == [
        ("again", "0 4 * * *", "UTC"),
        ("sweep", "0 3 * * *", "UTC"),
    ]


@pytest.mark.xfail(strict=True, reason="jobs of one planning function are all stated in it, not at the calls that set them apart")
def test_a_job_is_stated_where_the_planning_function_is_called(tmp_path: Path) -> None:
    files = {
        "src/plan.ts": "import cron from 'node-cron';\nexport function daily(name, hour, work) {\n"
        "  cron.schedule(`0 ${hour} * * *`, work, { name });\n}",
        "src/main.ts": HEAD + "import { daily } from './plan';\ndaily('sweep', 3, sweep);\ndaily('again', 4, sweep);",
    }

    assert [(j.name, j.at) for j in discover(tmp_path, files).jobs] == [
        ("sweep", "src/main.ts:5"),
        ("again", "src/main.ts:6"),
    ]


def test_a_registry_of_objects(tmp_path: Path) -> None:
    files = {
        "src/jobs.ts": (
            HEAD + "export const jobs = [\n  { name: 'sweep', cron: '0 3 * * *', run: sweep },\n"
            "  { name: 'bill', cron: '0 4 * * *', run: async () => { await sweep(); await sweep(); } },\n];"
        ),
        "src/main.ts": (
            "import cron from 'node-cron';\nimport { jobs } from './jobs';\n"
            "for (const job of jobs) { cron.schedule(job.cron, () => job.run()); }"
        ),
    }
    found = discover(tmp_path, files)

    assert [(j.name, j.schedule, j.at) for j in found.jobs] == [
        ("sweep", "0 3 * * *", "src/jobs.ts:5"),
        ("bill", "0 4 * * *", "src/jobs.ts:6"),
    ]


def test_a_base_class_and_its_subclasses(tmp_path: Path) -> None:
    files = {
        "src/base.ts": (
            "import { CronJob } from 'cron';\nexport abstract class Base {\n  protected abstract readonly name: string;\n"
            "  protected abstract readonly expression: string;\n"
            "  start() { const job = new CronJob(this.expression, () => this.execute()); job.start(); }\n"
            "  private async execute() { await this.work(); console.log(this.name); }\n  protected abstract work(): Promise<void>;\n}"
        ),
        "src/jobs.ts": (
            HEAD + "import { Base } from './base';\n"
            "export class Sweep extends Base { name = 'sweep'; expression = '0 3 * * *'; async work() { await sweep(); } }\n"
            "export class Bill extends Base { name = 'bill'; expression = '0 4 * * *'; async work() { await sweep(); } }"
        ),
        "src/main.ts": "import { Sweep, Bill } from './jobs';\nnew Sweep().start();\n[new Bill()].forEach((job) => job.start());",
    }

    assert sorted((j.name, j.schedule, j.live) for j in discover(tmp_path, files).jobs) == [
        ("bill", "0 4 * * *", True),
        ("sweep", "0 3 * * *", True),
    ]


def test_a_class_that_starts_itself_for_each_of_its_options(tmp_path: Path) -> None:
    files = {
        "src/poller.ts": (
            "export class Poller {\n  constructor(private readonly options: { name: string; everyMs: number; run: () => Promise<void> }) {}\n"
            "  start() { setInterval(() => this.tick(), this.options.everyMs); }\n  private async tick() { await this.options.run(); }\n}"
        ),
        "src/main.ts": (
            HEAD + "import { Poller } from './poller';\nnew Poller({ name: 'fast', everyMs: 1000, run: sweep }).start();\n"
            "new Poller({ name: 'slow', everyMs: 60 * 1000, run: sweep }).start();"
        ),
    }

    assert [(j.name, j.schedule) for j in discover(tmp_path, files).jobs] == [("fast", "1 s"), ("slow", "60 s")]


def test_a_decorator_of_the_project(tmp_path: Path) -> None:
    files = {
        "src/every.decorator.ts": "import { Cron } from '@nestjs/schedule';\nexport const Nightly = (name: string) => Cron('0 2 * * *', { name });",
        "src/tasks.service.ts": HEAD + "import { Nightly } from './every.decorator';\nexport class Tasks {\n  @Nightly('sweep')\n"
        "  async run() { await sweep(); await sweep(); }\n}",
    }

    assert discover(tmp_path, files).rows() == [("sweep", "0 2 * * *", "Tasks.run")]
