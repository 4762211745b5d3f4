"""Context managers of the project in Python: locks that a generator takes, and blocks with a bound."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import lock, retry, timeout

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

JOBS = """\
import asyncio
import logging
from contextlib import asynccontextmanager
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from tenacity import retry, stop_after_attempt, wait_exponential

engine = create_async_engine("postgresql+asyncpg://db/shop", pool_size=3)
log = logging.getLogger(__name__)
async def take(db):
    answer = await db.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": "sweep"})
    return answer.scalar_one()

async def give(db):
    await db.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": "sweep"})
"""
MAIN = """
async def sweep():
    try:
        async with exclusive() as held:
            if not held:
                log.info("skipped")
                return
            await work()
    except Exception:
        log.exception("sweep failed")

async def work():
    async with engine.begin() as db:
        await db.execute(text("DELETE FROM baskets WHERE expired"))

async def main():
    scheduler = AsyncIOScheduler()
    scheduler.add_job(sweep, "interval", minutes=5, id="sweep")
    scheduler.start()
    await asyncio.Event().wait()

asyncio.run(main())
"""
FINALLY = """
@asynccontextmanager
async def exclusive():
    async with engine.connect() as db:
        held = await take(db)
        try:
            yield held
        finally:
            if held:
                await give(db)
"""
ON_SUCCESS = """
@asynccontextmanager
async def exclusive():
    async with engine.connect() as db:
        held = await take(db)
        yield held
        if held:
            await give(db)
"""
SOMETHING_ELSE = """
@asynccontextmanager
async def exclusive():
    async with engine.connect() as db:
        await take(db)
        try:
            yield db
        finally:
            await give(db)
"""
RAISES = """
@asynccontextmanager
async def exclusive():
    async with engine.connect() as db:
        if not await take(db):
            raise RuntimeError("another worker is at it")
        try:
            yield True
        finally:
            await give(db)
"""
YIELDS_NOT = """
@asynccontextmanager
async def exclusive():
    async with engine.connect() as db:
        if not await take(db):
            return
        try:
            yield True
        finally:
            await give(db)
"""


def job(service_of: ServiceOf, source: str) -> JobContext:
    (context,) = service_of(
        {"requirements.txt": "apscheduler\nsqlalchemy\n", "shop/worker.py": dedent(source)}
    )
    return context


@pytest.mark.parametrize(
    ("manager", "told"),
    [
        (FINALLY, ("session", "all", "finally", "handled", "logged", "caught")),
        (ON_SUCCESS, ("session", "all", "success", "handled", "logged", "caught")),
        (RAISES, ("session", "all", "finally", "handled", "logged", "caught")),
        (YIELDS_NOT, ("session", "all", "finally", "handled", "logged", "caught")),
    ],
    ids=["finally", "on success", "raises", "does not yield"],
)
def test_a_lock_that_a_generator_takes(service_of: ServiceOf, manager: str, told: tuple[str, ...]) -> None:
    found = lock.build(job(service_of, JOBS + manager + MAIN))
    assert (
        found.kind.value,
        found.coverage.value,
        found.release.value,
        found.acquire_failure.value,
        found.release_failure.value,
        found.store_failure.value,
    ) == told
    assert found.key.value == "sweep"


def test_a_generator_that_yields_something_else_than_the_answer(service_of: ServiceOf) -> None:
    assert lock.build(job(service_of, JOBS + SOMETHING_ELSE + MAIN)).kind.value == "none"


BOUNDED = """
async def sweep():
    async with asyncio.timeout(90):
        await work()

async def work():
    async with engine.begin() as db:
        await db.execute(text("DELETE FROM baskets WHERE expired"))

async def main():
    scheduler = AsyncIOScheduler()
    scheduler.add_job(sweep, "interval", minutes=5, id="sweep")
    scheduler.start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_block_with_a_bound(service_of: ServiceOf) -> None:
    found = timeout.build(job(service_of, JOBS + BOUNDED))
    assert (found.scope.value, found.seconds.value) == ("run", 90.0)


def test_a_block_with_a_bound_around_nothing_of_the_work(service_of: ServiceOf) -> None:
    empty = BOUNDED.replace("        await work()\n", "        log.info('soon')\n    await work()\n", 1)
    assert timeout.build(job(service_of, JOBS + empty)).scope.value == "none"


RUNNER = """
def scheduled(name):
    def decorate(body):
        async def run():
            try:
                async with engine.begin() as db:
                    await db.execute(text("INSERT INTO job_runs (job) VALUES ('sweep')"))
                await body()
            except Exception:
                log.exception("failed", extra={"job": name})
        return run
    return decorate

@scheduled("sweep")
@retry(stop=stop_after_attempt(4), wait=wait_exponential(max=60))
async def sweep():
    async with engine.begin() as db:
        await db.execute(text("DELETE FROM baskets WHERE expired"))

async def main():
    scheduler = AsyncIOScheduler()
    scheduler.add_job(sweep, "interval", minutes=5, id="sweep")
    scheduler.start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_retry_under_a_decorator_of_the_project_holds_the_whole_handler(service_of: ServiceOf) -> None:
    found = retry.build(job(service_of, JOBS + RUNNER))
    assert (found.attempts.value, found.count.value, found.scope.value) == ("bounded", 4, "run")
