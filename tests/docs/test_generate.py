from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cronaudit.assets import rules_dir
from cronaudit.ruleset.catalogue import load_catalogue
from cronaudit.ruleset.fields import documented_fields

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "generate.py"


@pytest.fixture
def script(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "docs").mkdir()
    found = runpy.run_path(str(SCRIPT))
    found["main"].__globals__["ROOT"] = tmp_path
    return found


@pytest.fixture
def run(script: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    def main(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["generate.py", *arguments])
        return int(script["main"]())

    return main


def test_every_rule_has_its_anchor(script: dict[str, Any]) -> None:
    catalogue = load_catalogue([rules_dir()])
    page = script["checks_page"](catalogue)
    ids = [*(check.id for check in catalogue.checks), *(issue.id for issue in catalogue.issues)]
    assert [name for name in ids if page.count(f'<a id="{name}"></a>') != 1] == []


def test_every_field_has_its_row(script: dict[str, Any]) -> None:
    page = script["fields_page"]()
    rows = [f"| `{field.group}.{field.name}` |" for field in documented_fields()]
    assert [row for row in rows if page.count(row) != 1] == []


def test_drift_is_shown_and_fails(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--check") == 1
    assert run() == 0
    capsys.readouterr()
    assert run("--check") == 0
    assert capsys.readouterr().out == ""
    page = tmp_path / "docs" / "checks.md"
    page.write_text(page.read_text(encoding="utf-8").replace("# Checks", "# Czechs", 1), encoding="utf-8")
    assert run("--check") == 1
    shown = capsys.readouterr().out
    assert "-# Czechs" in shown
    assert "+# Checks" in shown
