from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import HistoryFacts, ScheduleFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import history, schedule, timeout

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

APP = """
from celery import Celery
from celery.schedules import crontab

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {
    "close": {"task": "shop.tasks.close", "schedule": crontab(hour=2, minute=30)},
}
"""
TASKS = """
from celery import shared_task


@shared_task
def close():
    print("closed")
"""


def job(service_of: ServiceOf, settings: str, more: dict[str, str] | None = None) -> JobContext:
    files = {
        "shop/__init__.py": "",
        "shop/celery.py": APP,
        "shop/tasks.py": TASKS,
        "shop/settings.py": settings,
    }
    found = service_of({**files, **(more or {})})
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("settings", "zone", "by"),
    [
        ("DEBUG = False\n", "UTC", "framework"),
        ('CELERY_TIMEZONE = "Europe/Vienna"\n', "Europe/Vienna", "service"),
        ('TIME_ZONE = "Europe/Vienna"\n', "Europe/Vienna", "service"),
        ('TIME_ZONE = "Europe/Vienna"\nCELERY_TIMEZONE = "UTC"\n', "UTC", "service"),
    ],
)
def test_the_zone_of_the_settings(service_of: ServiceOf, settings: str, zone: str, by: str) -> None:
    found: ScheduleFacts = schedule.build(job(service_of, settings))
    assert (found.timezone.value, found.timezone_source.value) == (zone, by)


def test_settings_of_tests_come_last(service_of: ServiceOf) -> None:
    more = {"shop/settings_test.py": 'CELERY_TIMEZONE = "Asia/Tokyo"\n'}
    found = schedule.build(job(service_of, 'CELERY_TIMEZONE = "UTC"\n', more))
    assert (found.timezone.value, str(found.timezone.locations[0])) == ("UTC", "shop/settings.py:1")


@pytest.mark.parametrize(
    ("settings", "stored"),
    [
        ("DEBUG = False\n", False),
        ('CELERY_RESULT_BACKEND = "redis://redis"\n', False),
        ('CELERY_RESULT_BACKEND = "redis://redis"\nCELERY_RESULT_EXPIRES = 7 * 86400\n', True),
        ('CELERY_RESULT_BACKEND = ""\nCELERY_RESULT_EXPIRES = 7 * 86400\n', False),
        ('CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"\n', False),
    ],
)
def test_results_count_where_they_outlive_the_interval(
    service_of: ServiceOf, settings: str, stored: bool
) -> None:
    found: HistoryFacts = history.build(job(service_of, settings))
    assert (found.runs.value == "stored") is stored


@pytest.mark.parametrize(
    ("limit", "scope", "seconds"),
    [
        ('env.int("LIMIT", default=60)', "run", 60.0),
        ('env("LIMIT", None)', "none", None),
        ('env.int("LIMIT", default=None)', "none", None),
    ],
)
@pytest.mark.parametrize("reader", ["environs.FileAwareEnv", "environs.Env", "environ.Env"])
def test_a_limit_that_is_off_unless_it_is_set(
    service_of: ServiceOf, reader: str, limit: str, scope: str, seconds: float | None
) -> None:
    package, _, name = reader.partition(".")
    if package == "environ":
        limit = limit.replace('"LIMIT", None', '"LIMIT", default=None')
    settings = f"from {package} import {name}\nenv = {name}()\nCELERY_TASK_TIME_LIMIT = {limit}\n"
    found = timeout.build(job(service_of, settings))
    assert (found.scope.value, found.seconds.value) == (scope, seconds)


def test_a_limit_without_a_default_is_open(service_of: ServiceOf) -> None:
    settings = "from environs import Env\nenv = Env()\nCELERY_TASK_TIME_LIMIT = env.int('LIMIT')\n"
    seconds = timeout.build(job(service_of, settings)).seconds.value
    assert isinstance(seconds, Unresolved)
    assert "LIMIT comes from the environment and has no default" in seconds.reason
