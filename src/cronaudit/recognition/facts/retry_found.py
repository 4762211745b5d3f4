"""The ways in which a job's work is tried again: by its queue, by a library around it, by a loop of the project's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from cronaudit.model.ir import Function, Throw
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, RegionKind
from cronaudit.model.value import Choice, Closure, Env, Known, Record, Symbol, Unknown, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.retry_loops import RetryLoop, growth_of, retry_loops, waits_of
from cronaudit.recognition.facts.spans import Spans, covers_work, number_of, place_of, work_of, written
from cronaudit.recognition.facts.stated import declares, option
from cronaudit.recognition.sightings import Sighting, text_of
from cronaudit.recognition.timing import why_open

HINT = re.compile(r"attempt|retr|tries|max|limit|count", re.IGNORECASE)
_FACTOR_HINT = re.compile(r"factor|multipl|base|backoff|exponent", re.IGNORECASE)
_GROWING = re.compile(r"expo|jitter|fibonacci|linear|poly", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Policy:
    """One way in which something is tried again."""

    scope: Literal["run", "part"]
    scope_detail: str
    attempts: Literal["bounded", "unbounded", "default", "open"]
    count: float | None
    """Attempts in all."""
    count_at: Location | None
    detail: str
    delay: Literal["growing", "fixed", "none"]
    delay_at: Location | None
    delay_detail: str
    locations: tuple[Location, ...]
    path: tuple[str, ...]
    open: str = ""
    """Why the number of attempts is not resolved."""
    delay_open: str = ""
    loop: RetryLoop | None = None
    sighting: Sighting | None = None
    predicate: Value | None = None
    """What an option gives to decide on another attempt."""
    of_queue: bool = False
    """Whether the queue of the job tries again, so that what the work throws decides."""
    delay_seconds: float | None = None


def policies_of(context: JobContext, spans: Spans) -> Iterator[Policy]:
    """All of them, the job's own registration first."""
    yield from _of_registration(context)
    yield from _of_loops(context, spans)
    yield from _of_recursion(context, spans)
    yield from _of_wrappers(context, spans)
    yield from _of_enqueued(context)
    yield from _of_requests(context)


# ---- options ---------------------------------------------------------------------------------------------------


def _of_registration(context: JobContext) -> Iterator[Policy]:
    names = ("attempts", "retries", "backoff", "backoff_delay", "backoff_growth", "retry_on")
    options = {n: v for n in names if (v := option(context, n)) is not None}
    attempts, retries = options.get("attempts"), options.get("retries")
    at = (context.registration.consumer.location,) if context.registration.consumer is not None else ()
    stated = context.trait("retry.attempts")
    if attempts is None and retries is not None and not _is_in_force(context, options, stated):
        retries = None
    if attempts is None and retries is None:
        if stated in ("default", "bounded", "unbounded") or "retry_on" in options:
            yield _of_default(context, options, str(stated or "default"), (*at, context.site))
        return
    place = place_of(attempts if attempts is not None else retries)
    yield _of_options(
        context, attempts, retries, options, (place,) if place is not None and at else (context.site,)
    )


def _is_in_force(context: JobContext, options: dict[str, Value], stated: object) -> bool:
    """Whether a number of attempts is followed: some libraries only try again after the errors that are named."""
    return (
        "retry_on" in options
        or stated in ("default", "bounded", "unbounded")
        or not declares(context, "retry_on")
    )


def _of_default(
    context: JobContext, options: dict[str, Value], stated: str, at: tuple[Location, ...]
) -> Policy:
    word, delay_at, detail, reason = delay_of(
        context, options.get("backoff"), options.get("backoff_delay"), options
    )
    if word == "none" and not reason:
        trait = context.trait("retry.delay")
        word = "growing" if trait == "growing" else "fixed" if trait == "fixed" else "none"
    count = context.trait("retry.count")
    attempts: Literal["bounded", "unbounded", "default"] = (
        "bounded" if stated == "bounded" else "unbounded" if stated == "unbounded" else "default"
    )
    return Policy(
        scope="run",
        scope_detail="",
        attempts=attempts,
        count=float(count) if isinstance(count, int | float) and not isinstance(count, bool) else None,
        count_at=place_of(options.get("retry_on")),
        detail="Default attempts of the framework",
        delay=word,
        delay_at=delay_at,
        delay_detail=detail,
        locations=at,
        path=(),
        delay_open=reason,
        predicate=options.get("retry_on"),
        of_queue=True,
    )


def _of_options(
    context: JobContext,
    attempts: Value | None,
    retries: Value | None,
    options: dict[str, Value],
    at: tuple[Location, ...],
) -> Policy:
    value = attempts if attempts is not None else retries
    extra = 0 if attempts is not None else 1
    backoff, delay = options.get("backoff"), options.get("backoff_delay")
    word, delay_at, delay_detail, delay_open = delay_of(context, backoff, delay, options)
    default = context.trait("retry.delay")
    if (
        word == "none"
        and not delay_open
        and backoff is None
        and delay is None
        and default in ("growing", "fixed")
    ):
        word, delay_detail = (
            ("growing" if default == "growing" else "fixed"),
            f"{default} delay of the library",
        )
    count, state, reason = counted(value, extra)
    return Policy(
        scope="run",
        scope_detail="",
        attempts=state,
        count=count,
        count_at=place_of(value),
        detail=written(context.linker, place_of(value), HINT) or _said(value, extra),
        delay=word,
        delay_at=delay_at,
        delay_detail=delay_detail,
        locations=at,
        path=(),
        open=reason,
        delay_open=delay_open,
        predicate=options.get("retry_on"),
        of_queue=True,
    )


def counted(
    value: Value | None, extra: int
) -> tuple[float | None, Literal["bounded", "unbounded", "open"], str]:
    """Attempts in all from a folded option; the reason where it is open."""
    if isinstance(value, Choice):
        value = next((o for o in value.options if number_of(o) is not None), value.options[0])
    number = number_of(value)
    if number is not None:
        return (None, "unbounded", "") if number < 0 else (number + extra, "bounded", "")
    if isinstance(value, Known) and (value.value is None or value.value is True):
        return None, "unbounded", ""
    if isinstance(value, Known) and value.value is False:
        return 1.0, "bounded", ""
    if isinstance(value, Env | Symbol | Unknown):
        return None, "open", f"the number of attempts: {why_open(value)}"
    return None, "open", "the number of attempts is not a number"


def _said(value: Value | None, extra: int) -> str:
    number = number_of(value)
    if number is None:
        return ""
    return f"attempts: {number + extra:g}"


def delay_of(
    context: JobContext, backoff: Value | None, delay: Value | None, options: dict[str, Value]
) -> tuple[Literal["growing", "fixed", "none"], Location | None, str, str]:
    """The word, place, detail and open reason of a delay that options state."""
    growth = text_of(options.get("backoff_growth")) if "backoff_growth" in options else None
    at = place_of(backoff) or place_of(delay)
    text = text_of(backoff)
    if text is not None and not isinstance(backoff, Known):
        return "none", at, "", "the kind of backoff is not known"
    if isinstance(backoff, Known) and isinstance(backoff.value, bool):
        return (
            ("growing", at, "backoff", "")
            if backoff.value
            else ("fixed" if delay is not None else "none", at, "", "")
        )
    if text is not None and number_of(backoff) is None:
        word: Literal["growing", "fixed"] = "growing" if _GROWING.search(text) else "fixed"
        return word, at, f"backoff {text}", ""
    if isinstance(backoff, Record):
        kind = text_of(context.linker.member(backoff, "type"))
        if kind is not None:
            return ("growing" if _GROWING.search(kind) else "fixed"), at, f"backoff {kind}", ""
        return "fixed", at, "backoff", ""
    if isinstance(backoff, Closure):
        return "growing", at, "backoff by a function of the project", ""
    if growth in ("growing", "fixed"):
        return growth, at, "", ""  # type: ignore[return-value]
    if isinstance(backoff, Env | Symbol | Unknown):
        return "none", at, "", f"the backoff: {why_open(backoff)}"
    if number_of(backoff) or number_of(delay):
        return "fixed", at, "fixed delay", ""
    return "none", at, "", ""


# ---- loops -----------------------------------------------------------------------------------------------------


def _of_loops(context: JobContext, spans: Spans) -> Iterator[Policy]:
    work = {e.order for e in work_of(context)}
    sleeping = frozenset(id(s.event.call) for s in context.sightings if s.effect == "sleep")
    for loop in retry_loops(spans.events, context.linker):
        covered = _in_attempt(loop, spans)
        touched = work & covered
        if not touched and not covers_work(covered, context, spans):
            continue
        whole = covers_work(covered, context, spans) and _is_before_items(loop.event)
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
        whole = covers_work(covered, context, spans) and _is_before_items(event)
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
    for sighting in context.seen("retry.wrap"):
        if not sighting.description.callback and not spans.callbacks(sighting.event):
            if sighting.event.inside(RegionKind.CATCH) or isinstance(sighting.event.statement, Throw):
                yield _asked_for(sighting, context)
            continue
        covered = _in_wrapper(sighting, spans)
        whole = covers_work(covered, context, spans) and _is_before_items(sighting.event)
        if not whole and not any(e.order in covered for e in work_of(context)):
            continue
        yield _of_sighting(sighting, context, whole=whole)


def _asked_for(sighting: Sighting, context: JobContext) -> Policy:
    """A call by which the run asks its queue for another attempt: how often, the task's own option says as well."""
    policy = _of_sighting(sighting, context, whole=True)
    stated = option(context, "retries")
    if sighting.param("retries") is None and sighting.param("attempts") is None and stated is not None:
        count, state, reason = counted(stated, 1)
        detail = written(context.linker, place_of(stated), HINT) or _said(stated, 1)
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
        detail=written(context.linker, at, HINT)
        or _said(value, 0 if attempts is not None else 1)
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
            detail=written(context.linker, place_of(value), HINT) or _said(value, 1),
            delay="none",
            delay_at=None,
            delay_detail="",
            locations=(sighting.location,),
            path=sighting.path,
            open=reason,
        )


def _of_enqueued(context: JobContext) -> Iterator[Policy]:
    """Work that the job puts into a queue, tried again by that queue (ruling 6)."""
    for sighting in context.seen("queue.enqueue"):
        attempts = sighting.param("attempts")
        if attempts is None:
            continue
        options = {"backoff": b} if (b := sighting.param("backoff")) is not None else {}
        yield _of_options(context, attempts, None, options, (sighting.location,))
    for sighting in context.enqueued:
        if sighting.effect == "retry.wrap":
            yield _of_sighting(sighting, context, whole=True)
