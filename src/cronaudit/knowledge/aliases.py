"""Paths in one form, whichever way a project wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cronaudit.knowledge.paths import expanded, is_alias, replaced, root_of
from cronaudit.model.knowledge import Library

_LONGEST = 6
"""Rewritings of one path: a logger's child of a child of a child."""


class Aliases:
    """The beginnings of paths that stand for others."""

    def __init__(self, libraries: Iterable[Library]) -> None:
        self._by_root: dict[str, list[tuple[str, str]]] = {}
        for library in libraries:
            for alias, canonical in library.aliases:
                self._by_root.setdefault(root_of(alias), []).append((alias, canonical))
        for pairs in self._by_root.values():
            # ``pino:pino`` before ``pino:``.
            pairs.sort(key=lambda pair: (-len(pair[0]), pair[0]))
        self._known: dict[str, str] = {}

    def canonical(self, path: str) -> str:
        """The path with its beginning as the descriptions write it."""
        found = self._known.get(path)
        if found is None:
            found = path
            for _ in range(_LONGEST):
                candidates = self._by_root.get(root_of(found), ())
                alias = next((pair for pair in candidates if is_alias(found, *pair)), None)
                if alias is None:
                    break
                found = replaced(found, *alias)
            self._known[path] = found
        return found

    def patterns(self, call: str) -> Iterator[str]:
        """The patterns that the braces of a pattern stand for, each written as `canonical` writes a path."""
        for pattern in expanded(call):
            yield self.canonical(pattern) if root_of(pattern) in self._by_root else pattern
