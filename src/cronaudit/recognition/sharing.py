"""Work shared with copies of this process: facts are many, small when they are done, and ask nothing of each other."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
N = TypeVar("N")

_NUMBER = 2
"""Bytes of the number of a piece of work."""
_MOST_PIECES = 2_000
"""What surely fits into a pipe that nobody reads yet."""


class Shared(NamedTuple, Generic[T, N]):
    """What came of the work."""

    results: tuple[T, ...]
    """Of the pieces, in their order."""
    notes: tuple[N, ...]
    """What each process noted meanwhile."""


def share(work: Sequence[Callable[[], T]], note: Callable[[], N], processes: int) -> Shared[T, N]:
    """Do all pieces of work, each once, in up to that many processes; `note` is asked in each of them at its end.

    A copy starts with all that this process knows, and sends back what it has done. What it could not do (it was
    killed, an exception) is done here, so that an error is the same with and without copies.
    """
    copies = min(processes, len(work)) - 1
    if copies < 1 or len(work) > _MOST_PIECES or not _may_fork():
        return Shared(tuple(piece() for piece in work), (note(),))
    numbers = _queue(len(work))
    others = [_Copy(work, note, numbers) for _ in range(copies)]
    try:
        done = dict(_pieces(work, numbers))
        notes = [note()]
        for other in others:
            answer = other.answer()
            if answer is not None:
                done.update(answer[0])
                notes.append(answer[1])
    finally:
        os.close(numbers)
        for other in others:
            other.end()
    left = [number for number in range(len(work)) if number not in done]
    done.update((number, work[number]()) for number in left)
    return Shared(
        tuple(done[number] for number in range(len(work))), (*notes, note()) if left else tuple(notes)
    )


def _may_fork() -> bool:
    """Whether a copy of this process can work: on macOS system libraries do not survive it, nor do locks of threads."""
    return sys.platform == "linux" and threading.active_count() == 1


def _queue(count: int) -> int:
    """A pipe with the numbers of all pieces, of which each process takes the next."""
    reading, writing = os.pipe()
    os.write(writing, b"".join(n.to_bytes(_NUMBER, "big") for n in range(count)))
    os.close(writing)
    return reading


def _pieces(work: Sequence[Callable[[], T]], numbers: int) -> dict[int, T]:
    done: dict[int, T] = {}
    while taken := os.read(numbers, _NUMBER):
        number = int.from_bytes(taken, "big")
        done[number] = work[number]()
    return done


class _Copy(Generic[T, N]):
    """A copy of this process at work."""

    def __init__(self, work: Sequence[Callable[[], T]], note: Callable[[], N], numbers: int) -> None:
        self._answer, writing = os.pipe()
        self._id = os.fork()
        if self._id == 0:
            with suppress(BaseException):
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                answer = pickle.dumps((_pieces(work, numbers), note()), pickle.HIGHEST_PROTOCOL)
                with os.fdopen(writing, "wb") as pipe:
                    pipe.write(answer)
            os._exit(0)
        os.close(writing)

    def answer(self) -> tuple[dict[int, T], N] | None:
        """What it did and noted; None where it did not come to its end."""
        with os.fdopen(self._answer, "rb", closefd=False) as pipe:
            try:
                answer: tuple[dict[int, T], N] = pickle.load(pipe)  # noqa: S301 - written by this program
            except (EOFError, pickle.UnpicklingError):
                return None
        return answer

    def end(self) -> None:
        """Leave nothing behind."""
        os.close(self._answer)
        os.kill(self._id, signal.SIGKILL)
        os.waitpid(self._id, 0)
