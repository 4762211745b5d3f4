"""What arms no job, which consumer does the work of a queue, and schedulers of the project's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

HEAD = (
    "import { Pool } from 'pg';\nconst db = new Pool();\n"
    "async function sweep() { await db.query('delete from sessions'); }\n"
)


# ---- what arms no job ---------------------------------------------------------------------------------------------

NO_JOBS = {
    "a date": "import schedule from 'node-schedule';\nschedule.scheduleJob(new Date(2030, 1, 1), sweep);",
    "a date in a variable": (
        "import schedule from 'node-schedule';\n"
        "export function plan(runAt: Date) { schedule.scheduleJob(runAt, sweep); }"
    ),
    "a queue's plain add": "import { Queue } from 'bullmq';\nnew Queue('mail').add('digest', {}, { delay: 1000 });",
    "an expression that is only checked": "import cron from 'node-cron';\ncron.validate('* * * * *');",
    "croner for its dates": "import { Cron } from 'croner';\nexport const next = new Cron('0 0 * * *').nextRun();",
    "a library that speaks of no schedule": "import { match } from 'somewhere';\nmatch('* * * * *', sweep);",
    "a method of the project": (
        "class Plan { schedule(at: string, fn: () => void) {} }\nnew Plan().schedule('* * * * *', sweep);"
    ),
    "no interval of agenda": "import Agenda from 'agenda';\nnew Agenda().now('sweep');",
    "commented out": (
        "import cron from 'node-cron';\n// cron.schedule('* * * * *', sweep);\n"
        "/* cron.schedule('0 * * * *', sweep); */"
    ),
}


def test_a_library_that_no_file_describes(tmp_path: Path) -> None:
    text = "import { schedule } from 'somewhere';\nschedule('* * * * *', sweep);"
    assert discover(tmp_path, {"src/main.ts": HEAD + text}).rows() == [(None, "* * * * *", "sweep")]


@pytest.mark.parametrize("shape", NO_JOBS)
def test_what_arms_no_job(tmp_path: Path, shape: str) -> None:
    assert discover(tmp_path, {"src/main.ts": HEAD + NO_JOBS[shape]}).rows() == []


def test_an_invalid_expression_is_a_job_with_that_fault(tmp_path: Path) -> None:
    code = "import cron from 'node-cron';\ncron.schedule('61 * * * *', sweep);"

    assert (
        discover(tmp_path, {"src/main.ts": HEAD + code}).only().schedule
        == "invalid: minute: 61 is outside 0-59"
    )


def test_a_schedule_from_the_environment_stays_open(tmp_path: Path) -> None:
    code = (
        "import cron from 'node-cron';\n"
        "cron.schedule(process.env.SWEEP_CRON, sweep, { timezone: process.env.TZ });"
    )
    found = discover(tmp_path, {"src/main.ts": HEAD + code}).only()

    assert (found.schedule, found.zone) == ("open", "open")


def test_each_repeatable_of_one_queue_has_its_own_worker_branch(tmp_path: Path) -> None:
    files = {
        "src/queue.ts": (
            "import { Queue } from 'bullmq';\nexport const mail = new Queue('mail');\n"
            "export const bills = new Queue('bills');"
        ),
        "src/work.ts": (
            "import { Worker } from 'bullmq';\nimport { Pool } from 'pg';\nconst db = new Pool();\n"
            "new Worker('mail', async () => { await db.query('x'); await db.query('y'); });\n"
            "new Worker('bills', async function charge() { await db.query('x'); await db.query('y'); });"
        ),
        "src/main.ts": (
            "import './work';\nimport { mail, bills } from './queue';\n"
            "mail.add('digest', {}, { repeat: { pattern: '0 7 * * *' } });\n"
            "bills.add('charge', {}, { repeat: { every: 60000 } });"
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
            "async function digest() { await db.query('x'); await db.query('y'); }\n"
            "mail.process('digest', digest);"
        ),
        "src/main.js": (
            "require('./work');\nconst { mail } = require('./queue');\n"
            "mail.add('digest', {}, { repeat: { cron: '0 7 * * *' } });"
        ),
    }

    assert discover(tmp_path, files).rows() == [("digest", "0 7 * * *", "digest")]


def test_which_of_several_consumers_takes_a_job_is_not_guessed(tmp_path: Path) -> None:
    code = (
        "import { Queue, Worker } from 'bullmq';\nnew Worker(process.env.A, async () => sweep());\n"
        "new Worker(process.env.B, async () => {});\n"
        "new Queue(process.env.C).add('x', {}, { repeat: { every: 1000 } });"
    )

    assert discover(tmp_path, {"src/main.ts": HEAD + code}).only().handler is None


def test_nest_queues(tmp_path: Path) -> None:
    files = {
        "src/mail.processor.ts": (
            "import { Processor, WorkerHost } from '@nestjs/bullmq';\nimport { Pool } from 'pg';\n"
            "@Processor('mail')\nexport class MailProcessor extends WorkerHost {\n"
            "  constructor(private db: Pool) { super(); }\n"
            "  async process() { await this.db.query('x'); await this.db.query('y'); }\n}"
        ),
        "src/mail.service.ts": (
            "import { InjectQueue } from '@nestjs/bullmq';\nimport { Queue } from 'bullmq';\n"
            "import { Injectable } from '@nestjs/common';\n@Injectable()\nexport class MailService {\n"
            "  constructor(@InjectQueue('mail') private readonly queue: Queue) {}\n"
            "  async onModuleInit() { await this.queue.add('digest', {}, { repeat: { pattern: '0 8 * * "
            "*' } }); }\n}"
        ),
    }

    assert discover(tmp_path, files).rows() == [("digest", "0 8 * * *", "MailProcessor.process")]


# ---- schedulers of the project's own ------------------------------------------------------------------------------


def test_a_function_that_plans(tmp_path: Path) -> None:
    files = {
        "src/plan.ts": (
            "import cron from 'node-cron';\n"
            "export function scheduleDaily(name: string, hour: number, work: () => Promise<void>) {\n"
            "  cron.schedule(`0 ${hour} * * *`, async () => { console.log(name); await work(); }, { "
            "timezone: 'UTC', name });\n}"
        ),
        "src/main.ts": HEAD
        + (
            "import { scheduleDaily } from './plan';\nscheduleDaily('sweep', 3, sweep);\n"
            "scheduleDaily('again', 4, sweep);"
        ),
    }
    found = discover(tmp_path, files)

    assert sorted((j.name, j.schedule, j.zone) for j in found.jobs) == [
        ("again", "0 4 * * *", "UTC"),
        ("sweep", "0 3 * * *", "UTC"),
    ]


def test_a_job_is_stated_where_the_planning_function_is_called(tmp_path: Path) -> None:
    files = {
        "src/plan.ts": (
            "import cron from 'node-cron';\nexport function daily(name, hour, work) {\n"
            "  cron.schedule(`0 ${hour} * * *`, work, { name });\n}"
        ),
        "src/main.ts": HEAD
        + "import { daily } from './plan';\ndaily('sweep', 3, sweep);\ndaily('again', 4, sweep);",
    }

    assert [(j.name, j.at) for j in discover(tmp_path, files).jobs] == [
        ("sweep", "src/main.ts:5"),
        ("again", "src/main.ts:6"),
    ]


def test_a_registry_of_objects(tmp_path: Path) -> None:
    files = {
        "src/jobs.ts": (
            HEAD
            + (
                "export const jobs = [\n  { name: 'sweep', cron: '0 3 * * *', run: sweep },\n"
                "  { name: 'bill', cron: '0 4 * * *', run: async () => { await sweep(); await sweep(); } },\n];"
            )
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
            "import { CronJob } from 'cron';\nexport abstract class Base {\n"
            "  protected abstract readonly name: string;\n  protected abstract readonly expression: string;\n"
            "  start() { const job = new CronJob(this.expression, () => this.execute()); job.start(); }\n"
            "  private async execute() { await this.work(); console.log(this.name); }\n"
            "  protected abstract work(): Promise<void>;\n}"
        ),
        "src/jobs.ts": (
            HEAD
            + (
                "import { Base } from './base';\n"
                "export class Sweep extends Base { name = 'sweep'; expression = '0 3 * * *'; async work() "
                "{ await sweep(); } }\n"
                "export class Bill extends Base { name = 'bill'; expression = '0 4 * * *'; async work() { "
                "await sweep(); } }"
            )
        ),
        "src/main.ts": (
            "import { Sweep, Bill } from './jobs';\nnew Sweep().start();\n"
            "[new Bill()].forEach((job) => job.start());"
        ),
    }

    assert sorted((j.name, j.schedule, j.live) for j in discover(tmp_path, files).jobs) == [
        ("bill", "0 4 * * *", True),
        ("sweep", "0 3 * * *", True),
    ]


def test_a_class_that_starts_itself_for_each_of_its_options(tmp_path: Path) -> None:
    files = {
        "src/poller.ts": (
            "export class Poller {\n"
            "  constructor(private readonly options: { name: string; everyMs: number; run: () => "
            "Promise<void> }) {}\n  start() { setInterval(() => this.tick(), this.options.everyMs); }\n"
            "  private async tick() { await this.options.run(); }\n}"
        ),
        "src/main.ts": (
            HEAD
            + (
                "import { Poller } from './poller';\n"
                "new Poller({ name: 'fast', everyMs: 1000, run: sweep }).start();\n"
                "new Poller({ name: 'slow', everyMs: 60 * 1000, run: sweep }).start();"
            )
        ),
    }

    assert [(j.name, j.schedule) for j in discover(tmp_path, files).jobs] == [
        ("fast", "1 s"),
        ("slow", "60 s"),
    ]


def test_a_decorator_of_the_project(tmp_path: Path) -> None:
    files = {
        "src/every.decorator.ts": (
            "import { Cron } from '@nestjs/schedule';\n"
            "export const Nightly = (name: string) => Cron('0 2 * * *', { name });"
        ),
        "src/tasks.service.ts": HEAD
        + (
            "import { Nightly } from './every.decorator';\nexport class Tasks {\n  @Nightly('sweep')\n"
            "  async run() { await sweep(); await sweep(); }\n}"
        ),
    }

    assert discover(tmp_path, files).rows() == [("sweep", "0 2 * * *", "Tasks.run")]
