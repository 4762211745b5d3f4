"""Loops that an option or a setting bounds: they go on for ever where nobody asks for an end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

OPTIONS = (
    "        parser.add_argument('--rounds', type=int, default={default})\n"
    "        parser.add_argument('--dry', action='store_true')\n"
)
COMMAND = (
    "import time\nfrom django.conf import settings\nfrom django.core.management.base import BaseCommand\n"
    "from shop.models import Session\n\nclass Command(BaseCommand):\n    def add_arguments(self, parser):\n"
    + OPTIONS
    + "\n    def handle(self, *args, **options):\n{body}"
)
FILES = {
    "shop/__init__.py": "",
    "shop/models.py": (
        "from django.db import models\n\nclass Session(models.Model):\n    expires = models.DateTimeField()\n"
    ),
    "shop/settings/__init__.py": "from .parts.timing import *\n",
    "shop/settings/parts/timing.py": (
        "import environ\nenv = environ.Env()\nPRUNE_ON = env.bool('PRUNE_ON', default=False)\n"
        "PRUNE_WAIT = env.int('PRUNE_WAIT', default=90)\n"
    ),
    "shop/management/__init__.py": "",
    "shop/management/commands/__init__.py": "",
}
WORK = "            Session.objects.all().delete()\n"
JOBS = {
    "a flag that asks for one round": (
        "0",
        "        while True:\n" + WORK + "            if options['dry']:\n                break\n"
        "            time.sleep(60)\n",
        "60 s",
    ),
    "a flag with its default beside it": (
        "0",
        "        dry = options.get('dry', False)\n        while True:\n" + WORK + "            if dry:\n"
        "                break\n            time.sleep(60)\n",
        "60 s",
    ),
    "a number of rounds that is off, as a text": (
        "'0'",
        "        rounds = options['rounds']\n        done = 0\n        while True and settings.PRUNE_ON:\n"
        + WORK
        + "            if not rounds:\n                time.sleep(settings.PRUNE_WAIT)\n"
        "            if rounds:\n                done += 1\n            if rounds and done >= rounds:\n"
        "                break\n",
        "90 s",
    ),
    "a number of rounds in the test of the loop": (
        "0",
        "        done = 0\n        while options['rounds'] == 0 or done < options['rounds']:\n"
        + WORK
        + "            done += 1\n            time.sleep(45)\n",
        "45 s",
    ),
    "a long pause where it must not work beside the usual one": (
        "0",
        (
            "        while settings.PRUNE_ON:\n            if Session.blocked():\n"
            "                time.sleep(Session.rest())\n"
            "            else:\n                Session.objects.all().delete()\n"
            "                if not options['rounds']:\n"
            "                    time.sleep(settings.PRUNE_WAIT)\n"
        ),
        "90 s",
    ),
}
DECOYS = {
    "a number of rounds that is on": (
        "3",
        "        rounds = options['rounds']\n        done = 0\n        while True:\n" + WORK
        + "            done += 1\n            if done >= rounds:\n                break\n            time.sleep(60)\n",
    ),
    "a number of tries that is written out": (
        "0",
        "        done = 0\n        while True:\n" + WORK
        + "            done += 1\n            if done > 5:\n                break\n            time.sleep(60)\n",
    ),
    "until it is done, or at the option's bound": (
        "0",
        ("        done = 0\n        while True:\n            if not Session.objects.all().delete():\n"
        "                break\n            done += 1\n"
        "            if options['rounds'] and done > options['rounds']:\n                break\n"
        "            time.sleep(60)\n"),
    ),
    "a number of rounds in the test that is on": (
        "2",
        "        done = 0\n        while options['rounds'] == 0 or done < options['rounds']:\n" + WORK
        + "            done += 1\n            time.sleep(45)\n",
    ),
}  # fmt: skip


def command(default: str, body: str) -> dict[str, str]:
    code = COMMAND.replace("{default}", default).replace("{body}", body)
    return {**FILES, "shop/management/commands/prune.py": code}


@pytest.mark.parametrize("shape", JOBS)
def test_an_end_that_nobody_asks_for_is_none(tmp_path: Path, shape: str) -> None:
    default, body, schedule = JOBS[shape]
    found = discover(tmp_path, command(default, body))

    assert found.rows() == [("prune", schedule, "Command.handle")]


@pytest.mark.parametrize("shape", DECOYS)
def test_an_end_that_comes_by_itself_is_one(tmp_path: Path, shape: str) -> None:
    assert discover(tmp_path, command(*DECOYS[shape])).jobs == ()


LOOP = (
    "import threading, time\nimport sqlite3\n\nstopping = False\nstop = threading.Event()\n"
    "PERIOD = 120\n\n\n{nap}\n\ndef sweep():\n    with sqlite3.connect('shop.db') as db:\n"
    "        db.execute('delete from carts')\n\n\n"
    "def main():\n    while not stopping:\n        sweep()\n        {call}\n\n\nmain()\n"
)
NAPS = {
    "a second at a time": (
        (
            "def nap(total):\n    for _ in range(total):\n        if stopping:\n            return\n"
            "        time.sleep(1)\n"
        ),
        "nap(PERIOD)",
        "120 s",
    ),
    "until it is late enough": (
        (
            "def nap(total: float, step: float = 0.5) -> None:\n    end = time.monotonic() + total\n"
            "    while not stopping and time.monotonic() < end:\n        time.sleep(step)\n"
        ),
        "nap(PERIOD)",
        "120 s",
    ),
    "what remains": (
        (
            "def nap(total):\n    rest = total\n    while rest > 0 and not stopping:\n"
            "        time.sleep(min(rest, 1))\n        rest -= 1\n"
        ),
        "nap(total=PERIOD)",
        "120 s",
    ),
    "minutes, by default": (
        (
            "def nap(minutes=5):\n    end = time.time() + minutes * 60\n    while time.time() < end:\n"
            "        print('resting')\n        time.sleep(10)\n"
        ),
        "nap()",
        "300 s",
    ),
}


@pytest.mark.parametrize("shape", NAPS)
def test_a_pause_in_slices(tmp_path: Path, shape: str) -> None:
    nap, call, schedule = NAPS[shape]
    code = LOOP.replace("{nap}", nap).replace("{call}", call)

    assert discover(tmp_path, {"main.py": code}).rows() == [(None, schedule, "main")]


def test_a_function_that_works_between_its_pauses_is_no_pause(tmp_path: Path) -> None:
    nap = "def nap(total):\n    for _ in range(total):\n        sweep()\n        time.sleep(1)\n"
    code = LOOP.replace("{nap}", nap).replace("{call}", "nap(PERIOD)")

    assert [j.schedule for j in discover(tmp_path, {"main.py": code}).jobs] != ["120 s"]
