"""Names of jobs, and ids that outlive an edit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cronaudit import audit
from cronaudit.model.options import AuditOptions
from tests.recognition.small_trees import discover, write

DB = (
    "import { Pool } from 'pg';\nimport cron from 'node-cron';\nconst db = new Pool();\n"
    "async function sweep() { await db.query('delete from s'); }\n"
)


@pytest.mark.parametrize(
    ("code", "name", "shown"),
    [
        ("cron.schedule('0 1 * * *', sweep, { name: 'nightly' });", "nightly", "nightly"),
        ("cron.schedule('0 1 * * *', sweep);", None, "sweep"),
        (
            (
                "function boot() { cron.schedule('0 1 * * *', async () => { await sweep(); await sweep(); }); }\n"
                "boot();"
            ),
            None,
            "boot",
        ),
        ("cron.schedule('0 1 * * *', async () => { await sweep(); await sweep(); });", None, "main.ts"),
        (
            "const NAME = 'x';\ncron.schedule('0 1 * * *', sweep, { name: `${NAME}:sweep` });",
            "x:sweep",
            "x:sweep",
        ),
        (
            "cron.schedule('0 1 * * *', sweep, { name: `${process.env.NODE_ID}:sweep` });",
            "${…}:sweep",
            "${…}:sweep",
        ),
        ("for (const j of [{ jobName: 'a', at: '0 1 * * *' }]) cron.schedule(j.at, sweep);", None, "sweep"),
        (
            (
                "for (const j of [{ id: 'a', at: '0 1 * * *' }, { id: 'a', at: '0 2 * * *' }].slice(0, 1)) "
                "cron.schedule(j.at, sweep);"
            ),
            "a",
            "a",
        ),
    ],
)
def test_names(tmp_path: Path, code: str, name: str | None, shown: str) -> None:
    found = discover(tmp_path, {"src/main.ts": DB + code}).jobs[0]

    assert (found.name, found.shown) == (name, shown)


@pytest.mark.parametrize(
    "jobs",
    [
        (
            "const jobs = { sweep: { at: '0 1 * * *' }, bill: { at: '0 2 * * *' } };\n"
            "for (const [name, job] of Object.entries(jobs)) cron.schedule(job.at, sweep, { name });"
        ),
        (
            "const jobs = new Map();\njobs.set('sweep', { at: '0 1 * * *' });\n"
            "jobs.set('bill', { at: '0 2 * * *' });\n"
            "for (const [name, job] of jobs) cron.schedule(job.at, sweep);"
        ),
        (
            "const jobs = [{ config: { name: 'sweep' }, at: '0 1 * * *' }, { config: { name: 'bill' }, "
            "at: '0 2 * * *' }];\njobs.forEach((job) => cron.schedule(job.at, sweep));"
        ),
        (
            "class Job { constructor(readonly jobName: string, readonly at: string) {}\n"
            "  arm() { cron.schedule(this.at, sweep); } }\nnew Job('sweep', '0 1 * * *').arm();\n"
            "new Job('bill', '0 2 * * *').arm();"
        ),
    ],
)
def test_names_of_registries(tmp_path: Path, jobs: str) -> None:
    found = discover(tmp_path, {"src/main.ts": DB + jobs})

    assert sorted((j.name, j.schedule) for j in found.jobs) == [("bill", "0 2 * * *"), ("sweep", "0 1 * * *")]


def ids(root: Path) -> list[str]:
    return [job.id for job in audit.audit(root, AuditOptions(date(2026, 1, 1))).result.jobs]


def test_ids_hold_when_lines_move_and_tell_equal_names_apart(tmp_path: Path) -> None:
    code = (
        "cron.schedule('0 1 * * *', sweep, { name: 'nightly' });\ncron.schedule('0 2 * * *', sweep);\n"
        "cron.schedule('0 3 * * *', sweep);\n"
    )
    write(tmp_path, {"src/main.ts": DB + code})
    before = ids(tmp_path)
    write(tmp_path, {"src/main.ts": "// a line more\n\n" + DB + "\n\n" + code})

    assert before == ["src/main.ts:nightly", "src/main.ts:sweep", "src/main.ts:sweep~2"]
    assert ids(tmp_path) == before
