"""The files of a rules folder, read once: for the key of the compiled form and, where that is stale, for the parser."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from cronaudit.problems import Problem
from cronaudit.ruleset.problem import CatalogueError

SECTIONS = "sections.yaml"
_KINDS = ("checks", "issues")
_ELSEWHERE = ("fixes", "libraries")
_BUILT_IN = {"rules", "_rules"}


class RuleFile(Struct, frozen=True):
    """One file of a rules folder."""

    path: str
    """As a person can open it."""
    source: str
    """As the result names it: the built-in rules are `rules/…` in a wheel too."""
    kind: str
    """`checks`, `issues` or `sections`."""
    content: bytes


class RulesFolder(Struct, frozen=True):
    """The built-in rules, or a team's own."""

    root: Path
    files: tuple[RuleFile, ...]
    """Sorted by path."""


def read_folder(root: Path) -> RulesFolder:
    """Read the checks, issues and sections of a folder.

    Raises CatalogueError where the folder holds no rules at all (`libraries/` and `fixes/` count: they are read
    elsewhere), or a file cannot be read or would be passed over for its ending.
    """
    problems: list[Problem] = []
    shown = root.as_posix()
    label = "rules" if root.name in _BUILT_IN else shown
    files = [
        RuleFile(f"{shown}/{found}", f"{label}/{found}", kind, _content(f"{shown}/{found}", problems))
        for kind in _KINDS
        for found in _yaml_files(shown, kind, problems)
    ]
    if (root / SECTIONS).is_file():
        content = _content(f"{shown}/{SECTIONS}", problems)
        files.append(RuleFile(f"{shown}/{SECTIONS}", f"{label}/{SECTIONS}", "sections", content))
    if not files and not problems and not any((root / name).is_dir() for name in _ELSEWHERE):
        expected = "checks/, fixes/, issues/, libraries/ or sections.yaml"
        message = f"holds no rules (expected {expected})" if root.is_dir() else "no such folder"
        problems.append(Problem(shown, 1, message))
    if problems:
        raise CatalogueError(problems)
    return RulesFolder(root, tuple(files))


def _yaml_files(root: str, folder: str, problems: list[Problem]) -> list[str]:
    # Plain strings and os.walk: with pathlib this took longer than all the rest of a start.
    found: list[str] = []
    for parent, _, names in os.walk(f"{root}/{folder}"):
        below = parent[len(root) + 1 :].replace(os.sep, "/")
        for name in names:
            if name.endswith(".yaml"):
                found.append(f"{below}/{name}")
            elif name.endswith((".yml", ".json")):
                problems.append(
                    Problem(f"{root}/{below}/{name}", 1, "would not be read: rules are .yaml files")
                )
    return sorted(found)


def _content(path: str, problems: list[Problem]) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return file.read()
    except OSError as error:
        problems.append(Problem(path, 1, f"cannot be read: {error.strerror}"))
        return b""
