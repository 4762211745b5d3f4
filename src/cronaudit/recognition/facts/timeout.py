"""The bound on one run of a job."""

from __future__ import annotations

from cronaudit.model.facts import Fact, TimeoutFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.configured import app_setting
from cronaudit.recognition.facts.spans import spans_of
from cronaudit.recognition.facts.timeout_bounds import TimeBound, bounds_of


def build(context: JobContext) -> TimeoutFacts:
    """The effective bound: the smallest that is enforced on the whole run (ruling 4)."""
    spans = spans_of(context)
    bounds = tuple(bounds_of(context, spans))
    for scope in ("run", "declared", "part"):
        of_scope = [b for b in bounds if b.scope == scope]
        if of_scope:
            return _facts(_smallest(of_scope))
    settings = app_setting(context, "run_timeout")
    if isinstance(settings, Unresolved):
        return TimeoutFacts(Fact(settings), Fact(settings))
    missing: Fact[str] = context.absent("none", "No timeout")
    if isinstance(missing.value, Unresolved):
        return TimeoutFacts(Fact(missing.value), Fact(missing.value))
    return TimeoutFacts(
        Fact("none", "No timeout", (context.site,)), Fact(None, "No timeout", (context.site,))
    )


def _smallest(bounds: list[TimeBound]) -> TimeBound:
    known = [b for b in bounds if isinstance(b.seconds, float)]
    return (
        min(known, key=lambda b: b.seconds if isinstance(b.seconds, float) else 0.0) if known else bounds[0]
    )


def _facts(bound: TimeBound) -> TimeoutFacts:
    places = (bound.value_at, *bound.locations) if bound.value_at is not None else bound.locations
    details = {
        "run": bound.detail,
        "part": bound.detail or "Only a part of the run is bounded",
        "declared": bound.detail or "Declared, but nothing enforces it",
    }
    return TimeoutFacts(
        scope=Fact(bound.scope, details[bound.scope], bound.locations, bound.path),
        seconds=Fact(bound.seconds, bound.written, places, bound.path),
    )
