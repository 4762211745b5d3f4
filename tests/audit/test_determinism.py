"""Same tree, same bytes out: whatever the hash seed, the order of the files on disk, and the working directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from cronaudit.audit import audit
from cronaudit.model.options import AuditOptions
from cronaudit.model.source import Location
from cronaudit.survey import surveying

FIXTURES = Path(__file__).parent.parent / "fixtures"


def scan(target: Path, tmp_path: Path, seed: str, format_: str) -> bytes:
    out = tmp_path / f"{seed}.{format_}"
    command = [
        sys.executable,
        "-m",
        "cronaudit",
        "scan",
        target.name,
        "--format",
        format_,
        "-o",
        str(out),
        "-q",
    ]
    subprocess.run(
        [*command, "--date", "2026-11-23"],
        check=True,
        cwd=target.parent,
        env={**os.environ, "PYTHONHASHSEED": seed, "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    return out.read_bytes()


@pytest.mark.parametrize("format_", ["json", "markdown"])
def test_the_hash_seed_changes_nothing(tmp_path: Path, format_: str) -> None:
    target = FIXTURES / "ledger-service"

    assert scan(target, tmp_path, "1", format_) == scan(target, tmp_path, "4242", format_)


def test_the_order_on_disk_changes_nothing(tmp_path: Path) -> None:
    source = FIXTURES / "order-service"
    files = sorted(p for p in source.rglob("*") if p.is_file())
    results: list[bytes] = []
    for name, order in (("one", files), ("two", files[::-1])):
        target = tmp_path / name / "order-service"
        for file in order:
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        results.append(scan(target, tmp_path, f"{len(results)}", "json"))

    assert results[0] == results[1]


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("name", ["order-service", "campus-tree"])
def test_the_number_of_processes_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str, processes: int
) -> None:
    monkeypatch.setattr("threading.active_count", lambda: 1)
    one = audit(FIXTURES / name, AuditOptions(date(2026, 11, 23))).result
    with surveying(FIXTURES / name, (), processes) as survey:
        several = audit(FIXTURES / name, AuditOptions(date(2026, 11, 23), processes=processes), survey).result

    assert several.jobs == one.jobs
    assert several.service == one.service
    assert several.checks == one.checks
    assert several.diagnostics == one.diagnostics


def test_what_only_a_copy_has_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reads on behalf of one fact cannot be read whole; and a waiver stands where only a fact looks."""
    monkeypatch.setattr("threading.active_count", lambda: 1)
    (tmp_path / "package.json").write_text(
        '{"dependencies": {"node-cron": "4"}, "devDependencies": {"vitest": "2"}}'
    )
    (tmp_path / "job.js").write_text(
        "import cron from 'node-cron';\n"
        "export async function sweep() { await fetch('https://example.com', { method: 'POST' }); }\n"
        "cron.schedule('0 * * * *', sweep);\n"
    )
    (tmp_path / "job.test.js").write_text(
        "import { test } from 'vitest';\nimport { sweep } from './job.js';\n"
        "// cronaudit: ignore[IDEM-99] no such check\n"
        "test('twice', async () => { await sweep(); await sweep(); });\nconst = ;\n"
    )

    one, two = (audit(tmp_path, AuditOptions(date(2026, 11, 23), processes=n)).result for n in (1, 2))

    assert [d.path for d in one.diagnostics] == ["job.test.js", "job.test.js"]
    assert two.diagnostics == one.diagnostics


def test_a_timer_that_is_no_job_lends_its_work_to_none(tmp_path: Path) -> None:
    """What was judged is known by its identity, which memory gives to another one once it is gone."""
    (tmp_path / "package.json").write_text('{"dependencies": {"node-cron": "4", "pg": "8"}}')
    for number in range(12):
        (tmp_path / f"m{number:02}a.js").write_text(
            f"setInterval(() => {{ console.log({number}); }}, 1000);\n"
        )
        (tmp_path / f"m{number:02}b.js").write_text(
            "const cron = require('node-cron');\n"
            "const { Pool } = require('pg');\n"
            "const pool = new Pool();\n"
            f"cron.schedule('{number} * * * *', async () => {{ await pool.query('VACUUM'); }}, {{ name: 'v' }});\n"
        )

    for _ in range(4):
        jobs = audit(tmp_path, AuditOptions(date(2026, 11, 23))).result.jobs

        assert [job.walk.functions for job in jobs] == [(Location(f"m{n:02}b.js", 4, 4),) for n in range(12)]
