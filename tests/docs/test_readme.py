"""What README.md tells people to write must work as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from cronaudit.commands.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, beginning: str) -> str:
    """The one block of a language that begins so."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = [text for text in blocks if text.startswith(beginning)]
    assert isinstance(found, str)
    return found


def cronaudit(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("cronaudit")), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_check_of_a_team_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "TEAM-01.yaml").write_text(block("yaml", "id: TEAM-01"), encoding="utf-8")
    assert "TEAM-01" in cronaudit("rules", "--rules", str(tmp_path))


def test_the_library_of_a_team_makes_a_job_of_its_call(tmp_path: Path) -> None:
    libraries, source = tmp_path / "rules" / "libraries", tmp_path / "service" / "src"
    for folder in (libraries, source):
        folder.mkdir(parents=True)
    (libraries / "acme-ticker.yaml").write_text(block("yaml", "title: Acme ticker"), encoding="utf-8")
    (source / "index.ts").write_text(block("ts", "import { beat, every }"), encoding="utf-8")
    options = (str(source.parent), "--rules", str(tmp_path / "rules"), "--date", "2026-11-23")
    document = json.loads(cronaudit("scan", *options, "--format", "json", "-o", "-"))
    (job,) = document["jobs"]
    assert (job["name"], job["kind"], job["schedule"]["expression"], job["schedule"]["timezone"]) == (
        "session-purge",
        "acme-ticker",
        "0 4 * * *",
        "UTC",
    )
    (signal,) = [check for check in document["checks"] if check["id"] == "MON-02"]
    assert (signal["status"], signal["evidence"]) == ("PASS", "Healthchecks.io")


def test_the_configuration_is_understood(tmp_path: Path) -> None:
    (tmp_path / "cronaudit.toml").write_text(block("toml", "fail-on ="), encoding="utf-8")
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


def test_the_waiver_of_the_configuration_is_understood(tmp_path: Path) -> None:
    (tmp_path / "cronaudit.toml").write_text(block("toml", "[[waive]]"), encoding="utf-8")
    (waiver,) = read_settings(tmp_path, None).waivers
    assert (waiver.job, waiver.checks, waiver.line) == ("order-*", ("LOCK-03",), 1)


def test_links_lead_somewhere() -> None:
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "bench" / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]
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
