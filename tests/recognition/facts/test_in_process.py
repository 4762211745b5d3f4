"""Jobs inside a Python process: APScheduler in a web server, sleep loops, and what surrounds their work."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

from cronaudit.model.facts import Fact
from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import data, effects, errors, retry, runner, schedule

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

MAIN = """\
from contextlib import asynccontextmanager
from apscheduler.schedulers.background import BackgroundScheduler
from fastapi import FastAPI
from shop import jobs

scheduler = BackgroundScheduler()

@asynccontextmanager
async def lifespan(app):
    scheduler.add_job(jobs.sweep, "interval", minutes=5, id="sweep")
    scheduler.start()
    yield
    scheduler.shutdown(wait=WAITS)

app = FastAPI(lifespan=lifespan)

@app.get("/jobs")
def jobs_now():
    return [job.id for job in scheduler.get_jobs()]
"""


def job(service_of: ServiceOf, jobs: str, waits: str = "False") -> JobContext:
    (context,) = service_of({"shop/main.py": MAIN.replace("WAITS", waits), "shop/jobs.py": dedent(jobs)})
    return context


def told(fact: Fact[Any]) -> tuple[Any, str]:
    return fact.value, str(fact.locations[0])


SWEEP = """
from shop.db import clean

def sweep():
    clean()
"""


@pytest.mark.parametrize(("waits", "shutdown"), [("False", "stops"), ("True", "jobs")])
def test_what_stands_behind_the_yield_of_a_lifespan(service_of: ServiceOf, waits: str, shutdown: str) -> None:
    context = job(service_of, SWEEP, waits)
    assert told(service_facts.build(context.service).shutdown) == (shutdown, "shop/main.py:13")


def test_the_scheduler_of_an_event_loop_cancels_what_runs(service_of: ServiceOf) -> None:
    main = (
        MAIN.replace("background", "asyncio")
        .replace("BackgroundScheduler", "AsyncIOScheduler")
        .replace("WAITS", "True")
    )
    (context,) = service_of({"shop/main.py": main, "shop/jobs.py": SWEEP})
    assert told(service_facts.build(context.service).shutdown) == ("stops", "shop/main.py:13")
    assert errors.build(context).in_progress.value != "awaited"


def test_a_decorated_route_that_lists_the_jobs(service_of: ServiceOf) -> None:
    board = service_facts.build(job(service_of, SWEEP).service).board
    assert (*told(board), board.detail) == ("current", "shop/main.py:17", "Current status only: GET /jobs")


def test_a_local_variable_holds_no_execution(service_of: ServiceOf) -> None:
    jobs = "from shop.db import clean\n\ndef sweep():\n    found = work()\n    return found\n\n"
    jobs += "def work():\n    clean()\n"
    assert errors.build(job(service_of, jobs)).in_progress.value == "none"


@pytest.mark.parametrize(
    ("decorator", "attempts", "count"),
    [
        ("@retry(stop=stop_after_attempt(4), wait=wait_exponential())", "bounded", 4),
        ("@retry(wait=wait_fixed(2))", "unbounded", None),
    ],
)
def test_a_retry_around_what_the_job_calls(
    service_of: ServiceOf, decorator: str, attempts: str, count: float | None
) -> None:
    jobs = f"""
from tenacity import retry, stop_after_attempt, wait_exponential, wait_fixed
import requests

{decorator}
def fetch():
    return requests.get("https://prices.example/")

def sweep():
    requests.post("https://shop.example/prices", json=fetch().json())
"""
    policy = retry.build(job(service_of, jobs))
    assert (policy.scope.value, policy.attempts.value, policy.count.value) == ("part", attempts, count)
    assert str(policy.attempts.locations[0]) == "shop/jobs.py:4"


def test_a_handler_of_some_errors_only(service_of: ServiceOf) -> None:
    jobs = """
import logging
import psycopg2

def sweep():
    try:
        psycopg2.connect("").cursor().execute("DELETE FROM carts WHERE seen < now()")
    except psycopg2.Error:
        logging.exception("carts were not swept")
"""
    (context,) = service_of(
        {
            "shop/loop.py": (
                "import time\nfrom shop.jobs import sweep\n\nwhile True:\n    sweep()\n    time.sleep(60)\n"
            ),
            "shop/jobs.py": jobs,
        }
    )
    found = errors.build(context)
    assert (found.caught.value, found.caught.detail) == ("part", "Only some types of errors are caught")
    assert found.logged.value != "swallowed"


@pytest.mark.parametrize("condition", ["Cart.age > 90", "Cart.gone.is_(False)"])
def test_a_condition_in_operators(service_of: ServiceOf, condition: str) -> None:
    jobs = f"""
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from shop.db import engine

class Cart(DeclarativeBase):
    age = mapped_column()
    gone = mapped_column()

def sweep():
    with Session(engine) as session:
        session.query(Cart).filter({condition}).delete()
        session.commit()
"""
    guard = effects.build(job(service_of, jobs)).guard
    assert told(guard) == ("conditional", "shop/jobs.py:10")


def test_the_units_of_schedule(service_of: ServiceOf) -> None:
    (context,) = service_of(
        {
            "shop/run.py": (
                "import time\nimport schedule\nfrom shop.jobs import sweep\n\nschedule.every(10).minutes.do(sweep)\n"
                "while True:\n    schedule.run_pending()\n    time.sleep(1)\n"
            ),
            "shop/jobs.py": SWEEP,
        }
    )
    words = schedule.build(context).words
    assert told(words) == ("size", "shop/run.py:5")


def test_the_pause_until_the_next_run_is_none_of_the_work(service_of: ServiceOf) -> None:
    (context,) = service_of(
        {
            "shop/run.py": (
                "import time\nimport requests\n\nwhile True:\n    for name in ('a', 'b'):\n"
                "        requests.post(f'https://x.example/{name}')\n    time.sleep(60)\n"
            )
        }
    )
    assert data.build(context).loop.value == "async"


def test_a_lock_whose_result_is_ignored_prevents_nothing(service_of: ServiceOf) -> None:
    (context,) = service_of(
        {
            "shop/run.py": (
                "import time\nimport redis\nfrom shop.jobs import sweep\n\nstore = redis.Redis()\nwhile True:\n"
                "    store.set('sweep', 1, nx=True)\n    sweep()\n    store.delete('sweep')\n    time.sleep(60)\n"
            ),
            "shop/jobs.py": "import requests\n\ndef sweep():\n    requests.post('https://x.example/')\n",
        }
    )
    contention = runner.build(context).contention
    assert (contention.value, contention.detail) == ("none", "The lock is taken and its result ignored")
    assert service_facts.build(context.service).concurrent_test.detail == "Neither lock nor test"
