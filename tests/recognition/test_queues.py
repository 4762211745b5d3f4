"""Queues that lie behind barrels, names that come from elsewhere, and one worker that takes many jobs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cronaudit import audit
from cronaudit.model.options import AuditOptions
from cronaudit.recognition.finding import find
from cronaudit.survey import Survey
from tests.recognition.small_trees import discover, matcher, write

QUEUES = (
    "import { Queue } from 'bullmq';\n"
    "const named = (name: string) => process.env.CLUSTER ? `{${name}}` : name;\n"
    "export const cronQueue = new Queue(named('cron'));\nexport const mailQueue = new Queue(named('mail'));\n"
)
WORK = (
    "import { Pool } from 'pg';\nconst db = new Pool();\n"
    "export async function rotate() { await db.query('delete from salts'); }\n"
    "export async function report() { await db.query('insert into reports select 1'); }\n"
)
WORKERS = (
    "import { Worker } from 'bullmq';\nimport { cronQueue, mailQueue } from './queues/index';\n"
    "import { rotate, report } from './work';\n"
    "{TAKE}\n"
    "new Worker(mailQueue.name, async () => {});\nnew Worker(cronQueue.name, take);\n"
)
PLAN = (
    "import './workers';\nimport { cronQueue } from './queues/index';\n"
    "const jobs: { type: string; pattern: string | number }[] = [\n"
    "  { type: 'rotate', pattern: '0 0 * * *' },\n"
    "  { type: 'report', pattern: 1000 * 10 },\n];\n"
    "export async function plan() {\n  for (const job of jobs) {\n"
    "    await cronQueue.upsertJobScheduler(job.type,\n"
    "      typeof job.pattern === 'number' ? { every: job.pattern } : { pattern: job.pattern },\n"
    "      { data: { type: job.type } });\n  }\n}\nplan();\n"
)
TAKES = {
    "a switch on the data": (
        "async function take(job) { switch (job.data.type) {\n"
        "  case 'rotate': return await rotate();\n  case 'report': return await report();\n} }"
    ),
    "the data in a variable": (
        "async function take(job) { const data = job.data; const { type } = data;\n"
        "  if (type === 'rotate') { await rotate(); } else { await report(); } }"
    ),
    "a test that it is another": (
        "async function take(job) { if (job.data.type !== 'rotate') { await report(); } else { await rotate(); } }"
    ),
    "several names of one branch": (
        "async function take(job) { switch (job.data.type) {\n"
        "  case 'spin':\n  case 'rotate': return await rotate();\n  case 'report': return await report();\n} }"
    ),
}


def files(take: str) -> dict[str, str]:
    return {
        "src/queues/index.ts": "export * from './queues';\nexport type * from './queues';\n",
        "src/queues/queues.ts": QUEUES,
        "src/work.ts": WORK,
        "src/workers.ts": WORKERS.replace("{TAKE}", take),
        "src/main.ts": PLAN,
    }


def test_a_queue_behind_a_barrel_has_its_jobs_and_its_worker(tmp_path: Path) -> None:
    assert discover(tmp_path, files(TAKES["a switch on the data"])).rows() == [
        ("rotate", "0 0 * * *", "take"),
        ("report", "10 s", "take"),
    ]


@pytest.mark.parametrize("take", TAKES)
def test_a_run_goes_the_way_of_its_own_message(tmp_path: Path, take: str) -> None:
    write(tmp_path, files(TAKES[take]))
    options = AuditOptions(date(2026, 1, 1))
    survey = Survey(tmp_path, ())
    inputs = audit._inputs(survey.tree(), matcher(), options, survey, lambda *_: None)
    found, _finder, _service = find(inputs, lambda *_: None)

    sql = {"delete from salts": "rotate", "insert into reports select 1": "report"}
    assert {
        f.registration.name: [sql[s.text("sql") or ""] for s in f.context.sightings if s.effect == "db.query"]
        for f in found
    } == {"rotate": ["rotate"], "report": ["report"]}


def test_a_list_that_is_written_out_may_get_more(tmp_path: Path) -> None:
    plan = PLAN.replace(
        "  for (const job of jobs) {",
        "  if (process.env.SELF_HOSTED) { jobs.push({ type: 'ping', pattern: '5 0 * * *' }); }\n"
        "  for (const job of jobs) {",
    )

    found = discover(tmp_path, files(TAKES["a switch on the data"]) | {"src/main.ts": plan})

    assert [(j.name, j.schedule, j.at) for j in found.jobs] == [
        ("rotate", "0 0 * * *", "src/main.ts:4"),
        ("report", "10 s", "src/main.ts:5"),
        ("ping", "5 0 * * *", "src/main.ts:8"),
    ]


CRONTAB = '# at night\n0 4 * * * clean ?max=1\n\n*/5 * * * * mail/digest ?id=digest&fill=1h {list:"all"}\n'
TASKS = {
    "package.json": '{"dependencies": {"graphile-worker": "^0.16.0"}}',
    "src/tasks/clean.ts": "export default async function clean(payload, helpers) { await helpers.query('x'); }",
    "src/tasks/mail/digest.ts": (
        "import type { Task } from 'graphile-worker';\n"
        "const digest: Task = async (payload, helpers) => { await helpers.query('x'); };\nexport default digest;"
    ),
    "src/unrelated/clean.ts": "export default async () => {};",
}
RUNS = {
    "files by their folder": (
        "await run({ taskDirectory: `${__dirname}/tasks`, crontabFile: `${__dirname}/../crontab` });"
    ),
    "where the program is started": (
        "import { join } from 'node:path';\n"
        "await run({ taskDirectory: join(process.cwd(), 'dist/tasks'), crontabFile: `${process.cwd()}/crontab` });"
    ),
    "a crontab where it is looked for": "await run({ taskDirectory: './dist/tasks' });",
}


@pytest.mark.parametrize("run", RUNS)
def test_tasks_and_a_crontab_that_are_files(tmp_path: Path, run: str) -> None:
    code = f"import {{ run }} from 'graphile-worker';\n{RUNS[run]}"

    found = discover(tmp_path, TASKS | {"crontab": CRONTAB, "src/worker.ts": code})

    assert [(j.name, j.schedule, j.handler, j.at) for j in found.jobs] == [
        ("clean", "0 4 * * *", "clean", "crontab:2"),
        ("digest", "*/5 * * * *", "digest", "crontab:4"),
    ]


def test_a_crontab_in_the_code(tmp_path: Path) -> None:
    code = (
        "import { run } from 'graphile-worker';\n"
        "import clean from './tasks/clean';\n"
        "await run({ taskList: { clean }, crontab: `0 4 * * * clean\\n# no job\\n` });"
    )

    assert discover(tmp_path, TASKS | {"src/worker.ts": code}).rows() == [("clean", "0 4 * * *", "clean")]


def test_a_crontab_that_is_not_there_states_nothing(tmp_path: Path) -> None:
    code = "import { run } from 'graphile-worker';\nawait run({ taskDirectory: './dist/tasks' });"

    assert discover(tmp_path, TASKS | {"src/worker.ts": code}).rows() == []


def test_a_worker_asks_a_map_that_loops_have_filled(tmp_path: Path) -> None:
    files = {
        "work.ts": """
            import { Pool } from 'pg';
            const db = new Pool();
            abstract class Base {
              abstract process(job): Promise<void>;
              async handle(job) { await this.process(job); }
            }
            class Sweep extends Base { async process(job) { await db.query('delete from sessions'); } }
            class Count extends Base { async process(job) { await db.query('update totals set n = 1'); } }
            export const sweeping = { sweep: new Sweep() };
            export const counting = { count: new Count() };
        """,
        "registry.ts": """
            import { sweeping, counting } from './work';
            const works = new Map<string, Work>();
            for (const [name, work] of Object.entries(sweeping)) { works.set(name, work); }
            for (const [name, work] of Object.entries(counting)) { works.set(name, work); }
            export function workOf(name: string) {
              const work = works.get(name);
              if (!work) { console.error('none of', Array.from(works.keys())); }
              return work;
            }
        """,
        "main.ts": """
            import { Queue, Worker } from 'bullmq';
            import { workOf } from './registry';
            const queue = new Queue('jobs');
            for (const row of [{ name: 'sweep', cron: '0 2 * * *' }, { name: 'count', cron: '0 3 * * *' }]) {
              queue.upsertJobScheduler(row.name, { pattern: row.cron }, { name: row.name });
            }
            new Worker('jobs', async (job) => {
              const work = workOf(job.name);
              if (!work) { throw new Error('none'); }
              return work.handle(job);
            });
        """,
    }
    found = discover(tmp_path, files)
    assert sorted((j.name, j.schedule, j.runs) for j in found.jobs) == [
        ("count", "0 3 * * *", "Count.process"),
        ("sweep", "0 2 * * *", "Sweep.process"),
    ]


def test_a_task_that_several_places_plan_for_somebody_is_one_job(tmp_path: Path) -> None:
    files = {
        "jobs/bank/sync.ts": """
            import { schedules } from '@trigger.dev/sdk';
            import { Pool } from 'pg';
            const db = new Pool();
            export const syncBank = schedules.task({ id: 'sync-bank', run: async () => { await db.query('vacuum'); } });
        """,
        "jobs/bank/setup.ts": """
            import { schedules, schemaTask } from '@trigger.dev/sdk';
            import { syncBank } from './sync';
            export const setup = schemaTask({
              id: 'setup',
              run: async (payload) => {
                await schedules.create({ task: syncBank.id, cron: payload.cron, deduplicationKey: payload.team });
              },
            });
        """,
        "admin/again.ts": """
            import { schedules } from '@trigger.dev/sdk';
            import { syncBank } from '../jobs/bank/sync';
            const cron = process.argv[2];
            await schedules.create({ task: syncBank.id, cron, deduplicationKey: `${process.argv[3]}-bank` });
        """,
    }
    found = discover(tmp_path, files)
    assert [(j.name, j.schedule, j.runs, j.at) for j in found.jobs] == [
        ("sync-bank", "open", "run", "jobs/bank/setup.ts:6")
    ]


def test_a_loop_that_takes_the_jobs_of_a_queue_is_its_worker(tmp_path: Path) -> None:
    code = """
        import { Queue, Worker } from 'bullmq';
        import { Pool } from 'pg';
        const db = new Pool();
        async function work(queue: Queue) {
          const worker = new Worker(queue.name, null);
          while (true) {
            if (!(await fits())) { await new Promise((done) => setTimeout(done, 2000)); continue; }
            const job = await worker.getNextJob('token');
            if (job) await db.query('insert into runs values ($1)', [job.id]);
            await new Promise((done) => setTimeout(done, 500));
          }
        }
        const fits = async () => process.memoryUsage().rss < 1_000_000;
        work(new Queue('mails'));
    """

    found = discover(tmp_path, {"package.json": '{"main": "src/main.ts"}', "src/main.ts": code})

    assert found.jobs == ()
    assert [r.partition(" ")[2] for r in found.rejected] == [
        "each round waits for an item of a queue, however long that takes"
    ]


def test_a_workflow_that_begins_anew_after_some_rounds_goes_on(tmp_path: Path) -> None:
    flow = """
        import { condition, continueAsNew, proxyActivities } from '@temporalio/workflow';
        const { refresh } = proxyActivities({ startToCloseTimeout: '5 minutes' });
        export async function refreshing({ shop, most = 500 }: Params) {
          let woken = false;
          for (let i = 0; i < 3; i++) await refresh({ shop, warm: i });
          let rounds = 0;
          while (true) {
            await refresh({ shop });
            await condition(() => woken, 60_000);
            rounds += 1;
            if (rounds >= most) break;
          }
          END
        }
    """
    main = """
        import { Client } from '@temporalio/client';
        import { refreshing } from './flow';
        const client = new Client();
        await client.workflow.start(refreshing, { taskQueue: 'shop', workflowId: 'refreshing', args: [{ shop: 1 }] });
    """
    package = (
        '{"main": "src/main.ts", "dependencies": {"@temporalio/client": "1", "@temporalio/workflow": "1"}}'
    )
    tree = {"package.json": package, "src/main.ts": main}

    anew = discover(
        tmp_path / "anew", tree | {"src/flow.ts": flow.replace("END", "await continueAsNew({ shop });")}
    )
    ending = discover(tmp_path / "ending", tree | {"src/flow.ts": flow.replace("END", "return rounds;")})

    assert [(j.at, j.schedule, j.runs) for j in anew.jobs] == [("src/flow.ts:9", "60 s", "refreshing")]
    assert ending.jobs == ()


def test_a_loop_that_receives_the_messages_of_a_queue_service_is_its_consumer(tmp_path: Path) -> None:
    code = """
        import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
        import { Pool } from 'pg';
        const db = new Pool();
        const sqs = new SQSClient({});
        const receiving = (most: number) => new ReceiveMessageCommand({ QueueUrl: 'mails', MaxNumberOfMessages: most });
        let running = true;
        async function consume() {
          while (running) {
            try {
              const { Messages = [] } = await sqs.send(MADE);
              for (const message of Messages) await db.query('insert into runs values ($1)', [message.Body]);
            } catch {
              await new Promise((done) => setTimeout(done, 5000));
            }
            await new Promise((done) => setTimeout(done, 500));
          }
        }
        consume();
    """
    for number, made in enumerate(("receiving(10)", "new ReceiveMessageCommand({ QueueUrl: 'mails' })")):
        tree = {"package.json": '{"main": "src/main.ts"}', "src/main.ts": code.replace("MADE", made)}

        found = discover(tmp_path / str(number), tree)

        assert found.jobs == ()
        assert [r.partition(" ")[2] for r in found.rejected] == [
            "each round waits for an item of a queue, however long that takes"
        ]
