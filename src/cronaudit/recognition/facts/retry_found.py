"""The ways in which a job's work is tried again: by its queue, by a library around it, by a loop of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Function, Throw
from cronaudit.model.trace import Event, EventKind, RegionKind
from cronaudit.model.value import Closure
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.retry_loops import RetryLoop, growth_of, retry_loops, waits_of
from cronaudit.recognition.facts.retry_options import (
    HINT,
    Policy,
    counted,
    of_enqueued_tasks,
    of_options,
    of_registration,
    said,
)
from cronaudit.recognition.facts.retry_rows import of_rows
from cronaudit.recognition.facts.spans import (
    Spans,
    covers_run,
    covers_work,
    number_of,
    place_of,
    work_of,
    written,
)
from cronaudit.recognition.facts.stated import option
from cronaudit.recognition.sightings import Sighting
from cronaudit.recognition.timing import why_open

_FACTOR_HINT = lazy_regex(r"factor|multipl|base|backoff|exponent", re.IGNORECASE)


def policies_of(context: JobContext, spans: Spans) -> Iterator[Policy]:
    """All of them, the job's own registration first."""
    yield from of_registration(context)
    yield from of_rows(context, spans)
    yield from _of_loops(context, spans)
    yield from _of_recursion(context, spans)
    yield from _of_wrappers(context, spans)
    yield from _of_enqueued(context, spans)
    yield from _of_requests(context)


# ---- loops -----------------------------------------------------------------------------------------------------


def _of_loops(context: JobContext, spans: Spans) -> Iterator[Policy]:
    # A request that only asks is no change, but trying it again is a retry of a part (as of a client that does so).
    work = {e.order for e in work_of(context)} | {s.event.order for s in context.seen("http.request")}
    sleeping = frozenset(id(s.event.call) for s in context.sightings if s.effect == "sleep")
    for loop in retry_loops(spans.events, context.linker):
        covered = _in_attempt(loop, spans)
        touched = work & covered
        if not touched and not covers_work(covered, context, spans):
            continue
        whole = covers_run(covered, context, spans) and _is_before_items(loop.event)
        bound = loop.bound
        delay: Literal["growing", "fixed", "none"] = "none"
        delay_at, detail = None, ""
        for expr, place in waits_of(loop.loop, loop.event, context.linker, sleeping):
            growth = growth_of(expr, loop.loop, loop.event, context.linker)
            delay, delay_at = ("growing" if growth.grows else "fixed"), place
            if growth.factor is not None:
                named = written(context.linker, growth.factor.at, _FACTOR_HINT)
                delay_at = growth.factor.at if named and growth.grows else place
                detail = named if growth.grows else ""
            detail = detail or ("growing delay" if growth.grows else "fixed delay")
        value = bound.value if bound is not None else None
        yield Policy(
            scope="run" if whole else "part",
            scope_detail="" if whole else "Only a part of the run is retried",
            attempts="unbounded" if bound is None else "bounded" if bound.count is not None else "open",
            count=bound.count if bound is not None else None,
            count_at=bound.location if bound is not None else loop.event.location,
            detail=_loop_detail(context, loop),
            delay=delay,
            delay_at=delay_at,
            delay_detail=detail,
            locations=(loop.event.location,),
            path=loop.event.path,
            open=f"the number of attempts: {why_open(value)}"
            if value is not None and number_of(value) is None
            else "",
            loop=loop,
        )


def _loop_detail(context: JobContext, loop: RetryLoop) -> str:
    if loop.bound is None:
        return "Retries without a bound"
    named = written(context.linker, place_of(loop.bound.value), HINT)
    if named:
        return named
    return f"{loop.bound.count:g} attempts" if loop.bound.count is not None else ""


def _in_attempt(loop: RetryLoop, spans: Spans) -> frozenset[int]:
    """What the attempt brings about."""
    found: set[int] = set()
    for event in spans.events:
        if any(r.kind is RegionKind.TRY and r.node is loop.attempt for r in event.regions()):
            found.add(event.order)
            if event.kind is EventKind.CALL:
                found |= spans.brings_about(event)
    return frozenset(found)


def _is_before_items(event: Event) -> bool:
    """Whether the loop is not itself inside a loop over items, of which each is tried again."""
    return not any(
        r.kind is RegionKind.LOOP and getattr(r.node, "iterable", None) is not None for r in event.regions()
    )


def _of_recursion(context: JobContext, spans: Spans) -> Iterator[Policy]:
    """``catch (e) { if (attempt < 3) return run(attempt + 1) }``."""
    work = {e.order for e in work_of(context)}
    for event in spans.events:
        callee = event.callee
        node = event.scope.node
        if (
            not isinstance(callee, Closure)
            or callee.function is not node
            or not event.inside(RegionKind.CATCH)
        ):
            continue
        enter = spans.enter_of(event)
        covered = frozenset(e.order for e in spans.span(enter)) if enter is not None else frozenset()
        if not work & covered:
            continue
        bound = _recursion_bound(event, node, context)
        whole = covers_run(covered, context, spans) and _is_before_items(event)
        slept = next(
            (s for s in context.sightings if s.effect == "sleep" and s.event.scope is event.scope), None
        )
        yield Policy(
            scope="run" if whole else "part",
            scope_detail="" if whole else "Only a part of the run is retried",
            attempts="open" if bound is None else "bounded",
            count=bound,
            count_at=event.location,
            detail=f"{bound:g} attempts" if bound is not None else "",
            delay="fixed" if slept is not None else "none",
            delay_at=slept.location if slept is not None else None,
            delay_detail="delay between attempts" if slept is not None else "",
            locations=(event.location,),
            path=event.path,
            open="how often the function calls itself again is not known",
        )


def _recursion_bound(event: Event, node: Function, context: JobContext) -> float | None:
    from cronaudit.model.ir import If, Operation
    from cronaudit.model.walking import inside

    names = {p.name for p in node.params if p.name is not None}
    for region in event.regions():
        if not isinstance(region.node, If):
            continue
        for expr in inside(region.node.test):
            if isinstance(expr, Operation) and expr.op in ("<", "<=", ">", ">=") and len(expr.operands) == 2:
                left, right = expr.operands
                if getattr(left, "name", None) in names:
                    stop = number_of(context.linker.fold(right, event.scope))
                    if stop is not None:
                        return stop + 1 if expr.op in ("<=", ">") else stop
    return None


# ---- libraries -------------------------------------------------------------------------------------------------


def _of_wrappers(context: JobContext, spans: Spans) -> Iterator[Policy]:
    work = {e.order for e in work_of(context)} | {s.event.order for s in context.seen("http.request")}
    for sighting in context.seen("retry.wrap"):
        if not sighting.description.callback and not spans.callbacks(sighting.event):
            if sighting.event.inside(RegionKind.CATCH) or isinstance(sighting.event.statement, Throw):
                yield _asked_for(sighting, context)
            continue
        covered = _in_wrapper(sighting, spans)
        whole = covers_run(covered, context, spans) and _is_before_items(sighting.event)
        if not whole and not work & covered:
            continue
        yield _of_sighting(sighting, context, whole=whole)


def _asked_for(sighting: Sighting, context: JobContext) -> Policy:
    """A call by which the run asks its queue for another attempt: how often, the task's own option says as well."""
    policy = _of_sighting(sighting, context, whole=True)
    stated = option(context, "retries")
    if sighting.param("retries") is None and sighting.param("attempts") is None and stated is not None:
        count, state, reason = counted(stated, 1)
        detail = written(context.linker, place_of(stated), HINT, stated) or said(stated, 1)
        policy = replace(
            policy, count=count, attempts=state, open=reason, detail=detail, count_at=place_of(stated)
        )
    return policy


def _in_wrapper(sighting: Sighting, spans: Spans) -> frozenset[int]:
    found: set[int] = set()
    for enter in spans.callbacks(sighting.event):
        found.add(enter.order)
        for event in spans.span(enter):
            found.add(event.order)
            if event.kind is EventKind.CALL:
                found |= spans.brings_about(event)
    for arg in sighting.event.call.args if sighting.event.call is not None else ():
        value = sighting.linker.fold(arg.value, sighting.event.scope)
        if isinstance(value, Closure):
            enter_ = spans.enter_of_function(value.function)
            if enter_ is not None:
                found |= {enter_.order, *(e.order for e in spans.span(enter_))}
    return frozenset(found)


def _of_sighting(sighting: Sighting, context: JobContext, *, whole: bool) -> Policy:
    attempts, retries = sighting.param("attempts"), sighting.param("retries")
    value = attempts if attempts is not None else retries
    default = sighting.description.word("default_attempts")
    state: Literal["bounded", "unbounded", "default", "open"]
    if value is None and isinstance(default, int | float):
        count: float | None = None if default < 0 else float(default)
        state, reason = ("unbounded" if default < 0 else "default"), ""
    else:
        count, state, reason = counted(value, 0 if attempts is not None else 1)
    growth = str(sighting.description.word("growth") or "none")
    factor = number_of(sighting.param("factor"))
    delay = sighting.param("delay")
    if factor is not None:
        growth = "growing" if factor > 1 else "fixed"
    elif growth == "none" and number_of(delay):
        growth = "fixed"
    at = place_of(value)
    return Policy(
        scope="run" if whole else "part",
        scope_detail="" if whole else "Only a part of the run is retried",
        attempts=state,
        count=count,
        count_at=at or sighting.location,
        detail=written(context.linker, at, HINT, value)
        or said(value, 0 if attempts is not None else 1)
        or "default of the library",
        delay=growth,  # type: ignore[arg-type]
        delay_at=place_of(sighting.param("factor")) or place_of(delay) or sighting.location,
        delay_detail="growing delay" if growth == "growing" else "fixed delay" if growth == "fixed" else "",
        locations=(sighting.location,),
        path=sighting.path,
        open=reason,
        sighting=sighting,
        predicate=sighting.param("predicate"),
    )


def _of_requests(context: JobContext) -> Iterator[Policy]:
    """A client that tries one request again."""
    for sighting in context.seen("http.request"):
        value = sighting.param("retries")
        if value is None:
            continue
        count, state, reason = counted(value, 1)
        yield Policy(
            scope="part",
            scope_detail="Only one request is tried again",
            attempts=state,
            count=count,
            count_at=place_of(value),
            detail=written(context.linker, place_of(value), HINT, value) or said(value, 1),
            delay="none",
            delay_at=None,
            delay_detail="",
            locations=(sighting.location,),
            path=sighting.path,
            open=reason,
        )


def _of_enqueued(context: JobContext, spans: Spans) -> Iterator[Policy]:
    """Work that the job puts into a queue, tried again by that queue (ruling 6)."""
    for sighting in context.seen("queue.enqueue"):
        attempts = sighting.param("attempts")
        if attempts is None or spans.is_alternative(sighting.event):
            continue
        options = {"backoff": b} if (b := sighting.param("backoff")) is not None else {}
        yield of_options(context, attempts, None, options, (sighting.location,))
    yield from of_enqueued_tasks(context)
    for sighting in context.enqueued:
        if sighting.effect == "retry.wrap":
            yield _of_sighting(sighting, context, whole=True)
