from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cronaudit.model.source import Diagnostic, Language, Role, SourceFile, SourceTree
from cronaudit.target import RoleRules, Tree, walk

Content = str | bytes
Write = Callable[[Mapping[str, Content]], Path]
Walk = Callable[[Mapping[str, Content]], Tree]


def paths(tree: Tree) -> list[str]:
    return [file.path for file in tree.files]


def test_files_come_sorted_with_language_role_and_size(tree: Walk) -> None:
    walked: SourceTree = tree(
        {
            "worker.py": "x = 1\n",
            "apps/api/src/main.ts": "",
            "Dockerfile.worker": "",
            "apps/api/crontab": "",
            "README.md": "#",
        }
    )
    assert walked.files == (
        SourceFile("Dockerfile.worker", Language.DOCKERFILE, Role.DEPLOY, 0),
        SourceFile("README.md", Language.MARKDOWN, Role.DOCS, 1),
        SourceFile("apps/api/crontab", Language.CRONTAB, Role.DEPLOY, 0),
        SourceFile("apps/api/src/main.ts", Language.TYPESCRIPT, Role.SERVER, 0),
        SourceFile("worker.py", Language.PYTHON, Role.SERVER, 6),
    )


def test_dependencies_caches_environments_and_media_are_left_out(tree: Walk) -> None:
    walked = tree(
        {
            "app.js": "",
            "node_modules/bull/index.js": "",
            "apps/web/node_modules/cron/index.js": "",
            "__pycache__/app.py": "",
            ".git/hooks/pre-commit.py": "",
            "py310/pyvenv.cfg": "home = x",
            "py310/lib/celery.py": "",
            ".next/server/app.js": "",
            "logo.png": b"\x89PNG",
            "map/key.py": "",
            "bin/db": "#!/usr/bin/env node\n",
        }
    )
    assert paths(walked) == ["app.js", "bin/db", "map/key.py"]
    assert walked.diagnostics == ()


def test_nested_ignore_files_and_negations(tree: Walk) -> None:
    walked = tree(
        {
            ".gitignore": "scripts/\n!tools/scripts/\n*.local.ts\nout/\n",
            "scripts/a.ts": "",
            "tools/scripts/b.ts": "",
            "tools/.gitignore": "!keep.local.ts\n/own\n",
            "tools/keep.local.ts": "",
            "tools/drop.local.ts": "",
            "tools/own/c.ts": "",
            "tools/deep/own/d.ts": "",
            "out/e.ts": "",
        }
    )
    assert paths(walked) == [
        ".gitignore",
        "tools/.gitignore",
        "tools/deep/own/d.ts",
        "tools/keep.local.ts",
        "tools/scripts/b.ts",
    ]


def test_what_the_team_tells_the_audit_overrules_what_it_tells_git(tree: Walk) -> None:
    walked = tree(
        {
            ".gitignore": "dist/\n",
            ".cronauditignore": "legacy/\n!dist/\n",
            "legacy/cron.ts": "",
            "dist/server.js": "",
            "app.ts": "",
        }
    )
    assert paths(walked) == [".cronauditignore", ".gitignore", "app.ts", "dist/server.js"]


def test_links_are_resolved_not_followed(write: Write, roles: RoleRules, tmp_path: Path) -> None:
    root = write({"shared/queue.ts": "export {}", "apps/api/main.ts": ""})
    (tmp_path / "outside").mkdir()
    (root / "apps" / "api" / "shared").symlink_to("../../shared")
    (root / "apps" / "api" / "all").symlink_to("../..")
    (root / "apps" / "loop").symlink_to("loop")
    (root / "apps" / "away").symlink_to(tmp_path / "outside")
    (root / "apps" / "gone.ts").symlink_to("missing.ts")
    walked = walk(root, roles)
    assert paths(walked) == ["apps/api/main.ts", "shared/queue.ts"]
    assert walked.diagnostics == (
        Diagnostic("apps/away", "not followed: symbolic link out of the target"),
        Diagnostic("apps/gone.ts", "not followed: broken symbolic link"),
        Diagnostic("apps/loop", "not followed: broken symbolic link"),
    )
    assert walked.get("apps/api/shared/queue.ts") == walked.get("shared/queue.ts")
    assert walked.get("apps/api/all/apps/api/shared/queue.ts") == walked.get("shared/queue.ts")
    assert walked.read("apps/api/shared/queue.ts") == b"export {}"
    assert walked.get("apps/api/shared/none.ts") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_said(write: Write, roles: RoleRules) -> None:
    root = write({"app.py": "", "locked/jobs.py": ""})
    (root / "locked").chmod(0)
    try:
        walked = walk(root, roles)
    finally:
        (root / "locked").chmod(0o755)
    assert paths(walked) == ["app.py"]
    assert walked.diagnostics == (Diagnostic("locked", "folder not readable: Permission denied"),)


def test_a_folder_that_vanishes_is_said(
    write: Write, roles: RoleRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write({"app.py": "", "locked/jobs.py": ""})
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert walk(root, roles).diagnostics == (Diagnostic("locked", "folder not readable: Permission denied"),)


def test_a_single_file_is_a_target(write: Write, roles: RoleRules) -> None:
    root = write({"tests/jobs.py": "import celery", "tests/other.py": ""})
    walked = walk(root / "tests" / "jobs.py", roles)
    assert walked.root == root / "tests"
    assert walked.files == (SourceFile("jobs.py", Language.PYTHON, Role.SERVER, 13),)
    assert walked.read("jobs.py") == b"import celery"


def test_a_missing_target_is_an_error(tmp_path: Path, roles: RoleRules) -> None:
    with pytest.raises(FileNotFoundError):
        walk(tmp_path / "none", roles)


def test_a_name_that_is_no_utf8_is_said(write: Write, roles: RoleRules) -> None:
    root = write({"app.py": ""})
    try:
        (root / os.fsdecode(b"caf\xe9.py")).write_text("")
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    walked = walk(root, roles)
    assert paths(walked) == ["app.py"]
    assert walked.diagnostics == (Diagnostic("caf\\udce9.py", "skipped: the name is no UTF-8"),)


@pytest.mark.parametrize(
    ("head", "language"),
    [
        ("#!/usr/bin/env node\n", Language.JAVASCRIPT),
        ("#!/usr/bin/env -S python3.12 -u\n", Language.PYTHON),
        ("#!/bin/bash -e\n", Language.SHELL),
        ("#!/bin/sh\n", Language.SHELL),
        ("#!/usr/bin/perl\n", Language.OTHER),
        ("no shebang: node\n", Language.OTHER),
    ],
)
def test_scripts_without_suffix(tree: Walk, head: str, language: Language) -> None:
    assert [file.language for file in tree({"bin/run": head}).files] == [language]


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.mts", Language.TYPESCRIPT),
        ("a.d.ts", Language.TYPESCRIPT),
        ("a.jsx", Language.JAVASCRIPT),
        ("Dockerfile", Language.DOCKERFILE),
        ("api.Dockerfile", Language.DOCKERFILE),
        ("Procfile.dev", Language.PROCFILE),
        (".env.example", Language.ENV),
        ("prod.env", Language.ENV),
        ("etc/cron.d/backup", Language.CRONTAB),
        ("crontab.txt", Language.CRONTAB),
        ("backup.timer", Language.INI),
        ("supervisord.conf", Language.INI),
        ("nginx.conf", Language.OTHER),
        ("App.vue", Language.HTML),
        ("schema.prisma", Language.PRISMA),
    ],
)
def test_languages_by_name(tree: Walk, path: str, language: Language) -> None:
    assert [file.language for file in tree({path: "x"}).files] == [language]
