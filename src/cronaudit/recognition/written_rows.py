"""Rows of a table of jobs by their keys, whatever the table is called and whoever hands it to the scheduler.

``PLANNED = [{"name": "sweep", "task": "shop.sweep", "schedule": timedelta(minutes=5)}]``, or the same as what a call is
handed: ``queue.add(task="shop.sweep", schedule=timedelta(minutes=5))``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.selectors import Site
from cronaudit.model.ir import Assign, Call, Const, Expr, Function, Loop, Module, Name, Object
from cronaudit.model.knowledge import Scheduler
from cronaudit.model.linker import Bound, Item, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Known, Lazy, Record, Scope, Value
from cronaudit.model.walking import inside, statement_expressions, statements
from cronaudit.recognition.found import Registration
from cronaudit.recognition.registrar import Registrar

_FEW = 2
_DEFAULTS = "defaults"
"""What Django's managers call the rest of a row that is made or updated."""


class WrittenRows:
    """Finds the rows that a description knows by their keys; each must name work of the tree."""

    def __init__(self, linker: Linker, matcher: Matcher, registrar: Registrar) -> None:
        self._linker = linker
        self._registrar = registrar
        described = matcher.schedulers("row")
        self._schedulers = tuple((s, frozenset(s.call.removeprefix("row:").split(","))) for s in described)

    def in_module(self, module: Module) -> Iterator[Registration]:
        """The jobs of the rows of one file."""
        if not self._schedulers:
            return
        source = self._linker.source(module.path)
        for scheduler, keys in self._schedulers:
            if not all(key.encode() in source for key in keys):
                continue
            nodes: tuple[Function | Module, ...] = (
                module,
                *self._linker.functions(module, *sorted(keys)[:1]),
            )
            for node in nodes:
                yield from self._in_node(scheduler, keys, node)

    def _in_node(
        self, scheduler: Scheduler, keys: frozenset[str], node: Function | Module
    ) -> Iterator[Registration]:
        scope = self._linker.scope_of(node)
        for statement in statements(node.body):
            rows = tuple(_rows(statement_expressions(statement), keys))
            # The rows first: who reads a variable is asked of whole files.
            if not rows or (isinstance(statement, Assign) and self._is_left_alone(statement.target, node)):
                continue
            for key, row, line in rows:
                at = Location(scope.module.path, line, row.end_line)
                yield from self._registered(scheduler, key, row, at, node)

    def _registered(
        self, scheduler: Scheduler, key: str | None, row: Object | Call, at: Location, node: Function | Module
    ) -> Iterator[Registration]:
        """The job of a row, and of one in a loop over a list that is written out there that of each item."""
        start = Bound(self._linker.scope_of(node), ())
        loops = [s for s in statements(node.body) if isinstance(s, Loop) and s.line <= at.line <= s.end_line]
        bounds = self._linker.unroll(start, lambda inner: [*self._value(row, inner).entries.values()])
        for bound in bounds if loops else (start,):
            here = [
                c.path == at.path and any(s.line <= c.line <= at.line for s in loops) for c in bound.chain
            ]
            if bound is not start and not (here and all(here)):
                continue  # what the loop goes over are rows themselves
            value = self._value(row, bound.scope)
            item = bound.chain[-1] if bound.chain else at
            places: dict[str, Value | Lazy] = {"entry": value}
            if key is not None:
                places["key"] = Known(key, at)
            view = Site(scheduler.call, None, None, places)
            within = Bound(bound.scope, (*bound.chain, at), (*bound.items, Item(item, value)))
            found = self._registrar.register(scheduler, view, node, within, at, item)
            if found is not None and found.handler is not None and found.job_name is not None:
                yield found

    def _value(self, row: Object | Call, scope: Scope) -> Record:
        at = Location(scope.module.path, row.line, row.end_line)
        if isinstance(row, Object) or _is_dict(row):
            folded = self._linker.fold(row, scope)
            return folded if isinstance(folded, Record) else Record({}, complete=False, at=at)
        named: dict[str, Value | Lazy] = {}
        for argument in row.args:
            if argument.name is not None:
                named[argument.name] = folded = self._linker.fold(argument.value, scope)
                if argument.name == _DEFAULTS and isinstance(folded, Record):
                    named.update(folded.entries)
        return Record(named, complete=not any(a.spread for a in row.args), at=at)

    def _is_left_alone(self, target: Expr, node: Function | Module) -> bool:
        """Whether nothing ever reads the variable in which a table stands."""
        if not isinstance(target, Name) or not isinstance(node, Module):
            return False
        word = re.compile(rb"\b" + re.escape(target.name.encode()) + rb"\b")
        if len(word.findall(self._linker.source(node.path))) >= _FEW:
            return False
        return not any(word.search(self._linker.source(p)) for p in self._linker.importing(node.path))


def _rows(roots: tuple[Expr, ...], keys: frozenset[str]) -> Iterator[tuple[str | None, Object | Call, int]]:
    """The objects with such keys, with the key under which each stands in another one, and where it begins."""
    named: dict[int, tuple[str, int]] = {}
    parts: set[int] = set()
    for expr in (e for root in roots for e in inside(root)):
        pairs: list[tuple[str | None, Expr, int]] = []
        if isinstance(expr, Object):
            pairs = [(_text(e.key), e.value, e.line) for e in expr.entries]
        elif isinstance(expr, Call):
            pairs = [(a.name, a.value, expr.line) for a in expr.args]
            rest = next((v for name, v, _ in pairs if name == _DEFAULTS and isinstance(v, Object)), None)
            if isinstance(rest, Object):  # ``update_or_create(name=…, defaults={…})`` is one row
                pairs += [(_text(e.key), e.value, e.line) for e in rest.entries]
                parts.add(id(rest))
        if id(expr) in parts:
            continue
        if isinstance(expr, Object | Call) and keys <= {key for key, _, _ in pairs}:
            key, line = named.get(id(expr), (None, expr.line))
            yield key, expr, line
        for key, value, line in pairs:
            if key is not None:
                named[id(value)] = (key, line)


def _is_dict(call: Call) -> bool:
    return isinstance(call.callee, Name) and call.callee.name == "dict"


def _text(key: str | Expr | None) -> str | None:
    if isinstance(key, str):
        return key
    return str(key.value) if isinstance(key, Const) and isinstance(key.value, str) else None


def without_repeated(found: list[Registration]) -> list[Registration]:
    """A row that another description has read as a job already is that job; what hands the rows on is none."""
    rows = [r for r in found if r.scheduler is not None and r.scheduler.how == "row"]
    if not rows:
        return found
    families = {r.scheduler.family for r in rows if r.scheduler is not None}
    found = [r for r in found if r in rows or not _hands_on(r, families)]
    stated: dict[str, set[int]] = {}
    for registration in found:
        if registration.scheduler is None or registration.scheduler.how != "row":
            at = registration.timing.at
            places = (registration.item, at, registration.name_at, *registration.bound.chain)
            for place in places:
                if place is not None:
                    stated.setdefault(place.path, set()).add(place.line)
    repeated = {
        id(r)
        for r in rows
        if any(
            line in stated.get(r.site.path, ())
            for line in range(r.site.line, (r.site.end_line or r.site.line) + 1)
        )
    }
    return [r for r in found if id(r) not in repeated]


def _hands_on(registration: Registration, families: set[str | None]) -> bool:
    """Whether a place takes task and schedule from what it goes over: ``beat[row.name] = {"task": row.task, …}``."""
    scheduler = registration.scheduler
    return (
        scheduler is not None
        and bool(scheduler.entries)
        and scheduler.family in families
        and registration.handler is None
        and registration.job_name is None
        and registration.timing.open is not None
    )
