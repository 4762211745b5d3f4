"""Writes: do those that belong together stand in one transaction, and are inserts safe to repeat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import Function
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, Region, RegionKind
from cronaudit.model.value import External
from cronaudit.model.walking import contains
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.acts import is_work
from cronaudit.recognition.facts.frames import Place
from cronaudit.recognition.facts.operations import Operation, Operations, operations_of
from cronaudit.recognition.facts.units_of_work import UnitsOfWork
from cronaudit.recognition.facts.unresolved_calls import (
    called_on_unresolved,
    unresolved_insert,
    unresolved_write,
)
from cronaudit.recognition.sightings import Sighting, is_error_path

Atomicity = Literal["transaction", "some", "separate", "single"]
Inserts = Literal["upsert", "some", "plain", "none"]


def atomicity_of(context: JobContext) -> Fact[Atomicity]:
    """``effects.atomicity``."""
    operations = operations_of(context)
    writes = _work_writes(context, operations)
    if not writes:
        if operations.opaque:
            return _open_query(operations.opaque[0])
        unknown = unresolved_write(context)
        if unknown is not None:
            return Fact(called_on_unresolved(unknown), "", (unknown.location,), unknown.path)
        return context.absent("single", "No database writes")
    if len(writes) == 1 or _exclusive(writes):
        if operations.opaque:
            return _open_query(operations.opaque[0])
        found: Fact[Atomicity] = context.absent("single", "At most one write")
        return Fact(found.value, found.detail, (writes[0].location,), writes[0].path)
    covers = _Transactions(context, operations)
    found_in = [(w, covers.of(w)) for w in writes]
    inside_tx = [(w, at) for w, at in found_in if at is not None]
    outside = [w for w, at in found_in if at is None]
    if not outside:
        first = inside_tx[0]
        return Fact(
            "transaction",
            "Writes stand in a transaction",
            _distinct(first[1], first[0].location),
            first[0].path,
        )
    if not inside_tx:
        units, commit = UnitsOfWork(context, operations).of(tuple(outside))
        if units and commit is not None and all(len(unit) == len(outside) for unit in units):
            places = _distinct(commit, outside[0].location)
            return Fact("transaction", "One commit writes all of it", places, outside[0].path)
        together = next((unit for unit in units if len(unit) > 1), frozenset[int]())
        inside_tx = [(w, w.location) for n, w in enumerate(outside) if n in together]
        outside = [w for n, w in enumerate(outside) if n not in together] or outside
    kinds = " and ".join(sorted({w.kind.upper() for w in outside}))
    places = _distinct(*(_site(context, operations, w) for w in outside), *(w.location for w in outside))
    if inside_tx:
        return Fact("some", f"{kinds} outside the transaction", places, outside[0].path)
    return Fact("separate", f"Separate {kinds} statements", places, outside[0].path)


def inserts_of(context: JobContext) -> Fact[Inserts]:
    """``effects.inserts``."""
    operations = operations_of(context)
    plain = [o for o in operations.of("insert") if not o.condition.excludes and not o.may_exist]
    saved = next((o for o in operations.of("insert") if o.may_exist), None)
    safe = [o for o in operations.all if o.kind == "upsert" or (o.kind == "insert" and o.condition.excludes)]
    if not plain and not safe:
        if operations.opaque:
            at = operations.opaque[0].location
            return Fact(Unresolved(f"the text of the statement at {at} is not resolved", at), "", (at,))
        if saved is not None:
            reason = f"whether the row that is saved at {saved.location} is a new one is not told"
            return Fact(Unresolved(reason, saved.location), "", (saved.location,), saved.path)
        unknown = unresolved_insert(context)
        if unknown is not None:
            return Fact(called_on_unresolved(unknown), "", (unknown.location,), unknown.path)
        return context.absent("none", "No inserts")
    if not plain:
        detail = "INSERT with ON CONFLICT" if safe[0].is_sql else "Upserts"
        return Fact("upsert", detail, _distinct(*(o.location for o in safe)), safe[0].path)
    places = _distinct(*(o.location for o in plain))
    if safe:
        return Fact(
            "some", f"{len(safe)} of {len(plain) + len(safe)} inserts are upserts", places, plain[0].path
        )
    detail = "INSERT without ON CONFLICT" if plain[0].is_sql else "Plain inserts"
    return Fact("plain", detail, places, plain[0].path)


def _open_query(event: Event) -> Fact[Atomicity]:
    reason = f"the text of the statement at {event.location} is not resolved"
    return Fact(Unresolved(reason, event.location), "", (event.location,), event.path)


def _work_writes(context: JobContext, operations: Operations) -> tuple[Operation, ...]:
    """The writes of the work; what only a failure writes belongs to nothing else."""
    usual = tuple(o for o in operations.writes if not is_error_path(o.event.region))
    inner = tuple(o for o in usual if o.enqueued or is_work(context, o.event))
    return inner or usual


def _exclusive(writes: tuple[Operation, ...]) -> bool:
    """Whether no two of the writes are done in the same run: they stand in the arms of one branch."""
    if len(writes) != 2:
        return False
    one = {
        id(r.node): r.kind for r in writes[0].event.regions() if r.kind in (RegionKind.THEN, RegionKind.ELSE)
    }
    other = {
        id(r.node): r.kind for r in writes[1].event.regions() if r.kind in (RegionKind.THEN, RegionKind.ELSE)
    }
    shared = one.keys() & other.keys()
    in_loop = any(r.kind is RegionKind.LOOP for w in writes for r in w.event.regions())
    return not in_loop and any(one[n] is not other[n] for n in shared)


def _site(context: JobContext, operations: Operations, write: Operation) -> Location:
    """The call in the handler that leads to a write."""
    calls = [c for c in operations.frames.called_from(write.event) if is_work(context, c)]
    for call in calls:
        if call.location.path != write.location.path:
            return call.location
    return write.location


def _distinct(*places: Location) -> tuple[Location, ...]:
    return tuple(dict.fromkeys(places))


class _Transactions:
    """Which transaction a write stands in."""

    def __init__(self, context: JobContext, operations: Operations) -> None:
        self._context = context
        self._frames = operations.frames
        self._wraps = {
            id(s.event): s.event for s in (*context.seen("tx.wrap"), *_of(context.enqueued, "tx.wrap"))
        }
        begins = [o.event for o in operations.of("begin")]
        ends = [o.event for o in operations.of("commit")]
        self._spans = [(b, next((e for e in ends if e.order > b.order), None)) for b in begins]

    def of(self, write: Operation) -> Location | None:
        """Where the transaction begins that a write stands in, each time that it is done; None where it is not."""
        places = (
            (Place(tuple(write.event.regions()), -1, self._frames.root),)
            if write.enqueued
            else (self._frames.places(write.event))
        )
        found: Location | None = None
        for place in places:
            at = self._around(write.event, place)
            if at is None:
                return None
            found = found or at
        return found

    def _around(self, event: Event, place: Place) -> Location | None:
        for region in place.regions:
            at = self._wrapped(region)
            if at is not None:
                return at
        for wrap in self._wraps.values():
            # A transaction that takes its statements as a list: `$transaction([a.update(…), b.create(…)])`.
            if wrap.call is not None and any(contains(arg.value, event.call) for arg in wrap.call.args):
                return wrap.location
        around = list(place.frame.outward())
        for begin, end in self._spans:
            if end is None or not begin.order < place.order < end.order:
                continue
            owner = self._frames.of(begin)
            if any(f is owner or f is owner.parent for f in around if f.function is not None or f is owner):
                return begin.location
        for frame in around:
            at = self._decorated(frame.function)
            if at is not None:
                return at
        return None

    def _wrapped(self, region: Region) -> Location | None:
        if region.kind in (RegionKind.CALLBACK, RegionKind.WITH) and isinstance(region.info, Event):
            wrap = self._wraps.get(id(region.info))
            return wrap.location if wrap is not None else None
        return None

    def _decorated(self, function: Function | None) -> Location | None:
        if function is None or not function.decorators:
            return None
        linker = self._context.linker
        scope = linker.scope_of(function.parent)
        for decorator in function.decorators:
            value = linker.fold(decorator, scope)
            if isinstance(value, External):
                paths = (value.path, value.path.removesuffix("()"))
                matcher = self._context.service.matcher
                if any(e.effect == "tx.wrap" for p in paths for e in matcher.effects(p)):
                    return function.location
        return None


def _of(sightings: tuple[Sighting, ...], effect: str) -> Iterator[Sighting]:
    return (s for s in sightings if s.effect == effect)
