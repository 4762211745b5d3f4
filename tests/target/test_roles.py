from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from cronaudit.model.source import Role
from cronaudit.target import RoleRules, Tree, walk
from cronaudit.target.classify import dependencies_of

Walk = Callable[[Mapping[str, str]], Tree]


def package(*dependencies: str) -> str:
    return json.dumps({"dependencies": dict.fromkeys(dependencies, "*")})


@pytest.mark.parametrize(
    ("path", "role"),
    [
        # application code, also where its folders sound like something else
        ("src/jobs/expire.ts", Role.SERVER),
        ("apps/api/plane/bgtasks/cleanup.py", Role.SERVER),
        ("src/vendor/sync-vendors.job.ts", Role.SERVER),
        ("src/modules/docs/doc.cron.ts", Role.SERVER),
        ("server/demo/reset-demo.js", Role.SERVER),
        ("src/playwright/scrape.ts", Role.SERVER),
        ("core/server/web/api/testmode/routes.js", Role.SERVER),
        ("src/fixtures/sync-fixtures.job.ts", Role.SERVER),
        ("src/assets/assets.service.ts", Role.SERVER),
        ("src/clients/carrier.client.ts", Role.SERVER),
        ("src/orders/parse-id.pipe.ts", Role.SERVER),
        ("src/orders/use-case.ts", Role.SERVER),
        ("src/browser/pool.ts", Role.SERVER),
        ("src/latest/contest.ts", Role.SERVER),
        ("db/migrations/0001_initial.py", Role.SERVER),
        ("supabase/migrations/20240101_cron.sql", Role.SERVER),
        ("manage.py", Role.SERVER),
        ("infra/scaler.ts", Role.SERVER),
        ("deploy/scheduler.py", Role.SERVER),
        # tests
        ("tests/jobs/test_expire.py", Role.TEST),
        ("src/expire.test.ts", Role.TEST),
        ("src/__tests__/expire.ts", Role.TEST),
        ("src/expire.spec.tsx", Role.TEST),
        ("apps/api-e2e/src/run.ts", Role.TEST),
        ("packages/app-tests/setup.ts", Role.TEST),
        ("cypress/support/commands.js", Role.TEST),
        ("app/tests.py", Role.TEST),
        ("conftest.py", Role.TEST),
        ("src/__mocks__/bull.js", Role.TEST),
        ("vitest.config.ts", Role.TEST),
        ("tests/compose.yml", Role.TEST),
        # documentation
        ("docs/examples/cron.ts", Role.DOCS),
        ("apps/docs/src/app/page.tsx", Role.DOCS),
        ("examples/worker.js", Role.DOCS),
        ("src/Button.stories.tsx", Role.DOCS),
        ("src/jobs/README.md", Role.DOCS),
        ("content/blog/cron.mdx", Role.DOCS),
        (".storybook/main.ts", Role.DOCS),
        ("{{cookiecutter.slug}}/tasks.py", Role.DOCS),
        ("examples/celery.service", Role.DOCS),
        # generated
        ("src/api_pb2.py", Role.GENERATED),
        ("src/types.d.ts", Role.GENERATED),
        ("web/app.min.js", Role.GENERATED),
        ("src/generated/client.ts", Role.GENERATED),
        ("src/graphql/schema.generated.ts", Role.GENERATED),
        ("x/main.8f3ab21c.js", Role.GENERATED),
        ("web/assets/index-DkK2p9Qz.js", Role.GENERATED),
        ("migrations/change-20240101.js", Role.SERVER),
        ("package-lock.json", Role.GENERATED),
        # vendored
        ("vendor/cron/cron.js", Role.VENDORED),
        ("third_party/lib/timer.py", Role.VENDORED),
        ("public/vendor/jquery/jquery.js", Role.VENDORED),
        # deployment
        ("Dockerfile", Role.DEPLOY),
        ("docker/entrypoint.sh", Role.DEPLOY),
        ("docker-compose.prod.yml", Role.DEPLOY),
        ("compose.yaml", Role.DEPLOY),
        ("k8s/base/cronjob.yaml", Role.DEPLOY),
        ("Procfile", Role.DEPLOY),
        ("ecosystem.config.js", Role.DEPLOY),
        (".github/workflows/nightly.yml", Role.DEPLOY),
        ("serverless.yml", Role.DEPLOY),
        ("vercel.json", Role.DEPLOY),
        ("fly.toml", Role.DEPLOY),
        ("render.yaml", Role.DEPLOY),
        ("ops/orders.timer", Role.DEPLOY),
        ("etc/cron.d/orders", Role.DEPLOY),
        ("uwsgi.ini", Role.DEPLOY),
        ("supervisord.conf", Role.DEPLOY),
        # configuration
        ("package.json", Role.CONFIG),
        ("pyproject.toml", Role.CONFIG),
        ("requirements-dev.txt", Role.CONFIG),
        (".env.example", Role.CONFIG),
        ("prisma/schema.prisma", Role.CONFIG),
        ("monitoring/alerts.yml", Role.CONFIG),
        ("vite.config.ts", Role.CONFIG),
        (".github/dependabot.yml", Role.CONFIG),
        (".devcontainer/docker-compose.yml", Role.CONFIG),
        # front ends
        ("public/src/app.js", Role.BROWSER),
        ("static/js/poll.js", Role.BROWSER),
        ("src/components/Clock.tsx", Role.BROWSER),
        ("src/App.vue", Role.BROWSER),
        ("templates/base.html", Role.BROWSER),
        ("src/sw.js", Role.BROWSER),
        ("app/api/cron/route.tsx", Role.SERVER),
        ("app/entry.server.tsx", Role.SERVER),
    ],
)
def test_roles_by_path(tree: Walk, path: str, role: Role) -> None:
    assert [file.role for file in tree({path: "\n"}).files] == [role]


def test_folders_above_the_target_do_not_count(tree: Walk, roles: RoleRules) -> None:
    outer = tree({"tests/fixtures/shop/src/job.ts": "\n", "tests/fixtures/shop/tests/job.ts": "\n"})
    inner = walk(outer.root / "tests" / "fixtures" / "shop", roles)
    assert [(file.path, file.role) for file in inner.files] == [
        ("src/job.ts", Role.SERVER),
        ("tests/job.ts", Role.TEST),
    ]


def test_a_python_package_is_code_whatever_its_name(tree: Walk) -> None:
    walked = tree({"shop/vendor/__init__.py": "", "shop/vendor/tasks.py": "", "vendor/lib/x.py": ""})
    assert {file.path: file.role for file in walked.files} == {
        "shop/vendor/__init__.py": Role.SERVER,
        "shop/vendor/tasks.py": Role.SERVER,
        "vendor/lib/x.py": Role.VENDORED,
    }


@pytest.mark.parametrize(
    ("files", "role"),
    [
        (["src/index.ts"], Role.GENERATED),
        (["src/index.js"], Role.GENERATED),
        (["src/theme.css"], Role.SERVER),
        (["package.json"], Role.SERVER),
        (["Src/a.ts"], Role.GENERATED),
    ],
)
def test_a_build_output_is_code_where_its_sources_are_missing(
    tree: Walk, files: list[str], role: Role
) -> None:
    walked = tree({"package/dist/worker.js": "\n", **{f"package/{file}": "\n" for file in files}})
    assert walked.by_name("worker.js")[0].role is role


def test_a_build_that_mirrors_its_sources_or_another_build(tree: Walk) -> None:
    names = ("server", "alerts", "tasks")
    walked = tree(
        {
            **{f"a/{folder}/{name}.js": "" for folder in ("src", "lib") for name in names},
            "a/lib/polyfill.js": "",
            "a/lib/api/users.js": "",
            "a/src/api/users.js": "",
            **{f"b/build/{folder}/{name}.js": "" for folder in ("esm", "cjs") for name in names},
            **{f"c/src/{name}.js": "" for name in names},
            **{f"c/lib/{name}.js": "" for name in ("mail", "alerts", "clock", "tasks")},
        }
    )
    assert {f.path for f in walked.files if f.path.endswith(".js") and f.role is Role.GENERATED} == {
        *(f"a/lib/{name}.js" for name in (*names, "polyfill", "api/users")),
        *(f"b/build/cjs/{name}.js" for name in names),
    }


def test_javascript_compiled_beside_its_typescript(tree: Walk) -> None:
    walked = tree({"a.ts": "", "a.js": "", "b.js": "", "b.d.ts": "", "c.jsx": "", "d.tsx": "", "d.js": ""})
    assert {file.path: file.role for file in walked.files if file.path.endswith(".js")} == {
        "a.js": Role.GENERATED,
        "b.js": Role.SERVER,
        "d.js": Role.GENERATED,
    }


def test_a_second_build_for_another_kind_of_module_is_generated(tree: Walk) -> None:
    walked = tree(
        {"a.js": "", "a.mjs": "", "b.js": "", "b.cjs": "", "c.cjs": "", "c.mjs": "", "d.mjs": "", "e.cjs": ""}
    )

    generated = {file.path for file in walked.files if file.role is Role.GENERATED}
    assert generated == {"a.mjs", "b.cjs", "c.mjs"}


def test_the_nearest_package_json_tells_front_ends_from_servers(tree: Walk) -> None:
    walked = tree(
        {
            "package.json": package("turbo"),
            "apps/web/package.json": package("react", "mobx"),
            "apps/web/store/poll.ts": "",
            "apps/web/server/cron.ts": "",
            "apps/web/lib/clean.py": "",
            "apps/api/package.json": package("react", "@nestjs/core"),
            "apps/api/src/cron.ts": "",
            "apps/next/package.json": package("react", "next"),
            "apps/next/lib/cron.ts": "",
            "apps/web/embed/package.json": package("fastify"),
            "apps/web/embed/cron.ts": "",
            "apps/broken/package.json": "{",
            "apps/broken/cron.ts": "",
        }
    )
    assert {file.path: file.role for file in walked.files if not file.path.endswith("json")} == {
        "apps/api/src/cron.ts": Role.SERVER,
        "apps/broken/cron.ts": Role.SERVER,
        "apps/next/lib/cron.ts": Role.SERVER,
        "apps/web/embed/cron.ts": Role.SERVER,
        "apps/web/lib/clean.py": Role.SERVER,
        "apps/web/server/cron.ts": Role.SERVER,
        "apps/web/store/poll.ts": Role.BROWSER,
    }


def test_a_helm_chart_is_known_by_its_chart_yaml(tree: Walk) -> None:
    walked = tree(
        {"charts/shop/Chart.yaml": "", "charts/shop/templates/cron.yaml": "", "ui/charts/pie.json": ""}
    )
    assert [file.role for file in walked.files] == [Role.DEPLOY, Role.DEPLOY, Role.CONFIG]


TIMER = "setInterval(tick, 1000);\n"


@pytest.mark.parametrize(
    ("path", "content", "by_path", "by_content"),
    [
        ("src/clock.js", "window.setInterval(tick, 1000);", Role.SERVER, Role.BROWSER),
        ("src/clock.js", "document.getElementById('x');\n" + TIMER, Role.SERVER, Role.BROWSER),
        ("src/mail.ts", "document.status = 'sent'; window.start;\n" + TIMER, Role.SERVER, Role.SERVER),
        ("src/pdf.ts", "import puppeteer from 'puppeteer';\npage.evaluate(() => document.querySelector('a'))",
         Role.SERVER, Role.SERVER),
        ("src/both.ts", "if (typeof window === 'undefined') start();\nelse window.location.reload();",
         Role.SERVER, Role.SERVER),
        ("config/js/picker.js", "if (typeof window === 'undefined') { m.exports = f(require('jquery')); }\n" + TIMER,
         Role.SERVER, Role.BROWSER),
        ("config/js/picker.js", "const fs = require('fs');\nrequire('jquery')(page);\n" + TIMER,
         Role.SERVER, Role.SERVER),
        ("server/render.js", "document.createElement('a');\n" + TIMER, Role.SERVER, Role.SERVER),
        ("src/useClock.ts", "useEffect(() => {\n" + TIMER + "}, []);", Role.SERVER, Role.BROWSER),
        ("src/useTyped.ts", "const [a] = useState<number | null>(null);", Role.SERVER, Role.BROWSER),
        ("src/cached.ts", "import { cache } from 'react';\n" + TIMER, Role.SERVER, Role.SERVER),
        ("app/clock.ts", "// a clock\n'use client';\n" + TIMER, Role.SERVER, Role.BROWSER),
        ("app/email.tsx", "import { render } from '@react-email/render';\nimport cron from 'node-cron';",
         Role.BROWSER, Role.SERVER),
        ("public/index.js", "const app = require('express')();\n" + TIMER, Role.BROWSER, Role.SERVER),
        ("public/index.js", TIMER, Role.BROWSER, Role.BROWSER),
        ("app/poll.tsx", "import { db } from '../db.server';\n" + TIMER, Role.BROWSER, Role.SERVER),
        ("public/js/a.js", "/*!\n * Flipper v2.1.0\n * Licensed under MIT\n */\n" + TIMER,
         Role.BROWSER, Role.VENDORED),
        ("src/client.ts", "/* @generated by codegen */\n" + TIMER, Role.SERVER, Role.GENERATED),
        ("src/client.py", "# Code generated by protoc. DO NOT EDIT.\n", Role.SERVER, Role.GENERATED),
        ("src/client.ts", "// This file is auto-generated.\n// Do not modify it.\n", Role.SERVER, Role.GENERATED),
        ("app/settings.py", "# DO NOT EDIT here: override it in local_settings.py\n", Role.SERVER, Role.SERVER),
        ("app/migrations/0001.py", "# Generated by Django 5.0 on 2024-01-01\n", Role.SERVER, Role.SERVER),
        ("app/commands/test_mail.py", "class Command: ...\n", Role.TEST, Role.SERVER),
        ("app/commands/test_mail.py", "def test_mail(): ...\n", Role.TEST, Role.TEST),
        ("app/settings_test.py", "DEBUG = True\n", Role.TEST, Role.TEST),
        ("tests/test_data.py", "ROWS = []\n", Role.TEST, Role.TEST),
        ("jobs/speed-test.ts", TIMER, Role.TEST, Role.SERVER),
        ("jobs/speed-test.ts", "describe('speed', () => {})", Role.TEST, Role.TEST),
        ("manifest.yaml", "apiVersion: batch/v1\nkind: CronJob\n", Role.CONFIG, Role.DEPLOY),
        ("settings.yaml", "kind: x\n", Role.CONFIG, Role.CONFIG),
        ("worker/index.js", "addEventListener('scheduled', e => e.waitUntil(run()))", Role.SERVER, Role.SERVER),
        ("worker/sw2.js", "self.addEventListener('install', run)", Role.SERVER, Role.BROWSER),
    ],
)  # fmt: skip
def test_the_content_corrects_the_path(
    tree: Walk, path: str, content: str, by_path: Role, by_content: Role
) -> None:
    walked = tree({path: content})
    assert (walked.files[0].role, walked.role_of(path)) == (by_path, by_content)


def test_a_library_for_browsers_is_told_by_its_other_files(tree: Walk) -> None:
    files = {
        "sdk/package.json": package("zod"),
        "sdk/src/dom.ts": "window.addEventListener('load', start);",
        "sdk/src/poll.ts": TIMER,
        "api/package.json": package("zod"),
        "api/src/dom.ts": "window.addEventListener('load', start);",
        "api/src/io.ts": "import fs from 'node:fs';",
        "api/src/poll.ts": TIMER,
        "queue/package.json": package("bullmq"),
        "queue/src/dom.ts": "window.addEventListener('load', start);",
        "queue/src/poll.ts": TIMER,
        "loose/dom.ts": "window.addEventListener('load', start);",
        "loose/poll.ts": TIMER,
    }
    walked = tree(files)
    assert {path: walked.role_of(path) for path in files if path.endswith("poll.ts")} == {
        "sdk/src/poll.ts": Role.BROWSER,
        "api/src/poll.ts": Role.SERVER,
        "queue/src/poll.ts": Role.SERVER,
        "loose/poll.ts": Role.SERVER,
    }


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"paths": []}, "roles: unknown key 'paths'"),
        ({"path": [{"role": "sever", "files": ["a"]}]}, "path[0]: 'sever' is none of the roles"),
        ({"path": [{"role": "test", "file": ["a"]}]}, "path[0]: unknown key 'file'"),
        ({"path": [{"role": "test"}]}, "path[0]: a rule needs folders, files, a pattern or a package"),
        (
            {"path": [{"role": "test", "files": ["a"], "beside": ["b"]}]},
            "are about folders, and there are none",
        ),
        (
            {"path": [{"role": "test", "files": ["a"], "pattern": "b"}]},
            "path[0]: either files or one pattern",
        ),
        ({"path": [{"role": "test", "pattern": "("}]}, "path[0]: '(' is no regular expression"),
        ({"path": [{"role": "test", "files": "a"}]}, "path[0].files: a list is expected"),
        ({"path": [{"role": "test", "files": [1]}]}, "path[0].files: 1 is no text"),
        ({"path": [{"role": "test", "files": ["a"], "languages": ["js"]}]}, "'js' is not a valid Language"),
        (
            {"content": [{"from": ["test"], "to": "server", "evidence": "x"}]},
            "'x' is none of the evidence lists",
        ),
        (
            {"content": [{"from": ["test"], "to": "server", "scope": "x"}]},
            "content[0].scope: 'x' is not 'package'",
        ),
        ({"content": [{"from": ["test"], "to": "server", "head": "x"}]}, "a number of bytes is expected"),
    ],
)
def test_a_catalogue_that_is_wrong_says_where(mapping: Mapping[str, object], message: str) -> None:
    with pytest.raises(ValueError) as error:
        RoleRules.from_mapping(mapping)
    assert message in str(error.value)


def test_without_rules_everything_is_server(tree: Walk) -> None:
    walked = walk(tree({"tests/a.py": "", "public/b.js": ""}).root, RoleRules.from_mapping({}))
    assert {file.role for file in walked.files} == {Role.SERVER}


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b'{"dependencies": 3}', b"\xff\xfe{"])
def test_a_manifest_that_cannot_be_read_depends_on_nothing(manifest: bytes) -> None:
    assert dependencies_of(manifest) == frozenset()


def test_what_the_tests_of_a_front_end_need_makes_it_no_server(tree: Walk) -> None:
    manifest = '{"dependencies": {"vue": "3"}, "devDependencies": {"%s": "1"}}'
    walked = tree(
        {
            "web/package.json": manifest % "jsdom",
            "web/src/poll.ts": "\n",
            "api/package.json": manifest % "express",
            "api/src/poll.ts": "\n",
        }
    )
    assert walked.role_of("web/src/poll.ts") is Role.BROWSER
    assert walked.role_of("api/src/poll.ts") is Role.SERVER
