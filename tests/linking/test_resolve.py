from __future__ import annotations

import json
from collections import Counter

import pytest

from cronaudit.linking.resolve import Resolver, parse_jsonc


def resolver(files: dict[str, str]) -> Resolver:
    return Resolver(frozenset(files), lambda path: files[path].encode())


def test_reads_json_with_comments_and_trailing_commas() -> None:
    text = '{ // line\n "a": "http://x/*y*/", /* block */ "b": [1, 2,], }'

    assert parse_jsonc(text) == {"a": "http://x/*y*/", "b": [1, 2]}


@pytest.mark.parametrize(
    ("specifier", "file"),
    [
        ("./b", "src/b.ts"),
        ("./b.js", "src/b.ts"),
        ("./view", "src/view.tsx"),
        ("./view.jsx", "src/view.tsx"),
        ("./m.mjs", "src/m.mts"),
        ("./lib", "src/lib/index.ts"),
        ("./lib/", "src/lib/index.ts"),
        (".", "src/index.ts"),
        ("..", "index.js"),
        ("./data.json", "src/data.json"),
        ("./missing", None),
        ("node-cron", None),
        ("node:fs", None),
    ],
)
def test_relative_specifiers(specifier: str, file: str | None) -> None:
    files = dict.fromkeys(
        (
            "src/b.ts",
            "src/view.tsx",
            "src/m.mts",
            "src/lib/index.ts",
            "src/index.ts",
            "index.js",
            "src/data.json",
        ),
        "",
    )

    assert resolver(files).resolve(specifier, "src/a.ts") == file


def test_paths_of_tsconfig_longest_prefix_first() -> None:
    files = {
        "tsconfig.json": (
            '{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"], "@/jobs/*": ["work/*"], '
            '"config": ["src/settings.ts"]}}}'
        ),
        "src/a.ts": "",
        "work/nightly.ts": "",
        "src/settings.ts": "",
    }
    found = resolver(files)

    assert found.resolve("@/a", "src/b.ts") == "src/a.ts"
    assert found.resolve("@/jobs/nightly", "src/b.ts") == "work/nightly.ts"
    assert found.resolve("config", "src/b.ts") == "src/settings.ts"
    assert found.resolve("configs", "src/b.ts") is None


def test_base_url_alone() -> None:
    files = {
        "tsconfig.json": '{"compilerOptions": {"baseUrl": "./src"}}',
        "src/db/pool.ts": "",
        "src/x/y.ts": "",
    }

    assert resolver(files).resolve("db/pool", "src/x/y.ts") == "src/db/pool.ts"


def test_paths_without_base_url_start_at_the_config() -> None:
    files = {"api/tsconfig.json": '{"compilerOptions": {"paths": {"~/*": ["./src/*"]}}}', "api/src/a.ts": ""}

    assert resolver(files).resolve("~/a", "api/src/deep/b.ts") == "api/src/a.ts"


def test_paths_are_inherited_through_extends_and_stay_relative_to_their_config() -> None:
    files = {
        "tsconfig.base.json": (
            '{"compilerOptions": {"baseUrl": ".", "paths": {"@acme/log": ["libs/log/src/index.ts"]}}}'
        ),
        "apps/api/tsconfig.json": '{"extends": "../../tsconfig.base.json", "compilerOptions": {"outDir": "dist"}}',
        "apps/api/src/a.ts": "",
        "libs/log/src/index.ts": "",
    }

    assert resolver(files).resolve("@acme/log", "apps/api/src/a.ts") == "libs/log/src/index.ts"


def test_extends_a_config_of_a_workspace_package() -> None:
    files = {
        "packages/config/package.json": '{"name": "@acme/config"}',
        "packages/config/base.json": '{"compilerOptions": {"paths": {"shared/*": ["../shared/*"]}}}',
        "packages/shared/a.ts": "",
        "app/tsconfig.json": '{"extends": "@acme/config/base.json"}',
        "app/b.ts": "",
    }

    assert resolver(files).resolve("shared/a", "app/b.ts") == "packages/shared/a.ts"


def test_extends_several_configs_and_in_a_circle() -> None:
    files = {
        "tsconfig.json": '{"extends": ["./a.json", "./b.json"]}',
        "a.json": '{"compilerOptions": {"paths": {"x": ["x.ts"]}}}',
        "b.json": '{"extends": "./tsconfig.json", "compilerOptions": {"strict": true}}',
        "x.ts": "",
    }

    assert resolver(files).resolve("x", "y.ts") == "x.ts"


def test_a_solution_config_that_only_refers_to_others() -> None:
    files = {
        "tsconfig.json": '{"files": [], "references": [{"path": "./tsconfig.app.json"}]}',
        "tsconfig.app.json": '{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"]}}}',
        "src/a.ts": "",
    }

    assert resolver(files).resolve("@/a", "src/b.ts") == "src/a.ts"


def test_packages_that_extend_the_config_that_refers_to_them_are_each_read_once() -> None:
    """A monorepo whose root refers to every package, each of which extends the root: once exponential."""
    packages = [f"packages/p{n}" for n in range(12)]
    files = {
        "tsconfig.json": json.dumps({"references": [{"path": p} for p in packages]}),
        **{
            f"{p}/tsconfig.json": json.dumps(
                {"extends": "../../tsconfig.json", "references": [{"path": "../p1"}]}
            )
            for p in packages
        },
    }
    reads: Counter[str] = Counter()

    def read(path: str) -> bytes:
        reads[path] += 1
        return files[path].encode()

    Resolver(frozenset(files), read).resolve("@/a", "packages/p3/src/b.ts")

    assert set(reads.values()) == {1}


def test_a_broken_config_is_no_config() -> None:
    assert resolver({"tsconfig.json": "{", "src/a.ts": ""}).resolve("@/a", "src/b.ts") is None


WORKSPACES = {
    "packages/jobs/package.json": '{"name": "@acme/jobs", "main": "dist/index.js"}',
    "packages/jobs/src/index.ts": "",
    "packages/jobs/src/nightly.ts": "",
    "packages/db/package.json": (
        '{"name": "@acme/db", "exports": {".": {"types": "./dist/index.d.ts", "import": '
        '"./dist/index.mjs"}, "./client": "./dist/client.js", "./queries/*": "./dist/queries/*.js"}}'
    ),
    "packages/db/src/index.ts": "",
    "packages/db/src/client.ts": "",
    "packages/db/src/queries/users.ts": "",
    "packages/plain/package.json": '{"name": "plain"}',
    "packages/plain/index.js": "",
    "packages/plain/lib/a.js": "",
    "packages/root/package.json": '{"name": "rooted", "exports": "./entry.js"}',
    "packages/root/entry.js": "",
    "packages/source/package.json": '{"name": "sourced", "source": "code/main.ts", "main": "dist/gone.js"}',
    "packages/source/code/main.ts": "",
    "packages/lib/package.json": '{"name": "@acme/lib", "main": "./dist/index.js"}',
    "packages/lib/lib/index.ts": "",
    "packages/stated/package.json": '{"name": "@acme/stated", "main": "./dist/index.js"}',
    "packages/stated/tsconfig.json": '{"compilerOptions": {"rootDir": "code", "outDir": "dist"}}',
    "packages/stated/code/index.ts": "",
    "packages/stated/lib/index.ts": "",
}


@pytest.mark.parametrize(
    ("specifier", "file"),
    [
        ("@acme/jobs", "packages/jobs/src/index.ts"),
        ("@acme/lib", "packages/lib/lib/index.ts"),
        ("@acme/stated", "packages/stated/code/index.ts"),
        ("@acme/jobs/nightly", "packages/jobs/src/nightly.ts"),
        ("@acme/jobs/src/nightly", "packages/jobs/src/nightly.ts"),
        ("@acme/jobs/dist/nightly", "packages/jobs/src/nightly.ts"),
        ("@acme/db", "packages/db/src/index.ts"),
        ("@acme/db/client", "packages/db/src/client.ts"),
        ("@acme/db/queries/users", "packages/db/src/queries/users.ts"),
        ("plain", "packages/plain/index.js"),
        ("plain/lib/a", "packages/plain/lib/a.js"),
        ("rooted", "packages/root/entry.js"),
        ("sourced", "packages/source/code/main.ts"),
        ("@acme/absent", None),
        ("@acme", None),
    ],
)
def test_workspaces_by_package_name(specifier: str, file: str | None) -> None:
    assert resolver(WORKSPACES).resolve(specifier, "apps/api/src/a.ts") == file


def test_subpath_imports_of_the_nearest_manifest() -> None:
    files = {
        "package.json": '{"name": "svc", "imports": {"#db": "./src/db.ts", "#lib/*": {"default": "./src/lib/*.ts"}}}',
        "src/db.ts": "",
        "src/lib/time.ts": "",
    }
    found = resolver(files)

    assert found.resolve("#db", "src/deep/a.ts") == "src/db.ts"
    assert found.resolve("#lib/time", "src/deep/a.ts") == "src/lib/time.ts"
    assert found.resolve("#other", "src/deep/a.ts") is None


def test_the_entry_of_a_package_knows_the_names_under_which_it_is_imported() -> None:
    found = resolver(WORKSPACES)

    assert found.package_segments("packages/jobs/src/index.ts") == ("jobs",)
    assert found.package_segments("packages/db/src/client.ts") == ("client",)
    assert found.package_segments("packages/jobs/src/nightly.ts") == ()


@pytest.mark.parametrize(
    ("module", "file"),
    [
        (".tasks", "app/jobs/tasks.py"),
        ("..models", "app/models/__init__.py"),
        ("..models.user", "app/models/user.py"),
        (".", "app/jobs/__init__.py"),
        ("app.jobs.tasks", "app/jobs/tasks.py"),
        ("app.models", "app/models/__init__.py"),
        ("celery", None),
    ],
)
def test_python_modules(module: str, file: str | None) -> None:
    files = dict.fromkeys(
        ("app/__init__.py", "app/jobs/__init__.py", "app/jobs/tasks.py", "app/models/__init__.py",
         "app/models/user.py", "app/jobs/beat.py"),
        "",
    )  # fmt: skip

    assert resolver(files).resolve_python(module, "app/jobs/beat.py") == file


def test_python_source_root_below_the_tree() -> None:
    files = dict.fromkeys(("backend/src/shop/__init__.py", "backend/src/shop/tasks.py", "tools/run.py"), "")

    assert resolver(files).resolve_python("shop.tasks", "tools/run.py") == "backend/src/shop/tasks.py"


@pytest.mark.parametrize(
    ("specifier", "file"),
    [
        ("../dist/app.js", "web/src/app.ts"),
        ("../build/jobs", "web/src/jobs/index.ts"),
        ("../lib/app", "web/src/app.ts"),
        ("../dist", "web/src/index.ts"),
        # What is there is not built from something else.
        ("../out/kept.js", "web/out/kept.js"),
        ("../dist/missing.js", None),
        ("../other/app.js", None),
        ("../../dist/app.js", None),
    ],
)
def test_built_files_that_a_script_starts_are_their_sources(specifier: str, file: str | None) -> None:
    files = dict.fromkeys(
        ("web/src/app.ts", "web/src/jobs/index.ts", "web/src/index.ts", "web/out/kept.js", "web/src/kept.ts"),
        "",
    )
    manifest = {"package.json": "{}", "web/package.json": '{"main": "./bin/www"}'}
    assert resolver({**files, **manifest, "web/bin/www": ""}).resolve(specifier, "web/bin/www") == file
