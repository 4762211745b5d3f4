"""Which of the ways that lead to one arming call are jobs of their own, and which only say again what another says."""

from __future__ import annotations

from collections.abc import Callable

from cronaudit.model.ir import Assign, Call, Function, If, Member, Module, Name
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Closure, Instance, Known, Record, Scope, Value
from cronaudit.model.walking import holds, statements
from cronaudit.recognition.found import Registration


def settled(found: list[Registration]) -> list[Registration]:
    """The registrations of a timer without those that only say again that its pause cannot be told.

    Whoever leads to ``timer.start(config.interval)``, it is one job; callers count where they settle something.
    """
    kept: list[Registration] = []
    seen: dict[int, Registration] = {}
    for registration in sorted(found, key=lambda r: r.timing.open is not None):
        handler = registration.handler
        opened = registration.timing.open is not None or _states_default(registration)
        if opened and isinstance(handler, Closure):
            first = seen.setdefault(id(handler.function), registration)
            if first is not registration:
                if first.timing.open is None and first.name != registration.name:
                    first.name, first.name_at, first.item = None, None, first.site
                continue
        kept.append(registration)
    return kept


def of_rows(found: list[Registration], linker: Linker) -> list[Registration]:
    """The registrations of a call without those that only arm it again for another row.

    ``plan(row)`` is called for each row at the start, and again where a row is made or changed: one job, stated where
    it is armed. What a caller hands in beside the row (a name, a function) makes a job of its own.
    """
    kept: list[Registration] = []
    seen: dict[tuple[object, ...], Registration] = {}
    for registration in sorted(found, key=lambda r: r.timing.open is not None):
        timing = registration.timing
        key = (registration.name, _runs(registration), _handed(registration, linker))
        first = seen.setdefault(key, registration)
        repeats = (
            timing.by_caller
            if timing.open is not None
            else timing.at is not None and timing.at == first.timing.at
        )
        if first is not registration and repeats:
            if first.timing.open is not None or timing.open is None:
                first.item = first.site
            continue
        kept.append(registration)
    return kept


def is_reached(call: Call, node: Function | Module, base: Scope, linker: Linker) -> Callable[[Scope], bool]:
    """Whether a caller comes to a call: not where what it hands in closes the branch, ``if (job.type === 'sync')``."""
    tests: list[tuple[If, bool]] = []
    for statement in statements(node.body) if isinstance(node, Function) else ():
        if isinstance(statement, If):
            then, otherwise = holds(statement.then, call), holds(statement.otherwise, call)
            if then is not otherwise and not isinstance(linker.fold(statement.test, base), Known):
                tests.append((statement, then))

    def reached(scope: Scope) -> bool:
        for test, then in tests:
            value = linker.fold(test.test, scope)
            if isinstance(value, Known) and bool(value.value) is not then:
                return False
        return True

    return reached


def is_put_on_what_is_handed_in(function: Function) -> bool:
    """``module.exports = (app) => { app.plan = (row) => {…} }``: whoever has the object may call the function."""
    around = function.parent
    if not isinstance(around, Function):
        return False
    names = {p.name for p in around.params}
    return any(
        isinstance(s, Assign)
        and s.value is function
        and isinstance(s.target, Member)
        and isinstance(s.target.object, Name)
        and s.target.object.name in names
        for s in statements(around.body)
    )


def _runs(registration: Registration) -> object:
    """What runs, and the class of the object that it runs on."""
    handler = registration.handler
    if not isinstance(handler, Closure):
        return id(handler)
    this = handler.this
    owner: Location | None = this.of.cls.location if isinstance(this, Instance) else None
    return (id(handler.function), owner)


def _handed(registration: Registration, linker: Linker) -> tuple[object, ...]:
    """The entries of registries, scalars and functions that a caller hands in; functions also inside an object."""
    handed: list[object] = [item.location for item in registration.bound.items]

    def note(key: str, value: Value) -> None:
        if isinstance(value, Known):
            handed.append((key, value.value))
        elif isinstance(value, Closure):
            handed.append((key, id(value.function)))
        elif isinstance(value, Record):
            inner = (linker.force(raw) for raw in value.entries.values())
            handed.extend((key, id(v.function)) for v in inner if isinstance(v, Closure))

    for scope in registration.bound.scope.outward():
        if not isinstance(scope.node, Function):
            break
        for key, raw in sorted(scope.values.items()):
            note(key, linker.force(raw))
    return tuple(handed)


def _states_default(registration: Registration) -> bool:
    """Whether the length is the default that the arming function itself gives a setting: no caller settles it."""
    node, timing = registration.node, registration.timing
    if timing.default_of is None or timing.at is None or not isinstance(node, Function):
        return False
    return node.module.path == timing.at.path and node.line <= timing.at.line <= node.end_line
