"""The two services that come with the project: what their manifests say, to the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronaudit.model.deployment import (
    Deployment,
    Environment,
    MemoryLimit,
    ProcessKind,
    ProcessRole,
    Stated,
    is_worker_process,
)
from cronaudit.model.source import Location
from cronaudit.recognition.deployment import read_deployment
from cronaudit.target import RoleRules, walk

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def orders(roles: RoleRules) -> Deployment:
    return read_deployment(walk(FIXTURES / "order-service", roles))


@pytest.fixture
def ledger(roles: RoleRules) -> Deployment:
    return read_deployment(walk(FIXTURES / "ledger-service", roles))


def test_one_process_serves_and_works(orders: Deployment) -> None:
    (app,) = orders.processes
    assert (app.name, app.kind, app.source) == (
        "app",
        ProcessKind.COMPOSE,
        Location("docker-compose.yml", 2),
    )
    assert app.command is not None
    assert (app.command.argv, app.command.location) == (("node", "dist/index.js"), Location("Dockerfile", 16))
    assert [entry.path for entry in app.entries] == ["src/index.ts"]
    assert app.memory_limits == (
        MemoryLimit("container", "512m", 536_870_912, Location("docker-compose.yml", 11)),
    )
    assert app.ports == (Stated(3000, "3000:3000", Location("docker-compose.yml", 5)),)
    assert (app.environment, app.timezone, app.replicas) == (Environment.UNKNOWN, None, None)
    assert app.depends_on == ("postgres", "redis")
    assert not is_worker_process(app, has_http=True)


def test_its_stores_are_single_nodes(orders: Deployment) -> None:
    assert [(one.name, one.engine, one.member, one.location.line) for one in orders.services] == [
        ("postgres", "postgres", "node", 16),
        ("redis", "redis", "node", 25),
    ]
    assert (orders.topology("redis"), orders.topology("postgres"), orders.topology("rabbitmq")) == (
        "single",
        "single",
        "none",
    )


def test_worker_apart_from_the_server(ledger: Deployment) -> None:
    api, worker = ledger.processes
    assert (api.name, api.role, worker.name, worker.role) == (
        "api",
        ProcessRole.SERVER,
        "worker",
        ProcessRole.WORKER,
    )
    assert worker.memory_limits == (
        MemoryLimit("container", "1g", 1_073_741_824, Location("docker-compose.yml", 22)),
        MemoryLimit("heap", "--max-old-space-size=768", 805_306_368, Location("docker-compose.yml", 20)),
    )
    assert worker.timezone == Stated("UTC", "UTC", Location("docker-compose.yml", 2))
    assert worker.stop_grace == Stated(120.0, "2m", Location("docker-compose.yml", 23))
    assert worker.healthcheck is not None
    assert (worker.healthcheck.kind, worker.healthcheck.location.line) == ("http", 25)
    assert is_worker_process(worker, has_http=True)
    assert not is_worker_process(api, has_http=True)


def test_who_runs_a_file(ledger: Deployment) -> None:
    def reaches(start: str, path: str) -> bool:
        return (start, path) == ("src/worker/main.ts", "src/jobs/daily-close.ts")

    assert [one.name for one in ledger.processes_running("src/jobs/daily-close.ts", reaches)] == ["worker"]
    assert [one.name for one in ledger.processes_running("src/api/main.ts", reaches)] == ["api"]
    assert ledger.processes_running("src/scripts/apply-healthchecks.ts", reaches) == ()


def test_sentinels(ledger: Deployment) -> None:
    assert [(one.name, one.member) for one in ledger.services if one.engine == "redis"] == [
        ("redis-primary", "node"),
        ("redis-replica", "replica"),
        ("sentinel-1", "sentinel"),
        ("sentinel-2", "sentinel"),
        ("sentinel-3", "sentinel"),
    ]
    assert ledger.topology("redis") == "sentinel"


def test_entry_points(ledger: Deployment) -> None:
    assert [(one.path, one.why, one.process, one.kind.value) for one in ledger.entry_points] == [
        ("src/api/main.ts", "compose api", "api", "server"),
        ("src/api/main.ts", "package.json scripts.start:api", None, "server"),
        ("src/scripts/apply-healthchecks.ts", "package.json scripts.monitoring:apply", None, "script"),
        ("src/worker/main.ts", "compose worker", "worker", "worker"),
        ("src/worker/main.ts", "package.json scripts.start:worker", None, "worker"),
    ]


def test_the_same_each_time(roles: RoleRules) -> None:
    tree = walk(FIXTURES / "ledger-service", roles)

    class Reversed:
        files = tuple(reversed(tree.files))

        @staticmethod
        def text(path: str) -> str:
            return tree.text(path)

    assert read_deployment(Reversed()) == read_deployment(tree)
