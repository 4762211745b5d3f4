"""Decorators of the project's own that make what stands under them a library's task.

``def guarded(**options): def decorate(f): … return shared_task(**options)(run)``: what uses ``@guarded()`` holds no
word of the library itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.ir import Call, Expr, Function, Module, Return
from cronaudit.model.linker import Linker
from cronaudit.model.value import Arguments, Closure, External, Scope, Value
from cronaudit.model.walking import statements


class Made(Struct, frozen=True, eq=False):
    """A library's decorator that one of the project's own applies."""

    callee: External
    args: Arguments


def applied_by(decorator: Expr, thing: Value, scope: Scope, linker: Linker) -> Iterator[Made]:
    """What a decorator as it is written applies to what stands under it."""
    value = linker.fold(decorator, scope)
    if not isinstance(value, Closure) or not value.function.params:
        return
    function = value.function
    inner = Scope(function, value.scope, {function.params[0].name or "": thing}, this=value.this)
    for statement in statements(function.body):
        given = statement.value if isinstance(statement, Return) else None
        if not isinstance(given, Call):
            continue
        # ``return shared_task(name=…)(run)``, ``return shared_task(run, name=…)``
        made = given.callee if isinstance(given.callee, Call) else given
        callee = linker.fold(made.callee, inner)
        if isinstance(callee, External):
            args = linker.arguments(made, inner)
            if made is given:
                args = Arguments(args.positional[1:], args.named, args.complete)
            yield Made(callee, args)


def known_as(node: Function | Module) -> str:
    """The name under which others know the decorator that `node` is, or is a part of."""
    outer = node
    while isinstance(outer, Function) and isinstance(outer.parent, Function):
        outer = outer.parent
    return outer.name or "" if isinstance(outer, Function) else ""
