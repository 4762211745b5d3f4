"""Jobs whose classes a container makes: no ``new`` in the tree, and a base class arms what each class below states."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

PACKAGE = """
{"name": "orchard", "scripts": {"start": "node dist/main"}, "dependencies": {"@nestjs/common": "^11.0.0",
 "@nestjs/core": "^11.0.0", "@nestjs/schedule": "^6.0.0", "cron": "^4.0.0"}}
"""
MAIN = """\
import { NestFactory } from '@nestjs/core';
import { OrchardModule } from './orchard.module';
async function start() { const app = await NestFactory.create(OrchardModule); await app.listen(8080); }
start();
"""
MODULE = """\
import { Module } from '@nestjs/common';
import { Planner } from './planner';
import { Prune } from './prune';
import { Water } from './water';
@Module({ providers: [Planner, Prune, Water] })
export class OrchardModule {}
"""
PLANNER = """\
import { Injectable } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
@Injectable()
export class Planner {
  constructor(private registry: SchedulerRegistry) {}
  plan(name: string, cron: string, work: () => void) {
    const job = new CronJob(cron, () => { work(); });
    this.registry.addCronJob(name, job);
    job.start();
  }
}
"""
CHORE = """\
import { Planner } from './planner';
export abstract class Chore {
  protected label = '';
  protected cron = '';
  constructor(protected readonly planner: Planner) {}
  onApplicationBootstrap() {
    this.prepare();
    ARM
  }
  protected prepare() {}
  run() { return this.work(); }
  protected abstract work(): Promise<void>;
}
"""
PRUNE = """\
import { Injectable } from '@nestjs/common';
import { rm } from 'node:fs/promises';
import { Chore } from './chore';
@Injectable()
export class Prune extends Chore {
  protected label = 'prune';
  protected cron = '20 4 * * *';
  protected async work() { await rm('/orchard/old'); }
}
"""
WATER = """\
import { Injectable } from '@nestjs/common';
import { rm } from 'node:fs/promises';
import { Chore } from './chore';
@Injectable()
export class Water extends Chore {
  protected label = 'water';
  protected cron = '';
  protected prepare() { this.cron = WHEN; }
  protected async work() { await rm('/orchard/dry'); }
}
"""
THROUGH_PLANNER = "this.planner.plan(this.label, this.cron, this.run.bind(this));"


def _tree(arm: str = THROUGH_PLANNER, when: str = "'0 */6 * * *'") -> dict[str, str]:
    return {
        "package.json": PACKAGE,
        "src/main.ts": MAIN,
        "src/orchard.module.ts": MODULE,
        "src/planner.ts": PLANNER,
        "src/chore.ts": CHORE.replace("ARM", arm),
        "src/prune.ts": PRUNE,
        "src/water.ts": WATER.replace("WHEN", when),
    }


@pytest.mark.parametrize(
    "arm",
    [
        THROUGH_PLANNER,
        "new Promise<void>(async (done) => { " + THROUGH_PLANNER + " done(); });",
    ],
)
def test_each_class_below_a_base_that_arms_itself_is_a_job(tmp_path: Path, arm: str) -> None:
    found = discover(tmp_path, _tree(arm))
    assert [(j.name, j.schedule, j.handler, j.at, j.live) for j in found.jobs] == [
        ("prune", "20 4 * * *", "Prune.work", "src/prune.ts:7", True),
        ("water", "0 */6 * * *", "Water.work", "src/water.ts:8", True),
    ]


def test_a_base_that_makes_the_timer_itself(tmp_path: Path) -> None:
    arm = "const job = new CronJob(this.cron, () => this.run()); job.start();"
    tree = _tree(arm)
    tree["src/chore.ts"] = "import { CronJob } from 'cron';\n" + tree["src/chore.ts"]
    assert discover(tmp_path, tree).rows() == [
        ("prune", "20 4 * * *", "Prune.work"),
        ("water", "0 */6 * * *", "Water.work"),
    ]


def test_a_schedule_that_is_set_later_from_what_the_tree_cannot_tell_is_open(tmp_path: Path) -> None:
    found = discover(tmp_path, _tree(when="process.env.WATER_WHEN"))
    assert [(j.name, j.schedule) for j in found.jobs] == [("prune", "20 4 * * *"), ("water", "open")]


def test_a_class_that_nothing_makes_is_no_job(tmp_path: Path) -> None:
    tree = _tree()
    tree["src/water.ts"] = tree["src/water.ts"].replace("@Injectable()\n", "")
    assert discover(tmp_path, tree).rows() == [("prune", "20 4 * * *", "Prune.work")]
