"""Whether a file speaks of something at all: asked of its bytes, before it is parsed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_PART: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


def holds_word(content: bytes, words: Iterable[bytes]) -> bool:
    """Whether one of the words stands in the content with no letter, digit or underscore beside it."""
    return any(_stands_in(content, word) for word in words)


def _stands_in(content: bytes, word: bytes) -> bool:
    at = content.find(word)
    while at >= 0:
        end = at + len(word)
        inner = word[0] in _PART and at > 0 and content[at - 1] in _PART
        outer = word[-1] in _PART and end < len(content) and content[end] in _PART
        if not inner and not outer:
            return True
        at = content.find(word, at + 1)
    return False
