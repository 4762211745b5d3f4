"""The fixtures as a whole: each scan is as expected, and for each check there is a fixture for each of its statuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.accuracy.fixtures import FIXTURES, FLOORS, compare
from bench.accuracy.scan import read, scan
from cronaudit import assets

EXPECTED = sorted(FIXTURES.glob("*.expected.yaml"))


def _load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def _statuses(check: str, runtime: str | None = None) -> set[str]:
    """What the fixtures expect of a check. The PARTIAL of a mixed row is a roll-up: there only the jobs count."""
    found: set[str] = set()
    for path in EXPECTED:
        document = _load(path)
        if runtime is not None and document["runtime"] != [runtime]:
            continue
        row = document["checks"][check]
        jobs = set((row.get("jobs") or {}).values())
        found |= jobs or {row["status"]}
        if row["status"] != "PARTIAL":
            found.add(row["status"])
    return found


CHECKS = {path.stem: _load(path) for path in sorted((assets.rules_dir() / "checks").glob("*/*.yaml"))}


def test_the_catalogue_is_read() -> None:
    assert len(CHECKS) == 67


@pytest.mark.parametrize("check", CHECKS)
def test_each_status_of_a_check_has_a_fixture(check: str) -> None:
    decided = {outcome["status"] for outcome in CHECKS[check]["outcomes"]}

    # UNKNOWN is what the evaluator makes of any open value, N/A what a fixture without the thing gives in passing.
    assert decided & {"PASS", "PARTIAL", "FAIL"} <= _statuses(check)


@pytest.mark.parametrize("check", CHECKS)
def test_each_status_of_a_check_has_a_fixture_in_python(check: str) -> None:
    decided = {outcome["status"] for outcome in CHECKS[check]["outcomes"]} & {"PASS", "PARTIAL", "FAIL"}

    assert decided <= _statuses(check, "python")


def test_a_tree_of_two_runtimes_has_two_tables() -> None:
    summary = read(scan(FIXTURES / "campus-tree")).summary

    tables = [s for s in summary["sections"] if s["id"] == "3.6"]
    assert [(t["title"], t["runtime"], t["pass"], t["applicable"]) for t in tables] == [
        ("Node.js Specific", "node", 0, 6),
        ("Python Specific", "python", 4, 7),
    ]


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.name.partition(".")[0])
def test_a_fixture_is_audited_as_expected(path: Path) -> None:
    assert compare(path).problems == ()


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.name.partition(".")[0])
def test_every_check_is_expected_of_a_fixture(path: Path) -> None:
    assert list(_load(path)["checks"]) == _in_report_order()


def test_all_fixtures_are_exact_in_the_benchmark() -> None:
    exact = yaml.safe_load(FLOORS.read_text(encoding="utf-8"))["fixtures"]["exact"]

    assert exact == [path.name.removesuffix(".expected.yaml") for path in EXPECTED]


def _in_report_order() -> list[str]:
    return [path.stem for path in sorted((assets.rules_dir() / "checks").glob("*/*.yaml"))]
