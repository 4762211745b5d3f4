"""What the answer of a route knows of the jobs: that they are there, or when they last succeeded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import (
    Assign,
    Call,
    Const,
    Entry,
    Expr,
    Function,
    Index,
    Member,
    Name,
    Object,
    Stmt,
    Template,
)
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import Closure, External, Instance, Known, Record, Sequence
from cronaudit.model.walking import expressions, functions_around, inside, statements
from cronaudit.recognition.context import JobContext, Service, once
from cronaudit.recognition.facts.processes import placement
from cronaudit.recognition.facts.processes_http import Route
from cronaudit.recognition.facts.processes_sites import walk_of
from cronaudit.recognition.service.shelves import looks_at, shelf_of
from cronaudit.recognition.service.stored import shares_rows, shares_runs

FRESH: Final = lazy_regex(
    r"(?:last|latest|previous)_?(?:successful(?:ly)?_?)?(?:success|succeeded|completed|completion|finished|run|ran|ok"
    r"|executed|execution|heartbeat|beat)(?:_?(?:at|on|time|date|ts|ms|seconds|age|timestamp))?$"
    r"|overdue|stalled|is_?stale|stale_?jobs?|^stale$|stuck|missed_?(?:runs?|beats?)|seconds_?since|age_?of_?last",
    re.IGNORECASE,
)
"""Names for how fresh a job's last success is, and for one that has none."""
_PEOPLE: Final = frozenset("render render_template render_to_response sendFile TemplateResponse".split())
_HTML: Final = frozenset(("html", "text/html", "text/html; charset=utf-8"))
"""What the type of such an answer is set to."""
_ABOUT: Final = lazy_regex(
    r"(?:^|[/_.-])(?:health\w*|ready\w*|live\w*|alive|status|metrics|heartbeats?|monitor\w*|jobs?|crons?|tasks?|workers?"
    r"|schedul\w+|queues?|background)(?:[/_.-]|$)",
    re.IGNORECASE,
)
"""Routes about the service and its jobs; what others say of "overdue" is their business."""


class Knowledge(Struct, frozen=True):
    """What one route knows of the jobs."""

    fresh: tuple[JobContext, ...]
    """Jobs whose last success, or its absence, it tells."""
    listed: tuple[JobContext, ...]
    """Jobs that it shows at all."""
    location: Location
    """The call or line in the route that leads there."""
    is_page: bool
    """Whether it answers with a page for people."""


class _Word(Struct, frozen=True):
    name: str
    function: Function
    """In which it stands."""


def knowledge(service: Service, route: Route) -> Knowledge | None:
    """What a route knows; None where it knows no job."""
    if (
        route.method in ("POST", "PUT", "PATCH", "DELETE")
        or not _ABOUT.search(route.path)
        or route.handler is None
    ):
        return None
    events = _events(service, route)
    functions = [
        e.callee.function for e in events if e.kind is EventKind.ENTER and isinstance(e.callee, Closure)
    ]
    if not route.body:
        functions.insert(0, route.handler.function)
    if _runs_a_job(service, functions):
        return None
    words = list(_fresh_words(functions, route))
    read = service.reader.read(events) if words else ()
    fresh = tuple(
        c
        for c in service.jobs
        if any(_is_linked(service, c, w) for w in words)
        or (words and (shares_rows(c, read) or shares_runs(c, read, functions)))
    )
    asked = {s.library for s in service.reader.read(events) if s.effect == "jobs.list"}
    listed = tuple(
        c
        for c in service.jobs
        if _shows(c, functions) or _library(c) in asked or _shows_shelf(service, c, functions)
    )
    if not fresh and not listed:
        return None
    return Knowledge(fresh, listed, _leading(events, route, words), _is_page(events))


def _events(service: Service, route: Route) -> tuple[Event, ...]:
    """The events of the route: of a hand-written server only those under the test of the URL."""
    assert route.handler is not None  # noqa: S101 - the caller has looked
    trace = walk_of(service, route.handler)
    if not route.body:
        return trace.events
    last = max((_end(s) for s in statements(route.body)), default=route.location.line)  # type: ignore[arg-type]
    path = route.location.path
    inner: list[Event] = []
    within = False
    depth = len(next(iter(trace.events)).path) + 1 if trace.events else 0
    for event in trace.events:
        if len(event.path) <= depth and event.kind is not EventKind.ENTER:
            within = event.location.path == path and route.location.line < event.location.line <= last
        if within:
            inner.append(event)
    return tuple(inner)


def _end(statement: Stmt) -> int:
    lines = [statement.line, getattr(statement, "end_line", None)]
    for expr in expressions((statement,)):
        lines += [getattr(expr, "line", None), getattr(expr, "end_line", None)]
    return max(x for x in lines if isinstance(x, int))


def _runs_a_job(service: Service, functions: list[Function]) -> bool:
    """A route that runs a job by hand is no status."""
    handlers = {id(c.handler.function) for c in service.jobs if isinstance(c.handler, Closure)}
    return any(id(f) in handlers for f in functions)


# ---- freshness -------------------------------------------------------------------------------------------------


def _fresh_words(functions: list[Function], route: Route) -> Iterator[_Word]:
    for function in functions:
        for expr in _deep(function.body):
            name = _named(expr)
            if name is not None and FRESH.search(name):
                yield _Word(name, function)
    for expr in _deep(route.body if route.handler is not None else ()):  # type: ignore[arg-type]
        name = _named(expr)
        if name is not None and FRESH.search(name):
            yield _Word(name, route.handler.function)  # type: ignore[union-attr]


def _deep(body: tuple[Stmt, ...]) -> Iterator[Expr | Entry]:
    """All expressions of a body, those in functions inside it too, and the entries of objects."""
    stack: list[tuple[Stmt, ...]] = [body]
    while stack:
        for expr in expressions(stack.pop()):
            yield expr
            if isinstance(expr, Object):
                yield from expr.entries
            if isinstance(expr, Function):
                stack.append(expr.body)


def _named(expr: Expr | Entry) -> str | None:
    """The name of a variable, field or key; a key with a constant beside it says nothing."""
    if isinstance(expr, Name):
        return expr.name
    if isinstance(expr, Member):
        return expr.name
    if isinstance(expr, Index) and isinstance(expr.index, Const) and isinstance(expr.index.value, str):
        return expr.index.value
    if isinstance(expr, Entry) and isinstance(expr.key, str) and not isinstance(expr.value, Const):
        return expr.key
    return None


def _is_linked(service: Service, context: JobContext, word: _Word) -> bool:
    """Whether the job, or what listens to its worker, leaves behind what the route reads.

    That is so where its path writes the same field of the same class, a thing of the same module that the route's
    function uses too (a map, a key in a store), or, for names that only mean the last success, something so named.
    """
    owner = word.function.owner
    shared = _things(service, word.function)
    for function in _on_path(context):
        if function is word.function:
            continue
        if owner is not None and function.owner is owner and _writes(function, word.name):
            return True
        if (
            function.module is word.function.module
            and shared & _things(service, function)
            and _keeps(function)
        ):
            return True
        if _LAST.match(word.name) and _writes(function, word.name):
            return True
    return False


def _things(service: Service, function: Function) -> frozenset[str]:
    """The module's own maps, lists and keys that a function uses."""
    module = function.module
    used = {e.name for e in _deep(function.body) if isinstance(e, Name)}
    scope = service.linker.scope_of(module)
    found: set[str] = set()
    for statement in module.body:
        if (
            isinstance(statement, Assign)
            and isinstance(statement.target, Name)
            and statement.target.name in used
        ):
            value = service.linker.fold(statement.target, scope)
            is_key = isinstance(value, Known) and isinstance(value.value, str)
            is_map = isinstance(value, External) and value.path in _COLLECTIONS
            if is_key or is_map or isinstance(value, Record | Sequence):
                found.add(statement.target.name)
    return frozenset(found)


_LAST: Final = lazy_regex(r"(?:last|latest|previous)_?", re.IGNORECASE)
_COLLECTIONS: Final = frozenset(
    ("global:Map()", "global:Object()", "builtins.dict()", "collections.defaultdict()")
)


@once
def _on_path(context: JobContext) -> tuple[Function, ...]:
    """The functions of the job's walk, and those that the listeners of its worker call."""
    functions = {
        id(e.callee.function): e.callee.function
        for e in context.trace.events
        if e.kind is EventKind.ENTER and isinstance(e.callee, Closure)
    }
    for function in _listeners(context.service, context):
        functions.setdefault(id(function), function)
    return tuple(functions.values())


def _listeners(service: Service, context: JobContext) -> Iterator[Function]:
    """``worker.on('completed', …)``: the functions given to the methods of the object that runs the job."""
    module = service.linker.module(placement(context).work.path)
    if module is None or context.registration.consumer is None:
        return
    for call, node in service.linker.calls(module, ("on",)).get("on", ()):
        for arg in call.args:
            value = service.linker.fold(arg.value, service.linker.scope_of(node))
            if isinstance(value, Closure):
                yield value.function
                for event in walk_of(service, value).events:
                    if event.kind is EventKind.ENTER and isinstance(event.callee, Closure):
                        yield event.callee.function


def _writes(function: Function, name: str) -> bool:
    """Whether a function assigns a variable, field or key of that name, or passes one on."""
    for statement in statements(function.body):
        if isinstance(statement, Assign) and any(_named(e) == name for e in inside(statement.target)):
            return True
    column = re.compile(rf"\b(?:update|insert|merge)\b.*\b{re.escape(name)}\b", re.IGNORECASE | re.DOTALL)
    for expr in _deep(function.body):
        if isinstance(expr, Entry):
            if expr.key == name and not isinstance(expr.value, Const):
                return True
        elif any(column.search(text) for text in _texts(expr)):
            return True
    return False


def _texts(expr: Expr) -> Iterator[str]:
    """The text of a statement, which may name a column that it writes."""
    if isinstance(expr, Const) and isinstance(expr.value, str):
        yield expr.value
    elif isinstance(expr, Template):
        yield " ".join(p for p in expr.parts if isinstance(p, str))


def _keeps(function: Function) -> bool:
    """Whether a function stores something: calls a method that sets, or assigns outside itself."""
    for expr in _deep(function.body):
        if isinstance(expr, Call) and isinstance(expr.callee, Member) and _KEEPING.match(expr.callee.name):
            return True
    return any(
        isinstance(s, Assign) and isinstance(s.target, Member | Index) for s in statements(function.body)
    )


_KEEPING: Final = lazy_regex(
    r"h?set|put|save|insert|update|upsert|create|store|write|record|add|zadd", re.IGNORECASE
)


# ---- being listed ----------------------------------------------------------------------------------------------


def _shows(context: JobContext, functions: list[Function]) -> bool:
    """Whether a route asks the object that runs the job, or the list that it is registered in."""
    classes = {id(c) for c in _classes(context)}
    return any(f.owner is not None and id(f.owner) in classes for f in functions)


def _shows_shelf(service: Service, context: JobContext, functions: list[Function]) -> bool:
    shelf = shelf_of(context)
    return shelf is not None and any(looks_at(f, shelf, service.linker) for f in functions)


def _library(context: JobContext) -> str | None:
    return context.registration.scheduler.library if context.registration.scheduler is not None else None


def _classes(context: JobContext) -> Iterator[object]:
    """The classes that run the job: of its handler, of the function that registers it."""
    handler = context.registration.handler
    if isinstance(handler, Closure):
        if isinstance(handler.this, Instance):
            yield handler.this.of.cls
        if handler.function.owner is not None:
            yield handler.function.owner
    yield from (f.owner for f in functions_around(context.registration.node) if f.owner is not None)


# ---- the answer ------------------------------------------------------------------------------------------------


def _leading(events: tuple[Event, ...], route: Route, words: list[_Word]) -> Location:
    """Of a hand-written server the call under the test that leads to the answer; else the route itself."""
    if not route.body:
        return route.location
    modules = {w.function.module.path for w in words}
    for event in events:
        if event.location.path != route.location.path or not isinstance(event.callee, Closure):
            continue
        if event.kind is EventKind.CALL and event.callee.function.module.path in modules:
            return event.location
    return route.location


def _is_page(events: tuple[Event, ...]) -> bool:
    return any(
        e.call is not None
        and (
            getattr(e.call.callee, "name", "") in _PEOPLE
            or any(isinstance(a.value, Const) and a.value.value in _HTML for a in e.call.args)
        )
        for e in events
    )
