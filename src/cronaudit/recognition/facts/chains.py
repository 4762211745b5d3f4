"""Calls on the results of calls: what a chain states before its last call does it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cronaudit.model.ir import Call, Do, Expr, Member, Name, Operation
from cronaudit.model.linker import Linker
from cronaudit.model.trace import Event, RegionKind
from cronaudit.model.value import Choice, ClassValue, External, Instance, Known, Lazy, Record, Sequence, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.conditions import FILTERS, chain_of, columns_of, words_in
from cronaudit.recognition.facts.usage import call_before, is_sliced
from cronaudit.recognition.sightings import Sighting

LIMITS: Final = frozenset(("limit", "take", "top", "first"))
_LIMITING: Final = frozenset(("$limit", "$sample", "$count", "$out", "$merge"))
"""Stages of a pipeline after which a few rows, or none, are handed to the process."""
_VALUES: Final = frozenset(("values", "set"))


def last_of_chains(sightings: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    """All but the reads that only state what the last call of their chain does."""
    stated = {id(call) for s in sightings for call in _stated_by(s)}
    return tuple(s for s in sightings if s.effect != "db.read" or id(s.event.call) not in stated)


def _stated_by(sighting: Sighting) -> Iterator[Call]:
    """The calls of a chain that only state what its last call does: `Order.objects.filter(…).update(…)`.

    Through a variable a query that is iterated may also be read as a whole; only one that is streamed is not.
    """
    if not sighting.effect.startswith("db."):
        return
    call = call_before(sighting.event)
    while call is not None:
        yield call
        callee = call.callee
        call = callee.object if isinstance(callee, Member) and isinstance(callee.object, Call) else None
    if sighting.effect == "db.stream":
        yield from (link.call for link in list(chain_of(sighting.view))[1:] if link.call is not None)


# ---- statements that are built before they are run ---------------------------------------------------------------


class Statements:
    """What is made of the statements that a library builds call by call and runs elsewhere: `select(…).limit(…)`."""

    def __init__(self, context: JobContext) -> None:
        self._linker = context.linker
        self._wholes: dict[int, External] = {}
        """By the identity of each of its calls, the chain as its last call leaves it."""
        merging = {s.event.order for s in context.sightings if s.effect == "db.conflict"}
        self._merging: set[int] = set()
        self._added: dict[int, list[tuple[int, External]]] = {}
        """By the identity of the first call, the conditions that statements of their own add to a builder."""
        for event in context.trace.events:
            if isinstance(event.callee, Choice) and event.order in merging:
                self._merging.update(_links_through_name(event, context.linker))
            if not isinstance(event.callee, External) or event.callee.receiver is None or event.call is None:
                continue
            view = _view(event, event.callee, context.linker)
            # A statement may begin at any call: ``select(…).limit(…)``, ``db.deleteFrom(…).where(…)``.
            links = [link.call for link in chain_of(view) if link.call is not None]
            for call in links:
                self._wholes[id(call)] = view
            if event.order in merging:
                self._merging.update(id(call) for call in links)
            if links and _is_added(event):
                self._added.setdefault(id(links[-1]), []).append((event.order, view))

    def of(self, sighting: Sighting) -> External:
        """The call, or the whole chain that it begins."""
        if sighting.description.word("builds") is not True:
            return sighting.view
        return self._wholes.get(id(sighting.event.call), sighting.view)

    def added(self, sighting: Sighting) -> tuple[External, ...]:
        """``query.where('state', 'old')`` as a statement: the conditions that the builder has by then."""
        first = list(chain_of(sighting.view))[-1].call
        before = self._added.get(id(first), ()) if first is not None else ()
        return tuple(view for order, view in before if order < sighting.event.order)

    def merges(self, sighting: Sighting) -> bool:
        """Whether a later call of the chain says what is done with a row that is there already."""
        return sighting.description.word("builds") is True and id(sighting.event.call) in self._merging

    def sets(self, sighting: Sighting) -> frozenset[str]:
        """The columns that a later call of the chain writes."""
        return frozenset(c for v in self._values(sighting) for c in columns_of(v, self._linker))

    def words(self, sighting: Sighting) -> frozenset[str]:
        """The texts that a later call of the chain writes."""
        return frozenset(w for v in self._values(sighting) for w in words_in(v, self._linker))

    def _values(self, sighting: Sighting) -> Iterator[Value]:
        whole = self.of(sighting)
        for link in chain_of(whole) if whole is not sighting.view else ():
            if _last_name(link) in _VALUES and link.args is not None:
                yield Record(dict(link.args.named), complete=link.args.complete)
                yield from (self._linker.force(raw) for raw in link.args.positional)


def _links_through_name(event: Event, linker: Linker) -> Iterator[int]:
    """``statement = statement.on_conflict_do_nothing()``: the calls that the name may stand for by then."""
    if event.inside(RegionKind.THEN) or event.inside(RegionKind.ELSE):
        return
    for option in event.callee.options if isinstance(event.callee, Choice) else ():
        if isinstance(option, External) and option.receiver is not None:
            yield from (id(link.call) for link in chain_of(_view(event, option, linker)) if link.call)


def _view(event: Event, callee: External, linker: Linker) -> External:
    assert event.call is not None  # noqa: S101 - the caller has looked
    args = linker.arguments(event.call, event.scope)
    return External(callee.path, args, event.location, callee.receiver, event.call)


def _is_added(event: Event) -> bool:
    """Whether a condition is a statement of its own, which every run comes to."""
    name = event.call.callee.name if event.call is not None and isinstance(event.call.callee, Member) else ""
    return (
        name in FILTERS
        and isinstance(event.statement, Do)
        and event.statement.value is event.call
        and not event.inside(RegionKind.THEN)
        and not event.inside(RegionKind.ELSE)
    )


def _last_name(link: External) -> str:
    return link.path.rstrip("()").rpartition(".")[2]


def is_limited(sighting: Sighting, whole: External, linker: Linker) -> bool:
    """Whether a read says how many rows it wants."""
    where = sighting.param("where")
    stages = [linker.force(i) for i in where.items] if isinstance(where, Sequence) else []
    if any(isinstance(s, Record) and _LIMITING & s.entries.keys() for s in stages):
        return True
    limit = sighting.param("limit")
    stated = limit is not None and not (isinstance(limit, Known) and limit.value in (None, False, 0))
    if stated or is_sliced(sighting.event):
        return True
    method = sighting.description.word("limit_method")
    names = {str(method)} if method is not None else LIMITS
    return any(part.split("(")[0] in names for part in whole.path.split("."))


def asks_one(whole: External, linker: Linker) -> bool:
    """Whether a chain asks for one row: ``.limit(1)``."""
    for link in chain_of(whole):
        if _last_name(link) in LIMITS and link.args is not None and link.args.positional:
            value = linker.force(link.args.positional[0])
            if isinstance(value, Known) and value.value == 1:
                return True
    return False


def named_in(view: External, name: str, linker: Linker) -> tuple[str, ...]:
    """The columns that the calls of a chain with that name are given, as texts or as fields of a model."""
    found: list[str] = []
    for link in chain_of(view):
        if _last_name(link) == name and link.args is not None:
            for raw in link.args.positional:
                column = plain_text(raw, linker) or (_field(raw.expr) if isinstance(raw, Lazy) else "")
                found += [column] if column else []
    return tuple(found)


def positions_in(view: External) -> frozenset[str]:
    """The columns that must lie behind a variable: ``where(Tariff.id > after)``."""
    found: set[str] = set()
    for link in chain_of(view):
        for raw in link.args.positional if link.args is not None and _last_name(link) in FILTERS else ():
            expr = raw.expr if isinstance(raw, Lazy) else None
            if isinstance(expr, Operation) and expr.op in (">", "<") and len(expr.operands) == 2:
                left, right = expr.operands
                if isinstance(left, Member) and isinstance(right, Name | Member):
                    found.add(left.name)
    return frozenset(found)


def _field(expr: Expr) -> str:
    """``Tariff.id``, ``Tariff.id.desc()``."""
    if isinstance(expr, Call) and isinstance(expr.callee, Member):
        expr = expr.callee.object
    return expr.name if isinstance(expr, Member) else ""


def model_of(raw: Value | Lazy, linker: Linker) -> str:
    """The model of the project that an argument is about: itself, a record of it, one of its columns; else empty."""
    value = linker.force(raw)
    if isinstance(value, Instance):
        value = value.of
    if not isinstance(value, ClassValue) and isinstance(raw, Lazy) and isinstance(raw.expr, Member):
        value = linker.fold(raw.expr.object, raw.scope)
    return value.cls.name or "" if isinstance(value, ClassValue) else ""


def plain_text(raw: Value | Lazy, linker: Linker) -> str:
    """A text as written; empty for everything else."""
    value = linker.force(raw)
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else ""
