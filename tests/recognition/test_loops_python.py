"""Loops of Python that run for as long as the process, and those that only look like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

DB = (
    "import psycopg2\nconn = psycopg2.connect('')\n\ndef sweep():\n"
    "    conn.cursor().execute('delete from sessions')\n    conn.commit()\n\n"
)

JOBS = {
    "while True": (
        "import time\n"
        + DB
        + "def main():\n    while True:\n        sweep()\n        time.sleep(60)\n\nmain()\n",
        ("sleep-loop", "60 s", "main"),
    ),
    "what its round took is subtracted": (
        (
            "import os, time\n" + DB + "EVERY = int(os.environ.get('EVERY', '300'))\n\ndef main():\n"
            "    while True:\n        start = time.time()\n        sweep()\n"
            "        time.sleep(max(0, EVERY - (time.time() - start)))\n\nmain()\n"
        ),
        ("sleep-loop", "300 s", "main"),
    ),
    "many short pauses": (
        (
            "import time\n" + DB + "def main():\n    while True:\n        sweep()\n"
            "        for _ in range(30):\n            time.sleep(2)\n\nmain()\n"
        ),
        ("sleep-loop", "60 s", "main"),
    ),
    "asyncio": (
        (
            "import asyncio\n" + DB + "async def main():\n    while True:\n        sweep()\n"
            "        await asyncio.sleep(30)\n\nasyncio.run(main())\n"
        ),
        ("sleep-loop", "30 s", "main"),
    ),
    "an order to stop that is waited for": (
        (
            "import threading\n"
            + DB
            + "stop = threading.Event()\n\ndef main():\n    while not stop.wait(45):\n"
            "        sweep()\n\nthreading.Thread(target=main).start()\n"
        ),
        ("sleep-loop", "45 s", "main"),
    ),
    "an object with its interval": (
        (
            "import threading\n" + DB + "class Worker(threading.Thread):\n"
            "    def __init__(self, interval=20):\n        super().__init__()\n"
            "        self.interval = interval\n        self.stopped = threading.Event()\n\n"
            "    def run(self):\n        while not self.stopped.is_set():\n            sweep()\n"
            "            self.stopped.wait(timeout=self.interval)\n\nWorker(interval=10).start()\n"
        ),
        ("sleep-loop", "10 s", "Worker.run"),
    ),
    "an event that an object from elsewhere holds": (
        (
            "from outside import app\n" + DB + "def main():\n    while not app.config.exit.is_set():\n"
            "        sweep()\n        app.config.exit.wait(90)\n\nmain()\n"
        ),
        ("sleep-loop", "90 s", "main"),
    ),
    "as long as a flag of the process says so": (
        (
            "import time\nfrom settings import settings\n" + DB + "def main():\n"
            "    while settings.worker_running:\n        sweep()\n        time.sleep(75)\n\nmain()\n"
        ),
        ("sleep-loop", "75 s", "main"),
    ),
    "as long as an event lets it run": (
        (
            "import threading, time\n" + DB + "class Core:\n    def __init__(self):\n"
            "        self.running = threading.Event()\n        self.running.set()\n\n    def start(self):\n"
            "        while True:\n            self.running.wait()\n            sweep()\n"
            "            time.sleep(12)\n\nCore().start()\n"
        ),
        ("sleep-loop", "12 s", "Core.start"),
    ),
    "once, unless it is told to stay": (
        (
            "import time\n" + DB + "def main(*, daemon=False):\n    while True:\n        sweep()\n"
            "        if daemon:\n            time.sleep(8)\n            continue\n        return 0\n\n"
            "main(daemon=True)\n"
        ),
        ("sleep-loop", "8 s", "main"),
    ),
    "a wrapper with such a loop inside": (
        (
            "import asyncio\nfrom settings import settings\n" + DB + "def every(seconds, work):\n"
            "    async def rounds():\n        while settings.app_running:\n            work()\n"
            "            await asyncio.sleep(seconds)\n    return rounds\n\n"
            "asyncio.run(every(30 * 60, sweep)())\n"
        ),
        ("sleep-loop", "1800 s", "sweep"),
    ),
    "a pause in what each round calls": (
        (
            "import time\n" + DB + "class Worker:\n    def __init__(self, period=20):\n"
            "        self.period = period\n\n    def run(self):\n        while True:\n"
            "            self.step()\n\n    def step(self):\n        self.throttled(sweep, self.period)\n\n"
            "    def throttled(self, work, period):\n        begun = time.time()\n        work()\n"
            "        rest = period - (time.time() - begun)\n        rest = max(rest, 0.0)\n"
            "        self.nap(rest)\n\n    @staticmethod\n    def nap(rest):\n        time.sleep(rest)\n\n"
            "Worker().run()\n"
        ),
        ("sleep-loop", "20 s", "Worker.run"),
    ),
    "a pause that every round makes beside one that few make": (
        (
            "import time\nfrom outside import paused\n" + DB + "def main():\n    while True:\n"
            "        if paused():\n            time.sleep(1)\n            continue\n        sweep()\n"
            "        time.sleep(30)\n\nmain()\n"
        ),
        ("sleep-loop", "30 s", "main"),
    ),
    "waiting for its turn to work in pages": (
        (
            "import time\nfrom outside import lease, feed\n" + DB + "def main():\n    while True:\n"
            "        if not lease.take():\n            time.sleep(15)\n            continue\n"
            "        while True:\n            if not feed.page():\n                break\n            sweep()\n"
            "        time.sleep(40)\n\nmain()\n"
        ),
        ("sleep-loop", "40 s", "main"),
    ),
    "a pause that grows while there is nothing to do": (
        (
            "import time\n" + DB + "def main():\n    delay = 30\n    while True:\n        if sweep():\n"
            "            delay = 30\n        else:\n            delay = min(delay * 2, 600)\n"
            "        time.sleep(30)\n\nmain()\n"
        ),
        ("sleep-loop", "30 s", "main"),
    ),
    "what a queue holds by now": (
        (
            "import queue, time\n" + DB + "jobs = queue.Queue()\n\ndef main():\n    while True:\n"
            "        while not jobs.empty():\n            jobs.get_nowait()\n        sweep()\n"
            "        time.sleep(20)\n\nmain()\n"
        ),
        ("sleep-loop", "20 s", "main"),
    ),
    "an event that is only called so": (
        (
            "import threading, time\n" + DB + "class Base(threading.Thread):\n    def __init__(self):\n"
            "        super().__init__()\n        self._event = threading.Event()\n\n    def run(self):\n"
            "        while not self._event.is_set():\n            sweep()\n            time.sleep(15)\n\n"
            "Base().start()\n"
        ),
        ("sleep-loop", "15 s", "Base.run"),
    ),
    "an event that only stopping sets, in a thread that is handed its work": (
        (
            "import threading\n" + DB + "class Repeated(threading.Thread):\n"
            "    def __init__(self, interval, work):\n        super().__init__()\n"
            "        self.interval = interval\n        self.work = work\n"
            "        self.finished = threading.Event()\n\n    def cancel(self):\n        self.finished.set()\n\n"
            "    def run(self):\n        while not self.finished.is_set():\n"
            "            self.finished.wait(self.interval)\n            if self.finished.is_set():\n"
            "                return\n            self.work()\n\nRepeated(45, sweep).start()\n"
        ),
        ("sleep-loop", "45 s", "sweep"),
    ),
    "the sleep of a socket server": (
        (
            "from flask_socketio import SocketIO\n" + DB + "socketio = SocketIO()\n\ndef main():\n"
            "    while True:\n        sweep()\n        socketio.sleep(3600)\n\n"
            "socketio.start_background_task(main)\n"
        ),
        ("sleep-loop", "3600 s", "main"),
    ),
    "left on an interrupt": (
        (
            "import time\n" + DB + "def main():\n    while True:\n        try:\n            sweep()\n"
            "            time.sleep(5)\n        except KeyboardInterrupt:\n            break\n\nmain()\n"
        ),
        ("sleep-loop", "5 s", "main"),
    ),
    "a thread's timer that arms itself": (
        (
            "import threading\n" + DB + "def tick():\n    sweep()\n    threading.Timer(60, tick).start()\n\n"
            "tick()\n"
        ),
        ("timer-loop", "60 s", "tick"),
    ),
    "sched": (
        (
            "import sched, time\n" + DB + "queue = sched.scheduler(time.time, time.sleep)\n\ndef tick():\n"
            "    sweep()\n    queue.enter(30, 1, tick)\n\nqueue.enter(30, 1, tick)\nqueue.run()\n"
        ),
        ("timer-loop", "30 s", "tick"),
    ),
    "call_later": (
        (
            "import asyncio\n" + DB + "def tick(loop):\n    sweep()\n    loop.call_later(15, tick, loop)\n\n"
            "loop = asyncio.new_event_loop()\nloop.call_later(1, tick, loop)\nloop.run_forever()\n"
        ),
        ("timer-loop", "15 s", "tick"),
    ),
}


@pytest.mark.parametrize("shape", JOBS)
def test_loops_that_are_jobs(tmp_path: Path, shape: str) -> None:
    code, expected = JOBS[shape]
    found = discover(tmp_path, {"main.py": code}).only()

    assert (found.kind, found.schedule, found.handler) == expected


DECOYS = {
    "it rests for a moment where there is nothing to do": (
        "import time\nfrom outside import wire\n" + DB + "def main():\n    while True:\n"
        "        if wire.ready():\n            sweep()\n        else:\n            time.sleep(0.1)\n"
        "        wire.flush()\n\nmain()\n"
    ),
    "waiting for its turn to serve": (
        "import time\nfrom outside import lease, feed\n" + DB + "def main():\n    while True:\n"
        "        if not lease.take():\n            time.sleep(15)\n            continue\n"
        "        while True:\n            if not lease.is_mine():\n                break\n"
        "            feed.next(timeout=10)\n            sweep()\n\nmain()\n"
    ),
    "it works only when it is told to": (
        "import time\nfrom outside import state\n" + DB + "def main():\n    while True:\n"
        "        if not state.signal:\n            time.sleep(1)\n        else:\n            sweep()\n\nmain()\n"
    ),
    "as long as another object is busy": (
        "import time\n" + DB + "def wait(upload):\n    while upload.running:\n        sweep()\n"
        "        time.sleep(1)\n\nwait(None)\n"
    ),
    "each round waits for an event": (
        "import multiprocessing, time\n" + DB + "restart = multiprocessing.Event()\n\ndef main():\n"
        "    while True:\n        sweep()\n        restart.wait()\n        restart.clear()\n"
        "        time.sleep(3)\n\nmain()\n"
    ),
    "a stream of what was found": (
        "import asyncio\n" + DB + "async def stream():\n    while True:\n        for row in sweep():\n"
        "            yield row\n        await asyncio.sleep(2)\n\nstream()\n"
    ),
    "a consumer that calls what rests after a failure": (
        "import time\n" + DB + "def handle(queue):\n    try:\n        queue.get()\n        sweep()\n"
        "    except Exception:\n        time.sleep(5)\n\n"
        "def main(queue):\n    while True:\n        handle(queue)\n\nmain(None)\n"
    ),
    "until what it waits for has happened": (
        "import threading\n" + DB + "class Wait:\n    def __init__(self):\n"
        "        self.finished = threading.Event()\n\n    def loaded(self):\n        self.finished.set()\n\n"
        "    def run(self):\n        while not self.finished.is_set():\n            sweep()\n"
        "            self.finished.wait(2)\n\nWait().run()\n"
    ),
    "fed by a queue, and it rests": (
        "import asyncio\n" + DB + "jobs = asyncio.Queue()\n\nasync def main():\n    while True:\n"
        "        job = await jobs.get()\n        sweep()\n        await asyncio.sleep(1)\n\nasyncio.run(main())\n"
    ),
    "fed by a queue of a class that nobody knows": (
        "import time\nfrom outside import Ranked\n" + DB + "class Worker:\n    def __init__(self):\n"
        "        self._queue = Ranked()\n\n    def run(self):\n        while True:\n            try:\n"
        "                entry = self._queue.get()\n                sweep()\n            finally:\n"
        "                time.sleep(1)\n\nWorker().run()\n"
    ),
    "it connects again, later each time": (
        "import asyncio\nfrom outside import bus\n"
        + DB
        + "async def main():\n    delay = 1\n    while True:\n"
        "        try:\n            async for message in bus.listen():\n                sweep()\n"
        "            delay = 1\n        except OSError:\n            pass\n        await asyncio.sleep(delay)\n"
        "        delay = min(delay * 2, 60)\n\nasyncio.run(main())\n"
    ),
    "a throttle that comes back when it is time": (
        "import threading, time\n" + DB + "class Push:\n    last = 0\n\n    def send(self, data):\n"
        "        rest = self.last + 5 - time.time()\n        if rest > 0:\n"
        "            threading.Timer(rest, lambda: self.send(data)).start()\n            return\n"
        "        self.last = time.time()\n        sweep()\n\nPush().send(1)\n"
    ),
    "waiting for a database": (
        "import time\n" + DB + "def ready():\n    while True:\n        try:\n            sweep()\n"
        "            break\n        except Exception:\n            time.sleep(1)\n\nready()\n"
    ),
    "polling for an answer": (
        "import time\n"
        + DB
        + "def wait(order):\n    while True:\n        sweep()\n        if order.done():\n"
        "            return order\n        time.sleep(1)\n\nwait(None)\n"
    ),
    "a number of tries": (
        "import time\n"
        + DB
        + "def attempt():\n    for _ in range(5):\n        sweep()\n        time.sleep(1)\n\n"
        "attempt()\n"
    ),
    "a consumer that rests after a failure": (
        "import time\n" + DB + "def main(queue):\n    while True:\n        try:\n            queue.get()\n"
        "            sweep()\n        except Exception:\n            time.sleep(5)\n\nmain(None)\n"
    ),
    "keeping the process alive": (
        "import time\n" + DB + "def main():\n    sweep()\n    while True:\n        try:\n"
        "            time.sleep(2**32)\n        except KeyboardInterrupt:\n            break\n\nmain()\n"
    ),
}


@pytest.mark.parametrize("shape", DECOYS)
def test_loops_that_are_none(tmp_path: Path, shape: str) -> None:
    assert discover(tmp_path, {"main.py": DECOYS[shape]}).jobs == ()


COMMAND = (
    "import time\nfrom django.core.management.base import BaseCommand\nfrom shop.models import Session\n\n"
    "class Command(BaseCommand):\n    def add_arguments(self, parser):\n"
    "        parser.add_argument('--loop', action='store_true')\n\n"
    "    def handle(self, loop, **options):\n        while True:\n            Session.objects.all().delete()\n"
    "            if not loop:\n                break\n            time.sleep(60)\n"
)
MODELS = (
    "from django.db import models\n\nclass Session(models.Model):\n    expires = models.DateTimeField()\n"
)


def command(tmp_path: Path, procfile: str) -> list[tuple[str | None, str, str | None, bool]]:
    files = {
        "manage.py": "import sys\nfrom django.core.management import execute_from_command_line\n"
        "execute_from_command_line(sys.argv)\n",
        "shop/__init__.py": "",
        "shop/models.py": MODELS,
        "shop/management/__init__.py": "",
        "shop/management/commands/__init__.py": "",
        "shop/management/commands/prune.py": COMMAND,
        "Procfile": procfile,
    }
    return [(j.name, j.schedule, j.handler, j.live) for j in discover(tmp_path, files).jobs]


def test_a_command_that_a_manifest_runs_for_ever(tmp_path: Path) -> None:
    found = command(tmp_path, "web: gunicorn shop.wsgi\nprune: python manage.py prune --loop\n")

    assert found == [("prune", "60 s", "Command.handle", True)]


def test_a_command_that_goes_round_once(tmp_path: Path) -> None:
    found = command(tmp_path, "web: gunicorn shop.wsgi\nrelease: python manage.py prune\n")

    assert found == [("prune", "60 s", "Command.handle", False)]


OPTIONS = (
    "import time\nfrom django.core.management.base import BaseCommand\nfrom shop.models import Session\n\n"
    "class Command(BaseCommand):\n    def add_arguments(self, parser):\n"
    "        parser.add_argument('-p', '--pause', type=float, default=45.0)\n\n"
    "    def handle(self, *args, **options):\n        pause = {pause}\n        while True:\n"
    "            Session.objects.all().delete()\n            time.sleep(pause)\n"
)


@pytest.mark.parametrize(
    ("pause", "schedule"),
    [
        ("options['pause']", "45 s"),
        ("max(0.5, float(options.get('pause', 1.0)))", "45 s"),
        ("options['other']", "open"),
    ],
)
def test_a_pause_that_is_an_option_of_a_command(tmp_path: Path, pause: str, schedule: str) -> None:
    files = {
        "shop/__init__.py": "", "shop/models.py": MODELS, "shop/management/__init__.py": "",
        "shop/management/commands/__init__.py": "",
        "shop/management/commands/prune.py": OPTIONS.replace("{pause}", pause),
    }  # fmt: skip
    found = discover(tmp_path, files).only()

    assert (found.name, found.schedule, found.at) == (
        "prune",
        schedule,
        "shop/management/commands/prune.py:11",
    )


def test_a_debouncer_is_no_job(tmp_path: Path) -> None:
    code = (
        "import { Pool } from 'pg';\nconst db = new Pool();\nclass Debouncer {\n"
        "  start() { setTimeout(() => this.expired(), 500); }\n"
        "  private expired() {\n    if (this.isDue()) {\n      db.query('update titles set x = 1');\n"
        "      return;\n    }\n    setTimeout(() => this.expired(), this.rest());\n  }\n"
        "  private isDue() { return Date.now() > 5; }\n  private rest() { return 5; }\n}\n"
        "new Debouncer().start();\n"
    )

    assert discover(tmp_path, {"src/main.ts": code}).jobs == ()
