"""Tables of jobs whose rows are known by their keys, because a scheduler of the project's own reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

TASKS = (
    "from celery import shared_task\nfrom app import db\nfrom names import Names\n\n"
    "@shared_task(name=Names.SWEEP)\ndef sweep():\n    db.execute('delete from carts')\n\n"
    "@shared_task(name=Names.REPORT)\ndef report():\n    db.execute('insert into reports values (1)')\n"
)
NAMES = "class Names:\n    SWEEP = 'sweep_carts'\n    REPORT = 'write_report'\n"
HEAD = (
    "from datetime import timedelta\nfrom celery.schedules import crontab\nfrom names import Names\n\n"
    "EXPIRES = 15 * 60\n\n"
)
READER = (
    "from celery import Celery\nfrom celery.beat import PersistentScheduler\nfrom plan import planned\n\n"
    "class Own(PersistentScheduler):\n    def setup_schedule(self):\n"
    "        self.update_from_dict({row['name']: make(row) for row in planned()})\n\n"
    "app = Celery('shop')\napp.conf.beat_scheduler = Own\n"
)
SWEEP = "{'name': 'sweep', 'task': Names.SWEEP, 'schedule': timedelta(minutes=5), 'options': {'expires': EXPIRES}}"
REPORT = "{'name': 'report', 'task': Names.REPORT, 'schedule': crontab(hour=3, minute=0)}"
READ = "\ndef planned():\n    return ROWS\n"
BOTH = [("sweep", "300 s", "sweep"), ("report", "0 3 * * *", "report")]
TABLES = {
    "a list": f"ROWS: list[dict] = [\n    {SWEEP},\n    {REPORT},\n]\n{READ}",
    "a list that grows": (f"ROWS = [{SWEEP}]\nif EXPIRES:\n    ROWS.append({REPORT})\n{READ}"),
    "a list that is extended": (
        f"ROWS = []\nif EXPIRES:\n    ROWS.extend([\n        {SWEEP},\n        {REPORT},\n    ])\n{READ}"
    ),
    "an object": (
        "ROWS = {\n    'sweep': {'task': Names.SWEEP, 'schedule': timedelta(minutes=5)},\n"
        f"    'report': {{'task': Names.REPORT, 'schedule': crontab(hour=3, minute=0)}},\n}}\n{READ}"
    ),
    "what a function gives": f"def planned():\n    return [\n        {SWEEP},\n        {REPORT},\n    ]\n",
}


@pytest.mark.parametrize("shape", TABLES)
def test_rows_that_a_scheduler_of_the_project_reads(tmp_path: Path, shape: str) -> None:
    files = {"plan.py": HEAD + TABLES[shape], "tasks.py": TASKS, "names.py": NAMES, "beat.py": READER}

    found = discover(tmp_path, files)

    assert found.rows() == BOTH
    assert {(j.kind, j.live) for j in found.jobs} == {("celery-beat", True)}


NO_TABLES = {
    "no task of the tree": "ROWS = [{'task': 'tidy', 'schedule': timedelta(minutes=5)}]\n" + READ,
    "no schedule": "ROWS = [{'task': Names.SWEEP, 'schedule': None}]\n" + READ,
    "what nothing reads": f"ROWS = [{SWEEP}]\n",
    "a row made of another one": (
        "def planned(rows):\n    return [{'task': row['task'], 'schedule': timedelta(minutes=5)} for row in rows]\n"
    ),
}


@pytest.mark.parametrize("shape", NO_TABLES)
def test_what_is_no_row_of_jobs(tmp_path: Path, shape: str) -> None:
    files = {"plan.py": HEAD + NO_TABLES[shape], "tasks.py": TASKS, "names.py": NAMES}

    assert discover(tmp_path, files).jobs == ()


def test_rows_that_beat_is_given_are_one_job_each(tmp_path: Path) -> None:
    beat = (
        "from celery import Celery\nfrom plan import ROWS\napp = Celery('shop')\napp.conf.beat_schedule = {}\n"
        "for row in ROWS:\n"
        "    app.conf.beat_schedule[row['name'] + '-all'] = {'task': row['task'], 'schedule': row['schedule']}\n"
    )
    rows = f"ROWS = [\n    {SWEEP},\n    {REPORT},\n]\n"
    files = {"plan.py": HEAD + rows, "tasks.py": TASKS, "names.py": NAMES, "beat.py": beat}

    assert discover(tmp_path, files).rows() == [
        ("sweep-all", "300 s", "sweep"),
        ("report-all", "0 3 * * *", "report"),
    ]


QUEUES = (
    "from celery import Celery\napp = Celery('shop')\n\nclass Queue:\n"
    "    def __init__(self):\n        self.kinds = []\n\n"
    "    def add(self, **kwargs):\n        self.kinds.append(kwargs)\n\n    def publish(self):\n"
    "        for kind in self.kinds:\n            app.conf.beat_schedule.update({\n"
    "                kind['name']: {'task': kind['dotted_path'], 'schedule': kind['schedule']}})\n"
)


def test_what_a_call_is_handed_is_a_row(tmp_path: Path) -> None:
    plan = (
        "from datetime import timedelta\nfrom queues import Queue\nqueue = Queue()\n"
        "queue.add(\n    name='sweep', dotted_path='tasks.sweep',\n    schedule=timedelta(minutes=5)\n)\n"
        "queue.add(name='report', dotted_path='tasks.report')\n"
    )
    tasks = TASKS.replace("(name=Names.SWEEP)", "").replace("(name=Names.REPORT)", "")
    files = {"plan.py": plan, "tasks.py": tasks, "names.py": NAMES, "queues.py": QUEUES}

    found = discover(tmp_path, files).only()

    assert (found.name, found.schedule, found.handler, found.at) == ("sweep", "300 s", "sweep", "plan.py:6")


def test_rows_of_a_table_of_the_workers_in_a_loop_and_one_by_one(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/work.py": (
            "from app import db\n\ndef sweep():\n    db.execute('x')\n\ndef report():\n    db.execute('y')\n\n"
            "def trim():\n    db.execute('z')\n"
        ),
        "shop/plan.py": (
            "from datetime import timedelta\nfrom shop.models import TaskSchedule\n\n\ndef plan():\n"
            "    every = timedelta(hours=6)\n"
            "    TaskSchedule.objects.update_or_create(\n"
            "        name='the report', defaults={'task_name': 'shop.work.report', 'dispatch_interval': every}\n"
            "    )\n"
            "    for name, path, minutes in [\n"
            "        ('carts', 'shop.work.sweep', 30),\n        ('mails', 'shop.work.trim', 45),\n    ]:\n"
            "        TaskSchedule.objects.update_or_create(\n"
            "            name=name, defaults={'task_name': path, 'dispatch_interval': timedelta(minutes=minutes)}\n"
            "        )\n"
            "    TaskSchedule.objects.filter(task_name='shop.work.gone', dispatch_interval=every).delete()\n\n\n"
            "plan()\n"
        ),
    }
    found = discover(tmp_path, files)
    assert [(j.kind, j.name, j.schedule, j.handler, j.at) for j in found.jobs] == [
        ("pulp", "the report", "21600 s", "report", "shop/plan.py:8"),
        ("pulp", "carts", "1800 s", "sweep", "shop/plan.py:15"),
        ("pulp", "mails", "2700 s", "trim", "shop/plan.py:15"),
    ]
