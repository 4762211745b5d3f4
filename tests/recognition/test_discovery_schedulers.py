"""The schedulers of Python that need more than one call: a table, a row, a class, a file of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

CELERY_TASKS = (
    "from celery import shared_task\nfrom app import db\n\n@shared_task\ndef sweep():\n    db.execute('x')\n"
    "    db.commit()\n"
)
TASKS = "from app import db\n\ndef sweep():\n    db.execute('x')\n    db.commit()\n"
WORK = "    db.execute('x')\n    db.commit()\n"


@dataclass(frozen=True)
class Use:
    """A file beside ``shop/tasks.py``, and the job that it arms."""

    code: str
    kind: str
    name: str | None
    schedule: str
    handler: str | None = "sweep"
    path: str = "shop/beat.py"
    tasks: str = TASKS
    more: dict[str, str] = field(default_factory=dict)


USES = {
    "celery, on_after_finalize": Use(
        "from celery import Celery\nfrom celery.schedules import crontab\nfrom shop.tasks import sweep\n"
        "app = Celery('shop')\n\n@app.on_after_finalize.connect\ndef setup(sender, **kwargs):\n"
        "    sender.add_periodic_task(crontab(hour=7, minute=30, day_of_week=1), sweep.s(), name='weekly')\n",
        "celery-periodic", "weekly", "30 7 * * 1", tasks=CELERY_TASKS,
    ),
    "celery, periodic_task": Use(
        "from celery.task import periodic_task\nfrom datetime import timedelta\nfrom app import db\n\n"
        "@periodic_task(run_every=timedelta(minutes=2), name='shop.often')\ndef often():\n" + WORK,
        "celery-periodic", "shop.often", "120 s", handler="often",
    ),
    "celery, a comprehension and a loop": Use(
        "from celery.schedules import crontab\nQUEUES = ('mail',)\n"
        "CELERY_BEAT_SCHEDULE = {f'sweep-{q}': {'task': 'shop.tasks.sweep', 'schedule': crontab(minute=5), "
        "'args': (q,)} for q in QUEUES}\n",
        "celery-beat", "sweep-mail", "5 * * * *", path="shop/settings.py", tasks=CELERY_TASKS,
    ),
    "django-celery-beat, interval in a migration": Use(
        "from django.db import migrations\n\n\ndef add(apps, schema_editor):\n"
        "    IntervalSchedule = apps.get_model('django_celery_beat', 'IntervalSchedule')\n"
        "    PeriodicTask = apps.get_model('django_celery_beat', 'PeriodicTask')\n"
        "    every, _ = IntervalSchedule.objects.get_or_create(every=10, period='minutes')\n"
        "    PeriodicTask.objects.get_or_create(name='Sweep', task='shop.tasks.sweep', interval=every)\n\n\n"
        "class Migration(migrations.Migration):\n    operations = [migrations.RunPython(add)]\n",
        "celery-beat", "Sweep", "600 s", path="shop/migrations/0002_sweep.py", tasks=CELERY_TASKS,
    ),
    "django-celery-beat, crontab": Use(
        "from django_celery_beat.models import CrontabSchedule, PeriodicTask\n\n\ndef setup():\n"
        "    at, _created = CrontabSchedule.objects.get_or_create(minute='0', hour='3')\n"
        "    PeriodicTask.objects.update_or_create(name='Nightly', defaults={'crontab': at, "
        "'task': 'shop.tasks.sweep'})\n\n\nsetup()\n",
        "celery-beat", "Nightly", "0 3 * * *", tasks=CELERY_TASKS,
    ),
    "celery, the sun": Use(
        "from celery.schedules import solar\nCELERY_BEAT_SCHEDULE = {'dusk': {'task': 'shop.tasks.sweep', "
        "'schedule': solar('dusk_civil', 52.5, 13.4)}}\n",
        "celery-beat", "dusk", "at civil dusk at 52.5, 13.4", path="shop/settings.py", tasks=CELERY_TASKS,
    ),
    "django-celery-beat, a row that is saved": Use(
        "from django_celery_beat.models import CrontabSchedule, PeriodicTask\n\n\ndef setup():\n"
        "    at, _created = CrontabSchedule.objects.get_or_create(minute='5', hour='3')\n"
        "    row = PeriodicTask(name='Saved', task='shop.tasks.sweep', crontab=at)\n    row.save()\n\n\nsetup()\n",
        "celery-beat", "Saved", "5 3 * * *", tasks=CELERY_TASKS,
    ),
    "django-celery-beat, the sun": Use(
        "from django_celery_beat.models import PeriodicTask, SolarSchedule\n"
        "at = SolarSchedule.objects.create(event='solar_noon', latitude=1, longitude=2)\n"
        "PeriodicTask.objects.create(name='noon', task='shop.tasks.sweep', solar=at)\n",
        "celery-beat", "noon", "at solar noon at 1, 2", tasks=CELERY_TASKS,
    ),
    "celery, a decorator that nobody describes": Use(
        "from datetime import timedelta\nCELERY_BEAT_SCHEDULE = {'often': {'task': 'shop.tasks.sweep', "
        "'schedule': timedelta(hours=6)}}\n",
        "celery-beat", "often", "21600 s", path="shop/settings.py",
        tasks=TASKS.replace("def sweep", "from dispatching import task\n\n@task(queue='q')\ndef sweep"),
    ),
    "celery, a length from settings of another package": Use(
        "from datetime import timedelta\nfrom company.settings import get_config\n"
        "CELERY_BEAT_SCHEDULE = {'often': {'task': 'shop.tasks.sweep', 'schedule': "
        "timedelta(seconds=int(get_config('sweep', 'seconds', default=40)))}}\n",
        "celery-beat", "often", "40 s", path="shop/settings.py", tasks=CELERY_TASKS,
    ),
    "celery, a class that is told its name": Use(
        "CELERY_BEAT_SCHEDULE = {'often': {'task': 'app.cron.Sweep', 'schedule': 90}}\n",
        "celery-beat", "often", "90 s", handler="Sweep.run", path="shop/settings.py",
        tasks=(
            "from celery import Celery\nfrom app import db\napp = Celery('shop')\nNAME = 'app.cron.Sweep'\n\n"
            "class Base(app.Task):\n    def __init_subclass__(cls, name=None):\n        cls.name = name\n\n"
            "class Sweep(Base, name=NAME):\n    def run(self):\n        db.execute('x')\n\n"
            "class Other(Base, name='app.cron.Other'):\n    def run(self):\n        db.execute('y')\n\n"
            "sweep = app.register_task(Sweep())\n"
        ),
    ),
    "celery, a length with its default where the environment is made": Use(
        "import environ\nenv = environ.Env(DEBUG=(bool, False), EVERY=(int, 70))\n"
        "CELERY_BEAT_SCHEDULE = {'often': {'task': 'shop.tasks.sweep', 'schedule': env('EVERY')}}\n",
        "celery-beat", "often", "70 s", path="shop/settings.py", tasks=CELERY_TASKS,
    ),
    "rq-scheduler, a method of an object by its path": Use(
        "from rq_scheduler import Scheduler\nscheduler = Scheduler(connection=None)\n"
        "scheduler.cron('0 0 * * *', func='shop.tasks.nightly.run', id='nightly')\n",
        "rq-scheduler", "nightly", "0 0 * * *", handler="Nightly.run", path="app/shop/beat.py",
        more={
            "app/manage.py": "import shop.beat\n", "app/shop/__init__.py": "",
            "app/shop/tasks.py": "from app import db\n\nclass Nightly:\n    def run(self):\n"
            "        db.execute('x')\n\nnightly = Nightly()\n",
        },
    ),
    "redbeat": Use(
        "from celery import Celery\nfrom celery.schedules import schedule\n"
        "from redbeat import RedBeatSchedulerEntry\nfrom shop.tasks import sweep\napp = Celery('shop')\n"
        "entry = RedBeatSchedulerEntry('often', 'shop.tasks.sweep', schedule(run_every=90), app=app)\n"
        "entry.save()\n",
        "redbeat", "often", "90 s", tasks=CELERY_TASKS,
    ),
    "apscheduler 4": Use(
        "from apscheduler import Scheduler\nfrom apscheduler.triggers.interval import IntervalTrigger\n"
        "from shop.tasks import sweep\nwith Scheduler() as scheduler:\n"
        "    scheduler.add_schedule(sweep, IntervalTrigger(minutes=5), id='sweep')\n"
        "    scheduler.run_until_stopped()\n",
        "apscheduler", "sweep", "300 s",
    ),
    "flask-apscheduler, decorator": Use(
        "from flask_apscheduler import APScheduler\nfrom app import app, db\nscheduler = APScheduler()\n\n"
        "@scheduler.task('cron', id='nightly', hour=2, minute=10)\ndef nightly():\n" + WORK
        + "\nscheduler.init_app(app)\nscheduler.start()\n",
        "apscheduler", "nightly", "10 2 * * *", handler="nightly",
    ),
    "flask-apscheduler, a table": Use(
        "from flask import Flask\nfrom flask_apscheduler import APScheduler\n\nclass Config:\n"
        "    JOBS = [{'id': 'often', 'func': 'shop.tasks:sweep', 'trigger': 'interval', 'seconds': 45}]\n\n"
        "app = Flask(__name__)\napp.config.from_object(Config())\nscheduler = APScheduler()\n"
        "scheduler.init_app(app)\nscheduler.start()\n",
        "apscheduler", "often", "45 s",
    ),
    "dramatiq with periodiq": Use(
        "import dramatiq\nfrom periodiq import cron\nfrom app import db\n\n"
        "@dramatiq.actor(periodic=cron('15 3 * * *'))\ndef nightly():\n" + WORK,
        "dramatiq", None, "15 3 * * *", handler="nightly",
    ),
    "dramatiq with apscheduler": Use(
        "import dramatiq\nfrom apscheduler.schedulers.blocking import BlockingScheduler\n"
        "from apscheduler.triggers.cron import CronTrigger\nfrom app import db\n\n@dramatiq.actor\n"
        "def nightly():\n" + WORK + "\nscheduler = BlockingScheduler()\n"
        "scheduler.add_job(nightly.send, CronTrigger.from_crontab('0 4 * * *'))\nscheduler.start()\n",
        "apscheduler", None, "0 4 * * *", handler="nightly",
    ),
    "rq, cron of its own": Use(
        "from rq import cron\nfrom shop.tasks import sweep\n"
        "cron.register(sweep, queue_name='default', cron='0 9 * * *')\n",
        "rq-cron", None, "0 9 * * *", path="cron_config.py",
    ),
    "taskiq": Use(
        "from taskiq_redis import ListQueueBroker\nfrom app import db\n"
        "broker = ListQueueBroker('redis://localhost')\n\n"
        "@broker.task(task_name='often', schedule=[{'cron': '*/5 * * * *'}])\nasync def often():\n" + WORK,
        "taskiq", "often", "*/5 * * * *", handler="often",
    ),
    "django-q, a call": Use(
        "from django_q.tasks import schedule\nfrom django_q.models import Schedule\n"
        "schedule('shop.tasks.sweep', name='often', schedule_type=Schedule.MINUTES, minutes=15)\n",
        "django-q", "often", "900 s",
    ),
    "django-q, a row": Use(
        "from django_q.models import Schedule\nSchedule.objects.create(name='nightly', func='shop.tasks.sweep', "
        "schedule_type=Schedule.CRON, cron='0 3 * * *')\n",
        "django-q", "nightly", "0 3 * * *",
    ),
    "django-extensions": Use(
        "from django_extensions.management.jobs import DailyJob\nfrom app import db\n\n"
        "class Job(DailyJob):\n    help = 'Sweeps'\n\n    def execute(self):\n        db.execute('x')\n",
        "django-extensions", None, "open", handler="Job.execute", path="shop/jobs/daily/sweep.py",
        more={"shop/jobs/__init__.py": "", "shop/jobs/daily/__init__.py": ""},
    ),
    "airflow 3": Use(
        "from airflow.sdk import dag, task\n\n@dag(schedule='@daily')\ndef etl():\n    @task\n"
        "    def load():\n        pass\n    load()\n\netl()\n",
        "airflow", None, "@daily", handler="etl", path="dags/etl.py",
    ),
    "prefect": Use(
        "from prefect import flow\nfrom app import db\n\n@flow\ndef nightly():\n" + WORK
        + "\nif __name__ == '__main__':\n    nightly.serve(name='nightly', cron='0 2 * * *')\n",
        "prefect", "nightly", "0 2 * * *", handler="nightly",
    ),
    "dagster, decorator": Use(
        "from dagster import job, op, schedule\n\n@op\ndef load():\n    pass\n\n@job\ndef etl():\n    load()\n\n"
        "@schedule(cron_schedule='0 1 * * *', job=etl)\ndef nightly(context):\n    return {}\n",
        "dagster", None, "0 1 * * *", handler="etl",
    ),
    "temporal": Use(
        "from datetime import timedelta\nfrom temporalio.client import (Client, Schedule, "
        "ScheduleActionStartWorkflow, ScheduleIntervalSpec, ScheduleSpec)\nfrom temporalio import workflow\n\n"
        "@workflow.defn\nclass Nightly:\n    @workflow.run\n    async def run(self):\n        pass\n\n"
        "async def main():\n    client = await Client.connect('localhost')\n"
        "    await client.create_schedule('nightly', Schedule(action=ScheduleActionStartWorkflow(Nightly.run, "
        "id='n', task_queue='q'), spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every="
        "timedelta(hours=2))])))\n",
        "temporal", "nightly", "7200 s", handler="Nightly.run",
    ),
    "a time of the day": Use(
        "import schedule, time\nfrom shop.tasks import sweep\nschedule.every().monday.at('08:05').do(sweep)\n"
        "while True:\n    schedule.run_pending()\n    time.sleep(1)\n",
        "python-schedule", None, "5 8 * * 1",
    ),
    "a time of the day with a tag, on a scheduler of its own": Use(
        "import time\nfrom schedule import Scheduler\nfrom shop.tasks import sweep\nmine = Scheduler()\n"
        "mine.every().day.at('00:02:10').tag('mail').do(sweep)\nwhile True:\n    mine.run_pending()\n"
        "    time.sleep(1)\n",
        "python-schedule", None, "10 2 0 * * *",
    ),
}  # fmt: skip


@pytest.mark.parametrize("library", USES)
def test_each_scheduler(tmp_path: Path, library: str) -> None:
    use = USES[library]
    files = {"shop/__init__.py": "", "shop/tasks.py": use.tasks, **use.more, use.path: use.code}
    found = discover(tmp_path, files).only()

    assert (found.kind, found.name, found.schedule, found.handler) == (
        use.kind, use.name, use.schedule, use.handler,
    )  # fmt: skip


def test_a_row_that_the_settings_state_as_well_is_one_job(tmp_path: Path) -> None:
    row = (
        "from django_celery_beat.models import IntervalSchedule, PeriodicTask\n"
        "every = IntervalSchedule.objects.create(every=2, period='days')\n"
        "PeriodicTask.objects.create(name='sweep', task='shop.tasks.sweep', interval=every)\n"
    )
    settings = "CELERY_BEAT_SCHEDULE = {'sweep': {'task': 'shop.tasks.sweep', 'schedule': 60}}\n"
    files = {
        "shop/__init__.py": "",
        "shop/tasks.py": CELERY_TASKS,
        "shop/rows.py": row,
        "shop/settings.py": settings,
    }

    assert discover(tmp_path, files).rows() == [("sweep", "60 s", "sweep")]
