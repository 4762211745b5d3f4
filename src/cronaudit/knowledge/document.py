"""YAML with its places: every complaint about a library file names the line that it is about.

An entry is read by a `Mapping` that is asked for the keys it may have; what nobody asked for is an unknown key.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from msgspec import Struct

from cronaudit.model.ir import Scalar
from cronaudit.placed_yaml import entries_of, line_of, root_of
from cronaudit.problems import Problem, did_you_mean

_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_SCALARS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null"))


class Item(Struct, frozen=True):
    """A scalar of the file with its place."""

    value: Scalar
    line: int


class Mapping(Struct):
    """A mapping of the file. Reading it wrong is noted in ``problems``, never raised."""

    path: str
    line: int
    problems: list[Problem]
    what: str
    """What it describes, for messages: ``effect``."""
    entries: dict[str, yaml.Node] = {}
    asked: dict[str, None] = {}

    def note(self, message: str, line: int | None = None) -> None:
        self.problems.append(Problem(self.path, self.line if line is None else line, message))

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        item = self.scalar(key)
        if item is None or item.value is None:
            if default is None:
                self.note(f"{self.what} without `{key}`", item.line if item else None)
            return default or ""
        if not isinstance(item.value, str):
            self.note(f"`{key}` must be a text, not {item.value}: quote it", item.line)
            return default or ""
        return item.value

    def flag(self, key: str) -> bool:
        """Return yes or no; no where it is missing."""
        item = self.scalar(key)
        if item is not None and not isinstance(item.value, bool):
            self.note(f"`{key}` must be true or false", item.line)
        return item is not None and item.value is True

    def scalar(self, key: str) -> Item | None:
        """Return a scalar of any type; None where it is missing."""
        items = self.scalars(key)
        if len(items) > 1:
            self.note(f"`{key}` takes one value", items[1].line)
        return items[0] if items else None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return one text or a list of texts."""
        found = []
        for item in self.scalars(key):
            if isinstance(item.value, str):
                found.append(item.value)
            else:
                self.note(f"`{key}` must be text, not {item.value}: quote it", item.line)
        return tuple(found)

    def scalars(self, key: str) -> tuple[Item, ...]:
        """Return one scalar or a list of scalars."""
        self.asked[key] = None
        node = self.entries.get(key)
        if node is None:
            return ()
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        return tuple(item for n in nodes if (item := self._scalar(n, key)) is not None)

    def nodes(self, key: str) -> tuple[Item | Mapping, ...]:
        """Return one entry or a list of entries, each a scalar or a mapping."""
        self.asked[key] = None
        node = self.entries.get(key)
        if node is None:
            return ()
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: list[Item | Mapping] = []
        for inner in nodes:
            if isinstance(inner, yaml.MappingNode):
                found.append(mapping_of(inner, self.path, self.problems, f"`{key}`"))
            elif (item := self._scalar(inner, key)) is not None:
                found.append(item)
        return tuple(found)

    def mappings(self, key: str, what: str) -> Iterator[Mapping]:
        """Yield the mappings of a list."""
        self.asked[key] = None
        node = self.entries.get(key)
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            self.note(f"`{key}` must be a list", line_of(node))
            return
        for inner in node.value:
            if isinstance(inner, yaml.MappingNode):
                yield mapping_of(inner, self.path, self.problems, what)
            else:
                self.note(f"an entry of `{key}` must be a mapping", line_of(inner))

    def mapping(self, key: str) -> Mapping | None:
        """Return a mapping that may be missing."""
        self.asked[key] = None
        node = self.entries.get(key)
        if node is None:
            return None
        if not isinstance(node, yaml.MappingNode):
            self.note(f"`{key}` must be a mapping", line_of(node))
            return None
        return mapping_of(node, self.path, self.problems, f"`{key}`")

    def line_of(self, key: str) -> int:
        """Return the line of a key's value."""
        return line_of(self.entries[key]) if key in self.entries else self.line

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key, node in self.entries.items():
            if key not in self.asked:
                self.note(f"unknown key `{key}` in {self.what}{did_you_mean(key, self.asked)}", line_of(node))

    def _scalar(self, node: yaml.Node, key: str) -> Item | None:
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _SCALARS:
            self.note(f"`{key}` must be a text or a list of texts", line_of(node))
            return None
        return Item(_CONSTRUCTOR.construct_object(node), line_of(node))


def read(content: bytes, path: str, what: str, problems: list[Problem]) -> Mapping | None:
    """Return the mapping that a file holds; None, and a problem, where it holds none."""
    node = root_of(content, path, problems)
    if node is None:
        return None
    if not isinstance(node, yaml.MappingNode):
        problems.append(Problem(path, 1, f"{what} must be a mapping"))
        return None
    return mapping_of(node, path, problems, what)


def mapping_of(node: yaml.MappingNode, path: str, problems: list[Problem], what: str) -> Mapping:
    """Return the reader of a mapping node."""
    entries = {name: value for name, value, _ in entries_of(node, path, problems)}
    return Mapping(path, line_of(node), problems, what, entries)
