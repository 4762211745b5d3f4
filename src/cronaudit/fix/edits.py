"""Edits: ranges of a file's bytes with what stands there instead."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Edit(Struct, frozen=True, order=True):
    """One replacement in one file; an insertion where the range is empty."""

    path: str
    start: int
    end: int
    text: bytes

    def conflicts(self, other: Edit) -> bool:
        """Whether both touch the same bytes. Two insertions at one place do: which comes first would be a guess."""
        if self.path != other.path:
            return False
        return self.start <= other.end and other.start <= self.end


class NotFixableError(Exception):
    """A place that cannot be edited; the message says why."""


def apply(source: bytes, edits: Iterable[Edit]) -> bytes:
    """The content with the edits of one file made. They must not conflict."""
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        source = source[: edit.start] + edit.text + source[edit.end :]
    return source


def difference(path: str, before: bytes, after: bytes) -> Edit:
    """The one edit that leads from one content to another, as small as it can be."""
    limit = min(len(before), len(after))
    start = next((i for i in range(limit) if before[i] != after[i]), limit)
    tail = next((i for i in range(limit - start) if before[-1 - i] != after[-1 - i]), limit - start)
    # Within one character of several bytes, both ends move to its edge.
    while start > 0 and start < len(before) and before[start] & 0xC0 == 0x80:
        start -= 1
    while tail > 0 and before[len(before) - tail] & 0xC0 == 0x80:
        tail -= 1
    return Edit(path, start, len(before) - tail, after[start : len(after) - tail])
