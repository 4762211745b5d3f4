"""One realistic use of each scheduler of Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

TASKS = """
from app import db

def sweep():
    db.execute('delete from sessions')
"""


@dataclass(frozen=True)
class Use:
    """A file beside ``shop/tasks.py``, and the job that it arms."""

    code: str
    kind: str
    name: str | None
    schedule: str
    zone: str | None = None
    handler: str | None = "sweep"
    path: str = "shop/beat.py"
    more: dict[str, str] = field(default_factory=dict)


CELERY_TASKS = {
    "shop/tasks.py": (
        "from celery import shared_task\nfrom app import db\n\n@shared_task\ndef sweep():\n"
        "    db.execute('x')\n"
    )
}

USES = {
    "celery, beat_schedule": Use(
        (
            "from celery import Celery\nfrom celery.schedules import crontab\napp = Celery('shop')\n"
            "app.conf.beat_schedule = {\n"
            "    'nightly': {'task': 'shop.tasks.sweep', 'schedule': crontab(hour=3, minute=30)},\n}\n"
        ),
        "celery-beat", "nightly", "30 3 * * *", more=CELERY_TASKS,
    ),
    "celery, django settings": Use(
        (
            "from datetime import timedelta\nCELERY_BEAT_SCHEDULE = {\n"
            "    'often': {'task': 'shop.tasks.sweep', 'schedule': timedelta(minutes=5), 'options': "
            "{'expires': 60}},\n}\n"
        ),
        "celery-beat", "often", "300 s", path="shop/settings.py", more=CELERY_TASKS,
    ),
    "celery, seconds": Use(
        "CELERYBEAT_SCHEDULE = {'often': {'task': 'shop.tasks.sweep', 'schedule': 30.0}}\n",
        "celery-beat", "often", "30 s", path="shop/settings.py", more=CELERY_TASKS,
    ),
    "celery, add_periodic_task": Use(
        (
            "from celery import Celery\nfrom shop.tasks import sweep\napp = Celery('shop')\n\n"
            "@app.on_after_configure.connect\ndef setup(sender, **kwargs):\n"
            "    sender.add_periodic_task(10.0, sweep.s(), name='often')\n"
        ),
        "celery-periodic", "often", "10 s", more=CELERY_TASKS,
    ),
    "apscheduler, interval": Use(
        (
            "from apscheduler.schedulers.background import BackgroundScheduler\nfrom shop.tasks import sweep\n"
            "scheduler = BackgroundScheduler(timezone='UTC')\n"
            "scheduler.add_job(sweep, 'interval', minutes=5, id='sweep')\nscheduler.start()\n"
        ),
        "apscheduler", "sweep", "300 s", "UTC",
    ),
    "apscheduler, cron": Use(
        (
            "from apscheduler.schedulers.asyncio import AsyncIOScheduler\nfrom shop.tasks import sweep\n"
            "scheduler = AsyncIOScheduler()\n"
            "scheduler.add_job(sweep, trigger='cron', hour=4, minute=15, id='s')\nscheduler.start()\n"
        ),
        "apscheduler", "s", "15 4 * * *",
    ),
    "apscheduler, trigger": Use(
        (
            "from apscheduler.schedulers.blocking import BlockingScheduler\n"
            "from apscheduler.triggers.cron import CronTrigger\nfrom shop.tasks import sweep\n"
            "scheduler = BlockingScheduler()\n"
            "scheduler.add_job(sweep, CronTrigger.from_crontab('0 5 * * *'), id='s')\nscheduler.start()\n"
        ),
        "apscheduler", "s", "0 5 * * *",
    ),
    "apscheduler, decorator": Use(
        (
            "from apscheduler.schedulers.blocking import BlockingScheduler\nfrom app import db\n"
            "scheduler = BlockingScheduler()\n\n@scheduler.scheduled_job('interval', hours=1, id='hourly')\n"
            "def hourly():\n    db.execute('x')\n    db.commit()\n\nscheduler.start()\n"
        ),
        "apscheduler", "hourly", "3600 s", handler="hourly",
    ),
    "huey": Use(
        (
            "from huey import RedisHuey, crontab\nfrom app import db\nhuey = RedisHuey('shop')\n\n"
            "@huey.periodic_task(crontab(minute='0', hour='3'))\ndef nightly():\n    db.execute('x')\n"
            "    db.commit()\n"
        ),
        "huey", None, "0 3 * * *", handler="nightly",
    ),
    "rq-scheduler": Use(
        (
            "from rq_scheduler import Scheduler\nfrom shop.tasks import sweep\n"
            "scheduler = Scheduler(connection=None)\nscheduler.cron('0 0 * * *', func=sweep, id='sweep')\n"
        ),
        "rq-scheduler", "sweep", "0 0 * * *",
    ),
    "arq": Use(
        (
            "from arq import cron\nfrom shop.tasks import sweep\n\nclass WorkerSettings:\n"
            "    cron_jobs = [cron(sweep, hour=9, minute=5, name='s')]\n"
        ),
        "arq", "s", "5 9 * * *",
    ),
    "fastapi": Use(
        (
            "from fastapi_utils.tasks import repeat_every\nfrom app import db\n\n"
            "@repeat_every(seconds=60 * 60)\nasync def hourly():\n    db.execute('x')\n    db.commit()\n"
        ),
        "repeat-every", None, "3600 s", handler="hourly",
    ),
    "django-crontab": Use(
        "CRONJOBS = [('*/5 * * * *', 'shop.tasks.sweep')]\n",
        "django-crontab", "shop.tasks.sweep", "*/5 * * * *", path="shop/settings.py",
    ),
    "django-cron": Use(
        (
            "from django_cron import CronJobBase, Schedule\nfrom shop.tasks import sweep\n\n"
            "class Nightly(CronJobBase):\n    schedule = Schedule(run_every_mins=30)\n"
            "    code = 'shop.nightly'\n    def do(self):\n        sweep()\n        sweep()\n"
        ),
        "django-cron", "shop.nightly", "1800 s", handler="Nightly.do", path="shop/cron.py",
    ),
    "procrastinate": Use(
        (
            "from procrastinate import App\nfrom app import db\napp = App(connector=None)\n\n"
            "@app.periodic(cron='*/10 * * * *')\n@app.task\ndef often(timestamp):\n    db.execute('x')\n"
            "    db.commit()\n"
        ),
        "procrastinate", None, "*/10 * * * *", handler="often",
    ),
    "airflow": Use(
        "from airflow import DAG\nwith DAG('etl', schedule='0 6 * * *') as dag:\n    pass\n",
        "airflow", "etl", "0 6 * * *", handler=None, path="dags/etl.py",
    ),
    "dagster": Use(
        (
            "from dagster import ScheduleDefinition\n"
            "nightly = ScheduleDefinition(name='nightly', cron_schedule='0 1 * * *', "
            "execution_timezone='UTC')\n"
        ),
        "dagster", "nightly", "0 1 * * *", "UTC", handler=None,
    ),
    "schedule": Use(
        (
            "import schedule\nfrom shop.tasks import sweep\nschedule.every(10).minutes.do(sweep)\nwhile True:\n"
            "    schedule.run_pending()\n"
        ),
        "python-schedule", None, "600 s",
    ),
}  # fmt: skip


@pytest.mark.parametrize("library", USES)
def test_each_scheduler(tmp_path: Path, library: str) -> None:
    use = USES[library]
    files = {"shop/__init__.py": "", "shop/tasks.py": TASKS, **use.more, use.path: use.code}
    found = discover(tmp_path, files).only()

    assert (found.kind, found.name, found.schedule, found.zone, found.handler, found.live) == (
        use.kind, use.name, use.schedule, use.zone, use.handler, True,
    )  # fmt: skip


def test_a_date_trigger_runs_once(tmp_path: Path) -> None:
    code = (
        "from apscheduler.schedulers.background import BackgroundScheduler\nfrom shop.tasks import sweep\n"
        "scheduler = BackgroundScheduler()\nscheduler.add_job(sweep, 'date', run_date='2026-01-01')\n"
        "scheduler.start()\n"
    )

    assert discover(tmp_path, {"shop/tasks.py": TASKS, "shop/beat.py": code}).jobs == ()


def test_settings_in_several_steps_and_files(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/tasks.py": CELERY_TASKS["shop/tasks.py"],
        "shop/schedules.py": (
            "from celery.schedules import crontab\n"
            "HOURLY = {'task': 'shop.tasks.sweep', 'schedule': crontab(minute=0)}\nBASE = {'hourly': HOURLY}\n"
        ),
        "shop/celery.py": (
            "from celery import Celery\nfrom shop.schedules import BASE\napp = Celery('shop')\n"
            "app.conf.beat_schedule = {**BASE, 'often': {'task': 'shop.tasks.sweep', 'schedule': 5}}\n"
        ),
    }

    assert discover(tmp_path, files).rows() == [("often", "5 s", "sweep"), ("hourly", "0 * * * *", "sweep")]


BILLING = {
    "shop/__init__.py": "",
    "shop/tasks.py": (
        "from celery import shared_task\nfrom app import db\n\n@shared_task\ndef sweep():\n"
        "    db.execute('x')\n\n@shared_task(name='billing.close')\ndef close():\n    db.execute('y')\n"
    ),
}

SCHEDULES: dict[str, tuple[str, list[tuple[str | None, str, str | None]]]] = {
    "an item of the settings": (
        ("CELERY_BEAT_SCHEDULE = {'a': {'task': 'shop.tasks.sweep', 'schedule': 5}}\n"
        "if BILLING:\n    CELERY_BEAT_SCHEDULE['b'] = {'task': 'billing.close', 'schedule': 9}\n"),
        [("a", "5 s", "sweep"), ("b", "9 s", "close")],
    ),
    "an item of the configuration": (
        ("from celery import Celery\napp = Celery('shop')\napp.conf.beat_schedule = {}\n"
        "app.conf.beat_schedule['a'] = {'task': 'shop.tasks.sweep', 'schedule': 7}\n"),
        [("a", "7 s", "sweep")],
    ),
    "update of the settings": (
        ("CELERY_BEAT_SCHEDULE = {'a': {'task': 'shop.tasks.sweep', 'schedule': 7}}\n"
        "CELERY_BEAT_SCHEDULE.update({'b': {'task': 'billing.close', 'schedule': 9}})\n"),
        [("a", "7 s", "sweep"), ("b", "9 s", "close")],
    ),
    "a comprehension": (
        ("from datetime import timedelta\nMINUTES = {'sweep': 5, 'other': 10}\nCELERY_BEAT_SCHEDULE = {\n"
        "    name: {'task': f'shop.tasks.{name}', 'schedule': timedelta(minutes=m)}\n"
        "    for name, m in MINUTES.items()\n}\n"),
        [("other", "600 s", None), ("sweep", "300 s", "sweep")],
    ),
    "a loop over a list of dicts": (
        ("JOBS = [\n    {'name': 'a', 'task': 'shop.tasks.sweep', 'every': 5},\n"
        "    {'name': 'b', 'task': 'billing.close', 'every': 10},\n]\nCELERY_BEAT_SCHEDULE = {}\n"
        "for job in JOBS:\n"
        "    CELERY_BEAT_SCHEDULE[job['name']] = {'task': job['task'], 'schedule': job['every']}\n"),
        [("a", "5 s", "sweep"), ("b", "10 s", "close")],
    ),
    "a function that makes an entry": (
        ("from celery.schedules import crontab\ndef nightly(task, hour=3):\n"
        "    return {'task': task, 'schedule': crontab(hour=hour, minute=0)}\n"
        "CELERY_BEAT_SCHEDULE = {\n    'a': nightly('shop.tasks.sweep'),\n"
        "    'b': nightly('billing.close', hour=4),\n}\n"),
        [("a", "0 3 * * *", "sweep"), ("b", "0 4 * * *", "close")],
    ),
    "an interval from the environment": (
        ("import os\nCELERY_BEAT_SCHEDULE = {\n"
        "    'a': {'task': 'shop.tasks.sweep', 'schedule': int(os.environ.get('EVERY', '90'))},\n}\n"),
        [("a", "90 s", "sweep")],
    ),
    "a schedule of the project's own": (
        ("from celery.schedules import schedule\nclass Jittered(schedule):\n"
        "    def __init__(self, every, jitter=5):\n        super().__init__(run_every=every)\n"
        "        self.jitter = jitter\n"
        "CELERY_BEAT_SCHEDULE = {'a': {'task': 'shop.tasks.sweep', 'schedule': Jittered(120)}}\n"),
        [("a", "120 s", "sweep")],
    ),
    "a class of settings": (
        ("class Config:\n    broker_url = 'redis://'\n"
        "    beat_schedule = {'a': {'task': 'billing.close', 'schedule': 60}}\n"),
        [("a", "60 s", "close")],
    ),
    "inside an object of settings": (
        "CELERY = dict(broker_url='redis://', beat_schedule=dict(a=dict(task='billing.close', schedule=60)))\n",
        [("a", "60 s", "close")],
    ),
    "an update of an application's own configuration": (
        ("def create(app):\n    app.config.update({\n        'SECRET': 'x',\n        'CELERYBEAT_SCHEDULE': {\n"
        "            'a': {'task': 'billing.close', 'schedule': 60},\n        },\n    })\n"),
        [("a", "60 s", "close")],
    ),
    "a mapping that an application is configured from": (
        ("def create(app):\n    app.config.from_mapping(\n"
        "        CELERY={'beat_schedule': {'a': {'task': 'billing.close', 'schedule': 60}}})\n"),
        [("a", "60 s", "close")],
    ),
    "a task by its attribute": (
        ("from shop.tasks import close\n"
        "CELERY_BEAT_SCHEDULE = {'a': {'task': close.name, 'schedule': 60}}\n"),
        [("a", "60 s", "close")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SCHEDULES)
def test_ways_to_write_a_beat_schedule(tmp_path: Path, shape: str) -> None:
    code, expected = SCHEDULES[shape]

    assert sorted(discover(tmp_path, {**BILLING, "shop/conf.py": code}).rows(), key=str) == sorted(
        expected, key=str
    )


def test_tasks_are_found_from_another_root_of_the_path(tmp_path: Path) -> None:
    files = {f"services/api/{path}": text for path, text in BILLING.items()}
    files["services/api/shop/settings.py"] = (
        "CELERY_BEAT_SCHEDULE = {'a': {'task': 'shop.tasks.sweep', 'schedule': 60}}\n"
    )

    assert discover(tmp_path, files).rows() == [("a", "60 s", "sweep")]


def test_a_short_task_keeps_its_own_name(tmp_path: Path) -> None:
    files = {
        "shop/tasks.py": (
            "from celery import shared_task\nfrom app import db\n\ndef work():\n    db.execute('x')\n\n"
            "@shared_task\ndef hourly():\n    work()\n"
        ),
        "shop/settings.py": "CELERY_BEAT_SCHEDULE = {'a': {'task': 'shop.tasks.hourly', 'schedule': 60}}\n",
    }

    assert discover(tmp_path, files).rows() == [("a", "60 s", "hourly")]


SIGNALS = {
    "shop/signals.py": (
        "from django.dispatch import Signal\n\nclass Everywhere(Signal):\n    pass\n\n"
        "run_periodic = Everywhere()\norder_paid = Signal()\n"
    ),
    "shop/receivers.py": (
        "from django.dispatch import receiver\nfrom app import db\n"
        "from .signals import order_paid, run_periodic\n\n"
        "@receiver(run_periodic)\ndef expire(sender, **kwargs):\n    db.execute('x')\n\n"
        "@receiver(signal=run_periodic, dispatch_uid='mails')\ndef remind(sender, **kwargs):\n"
        "    db.execute('y')\n\n@receiver(order_paid)\ndef thank(sender, **kwargs):\n    db.execute('z')\n"
    ),
}


def test_receivers_of_a_signal_that_a_periodic_command_sends(tmp_path: Path) -> None:
    command = (
        "from django.core.management.base import BaseCommand\nfrom shop.signals import run_periodic\n\n"
        "class Command(BaseCommand):\n    def handle(self, *args, **options):\n"
        "        run_periodic.send_robust(sender=self)\n"
    )
    found = discover(tmp_path, {**SIGNALS, "shop/management/commands/cron.py": command})

    assert [(j.kind, j.schedule, j.handler, j.at) for j in found.jobs] == [
        ("custom", "open", "expire", "shop/receivers.py:5"),
        ("custom", "open", "remind", "shop/receivers.py:9"),
    ]


def test_a_receiver_that_a_command_asks_for_something_is_none(tmp_path: Path) -> None:
    command = (
        "from django.core.management.base import BaseCommand\nfrom shop.signals import order_paid\n\n"
        "class Command(BaseCommand):\n    def handle(self, *args, **options):\n"
        "        for _receiver, writer in order_paid.send(sender=self):\n            writer()\n"
    )
    asked = (
        "from django.dispatch import receiver\nfrom shop.signals import order_paid\n\n"
        "@receiver(order_paid)\ndef register(sender, **kwargs):\n    from app import Writer\n    return Writer\n"
    )
    files = {
        "shop/signals.py": SIGNALS["shop/signals.py"],
        "shop/writers.py": asked,
        "shop/management/commands/export_schedule.py": command,
    }

    assert discover(tmp_path, files).jobs == ()


def test_an_entry_of_beat_stands_where_it_begins(tmp_path: Path) -> None:
    code = (
        "from datetime import timedelta\nHOURLY = timedelta(hours=1)\nCELERY_BEAT_SCHEDULE = {\n"
        "    'a': {\n        'task': 'shop.tasks.sweep',\n        'schedule': HOURLY,\n    },\n"
        "    'b': {\n        'task': 'billing.close',\n        'schedule': HOURLY,\n    },\n}\n"
    )

    found = discover(tmp_path, {**BILLING, "shop/conf.py": code})

    assert [(j.name, j.at) for j in found.jobs] == [("a", "shop/conf.py:4"), ("b", "shop/conf.py:8")]


def test_receivers_of_a_signal_that_a_scheduled_task_sends(tmp_path: Path) -> None:
    files = {
        "shop/tasks.py": (
            "from celery import shared_task\nfrom shop.signals import run_periodic\n\n@shared_task\n"
            "def tick():\n    run_periodic.send(sender=None)\n"
        ),
        "shop/settings.py": "CELERY_BEAT_SCHEDULE = {'tick': {'task': 'shop.tasks.tick', 'schedule': 60}}\n",
    }

    assert discover(tmp_path, {**SIGNALS, **files}).rows() == [
        (None, "60 s", "expire"),
        (None, "60 s", "remind"),
    ]


def test_a_signal_that_one_order_sends_runs_nothing_by_the_clock(tmp_path: Path) -> None:
    command = (
        "from django.core.management.base import BaseCommand\nfrom shop.signals import order_paid\n\n"
        "class Command(BaseCommand):\n    def handle(self, *args, **options):\n"
        "        order_paid.send(sender=self)\n"
    )

    assert discover(tmp_path, {**SIGNALS, "shop/management/commands/pay.py": command}).jobs == ()


def test_a_decorator_of_the_project_over_a_scheduler(tmp_path: Path) -> None:
    files = {
        "shop/celery.py": (
            "from celery import Celery\napp = Celery('shop')\n\ndef periodic(every):\n    def wrap(fn):\n"
            "        task = app.task(fn)\n        app.add_periodic_task(every, task.s(), name=fn.__name__)\n"
            "        return task\n    return wrap\n"
        ),
        "shop/jobs.py": (
            "from datetime import timedelta\nfrom app import db\nfrom shop.celery import periodic\n\n"
            "@periodic(timedelta(minutes=5))\ndef prune():\n    db.execute('x')\n\n"
            "@periodic(timedelta(hours=1))\ndef report():\n    db.execute('y')\n"
        ),
    }

    assert discover(tmp_path, files).rows() == [("prune", "300 s", "prune"), ("report", "3600 s", "report")]


def test_a_decorator_that_fills_a_registry(tmp_path: Path) -> None:
    files = {
        "shop/scheduler.py": (
            "import time\nREGISTRY = []\n\ndef every(interval):\n    def wrap(fn):\n"
            "        REGISTRY.append((interval, fn))\n        return fn\n    return wrap\n\n"
            "def run_forever():\n    last = {}\n    while True:\n        for interval, fn in REGISTRY:\n"
            "            if time.time() - last.get(fn, 0) > interval.total_seconds():\n"
            "                fn()\n                last[fn] = time.time()\n        time.sleep(1)\n"
        ),
        "shop/jobs.py": (
            "from datetime import timedelta\nimport psycopg2\nfrom shop.scheduler import every\n"
            "db = psycopg2.connect('')\n\n@every(timedelta(minutes=5))\ndef prune():\n"
            "    db.cursor().execute('delete from a')\n    db.commit()\n"
        ),
        "main.py": "import shop.jobs\nfrom shop.scheduler import run_forever\nrun_forever()\n",
    }

    assert discover(tmp_path, files).rows() == [(None, "300 s", "prune")]
