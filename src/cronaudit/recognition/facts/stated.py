"""What the registration of a job states, and what the place that defines its work adds to it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.knowledge.selectors import select
from cronaudit.model.ir import Call, Function
from cronaudit.model.knowledge import Consumer, Selector
from cronaudit.model.source import Location
from cronaudit.model.trace import EventKind
from cronaudit.model.value import Arguments, Builtin, Closure, External, Known, Unknown, Value
from cronaudit.recognition.context import JobContext


class Task(Struct, frozen=True):
    """The place that defines some work, with what a library says of it."""

    consumer: Consumer
    call: External
    location: Location


def option(context: JobContext, name: str) -> Value | None:
    """An option of the job: of its registration, else of the definition of its work; None where neither states it."""
    value = context.registration.options.get(name)
    if value is not None:
        return value
    return next(
        (v for task in tasks_of(context) if (v := task_option(context, task, name)) is not None), None
    )


def unit_of(context: JobContext, name: str) -> str | None:
    """The unit in which the description counts an option."""
    scheduler = context.registration.scheduler
    listed = [*(_selectors(scheduler.options, name) if scheduler is not None else ())]
    for task in tasks_of(context):
        listed.extend(_selectors(task.consumer.options, name))
    return next((s.unit for s in listed if s.unit is not None), None)


def declares(context: JobContext, name: str) -> bool:
    """Whether the library has an option of that name for the work."""
    scheduler = context.registration.scheduler
    if scheduler is not None and _selectors(scheduler.options, name):
        return True
    return any(_selectors(task.consumer.options, name) for task in tasks_of(context))


# ---- the work --------------------------------------------------------------------------------------------------


def tasks_of(context: JobContext) -> tuple[Task, ...]:
    """Where the job's work is defined: by a consumer of its queue, or under a decorator."""
    consumer = context.registration.consumer
    if consumer is not None:
        return (Task(consumer.consumer, consumer.call, consumer.location),)
    for handler in (context.registration.handler, context.handler):
        if isinstance(handler, Closure):
            found = tuple(_decorated(context, handler.function))
            if found:
                return found
    return ()


def enqueued_tasks(context: JobContext) -> Iterator[Task]:
    """The work that the job puts into a queue by the function itself: ``settle.delay()``."""
    for event in context.trace.events:
        callee = event.callee
        if (
            event.kind is EventKind.CALL
            and isinstance(callee, Builtin)
            and isinstance(callee.receiver, Closure)
        ):
            yield from _decorated(context, callee.receiver.function)


def _decorated(context: JobContext, function: Function) -> Iterator[Task]:
    scope = context.linker.scope_of(function.parent)
    for decorator in function.decorators:
        call = decorator if isinstance(decorator, Call) else None
        callee = context.linker.fold(call.callee if call is not None else decorator, scope)
        if not isinstance(callee, External):
            continue
        args = context.linker.arguments(call, scope) if call is not None else Arguments((), {})
        at = Location(function.module.path, call.line if call is not None else function.line)
        view = External(callee.path, args, at, callee.receiver, call)
        for consumer in context.service.matcher.consumers(callee.path, "decorator"):
            yield Task(consumer, view, at)


def task_option(context: JobContext, task: Task, name: str) -> Value | None:
    """An option that the definition of the work states."""
    opened: Value | None = None
    for selector in _selectors(task.consumer.options, name):
        found = select(selector, task.call, context.linker.force, context.linker.member)
        if found is None or (isinstance(found, Known) and found.value is None):
            continue
        if not isinstance(found, Unknown):
            return found
        opened = opened or found
    return opened


def _selectors(options: tuple[tuple[str, tuple[Selector, ...]], ...], name: str) -> tuple[Selector, ...]:
    return next((s for n, s in options if n == name), ())
