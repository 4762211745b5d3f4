"""Timers that belong to one operation: they go on until it has its answer, and end with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cronaudit.model.ir import (
    Call,
    Const,
    Expr,
    Function,
    If,
    Loop,
    Member,
    Module,
    Name,
    Operation,
    Return,
    Stmt,
)
from cronaudit.model.trace import Event, RegionKind
from cronaudit.model.walking import (
    blocks,
    ends_function,
    expressions,
    functions_around,
    functions_in,
    holds,
    inside,
)
from cronaudit.recognition.endings import STOPPING

_FAILED = frozenset(("error", "err", "failed", "failure"))
_FAILURE_QUESTIONS = frozenset(("isErr", "isError", "isLeft", "is_err"))
LISTENING = ("on", "once", "addListener", "addEventListener")
_ENDS = frozenset(("exit", "close", "error", "disconnect", "end", "crash", "disconnected"))
"""Events by which something says that it has ended."""
_TRIES = ("err", "fail", "attempt", "retr", "tries", "count", "max")


def answers(call: Call, node: Function, cycle: Function) -> str:
    """Why a timer that arms itself is one operation: what the other ways out of it do; empty where they do nothing.

    ``if (got) return callback(null, lock); setTimeout(attempt, 50)`` waits for what its caller is told then, and
    ``if (none left) process.exit()`` for the end of the process.
    """
    told = frozenset(p.name for f in functions_around(node) for p in f.params if p.name is not None)
    for test, branch in _ways_out(call, node, cycle):
        words = [e.name.lower() for e in inside(test) if isinstance(e, Name | Member)]
        called = [e for e in expressions(branch) if isinstance(e, Call)]
        if any(isinstance(c.callee, Name) and c.callee.name in told for c in called) and not any(
            word in name for name in words for word in STOPPING
        ):
            return "it goes on until it can answer its caller"
        if any(_is_exit(c) for c in called) and not any(t in name for name in words for t in _TRIES):
            return "it waits until the process may end"
    return ""


def told_at_the_end(call: Call, node: Function, cycle: Function) -> frozenset[str]:
    """The names of what is called on the ways out of a timer alone: ``if (stopping) return onStopped()``."""
    return frozenset(
        e.callee.name
        for _test, branch in _ways_out(call, node, cycle)
        for e in expressions(branch)
        if isinstance(e, Call) and isinstance(e.callee, Name)
    )


def stands_under(body: tuple[Stmt, ...], call: Call, wanted: Callable[[Expr], bool]) -> bool:
    """Whether a call stands in the branch that is taken when such a test holds: ``if (result.error) { … }``."""
    for statement in body:
        held = next((b for b in blocks(statement) if holds(b, call)), None)
        if held is None:
            continue
        if isinstance(statement, If) and held is statement.then and wanted(statement.test):
            return True
        return stands_under(held, call, wanted)
    return False


def waits_instead(call: Call, node: Function) -> bool:
    """Whether a function arms itself in a branch that it then leaves, and does its work only where it does not.

    ``if (early) { timer = setTimeout(() => push(data), rest); return; } send(data);``
    """
    body, behind = node.body, list[Stmt]()
    while True:
        held = next(((s, b) for s in body for b in blocks(s) if holds(b, call)), None)
        if held is None:
            return False
        statement, block = held
        behind += body[body.index(statement) + 1 :]
        last = block[-1]
        if isinstance(statement, If) and isinstance(last, Return):
            return last.value is None and any(isinstance(e, Call) for e in expressions(tuple(behind)))
        if isinstance(statement, If | Loop):
            return False
        body = block


def follows_failure(event: Event) -> bool:
    """Whether something is done because something else went wrong.

    It stands in a handler, in the function of ``.catch``, or in that of an event that says that something has ended.
    """
    for region in event.regions():
        if region.kind is RegionKind.CATCH:
            return True
        if (
            region.kind is RegionKind.CALLBACK
            and isinstance(region.info, Event)
            and region.info.call is not None
        ):
            call = region.info.call
            if getattr(call.callee, "name", "") == "catch" or hears_an_end(call):
                return True
    return False


def hears_an_end(call: Call) -> bool:
    """Whether a call listens for an event that something ended by: ``connection.on('close', …)``."""
    first = call.args[0].value if call.args else None
    return (
        getattr(call.callee, "name", "") in LISTENING
        and isinstance(first, Const)
        and str(first.value).lower() in _ENDS
    )


def is_failure(test: Expr) -> bool:
    """Whether a test asks whether something went wrong, and nothing else."""
    if isinstance(test, Operation) and test.op in ("!=", "!==", "is not", "and", "or"):
        return is_failure(test.operands[0])
    if isinstance(test, Call):
        return getattr(test.callee, "name", "") in _FAILURE_QUESTIONS
    return isinstance(test, Name | Member) and test.name in _FAILED


def ending_branches(
    anchor: Expr, body: tuple[Stmt, ...], again: frozenset[str]
) -> Iterator[tuple[If, RegionKind, tuple[Stmt, ...]]]:
    """The branches of a body that exclude `anchor`, and do not name what would go round `again`."""
    block: tuple[Stmt, ...] | None = body
    while block is not None:
        inner: tuple[Stmt, ...] | None = None
        for statement in block:
            holding = next((b for b in blocks(statement) if holds(b, anchor)), None)
            if isinstance(statement, If):
                for kind, branch in (
                    (RegionKind.THEN, statement.then),
                    (RegionKind.ELSE, statement.otherwise),
                ):
                    ends = branch and (holding is not None or ends_function(branch))
                    names = {e.name for e in expressions(branch) if isinstance(e, Name | Member)}
                    if branch is not holding and ends and not names & again:
                        yield statement, kind, branch
            if holding is not None or holds((statement,), anchor):
                inner = holding
                break
        block = inner


def _ways_out(call: Call, node: Function, cycle: Function) -> Iterator[tuple[Expr, tuple[Stmt, ...]]]:
    """The tests and branches that lead past a timer, in its function and in those around it up to its cycle."""
    anchor: Expr = call
    current: Function | Module = node
    while isinstance(current, Function):
        around = {f.name for f in (current, *functions_in(current)) if f.name is not None}
        for test, _kind, branch in ending_branches(anchor, current.body, frozenset({*around, "setTimeout"})):
            yield test.test, branch
        if current is cycle:
            return
        anchor, current = current, current.parent


def _is_exit(call: Call) -> bool:
    callee = call.callee
    return (
        isinstance(callee, Member)
        and callee.name == "exit"
        and isinstance(callee.object, Name)
        and callee.object.name == "process"
    )
