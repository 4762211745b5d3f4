"""Writes of a session: what one commit writes is one transaction."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import effects

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

TASKS = """\
from contextlib import contextmanager
from datetime import timedelta
from celery import Celery
from pymongo import MongoClient
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session, sessionmaker
from shop.models import Cart, Old

app = Celery("shop")
app.conf.beat_schedule = {"sweep": {"task": "sweep", "schedule": timedelta(hours=1)}}
logs = MongoClient().shop.logs
make = sessionmaker()

@contextmanager
def session_of():
    session = make()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()

def keep(session, cart):
    session.add(Old(cart=cart))
    session.commit()

@app.task(name="move")
def move(cart):
    session = make()
    session.execute(insert(Old).values(cart=cart))
    session.execute(delete(Cart).where(Cart.id == cart))
    session.commit()

@app.task(name="sweep")
def sweep():
"""


@pytest.mark.parametrize(
    ("body", "word", "lines"),
    [
        (
            """
            session = make()
            session.execute(insert(Old).values(cart=1))
            session.execute(delete(Cart))
            session.commit()
            """,
            "transaction",
            [42, 40],
        ),
        (
            """
            session = make()
            session.execute(insert(Old).values(cart=1))
            session.commit()
            session.execute(delete(Cart))
            session.commit()
            """,
            "separate",
            [40, 42],
        ),
        # The last statement is never committed here, so that nobody can say with what it is.
        (
            """
            session = make()
            session.execute(insert(Old).values(cart=1))
            session.commit()
            session.execute(delete(Cart))
            """,
            "separate",
            [40, 42],
        ),
        (
            """
            session = make()
            session.execute(insert(Old).values(cart=1))
            session.execute(delete(Cart))
            session.commit()
            session.execute(insert(Old).values(cart=2))
            session.commit()
            """,
            "some",
            [43],
        ),
        (
            """
            with session_of() as session:
                session.execute(insert(Old).values(cart=1))
                session.execute(delete(Cart))
            """,
            "transaction",
            [19, 40],
        ),
        (
            """
            session = make()
            for cart in (1, 2):
                session.execute(insert(Old).values(cart=cart))
                session.execute(delete(Cart).where(Cart.id == cart))
                session.commit()
            """,
            "transaction",
            [43, 41],
        ),
        # A helper that commits by itself: what stands around it is in other units.
        (
            """
            session = make()
            keep(session, 1)
            session.execute(delete(Cart))
            keep(session, 2)
            """,
            "some",
            [27, 41],
        ),
        # One commit of a session says nothing of another database.
        (
            """
            session = make()
            session.execute(delete(Cart))
            logs.insert_one({"swept": 1})
            session.commit()
            """,
            "separate",
            [40, 41],
        ),
        ("move.delay(1)", "transaction", [35, 33]),
    ],
)
def test_what_one_commit_writes(service_of: ServiceOf, body: str, word: str, lines: list[int]) -> None:
    text = "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
    models = "class Cart: ...\nclass Old: ...\n"
    (context,) = service_of({"shop/tasks.py": TASKS + text, "shop/models.py": models})
    fact = effects.build(context).atomicity
    assert (fact.value, [at.line for at in fact.locations]) == (word, lines)
