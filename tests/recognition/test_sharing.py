"""Work shared with copies of the process, which really are made here."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial

import pytest

from cronaudit.recognition.sharing import share

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux only")
_PATIENCE = 30
"""Seconds that one piece waits for the other before it gives up."""


@pytest.fixture(autouse=True)
def _among_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner of tests may have threads of its own."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)


def meet(ours: int, theirs: int) -> int:
    """Tell the other piece that this one has begun, and wait until it has too; give this process."""
    os.write(ours, b"!")
    assert select.select([theirs], [], [], _PATIENCE)[0], "the other piece waits for this one"
    return os.getpid()


def test_pieces_run_at_the_same_time_in_processes_of_their_own() -> None:
    first, second = os.pipe(), os.pipe()

    shared = share([partial(meet, first[1], second[0]), partial(meet, second[1], first[0])], os.getpid, 2)

    assert len(set(shared.results)) == 2
    assert set(shared.notes) == set(shared.results)
    assert os.getpid() in shared.notes


def test_results_are_in_the_order_of_the_work_and_no_process_is_left() -> None:
    shared = share([partial(pow, n, 2) for n in range(500)], os.getpid, 3)

    assert shared.results == tuple(n * n for n in range(500))
    assert len(set(shared.notes)) == 3
    for child in set(shared.notes) - {os.getpid()}:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


@pytest.mark.parametrize(("processes", "threads"), [(1, 1), (2, 2)])
def test_one_process_does_all_where_no_other_may(
    monkeypatch: pytest.MonkeyPatch, processes: int, threads: int
) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: threads)

    shared = share([os.getpid, os.getpid], os.getpid, processes)

    assert shared == ((os.getpid(), os.getpid()), (os.getpid(),))


def elsewhere(here: int, do: Callable[[], object], begun: tuple[int, int]) -> str:
    """Do something in every process but this one, which goes on once another has begun."""
    if os.getpid() != here:
        os.write(begun[1], b"!")
        do()
    assert select.select([begun[0]], [], [], _PATIENCE)[0], "no copy has begun"
    return "done"


def fail() -> None:
    raise ValueError("only in a copy")


@pytest.mark.parametrize("harm", [fail, lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: sys.exit(3)])
def test_what_a_copy_could_not_do_is_done_here(harm: Callable[[], object]) -> None:
    work = [partial(elsewhere, os.getpid(), harm, os.pipe())] * 3

    shared = share(work, os.getpid, 2)

    assert shared.results == ("done",) * 3
    assert set(shared.notes) == {os.getpid()}


def test_an_error_is_the_same_with_copies() -> None:
    with pytest.raises(ValueError, match="only in a copy"):
        share([fail, fail, fail], os.getpid, 2)
