"""Guards that hold in one process only: ``if (this.running) return; this.running = true``, a mutex, an option."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.ir import (
    Assign,
    AssignExpr,
    Await,
    Call,
    Const,
    Continue,
    Expr,
    Function,
    If,
    Index,
    Member,
    Module,
    Name,
    Operation,
    Return,
    Stmt,
    This,
    Throw,
)
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, RegionKind
from cronaudit.model.value import Closure, Known, Record
from cronaudit.model.walking import functions_in, inside, statement_expressions, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.lock_backend import is_in_process, place_of_setting
from cronaudit.recognition.facts.spans import Spans, is_changing, place_of, work_of
from cronaudit.recognition.facts.stated import option

_MEMBERSHIP = ("has", "get", "includes", "__contains__")
_ADDING = ("add", "set", "push", "append")
_REMOVING = ("delete", "remove", "discard", "pop", "clear")


class Flag(Struct, frozen=True):
    """A guard inside one process."""

    detail: str
    location: Location | None
    path: tuple[str, ...]


def find_flag(context: JobContext, spans: Spans) -> Flag | None:
    """The first guard on the way to the work."""
    return _option(context) or _mutex(context) or _own_flag(context, spans)


def _option(context: JobContext) -> Flag | None:
    for name, wanted in (("no_overlap", None), ("max_instances", 1)):
        value = option(context, name)
        is_on = isinstance(value, Closure | Record) or (
            isinstance(value, Known) and (bool(value.value) if wanted is None else value.value == wanted)
        )
        if is_on:
            return Flag(
                "In-process guard: the scheduler leaves out overlapping runs",
                place_of(value) or context.site,
                (),
            )
    return None


def _mutex(context: JobContext) -> Flag | None:
    for sighting in context.sightings:
        if sighting.effect in ("lock.acquire", "lock.with") and is_in_process(sighting, context.service):
            if sighting.description.word("kind") == "in-process":
                return Flag("In-process mutex", sighting.location, sighting.path)
            where = place_of_setting(context.service) or sighting.location
            return Flag(
                "In-process guard: the cache lives in the memory of one process", where, sighting.path
            )
    return None


def _own_flag(context: JobContext, spans: Spans) -> Flag | None:
    work = {e.order for e in work_of(context)}
    for enter in spans.functions():
        node = enter.scope.node
        if isinstance(node, Module):
            continue
        found = _guard_in(node)
        # A guard around one part of the run keeps nobody from the rest of it.
        if found is not None and _covers(work, enter, spans, context):
            name, statement = found
            return Flag(
                f"In-process guard only: {name}",
                Location(node.module.path, statement.line),
                (*enter.path, node.symbol),
            )
    return None


def _covers(work: set[int], enter: Event, spans: Spans, context: JobContext) -> bool:
    """Whether nothing that a second run must not do lies outside of a function.

    What it reads to decide whether to run at all (a switch, a mode) may.
    """
    inside = {e.order for e in spans.span(enter)}
    if work <= inside:
        return True
    if any(is_changing(s) for s in context.sightings if s.event.order in work):
        return False
    if not {o for o in work if o > enter.order} <= inside:
        return False
    last = next(
        (
            e
            for e in reversed(context.trace.events)
            if e.kind is EventKind.CALL and not e.inside(RegionKind.CATCH)
        ),
        None,
    )
    return last is not None and last.order in inside


def _guard_in(node: Function) -> tuple[str, If] | None:
    """A test of a flag that ends the run, with the flag raised behind it and lowered somewhere."""
    body = list(statements(node.body))
    raised = {name for s in body for name in _raised(s)}
    lowered = {name for f in (node, *functions_in(node)) for s in statements(f.body) for name in _lowered(s)}
    for statement in body:
        if not isinstance(statement, If):
            continue
        for name, when_set in _tested(statement.test):
            leaves = statement.then if when_set else statement.otherwise
            guarded = statement.otherwise if when_set else statement.then
            ends = bool(leaves) and isinstance(leaves[-1], Return | Continue | Throw)
            raises_inside = any(name in _raised(s) for s in statements(guarded))
            is_guard = ends or (not when_set and raises_inside)
            if name in raised and name in lowered and is_guard and _is_kept(name, node):
                return name, statement
    return None


def _is_kept(name: str, node: Function) -> bool:
    """Whether a variable outlives the call: a field, or a variable of an outer scope."""
    if "." in name:
        return True
    return not any(
        isinstance(s, Assign) and s.declares and isinstance(s.target, Name) and s.target.name == name
        for s in statements(node.body)
    ) and all(p.name != name for p in node.params)


def _tested(test: Expr) -> Iterator[tuple[str, bool]]:
    """The flags that a test asks, and whether it holds when the flag is up."""
    if isinstance(test, Operation) and test.op == "not":
        yield from ((name, not up) for name, up in _tested(test.operands[0]))
    elif isinstance(test, Operation) and test.op in ("and", "or"):
        for operand in test.operands:
            yield from _tested(operand)
    elif isinstance(test, Operation) and test.op in ("==", "!=", "is", "is not") and len(test.operands) == 2:
        constant = test.operands[1]
        name = dotted(test.operands[0])
        if name is not None and isinstance(constant, Const):
            is_up = bool(constant.value)
            yield name, is_up if test.op in ("==", "is") else not is_up
    elif isinstance(test, Call) and isinstance(test.callee, Member) and test.callee.name in _MEMBERSHIP:
        name = dotted(test.callee.object)
        if name is not None:
            yield name, True
    else:
        name = dotted(test)
        if name is not None:
            yield name, True


def _raised(statement: Stmt) -> Iterator[str]:
    for target, value in _assignments(statement):
        name = dotted(target)
        if name is not None and not (isinstance(value, Const) and not value.value) and not _is_timer(value):
            yield name
    yield from _called(statement, _ADDING)


def _is_timer(value: Expr | None) -> bool:
    """Whether a variable keeps a timer: it says that one is armed, not that a run goes on."""
    return isinstance(value, Call) and getattr(value.callee, "name", "") in ("setTimeout", "setInterval")


def _lowered(statement: Stmt) -> Iterator[str]:
    for target, value in _assignments(statement):
        name = dotted(target)
        if name is not None and isinstance(value, Const) and not value.value:
            yield name
    yield from _called(statement, _REMOVING)


def _assignments(statement: Stmt) -> Iterator[tuple[Expr, Expr | None]]:
    if isinstance(statement, Assign) and statement.op == "=":
        yield statement.target, statement.value
    for root in statement_expressions(statement):
        for expr in inside(root):
            if isinstance(expr, AssignExpr):
                yield expr.target, expr.value


def _called(statement: Stmt, names: tuple[str, ...]) -> Iterator[str]:
    for root in statement_expressions(statement):
        for expr in inside(root.value if isinstance(root, Await) else root):
            if isinstance(expr, Call) and isinstance(expr.callee, Member) and expr.callee.name in names:
                name = dotted(expr.callee.object)
                if name is not None:
                    yield name


def dotted(expr: Expr) -> str | None:
    """``this.running``, ``state.busy``, ``running``; None for anything else."""
    if isinstance(expr, Name):
        return expr.name
    if isinstance(expr, This):
        return "this"
    if isinstance(expr, Member):
        inner = dotted(expr.object)
        return f"{inner}.{expr.name}" if inner is not None else None
    if isinstance(expr, Index):
        return dotted(expr.object)
    return None
