"""What the library of a job calls around every run: receivers of its signals (``@task_postrun.connect``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from cronaudit.model.ir import Call
from cronaudit.model.knowledge import Effect
from cronaudit.model.value import Closure, External
from cronaudit.model.walking import functions_in
from cronaudit.recognition.context import JobContext, Service, once, once_a_service
from cronaudit.recognition.sightings import Sighting

Phase = Literal["before", "after", "success"]


class RunHook(Struct, frozen=True):
    """A function that is called at every run, and all that it does."""

    phase: Phase
    """``after``: however the run has ended."""
    sightings: tuple[Sighting, ...]


@once
def run_hooks(context: JobContext) -> tuple[RunHook, ...]:
    """The hooks around the runs of a job."""
    return tuple(
        RunHook(_phase(effect), context.service.reader.read(context.linker.walk(closure)))
        for effect, closure in receivers(context, "task.hook")
    )


def around(context: JobContext, *effects: str) -> tuple[Sighting, ...]:
    """The calls with one of these effects in the hooks around the runs of a job."""
    return tuple(s for hook in run_hooks(context) for s in hook.sightings if s.effect in effects)


def _phase(effect: Effect) -> Phase:
    word = effect.word("phase")
    return word if word in ("before", "success") else "after"  # type: ignore[return-value]


def receivers(context: JobContext, effect: str) -> Iterator[tuple[Effect, Closure]]:
    """Functions under a decorator with that effect, of the library that runs the job."""
    root = re.split(r"[-_]", context.registration.kind)[0]
    for path, description, closure in _all_decorated(context.service, effect):
        if path.startswith(root):
            yield description, closure


@once_a_service
def _all_decorated(service: Service, effect: str) -> tuple[tuple[str, Effect, Closure], ...]:
    return tuple(_decorated(service, effect))


def _decorated(service: Service, effect: str) -> Iterator[tuple[str, Effect, Closure]]:
    tokens = sorted(
        {
            t.encode()
            for x in service.matcher.libraries
            if any(e.effect == effect for e in x.effects)
            for t in x.service_tokens
        }
    )
    if not tokens:
        return
    for path in service.hits.files_with(*tokens):
        module = service.linker.module(path)
        if module is None:
            continue
        for function in functions_in(module):
            for decorator in function.decorators:
                scope = service.linker.scope_of(function.parent)
                target = decorator.callee if isinstance(decorator, Call) else decorator
                callee = service.linker.fold(target, scope)
                if not isinstance(callee, External):
                    continue
                found = next((e for e in service.matcher.effects(callee.path) if e.effect == effect), None)
                if found is not None:
                    yield callee.path, found, Closure(function, scope)
