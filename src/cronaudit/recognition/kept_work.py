"""Objects that keep a loop going with what they were made with: each object is a job.

``class Every(Thread)`` with ``def run(self): while True: if self.due(): self.work.run(); sleep(1)``: the loop is the
engine. Who makes ``Every(Cleanup(), interval=60)`` states a job; where the loop only asks each second whether it is
due, the length of time that the object keeps is its schedule.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Function, Member, This
from cronaudit.model.linker import Bound, Item, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Closure, Instance, Known, Symbol, Unknown, Value
from cronaudit.model.walking import expressions
from cronaudit.recognition.found import Registration, Timing, entry_of
from cronaudit.recognition.naming import named_by
from cronaudit.recognition.timing import read_length
from cronaudit.recognition.wrapping import class_made_by, objects_around

_OFTEN: Final = lazy_regex(r"interval|period|frequency|cycle|every|seconds|minutes|hours", re.IGNORECASE)
_FEWEST: Final = 2
"""A class that is handed only one kind of work is no scheduler: its work is its own."""


def kept_by_objects(engine: Registration, linker: Linker) -> Iterator[Registration]:
    """The jobs of a loop that runs what its object was made with; none where all objects run the same."""
    node, loop = engine.node, engine.loop
    if loop is None or not isinstance(node, Function):
        return
    scope = linker.scope_of(node)
    for call in expressions(loop.body):
        if not isinstance(call, Call) or not isinstance(call.callee, Member):
            continue
        opened = linker.fold(call.callee, scope)
        owner = opened.owner if isinstance(opened, Symbol) and len(opened.path) == 1 else None
        cls = class_made_by(owner) if isinstance(owner, Function) else None
        if cls is None:
            continue
        found = []
        for made, bound in objects_around(cls, node, linker):
            work = linker.fold(call.callee, bound.scope)
            if isinstance(work, Closure) and made.at is not None:
                found.append((made, made.at, work, bound))
        if len({id(work.function) for _, _, work, _ in found}) < _FEWEST:
            continue
        makers = Counter(at.path for _, at, _, _ in found)
        seen: set[tuple[int, str | None]] = set()
        # A job that another file makes anew, when its settings change, is one.
        for made, at, work, bound in sorted(found, key=lambda f: -makers[f[1].path]):
            job = _job(made, at, work, bound, call, engine, linker)
            if (id(work.function), job.name) not in seen:
                seen.add((id(work.function), job.name))
                yield job
        return


def _job(
    made: Instance,
    at: Location,
    work: Closure,
    bound: Bound,
    call: Call,
    engine: Registration,
    linker: Linker,
) -> Registration:
    within = Bound(bound.scope, bound.chain, (Item(at, made),))
    return entry_of(engine, within, work, named_by(within, linker), _due(made, engine, linker), call)


def _due(made: Instance, engine: Registration, linker: Linker) -> Timing | None:
    """How often the work is due that a loop asks for each time round: the one length of time that the object keeps."""
    found: dict[str, Value] = {}
    opened: list[Value] = []
    for name in dict.fromkeys(_fields_asked(made, engine, linker)):
        value = linker.member(made, name)
        if isinstance(value, Choice):
            value = Unknown(f"{name} is one of several lengths of time", made.at)
        if isinstance(value, Known):
            if _is_number(value) and (value.unit is not None or _OFTEN.search(name)):
                found[name] = value
        elif _OFTEN.search(name) and not isinstance(value, Closure):
            opened.append(value)
    named = [value for name, value in found.items() if _OFTEN.search(name)] or list(found.values())
    if opened or len(named) != 1:
        return read_length(opened[0], "s", linker) if opened else None
    return read_length(named[0], "s", linker)


def _is_number(value: Known) -> bool:
    return isinstance(value.value, int | float) and not isinstance(value.value, bool) and bool(value.value)


def _fields_asked(made: Instance, engine: Registration, linker: Linker) -> Iterator[str]:
    """The fields of the object that a round reads, itself or in the methods that it calls."""
    if engine.loop is None:
        return
    for expr in expressions(engine.loop.body):
        if isinstance(expr, Member) and _is_own(expr):
            yield expr.name
        method = expr.callee if isinstance(expr, Call) else None
        called = linker.member(made, method.name) if isinstance(method, Member) and _is_own(method) else None
        if isinstance(called, Closure):
            yield from (
                e.name for e in expressions(called.function.body) if isinstance(e, Member) and _is_own(e)
            )


def _is_own(expr: Member) -> bool:
    return isinstance(expr.object, This)
