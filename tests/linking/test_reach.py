"""The closure of the imports."""

from __future__ import annotations

import pytest

from cronaudit.linking.reach import Reach

IMPORTS = {
    "main": ("a", "d"),
    "a": ("b",),
    "b": ("c", "a"),
    "c": ("b", "e"),
    "d": ("e",),
    "e": (),
    "alone": ("alone",),
    "late": ("main", "c"),
}


def brute(start: str) -> set[str]:
    seen, order = {start}, [start]
    for path in order:
        for other in IMPORTS[path]:
            if other not in seen:
                seen.add(other)
                order.append(other)
    return seen


@pytest.mark.parametrize("first", IMPORTS)
def test_the_same_whatever_is_asked_first(first: str) -> None:
    reach = Reach(lambda path: IMPORTS[path])
    reach.of(first)
    for start in IMPORTS:
        assert set(reach.of(start)) == brute(start)
        assert len(reach.of(start)) == len(brute(start))


def test_several_starts_are_one_set() -> None:
    reach = Reach(lambda path: IMPORTS[path])
    assert set(reach.of("d", "alone")) == {"d", "e", "alone"}
    assert "d" in reach.of("d", "alone")
    assert "a" not in reach.of("d", "alone")
    assert reach.of("d") & {"e", "a"} == frozenset({"e"})
    assert set(reach.of()) == set()


def test_a_chain_longer_than_the_interpreter_s_stack() -> None:
    reach = Reach(lambda path: (str(int(path) + 1),) if int(path) < 5_000 else ())
    assert len(reach.of("0")) == 5_001
