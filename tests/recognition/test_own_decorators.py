"""Decorators of the project's own that register a class with how often it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

REGISTRY = "registry = {'chores': {}, 'views': {}}\n"
DECORATOR = (
    "from datetime import timedelta\nfrom shop.registry import registry\n\n"
    "def chore(interval):\n    def register(cls):\n        registry['chores'][cls] = {'interval': interval}\n"
    "        return cls\n    return register\n\n"
    "class Runner:\n    def plan(self, row):\n        return row.last + timedelta(minutes=row.interval)\n"
)
CHORE = (
    "from app import db\nfrom shop.runner import Runner, chore\n\nHOUR = 60\n\n@chore(interval=HOUR * 6)\n"
    "class Sweep(Runner):\n    class Meta:\n        name = 'Sweeping'\n\n    def run(self):\n"
    "        db.execute('delete from sessions')\n        db.commit()\n"
)
WORKER = (
    "from shop import sweep\nfrom shop.registry import registry\n\ndef main():\n"
    "    for job, row in registry['chores'].items():\n        job.enqueue(**row)\n\nmain()\n"
)


def tree(**more: str) -> dict[str, str]:
    """A small shop whose worker plans what a decorator has registered."""
    files = {"registry": REGISTRY, "runner": DECORATOR, "sweep": CHORE, **more}
    written = {f"shop/{name}.py": text for name, text in files.items() if name != "worker"}
    return {"shop/__init__.py": "", "worker.py": files.get("worker", WORKER), **written}


def test_a_class_that_a_decorator_registers(tmp_path: Path) -> None:
    found = discover(tmp_path, tree()).only()

    assert (found.kind, found.name, found.schedule, found.handler, found.at, found.live) == (
        "custom", "Sweeping", "21600 s", "Sweep.run", "shop/sweep.py:6", True,
    )  # fmt: skip


def test_a_list_and_a_length_of_time(tmp_path: Path) -> None:
    runner = (
        "CHORES = []\n\ndef every(interval):\n    def register(cls):\n        CHORES.append((interval, cls))\n"
        "        return cls\n    return register\n"
    )
    sweep = (
        "from datetime import timedelta\nfrom app import db\nfrom shop.runner import every\n\n"
        "@every(timedelta(hours=2))\nclass Sweep:\n    def run(self):\n        db.execute('delete from x')\n"
    )
    worker = (
        "from shop import sweep\nfrom shop.runner import CHORES\n\nfor interval, job in CHORES:\n"
        "    job().plan(interval)\n"
    )

    assert discover(tmp_path, tree(runner=runner, sweep=sweep, worker=worker)).rows() == [
        (None, "7200 s", "Sweep.run")
    ]


def test_a_number_without_a_unit_stays_open(tmp_path: Path) -> None:
    runner = DECORATOR.replace("timedelta(minutes=row.interval)", "row.interval")

    assert discover(tmp_path, tree(runner=runner)).rows() == []


DECOYS = {
    "nothing plans what is registered": {"worker": "from shop import sweep\n"},
    "the decorator keeps nothing": {
        "runner": DECORATOR.replace("registry['chores'][cls] = {'interval': interval}", "cls.interval = interval")
    },
    "it says how large, not how often": {
        "runner": DECORATOR.replace("interval", "size"), "sweep": CHORE.replace("interval", "size"),
    },
}  # fmt: skip


@pytest.mark.parametrize("decoy", DECOYS)
def test_decorators_that_arm_nothing(tmp_path: Path, decoy: str) -> None:
    assert discover(tmp_path, tree(**DECOYS[decoy])).jobs == ()
