"""What becomes of the result of a call: is it tested, does a test end the work, is only one row of it taken."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import (
    Array,
    Assign,
    Await,
    Break,
    Call,
    Const,
    Continue,
    Do,
    Expr,
    Function,
    If,
    Index,
    Member,
    Module,
    Name,
    Object,
    Operation,
    Return,
    Stmt,
    Throw,
)
from cronaudit.model.trace import Event
from cronaudit.model.walking import expressions, inside, statements

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
    if not any(e is event.call for e in inside(statement.value)):
        return ()
    return tuple(names_of(statement.target))


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


def tests_of(event: Event) -> Iterator[If]:
    """The branches that are decided by the result of a call, in the function that it stands in."""
    statement = event.statement
    if isinstance(statement, If) and event.call is not None:
        if any(e is event.call for e in inside(statement.test)):
            yield statement
    names = targets(event)
    if names:
        derived = frozenset((*names, *_derived(event, names)))
        for other in statements(body_of(event)):
            if isinstance(other, If) and other is not statement and mentions(other.test, derived):
                yield other


def _derived(event: Event, names: tuple[str, ...]) -> Iterator[str]:
    """Names that are computed from a result: ``const done = rows.length > 0``."""
    for statement in statements(body_of(event)):
        if (
            isinstance(statement, Assign)
            and statement.value is not None
            and statement is not event.statement
            and mentions(statement.value, names)
            and not any(isinstance(e, Call) for e in inside(statement.value))
        ):
            yield from names_of(statement.target)


def leaves(block: tuple[Stmt, ...]) -> bool:
    """Whether a block ends the function, the round of a loop, or the loop."""
    return bool(block) and isinstance(block[-1], Return | Continue | Break | Throw)


def is_returned(event: Event) -> bool:
    """Whether what a function gives back depends on the result of a call."""
    statement = event.statement
    if isinstance(statement, Return):
        return True
    names = targets(event)
    return bool(names) and any(
        isinstance(s, Return) and s.value is not None and mentions(s.value, names) for s in statements(body_of(event))
    )


def is_dropped(event: Event) -> bool:
    """Whether nothing looks at the result of a call."""
    statement = event.statement
    if not isinstance(statement, Do):
        return False
    expr = statement.value
    while isinstance(expr, Await) or (isinstance(expr, Operation) and len(expr.operands) == 1):
        expr = expr.value if isinstance(expr, Await) else expr.operands[0]
    return expr is event.call
