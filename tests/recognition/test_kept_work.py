"""Objects that keep a loop going with what they were made with: each object is a job, when its work is due."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

KEEPER = (
    "import threading, time\nfrom datetime import datetime, timedelta\n\n"
    "class Keeper(threading.Thread):\n"
    "    def __init__(self, action, cycle=timedelta(minutes=10), at=None, title='keeper'):\n"
    "        super().__init__()\n        self.action = action\n"
    "        self.cycle = cycle if at is None else timedelta(days=1)\n"
    "        self.last = datetime.now()\n        self.name = title\n        self.stop = threading.Event()\n\n"
    "    def left(self):\n        return self.cycle - (datetime.now() - self.last)\n\n"
    "    def run(self):\n        while not self.stop.is_set():\n"
    "            if self.left().total_seconds() <= 0:\n                self.action.run()\n"
    "                self.last = datetime.now()\n            time.sleep(1)\n"
)
ACTIONS = (
    "import psycopg2\nconn = psycopg2.connect('')\n\nclass Sweeper:\n    def run(self):\n"
    "        conn.execute('delete from sessions')\n\nclass Reporter:\n    def run(self):\n"
    "        conn.execute('insert into reports values (1)')\n\nclass Waker:\n    def run(self):\n"
    "        self.asked = True\n"
)
MAIN = (
    "from datetime import time, timedelta\nfrom actions import Reporter, Sweeper, Waker\nfrom keeper import Keeper\n"
    "import settings\n\ndef main():\n    sweeper = Keeper(Sweeper(), cycle=timedelta(seconds=3), title='SWEEP')\n"
    "    reporter = Keeper(Reporter(), title='REPORT')\n"
    "    waker = Keeper(Waker(), cycle=timedelta(hours=settings.OFTEN), title='WAKE')\n"
    "    nightly = Keeper(Reporter(), at=time(3, 0), title='NIGHTLY')\n"
    "    for keeper in (sweeper, reporter, waker, nightly):\n        keeper.start()\n\nmain()\n"
)
AGAIN = (
    "from datetime import timedelta\nfrom actions import Sweeper\nfrom keeper import Keeper\n\n"
    "def changed(often):\n    Keeper(Sweeper(), cycle=timedelta(seconds=often), title='SWEEP').start()\n"
)


def test_each_object_is_a_job_that_is_due_as_often_as_it_keeps(tmp_path: Path) -> None:
    files = {
        "main.py": MAIN,
        "keeper.py": KEEPER,
        "actions.py": ACTIONS,
        "config.py": AGAIN,
        "settings.py": "",
    }
    found = discover(tmp_path, files)
    assert [(j.name, j.schedule, j.handler, j.at, j.live) for j in found.jobs] == [
        ("SWEEP", "3 s", "Sweeper.run", "main.py:7", True),
        ("REPORT", "600 s", "Reporter.run", "main.py:8", True),
        ("WAKE", "open", "Waker.run", "main.py:9", True),
        ("NIGHTLY", "open", "Reporter.run", "main.py:10", True),
    ]


def test_a_class_that_is_always_handed_the_same_is_no_scheduler(tmp_path: Path) -> None:
    poller = (
        "import time\n\nclass Poller:\n    def __init__(self, store):\n        self.store = store\n\n"
        "    def run(self):\n        while True:\n            self.store.sweep()\n            time.sleep(20)\n"
    )
    store = (
        "import psycopg2\nconn = psycopg2.connect('')\n\nclass Store:\n    def sweep(self):\n"
        "        conn.execute('delete from sessions')\n"
    )
    main = "from poller import Poller\nfrom store import Store\n\nPoller(Store()).run()\n"
    found = discover(tmp_path, {"main.py": main, "poller.py": poller, "store.py": store})
    assert [(j.kind, j.schedule, j.at) for j in found.jobs] == [("sleep-loop", "20 s", "poller.py:10")]


def test_a_loop_that_hardly_pauses_has_no_period(tmp_path: Path) -> None:
    loop = (
        "import time, psycopg2\nconn = psycopg2.connect('')\n\ndef run():\n    while True:\n"
        "        conn.execute('delete from sessions')\n        time.sleep({})\n\nrun()\n"
    )
    assert discover(tmp_path, {"main.py": loop.format("0.001")}).jobs == ()
    assert discover(tmp_path, {"main.py": loop.format("0.5")}).only().schedule == "0.5 s"
