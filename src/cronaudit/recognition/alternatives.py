"""Registrations of one job: in the branches of one ``if``, and at each place that plans a queue's job for somebody."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import Call, Function, If, Module, Stmt
from cronaudit.model.value import Closure
from cronaudit.model.walking import expressions, statements
from cronaudit.recognition.found import Registration


def without_alternatives(found: list[Registration]) -> list[Registration]:
    """One registration for each job: ``if daily: add(f, daily, id='x') elif weekly: add(f, weekly, id='x')``.

    The first one with a schedule that can be told stands for all of them, else the first.
    """
    groups: dict[tuple[object, ...], list[Registration]] = {}
    for registration in found:
        handler = registration.handler
        runs = id(handler.function) if isinstance(handler, Closure) else None
        if registration.name is not None and registration.call.call is not None and runs is not None:
            key = (id(registration.node), registration.kind, registration.name, runs)
            groups.setdefault(key, []).append(registration)
    dropped: set[int] = set()
    for group in groups.values():
        kept: list[Registration] = []
        for registration in sorted(group, key=lambda r: (r.timing.open is not None, r.site.line)):
            if any(_exclude(registration, other) for other in kept):
                dropped.add(id(registration))
            else:
                kept.append(registration)
    return _planned_once([r for r in found if id(r) not in dropped])


def _planned_once(found: list[Registration]) -> list[Registration]:
    """A queue's job that several places plan, each at a time of its own that only a run tells, is one job.

    The place that lies nearest to the work stands for all of them.
    """
    groups: dict[tuple[object, ...], list[Registration]] = {}
    for registration in found:
        handler, scheduler = registration.handler, registration.scheduler
        is_open = registration.timing.open is not None and registration.consumer is not None
        if is_open and scheduler is not None and registration.name and isinstance(handler, Closure):
            key = (registration.kind, registration.name, id(handler.function))
            groups.setdefault(key, []).append(registration)
    dropped = {
        id(r)
        for group in groups.values()
        for r in sorted(group, key=lambda r: (-_shared(r), r.site.path, r.site.line))[1:]
    }
    return [r for r in found if id(r) not in dropped]


def _shared(registration: Registration) -> int:
    """How many folders the place shares with the work."""
    handler = registration.handler
    work = handler.function.module.path if isinstance(handler, Closure) else ""
    pairs = zip(registration.site.path.split("/")[:-1], work.split("/")[:-1], strict=False)
    return next(
        (n for n, (a, b) in enumerate(pairs) if a != b),
        min(registration.site.path.count("/"), work.count("/")),
    )


def _exclude(one: Registration, other: Registration) -> bool:
    first, second = one.call.call, other.call.call
    if first is None or second is None or first is second:
        return False
    return any(
        (_holds(test.then, first) and _holds(test.otherwise, second))
        or (_holds(test.then, second) and _holds(test.otherwise, first))
        for test in _tests(one.node)
    )


def _tests(node: Function | Module) -> Iterator[If]:
    return (s for s in statements(node.body) if isinstance(s, If))


def _holds(body: tuple[Stmt, ...], call: Call) -> bool:
    return any(e is call for e in expressions(body))
