"""Under which names a program holds the objects that have a function, where it hands them on in a container.

``app.decorate('jobs', { schedule })``, ``app.jobs = { schedule }``, and a class ``Scheduler`` or ``SchedulerService``
whose objects are called ``scheduler`` in whatever is handed around.
"""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import Assign, AssignExpr, Call, Const, Expr, Function, Member, Name, Object
from cronaudit.model.value import External, Symbol, Value
from cronaudit.model.walking import expressions, statements

_ROLES = ("service", "manager", "provider", "module", "component", "plugin")
"""Last words of a class's name that its objects are often called without."""


def names_of(function: Function) -> frozenset[str]:
    """The names, in lower case and without underscores, of what holds a function."""
    if function.owner is not None:
        return frozenset(_of_class(function.owner.name or ""))
    return frozenset(_plain(name) for name in _of_function(function))


def is_compound(name: str) -> bool:
    """Whether a name has several words, so that few methods share it."""
    return "_" in name.strip("_") or any(c.isupper() for c in name[1:])


def is_held(callee: Value, function: Function, names: frozenset[str]) -> bool:
    """Whether a callee that cannot be followed is that function by its own name and by that of what holds it."""
    if isinstance(callee, Symbol):
        steps: tuple[str, ...] = (callee.name, *callee.path)
    elif isinstance(callee, External):
        steps = tuple(callee.path.split("."))
    else:
        return False
    return len(steps) > 1 and steps[-1] == function.name and _plain(steps[-2]) in names


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _of_class(name: str) -> Iterator[str]:
    plain = _plain(name)
    if plain:
        yield plain
    for role in _ROLES:
        if plain.endswith(role) and plain != role:
            yield plain.removesuffix(role)


def _of_function(function: Function) -> Iterator[str]:
    """A function that stands in the object which a member, or a call with a name, puts into a container."""
    around = function.parent
    for statement in statements(around.body):
        if isinstance(statement, Assign) and isinstance(statement.target, Member):
            yield from _holding(statement.target.name, statement.value, function)
    for expr in expressions(around.body):
        if isinstance(expr, AssignExpr) and isinstance(expr.target, Member):
            yield from _holding(expr.target.name, expr.value, function)
        elif isinstance(expr, Call) and len(expr.args) > 1:
            key = expr.args[0].value
            if isinstance(key, Const) and isinstance(key.value, str):
                yield from _holding(key.value, expr.args[1].value, function)


def _holding(name: str, value: Expr | None, function: Function) -> Iterator[str]:
    if isinstance(value, Object) and any(
        e.value is function or (isinstance(e.value, Name) and e.value.name == function.name)
        for e in value.entries
        if e.key == function.name
    ):
        yield name
