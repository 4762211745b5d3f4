"""Timers that arm themselves only when something has failed: they try again, and keep no schedule."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import Call, Expr, Function, If, Member, Name, Operation, Stmt, Try
from cronaudit.model.linker import Linker
from cronaudit.model.walking import blocks, expressions, functions_in, holds, inside
from cronaudit.recognition.operations import LISTENING, hears_an_end, is_failure, stands_under

_COUNTERS = ("attempt", "retr", "tries", "remaining", "count")


def only_on_failure(call: Call, node: Function, linker: Linker) -> bool:
    """Whether a call that arms a timer stands where something has failed, or counts its attempts."""
    if _counts(call, node) or _counts_again(node) or stands_under(node.body, call, is_failure):
        return True
    return _stands_in_catch(node.body, call) or _is_failure_callback(node, linker)


def _counts(call: Call, node: Function) -> bool:
    """Whether the function counts its attempts: a counter in a test around the timer, or passed on with one more."""
    for argument in call.args:
        for expr in inside(argument.value):
            body = expressions(expr.body) if isinstance(expr, Function) else (expr,)
            for inner in body:
                if isinstance(inner, Operation) and inner.op in ("+", "-") and len(inner.operands) == 2:
                    names = [o.name for o in inner.operands if isinstance(o, Name)]
                    if any(w in n.lower() for n in names for w in _COUNTERS):
                        return True
    return any(_speaks_of_attempts(test) for test in _tests_around(node.body, call))


def _counts_again(node: Function) -> bool:
    """Whether what the timer runs only goes round again while attempts are left: ``if (!this.attemptsUsedUp) go()``."""
    again = [
        (e, inner)
        for inner in functions_in(node)
        for e in expressions(inner.body)
        if node.name is not None and isinstance(e, Call) and getattr(e.callee, "name", None) == node.name
    ]
    return (
        bool(again)
        and all(
            _stands_in_catch(inner.body, e)
            or any(_speaks_of_attempts(t) for t in _tests_around(inner.body, e))
            for e, inner in again
        )
        and any(_speaks_of_attempts(t) for e, inner in again for t in _tests_around(inner.body, e))
    )


def _speaks_of_attempts(test: Expr) -> bool:
    return any(
        isinstance(e, Name | Member) and any(w in e.name.lower() for w in _COUNTERS[:3]) for e in inside(test)
    )


def _tests_around(body: tuple[Stmt, ...], call: Call) -> Iterator[Expr]:
    for statement in body:
        if not (statement.line <= call.line <= getattr(statement, "end_line", 10**9)):
            continue
        if isinstance(statement, If) and any(holds(b, call) for b in blocks(statement)):
            yield statement.test
        for block in blocks(statement):
            yield from _tests_around(block, call)


def _stands_in_catch(body: tuple[Stmt, ...], call: Call) -> bool:
    for statement in body:
        if isinstance(statement, Try):
            if any(holds(h.body, call) for h in statement.handlers):
                return True
            if _stands_in_catch(statement.body, call) or _stands_in_catch(statement.final, call):
                return True
        elif any(_stands_in_catch(b, call) for b in blocks(statement)):
            return True
    return False


def _is_failure_callback(node: Function, linker: Linker) -> bool:
    """A callback of ``.catch``, or of an event that something ended: it starts it again, and is no schedule."""
    calls = linker.calls(node.module, ("catch", *LISTENING))
    return any(
        name == "catch" or hears_an_end(call)
        for name, sites in calls.items()
        for call, _where in sites
        if any(a.value is node for a in call.args)
    )
