"""Progress on a terminal."""

from __future__ import annotations

import sys
import threading

import pytest

from cronaudit.commands import progress as module
from cronaudit.commands.progress import progress


class _Terminal:
    def __init__(self) -> None:
        self.written = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        pass


def watched(monkeypatch: pytest.MonkeyPatch) -> _Terminal:
    """Somebody watches, from now on: pytest puts its own stream in place before each test."""
    found = _Terminal()
    monkeypatch.setattr(sys, "stderr", found)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    monkeypatch.setattr(module, "_BETWEEN", -1.0)
    return found


def test_it_is_drawn_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with threads does not share its work with copies of itself."""
    terminal = watched(monkeypatch)
    before = threading.active_count()

    with progress(quiet=False) as update:
        assert update is not None
        update("Finding jobs", 3, 34)
        assert threading.active_count() == before

    assert "Finding jobs" in terminal.written
    assert "3/34" in terminal.written.replace(" ", "")


def test_nobody_is_shown_anything_who_asked_for_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with progress(quiet=True) as update:
        assert update is None

    assert not terminal.written
