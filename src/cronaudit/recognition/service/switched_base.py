"""Base fields of a logger that stand under a test: ``pino({...(plain ? {base: null} : {})})``.

What decides is often a variable of the environment. With a default in the tree the default holds; without one nobody
can tell whether the lines name the instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from cronaudit.model.ir import Conditional, Const, Expr, Object, Operation
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, External, Known, Scope, Value
from cronaudit.model.walking import inside
from cronaudit.recognition.context import Service
from cronaudit.recognition.service.values import Tells, parts, strongest, tells_instance

_SELF: Final = "hostname"
"""The field of the library's own base, as an option that leaves it out names it."""


def switched_base(
    service: Service, made: External, names: frozenset[str], default: Tells
) -> tuple[Tells | Literal["open"], Location] | None:
    """What the lines tell under the test around a base; None where no test stands around it.

    `names` are the options that replace the base, `default` what it tells where none of them is set.
    """
    call, module = made.call, service.linker.module(made.at.path) if made.at is not None else None
    if call is None or module is None:
        return None
    scope = service.linker.scope_of(module)
    for argument in call.args:
        if not isinstance(argument.value, Object):
            continue
        if _is_settled(argument.value, names):
            continue
        place = Location(module.path, call.line)
        for key, expr in _switched(argument.value, names):
            then, otherwise, test = _sides(expr)
            told = [_told(service, scope, key, side, names, default) for side in (then, otherwise)]
            if told[0] != told[1]:
                return _decided(service.linker.fold(test, scope), told[0], told[1]), place
            if key is None and told[0] == default and _is_all_written(argument.value):
                return default, place
    return None


def _is_settled(options: Object, names: frozenset[str]) -> bool:
    """Whether an option that replaces the base is set whatever happens."""
    return any(
        (e.key in names and not _tests(e.value))
        or (isinstance(e.value, Object) and _is_settled(e.value, names))
        for e in options.entries
    )


def _is_all_written(options: Object) -> bool:
    """Whether all that is spread into the options is written out in its place."""
    spreads = [e.value for e in options.entries if e.key is None]
    return all(
        _tests(s) and all(side is None or isinstance(side, Object) for side in _sides(s)[:2])  # type: ignore[arg-type]
        for s in spreads
    )


def _switched(options: Object, names: frozenset[str]) -> Iterator[tuple[str | None, Conditional | Operation]]:
    """The tests in the options, each with the option that it is the whole value of."""
    for entry in options.entries:
        if _tests(entry.value):
            yield (entry.key if isinstance(entry.key, str) else None), entry.value  # type: ignore[misc]
        elif isinstance(entry.value, Object) and entry.key not in names:
            yield from _switched(entry.value, names)


def _tests(expr: Expr) -> bool:
    return isinstance(expr, Conditional) or (isinstance(expr, Operation) and expr.op == "and")


def _sides(expr: Conditional | Operation) -> tuple[Expr | None, Expr | None, Expr]:
    if isinstance(expr, Conditional):
        return expr.then, expr.otherwise, expr.test
    return expr.operands[-1], None, expr.operands[0]


def _told(
    service: Service, scope: Scope, key: str | None, side: Expr | None, names: frozenset[str], default: Tells
) -> Tells:
    """What the lines tell where one side of a test is taken."""
    if key in names:
        return _of(service, scope, side)
    for part in inside(side) if side is not None else ():
        for entry in part.entries if isinstance(part, Object) else ():
            if entry.key in names:
                return _of(service, scope, entry.value)
            if isinstance(entry.value, Const) and entry.key == "ignore" and _SELF in str(entry.value.value):
                return "none"
    return default


def _of(service: Service, scope: Scope, expr: Expr | None) -> Tells:
    if expr is None:
        return "none"
    value = service.linker.fold(expr, scope)
    return strongest(tuple(tells_instance(service, part) for _key, part in parts(service, value)))


def _decided(test: Value, then: Tells, otherwise: Tells) -> Tells | Literal["open"]:
    """The side that is taken, where the tree says so or states a default."""
    if isinstance(test, Choice):
        test = test.options[0]
    if isinstance(test, Known):
        return then if test.value else otherwise
    return "open"
