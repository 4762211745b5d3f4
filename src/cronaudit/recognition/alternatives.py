"""Registrations of which only one is ever made: those of one job in the branches of one ``if``."""

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
    return [r for r in found if id(r) not in dropped]


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
