"""``history``: past runs, how long they took and how they ended."""

from __future__ import annotations

import re
from typing import Final, Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, HistoryFacts, Unresolved
from cronaudit.model.ir import Const, Function, Member, Name, Object, Template
from cronaudit.model.trace import Event, RegionKind
from cronaudit.model.walking import functions_in, inside
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.failure_paths import hooks
from cronaudit.recognition.facts.metrics import Exported, Metric, export_of, metric_of, metrics_on
from cronaudit.recognition.facts.monitor import build as build_monitor
from cronaudit.recognition.facts.run_history import runs_of
from cronaudit.recognition.facts.run_hooks import run_hooks
from cronaudit.recognition.facts.stubs import (
    DURATION_NAMES,
    OUTCOME_NAMES,
    RATE_NAMES,
    named_stubs,
    returned_constant,
    stubs_of,
)
from cronaudit.recognition.sightings import Sighting

Duration = Literal["exported", "weak", "stub", "log", "none"]
Outcomes = Literal["both", "one", "weak", "hardcoded", "none"]

_TIMED: Final = frozenset(("histogram", "summary", "timer", ""))
_DURATION: Final = lazy_regex(
    r"duration|elapsed|latency|took|run_?time|seconds|millis|_ms\b|time", re.IGNORECASE
)
_TOOK: Final = lazy_regex(r"duration|elapsed|took|run_?time|latency|\bms\b", re.IGNORECASE)
_GOOD: Final = lazy_regex(r"success|succeed|complete|finish|\bok\b|\bdone\b|pass", re.IGNORECASE)
_BAD: Final = lazy_regex(r"fail|error|exception|unsuccess", re.IGNORECASE)
_OUTCOME: Final = lazy_regex(r"outcome|status|result|success|state", re.IGNORECASE)
_RUN: Final = lazy_regex(r"run|execution|job|task|cron", re.IGNORECASE)


def build(context: JobContext) -> HistoryFacts:
    """What is kept and measured."""
    export = export_of(context)
    return HistoryFacts(
        runs=runs_of(context), duration=_duration(context, export), outcomes=_outcomes(context, export)
    )


# ---- duration --------------------------------------------------------------------------------------------------


def _duration(context: JobContext, export: Exported | None) -> Fact[Duration]:
    for metric in metrics_on(context, "metric.observe"):
        if not _is_duration(metric, context):
            continue
        place, path = metric.location, metric.occurrence.sighting.path
        name = f"{metric.type.capitalize() or 'Metric'} {metric.name}".strip()
        if export is None:
            return Fact("weak", f"{name}, exported by nothing in the tree", (place,), path)
        if not export.in_process:
            at = (place, export.sighting.location)
            return Fact("weak", f"{name}, in another process than the one that exports", at, path)
        return Fact("exported", f"{name}, exported", (place, export.sighting.location), path)
    if context.trait("history.duration") in ("exported", "weak"):
        exported = context.trait("history.duration") == "exported"
        return Fact("exported" if exported else "weak", "Measured by the scheduler", (context.site,))
    monitor = build_monitor(context)
    if monitor.start.value == "signal" and monitor.completion.value == "signal":
        return Fact(
            "weak", f"Check-ins of {monitor.service.value} carry the duration", monitor.completion.locations
        )
    stub = next(named_stubs(context, DURATION_NAMES, "metric.observe"), None)
    if stub is not None:
        event, function = stub
        return Fact("stub", f"{function.name} is a stub", (function.location, event.location), event.path)
    logged = next((s for s in context.seen("log") if _logs_duration(s)), None)
    if logged is not None:
        return Fact("log", "Duration only in the log", (logged.location,), logged.path)
    return context.absent("none", "No duration metric")


def _of_items(event: Event, context: JobContext) -> bool:
    """Whether a loop stands around it, that of the job itself aside."""
    return any(r.kind is RegionKind.LOOP and r.node is not context.registration.loop for r in event.regions())


def _is_duration(metric: Metric, context: JobContext) -> bool:
    """A timer or histogram of the run: named so, or without a name known, around the work and not of an item."""
    if _of_items(metric.occurrence.sighting.event, context) or metric.type not in _TIMED | {"gauge"}:
        return False
    if metric.type == "timer":
        return True
    return _DURATION.search(metric.name) is not None


def _logs_duration(sighting: Sighting) -> bool:
    call = sighting.event.call
    if call is None:
        return False
    for arg in call.args:
        for expr in inside(arg.value):
            words: list[str] = []
            if isinstance(expr, Name | Member):
                words.append(expr.name)
            elif isinstance(expr, Object):
                words.extend(e.key for e in expr.entries if isinstance(e.key, str))
            elif isinstance(expr, Const) and isinstance(expr.value, str):
                words.append(expr.value)
            elif isinstance(expr, Template):
                words.extend(p for p in expr.parts if isinstance(p, str))
            if any(_TOOK.search(w) for w in words):
                return True
    return False


# ---- outcomes --------------------------------------------------------------------------------------------------


def _outcomes(context: JobContext, export: Exported | None) -> Fact[Outcomes]:
    good: Metric | None = None
    bad: Metric | None = None
    late = [h for h in run_hooks(context) if h.phase == "after"]
    for metric in metrics_on(context, "metric.count", "metric.observe"):
        event = metric.occurrence.sighting.event
        ends_any_run = any(metric.occurrence.sighting in h.sightings for h in late)
        if _of_items(event, context) or metric.type in ("histogram", "summary"):
            continue
        words = " ".join((metric.name, *metric.labels))
        either = metric.open_labels and _OUTCOME.search(words) is not None
        if event.inside(RegionKind.CATCH):
            bad = bad or metric
        elif event.inside(RegionKind.FINALLY) or ends_any_run:
            if either or (_GOOD.search(words) and _BAD.search(words)):
                good, bad = good or metric, bad or metric
        elif _BAD.search(words) and not _GOOD.search(words):
            continue
        elif _GOOD.search(words) or (_OUTCOME.search(words) and _RUN.search(words)):
            good = good or metric
    if bad is None:
        # A queue tells of a failed run by an event: `worker.on('failed', …)`.
        told = (s for hook in hooks(context) for s in hook.sightings if s.effect == "metric.count")
        bad = next((metric_of(s, context) for s in told), None)
    if good is not None or bad is not None:
        return _counted(good, bad, export)
    if context.trait("history.outcomes") in ("both", "weak"):
        both = context.trait("history.outcomes") == "both"
        return Fact("both" if both else "weak", "Counted by the scheduler", (context.site,))
    monitor = build_monitor(context)
    if monitor.completion.value == "signal" and monitor.failure.value == "signal":
        return Fact(
            "weak", f"Check-ins of {monitor.service.value} carry the outcome", monitor.failure.locations
        )
    return _stubbed(context)


def _counted(good: Metric | None, bad: Metric | None, export: Exported | None) -> Fact[Outcomes]:
    found = [m for m in (good, bad) if m is not None]
    locations = tuple(dict.fromkeys(m.location for m in reversed(found)))
    path = found[0].occurrence.sighting.path
    names = " and ".join(dict.fromkeys(m.name for m in found if m.name)) or "counters"
    if export is None:
        return Fact("weak", f"{names}, exported by nothing in the tree", locations, path)
    if not export.in_process:
        return Fact("weak", f"{names}, in another process than the one that exports", locations, path)
    if good is not None and bad is not None:
        return Fact("both", f"{names}, exported", locations, path)
    return Fact(
        "one", f"Only {'successes' if good is not None else 'failures'} are counted: {names}", locations, path
    )


def _stubbed(context: JobContext) -> Fact[Outcomes]:
    """Stub counters on the walk; beside them a function that reads them and returns a constant."""
    for event, function in named_stubs(context, OUTCOME_NAMES, "metric.count"):
        for other in functions_in(function.module):
            constant = returned_constant(other)
            if (
                constant is not None
                and other.name
                and RATE_NAMES.search(other.name)
                and not other.is_abstract
            ):
                detail = f"{other.name} returns hardcoded {constant.value}"
                return Fact("hardcoded", detail, (other.location, function.location), event.path)
        if _is_metric(function, context):
            return Fact("none", f"{function.name} is a stub", (function.location, event.location), event.path)
    fact: Fact[Outcomes] = context.absent("none", "No counters")
    if isinstance(fact.value, Unresolved):
        return fact
    return fact


def _is_metric(function: Function, context: JobContext) -> bool:
    return stubs_of(context.service).is_stub(function)
