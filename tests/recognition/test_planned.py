"""Schedulers of the project's own that keep each task as an object with its work and its period."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

CORE = """
import asyncio
from functools import partial

class Core:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self._scheduler = None

    @property
    def scheduler(self) -> "Scheduler":
        return self._scheduler

    def call_later(self, delay, work, *args, **kwargs):
        if kwargs:
            work = partial(work, **kwargs)
        return self.loop.call_later(delay, work, *args)

class Attached:
    core: Core

    @property
    def own_scheduler(self):
        return self.core.scheduler

    def own_call_later(self, delay, work, *args, **kwargs):
        return self.core.call_later(delay, work, *args, **kwargs)
"""
SCHEDULER = """
from dataclasses import dataclass, field
from hub.core import Attached

@dataclass(slots=True)
class _Task:
    number: int
    work: object = field(compare=False)
    every: float = field(compare=False)
    handle: object | None = field(default=None, compare=False)

class Scheduler(Attached):
    def __init__(self, core):
        self.core = core

    def plan_task(self, work, every):
        task = _Task(1, work, every)
        self._arm(task)

    def _run(self, task: _Task) -> None:
        async def _round():
            try:
                await task.work()
            finally:
                {again}
        self.core.loop.create_task(_round())

    def _arm(self, task: _Task) -> None:
        match task.every:
            case int() | float():
                task.handle = self.own_call_later(task.every, self._run, task)
"""
TASKS = """
from hub.core import Attached
import requests

RELOAD = 900  # a quarter of an hour

class Tasks(Attached):
    def __init__(self, core):
        self.core = core

    async def load(self):
        self.own_scheduler.plan_task(self._reload, RELOAD)
        self.own_scheduler.plan_task(
            self._report, 60 * 60
        )

    async def _reload(self):
        requests.post("http://hub/reload")

    async def _report(self):
        requests.post("http://hub/report")
"""
MAIN = """
import asyncio
from hub.core import Core
from hub.scheduler import Scheduler
from hub.tasks import Tasks

async def main():
    core = Core()
    core._scheduler = Scheduler(core)
    await Tasks(core).load()

asyncio.run(main())
"""


def _hub(again: str) -> dict[str, str]:
    return {
        "hub/core.py": CORE,
        "hub/scheduler.py": SCHEDULER.replace("{again}", again),
        "hub/tasks.py": TASKS,
        "main.py": MAIN,
    }


def test_tasks_that_are_handed_to_a_timer_behind_methods(tmp_path: Path) -> None:
    found = discover(tmp_path, _hub("self._arm(task)"))

    assert [(j.kind, j.schedule, j.handler, j.at, j.live) for j in found.jobs] == [
        ("custom", "900 s", "Tasks._reload", "hub/tasks.py:11", True),
        ("custom", "3600 s", "Tasks._report", "hub/tasks.py:13", True),
    ]


def test_tasks_that_run_once_are_none(tmp_path: Path) -> None:
    assert discover(tmp_path, _hub("pass")).jobs == ()


def test_tasks_of_a_script_that_are_objects(tmp_path: Path) -> None:
    files = {
        "src/planner.ts": (
            "export class Planner {\n"
            "  plan(name: string, every: number, run: () => Promise<void>) {\n"
            "    const task = { name, every, run };\n"
            "    this.arm(task);\n"
            "  }\n"
            "  private arm(task: any) {\n"
            "    setTimeout(async () => {\n"
            "      await task.run();\n"
            "      this.arm(task);\n"
            "    }, task.every);\n"
            "  }\n"
            "}\n"
        ),
        "src/main.ts": (
            "import fs from 'node:fs';\nimport { Planner } from './planner';\n"
            "const planner = new Planner();\n"
            "async function sweep() { fs.rmSync('/tmp/x'); }\n"
            "async function report() { await fetch('http://x', { method: 'POST' }); }\n"
            "planner.plan('sweep', 60_000, sweep);\n"
            "planner.plan('report', 3_600_000, report);\n"
        ),
    }

    assert [(j.name, j.schedule, j.handler, j.at) for j in discover(tmp_path, files).jobs] == [
        ("sweep", "60 s", "sweep", "src/main.ts:6"),
        ("report", "3600 s", "report", "src/main.ts:7"),
    ]
