from __future__ import annotations

from collections.abc import Callable

from cronaudit.model.deployment import Deployment, Process, ProcessKind, Stated
from cronaudit.model.source import Location

Read = Callable[..., Deployment]
Named = Callable[[Deployment, str], Process]

CODE = {"src/server.ts": "", "src/worker.ts": "", "src/report.ts": ""}


def test_fly(read: Read, named: Named) -> None:
    files = {
        **CODE,
        "fly.toml": """\
app = "orders"
kill_timeout = "30s"

[processes]
web = "node dist/server.js"
worker = "node dist/worker.js"

[http_service]
internal_port = 3000
processes = ["web"]

[[vm]]
memory = "512mb"
processes = ["worker"]

[env]
TZ = "UTC"
""",
    }
    found = read(files)
    web, worker = named(found, "web"), named(found, "worker")
    assert (worker.source, worker.role.value) == (Location("fly.toml", 6), "worker")
    assert [(one.bytes, one.location.line) for one in worker.memory_limits] == [(536_870_912, 13)]
    assert web.memory_limits == ()
    assert web.ports == (Stated(3000, "3000", Location("fly.toml", 9)),)
    assert worker.timezone == Stated("UTC", "UTC", Location("fly.toml", 17))
    assert worker.stop_grace == Stated(30.0, "30s", Location("fly.toml", 2))


def test_render(read: Read, named: Named) -> None:
    files = {
        **CODE,
        "render.yaml": """\
services:
  - type: web
    name: api
    startCommand: node dist/server.js
    healthCheckPath: /health
    scaling: {minInstances: 1, maxInstances: 3}
  - type: worker
    name: jobs
    startCommand: node migrate.js && node dist/worker.js
    numInstances: 1
  - type: cron
    name: report
    schedule: "0 6 * * *"
    startCommand: node dist/report.js
  - type: keyvalue
    name: cache
    plan: starter
databases:
  - name: main
""",
    }
    found = read(files)
    api, jobs, report = named(found, "api"), named(found, "jobs"), named(found, "report")
    assert (api.role.value, jobs.role.value, report.role.value) == ("server", "worker", "scheduler")
    assert api.replicas is not None
    assert api.replicas.bound == "many"
    assert [entry.path for entry in jobs.main_entries] == ["src/worker.ts"]
    assert jobs.uses_exec is False
    assert report.schedule == Stated("0 6 * * *", "0 6 * * *", Location("render.yaml", 13))
    assert report.timezone is not None
    assert report.timezone.value == "UTC"
    assert (found.topology("redis"), found.topology("postgres")) == ("managed", "managed")


def test_railway_builds_a_dockerfile(read: Read, named: Named) -> None:
    files = {
        **CODE,
        "railway.toml": '[build]\ndockerfilePath = "/docker/Dockerfile"\n[deploy]\nnumReplicas = 1\n',
        "docker/Dockerfile": 'FROM node\nWORKDIR /a\nCOPY . .\nCMD ["node", "dist/worker.js"]\n',
    }
    found = named(read(files), "railway")
    assert [entry.path for entry in found.entries] == ["src/worker.ts"]
    assert found.replicas is not None
    assert (found.replicas.count, found.replicas.location) == (1, Location("railway.toml", 4))


def test_serverless(read: Read, named: Named) -> None:
    files = {
        **CODE,
        "serverless.yml": """\
provider:
  name: aws
  runtime: nodejs20.x
  memorySize: 256
functions:
  report:
    handler: src/report.handler
    timeout: 120
    reservedConcurrency: 1
    events:
      - schedule: rate(1 hour)
""",
    }
    found = named(read(files), "report")
    assert (found.kind, found.source) == (ProcessKind.SERVERLESS, Location("serverless.yml", 6))
    assert [(one.kind, one.bytes, one.location.line) for one in found.memory_limits] == [
        ("function", 268_435_456, 4)
    ]
    assert found.time_limit == Stated(120.0, "120", Location("serverless.yml", 8))
    assert found.schedule == Stated("rate(1 hour)", "rate(1 hour)", Location("serverless.yml", 11))
    assert [entry.path for entry in found.entries] == ["src/report.ts"]


def test_vercel_crons_are_noted(read: Read) -> None:
    text = '{\n  "crons": [\n    {"path": "/api/cron", "schedule": "0 5 * * *"}\n  ]\n}\n'
    assert read({"vercel.json": text}).cron_routes == (
        Stated("/api/cron", "0 5 * * * /api/cron", Location("vercel.json", 3)),
    )


def test_broken_platform_files(read: Read) -> None:
    found = read(
        {"fly.toml": "[x\n", "app.json": "{", "vercel.json": "[", "package.json": "{", "railway.json": "["}
    )
    assert sorted({one.path for one in found.diagnostics}) == ["fly.toml", "package.json", "railway.json"]
