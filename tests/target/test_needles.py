"""A needle finds what its expression finds, and knows a text that every match holds."""

from __future__ import annotations

import re

import pytest

from cronaudit.target.needles import alternatives, needle


@pytest.mark.parametrize(
    ("pattern", "text", "leads"),
    [
        (r"\bwindow\.(?:location|name)\b", b"window.", True),
        (r"['\"][^'\"\n]+\.server['\"]", b".server", False),
        (r"colou?r:", b"colo", True),
        (r"(?:aa|bb)", b"", False),
        (r"left|right", b"", False),
        (r"(?i)\bDo Not (?:edit|touch)", b"do not ", False),
    ],
)
def test_text_of_every_match(pattern: str, text: bytes, leads: bool) -> None:
    found = needle(pattern)
    assert (found.text, found.leads) == (text, leads)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"window.location",
        b"xwindow.location",
        b"xwindow. window.name",
        b"DO NOT TOUCH",
        b"color:",
        b"colour:",
    ],
)
@pytest.mark.parametrize(
    "pattern", [r"\bwindow\.(?:location|name)\b", r"(?i)\bDo Not (?:edit|touch)", r"colou?r:"]
)
def test_finds_what_the_expression_finds(pattern: str, content: bytes) -> None:
    assert needle(pattern).found(content) is (re.search(pattern.encode(), content) is not None)


def test_alternatives_at_the_top_level_only() -> None:
    assert alternatives(r"a(?:b|c)|[|]d|e\|f") == (r"a(?:b|c)", "[|]d", r"e\|f")
    assert alternatives("(?i)a|b") == ("(?i)a|b",)
