"""The functions whose call in a test is a run of a job: its handler, the method that its class fills in, its body."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import Function
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import Choice, Closure
from cronaudit.recognition.context import JobContext, Service, once_a_service
from cronaudit.recognition.facts.spans import Spans, core_of, spans_of, work_of


@once_a_service
def subjects(service: Service) -> dict[int, Function]:
    """By id; a helper that a job calls is none, or a test of it would count as one of the job."""
    return {id(f): f for context in service.jobs for f in _of(service, context)}


def _of(service: Service, context: JobContext) -> Iterator[Function]:
    registration = context.registration
    for handler in (registration.handler, context.handler):
        if isinstance(handler, Closure):
            yield handler.function
    if not isinstance(context.handler, Closure):
        return
    own = context.handler.function
    for event in context.trace.events:
        if event.kind is EventKind.CALL and isinstance(event.callee, Choice) and _in_runner(event, own):
            # The runner picks the job's function by name out of a list of all of them.
            options = [o for o in event.callee.options if isinstance(o, Closure)]
            if len(options) > 1:
                yield from (o.function for o in options)
    spans = spans_of(context)
    body = core_of(context, spans) or _own_part(service, context, spans)
    if body is not None and isinstance(body.callee, Closure):
        yield body.callee.function
        yield from _above(context, body, own)


def _in_runner(event: Event, runner: Function) -> bool:
    return event.location.path == runner.module.path and runner.line <= event.location.line <= runner.end_line


def _own_part(service: Service, context: JobContext, spans: Spans) -> Event | None:
    """Where several jobs share a runner: the first function that does work and that no other of them enters."""
    assert isinstance(context.handler, Closure)  # noqa: S101 - the caller has looked
    runner = context.handler.function
    others = [
        c
        for c in service.jobs
        if c is not context and isinstance(c.handler, Closure) and c.handler.function is runner
    ]
    if not others:
        return None
    foreign = {at for c in others for at in c.trace.functions}
    work = {e.order for e in work_of(context)}
    for event in spans.functions():
        callee = event.callee
        is_own = isinstance(callee, Closure) and callee.function.location not in foreign
        if is_own and any(e.order in work for e in spans.span(event)):
            return event
    return None


def _above(context: JobContext, body: Event, runner: Function) -> Iterator[Function]:
    """The functions between the handler and the body that belong to the runner: of its class or file."""
    chain = body.path
    for event in context.trace.events:
        if event.order >= body.order:
            return
        callee = event.callee
        if event.kind is not EventKind.ENTER or not isinstance(callee, Closure):
            continue
        function = callee.function
        full = (*event.path, function.symbol)
        is_above = chain[: len(full)] == full and function.name is not None
        same_class = function.owner is not None and function.owner is runner.owner
        if is_above and (same_class or (function.owner is None and function.module is runner.module)):
            yield function
