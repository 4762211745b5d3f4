"""Registrations of one job: in branches of one ``if``, at each place that plans it, and where a request arms it."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import Assign, Function, If, Module, Name
from cronaudit.model.linker import Linker
from cronaudit.model.value import Closure
from cronaudit.model.walking import calls_in, functions_around, holds, inside, statements
from cronaudit.recognition.found import Registration

_ASKED = frozenset(("req", "request", "res", "response", "reply", "ctx"))
"""Parameters of what answers a request."""
_DEPTH = 3


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
    return _planned_once(_written_once([r for r in found if id(r) not in dropped]))


def _written_once(found: list[Registration]) -> list[Registration]:
    """An entry of a table that a file writes twice is one job: ``if fast: SCHEDULE['mail'] = {…}``.

    What is written last counts; what only a test writes is another choice of what stands there without it.
    """
    groups: dict[tuple[object, ...], list[Registration]] = {}
    for registration in found:
        if registration.call.call is None and registration.scheduler is not None and registration.name:
            key = (registration.call.path, registration.kind, registration.name, registration.site.path)
            groups.setdefault(key, []).append(registration)
    dropped: set[int] = set()
    for group in groups.values():
        if len({r.call.at for r in group}) > 1:
            always = [r for r in group if not _is_tested(r)]
            kept = (always or group[:1])[-1]
            dropped.update(id(r) for r in group if r is not kept)
    return [r for r in found if id(r) not in dropped]


def _is_tested(registration: Registration) -> bool:
    """Whether the place stands in a branch."""
    line = registration.site.line
    return any(
        isinstance(s, Assign) and s.line <= line <= s.end_line
        for test in _tests(registration.node)
        for s in statements((*test.then, *test.otherwise))
    )


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


def without_rearmed(found: list[Registration], linker: Linker) -> list[Registration]:
    """The jobs without those that a request arms as the start of the process does: the same work at the same time.

    A switch of the settings page arms what the server arms when it finds that switch on.
    """
    groups: dict[tuple[object, ...], list[Registration]] = {}
    for registration in found:
        timing = registration.timing
        if (
            timing.open is None
            and registration.scheduler is not None
            and timing.schedule.expression is not None
        ):
            key = (registration.kind, registration.name, timing.schedule.expression)
            groups.setdefault(key, []).append(registration)
    dropped: set[int] = set()
    for group in groups.values():
        if len(group) > 1:
            works = {id(r): _work(r, linker) for r in group}
            armed = {works[id(r)] for r in group if not _answers(r.node, linker)}
            dropped.update(
                id(r) for r in group if works[id(r)] in armed and works[id(r)] and _answers(r.node, linker)
            )
    return [r for r in found if id(r) not in dropped]


def _work(registration: Registration, linker: Linker) -> frozenset[int]:
    """The functions of the tree that a handler written on the spot calls."""
    handler = registration.handler
    if not isinstance(handler, Closure) or handler.function.name is not None:
        return frozenset()
    scope = linker.scope_of(handler.function)
    called = (linker.fold(call.callee, scope) for call in calls_in(handler.function))
    return frozenset(id(c.function) for c in called if isinstance(c, Closure))


def _answers(node: Function | Module, linker: Linker, depth: int = 0) -> bool:
    """Whether code runs to answer a request, or only what answers one calls it."""
    for function in functions_around(node):
        names = {e.name for p in function.params for e in inside(p.target) if isinstance(e, Name)}
        if names & _ASKED:
            return True
        if function.name is not None and depth < _DEPTH:
            sites = linker.call_sites(function)
            if sites and all(_answers(where, linker, depth + 1) for _call, where in sites):
                return True
    return False


def _exclude(one: Registration, other: Registration) -> bool:
    first, second = one.call.call, other.call.call
    if first is None or second is None or first is second:
        return False
    return any(
        (holds(test.then, first) and holds(test.otherwise, second))
        or (holds(test.then, second) and holds(test.otherwise, first))
        for test in _tests(one.node)
    )


def _tests(node: Function | Module) -> Iterator[If]:
    return (s for s in statements(node.body) if isinstance(s, If))
