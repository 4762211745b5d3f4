"""Tasks that are objects, planned by the path to their method, in a folder below the one that is audited."""

from __future__ import annotations

from collections.abc import Callable

from cronaudit.model.facts import Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import alert, doc, effects, runner, timeout

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

ENV = """
import os
from typing import overload

@overload
def env(name: str, other: str) -> str: ...
@overload
def env(name: str, other: None = None) -> str | None: ...

def env(name, other=None):
    return os.environ.get(name) or other

def number(text, otherwise=0):
    try:
        return int(text)
    except (TypeError, ValueError):
        return otherwise

LIMIT = number(env("RUN_LIMIT"), 4 * 60)
"""
BASE = """
from redis import Redis
from rq import Queue
from rq_scheduler import Scheduler
from settings import LIMIT

slow = Queue("slow", connection=Redis())
plan = Scheduler(queue=slow, connection=slow.connection)

class Planned:
    def __init__(self, title, description, func, cron, limit=LIMIT):
        self.title = title
        self.description = description or title
        self.func = func
        self.cron = cron
        self.limit = limit

    def arm(self):
        plan.cron(self.cron, func=self.func, timeout=self.limit, meta={"name": self.title})
"""
SWEEP = """
import shutil
from chores.base import Planned
{imports}
class Sweep(Planned):
    def __init__(self):
        super().__init__(
            title="Sweep", description="{description}", func="chores.sweep.sweep.run", cron="0 4 * * *"
        )

    def run(self):
        shutil.rmtree("/var/tmp/uploads")
        {work}

sweep = Sweep()
"""
START = "from chores.sweep import sweep\nsweep.arm()\n"
WEB = (
    "import uvicorn\nfrom fastapi import FastAPI\nimport start\napp = FastAPI()\n\n"
    "@app.get('/orders')\ndef orders():\n    return []\n\nuvicorn.run(app)\n"
)
DOCKERFILE = 'FROM python:3.13\nCOPY . /app\nEXPOSE 8000\nENTRYPOINT ["/app/run.sh"]\n'
RUN = (
    "#!/bin/sh\ncd /app/server\npython web.py &\nrqscheduler --path /app/server &\n"
    "rq worker --path /app/server slow &\nwait\n"
)


def sweep(service_of: ServiceOf, **parts: str) -> JobContext:
    words = {"description": "Removes uploads that nobody finished", "imports": "", "work": "pass", **parts}
    (context,) = service_of(
        {
            "Dockerfile": DOCKERFILE,
            "run.sh": RUN,
            "server/settings.py": ENV,
            "server/chores/__init__.py": "",
            "server/chores/base.py": BASE,
            "server/chores/sweep.py": SWEEP.format(**words),
            "server/start.py": START,
            "server/web.py": WEB,
        }
    )
    return context


def test_a_path_to_the_method_of_an_object_is_followed(service_of: ServiceOf) -> None:
    found = sweep(service_of)

    assert found.handler is not None
    assert found.handler.function.symbol == "Sweep.run"  # type: ignore[union-attr]
    assert timeout.build(found).seconds.value == 240


def test_an_object_says_of_itself_what_it_does(service_of: ServiceOf) -> None:
    found = doc.build(sweep(service_of)).purpose
    none = doc.build(sweep(service_of, description="")).purpose

    assert (found.value, found.detail) == ("doc", "Description: 'Removes uploads that nobody finished'")
    assert none.value == "none"


def test_a_worker_beside_the_server_runs_the_task(service_of: ServiceOf) -> None:
    found = runner.build(sweep(service_of))

    assert found.separation.value == "own"
    assert found.separation.detail.startswith("Command of its own beside the server: rq worker")
    assert found.scaling.value == "embedded"


def test_a_walk_that_was_cut_pays_only_where_a_provider_is_named(service_of: ServiceOf) -> None:
    """What the end of the walk might have held can't be a payment where no file names one who could be paid."""
    endless = "def f0(x):\n    x()\n" + "".join(f"def f{n}(x):\n    f{n - 1}(x)\n" for n in range(1, 60))
    without = sweep(service_of, imports=endless, work="f59(print)")
    named = sweep(service_of, imports=f"import stripe\n{endless}", work="f59(print)")

    assert not without.trace.complete
    assert effects.build(without).payments.value == "none"
    assert isinstance(effects.build(named).payments.value, Unresolved)


def test_a_deadline_of_a_part_is_no_look_at_the_duration(service_of: ServiceOf) -> None:
    waits = (
        "import time, logging\ndef wait(source):\n    started = time.monotonic()\n    while chunk := source.read():\n"
        "        if time.monotonic() - started > 60:\n            logging.error('too slow')\n"
        "            return\n"
    )
    looks = (
        "import time, logging\ndef wait(source):\n    started = time.monotonic()\n    source.read()\n"
        "    if time.monotonic() - started > 60:\n        logging.error('too slow')\n"
    )

    assert alert.build(sweep(service_of, imports=waits, work="wait(open('/x'))")).slow.value == "none"
    assert alert.build(sweep(service_of, imports=looks, work="wait(open('/x'))")).slow.value == "warning"
