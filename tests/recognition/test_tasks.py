"""Lists of tasks that grow, tasks that are armed one of two ways, and routes that one file serves for many paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

DB = (
    "import { Pool } from 'pg';\nconst db = new Pool();\n"
    "async function sweep() { await db.query('delete from sessions'); }\n"
)
TASKS = {
    "src/ids.ts": "export enum TaskId { Purge = 1, Share = 2, Mail = 3, Bill = 4 }\n",
    "src/runner.ts": (
        "import cron from 'node-cron';\nimport dayjs from 'dayjs';\n"
        "export interface Task { id: number; schedule: string; run: () => Promise<void> }\n"
        "export class Runner {\n  private tasks: Record<string, Task> = {};\n"
        "  add(task: Task) { this.tasks[task.id] = task; }\n"
        "  addAll(list: Task[]) { for (const task of list) this.add(task); }\n"
        "  async runOne(id: number) { await this.tasks[id].run(); }\n"
        "  start() {\n    for (const [id, task] of Object.entries(this.tasks)) {\n"
        "      let every: number | null = null;\n"
        "      try { every = dayjs.duration(task.schedule).asMilliseconds(); } catch (e) { every = null; }\n"
        "      if (every !== null) { setInterval(async () => { await this.runOne(Number(id)); }, every); }\n"
        "      else { cron.schedule(task.schedule, async () => { await this.runOne(Number(id)); }); }\n"
        "    }\n  }\n}\n"
    ),
    "src/main.ts": (
        "import { Runner, Task } from './runner';\nimport { TaskId } from './ids';\n"
        + DB
        + "const runner = new Runner();\n"
        "let tasks: Task[] = [\n"
        "  { id: TaskId.Purge, schedule: '0 3 * * *', run: () => sweep() },\n"
        "  { id: TaskId.Share, schedule: 'PT10S', run: () => sweep() },\n];\n"
        "if (process.env.MAIL) {\n"
        "  tasks.push({ id: TaskId.Mail, schedule: '0 4 * * *', run: () => sweep() });\n}\n"
        "if (process.env.BILL) {\n"
        "  tasks = tasks.concat([\n    { id: TaskId.Bill, schedule: '0 5 * * *', run: () => sweep() },\n  ]);\n}\n"
        "runner.addAll(tasks);\nrunner.start();\n"
    ),
}


def test_a_list_that_grows_and_is_armed_one_of_two_ways(tmp_path: Path) -> None:
    assert [(j.name, j.schedule) for j in discover(tmp_path, TASKS).jobs] == [
        ("Purge", "0 3 * * *"),
        ("Share", "10 s"),
        ("Mail", "0 4 * * *"),
        ("Bill", "0 5 * * *"),
    ]


VERCEL = '{"crons": [{"path": "/api/keep/tidy", "schedule": "0 5 * * *"}]}'
ROUTES = {
    "a router in the file": {
        "app/api/keep/[...all]/route.ts": (
            "import { Hono } from 'hono';\nimport { handle } from 'hono/vercel';\n"
            + DB
            + "const app = new Hono().basePath('/api/keep');\n"
            "app.use('*', async (c, next) => next());\n"
            "app.get('/tidy', async function tidy(c) { await sweep(); return c.json({}); });\n"
            "app.get('/other', async function other(c) { return c.json({}); });\n"
            "export const GET = handle(app);\n"
        )
    },
    "a router of another file": {
        "app/api/[[...all]]/route.ts": (
            "import { handle } from 'hono/vercel';\nimport { app } from '../../../server/app';\n"
            "export const GET = handle(app);\n"
        ),
        "server/app.ts": (
            "import { Hono } from 'hono';\n" + DB + "export const app = new Hono();\n"
            "app.get('/api/keep/tidy', async function tidy(c) { await sweep(); return c.json({}); });\n"
        ),
    },
    "a name in the path": {
        "app/api/keep/[task]/route.ts": DB
        + "export async function GET(request) { await sweep(); return new Response('ok'); }\n",
    },
}


@pytest.mark.parametrize(
    ("routes", "handler"),
    [("a router in the file", "tidy"), ("a router of another file", "tidy"), ("a name in the path", "GET")],
)
def test_a_file_that_serves_many_paths(tmp_path: Path, routes: str, handler: str) -> None:
    found = discover(tmp_path, ROUTES[routes] | {"vercel.json": VERCEL}).only()

    assert (found.name, found.schedule, found.handler) == ("/api/keep/tidy", "0 5 * * *", handler)


def test_a_function_that_is_handed_over_runs(tmp_path: Path) -> None:
    files = {
        "package.json": '{"scripts": {"start": "node src/main.js"}}',
        "src/once.js": (
            "export const once = (f) => {\n  let ran = false;\n"
            "  return () => { if (!ran) { ran = true; f(); } };\n};\n"
        ),
        "src/main.js": (
            "import { once } from './once';\n"
            + DB
            + "const begin = once(function beginSweeping() {\n  setInterval(() => sweep(), 60000);\n});\nbegin();\n"
        ),
    }

    assert discover(tmp_path, files).only().live


def test_a_timer_of_a_component_is_no_job(tmp_path: Path) -> None:
    code = (
        "import { useEffect } from 'react';\nimport fs from 'node:fs';\n"
        "export function useReload(every: number) {\n"
        "  useEffect(() => { const t = setInterval(() => { fetch('/x', { method: 'POST' }); }, 1000);\n"
        "    return () => clearInterval(t); }, []);\n}\n"
        "export const read = () => fs.readFileSync('x');\n"
    )
    found = discover(tmp_path, {"src/reload.ts": code})

    assert (found.rows(), found.rejected) == (
        [],
        ("src/reload.ts:4 it lives as long as a component of a page",),
    )


@pytest.mark.parametrize(
    ("base", "jobs"), [("React.Component", 0), ("PureComponent", 0), ("HTMLElement", 0), ("Service", 1)]
)
def test_a_timer_of_a_component_that_is_a_class_is_no_job(tmp_path: Path, base: str, jobs: int) -> None:
    code = (
        "import React, { PureComponent } from 'react';\nimport fs from 'node:fs';\n"
        "import { Service } from './service';\n"
        f"class Status extends {base} {{\n"
        "  mounted() {\n"
        "    this.measure = () => { fs.writeFileSync('x', 'y'); setTimeout(() => { this.measure(); }, 500); };\n"
        "    this.measure();\n  }\n}\n"
        "new Status().mounted();\n"
    )
    files = {"src/main.ts": code, "src/service.ts": "export class Service {}\n"}

    assert len(discover(tmp_path, files).jobs) == jobs


def test_a_loop_that_gives_something_back_is_an_operation(tmp_path: Path) -> None:
    code = (
        "const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));\n"
        "async function take(client) {\n  while (true) {\n"
        "    const activeLock = await db.query('insert into locks select 1');\n"
        "    if (activeLock) { return activeLock; }\n    await pause(100);\n  }\n}\ntake(1);\n"
    )

    assert discover(tmp_path, {"src/main.ts": DB + code}).rows() == []


def test_a_base_class_arms_what_a_subclass_fills_in(tmp_path: Path) -> None:
    files = {
        "src/planner.ts": (
            "export abstract class Planner {\n"
            "  protected abstract arm(name: string, work: () => Promise<void>, every: string): Promise<void>;\n"
            "  start() { this.plan('tidy', async () => { await this.tidy(); }, '*/10 * * * *'); }\n"
            "  plan(name: string, work: () => Promise<void>, every: string) { this.arm(name, work, every); }\n"
            "  protected abstract tidy(): Promise<void>;\n}\n"
        ),
        "src/cron-planner.ts": (
            "import cron from 'node-cron';\nimport { Planner } from './planner';\n"
            + DB
            + "export class CronPlanner extends Planner {\n"
            "  protected async arm(name: string, work: () => Promise<void>, every: string) {\n"
            "    cron.schedule(every, async () => { await work(); }, { name });\n  }\n"
            "  protected async tidy() { await sweep(); }\n}\n"
        ),
        "src/main.ts": "import { CronPlanner } from './cron-planner';\nnew CronPlanner().start();\n",
    }

    assert [(j.name, j.schedule) for j in discover(tmp_path, files).jobs] == [("tidy", "*/10 * * * *")]


def test_a_workflow_that_is_started_by_its_name_is_live(tmp_path: Path) -> None:
    files = {
        "package.json": '{"scripts": {"start": "node src/main.js"}}',
        "src/workflows/missing.ts": (
            "import { sleep } from '@temporalio/workflow';\n"
            + DB
            + "export async function missingPostWorkflow() {\n"
            "  while (true) { await sleep('1 hour'); await sweep(); }\n}\n"
            "export async function unknownWorkflow() {\n"
            "  while (true) { await sleep('1 hour'); await sweep(); }\n}\n"
        ),
        "src/main.ts": (
            "import { Client } from '@temporalio/client';\nimport { Worker } from '@temporalio/worker';\n"
            "Worker.create({ workflowsPath: require.resolve('./workflows/missing'), taskQueue: 'main' });\n"
            "new Client().workflow.start('missingPostWorkflow', { taskQueue: 'main' });\n"
        ),
    }

    assert [(j.handler, j.live) for j in discover(tmp_path, files).jobs] == [
        ("missingPostWorkflow", True),
        ("unknownWorkflow", False),
    ]
