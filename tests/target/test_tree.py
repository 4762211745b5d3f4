from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cronaudit.model.source import Diagnostic
from cronaudit.target import RoleRules, Tree, walk

Content = str | bytes
Write = Callable[[Mapping[str, Content]], Path]
Walk = Callable[[Mapping[str, Content]], Tree]


def test_content_is_utf8_without_byte_order_mark(tree: Walk) -> None:
    walked = tree(
        {
            "a.py": b"\xef\xbb\xbfx = 'caf\xc3\xa9'",
            "b.py": "x = 'café'".encode("utf-16"),
            "c.py": "x = 'café'".encode("utf-16-be").join([b"\xfe\xff", b""]),
            "d.py": b"x = 'caf\xe9'",
        }
    )
    assert [walked.text(f"{name}.py") for name in "abcd"] == ["x = 'café'"] * 3 + ["x = 'caf\ufffd'"]
    assert walked.diagnostics == ()


def test_binary_content_is_empty_and_said(tree: Walk) -> None:
    walked = tree({"a.ts": b"\x00\x01\x02", "Dockerfile": b"FROM\x00"})
    assert (walked.read("a.ts"), walked.read("Dockerfile")) == (b"", b"")
    assert walked.diagnostics == (
        Diagnostic("Dockerfile", "not read: binary content"),
        Diagnostic("a.ts", "not read: binary content"),
    )


def test_large_and_minified_code_is_not_offered_for_parsing(tree: Walk) -> None:
    minified = "function a(b){return b(c);}" * 300
    walked = tree(
        {
            "server.js": minified,
            "large.ts": "let x = 1;\n" * 60_000,
            "large.py": "x = 1\n" * 200_000,
            "long.py": "x = 1\n" * 100_000,
            "public/app.js": minified,
            "logo.ts": f"export const logo = '{'A' * 9000}';\n",
        }
    )
    unread = ("server.js", "large.py", "large.ts", "public/app.js")
    assert [walked.read(path) for path in unread] == [b""] * 4
    assert (len(walked.read("logo.ts")), len(walked.read("long.py"))) == (9024, 600_000)
    assert walked.diagnostics == (
        Diagnostic("large.py", "not read: 1,200,000 bytes, the limit is 1,000,000"),
        Diagnostic("large.ts", "not read: 660,000 bytes, the limit is 500,000"),
        Diagnostic("server.js", "not parsed: minified"),
    )


def test_a_file_that_vanished_is_empty_and_said(write: Write, roles: RoleRules) -> None:
    root = write({"a.py": "x"})
    walked = walk(root, roles)
    (root / "a.py").unlink()
    assert walked.read("a.py") == b""
    assert walked.diagnostics == (Diagnostic("a.py", "not readable: No such file or directory"),)


def test_a_file_that_grew_is_read_to_its_end(write: Write, roles: RoleRules) -> None:
    root = write({"a.py": "x"})
    walked = walk(root, roles)
    (root / "a.py").write_text("y" * 10_000)
    assert walked.read("a.py") == b"y" * 10_000


def test_content_is_read_once(write: Write, roles: RoleRules) -> None:
    root = write({"a.py": "first"})
    walked = walk(root, roles)
    assert walked.read("a.py") == b"first"
    (root / "a.py").write_text("second")
    assert walked.read("a.py") == b"first"


def test_reading_outside_the_tree_is_an_error(tree: Walk) -> None:
    with pytest.raises(KeyError):
        tree({"a.py": ""}).read("../a.py")


def test_lines_are_counted_from_one(tree: Walk) -> None:
    walked = tree({"a.py": "one\ntwo\n\nfour"})
    assert [walked.line_of("a.py", offset) for offset in (0, 3, 4, 8, 9, 12)] == [1, 1, 2, 3, 4, 4]


def test_look_up_by_path_and_by_name(tree: Walk) -> None:
    walked = tree({"b/tasks.py": "", "a/tasks.py": "", "a/views.py": ""})
    assert [file.path for file in walked.by_name("tasks.py")] == ["a/tasks.py", "b/tasks.py"]
    assert walked.by_name("none.py") == ()
    found = walked.get("a/views.py")
    assert found is not None
    assert found.path == "a/views.py"
    assert walked.get("a") is None
