"""A Flask service whose Celery app is of a class from elsewhere, with its settings in a class."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.knowledge.matcher import Matcher
from cronaudit.model.value import Closure
from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import doc, effects, runner, schedule

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

APP = """\
from celery import current_task
from flask_sqlalchemy import SQLAlchemy
from {module} import {name}

db = SQLAlchemy()
runner = {name}()
"""
CONFIG = """\
from datetime import timedelta


class Config:
    {settings}


class TestConfig(Config):
    CELERY_TIMEZONE = "Asia/Tokyo"
"""
SCHEDULE = '"beat_schedule": {"sweep": {"task": "sweep", "schedule": timedelta(hours=1)}}'
CELERY = f'CELERY = {{"broker_url": "redis://broker", {SCHEDULE}}}'
TASKS = """\
from shop import db, runner


@runner.task(name="sweep")
def sweep():
    db.session.commit()
"""


def job(
    service_of: ServiceOf,
    *,
    celery: tuple[str, str] = ("acme.queues", "AcmeCelery"),
    settings: str = CELERY,
    tasks: str = TASKS,
    more: dict[str, str] | None = None,
) -> JobContext:
    files = {
        "shop/__init__.py": APP.format(module=celery[0], name=celery[1]),
        "shop/config.py": CONFIG.format(settings=settings),
        "shop/tasks.py": dedent(tasks),
    }
    (context,) = service_of({**files, **(more or {})})
    return context


@pytest.mark.parametrize("celery", [("acme.queues", "AcmeCelery"), ("flask_celery", "Celery")])
def test_an_app_that_is_named_after_celery(service_of: ServiceOf, celery: tuple[str, str]) -> None:
    found = job(service_of, celery=celery).registration.handler
    assert isinstance(found, Closure)
    assert found.function.name == "sweep"


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("acme.queues.AcmeCelery().task", "celery.Celery().task"),
        ("flask_celery.Celery().task", "celery.Celery().task"),
        ("acme.queues.CeleryFlower().task", "acme.queues.CeleryFlower().task"),
        ("acme.queues.Runner().task", "acme.queues.Runner().task"),
        ("acme.queues.celery().task", "acme.queues.celery().task"),
    ],
)
def test_what_is_named_after_celery(matcher: Matcher, path: str, canonical: str) -> None:
    assert matcher.canonical(path) == canonical


@pytest.mark.parametrize(
    ("settings", "zone", "by"),
    [
        (CELERY, "UTC", "framework"),
        (CELERY.replace("{", '{"timezone": "Europe/Vienna", ', 1), "Europe/Vienna", "service"),
        (f"{CELERY}\n    CELERY_TIMEZONE = 'Europe/Oslo'", "Europe/Oslo", "service"),
        # One word of an object that no library reads says nothing.
        (f"{CELERY}\n    PROFILE = {{'timezone': 'Europe/Rome'}}", "UTC", "framework"),
    ],
)
def test_settings_in_a_class(service_of: ServiceOf, settings: str, zone: str, by: str) -> None:
    facts = schedule.build(job(service_of, settings=settings))
    assert (facts.timezone.value, facts.timezone_source.value) == (zone, by)


@pytest.mark.parametrize(
    ("settings", "word", "detail"),
    [
        ("SQLALCHEMY_ECHO = False", "default", "Shared library's connections, no bounds in the tree"),
        ("SQLALCHEMY_ENGINE_OPTIONS = {'pool_size': 7}", "bounded", "Pool of 7 connections"),
        ("SQLALCHEMY_POOL_SIZE = 9", "bounded", "Pool of 9 connections"),
        (
            "SQLALCHEMY_ENGINE_OPTIONS = {'pool_recycle': 300}",
            "default",
            "Shared library's connections, no bounds in the tree",
        ),
    ],
)
def test_the_pool_that_the_framework_makes(
    service_of: ServiceOf, settings: str, word: str, detail: str
) -> None:
    config = {
        "shop/config.py": f"class Config:\n    {settings}\n    {CELERY}\nfrom datetime import timedelta\n"
    }
    pool = service_facts.build(job(service_of, more=config).service).pool
    assert (pool.value, pool.detail) == (word, detail)


STATEMENT = """
    from shop import db, runner
    from sqlalchemy.dialects.postgresql import insert

    class Fact(db.Model):
        pass

    @runner.task(name="sweep")
    def sweep(again=False):
        statement = insert(Fact.__table__).values(count=1)
        {then}
        db.session.execute(statement)
        db.session.commit()
"""


@pytest.mark.parametrize(
    ("then", "word"),
    [
        ("statement = statement.on_conflict_do_update(index_elements=['day'], set_={})", "upsert"),
        ("statement = statement.returning(1)", "plain"),
        ("if again: statement = statement.on_conflict_do_nothing()", "plain"),
    ],
)
def test_a_statement_that_a_name_is_built_up_in(service_of: ServiceOf, then: str, word: str) -> None:
    context = job(service_of, tasks=STATEMENT.format(then=then))
    assert effects.build(context).inserts.value == word


@pytest.mark.parametrize(
    ("comment", "purpose", "dependencies"),
    [
        ("# shop/celery/tasks.py", "none", "none"),
        ("# removes carts nobody paid, see shop/celery/tasks.py", "comment", "none"),
        ("# empties Redis of carts nobody paid", "comment", "prose"),
    ],
)
def test_the_path_of_a_file_is_no_purpose(
    service_of: ServiceOf, comment: str, purpose: str, dependencies: str
) -> None:
    settings = CELERY.replace('{"sweep"', f'{{\n        {comment}\n        "sweep"')
    facts = doc.build(job(service_of, settings=settings))
    assert (facts.purpose.value, facts.dependencies.value) == (purpose, dependencies)


SCRIPT = """\
#!/bin/sh
case "$1" in
  api) {run}gunicorn shop.wsgi:app{end};;
  worker) {run}celery -A shop.runner worker{end};;
  beat) {run}celery -A shop.runner beat{end};;
esac
"""


@pytest.mark.parametrize(
    ("run", "end", "word"),
    [("exec ", "", "own"), ("", " &", "embedded")],
)
def test_an_image_that_is_started_as_one_of_its_programs(
    service_of: ServiceOf, run: str, end: str, word: str
) -> None:
    more = {
        "entry.sh": SCRIPT.format(run=run, end=end),
        "shop/wsgi.py": "from flask import Flask\nfrom shop import config, tasks\napp = Flask(__name__)\n",
        "Dockerfile": 'FROM python:3.13\nCOPY . .\nENTRYPOINT ["./entry.sh"]\n',
    }
    facts = runner.build(job(service_of, more=more))
    assert (facts.separation.value, facts.scaling.value) == ("own", word)
