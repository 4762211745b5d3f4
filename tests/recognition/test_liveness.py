"""Whether anything starts a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

PACKAGE = '{"name": "svc", "main": "src/main.ts", "scripts": {"start": "node dist/main.js"}}'
DB = (
    "import { Pool } from 'pg';\nconst db = new Pool();\n"
    "export async function sweep() { await db.query('delete from sessions'); }\n"
)


def states(tmp_path: Path, files: dict[str, str]) -> list[tuple[str, bool]]:
    found = discover(tmp_path, {"package.json": PACKAGE, **files})
    return [(j.at, j.live) for j in found.jobs]


STARTED = {
    "called by the entry": "import { start } from './job';\nstart();",
    "called in a function of the entry": (
        "import { start } from './job';\nasync function main() { start(); }\nmain();"
    ),
    "handed over": "import { start } from './job';\nboot([start]);",
    "through a namespace": "import * as job from './job';\njob.start();",
    "loaded on demand": "async function main() { const { start } = await import('./job'); start(); }\nmain();",
    "required": "const job = require('./job');\njob.start();",
}
ASLEEP = {
    "the call is commented out": "import { start } from './job';\n// start();\nexport {};",
    "imported and left": "import { sweep } from './job';\nsweep();",
}
JOB = DB + "export function start() { setInterval(sweep, 1000); }\n"


@pytest.mark.parametrize("shape", STARTED)
def test_a_function_that_the_entry_starts_is_live(tmp_path: Path, shape: str) -> None:
    assert states(tmp_path, {"src/job.ts": JOB, "src/main.ts": STARTED[shape]}) == [("src/job.ts:4", True)]


@pytest.mark.parametrize("shape", ASLEEP)
def test_a_function_that_nothing_starts_is_dormant(tmp_path: Path, shape: str) -> None:
    found = discover(
        tmp_path, {"package.json": PACKAGE, "src/job.ts": JOB, "src/main.ts": ASLEEP[shape]}
    ).only()

    assert (found.live, found.reason) == (False, "start is never called")


CLASS = DB + (
    "export class Job {\n  start() { setInterval(() => this.run(), 1000); }\n"
    "  async run() { await sweep(); }\n}\n"
)


def test_a_class_is_live_where_its_start_is_called(tmp_path: Path) -> None:
    main = "import { Job } from './job';\nnew Job().start();"

    assert states(tmp_path, {"src/job.ts": CLASS, "src/main.ts": main}) == [("src/job.ts:5", True)]


@pytest.mark.parametrize(
    "main",
    [
        "import { sweep } from './job';\nsweep();",
        "import { Job } from './job';\n// new Job().start();\nexport {};",
    ],
)
def test_a_class_that_nobody_makes_is_dormant(tmp_path: Path, main: str) -> None:
    assert states(tmp_path, {"src/job.ts": CLASS, "src/main.ts": main}) == [("src/job.ts:5", False)]


def test_a_dead_manager_takes_its_jobs_with_it(tmp_path: Path) -> None:
    files = {
        "src/job.ts": JOB,
        "src/manager.ts": "import { start } from './job';\nexport function startAll() { start(); }",
        "src/main.ts": "import { startAll } from './manager';\n// startAll();\nexport {};",
    }

    assert states(tmp_path, files) == [("src/job.ts:4", False)]


def test_a_file_that_nothing_imports_is_dormant_and_one_that_is_imported_runs(tmp_path: Path) -> None:
    files = {
        "src/orphanage/lonely.ts": DB + "setInterval(sweep, 1000);",
        "src/jobs/daily.ts": DB + "setInterval(sweep, 2000);",
        "src/jobs/index.ts": "import './daily';",
        "src/main.ts": "import './jobs';",
    }

    assert states(tmp_path, files) == [("src/jobs/daily.ts:4", True), ("src/orphanage/lonely.ts:4", False)]


def test_without_an_entry_point_a_job_counts_as_live(tmp_path: Path) -> None:
    found = discover(tmp_path, {"lib/job.ts": DB + "setInterval(sweep, 1000);"}).only()

    assert (found.live, found.reason) == (True, "the tree names no entry point")


def test_hooks_of_an_object_that_a_framework_loads(tmp_path: Path) -> None:
    files = {"src/index.ts": DB + "export default { async bootstrap() { setInterval(sweep, 1000); } };"}

    assert [(j.live, j.at) for j in discover(tmp_path, files).jobs] == [(True, "src/index.ts:4")]


def test_a_task_that_is_made_stopped_and_never_started_is_dormant(tmp_path: Path) -> None:
    main = DB + "import { CronJob } from 'cron';\nexport const job = new CronJob('0 5 * * *', sweep);"

    assert states(tmp_path, {"src/main.ts": main}) == [("src/main.ts:5", False)]


def test_hooks_of_an_object_that_a_loaded_file_makes(tmp_path: Path) -> None:
    files = {
        "src/main.ts": (
            "import fs from 'fs';\n"
            "for (const file of fs.readdirSync('parts')) require('./parts/' + file)({}).start();"
        ),
        "src/parts/beacon.ts": (
            DB + "module.exports = (app) => {\n  return { start() { setInterval(sweep, 1000); } };\n};"
        ),
        "src/parts/torch.ts": (
            DB + "function begin() { setInterval(sweep, 1000); }\nmodule.exports = (app) => ({ stop() {} });"
        ),
    }

    assert states(tmp_path, files) == [("src/parts/beacon.ts:5", True), ("src/parts/torch.ts:4", False)]


def test_a_nest_cron_that_is_made_stopped_lives_where_the_registry_starts_it(tmp_path: Path) -> None:
    task = """
        import { Cron, SchedulerRegistry } from '@nestjs/schedule';
        import { sweep } from './work';
        export class SweepTask {
          constructor(private readonly registry: SchedulerRegistry) {}
          onApplicationBootstrap() { BEGIN }
          @Cron('0 2 * * *', { name: 'sweep', disabled: true })
          async run() { await sweep(); }
        }
    """
    main = "import { SweepTask } from './sweep.task';\nboot([SweepTask]);"
    begun = task.replace("BEGIN", "this.registry.getCronJob('sweep').start();")
    files = {"src/work.ts": DB, "src/main.ts": main}

    assert states(tmp_path / "a", {**files, "src/sweep.task.ts": begun}) == [("src/sweep.task.ts:6", True)]
    asleep = task.replace("BEGIN", "")
    assert states(tmp_path / "b", {**files, "src/sweep.task.ts": asleep}) == [("src/sweep.task.ts:6", False)]
