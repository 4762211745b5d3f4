"""Switches that are off unless somebody sets them: an ``if`` around the registration, or an option of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact
from cronaudit.model.ir import (
    Call,
    Const,
    Expr,
    Function,
    If,
    Member,
    Module,
    Name,
    Operation,
    Stmt,
)
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Env, Known, Scope, Value
from cronaudit.model.walking import blocks, contains, ends_function, inside, statement_expressions
from cronaudit.recognition.context import JobContext

_LEVELS: Final = 3
_ON: Final = frozenset(("true", "1", "yes", "on", "enabled"))
_STAGES: Final = lazy_regex(
    r"(^|_)(node_env|env|environment|stage|ci|vitest|jest_worker_id|rails_env|mode|debug)$", re.IGNORECASE
)
"""They tell where the service runs, they are no switch of a job."""


def switch_of(context: JobContext) -> Fact[str | None]:
    """The variable or option that turns the job on, where it is off by default."""
    enabled = context.registration.options.get("enabled")
    if enabled is not None:
        name = _off_by_default(enabled)
        if name is not None:
            at = getattr(enabled, "at", None) or context.site
            return Fact(name, f"off unless {name} is set", (at,))
    for condition in conditions_on_the_way(context):
        name = _switch(condition.test, condition.scope, context.linker, wanted=condition.wanted)
        if name is not None:
            return Fact(name, f"off unless {name} is set", (condition.location,))
    return Fact(None)


class Condition(Struct, frozen=True):
    """A test that must come out as `wanted` for the job to be armed."""

    test: Expr
    wanted: bool
    scope: Scope
    location: Location


def conditions_on_the_way(context: JobContext) -> Iterator[Condition]:
    """The tests around the registration, those around the one call of its function, and so on outwards."""
    call = context.registration.call.call
    node = context.registration.node
    line = call.line if call is not None else context.site.line
    for _ in range(_LEVELS):
        yield from conditions_around(context.linker, node, call, line)
        if not isinstance(node, Function):
            return
        sites = context.linker.call_sites(node)
        if len(sites) != 1:
            return
        call, node = sites[0]
        line = call.line


def conditions_around(
    linker: Linker, node: Function | Module, call: Call | None, line: int
) -> Iterator[Condition]:
    """The tests of one function or module that lead to a call in it."""
    scope = linker.scope_of(node)
    path = node.module.path if isinstance(node, Function) else node.path
    for test, wanted, at in _tests_on_the_way(node.body, call, line) or ():
        yield Condition(test, wanted, scope, Location(path, at))


def _tests_on_the_way(
    body: tuple[Stmt, ...], call: Call | None, line: int
) -> list[tuple[Expr, bool, int]] | None:
    """The tests that must hold (or must not) for the call to be reached; None where it is not in here."""
    before: list[tuple[Expr, bool, int]] = []
    for statement in body:
        if _holds(statement, call, line):
            return before
        if isinstance(statement, If):
            for block, wanted in ((statement.then, True), (statement.otherwise, False)):
                found = _tests_on_the_way(block, call, line)
                if found is not None:
                    return [*before, (statement.test, wanted, statement.line), *found]
            if ends_function(statement.then) and not statement.otherwise:
                before.append((statement.test, False, statement.line))
            continue
        for block in blocks(statement):
            found = _tests_on_the_way(block, call, line)
            if found is not None:
                return [*before, *found]
    return None


def _holds(statement: Stmt, call: Call | None, line: int) -> bool:
    """Whether a call stands in a statement, or at the top of a function that does."""
    for root in statement_expressions(statement) if call is not None else ():
        for expr in inside(root):
            if expr is call:
                return True
            if isinstance(expr, Function) and expr.line <= line <= expr.end_line:
                tops = (top for s in expr.body for top in statement_expressions(s))
                if any(contains(top, call) for top in tops):
                    return True
    return False


def _switch(test: Expr, scope: Scope, linker: Linker, *, wanted: bool) -> str | None:
    """The variable that must be set for the test to come out as wanted."""
    while isinstance(test, Operation) and test.op == "not" and len(test.operands) == 1:
        test, wanted = test.operands[0], not wanted
    if isinstance(test, Operation) and test.op in ("and", "or"):
        joins = (test.op == "and") is wanted
        if not joins:
            return None
        return next(
            (n for o in test.operands if (n := _switch(o, scope, linker, wanted=wanted)) is not None), None
        )
    if isinstance(test, Operation) and test.op in ("==", "!=") and len(test.operands) == 2:
        if (test.op == "==") is not wanted:
            return None
        return _compared(test, scope, linker)
    if not wanted:
        return None
    value = linker.fold(test, scope)
    name = _off_by_default(value)
    if name is None and isinstance(test, Call) and test.args and isinstance(test.callee, Name | Member):
        name = _off_by_default(linker.fold(test.args[0].value, scope))
    return name if name is not None and not _STAGES.search(name) else None


def _compared(test: Operation, scope: Scope, linker: Linker) -> str | None:
    for left, right in (test.operands, test.operands[::-1]):
        if isinstance(right, Const) and (right.value is True or str(right.value).lower() in _ON):
            value = linker.fold(left, scope)
            name = _off_by_default(value, on=str(right.value))
            if name is not None and not _STAGES.search(name):
                return name
    return None


def _off_by_default(value: Value, on: str = "") -> str | None:
    """The name of a variable that is not set, or whose default in the tree is off."""
    match value:
        case Env():
            return value.name
        case Choice():
            return _off_by_default(value.options[0], on)
        case Known() if value.default_of is not None:
            text = str(value.value).lower()
            is_on = (
                text == on.lower()
                if on
                else bool(value.value) and text not in ("false", "0", "no", "off", "none")
            )
            return None if is_on else value.default_of
        case _:
            return None
