from __future__ import annotations

from pathlib import Path

import pytest

from cronaudit.knowledge.loader import load
from cronaudit.knowledge.matcher import Matcher, phase_of
from cronaudit.knowledge.paths import begins, expanded, is_alias, last_of, matches, replaced, root_of
from cronaudit.knowledge.versions import holds_for, is_range

EFFECTS = """
effects:
  db.read: {doc: Reads., params: {limit: {type: value, doc: The limit.}}}
  db.insert: {doc: Inserts.}
  log: {doc: Logs., params: {level: {type: word, words: [info, error], doc: The level.}}}
  monitor.ping: {doc: Pings.}
  lock.acquire: {doc: Locks., params: {kind: {type: word, words: [session, row], doc: The kind.}}}
"""


def matcher(tmp_path: Path, versions: dict[str, str] | None = None, **files: str) -> Matcher:
    (tmp_path / "libraries").mkdir(exist_ok=True)
    (tmp_path / "effects.yaml").write_text(EFFECTS)
    for name, text in files.items():
        (tmp_path / "libraries" / f"{name}.yaml").write_text(text)
    return Matcher(load([tmp_path]), versions)


@pytest.mark.parametrize(
    ("path", "root", "last"),
    [
        ("bullmq:Queue().upsertJobScheduler", "bullmq", "upsertJobScheduler"),
        ("@prisma/client:PrismaClient().user.findMany", "@prisma/client", "findMany"),
        ("pino:", "pino", ""),
        ("knex:()()", "knex", ""),
        ("cron:CronJob()", "cron", "CronJob"),
        ("timers/promises:setTimeout", "timers/promises", "setTimeout"),
        ("celery.Celery().task", "celery", "task"),
        ("*.pg_try_advisory_lock", "", "pg_try_advisory_lock"),
    ],
)
def test_parts_of_paths(path: str, root: str, last: str) -> None:
    assert root_of(path) == root
    assert last_of(path) == last


def test_braces_are_alternatives() -> None:
    assert list(expanded("a:().{b,c}.{d,e}")) == ["a:().b.d", "a:().b.e", "a:().c.d", "a:().c.e"]


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("knex:().insert", "knex:()**.insert", True),
        ("knex:()().where().insert", "knex:()**.insert", True),
        ("knex:()().where().inserted", "knex:()**.insert", False),
        ("knexen:().insert", "knex:()**.insert", False),
        ("knex:client.insert", "knex:()**.insert", False),
        ("p:C().a", "p:C()**.a", True),
        ("p:C()", "p:C()**.a", False),
        ("p:C().a()", "p:C()**.a", False),
    ],
)
def test_any_chain(path: str, pattern: str, expected: bool) -> None:
    assert matches(path, pattern) is expected


def test_beginnings_end_at_a_member() -> None:
    assert begins("pino:pino().child", "pino:pino")
    assert not begins("pino:pinot", "pino:pino")
    assert replaced("pino:pino().child", "pino:pino", "pino:") == "pino:().child"
    assert replaced("pino:pino.destination", "pino:pino", "pino:") == "pino:destination"
    assert replaced("console:log", "console:", "global:console") == "global:console.log"


def test_the_default_export_as_an_alias() -> None:
    assert is_alias("x:()", "x:", "x:Name")
    assert not is_alias("x:Name()", "x:", "x:Name")
    assert not is_alias("x:other", "x:", "x:Name")


def test_effects_of_a_path(tmp_path: Path) -> None:
    known = matcher(
        tmp_path,
        knex="""
title: Knex
ecosystem: npm
aliases: {"knex:": ["knex:knex"]}
effects:
  - {call: "knex:()**.{select,pluck}", effect: db.read}
  - {call: ["knex:()**.insert", "knex:batch"], effect: db.insert}
""",
    )
    assert [e.effect for e in known.effects("knex:knex()().where().select")] == ["db.read"]
    assert [e.effect for e in known.effects("knex:()().pluck")] == ["db.read"]
    assert [e.effect for e in known.effects("knex:batch")] == ["db.insert"]
    assert known.effects("knex:()().where") == ()
    assert known.effects("other:()().select") == ()
    assert known.canonical("knex:knex().x") == "knex:().x"


def test_packages_by_a_pattern(tmp_path: Path) -> None:
    known = matcher(
        tmp_path,
        orm="""
title: ORM
ecosystem: npm
aliases: {"@orm/client:": ["*generated/orm*:"], "@orm/client:Client": ["*:Client"]}
effects:
  - {call: "@orm/client:Client().read", effect: db.read}
""",
    )
    assert [e.effect for e in known.effects("../generated/orm/client:Client().read")] == ["db.read"]
    assert [e.effect for e in known.effects("@/database:Client().read")] == ["db.read"]
    assert [e.effect for e in known.effects("@orm/client:Client().read")] == ["db.read"]
    assert known.effects("@/database:Clients().read") == ()


def test_modules_of_any_package(tmp_path: Path) -> None:
    known = matcher(
        tmp_path,
        orm="""
title: ORM
ecosystem: pypi
aliases: {orm.Table.rows: ["**.tables.*.rows"]}
effects:
  - {call: "orm.Table.rows.all", effect: db.read}
""",
    )
    assert [e.effect for e in known.effects("corp.apps.tables.Order.rows.all")] == ["db.read"]
    assert known.effects("corp.apps.tables.orders.rows.all") == ()
    assert known.effects("corp.apps.tables.Order.rowset.all") == ()


def test_a_bound_method_is_that_method(tmp_path: Path) -> None:
    known = matcher(
        tmp_path,
        a="""
title: A
ecosystem: npm
effects:
  - {call: "a:().read", effect: db.read}
""",
    )
    assert [e.effect for e in known.effects("a:().read.bind()")] == ["db.read"]


def test_methods_of_unresolved_objects(tmp_path: Path) -> None:
    known = matcher(
        tmp_path,
        a="""
title: A
ecosystem: npm
effects:
  - {call: "a:().{findMany,take}", effect: db.read, untyped: true, limit: args.0.take}
  - {call: "*.advisoryLock", effect: lock.acquire, kind: session}
  - {call: "a:().list", effect: db.read}
""",
    )
    assert [e.effect for e in known.untyped("findMany")] == ["db.read"]
    assert [e.word("kind") for e in known.untyped("advisoryLock")] == ["session"]
    assert known.untyped("list") == ()
    assert [s.text for s in known.untyped("take")[0].param("limit")] == ["args.0.take"]


def test_schedulers_by_kind(tmp_path: Path) -> None:
    known = matcher(
        tmp_path,
        s="""
title: S
ecosystem: npm
tokens: [sched, "@Cron"]
schedulers:
  - {call: "s:().every", kind: s, schedule: [{every: args.0, unit: ms}]}
  - {call: "s:Cron", how: decorator, kind: s, schedule: [{cron: args.0}], handler: decorated}
  - {call: "*.BEAT_SCHEDULE", how: assign, kind: s, entries: value, schedule: [{object: entry.schedule}]}
consumers:
  - {call: "s:().work", family: s, queue: args.0, handler: args.1}
injectors:
  - {decorator: "s:Inject", gives: "s:()", args: args.0}
""",
    )
    assert [s.kind for s in known.scheduler("s:().every")] == ["s"]
    assert known.scheduler("s:Cron") == ()
    assert [s.how for s in known.scheduler("s:Cron", "decorator")] == ["decorator"]
    assert [s.call for s in known.scheduler("settings.BEAT_SCHEDULE", "assign")] == ["*.BEAT_SCHEDULE"]
    assert [s.call for s in known.schedulers("assign")] == ["*.BEAT_SCHEDULE"]
    assert [c.family for c in known.consumers("s:().work")] == ["s"]
    assert [c.call for c in known.family("s")] == ["s:().work"]
    injector = known.injector("s:Inject")
    assert injector is not None
    assert injector.path == "s:()"
    assert known.tokens() == (b"@Cron", b"sched")
    assert known.tokens("pypi") == ()
    assert known.service_tokens() == ()


HEAD = "title: T\necosystem: npm\npackages: [cron]\ntokens: [t]\n"
CALL = "schedulers:\n  - {call: 'cron:job', schedule: [{cron: args.0}], kind: "
OLD = f"{HEAD}versions: '<3'\n{CALL}old}}\n"
NEW = f"{HEAD}versions: '>=3'\n{CALL}new}}\n"


@pytest.mark.parametrize(
    ("versions", "kind"),
    [({}, "new"), ({"cron": "^2.1.0"}, "old"), ({"cron": "3.0.1"}, "new"), ({"cron": "latest"}, "new")],
)
def test_the_description_for_the_version(tmp_path: Path, versions: dict[str, str], kind: str) -> None:
    known = matcher(tmp_path, versions, old=OLD, new=NEW)
    assert [s.kind for s in known.scheduler("cron:job")] == [kind]


@pytest.mark.parametrize(
    ("versions", "stated", "expected"),
    [
        ("", "1.0.0", True),
        (">=1 <6", "5.9.9", True),
        (">=1 <6", "6.0.0", False),
        (">=1 <6", "^1.0.0", True),
        (">=2.1", "2.0.9", False),
        (">=2.1", "2.1.0", True),
        (">=4 <5, <4.9", "4.8.1", True),
        ("<3", "*", False),
        (">=3", "workspace:*", True),
        ("<=3", "3.4", True),
        (">3", "3.4", True),
        ("=3", "3.4", True),
    ],
)
def test_ranges(versions: str, stated: str, expected: bool) -> None:
    assert is_range(versions)
    assert holds_for(versions, stated) is expected


def test_texts(tmp_path: Path) -> None:
    known = matcher(
        tmp_path,
        t=r"""
title: Texts
ecosystem: any
hosts:
  - {service: Healthchecks.io, effect: monitor.ping, pattern: 'hc-ping\.com/', env: '^HC_',
     start: '/start$', failure: '/fail$'}
phrases:
  - {language: sql, pattern: '\bpg_advisory_lock\s*\(', effect: lock.acquire, kind: session}
own_names:
  - {effect: log, pattern: '^sendAlert'}
""",
    )
    host = known.host("https://hc-ping.com/abc/start")
    assert host is not None
    assert phase_of(host, "https://hc-ping.com/abc/start") == "start"
    assert phase_of(host, "https://hc-ping.com/abc/fail") == "failure"
    assert phase_of(host, "https://hc-ping.com/abc") == "success"
    assert known.host("https://example.org/") is None
    assert known.host_of_variable("HC_URL") is host
    assert known.host_of_variable("URL") is None
    ((phrase, match),) = known.phrases("sql", "select PG_ADVISORY_LOCK(1)")
    assert (phrase.effect, match.group(0)) == ("lock.acquire", "PG_ADVISORY_LOCK(")
    assert known.phrases("lua", "pg_advisory_lock(1)") == ()
    assert [p.pattern for p in known.own_names("log")] == ["^sendAlert"]
