"""``service.health``: whether a machine can ask if a job is stuck."""

from __future__ import annotations

from typing import Literal

from cronaudit.model.facts import Fact
from cronaudit.model.source import Location
from cronaudit.recognition.context import Service, once_a_service
from cronaudit.recognition.facts.processes import placement
from cronaudit.recognition.facts.processes_http import Route, is_probe, routes_of
from cronaudit.recognition.facts.processes_sites import walk_of
from cronaudit.recognition.service.knowing import Knowledge, knowledge
from cronaudit.recognition.service.overviews import overviews_of

Health = Literal["jobs", "some", "page", "queue", "plain", "none"]
_HEALTH_WORDS = ("health", "ready", "live", "alive", "status", "ping", "up")


@once_a_service
def known_routes(service: Service) -> tuple[tuple[Route, Knowledge], ...]:
    """The routes that know jobs, with what they know."""
    pairs = ((r, knowledge(service, r)) for r in routes_of(service))
    return tuple((r, k) for r, k in pairs if k is not None)


def health(service: Service) -> Fact[Health]:
    """A status that knows the last success of the jobs; their mere names and states are not enough."""
    routes = known_routes(service)
    machine = [(r, k) for r, k in routes if k.fresh and not k.is_page]
    told = {id(c) for _r, k in machine for c in k.fresh}
    if machine and len(told) == len(service.jobs):
        route, known = machine[0]
        return Fact(
            "jobs", f"{route.path or 'A route'} knows the last success of every job", (known.location,)
        )
    if machine:
        route, known = machine[0]
        words = f"{route.path or 'A route'} knows the last success of {len(told)} of {len(service.jobs)} jobs"
        return Fact("some", words, (known.location,))
    pages = [(r, k) for r, k in routes if k.fresh]
    if pages:
        route, known = pages[0]
        return Fact("page", f"A page for people: {route.path}", (known.location,))
    history = next((shown for shown in overviews_of(service) if shown.history), None)
    if history is not None and not history.profile:
        return Fact("page", f"A page for people: {history.title}", (history.location,))
    return _without_jobs(service, routes)


def _without_jobs(service: Service, routes: tuple[tuple[Route, Knowledge], ...]) -> Fact[Health]:
    queued = [c for c in service.jobs if _takes_over(c.trait("lock.kind"), c.trait("lock.renewal"))]
    if queued and len(queued) == len(service.jobs):
        return Fact(
            "queue", "The queue finds stalled runs; no health route knows them", (placement(queued[0]).work,)
        )
    shown = [r for r, k in routes if k.listed]
    plain = _plain(service)
    if plain is None and not shown:
        return Fact("none", "No health check")
    words = "No job-aware health"
    if shown:
        words += f"; {shown[0].path} has neither the last success nor stalled runs"
    places = tuple(r.location for r in (plain, *shown[:1]) if r is not None)
    return Fact("plain", words, places)


def _takes_over(kind: object, renewal: object) -> bool:
    return kind == "queue" and renewal == "renewed"


def _plain(service: Service) -> Route | None:
    """The health route that checks most; of several the last but those that answer a constant."""
    found = [
        r for r in routes_of(service) if is_probe(r.path) and any(w in r.path.lower() for w in _HEALTH_WORDS)
    ]

    def weight(route: Route) -> tuple[int, Location]:
        checks = 0
        if route.handler is not None:
            checks = len(service.reader.read(walk_of(service, route.handler)))
        return (-min(checks, 2), route.location)

    return min(found, key=weight, default=None)
