"""Copies of this process: they start with all that it knows, and send back what they come to."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress


def may_copy() -> bool:
    """Whether a copy of this process can work: on macOS system libraries do not survive it, nor do locks of threads."""
    return sys.platform == "linux" and threading.active_count() == 1


class Copy:
    """A copy of this process at work."""

    def __init__(self, work: Callable[[], Iterable[object]]) -> None:
        """Begin `work`: each of the answers that it gives is sent as soon as it is there."""
        answers, writing = os.pipe()
        self._id = os.fork()
        if self._id == 0:
            with suppress(BaseException):
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                with os.fdopen(writing, "wb") as pipe:
                    for answer in work():
                        pickle.dump(answer, pipe, pickle.HIGHEST_PROTOCOL)
                        pipe.flush()
            os._exit(0)
        os.close(writing)
        self._answers = os.fdopen(answers, "rb")

    def answer(self) -> object | None:
        """Wait for the next answer; None where there is no further one: it was killed, or an exception ended it."""
        try:
            answer: object = pickle.load(self._answers)  # noqa: S301 - written by this program
        except (EOFError, pickle.UnpicklingError):
            return None
        return answer

    def end(self) -> None:
        """Leave nothing behind."""
        self._answers.close()
        os.kill(self._id, signal.SIGKILL)
        os.waitpid(self._id, 0)
