"""What a Celery task in a Django project says: its decorators, its signals, its querysets, what it enqueues."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.model.facts import Unresolved
from cronaudit.model.source import Location
from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import data, doc, errors, history, lock, retry, runner, timeout, timezones
from cronaudit.recognition.facts.spans import core_of, spans_of

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

SETTINGS = """\
from datetime import timedelta

ROOT_URLCONF = "shop.urls"
CELERY_BEAT_SCHEDULE = {"sweep": {"task": "sweep", "schedule": timedelta(hours=1)}}
"""
MODELS = """\
from django.db import models

class Cart(models.Model):
    state = models.CharField(max_length=8)
    seen = models.DateTimeField()
class Cursor(models.Model):
    job = models.CharField(max_length=8)
    until = models.DateTimeField()
"""


def job(service_of: ServiceOf, tasks: str, **more: str) -> JobContext:
    files = {"shop/settings.py": SETTINGS, "shop/models.py": MODELS, "shop/tasks.py": dedent(tasks)}
    (context,) = service_of({**files, **{k.replace("__", "/") + ".py": v for k, v in more.items()}})
    return context


def places(locations: tuple[Location, ...]) -> list[str]:
    return [str(at) for at in locations]


# ---- decorators of the project ---------------------------------------------------------------------------------

GUARD = """
    import functools
    import redis_lock
    from redis import Redis
    store = Redis()

    def alone(name):
        def decorate(func):
            @functools.wraps(func)
            def run(*args, **kwargs):
                lock = redis_lock.Lock(store, f"jobs:{name}", expire=60, auto_renewal=RENEWS)
                if not lock.acquire(blocking=False):
                    return "skipped"
                try:
                    return func(*args, **kwargs)
                finally:
                    lock.release()
            return run
        return decorate
"""


@pytest.mark.parametrize(("renews", "renewal"), [("True", "renewed"), ("False", "none")])
def test_a_lock_in_a_decorator_of_the_project(service_of: ServiceOf, renews: str, renewal: str) -> None:
    context = job(
        service_of,
        """
        from celery import shared_task
        from shop.guard import alone
        from shop.models import Cart

        @shared_task(name="sweep")
        @alone("sweep")
        def sweep():
            Cart.objects.filter(state="open").update(state="gone")
        """,
        shop__guard=dedent(GUARD.replace("RENEWS", renews)),
    )
    facts = lock.build(context)
    assert (facts.kind.value, facts.coverage.value, facts.key.value) == ("lease", "all", "jobs:sweep")
    assert (facts.release.value, facts.renewal.value) == ("finally", renewal)
    assert places(facts.coverage.locations)[0] == "shop/guard.py:11"


# ---- querysets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("for cart in Basket.objects.all(): mailer.remind(cart)", "unbounded"),
        ("for cart in Basket.objects.all().iterator(): mailer.remind(cart)", "streamed"),
        ("Basket.objects.filter(state='left').delete()", "none"),
    ],
)
def test_a_model_of_an_app_outside_the_tree(service_of: ServiceOf, body: str, reads: str) -> None:
    tasks = f"""
        from celery import shared_task
        from corp.apps.baskets.models import Basket
        from shop import mailer

        @shared_task(name="sweep")
        def sweep():
            {body}
        """
    mailer = "import requests\ndef remind(cart):\n    requests.post('https://mail.example', json=cart.id)\n"
    assert data.build(job(service_of, tasks, shop__mailer=mailer)).reads.value == reads


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("for c in Cart.objects.filter(state='open').order_by('id').iterator(): c.save()", "streamed"),
        ("found = Cart.objects.filter(state='open')\n    for c in found.iterator(): c.save()", "streamed"),
        ("Cart.objects.filter(state='open').exclude(seen=None).update(state='gone')", "none"),
        (
            "found = Cart.objects.filter(state='open')\n    for c in found: print(c)\n    found.update(state='x')",
            "unbounded",
        ),
        ("for c in Cart.objects.filter(state='open'): c.save()", "unbounded"),
    ],
)
def test_a_queryset_is_read_by_its_last_call(service_of: ServiceOf, body: str, reads: str) -> None:
    tasks = f"""
from celery import shared_task
from shop.models import Cart

@shared_task(name="sweep")
def sweep():
    {body}
"""
    assert data.build(job(service_of, tasks)).reads.value == reads


def test_a_cursor_is_a_model_of_its_own(service_of: ServiceOf) -> None:
    progress = errors.build(
        job(
            service_of,
            """
            from celery import shared_task
            from shop.models import Cart, Cursor

            @shared_task(name="sweep")
            def sweep():
                until = Cursor.objects.get(job="sweep").until
                for cart in Cart.objects.filter(seen__gt=until).order_by("seen").iterator():
                    cart.delete()
                    Cursor.objects.update_or_create(job="sweep", defaults={"until": cart.seen})
            """,
        )
    ).progress
    assert (progress.value, progress.detail) == ("checkpoint", "Checkpoint is persisted in Cursor")
    assert places(progress.locations) == ["shop/tasks.py:9"]


# ---- what the task states --------------------------------------------------------------------------------------


def test_each_item_is_a_task_with_a_policy_of_its_own(service_of: ServiceOf) -> None:
    context = job(
        service_of,
        '''
        from celery import shared_task
        from shop.models import Cart

        @shared_task(name="sweep", soft_time_limit=240, time_limit=300)
        def sweep():
            """Frees the stock of carts that were left.

            Depends on: the table cart.
            """
            for pk in Cart.objects.filter(state="open").values_list("pk", flat=True).iterator():
                free.delay(pk)

        @shared_task(time_limit=30, autoretry_for=(ConnectionError,), max_retries=5, retry_backoff=20)
        def free(pk):
            Cart.objects.filter(pk=pk, state="open").update(state="gone")
        ''',
    )
    progress = errors.build(context).progress
    assert (progress.value, places(progress.locations)) == ("items", ["shop/tasks.py:11"])
    policy = retry.build(context)
    assert (policy.count.value, policy.attempts.detail) == (6, "max_retries: 5")
    assert (policy.delay.value, policy.delay.detail) == ("growing", "backoff of 20 s, growing")
    bound = timeout.build(context)
    assert (bound.seconds.value, bound.seconds.detail) == (300, "time_limit: 300")
    assert runner.build(context).children.value == "platform"
    stated = doc.build(context).dependencies
    assert (stated.value, stated.detail) == ("stated", "'Depends on: the table cart.'")
    assert data.build(context).reads.value == "streamed"


# ---- signals ---------------------------------------------------------------------------------------------------

PLAIN = """
from celery import shared_task

@shared_task(name="sweep")
def sweep():
    print("swept")
"""
METRICS = """\
from prometheus_client import Counter, Histogram, start_http_server

RUNS = Counter("runs_total", "Runs", ["task", "outcome"])
SECONDS = Histogram("run_seconds", "Duration", ["task"])

def serve():
    start_http_server(9100)
"""
SIGNALS = """\
from celery.signals import task_postrun, worker_init
from shop import metrics

@worker_init.connect
def begin(**_):
    metrics.serve()

@task_postrun.connect
def note(task, state, **_):
    metrics.SECONDS.labels(task=task.name).observe(task.took)
    metrics.RUNS.labels(task=task.name, outcome="success" if state == "SUCCESS" else "failure").inc()
"""


def test_metrics_around_every_run(service_of: ServiceOf) -> None:
    context = job(service_of, PLAIN, shop__metrics=METRICS, shop__signals=SIGNALS)
    kept = history.build(context)
    assert (kept.duration.value, kept.duration.detail) == ("exported", "Histogram run_seconds, exported")
    assert (kept.outcomes.value, places(kept.outcomes.locations)) == ("both", ["shop/metrics.py:3"])
    board = service_facts.build(context.service).board
    assert (board.value, board.detail) == ("history", "Metrics labelled by task")


def test_metrics_that_no_run_calls_are_none(service_of: ServiceOf) -> None:
    unused = SIGNALS.replace("@task_postrun.connect\n", "")
    context = job(service_of, PLAIN, shop__metrics=METRICS, shop__signals=unused)
    assert history.build(context).duration.value == "none"


# ---- health ----------------------------------------------------------------------------------------------------

WSGI = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
URLS = 'from django.urls import include, path\nurlpatterns = [path("", include("shop.status"))]\n'
STATUS = """\
from django.http import JsonResponse
from django.urls import path
from django_celery_results.models import TaskResult

TASKS = ["sweep"]

def health(request):
    stale = [t for t in TASKS if TaskResult.objects.filter(task_name=t, status="SUCCESS").first() is None]
    return JsonResponse({"stale": stale}, status=503 if stale else 200)

urlpatterns = [path("healthz", health)]
"""


@pytest.mark.parametrize(("tasks", "health"), [('["sweep"]', "jobs"), ('["other"]', "plain")])
def test_a_route_that_asks_the_stored_results(service_of: ServiceOf, tasks: str, health: str) -> None:
    status = STATUS.replace('["sweep"]', tasks)
    context = job(service_of, PLAIN, shop__wsgi=WSGI, shop__urls=URLS, shop__status=status)
    found = service_facts.build(context.service).health
    assert (found.value, places(found.locations)) == (health, ["shop/status.py:11"])


# ---- the logger ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "word"),
    [
        ("structlog.contextvars.bind_contextvars(host=socket.gethostname())", "id"),
        ("structlog.contextvars.bind_contextvars(service='shop')", "none"),
        ("logging.basicConfig(format=f'{socket.gethostname()} %(message)s')", "none"),
        (
            "def of_request():\n    structlog.contextvars.bind_contextvars(host=socket.gethostname())",
            "none",
        ),
    ],
)
def test_what_a_module_binds_for_every_line(service_of: ServiceOf, bound: str, word: str) -> None:
    tasks = """
import structlog
from celery import shared_task
log = structlog.get_logger()

@shared_task(name="sweep")
def sweep():
    log.info("swept")
"""
    context = job(service_of, tasks, shop__logs=f"import logging\nimport socket\nimport structlog\n{bound}\n")
    assert service_facts.build(context.service).instance_id.value == word


# ---- tests -----------------------------------------------------------------------------------------------------


def test_a_crash_and_a_held_lock(service_of: ServiceOf) -> None:
    context = job(
        service_of,
        """
        from celery import shared_task
        from shop.guard import alone
        from shop.models import Cart

        @shared_task(name="sweep")
        @alone("sweep")
        def sweep():
            Cart.objects.filter(state="open").update(state="gone")
        """,
        shop__guard=dedent(GUARD.replace("RENEWS", "True")),
        tests__test_sweep="""\
import pytest
from shop.guard import store
from shop.tasks import sweep

def test_crash(cut):
    with cut, pytest.raises(SystemExit):
        sweep.apply(throw=True)
    sweep.apply()
    assert cut.rows == 3

def test_held():
    store.set("lock:jobs:sweep", "another")
    assert sweep.apply().get() == "skipped"
""",
    )
    facts = service_facts.build(context.service)
    assert places(facts.crash_test.locations) == ["tests/test_sweep.py:5"]
    assert places(facts.concurrent_test.locations) == ["tests/test_sweep.py:11"]


# ---- half measures -----------------------------------------------------------------------------------------------


def test_a_cache_key_that_is_added(service_of: ServiceOf) -> None:
    context = job(
        service_of,
        """
        import stripe
        from celery import shared_task
        from django.core.cache import cache
        from shop.models import Cart

        @shared_task(name="sweep", autoretry_for=(Exception,), max_retries=3)
        def sweep():
            if not cache.add("sweep", 1):
                return
            for cart in Cart.objects.filter(state="open")[:50]:
                try:
                    stripe.Refund.create(charge=cart.pk)
                except stripe.StripeError as error:
                    print(error)
            cache.delete("sweep")
        """,
        shop__settings=f"{SETTINGS}{REDIS}\n",
    )
    facts = lock.build(context)
    assert (facts.ttl_seconds.value, facts.release.value) == (300, "some-errors")
    assert (facts.release_failure.value, facts.release_failure.detail) == (
        "logged",
        "Escapes to the framework, which logs the failure",
    )
    assert retry.build(context).predicate.value == "none"
    assert data.build(context).reads.value == "batched"
    found = errors.build(context)
    assert (found.logged.value, places(found.logged.locations)) == ("bare", ["shop/tasks.py:14"])
    assert found.lock_cleanup.value == "awaited"
    assert runner.build(context).election.value == "queue"


@pytest.mark.parametrize(
    ("rows", "reads"),
    [
        ("Cart.objects.all()[100:]", "unbounded"),
        ("Cart.objects.all()[:100]", "batched"),
        ("Cart.objects.order_by('pk')[10:20]", "batched"),
    ],
)
def test_a_slice_with_an_end_is_a_limit(service_of: ServiceOf, rows: str, reads: str) -> None:
    tasks = f"""
from celery import shared_task
from shop.models import Cart

@shared_task(name="sweep")
def sweep():
    for cart in {rows}:
        cart.delete()
"""
    assert data.build(job(service_of, tasks)).reads.value == reads


# ---- what keeps a lock in Django's cache -----------------------------------------------------------------------

REDIS = 'CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://r"}}'
LOCAL = 'CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}'
EITHER = f"""
import os
if os.environ.get("REDIS_URL"):
    {REDIS}
else:
    {LOCAL}
"""


@pytest.mark.parametrize(
    ("caches", "kind", "detail"),
    [
        (REDIS, "lease", "Redis lock"),
        (EITHER, "lease", "Redis lock"),
        (LOCAL, "message", "Celery hands each message to one worker"),
        ("", "message", "Celery hands each message to one worker"),
    ],
    ids=["redis", "redis where it is there", "memory", "nothing said: memory"],
)
def test_a_cache_in_memory_shuts_out_no_other_process(
    service_of: ServiceOf, caches: str, kind: str, detail: str
) -> None:
    tasks = """
        from celery import shared_task
        from django.core.cache import cache
        from shop.models import Cart

        @shared_task(name="sweep")
        def sweep():
            if not cache.add("sweep", 1, 900):
                return
            Cart.objects.filter(state="open").delete()
            cache.delete("sweep")
        """
    facts = lock.build(job(service_of, tasks, shop__settings=f"{SETTINGS}{caches}\n"))
    assert (facts.kind.value, facts.kind.detail) == (kind, detail)


def test_a_loop_with_a_lock_in_memory_is_guarded_in_its_process_only(service_of: ServiceOf) -> None:
    tasks = """
        import time
        from django.core.cache import cache
        from shop.models import Cart

        def sweep():
            if cache.add("sweep", 1, 900):
                Cart.objects.filter(state="open").delete()
                cache.delete("sweep")

        while True:
            sweep()
            time.sleep(3600)
        """
    settings = f"ROOT_URLCONF = 'shop.urls'\n{LOCAL}\n"
    facts = lock.build(job(service_of, tasks, shop__settings=settings))
    assert (facts.kind.value, facts.kind.detail, places(facts.kind.locations)) == (
        "in-process",
        "In-process guard: the cache lives in the memory of one process",
        ["shop/settings.py:2"],
    )


def test_a_task_that_is_a_class_of_the_app(service_of: ServiceOf) -> None:
    """Its name is a keyword of the class, which the base stores; a method that only answers is not the work."""
    (found,) = service_of(
        {
            "shop/app.py": (
                "from celery import Celery\napp = Celery('shop')\n"
                "app.conf.beat_schedule = {'sweep': {'task': 'shop.sweep', 'schedule': 60}}\n"
            ),
            "shop/base.py": dedent("""\
                from shop.app import app

                class Base(app.Task):
                    def __init_subclass__(cls, name=None):
                        cls.name = name

                    def run(self, *args):
                        if self.interval() > 5:
                            self.work(*args)
                """),
            "shop/tasks.py": dedent("""\
                from shop.app import app
                from shop.base import Base

                class Sweep(Base, name="shop.sweep"):
                    def interval(self):
                        return 50

                    def work(self):
                        print("swept")

                class Other(Base, name="shop.other"):
                    def work(self):
                        print("other")

                sweep = app.tasks[app.register_task(Sweep()).name]
                other = app.tasks[app.register_task(Other()).name]
                """),
        }
    )
    core = core_of(found, spans_of(found))

    assert found.registration.handler is not None
    assert core is not None
    assert str(core.callee.function.symbol) == "Sweep.work"  # type: ignore[union-attr]


# ---- where its settings are ------------------------------------------------------------------------------------


BASE = "class Base:\n    timezone = 'UTC'\n"


@pytest.mark.parametrize(
    ("source", "conf", "zone", "origin", "line"),
    [
        ("shop.conf:Conf", "class Conf:\n    timezone = 'Europe/Rome'\n", "Europe/Rome", "service", "shop/conf.py:2"),
        ("shop.conf.Conf", f"{BASE}class Conf(Base):\n    x = 1\n", "UTC", "service", "shop/conf.py:2"),
        ("shop.conf", "timezone = 'Asia/Tokyo'\n", "Asia/Tokyo", "service", "shop/conf.py:1"),
        # Django's own zone is read from Django's settings only.
        ("shop.conf:Conf", "class Conf:\n    x = 1\n", "UTC", "framework", "shop/settings.py:5"),
        ("shop.conf:Conf", "from corp import Base\nclass Conf(Base):\n    x = 1\n", None, None, "shop/celery.py:3"),
        ("django.conf:settings", "", "Europe/Paris", "service", "shop/settings.py:4"),
    ],
)  # fmt: skip
def test_the_zone_is_read_where_the_app_is_configured(
    service_of: ServiceOf, source: str, conf: str, zone: str | None, origin: str | None, line: str
) -> None:
    tasks = "from celery import shared_task\n@shared_task(name='sweep')\ndef sweep():\n    print('swept')\n"
    app = f"from celery import Celery\napp = Celery('shop')\napp.config_from_object('{source}')\n"
    settings = SETTINGS.replace("CELERY_BEAT", "TIME_ZONE = 'Europe/Paris'\nCELERY_BEAT")
    (context,) = service_of(
        {"shop/settings.py": settings, "shop/tasks.py": tasks, "shop/celery.py": app, "shop/conf.py": conf}
    )
    stated, origin_of = timezones.zone_of(context)
    found = stated.value if isinstance(stated.value, str) else None
    by = origin_of.value if isinstance(origin_of.value, str) else None
    assert (found, by, places(origin_of.locations)) == (zone, origin, [line])


@pytest.mark.parametrize(
    ("settings", "scope", "seconds", "line"),
    [
        ("CELERY_TASK_SOFT_TIME_LIMIT = 15 * 60\nCELERY_TASK_TIME_LIMIT = 930\n", "run", 930.0, 2),
        ("CELERY_TASK_SOFT_TIME_LIMIT = 15 * 60\n", "run", 900.0, 1),
        ("CELERY_TASK_TIME_LIMIT = None\n", "none", None, 6),
    ],
)
def test_the_time_limit_of_all_tasks(
    service_of: ServiceOf, settings: str, scope: str, seconds: float | None, line: int
) -> None:
    tasks = "from celery import shared_task\n@shared_task(name='sweep')\ndef sweep():\n    print('swept')\n"
    (context,) = service_of({"shop/settings.py": settings + "\n" + SETTINGS, "shop/tasks.py": tasks})
    found = timeout.build(context)
    assert (found.scope.value, found.seconds.value) == (scope, seconds)
    assert [at.path for at in found.seconds.locations] == ["shop/settings.py"] * len(found.seconds.locations)
    assert found.scope.locations[0].line == line


LATE = "CELERY_TASK_ACKS_LATE = True\n"


@pytest.mark.parametrize(
    ("settings", "renewal", "ttl"),
    [
        (f"{LATE}CELERY_BROKER_URL = 'amqp://guest@mq//'\n", "bound", None),
        (f"{LATE}CELERY_BROKER_URL = 'pyamqp://guest@mq//'\n", "bound", None),
        (f"{LATE}CELERY_BROKER_URL = 'redis://cache'\n", "none", 3600.0),
        (f"{LATE}CELERY_BROKER_URL = 'SQS://'\n", "none", 3600.0),
        (f"{LATE}CELERY_BROKER_URL = 'kafka://mq'\n", "none", "which broker keeps the claim is not known"),
        (
            f"{LATE}CELERY_BROKER_URL = 'redis://c'\nCELERY_BROKER_TRANSPORT_OPTIONS = {{'visibility_timeout': 600}}\n",
            "none",
            600.0,
        ),
        (LATE, "none", "which broker keeps the claim is not known"),
        ("CELERY_TASK_ACKS_LATE = False\nCELERY_BROKER_URL = 'redis://cache'\n", "early-ack", None),
    ],
)
def test_a_message_that_is_acknowledged_late(
    service_of: ServiceOf, settings: str, renewal: str, ttl: float | str | None
) -> None:
    tasks = "from celery import shared_task\n@shared_task(name='sweep')\ndef sweep():\n    print('swept')\n"
    (context,) = service_of({"shop/settings.py": SETTINGS + settings, "shop/tasks.py": tasks})
    found = lock.build(context)
    kept = found.ttl_seconds.value
    assert (found.renewal.value, kept.reason if isinstance(kept, Unresolved) else kept) == (renewal, ttl)
