"""``Promise.race`` of the work with a timer that rejects."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.ir import Array, Assign, Call, Expr, Function, Name, Throw
from cronaudit.model.trace import Event, EventKind, RegionKind
from cronaudit.model.value import Closure, External, Lazy, Scope, Value
from cronaudit.model.walking import expressions, functions_in, inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.spans import Spans

_DEPTH = 3


class Race(Struct, frozen=True):
    """One race with its timer."""

    event: Event
    value: Value | None
    """What the timer waits for, in milliseconds."""
    covered: frozenset[int]
    """The orders of what the other racers bring about."""


def find_races(context: JobContext, spans: Spans) -> Iterator[Race]:
    """The races of a walk in which a timer ends the waiting with an error."""
    for event in spans.events:
        if event.kind is not EventKind.CALL or event.external != "global:Promise.race" or event.call is None:
            continue
        if _on_a_timer(event):
            continue
        racers = _racers(event.call, event.scope)
        timers = [(r, t) for r in racers if (t := _timer(r, event.scope, context, 0)) is not None]
        if not timers:
            continue
        timer_racers = {id(r) for r, _ in timers}
        covered: set[int] = set()
        for racer in racers:
            if id(racer) not in timer_racers:
                covered |= orders_of(racer, event, spans)
        yield Race(event, timers[0][1][0], frozenset(covered))


def _on_a_timer(event: Event) -> bool:
    """In a timer that the run starts, such as the keep-alive of a client that it makes: no part of the run."""
    return any(
        r.kind is RegionKind.CALLBACK
        and isinstance(r.info, Event)
        and r.info.external == "global:setInterval"
        for r in event.regions()
    )


def _racers(call: Call, scope: Scope) -> tuple[Expr, ...]:
    if not call.args:
        return ()
    first = call.args[0].value
    if isinstance(first, Name):
        first = _assigned(first.name, scope) or first
    return first.items if isinstance(first, Array) else ()


def _assigned(name: str, scope: Scope) -> Expr | None:
    for statement in statements(scope.node.body):
        if (
            isinstance(statement, Assign)
            and isinstance(statement.target, Name)
            and statement.target.name == name
            and statement.value is not None
        ):
            return statement.value
    return None


def _timer(racer: Expr, scope: Scope, context: JobContext, depth: int) -> tuple[Value | None, Scope] | None:
    """The time of a promise that is rejected by a timer; None where the racer is none."""
    if depth > _DEPTH:
        return None
    if isinstance(racer, Name):
        made = _assigned(racer.name, scope)
        return _timer(made, scope, context, depth + 1) if made is not None else None
    if not isinstance(racer, Call):
        return None
    if racer.is_new and racer.args and isinstance(racer.args[0].value, Function):
        return _rejecting(racer.args[0].value, scope, context)
    if (
        getattr(racer.callee, "name", "") == "then"
        and racer.args
        and isinstance(racer.args[0].value, Function)
    ):
        # sleep(ms).then(() => { throw … })
        inner = getattr(racer.callee, "object", None)
        throws = any(isinstance(s, Throw) for s in statements(racer.args[0].value.body))
        if throws and isinstance(inner, Call) and inner.args and _sleeps(inner, scope, context):
            return context.linker.fold(inner.args[0].value, scope), scope
        return None
    callee = context.linker.fold(racer.callee, scope)
    if isinstance(callee, Closure):
        inner_scope = _entered(callee, racer, scope, context)
        for expr in expressions(callee.function.body):
            if isinstance(expr, Call) and expr.is_new:
                found = _timer(expr, inner_scope, context, depth + 1)
                if found is not None:
                    return found
        if any(isinstance(s, Throw) for s in statements(callee.function.body)):
            for expr in expressions(callee.function.body):
                if isinstance(expr, Call) and expr.args and _sleeps(expr, inner_scope, context):
                    return context.linker.fold(expr.args[0].value, inner_scope), inner_scope
    return None


def _entered(closure: Closure, call: Call, scope: Scope, context: JobContext) -> Scope:
    """The scope of one call of a function, its plain parameters bound."""
    args = context.linker.arguments(call, scope)
    values: dict[str, Value | Lazy] = {}
    for param, raw in zip(closure.function.params, args.positional, strict=False):
        if param.name is not None:
            values[param.name] = context.linker.force(raw)
    return Scope(closure.function, closure.scope, values, closure.this)


def _sleeps(call: Call, scope: Scope, context: JobContext) -> bool:
    callee = context.linker.fold(call.callee, scope)
    if not isinstance(callee, External):
        return False
    return any(e.effect == "sleep" for e in context.service.matcher.effects(callee.path))


def _rejecting(executor: Function, scope: Scope, context: JobContext) -> tuple[Value | None, Scope] | None:
    """``(_, reject) => setTimeout(() => reject(…), ms)``."""
    rejects = executor.params[1].name if len(executor.params) > 1 else None
    if rejects is None:
        return None
    inner_scope = Scope(executor, scope)
    for expr in expressions(executor.body):
        if not isinstance(expr, Call) or len(expr.args) < 2:
            continue
        callee = context.linker.fold(expr.callee, inner_scope)
        if not isinstance(callee, External) or callee.path not in ("global:setTimeout", "timers:setTimeout"):
            continue
        callback = expr.args[0].value
        is_reject = isinstance(callback, Name) and callback.name == rejects
        if isinstance(callback, Function):
            bodies = (callback, *functions_in(callback))
            is_reject = any(
                isinstance(e, Call) and isinstance(e.callee, Name) and e.callee.name == rejects
                for f in bodies
                for e in expressions(f.body)
            )
        if is_reject:
            return context.linker.fold(expr.args[1].value, inner_scope), inner_scope
    return None


# ---- what is raced ---------------------------------------------------------------------------------------------


def orders_of(racer: Expr, event: Event, spans: Spans) -> frozenset[int]:
    """What a racer brings about: a call, a promise made before, or one that the caller passes."""
    found = set(spans.of_expression(racer, event.scope))
    if isinstance(racer, Name):
        made = _assigned(racer.name, event.scope)
        if made is not None:
            found |= spans.of_expression(made, event.scope)
        else:
            found |= _of_parameter(racer.name, event, spans, 0)
    return frozenset(found)


def _of_parameter(name: str, event: Event, spans: Spans, depth: int) -> frozenset[int]:
    """What the callers evaluate for a parameter."""
    enter = spans.enter_of(event)
    node = event.scope.node
    if enter is None or not isinstance(node, Function) or depth > _DEPTH:
        return frozenset()
    position = next((i for i, p in enumerate(node.params) if p.name == name), None)
    if position is None:
        return frozenset()
    found: set[int] = set()
    for call in spans.callers(enter):
        if call.call is None or len(call.call.args) <= position:
            continue
        arg = call.call.args[position].value
        found |= spans.of_expression(arg, call.scope)
        for inner in inside(arg):
            if isinstance(inner, Name):
                made = _assigned(inner.name, call.scope)
                if made is not None:
                    found |= spans.of_expression(made, call.scope)
    return frozenset(found)


def argument_orders(event: Event, spans: Spans) -> frozenset[int]:
    """What evaluating the arguments of a call brings about."""
    found: set[int] = set()
    for arg in event.call.args if event.call is not None else ():
        found |= orders_of(arg.value, event, spans)
    return frozenset(found)
