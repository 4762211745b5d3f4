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
