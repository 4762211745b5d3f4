"""``errors.logged``: what the handlers of the work's errors write down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact
from cronaudit.model.ir import (
    Const,
    Expr,
    Function,
    Index,
    Member,
    Name,
)
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.model.value import Closure
from cronaudit.model.walking import inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.acts import OUTGOING, is_work
from cronaudit.recognition.facts.data import is_retry
from cronaudit.recognition.facts.errors_caught import handler_location, outermost_try, typed_try
from cronaudit.recognition.facts.errors_content import Content, derived, level_of, through
from cronaudit.recognition.facts.failure_paths import hooks
from cronaudit.recognition.facts.frames import Frames, catching, repeats
from cronaudit.recognition.facts.operations import WRITES, operations_of
from cronaudit.recognition.facts.replays import bound
from cronaudit.recognition.facts.usage import body_of, targets
from cronaudit.recognition.sightings import Sighting

Logged = Literal["context", "framework", "bare", "dropped-object", "warning", "swallowed"]

_WORST_FIRST: tuple[Logged, ...] = ("swallowed", "warning", "dropped-object", "bare", "framework", "context")
_LEVEL_NAMES = {
    "error": "error", "err": "error", "exception": "error", "critical": "error", "fatal": "error", "logerror": "error",
    "log_exception": "error", "warn": "warn", "warning": "warn", "logwarning": "warn",
}  # fmt: skip
"""Names under which projects write their own loggers."""
_ERROR = lazy_regex(r"^(?:e|ex|exc|err\w*|reason|failedReason|cause|exception|stack|message)$", re.IGNORECASE)
"""Names of what is known about an error."""
_ERROR_LEVELS = frozenset(("error", "fatal"))


class _Line(Struct, frozen=True):
    """What one handler says of the error."""

    quality: Logged
    detail: str
    location: Location
    path: tuple[str, ...] = ()


def logged_of(context: JobContext) -> Fact[Logged]:
    """``errors.logged``."""
    judge = _Judge(context)
    main = outermost_try(context) or typed_try(context)
    stated = context.trait("errors.logged")
    # A queue that keeps the failure and says nothing of it states so.
    trait = stated == "framework" or (stated is None and context.trait("errors.caught") == "framework")
    lines = [judge.of_item(r) for r in judge.item_handlers(main)]
    lines += [judge.of_typed_item(r) for r in judge.item_handlers(main, typed=True)]
    if main is not None:
        lines.append(judge.of_run(main, framework=trait))
    dropped = judge.dropped_rejections()
    if dropped is not None:
        lines.append(dropped)
    found = [x for x in lines if x is not None]
    if found:
        worst = min(found, key=lambda x: _WORST_FIRST.index(x.quality))
        same = [x for x in found if x.quality == worst.quality]
        chosen = same[-1]
        return Fact(chosen.quality, chosen.detail, (chosen.location,), chosen.path)
    if trait:
        return Fact("framework", "The framework logs the failure with its name and id", (context.site,))
    if stated == "bare":
        return Fact("bare", "The framework logs the error, without the job's name", (context.site,))
    told = judge.of_hooks()
    if told is not None:
        return Fact(told.quality, told.detail, (told.location,), told.path)
    return context.absent("swallowed", "Nothing logs an error")


class _Judge:
    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._frames: Frames = operations_of(context).frames
        self._events = context.trace.events
        self._logs = {s.event.order: s for s in context.seen("log")}
        self._content = Content(context, self._frames)

    # ---- which handlers ------------------------------------------------------------------------------------------

    def item_handlers(self, main: Region | None, *, typed: bool = False) -> Iterator[Region]:
        """Handlers around a piece of the work, inside a loop, that keep its error to themselves.

        `typed`: those that take some errors only.
        """
        operations = operations_of(self._context)
        events = [o.event for o in operations.writes if o.kind in WRITES and not o.enqueued]
        events += [s.event for s in self._context.seen(*OUTGOING)]
        seen: set[int] = set()
        for event in events:
            if event.inside(RegionKind.CATCH) or not is_work(self._context, event):
                continue
            regions = list(event.regions())
            for position, region in enumerate(regions):
                around = regions[position + 1 :]
                if region is main or id(region.node) in seen or region.kind is not RegionKind.TRY:
                    continue
                if catching(region) is typed or not (getattr(region.node, "handlers", ()) or not typed):
                    continue
                if any(repeats(r) for r in around):
                    seen.add(id(region.node))
                    yield region

    def _in_handler(self, region: Region) -> list[Event]:
        return [
            e
            for e in self._events
            if any(r.kind is RegionKind.CATCH and r.node is region.node for r in e.regions())
            and not any(r.kind is RegionKind.CATCH and r.node is not region.node for r in _inner(e, region))
        ]

    def _throws(self, region: Region, handled: list[Event]) -> bool:
        """Whether a handler throws, at once or, in a loop that tries again, once the loop has given up."""
        thrown = [e for e in self._events if e.kind is EventKind.THROW]
        if any(e in handled for e in thrown):
            return True
        loop = next((r for r in region.outward() if r.kind is RegionKind.LOOP), None)
        if loop is None or not is_retry(loop, self._context):
            return False
        after = (e for e in thrown if e.region is loop.parent)
        return any(s is loop.node for e in after for s in statements(body_of(e)))

    # ---- what they say -------------------------------------------------------------------------------------------

    def of_run(self, region: Region, *, framework: bool) -> _Line | None:
        """What the handler around the whole body says; one that only throws on leaves it to the framework."""
        line = self._best(region)
        if line is not None:
            return line
        if self._throws(region, self._in_handler(region)):
            if framework:
                at = handler_location(region, self._context)
                return _Line("framework", "Thrown on to the framework, which logs it", at)
            return None
        return _Line("swallowed", "The handler says nothing", handler_location(region, self._context))

    def of_hooks(self) -> _Line | None:
        """What the listeners of a queue's failures log: ``worker.on('failed', (job, err) => …)``."""
        logs = [s for hook in hooks(self._context) for s in hook.sightings if s.effect == "log"]
        lines = [line for log in logs if (line := self._hook_line(log)) is not None]
        return max(lines, key=lambda x: _WORST_FIRST.index(x.quality)) if lines else None

    def _hook_line(self, log: Sighting) -> _Line | None:
        call = log.event.call
        if call is None or level_of(log) in ("debug", "trace"):
            return None
        names = {e.name for a in call.args for e in inside(a.value) if isinstance(e, Name | Member)}
        errors = frozenset(n for n in names if _ERROR.search(n))
        if level_of(log) == "warn":
            return _Line("warning", "Failed runs are logged as warnings", log.location, log.path)
        if self._content.drops(log, call, errors):
            return _Line(
                "dropped-object",
                "The logger drops the error behind the message",
                log.location,
                log.path,
            )
        if errors and names - errors and level_of(log) in _ERROR_LEVELS:
            return _Line("context", "Failed runs are logged with their data", log.location, log.path)
        return _Line("bare", "Failed runs are logged without their data", log.location, log.path)

    def of_item(self, region: Region) -> _Line | None:
        """What a handler around one item says; one that throws on is not the last."""
        inside_handler = self._in_handler(region)
        if self._throws(region, inside_handler):
            return None
        line = self._best(region)
        if line is not None:
            return line
        if any(
            s.effect
            in ("tracker.capture", "alert.send", "db.insert", "db.update", "db.upsert", "queue.enqueue")
            and s.event in inside_handler
            for s in self._context.sightings
        ):
            return None
        return _Line(
            "swallowed", "Errors of single items are swallowed", handler_location(region, self._context)
        )

    def of_typed_item(self, region: Region) -> _Line | None:
        """The same where only some errors are taken: there silence may be how the work goes."""
        if any(e.kind is EventKind.THROW for e in self._in_handler(region)):
            return None
        line = self._best(region)
        return line if line is not None and line.quality in ("bare", "dropped-object") else None

    def _best(self, region: Region) -> _Line | None:
        events = self._in_handler(region)
        own = [e for e in events if self._is_own_logger(e)]
        inside_own = {
            e.order
            for e in events
            if any(f.call in own for f in self._frames.of(e).outward() if f.call is not None)
        }
        lines = [self._own_line(e, region) for e in own if e.order not in inside_own]
        lines += [
            self._line(self._logs[e.order], region)
            for e in events
            if e.order in self._logs and e.order not in inside_own
        ]
        lines += [self._wrapped_line(e, region) for e in events if e not in own and e.order not in inside_own]
        found = [x for x in lines if x is not None]
        return max(found, key=lambda x: _WORST_FIRST.index(x.quality)) if found else None

    def _line(self, log: Sighting, region: Region) -> _Line | None:
        call = log.event.call
        if call is None:
            return None
        level = level_of(log)
        if level in ("debug", "trace"):
            return None
        errors, bundles = self._content.error_names(log.event, region)
        has_error, has_context = self._content.content(call, errors, bundles, log.event)
        if log.event.passed:
            has_error = True
        if log.description.word("trace") is True:
            has_error = True
        at, path = log.location, log.path
        if level == "warn":
            return _Line("warning", "Errors are logged as warnings", at, path)
        if self._content.drops(log, call, errors | bundles):
            return _Line("dropped-object", "The logger drops the error behind the message", at, path)
        if level not in _ERROR_LEVELS:
            return _Line("bare", f"Logged at level {level}", at, path)
        if has_error and has_context:
            return _Line("context", "Error with the job's name or data", at, path)
        return _Line("bare", "The error alone" if has_error else "A message without the error", at, path)

    def _is_own_logger(self, event: Event) -> bool:
        """``log.error('module', message)`` where the project has written the logger: it ends in a real log line."""
        if event.kind is not EventKind.CALL or not isinstance(event.callee, Closure):
            return False
        name = (event.callee.function.name or "").lower()
        return name in _LEVEL_NAMES and bool(self._logs_inside(event.callee.function))

    def _logs_inside(self, function: Function, depth: int = 3) -> list[Sighting]:
        """The log lines of a function, and of those that it calls."""
        frame = self._frames.first(function)
        if frame is None:
            return []
        found = [
            s for s in self._logs.values() if any(f is frame for f in self._frames.of(s.event).outward())
        ]
        if not found and depth:
            for item in frame.items:
                callee = item.callee if isinstance(item, Event) and item.kind is EventKind.CALL else None
                if isinstance(callee, Closure):
                    found += self._logs_inside(callee.function, depth - 1)
        return found

    def _own_line(self, event: Event, region: Region) -> _Line | None:
        call = event.call
        if call is None or not isinstance(event.callee, Closure):
            return None
        level = _LEVEL_NAMES[(event.callee.function.name or "").lower()]
        if level == "warn":
            return _Line("warning", "Errors are logged as warnings", event.location, event.path)
        errors, bundles = self._content.error_names(event, region)
        has_error, has_context = self._content.content(call, errors, bundles, event)
        if has_error and has_context:
            return _Line("context", "Error with the job's name or data", event.location, event.path)
        detail = "The error alone" if has_error else "A message without the error"
        return _Line("bare", detail, event.location, event.path)

    def _wrapped_line(self, event: Event, region: Region) -> _Line | None:
        """What a function of the project logs that was entered by an earlier call: ``report(error)``."""
        if event.kind is not EventKind.CALL or not isinstance(event.callee, Closure) or event.call is None:
            return None
        if self._frames.enters(event, self._events):
            return None
        frame = self._frames.first(event.callee.function)
        if frame is None:
            return None
        errors, bundles = self._content.error_names(event, region)
        errors, bundles = through(frame, event.call, errors, bundles)
        errors |= derived(frame.function, errors)
        found = []
        for log in self._logs_inside(event.callee.function):
            if self._frames.of(log.event) is not frame or log.event.call is None:
                continue
            level = self._level_under(log, event)
            if level == "warn":
                found.append(_Line("warning", "Errors are logged as warnings", event.location, event.path))
            if level not in (*_ERROR_LEVELS, "warn", "debug", "trace"):
                found.append(_Line("bare", f"Logged at level {level}", event.location, event.path))
            if level not in _ERROR_LEVELS:
                continue
            has_error, has_context = self._content.content(log.event.call, errors, bundles, log.event)
            quality: Logged = "context" if has_error and has_context else "bare"
            found.append(
                _Line(
                    quality,
                    "Error with data" if quality == "context" else "The error alone",
                    event.location,
                    event.path,
                )
            )
        return max(found, key=lambda x: _WORST_FIRST.index(x.quality)) if found else None

    def _level_under(self, log: Sighting, call: Event) -> str:
        """The level of a log line under one call of its function: ``logger[level](message)``."""
        chosen = log.event.call is not None and isinstance(log.event.call.callee, Index)
        if not chosen or log.event.call is None or not isinstance(call.callee, Closure) or call.call is None:
            return level_of(log)
        linker = self._context.linker
        scope = bound(call.callee, linker.arguments(call.call, call.scope), linker)
        for param in call.callee.function.params:
            if param.name is not None and param.name not in scope.values and param.default is not None:
                scope.values[param.name] = linker.fold(param.default, scope)
        again = replace(log.event, callee=linker.fold(log.event.call.callee, scope), scope=scope)
        read = (s for s in self._context.service.reader.of(again) if s.effect == "log")
        return next((level_of(s) for s in read), level_of(log))

    def dropped_rejections(self) -> _Line | None:
        """``await Promise.allSettled(…)`` whose rejections nobody looks at."""
        for event in self._events:
            if event.external != "global:Promise.allSettled" or not is_work(self._context, event):
                continue
            names = targets(event)
            node = event.scope.node
            if names and isinstance(node, Function):
                texts = {
                    e.value
                    for s in statements(node.body)
                    for x in _expressions(s)
                    for e in inside(x)
                    if isinstance(e, Const)
                }
                if "rejected" in texts or "fulfilled" in texts:
                    continue
            if names and not isinstance(node, Function):
                continue
            return _Line(
                "swallowed", "Promise.allSettled: rejections are dropped", event.location, event.path
            )
        return None


def _expressions(statement: object) -> Iterator[Expr]:
    for name in ("value", "test", "iterable"):
        value = getattr(statement, name, None)
        if value is not None:
            yield value


def _inner(event: Event, region: Region) -> Iterator[Region]:
    """The regions between an event and the handler of `region`."""
    for one in event.regions():
        if one.kind is RegionKind.CATCH and one.node is region.node:
            return
        yield one
