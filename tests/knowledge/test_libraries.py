"""The files of rules/libraries themselves: all load, and well-known calls mean what their documentation says."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronaudit.knowledge.folds import LibraryFolds
from cronaudit.knowledge.loader import load
from cronaudit.knowledge.matcher import Matcher, phase_of
from cronaudit.knowledge.paths import expanded
from cronaudit.model.value import Known

RULES = Path(__file__).resolve().parents[2] / "rules"
FILES = sorted((RULES / "libraries").glob("*.yaml"))


@pytest.fixture(scope="module")
def known() -> Matcher:
    return Matcher(load([RULES]))


def test_every_file_is_a_library() -> None:
    assert [library.id for library in load([RULES]).libraries] == sorted(path.stem for path in FILES)


def test_every_alias_ends(known: Matcher) -> None:
    """What an alias stands for is no alias itself: a path is brought to one form, whichever way it was written."""
    for library in known.libraries:
        for _, canonical in library.aliases:
            assert known.canonical(known.canonical(canonical)) == known.canonical(canonical)


def test_nothing_is_described_twice(known: Matcher) -> None:
    """Two descriptions of one call in two files would be two jobs, or an effect that counts twice."""
    places: dict[tuple[str, str], set[str]] = {}
    for library in known.libraries:
        described = [
            *((effect.call, effect.effect) for effect in library.effects),
            *((scheduler.call, f"scheduler {scheduler.how}") for scheduler in library.schedulers),
            *((consumer.call, f"consumer {consumer.how}") for consumer in library.consumers),
        ]
        for call, what in described:
            for pattern in expanded(call):
                if not pattern.startswith("export:"):
                    places.setdefault((known.canonical(pattern), what), set()).add(library.id)
    assert {key: sorted(files) for key, files in places.items() if len(files) > 1} == {}


def test_every_family_has_work() -> None:
    """A scheduler that leaves its work to consumers names a family that has some."""
    libraries = load([RULES]).libraries
    worked = {consumer.family for library in libraries for consumer in library.consumers}
    asked = {
        s.family
        for library in libraries
        for s in library.schedulers
        if s.family is not None and not s.handler and s.how != "row"  # a row names its work by a path
    }
    assert asked - worked == set()


@pytest.mark.parametrize(
    ("path", "how", "kind"),
    [
        ("global:setInterval", "call", "set-interval"),
        ("timers:setInterval", "call", "set-interval"),
        ("node-cron:schedule", "call", "node-cron"),
        ("@sentry/node:cron.instrumentNodeCron().schedule", "call", "node-cron"),
        ("cron:CronJob", "call", "cron"),
        ("cron:CronJob.from", "call", "cron"),
        ("node-schedule:scheduleJob", "call", "node-schedule"),
        ("croner:Cron", "call", "croner"),
        ("croner:", "call", "croner"),
        ("bullmq:Queue().upsertJobScheduler", "call", "bullmq"),
        ("bullmq:Queue().add", "call", "bullmq"),
        ("bull:().add", "call", "bull"),
        ("bull:Queue().add", "call", "bull"),
        ("agenda:Agenda().every", "call", "agenda"),
        ("@hokify/agenda:Agenda().every", "call", "agenda"),
        ("pg-boss:().schedule", "call", "pg-boss"),
        ("@nestjs/schedule:Cron", "decorator", "nest-schedule"),
        ("@nestjs/schedule:Interval", "decorator", "nest-schedule"),
        ("toad-scheduler:ToadScheduler().addSimpleIntervalJob", "call", "toad-scheduler"),
        ("fastify:FastifyInstance().scheduler.addCronJob", "call", "toad-scheduler"),
        ("bree:", "call", "bree"),
        ("graphile-worker:run", "call", "graphile-worker"),
    ],
)
def test_schedulers(known: Matcher, path: str, how: str, kind: str) -> None:
    found = known.scheduler(path, how)
    assert found
    assert {scheduler.kind for scheduler in found} == {kind}


@pytest.mark.parametrize(
    ("path", "effects"),
    [
        ("@nestjs/schedule:Timeout", []),
        ("ioredis:().set", ["lock.acquire", "cache.set"]),
        ("ioredis:Redis().setnx", ["lock.acquire"]),
        ("redis:createClient().set", ["lock.acquire", "lock.acquire", "cache.set"]),
        ("redlock:().using", ["lock.with"]),
        ("redlock:().lock().unlock", ["lock.release"]),
        ("redlock:().acquire().extend", ["lock.extend"]),
        ("@prisma/client:PrismaClient().user.findMany", ["db.read"]),
        ("@prisma/client:PrismaClient().$extends().user.create", ["db.insert"]),
        ("@prisma/client:Prisma.TransactionClient().user.upsert", ["db.upsert"]),
        ("pg:Pool().connect().query", ["db.query", "db.stream"]),
        ("knex:()().where().update", ["db.update"]),
        ("stripe:Stripe().paymentIntents.create", ["payment.mutate"]),
        ("stripe:().customers.list", ["payment.read"]),
        ("@sentry/nextjs:captureException", ["tracker.capture"]),
        ("@sentry/node:withMonitor", ["monitor.wrap"]),
        ("prom-client:Counter().labels().inc", ["metric.count"]),
        ("pino:pino().child().error", ["log"]),
        ("fastify:().log.warn", ["log"]),
        ("winston:createLogger().error", ["log"]),
        ("console:error", ["log"]),
        ("child_process:execFile", ["process.spawn"]),
        ("global:AbortSignal.timeout", ["timeout.signal"]),
        ("node-fetch:", ["http.request"]),
        ("axios:create().post", ["http.request"]),
        ("uuid:v4", ["id.make"]),
        ("os:hostname", ["host.id"]),
        ("async-mutex:Mutex().runExclusive", ["lock.with"]),
        ("typeorm:DataSource().getRepository().find", ["db.read"]),
        ("express:Router().get", ["http.route"]),
    ],
)
def test_effects(known: Matcher, path: str, effects: list[str]) -> None:
    assert [effect.effect for effect in known.effects(path)] == effects


def test_what_is_decisive_without_the_object(known: Matcher) -> None:
    assert {e.effect for e in known.untyped("setnx")} == {"lock.acquire"}
    assert {e.effect for e in known.untyped("findMany")} == {"db.read"}
    assert known.untyped("get") == ()
    assert [bool(effect.when) for effect in known.untyped("set")] == [True] * 3


def test_constants(known: Matcher) -> None:
    value = LibraryFolds(known).constant("@nestjs/schedule:CronExpression.EVERY_5_MINUTES")
    assert isinstance(value, Known)
    assert value.value == "0 */5 * * * *"


@pytest.mark.parametrize(
    ("url", "service", "phase"),
    [
        ("https://hc-ping.com/5fa1c5f3-0c0c-4e0e-9d9e-000000000000", "Healthchecks.io", "success"),
        ("https://hc-ping.com/5fa1c5f3-0c0c-4e0e-9d9e-000000000000/start", "Healthchecks.io", "start"),
        ("https://hc-ping.com/5fa1c5f3-0c0c-4e0e-9d9e-000000000000/fail", "Healthchecks.io", "failure"),
        ("https://cronitor.link/p/key/job?state=run", "Cronitor", "start"),
        ("https://cronitor.link/p/key/job?state=fail", "Cronitor", "failure"),
        ("https://uptime.betterstack.com/api/v1/heartbeat/abc/fail", "Better Stack", "failure"),
        ("https://nosnch.in/c2354d53d2", "Dead Man's Snitch", "success"),
    ],
)
def test_monitors_by_url(known: Matcher, url: str, service: str, phase: str) -> None:
    host = known.host(url)
    assert host is not None
    assert (host.service, host.effect, phase_of(host, url)) == (service, "monitor.ping", phase)


def test_other_urls_are_no_monitors(known: Matcher) -> None:
    assert known.host("https://api.stripe.com/v1/charges") is None
    assert known.host_of_variable("DATABASE_URL") is None
    assert known.host_of_variable("HEALTHCHECK_PATH") is None


@pytest.mark.parametrize(
    ("language", "text", "effect"),
    [
        ("sql", "SELECT pg_try_advisory_lock($1)", "lock.acquire"),
        ("sql", "select pg_advisory_unlock(42)", "lock.release"),
        ("sql", "SELECT * FROM jobs FOR UPDATE SKIP LOCKED", "lock.acquire"),
        ("sql", "SET LOCAL statement_timeout = '5s'", "timeout.part"),
        ("sql", "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING", "db.upsert"),
        (
            "lua",
            "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end",
            "lock.release",
        ),
        ("lua", "return redis.call('pexpire', KEYS[1], ARGV[2])", "lock.extend"),
    ],
)
def test_phrases(known: Matcher, language: str, text: str, effect: str) -> None:
    assert effect in [phrase.effect for phrase, _ in known.phrases(language, text)]


def test_a_plain_statement_says_nothing_more(known: Matcher) -> None:
    assert known.phrases("sql", "SELECT id FROM orders WHERE updated_at < now()") == ()
