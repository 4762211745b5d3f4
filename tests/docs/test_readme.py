"""What README.md tells people to write must work as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from cronaudit.commands.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert isinstance(found, str)
    return found


def test_the_check_of_a_team_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "TEAM-01.yaml").write_text(block("yaml"), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("cronaudit")), "rules", "--rules", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "TEAM-01" in done.stdout


def test_the_configuration_is_understood(tmp_path: Path) -> None:
    (tmp_path / "cronaudit.toml").write_text(block("toml"), encoding="utf-8")
    settings = read_settings(tmp_path, None)
    assert [(document.format, document.output) for document in settings.documents] == [
        ("markdown", tmp_path / "audit.md"),
        ("json", tmp_path / "audit.json"),
    ]
    assert (settings.fail_on, settings.fail_on_new) == ("critical", True)
    assert (settings.baseline, settings.rules) == (
        tmp_path / "cronaudit-baseline.json",
        (tmp_path / "audit-rules",),
    )


def test_links_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    generated = {"docs/sample-report.md"}
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        if page.relative_to(ROOT).as_posix() not in generated
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert broken == []


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    pages = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    asked = {
        word
        for line in re.findall(r"^make (.*?)(?:#|&&|$)", pages, re.MULTILINE)
        for word in line.split()
        if "=" not in word
    }
    assert asked >= {"dev", "test", "lint", "types", "docs", "ci"}
    assert sorted(asked - targets) == []
