"""Tasks that a decorator of the project's own makes, the lock it holds around them, and lists of what runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cronaudit.model.facts import Fact
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import lock
from tests.recognition.small_trees import discover

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PROJECT = "[project]\nname='shop'\ndependencies=['celery', 'django-valkey', 'redis', 'django']\n"
PLAN = (
    "from datetime import timedelta\n"
    "CELERY_BEAT_SCHEDULE = {\n"
    "    'sweep': {'task': 'sweep_carts', 'schedule': timedelta(seconds=60)},\n"
    "    'mail': {'task': 'send_mail', 'schedule': timedelta(seconds=90)},\n"
    "}\n"
)
GUARDED = (
    "from functools import wraps\n"
    "from celery import shared_task\n"
    "from django_valkey import get_valkey_connection\n\n"
    "LONGEST = 900\n\n"
    "def guarded(*task_args, **task_kwargs):\n"
    "    held = task_kwargs.pop('held', None)\n"
    "    if held is None:\n"
    "        held = task_kwargs.get('time_limit', LONGEST)\n\n"
    "    def decorate(work):\n"
    "        @wraps(work)\n"
    "        def run(*args, **kwargs):\n"
    "            lock = get_valkey_connection().lock('task:' + work.__name__, timeout=held, blocking=False)\n"
    "            if lock.acquire():\n"
    "                try:\n"
    "                    work(*args, **kwargs)\n"
    "                finally:\n"
    "                    lock.release()\n"
    "        return shared_task(*task_args, **task_kwargs)(run)\n"
    "    return decorate\n"
)
TASKS = (
    "from shop.tasking import guarded\nfrom app import db\n\n"
    "@guarded(held=7200)\ndef sweep_carts():\n    db.execute('delete from carts')\n\n"
    "@guarded()\ndef send_mail():\n    db.execute('delete from mails')\n"
)
TREE = {
    "pyproject.toml": PROJECT,
    "shop/settings.py": PLAN,
    "shop/tasking/__init__.py": "from .guard import guarded\n",
    "shop/tasking/guard.py": GUARDED,
    "shop/tasks.py": TASKS,
}


def test_a_decorator_that_makes_tasks(tmp_path: Path) -> None:
    assert discover(tmp_path, TREE).rows() == [
        ("sweep", "60 s", "sweep_carts"),
        ("mail", "90 s", "send_mail"),
    ]


def test_the_lock_of_such_a_decorator_with_the_time_that_each_task_states(service_of: ServiceOf) -> None:
    built = {job.registration.name: lock.build(job) for job in service_of(TREE)}
    assert {name: (_value(f.kind), _value(f.ttl_seconds)) for name, f in built.items()} == {
        "sweep": ("lease", 7200),
        "mail": ("lease", 900),
    }


def _value(fact: object) -> object:
    return fact.value if isinstance(fact, Fact) else fact


MAKERS = {
    "called at once": (
        "from celery import shared_task\n\ndef quiet(work):\n    return shared_task(work, ignore_result=True)\n",
        "@quiet\ndef sweep_carts():",
        "sweep_carts",
    ),
    "with a name of its own": (
        (
            "from celery import shared_task\n\ndef named(name):\n    def decorate(work):\n"
            "        return shared_task(name=name)(work)\n    return decorate\n"
        ),
        "@named('sweep_carts')\ndef anything():",
        "anything",
    ),
    "that makes no task": (
        "from celery import shared_task\n\n@shared_task\ndef other():\n    pass\n\ndef plain(work):\n    return work\n",
        "@plain\ndef sweep_carts():",
        None,
    ),
}


@pytest.mark.parametrize("case", sorted(MAKERS))
def test_each_way_to_make_a_task(tmp_path: Path, case: str) -> None:
    maker, head, handler = MAKERS[case]
    word = head.partition("\n")[0].removeprefix("@").partition("(")[0]
    tree = {
        "pyproject.toml": PROJECT,
        "shop/settings.py": (
            "from datetime import timedelta\n"
            "CELERY_BEAT_SCHEDULE = {'sweep': {'task': 'sweep_carts', 'schedule': timedelta(seconds=60)}}\n"
        ),
        "shop/making.py": maker,
        "shop/tasks.py": (
            f"from shop.making import {word}\nfrom app import db\n\n{head}\n    print('sweeping')\n"
        ),
    }
    assert discover(tmp_path, tree).rows() == [("sweep", "60 s", handler)]


SWITCHED = {
    "a switch that turns all of it off": (
        "SCHEDULE = {} if os.environ.get('NO_BEAT') else {'sweep': {'task': 'shop.tasks.sweep', 'schedule': 60}}",
        [("sweep", "60 s", "shop/settings.py:2")],
    ),
    "two plans that share an entry": (
        (
            "SCHEDULE = ({'sweep': {'task': 'shop.tasks.sweep', 'schedule': 60}} if os.environ.get('SMALL') else\n"
            "    {'sweep': {'task': 'shop.tasks.sweep', 'schedule': 60},\n"
            "     'mail': {'task': 'shop.tasks.mail', 'schedule': 90}})"
        ),
        [("sweep", "60 s", "shop/settings.py:2"), ("mail", "90 s", "shop/settings.py:4")],
    ),
    "a plan that is empty in any case": ("SCHEDULE = {} if os.environ.get('NO_BEAT') else {}", []),
}


@pytest.mark.parametrize("case", sorted(SWITCHED))
def test_a_plan_behind_a_switch(tmp_path: Path, case: str) -> None:
    text, expected = SWITCHED[case]
    tree = {
        "pyproject.toml": PROJECT,
        "shop/settings.py": f"import os\n{text.replace('SCHEDULE', 'CELERY_BEAT_SCHEDULE', 1)}\n",
        "shop/tasks.py": (
            "from celery import shared_task\nfrom app import db\n\n"
            "@shared_task\ndef sweep():\n    db.execute('delete from carts')\n\n"
            "@shared_task\ndef mail():\n    db.execute('delete from mails')\n"
        ),
    }
    assert [(j.name, j.schedule, j.at) for j in discover(tmp_path, tree).jobs] == expected


CRON = (
    "from django_cron import CronJobBase, Schedule\nfrom app import db\n\n"
    "class Sweep(CronJobBase):\n    schedule = Schedule(run_every_mins=5)\n    code = 'sweep'\n"
    "    def do(self):\n        db.execute('delete from carts')\n\n"
    "class Mail(CronJobBase):\n    schedule = Schedule(run_every_mins=10)\n    code = 'mail'\n"
    "    def do(self):\n        db.execute('delete from mails')\n"
)
LISTS = {
    "lists one": ("CRON_CLASSES = [\n    'shop.cron.Sweep',\n    # 'shop.cron.Mail',\n]\n", [True, False]),
    "lists one and what cannot be told": ("CRON_CLASSES = ['shop.cron.Sweep', load()]\n", [True, True]),
    "lists none": ("CRON_CLASSES = []\n", [False, False]),
    "is not in the tree": ("DEBUG = False\n", [True, True]),
}


@pytest.mark.parametrize("case", sorted(LISTS))
def test_a_setting_lists_the_classes_that_run(tmp_path: Path, case: str) -> None:
    text, live = LISTS[case]
    tree = {
        "backend/manage.py": "import shop.cron\n",
        "backend/shop/settings.py": text,
        "backend/shop/cron.py": CRON,
    }
    found = {j.name: j.live for j in discover(tmp_path, tree).jobs}
    assert [found["sweep"], found["mail"]] == live


def test_a_loop_that_sleeps_by_a_bare_name(tmp_path: Path) -> None:
    tree = {
        "worker.py": (
            "import signal\nfrom time import sleep\nfrom app import db\n\n"
            "class Stop:\n    alive = True\n    def __init__(self):\n"
            "        signal.signal(signal.SIGTERM, self.end)\n    def end(self, *_):\n        self.alive = False\n\n"
            "def main():\n    stop = Stop()\n    while stop.alive:\n"
            "        db.execute('delete from carts')\n        sleep(5)\n\nmain()\n"
        )
    }
    assert discover(tmp_path, tree).rows() == [(None, "5 s", "main")]
