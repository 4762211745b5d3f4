from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from cronaudit.fixing import Fixing, FixOptions, fix
from cronaudit.model.options import AuditOptions
from tests.fix.small_services import Files, Fixed, Mended


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Files], Path]:
    def written(files: Files) -> Path:
        for name, content in files.items():
            file = tmp_path / "service" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else dedent(content).lstrip("\n").encode())
        return tmp_path / "service"

    return written


@pytest.fixture
def fixed(write: Callable[[Files], Path]) -> Fixed:
    def found(files: Files, *select: str, unsafe: bool = False, rules: tuple[Path, ...] = ()) -> Fixing:
        options = AuditOptions(date(2026, 11, 23), rules=rules)
        return fix(write(files), FixOptions(options, select, unsafe))

    return found


@pytest.fixture
def mended(fixed: Fixed) -> Mended:
    def texts(files: Files, *select: str, unsafe: bool = False) -> dict[str, str]:
        fixing = fixed(files, *select, unsafe=unsafe)
        return {change.path: change.after.decode() for change in fixing.changes}

    return texts
