"""Loops that run the functions of a registry: each function that was put into it is a job.

``while True: for interval, work in REGISTRY: if due(interval): work(); sleep(1)``: the loop is the engine, and where
an entry states how often it is due, that is its schedule; else it runs each time round.
"""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import Array, Call, Expr, Loop, LoopKind, Member, Name
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.value import Closure, Instance, Known, Lazy, Record, Scope, Symbol, Value
from cronaudit.model.walking import expressions, statements
from cronaudit.recognition.found import Registration, Timing, entry_of
from cronaudit.recognition.naming import named_by
from cronaudit.recognition.timing import read_length

_INTERVALS = ("interval", "every", "period", "frequency", "run_every", "seconds")


def rounds_of(engine: Registration, linker: Linker) -> Iterator[Registration]:
    """The jobs that a loop runs out of a registry; none where its work is its own."""
    for inner in statements(engine.loop.body) if engine.loop is not None else ():
        if isinstance(inner, Loop) and inner.kind is LoopKind.EACH:
            for expr in expressions(inner.body):
                if isinstance(expr, Call) and isinstance(expr.callee, Name | Member):
                    yield from _run_by(expr, expr.callee, inner, engine, linker)


def _run_by(
    call: Call, callee: Expr, inner: Loop, engine: Registration, linker: Linker
) -> Iterator[Registration]:
    opened = linker.fold(callee, engine.bound.scope)
    if not isinstance(opened, Symbol) or opened.owner is not inner:
        return

    def values(scope: Scope) -> list[Value | Lazy]:
        return [linker.fold(callee, scope)]

    for bound in linker.unroll(engine.bound, values):
        work = linker.fold(callee, bound.scope)
        if not isinstance(work, Closure) or not bound.items:
            continue
        named = named_by(bound, linker)
        if named[0] is not None and named[0].replace(".", "").isdigit():
            named = (None, None)  # the interval of a pair is no name
        yield entry_of(engine, bound, work, named, _stated(bound, inner, linker), call)


def _stated(bound: Bound, inner: Loop, linker: Linker) -> Timing | None:
    """How often an entry says that it is due: a length of time in it, or a number under a name that means one."""
    target = inner.target
    for part in target.items if isinstance(target, Array) else ():
        value = linker.fold(part, bound.scope)
        named = isinstance(part, Name) and part.name in _INTERVALS
        if isinstance(value, Known) and (value.unit is not None or named):
            return read_length(value, "s", linker)
    entry = linker.fold(target, bound.scope) if isinstance(target, Name) else None
    for name in _INTERVALS if isinstance(entry, Record | Instance) else ():
        if entry is None or (isinstance(entry, Record) and name not in entry.entries):
            continue
        value = linker.member(entry, name)
        if isinstance(value, Known) and isinstance(value.value, int | float):
            return read_length(value, "s", linker)
    return None
