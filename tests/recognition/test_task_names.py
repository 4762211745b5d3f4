"""Tasks of Celery whose application nobody can look into: the name that the schedule spells leads to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

SETTINGS = (
    "from celery.schedules import crontab\n"
    "CELERY_BEAT_SCHEDULE = {\n"
    "    'tidy': {'task': '%s', 'schedule': crontab(minute=5)},\n"
    "}\n"
)
APPLICATIONS = {
    "of another package": "from acme.celery import AcmeCelery\nqueue = AcmeCelery()\n",
    "behind a proxy": (
        "from celery import Celery\nfrom lazyproxy import Proxy\n\n\n"
        "def make():\n    return Celery(broker='redis://store')\n\n\nqueue: Celery = Proxy(make)\n"
    ),
}


def tree(application: str, asked: str, decorators: str, body: str = "shop.delete_old()") -> dict[str, str]:
    return {
        "shop/settings.py": SETTINGS % asked,
        "shop/application.py": application,
        "shop/jobs.py": (
            "from shop import shop\nfrom shop.application import queue\n\n\n"
            f"{decorators}\ndef tidy():\n    {body}\n\n\n"
            "@queue.task(name='greet')\ndef greet():\n    shop.greet()\n"
        ),
    }


@pytest.mark.parametrize("application", APPLICATIONS.values(), ids=APPLICATIONS)
@pytest.mark.parametrize(
    ("asked", "decorators"),
    [
        ("tidy-shop", "@queue.task(name='tidy-shop')"),
        ("tidy-shop", "@queue.task(bind=True, name='tidy-shop', time_limit=30)"),
        ("shop.jobs.tidy", "@queue.task"),
        ("shop.jobs.tidy", "@queue.task()"),
    ],
)
def test_a_task_of_an_unknown_application_is_found_by_its_name(
    tmp_path: Path, application: str, asked: str, decorators: str
) -> None:
    found = discover(tmp_path, tree(application, asked, decorators))
    assert found.rows() == [("tidy", "5 * * * *", "tidy")]


@pytest.mark.parametrize(
    ("asked", "decorators"),
    [
        ("tidy-shop", "@queue.task(name='tidy-stock')"),  # another name
        ("tidy", "@queue.task"),  # its name is that of module and function
        ("tidy-shop", "@queue.route(name='tidy-shop')"),  # no task
        ("greet", "@queue.task(name='greet')"),  # two of one name: which runs?
    ],
)
def test_a_name_that_no_task_or_several_have_leads_nowhere(
    tmp_path: Path, asked: str, decorators: str
) -> None:
    found = discover(tmp_path, tree(APPLICATIONS["behind a proxy"], asked, decorators))
    assert found.rows() == [("tidy", "5 * * * *", None)]


def test_a_dotted_name_leads_to_its_task_beside_a_class_of_tasks_without_a_name(tmp_path: Path) -> None:
    files = tree(APPLICATIONS["behind a proxy"], "shop.jobs.tidy", "@queue.task")
    files["shop/retried.py"] = (
        "from celery import Task\n\n\nclass Retried(Task):\n    autoretry_for = (Exception,)\n"
    )
    assert discover(tmp_path, files).rows() == [("tidy", "5 * * * *", "tidy")]
