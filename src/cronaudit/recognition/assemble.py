"""From what was found to the jobs of the result: names, stable ids, facts."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import JobFacts, Walk
from cronaudit.model.ir import Call, Expr, Function, Index, Member, Module, Name
from cronaudit.model.job import Handler, Job, JobState
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import EventKind
from cronaudit.model.value import Closure, Instance, Known, Record, Scope, Value
from cronaudit.model.walking import expressions, functions_around
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import (
    alert,
    data,
    doc,
    effects,
    errors,
    history,
    identity,
    lock,
    memory,
    monitor,
    retry,
    runner,
    schedule,
    timeout,
)
from cronaudit.recognition.handlers import guarded, hears_of_errors, unwrapped
from cronaudit.recognition.jobs import Found
from cronaudit.recognition.template_methods import given_work

_PLAIN = lazy_regex(r"[^\w.@/:-]+")


def facts_of(context: JobContext) -> JobFacts:
    """All facts of one job."""
    return JobFacts(
        job=identity.build(context),
        schedule=schedule.build(context),
        doc=doc.build(context),
        timeout=timeout.build(context),
        memory=memory.build(context),
        retry=retry.build(context),
        lock=lock.build(context),
        monitor=monitor.build(context),
        alert=alert.build(context),
        history=history.build(context),
        effects=effects.build(context),
        errors=errors.build(context),
        runner=runner.build(context),
        data=data.build(context),
    )


def jobs_of(found: Iterable[Found]) -> tuple[Callable[[], Job], ...]:
    """What makes the jobs out of what was found, live ones first, each by path and line."""
    listed = ordered(found)
    ids = _ids(listed)
    return tuple(partial(_job, one, job_id) for one, job_id in zip(listed, ids, strict=True))


def ordered(found: Iterable[Found]) -> list[Found]:
    """Live jobs first, each by path and line: the order of the result."""
    return sorted(found, key=lambda f: (not f.liveness.is_live, f.location, f.registration.name or ""))


def _job(found: Found, job_id: str) -> Job:
    registration = found.registration
    trace = found.context.trace
    facts = facts_of(found.context)
    schedule_ = registration.timing.schedule
    return Job(
        id=job_id,
        name=registration.name,
        display_name=display_name(found),
        state=JobState.LIVE if found.liveness.is_live else JobState.DORMANT,
        state_reason=found.liveness.reason,
        kind=registration.kind,
        location=found.location,
        schedule=schedule_,
        handler=handler_of(found),
        trigger=registration.call.path or registration.kind,
        facts=facts,
        walk=Walk(trace.complete, trace.cut, trace.functions),
    )


def handler_of(found: Found) -> Handler | None:
    """What runs, behind the wrappers; of a template method the one that the concrete class fills in."""
    handler = found.context.handler
    if isinstance(handler, Module):
        return Handler(Location(handler.path, 1), posixpath.basename(handler.path))
    if handler is None:
        return None
    work = found.registration.work
    if work is not None:
        return Handler(work.function.location, work.function.symbol)
    function = (
        filled_in(found.context, handler)
        or passed_in(found.context)
        or dispatched(found.context)
        or (guarded(handler, found.context.linker) or handler).function
    )
    return Handler(function.location, function.symbol)


def filled_in(context: JobContext, handler: Closure) -> Function | None:
    """The method that the job's own class gives to a base class that runs it."""
    this = handler.this
    own = this.of.cls if isinstance(this, Instance) else None
    if own is None or handler.function.owner is own:
        return None
    found = given_work(own, context.trace.events)
    return found.callee.function if found is not None and isinstance(found.callee, Closure) else None


def passed_in(context: JobContext) -> Function | None:
    """The function that a caller hands to the project's own scheduler, which calls it by its parameter's name.

    So does one that stands in an object which is handed over: ``task.run()``.
    """
    # Whoever states the schedule hands the work over; what the scheduler was made with, all of its jobs share.
    handed = (_handed_in(scope, context) for scope in context.registration.bound.scope.outward())
    return next((function for function in handed if function is not None), None)


def _handed_in(scope: Scope, context: JobContext) -> Function | None:
    bound: dict[str, Closure] = {}
    held: set[int] = set()
    for name, raw in scope.values.items():
        value = context.linker.force(raw)
        if isinstance(value, Closure):
            bound[name] = value
        elif isinstance(value, Record) and len(value.entries) <= _TASK_ENTRIES:
            held.update(_functions_of(value, context.linker))
    for event in context.trace.events if bound or held else ():
        call = event.call
        callee = event.callee
        written = call.callee if call is not None else None
        of_name = isinstance(written, Member) and isinstance(written.object, Name)
        told = event.scope.node
        if isinstance(told, Function) and hears_of_errors(told):
            continue  # what is called there says that the work has failed
        if of_name and isinstance(callee, Closure) and id(callee.function) in held:
            return unwrapped(callee, context.linker).function
        if call is not None and isinstance(call.callee, Name) and call.callee.name in bound:
            value = bound[call.callee.name]
            if isinstance(event.callee, Closure) and event.callee.function is value.function:
                return unwrapped(value, context.linker).function
    return None


_FIRST_FUNCTIONS = 30
_TASK_ENTRIES = 20
"""Members of an object that is a task; one with more is what the parts of a program share."""


def dispatched(context: JobContext) -> Function | None:
    """What a queue's consumer picks by the job's name: ``works[job.name](job)``, ``works.get(job.name).run(job)``."""
    name = context.registration.job_name
    if name is None:
        return None
    picked: set[int] = set()
    entered = [e for e in context.trace.events if e.kind is EventKind.ENTER][:_FIRST_FUNCTIONS]
    for event in entered:
        function = event.callee.function if isinstance(event.callee, Closure) else None
        for expr in expressions(function.body) if function is not None else ():
            asked = _key_of(expr)
            key = context.linker.fold(asked, event.scope) if asked is not None else None
            if not isinstance(key, Known) or key.value != name:
                continue
            value = context.linker.fold(expr, event.scope)
            picked.update(_functions_of(value, context.linker))
            work = given_work(value.of.cls, context.trace.events) if isinstance(value, Instance) else None
            if work is not None and isinstance(work.callee, Closure):
                return work.callee.function
    calls = (e.callee for e in context.trace.events if isinstance(e.callee, Closure))
    found = next((c for c in calls if id(c.function) in picked), None)
    return unwrapped(found, context.linker).function if found is not None else None


def _key_of(expr: Expr) -> Expr | None:
    """What a container is asked for."""
    if isinstance(expr, Index):
        return expr.index
    if isinstance(expr, Call) and isinstance(expr.callee, Member) and expr.callee.name == "get" and expr.args:
        return expr.args[0].value
    return None


def _functions_of(value: Value, linker: Linker) -> Iterator[int]:
    if isinstance(value, Closure):
        yield id(value.function)
    elif isinstance(value, Record):
        for raw in value.entries.values():
            inner = linker.force(raw)
            if isinstance(inner, Closure):
                yield id(inner.function)


def display_name(found: Found) -> str:
    """The name, else the symbol of what runs, else that of the function around the registration, else the file."""
    registration = found.registration
    if registration.name:
        return registration.name
    handler = handler_of(found)
    if handler is not None and "<anonymous>" not in handler.symbol:
        return handler.symbol
    for function in functions_around(registration.node):
        if function.name:
            return function.symbol
    return registration.known_as or posixpath.basename(found.location.path)


def _ids(found: list[Found]) -> list[str]:
    """Path and name; an ordinal where two share them. Lines are no part: an id outlives an edit above it."""
    result: list[str] = []
    seen: dict[str, int] = {}
    for one in found:
        base = f"{one.location.path}:{_PLAIN.sub('-', display_name(one)).strip('-') or 'job'}"
        seen[base] = seen.get(base, 0) + 1
        result.append(base if seen[base] == 1 else f"{base}~{seen[base]}")
    return result
