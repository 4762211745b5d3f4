"""The paths that a failing run takes: handlers on its walk, and handlers that its queue or scheduler calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Function, Member, Module, Try
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.model.value import Closure, External, Known, Value
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.facts.elsewhere import own_files, service_sightings
from cronaudit.recognition.facts.run_hooks import receivers
from cronaudit.recognition.facts.spans import core_of, spans_of, work_of
from cronaudit.recognition.sightings import Sighting

_FAILED: Final = lazy_regex(r"fail|dead", re.IGNORECASE)
_ERROR: Final = lazy_regex(r"fail|error|exception", re.IGNORECASE)
_LISTEN: Final = ("on", "once", "addListener", "connect")


class Catch(Struct, frozen=True):
    """One handler on the walk."""

    region: Region
    covers: float
    """The share of the work that it guards, 0 to 1."""
    rethrows: bool
    """Whether the error goes on."""


class Hook(Struct, frozen=True):
    """A handler that the queue or scheduler calls when a run fails, and all that it does."""

    location: Location
    sightings: tuple[Sighting, ...]


@once
def catches(context: JobContext) -> tuple[Catch, ...]:
    """The handlers around the work, the widest first."""
    events = context.trace.events
    spans = spans_of(context)
    core = core_of(context, spans)
    work = work_of(context)
    found: dict[int, Region] = {}
    for event in events:
        for region in event.regions():
            if region.kind is RegionKind.CATCH and region.node is not None:
                found.setdefault(id(region.node), region)
    result: list[Catch] = []
    for node, region in found.items():
        guarded = work if core is not None and _guards(core, node) else [e for e in work if _guards(e, node)]
        throws = any(
            e.kind is EventKind.THROW
            and any(r.kind is RegionKind.CATCH and id(r.node) == node for r in e.regions())
            for e in events
        )
        share = len(guarded) / len(work) if work else float(_holds_most(events, node))
        result.append(Catch(region, share, throws))
    return tuple(sorted(result, key=lambda c: -c.covers))


def _guards(event: Event, node: int) -> bool:
    return any(r.kind is RegionKind.TRY and id(r.node) == node for r in event.regions())


def _holds_most(events: tuple[Event, ...], node: int) -> bool:
    """Without any known work: whether most calls stand in it."""
    calls = [e for e in events if e.kind is EventKind.CALL and not e.inside(RegionKind.CATCH)]
    inside = [e for e in calls if _guards(e, node)]
    return bool(calls) and len(inside) * 2 > len(calls)


def share_of(event: Event, handlers: tuple[Catch, ...]) -> float:
    """The share of the work whose failure leads to an event."""
    shares = [0.0]
    for region in event.regions():
        if region.kind is RegionKind.CATCH:
            shares += [c.covers for c in handlers if c.region.node is region.node]
    return max(shares)


def swallowed(handlers: tuple[Catch, ...]) -> Catch | None:
    """The handler that keeps every error of the work to itself; None where one can get out."""
    return next((c for c in handlers if c.covers >= 1 and not c.rethrows and _takes_all(c.region)), None)


def _takes_all(region: Region) -> bool:
    node = region.node
    if not isinstance(node, Try):
        return True
    broad = {"Exception", "BaseException"}
    return any(not h.types or any(getattr(t, "name", "") in broad for t in h.types) for h in node.handlers)


# ---- handlers that others call ---------------------------------------------------------------------------------


def hooks(context: JobContext) -> tuple[Hook, ...]:
    """``worker.on('failed', …)``, an error option of the scheduler, a framework's failure signal."""
    found = list(_options(context))
    found += list(_listeners(context))
    found += list(_signals(context))
    return tuple(found)


def _options(context: JobContext) -> Iterator[Hook]:
    value = context.registration.options.get("error_handler")
    if value is not None:
        yield from _hook(context, value, context.site)


def _listeners(context: JobContext) -> Iterator[Hook]:
    """Methods that subscribe to failures on the object that runs the job."""
    registration = context.registration
    made: set[Location] = {registration.site}
    if registration.consumer is not None:
        made.add(registration.consumer.location)
    elif registration.call.receiver is not None and registration.call.receiver.at is not None:
        made.add(registration.call.receiver.at)
    words = _FAILED if registration.consumer is not None else _ERROR
    for path in own_files(context):
        module = context.linker.module(path)
        if module is None:
            continue
        calls = context.linker.calls(module, _LISTEN)
        for name in _LISTEN:
            for call, node in calls.get(name, ()):
                yield from _listener(context, call, node, module, made, words)


def _listener(
    context: JobContext,
    call: Call,
    node: Function | Module,
    module: Module,
    made: set[Location],
    words: re.Pattern[str],
) -> Iterator[Hook]:
    scope = context.linker.scope_of(node)
    args = context.linker.arguments(call, scope)
    if len(args.positional) < 2 or not isinstance(call.callee, Member):
        return
    event = context.linker.force(args.positional[0])
    if not isinstance(event, Known) or not isinstance(event.value, str) or not words.search(event.value):
        return
    receiver = context.linker.fold(call.callee.object, scope)
    if isinstance(receiver, External) and receiver.at is not None and _same(receiver.at, made):
        handler = context.linker.force(args.positional[1])
        yield from _hook(context, handler, Location(module.path, call.line, call.end_line))


def _same(at: Location, made: set[Location]) -> bool:
    return any(at.path == m.path and at.line == m.line for m in made)


def _signals(context: JobContext) -> Iterator[Hook]:
    """``@task_failure.connect`` and ``queue.failed`` calls of the same queue."""
    family = context.registration.scheduler.family if context.registration.scheduler is not None else None
    for sighting in service_sightings(context.service, "queue.failed"):
        library = sighting.library
        kind = context.registration.kind
        if not (
            library == family or kind.startswith(library) or library.startswith(re.split(r"[-_]", kind)[0])
        ):
            continue
        if _of_another_queue(sighting, context):
            continue
        for raw in sighting.view.args.positional if sighting.view.args is not None else ():
            yield from _hook(context, context.linker.force(raw), sighting.location)
    yield from _decorated(context)


def _of_another_queue(sighting: Sighting, context: JobContext) -> bool:
    consumer = context.registration.consumer
    receiver = sighting.view.receiver
    if consumer is None or receiver is None or receiver.args is None or not receiver.args.positional:
        return False
    queue = context.linker.force(receiver.args.positional[0])
    return (
        isinstance(queue, Known) and isinstance(consumer.queue, Known) and queue.value != consumer.queue.value
    )


def _decorated(context: JobContext) -> Iterator[Hook]:
    """Functions under a decorator that the libraries describe as a handler of failed work."""
    for _effect, closure in receivers(context, "queue.failed"):
        yield from _hook(context, closure, closure.function.location)


def _hook(context: JobContext, value: Value, at: Location) -> Iterator[Hook]:
    if isinstance(value, Closure):
        trace = context.linker.walk(value)
        yield Hook(at, context.service.reader.read(trace))
