"""What becomes of the result of a call: is it tested, does a test end the work, is only one row of it taken."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import (
    Array,
    Assign,
    Await,
    Break,
    Call,
    Conditional,
    Const,
    Continue,
    Expr,
    Function,
    If,
    Index,
    Member,
    Module,
    Name,
    Object,
    Opaque,
    Operation,
    Return,
    Stmt,
    Throw,
)
from cronaudit.model.trace import Event
from cronaudit.model.walking import blocks, contains, expressions, inside, statement_expressions, statements

_ONE = ("one", "first", "single", "row", "scalar", "val")
_COUNTS = frozenset(("rowCount", "length", "affectedRows", "changes", "count"))


def body_of(event: Event) -> tuple[Stmt, ...]:
    """The statements of the function or module that an event stands in."""
    node: Function | Module = event.scope.node
    return node.body


def targets(event: Event) -> tuple[str, ...]:
    """The names that the result of a call is bound to."""
    statement = event.statement
    if not isinstance(statement, Assign) or statement.value is None or event.call is None:
        return ()
    if not contains(statement.value, event.call):
        return ()
    return tuple(names_of(statement.target))


def call_before(event: Event) -> Call | None:
    """The call on whose result another one is made."""
    callee = event.call.callee if event.call is not None else None
    inner = callee.object if isinstance(callee, Member) else None
    return inner if isinstance(inner, Call) else None


def names_of(target: Expr) -> Iterator[str]:
    """The names in a target, those of a pattern too."""
    if isinstance(target, Name):
        yield target.name
    elif isinstance(target, Object):
        for entry in target.entries:
            yield from names_of(getattr(entry.value, "target", entry.value))
    elif isinstance(target, Array):
        for item in target.items:
            yield from names_of(item)


def mentions(expr: Expr, names: frozenset[str] | tuple[str, ...]) -> bool:
    """Whether an expression uses one of these names."""
    return any(isinstance(e, Name) and e.name in names for e in inside(expr))


def takes_one(event: Event) -> bool:
    """Whether only one row, or the number of rows, is taken of a result."""
    statement = event.statement
    if isinstance(statement, Assign) and isinstance(statement.target, Array):
        return len(statement.target.items) == 1 and isinstance(statement.target.items[0], Name)
    names = targets(event)
    if not names:
        return event.call is not None and _taken_at_once(event)
    used = [e for e in expressions(body_of(event)) if isinstance(e, Name) and e.name in names]
    single = [e for e in expressions(body_of(event)) if _takes_first(e, names)]
    counted = sum(n in _COUNTS for n in names)
    if counted == len(names):
        return True
    # The target itself is a mention, too; a pattern mentions each of its names once.
    return bool(single) and len(used) - len(names) <= len(single)


def is_sliced(event: Event) -> bool:
    """Whether so many rows are taken of a lazy query, at once or by its name: ``Order.objects.all()[:100]``."""
    names = targets(event)
    statement = event.statement
    roots = list(statement_expressions(statement)) if statement is not None else []
    at_once = [e for root in roots for e in inside(root) if isinstance(e, Index) and e.object is event.call]
    later = [
        e for e in expressions(body_of(event)) if names and isinstance(e, Index) and _is(e.object, names)
    ]
    used = [e for e in expressions(body_of(event)) if isinstance(e, Name) and e.name in names]
    bounded = [e for e in later if _has_end(e.index)]
    return any(_has_end(e.index) for e in at_once) or (
        bool(bounded) and len(used) - len(names) <= len(bounded)
    )


def _has_end(index: Expr) -> bool:
    if not isinstance(index, Opaque) or len(index.parts) < 2:
        return False
    end = index.parts[1]
    return not (isinstance(end, Const) and end.value is None)


def _takes_first(expr: Expr, names: tuple[str, ...]) -> bool:
    if isinstance(expr, Index):
        return isinstance(expr.index, Const) and expr.index.value == 0 and _is(expr.object, names)
    if isinstance(expr, Member):
        return expr.name in _COUNTS and _is(expr.object, names)
    return False


def _is(expr: Expr, names: tuple[str, ...]) -> bool:
    if isinstance(expr, Member) and expr.name in ("rows", "recordset"):
        return _is(expr.object, names)
    return isinstance(expr, Name) and expr.name in names


def _taken_at_once(event: Event) -> bool:
    """``(await query(…))[0]``, ``(await query(…)).rowCount``."""
    statement = event.statement
    roots: tuple[Expr | None, ...] = (
        getattr(statement, "value", None),
        getattr(statement, "test", None),
    )
    for root in roots:
        if root is None:
            continue
        for expr in inside(root):
            if isinstance(expr, Index) and isinstance(expr.index, Const) and expr.index.value == 0:
                if _holds(expr.object, event.call):
                    return True
            elif isinstance(expr, Member) and expr.name in _COUNTS and _holds(expr.object, event.call):
                return True
    return False


def _holds(expr: Expr, call: Call | None) -> bool:
    while isinstance(expr, Await | Member):
        expr = expr.value if isinstance(expr, Await) else expr.object
    return expr is call


def asks_for_one(event: Event) -> bool:
    """Whether the name of the method says that it gives one row: ``getOne``, ``fetchone``, ``queryRow``."""
    name = getattr(getattr(event.call, "callee", None), "name", "").lower()
    if name.endswith(("rows", "many", "all", "any")):
        return False
    return name in ("get", "pluck") or name.endswith(_ONE) or name.startswith(("one", "first"))


# ---- tests ------------------------------------------------------------------------------------------------------


def tests_of(event: Event) -> Iterator[tuple[If, int]]:
    """The branches that are decided by the result of a call, in the function that it stands in, with the polarity."""
    statement = event.statement
    if isinstance(statement, If) and event.call is not None and contains(statement.test, event.call):
        yield statement, polarity(statement.test, frozenset(), event.call)
    names = frozenset(targets(event))
    if not names:
        return
    signs = dict.fromkeys(names, 1) | dict(_derived(event, names))
    for other in statements(body_of(event)):
        if isinstance(other, If) and other is not statement and other.line >= event.location.line:
            used = next((n for n in signs if mentions(other.test, (n,))), None)
            if used is not None:
                yield other, polarity(other.test, frozenset((used,)), None) * signs[used]


def _derived(event: Event, names: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Names that are computed from a result: ``const done = rows.length > 0``."""
    for statement in statements(body_of(event)):
        if (
            isinstance(statement, Assign)
            and statement.value is not None
            and isinstance(statement.target, Name)
            and statement is not event.statement
            and mentions(statement.value, names)
        ):
            sign = polarity(statement.value, names, None)
            if sign:
                yield statement.target.name, sign


def surroundings(body: tuple[Stmt, ...], wanted: Stmt) -> tuple[tuple[Stmt, int], ...] | None:
    """The statements around `wanted`, outer first, each with the number of its block; None where it is not there."""
    for statement in body:
        if statement is wanted:
            return ()
        for number, block in enumerate(blocks(statement)):
            inner = surroundings(block, wanted)
            if inner is not None:
                return ((statement, number), *inner)
    return None


def polarity(expr: Expr, names: frozenset[str], call: Call | None) -> int:
    """What a test says when there is a result: 1 that it holds, -1 that it does not, 0 that it cannot be told."""
    if isinstance(expr, Await):
        return polarity(expr.value, names, call)
    if expr is call or (isinstance(expr, Name) and expr.name in names):
        return 1
    if isinstance(expr, Member | Index):
        return polarity(expr.object, names, call)
    if isinstance(expr, Call):
        # `Boolean(rows.length)`, `rows.some(…)`: whatever it computes grows with the result.
        inner = [polarity(a.value, names, call) for a in expr.args] + [polarity(expr.callee, names, call)]
        return next((p for p in inner if p), 0)
    if isinstance(expr, Conditional):
        return polarity(expr.test, names, call)
    if isinstance(expr, Operation):
        return _operation(expr, names, call)
    return 0


def _operation(expr: Operation, names: frozenset[str], call: Call | None) -> int:
    sides = [polarity(o, names, call) for o in expr.operands]
    if expr.op == "not":
        return -sides[0]
    if expr.op in ("and", "or", "??"):
        return next((s for s in sides if s), 0)
    if len(expr.operands) != 2 or not any(sides):
        return next((s for s in sides if s), 0) if len(expr.operands) == 1 else 0
    found, other = (0, 1) if sides[0] else (1, 0)
    constant = expr.operands[other]
    empty = isinstance(constant, Const) and not constant.value
    if expr.op in ("==", "is"):
        return -sides[found] if empty else sides[found]
    if expr.op in ("!=", "is not"):
        return sides[found] if empty else -sides[found]
    grows = expr.op in (">", ">=") if found == 0 else expr.op in ("<", "<=")
    if expr.op in ("<", "<=", ">", ">=") and isinstance(constant, Const):
        return sides[found] if grows else -sides[found]
    return 0


def returned_polarity(event: Event) -> int:
    """The same of what a function gives back: ``return rowCount === 1``."""
    names = frozenset(targets(event))
    for statement in statements(body_of(event)):
        if isinstance(statement, Return) and statement.value is not None:
            found = polarity(statement.value, names, event.call)
            if found:
                return found
    return 0


def leaves(block: tuple[Stmt, ...]) -> bool:
    """Whether a block ends the function, the round of a loop, or the loop."""
    return bool(block) and isinstance(block[-1], Return | Continue | Break | Throw)
