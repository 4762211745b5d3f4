"""Timers that arm themselves only when something has failed: they try again, and keep no schedule."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import Call, Const, Expr, Function, If, Member, Name, Operation, Stmt, Try
from cronaudit.model.linker import Linker
from cronaudit.model.walking import blocks, expressions, holds, inside
from cronaudit.recognition.operations import is_failure, stands_under

_COUNTERS = ("attempt", "retr", "tries", "remaining", "count")


def only_on_failure(call: Call, node: Function, linker: Linker) -> bool:
    """Whether a call that arms a timer stands where something has failed, or counts its attempts."""
    if _counts(call, node) or stands_under(node.body, call, is_failure):
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
    for test in _tests_around(node.body, call):
        for expr in inside(test):
            if isinstance(expr, Name | Member) and any(w in expr.name.lower() for w in _COUNTERS[:3]):
                return True
    return False


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


_LISTENING = ("catch", "on", "once", "addEventListener")
_FAILURE_EVENTS = frozenset(("exit", "close", "error", "disconnect", "end", "crash", "disconnected"))


def _is_failure_callback(node: Function, linker: Linker) -> bool:
    """A callback of ``.catch``, or of an event that something ended: it starts it again, and is no schedule."""
    calls = linker.calls(node.module, _LISTENING)
    for name in _LISTENING:
        for call, _where in calls.get(name, ()):
            if not any(a.value is node for a in call.args):
                continue
            first = call.args[0].value
            if name == "catch" or (isinstance(first, Const) and str(first.value).lower() in _FAILURE_EVENTS):
                return True
    return False
