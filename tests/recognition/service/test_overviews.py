"""Places that show the runs of jobs and that no call of the code makes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

SETTINGS = """\
from datetime import timedelta

ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["django.contrib.admin", "shop"]
CELERY_BEAT_SCHEDULE = {"sweep": {"task": "sweep", "schedule": timedelta(hours=1)}}
"""
TASKS = "from celery import shared_task\n@shared_task(name='sweep')\ndef sweep(): ...\n"
ADMIN = (
    "from django.contrib import admin\nfrom django.urls import path\n"
    "urlpatterns = [path('admin/', admin.site.urls)]\n"
)
NO_ADMIN = "urlpatterns = []\n"
COMPOSE = """\
services:
  board:
    build: .
    {line}
"""
RESULTS = "INSTALLED_APPS += ['django_celery_results']\n"
BEAT = "INSTALLED_APPS += ['django_celery_beat.apps.BeatConfig']\n"
STORED = "CELERY_RESULT_BACKEND = 'django-db'\n"
NONE = ("none", "none")


@pytest.mark.parametrize(
    ("more", "urls", "files", "words"),
    [
        ("", ADMIN, {}, NONE),
        (BEAT, ADMIN, {}, ("current", "none")),
        (BEAT, NO_ADMIN, {}, NONE),
        (RESULTS + STORED, ADMIN, {}, ("history", "page")),
        # Nothing is kept in the table that the page shows.
        (RESULTS, ADMIN, {}, NONE),
        (RESULTS + STORED, NO_ADMIN, {}, NONE),
        (
            "",
            ADMIN,
            {"compose.yaml": COMPOSE.format(line="command: celery -A shop flower")},
            ("history", "page"),
        ),
        ("", ADMIN, {"compose.yaml": COMPOSE.format(line="image: mher/flower:2.0")}, ("history", "page")),
        ("", ADMIN, {"compose.dev.yaml": COMPOSE.format(line="image: mher/flower:2.0")}, NONE),
        ("", ADMIN, {"compose.yaml": COMPOSE.format(line="image: acme/sunflower")}, NONE),
        ("", ADMIN, {"compose.yaml": COMPOSE.format(line="image: ghcr.io/acme/bull-board")}, NONE),
        (
            "",
            ADMIN,
            {"Procfile": "board: celery -A shop flower --port=5555\nworker: celery -A shop worker -B\n"},
            ("history", "page"),
        ),
        ("", ADMIN, {"requirements.txt": "celery\nflower\n"}, NONE),
        (
            "",
            ADMIN,
            {
                "compose.yaml": COMPOSE.format(line="command: celery -A shop flower")
                + "    profiles: [debug]\n"
            },
            ("some", "none"),
        ),
    ],
)
def test_what_shows_the_runs_of_celery(
    service_of: ServiceOf, more: str, urls: str, files: dict[str, str], words: tuple[str, str]
) -> None:
    tree = {"shop/settings.py": SETTINGS + more, "shop/tasks.py": TASKS, "shop/urls.py": urls, **files}
    (context,) = service_of(tree)
    found = service_facts.build(context.service)
    assert (found.board.value, found.health.value) == words


RQ = """\
from rq_scheduler import Scheduler
from redis import Redis
from shop.sweeping import sweep

scheduler = Scheduler(connection=Redis())
scheduler.cron("0 * * * *", func=sweep, queue_name="default")
"""


@pytest.mark.parametrize(
    ("files", "word", "detail"),
    [
        (
            {
                "shop/settings.py": "INSTALLED_APPS = ['django_rq']\n",
                "shop/urls.py": "from django.urls import include, path\n"
                "urlpatterns = [path('rq/', include('django_rq.urls'))]\n",
            },
            "history",
            "The page of django-rq shows the runs of all jobs",
        ),
        ({"shop/settings.py": "INSTALLED_APPS = ['django_rq']\n"}, "none", "No place that shows all jobs"),
        (
            {
                "shop/web.py": "import rq_dashboard\nfrom flask import Flask\napp = Flask(__name__)\n"
                "app.register_blueprint(rq_dashboard.blueprint, url_prefix='/rq')\n"
            },
            "history",
            "RQ dashboard shows the runs of all jobs",
        ),
    ],
)
def test_what_shows_the_runs_of_rq(
    service_of: ServiceOf, files: dict[str, str], word: str, detail: str
) -> None:
    work = "def sweep(): print('swept')\n"
    (context,) = service_of({"shop/plan.py": RQ, "shop/sweeping.py": work, **files})
    board = service_facts.build(context.service).board
    assert (board.value, board.detail) == (word, detail)
