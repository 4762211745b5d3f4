"""Whole documents, byte for byte. CRONAUDIT_UPDATE_SNAPSHOTS=1 writes them anew: read the diff then."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cronaudit.report.catalogue import rules_table
from cronaudit.report.explain import explain_check, explain_verdicts
from cronaudit.report.formats import FORMATS
from cronaudit.report.inventory import inventory_table

SNAPSHOTS = Path(__file__).parent / "snapshots"
LINKS = "https://forge.example/team/repo/blob/main/services/order-service/"


def compare(name: str, text: str) -> None:
    file = SNAPSHOTS / name
    if os.environ.get("CRONAUDIT_UPDATE_SNAPSHOTS") == "1":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("snapshot", "form", "build", "options"),
    [
        ("plain.md", "markdown", "result", {}),
        ("full-with-links.md", "markdown", "full_result", {"link_base": LINKS}),
        ("empty.md", "markdown", "empty_result", {}),
        ("hostile.md", "markdown", "hostile_result", {"link_base": LINKS}),
        ("full.json", "json", "full_result", {}),
        ("full.txt", "console", "full_result", {}),
        ("empty.txt", "console", "empty_result", {}),
        ("full-coloured.txt", "console", "full_result", {"color": True}),
    ],
)
def test_document(make: Any, snapshot: str, form: str, build: str, options: dict[str, Any]) -> None:
    text = FORMATS[form].render(getattr(make, build)(), make.render_options(**options))
    compare(snapshot, text)


@pytest.mark.parametrize(("snapshot", "width"), [("jobs-wide.txt", None), ("jobs-80.txt", 80)])
def test_inventory(make: Any, snapshot: str, width: int | None) -> None:
    compare(snapshot, inventory_table(make.full_result(), make.render_options(width=width)))


def test_rules(make: Any) -> None:
    compare("rules.txt", rules_table(make.catalogue()))


def test_explain_check(make: Any) -> None:
    catalogue = make.catalogue()
    compare("explain-check.txt", explain_check(catalogue, catalogue.checks[3]))


def test_explain_verdicts(make: Any) -> None:
    result = make.full_result()
    ttl, name = result.catalogue.checks[3], result.catalogue.checks[0]
    text = (
        explain_verdicts(result, ttl, result.jobs) + "\n" + explain_verdicts(result, name, result.jobs[2:3])
    )
    compare("explain-verdicts.txt", text)


def test_explain_service_check(make: Any) -> None:
    result = make.result()
    assert explain_verdicts(result, result.catalogue.checks[5], result.jobs) == (
        "IDEM-06 Double-run test: service: UNKNOWN\n"
        "  No tests in the tree\n"
        "\n"
        "Decided by outcome 1: when not service.tests\n"
    )
