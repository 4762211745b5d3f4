"""Loops of the project's own that try again: their bound, their delay, and what decides on another attempt."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import (
    Assign,
    AssignExpr,
    Await,
    Break,
    Call,
    Continue,
    Expr,
    Function,
    Handler,
    If,
    Loop,
    LoopKind,
    Member,
    Name,
    Operation,
    Return,
    Stmt,
    Throw,
    Try,
)
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import External, Known, Sequence, Value
from cronaudit.model.walking import inside, statement_expressions, statements
from cronaudit.recognition.facts.spans import number_of

COUNTER = lazy_regex(r"attempt|retr(y|ies)|tries|\btry|remaining|backoff", re.IGNORECASE)
"""What people call a counter of attempts."""


class Bound(Struct, frozen=True):
    """How often a loop goes round at most."""

    count: float | None
    """Attempts in all; None where the bound is there but not resolved."""
    value: Value | None
    """The folded bound."""
    location: Location


class RetryLoop(Struct, frozen=True):
    """A loop that leaves on success and goes on after an error."""

    event: Event
    loop: Loop
    attempt: Try
    bound: Bound | None
    """None where nothing ends it."""

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """What catches a failed attempt."""
        return self.attempt.handlers


def retry_loops(events: tuple[Event, ...], linker: Linker) -> Iterator[RetryLoop]:
    """The loops of a walk that try again."""
    for event in events:
        loop = event.statement
        if event.kind is not EventKind.LOOP or not isinstance(loop, Loop):
            continue
        attempt = _attempt(loop)
        if attempt is not None:
            yield RetryLoop(event, loop, attempt, bound_of_loop(event, loop, linker))


def _attempt(loop: Loop) -> Try | None:
    """The ``try`` of a loop that ends the loop on success and survives an error."""
    if loop.kind in (LoopKind.EACH, LoopKind.KEYS) and not _is_counted(loop):
        return None
    for statement in loop.body:
        if not isinstance(statement, Try) or not statement.handlers:
            continue
        if not any(_goes_on(h) for h in statement.handlers):
            continue
        if _leaves(statement, loop):
            return statement
    return None


def _is_counted(loop: Loop) -> bool:
    """``for attempt in range(3)``, ``for (const delay of DELAYS)``."""
    target = loop.target
    if (
        isinstance(loop.iterable, Call)
        and isinstance(loop.iterable.callee, Name)
        and loop.iterable.callee.name == "range"
    ):
        return True
    return isinstance(target, Name) and bool(COUNTER.search(target.name) or "delay" in target.name.lower())


def _goes_on(handler: Handler) -> bool:
    """Whether a handler comes to its end, on some way, so that the loop goes round again."""
    if any(isinstance(s, Continue) for s in statements(handler.body)):
        return True
    return not handler.body or not isinstance(handler.body[-1], Throw | Return | Break)


def _leaves(attempt: Try, loop: Loop) -> bool:
    """Whether success ends the loop: by return or break, or by a flag that its test asks."""
    own = list(statements(attempt.body))
    if any(isinstance(s, Return | Break) for s in own):
        return True
    behind = loop.body[loop.body.index(attempt) + 1 :]
    if behind and isinstance(behind[0], Return | Break):
        return True
    asked = _flags_of(loop.test) if loop.test is not None else frozenset()
    return any(
        isinstance(s, Assign)
        and isinstance(s.target, Name)
        and s.target.name in asked
        and not COUNTER.search(s.target.name)
        for s in own
    )


def _flags_of(test: Expr) -> frozenset[str]:
    """The names that a test asks but for those of its counting: who moves a limit goes through something."""
    counting = [e for e in inside(test) if isinstance(e, Operation) and e.op in ("<", "<=", ">", ">=")]
    counted = {id(e) for operation in counting for e in inside(operation)}
    return frozenset(e.name for e in inside(test) if isinstance(e, Name) and id(e) not in counted)


# ---- the bound -------------------------------------------------------------------------------------------------


def bound_of_loop(event: Event, loop: Loop, linker: Linker) -> Bound | None:
    """How often the loop goes round; None where nothing bounds it."""
    at = event.location
    if loop.kind in (LoopKind.EACH, LoopKind.KEYS):
        return _bound_of_items(event, loop, linker)
    tests: list[tuple[Expr, bool, bool]] = [(loop.test, True, False)] if loop.test is not None else []
    for statement in statements(loop.body):
        if isinstance(statement, If) and _ends_loop(statement.then):
            tests.append((statement.test, False, True))
        elif isinstance(statement, If) and (
            _ends_loop(statement.otherwise) or any(isinstance(s, Continue) for s in statement.then)
        ):
            tests.append((statement.test, True, True))
    for test, goes_on, after in tests:
        for comparison in _comparisons(test):
            bound = _bound_of_test(comparison, event, loop, linker, goes_on=goes_on, after=after)
            if bound is not None:
                return bound
        counter = _bare_counter(test)
        if counter is not None and goes_on:
            start = _start_of(counter, event, linker)
            return Bound(number_of(start), start, getattr(start, "at", None) or at)
    return None


def _ends_loop(body: tuple[Stmt, ...]) -> bool:
    return bool(body) and any(isinstance(s, Throw | Return | Break) for s in body)


def _comparisons(test: Expr) -> Iterator[Operation]:
    return (
        e
        for e in inside(test)
        if isinstance(e, Operation) and e.op in ("<", "<=", ">", ">=", "==", "!=") and len(e.operands) == 2
    )


def _bare_counter(test: Expr) -> Name | None:
    """``while (retries--)``, ``while retries:``."""
    for expr in inside(test):
        if isinstance(expr, Name) and COUNTER.search(expr.name):
            return expr
    return None


def _bound_of_test(
    test: Operation, event: Event, loop: Loop, linker: Linker, *, goes_on: bool, after: bool
) -> Bound | None:
    left, right = test.operands
    counter, limit, op = left, right, test.op
    if not _counts(counter, loop) and _counts(limit, loop):
        counter, limit = right, left
        op = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
    if not _counts(counter, loop) or not isinstance(counter, Name | Member):
        return None
    value = linker.fold(limit, event.scope)
    stop = number_of(value)
    start = number_of(_start_of(counter, event, linker)) if isinstance(counter, Name) else None
    location = getattr(value, "at", None) or Location(event.scope.module.path, test.line)
    if not goes_on:
        op = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}[op]
    if op in (">", ">="):
        if start is None or stop is None:
            return Bound(None, value, location)
        count = start - stop + (1 if op == ">=" else 0)
        return (
            Bound(max(count, 1), _start_of(counter, event, linker), location)
            if isinstance(counter, Name)
            else None
        )
    if stop is None:
        return Bound(None, value, location)
    first = 0.0 if start is None else start
    # `if (attempt >= max) throw` stands behind the attempt of that number: it was made.
    count = stop - first + (1 if op == "<=" or after else 0)
    if after and _counts_before(counter, loop):
        count -= 1
    return Bound(max(count, 1), value, location)


def _counts_before(counter: Expr, loop: Loop) -> bool:
    """Whether the counter goes up before it is tested, in the handler itself (``if (++attempt >= max) throw``)."""
    name = getattr(counter, "name", "")
    for statement in statements(loop.body):
        if (
            isinstance(statement, Assign)
            and getattr(statement.target, "name", None) == name
            and statement.op in ("+", "-")
        ):
            return True
        for root in statement_expressions(statement):
            for expr in inside(root):
                if isinstance(expr, AssignExpr) and getattr(expr.target, "name", None) == name:
                    return True
        if isinstance(statement, If) and any(
            getattr(e, "name", None) == name for e in inside(statement.test)
        ):
            return False
    return False


def _counts(expr: Expr, loop: Loop) -> bool:
    """Whether a variable goes up or down in the loop."""
    if isinstance(expr, AssignExpr):
        return True
    if not isinstance(expr, Name | Member):
        return False
    roots: list[Expr] = [loop.update] if loop.update is not None else []
    for statement in statements(loop.body):
        if isinstance(statement, Assign) and statement.op in ("+", "-") and _same(statement.target, expr):
            return True
        roots.extend(statement_expressions(statement))
    if loop.test is not None:
        roots.append(loop.test)
    return any(
        isinstance(e, AssignExpr) and e.op in ("+", "-") and _same(e.target, expr)
        for root in roots
        for e in inside(root)
    ) or any(
        isinstance(e, Operation) and e.op in ("++", "--") and _same(e.operands[0], expr)
        for root in roots
        for e in inside(root)
    )


def _same(a: Expr, b: Expr) -> bool:
    if isinstance(a, Name) and isinstance(b, Name):
        return a.name == b.name
    return isinstance(a, Member) and isinstance(b, Member) and a.name == b.name


def _start_of(counter: Expr, event: Event, linker: Linker) -> Value | None:
    """What the counter begins with: the declaration before the loop, or the argument that the caller passes."""
    node = event.scope.node
    name = getattr(counter, "name", "")
    for statement in statements(node.body):
        if (
            isinstance(statement, Assign)
            and statement.op == "="
            and getattr(statement.target, "name", None) == name
            and statement.line <= event.location.line
            and statement.value is not None
        ):
            return linker.fold(statement.value, event.scope)
    if isinstance(node, Function) and any(p.name == name for p in node.params):
        return linker.fold(counter, event.scope)
    return None


def _bound_of_items(event: Event, loop: Loop, linker: Linker) -> Bound | None:
    iterable = loop.iterable
    at = event.location
    if isinstance(iterable, Call) and isinstance(iterable.callee, Name) and iterable.callee.name == "range":
        values = [linker.fold(a.value, event.scope) for a in iterable.args]
        numbers = [number_of(v) for v in values]
        if not values:
            return None
        last = values[1] if len(values) > 1 else values[0]
        place = getattr(last, "at", None) or at
        if any(n is None for n in numbers[:2]):
            return Bound(None, last, place)
        start = numbers[0] if len(numbers) > 1 else 0.0
        stop = numbers[1] if len(numbers) > 1 else numbers[0]
        return Bound((stop or 0.0) - (start or 0.0), last, place)
    value = linker.fold(iterable, event.scope) if iterable is not None else None
    if isinstance(value, Sequence) and value.complete:
        return Bound(float(len(value.items)), value, value.at or at)
    return Bound(None, value, at) if value is not None else None


# ---- the delay -------------------------------------------------------------------------------------------------


def waits_of(
    loop: Loop, event: Event, linker: Linker, sleeping: frozenset[int]
) -> Iterator[tuple[Expr, Location]]:
    """What the loop waits for between two attempts; `sleeping` are the calls that a library says wait."""
    for statement in statements(loop.body):
        for root in statement_expressions(statement):
            for expr in inside(root):
                call = expr.value if isinstance(expr, Await) else expr
                if not isinstance(call, Call):
                    continue
                if id(call) in sleeping and call.args:
                    yield call.args[0].value, Location(event.scope.module.path, call.line)
                else:
                    timer = _timer_in(call, linker, event)
                    if timer is not None:
                        yield timer, Location(event.scope.module.path, call.line)


def _timer_in(call: Call, linker: Linker, event: Event) -> Expr | None:
    """``new Promise((resolve) => setTimeout(resolve, ms))``."""
    if not call.is_new or not call.args or not isinstance(call.args[0].value, Function):
        return None
    for statement in statements(call.args[0].value.body):
        for root in statement_expressions(statement):
            for inner in inside(root):
                if isinstance(inner, Call) and len(inner.args) > 1:
                    callee = linker.fold(inner.callee, event.scope)
                    if isinstance(callee, External) and callee.path == "global:setTimeout":
                        return inner.args[1].value
    return None


class Growth(Struct, frozen=True):
    """How a delay goes from one attempt to the next."""

    grows: bool
    factor: Known | None
    """What it grows by, where that is a number."""


def growth_of(delay: Expr, loop: Loop, event: Event, linker: Linker) -> Growth:
    """Whether a delay grows: a power, a product with the counter, a variable that is multiplied in the loop."""
    for expr in inside(delay):
        if isinstance(expr, Operation) and expr.op in ("**", "<<"):
            return Growth(grows=True, factor=_number(expr.operands[0], event, linker))
        if isinstance(expr, Call) and getattr(expr.callee, "name", "") == "pow":
            return Growth(
                grows=True, factor=_number(expr.args[0].value, event, linker) if expr.args else None
            )
        if (
            isinstance(expr, Operation)
            and expr.op in ("*", "+")
            and any(_counts(o, loop) for o in expr.operands)
        ):
            return Growth(grows=True, factor=None)
        if loop.target is not None and isinstance(expr, Name) and _same(loop.target, expr):
            return Growth(grows=True, factor=None)
    names = [e for e in inside(delay) if isinstance(e, Name | Member)]
    for statement in statements(loop.body):
        if not isinstance(statement, Assign) or not any(_same(statement.target, n) for n in names):
            continue
        if statement.op == "*" and statement.value is not None:
            return _by(_number(statement.value, event, linker))
        if statement.value is not None and statement.op == "=":
            for expr in inside(statement.value):
                if (
                    isinstance(expr, Operation)
                    and expr.op == "*"
                    and any(_same(o, statement.target) for o in expr.operands)
                ):
                    other = next((o for o in expr.operands if not _same(o, statement.target)), expr)
                    return _by(_number(other, event, linker))
                if isinstance(expr, Operation) and expr.op == "**":
                    return Growth(grows=True, factor=None)
            if any(_counts(e, loop) for e in inside(statement.value)):
                return Growth(grows=True, factor=None)
    return Growth(grows=False, factor=None)


def _by(factor: Known | None) -> Growth:
    return Growth(grows=(number := number_of(factor)) is None or number > 1, factor=factor)


def _number(expr: Expr, event: Event, linker: Linker) -> Known | None:
    value = linker.fold(expr, event.scope)
    return value if isinstance(value, Known) and number_of(value) is not None else None
