"""Decides every check: the first outcome of its table that holds, by Kleene's three values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, ServiceFacts, Unresolved
from cronaudit.model.job import Job, JobState
from cronaudit.model.rule import Catalogue, Check, Outcome, Scope
from cronaudit.model.source import Location
from cronaudit.model.verdict import CheckResult, SeenFact, Status, Verdict
from cronaudit.ruleset.evidence import Filters, Renderer, context
from cronaudit.ruleset.expression import compile_condition
from cronaudit.ruleset.fields import SERVICE, field_types
from cronaudit.ruleset.kleene import Reading, Unknown
from cronaudit.ruleset.rollup import NO_LIVE_JOB, roll_up, service_row

_FIELD = lazy_regex(r"\b([a-z]+)\.([a-z_]+)\b")
_SILENT = {Status.PASS, Status.NOT_APPLICABLE, Status.UNKNOWN}


def evaluate(
    catalogue: Catalogue, jobs: Sequence[Job], service: ServiceFacts, filters: Filters | None = None
) -> tuple[CheckResult, ...]:
    """Return a row for every check, in the order of the catalogue.

    Dormant jobs are outside of every row. Without a live job there is nothing that any check could be about: all rows
    are N/A. ``filters`` are those of the evidence templates beside ``plural``: ``duration`` takes seconds.
    """
    live = tuple(job for job in jobs if job.state is JobState.LIVE)
    renderer = Renderer(filters)
    contexts = [context(job, service, len(live)) for job in live]
    all_facts = tuple(job.facts for job in live)
    rows = []
    for check in catalogue.checks:
        if check.scope is Scope.JOB:
            verdicts = [
                _decide(check, Reading(job.facts, service), renderer, named, job.location)
                for job, named in zip(live, contexts, strict=True)
            ]
            rows.append(roll_up(check, list(zip(live, verdicts, strict=True)), catalogue.issues))
        elif live:
            reading = Reading(None, service, all_facts)
            verdict = _decide(check, reading, renderer, context(None, service, len(live)), None)
            rows.append(service_row(check, verdict, catalogue.issues))
        else:
            nothing = Verdict(Status.NOT_APPLICABLE, NO_LIVE_JOB, None, None, None, None, ())
            rows.append(service_row(check, nothing, catalogue.issues))
    return tuple(rows)


def _decide(
    check: Check,
    reading: Reading,
    renderer: Renderer,
    named: Mapping[str, object],
    otherwise: Location | None,
) -> Verdict:
    seen: dict[str, Fact[Any]] = {}
    for number, outcome in enumerate(check.outcomes):
        reading.seen = {}
        truth = (
            True if outcome.when is None else compile_condition(outcome.when, check.scope).evaluate(reading)
        )
        seen |= reading.seen
        if isinstance(truth, Unknown):
            return _undecided(outcome, truth, seen, otherwise)
        if truth:
            shown = _shown_facts(outcome, reading)
            seen |= shown
            # The facts that the evidence is about come first, then those that decided, then the latest that were ruled
            # out on the way: an unconditional outcome has read nothing of its own.
            facts = [*shown.values(), *reading.seen.values(), *reversed(seen.values())]
            return Verdict(
                status=outcome.status,
                evidence=renderer.line(outcome.evidence, named) or _detail(facts) or outcome.status.value,
                location=_first_place(facts) or otherwise,
                issue=None if outcome.status in _SILENT else outcome.issue,
                outcome=number,
                when=outcome.when,
                seen=_seen(seen),
            )
    # The loader refuses a table without an unconditional end.
    raise AssertionError(f"{check.id} decides nothing")


def _undecided(
    outcome: Outcome, unknown: Unknown, seen: Mapping[str, Fact[Any]], otherwise: Location | None
) -> Verdict:
    reasons = dict.fromkeys(value.reason for _, value in unknown.origins)
    stated = next((value.location for _, value in unknown.origins if value.location is not None), None)
    location = stated or _first_place(seen[name] for name, _ in unknown.origins if name in seen) or otherwise
    evidence = "; ".join(list(reasons)[:2])
    return Verdict(Status.UNKNOWN, evidence, location, None, None, outcome.when, _seen(seen))


def _shown_facts(outcome: Outcome, reading: Reading) -> dict[str, Fact[Any]]:
    """Return the facts that ``at`` names, else those that the evidence prints."""
    names = outcome.at
    if not names and "{" in outcome.evidence:
        names = tuple(match[0] for match in _FIELD.finditer(outcome.evidence))
    found = {}
    for name in names:
        group, _, field = name.partition(".")
        if field not in field_types().get(group, {}):
            continue
        if group == SERVICE:
            found[name] = getattr(reading.service, field)
        elif reading.facts is not None:
            found[name] = getattr(getattr(reading.facts, group), field)
    return found


def _first_place(facts: Iterable[Fact[Any]]) -> Location | None:
    return next((fact.locations[0] for fact in facts if fact.locations), None)


def _detail(facts: Iterable[Fact[Any]]) -> str:
    return next((fact.detail for fact in facts if fact.detail), "")


def _seen(seen: Mapping[str, Fact[Any]]) -> tuple[SeenFact, ...]:
    return tuple(
        SeenFact(name, shown_value(fact.value), fact.detail, fact.locations, fact.path)
        for name, fact in seen.items()
    )


def shown_value(value: object) -> str:
    """Return the value of a fact as rules write it: ``none``, ``true``, ``300``; ``unresolved: …`` with the reason."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case Unresolved(reason=reason):
            return f"unresolved: {reason}"
    return str(value)
