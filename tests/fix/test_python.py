"""Options set in Python: decorators, calls and settings, with formatting and comments kept."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.fix.small_services import Fixed, Mended

APP = """\
from celery import Celery, shared_task

app = Celery("shop")
app.conf.timezone = "UTC"
app.conf.beat_schedule = {"sync": {"task": "tasks.sync", "schedule": 300.0}}


"""
BODY = 'sync():\n    Order.objects.filter(state="new").delete()\n'


def task(decorator: str) -> dict[str, str]:
    return {"tasks.py": f"{APP}{decorator}\ndef {BODY}"}


def decorator_of(text: str) -> str:
    return text.removeprefix(APP).removesuffix(f"\ndef {BODY}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("@shared_task", "@shared_task(soft_time_limit=270, time_limit=300)"),
        ("@app.task", "@app.task(soft_time_limit=270, time_limit=300)"),
        ("@shared_task()", "@shared_task(soft_time_limit=270, time_limit=300)"),
        (
            '@shared_task(name="tasks.sync")  # beat',
            '@shared_task(name="tasks.sync", soft_time_limit=270, time_limit=300)  # beat',
        ),
        (
            '@shared_task(\n    name="tasks.sync",  # as beat calls it\n)',
            (
                '@shared_task(\n    name="tasks.sync",  # as beat calls it\n'
                "    soft_time_limit=270,\n    time_limit=300,\n)"
            ),
        ),
        (
            '@shared_task(\n    name="tasks.sync",\n    ignore_result=True\n)',
            (
                '@shared_task(\n    name="tasks.sync",\n    ignore_result=True,\n'
                "    soft_time_limit=270,\n    time_limit=300\n)"
            ),
        ),
        (
            '@shared_task(name="tasks.sync",\n             ignore_result=True)',
            (
                '@shared_task(name="tasks.sync",\n             ignore_result=True,\n             soft_time_limit=270,\n'
                "             time_limit=300)"
            ),
        ),
        (
            '@shared_task(**D, name="tasks.sync")',
            '@shared_task(**D, name="tasks.sync", soft_time_limit=270, time_limit=300)',
        ),
        (
            '@shared_task(name="tasks.sync", ignore_result=True)  # a line must not get longer than those around it',
            (
                '@shared_task(\n    name="tasks.sync",\n    ignore_result=True,\n    soft_time_limit=270,\n'
                "    time_limit=300,\n)  # a line must not get longer than those around it"
            ),
        ),
    ],
)
def test_time_limits(fixed: Fixed, before: str, after: str) -> None:
    files = task(before)
    if "**D" in before:
        files["tasks.py"] = files["tasks.py"].replace(APP, f"D = {{}}\n{APP}")
    fixing = fixed(files, "JOB-06", unsafe=True)
    (change,) = fixing.changes
    assert decorator_of(change.after.decode().removeprefix("D = {}\n")) == after
    (made,) = fixing.fixes
    assert (made.checks, made.safe, made.caution) == (
        ("JOB-06",),
        False,
        "a run that still goes on when the next one is due, or after six hours, is stopped",
    )


def test_a_limit_that_is_there_stays(fixed: Fixed) -> None:
    assert fixed(task("@shared_task(time_limit=60)"), "JOB-06", unsafe=True).changes == ()


def test_retry(fixed: Fixed) -> None:
    (change,) = fixed(task("@shared_task"), "ERR-05", unsafe=True).changes
    assert decorator_of(change.after.decode()) == (
        "@shared_task(autoretry_for=(OSError,), max_retries=3, retry_backoff=10)"
    )


def test_retry_of_what_inserts_is_unsafe(fixed: Fixed) -> None:
    files = {"tasks.py": f"{APP}@shared_task\ndef sync():\n    Order.objects.create(state='new')\n"}
    fixing = fixed(files, "ERR-05")
    assert fixing.changes == ()
    (hidden,) = fixing.hidden
    assert (hidden.checks, hidden.recipe.id) == (("ERR-05",), "retry")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "@shared_task(autoretry_for=(OSError,), max_retries=4)",
            "@shared_task(autoretry_for=(OSError,), max_retries=4, retry_backoff=180)",
        ),
        (
            "@shared_task(autoretry_for=(OSError,), max_retries=4, retry_backoff=False)",
            "@shared_task(autoretry_for=(OSError,), max_retries=4, retry_backoff=180)",
        ),
        (
            "@shared_task(autoretry_for=(OSError,),\n             default_retry_delay=60)",
            (
                "@shared_task(autoretry_for=(OSError,),\n             default_retry_delay=60,\n"
                "             retry_backoff=60)"
            ),
        ),
    ],
)
def test_backoff(mended: Mended, before: str, after: str) -> None:
    assert decorator_of(mended(task(before), "ERR-06")["tasks.py"]) == after


def test_only_what_is_mended_is_claimed(fixed: Fixed) -> None:
    """The pauses grow; that the number of attempts is the framework's own stays as it is."""
    fixing = fixed(task("@shared_task(autoretry_for=(OSError,))"), "JOB-08", "ERR-06")
    assert [fix.checks for fix in fixing.fixes] == [("ERR-06",)]
    assert (fixing.unfixed, fixing.without) == ((), 1)


@pytest.mark.parametrize("delay", ["900", "5 * 60", "DELAY"])
def test_a_pause_that_could_only_get_shorter(fixed: Fixed, delay: str) -> None:
    files = task(f"@shared_task(autoretry_for=(OSError,), max_retries=4, default_retry_delay={delay})")
    fixing = fixed({"tasks.py": f"DELAY = 60\n{files['tasks.py']}"}, "ERR-06")
    assert (fixing.changes, fixing.hidden) == ((), ())
    assert {one.reason for one in fixing.unfixed} == {"default_retry_delay is no number up to 300"}


def test_three_fixes_of_one_decorator_in_two_files(fixed: Fixed) -> None:
    app = APP.replace('app.conf.timezone = "UTC"\n', "")
    files = {
        "celery_app.py": app.replace("tasks.sync", "work.sync") + "import work\n",
        "work.py": f"from celery import shared_task\n\n\n@shared_task\ndef {BODY}",
    }
    fixing = fixed(files, "JOB-03", "JOB-06", "ERR-05", unsafe=True)
    texts = {change.path: change.after.decode() for change in fixing.changes}
    assert 'app.conf.timezone = "UTC"\napp.conf.beat_schedule = {' in texts["celery_app.py"]
    assert (
        "@shared_task(\n    autoretry_for=(OSError,),\n    max_retries=3,\n    retry_backoff=10,\n"
        "    soft_time_limit=270,\n    time_limit=300,\n)\n"
    ) in texts["work.py"]
    assert [(f.recipe.id, f.path, f.line) for f in fixing.fixes] == [
        ("timezone", "celery_app.py", 4),
        ("retry", "work.py", 5),
        ("time-limit", "work.py", 5),
    ]


# ---- the time zone --------------------------------------------------------------------------------------------------


def test_setting_beside_the_schedule(mended: Mended) -> None:
    settings = """
        import os

        DEBUG = False

        # When what runs.
        CELERY_BEAT_SCHEDULE = {
            'sync': {'task': 'shop.tasks.sync', 'schedule': 300},
        }
    """
    files = {
        "settings.py": settings,
        "shop/__init__.py": "",
        "shop/tasks.py": f"from celery import shared_task\n\n\n@shared_task\ndef {BODY}",
    }
    assert mended(files, "JOB-03")["settings.py"] == dedent("""\
        import os

        DEBUG = False

        CELERY_TIMEZONE = 'UTC'
        # When what runs.
        CELERY_BEAT_SCHEDULE = {
            'sync': {'task': 'shop.tasks.sync', 'schedule': 300},
        }
    """)


def test_setting_in_a_function(mended: Mended) -> None:
    text = f"""\
from celery import Celery, shared_task


def make():
    app = Celery("shop")
    app.conf.beat_schedule = {{"sync": {{"task": "tasks.sync", "schedule": 300.0}}}}
    return app


app = make()


@shared_task
def {BODY}"""
    assert (
        '    app = Celery("shop")\n    app.conf.timezone = "UTC"\n    app.conf.beat_schedule'
        in mended({"tasks.py": text}, "JOB-03")["tasks.py"]
    )


def test_zone_and_name_of_a_scheduler(fixed: Fixed) -> None:
    text = """
        from apscheduler.schedulers.blocking import BlockingScheduler


        def purge_old():
            Order.objects.filter(state="new").delete()


        scheduler = BlockingScheduler()
        scheduler.add_job(purge_old, "interval", minutes=5)
        scheduler.start()
    """
    fixing = fixed({"main.py": text}, "JOB")
    (change,) = fixing.changes
    assert change.after.decode().splitlines()[-3:-1] == [
        'scheduler = BlockingScheduler(timezone="UTC")',
        'scheduler.add_job(purge_old, "interval", minutes=5, name="purge-old")',
    ]
    assert [(f.recipe.id, f.line, f.safe) for f in fixing.fixes] == [("timezone", 8, True), ("name", 9, True)]


def test_line_ends_and_byte_order_mark_stay(fixed: Fixed) -> None:
    text = task("@shared_task")["tasks.py"].replace("\n", "\r\n").replace("shop", "größe")
    files = {"tasks.py": b"\xef\xbb\xbf" + text.encode()}
    (change,) = fixed(files, "JOB-06", unsafe=True).changes
    assert change.after == change.before.replace(
        b"@shared_task", b"@shared_task(soft_time_limit=270, time_limit=300)"
    )


def test_a_broken_file_is_left_alone(fixed: Fixed) -> None:
    files = task("@shared_task")
    files["tasks.py"] += "\n\ndef broken(:\n    pass\n"
    fixing = fixed(files, "JOB-06", unsafe=True)
    assert fixing.changes == ()
    assert {one.reason for one in fixing.unfixed} == {"libcst cannot read the file"}
