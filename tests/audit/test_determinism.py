"""Same tree, same bytes out: whatever the hash seed, the order of the files on disk, and the working directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
