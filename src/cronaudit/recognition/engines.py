"""Schedulers of the project's own that read cron expressions themselves.

A timer whose work parses the expressions of a registry is no job: it is the engine, and each entry of the registry is
a job. ``for (const job of this.jobs) if (parse(job.cron).prev() > last) run(job)``.
"""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.knowledge.selectors import select
from cronaudit.model.ir import Call, Function, Member
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.trace import Event, Trace
from cronaudit.model.value import Closure, External, Instance, Lazy, Record, Scope, Value
from cronaudit.model.walking import class_around
from cronaudit.recognition.found import Registration, entry_of
from cronaudit.recognition.naming import named_by
from cronaudit.recognition.sightings import Sighting
from cronaudit.recognition.timing import read_expression

_WORK = ("handler", "run", "execute", "fn", "func", "task", "job", "callback", "perform", "process", "action", "method",
         "onTick", "handle")  # fmt: skip


def entries_of(
    engine: Registration, sightings: tuple[Sighting, ...], linker: Linker
) -> Iterator[Registration]:
    """The jobs of an engine; none where the timer is a job of its own."""
    for sighting in sightings:
        call, node = sighting.event.call, sighting.event.scope.node
        if sighting.effect == "cron.parse" and call is not None and isinstance(node, Function):
            yield from _entries(engine, sighting, call, node, linker)


def _entries(
    engine: Registration, sighting: Sighting, call: Call, node: Function, linker: Linker
) -> Iterator[Registration]:
    selectors = sighting.description.param("expression")

    def values(scope: Scope) -> list[Value | Lazy]:
        view = External(
            sighting.view.path, linker.arguments(call, scope), sighting.location, sighting.view.receiver
        )
        found = (select(s, view, linker.force, linker.member) for s in selectors)
        return [v for v in found if v is not None]

    for outer in linker.bounds(node):
        for bound in linker.unroll(outer, values):
            expression = next(iter(values(bound.scope)), None)
            if expression is None or not bound.items:
                continue
            timing = read_expression(linker.force(expression), "seconds6", linker)
            if timing is None or timing.open is not None or timing.invalid:
                continue
            handler = _work_of(bound, linker) or engine.handler
            yield entry_of(engine, bound, handler, named_by(bound, linker), timing)


def _work_of(bound: Bound, linker: Linker) -> Closure | None:
    for item in reversed(bound.items):
        if isinstance(item.value, Record | Instance):
            for name in _WORK:
                if isinstance(item.value, Record) and name not in item.value.entries:
                    continue
                found = linker.member(item.value, name)
                if isinstance(found, Closure):
                    return found
    return None


def engine_trace(registration: Registration, linker: Linker) -> Trace:
    """The walk of a job of an own scheduler: the engine's round, then the entry's work where the project calls it."""
    engine = registration.engine
    assert engine is not None and engine.handler is not None  # noqa: S101, PT018 - the caller has looked
    around = linker.walk(engine.handler)
    work = registration.handler
    if not isinstance(work, Closure) or work is engine.handler:
        return around
    traces = [around]
    call = _running_call(around.events, work)
    if call is None and registration.run_by is not None:
        call = next((e for e in around.events if e.call is registration.run_by), None)
    if call is None and isinstance(engine.handler, Closure):
        for runner in _runners(engine.handler, work, linker):
            outer = linker.walk(runner)
            call = _running_call(outer.events, work)
            if call is not None:
                traces.append(outer)
                break
    traces.append(linker.walk(work, (), call))
    events = [e for t in traces for e in t.events]
    for order, event in enumerate(events):
        event.order = order
    return Trace(
        tuple(events),
        all(t.complete for t in traces),
        next((t.cut for t in traces if t.cut), ""),
        tuple(f for t in traces for f in t.functions),
    )


def _running_call(events: tuple[Event, ...], work: Closure) -> Event | None:
    """The call that runs an entry's work: by the name that the entry gives it, on something that is left open."""
    for event in events:
        callee = event.call.callee if event.call is not None else None
        if isinstance(callee, Member) and callee.name == work.function.name:
            reached = event.callee
            if not isinstance(reached, Closure) or reached.function is work.function:
                return event
    return None


def _runners(engine: Closure, work: Closure, linker: Linker) -> Iterator[Closure]:
    """Functions of the engine's class that call an entry's work, when it is dispatched over a queue or a request."""
    this = engine.this
    owner = this.of.cls if isinstance(this, Instance) else class_around(engine.function)
    if owner is None or work.function.name is None:
        return
    for call, node in linker.calls(owner.module, (work.function.name,)).get(work.function.name, ()):
        start = node
        while (
            isinstance(start, Function)
            and isinstance(start.parent, Function)
            and start.parent.owner is not owner
        ):
            start = start.parent
        if isinstance(start, Function) and isinstance(call.callee, Member):
            yield Closure(start, linker.scope_of(start.parent), this)
