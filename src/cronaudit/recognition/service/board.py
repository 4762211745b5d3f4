"""``service.board``: whether one place shows all jobs side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact
from cronaudit.model.source import Location
from cronaudit.model.value import External, Known, Value
from cronaudit.recognition.context import JobContext, Service
from cronaudit.recognition.facts.elsewhere import process_files
from cronaudit.recognition.facts.processes_sites import is_reached, placed
from cronaudit.recognition.facts.run_hooks import around
from cronaudit.recognition.service.health import known_routes
from cronaudit.recognition.service.overviews import Shown, overviews_of
from cronaudit.recognition.service.values import of_arguments, parts
from cronaudit.recognition.sightings import Sighting

Board = Literal["history", "some", "current", "none"]
_JOB_LABEL = lazy_regex(
    r"(?:cron_?|scheduled_?|background_?)?(?:job|task|cron|schedule|scheduler|worker)s?(?:_?(?:name|id|type|key|slug))?",
    re.IGNORECASE,
)


def board(service: Service) -> Fact[Board]:
    """A queue board, or metrics that carry the job as a label and are exported; a status route shows less."""
    mounted = [(s, n) for s, n in placed(service, "board.mount") if is_reached(service, s.location.path)]
    if mounted:
        found = _mounted(service, [s for s, _n in mounted])
        if found is not None:
            return found
    overviews = overviews_of(service)
    if overviews and overviews[0].history:
        return _overview(service, overviews[0])
    labelled = {id(c): x for c in service.jobs if (x := _labelled(service, c)) is not None}
    loaded = {path for context in service.jobs for path in process_files(context)}
    served = [
        s
        for s, _n in placed(service, "metric.serve", "metric.push")
        if s.location.path in loaded or is_reached(service, s.location.path)
    ]
    if labelled and served:
        places = tuple(dict.fromkeys(x[1] for x in labelled.values()))
        label = next(iter(labelled.values()))[0]
        if len(labelled) == len(service.jobs):
            return Fact("history", f"Metrics labelled by {label}", places)
        return Fact(
            "some", f"{len(labelled)} of {len(service.jobs)} jobs have metrics labelled by {label}", places
        )
    shown = [(r, k) for r, k in known_routes(service) if k.listed or k.fresh]
    if shown:
        route, _known = shown[0]
        method = f"{route.method} " if route.method not in ("", "ALL") else ""
        return Fact("current", f"Current status only: {method}{route.path}", (route.location,))
    if overviews:
        return Fact("current", f"{overviews[0].title} shows the last run only", (overviews[0].location,))
    return Fact("none", "No place that shows all jobs")


def _overview(service: Service, shown: Shown) -> Fact[Board]:
    """A place of a library that stands beside the code."""
    if shown.profile:
        words = f"{shown.title} runs only where the profile {shown.profile} is asked for"
        return Fact("some", words, (shown.location,))
    if shown.jobs == len(service.jobs):
        return Fact("history", f"{shown.title} shows the runs of all jobs", (shown.location,))
    words = f"{shown.title} shows the runs of {shown.jobs} of {len(service.jobs)} jobs"
    return Fact("some", words, (shown.location,))


def _mounted(service: Service, mounted: list[Sighting]) -> Fact[Board] | None:
    """A board of a queue library shows the jobs of that queue's kind."""
    with_history = [s for s in mounted if s.description.word("history") is not False]
    shown = [c for c in service.jobs if c.trait("lock.kind") in ("queue", "message")]
    if not shown:
        return None
    places = tuple(s.location for s in with_history or mounted)
    if not with_history:
        return Fact("current", "A board without history", places)
    if len(shown) == len(service.jobs):
        return Fact("history", "A board of the queues with their history", places)
    return Fact("some", f"A board shows {len(shown)} of {len(service.jobs)} jobs", places)


def _labelled(service: Service, context: JobContext) -> tuple[str, Location] | None:
    """The label by which a metric on the job's path tells the jobs apart, and where the metric is declared."""
    effects = ("metric.observe", "metric.count")
    for sighting in (*context.seen(*effects), *around(context, *effects)):
        label = next(_labels(service, sighting), None)
        if label is not None:
            return label, _declared(sighting)
    return None


def _labels(service: Service, sighting: Sighting) -> Iterator[str]:
    """Keys of the labels given with the value, and names in the declaration behind it."""
    for key, _value in of_arguments(service, sighting.view.args):
        if key and _JOB_LABEL.fullmatch(key):
            yield key
    current: External | None = sighting.view.receiver
    while current is not None:
        for key, value in of_arguments(service, current.args):
            if key and _JOB_LABEL.fullmatch(key):
                yield key
            if key in ("labelNames", "labels", "labelnames", "") and _is_label(value):
                yield str(value.value)  # type: ignore[union-attr]
        current = current.receiver
    stated = sighting.param("labels")
    if stated is not None:
        for key, _value in parts(service, stated):
            if key and _JOB_LABEL.fullmatch(key):
                yield key


def _is_label(value: Value) -> bool:
    return (
        isinstance(value, Known) and isinstance(value.value, str) and bool(_JOB_LABEL.fullmatch(value.value))
    )


def _declared(sighting: Sighting) -> Location:
    """The outermost object that the call is made on: the metric."""
    current: External | None = sighting.view.receiver
    last = sighting.location
    while current is not None:
        last = current.at or last
        current = current.receiver
    return last
