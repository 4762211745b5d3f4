"""Base classes that plan what the classes below them state, where only a container makes those."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

PACKAGE = """
    {"name": "shop", "main": "src/main.ts", "dependencies": {"@nestjs/core": "10", "@nestjs/common": "10",
     "@nestjs/schedule": "4", "cron": "3", "pg": "8"}}
"""
MAIN = """
    import { NestFactory } from '@nestjs/core';
    import { AppModule } from './app.module';
    NestFactory.create(AppModule).then((app) => app.listen(80));
"""
APP = """
    import { Module } from '@nestjs/common';
    import { ScheduleModule } from '@nestjs/schedule';
    import { Planner } from './planner';
    import { Reports, Sweeps } from './tasks';
    @Module({ imports: [ScheduleModule.forRoot()], providers: [Planner, Reports, Sweeps] })
    export class AppModule {}
"""
PLANNER = """
    import { Injectable } from '@nestjs/common';
    import { SchedulerRegistry } from '@nestjs/schedule';
    import { CronJob } from 'cron';
    @Injectable()
    export class Planner {
      constructor(private registry: SchedulerRegistry) {}
      public async plan(name: string, cron: string, task: () => void): Promise<boolean> {
        const job = new CronJob(cron, () => { task(); });
        this.registry.addCronJob(name, job);
        job.start();
        return true;
      }
      public async plannedAnew(name: string, cron: string, task: () => void) {
        this.registry.deleteCronJob(name);
        return this.plan(name, cron, task);
      }
    }
"""
BASE = """
    import { OnApplicationBootstrap } from '@nestjs/common';
    import { Planner } from './planner';
    export abstract class Task implements OnApplicationBootstrap {
      protected name = '';
      protected cron = '';
      private tries = 0;
      constructor(protected readonly planner: Planner) {}
      async onApplicationBootstrap() {
        this.prepare();
        new Promise<void>(async (resolve, reject) => {
          while (this.tries++ < 3) {
            if (await this.planner.plan(this.name, this.cron, this.run.bind(this))) return resolve();
          }
          reject();
        });
      }
      protected prepare() {}
      public async run() { await this.work(); }
      protected abstract work(): Promise<void>;
      public planAnew(cron: string) { return this.planner.plannedAnew(this.name, cron, this.run.bind(this)); }
    }
"""
TASKS = """
    import { Injectable } from '@nestjs/common';
    import { Pool } from 'pg';
    import { Planner } from './planner';
    import { Settings } from './settings';
    import { Task } from './task';
    const db = new Pool();
    @Injectable()
    export class Sweeps extends Task {
      protected name = 'sweeps';
      protected cron = '45 5 * * *';
      constructor(protected readonly planner: Planner) { super(planner); }
      protected async work() { await db.query('delete from carts'); }
    }
    @Injectable()
    export class Reports extends Task {
      protected name = 'reports';
      protected cron = '';
      constructor(protected readonly planner: Planner, private readonly settings: Settings) { super(planner); }
      protected prepare() { this.cron = this.settings.reportCron; }
      protected async work() { await db.query('insert into reports values (1)'); }
    }
"""
SETTINGS = """
    import { Injectable } from '@nestjs/common';
    @Injectable()
    export class Settings { public reportCron: string; }
"""
MEMO = """
    import { Injectable } from '@nestjs/common';
    import { Cron, CronExpression } from '@nestjs/schedule';
    import { Pool } from 'pg';
    const db = new Pool();
    @Injectable()
    export class Memo {
      @Cron(CronExpression.EVERY_30_SECONDS, { disabled: process.env.NODE_ENV === 'test' })
      async flush() { await db.query('delete from memos'); }
      @Cron(CronExpression.EVERY_30_SECONDS, { disabled: true })
      async sweep() { await db.query('delete from carts'); }
    }
"""


def test_each_class_below_a_base_class_that_plans_itself_is_a_job(tmp_path: Path) -> None:
    tree = {"package.json": PACKAGE, "src/main.ts": MAIN, "src/app.module.ts": APP, "src/planner.ts": PLANNER}
    tree |= {"src/task.ts": BASE, "src/tasks.ts": TASKS, "src/settings.ts": SETTINGS}

    found = discover(tmp_path, tree)

    assert [(j.at, j.name, j.schedule, j.runs, j.live) for j in found.jobs] == [
        ("src/tasks.ts:10", "sweeps", "45 5 * * *", "Sweeps.work", True),
        ("src/tasks.ts:19", "reports", "open", "Reports.work", True),
    ]


def test_a_switch_that_only_the_environment_tells_leaves_a_job_on(tmp_path: Path) -> None:
    app = APP.replace("./tasks", "./memo").replace("Reports, Sweeps", "Memo")
    tree = {"package.json": PACKAGE, "src/main.ts": MAIN, "src/app.module.ts": app, "src/planner.ts": PLANNER}

    found = discover(tmp_path, tree | {"src/memo.ts": MEMO})

    assert [(j.at, j.schedule, j.handler, j.live) for j in found.jobs if j.kind == "nest-schedule"] == [
        ("src/memo.ts:7", "*/30 * * * * *", "Memo.flush", True),
        ("src/memo.ts:9", "*/30 * * * * *", "Memo.sweep", False),
    ]
