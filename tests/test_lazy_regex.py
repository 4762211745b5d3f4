"""Expressions that are compiled late answer as compiled ones do."""

from __future__ import annotations

import re

import pytest

from cronaudit.lazy_regex import lazy_regex


def test_it_answers_as_a_compiled_one() -> None:
    cron = lazy_regex(r"^(\d+) \*", re.IGNORECASE)

    found = cron.search("5 * * * *")
    assert found is not None
    assert found.group(1) == "5"
    assert cron.sub("x", "5 * * * *") == "x * * *"
    assert cron.pattern == r"^(\d+) \*"
    assert cron.flags & re.IGNORECASE
    assert lazy_regex(rb"a+").findall(b"caat") == [b"aa"]


def test_a_mistake_is_told_at_the_first_use() -> None:
    broken = lazy_regex("(")

    with pytest.raises(re.error, match="unterminated subpattern"):
        broken.search("")
