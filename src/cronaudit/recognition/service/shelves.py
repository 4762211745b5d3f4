"""Lists and maps of the project that its registrations are put into, and the functions that look at them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.ir import Assign, Call, Do, Expr, Function, Index, Member, Module, Name
from cronaudit.model.linker import Linker
from cronaudit.model.walking import expressions, inside, statements
from cronaudit.recognition.context import JobContext, once

_PUTS = frozenset(("push", "unshift", "set", "add", "append", "insert", "concat"))


class Shelf(Struct, frozen=True):
    """A variable of a module that keeps what the scheduler gave back: ``jobs.push({id, job: schedule(…)})``."""

    path: str
    name: str


@once
def shelf_of(context: JobContext) -> Shelf | None:
    """Where a job's registration is put; None where nothing of the module keeps it."""
    call = context.registration.call.call
    node = context.registration.node
    if call is None or not isinstance(node, Function | Module):
        return None
    module = node.module if isinstance(node, Function) else node
    named = set(_names_of(node, call))
    for statement in statements(node.body):
        kept = _kept(statement)
        if kept is None:
            continue
        base, values = kept
        holds = any(e is call or (isinstance(e, Name) and e.name in named) for v in values for e in inside(v))
        if holds and isinstance(base, Name) and _is_of_module(module, base.name):
            return Shelf(module.path, base.name)
    return None


def _names_of(node: Function | Module, call: Call) -> Iterator[str]:
    """``const job = schedule(…)``."""
    for statement in statements(node.body):
        if isinstance(statement, Assign) and isinstance(statement.target, Name) and statement.value is call:
            yield statement.target.name


def _kept(statement: object) -> tuple[Expr, list[Expr]] | None:
    """The list or map that a statement puts something into, and what it puts there."""
    if isinstance(statement, Assign) and isinstance(statement.target, Index) and statement.value is not None:
        return statement.target.object, [statement.value]
    call = statement.value if isinstance(statement, Do) else None
    if isinstance(call, Call) and isinstance(call.callee, Member) and call.callee.name in _PUTS:
        return call.callee.object, [a.value for a in call.args]
    return None


def _is_of_module(module: Module, name: str) -> bool:
    return any(
        isinstance(s, Assign) and isinstance(s.target, Name) and s.target.name == name for s in module.body
    )


def looks_at(function: Function, shelf: Shelf, linker: Linker) -> bool:
    """Whether a function, or one written in it, names the variable, as its module's own or imported."""
    module = function.module
    local = shelf.name
    if module.path != shelf.path:
        imported = (
            i.local
            for i in module.imports
            if i.name == shelf.name and linker.resolve(i.module, module) == shelf.path
        )
        local = next(imported, "")
    return bool(local) and any(isinstance(e, Name) and e.name == local for e in _deep(function))


def _deep(function: Function) -> Iterator[Expr]:
    stack = [function]
    while stack:
        for expr in expressions(stack.pop().body):
            yield expr
            if isinstance(expr, Function):
                stack.append(expr)
