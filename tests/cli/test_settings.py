"""Options kept in the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cronaudit.commands.documents import Document
from cronaudit.commands.settings import Settings, read_settings
from cronaudit.model.options import ConfigurationError, Waiver
from cronaudit.model.verdict import Severity

ALL = """
allow-no-jobs = true
baseline = "base.json"
date = 2026-11-23
fail-on = "high"
fail-on-new = true
fail-under = 80
format = ["markdown", "json"]
job = "a*"
link-base = "https://forge.example/r"
no-color = true
output = ["report.md", "-"]
quiet = true
rules = ["own"]

[[waive]]
job = "order-*"
checks = ["LOCK-03", "LOCK-05"]
reason = "one replica by contract"

[[waive]]
job = "service"
checks = "MON-10"
reason = "the runbook is elsewhere"
"""


def test_every_option(service: Path) -> None:
    (service / "cronaudit.toml").write_text(ALL)
    assert read_settings(service, None) == Settings(
        documents=(Document("markdown", service / "report.md"), Document("json", None)),
        fail_under=80,
        fail_on=Severity.HIGH,
        fail_on_new=True,
        baseline=service / "base.json",
        rules=(service / "own",),
        link_base="https://forge.example/r",
        date="2026-11-23",
        allow_no_jobs=True,
        jobs=("a*",),
        quiet=True,
        no_color=True,
        waivers=(
            Waiver("order-*", ("LOCK-03", "LOCK-05"), "one replica by contract", "cronaudit.toml", 16),
            Waiver("service", ("MON-10",), "the runbook is elsewhere", "cronaudit.toml", 21),
        ),
    )


def test_pyproject(service: Path) -> None:
    (service / "pyproject.toml").write_text("[tool.cronaudit]\nfail-under = 30\n")
    assert read_settings(service, None) == Settings(fail_under=30)
    (service / "cronaudit.toml").write_text("fail-under = 40\n")
    assert read_settings(service, None) == Settings(fail_under=40)


def test_stated_file_wins(service: Path) -> None:
    (service / "cronaudit.toml").write_text("fail-under = 40\n")
    Path("ci.toml").write_text("fail-under = 50\n")
    assert read_settings(service, Path("ci.toml")) == Settings(fail_under=50)


def test_waivers_of_pyproject_reach_the_audit(run: Any, audit: Any, service: Path) -> None:
    head = "[project]\n\n[[tool.cronaudit.waive]]\n"
    (service / "pyproject.toml").write_text(f"{head}job = '*'\nchecks = 'JOB-03'\nreason = 'UTC hosts'\n")
    assert run("scan", service).exit_code == 0
    assert audit.options.waivers == (Waiver("*", ("JOB-03",), "UTC hosts", "pyproject.toml", 3),)


@pytest.mark.parametrize("content", ["", "[project]\nname = 'x'\n", "[tool.ruff]\n"])
def test_project_without_options(service: Path, content: str) -> None:
    (service / "pyproject.toml").write_text(content)
    assert read_settings(service, None) == Settings()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("fail-unter = 3", "unknown key 'fail-unter', did you mean 'fail-under'?"),
        ("fail-under = '80'", "fail-under = '80' is not a whole number from 0 to 100"),
        ("fail-under = true", "fail-under = True is not a whole number from 0 to 100"),
        ("fail-under = 101", "fail-under = 101 is not a whole number from 0 to 100"),
        ("fail-on = 'bad'", "fail-on = 'bad' is not one of critical, high, medium, low"),
        ("quiet = 'yes'", "quiet = 'yes' is not true or false"),
        ("job = [1]", "job = [1] is not a string or a list of strings"),
        ("link-base = 3", "link-base = 3 is not a string"),
        ("waive = 'LOCK-03'", "waive = 'LOCK-03' is not a list of tables"),
        ("[[waive]]\njob = 'x'\nchecks = 'LOCK-03'", "waive number 1 needs job, checks and reason"),
        ("[[waive]]\ncheck = 'LOCK-03'", "unknown key 'check' in waive, did you mean 'checks'?"),
        ("format = 'yml'", "unknown format 'yml': one of console, markdown, json"),
        ("format = ['json']\noutput = ['a', 'b']", "output names 2 files, format 1 formats"),
    ],
)
def test_wrong_configuration(service: Path, content: str, message: str) -> None:
    file = service / "cronaudit.toml"
    file.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(service, None)
    assert str(caught.value) == f"{file}: {message}"


def test_broken_toml_names_its_line(service: Path) -> None:
    (service / "cronaudit.toml").write_text("fail-under = \n")
    with pytest.raises(ConfigurationError, match=r"cronaudit\.toml: Invalid value \(at line 1, column 14\)"):
        read_settings(service, None)


def test_target_writes_nothing_outside_of_it(service: Path) -> None:
    file = service / "cronaudit.toml"
    file.write_text('format = "json"\noutput = "../stolen.json"\n')
    with pytest.raises(ConfigurationError) as caught:
        read_settings(service, None)
    outside = service / ".." / "stolen.json"
    assert (
        str(caught.value) == f"{file}: output {outside} lies outside of the target; --config {file} allows it"
    )
    assert read_settings(service, file).documents == (Document("json", outside),)


def test_command_line_wins(run: Any, audit: Any, service: Path) -> None:
    (service / "cronaudit.toml").write_text("fail-under = 90\nquiet = true\ndate = '2020-01-01'\njob = 'z'\n")
    assert run("scan", service).exit_code == 1
    assert audit.options.date.isoformat() == "2020-01-01"
    done = run("scan", service, "--fail-under", "10", "--no-quiet", "--date", "2026-11-23", "--job", "a")
    assert done.exit_code == 0
    assert done.stdout.startswith("order-service: 40/100")
    assert audit.options.date.isoformat() == "2026-11-23"
    assert audit.options.job_globs == ("a",)


def test_switch_in_the_file_can_be_turned_off(run: Any, audit: Any, make: Any, service: Path) -> None:
    (service / "base.json").write_text("{}")
    (service / "cronaudit.toml").write_text("fail-on-new = true\nbaseline = 'base.json'\n")
    audit.result = make.full_result()
    assert run("scan", service).exit_code == 1
    assert run("scan", service, "--no-fail-on-new").exit_code == 0
