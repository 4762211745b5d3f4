"""What the audited service is called."""

from __future__ import annotations

import json
from pathlib import Path

from cronaudit.target.tree import Tree


def service_name(tree: Tree, path: Path) -> str:
    """The name of the service: from the manifest at the root of its tree, else that of the folder `path`."""
    return _of_package(tree) or _of_project(tree) or path.resolve().name or "service"


def _of_package(tree: Tree) -> str | None:
    if tree.get("package.json") is None:
        return None
    try:
        name = json.loads(tree.read("package.json")).get("name")
    except (ValueError, AttributeError):
        return None
    return name if isinstance(name, str) else None


def _of_project(tree: Tree) -> str | None:
    if tree.get("pyproject.toml") is None:
        return None
    import tomllib

    try:
        document = tomllib.loads(tree.read("pyproject.toml").decode("utf-8", "replace"))
    except tomllib.TOMLDecodeError:
        return None
    project, tools = document.get("project"), document.get("tool")
    poetry = tools.get("poetry") if isinstance(tools, dict) else None
    names = (table.get("name") for table in (project, poetry) if isinstance(table, dict))
    return next((name for name in names if isinstance(name, str)), None)
