"""What keeps a second run from doing the work again: a marker, a conditional write, only the query that selects it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import If, Loop, Member, Stmt, Try
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, RegionKind
from cronaudit.model.value import Known, Unknown
from cronaudit.model.walking import inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.acts import Act, acts_of
from cronaudit.recognition.facts.frames import Frame, Frames, Place
from cronaudit.recognition.facts.operations import Operation, Operations, operations_of
from cronaudit.recognition.facts.usage import body_of, leaves, returned_polarity, surroundings, tests_of

Guard = Literal["marker", "conditional", "state-query", "none"]


class _Test(Struct, frozen=True, eq=False):
    """A branch that is decided by what a read or a conditional write has found."""

    branch: If
    skips: int
    """1 where the work is left out when the test holds, -1 when it does not hold."""
    event: Event
    """The call in whose function the branch stands."""
    frame: Frame
    around: tuple[tuple[Stmt, int], ...]
    """The statements around the branch in its function."""
    of: Operation | None


def guard_of(context: JobContext) -> Fact[Guard]:
    """``effects.guard``: the level that all of the job's changes have; mixed levels are the weaker one."""
    operations = operations_of(context)
    acts = acts_of(context, operations)
    if not acts:
        return context.absent("none", "Nothing is changed")
    judge = _Judge(context, operations)
    judged = [(act, *judge.level(act)) for act in acts]
    levels = {level for _, level, _, _ in judged}
    strong = levels & {"marker", "conditional"}
    if levels <= {"marker", "conditional"}:
        wanted: Guard = "marker" if "marker" in levels else "conditional"
        act, _, detail, places = next(j for j in judged if j[1] == wanted)
        return Fact(wanted, detail, places or (act.location,), act.path)
    untold = next(
        (a for a, level, _, _ in judged if level == "none" and a.write and a.write.condition.is_open), None
    )
    if untold is not None:
        reason = f"the columns of the condition of the {untold.what} are not told"
        return Fact(Unresolved(reason, untold.location), "", (untold.location,), untold.path)
    if levels == {"none"}:
        act, _, detail, places = judged[0]
        none: Fact[Guard] = context.absent("none", detail)
        return Fact(none.value, detail, places or (act.location,), act.path)
    wanted = "state-query" if "state-query" in levels else "none"
    act, _, detail, places = next(j for j in judged if j[1] == wanted)
    if strong:
        detail = f"{detail}; other changes are guarded"
    return Fact("state-query", detail, places or (act.location,), act.path)


class _Judge:
    def __init__(self, context: JobContext, operations: Operations) -> None:
        self._context = context
        self._operations = operations
        self._frames: Frames = operations.frames
        self._markers = list(self._marker_tests())
        self._claims = list(self._claim_tests())

    def level(self, act: Act) -> tuple[Guard, str, tuple[Location, ...]]:
        """How one change is guarded, in words, and where."""
        own = self._own(act)
        if own is not None:
            return own
        if not act.enqueued:
            for test in self._markers:
                if self._covers(test, act):
                    table = test.of.table if test.of is not None else None
                    where = f" in {table}" if table else ""
                    return (
                        "marker",
                        f"Processed marker{where} is checked",
                        (test.event.location, act.location),
                    )
            for test in self._claims:
                if self._covers(test, act):
                    assert test.of is not None  # noqa: S101 - a claim is a write
                    return "conditional", _conditional(test.of), (test.of.location, act.location)
        query = self._state_query(act)
        if query is not None:
            columns = ", ".join(sorted(query.condition.states)) or "state"
            return (
                "state-query",
                f"State-based query on {columns}, then an unconditional {act.what}",
                (query.location, act.location),
            )
        if self._rechecks(act):
            return "state-query", f"Re-check, then an unconditional {act.what}", (act.location,)
        unchanged = next((o for o in self._reads() if o.condition.states), None)
        if unchanged is not None:
            columns = ", ".join(sorted(unchanged.condition.states))
            detail = f"{act.what} without a guard: the query on {columns} selects the same again"
            return "none", detail, (act.location, unchanged.location)
        return "none", f"{act.what} without a guard", (act.location,)

    def _own(self, act: Act) -> tuple[Guard, str, tuple[Location, ...]] | None:
        """Whether the change itself is safe to repeat."""
        sighting = act.sighting
        if sighting is not None:
            name = {"payment.mutate": "key", "queue.enqueue": "id"}.get(sighting.effect)
            key = sighting.param(name) if name is not None else None
            if (
                key is not None
                and not isinstance(key, Unknown)
                and not (isinstance(key, Known) and not key.value)
            ):
                what = (
                    "Idempotency key" if name == "key" else "Job id that makes a second message a duplicate"
                )
                return "conditional", what, (act.location,)
            return None
        write = act.write
        assert write is not None  # noqa: S101 - an act is one of the two
        condition = write.condition
        if write.kind == "upsert" or condition.excludes:
            return "conditional", "Upsert", (act.location,)
        if write.kind == "update" and (condition.states & write.sets or condition.as_read):
            return "conditional", _conditional(write), (act.location,)
        if write.kind == "delete" and (condition.states or write.set_based) and write.is_sql:
            return "conditional", _conditional(write), (act.location,)
        if write.kind == "delete" and condition.states:
            return "conditional", _conditional(write), (act.location,)
        return None

    # ---- tests ---------------------------------------------------------------------------------------------------

    def _marker_tests(self) -> Iterator[_Test]:
        """Tests of a read of something that the job itself puts there."""
        made = {
            o.table for o in self._operations.all if o.kind in ("insert", "upsert") and o.table is not None
        }
        for operation in self._reads():
            if operation.table in made and operation.kind == "read-one":
                yield from self._tests(operation.event, operation, 1)
        keys = {s.text("key") for s in self._context.seen("cache.set")} - {None}
        for sighting in self._context.seen("cache.get"):
            if sighting.text("key") in keys:
                yield from self._tests(sighting.event, None, 1)

    def _claim_tests(self) -> Iterator[_Test]:
        """Tests of whether a conditional write changed a row."""
        for operation in self._operations.writes:
            if operation.enqueued:
                continue
            conditional = operation.kind == "update" and operation.condition.states & operation.sets
            if conditional or (operation.kind == "delete" and operation.condition.states):
                yield from self._tests(operation.event, operation, -1)

    def _tests(self, event: Event, of: Operation | None, skips: int) -> Iterator[_Test]:
        """The tests of a result in its own function, and where that gives it back, in the callers."""
        current = event
        for call in (*self._frames.called_from(event), None):
            frame = self._frames.of(current)
            body = body_of(current)
            for branch, sign in tests_of(current):
                around = surroundings(body, branch)
                if sign and around is not None:
                    yield _Test(branch, sign * skips, current, frame, around, of)
            back = returned_polarity(current)
            if call is None or not back:
                return
            skips *= back
            current = call

    def _covers(self, test: _Test, act: Act) -> bool:
        """Whether the work stops before a change where the test says so, in every way that the walk comes to it."""
        if act.event is test.event or (test.of is not None and act.write is test.of):
            return False
        return all(self._covers_place(test, p) for p in self._frames.places(act.event))

    def _covers_place(self, test: _Test, place: Place) -> bool:
        """Inside the arm that is taken when the work is to be done, or behind the other arm where that one leaves."""
        arms = [r.kind for r in place.regions if r.node is test.branch]
        work = RegionKind.ELSE if test.skips > 0 else RegionKind.THEN
        if arms:
            return arms[0] is work
        if place.order <= test.event.order or not any(f is test.frame for f in place.frame.outward()):
            return False
        left = test.branch.then if test.skips > 0 else test.branch.otherwise
        return leaves(left) and all(_is_inside(place, node, number) for node, number in test.around)

    # ---- states --------------------------------------------------------------------------------------------------

    def _reads(self) -> tuple[Operation, ...]:
        return self._operations.of("read", "read-one", "stream")

    def _state_query(self, act: Act) -> Operation | None:
        """A query before the change on a state that the job changes."""
        for read in self._reads():
            if not read.condition.states or (not act.enqueued and read.event.order > act.event.order):
                continue
            if any(_changes(write, read) for write in self._operations.writes):
                return read
        return None

    def _rechecks(self, act: Act) -> bool:
        """Whether a column that the job writes is tested on the way."""
        columns = {c.lower() for w in self._operations.writes for c in w.sets}
        if not columns or act.enqueued:
            return False
        for frame in self._frames.of(act.event).outward():
            if frame.function is None:
                continue
            for statement in statements(frame.function.body):
                if isinstance(statement, If) and any(
                    isinstance(e, Member) and e.name.lower() in columns for e in inside(statement.test)
                ):
                    return True
        return False


def _changes(write: Operation, read: Operation) -> bool:
    """Whether a write takes rows out of what a query selects."""
    same = write.table is not None and write.table == read.table
    same = same or any(call is read.event.call for call in write.made_by)
    if write.kind == "delete":
        return same
    if write.kind in ("update", "upsert"):
        open_table = write.table is None or read.table is None
        touched = bool(write.sets & read.condition.states)
        return (same or open_table) and (touched or (same and not write.sets and not write.is_sql))
    return False


def _conditional(write: Operation) -> str:
    columns = ", ".join(sorted(write.condition.states & write.sets or write.condition.states))
    verb = write.kind.upper()
    return f"{verb} only where {columns} still says so" if columns else f"One set-based {verb}"


def _is_inside(place: Place, node: Stmt, block: int) -> bool:
    """Whether a place lies in the same block of a statement as the branch: what leaves another arm guards nothing."""
    if isinstance(node, If):
        arm = RegionKind.ELSE if block else RegionKind.THEN
        return any(r.node is node and r.kind is arm for r in place.regions)
    if isinstance(node, Loop):
        return any(r.node is node and r.kind is RegionKind.LOOP for r in place.regions)
    if isinstance(node, Try) and block and block < len(node.handlers) + 1:
        return any(r.node is node and r.kind is RegionKind.CATCH for r in place.regions)
    return True
