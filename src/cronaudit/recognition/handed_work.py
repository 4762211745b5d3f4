"""The work that an object of a repeating class was made with: ``Every(60, sweep)`` runs `sweep`, not its own loop."""

from __future__ import annotations

from typing import Final

from cronaudit.model.ir import Assign, Await, Call, Do, Function, Loop, Member, Module, Name, Stmt, This
from cronaudit.model.linker import Linker
from cronaudit.model.trace import Trace
from cronaudit.model.value import ClassValue, Closure, Instance, Scope
from cronaudit.model.walking import class_around, expressions, statements
from cronaudit.recognition.found import Registration

_HARMLESS: Final = frozenset(
    (
        "wait is_set isSet sleep clear time monotonic perf_counter total_seconds max min len print "
        "debug info warning warn error exception log"
    ).split()
)
"""What a round may call beside the work: it pauses, looks at the clock, and says so."""


_STOPS: Final = ("cancel", "stop", "abort", "close")


def handed_work(
    body: Loop | Function, scope: Scope, linker: Linker, arms: Function | None = None
) -> Closure | None:
    """The one function from elsewhere that a round calls, where it does nothing else but arm itself again.

    A round that also works itself (``data = self.fetch(); self.on_change(data)``) is its own work.
    """
    cls = class_around(scope.node)
    if cls is None:
        return None
    own = {id(c.cls) for c in linker.lineage(linker.class_value(cls)) if isinstance(c, ClassValue)}
    alone = {id(done) for statement in statements(body.body) if (done := _only_call(statement)) is not None}
    found: dict[int, Closure] = {}
    for call in expressions(body.body):
        if not isinstance(call, Call) or not isinstance(call.callee, Member | Name):
            continue
        callee = call.callee
        is_kept = isinstance(callee, Member) and isinstance(callee.object, This)
        value = linker.fold(callee, scope) if is_kept else None
        if isinstance(value, Closure):
            if value.function is arms:
                continue
            if value.function.owner is not None and id(value.function.owner) in own:
                return None
            if id(call) in alone:
                found[id(value.function)] = value
        elif callee.name not in _HARMLESS and (id(call) in alone or not is_kept):
            return None
    return next(iter(found.values())) if len(found) == 1 else None


def ends_its_timer(registration: Registration, trace: Trace, linker: Linker) -> bool:
    """Whether what a repeating object runs stops that object when it is through: ``self.countdown.cancel()``."""
    made = _this_of(registration)
    at = made.at if made is not None else None
    module = linker.module(at.path) if at is not None and registration.work is not None else None
    if module is None or at is None or made is None:
        return False
    nodes: tuple[Function | Module, ...] = (module, *linker.functions(module, made.of.cls.name or ""))
    kept = {
        target.name
        for node in nodes
        for s in statements(node.body)
        if isinstance(s, Assign) and isinstance(s.value, Call) and s.value.line == at.line
        for target in (s.target,)
        if isinstance(target, Member | Name)
    }
    stopped = (e.call.callee for e in trace.events if e.call is not None and e.call.callee is not None)
    return any(
        isinstance(callee, Member)
        and callee.name in _STOPS
        and isinstance(callee.object, Member | Name)
        and callee.object.name in kept
        for callee in stopped
    )


def _this_of(registration: Registration) -> Instance | None:
    """The object that a job's callers have made."""
    scope: Scope | None = registration.bound.scope
    while scope is not None and not isinstance(scope.this, Instance):
        scope = scope.parent
    return scope.this if scope is not None and isinstance(scope.this, Instance) else None


def _only_call(statement: Stmt) -> Call | None:
    """The call that a statement is: nobody asks what it gives back."""
    value = statement.value if isinstance(statement, Do) else None
    value = value.value if isinstance(value, Await) else value
    return value if isinstance(value, Call) else None
