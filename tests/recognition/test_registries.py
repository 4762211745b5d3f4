# ruff: noqa: S608 - the statements are those of the audited services
"""Jobs that a program collects at run time: out of a folder, by class, or through a queue that it is handed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

POOL = "const { Pool } = require('pg'); module.exports = new Pool();\n"
PURGE = """
const db = require('../db');
exports.name = 'purge';
exports.when = '0 3 * * *';
exports.run = async function purge() { await db.query('DELETE FROM sessions'); };
"""
SYNC = """
const db = require('../db');
exports.name = 'sync';
exports.when = '*/10 * * * *';
exports.run = async function sync() { await db.query('UPDATE rates SET fresh = true'); };
"""
SHARED = "exports.batch = 10;\n"


def manifest(*packages: str) -> str:
    listed = ", ".join(f'"{p}": "*"' for p in packages)
    return f'{{"name": "shop", "scripts": {{"start": "node src/main.js"}}, "dependencies": {{{listed}}}}}'


LOADERS = {
    "a loop over what readdir gives": """
        const fs = require('fs'), path = require('path'), cron = require('node-cron');
        for (const file of fs.readdirSync(path.join(__dirname, 'jobs'))) {
          const job = require(path.join(__dirname, 'jobs', file));
          cron.schedule(job.when, job.run);
        }
    """,
    "forEach with a template and a filter": """
        const { readdirSync } = require('node:fs'), cron = require('node-cron');
        readdirSync(`${__dirname}/jobs`).filter((f) => f.endsWith('.js')).forEach((file) => {
          const { when, run } = require(`./jobs/${file}`);
          cron.schedule(when, run);
        });
    """,
    "modules of the bundler": """
        const cron = require('node-cron');
        const modules = import.meta.glob('./jobs/*.js', { eager: true });
        for (const job of Object.values(modules)) { cron.schedule(job.when, job.run); }
    """,
}


@pytest.mark.parametrize("name", LOADERS)
def test_each_file_of_a_folder_is_a_job(tmp_path: Path, name: str) -> None:
    found = discover(
        tmp_path,
        {
            "package.json": manifest("node-cron", "pg"),
            "src/main.js": LOADERS[name],
            "src/db.js": POOL,
            "src/jobs/purge.js": PURGE,
            "src/jobs/sync.js": SYNC,
        },
    )
    assert found.rows() == [("purge", "0 3 * * *", "purge"), ("sync", "*/10 * * * *", "sync")]
    assert [j.at for j in found.jobs] == ["src/jobs/purge.js:3", "src/jobs/sync.js:3"]


CADENCE = "export enum Cadence { Daily = 'daily', Hourly = 'hourly' }\n"
CHORE = """
import { chores } from '../queue';
import { Cadence } from './cadence';
export abstract class Chore {
  abstract get plan(): { cadence: Cadence };
  abstract perform(): Promise<void>;
  /** Puts a chore into the queue. */
  enqueue() { return chores().add({ name: this.constructor.name }, { ...this.options }); }
  get options() { return { attempts: 4, backoff: { type: 'exponential', delay: 1000 } }; }
}
"""
TICK = """
import registry from './registry';
import { Chore } from './chores/chore';
import { Cadence } from './chores/cadence';
async function tick(cadence: Cadence) {
  for (const key in registry) {
    const Made = registry[key];
    if (!(Made.prototype instanceof Chore)) { continue; }
    const chore = new Made() as Chore;
    if (chore.plan.cadence === cadence) { await chore.enqueue(); }
  }
}
setInterval(() => void tick(Cadence.Daily), 86_400_000);
setInterval(() => void tick(Cadence.Hourly), 3_600_000);
"""


def chore(name: str, cadence: str) -> str:
    return (
        "import { Pool } from 'pg';\nimport { Chore } from './chore';\nimport { Cadence } from './cadence';\n"
        f"const pool = new Pool();\nexport default class {name} extends Chore {{\n"
        f"  async perform() {{ await pool.query('DELETE FROM {name.lower()}'); }}\n"
        f"  get plan() {{ return {{ cadence: Cadence.{cadence} }}; }}\n}}\n"
    )


def test_each_class_that_states_the_cadence_of_a_timer_is_a_job(tmp_path: Path) -> None:
    found = discover(
        tmp_path,
        {
            "package.json": manifest("bull", "pg"),
            "src/main.ts": TICK,
            "src/registry.ts": "import { load } from 'somewhere';\nexport default load(__dirname);\n",
            "src/queue.ts": """
                import Bull from 'bull';
                const made = new Bull('chores');
                export const chores = () => made;
            """,
            "src/chores/cadence.ts": CADENCE,
            "src/chores/chore.ts": CHORE,
            "src/chores/trim.ts": chore("Trim", "Hourly"),
            "src/chores/rollup.ts": chore("Rollup", "Daily"),
            "src/chores/expire.ts": chore("Expire", "Daily"),
        },
    )
    assert [(j.at, j.schedule, j.handler) for j in found.jobs] == [
        ("src/chores/expire.ts:7", "86400 s", "Expire.perform"),
        ("src/chores/rollup.ts:7", "86400 s", "Rollup.perform"),
        ("src/chores/trim.ts:7", "3600 s", "Trim.perform"),
    ]


def test_a_queue_that_is_handed_over_has_its_consumers(tmp_path: Path) -> None:
    found = discover(
        tmp_path,
        {
            "package.json": manifest("agenda", "pg"),
            "src/main.js": """
                const Agenda = require('agenda');
                const agenda = new Agenda({ db: { address: process.env.MONGO_URL } });
                require('./jobs/purge')(agenda);
                agenda.define('report', async function report() {
                  await fetch('https://r.example', { method: 'POST' });
                });
                (async () => {
                  await agenda.start();
                  await agenda.every('3 minutes', 'purge');
                  await agenda.every('1 day', ['report']);
                })();
            """,
            "src/db.js": POOL,
            "src/jobs/purge.js": """
                const db = require('../db');
                module.exports = (agenda) => {
                  agenda.define('purge', { concurrency: 1 }, async function purge() {
                    await db.query('DELETE FROM a');
                  });
                };
            """,
        },
    )
    assert [(j.schedule, j.handler and j.handler.rpartition(".")[2]) for j in found.jobs] == [
        ("180 s", "purge"),
        ("86400 s", "report"),
    ]


def test_a_queue_out_of_a_map_that_a_static_method_fills(tmp_path: Path) -> None:
    found = discover(
        tmp_path,
        {
            "package.json": manifest("bullmq"),
            "src/main.ts": """
                import { Queues } from './queues';
                await Queues.repeat('sweep', '*/10 * * * *');
                await Queues.get('digest').add('digest', {}, { repeat: { pattern: '0 7 * * *', tz: 'UTC' } });
            """,
            "src/queues.ts": """
                import { Queue } from 'bullmq';
                export class Queues {
                  private static made = new Map<string, Queue>();
                  static get(name: string): Queue {
                    if (!this.made.has(name)) { this.made.set(name, new Queue(name)); }
                    return this.made.get(name)!;
                  }
                  static async repeat(name: string, pattern: string) {
                    await this.get(name).add(name, {}, { repeat: { pattern } });
                  }
                }
            """,
        },
    )
    assert [(j.name, j.schedule, j.zone, j.at) for j in found.jobs] == [
        ("sweep", "*/10 * * * *", None, "src/main.ts:2"),
        ("digest", "0 7 * * *", "UTC", "src/main.ts:3"),
    ]


def test_a_keep_alive_that_races_a_ping_is_no_job(tmp_path: Path) -> None:
    found = discover(
        tmp_path,
        {
            "package.json": manifest("ioredis"),
            "src/main.ts": """
                import Redis from 'ioredis';
                export class Client extends Redis {
                  constructor(url: string) {
                    super(url);
                    setInterval(() => {
                      const late = new Promise((_, reject) => { setTimeout(() => reject(new Error('late')), 500); });
                      Promise.race([this.ping(), late]).catch(() => { this.disconnect(true); });
                    }, 5000);
                  }
                }
                new Client('redis://cache');
            """,
        },
    )
    assert found.jobs == ()
    assert len(found.rejected) == 1


def test_a_registry_gives_out_copies_of_what_it_was_handed(tmp_path: Path) -> None:
    files = {
        "package.json": '{"main": "cron.ts", "dependencies": {"node-cron": "3", "pg": "8"}}',
        "registry.ts": """
            class Registry {
              private jobs: Map<string, Job> = new Map();
              add(job: Job) { if (!this.jobs.has(job.name)) this.jobs.set(job.name, job); }
              all() { return Array.from(this.jobs.values()).map((job) => Object.freeze({ ...job })); }
            }
            const registry = new Registry();
            export function addJob(job: Job) { registry.add(job); }
            export function enabledJobs() { return registry.all().filter((job) => job.enabled); }
        """,
        "settings.ts": "export const PERIOD = '*/30 * * * *';",
        "boot.ts": """
            import { addJob } from './registry';
            import { PERIOD } from './settings';
            export default () => {
              addJob({ name: 'sweep', schedule: '0 2 * * *', enabled: true });
              addJob({ name: 'count', schedule: PERIOD, enabled: true });
            };
        """,
        "cron.ts": """
            import cron from 'node-cron';
            import { Pool } from 'pg';
            import { enabledJobs } from './registry';
            import boot from './boot';
            const db = new Pool();
            boot();
            enabledJobs().forEach((job) => {
              cron.schedule(job.schedule, async () => { await db.query('delete from t where job = $1', [job.name]); });
            });
        """,
    }
    found = discover(tmp_path, files)
    assert [(j.name, j.schedule, j.at) for j in found.jobs] == [
        ("sweep", "0 2 * * *", "boot.ts:4"),
        ("count", "*/30 * * * *", "boot.ts:5"),
    ]
