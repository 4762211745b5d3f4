from __future__ import annotations

import pytest

from cronaudit.target.ignore import IgnoreChain, IgnoreFile


@pytest.mark.parametrize(
    ("patterns", "path", "folder", "decided"),
    [
        ("node_modules", "node_modules", True, True),
        ("node_modules", "apps/web/node_modules", True, True),
        ("node_modules", "apps/node_modules_of_old", True, None),
        ("dist/", "dist", True, True),
        ("dist/", "dist", False, None),
        ("/build", "build", True, True),
        ("/build", "src/build", True, None),
        ("packages/db/generated", "packages/db/generated", True, True),
        ("packages/db/generated", "x/packages/db/generated", True, None),
        ("**/coverage", "a/b/coverage", True, True),
        ("**/.env", ".env", False, True),
        ("**/logs/debug.log", "a/logs/debug.log", False, True),
        ("**/logs/debug.log", "logs/debug.log", False, True),
        ("*.pyc", "a/b.pyc", False, True),
        ("*.py[co]", "a/b.pyo", False, True),
        ("*.py[co]", "a/b.py", False, None),
        (".env*.local", ".env.test.local", False, True),
        ("/*.iml", "a.iml", False, True),
        ("/*.iml", "a.imlx", False, None),
        ("/*.iml", "sub/a.iml", False, None),
        ("apps/*/dist", "apps/web/dist", True, True),
        ("apps/*/dist", "apps/web/x/dist", True, None),
        ("a/**/b", "a/b", True, True),
        ("a/**/b", "a/x/y/b", True, True),
        ("cache/**", "cache", True, None),
        ("cache/**", "cache/one", False, True),
        ("?.js", "a.js", False, True),
        ("?.js", "ab.js", False, None),
        ("# a comment", "# a comment", False, None),
        ("\\#name", "#name", False, True),
        ("trailing  ", "trailing", False, True),
        ("windows\r\nlines\r\n", "windows", False, True),
        ("\ufeff*.log", "a.log", False, True),
        ("*.js\n!keep.js", "keep.js", False, False),
        ("*.js\n!keep.js", "drop.js", False, True),
        ("!keep.js\n*.js", "keep.js", False, True),
        (".vscode/*\n!.vscode/tasks.json", ".vscode/tasks.json", False, False),
        (".vscode/*\n!.vscode/tasks.json", ".vscode/other.json", False, True),
        ("*\n!*/\n!*.py", "a.py", False, False),
        ("*\n!*/\n!*.py", "pkg", True, False),
        ("*\n!*/\n!*.py", "a.txt", False, True),
    ],
)
def test_patterns_decide_as_git_does(patterns: str, path: str, folder: bool, decided: bool | None) -> None:
    file = IgnoreFile.parse(patterns.encode())
    assert file.decide(path, path.rpartition("/")[2], folder=folder) is decided


def test_the_innermost_file_that_names_an_entry_decides() -> None:
    outer = IgnoreFile.parse(b"*.log\n*.tmp")
    inner = IgnoreFile.parse(b"!keep.log")
    chain = IgnoreChain().with_file(outer).entering("jobs").with_file(inner)
    decided = {
        name: chain.decide(name, folder=False) for name in ("keep.log", "other.log", "a.tmp", "job.py")
    }
    assert decided == {"keep.log": False, "other.log": True, "a.tmp": True, "job.py": None}


def test_a_file_without_patterns_is_not_in_the_chain() -> None:
    assert IgnoreChain().with_file(IgnoreFile.parse(b"# nothing\n\n")).files == ()
