"""Metrics on a job's walk: what they are called, and whether anybody can read them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from cronaudit.knowledge.matcher import Matcher
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, External, Known, Record, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.elsewhere import process_files, service_sightings
from cronaudit.recognition.facts.replays import Occurrence, occurrences
from cronaudit.recognition.facts.run_hooks import around
from cronaudit.recognition.sightings import Sighting, text_of

_CHAIN: Final = 5


class Metric(Struct, frozen=True):
    """A metric that a call records."""

    name: str
    """Empty where it is not known."""
    type: str
    """``counter``, ``gauge``, ``histogram``, ``summary``, ``timer``; empty where it is not known."""
    labels: tuple[str, ...]
    """Names and values that the call gives, as far as they are known."""
    open_labels: bool
    """Whether a label's value depends on the run: ``{outcome: failed ? 'failure' : 'success'}``."""
    location: Location
    """Where it is declared, else where it is recorded."""
    occurrence: Occurrence


class Exported(Struct, frozen=True):
    """How metrics leave the process."""

    sighting: Sighting
    in_process: bool
    """Whether the process that runs the job does it."""


def metrics_on(context: JobContext, *effects: str) -> tuple[Metric, ...]:
    """The metrics that the walk, and what is called around every run, record by these effects."""
    found = [_metric(o, context.service.matcher) for o in occurrences(context, *effects)]
    return (*found, *(metric_of(s, context) for s in around(context, *effects)))


def metric_of(sighting: Sighting, context: JobContext) -> Metric:
    """The metric that a call off the walk records."""
    return _metric(Occurrence(sighting, ()), context.service.matcher)


def job_metrics(context: JobContext) -> frozenset[str]:
    """The names of all metrics that the walk records."""
    found = metrics_on(context, "metric.observe", "metric.count")
    return frozenset(m.name for m in found if m.name and "${" not in m.name)


def export_of(context: JobContext) -> Exported | None:
    """What serves or pushes the metrics: in the process of the job, else anywhere in the tree; None where nothing."""
    files = process_files(context)
    found = service_sightings(context.service, "metric.serve", "metric.push")
    for sighting in (*context.seen("metric.push", "metric.serve"), *found):
        if sighting.location.path in files:
            return Exported(sighting, in_process=True)
    return Exported(found[0], in_process=False) if found else None


def _metric(occurrence: Occurrence, matcher: Matcher) -> Metric:
    """The metric of one recording call: stated in it, or where the metric's object was made."""
    sighting = occurrence.sighting
    declared = _declaration(sighting, matcher)
    name = sighting.text("name")
    kind = _word(sighting)
    at = sighting.location
    if declared is not None:
        name = declared.text("name") or name
        kind = _word(declared) or kind
        at = declared.view.at or at
    labels, is_open = _labels(sighting)
    return Metric(name or "", kind, labels, is_open, at, occurrence)


def _word(sighting: Sighting) -> str:
    word = sighting.description.word("type")
    return word if isinstance(word, str) else ""


def _declaration(sighting: Sighting, matcher: Matcher) -> Sighting | None:
    """The call that made the object whose method records: along ``new Counter(…).labels(…).inc()``."""
    made = sighting.view.receiver
    for _ in range(_CHAIN):
        if made is None:
            return None
        for effect in matcher.effects(made.path.removesuffix("()")):
            if effect.effect == "metric.declare":
                return Sighting("metric.declare", effect, sighting.event, made, sighting.linker)
        made = made.receiver
    return None


def _labels(sighting: Sighting) -> tuple[tuple[str, ...], bool]:
    """Label names and values in the call and in the calls of its chain."""
    found: list[str] = []
    is_open = False
    view: External | None = sighting.view
    for _ in range(_CHAIN):
        if (
            view is None
            or view.args is None
            or view.path.endswith(("Counter()", "Histogram()", "Gauge()", "Summary()"))
        ):
            break
        values = [*view.args.positional, *view.args.named.values()]
        found.extend(view.args.named)
        for raw in values:
            value = sighting.linker.force(raw)
            inner: list[Value] = [value]
            if isinstance(value, Record):
                found.extend(value.entries)
                inner = [sighting.linker.force(v) for v in value.entries.values()]
            for one in inner:
                options = one.options if isinstance(one, Choice) else (one,)
                texts = [text_of(o) for o in options]
                if None in texts:
                    is_open = True
                elif not (isinstance(one, Known) and isinstance(one.value, int | float)):
                    found += [t for t in texts if t is not None]
        view = view.receiver
    return tuple(found), is_open
