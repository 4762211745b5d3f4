"""Schedulers of the project's own that keep each task as an object: what it runs and how often stand in its fields.

``plan(task) { later(task.every, () => { task.run(); this.plan(task); }) }``: the timer is no job, each task that
somebody hands in is one. The timer may lie behind methods of the project that only hand on what they are given.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.ir import Call, Expr, Function, Member, Module, Name
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, Closure, External, Scope, Unknown, Value
from cronaudit.model.walking import expressions, functions_in, is_within
from cronaudit.recognition.found import Registration
from cronaudit.recognition.naming import named_by
from cronaudit.recognition.pauses import Pauses
from cronaudit.recognition.timers import rearms
from cronaudit.recognition.timing import read_length

_HANDED_ON = 3
"""How many methods may lie between the place that arms and the timer."""


class _Later(Struct, frozen=True):
    """A call that runs a function once, later, as it is written."""

    handler: Expr
    delay: Expr
    unit: str
    given: tuple[Expr, ...]
    """What the function is given."""


class _Part(Struct, frozen=True):
    """A field of what a function is given: which of its parameters, and the way inside it."""

    position: int
    path: tuple[str, ...]


class Planned:
    """Finds the tasks of such schedulers."""

    def __init__(self, linker: Linker, pauses: Pauses) -> None:
        self._linker = linker
        self._pauses = pauses
        self._names = pauses.timer_names

    def in_module(self, module: Module) -> Iterator[Registration]:
        """The tasks that the timers of a module run."""
        for _name, sites in sorted(self._linker.calls(module, self._names).items()):
            for call, node in sites:
                later = self._later(call, self._linker.scope_of(node))
                if later is not None and isinstance(node, Function):
                    yield from self._armed(call, node, later, 0)

    def _armed(self, call: Call, node: Function, later: _Later, depth: int) -> Iterator[Registration]:
        """The tasks of one timer, and of those who call a function that only hands on to it."""
        yield from self._tasks(call, node, later)
        places = {p.name for p in node.params if not p.rest}
        ends = (later.handler, later.delay)
        if depth == _HANDED_ON or not all(isinstance(e, Name) and e.name in places for e in ends):
            return
        self._linker.seek(node)
        for site, where in self._linker.call_sites(node):
            handed = _handed_on(site, node, later)
            if handed is not None and isinstance(where, Function):
                yield from self._armed(site, where, handed, depth + 1)

    def _tasks(self, call: Call, node: Function, later: _Later) -> Iterator[Registration]:
        scope = self._linker.scope_of(node)
        every = _part(later.delay, node)
        if every is None:
            return
        handler = self._linker.fold(later.handler, scope)
        if not isinstance(handler, Closure) or not self._arms_again(handler, node):
            return
        works = list(_works(handler.function, node, later))
        for site, where in self._linker.call_sites(node) if works else ():
            if not isinstance(where, Function) or is_within(where, handler.function):
                continue
            self._linker.seek(where)
            places = {(at.path, at.line) for at in self._sites(where)}
            for bound in self._linker.bounds(where):
                item = next((at for at in bound.chain if (at.path, at.line) in places), None)
                run = next(
                    (c for w in works if isinstance(c := self._of(w, site, bound.scope), Closure)), None
                )
                if run is not None and item is not None:
                    delay = self._of(every, site, bound.scope)
                    yield from self._task(call, node, later, run, delay, bound, item)

    def _sites(self, function: Function) -> Iterator[Location]:
        for call, where in self._linker.call_sites(function):
            module = where if isinstance(where, Module) else where.module
            yield Location(module.path, call.line, call.end_line)

    def _arms_again(self, handler: Closure, node: Function) -> bool:
        if not any(isinstance(e, Name | Member) and e.name == node.name for e in _all(handler.function)):
            return False
        return bool(rearms(self._linker.walk(handler), node))

    def _of(self, part: _Part, site: Call, scope: Scope) -> Value:
        """The part of what a call gives, in the scope that the call's own caller has bound."""
        given = self._linker.arguments(site, scope).positional
        if part.position >= len(given):
            return Unknown("it is not given")
        value = self._linker.force(given[part.position])
        for step in part.path:
            value = self._linker.member(value, step)
        return value

    def _task(
        self,
        call: Call,
        node: Function,
        later: _Later,
        run: Closure,
        delay: Value,
        bound: Bound,
        item: Location,
    ) -> Iterator[Registration]:
        timing = read_length(delay, later.unit, self._linker)
        if timing is None:
            return
        name, name_at = named_by(bound, self._linker)
        site = Location(node.module.path, call.line, call.end_line)
        yield Registration(
            kind="custom",
            call=External("", Arguments((), {}), site, None, call),
            node=node,
            bound=bound,
            site=site,
            timing=timing,
            name=name,
            name_at=name_at,
            handler=run,
            item=item,
            traits={"runner.library": "own", "runner.persistence": "none"},
            alone=False,
        )

    def _later(self, call: Call, scope: Scope) -> _Later | None:
        timer = self._pauses.timer(call, scope)
        if timer is None or timer.delay is None:
            return None
        rest = (a.value for a in call.args if a.name is None)
        given = tuple(e for e in rest if e not in (timer.handler, timer.delay))
        return _Later(timer.handler, timer.delay, timer.unit, given)


def _handed_on(call: Call, function: Function, later: _Later) -> _Later | None:
    """What a caller hands to a function that hands its parameters on to a timer."""
    listed = [a for a in call.args if a.name is None]
    if any(a.spread for a in listed[:-1]):
        return None
    places = {p.name: n for n, p in enumerate(function.params) if not p.rest}
    handler, delay = (
        places.get(e.name) if isinstance(e, Name) else None for e in (later.handler, later.delay)
    )
    if handler is None or delay is None or max(handler, delay) >= len(listed):
        return None
    return _Later(
        listed[handler].value, listed[delay].value, later.unit, tuple(a.value for a in listed[len(places) :])
    )


def _works(handler: Function, node: Function, later: _Later) -> Iterator[_Part]:
    """The fields that a run calls of what it is given, or of what the function around it is."""
    given = {p.name: e for p, e in zip(handler.params, later.given, strict=False) if p.name is not None}
    for expr in _all(handler):
        if not isinstance(expr, Call) or not isinstance(expr.callee, Member):
            continue
        root = _root(expr.callee)
        if isinstance(root, Name) and (root.name in given or not given):
            part = _part(expr.callee, node, given)
            if part is not None:
                yield part


def _part(expr: Expr, node: Function, given: dict[str, Expr] | None = None) -> _Part | None:
    """Which part of a parameter of `node` an expression is; `given` are other names of its parameters."""
    root = _root(expr)
    if root is not expr and isinstance(root, Name):
        root = (given or {}).get(root.name, root)
    position = next(
        (n for n, p in enumerate(node.params) if isinstance(root, Name) and p.name == root.name), None
    )
    path: list[str] = []
    current = expr
    while isinstance(current, Member):
        path.insert(0, current.name)
        current = current.object
    return _Part(position, tuple(path)) if path and position is not None else None


def _root(expr: Expr) -> Expr:
    while isinstance(expr, Member):
        expr = expr.object
    return expr


def _all(function: Function) -> Iterator[Expr]:
    for inner in (function, *functions_in(function)):
        yield from expressions(inner.body)
