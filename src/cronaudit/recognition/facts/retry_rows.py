"""Retries that a scheduler of the project counts in a row: ``if (row.retried >= row.maxRetries)``, else once more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Assign, Expr, Handler, If, Member, Name, Operation, Try
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.model.value import Closure, Known, Record, Value
from cronaudit.model.walking import ends_function, inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.columns import default_of_column
from cronaudit.recognition.facts.retry_options import Policy
from cronaudit.recognition.facts.run_history import table_of
from cronaudit.recognition.facts.spans import Spans, core_of, number_of
from cronaudit.recognition.sightings import Sighting

_COUNTER = lazy_regex(r"attempt|retr(?:y|ie)|tries", re.IGNORECASE)
_REVERSED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


class _Test(NamedTuple):
    """A counter of a row held against a limit."""

    counter: Member
    limit: Expr
    op: str
    at: If
    then_ends: bool
    """Whether the branch that is taken when the limit is reached is the first."""


def of_rows(context: JobContext, spans: Spans) -> Iterator[Policy]:
    """A handler around the work that counts the attempt in a row and hands the run over once more."""
    core = core_of(context, spans)
    if core is None:
        return
    own = {core.order, *(e.order for e in spans.span(core))}
    for region in core.regions():
        if region.kind is not RegionKind.TRY or not isinstance(region.node, Try):
            continue
        for handler in region.node.handlers:
            scope_event = _in_handler(spans, region.node, own)
            test = _test_of(handler) if scope_event is not None else None
            if test is None or scope_event is None:
                continue
            counted = _counts(context, test.counter.name, own)
            again = _again(context, spans, region.node, test, own)
            if counted is not None and again is not None:
                yield _policy(context, test, counted, again, scope_event)


def _in_handler(spans: Spans, attempt: Try, own: set[int]) -> Event | None:
    """The first call that stands in a handler itself: in whose scope it is read."""
    for event in spans.events:
        if event.kind is EventKind.CALL and event.order not in own:
            inner = next((r for r in event.regions() if r.kind is RegionKind.CATCH), None)
            if inner is not None and inner.node is attempt:
                return event
    return None


def _test_of(handler: Handler) -> _Test | None:
    given: dict[str, Expr] = {
        s.target.name: s.value
        for s in statements(handler.body)
        if isinstance(s, Assign) and isinstance(s.target, Name) and s.value is not None
    }
    for statement in statements(handler.body):
        if not isinstance(statement, If):
            continue
        for expr in _parts(statement.test, given):
            if not isinstance(expr, Operation) or expr.op not in _REVERSED or len(expr.operands) != 2:
                continue
            left, right = expr.operands
            for counter, limit, op in ((left, right, expr.op), (right, left, _REVERSED[expr.op])):
                if not isinstance(counter, Member) or not _COUNTER.search(counter.name) or _is_limit(counter):
                    continue
                if op in (">", ">=") and ends_function(statement.then):
                    return _Test(counter, limit, op, statement, then_ends=True)
                if op in ("<", "<="):
                    return _Test(counter, limit, op, statement, then_ends=False)
    return None


def _parts(test: Expr, given: dict[str, Expr]) -> Iterator[Expr]:
    """A test and what the variables in it were given, one step deep."""
    for expr in inside(test):
        yield expr
        if isinstance(expr, Name) and expr.name in given:
            yield from inside(given[expr.name])


def _is_limit(counter: Member) -> bool:
    return counter.name.lower().startswith(("max", "limit"))


def _counts(context: JobContext, column: str, own: set[int]) -> Sighting | None:
    """The update of the row, around the work, that raises the counter."""
    for sighting in context.seen("db.update"):
        if sighting.event.order in own:
            continue
        data = sighting.param("data")
        value = (
            context.linker.force(data.entries[column])
            if isinstance(data, Record) and column in data.entries
            else None
        )
        if value is not None and not (isinstance(value, Known) and value.value == 0):
            return sighting
    return None


def _again(context: JobContext, spans: Spans, attempt: Try, test: _Test, own: set[int]) -> Event | None:
    """The call by which the handler hands the run over once more, where the limit is not yet reached.

    It is a queue's, or a function that the round outside the handler calls for the first attempt.
    """
    queued = {s.event.order for s in context.seen("queue.enqueue")}
    outside = {
        id(e.callee.function)
        for e in spans.events
        if e.kind is EventKind.CALL
        and isinstance(e.callee, Closure)
        and not _is_in(e, attempt, RegionKind.CATCH)
    }
    for event in spans.events:
        if (
            event.kind is not EventKind.CALL
            or event.order in own
            or not _is_in(event, attempt, RegionKind.CATCH)
        ):
            continue
        if not _is_on_way(event, test):
            continue
        if event.order in queued:
            return event
        if (
            isinstance(event.callee, Closure)
            and id(event.callee.function) in outside
            and _sends(context, spans, event)
        ):
            return event
    return None


def _is_in(event: Event, attempt: Try, kind: RegionKind) -> bool:
    return any(r.kind is kind and r.node is attempt for r in event.regions())


def _is_on_way(event: Event, test: _Test) -> bool:
    """Whether a call lies where there are attempts left."""
    branch = next((r for r in event.regions() if r.node is test.at), None)
    if test.then_ends:
        return (branch is None and event.location.line > test.at.line) or _is_branch(branch, RegionKind.ELSE)
    return _is_branch(branch, RegionKind.THEN)


def _is_branch(branch: Region | None, kind: RegionKind) -> bool:
    return branch is not None and branch.kind is kind


def _sends(context: JobContext, spans: Spans, event: Event) -> bool:
    """Whether a function of the project hands something over: by a request or a queue."""
    brought = spans.brings_about(event)
    return any(s.event.order in brought for s in context.seen("http.request", "queue.enqueue"))


def _policy(context: JobContext, test: _Test, counted: Sighting, again: Event, inner: Event) -> Policy:
    value = _limit_of(context, test, counted, inner)
    number = number_of(value)
    at = getattr(value, "at", None) or Location(inner.scope.module.path, test.at.line)
    count = None if number is None else _attempts(number, test)
    return Policy(
        scope="run",
        scope_detail="",
        attempts="open" if number is None else "bounded",
        count=count,
        count_at=at,
        detail="" if count is None else f"{count:g} attempts, counted in {test.counter.name}",
        delay="none",
        delay_at=again.location,
        delay_detail="",
        locations=(again.location,),
        path=again.path,
        open="" if number is not None else f"the number of attempts: {_said(test.limit)} is not resolved",
    )


def _attempts(limit: float, test: _Test) -> float:
    """Attempts in all: a counter of retries does not count the first one."""
    more = 1.0 if "retr" in test.counter.name.lower() else 0.0
    return limit + more + (1.0 if test.op in (">", "<=") else 0.0)


def _limit_of(context: JobContext, test: _Test, counted: Sighting, inner: Event) -> Value | None:
    """The limit as the code states it, or the schema, where it is a column of the same row that nothing sets."""
    limit, counter = test.limit, test.counter
    value = context.linker.fold(limit, inner.scope)
    if number_of(value) is not None or not isinstance(limit, Member):
        return value
    same_row = (
        isinstance(limit.object, Name)
        and isinstance(counter.object, Name)
        and limit.object.name == counter.object.name
    )
    table = table_of(counted)
    if not same_row or table is None or _is_set(context, limit.name, table):
        return value
    return default_of_column(context.service, table, limit.name) or value


def _is_set(context: JobContext, column: str, table: str) -> bool:
    for sighting in context.seen("db.insert", "db.upsert", "db.update"):
        data = sighting.param("data")
        if table_of(sighting) == table and not (isinstance(data, Record) and column not in data.entries):
            return True
    return False


def _said(limit: Expr) -> str:
    return limit.name if isinstance(limit, Member | Name) else "the limit"
