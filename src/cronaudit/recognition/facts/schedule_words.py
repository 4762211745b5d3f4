"""The words beside a schedule: comments, a description, the name of a preset, a builder that describes itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact
from cronaudit.model.ir import (
    Assign,
    Call,
    Comment,
    Const,
    Expr,
    Function,
    Index,
    Member,
    Module,
    Name,
    Object,
)
from cronaudit.model.schedule import CommentReading, Schedule
from cronaudit.model.source import Location
from cronaudit.model.value import Closure, Known
from cronaudit.model.walking import expressions, functions_in, inside, statements
from cronaudit.recognition.context import JobContext, doc_of, over_settings
from cronaudit.recognition.facts.remarks import comments_of, planner_comment, taken_by
from cronaudit.schedule.comments import comment_says

Words = Literal["words", "size", "builder", "contradicts", "none"]

_UNITS: Final = frozenset("seconds minutes hours days weeks milliseconds second minute hour day week".split())
_IN_WORDS: Final = lazy_regex(
    r"^@\w+$|^(?:every|rate)\b|\d\s*(?:s|m|h|d|ms|sec|min|hour|day|week|month)\w*$", re.IGNORECASE
)
_LONG_CALL: Final = 12
"""Lines: in a longer call the comments between stand beside something else."""


def words_of(context: JobContext, schedule: Schedule) -> Fact[Words]:
    """What stands beside the schedule; of several remarks the nearest one that says anything."""
    size: Fact[Words] | None = None
    contradiction: Fact[Words] | None = None
    for comment, path in _remarks(context):
        at = Location(path, comment.line, comment.end_line if comment.end_line != comment.line else None)
        quoted = _quoted(comment.text)
        match comment_says(comment.text, schedule):
            case CommentReading.WORDS:
                if contradiction is None:
                    return Fact("words", f"Comment: '{quoted}'", (at,))
            case CommentReading.CONTRADICTS:
                detail = f"Comment '{quoted}' contradicts {schedule.text or schedule.expression}"
                contradiction = contradiction or Fact("contradicts", detail, (at,))
            case CommentReading.SIZE:
                size = size or Fact("size", f"Interval with its size: '{quoted}'", (at,))
            case _:
                pass
    if contradiction is not None:
        return contradiction
    described = _described(context, schedule)
    if described is not None:
        return described
    for name, at in _names(context):
        reading = comment_says(_spaced(name), schedule)
        if reading is CommentReading.WORDS:
            return Fact("words", f"Named preset {name}", (at,))
        if reading is CommentReading.SIZE:
            size = size or Fact("size", f"Size in the name {name}", (at,))
    if size is not None:
        return size
    return _builder(context, schedule)


def _quoted(text: str) -> str:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first if len(first) <= 60 else f"{first[:57]}..."


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|_", " ", name).lower()


# ---- comments --------------------------------------------------------------------------------------------------


def _remarks(context: JobContext) -> Iterator[tuple[Comment, str]]:
    """Comments at the schedule itself, then at the registration, then at the entry, class or constant around it."""
    registration = context.registration
    seen: set[int] = set()
    for at, last in _places(context):
        for comment in _near(comments_of(context, at.path), at.line, last):
            if id(comment) not in seen:
                seen.add(id(comment))
                yield comment, at.path
    planner = planner_comment(context)
    if planner is not None and id(planner) not in seen:
        seen.add(id(planner))
        yield planner, context.site.path
    yield from _route_remarks(context)
    handler = registration.handler
    if isinstance(handler, Closure) and registration.call.call is not None:
        # The doc of a decorated function stands beside the decorator that states the schedule.
        function = handler.function
        near = (
            function.module.path == context.site.path and 0 <= function.line - context.site.line <= _LONG_CALL
        )
        doc = doc_of(function) if near and function.decorators else None
        if doc is not None and id(doc) not in seen:
            yield doc, function.module.path


def _route_remarks(context: JobContext) -> Iterator[tuple[Comment, str]]:
    """A manifest in JSON holds no comments: what says when the job runs stands above its route."""
    scheduler, work = (
        context.registration.scheduler,
        context.registration.work or context.registration.handler,
    )
    if scheduler is None or scheduler.how != "manifest" or not isinstance(work, Closure):
        return
    module = work.function.module
    for comment in over_settings(context.linker, module, work.function.line):
        if comment_says(comment.text, context.registration.timing.schedule) is CommentReading.WORDS:
            yield comment, module.path


def _places(context: JobContext) -> Iterator[tuple[Location, int]]:
    registration = context.registration
    timing_at = registration.timing.at
    site = registration.site
    if timing_at is not None:
        yield timing_at, timing_at.line
    if (
        timing_at is not None
        and timing_at.path == site.path
        and 0 <= timing_at.line - site.line <= _LONG_CALL
    ):
        yield site, timing_at.line
    else:
        yield site, site.line
    item = registration.item
    if item is not None:
        within = timing_at is not None and timing_at.path == item.path
        last = (
            timing_at.line
            if within and timing_at is not None and 0 <= timing_at.line - item.line <= _LONG_CALL
            else item.line
        )
        yield item, last
    for place in (timing_at, site, item):
        if place is not None:
            start = _statement_line(context.linker.module(place.path), place.line)
            if start is not None and start != place.line:
                yield Location(place.path, start), start
    taken = taken_by(context.linker.module(site.path), site.line)
    if taken is not None:
        yield Location(site.path, taken), taken


def _near(comments: tuple[Comment, ...], line: int, last: int) -> tuple[Comment, ...]:
    """Trailing on the place's own lines, or in the lines directly above it."""
    return tuple(
        c
        for c in comments
        if (c.end_line == line - 1 and not c.is_trailing) or line <= c.line < last or c.line == last
    )


def _statement_line(module: Module | None, line: int) -> int | None:
    """The first line of the innermost short statement around a line."""
    if module is None:
        return None
    best: int | None = None
    for statement in statements(module.body):
        end = getattr(statement, "end_line", statement.line)
        if (
            isinstance(statement, Assign)
            and statement.line <= line <= end
            and end - statement.line <= _LONG_CALL
        ):
            best = statement.line
    return best


def _described(context: JobContext, schedule: Schedule) -> Fact[Words] | None:
    value = context.registration.options.get("description")
    if isinstance(value, Known) and isinstance(value.value, str):
        reading = comment_says(value.value, schedule)
        if reading in (CommentReading.WORDS, CommentReading.SIZE):
            at = value.at or context.site
            said = "words" if reading is CommentReading.WORDS else "size"
            return Fact(
                "words" if said == "words" else "size", f"Description: '{_quoted(value.value)}'", (at,)
            )
    return None


# ---- as written ------------------------------------------------------------------------------------------------


def _written(context: JobContext) -> Iterator[Expr]:
    """The expressions of the schedule's arguments as written; functions among them are none."""
    call = context.registration.call.call or _decorator(context)
    if call is None:
        at = context.registration.timing.at
        module = context.linker.module(at.path) if at is not None else None
        if at is None or module is None:
            return
        bodies = (module.body, *(f.body for f in functions_in(module)))
        yield from (
            e for body in bodies for e in expressions(body) if isinstance(e, Call) and e.line == at.line
        )
        return
    for arg in call.args:
        if isinstance(arg.value, Function):
            continue
        yield from (e for e in inside(arg.value) if not isinstance(e, Function))


def _decorator(context: JobContext) -> Call | None:
    """``@Cron(CronExpression.EVERY_HOUR)``: the decorator that states the schedule."""
    handler = context.registration.handler
    decorators = handler.function.decorators if isinstance(handler, Closure) else ()
    return next((d for d in decorators if isinstance(d, Call) and d.line == context.site.line), None)


def _names(context: JobContext) -> Iterator[tuple[str, Location]]:
    """Names of constants in the schedule's place, and of the constant in which its text stands."""
    path = context.site.path
    for expr in _written(context):
        if isinstance(expr, Name | Member) and re.search(r"[A-Z_]", expr.name):
            yield expr.name, Location(path, expr.line)
        elif isinstance(expr, Index) and isinstance(expr.index, Const) and isinstance(expr.index.value, str):
            yield expr.index.value, Location(path, expr.line)
    at = context.registration.timing.at
    module = context.linker.module(at.path) if at is not None else None
    if at is None or module is None:
        return
    for statement in statements(module.body):
        if not isinstance(statement, Assign) or not isinstance(statement.target, Name):
            continue
        if (
            statement.line <= at.line <= statement.end_line
            and statement.end_line - statement.line <= _LONG_CALL
        ):
            yield statement.target.name, Location(at.path, statement.line)
        elif isinstance(statement.value, Object) and statement.line <= at.line <= statement.end_line:
            for entry in statement.value.entries:
                if entry.line == at.line and isinstance(entry.key, str):
                    yield entry.key, Location(at.path, entry.line)


def _builder(context: JobContext, schedule: Schedule) -> Fact[Words]:
    timing = context.registration.timing
    at = timing.at or context.site
    text = schedule.expression or ""
    if timing.is_builder:
        return Fact("builder", "Builder that describes itself, no comment", (at,))
    if text and _IN_WORDS.search(text.strip()):
        return Fact("builder", f"'{text}', no comment", (at,))
    for expr in _written(context):
        if not schedule.is_interval:
            break
        if isinstance(expr, Const) and isinstance(expr.value, str) and _IN_WORDS.search(expr.value.strip()):
            return Fact("builder", f"'{expr.value}', no comment", (at,))
        if isinstance(expr, Call) and any(a.name in _UNITS for a in expr.args):
            return Fact("size", "Size by the names of units", (at,))
        if isinstance(expr, Object) and any(e.key in _UNITS for e in expr.entries):
            return Fact("size", "Size by the names of units", (at,))
    call = context.registration.call.call
    chain = call.callee if call is not None else None
    while isinstance(chain, Member | Call):
        if isinstance(chain, Member) and chain.name in _UNITS:
            return Fact("size", "Size by the names of units", (at,))  # every(10).minutes.do(compact)
        chain = chain.object if isinstance(chain, Member) else chain.callee
    if schedule.is_interval and call is not None and any(a.name in _UNITS for a in call.args):
        return Fact("size", "Size by the names of units", (at,))
    what = f"bare '{text}'" if text else "bare number"
    return Fact("none", f"No words beside the schedule: {what}", (at,))
