from __future__ import annotations

from collections.abc import Callable

from cronaudit.model.deployment import (
    Deployment,
    Environment,
    MemoryLimit,
    Process,
    ProcessKind,
    Replicas,
    Stated,
)
from cronaudit.model.source import Location

Read = Callable[..., Deployment]
Named = Callable[[Deployment, str], Process]


def test_programs_of_a_container(read: Read, named: Named) -> None:
    files = {
        "docker-compose.yml": "services:\n  all:\n    build: .\n    mem_limit: 1g\n    container_name: one\n",
        "Dockerfile": "FROM python:3.12\nWORKDIR /code\nCOPY . .\n"
        'COPY docker/supervisor.conf /etc/supervisord.conf\nCMD ["./start.sh"]\n',
        "start.sh": '#!/bin/bash\nmain() {\n  exec /usr/bin/supervisord -c /etc/supervisord.conf\n}\nmain "$@"\n',
        "docker/supervisor.conf": """\
[supervisord]
nodaemon=true

[program:api]
command=gunicorn shop.wsgi:application ; the API

[program:beat]
directory=/code
command=celery -A shop beat
autorestart=true
stopwaitsecs=20
environment=
    TZ="UTC",
    A=b
""",
        "shop/wsgi.py": "",
        "shop/celery.py": "",
    }
    found = read(files)
    container, beat, api = named(found, "all"), named(found, "beat"), named(found, "api")
    assert (beat.kind, beat.source) == (ProcessKind.SUPERVISOR, Location("docker/supervisor.conf", 7))
    assert beat.parent == container.source == Location("docker-compose.yml", 2)
    assert beat.memory_limits == (
        MemoryLimit("container", "1g", 1 << 30, Location("docker-compose.yml", 4), shared=True),
    )
    assert beat.replicas == Replicas("exact", 1, "container_name", "one", Location("docker-compose.yml", 5))
    assert beat.timezone == Stated("UTC", "UTC", Location("docker/supervisor.conf", 12))
    assert beat.stop_grace == Stated(20.0, "20", Location("docker/supervisor.conf", 11))
    assert [str(step.location) for step in beat.entries[0].trail] == [
        "Dockerfile:5",
        "start.sh:3",
        "docker/supervisor.conf:9",
    ]
    assert (api.role.value, beat.role.value, container.entries) == ("server", "scheduler", ())
    assert container.uses_exec is True
    assert found.processes_running("shop/celery.py", lambda _a, _b: False) == (beat,)


def test_uwsgi_and_its_daemons(read: Read, named: Named) -> None:
    files = {
        "uwsgi.ini": """\
[uwsgi]
module = shop.wsgi:application
reload-on-rss = 250
attach-daemon = ./manage.py sendalerts --loop
if-env = SMTP
attach-daemon = ./manage.py smtpd
endif =
""",
        "Dockerfile": 'FROM python\nCOPY . /app\nWORKDIR /app\nCMD ["uwsgi", "--ini", "uwsgi.ini"]\n',
        "manage.py": "#!/usr/bin/env python\n",
        "shop/wsgi.py": "",
        "shop/management/commands/sendalerts.py": "",
        "shop/management/commands/smtpd.py": "",
    }
    found = read(files)
    alerts = named(found, "sendalerts")
    assert (alerts.kind, alerts.source) == (ProcessKind.UWSGI_DAEMON, Location("uwsgi.ini", 4))
    assert [entry.path for entry in alerts.entries] == ["shop/management/commands/sendalerts.py"]
    assert named(found, "smtpd").notes == ("only with if-env SMTP",)
    workers = named(found, "uwsgi")
    assert [(one.kind, one.bytes) for one in workers.memory_limits] == [("restart", 262_144_000)]
    assert [entry.path for entry in workers.entries] == ["shop/wsgi.py"]


def test_a_unit(read: Read, named: Named) -> None:
    files = {
        "deploy/orders-jobs.service": """\
[Unit]
Description=Jobs

[Service]
Type=oneshot
WorkingDirectory=/opt/orders
Environment="TZ=UTC" NODE_ENV=production
EnvironmentFile=-/etc/default/orders
ExecStart=/usr/bin/node \\
  --max-old-space-size=256 \\
  dist/${ENTRY}
MemoryMax=300M
TimeoutStartSec=10min
TimeoutStopSec=30
Restart=no
""",
        "deploy/orders.env": "ENTRY=jobs.js\n",
        "src/jobs.ts": "",
        "package.json": '{"name": "orders"}',
    }
    found = named(read(files), "orders-jobs")
    assert (found.kind, found.environment, found.source.line) == (
        ProcessKind.SYSTEMD,
        Environment.PRODUCTION,
        4,
    )
    assert [(one.kind, one.bytes, one.location.line) for one in found.memory_limits] == [
        ("unit", 314_572_800, 12),
        ("heap", 268_435_456, 9),
    ]
    assert found.time_limit == Stated(600.0, "10min", Location("deploy/orders-jobs.service", 13))
    assert found.stop_grace == Stated(30.0, "30", Location("deploy/orders-jobs.service", 14))
    assert found.timezone is not None
    assert found.timezone.value == "UTC"
    assert [(entry.target, entry.path) for entry in found.entries] == [("dist/jobs.js", "src/jobs.ts")]


def test_units_in_the_documentation_are_examples(read: Read) -> None:
    unit = "[Service]\nExecStart=/usr/bin/python app.py\n"
    found = read({"docs/examples/app.service": unit, "app.py": ""})
    assert [one.environment for one in found.processes] == [Environment.EXAMPLE]
    assert found.in_use() == found.processes


def test_procfile(read: Read, named: Named) -> None:
    files = {
        "Procfile": "web: node dist/server.js\nworker: node dist/worker.js\nrelease: node dist/migrate.js\n",
        "Procfile.dev": "web: npx vite\n",
        "app.json": """{
  "addons": [
    "heroku-redis:mini",
    {"plan": "heroku-postgresql:standard-0"}
  ],
  "formation": {
    "worker": {"quantity": 1}
  }
}
""",
        "src/server.ts": "",
        "src/worker.ts": "",
        "src/migrate.ts": "",
    }
    found = read(files)
    assert [(one.name, one.role.value, one.environment.value) for one in found.processes] == [
        ("web", "server", "production"),
        ("worker", "worker", "production"),
        ("release", "script", "production"),
    ]
    assert named(found, "worker").replicas == Replicas("exact", 1, "formation", "1", Location("app.json", 7))
    assert [(one.engine, one.member, one.location.line) for one in found.services] == [
        ("redis", "managed", 3),
        ("postgres", "managed", 4),
    ]


def test_pm2(read: Read, named: Named) -> None:
    files = {
        "ecosystem.config.js": """\
const name = 'orders';
// apps: [not these]
module.exports = {
  apps: [
    {
      name: `api`,
      script: './dist/server.js',
      instances: 'max',
      exec_mode: "cluster",
      env: { NODE_ENV: 'production', TZ: 'UTC' },
    },
    {
      name: 'worker', script: 'dist/worker.js', args: ['--all'],
      node_args: '--max-old-space-size=400',
      max_memory_restart: '450M', // restart above
      instances: 1,
      kill_timeout: 30000,
      cwd: process.cwd(),
    },
    { name: name + '-x', script: path.join(__dirname, 'x.js') },
  ],
};
""",
        "src/server.ts": "",
        "src/worker.ts": "",
    }
    found = read(files)
    assert [one.name for one in found.processes] == ["api", "worker"]
    api, worker = named(found, "api"), named(found, "worker")
    assert api.replicas == Replicas("many", None, "instances", "max", Location("ecosystem.config.js", 8))
    assert api.timezone == Stated("UTC", "UTC", Location("ecosystem.config.js", 10))
    assert worker.source == Location("ecosystem.config.js", 12)
    assert [(one.kind, one.text, one.bytes, one.location.line) for one in worker.memory_limits] == [
        ("restart", "450M", 471_859_200, 15),
        ("heap", "--max-old-space-size=400", 419_430_400, 13),
    ]
    assert worker.stop_grace == Stated(30.0, "30000", Location("ecosystem.config.js", 17))
    assert [entry.path for entry in worker.entries] == ["src/worker.ts"]


def test_pm2_in_a_container(read: Read, named: Named) -> None:
    files = {
        "Dockerfile": 'FROM node:20\nWORKDIR /app\nCOPY . .\nCMD ["pm2-runtime", "ecosystem.config.cjs"]\n',
        "ecosystem.config.cjs": "module.exports = { apps: [{ name: 'jobs', script: 'dist/worker.js' }] }\n",
        "src/worker.ts": "",
    }
    found = read(files)
    assert named(found, "jobs").parent == named(found, "Dockerfile").source == Location("Dockerfile", 4)


def test_services_of_s6(read: Read, named: Named) -> None:
    services = "docker/rootfs/etc/s6-overlay/s6-rc.d"
    files = {
        "Dockerfile": 'FROM python\nWORKDIR /src\nCOPY docker/rootfs /\nCOPY . .\nENTRYPOINT ["/init"]\n',
        f"{services}/svc-worker/run": "#!/command/with-contenv bash\ncd ${SRC}\n"
        "if [[ -n $USER_ID ]]; then\n  exec celery -A shop worker\n"
        "else\n  exec s6-setuidgid shop celery -A shop worker\nfi\n",
        f"{services}/svc-worker/type": "longrun\n",
        f"{services}/init-migrate/run": "python manage.py migrate\n",
        f"{services}/init-migrate/type": "oneshot\n",
        "shop/celery.py": "",
    }
    found = read(files)
    assert [one.name for one in found.processes] == ["Dockerfile", "svc-worker"]
    worker = named(found, "svc-worker")
    assert (worker.kind, worker.parent) == (ProcessKind.S6, Location("Dockerfile", 5))
    assert [(entry.path, entry.conditional) for entry in worker.entries] == [("shop/celery.py", True)]
    assert (worker.uses_exec, worker.exec_location) == (True, Location(f"{services}/svc-worker/run", 6))


def test_comments_inside_a_command_of_a_unit(read: Read, named: Named) -> None:
    unit = """\
[Service]
ExecStart=/bin/sh -c '\\
  # which port \\
  [ -n "$P" ] && export PORT=$P; \\
  exec gunicorn shop.wsgi'
"""
    found = named(read({"deploy/web.service": unit, "shop/wsgi.py": ""}), "web")
    assert [entry.path for entry in found.entries] == ["shop/wsgi.py"]
    assert found.uses_exec is True
