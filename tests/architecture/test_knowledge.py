"""Knowledge is data: what a library's calls mean stands in rules/libraries, never in Python."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "cronaudit"
RULES = ROOT / "rules"
LIBRARIES = sorted((RULES / "libraries").rglob("*.yaml"))
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
PACKAGE_KEYS = frozenset({"package", "packages"})
"""Keys of a library file under which the names of its packages stand."""

ORDINARY_WORDS = frozenset(
    "async cache cron database email events fetch later lock logger logging monitor mongodb next node python queue "
    "request requests retry schedule scheduler signal sqlite threading timers uuid valkey worker workflow".split()
)
"""Packages that are called like things this tool itself speaks of, or like a store that several of them speak to; as
a string these say nothing of a library."""

EXCEPTIONS = {
    "model/schedule.py": "the dialects of cron, called after the program that made each; library files choose one",
    "model/source.py": "a schema language with files of its own is called like the client made from it",
    "recognition/deployment/": "programs, images and services that manifests run: what a command line or an image "
    "name means is no call of a library",
    "target/languages.py": "the suffixes of the languages of model/source.py",
}
"""What may name libraries, a file or a folder, and why."""


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


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_bytes())


@cache
def library_names() -> frozenset[str]:
    found = set().union(*(packages(read(path)) for path in LIBRARIES))
    words = ORDINARY_WORDS | vocabulary()
    return frozenset(name for name in found if len(name) > 3 and name.lower() not in words)


@cache
def vocabulary() -> frozenset[str]:
    """The words that library files choose from: Python has to know them, they are what it is told."""
    document = read(RULES / "effects.yaml")
    found = {*document["effects"], *document["options"], *document["settings"]}
    lists = [document["options"], *(effect.get("params", {}) for effect in document["effects"].values())]
    for parameters in lists:
        found |= set(parameters)
        for parameter in parameters.values():
            found |= set(parameter.get("words", ()))
    return frozenset(word.lower() for word in found)


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


def libraries_named_in(file: str) -> Iterator[str]:
    tree = ast.parse((PACKAGE / file).read_bytes())
    documentation = docstrings(tree)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
            and package_of(node.value) in library_names()
        ):
            yield f"{file}:{node.lineno}: {node.value!r}"


def exception_of(file: str) -> str | None:
    return next((e for e in EXCEPTIONS if file == e or (e.endswith("/") and file.startswith(e))), None)


def test_libraries_name_their_packages() -> None:
    assert LIBRARIES, "rules/libraries holds nothing"
    assert {"bullmq", "node-cron", "@nestjs/schedule", "django"} <= set().union(
        *(packages(read(path)) for path in LIBRARIES)
    )


@pytest.mark.parametrize("file", [file for file in FILES if exception_of(file) is None])
def test_no_library_is_named_in_python(file: str) -> None:
    assert list(libraries_named_in(file)) == []


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_every_exception_is_needed(exception: str) -> None:
    inside = [file for file in FILES if exception_of(file) == exception]
    assert any(found for file in inside for found in libraries_named_in(file))
