"""Python jobs told by tables that are handed around, and by one object that many places hand their work to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

WORK = (
    "import psycopg2\nconn = psycopg2.connect('')\n\n"
    "def sweep():\n    conn.execute('delete from sessions')\n\n"
    "def report():\n    conn.execute('insert into reports values (1)')\n"
)
QUEUE = (
    "from datetime import timedelta\nfrom rq_scheduler import Scheduler\nfrom work import report, sweep\n"
    "rq = Scheduler()\n\n"
)
ARM = "def arm(job):\n    rq.schedule(scheduled_time=None, **job)\n\n"
TABLE = (
    "def table():\n"
    "    return [{'func': sweep, 'interval': 30}, {'func': report, 'interval': timedelta(minutes=5)}]\n\n"
)
TABLES = {
    "a list that a caller hands over": "def plan(jobs):\n    for job in jobs:\n        arm(job)\n\nplan(table())\n",
    "filtered": (
        "def plan(jobs):\n    todo = [j for j in jobs if j not in rq]\n    for job in todo:\n        arm(job)\n\n"
        "plan(table())\n"
    ),
    "made ready": (
        "def ready(job):\n    interval = job['interval']\n    if isinstance(interval, timedelta):\n"
        "        interval = int(interval.total_seconds())\n    job['interval'] = interval\n    return job\n\n"
        "def plan(jobs):\n    for job in [ready(j) for j in jobs]:\n        arm(job)\n\nplan(table())\n"
    ),
}


@pytest.mark.parametrize("shape", TABLES)
def test_rows_of_a_table_that_are_spread_into_a_call(tmp_path: Path, shape: str) -> None:
    found = discover(tmp_path, {"main.py": QUEUE + ARM + TABLE + TABLES[shape], "work.py": WORK})
    assert [(j.schedule, j.handler) for j in found.jobs] == [("30 s", "sweep"), ("300 s", "report")]


CLOCK = (
    "from twisted.internet import task\n\nclass Clock:\n"
    "    def looping_call(self, f, msec, *args):\n        call = task.LoopingCall(f, *args)\n"
    "        call.start(msec / 1000.0, now=False)\n        return call\n"
)
SERVER = (
    "from lib.clock import Clock\n\nclass Server:\n    def __init__(self):\n        self._clock = Clock()\n\n"
    "    def get_clock(self) -> Clock:\n        return self._clock\n"
)
STORE = (
    "from work import sweep\nfrom lib.background import in_background\n\nclass Store:\n"
    "    def __init__(self, server: 'Server'):\n        self.clock = server.get_clock()\n"
    "        self.clock.looping_call({first}, 60000{more})\n        self.clock.looping_call(self.report, 60000)\n\n"
    "    def report(self):\n        sweep()\n\n    def _sweep(self):\n        sweep()\n"
)
BACKGROUND = (
    "def in_background(name, func, *args):\n    def run():\n        try:\n            func(*args)\n"
    "        except Exception:\n            pass\n    return run()\n"
)


def service(first: str, more: str) -> dict[str, str]:
    return {
        "main.py": "from server import Server\nfrom store import Store\nStore(Server())\n",
        "server.py": SERVER,
        "lib/__init__.py": "",
        "lib/clock.py": CLOCK,
        "lib/background.py": BACKGROUND,
        "store.py": "from server import Server\n" + STORE.format(first=first, more=more),
        "work.py": WORK,
    }


def test_calls_of_one_shared_object_are_a_job_each(tmp_path: Path) -> None:
    found = discover(tmp_path, service("self._sweep", ""))
    assert [(j.at, j.schedule, j.handler) for j in found.jobs] == [
        ("store.py:8", "60 s", "Store._sweep"),
        ("store.py:9", "60 s", "Store.report"),
    ]


def test_a_wrapper_that_is_handed_a_function_is_not_the_job(tmp_path: Path) -> None:
    found = discover(tmp_path, service("in_background", ", 'sweep', self._sweep"))
    assert [j.handler for j in found.jobs] == ["Store._sweep", "Store.report"]


def test_a_function_that_is_handed_by_its_name_is_the_job_however_little_it_does(tmp_path: Path) -> None:
    code = (
        "import schedule\nfrom work import sweep\n\ndef nightly():\n    sweep()\n\n"
        "schedule.every(5).minutes.do(nightly)\n"
    )
    assert discover(tmp_path, {"main.py": code, "work.py": WORK}).only().handler == "nightly"


@pytest.mark.parametrize(("default", "schedule"), [("", "open"), (", 45", "45 s")])
def test_a_pause_that_no_caller_settles_makes_one_job(tmp_path: Path, default: str, schedule: str) -> None:
    code = (
        "from twisted.internet import task\nfrom work import sweep\n\nclass Meter:\n"
        "    def re_configure(self, config):\n        self.timer = task.LoopingCall(sweep)\n"
        f"        self.timer.start(config.get('every'{default}))\n"
    )
    main = (
        "from meter import Meter\nfrom outside import first, second\nmeter = Meter()\n"
        "def one(config):\n    meter.re_configure(config)\ndef two(config):\n    meter.re_configure(config)\n"
        "one(first())\ntwo(second())\n"
    )
    seen = discover(tmp_path, {"main.py": main, "meter.py": code, "work.py": WORK}).only()
    assert (seen.schedule, seen.handler) == (schedule, "sweep")


ACTOR = (
    "import dramatiq\nfrom apscheduler.triggers.cron import CronTrigger\n\ncollected = []\n\n"
    "def actor(actor_name=None, cron_trigger=None):\n    def decorator(fn):\n"
    "        made = dramatiq.actor(fn, actor_name=actor_name)\n        if cron_trigger:\n"
    "            collected.append((made.send, cron_trigger))\n        return made\n    return decorator\n"
)
PLANNED = (
    "from worker import CronTrigger, actor\nfrom work import report as write\nfrom work import sweep as clean\n\n"
    "@actor(actor_name='sessions.sweep', cron_trigger=CronTrigger(hour=3, minute=0))\ndef sweep():\n    clean()\n\n"
    "@actor(actor_name='report')\ndef report():\n    write()\n"
)
LOADED = (
    "from apscheduler.schedulers.blocking import BlockingScheduler\nimport tasks\nfrom worker import collected\n\n"
    "scheduler = BlockingScheduler()\nfor func, trigger in collected:\n    scheduler.add_job(func, trigger)\n"
    "scheduler.start()\n"
)


def test_a_decorator_that_is_handed_a_trigger_arms_what_is_under_it(tmp_path: Path) -> None:
    files = {"worker.py": ACTOR, "tasks.py": PLANNED, "main.py": LOADED, "work.py": WORK}
    seen = discover(tmp_path, files).only()
    assert (seen.name, seen.schedule, seen.handler) == ("sessions.sweep", "0 3 * * *", "sweep")


OWN_CELERY = (
    "from celery import Celery\n\nclass ShopCelery(Celery):\n    def periodic_task(self, *args, **kwargs):\n"
    "        def decorator(f):\n            entry = {'schedule': kwargs.pop('run_every')}\n"
    "            task = self.task(f, *args, **kwargs)\n            entry['task'] = task.name\n"
    "            self.conf['beat_schedule'][task.name] = entry\n            return task\n"
    "        return decorator\n\ncelery = ShopCelery('shop')\n"
)
OWN_TASK = (
    "from celery.schedules import crontab\nfrom queues import celery\nfrom work import sweep as clean\n\n"
    "@celery.periodic_task(name='nightly', run_every=crontab(minute='0', hour='4'))\ndef nightly():\n    clean()\n"
)


def test_a_decorator_of_an_own_kind_of_celery_arms_as_celery_does(tmp_path: Path) -> None:
    seen = discover(tmp_path, {"queues.py": OWN_CELERY, "tasks.py": OWN_TASK, "work.py": WORK}).only()

    assert (seen.kind, seen.name, seen.schedule, seen.handler) == (
        "celery-beat",
        "nightly",
        "0 4 * * *",
        "nightly",
    )


def test_what_a_base_class_asks_for_first_is_not_the_work(tmp_path: Path) -> None:
    code = (
        "import time\nfrom work import sweep\n\nclass Base:\n    def run(self):\n        while True:\n"
        "            if self.get_least() > 0:\n                self.perform()\n            time.sleep(30)\n\n"
        "class Sweep(Base):\n    def get_least(self):\n        return 5\n\n    def perform(self):\n        sweep()\n\n"
        "Sweep().run()\n"
    )

    assert discover(tmp_path, {"main.py": code, "work.py": WORK}).only().shown == "Sweep.perform"
