"""APScheduler beside asyncio and SQLAlchemy: statements that are built, job stores, and what a signal sets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import data, effects, errors, runner

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

HEAD = """\
import asyncio
import signal
import socket

import structlog
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("postgresql+asyncpg://db/shop", pool_size=3)
session = async_sessionmaker(engine)
log = structlog.get_logger().bind(host=socket.gethostname())
running = set()

class Base(DeclarativeBase):
    pass

class Basket(Base):
    __tablename__ = "baskets"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]

"""
WORK = """
async def sweep():
    task = asyncio.current_task()
    running.add(task)
    try:
        log.info("sweeping")
        async with session() as db, db.begin():
            WHAT
    finally:
        running.discard(task)
"""
MAIN = """
async def main():
    scheduler = AsyncIOScheduler(jobstores={"default": STORE})
    scheduler.add_job(sweep, "interval", minutes=5, id="sweep")
    scheduler.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    scheduler.pause()
    BEHIND

asyncio.run(main())
"""
CONDITIONAL = 'await db.execute(update(Basket).where(Basket.state == "open").values(state="closed"))'


def job(
    service_of: ServiceOf,
    what: str = CONDITIONAL,
    store: str = 'SQLAlchemyJobStore(url="postgresql://db/shop")',
    behind: str = "await asyncio.wait(running, timeout=60)",
) -> JobContext:
    indented = what.replace("\n", "\n            ")
    main = MAIN.replace("STORE", store).replace("BEHIND", behind)
    source = HEAD + WORK.replace("WHAT", indented) + main
    (context,) = service_of(
        {"requirements.txt": "apscheduler\nsqlalchemy\nstructlog\n", "shop/worker.py": source}
    )
    return context


@pytest.mark.parametrize(
    ("what", "guard", "upserts"),
    [
        (CONDITIONAL, "conditional", "none"),
        (
            'await db.execute(update(Basket).where(Basket.id == 7).values(state="closed"))',
            "none",
            "none",
        ),
        (
            "new = insert(Basket).values(id=7)\nawait db.execute(new.on_conflict_do_nothing())",
            "conditional",
            "upsert",
        ),
        ("new = insert(Basket).values(id=7)\nawait db.execute(new)", "none", "plain"),
    ],
    ids=["conditional", "by its key", "upsert through a variable", "insert"],
)
def test_a_statement_is_what_all_its_calls_say(
    service_of: ServiceOf, what: str, guard: str, upserts: str
) -> None:
    found = effects.build(job(service_of, what))
    assert (found.guard.value, found.inserts.value) == (guard, upserts)


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("select(Basket).where(Basket.id > last).order_by(Basket.id).limit(50)", "streamed"),
        ("select(Basket).order_by(Basket.id).limit(50)", "batched"),
        ("select(Basket).where(Basket.id > last).order_by(Basket.id)", "unbounded"),
    ],
)
def test_how_much_a_built_statement_reads(service_of: ServiceOf, query: str, reads: str) -> None:
    what = f"last = int(log.name)\nwhile True:\n    page = {query}\n    last = (await db.scalars(page)).all()[-1].id"
    assert data.build(job(service_of, what)).reads.value == reads


@pytest.mark.parametrize(
    ("store", "kept"),
    [('SQLAlchemyJobStore(url="postgresql://db/shop")', "both"), ("MemoryJobStore()", "none")],
)
def test_a_job_store(service_of: ServiceOf, store: str, kept: str) -> None:
    assert runner.build(job(service_of, store=store)).persistence.value == kept


@pytest.mark.parametrize(
    ("behind", "shutdown", "in_progress"),
    [
        ("await asyncio.wait(running, timeout=60)", "jobs", "awaited"),
        ("scheduler.shutdown(wait=False)", "stops", "held"),
    ],
)
def test_what_stands_behind_the_event_that_a_signal_sets(
    service_of: ServiceOf, behind: str, shutdown: str, in_progress: str
) -> None:
    context = job(service_of, behind=behind)
    assert service_facts.build(context.service).shutdown.value == shutdown
    assert errors.build(context).in_progress.value == in_progress


def test_an_event_that_no_signal_sets(service_of: ServiceOf) -> None:
    context = job(service_of)
    source = HEAD + WORK.replace("WHAT", CONDITIONAL) + MAIN.replace("STORE", "MemoryJobStore()")
    source = source.replace("signal.SIGTERM, stop.set", "signal.SIGTERM, asyncio.Event().set")
    source = source.replace("BEHIND", "await asyncio.wait(running, timeout=60)")
    (context,) = service_of({"shop/worker.py": source})
    assert service_facts.build(context.service).shutdown.value == "none"


def test_what_a_logger_is_bound_to_and_the_bounds_of_its_engine(service_of: ServiceOf) -> None:
    found = service_facts.build(job(service_of).service)
    assert (found.instance_id.value, found.pool.value) == ("id", "bounded")
