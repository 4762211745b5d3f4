"""Knowledge is data: what a library's calls mean stands in rules/libraries, never in Python."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "cronaudit"
LIBRARIES = sorted((ROOT / "rules" / "libraries").rglob("*.yaml"))
PACKAGE_KEYS = frozenset({"package", "packages"})
"""Keys of a library file under which the names of its packages stand."""

ORDINARY_WORDS = frozenset(
    "async cache cron database email events fetch later lock logger logging monitor next node python queue "
    "request requests retry schedule scheduler signal threading timers worker workflow".split()
)
"""Packages that are called like things this tool itself speaks of; as a string these say nothing of a library."""


def packages(node: Any) -> set[str]:
    """All package names in a library document, wherever the key stands."""
    match node:
        case dict():
            found: set[str] = set()
            for key, value in node.items():
                if key in PACKAGE_KEYS:
                    found |= names(value)
                found |= packages(value)
            return found
        case list():
            return set().union(*map(packages, node))
        case _:
            return set()


def names(value: Any) -> set[str]:
    """Package names as a string, a list of strings, or the keys of a mapping to versions."""
    match value:
        case str():
            return {value}
        case list():
            return {item for item in value if isinstance(item, str)} | packages(value)
        case dict():
            return {key for key in value if isinstance(key, str)}
        case _:
            return set()


def library_names() -> frozenset[str]:
    found: set[str] = set()
    for path in LIBRARIES:
        found |= packages(yaml.safe_load(path.read_text(encoding="utf-8")))
    return frozenset(name for name in found if len(name) > 3 and name.lower() not in ORDINARY_WORDS)


def package_of(text: str) -> str:
    """The package of a path into one: `knex:().insert` is of `knex`, `@nestjs/schedule:Cron` of `@nestjs/schedule`."""
    words = text.partition(":")[0].split("/")
    return "/".join(words[: 2 if text.startswith("@") else 1])


def docstrings(tree: ast.Module) -> set[int]:
    """Ids of the string nodes that are documentation: a string that stands as a statement does nothing."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def test_libraries_name_their_packages() -> None:
    assert LIBRARIES, "rules/libraries holds nothing"
    assert library_names(), f"no library file has one of {sorted(PACKAGE_KEYS)}"


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_no_library_is_named_in_python(path: Path) -> None:
    tree = ast.parse(path.read_bytes())
    documentation = docstrings(tree)
    libraries = library_names()
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
        and package_of(node.value) in libraries
    ]
    assert found == []
