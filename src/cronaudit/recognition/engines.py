"""Schedulers of the project's own that read cron expressions themselves.

A timer whose work parses the expressions of a registry is no job: it is the engine, and each entry of the registry is
a job. ``for (const job of this.jobs) if (parse(job.cron).prev() > last) run(job)``.
"""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.knowledge.selectors import select
from cronaudit.model.ir import Call, Function
from cronaudit.model.knowledge import SchedulePart, Selector
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Closure, External, Instance, Lazy, Record, Scope, Value
from cronaudit.recognition.found import Registration
from cronaudit.recognition.naming import named_by
from cronaudit.recognition.sightings import Sighting
from cronaudit.recognition.timing import read

_EXPRESSION = SchedulePart("cron", Selector("args", 0, (), None, "args.0"), "seconds6")
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
        view = External(sighting.view.path, linker.arguments(call, scope), sighting.location, sighting.view.receiver)
        found = (select(s, view, linker.force, linker.member) for s in selectors)
        return [v for v in found if v is not None]

    for outer in linker.bounds(node):
        for bound in linker.unroll(outer, values):
            expression = next(iter(values(bound.scope)), None)
            if expression is None or not bound.items:
                continue
            timing = read(_EXPRESSION, linker.force(expression), linker)
            if timing is None or timing.open is not None or timing.invalid:
                continue
            name, name_at = named_by(bound, linker)
            handler = _work_of(bound, linker) or engine.handler
            yield Registration(
                kind="custom",
                scheduler=None,
                call=engine.call,
                node=engine.node,
                bound=bound,
                site=engine.site,
                timing=timing,
                timezone=None,
                name=name,
                name_at=name_at,
                handler=handler,
                traits=dict(engine.traits),
                item=_stated(bound),
                engine=engine,
            )


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


def _stated(bound: Bound) -> Location:
    return bound.items[-1].location
