"""Timers that run the classes of a registry: each class that states the timer's cadence is a job.

``for (const name in tasks) { if (!(tasks[name].prototype instanceof Task)) continue; const task = new tasks[name]();
if (task.plan.every === cadence) await task.enqueue(); }``: what fills the registry (a folder that is read at run time,
a plugin) need not be known, since the base class that the timer asks for tells which classes it can mean.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cronaudit.model.ir import Call, Class, Expr, Function, Member, Name, Operation
from cronaudit.model.linker import Bound, Item, Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, RegionKind, Trace
from cronaudit.model.value import ClassValue, Closure, Instance, Known, Scope, Value
from cronaudit.model.walking import expressions
from cronaudit.recognition.found import Registration

_RUN_METHODS = ("run", "execute", "perform", "process", "handle", "work", "invoke")


def classes_of(engine: Registration, trace: Trace, linker: Linker) -> Iterator[Registration]:
    """The jobs that a timer picks by class; none where it is a job of its own."""
    seen: set[str] = set()
    for event in trace.events:
        call = event.call
        if event.kind is not EventKind.CALL or call is None or not event.inside(RegionKind.LOOP):
            continue
        if isinstance(event.callee, Closure) or not isinstance(call.callee, Member):
            continue
        receiver = call.callee.object
        if not isinstance(receiver, Name) or not isinstance(event.scope.node, Function):
            continue
        wanted = _wanted(event, receiver.name, linker)
        base = _base(event, linker) if wanted is not None else None
        if wanted is None or base is None:
            continue
        for cls in linker.subclasses(base):
            if not cls.cls.is_abstract and cls.cls.name not in seen and _states(cls, *wanted, linker):
                seen.add(cls.cls.name or "")
                yield _job(engine, cls, call.callee.name, wanted[0][0], linker)


def _base(event: Event, linker: Linker) -> Class | None:
    """The class of the tree that the loop asks its items to inherit from."""
    for expr in _written_in(event):
        if isinstance(expr, Operation) and expr.op == "instanceof" and len(expr.operands) == 2:
            asked: Expr = expr.operands[1]
        elif isinstance(expr, Call) and isinstance(expr.callee, Name) and expr.callee.name == "issubclass":
            asked = expr.args[-1].value
        else:
            continue
        value = linker.fold(asked, event.scope)
        if isinstance(value, ClassValue):
            return value.cls
    return None


def _wanted(event: Event, receiver: str, linker: Linker) -> tuple[tuple[str, ...], Known] | None:
    """The members of an item that the loop compares, and the value that this timer asks for."""
    for expr in _written_in(event):
        if not isinstance(expr, Operation) or expr.op != "==" or len(expr.operands) != 2:
            continue
        for one, other in (expr.operands, expr.operands[::-1]):
            members = _members(one, receiver)
            value = linker.fold(other, event.scope) if members else None
            if isinstance(value, Known) and value.value is not None:
                return members, value
    return None


def _written_in(event: Event) -> Iterator[Expr]:
    assert isinstance(event.scope.node, Function)  # noqa: S101 - the caller has looked
    return iter(expressions(event.scope.node.body))


def _members(expr: Expr, receiver: str) -> tuple[str, ...]:
    """``task.plan.every`` as its members, where it begins at the receiver."""
    found: list[str] = []
    while isinstance(expr, Member):
        found.append(expr.name)
        expr = expr.object
    return tuple(reversed(found)) if isinstance(expr, Name) and expr.name == receiver else ()


def _states(cls: ClassValue, members: tuple[str, ...], wanted: Known, linker: Linker) -> bool:
    value: Value = Instance(cls, None)
    for name in members:
        value = linker.member(value, name)
    return isinstance(value, Known) and value.value == wanted.value


def _job(engine: Registration, cls: ClassValue, method: str, stating: str, linker: Linker) -> Registration:
    made = Instance(cls, None, cls.cls.location)
    called = linker.member(made, method)
    handler = called if isinstance(called, Closure) else engine.handler
    at = _stated_in(cls, stating)
    item = Item(at, made)
    registration = replace(
        engine,
        timing=replace(engine.timing, at=at),
        bound=Bound(Scope(engine.node, engine.bound.scope), (at, *engine.bound.chain), (item,)),
        name=None,
        name_at=None,
        handler=handler,
        traits=dict(engine.traits),
        item=at,
        engine=engine,
    )
    registration.work = _work(cls, made, handler, linker)
    return registration


def _stated_in(cls: ClassValue, member: str) -> Location:
    """Where a class states its cadence."""
    own = cls.cls
    method = own.method(member)
    if method is not None:
        return method.location
    field = next((f for f in own.fields if f.name == member), None)
    return Location(own.module.path, field.line if field is not None else own.line, own.end_line)


def _work(cls: ClassValue, made: Instance, handler: object, linker: Linker) -> Closure | None:
    """What the class runs in the end, where the timer only puts it into a queue."""
    if isinstance(handler, Closure) and handler.function.owner is cls.cls:
        return None
    for name in _RUN_METHODS:
        method = linker.member(made, name)
        if isinstance(method, Closure) and not method.function.is_abstract:
            return method
    return None
