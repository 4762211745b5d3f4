"""Work shared with copies of this process: facts are many, small when they are done, and ask nothing of each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar, cast

from cronaudit.copies import Copy, may_copy

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
    if copies < 1 or len(work) > _MOST_PIECES or not may_copy():
        return Shared(tuple(piece() for piece in work), (note(),))
    numbers = _queue(len(work))

    def part() -> Iterator[tuple[dict[int, T], N]]:
        yield _pieces(work, numbers), note()

    others = [Copy(part) for _ in range(copies)]
    try:
        done = dict(_pieces(work, numbers))
        notes = [note()]
        for other in others:
            answer = cast("tuple[dict[int, T], N] | None", other.answer())
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
