"""Schedulers that a function gives back: who is given one calls it, or hands it to those who do."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

PACKAGE = (
    '{"name": "shop", "main": "src/server.ts", "dependencies": {"express": "4", "pg": "8", "node-cron": "3"}}'
)
PLAN = """
    import cron from 'node-cron';
    export const makePlan = ({ take, free }: Locks) =>
      (expression: string, name: string, work: Work, most = 60_000): cron.ScheduledTask => {
        if (!cron.validate(expression)) throw new Error(expression);
        return cron.schedule(expression, async (at: Date) => {
          await guarded(at, name, most, work, take, free);
        });
      };
    const guarded = async (at, name, most, work, take, free) => {
      const lock = await take(name, most);
      if (!lock) return;
      try { await work(at); } finally { await free(lock); }
    };
"""
LOCKS = """
    import { Pool } from 'pg';
    export const db = new Pool();
    export async function take(name: string) { return db.query('insert into locks values ($1)', [name]); }
    export async function free(name: string) { await db.query('delete from locks'); }
    export async function prune() { await db.query('delete from images'); }
"""
HOOKS = """
    import { makePlan } from './plan';
    import { prune, take, free } from './locks';
    const planHooks = () => {
      const plan = makePlan({ take, free });
      const weekly = '0 4 * * 1';
      return plan(weekly, 'hooks', async () => { await prune(); });
    };
    let planned = null;
    export const init = () => { planned = planHooks(); };
"""
SEATS = """
    import { makePlan } from './plan';
    import { db, take, free } from './locks';
    import { planUploads } from './uploads';
    const planSeats = ({ plan }: { plan: Plan }) => {
      const often = '*/5 * * * *';
      return plan(often, 'seats', async () => { await db.query('update seats set used = 0'); });
    };
    let tasks: Task[] = [];
    export default {
      async init() {
        const plan = makePlan({ take, free });
        tasks = [planSeats({ plan })];
        tasks.push(await planUploads({ plan, expression: '*/10 * * * *' }));
      },
    };
"""
UPLOADS = """
    import { prune } from './locks';
    export const planUploads = async (deps: { plan: Plan; expression: string }) => {
      return deps.plan(
        deps.expression,
        'uploads',
        prune,
      );
    };
"""
SERVER = """
    import express from 'express';
    import { init } from './hooks';
    import seats from './seats';
    const app = express();
    init();
    seats.init();
    app.listen(80);
"""


def test_each_call_of_a_scheduler_that_a_function_gave_back_is_a_job(tmp_path: Path) -> None:
    tree = {"package.json": PACKAGE, "src/plan.ts": PLAN, "src/locks.ts": LOCKS, "src/server.ts": SERVER}
    tree |= {"src/hooks.ts": HOOKS, "src/seats.ts": SEATS, "src/uploads.ts": UPLOADS}

    found = discover(tmp_path, tree)

    assert [(j.at, j.name, j.schedule, j.runs, j.live) for j in found.jobs] == [
        ("src/hooks.ts:6", "hooks", "0 4 * * 1", "prune", True),
        ("src/seats.ts:6", "seats", "*/5 * * * *", "planSeats.<anonymous>", True),
        ("src/seats.ts:13", "uploads", "*/10 * * * *", "prune", True),
    ]
