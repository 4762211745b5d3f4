"""YAML with its places. Merge keys are followed, and each value knows the line that it really stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml
from msgspec import Struct

from cronaudit.model.source import Location

# The base loader builds no values, so nothing of the text can run, and numbers stay as they are written. It also
# leaves out the search for implicit types, which takes half of the time.
_LOADER: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_DEEPEST: Final = 40


class Item(Struct, frozen=True):
    """A value of a document: a scalar, a list, a mapping, or nothing."""

    path: str
    line: int
    """Of the key for an entry of a mapping, else of the value."""
    scalar: str | None = None
    items: tuple[Item, ...] | None = None
    entries: dict[str, Item] = {}
    is_map: bool = False

    @property
    def place(self) -> Location:
        return Location(self.path, self.line)

    @property
    def text(self) -> str:
        """A scalar as text; empty for anything else."""
        return self.scalar or ""

    @property
    def there(self) -> bool:
        return self.scalar is not None or self.items is not None or self.is_map

    def at(self, *keys: str) -> Item:
        """The value below these keys; nothing where one is missing."""
        found = self
        for key in keys:
            found = found.entries.get(key) or Item(self.path, found.line)
        return found

    def each(self) -> tuple[Item, ...]:
        """The items of a list; a scalar counts as a list of one."""
        if self.items is not None:
            return self.items
        return () if self.scalar is None else (self,)

    def words(self) -> tuple[str, ...]:
        return tuple(item.text for item in self.each() if item.scalar is not None)

    def pairs(self) -> Iterator[tuple[str, Item]]:
        yield from self.entries.items()


def nothing(path: str) -> Item:
    """What an empty document is."""
    return Item(path, 1)


def documents(
    path: str, text: str, scalar: Callable[[str], Item | str] | None = None
) -> tuple[list[Item], str | None]:
    """All documents of a YAML text, and what is wrong with the first one that could not be read.

    `scalar` may replace a plain text by another value.
    """
    found: list[Item] = []
    loader = _LOADER(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                found.append(_Reader(path, scalar).item(node, node.start_mark.line + 1, 0))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or type(error).__name__
        return found, f"no YAML: {what}" + ("" if mark is None else f" (line {mark.line + 1})")
    finally:
        loader.dispose()
    return found, None


class _Reader(Struct):
    path: str
    scalar: Callable[[str], Item | str] | None
    open: set[int] = set()
    """Nodes that are being read: an alias may lead back to one of them."""
    known: dict[int, Item] = {}

    def item(self, node: Any, line: int, depth: int) -> Item:  # noqa: ANN401 - PyYAML's nodes are untyped
        if isinstance(node, yaml.ScalarNode):
            if not node.style and node.value in _NULL:
                return Item(self.path, line)
            value = self.scalar(node.value) if self.scalar else node.value
            return value if isinstance(value, Item) else Item(self.path, line, value)
        if id(node) in self.open or depth > _DEEPEST:
            return Item(self.path, line)
        known = self.known.get(id(node))
        if known is None:
            self.open.add(id(node))
            known = self.known[id(node)] = self._collection(node, line, depth)
            self.open.discard(id(node))
        return Item(self.path, line, known.scalar, known.items, known.entries, known.is_map)

    def _collection(self, node: Any, line: int, depth: int) -> Item:  # noqa: ANN401 - as above
        if isinstance(node, yaml.SequenceNode):
            items = tuple(self.item(item, item.start_mark.line + 1, depth + 1) for item in node.value)
            return Item(self.path, line, items=items)
        entries: dict[str, Item] = {}
        merged: dict[str, Item] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            below = self.item(value, key.start_mark.line + 1, depth + 1)
            if key.value == "<<" and not key.style:
                for source in below.items if below.items is not None else (below,):
                    for name, item in source.pairs():
                        merged.setdefault(name, item)
            else:
                entries.setdefault(str(key.value), below)
        return Item(self.path, line, entries={**merged, **entries}, is_map=True)


def merge(base: Item, over: Item, appended: frozenset[str] = frozenset()) -> Item:
    """Two mappings as Compose and Kustomize lay one over the other: mappings by key, everything else replaced.

    Lists below the keys of `appended` are joined.
    """
    if not (base.is_map and over.is_map):
        return over if over.there else base
    entries = dict(base.entries)
    for key, value in over.pairs():
        known = entries.get(key)
        if known is None:
            entries[key] = value
        elif known.is_map and value.is_map:
            entries[key] = merge(known, value, appended)
        elif key in appended and known.items is not None and value.items is not None:
            entries[key] = Item(value.path, value.line, items=(*value.items, *known.items))
        elif value.there:
            entries[key] = value
    return Item(over.path, over.line, entries=entries, is_map=True)
