"""YAML with its places: every complaint about a rule names the line that it is about.

A file is read by a `Mapping` that is asked for the keys it may have; what nobody asked for is an unknown key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import yaml
from msgspec import Struct

from cronaudit.placed_yaml import entries_of, line_of, root_of
from cronaudit.problems import Problem, did_you_mean

_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"


class Text(Struct, frozen=True):
    """A text of the file with its place."""

    value: str
    path: str
    line: int

    def problem(self, message: str, offset: int = 1) -> Problem:
        """Return a problem at a line of the text, counted from 1."""
        return Problem(self.path, self.line + offset - 1, message)


class Mapping(Struct):
    """A mapping of the file. Reading it wrong is noted in ``problems``, never raised."""

    path: str
    line: int
    problems: list[Problem]
    what: str
    """What it describes, for messages: ``check``."""
    entries: dict[str, yaml.Node] = {}
    lines: dict[str, int] = {}
    """Of each key."""
    asked: dict[str, None] = {}

    def note(self, message: str, line: int | None = None) -> None:
        self.problems.append(Problem(self.path, self.line if line is None else line, message))

    def has(self, key: str) -> bool:
        """Return whether a key is there and not null."""
        return key in self.entries and self.entries[key].tag != _NULL

    def text(self, key: str) -> Text:
        """Return a text that must be there; where it is not, that is noted and an empty text returned."""
        found = self.optional(key)
        if found is None and key not in self.entries:
            self.note(f"{self.what} without `{key}`")
        elif not self.has(key) or (found is not None and not found.value.strip()):
            self.note(f"`{key}` is empty", self.lines[key])
        return found or Text("", self.path, self.line)

    def optional(self, key: str) -> Text | None:
        """Return a text that may be missing or null."""
        self.asked[key] = None
        node = self.entries.get(key)
        return self._text(node, f"`{key}`") if node is not None and self.has(key) else None

    def texts(self, key: str, *, required: bool = False) -> tuple[Text, ...]:
        """Return a list of texts."""
        nodes = self._sequence(key, required=required)
        found = (self._text(node, f"an entry of `{key}`") for node in nodes)
        return tuple(text for text in found if text is not None)

    def mappings(self, key: str, what: str, *, required: bool = False) -> Iterator[Mapping]:
        """Yield the mappings of a list."""
        for node in self._sequence(key, required=required):
            if (inner := _mapping(node, self.path, self.problems, what)) is not None:
                yield inner

    def mapping(self, key: str) -> Mapping | None:
        """Return a mapping that may be missing."""
        self.asked[key] = None
        node = self.entries.get(key)
        return None if node is None else _mapping(node, self.path, self.problems, f"`{key}`")

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key, node in self.entries.items():
            if key not in self.asked:
                self.note(f"unknown key `{key}` in {self.what}{did_you_mean(key, self.asked)}", line_of(node))

    def _sequence(self, key: str, *, required: bool) -> Iterable[yaml.Node]:
        self.asked[key] = None
        node = self.entries.get(key)
        if isinstance(node, yaml.SequenceNode) and (node.value or not required):
            return tuple(node.value)
        if node is None and required:
            self.note(f"{self.what} without `{key}`")
        elif node is not None and (required or node.tag != _NULL):
            self.note(f"`{key}` must be a list" + (" with entries" if required else ""), self.lines[key])
        return ()

    def _text(self, node: yaml.Node, what: str) -> Text | None:
        if not isinstance(node, yaml.ScalarNode) or node.tag != _TEXT:
            found = node.value if isinstance(node, yaml.ScalarNode) else "a list or mapping"
            self.note(f"{what} must be a text, not {found}: quote it", line_of(node))
            return None
        # The content of a block scalar begins on the line below its indicator.
        return Text(node.value, self.path, line_of(node) + (node.style in {"|", ">"}))


def read(content: bytes, path: str, what: str, problems: list[Problem]) -> Mapping | None:
    """Return the mapping that a file holds; None, and a problem, where it holds none."""
    node = root_of(content, path, problems)
    return None if node is None else _mapping(node, path, problems, what)


def _mapping(node: yaml.Node, path: str, problems: list[Problem], what: str) -> Mapping | None:
    if not isinstance(node, yaml.MappingNode):
        problems.append(Problem(path, line_of(node), f"{what} must be a mapping"))
        return None
    found = Mapping(path, line_of(node), problems, what)
    for name, value, line in entries_of(node, path, problems):
        found.entries[name] = value
        found.lines[name] = line
    return found
