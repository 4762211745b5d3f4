"""Errors that a block swallows, handlers for other errors, and objects that a class keeps for all."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.model.value import Closure
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import effects, errors, lock

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

TASKS = """\
import contextlib
from contextlib import contextmanager, suppress
from datetime import timedelta
from celery import Celery
from gevent import Timeout
from redis import Redis
from redis.exceptions import LockError
from shop.models import Cart
import logging

app = Celery("shop")
app.conf.beat_schedule = {"sweep": {"task": "sweep", "schedule": timedelta(hours=1)}}
store = Redis()
log = logging.getLogger(__name__)

@contextmanager
def alone(name):
    with store.lock("jobs:sweep", blocking=False, timeout=60) as held:
        yield held

def keeper(cart):
    cart.delete()

@app.task(name="sweep")
def sweep():
"""
MODELS = "from django.db import models\nclass Cart(models.Model):\n    state = models.CharField()\n"
WORK = "Cart.objects.filter(state='old').delete()"


def job(service_of: ServiceOf, body: str, models: str = MODELS) -> JobContext:
    text = "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
    (context,) = service_of({"shop/tasks.py": TASKS + text, "shop/models.py": models})
    return context


@pytest.mark.parametrize(
    ("body", "acquired", "released"),
    [
        (
            f"""
            with alone("sweep"):
                {WORK}
            """,
            "handled",
            "logged",
        ),
        (
            f"""
            with contextlib.suppress(LockError):
                with alone("sweep"):
                    {WORK}
            """,
            "swallowed",
            "swallowed",
        ),
        (
            f"""
            with suppress(LockError), alone("sweep"):
                {WORK}
            """,
            "swallowed",
            "swallowed",
        ),
        (
            f"""
            try:
                with alone("sweep"):
                    {WORK}
            except LockError:
                log.warning("sweep is running already")
            """,
            "handled",
            "logged",
        ),
        # A handler for a timeout of another library never hears of the lock.
        (
            f"""
            try:
                with alone("sweep"):
                    {WORK}
            except Timeout:
                return None
            """,
            "handled",
            "logged",
        ),
        (
            f"""
            try:
                with suppress(LockError), alone("sweep"):
                    {WORK}
            except Timeout:
                log.error("sweep took too long")
            """,
            "swallowed",
            "swallowed",
        ),
    ],
)
def test_who_learns_of_an_error_of_the_lock(
    service_of: ServiceOf, body: str, acquired: str, released: str
) -> None:
    facts = lock.build(job(service_of, body))
    assert (facts.coverage.value, facts.acquire_failure.value) == ("all", acquired)
    assert facts.release_failure.value == released


@pytest.mark.parametrize(
    ("block", "logged"),
    [("with suppress(Exception):", "swallowed"), ("with contextlib.closing(store):", "framework")],
)
def test_errors_of_the_work_that_a_block_swallows(service_of: ServiceOf, block: str, logged: str) -> None:
    context = job(service_of, f"{block}\n    {WORK}")
    assert errors.build(context).logged.value == logged


SINGLETON = """\
from django.db import models
class Cart(models.Model):
    state = models.CharField()
class Sweeper:
    def __init__(self, state):
        self.state = state
    def run(self):
        Cart.objects.filter(state=self.state).update(state="gone")
class Kept:
    def __new__(cls):
        if not hasattr(cls, "instance"):
            cls.instance = cls.make()
        return cls.instance
    @classmethod
    def make(cls):
        return Sweeper("old")
class Plain:
    def __new__(cls, *args):
        return super().__new__(cls)
    def run(self):
        Cart.objects.filter(state="old").update(state="gone")
"""


@pytest.mark.parametrize("name", ["Kept", "Plain"])
def test_what_a_class_gives_out_in_place_of_a_new_object(service_of: ServiceOf, name: str) -> None:
    body = f"from shop.models import {name}\n{name}().run()"
    context = job(service_of, body, SINGLETON)
    assert isinstance(context.handler, Closure)
    assert effects.build(context).guard.value == "conditional"
