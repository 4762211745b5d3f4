"""Which documents a scan writes, and where."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from cronaudit.commands.documents import Document, FormatOption, OutputOption, pair, write
from cronaudit.model.options import ConfigurationError
from cronaudit.report.formats import FORMATS

F, O = FormatOption, OutputOption  # noqa: E741 - as in a command line


@pytest.mark.parametrize(
    ("options", "documents"),
    [
        ([], []),
        ([F("json")], [("json", None)]),
        ([F("markdown"), O("a.md")], [("markdown", "a.md")]),
        ([F("markdown"), O("-")], [("markdown", None)]),
        ([F("markdown"), O("a.md"), F("json"), O("b")], [("markdown", "a.md"), ("json", "b")]),
        ([F("markdown"), F("json"), O("a"), O("b")], [("markdown", "a"), ("json", "b")]),
        ([O("a"), F("markdown"), O("b"), F("json")], [("markdown", "a"), ("json", "b")]),
        ([F("console"), F("json"), O("b")], [("console", None), ("json", "b")]),
        ([F("json"), O("b"), F("console")], [("json", "b"), ("console", None)]),
        ([O("report.md"), O("x.JSON")], [("markdown", "report.md"), ("json", "x.JSON")]),
    ],
)
def test_pair(service: Path, options: list[Any], documents: list[tuple[str, str | None]]) -> None:
    assert service.is_dir()
    assert pair(options) == [Document(name, Path(file) if file else None) for name, file in documents]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([F("markdwon")], "unknown format 'markdwon', did you mean 'markdown'?"),
        ([F("xyz")], f"unknown format 'xyz': one of {', '.join(FORMATS)}"),
        (
            [F("json"), F("console")],
            "two documents would go to standard output: give each --format its own -o",
        ),
        ([F("json"), O("a"), O("b")], "2 times -o for 1 times --format"),
        (
            [O("a"), F("json"), F("console")],
            "-o a does not say which --format it is for: put it behind that one",
        ),
        ([O("report")], f"-o report does not say its format: add --format, one of {', '.join(FORMATS)}"),
        ([F("json"), O("nowhere/a.json")], "nowhere is no folder: create it, a.json goes there"),
        ([F("json"), O("service")], "service is a folder"),
    ],
)
def test_pair_refuses(service: Path, options: list[Any], message: str) -> None:
    assert service.is_dir()
    with pytest.raises(ConfigurationError) as caught:
        pair(options)
    assert str(caught.value) == message


def test_same_file_twice_is_refused(service: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        pair([F("json"), O("a"), F("markdown"), O("service/../a")])
    place = os.path.realpath(service.parent / "a")
    assert str(caught.value) == f"two documents would go to {place}: give each --format its own -o"


def test_several_pairs_in_one_run(run: Any, audit: Any, service: Path) -> None:
    done = run("scan", service, "-f", "markdown", "-o", "a.md", "--format=json", "--output=b.json", "-q")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert (
        Path("a.md")
        .read_text(encoding="utf-8")
        .startswith("# Order Service - 24 Scheduled Jobs & Cron Audit\n")
    )
    assert json.loads(Path("b.json").read_text(encoding="utf-8"))["target"]["name"] == "order-service"
    assert sorted(entry.name for entry in service.parent.iterdir()) == ["a.md", "b.json", "service"]
    assert len(audit.asked) == 1


def test_document_on_standard_output_comes_alone(run: Any, audit: Any, service: Path) -> None:
    done = run("scan", service, "-f", "json", "-o", "-")
    assert json.loads(done.stdout)["target"]["name"] == audit.result.target.name
    assert done.stderr == ""


def test_summary_by_default(run: Any, audit: Any, service: Path) -> None:
    done = run("scan", service)
    assert done.stdout.startswith(f"{audit.result.target.name}: 40/100 (2 of 5 applicable checks pass)\n")
    assert "\x1b" not in done.stdout


def test_summary_beside_files(run: Any, audit: Any, service: Path) -> None:
    done = run("scan", service, "-f", "markdown", "-o", "a.md")
    assert done.stdout.startswith(f"{audit.result.target.name}: 40/100")


def test_console_document_in_a_file_is_no_second_summary(run: Any, audit: Any, service: Path) -> None:
    done = run("scan", service, "-f", "console", "-o", "a.txt")
    assert done.stdout == ""
    assert Path("a.txt").read_text(encoding="utf-8").startswith(f"{audit.result.target.name}: 40/100")


def test_written_file_is_for_the_team(service: Path) -> None:
    mask = os.umask(0o022)
    try:
        write(service / "report.md", "x\n")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((service / "report.md").stat().st_mode) == 0o644


def test_link_stays_a_link(service: Path) -> None:
    (service / "link.md").symlink_to("real.md")
    write(service / "link.md", "new\n")
    assert (service / "link.md").is_symlink()
    assert (service / "real.md").read_text() == "new\n"


def test_failed_write_leaves_the_old_document(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = service / "report.md"
    file.write_text("old\n")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(ConfigurationError) as caught:
        write(file, "new\n")
    assert str(caught.value) == f"cannot write {file}: No space left on device"
    assert file.read_text() == "old\n"
    assert sorted(entry.name for entry in service.iterdir()) == ["report.md", "src"]


def test_device_is_written_not_replaced() -> None:
    write(Path(os.devnull), "x\n")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
