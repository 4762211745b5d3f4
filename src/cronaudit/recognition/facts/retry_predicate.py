"""What decides whether another attempt is made: a function, the type of the error, a special error for the queue."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Unresolved
from cronaudit.model.ir import Break, Call, Define, Expr, Handler, If, Interface, Member, Name, Return, Throw
from cronaudit.model.source import Location
from cronaudit.model.trace import RegionKind
from cronaudit.model.value import Closure, External, Known, Lazy, Sequence, Symbol, Value
from cronaudit.model.walking import inside, statement_expressions, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.retry_loops import RetryLoop
from cronaudit.recognition.facts.retry_options import Policy
from cronaudit.recognition.facts.spans import Spans, place_of

_DECIDING = lazy_regex(r"retr(y|i)|transient|recover|fatal|permanent|should|temporary", re.IGNORECASE)
_ALL_ERRORS = frozenset(("Exception", "BaseException", "Error"))


class Predicate(Struct, frozen=True):
    """Whether something tells errors apart."""

    word: Literal["used", "unused", "none"] | Unresolved
    detail: str
    locations: tuple[Location, ...]


def predicate_of(policy: Policy, context: JobContext, spans: Spans) -> Predicate:
    """What decides on another attempt of a policy."""
    if policy.predicate is not None:
        return _given(policy.predicate, policy, context.linker.force)
    if policy.loop is not None:
        return _in_loop(policy.loop, context)
    if policy.sighting is not None and not policy.sighting.description.callback:
        typed = _typed_handler(policy)
        if typed is not None:
            return typed
    found = _stopping_error(context, spans) if policy.of_queue else None
    return found or Predicate("none", "All errors alike", policy.locations)


def _is_any_error(value: External) -> bool:
    return value.path.rpartition(".")[2].rpartition(":")[2] in _ALL_ERRORS


def _given(value: Value, policy: Policy, force: Callable[[Value | Lazy], Value]) -> Predicate:
    at = place_of(value) or policy.locations[0]
    types = value.items if isinstance(value, Sequence) else (value,)
    if types and all(isinstance(t, External) and _is_any_error(t) for t in map(force, types)):
        return Predicate("none", "All errors alike: every exception is named", (at,))
    if isinstance(value, Closure):
        return Predicate("used", "A function decides", (value.function.location,))
    if isinstance(value, Symbol):
        return Predicate(Unresolved(f"{value.name} is only known to a caller", at), "", (at,))
    return Predicate("used", "The type of the error decides", (at,))


def _in_loop(loop: RetryLoop, context: JobContext) -> Predicate:
    path = loop.event.scope.module.path
    for handler in loop.handlers:
        if handler.types and not all(getattr(t, "name", "") in _ALL_ERRORS for t in handler.types):
            return Predicate("used", "The type of the error decides", (Location(path, handler.line),))
    unused: Predicate | None = None
    for handler in loop.handlers:
        for statement in statements(handler.body):
            for root in statement_expressions(statement):
                for expr in inside(root):
                    found = _asked(expr, handler.name, loop, context)
                    if found is not None and found.word == "used":
                        return found
                    unused = unused or found
            decides = isinstance(statement, If) and _ends(statement) and _asks(statement.test, handler.name)
            if (
                decides
                and isinstance(statement, If)
                and not _asks_nobody(statement.test, handler.name, loop, context)
            ):
                return Predicate("used", "The error decides", (Location(path, statement.line),))
    return unused or Predicate("none", "All errors alike", (loop.event.location,))


def _asks_nobody(test: Expr, error: str | None, loop: RetryLoop, context: JobContext) -> bool:
    """``should_retry is not None and not should_retry(error)``, where nobody passes the function."""
    asked = [found for e in inside(test) if (found := _asked(e, error, loop, context)) is not None]
    return bool(asked) and all(found.word == "unused" for found in asked)


def _asked(expr: Expr, error: str | None, loop: RetryLoop, context: JobContext) -> Predicate | None:
    """``options.shouldRetry?.(error)``: whether anybody passes the function."""
    if not isinstance(expr, Call) or error is None:
        return None
    if not any(isinstance(a.value, Name) and a.value.name == error for a in expr.args):
        return None
    name = str(getattr(expr.callee, "name", ""))
    if not _DECIDING.search(name):
        return None
    value = context.linker.fold(expr.callee, loop.event.scope)
    here = Location(loop.event.scope.module.path, expr.line)
    if isinstance(value, Closure | External):
        return Predicate("used", f"{name}() decides", (here,))
    if isinstance(value, Known) and value.value is None:
        declared = _declared(name, loop, context) or here
        return Predicate("unused", f"{name} is available, the job does not pass it", (declared, here))
    if isinstance(expr.callee, Member | Name):
        return Predicate(Unresolved(f"whether {name} is passed is not known", here), "", (here,))
    return None


def _declared(name: str, loop: RetryLoop, context: JobContext) -> Location | None:
    """Where a type of the same file declares the option."""
    module = context.linker.module(loop.event.scope.module.path)
    for statement in module.body if module is not None else ():
        definition = statement.definition if isinstance(statement, Define) else None
        if isinstance(definition, Interface):
            lines = [m.line for m in definition.fields if m.name == name]
            lines += [m.line for m in definition.methods if m.name == name]
            if lines:
                return Location(loop.event.scope.module.path, lines[0])
    return None


def _ends(statement: If) -> bool:
    return any(isinstance(s, Throw | Return | Break) for s in (*statement.then, *statement.otherwise))


def _asks(test: Expr, error: str | None) -> bool:
    """Whether a test looks at the error itself, not only at the counter."""
    return error is not None and any(isinstance(e, Name) and e.name == error for e in inside(test))


def _typed_handler(policy: Policy) -> Predicate | None:
    """The call that asks for another attempt stands in a handler of some errors only, or on a condition."""
    assert policy.sighting is not None  # noqa: S101 - the caller has looked
    event = policy.sighting.event
    for region in event.regions():
        handler = region.info
        if region.kind is RegionKind.CATCH and isinstance(handler, Handler):
            named = [t for t in handler.types if getattr(t, "name", "") not in _ALL_ERRORS]
            if named and len(named) == len(handler.types):
                return Predicate("used", "The type of the error decides", (policy.sighting.location,))
            return None
        if region.kind in (RegionKind.THEN, RegionKind.ELSE) and isinstance(region.node, If):
            return Predicate("used", "A condition decides", (policy.sighting.location,))
    return None


def _stopping_error(context: JobContext, spans: Spans) -> Predicate | None:
    """In a handler, on a condition, an error of the queue's own package is thrown: no further attempt."""
    scheduler = context.registration.scheduler
    if scheduler is None:
        return None
    package = re.split(r"[:.]", scheduler.call, maxsplit=1)[0]
    for event in spans.events:
        path = event.external
        if path is None or not event.inside(RegionKind.CATCH) or not isinstance(event.statement, Throw):
            continue
        conditional = any(
            r.kind in (RegionKind.THEN, RegionKind.ELSE) and isinstance(r.node, If) for r in event.regions()
        )
        if re.split(r"[:.]", path, maxsplit=1)[0] == package and conditional:
            return Predicate(
                "used", f"{path.rsplit(':', 1)[-1]} for errors that no retry repairs", (event.location,)
            )
    return None
