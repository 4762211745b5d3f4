"""Regular expressions that are asked of every file, with a text that each match holds.

Most files hold nothing that a rule looks for. A plain search for the text says so a hundred times faster than the
expression, which Python tries again at every byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex

_TOKEN: Final = lazy_regex(
    r"""
    \(\?(?P<flags>[aiLmsu]+)\)          # global flags
    | \\(?P<escaped>[^\w\s])            # punctuation as such
    | \\.                               # a class, a place, a reference
    | \[\^?\]?(?:[^\]\\]|\\.)*\]
    | (?P<open>\()
    | (?P<close>\))
    | (?P<or>\|)
    | (?P<optional>[?*]|\{[\d,]+\})
    | [.^$+]
    | (?P<plain>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SHORTEST: Final = 2
"""A single character is in every file."""


class Needle(Struct, frozen=True):
    """One alternative of an expression."""

    regex: re.Pattern[bytes]
    text: bytes
    """What every match holds; empty where nothing is long enough."""
    any_case: bool
    leads: bool
    """Every match begins with the text."""

    def found(self, content: bytes) -> bool:
        """Whether the expression finds something."""
        if self.leads:
            return any(self.regex.match(content, at) for at in occurrences(content, self.text))
        if self.text and self.text not in (content.lower() if self.any_case else content):
            return False
        return self.regex.search(content) is not None


def occurrences(content: bytes, text: bytes) -> Iterator[int]:
    """Where a text stands."""
    at = content.find(text)
    while at >= 0:
        yield at
        at = content.find(text, at + 1)


def needle(pattern: str, flags: int = 0) -> Needle:
    """Compile an expression over bytes. Raises `re.error`."""
    regex = re.compile(pattern.encode(), flags)
    any_case = bool(regex.flags & re.IGNORECASE)
    runs = [] if regex.flags & re.VERBOSE else _runs(pattern)
    text = max(runs, key=len, default="")
    if len(text) < _SHORTEST or not text.isascii():
        return Needle(regex, b"", any_case, leads=False)
    first = runs[1:2] if pattern.startswith(r"\b") else runs[:1]
    leads = first == [text] and not any_case
    return Needle(regex, (text.lower() if any_case else text).encode(), any_case, leads)


def _runs(pattern: str) -> list[str]:
    """The texts at the top level of an expression, none where it has alternatives there."""
    runs = [""]
    depth = 0
    for token in _TOKEN.finditer(pattern):
        plain = token["plain"] or token["escaped"]
        if token["open"]:
            depth += 1
            runs.append("")
        elif token["close"]:
            depth -= 1
        elif depth:
            continue
        elif token["or"]:
            return []
        elif plain is not None:
            runs[-1] += plain
        else:
            if token["optional"]:
                # The character before it may be missing.
                runs[-1] = runs[-1][:-1]
            runs.append("")
    return runs


def alternatives(pattern: str) -> tuple[str, ...]:
    """The parts between the bars at the top level of an expression without global flags."""
    starts = [0]
    ends: list[int] = []
    depth = 0
    for token in _TOKEN.finditer(pattern):
        if token["flags"]:
            return (pattern,)
        depth += bool(token["open"]) - bool(token["close"])
        if token["or"] and not depth:
            ends.append(token.start())
            starts.append(token.end())
    return tuple(pattern[start:end] for start, end in zip(starts, [*ends, len(pattern)], strict=True))
