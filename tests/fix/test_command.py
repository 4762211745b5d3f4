"""`cronaudit fix` from the outside: what it prints, what it writes, its exit codes."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cronaudit.cli import app
from cronaudit.commands import replacing
from tests.fix.small_services import Files

INDEX = """\
const cron = require('node-cron');
const { Pool } = require('pg');
const pool = new Pool();
async function settle() { await pool.query('DELETE FROM carts WHERE expired'); }
cron.schedule('*/5 * * * *', settle, { name: 'settle' });
"""
FIXED = INDEX.replace("{ name: 'settle' }", "{ name: 'settle', timezone: 'UTC' }")
DIFF = """\
--- a/index.js
+++ b/index.js
@@ -2,4 +2,4 @@
 const { Pool } = require('pg');
 const pool = new Pool();
 async function settle() { await pool.query('DELETE FROM carts WHERE expired'); }
-cron.schedule('*/5 * * * *', settle, { name: 'settle' });
+cron.schedule('*/5 * * * *', settle, { name: 'settle', timezone: 'UTC' });
"""
LINE = "  JOB-03  set the time zone: settle  index.js:5  safe\n"


@pytest.fixture
def service(write: Callable[[Files], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return write({"package.json": '{"dependencies": {"node-cron": "^4.1.0"}}', "index.js": INDEX})


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["fix", *(str(one) for one in arguments), "--date", "2026-11-23"])


def test_dry_run(service: Path) -> None:
    done = run(service, "--select", "JOB-03")
    assert done.exit_code == 1
    assert done.stdout == f"{DIFF}Would fix 1 finding by 1 change:\n{LINE}Nothing is written: --write does.\n"
    assert (service / "index.js").read_text() == INDEX


def test_write(service: Path) -> None:
    (service / "index.js").chmod(0o640)
    done = run(service, "--select", "JOB-03", "--write")
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"Fixed 1 finding by 1 change:\n{LINE}", "")
    assert (service / "index.js").read_text() == FIXED
    assert stat.S_IMODE((service / "index.js").stat().st_mode) == 0o640
    assert sorted(file.name for file in service.iterdir()) == ["index.js", "package.json"]
    again = run(service, "--select", "JOB-03", "--write")
    assert (again.exit_code, again.stdout) == (0, "Nothing to fix.\n")


def test_unsafe_is_asked_for(service: Path) -> None:
    hidden = run(service, "--select", "LOCK-01,ERR-05")
    assert hidden.exit_code == 0
    assert hidden.stdout == (
        "Nothing to fix.\n"
        "1 change more with --unsafe:\n"
        "  LOCK-01 (PARTIAL)  leave out a run while the last one goes on: settle  index.js:5  unsafe\n"
        "unsafe (LOCK-01): a run that hangs holds back all that follow, for nothing bounds its time\n"
        "1 finding without a fix: 0 that none is for\n"
        "  1  ERR-05  node-cron has no option for it that is known\n"
    )
    assert run(service, "--select", "LOCK-01", "--unsafe", "--write").exit_code == 0
    assert "noOverlap: true" in (service / "index.js").read_text()


def test_colours(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = run(service, "--select", "JOB-03").stdout
    assert "\x1b[32m+cron.schedule(" in shown
    assert "\x1b[31m-cron.schedule(" in shown
    assert "\x1b" not in run(service, "--select", "JOB-03", "--no-color").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run(service, "--select", "JOB-03").stdout


def test_a_file_without_a_line_end(service: Path) -> None:
    (service / "index.js").write_text(INDEX.rstrip("\n"))
    shown = run(service, "--select", "JOB-03").stdout
    assert shown.count("\\ No newline at end of file\n") == 2


def test_no_job(write: Callable[[Files], Path]) -> None:
    done = run(write({"index.js": "console.log(1);\n"}))
    assert (done.exit_code, done.stdout) == (3, "")


def test_unknown_check(service: Path) -> None:
    done = run(service, "--select", "JOB-99")
    assert done.exit_code == 2
    assert "there is no check 'JOB-99'" in done.stderr


def changing(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]) -> None:
    """Let something happen to the file between the audit and the write."""
    replace_content = replacing.replace_content

    def changed(file: Path, before: bytes, after: bytes) -> None:
        change(file)
        replace_content(file, before, after)

    monkeypatch.setattr(replacing, "replace_content", changed)


def test_a_file_that_changed_meanwhile(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changing(monkeypatch, lambda file: file.write_text("// mine\n"))
    done = run(service, "--select", "JOB-03", "--write")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == ("cronaudit: index.js is left as it is: it changed meanwhile; run fix again\n")
    assert (service / "index.js").read_text() == "// mine\n"
    assert sorted(file.name for file in service.iterdir()) == ["index.js", "package.json"]


def test_a_link_in_place_of_the_file(service: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.js"
    other.write_text(INDEX)

    def link(file: Path) -> None:
        file.unlink()
        file.symlink_to(other)

    changing(monkeypatch, link)
    done = run(service, "--select", "JOB-03", "--write")
    assert done.exit_code == 1
    assert "it is no regular file any more" in done.stderr
    assert other.read_text() == INDEX


def test_a_file_that_is_gone(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changing(monkeypatch, lambda file: file.unlink())
    done = run(service, "--select", "JOB-03", "--write")
    assert done.exit_code == 1
    assert "index.js is left as it is: No such file or directory" in done.stderr


def test_a_file_that_is_read_only(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changing(monkeypatch, lambda _: monkeypatch.setattr("os.access", lambda *_: False))
    done = run(service, "--select", "JOB-03", "--write")
    assert done.exit_code == 1
    assert "it is read-only" in done.stderr
    assert (service / "index.js").read_text() == INDEX


def test_a_linked_file_of_the_tree_is_written_where_it_lies(service: Path) -> None:
    (service / "jobs.js").write_text(INDEX)
    (service / "index.js").unlink()
    (service / "index.js").symlink_to("jobs.js")
    assert run(service, "--select", "JOB-03", "--write").exit_code == 0
    assert (service / "index.js").is_symlink()
    assert (service / "jobs.js").read_text() == FIXED
