"""Flags that a signal handler sets and other code waits for: `stop = Event()`, `stop.set`, `await stop.wait()`."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.ir import Function, Loop
from cronaudit.model.source import Location
from cronaudit.model.trace import Trace
from cronaudit.model.value import Closure, External, Value
from cronaudit.model.walking import contains, holds, statements
from cronaudit.recognition.context import JobContext, Service
from cronaudit.recognition.facts.elsewhere import service_sightings
from cronaudit.recognition.sightings import Sighting


class Waiting(Struct, frozen=True, eq=False):
    """A place that goes on when the flag is set, with the walk of its function."""

    trace: Trace
    order: int
    """The call that waits; what comes behind it is the way out."""


def flag_of(handler: Value | None, service: Service) -> Location | None:
    """Where the flag is made that a handler sets: ``signal(SIGTERM, stop.set)``."""
    if not isinstance(handler, External) or handler.receiver is None:
        return None
    effects = service.matcher.effects(handler.path)
    return handler.receiver.at if any(e.effect == "flag.set" for e in effects) else None


def flags_set(sightings: tuple[Sighting, ...]) -> Iterator[Location]:
    """Where the flags are made that a walk sets."""
    for sighting in sightings:
        at = _made(sighting)
        if sighting.effect == "flag.set" and at is not None:
            yield at


def waitings(flag: Location, service: Service) -> Iterator[Waiting]:
    """The places that wait for a flag, those in a loop aside."""
    for sighting in service_sightings(service, "flag.wait"):
        node = sighting.event.scope.node
        if _made(sighting) != flag or not isinstance(node, Function):
            continue
        if any(isinstance(s, Loop) and _stands_in(sighting, s) for s in statements(node.body)):
            continue  # it goes round, and what stands in it is no way out
        trace = service.linker.walk(Closure(node, service.linker.scope_of(node.parent)))
        order = next((e.order for e in trace.events if e.call is sighting.event.call), None)
        if order is not None:
            yield Waiting(trace, order)


def ends_loop(flag: Location, context: JobContext) -> Location | None:
    """Where the pause of a job's own loop is that the flag ends: ``while not stop.wait(60)``."""
    loop = context.registration.loop
    if loop is None or _is_thread(context):
        return None
    for sighting in service_sightings(context.service, "flag.wait"):
        if _made(sighting) == flag and _stands_in(sighting, loop):
            return sighting.location
    return None


def _is_thread(context: JobContext) -> bool:
    """Whether a thread runs the loop: the process may end without it."""
    for sighting in service_sightings(context.service, "thread.spawn"):
        args = sighting.view.args
        for raw in (*args.positional, *args.named.values()) if args is not None else ():
            value = sighting.linker.force(raw)
            if isinstance(value, Closure) and value.function is context.registration.node:
                return True
    return False


def _stands_in(sighting: Sighting, loop: Loop) -> bool:
    call = sighting.event.call
    return (loop.test is not None and contains(loop.test, call)) or holds(loop.body, call)


def _made(sighting: Sighting) -> Location | None:
    receiver = sighting.view.receiver
    return receiver.at if receiver is not None else None
