"""What stands around a function, and what stands in a body."""

from __future__ import annotations

from textwrap import dedent

import pytest

from cronaudit.model.ir import Function, Module, Name
from cronaudit.model.source import Language
from cronaudit.model.walking import (
    calls_in,
    class_around,
    contains,
    functions_around,
    functions_in,
    holds,
    is_within,
    members,
    method_around,
)
from cronaudit.parsing import parse

CODE = """
    class Sweeper {
      start() {
        function arm() { setTimeout(() => sweep(), 1000); }
        if (ready) { arm(); } else { wait(arm); }
      }
    }
    function free() { return () => 1; }
"""


@pytest.fixture(scope="module")
def module() -> Module:
    return parse("a.ts", dedent(CODE).encode(), Language.TYPESCRIPT)


def functions(module: Module) -> dict[str, Function]:
    return {f.symbol: f for f in functions_in(module)}


def test_functions_around_are_given_inner_first(module: Module) -> None:
    inner = functions(module)["Sweeper.start.arm.<anonymous>"]
    assert [f.name for f in functions_around(inner)] == [None, "arm", "start"]
    assert list(functions_around(module)) == []


def test_the_class_is_that_of_the_member_around(module: Module) -> None:
    found = functions(module)
    inner, start = found["Sweeper.start.arm.<anonymous>"], found["Sweeper.start"]
    assert method_around(inner) is start
    assert class_around(inner) is start.owner
    assert start.owner is not None
    assert start in members(start.owner)
    for outside in (found["free"], found["free.<anonymous>"], module):
        assert (method_around(outside), class_around(outside)) == (None, None)


def test_a_function_is_within_itself_and_those_around_it(module: Module) -> None:
    found = functions(module)
    inner, start = found["Sweeper.start.arm.<anonymous>"], found["Sweeper.start"]
    assert is_within(inner, inner)
    assert is_within(inner, start)
    assert not is_within(start, inner)
    assert not is_within(inner, found["free"])
    assert not is_within(module, start)


def test_a_body_holds_what_its_blocks_do_and_not_what_its_functions_do(module: Module) -> None:
    found = functions(module)
    start, inner = found["Sweeper.start"], found["Sweeper.start.arm.<anonymous>"]
    arm, wait = calls_in(start)
    (sweep,) = calls_in(inner)
    assert holds(start.body, arm)
    assert holds(start.body, wait)
    assert holds(inner.body, sweep)
    assert not holds(start.body, sweep)
    assert not holds(start.body, None)


def test_an_expression_contains_itself_and_its_parts(module: Module) -> None:
    _arm, wait = calls_in(functions(module)["Sweeper.start"])
    handed = wait.args[0].value
    assert isinstance(handed, Name)
    assert contains(wait, wait)
    assert contains(wait, handed)
    assert not contains(handed, wait)
    assert not contains(wait, None)
