"""Schedules that a caller begins and hands to a scheduler of the project's own, which arms them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

WORK = (
    "import psycopg2\nconn = psycopg2.connect('')\n\ndef sweep():\n    conn.execute('delete from sessions')\n\n"
    "def report():\n    conn.execute('insert into reports values (1)')\n"
)
LOOP = "def run():\n    while True:\n        schedule.run_pending()\n        time.sleep(1)\n"
PLANNER = (
    "import schedule, time\nfrom multiprocessing.pool import ThreadPool\n\nclass Planner:\n    tasks = []\n"
    "    def __init__(self):\n        self.pool = ThreadPool(4)\n\n    def add(self, job, **options):\n"
    "        def decorator(func):\n            name = options.get('name')\n"
    "            self.tasks.append({'name': name, 'job': job.do(self.pool.apply_async, func)})\n"
    "        return decorator\n\nplanner = Planner()\n\n" + LOOP
)
USES = (
    "from schedule import every\nfrom planner import planner\nfrom work import conn\nPAUSE = 45\n\n"
    "@planner.add(every(1).hour, name='sweep-sessions')\ndef sweep():\n    conn.execute('delete from sessions')\n\n"
    "@planner.add(every(PAUSE).seconds)\ndef report():\n    conn.execute('insert into reports values (1)')\n\n"
    "@planner.add(every().monday.at('18:00'), name='remind')\ndef remind():\n    conn.execute('x')\n"
)


def test_a_decorator_of_the_project_arms_what_it_is_handed(tmp_path: Path) -> None:
    files = {
        "main.py": "import jobs\nfrom planner import run\nrun()\n",
        "planner.py": PLANNER,
        "jobs.py": USES,
    }
    found = discover(tmp_path, {**files, "work.py": WORK})
    assert [(j.name, j.schedule, j.handler, j.at, j.live) for j in found.jobs] == [
        ("sweep-sessions", "3600 s", "sweep", "jobs.py:6", True),
        (None, "45 s", "report", "jobs.py:10", True),
        ("remind", "0 18 * * 1", "remind", "jobs.py:14", True),
    ]


def test_what_is_handed_in_tells_which_library_arms_it(tmp_path: Path) -> None:
    armed = "import schedule\n\ndef arm(job, work):\n    job.do(work)\n"
    main = (
        "from schedule import every\nfrom armed import arm\nfrom queues import Chores\nfrom work import report, sweep\n"
        "arm(every(5).minutes, sweep)\narm(Chores(), report)\n"
    )
    queues = "class Chores:\n    def do(self, work):\n        work()\n"
    found = discover(tmp_path, {"main.py": main, "armed.py": armed, "queues.py": queues, "work.py": WORK})
    assert found.rows() == [(None, "300 s", "sweep")]


@pytest.mark.parametrize(
    ("call", "schedule", "runs"),
    [
        ("schedule.every(10).minutes.do(in_thread, sweep)", "600 s", "sweep"),
        ("schedule.every(10).minutes.do(pool.apply_async, sweep)", "600 s", "sweep"),
        ("schedule.every(1).day.at('10:30').do(report)", "30 10 * * *", "report"),
        ("schedule.every(2).days.at('10:30').do(report)", "172800 s", "report"),
        ("schedule.every(1).hour.at(':15').do(report)", "15 * * * *", "report"),
    ],
)
def test_what_runs_and_when(tmp_path: Path, call: str, schedule: str, runs: str) -> None:
    main = (
        "import schedule, threading, time\nfrom multiprocessing.pool import ThreadPool\n"
        "from work import report, sweep\n"
        "pool = ThreadPool(4)\n\ndef in_thread(work):\n    threading.Thread(target=work).start()\n\n"
    )
    found = discover(tmp_path, {"main.py": f"{main}{call}\n\n{LOOP}\nrun()\n", "work.py": WORK})
    assert [(j.schedule, j.runs) for j in found.jobs] == [(schedule, runs)]
