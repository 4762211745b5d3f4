from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cronaudit.target import Tree, service_name


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"package.json": '{"name": "shop"}'}, "shop"),
        ({"pyproject.toml": '[project]\nname = "store"'}, "store"),
        ({"pyproject.toml": '[tool.poetry]\nname = "store"'}, "store"),
        ({"package.json": '{"private": true}', "pyproject.toml": '[project]\nname = "store"'}, "store"),
        ({"package.json": "{", "pyproject.toml": "["}, "orders"),
        ({"package.json": "[]", "pyproject.toml": "project = 1\ntool = 2"}, "orders"),
        ({"package.json": '{"name": ""}', "web/package.json": '{"name": "web"}'}, "orders"),
        ({}, "orders"),
    ],
)
def test_service_name(tree: Callable[[Mapping[str, str]], Tree], files: dict[str, str], name: str) -> None:
    assert service_name(tree(files), Path("orders")) == name
