"""What calls on a job's path mean: one line of each family that a wrong path or a wrong unit would break."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.loader import load
from cronaudit.knowledge.matcher import Matcher, phase_of
from cronaudit.knowledge.selectors import first
from cronaudit.model.value import Arguments, External, Known, Lazy, Value

RULES = Path(__file__).resolve().parents[2] / "rules"


@pytest.fixture(scope="module")
def known() -> Matcher:
    return Matcher(load([RULES]))


def force(value: Value | Lazy) -> Value:
    assert not isinstance(value, Lazy)
    return value


def call(path: str, *args: str | float, **named: str | float | bool) -> External:
    return External(
        path, Arguments(tuple(Known(a) for a in args), {name: Known(value) for name, value in named.items()})
    )


def meanings(known: Matcher, view: External) -> list[str]:
    return [e.effect for e in known.effects(view.path) if holds(e.when, view, force) is True]


def param(known: Matcher, view: External, name: str) -> tuple[object, str | None]:
    for effect in known.effects(view.path):
        if holds(effect.when, view, force) is True:
            value = first(effect.param(name), view, force)
            assert isinstance(value, Known)
            return value.value, value.unit
    raise AssertionError(view.path)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (call("redis.from_url().set", "k", 1, nx=True, ex=60), ["lock.acquire"]),
        (call("redis.Redis().set", "k", 1, ex=60), ["cache.set"]),
        (call("django.core.cache.cache.add", "k", 1, 60), ["lock.acquire"]),
        (call("django.core.cache.caches.locks.add", "k", 1, 60), ["lock.acquire"]),
        (call("django.db.models.Model.objects.filter().update", x=1), ["db.update"]),
        (call("django.db.models.Manager().bulk_create", "rows", ignore_conflicts=True), ["db.upsert"]),
        (call("django.db.models.Model.objects.bulk_create", "rows"), ["db.insert"]),
        (call("django.db.models.Model.objects.filter().iterator"), ["db.stream"]),
        (call("flask_sqlalchemy.SQLAlchemy().session.query().filter().all"), ["db.read"]),
        (call("sqlalchemy.orm.sessionmaker()().commit"), ["tx.commit"]),
        (call("sqlalchemy.dialects.postgresql.insert().values().on_conflict_do_nothing"), ["db.conflict"]),
        (
            call("motor.motor_asyncio.AsyncIOMotorClient().db.orders.update_one", 1, 2, upsert=True),
            ["db.upsert"],
        ),
        (call("stripe.PaymentIntent.create", amount=1), ["payment.mutate"]),
        (call("stripe.Charge.retrieve", "ch"), ["payment.read"]),
        (call("prometheus_client.Histogram().labels().observe", 1), ["metric.observe"]),
        (call("prometheus_client.start_http_server", 8000), ["metric.serve", "memory.export"]),
        (call("celery.utils.log.get_task_logger().exception", "m"), ["log"]),
        (call("subprocess.run", "ls", timeout=5), ["process.spawn"]),
        (call("sentry_sdk.crons.monitor", monitor_slug="s"), ["monitor.wrap"]),
        (call("redbean-node:R.trash"), ["db.delete"]),
        (call("@mollie/api-client:createMollieClient().payments.create"), ["payment.mutate"]),
        (call("@opentelemetry/api:metrics.getMeter().createHistogram().record", 1), ["metric.observe"]),
        (call("hot-shots:StatsD().increment", "runs"), ["metric.count"]),
        (call("@slack/webhook:IncomingWebhook().send", "text"), ["alert.send"]),
        (call("@bull-board/api:createBullBoard"), ["board.mount"]),
    ],
    ids=lambda value: value.path if isinstance(value, External) else "",
)
def test_effects(known: Matcher, view: External, expected: list[str]) -> None:
    assert meanings(known, view) == expected


@pytest.mark.parametrize(
    ("view", "name", "expected"),
    [
        (call("redis.Redis().set", "k", 1, nx=True, px=500), "ttl", (500, "ms")),
        (call("redis.Redis().set", "k", 1, nx=True, ex=60), "ttl", (60, "s")),
        (call("redis.Redis().lock", "k", timeout=30), "ttl", (30, "s")),
        (call("redlock.Redlock().lock", "k", 1000), "ttl", (1000, "ms")),
        (call("requests.get", "https://x.example", timeout=5), "timeout", (5, "s")),
        (call("asyncio.sleep", 10), "time", (10, "s")),
        (call("asyncio.wait_for", "work", timeout=10), "time", (10, "s")),
        (call("retrying.retry", wait_fixed=200), "delay", (200, "ms")),
        (call("stripe.Refund.create", idempotency_key="k"), "key", ("k", None)),
    ],
    ids=lambda value: value.path if isinstance(value, External) else "",
)
def test_units(known: Matcher, view: External, name: str, expected: tuple[object, str | None]) -> None:
    assert param(known, view, name) == expected


@pytest.mark.parametrize(
    ("url", "service", "phase"),
    [
        ("https://hc-ping.com/0f1e2d3c-0000-4000-8000-000000000000/start", "Healthchecks.io", "start"),
        ("https://hc-ping.com/0f1e2d3c-0000-4000-8000-000000000000", "Healthchecks.io", "success"),
        ("https://hc-ping.com/0f1e2d3c-0000-4000-8000-000000000000/fail", "Healthchecks.io", "failure"),
        ("https://cronitor.link/p/key/job?state=fail", "Cronitor", "failure"),
        ("https://nosnch.in/c2354d53d2", "Dead Man's Snitch", "success"),
        ("https://kuma.example.com/api/push/AbC123?status=down", "Uptime Kuma", "failure"),
    ],
)
def test_hosts(known: Matcher, url: str, service: str, phase: str) -> None:
    host = known.host(url)
    assert host is not None
    assert (host.service, host.effect, phase_of(host, url)) == (service, "monitor.ping", phase)


def test_a_container_probe_is_no_heartbeat(known: Matcher) -> None:
    assert known.host_of_variable("HEALTHCHECK_URL") is None
    assert known.host_of_variable("CRONITOR_API_KEY") is None
    assert known.host("https://api.example.com/healthz") is None
