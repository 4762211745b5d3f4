"""Paths in one form, whichever way a project wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate

from cronaudit.knowledge.paths import begins, expanded, is_alias, replaced, root_of
from cronaudit.model.knowledge import Library

_LONGEST = 6
"""Rewritings of one path: a logger's child of a child of a child."""


class Aliases:
    """The beginnings of paths that stand for others."""

    def __init__(self, libraries: Iterable[Library]) -> None:
        self._libraries = tuple(libraries)
        self._stated: dict[str, list[tuple[str, str]]] = {}
        self._wild: list[tuple[re.Pattern[str], str, str]] = []
        """Of packages by a pattern, ``*:PrismaClient``: the pattern, what follows it, and what it stands for."""
        self._anywhere: list[tuple[re.Pattern[str], str]] = []
        """Of modules by their place in any package, ``**.models.*.objects``: a class stands where the star does."""
        for library in self._libraries:
            for alias, canonical in library.aliases:
                root = root_of(alias)
                if alias.startswith("**."):
                    ending = re.escape(alias[3:]).replace(r"\*", r"[A-Z]\w*")
                    self._anywhere.append((re.compile(rf"(?:\w+\.)*{ending}(?![\w])"), canonical))
                elif "*" in root:
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
                    alias = self._of_place(found)
                if alias is None:
                    break
                found = replaced(found, *alias)
            self._known[path] = found
        return found

    def _of_place(self, path: str) -> tuple[str, str] | None:
        """The beginning that a module has in whichever package, and what it stands for."""
        for pattern, canonical in self._anywhere:
            match = pattern.match(path)
            if match is not None and match[0] != canonical and not self._is_described(match[0]):
                return match[0], canonical
        return None

    def _is_described(self, path: str) -> bool:
        """Whether a library says what such a symbol means."""
        for library in self._libraries:
            stated = (library.effects, library.schedulers, library.consumers, library.folds)
            calls = (one.call for listed in stated for one in listed)
            if any(begins(p, path) for call in calls if call[:3] == path[:3] for p in expanded(call)):
                return True
        return False

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
