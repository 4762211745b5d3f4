"""What commands come to: through shells, wrappers, scripts and build outputs to the files of the tree."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.deployment import Deployment, Process, ProcessRole
from cronaudit.model.source import Location
from cronaudit.recognition.deployment.shell import commands

Read = Callable[..., Deployment]
Named = Callable[[Deployment, str], Process]

NODE = {
    "package.json": """{
  "name": "@acme/root",
  "main": "dist/main.js",
  "scripts": {
    "start:worker": "cross-env TZ=UTC node --max-old-space-size=512 dist/worker.js",
    "jobs": "tsx src/jobs.ts",
    "both": "concurrently \\"node dist/main.js\\" \\"npm run jobs\\"",
    "start:api": "node .",
    "all": "run-p start:*"
  }
}
""",
    "tsconfig.json": '{\n  // build\n  "compilerOptions": {"outDir": "./dist", "rootDir": "./src",},\n}\n',
    "src/main.ts": "",
    "src/worker.ts": "",
    "src/jobs.ts": "",
    "server.js": "",
    "apps/api/package.json": '{"name": "@acme/api", "main": "build/index.js",'
    ' "scripts": {"start": "node build/index.js"}}',
    "apps/api/tsconfig.build.json": '{"extends": "./tsconfig.json"}',
    "apps/api/tsconfig.json": '{"compilerOptions": {"outDir": "build", "rootDir": "source"}}',
    "apps/api/source/index.ts": "",
    "apps/billing/src/main.ts": "",
    "ecosystem.txt": "",
    "crontab": "0 0 * * * true\n",
}
PYTHON = {
    "manage.py": "#!/usr/bin/env python3\n",
    "shop/celery.py": "",
    "shop/wsgi.py": "",
    "shop/__init__.py": "",
    "shop/tasks.py": "",
    "shop/jobs/__main__.py": "",
    "shop/jobs/nightly.py": "",
    "shop/management/commands/sendmail.py": "",
    "src/app/main.py": "",
}


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("node dist/worker.js", ["src/worker.ts"]),
        ("node dist/worker", ["src/worker.ts"]),
        ("node .", ["src/main.ts"]),
        ("node server.js", ["server.js"]),
        ("node apps/api", ["apps/api/source/index.ts"]),
        ("node dist/apps/billing/main.js", ["apps/billing/src/main.ts"]),
        ("node -r dotenv/config --enable-source-maps dist/worker.js --once", ["src/worker.ts"]),
        ("npx tsx src/jobs.ts", ["src/jobs.ts"]),
        ("npm run start:worker", ["src/worker.ts"]),
        ("yarn start:worker", ["src/worker.ts"]),
        ("pnpm run start:worker -- --verbose", ["src/worker.ts"]),
        ("bun run jobs", ["src/jobs.ts"]),
        ("bun src/jobs.ts", ["src/jobs.ts"]),
        ("npm --prefix apps/api start", ["apps/api/source/index.ts"]),
        ("npm start -w @acme/api", ["apps/api/source/index.ts"]),
        ("pnpm --filter @acme/api start", ["apps/api/source/index.ts"]),
        ("yarn workspace @acme/api start", ["apps/api/source/index.ts"]),
        ("npx turbo run start --filter=@acme/api...", ["apps/api/source/index.ts"]),
        ("sh -c 'cd apps/api && exec node build/index.js'", ["apps/api/source/index.ts"]),
        ("npm run both", ["src/main.ts", "src/jobs.ts"]),
        ("npm run all", ["src/worker.ts", "src/main.ts"]),
        ("npx run-s jobs start:api", ["src/main.ts"]),
        ("tini -- su-exec node nice -n 5 node dist/worker.js", ["src/worker.ts"]),
        ("dumb-init dotenv -e .env -- node dist/worker.js", ["src/worker.ts"]),
        ("timeout -k 5 300 node dist/worker.js", ["src/worker.ts"]),
        ("wait-for-it.sh db:5432 -t 30 -- node dist/worker.js", ["src/worker.ts"]),
        ("doppler run -- node dist/worker.js", ["src/worker.ts"]),
        ("pm2-runtime start dist/worker.js -i 2", ["src/worker.ts"]),
        ("node -e 'setInterval(() => {}, 1)'", []),
        ("node dist/missing.js", [None]),
        ("supercronic /app/crontab", ["crontab"]),
    ],
)
def test_node(read: Read, command: str, paths: list[str | None]) -> None:
    files = {**NODE, "Procfile": f"job: {command}\n", "Dockerfile": "FROM scratch\n"}
    found = [one for one in read(files).processes if one.source.path == "Procfile"]
    assert [entry.path for one in found for entry in one.entries if entry.main] == [
        path for path in paths if path is not None
    ]


@pytest.mark.parametrize(
    ("command", "program", "path", "role"),
    [
        ("python manage.py sendmail", "django", "shop/management/commands/sendmail.py", "unknown"),
        ("./manage.py rqworker high", "rq", "manage.py", "worker"),
        ("./manage.py rq worker high", "rq", "manage.py", "worker"),
        ("./manage.py rq scheduler", "rq", "manage.py", "scheduler"),
        ("python3.12 -u -m shop.jobs.nightly", "python", "shop/jobs/nightly.py", "worker"),
        ("python -m shop.jobs", "python", "shop/jobs/__main__.py", "worker"),
        ("poetry run celery -A shop worker -c 4", "celery", "shop/celery.py", "worker"),
        ("python -m celery -A shop.celery:app beat", "celery", "shop/celery.py", "scheduler"),
        ("celery beat --app=shop", "celery", "shop/celery.py", "scheduler"),
        ("gunicorn -w 4 -b :80 shop.wsgi:application", "gunicorn", "shop/wsgi.py", "server"),
        ("uvicorn --app-dir src app.main:app --host 0.0.0.0", "uvicorn", "src/app/main.py", "server"),
        ("granian --interface asgi --ws --loop uvloop shop.wsgi:app", "granian", "shop/wsgi.py", "server"),
        ("dramatiq shop.tasks", "dramatiq", "shop/tasks.py", "worker"),
        ("arq shop.tasks.WorkerSettings", "arq", "shop/tasks.py", "worker"),
        ("uwsgi --module shop.wsgi --http :80", "uwsgi", "shop/wsgi.py", "server"),
        ("uv run --frozen python -m app.main", "python", "src/app/main.py", "unknown"),
    ],
)
def test_python(read: Read, command: str, program: str, path: str, role: str) -> None:
    (found,) = [
        one
        for one in read({**PYTHON, "Procfile": f"x: {command}\n"}).processes
        if one.source.path == "Procfile"
    ]
    (entry,) = found.entries
    assert (entry.program, entry.path, entry.role.value) == (program, path, role)


def test_limits_of_the_command(read: Read, named: Named) -> None:
    files = {
        **NODE,
        **PYTHON,
        "Procfile": "one: npm run start:worker\ntwo: celery -A shop worker --max-memory-per-child=200000\n",
    }
    found = read(files)
    one, two = named(found, "one"), named(found, "two")
    assert [(limit.kind, limit.bytes, str(limit.location)) for limit in one.memory_limits] == [
        ("heap", 536_870_912, "package.json:5")
    ]
    assert one.timezone is not None
    assert (one.timezone.value, one.timezone.location) == ("UTC", Location("package.json", 5))
    assert [(limit.kind, limit.bytes, str(limit.location)) for limit in two.memory_limits] == [
        ("child", 204_800_000, "Procfile:2")
    ]


def test_the_way_to_an_entry(read: Read) -> None:
    files = {
        **NODE,
        "Dockerfile": "FROM node:20\nWORKDIR /srv\nCOPY . .\n"
        'ENTRYPOINT ["./docker/entry.sh"]\nCMD ["npm", "run", "jobs"]\n',
        "docker/entry.sh": '#!/bin/sh\nset -e\nnode dist/migrate.js\nexec "$@"\n',
    }
    (process,) = [one for one in read(files).processes if one.kind.value == "dockerfile"]
    (entry,) = process.main_entries
    assert [(step.text, str(step.location)) for step in entry.trail] == [
        ('["./docker/entry.sh"] ["npm", "run", "jobs"]', "Dockerfile:5"),
        ("exec npm run jobs", "docker/entry.sh:4"),
        ("tsx src/jobs.ts", "package.json:6"),
    ]
    assert (entry.path, entry.argv) == ("src/jobs.ts", ("tsx", "src/jobs.ts"))
    assert (process.uses_exec, process.exec_location) == (True, Location("docker/entry.sh", 4))


@pytest.mark.parametrize(
    ("script", "expected", "line"),
    [
        ("exec node server.js\n", True, 1),
        ("node server.js\n", False, 1),
        ("sleep 1\nnode server.js >> log 2>&1\necho done\n", False, 2),
        ("node migrate.js\nexec gosu node node server.js\n", True, 2),
        ("run() {\n  exec node server.js\n}\nrun\n", True, 2),
        ("node server.js &\nwait\n", False, 1),
    ],
)
def test_whether_the_shell_hands_over(
    read: Read, named: Named, script: str, *, expected: bool, line: int
) -> None:
    files = {
        "Dockerfile": 'FROM node:20\nCOPY . /app\nCMD ["sh", "/app/start.sh"]\n',
        "start.sh": script,
        "server.js": "",
    }
    process = named(read(files), "Dockerfile")
    assert [entry.path for entry in process.main_entries] == ["server.js"]
    assert (process.uses_exec, process.exec_location) == (expected, Location("start.sh", line))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ('CMD ["node", "server.js"]', None),
        ("CMD node server.js", None),
        ("CMD exec node server.js", True),
        ("CMD sleep 1 && node server.js", False),
    ],
)
def test_shell_form(read: Read, named: Named, command: str, *, expected: bool | None) -> None:
    files = {"Dockerfile": f"FROM node:20\nWORKDIR /app\nCOPY . .\n{command}\n", "server.js": ""}
    assert named(read(files), "Dockerfile").uses_exec is expected


def test_a_server_and_a_worker_in_one_container(read: Read, named: Named) -> None:
    files = {
        **PYTHON,
        "Dockerfile": "FROM python\nCOPY . .\nCMD celery -A shop worker & gunicorn shop.wsgi\n",
    }
    process = named(read(files), "Dockerfile")
    assert [entry.role for entry in process.main_entries] == [ProcessRole.WORKER, ProcessRole.SERVER]
    assert process.role is ProcessRole.SERVER


def test_stages_and_copies(read: Read, named: Named) -> None:
    files = {
        "services/api/Dockerfile": """\
ARG NODE=20
FROM node:${NODE} AS build
WORKDIR /repo
COPY . .
RUN npm ci \\
  # a comment in between
  && npm run build
FROM build AS pruned
FROM node:${NODE}-alpine
WORKDIR /srv/app
ENV TZ UTC
COPY --from=build --chown=node:node /repo/services/api/dist ./lib
EXPOSE 8080/tcp
HEALTHCHECK --interval=30s CMD wget -qO- http://localhost:8080/health
CMD ["node", "lib/jobs/worker.js"]
""",
        "services/api/src/jobs/worker.ts": "",
        "docker-compose.yml": "services:\n  w:\n    build: {context: ., dockerfile: services/api/Dockerfile}\n",
    }
    process = named(read(files), "w")
    assert [entry.path for entry in process.entries] == ["services/api/src/jobs/worker.ts"]
    assert process.timezone is not None
    assert process.timezone.location == Location("services/api/Dockerfile", 11)
    assert process.healthcheck is not None
    assert (process.healthcheck.kind, process.healthcheck.location.line) == ("http", 14)
    assert process.role is ProcessRole.WORKER


def test_next_standalone(read: Read, named: Named) -> None:
    files = {
        "apps/web/next.config.mjs": "",
        "apps/web/package.json": '{"name": "web", "dependencies": {"next": "15"}}',
        "apps/web/instrumentation.ts": "",
        "apps/web/app/api/cron/route.ts": "",
        "apps/web/lib/mail.ts": "",
        "Dockerfile": 'FROM node:20\nWORKDIR /app\nCOPY . .\nCMD ["node", "apps/web/server.js"]\n',
    }
    found = read(files)
    (entry,) = named(found, "Dockerfile").entries
    assert (entry.program, entry.role) == ("next", ProcessRole.SERVER)
    assert entry.conventions == ("apps/web/app/api/cron/route.ts", "apps/web/instrumentation.ts")
    never = named(found, "Dockerfile")
    assert found.processes_running("apps/web/instrumentation.ts", lambda _start, _path: False) == (never,)


def test_case_on_an_argument() -> None:
    script = """\
case "$1" in
  web) exec gunicorn a ;;
  work*|jobs)
    exec celery worker
    ;;
  *) exec "$@" ;;
esac
"""
    assert [one.argv for one in commands(script, ["worker"])] == [("exec", "celery", "worker")]
    assert [one.argv for one in commands(script, ["node", "x.js"])] == [("exec", "node", "x.js")]
    assert [(one.argv[1], one.conditional) for one in commands(script.replace("$1", "$ROLE"))] == [
        ("gunicorn", True),
        ("celery", True),
        ("$@", True),
    ]


def test_shell_text() -> None:
    script = """\
#!/bin/sh
PORT=${PORT:-3000}
cat <<'EOF' > file
node not-this.js
EOF
for f in *.sql; do psql "$f"; done
while ! nc -z db 5432; do sleep 1; done
A=1 node "a b.js" --port="$PORT" \\
  --more 2>/dev/null & # comment
"""
    found = [(one.argv, one.line, one.variables, one.background, one.conditional) for one in commands(script)]
    assert found == [
        (("cat",), 3, (), False, False),
        (("psql", "$f"), 6, (), False, True),
        (("nc", "-z", "db", "5432"), 7, (), False, False),
        (("sleep", "1"), 7, (), False, True),
        (("node", "a b.js", "--port=3000", "--more"), 8, (("A", "1"),), True, False),
    ]


@pytest.mark.parametrize(
    "script", ["if", "case x in", "f() {", "f() { f; }\nf", "a () (", "'", "${", "`x", "<<E"]
)
def test_broken_shell_text_ends(script: str) -> None:
    assert all(one.argv for one in commands(script))
