"""Paths in one form, whichever way a project wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate

from cronaudit.knowledge.paths import expanded, is_alias, replaced, root_of
from cronaudit.model.knowledge import Library

_LONGEST = 6
"""Rewritings of one path: a logger's child of a child of a child."""


class Aliases:
    """The beginnings of paths that stand for others."""

    def __init__(self, libraries: Iterable[Library]) -> None:
        self._stated: dict[str, list[tuple[str, str]]] = {}
        self._wild: list[tuple[re.Pattern[str], str, str]] = []
        """Of packages by a pattern, ``*:PrismaClient``: the pattern, what follows it, and what it stands for."""
        for library in libraries:
            for alias, canonical in library.aliases:
                root = root_of(alias)
                if "*" in root:
                    self._wild.append((re.compile(translate(root)), alias[len(root) :], canonical))
                else:
                    self._stated.setdefault(root, []).append((alias, canonical))
        self._by_root: dict[str, tuple[tuple[str, str], ...]] = {}
        self._known: dict[str, str] = {}

    def canonical(self, path: str) -> str:
        """The path with its beginning as the descriptions write it."""
        found = self._known.get(path)
        if found is None:
            # A method that was bound to its object is that method.
            found = path.replace(".bind()", "") if ":" in path else path
            for _ in range(_LONGEST):
                candidates = self._of_root(root_of(found))
                alias = next((pair for pair in candidates if is_alias(found, *pair)), None)
                if alias is None:
                    break
                found = replaced(found, *alias)
            self._known[path] = found
        return found

    def patterns(self, call: str) -> Iterator[str]:
        """The patterns that the braces of a pattern stand for, each written as `canonical` writes a path."""
        for pattern in expanded(call):
            yield self.canonical(pattern) if self._of_root(root_of(pattern)) else pattern

    def _of_root(self, root: str) -> tuple[tuple[str, str], ...]:
        """The aliases of a package, the longest first: ``pino:pino`` before ``pino:``."""
        found = self._by_root.get(root)
        if found is None:
            pairs = [
                *self._stated.get(root, ()),
                *((root + rest, canonical) for pattern, rest, canonical in self._wild if pattern.match(root)),
            ]
            real = sorted({pair for pair in pairs if pair[0] != pair[1]}, key=lambda p: (-len(p[0]), p))
            found = self._by_root[root] = tuple(real)
        return found
