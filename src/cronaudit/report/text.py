"""Words that several formats share, and text from the target made harmless for a line of output."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from cronaudit.lazy_regex import lazy_regex

_BLANKS = lazy_regex(r"\s+")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def plain(text: str) -> str:
    """Make one line of it, without anything that moves a cursor, colours a terminal or turns the writing direction.

    Names and paths come from the audited tree; an escape sequence in one must not reach the reader's terminal.
    """
    line = _BLANKS.sub(" ", text).strip()
    if line.isascii() and line.isprintable():
        return line
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _INVISIBLE else c for c in line)


def count(number: int, noun: str) -> str:
    """``1 job``, ``2 jobs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listing(items: Iterable[str], limit: int) -> str:
    """Join with commas; what is over the limit is counted, not dropped in silence."""
    names = list(items)
    if len(names) <= limit + 1:  # "and 1 more" is no shorter than the one
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def columns(rows: Sequence[Sequence[str]], gap: int = 2) -> list[str]:
    """Align in columns; the last one is as long as it is."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)] if rows else []
    return [
        (" " * gap)
        .join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        .rstrip()
        for row in rows
    ]
