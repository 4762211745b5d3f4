"""Words in bytes, before anything is parsed."""

from __future__ import annotations

import pytest

from cronaudit.recognition.words import holds_word


@pytest.mark.parametrize(
    ("content", "held"),
    [
        (b"cron()", True),
        (b"micron()", False),
        (b"cron_job micron cron", True),
        (b"cron2", False),
        (b"", False),
    ],
)
def test_whole_words_only(content: bytes, held: bool) -> None:
    assert holds_word(content, [b"cron"]) is held


def test_ends_that_are_no_letters_need_no_boundary() -> None:
    assert holds_word(b"import x from '@scope/name'", [b"@scope/"]) is True
