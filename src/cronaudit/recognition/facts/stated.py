"""What the registration of a job states, and what the place that defines its work adds to it."""

from __future__ import annotations

from cronaudit.knowledge.selectors import select
from cronaudit.model.knowledge import Selector
from cronaudit.model.value import Known, Unknown, Value
from cronaudit.recognition.context import JobContext


def option(context: JobContext, name: str) -> Value | None:
    """An option of the job: of its registration, else of its consumer; None where neither states it."""
    registration = context.registration
    value = registration.options.get(name)
    if value is not None:
        return value
    consumer = registration.consumer
    if consumer is None:
        return None
    opened: Value | None = None
    for selector in _selectors(consumer.consumer.options, name):
        found = select(selector, consumer.call, context.linker.force, context.linker.member)
        if found is None or (isinstance(found, Known) and found.value is None):
            continue
        if not isinstance(found, Unknown):
            return found
        opened = opened or found
    return opened


def unit_of(context: JobContext, name: str) -> str | None:
    """The unit in which the description counts an option."""
    registration = context.registration
    scheduler, consumer = registration.scheduler, registration.consumer
    listed = (
        *(_selectors(scheduler.options, name) if scheduler is not None else ()),
        *(_selectors(consumer.consumer.options, name) if consumer is not None else ()),
    )
    return next((s.unit for s in listed if s.unit is not None), None)


def declares(context: JobContext, name: str) -> bool:
    """Whether the library has an option of that name for the work."""
    registration = context.registration
    scheduler, consumer = registration.scheduler, registration.consumer
    return any(
        _selectors(o, name)
        for o in (
            scheduler.options if scheduler is not None else (),
            consumer.consumer.options if consumer is not None else (),
        )
    )


def _selectors(options: tuple[tuple[str, tuple[Selector, ...]], ...], name: str) -> tuple[Selector, ...]:
    return next((s for n, s in options if n == name), ())
