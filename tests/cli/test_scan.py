"""Exit codes, gates and options of `cronaudit scan`."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cronaudit.commands.settings import report_date
from cronaudit.model.options import ConfigurationError

TTL = "cronaudit: gate: issues of severity critical: Lock TTL < timeout\n"


@pytest.mark.parametrize(
    ("build", "arguments", "code", "stderr"),
    [
        ("result", [], 0, ""),
        ("result", ["--fail-under", "40"], 0, ""),
        ("result", ["--fail-under", "41"], 1, "cronaudit: gate: the pass rate is 40%, under 41%\n"),
        ("result", ["--fail-on", "critical"], 1, TTL),
        (
            "result",
            ["--fail-on", "low"],
            1,
            (
                "cronaudit: gate: issues of severity low or worse: "
                "Lock TTL < timeout, Job never started, Job without a name\n"
            ),
        ),
        (
            "full_result",
            ["--fail-on-new", "--baseline", "base.json"],
            1,
            "cronaudit: gate: new since the baseline: LOCK-03 on invoice-generation\n",
        ),
        ("full_result", ["--baseline", "base.json"], 0, ""),
        ("result", ["--fail-on-new", "--baseline", "base.json"], 0, ""),
        (
            "full_result",
            ["--fail-under", "50", "--fail-on", "critical", "--fail-on-new", "--baseline", "base.json"],
            1,
            "cronaudit: gate: the pass rate is 40%, under 50%\n"
            + TTL
            + "cronaudit: gate: new since the baseline: LOCK-03 on invoice-generation\n",
        ),
        ("empty_result", [], 3, "cronaudit: no job found in service; --allow-no-jobs accepts that\n"),
        ("empty_result", ["--allow-no-jobs"], 0, ""),
        ("empty_result", ["--allow-no-jobs", "--fail-under", "80", "--fail-on", "low"], 0, ""),
    ],
)
def test_gate(
    run: Any, audit: Any, make: Any, service: Path, build: str, arguments: list[str], code: int, stderr: str
) -> None:
    Path("base.json").write_text("{}")
    audit.result = getattr(make, build)()
    done = run("scan", service.name, "-q", *arguments)
    assert (done.exit_code, done.stderr) == (code, stderr)


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (["--fail-on-new"], "cronaudit: --fail-on-new needs a --baseline to compare with\n"),
        (
            ["--baseline", "none.json"],
            "cronaudit: baseline none.json: there is no such file; --write-baseline makes one\n",
        ),
        (
            ["--write-baseline", "no/base.json"],
            "cronaudit: no is no folder: create it, base.json goes there\n",
        ),
        (["--date", "23.11.2026"], "cronaudit: date '23.11.2026' is not written YYYY-MM-DD\n"),
        (
            ["--link-base", "javascript:alert(1)"],
            "cronaudit: link base 'javascript:alert(1)' is no address of a folder on a forge (https://…)\n",
        ),
        (["--config", "none.toml"], "cronaudit: none.toml: there is no such file\n"),
    ],
)
def test_wrong_usage(run: Any, audit: Any, service: Path, arguments: list[str], stderr: str) -> None:
    done = run("scan", service, *arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", stderr)
    assert audit.asked == []


@pytest.mark.parametrize(
    "arguments", [["nowhere"], [], ["service", "--fail-under", "101"], ["service", "--unknown"]]
)
def test_wrong_command_line(run: Any, audit: Any, service: Path, arguments: list[str]) -> None:
    assert service.is_dir()
    assert run("scan", *arguments).exit_code == 2
    assert audit.asked == []


def test_nothing_to_audit_still_writes(run: Any, audit: Any, make: Any, service: Path) -> None:
    audit.result = make.empty_result()
    done = run("scan", service, "-f", "json", "-o", "a.json", "--write-baseline", "base.json")
    assert done.exit_code == 3
    assert json.loads(Path("a.json").read_text())["jobs"] == []
    assert Path("base.json").read_text() == "baseline of order-service\n"


def test_wrong_catalogue(run: Any, audit: Any, service: Path) -> None:
    audit.failure = ConfigurationError("rules/checks/X-1.yaml:3: unknown field")
    done = run("scan", service)
    assert (done.exit_code, done.stderr) == (2, "cronaudit: rules/checks/X-1.yaml:3: unknown field\n")


def test_internal_error(run: Any, audit: Any, service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit.failure = ZeroDivisionError("oops")
    done = run("scan", service)
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr == (
        "cronaudit: internal error: ZeroDivisionError: oops\n"
        "  CRONAUDIT_TRACEBACK=1 shows where; please report it with that\n"
    )
    monkeypatch.setenv("CRONAUDIT_TRACEBACK", "1")
    told = run("scan", service)
    assert told.exit_code == 4
    assert "Traceback (most recent call last):\n" in told.stderr
    assert told.stderr.endswith("ZeroDivisionError: oops\n\n")


def test_contained_error_leaves_the_rest(run: Any, audit: Any, service: Path) -> None:
    audit.errors = ("Traceback (most recent call last):\n  …\nKeyError: 'x'\n",)
    done = run("scan", service, "-f", "json", "-o", "a.json", "-q", "--fail-under", "100")
    assert done.exit_code == 4
    assert json.loads(Path("a.json").read_text())["schema_version"] == 1
    assert done.stderr.startswith("cronaudit: internal error: KeyError: 'x'; the result is incomplete\n")


def test_one_broken_format_leaves_the_others(
    run: Any, audit: Any, service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise KeyError("cell")

    monkeypatch.setattr("cronaudit.report.markdown.render", fail)
    done = run("scan", service, "-f", "markdown", "-o", "a.md", "-f", "json", "-o", "a.json")
    assert done.exit_code == 4
    assert done.stderr.startswith("cronaudit: internal error while rendering markdown: KeyError: 'cell'\n")
    assert done.stdout.startswith(f"{audit.result.target.name}: 40/100")
    assert not Path("a.md").exists()
    assert Path("a.json").is_file()


def test_interrupt(run: Any, audit: Any, service: Path) -> None:
    audit.failure = KeyboardInterrupt()
    done = run("scan", service)
    assert (done.exit_code, done.stdout, done.stderr) == (130, "", "")


def test_options_reach_the_audit(run: Any, audit: Any, service: Path) -> None:
    Path("own").mkdir()
    Path("base.json").write_text("{}")
    done = run(
        "scan",
        service,
        "--rules",
        "own",
        "--job",
        "a*",
        "--job",
        "b",
        "--date",
        "2026-01-02",
        "--baseline",
        "base.json",
    )
    assert done.exit_code == 0
    assert audit.asked[0][0] == service
    assert audit.options.rules == (Path("own"),)
    assert audit.options.job_globs == ("a*", "b")
    assert audit.options.date == date(2026, 1, 2)
    assert audit.options.baseline == Path("base.json")
    assert audit.options.on_progress is None


def test_link_base_reaches_the_report(run: Any, audit: Any, service: Path) -> None:
    done = run("scan", service, "-f", "markdown", "--link-base", "https://forge.example/r/blob/main/")
    assert audit.result.jobs[0].location.path == "src/jobs/expiration.job.ts"
    assert "(https://forge.example/r/blob/main/src/jobs/expiration.job.ts#L16)" in done.stdout


def test_runs_are_those_of_the_calendar(run: Any, audit: Any, service: Path) -> None:
    done = run("scan", service, "-f", "json")
    runs = {job["id"]: job["schedule"]["next_runs"] for job in json.loads(done.stdout)["jobs"]}
    assert audit.result.date == "2026-11-23"
    assert runs["invoices"] == [
        "2026-11-23T02:00:00+01:00",
        "2026-11-24T02:00:00+01:00",
        "2026-11-25T02:00:00+01:00",
    ]
    assert runs["expiration"] == []


def test_colour_is_asked_for_or_refused(
    run: Any, audit: Any, service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit.asked == []
    assert "\x1b" not in run("scan", service).stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1m" in run("scan", service).stdout
    assert "\x1b" not in run("scan", service, "--no-color").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("scan", service).stdout


def test_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert report_date(None) == date(2023, 11, 14)
    assert report_date("2026-11-23") == date(2026, 11, 23)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    before = datetime.now(tz=UTC).date()
    assert before <= report_date(None) <= datetime.now(tz=UTC).date()


@pytest.mark.parametrize("epoch", ["soon", "9" * 30])
def test_wrong_epoch(monkeypatch: pytest.MonkeyPatch, epoch: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(ConfigurationError) as caught:
        report_date(None)
    assert str(caught.value) == f"SOURCE_DATE_EPOCH={epoch!r} is no number of seconds since 1970"


def test_reader_that_went_away_is_no_error() -> None:
    script = (
        "from cronaudit.commands.running import emit\nemit('x' * 3_000_000)\nemit('x')\nraise SystemExit(1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10) == b"x" * 10
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_start_imports_no_dear_library() -> None:
    dear = ["rich", "jinja2", "yaml", "tree_sitter", "libcst", "sqlglot", "cron_descriptor"]
    script = f"import sys, cronaudit.cli; print([name for name in {dear} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
