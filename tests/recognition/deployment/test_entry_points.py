from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cronaudit.model.deployment import Deployment, Process

Read = Callable[..., Deployment]
Named = Callable[[Deployment, str], Process]


def test_scripts_run_where_nothing_else_is_said(read: Read) -> None:
    files = {
        "package.json": """{
  "scripts": {
    "dev": "tsx watch src/main.ts",
    "start": "node dist/main.js",
    "start:worker": "node dist/worker.js",
    "start:dev": "nodemon src/main.ts",
    "prestart": "node dist/check.js",
    "db:seed": "tsx src/seed.ts",
    "test": "vitest run"
  }
}""",
        "src/main.ts": "",
        "src/worker.ts": "",
        "src/seed.ts": "",
        "src/check.ts": "",
    }
    found = read(files)
    assert [(one.name, one.role.value, one.source.line) for one in found.processes] == [
        ("start", "unknown", 4),
        ("start:worker", "worker", 5),
    ]
    assert {(one.path, one.why, one.kind.value, one.environment.value) for one in found.entry_points} == {
        ("src/main.ts", "package.json scripts.dev", "build", "development"),
        ("src/main.ts", "package.json scripts.start", "unknown", "unknown"),
        ("src/main.ts", "package.json scripts.start:dev", "build", "development"),
        ("src/worker.ts", "package.json scripts.start:worker", "worker", "unknown"),
        ("src/check.ts", "package.json scripts.prestart", "script", "unknown"),
        ("src/seed.ts", "package.json scripts.db:seed", "script", "unknown"),
    }


def test_a_script_that_a_container_runs_is_no_process_of_its_own(read: Read) -> None:
    files = {
        "Dockerfile": 'FROM node\nWORKDIR /app\nCOPY . .\nCMD ["npm", "start"]\n',
        "package.json": '{"scripts": {"start": "node dist/main.js", "serve": "node dist/main.js"}}',
        "src/main.ts": "",
    }
    assert [one.kind.value for one in read(files).processes] == ["dockerfile"]


def test_a_dockerfile_that_only_a_test_builds_is_a_process(read: Read) -> None:
    files = {
        "docker/testing/compose.yml": "services:\n  app:\n    build: ../..\n",
        "Dockerfile": 'FROM node\nCOPY . /app\nCMD ["node", "/app/main.js"]\n',
        "main.js": "",
    }
    found = read(files)
    assert [(one.kind.value, one.environment.value) for one in found.processes] == [
        ("dockerfile", "unknown"),
        ("compose", "test"),
    ]
    assert [one.kind.value for one in found.in_use()] == ["dockerfile"]


def test_main_bin_and_frameworks(read: Read) -> None:
    files = {
        "package.json": '{"main": "lib/index.js", "bin": {"tool": "./bin/tool.js"},'
        ' "dependencies": {"@strapi/strapi": "5"}}',
        "lib/index.js": "",
        "bin/tool.js": "",
        "config/cron-tasks.ts": "",
        "src/api/order/controllers/order.ts": "",
        "node_modules/x/package.json": '{"main": "index.js"}',
        "tests/fixtures/app/package.json": '{"main": "index.js"}',
        "tests/fixtures/app/index.js": "",
    }
    assert {(one.path, one.why, one.process) for one in read(files).entry_points} == {
        ("lib/index.js", "package.json main", None),
        ("bin/tool.js", "package.json bin", None),
        ("config/cron-tasks.ts", "strapi convention", None),
        ("src/api/order/controllers/order.ts", "strapi convention", None),
    }


def test_python(read: Read) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "shop"\n[project.scripts]\nshop-jobs = "shop.cli:main"\n',
        "shop/cli.py": "",
        "shop/wsgi.py": "",
        "manage.py": "",
        "shop/management/commands/__init__.py": "",
        "shop/management/commands/nightly.py": "",
    }
    assert [(one.path, one.why, one.kind.value, one.location.line) for one in read(files).entry_points] == [
        ("manage.py", "manage.py convention", "script", 1),
        ("shop/cli.py", "pyproject scripts.shop-jobs", "script", 4),
        ("shop/management/commands/nightly.py", "django command nightly", "script", 1),
        ("shop/wsgi.py", "wsgi.py convention", "server", 1),
    ]


@pytest.mark.parametrize(
    ("manifest", "text", "line"),
    [
        ("pyproject.toml", '[tool.poetry.scripts]\nshop-jobs = "shop.cli:main"\n', 2),
        ("pyproject.toml", '[tool.poetry.scripts]\nshop-jobs = { callable = "shop.cli:main" }\n', 2),
        (
            "setup.cfg",
            "[options.entry_points]\nconsole_scripts =\n    # ours\n    shop-jobs = shop.cli:main\n[x]\na = b.c:d\n",
            4,
        ),
        (
            "setup.py",
            "setup(\n entry_points={\n  'console_scripts': [\n   'shop-jobs = shop.cli:main',\n  ],\n },\n)\n",
            4,
        ),
        ("setup.py", "setup(entry_points={'gui_scripts': [\n'shop-jobs = shop.cli:main']})\n", None),
        ("setup.cfg", "[options]\nshop-jobs = shop.cli:main\n", None),
    ],
)
def test_console_scripts(read: Read, manifest: str, text: str, line: int | None) -> None:
    found = read({manifest: text, "src/shop/cli.py": "", "src/b/c.py": ""}).entry_points

    stem = manifest.partition(".")[0]
    assert [(one.path, one.why, one.location.line) for one in found] == (
        [("src/shop/cli.py", f"{stem} scripts.shop-jobs", line)] if line else []
    )


def test_a_package_that_python_runs(read: Read) -> None:
    files = {"shop/__main__.py": "", "shop/cli.py": "", "tests/fixtures/app/__main__.py": ""}

    assert [(one.path, one.why) for one in read(files).entry_points] == [
        ("shop/__main__.py", "__main__.py convention")
    ]


@pytest.mark.parametrize(
    "command",
    [
        "NODE_ENV=development vite-node -c vite.server.config.ts --watch server/start.ts",
        "babel-node server/start.ts",
        "ts-node-dev --respawn server/start.ts",
        "tsnd server/start.ts",
    ],
)
def test_what_runs_sources_in_development(read: Read, command: str) -> None:
    found = read(
        {"package.json": json.dumps({"scripts": {"start": command}}), "server/start.ts": ""}
    ).entry_points

    assert [(one.path, one.why) for one in found] == [("server/start.ts", "package.json scripts.start")]


@pytest.mark.parametrize(
    ("name", "command", "role"),
    [
        ("worker", "node dist/server.js", "server"),
        ("web", "node dist/worker.js", "server"),
        ("jobs", "node dist/main.js", "worker"),
        ("beat-worker", "node dist/main.js", "scheduler"),
        ("cron", "gunicorn app.wsgi", "server"),
        ("main", "celery -A app worker", "worker"),
        ("app", "node dist/main.js", "unknown"),
        ("main", "node dist/main.js scheduler", "scheduler"),
    ],
)
def test_roles(read: Read, name: str, command: str, role: str) -> None:
    files = {"Procfile": f"{name}: {command}\n", "src/main.ts": "", "src/worker.ts": "", "src/server.ts": ""}
    files |= {"app/wsgi.py": "", "app/celery.py": ""}
    (found,) = [one for one in read(files).processes if one.source.path == "Procfile"]
    assert found.role.value == role


def test_an_empty_tree(read: Read) -> None:
    assert read({"README.md": "nothing"}) == Deployment()
