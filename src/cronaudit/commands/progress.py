"""Progress on the terminal of whoever waits."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE: Final = 0.5
"""Seconds before anything is shown: most scans are over by then."""
_BETWEEN: Final = 0.1
"""Seconds from one picture to the next."""


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """Give what the audit calls with its progress; None where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    display = _Display()
    try:
        yield display.update
    finally:
        display.stop()


class _Display:
    def __init__(self) -> None:
        self._start = self._shown = time.monotonic()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def update(self, doing: str, done: int, total: int) -> None:
        if self._progress is None:
            if time.monotonic() - self._start < _PATIENCE:
                return
            self._open()
        now = time.monotonic()
        if self._progress is not None and self._task is not None and now - self._shown > _BETWEEN:
            self._shown = now
            self._progress.update(
                self._task, description=doing, completed=done, total=total or None, refresh=True
            )

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            console=console,
            transient=True,
            auto_refresh=False,  # no thread: the audit may share its work with copies of the process
        )
        self._task = self._progress.add_task("", total=None)
        self._progress.start()
