from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from cronaudit.model.deployment import Deployment, Process
from cronaudit.recognition.deployment import Enclosing, read_deployment
from cronaudit.target import RoleRules, walk

RULES = Path(__file__).parents[3] / "rules" / "roles.yaml"

Read = Callable[..., Deployment]


@pytest.fixture(scope="session")
def roles() -> RoleRules:
    return RoleRules.from_mapping(yaml.safe_load(RULES.read_text("utf-8")))


@pytest.fixture
def read(tmp_path: Path, roles: RoleRules) -> Read:
    """Write files below a fresh folder and read what they say of running them."""

    def read_files(files: Mapping[str, str], enclosing: Enclosing | None = None) -> Deployment:
        root = tmp_path / "target"
        for path, content in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, "utf-8")
        return read_deployment(walk(root, roles), enclosing)

    return read_files


@pytest.fixture
def named() -> Callable[[Deployment, str], Process]:
    """The process of that name."""

    def find(deployment: Deployment, name: str) -> Process:
        (found,) = [process for process in deployment.processes if process.name == name]
        return found

    return find
