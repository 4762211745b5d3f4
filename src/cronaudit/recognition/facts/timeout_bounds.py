"""What bounds a run or a part of it in time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import ProcessKind
from cronaudit.model.facts import Unresolved
from cronaudit.model.ir import Member, Name, Operation
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, RegionKind
from cronaudit.model.value import Choice, Closure, Known, Value
from cronaudit.model.walking import expressions
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.configured import app_setting
from cronaudit.recognition.facts.retry_found import policies_of
from cronaudit.recognition.facts.retry_options import Policy
from cronaudit.recognition.facts.settings import is_set
from cronaudit.recognition.facts.spans import Spans, covers_run, number_of, place_of, work_of, written
from cronaudit.recognition.facts.stated import option
from cronaudit.recognition.facts.stated import unit_of as option_unit
from cronaudit.recognition.facts.timeout_races import Race, argument_orders, find_races
from cronaudit.recognition.sightings import Sighting, seconds_of
from cronaudit.recognition.timing import why_open

HINT = lazy_regex(r"time_?out|time_?limit|max_?(?:duration|run|exec|time)|deadline|expire", re.IGNORECASE)
_DECLARED = lazy_regex(
    r"(?:^|_|\b)(?:max_?(?:duration|run_?time|execution)|time_?out)|Timeout|MaxDuration|MaxRun", re.IGNORECASE
)
_ELAPSED = lazy_regex(r"elapsed|duration|took|spent|runtime|now", re.IGNORECASE)
_UNITS = ((lazy_regex(r"ms$|millis", re.IGNORECASE), 0.001), (lazy_regex(r"min(ute)?s?$", re.IGNORECASE), 60.0),
          (lazy_regex(r"(s|secs?|seconds)$", re.IGNORECASE), 1.0))  # fmt: skip


class TimeBound(Struct, frozen=True):
    """One bound."""

    scope: Literal["run", "part", "declared"]
    seconds: float | Unresolved | None
    value_at: Location | None
    written: str
    """The option as written: ``timeoutMs: 600000``."""
    detail: str
    locations: tuple[Location, ...]
    path: tuple[str, ...]


def bounds_of(context: JobContext, spans: Spans) -> Iterator[TimeBound]:
    """All bounds of a job."""
    yield from _of_options(context)
    yield from _of_platform(context)
    if not spans.events:
        return
    retries = tuple(policies_of(context, spans))
    for race in find_races(context, spans):
        yield _of_race(race, context, spans, retries)
    yield from _of_wrappers(context, spans, retries)
    yield from _of_signals(context, spans)
    yield from _of_parts(context)
    yield from _declared(context, spans)


def length(value: Value | None, unit: str | None) -> float | Unresolved:
    """A folded duration in seconds, or why it is open."""
    if isinstance(value, Choice):
        known = {s for o in value.options if (s := seconds_of(o, unit)) is not None}
        if len(known) > 1:
            return Unresolved("the timeout is one of several", place_of(value.options[0]))
        value = (
            value.options[0]
            if not known
            else next(o for o in value.options if seconds_of(o, unit) is not None)
        )
    seconds = seconds_of(value, unit)
    if seconds is not None:
        return seconds
    if number_of(value) is not None:
        return Unresolved("the unit of the timeout is not known", place_of(value))
    reason = f"the timeout: {why_open(value)}" if value is not None else "the timeout is not known"
    return Unresolved(reason, place_of(value))


# ---- stated at the registration --------------------------------------------------------------------------------


def _of_options(context: JobContext) -> Iterator[TimeBound]:
    for name in ("timeout", "timeout_soft"):
        value = option(context, name)
        if value is None or (isinstance(value, Known) and not value.value):
            continue
        seconds = length(value, option_unit(context, name))
        at = place_of(value)
        scope = context.trait("timeout.scope")
        word: Literal["run", "part", "declared"] = (
            "declared" if scope == "declared" else "part" if scope == "part" else "run"
        )
        detail = "Enforced by the scheduler" if word == "run" else ""
        yield TimeBound(
            word, seconds, at, written(context.linker, at, HINT, value), detail, (at or context.site,), ()
        )
        return
    for name in ("run_timeout", "run_timeout_soft"):
        found = app_setting(context, name)
        if isinstance(found, tuple) and is_set(found):
            value, at = found
            named = place_of(value) or at
            yield TimeBound(
                "run",
                length(value, "s"),
                named,
                written(context.linker, named, HINT, value),
                "Enforced by the settings of the library",
                (at,),
                (),
            )
            return
    stated = context.trait("timeout.seconds")
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        yield TimeBound(
            "run", float(stated), context.site, "", "the scheduler's own limit", (context.site,), ()
        )


def _of_platform(context: JobContext) -> Iterator[TimeBound]:
    """The limit of a process that is this job's own: `activeDeadlineSeconds`, `RuntimeMaxSec`."""
    own = (ProcessKind.K8S_CRON_JOB, ProcessKind.K8S_JOB, ProcessKind.SYSTEMD, ProcessKind.SERVERLESS)
    if option(context, "timeout") is not None:
        return
    for process in context.service.deployment.processes:
        limit = process.time_limit
        if limit is None or process.kind not in own or process.schedule is None:
            continue
        if process.source.path != context.site.path or process.schedule.location.line != _schedule_line(
            context
        ):
            continue
        seconds: float | Unresolved = (
            limit.value
            if limit.value is not None
            else Unresolved("the platform's limit is not in the tree", limit.location)
        )
        yield TimeBound(
            "run", seconds, limit.location, limit.text, "Enforced by the platform", (limit.location,), ()
        )


def _schedule_line(context: JobContext) -> int:
    at = context.registration.timing.at
    return at.line if at is not None else context.site.line


# ---- around the work -------------------------------------------------------------------------------------------


def _of_race(race: Race, context: JobContext, spans: Spans, retries: tuple[Policy, ...]) -> TimeBound:
    covered = race.covered
    seconds = length(race.value, "ms")
    at = place_of(race.value)
    base = TimeBound(
        "run" if covers_run(covered, context, spans) else "part",
        seconds,
        at,
        written(context.linker, at, HINT),
        "Promise.race around the run"
        if covers_run(covered, context, spans)
        else "Promise.race around a part of the run",
        (race.event.location,),
        race.event.path,
    )
    return _with_retries(base, race.event, retries)


def _with_retries(bound: TimeBound, event: Event, retries: tuple[Policy, ...]) -> TimeBound:
    """A bound inside a retry holds one attempt: with a bounded number of them the run is bounded too."""
    if bound.scope != "run" or any(_in_items(r) for r in event.regions()):
        return (
            replace(bound, scope="part", detail="Bounds one item, not the run")
            if bound.scope == "run"
            else bound
        )
    for policy in retries:
        if policy.loop is not None:
            inside = any(r.kind is RegionKind.TRY and r.node is policy.loop.attempt for r in event.regions())
        elif policy.sighting is not None:
            wrapper = policy.sighting.event
            inside = any(r.kind is RegionKind.CALLBACK and r.info is wrapper for r in event.regions())
        else:
            inside = False
        if not inside:
            continue
        if policy.attempts == "unbounded":
            return replace(bound, scope="part", detail="Bounds one attempt of an unbounded retry")
        if policy.count is None or not isinstance(bound.seconds, float):
            reason = Unresolved("the number of attempts around the timeout is not known", event.location)
            return replace(bound, seconds=reason)
        if policy.delay != "none":
            # The pauses come on top; how long they are is not folded, so the sum is a lower bound only.
            return replace(
                bound, seconds=Unresolved("the pauses between the attempts are not known", event.location)
            )
        return replace(
            bound,
            seconds=bound.seconds * policy.count,
            detail=f"{policy.count:g} attempts of {bound.seconds:g} s",
        )
    return bound


def _in_items(region: object) -> bool:
    node = getattr(region, "node", None)
    return getattr(region, "kind", None) is RegionKind.LOOP and getattr(node, "iterable", None) is not None


def _of_wrappers(context: JobContext, spans: Spans, retries: tuple[Policy, ...]) -> Iterator[TimeBound]:
    for sighting in context.seen("timeout.wrap"):
        covered = set(argument_orders(sighting.event, spans))
        for enter in spans.callbacks(sighting.event):
            covered |= {enter.order, *(e.order for e in spans.span(enter))}
        covered |= _in_block(sighting.event, spans)
        whole = covers_run(frozenset(covered), context, spans)
        if not whole and not any(e.order in covered for e in work_of(context)):
            continue
        yield _with_retries(
            _of_sighting(sighting, context, "run" if whole else "part"), sighting.event, retries
        )


def _in_block(event: Event, spans: Spans) -> set[int]:
    """``async with timeout(…):``: what runs in the block."""
    return {
        e.order
        for e in spans.events
        if any(r.kind is RegionKind.WITH and r.info is event for r in e.regions())
    }


def _of_sighting(sighting: Sighting, context: JobContext, scope: Literal["run", "part"]) -> TimeBound:
    value = sighting.param("time")
    units = [s.unit for s in sighting.description.param("time") if s.unit is not None]
    seconds = length(value, units[0] if units else None)
    at = place_of(value)
    detail = "" if scope == "run" else "Only a part of the run is bounded"
    return TimeBound(
        scope, seconds, at, written(context.linker, at, HINT), detail, (sighting.location,), sighting.path
    )


def _of_signals(context: JobContext, spans: Spans) -> Iterator[TimeBound]:
    """``AbortSignal.timeout(ms)``: a bound on the run where the work as a whole is given it."""
    for sighting in context.seen("timeout.signal"):
        whole = False
        for event in spans.events:
            if event.kind is not EventKind.CALL or event.call is None or event.order < sighting.event.order:
                continue
            if event.scope is not sighting.event.scope or not isinstance(event.callee, Closure):
                continue
            if _passes_signal(event, sighting) and covers_run(spans.brings_about(event), context, spans):
                whole = _is_heeded(event, spans)
                break
        bound = _of_sighting(sighting, context, "run" if whole else "part")
        yield bound if whole else replace(bound, detail="Bounds one request, not the run")


def _passes_signal(event: Event, sighting: Sighting) -> bool:
    from cronaudit.model.ir import Assign
    from cronaudit.model.walking import inside

    statement = sighting.event.statement
    target = statement.target if isinstance(statement, Assign) else None
    for arg in event.call.args if event.call is not None else ():
        for expr in inside(arg.value):
            if expr is sighting.event.call:
                return True
            if isinstance(target, Name) and isinstance(expr, Name) and expr.name == target.name:
                return True
    return False


def _is_heeded(event: Event, spans: Spans) -> bool:
    """Whether the called function looks at the signal that it is given: passes it on or asks it."""
    enter = spans.entered(event)
    if enter is None:
        return False
    node = enter.scope.node
    return any(
        (isinstance(e, Member) and e.name in ("throwIfAborted", "aborted"))
        or (isinstance(e, Name) and "signal" in e.name.lower())
        for e in expressions(node.body)
    )


def _of_parts(context: JobContext) -> Iterator[TimeBound]:
    for sighting in context.seen("timeout.part"):
        yield _of_sighting(sighting, context, "part")
    for sighting in context.seen("http.request", "db.query", "process.spawn", "tx.wrap"):
        value = sighting.param("timeout")
        if value is None:
            continue
        units = [s.unit for s in sighting.description.param("timeout") if s.unit is not None]
        at = place_of(value)
        what = "one request" if sighting.effect == "http.request" else "one call"
        yield TimeBound(
            "part",
            length(value, units[0] if units else None),
            at,
            written(context.linker, at, HINT),
            f"Bounds {what}, not the run",
            (sighting.location,),
            sighting.path,
        )


# ---- declared only ---------------------------------------------------------------------------------------------


def _declared(context: JobContext, spans: Spans) -> Iterator[TimeBound]:
    """A limit that the time taken is only compared with: it warns, it ends nothing."""
    for enter in spans.functions():
        node = enter.scope.node
        for expr in expressions(node.body):
            if (
                not isinstance(expr, Operation)
                or expr.op not in (">", ">=", "<", "<=")
                or len(expr.operands) != 2
            ):
                continue
            left, right = expr.operands
            for limit, taken in ((right, left), (left, right)):
                name = str(getattr(limit, "name", ""))
                if (
                    not isinstance(limit, Name | Member)
                    or not _DECLARED.search(name)
                    or not _is_elapsed(taken)
                ):
                    continue
                value = context.linker.fold(limit, enter.scope)
                number = number_of(value)
                factor = next((f for pattern, f in _UNITS if pattern.search(name)), None)
                at = Location(node.path if not hasattr(node, "module") else node.module.path, expr.line)
                seconds: float | Unresolved = (
                    number * factor
                    if number is not None and factor is not None
                    else Unresolved(f"{name} is not resolved to a duration", at)
                )
                yield TimeBound(
                    "declared",
                    seconds,
                    place_of(value),
                    written(context.linker, place_of(value), HINT),
                    f"{name} is only compared with, nothing enforces it",
                    (at,),
                    (*enter.path,),
                )


def _is_elapsed(expr: object) -> bool:
    from cronaudit.model.walking import inside

    return any(_ELAPSED.search(str(getattr(e, "name", ""))) for e in inside(expr))  # type: ignore[arg-type]
