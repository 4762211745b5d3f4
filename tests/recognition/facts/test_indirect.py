"""Clients, loggers, guards and routes that a job reaches by a detour that many services take."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import doc, errors, lock, schedule, timeout

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

MAKE = "import { PrismaClient } from '@prisma/client';\nconst make = () => new PrismaClient();\n"
CLIENTS = {
    "kept on the global object": "export const prisma = global.prisma ?? make();",
    "kept on a cast global object": """
        const kept = globalThis as unknown as { prisma: PrismaClient | undefined };
        export const prisma = kept.prisma ?? new PrismaClient();
    """,
    "a global whose type is declared": """
        declare const globalThis: { shared: ReturnType<typeof make> } & typeof global;
        export const prisma = globalThis.shared ?? make();
    """,
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_that_outlives_reloads_is_the_one_that_is_made(service_of: ServiceOf, name: str) -> None:
    (job,) = service_of(
        {
            "package.json": '{"main": "main.js", "dependencies": {"node-cron": "3", "@prisma/client": "5"}}',
            "db.ts": MAKE + CLIENTS[name],
            "main.ts": """
                import cron from 'node-cron';
                import { prisma } from './db';
                cron.schedule('0 * * * *', async () => {
                  await prisma.$transaction(async (tx) => { await tx.visit.create({ data: {} }); });
                });
            """,
        }
    )
    assert [s.effect for s in job.sightings] == ["tx.wrap", "db.insert"]


INJECTED = {
    "package.json": '{"scripts": {"start": "node main.js"}, "dependencies": {"pg": "8"}}',
    "logger.ts": """
        export interface Logger { error(message: string, ...rest: unknown[]): void }
        export type Loggers = (name: string) => Logger;
    """,
    "scheduler.ts": """
        import type { Logger, Loggers } from './logger';
        import { isPaused } from './mode';
        export class Scheduler {
          private logger: Logger;
          private running: Set<string> = new Set();
          constructor(loggers: Loggers) { this.logger = loggers('scheduler'); }
          every(work: () => Promise<unknown>, ms: number, id: string) {
            const once = async () => {
              if (this.running.has(id)) { return; }
              try { this.running.add(id); await work(); } finally { this.running.delete(id); }
            };
            setInterval(async () => {
              try {
                if (!(await isPaused())) { await once(); }
              } catch (e) {
                this.logger.error(`${id} failed`, e);
              }
            }, ms);
          }
        }
    """,
    "mode.ts": """
        import { Pool } from 'pg';
        const pool = new Pool();
        export const isPaused = async () => (await pool.query('SELECT paused FROM modes')).rows[0].paused;
    """,
    "main.ts": """
        import { Scheduler } from './scheduler';
        import { loggers } from 'somewhere';
        import { rates } from 'elsewhere';
        const scheduler = new Scheduler(loggers);
        scheduler.every(async () => { await rates('visits').where('seen', 1).purge(); }, 60_000, 'rates');
    """,
}


def test_an_injected_logger_is_known_by_what_it_is_called(service_of: ServiceOf) -> None:
    (job,) = service_of(INJECTED)
    assert errors.build(job).logged.value == "context"


def test_a_guard_may_stand_behind_a_switch_that_is_read_first(service_of: ServiceOf) -> None:
    (job,) = service_of(INJECTED)
    assert lock.build(job).kind.detail == "In-process guard only: this.running"


ROUTE = {
    "package.json": '{"dependencies": {"next": "15", "@upstash/redis": "1", "@prisma/client": "5"}}',
    "vercel.json": '{"crons": [{"path": "/api/cron/verify", "schedule": "0 * * * *"}]}',
    "lib/with-cron.ts": """
        export const withCron = (handler) => async (req) => {
          // the signature of the request
          try { return await handler({ req }); } catch (error) { console.error(error); return new Response('no'); }
        };
    """,
    "lib/exclusive.ts": """
        import { Redis } from '@upstash/redis';
        const redis = Redis.fromEnv();
        export async function exclusive({ key, seconds, run }) {
          const mine = await redis.set(key, 'held', { nx: true, ex: seconds });
          if (!mine) { return null; }
          try { return await run(); } finally { await redis.del(key); }
        }
    """,
    "app/api/cron/verify/route.ts": """
        import { PrismaClient } from '@prisma/client';
        import { withCron } from '../../../../lib/with-cron';
        import { exclusive } from '../../../../lib/exclusive';
        const prisma = new PrismaClient();
        /** Marks the domains whose records are in place. */
        // Runs every hour
        export const dynamic = 'force-dynamic';
        export const maxDuration = 60;

        export const GET = withCron(async () =>
          exclusive({ key: 'verify', seconds: 90, run: () => prisma.domain.updateMany({ data: { ok: true } }) }));
    """,
}


def test_a_route_that_a_wrapper_surrounds(service_of: ServiceOf) -> None:
    (job,) = service_of(ROUTE)
    assert job.handler is not None
    assert str(getattr(job.handler, "function").location).startswith("app/api/cron/verify/route.ts:10")  # noqa: B009
    assert schedule.build(job).words.detail == "Comment: 'Runs every hour'"
    assert doc.build(job).purpose.value == "doc"
    assert timeout.build(job).seconds.value == 60
    held = lock.build(job)
    assert (held.kind.value, held.ttl_seconds.value) == ("lease", 90)
