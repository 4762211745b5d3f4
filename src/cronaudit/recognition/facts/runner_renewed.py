"""Variables that a run makes anew before it reads them: they outlive it, but no later run lives on them.

A read is settled by a write that stands before it in the same block, or before the call through which the walk comes
to the read; a function that begins by making something settles what its caller does behind the call.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.ir import Assign, Await, Call, Expr, Function, Return, Stmt
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import Closure
from cronaudit.model.walking import blocks, contains, inside, statement_expressions, statements

_LEVELS = 4
"""How far out the callers of a function are settled too."""


class Spot(Struct, frozen=True):
    """A place in a function of the run."""

    function: Function
    line: int


class _Span(Struct, frozen=True):
    """The lines of one function behind a write, to the end of its block."""

    function: Function
    first: int
    last: int


class Renewals:
    """The walk of one run, asked for what comes before what."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        self._events = events
        self._of: dict[int, list[Event]] = {}
        self._calls: dict[int, list[Event]] = {}
        for event in events:
            if isinstance(event.scope.node, Function) and event.kind is not EventKind.ENTER:
                self._of.setdefault(id(event.scope.node), []).append(event)
            if event.kind is EventKind.CALL and isinstance(event.callee, Closure):
                self._calls.setdefault(id(event.callee.function), []).append(event)

    def settles(self, write: Spot, reads: list[Spot]) -> bool:
        """Whether a write, in every run that comes to one of the reads, comes before it."""
        spans = list(self._spans(write.function, write.line, _LEVELS))
        return bool(reads) and all(self._is_behind(read, spans) for read in reads)

    def _spans(self, function: Function, line: int, levels: int) -> Iterator[_Span]:
        found = _block(function.body, line)
        if found is None:
            return
        block, statement = found
        yield _Span(function, _end(statement) + 1, _end(block[-1]))
        if block is not function.body or not levels:
            return
        before = (s for s in statements(function.body) if s.line < statement.line)
        if any(isinstance(s, Return) for s in before):
            return
        # All that the function does behind its beginning is behind the write; so is what its one caller does next.
        calls = self._calls.get(id(function), [])
        if len(calls) == 1 and _is_plain(calls[0]) and isinstance(calls[0].scope.node, Function):
            yield from self._spans(calls[0].scope.node, calls[0].location.line, levels - 1)

    def _is_behind(self, read: Spot, spans: list[_Span], seen: frozenset[int] = frozenset()) -> bool:
        if any(s.function is read.function and s.first <= read.line <= s.last for s in spans):
            return True
        if id(read.function) in seen:
            return True
        seen |= {id(read.function)}
        ways = [Spot(e.scope.node, e.location.line) for e in self._ways(read.function) if _has_home(e)]  # type: ignore[arg-type]
        return bool(ways) and all(self._is_behind(way, spans, seen) for way in ways)

    def _ways(self, function: Function) -> list[Event]:
        """The calls of a function; of one that is handed over the calls that take it."""
        calls = self._calls.get(id(function), [])
        if calls or not isinstance(function.parent, Function):
            return calls
        around = self._of.get(id(function.parent), [])
        return [e for e in around if e.call is not None and contains(e.call, function)][:1]


def _has_home(event: Event) -> bool:
    return isinstance(event.scope.node, Function)


def _is_plain(event: Event) -> bool:
    """Whether a call is a statement of its own, or what one assigns: nothing decides whether it is made."""
    statement = event.statement
    roots = list(statement_expressions(statement)) if statement is not None else []
    values: list[Expr] = [r.value if isinstance(r, Await) else r for r in roots]
    return any(isinstance(v, Call) and v is event.call for v in values)


def _block(body: tuple[Stmt, ...], line: int) -> tuple[tuple[Stmt, ...], Stmt] | None:
    """The innermost block in which a line stands, and its statement there."""
    for statement in body:
        if not statement.line <= line <= _end(statement):
            continue
        for block in blocks(statement):
            found = _block(block, line)
            if found is not None:
                return found
        return body, statement
    return None


def _end(statement: Stmt) -> int:
    """The last line of a statement."""
    lines = [statement.line, getattr(statement, "end_line", None) or 0]
    for one in (statement, *(s for b in blocks(statement) for s in statements(b))):
        lines.append(one.line)
        for root in statement_expressions(one):
            for expr in inside(root):
                lines += [getattr(expr, "line", None) or 0, getattr(expr, "end_line", None) or 0]
                if isinstance(expr, Function):
                    lines.append(expr.end_line)
    return max(lines)


def is_new(statement: Stmt, name: str) -> bool:
    """Whether a statement gives a variable a value that is not made from the one it had."""
    if not isinstance(statement, Assign) or statement.op != "=" or statement.value is None:
        return False
    target = statement.target
    return getattr(target, "name", None) == name and not any(
        type(e) is type(target) and getattr(e, "name", None) == name for e in inside(statement.value)
    )
