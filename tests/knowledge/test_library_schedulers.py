"""Descriptions of schedulers against a few lines of real use: name, kind, schedule, zone, handler."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from cronaudit.audit import audit
from cronaudit.model.options import AuditOptions

Row = tuple[str | None, str, str | float | None, str | None, str | None]
JobsOf = Callable[[str, str], list[Row]]
WORK_JS = "export async function work(): Promise<void> { await fetch('https://api.example.com/run'); }\n"
WORK_PY = "import requests\n\n\ndef work():\n    requests.get('https://api.example.com/run', timeout=5)\n"


@pytest.fixture
def jobs_of(tmp_path: Path) -> JobsOf:
    def build(path: str, text: str) -> list[Row]:
        (tmp_path / "package.json").write_text("{}")
        (tmp_path / "work.ts").write_text(WORK_JS)
        (tmp_path / "work.py").write_text(WORK_PY)
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text).lstrip("\n"))
        result = audit(tmp_path, AuditOptions(date(2026, 11, 23))).result
        return [
            (
                job.name,
                job.kind,
                job.schedule.interval_seconds or job.schedule.expression,
                zone if isinstance(zone := job.facts.schedule.timezone.value, str) else None,
                job.handler.symbol if job.handler else None,
            )
            for job in result.jobs
        ]

    return build


def test_temporal(jobs_of: JobsOf) -> None:
    jobs = jobs_of(
        "main.ts",
        """
        import { Client } from '@temporalio/client';
        import { work } from './work';
        const client = new Client({});
        client.schedule.create({
          scheduleId: 'orders',
          action: { type: 'startWorkflow', workflowType: work, taskQueue: 'q' },
          spec: { cronExpressions: ['0 3 * * *'], timezone: 'Europe/Berlin' },
        });
        client.schedule.create({
          scheduleId: 'stock',
          action: { type: 'startWorkflow', workflowType: work, taskQueue: 'q' },
          spec: { intervals: [{ every: '10m' }] },
          policies: { overlap: 'ALLOW_ALL' },
        });
        client.workflow.start(work, { workflowId: 'wf', taskQueue: 'q', cronSchedule: '*/15 * * * *' });
        client.workflow.start(work, { workflowId: 'once', taskQueue: 'q' });
        """,
    )
    assert jobs == [
        ("orders", "temporal", "0 3 * * *", "Europe/Berlin", "work"),
        ("stock", "temporal", 600.0, "UTC", "work"),
        ("wf", "temporal", "*/15 * * * *", "UTC", "work"),
    ]


def test_platforms(jobs_of: JobsOf) -> None:
    jobs = jobs_of(
        "main.ts",
        """
        import * as functions from 'firebase-functions';
        import { onSchedule } from 'firebase-functions/v2/scheduler';
        import { schedules } from '@trigger.dev/sdk/v3';
        import { Client as QStash } from '@upstash/qstash';
        import { schedule } from '@netlify/functions';
        import { work } from './work';
        export const a = onSchedule('every 5 minutes', work);
        export const b = onSchedule({ schedule: '0 4 * * *', timeZone: 'Europe/Rome' }, work);
        export const c = functions.pubsub.schedule('5 11 * * *').timeZone('America/New_York').onRun(work);
        const cron = { pattern: '0 5 * * *', timezone: 'Asia/Tokyo' };
        export const d = schedules.task({ id: 'sync', cron, run: work });
        const client = new QStash({ token: 't' });
        client.schedules.create({ destination: 'https://x.example', cron: '0 6 * * *', scheduleId: 'q' });
        export const e = schedule('@hourly', work);
        Deno.cron('deno', '0 7 * * *', work);
        """,
    )
    assert jobs == [
        (None, "firebase-schedule", 300.0, "UTC", "work"),
        (None, "firebase-schedule", "0 4 * * *", "Europe/Rome", "work"),
        (None, "firebase-schedule", "5 11 * * *", "America/New_York", "work"),
        ("sync", "trigger-dev", "0 5 * * *", "Asia/Tokyo", "work"),
        ("q", "qstash", "0 6 * * *", "UTC", None),
        (None, "netlify-cron", "@hourly", "UTC", "work"),
        ("deno", "deno-cron", "0 7 * * *", "UTC", "work"),
    ]


def test_aws_cdk(jobs_of: JobsOf) -> None:
    jobs = jobs_of(
        "stack.ts",
        """
        import { Duration } from 'aws-cdk-lib';
        import * as events from 'aws-cdk-lib/aws-events';
        new events.Rule(scope, 'Rate', { schedule: events.Schedule.rate(Duration.minutes(5)) });
        new events.Rule(scope, 'Text', { schedule: events.Schedule.expression('cron(0 4 * * ? *)') });
        new events.Rule(scope, 'Events', { eventPattern: { source: ['aws.ec2'] } });
        """,
    )
    assert jobs == [
        ("Rate", "eventbridge", 300.0, "UTC", None),
        ("Text", "eventbridge", "cron(0 4 * * ? *)", "UTC", None),
    ]


def test_frameworks(jobs_of: JobsOf) -> None:
    jobs = jobs_of(
        "main.ts",
        """
        import { Inngest } from 'inngest';
        import later from '@breejs/later';
        import JobManager from '@tryghost/job-manager';
        import { ServiceBroker } from 'moleculer';
        import { ApplyOptions } from '@sapphire/decorators';
        import { ScheduledTask } from '@sapphire/plugin-scheduled-tasks';
        import { work } from './work';
        const inngest = new Inngest({ id: 'app' });
        inngest.createFunction({ id: 'digest' }, { cron: 'TZ=Europe/Paris 0 12 * * 5' }, work);
        inngest.createFunction({ id: 'on-event' }, { event: 'a/b' }, work);
        later.setInterval(work, later.parse.text('every 5 mins'));
        const manager = new JobManager({});
        manager.addJob({ name: 'clean', at: '30 10 3 * * *', job: work });
        manager.addJob({ name: 'once', job: work });
        const broker = new ServiceBroker();
        broker.createService({ name: 's', crons: [{ name: 'tick', cronTime: '*/3 * * * *', onTick: work }] });
        @ApplyOptions<ScheduledTask.Options>({ name: 'sap', interval: 60_000 })
        export class Sap extends ScheduledTask { async run() { await work(); } }
        """,
    )
    assert jobs == [
        ("digest", "inngest", "TZ=Europe/Paris 0 12 * * 5", "Europe/Paris", "work"),
        (None, "later", 300.0, None, "work"),
        ("clean", "bree", "30 10 3 * * *", None, "work"),
        ("tick", "cron", "*/3 * * * *", None, "work"),
        ("sap", "bullmq", 60.0, None, "work"),
    ]


def test_celery(jobs_of: JobsOf) -> None:
    jobs = jobs_of(
        "celery_app.py",
        """
        import os
        from datetime import timedelta
        from celery import Celery
        from celery.schedules import crontab, schedule
        from work import work

        app = Celery("x")

        @app.task
        def nightly():
            work()

        app.conf.beat_schedule = {
            "nightly": {"task": "celery_app.nightly", "schedule": crontab(hour=2, minute=30)},
            "often": {"task": "celery_app.nightly", "schedule": 30.0},
            "delta": {"task": "celery_app.nightly", "schedule": timedelta(minutes=5)},
            "sched": {"task": "celery_app.nightly", "schedule": schedule(run_every=90)},
            "env": {"task": "celery_app.nightly", "schedule": float(os.environ.get("EVERY", "15"))},
        }
        app.add_periodic_task(crontab(hour=7, minute=30, day_of_week=1), nightly.s(), name="mondays")
        """,
    )
    assert [row[:4] for row in jobs] == [
        ("nightly", "celery-beat", "30 2 * * *", "UTC"),
        ("often", "celery-beat", 30.0, "UTC"),
        ("delta", "celery-beat", 300.0, "UTC"),
        ("sched", "celery-beat", 90.0, "UTC"),
        ("env", "celery-beat", 15.0, "UTC"),
        ("mondays", "celery-periodic", "30 7 * * 1", "UTC"),
    ]


def test_apscheduler(jobs_of: JobsOf) -> None:
    jobs = jobs_of(
        "sched.py",
        """
        from apscheduler.schedulers.background import BackgroundScheduler
        from apscheduler.triggers.cron import CronTrigger
        from apscheduler.triggers.interval import IntervalTrigger
        from work import work

        sched = BackgroundScheduler()
        sched.add_job(work, "interval", minutes=5, id="five", max_instances=1)
        sched.add_job(work, trigger="cron", day_of_week="mon-fri", hour=5, minute=30, id="weekdays")
        sched.add_job(work, CronTrigger.from_crontab("0 4 * * *", timezone="Asia/Tokyo"), id="tokyo")
        sched.add_job(func=work, trigger=IntervalTrigger(hours=1, jitter=10), id="hour")
        sched.add_job(work, "date", run_date="2030-01-01", id="once")
        sched.start()
        """,
    )
    assert jobs == [
        ("five", "apscheduler", 300.0, None, "work"),
        ("weekdays", "apscheduler", "30 5 * * mon-fri", None, "work"),
        ("tokyo", "apscheduler", "CRON_TZ=Asia/Tokyo 0 4 * * *", "Asia/Tokyo", "work"),
        ("hour", "apscheduler", 3600.0, None, "work"),
    ]


def test_python_queues(jobs_of: JobsOf) -> None:
    jobs = jobs_of(
        "jobs.py",
        """
        import dramatiq
        import schedule
        from huey import RedisHuey, crontab
        from periodiq import cron
        from redis import Redis
        from rq_scheduler import Scheduler
        from procrastinate import App
        from work import work

        schedule.every(10).minutes.do(work)
        schedule.every().day.at("02:30").do(work)
        scheduler = Scheduler(connection=Redis())
        scheduler.cron("0 0 * * 0", func=work, id="weekly")
        scheduler.schedule(None, func=work, interval=60, id="minutely")
        huey = RedisHuey("x")

        @huey.periodic_task(crontab(minute="0", hour="3", day="1"))
        def monthly():
            work()

        @dramatiq.actor(periodic=cron("15 * * * *"), actor_name="quarter")
        def actor():
            work()

        app = App(connector=None)

        @app.periodic(cron="*/10 * * * *")
        @app.task
        def tick(timestamp):
            work()
        """,
    )
    assert [row[:4] for row in jobs] == [
        (None, "python-schedule", 600.0, None),
        (None, "python-schedule", "30 2 * * *", None),
        ("weekly", "rq-scheduler", "0 0 * * 0", "UTC"),
        ("minutely", "rq-scheduler", 60.0, "UTC"),
        (None, "huey", "0 3 1 * *", "UTC"),
        ("quarter", "dramatiq", "15 * * * *", None),
        (None, "procrastinate", "*/10 * * * *", "UTC"),
    ]
