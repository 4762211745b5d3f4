"""Classes of the project's own that run again and again what their objects were made with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

WORK = (
    "def sweep():\n    db.execute('delete from carts')\n\ndef mail():\n    db.execute('delete from mails')\n\n"
    "def often():\n    return 90\n\n"
)
CLASSES = {
    "a timer of the library that goes round": (
        (
            "class Every(threading.Timer):\n    def run(self):\n"
            "        while not self.finished.wait(self.interval):\n"
            "            self.function(*self.args, **self.kwargs)\n\n"
        ),
        "Every(60, sweep).start()\nsecond = Every(interval=90, function=mail)\nsecond.start()\n",
    ),
    "a timer that arms itself from another method": (
        (
            "class Every:\n    def __init__(self, interval, function, *args):\n        self.timer = None\n"
            "        self.interval = interval\n        self.function = function\n        self.args = args\n"
            "        self.is_running = False\n        self.start()\n"
            "    def _run(self):\n        self.is_running = False\n        self.start()\n"
            "        self.function(*self.args)\n"
            "    def start(self):\n        if not self.is_running:\n"
            "            self.timer = threading.Timer(self.interval, self._run)\n"
            "            self.timer.start()\n            self.is_running = True\n"
            "    def stop(self):\n        self.timer.cancel()\n        self.is_running = False\n\n"
        ),
        "Every(60, sweep)\nEvery(90, mail)\n",
    ),
    "a pause and a condition that may be functions": (
        (
            "class Every(threading.Thread):\n"
            "    def __init__(self, interval, function, condition=None, on_end=None):\n"
            "        threading.Thread.__init__(self)\n"
            "        if condition is None:\n            condition = lambda: True\n"
            "        if not callable(interval):\n            self.interval = lambda: interval\n"
            "        else:\n            self.interval = interval\n"
            "        self.function = function\n        self.done = threading.Event()\n"
            "        self.condition = condition\n        self.on_end = on_end\n"
            "    def cancel(self):\n        self._finish()\n"
            "    def _finish(self):\n        self.done.set()\n        if callable(self.on_end):\n"
            "            self.on_end()\n"
            "    def run(self):\n        while self.condition():\n"
            "            self.done.wait(self.interval())\n            if self.done.is_set():\n"
            "                return\n            self.function()\n        self._finish()\n\n"
        ),
        "Every(60, sweep).start()\nEvery(often, mail).start()\n",
    ),
}


@pytest.mark.parametrize("case", sorted(CLASSES))
def test_each_object_is_a_job_that_runs_what_it_was_made_with(tmp_path: Path, case: str) -> None:
    cls, made = CLASSES[case]
    tree = {"main.py": "import threading\nfrom app import db\n\n" + cls + WORK + made}
    found = discover(tmp_path, tree)
    assert [(j.schedule, j.runs, j.live) for j in found.jobs] == [
        ("60 s", "sweep", True),
        ("90 s", "mail", True),
    ]


def test_a_pause_that_cannot_be_told_beside_one_that_can(tmp_path: Path) -> None:
    cls, _ = CLASSES["a timer of the library that goes round"]
    tree = {
        "main.py": (
            "import sys\nimport threading\nfrom app import db\n\n" + cls + WORK + "Every(60, sweep).start()\n"
            "Every(float(sys.argv[1]), mail).start()\n"
        )
    }
    assert [(j.schedule, j.runs) for j in discover(tmp_path, tree).jobs] == [
        ("60 s", "sweep"),
        ("open", "mail"),
    ]


def test_a_class_that_works_itself_and_then_tells_somebody(tmp_path: Path) -> None:
    tree = {
        "main.py": (
            "import threading\nfrom app import db\n\n"
            "class Watch(threading.Thread):\n    def __init__(self, every, tell):\n        super().__init__()\n"
            "        self.every = every\n        self.tell = tell\n        self.stopped = threading.Event()\n"
            "    def look(self):\n        return db.execute('select 1')\n"
            "    def run(self):\n        while not self.stopped.wait(self.every):\n"
            "            found = self.look()\n            self.tell(found)\n\n"
            + WORK
            + "Watch(60, sweep).start()\nWatch(90, mail).start()\n"
        )
    }
    assert [(j.schedule, j.runs) for j in discover(tmp_path, tree).jobs] == [
        ("60 s", "Watch.run"),
        ("90 s", "Watch.run"),
    ]


def test_a_countdown_that_stops_its_own_timer(tmp_path: Path) -> None:
    cls, _ = CLASSES["a timer of the library that goes round"]
    tree = {
        "main.py": (
            "import threading\nfrom app import db\n\n" + cls + "class Installs:\n"
            "    def queue(self):\n        self.left = 60\n        self.timer = Every(1, self.count)\n"
            "        self.timer.start()\n"
            "    def count(self):\n        self.left -= 1\n        db.execute('update countdown')\n"
            "        if self.left <= 0:\n            self.timer.cancel()\n\n"
            "Installs().queue()\n"
        )
    }
    found = discover(tmp_path, tree)
    assert found.jobs == ()
    assert any("it stops its own timer when it is through" in r for r in found.rejected)
