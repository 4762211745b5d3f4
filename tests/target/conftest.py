from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from cronaudit.target import RoleRules, Tree, walk

RULES = Path(__file__).parents[2] / "rules" / "roles.yaml"

Content = str | bytes


@pytest.fixture(scope="session")
def roles() -> RoleRules:
    return RoleRules.from_mapping(yaml.safe_load(RULES.read_text("utf-8")))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, Content]], Path]:
    """Write files below a fresh folder and return it."""

    def write_files(files: Mapping[str, Content]) -> Path:
        root = tmp_path / "target"
        root.mkdir(exist_ok=True)
        for path, content in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write_files


@pytest.fixture
def tree(
    write: Callable[[Mapping[str, Content]], Path], roles: RoleRules
) -> Callable[[Mapping[str, Content]], Tree]:
    """Walk a fresh folder with these files."""

    def walk_files(files: Mapping[str, Content]) -> Tree:
        return walk(write(files), roles)

    return walk_files
