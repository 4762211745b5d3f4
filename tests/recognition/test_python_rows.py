"""Schedules that stand as rows of a database, in lists that decorators fill, and under decorators called by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

SWEEP = {
    "shop/tasks.py": (
        "from celery import shared_task\nfrom app import db\n\n@shared_task\ndef sweep():\n"
        "    db.execute('delete from carts')\n"
    )
}


def _command(body: str) -> dict[str, str]:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return {
        **SWEEP,
        "shop/management/commands/plan.py": (
            "from django.core.management.base import BaseCommand\n"
            "from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask\n\n"
            f"class Command(BaseCommand):\n    def handle(self, *args, **options):\n{lines}"
        ),
    }


ROWS = {
    "an interval that is got or made": (
        (
            "every, made = IntervalSchedule.objects.get_or_create(every=10, period=IntervalSchedule.MINUTES)\n"
            "PeriodicTask.objects.get_or_create(interval=every, name='carts', task='shop.tasks.sweep')"
        ),
        "600 s",
    ),
    "an interval in a row that is made": (
        (
            "PeriodicTask.objects.create(name='carts', task='shop.tasks.sweep',\n"
            "    interval=IntervalSchedule.objects.create(every=2, period='hours'))"
        ),
        "7200 s",
    ),
    "a crontab with its zone": (
        (
            "at, _ = CrontabSchedule.objects.get_or_create(minute='30', hour='3', timezone='Europe/Oslo')\n"
            "PeriodicTask.objects.update_or_create(\n"
            "    name='carts', defaults={'crontab': at, 'task': 'shop.tasks.sweep'})"
        ),
        "CRON_TZ=Europe/Oslo 30 3 * * *",
    ),
    "a crontab in a zone that is only known at run time": (
        (
            "at, _ = CrontabSchedule.objects.get_or_create(minute='0', hour='4', timezone=zone())\n"
            "PeriodicTask.objects.create(name='carts', crontab=at, task='shop.tasks.sweep')"
        ),
        "0 4 * * *",
    ),
    "what a form says": (
        (
            "every, _ = IntervalSchedule.objects.get_or_create(**options)\n"
            "PeriodicTask.objects.get_or_create(interval=every, name='carts', task='shop.tasks.sweep')"
        ),
        "open",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_rows_of_a_schedule_store(tmp_path: Path, row: str) -> None:
    body, schedule = ROWS[row]

    assert discover(tmp_path, _command(body)).rows() == [("carts", schedule, "sweep")]


SWITCHES = {
    "written as off": ("enabled=False", False),
    "written as on": ("enabled=True", True),
    "what the environment says": ("enabled=os.environ.get('SWEEP', '') == '1'", True),
    "what the environment turns off": ("enabled=False if os.environ.get('QUIET') else True", True),
}


@pytest.mark.parametrize("switch", sorted(SWITCHES))
def test_rows_that_are_switched_off_where_they_stand(tmp_path: Path, switch: str) -> None:
    text, live = SWITCHES[switch]
    body = (
        "import os\nevery, _ = IntervalSchedule.objects.get_or_create(every=10, period='minutes')\n"
        f"PeriodicTask.objects.get_or_create(interval=every, name='carts', task='shop.tasks.sweep', {text})"
    )
    assert discover(tmp_path, _command(body)).only().live is live


PLAN = {
    "shop/registry.py": (
        "PLANNED = []\n\n"
        "def periodic(crontab=None, interval=None, name=None):\n"
        "    def wrap(func):\n"
        "        task = '{func.__module__}.{func.__name__}'.format(func=func)\n"
        "        PLANNED.append({\n"
        "            name or task: {'task': task, 'interval': interval, 'crontab': crontab}\n"
        "        })\n"
        "        return func\n"
        "    return wrap\n"
    ),
    "shop/plan.py": (
        "from celery.signals import worker_ready\n"
        "from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask\n"
        "from shop.registry import PLANNED\n\n"
        "def plan(rows):\n"
        "    for name, row in rows.items():\n"
        "        interval = None\n"
        "        crontab = None\n"
        "        if isinstance(row.get('interval'), int):\n"
        "            fields = dict(every=row['interval'], period=IntervalSchedule.SECONDS)\n"
        "            interval = IntervalSchedule.objects.filter(**fields).first()\n"
        "            if interval is None:\n"
        "                interval = IntervalSchedule.objects.create(**fields)\n"
        "        elif isinstance(row.get('crontab'), str):\n"
        "            minute, hour, day, month, week = row['crontab'].split()\n"
        "            fields = dict(\n"
        "                minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=week)\n"
        "            crontab = CrontabSchedule.objects.create(**fields)\n"
        "        defaults = dict(interval=interval, crontab=crontab, task=row['task'])\n"
        "        PeriodicTask.objects.update_or_create(name=name, defaults=defaults)\n\n"
        "@worker_ready.connect\n"
        "def on_ready(**kwargs):\n"
        "    for rows in PLANNED:\n"
        "        plan(rows)\n"
    ),
    "shop/jobs.py": (
        "from celery import shared_task\nfrom app import db\nfrom shop.registry import periodic\n\n"
        "@shared_task\n@periodic(interval=300)\ndef check():\n    db.execute('update a')\n\n"
        "@shared_task\n@periodic(crontab='0 2 * * *', name='nightly')\ndef purge():\n"
        "    db.execute('delete from b')\n"
    ),
}


def test_decorators_that_fill_a_list_of_rows(tmp_path: Path) -> None:
    found = discover(tmp_path, PLAN)

    assert [(j.name, j.schedule, j.handler, j.at) for j in found.jobs] == [
        ("shop.jobs.check", "300 s", "check", "shop/jobs.py:6"),
        ("nightly", "0 2 * * *", "purge", "shop/jobs.py:11"),
    ]


def test_rows_that_a_table_is_begun_with(tmp_path: Path) -> None:
    files = {
        "shop/scheduler.py": (
            "from taskiq import TaskiqScheduler\n"
            "from taskiq_postgresql import PostgresqlBroker\n"
            "from taskiq_postgresql.scheduler_source import PostgresqlSchedulerSource\n"
            "from app import db\n\n"
            "broker = PostgresqlBroker(dsn='postgres://')\n\n"
            "@broker.task\nasync def refresh():\n    await db.execute('x')\n\n"
            "@broker.task(task_name='covers')\nasync def fetch_covers():\n    await db.execute('y')\n\n"
            "ROWS = {\n"
            "    refresh.task_name: [{'cron': '*/2 * * * *'}],\n"
            "    fetch_covers.task_name: [{'cron': '0 0 * * 1'}],\n"
            "}\n\n"
            "source = PostgresqlSchedulerSource(dsn='postgres://', broker=broker, startup_schedule=ROWS)\n"
            "scheduler = TaskiqScheduler(broker=broker, sources=[source])\n"
        )
    }

    assert [(j.name, j.schedule, j.handler, j.at) for j in discover(tmp_path, files).jobs] == [
        ("shop.scheduler.refresh", "*/2 * * * *", "refresh", "shop/scheduler.py:17"),
        ("covers", "0 0 * * 1", "fetch_covers", "shop/scheduler.py:18"),
    ]


def test_each_row_of_a_label_is_a_job(tmp_path: Path) -> None:
    files = {
        "shop/worker.py": (
            "from taskiq_redis import RedisStreamBroker\nfrom app import db\n\n"
            "broker = RedisStreamBroker(url='redis://')\n\n"
            "@broker.task(schedule=[\n"
            "    {'cron': '0 9 * * *', 'cron_offset': 'Europe/Oslo'},\n"
            "    {'cron': '0 18 * * *', 'schedule_id': 'evening'},\n"
            "])\n"
            "async def report():\n    await db.execute('x')\n\n"
            "@broker.task\nasync def by_order():\n    await db.execute('y')\n"
        )
    }

    assert [(j.name, j.schedule, j.zone, j.handler, j.at) for j in discover(tmp_path, files).jobs] == [
        (None, "0 9 * * *", "Europe/Oslo", "report", "shop/worker.py:7"),
        ("evening", "0 18 * * *", None, "report", "shop/worker.py:8"),
    ]


RECURRING = (
    "from datetime import timedelta\nfrom app import db\n"
    "from task_processor.decorators import register_recurring_task, register_task_handler\n\n"
    "@register_recurring_task(run_every=timedelta(hours=6))\ndef refresh():\n    db.execute('x')\n\n"
    "def charge():\n    db.execute('y')\n\n"
    "@register_task_handler()\ndef by_order():\n    db.execute('z')\n\n"
    "def arm():\n    register_recurring_task(run_every=timedelta(minutes=30))(charge)\n\n"
    "arm()\n"
)


def test_a_decorator_that_is_called_by_hand(tmp_path: Path) -> None:
    found = discover(tmp_path, {"shop/tasks.py": RECURRING})

    assert [(j.kind, j.schedule, j.handler, j.at) for j in found.jobs] == [
        ("task-processor", "21600 s", "refresh", "shop/tasks.py:5"),
        ("task-processor", "1800 s", "charge", "shop/tasks.py:17"),
    ]


def test_words_for_the_period_of_a_row(tmp_path: Path) -> None:
    files = {
        "shop/management/commands/arm.py": (
            "from django.core.management.base import BaseCommand\n"
            "from django_q.models import Schedule\nfrom django_q.tasks import schedule\n\n"
            "class Command(BaseCommand):\n    def handle(self, *args, **options):\n"
            "        schedule('shop.work.purge', schedule_type=Schedule.DAILY)\n"
            "        schedule('shop.work.report', name='report', schedule_type=Schedule.WEEKLY)\n"
            "        schedule('shop.work.once', next_run=options['at'])\n"
        ),
        "shop/work.py": (
            "from app import db\n\ndef purge():\n    db.execute('x')\n\ndef report():\n    db.execute('y')\n\n"
            "def once():\n    db.execute('z')\n"
        ),
    }

    assert discover(tmp_path, files).rows() == [
        (None, "86400 s", "purge"),
        ("report", "604800 s", "report"),
    ]


HOOKS = (
    "app_name = 'shop'\n\nscheduler_events = {\n    'all': ['shop.tasks.sweep'],\n    'daily_long': [\n"
    "        'shop.tasks.report',\n        'mailer.tasks.send',\n    ],\n"
    "    'cron': {\n        '0/10 * * * *': ['shop.tasks.sweep', 'shop.tasks.report'],\n"
    "        '15 3 * * 1': ['shop.tasks.report'],\n    },\n"
    "    'hooks': ['shop.tasks.report'],\n}\ndoc_events = {'Order': {'daily': ['shop.tasks.sweep']}}\n"
)


def test_lists_of_tasks_under_how_often_they_run(tmp_path: Path) -> None:
    tasks = (
        "import frappe\n\ndef sweep():\n    frappe.db.delete('Session', {'stale': 1})\n\n"
        "def report():\n    frappe.new_doc('Report').insert()\n"
    )
    found = discover(
        tmp_path,
        {"shop/__init__.py": "", "shop/hooks.py": HOOKS, "shop/tasks.py": tasks, "pyproject.toml": ""},
    )
    assert [(j.kind, j.name, j.schedule, j.handler, j.at, j.live) for j in found.jobs] == [
        ("frappe", "shop.tasks.sweep", "*/4 * * * *", "sweep", "shop/hooks.py:4", True),
        ("frappe", "shop.tasks.report", "0 0 * * *", "report", "shop/hooks.py:6", True),
        ("frappe", "mailer.tasks.send", "0 0 * * *", None, "shop/hooks.py:7", True),
        ("frappe", "shop.tasks.report", "0/10 * * * *", "report", "shop/hooks.py:10", True),
        ("frappe", "shop.tasks.sweep", "0/10 * * * *", "sweep", "shop/hooks.py:10", True),
        ("frappe", "shop.tasks.report", "15 3 * * 1", "report", "shop/hooks.py:11", True),
    ]


def test_a_time_that_is_drawn_by_chance_is_no_data_of_users(tmp_path: Path) -> None:
    code = (
        "import random\nfrom celery import Celery\nfrom celery.schedules import crontab\nfrom shop.tasks import sweep\n"
        "from shop.models import Plan\napp = Celery('shop')\n\n@app.on_after_finalize.connect\n"
        "def setup(sender, **kwargs):\n"
        "    sender.add_periodic_task(crontab(hour=str(random.randint(0, 23))), sweep.s(), name='drawn')\n"
        "    sender.add_periodic_task(crontab(hour=Plan.objects.get(id=1).hour), sweep.s(), name='stored')\n"
    )
    models = "from django.db import models\n\nclass Plan(models.Model):\n    hour = models.IntegerField()\n"
    found = discover(tmp_path, {**SWEEP, "shop/beat.py": code, "shop/models.py": models})
    assert [(j.name, j.schedule, j.is_data) for j in found.jobs] == [
        ("drawn", "open", False),
        ("stored", "open", True),
    ]


WRITTEN = (
    "import os\nfrom celery.schedules import crontab\n\nBEAT_SCHEDULE = {{\n"
    "    'carts': {{'task': 'shop.tasks.sweep', 'schedule': crontab(minute=5)}},\n}}\n{again}"
)
AGAIN = "BEAT_SCHEDULE['carts'] = {'task': 'shop.tasks.sweep', 'schedule': crontab(minute=%s)}\n"


@pytest.mark.parametrize(
    ("again", "schedules"),
    [
        (AGAIN % 6, ["6 * * * *"]),  # what is written last counts
        ("if os.environ.get('FAST'):\n    " + AGAIN % "'*'", ["5 * * * *"]),  # a choice of who runs it
        (
            "if os.environ.get('MORE'):\n    " + (AGAIN % 7).replace("carts", "more"),
            ["5 * * * *", "7 * * * *"],
        ),
    ],
)
def test_an_entry_that_a_file_writes_twice_is_one_job(
    tmp_path: Path, again: str, schedules: list[str]
) -> None:
    found = discover(tmp_path, {**SWEEP, "shop/settings.py": WRITTEN.format(again=again)})
    assert [j.schedule for j in found.jobs] == schedules


def test_an_entry_that_is_put_into_the_settings_of_an_application(tmp_path: Path) -> None:
    files = {
        **SWEEP,
        "shop/parts.py": (
            "from celery.schedules import crontab\n\n\ndef init_app(app):\n"
            "    app.config['CELERY_BEAT_SCHEDULE']['carts:sweep'] = {\n"
            "        'task': 'shop.tasks.sweep',\n        'schedule': crontab(minute='*/15'),\n    }\n"
        ),
    }
    assert discover(tmp_path, files).rows() == [("carts:sweep", "*/15 * * * *", "sweep")]


def test_a_function_that_is_told_what_to_plan(tmp_path: Path) -> None:
    files = {
        "shop/tasks.py": (
            "from celery import shared_task\nfrom app import db\n\n@shared_task\ndef sweep_carts():\n"
            "    db.execute('delete from carts')\n\n@shared_task\ndef send_mail():\n    db.execute('x')\n"
        ),
        "shop/plan.py": (
            "from celery import Celery\n\napp = Celery()\n\n\ndef plan_all(app, mail):\n"
            "    def plan(task, period):\n        if period > 0:\n"
            "            beat_schedule[task.replace('_', '-')] = {\n"
            "                'task': f'shop.tasks.{task}',\n                'schedule': period,\n            }\n\n"
            "    beat_schedule = {'now': {'task': 'shop.tasks.send_mail', 'schedule': 5}}\n"
            "    plan('sweep_carts', 300)\n    if mail:\n        plan('send_mail', 60)\n"
            "    app.conf.beat_schedule = beat_schedule\n\n\nplan_all(app, True)\n"
        ),
    }
    found = discover(tmp_path, files)
    assert sorted((j.name, j.schedule, j.handler, j.at) for j in found.jobs) == [
        ("now", "5 s", "send_mail", "shop/plan.py:14"),
        ("send-mail", "60 s", "send_mail", "shop/plan.py:17"),
        ("sweep-carts", "300 s", "sweep_carts", "shop/plan.py:15"),
    ]
