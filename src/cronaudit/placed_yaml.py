"""YAML with its places, so that every complaint about a file of rules names the line that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from cronaudit.problems import Problem

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def line_of(node: yaml.Node) -> int:
    """Return the line of a node, counted from 1."""
    return int(node.start_mark.line) + 1


def root_of(content: bytes, path: str, problems: list[Problem]) -> yaml.Node | None:
    """Return the node that a file holds; None, and a problem, where it holds none."""
    loader = None
    try:
        loader = _LOADER(content)
        node: yaml.Node | None = loader.get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        message = getattr(error, "problem", None) or str(error).partition("\n")[0]
        problems.append(Problem(path, mark.line + 1 if mark else 1, f"not YAML: {message}"))
        return None
    finally:
        if loader is not None:
            loader.dispose()
    if node is None:
        problems.append(Problem(path, 1, "empty file"))
    return node


def entries_of(
    node: yaml.MappingNode, path: str, problems: list[Problem]
) -> Iterator[tuple[str, yaml.Node, int]]:
    """Yield key, value and line of the key; a key that is stated twice is noted."""
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        if name in seen:
            problems.append(Problem(path, line_of(key), f"`{name}` is stated twice"))
        seen.add(name)
        yield name, value, line_of(key)
