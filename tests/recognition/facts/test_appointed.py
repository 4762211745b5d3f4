"""One process of several that is appointed to a job, by its number or its role."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import lock

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

ARM = "setInterval(() => sweep(), 60_000)"
MANIFEST = '{"name": "shop", "main": "server.js", "dependencies": {"express": "4.0.0", "envalid": "8.0.0"}}'
SWEEP = "const db = require('./db');\nmodule.exports = { sweep: () => db.remove() };\n"


def single(service_of: ServiceOf, server: str, more: dict[str, str] | None = None) -> tuple[object, str, str]:
    head = "const cluster = require('node:cluster');\nconst { sweep } = require('./sweep');\n"
    files = {
        "package.json": MANIFEST,
        "server.js": head + dedent(server),
        "sweep.js": SWEEP,
        "db.js": "module.exports = { remove: () => fetch('https://shop.example/sweep', { method: 'POST' }) };\n",
    }
    (context,) = service_of({**files, **(more or {})})
    facts = lock.build(context)
    fact = facts.single_replica
    assert facts.kind.value == "none"
    return fact.value, fact.detail, str(fact.locations[0]) if fact.locations else ""


@pytest.mark.parametrize(
    ("test", "who"),
    [
        ("process.env.NODE_APP_INSTANCE === '0'", "NODE_APP_INSTANCE is 0"),
        ("parseInt(process.env.pm_id ?? '0', 10) === 0", "pm_id is 0"),
        (
            "process.env.NODE_APP_INSTANCE === undefined || process.env.NODE_APP_INSTANCE === '0'",
            "NODE_APP_INSTANCE is 0",
        ),
        ("cluster.isPrimary", "cluster.isPrimary"),
        ("ready && cluster.isMaster", "cluster.isMaster"),
        ("!cluster.isWorker", "not cluster.isWorker"),
        ("cluster.worker.id === 1", "cluster.worker.id is 1"),
        ("!cluster.isWorker || cluster.worker.id === 1", "not cluster.isWorker"),
    ],
)
def test_a_test_lets_one_process_through(service_of: ServiceOf, test: str, who: str) -> None:
    found = single(service_of, f"const ready = load();\nif ({test}) {{\n  {ARM};\n}}\n")
    assert found == (True, f"One process of a host runs it: {who}", "server.js:4")


@pytest.mark.parametrize(
    "test",
    [
        "process.env.NODE_ENV === 'production'",
        "process.env.NODE_APP_INSTANCE !== '0'",
        "process.env.NODE_APP_INSTANCE",
        "!cluster.isPrimary",
        "cluster.isWorker",
        "ready || cluster.isPrimary",
        "!process.env.NODE_APP_INSTANCE",
    ],
)
def test_a_test_lets_several_processes_through(service_of: ServiceOf, test: str) -> None:
    found = single(service_of, f"const ready = load();\nif ({test}) {{\n  {ARM};\n}}\n")
    assert found == (False, "", "")


def test_those_who_leave_first(service_of: ServiceOf) -> None:
    server = f"""\
        start();
        function start() {{
          if (cluster.isPrimary) {{ cluster.fork(); return; }}
          {ARM};
        }}
    """
    assert single(service_of, server) == (False, "", "")
    server = server.replace("cluster.isPrimary", "cluster.isWorker").replace("cluster.fork()", "serve()")
    assert single(service_of, server)[0] is True


def test_the_run_itself_asks_first(service_of: ServiceOf) -> None:
    asked = "setInterval(() => {\n  if (!cluster.isPrimary) return;\n  sweep();\n}, 60_000);\n"
    assert single(service_of, asked)[0] is True
    late = "setInterval(() => {\n  sweep();\n  if (!cluster.isPrimary) return;\n  sweep();\n}, 60_000);\n"
    assert single(service_of, late)[0] is False


def test_the_file_that_arms_is_loaded_by_one(service_of: ServiceOf) -> None:
    settings = """\
        const { cleanEnv, num } = require('envalid');
        module.exports = cleanEnv(process.env, { NODE_APP_INSTANCE: num({ default: 0 }) });
    """
    timers = f"const {{ sweep }} = require('./sweep');\n{ARM};\n"
    files = {"settings.js": dedent(settings), "timers.js": timers}
    server = (
        "const env = require('./settings');\nif (env.NODE_APP_INSTANCE === 0) {\n  require('./timers');\n}\n"
    )
    found = single(service_of, server, files)
    assert found == (True, "One process of a host runs it: NODE_APP_INSTANCE is 0", "server.js:4")
    assert single(service_of, "require('./timers');\n", files) == (False, "", "")
