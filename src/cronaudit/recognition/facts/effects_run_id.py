"""An id for each run: made by the job or offered by its framework, and where it is used."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import combinations
from typing import Literal

from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import (
    Array,
    Assign,
    Await,
    Call,
    Comprehension,
    Do,
    Expr,
    Function,
    Member,
    Name,
    Object,
    Return,
    Spread,
    Template,
    This,
)
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.model.value import Closure, Record
from cronaudit.model.walking import children, functions_in, inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.data import is_retry
from cronaudit.recognition.facts.frames import Frame, Frames, Place, each_method
from cronaudit.recognition.facts.operations import operations_of
from cronaudit.recognition.facts.run_history import row_of_run
from cronaudit.recognition.facts.usage import names_of, targets

RunId = Literal["used", "available", "none"]

_RECORDS = ("log", "log.base", "db.insert", "db.upsert", "db.update", "db.query", "tracker.capture", "monitor.ping",
            "monitor.checkin", "queue.enqueue", "metric.push", "alert.send")  # fmt: skip
"""Calls that put an id where somebody can read it later."""
_BINDS = frozenset(
    ("child", "bind", "with_fields", "withFields", "withContext", "setContext", "set_tag", "setTag", "run")
)
"""Methods that give an id to all that is logged afterwards."""
_IDS = frozenset(
    ("id", "jobId", "job_id", "runId", "run_id", "messageId", "correlationId", "executionId", "uuid")
)
_OWN_KEYS = frozenset(("id", "_id"))
_DEPTH = 4


def run_id_of(context: JobContext) -> Fact[RunId]:
    """``effects.run_id``."""
    frames = operations_of(context).frames
    search = _Search(context, frames)
    for sighting in context.seen("id.make", "id.run"):
        if sighting.effect == "id.make" and not search.is_made_once(sighting.event):
            continue
        place = search.use_of_call(sighting.event)
        if place is not None:
            return Fact("used", "Id for each run", (place, sighting.location), sighting.path)
    row = _of_row(context)
    if row is not None:
        return row
    offered = (
        context.trait("effects.run_id") in ("available", "used") or context.registration.consumer is not None
    )
    place = search.use_of_parameter() if offered else None
    if place is not None:
        return Fact("used", "Id of the framework in logs or records", (place,))
    if offered:
        return Fact("available", "The framework has an id, the code never uses it", (context.site,))
    made = context.seen("id.make")
    if not made:
        return context.absent("none", "No id per run")
    if search.kept is not None:
        return Fact(Unresolved("an id of the run is put into a list that is written elsewhere", search.kept))
    once = any(search.is_made_once(s.event) for s in made)
    return context.absent(
        "none", f"No id per run (one is made, for {'something else' if once else 'each item'})"
    )


def _of_row(context: JobContext) -> Fact[RunId] | None:
    """The id of the row that is written for each run, by which its outcome is recorded."""
    row = row_of_run(context)
    where = row.outcome.param("where") if row is not None and row.outcome is not None else None
    if row is None or row.outcome is None or not isinstance(where, Record) or not _IDS & set(where.entries):
        return None
    places = (row.outcome.location, row.inserted.location)
    return Fact("used", f"Id of the row of {row.table} that each run has", places, row.outcome.path)


class _Search:
    """Follows an id from where it is made to where it is written."""

    def __init__(self, context: JobContext, frames: Frames) -> None:
        self._context = context
        self._frames = frames
        self.kept: Location | None = None
        """Where an id goes into a list of an object, which something else may write."""
        self._records = {s.event.order for s in context.seen(*_RECORDS)}
        self._inserts = {s.event.order for s in context.seen("db.insert", "db.upsert")}
        self._others = {
            s.event.order for s in context.seen("lock.*", "id.*", "cache.*", "http.*", "sleep", "leader.*")
        }

    def is_made_once(self, made: Event) -> bool:
        """Whether a run makes one: an id of each row, mail or batch tells no run from another."""
        places = self._frames.places(made)
        if any(self._is_repeated(r) for p in places for r in p.regions):
            return False
        return all(_exclude_each_other(a, b) for a, b in combinations(places, 2))

    def _is_repeated(self, region: Region) -> bool:
        if region.kind is RegionKind.CALLBACK and isinstance(region.info, Event):
            return each_method(region) is not None or region.info.external == "global:setInterval"
        return (
            region.kind is RegionKind.LOOP
            and region.node is not self._context.registration.loop
            and not is_retry(region, self._context)
        )

    def use_of_call(self, made: Event, depth: int = _DEPTH) -> Location | None:
        """Where the result of a call is logged or recorded."""
        frame = self._frames.of(made)
        for event in self._calls(frame):
            if event is made or event.call is None or not self._is_record(event):
                continue
            if any(e is made.call for a in event.call.args for e in self._parts(event, a.value)):
                return event.location
        if depth and frame.call is not None and not frame.is_callback and _gives_back(made):
            return self.use_of_call(frame.call, depth - 1)
        names = frozenset(targets(made))
        whole = getattr(made.statement, "value", None)
        if whole is not None and not any(e is made.call for e in _beside_keys(whole)):
            return None
        return self._use_of(frame, names, _DEPTH) if names else None

    def use_of_parameter(self) -> Location | None:
        """Where the id of the object that the framework hands over is logged or recorded."""
        handler = self._context.registration.handler
        if not isinstance(handler, Closure):
            return None
        frame = self._frames.first(handler.function)
        if frame is None:
            return None
        function = handler.function
        first = frozenset(names_of(function.params[0].target)) if function.params else frozenset()
        return self._id_of(frame, first, _DEPTH)

    def _id_of(self, frame: Frame, names: frozenset[str], depth: int) -> Location | None:
        for event in self._calls(frame):
            if event.call is None:
                continue
            for argument in event.call.args:
                if not any(_is_id(e, names) for e in inside(argument.value)):
                    continue
                if self._is_record(event):
                    return event.location
                found = self._inside(
                    event, argument.value, depth, lambda e: any(_is_id(i, names) for i in inside(e))
                )
                if found is not None:
                    return found
        for inner in self._entered(frame) if depth else ():
            passed = frozenset(_passed(inner, names))
            if passed:
                found = self._id_of(inner, passed, depth - 1)
                if found is not None:
                    return found
        return None

    def _use_of(self, frame: Frame, names: frozenset[str], depth: int) -> Location | None:
        names = _with_holders(frame.function, names)
        for event in self._calls(frame):
            if event.call is None or event.order in self._others:
                continue
            if not any(_names(a.value, names) for a in event.call.args):
                continue
            if self._is_record(event) and any(
                isinstance(e, Name) and e.name in names
                for a in event.call.args
                for e in self._parts(event, a.value)
            ):
                return event.location
            found = self._inside(event, None, depth, lambda e: _names(e, names))
            if found is not None:
                return found
            if self.kept is None and _keeps(event.call, names):
                self.kept = event.location
        return None

    def _inside(self, event: Event, _value: Expr | None, depth: int, takes: object) -> Location | None:
        """Follow an argument into the function that it is given to."""
        if not depth or not isinstance(event.callee, Closure):
            return None
        inner = self._frames.first(event.callee.function)
        if inner is None or event.call is None:
            return None
        names: set[str] = set()
        for position, argument in enumerate(event.call.args):
            if takes(argument.value) and position < len(event.callee.function.params):  # type: ignore[operator]
                names.update(names_of(event.callee.function.params[position].target))
        return self._use_of(inner, frozenset(names), depth - 1) if names else None

    def _is_record(self, event: Event) -> bool:
        name = getattr(getattr(event.call, "callee", None), "name", "")
        return event.order in self._records or (name in _BINDS and not isinstance(event.callee, Closure))

    def _parts(self, event: Event, value: Expr) -> Iterator[Expr]:
        """What is in an argument; of a row that is inserted not its own key, which tells rows apart and no runs."""
        return _beside_keys(value) if event.order in self._inserts else inside(value)

    def _calls(self, frame: Frame) -> Iterator[Event]:
        """The calls of a function, and those of functions that are written inside it."""
        for item in frame.items:
            if isinstance(item, Frame):
                if item.function is not None and item.function.parent is frame.function:
                    yield from self._calls(item)
            elif item.kind is EventKind.CALL:
                yield item

    @staticmethod
    def _entered(frame: Frame) -> Iterator[Frame]:
        return (i for i in frame.items if isinstance(i, Frame) and i.call is not None and not i.is_callback)


def _exclude_each_other(one: Place, other: Place) -> bool:
    """Whether two places stand in the two branches of one test."""
    sides = (RegionKind.THEN, RegionKind.ELSE)
    there = {id(r.node): r.kind for r in other.regions if r.kind in sides}
    return any(there.get(id(r.node), r.kind) is not r.kind for r in one.regions if r.kind in sides)


def _beside_keys(expr: Expr) -> Iterator[Expr]:
    """`expr` and what is in it, the values of ``id`` and ``_id`` aside."""
    stack = [expr]
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, Object):
            stack += [e.value for e in current.entries if e.key not in _OWN_KEYS]
        else:
            stack += children(current)


def _gives_back(made: Event) -> bool:
    """``return randomUUID()``: who asks for it gets it."""
    statement = made.statement
    return isinstance(statement, Return) and made.call is not None and _is_packed(statement.value, made.call)


def _is_packed(value: Expr | None, call: Call) -> bool:
    while isinstance(value, Await | Member) or (isinstance(value, Call) and value is not call):
        # `str(uuid4())`, `randomBytes(8).toString('hex')`
        if isinstance(value, Call):
            value = (
                value.args[0].value
                if len(value.args) == 1 and isinstance(value.callee, Name)
                else value.callee
            )
        else:
            value = value.value if isinstance(value, Await) else value.object
    return value is call


def _with_holders(function: Function | None, names: frozenset[str]) -> frozenset[str]:
    """The names, and those of objects, lists and texts of a function that are made of them."""
    if function is None:
        return names
    found = set(names)
    bodies = [function.body, *(f.body for f in functions_in(function))]
    for statement in (s for body in bodies for s in statements(body)):
        if (
            isinstance(statement, Assign)
            and statement.value is not None
            and isinstance(statement.target, Name)
        ):
            if _holds(statement.value, found):
                found.add(statement.target.name)
        elif isinstance(statement, Do):
            found.update(_filled(statement.value, found))
    return frozenset(found)


def _keeps(call: Call, names: frozenset[str]) -> bool:
    """``this.rows.push(row)``."""
    return (
        isinstance(call.callee, Member)
        and call.callee.name in ("push", "append")
        and isinstance(call.callee.object, Member)
        and any(_holds(a.value, names) for a in call.args)
    )


def _filled(expr: Expr, names: AbstractSet[str]) -> Iterator[str]:
    """``rows.push({ run, … })``: the list that takes one of these names."""
    if (
        isinstance(expr, Call)
        and isinstance(expr.callee, Member)
        and expr.callee.name in ("push", "append")
        and isinstance(expr.callee.object, Name)
        and any(_holds(a.value, names) for a in expr.args)
    ):
        yield expr.callee.object.name


def _holds(expr: Expr, names: AbstractSet[str]) -> bool:
    """Whether a value is one of these names or is made of them: what a call gives for them is not."""
    if isinstance(expr, Name):
        return expr.name in names
    if isinstance(expr, Object):
        return any(_holds(e.value, names) for e in expr.entries if e.key not in _OWN_KEYS)
    if isinstance(expr, Array):
        return any(_holds(i, names) for i in expr.items)
    if isinstance(expr, Spread):
        return _holds(expr.value, names)
    if isinstance(expr, Template):
        return any(not isinstance(p, str) and _holds(p, names) for p in expr.parts)
    if isinstance(expr, Comprehension):
        return _holds(expr.element, names)
    if isinstance(expr, Call) and getattr(expr.callee, "name", "") in ("map", "flatMap"):
        return any(isinstance(a.value, Function) and _gives(a.value, names) for a in expr.args)
    return False


def _gives(function: Function, names: AbstractSet[str]) -> bool:
    return any(
        isinstance(s, Return) and s.value is not None and _holds(s.value, names)
        for s in statements(function.body)
    )


def _is_id(expr: Expr, names: frozenset[str]) -> bool:
    if not isinstance(expr, Member) or expr.name not in _IDS:
        return False
    owner = expr.object
    if isinstance(owner, Name):
        return owner.name in names
    return isinstance(owner, Member) and owner.name == "request" and isinstance(owner.object, This | Name)


def _names(expr: Expr, names: frozenset[str]) -> bool:
    return any(isinstance(e, Name) and e.name in names for e in inside(expr))


def _passed(frame: Frame, names: frozenset[str]) -> Iterator[str]:
    """The parameters of an entered function that hold one of these names."""
    call: Call | None = frame.call.call if frame.call is not None else None
    if call is None or frame.function is None:
        return
    for position, argument in enumerate(call.args):
        if (
            isinstance(argument.value, Name)
            and argument.value.name in names
            and position < len(frame.function.params)
        ):
            yield from names_of(frame.function.params[position].target)
