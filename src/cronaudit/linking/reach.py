"""Which files a file imports, directly or not.

Asked of every entry point of a tree, so what has been found is shared: files that import each other are one knot, and a
knot reaches what the knots that it imports reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet

from msgspec import Struct


class _Numbers(Struct):
    """The files as bits of an integer."""

    of: dict[str, int] = {}
    paths: list[str] = []

    def add(self, path: str) -> int:
        number = self.of.setdefault(path, len(self.paths))
        if number == len(self.paths):
            self.paths.append(path)
        return number


class Reached(AbstractSet[str]):
    """A set of files, as wide as a tree and asked mostly for one member."""

    __slots__ = ("_mask", "_numbers")

    def __init__(self, mask: int, numbers: _Numbers) -> None:
        self._mask = mask
        self._numbers = numbers

    def __contains__(self, path: object) -> bool:
        number = self._numbers.of.get(path)  # type: ignore[call-overload]
        return number is not None and bool(self._mask >> number & 1)

    def __iter__(self) -> Iterator[str]:
        mask, number = self._mask, 0
        while mask:
            skipped = (mask & -mask).bit_length() - 1
            number += skipped
            yield self._numbers.paths[number]
            mask >>= skipped + 1
            number += 1

    def __len__(self) -> int:
        return self._mask.bit_count()

    @classmethod
    def _from_iterable(cls, paths: Iterator[str]) -> AbstractSet[str]:  # type: ignore[override]
        return frozenset(paths)


class Reach:
    """The closure of the imports, as far as it has been asked for."""

    def __init__(self, imported: Callable[[str], tuple[str, ...]]) -> None:
        self._imported = imported
        self._numbers = _Numbers()
        self._masks: dict[str, int] = {}

    def of(self, *starts: str) -> Reached:
        """The files that some files import, directly or not, and those files."""
        mask = 0
        for start in starts:
            if start not in self._masks:
                self._close(start)
            mask |= self._masks[start]
        return Reached(mask, self._numbers)

    def _close(self, start: str) -> None:
        """Find the knots below a file, each after those that it imports (Tarjan's algorithm)."""
        order: dict[str, int] = {start: 0}
        low = {start: 0}
        open_knot = [start]
        stack = [(start, iter(self._imported(start)))]
        below: dict[str, int] = {start: 0}
        while stack:
            path, rest = stack[-1]
            for other in rest:
                if other in self._masks:
                    below[path] |= self._masks[other]
                elif other in order:
                    low[path] = min(low[path], order[other])
                else:
                    order[other] = low[other] = len(order)
                    below[other] = 0
                    open_knot.append(other)
                    stack.append((other, iter(self._imported(other))))
                    break
            else:
                stack.pop()
                if low[path] == order[path]:
                    self._tie(open_knot, path, below)
                if stack:
                    above = stack[-1][0]
                    low[above] = min(low[above], low[path])
                    below[above] |= below[path]

    def _tie(self, open_knot: list[str], root: str, below: dict[str, int]) -> None:
        members = open_knot[open_knot.index(root) :]
        del open_knot[-len(members) :]
        mask = below[root]
        for member in members:
            mask |= below[member] | 1 << self._numbers.add(member)
        for member in members:
            self._masks[member] = mask
        below[root] = mask
