"""Jobs that are only listed: what packs a cron expression and the work, for an outside scheduler to ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

PACKAGE = '{"name": "shop", "main": "src/server.ts", "dependencies": {"express": "4", "pg": "8"}}'
MAKER = """
    export function defineChore(name: string, cron: string, fn: (at: Date) => Promise<void>, more = {}) {
      return {
        name,
        cron,
        run: (at: Date) => { const result = fn(at).catch((e) => { throw e; }); return { result }; },
        options: { lock: 300, ...more },
      } as Chore;
    }
    export const BY_HAND = '0 0 5 31 2 ?';
"""
SERVER = """
    import express from 'express';
    import { chores } from './chores';
    const app = express();
    app.get('/chores', (req, res) => res.json(chores));
    app.post('/chores/:name', (req, res) => { chores.find((c) => c.name === req.params.name)?.run(new Date()); });
    app.listen(80);
"""
CHORES = """
    import { Pool } from 'pg';
    import { BY_HAND, defineChore } from './chore';
    const db = new Pool();
    const NIGHTLY = '0 3 * * *';
    const tables = { orders: '*/5 * * * *', carts: null };
    async function sweep() { await db.query('delete from sessions'); }
    const sweepChore = defineChore('sweep', NIGHTLY, sweep);
    const retired = defineChore('retired', '0 4 * * *', async () => { await db.query('delete from old'); });
    const once = defineChore('backfill', BY_HAND, async () => { await db.query('update orders set x = 1'); });
    const perTable = Object.entries(tables).map(([table, cron]) =>
      defineChore(`vacuum-${table}`, cron ?? '0 * * * *', async () => { await db.query(`vacuum ${table}`); })
    );
    export const chores = [
      sweepChore,
      // retired,
      once,
      ...perTable,
      defineChore('bill', '0 6 1 * *', async () => { await db.query('insert into bills values (1)'); }),
    ];
"""


def tree(tmp_path: Path, **changed: str) -> list[tuple[str | None, str, str | None, bool]]:
    files = {"package.json": PACKAGE, "src/chore.ts": MAKER, "src/chores.ts": CHORES, "src/server.ts": SERVER}
    files.update({f"src/{name}.ts": text for name, text in changed.items()})
    return [(j.name, j.schedule, j.handler, j.live) for j in discover(tmp_path, files).jobs]


def test_each_listed_job_is_one(tmp_path: Path) -> None:
    assert tree(tmp_path) == [
        ("vacuum-carts", "0 * * * *", "<anonymous>.<anonymous>", True),
        ("vacuum-orders", "*/5 * * * *", "<anonymous>.<anonymous>", True),
        ("sweep", "0 3 * * *", "sweep", True),
        ("retired", "0 4 * * *", "<anonymous>", False),
        ("bill", "0 6 1 * *", "<anonymous>", True),
    ]


def test_what_is_listed_for_the_thirty_first_of_february_is_run_by_hand(tmp_path: Path) -> None:
    files = {"package.json": PACKAGE, "src/chore.ts": MAKER, "src/chores.ts": CHORES, "src/server.ts": SERVER}

    assert discover(tmp_path, files).rejected == (
        "src/chores.ts:9 it is listed at a time that never comes: it is run by hand",
    )


def test_a_scheduler_that_arms_the_list_arms_its_jobs_once(tmp_path: Path) -> None:
    armed = """
        import cron from 'node-cron';
        import { chores } from './chores';
        for (const chore of chores) cron.schedule(chore.cron, () => chore.run(new Date()), { name: chore.name });
    """

    names = [row[0] for row in tree(tmp_path, server=armed)]

    assert sorted(names, key=str) == ["backfill", "bill", "retired", "sweep", "vacuum-carts", "vacuum-orders"]


MAKERS_OF_NO_JOB = {
    "an expression that is only told": (
        "export function defineChore(name: string, cron: string, fn: () => Promise<void>) {\n"
        "  return { name, told: cron, run: () => fn() };\n}\nexport const BY_HAND = '';"
    ),
    "work that is left out": (
        "export function defineChore(name: string, cron: string, fn: () => Promise<void>) {\n"
        "  return { name, cron, run: () => console.log(name) };\n}\nexport const BY_HAND = '';"
    ),
    "a check": (
        "export function defineChore(name: string, cron: string, fn: () => Promise<void>) {\n"
        "  return cron.length > 5 && fn.length === 0;\n}\nexport const BY_HAND = '';"
    ),
}


@pytest.mark.parametrize("shape", MAKERS_OF_NO_JOB)
def test_what_lists_no_job(tmp_path: Path, shape: str) -> None:
    assert tree(tmp_path, chore=MAKERS_OF_NO_JOB[shape]) == []
