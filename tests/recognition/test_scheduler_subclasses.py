"""Schedulers that a class of the project inherits from a library: what its constructor hands on holds for each job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

HEAD = "from apscheduler.schedulers.background import BackgroundScheduler\nfrom app import db\n\n"
SWEEP = "def sweep():\n    db.execute('delete from carts')\n\n"
ARMED = "times.add_job(sweep, 'cron', hour=3, id='sweep')\ntimes.start()\n"
CASES = {
    "the class hands a keyword on": (
        (
            "class Times(BackgroundScheduler):\n    def __init__(self, name):\n"
            "        super().__init__(timezone='Europe/Oslo')\n        self.name = name\n\ntimes = Times('shop')\n"
        ),
        "Europe/Oslo",
    ),
    "the class hands on what its caller says": (
        (
            "class Times(BackgroundScheduler):\n    def __init__(self, zone):\n"
            "        super().__init__(timezone=zone)\n\ntimes = Times('Asia/Tokyo')\n"
        ),
        "Asia/Tokyo",
    ),
    "a dictionary with dotted keys": (
        "times = BackgroundScheduler({'apscheduler.timezone': 'UTC', 'apscheduler.job_defaults.coalesce': 'true'})\n",
        "UTC",
    ),
    "a dictionary that the class hands on, with its own way to arm": (
        (
            "class Times(BackgroundScheduler):\n    def __init__(self):\n"
            "        super().__init__({'apscheduler.timezone': 'UTC'})\n"
            "    def add_job(self, func, trigger=None, id=None, **fields):\n"
            "        return super().add_job(func, trigger, id=id or func.__name__, **fields)\n\ntimes = Times()\n"
        ),
        "UTC",
    ),
    "the class says nothing": (
        "class Times(BackgroundScheduler):\n    def __init__(self):\n        super().__init__()\n\ntimes = Times()\n",
        None,
    ),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_zone_of_a_scheduler(tmp_path: Path, case: str) -> None:
    made, zone = CASES[case]
    tree = {
        "pyproject.toml": "[project]\nname='shop'\ndependencies=['apscheduler']\n",
        "main.py": HEAD + made + SWEEP + ARMED,
    }
    job = discover(tmp_path, tree).only()
    assert (job.name, job.schedule, job.zone) == ("sweep", "0 3 * * *", zone)
