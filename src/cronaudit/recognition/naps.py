"""Functions of the project's own that only pause: for the time that they are told, also in slices."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from cronaudit.model.ir import Assign, Call, Expr, Function, Loop, Name, Object
from cronaudit.model.linker import Linker
from cronaudit.model.source import Language
from cronaudit.model.value import Arguments, Closure, Known, Scope, Unknown, Value
from cronaudit.model.walking import expressions, inside, statement_expressions, statements
from cronaudit.recognition.talk import LEVELS

_CLOCKS = frozenset(("time", "monotonic", "perf_counter", "now", "utcnow", "total_seconds", "timedelta"))
_PLAIN = frozenset(("range", "min", "max", "int", "float", "round", "ceil", "is_set", "print", "cast"))
_MINUTES = 60.0


def napped(
    callee: Closure, args: Arguments, linker: Linker, slept: Callable[[Call, Scope], Value | None]
) -> Value | None:
    """How long ``nap(seconds)`` pauses: ``for _ in range(seconds): if stopping: return; time.sleep(1)``.

    None where the function does anything else, or its slices do not add up to one of its parameters.
    """
    function = callee.function
    if function.module.language is not Language.PYTHON:
        return None
    loops = [s for s in statements(function.body) if isinstance(s, Loop)]
    scope = linker.scope_of(function)
    pauses = False
    for call in (e for e in expressions(function.body) if isinstance(e, Call)) if len(loops) == 1 else ():
        name = getattr(call.callee, "name", "")
        if slept(call, scope) is not None:
            pauses = True
        elif name not in _CLOCKS and name not in _PLAIN and name not in LEVELS:
            return None
    return _told(callee, loops[0], args, linker) if pauses else None


def _told(callee: Closure, loop: Loop, args: Arguments, linker: Linker) -> Value | None:
    """The argument that says how long the loop of a function goes on."""
    function = callee.function
    asked = _names_behind(loop.iterable if loop.iterable is not None else loop.test, function)
    position = -1
    for param in function.params:
        position += 0 if param.rest else 1
        if param.name is None or param.name not in asked:
            continue
        given = args.positional[position] if position < len(args.positional) else args.named.get(param.name)
        if given is None and param.default is not None:
            given = linker.fold(param.default, linker.scope_of(function))
        value = linker.force(given) if given is not None else None
        if not isinstance(value, Known):
            return value or Unknown(f"{param.name} is only known to a caller", None)
        if not isinstance(value.value, int | float) or isinstance(value.value, bool):
            continue
        if "minute" in param.name and value.unit is None:
            return replace(value, value=value.value * _MINUTES, unit="s")
        return replace(value, unit=value.unit or "s")
    return None


def _names_behind(test: Expr | None, function: Function) -> frozenset[str]:
    """The names that a test speaks of, and those that its variables are made of: ``end = monotonic() + seconds``."""
    names = {e.name for e in inside(test) if isinstance(e, Name)} if test is not None else set()
    for _ in range(2):
        for statement in statements(function.body):
            target = statement.target if isinstance(statement, Assign) else None
            if isinstance(target, Name) and target.name in names:
                names |= {
                    e.name
                    for root in statement_expressions(statement)
                    for e in inside(root)
                    if isinstance(e, Name)
                }
    return frozenset(names)


def multiplied(slept: Value, times: float | None) -> Value:
    """A pause that a loop makes so many times each round; None where nothing says how often."""
    if times is None:
        return Unknown("it pauses once for each item that it works on", getattr(slept, "at", None))
    if times == 1.0 or not isinstance(slept, Known) or not isinstance(slept.value, int | float):
        return slept
    return Known(slept.value * times, slept.at, slept.unit, slept.default_of)


def bound_delay(delay: Value, callee: Closure, args: Arguments, linker: Linker) -> Value:
    """The delay of ``sleep(ms)`` is the argument of the call."""
    for position, param in enumerate(callee.function.params):
        for symbol in linker.symbols(delay):
            if position >= len(args.positional):
                continue
            given = linker.force(args.positional[position])
            if isinstance(param.target, Object) and symbol.name.endswith(f":{param.target.line}>"):
                # ``sleep({ delayMs, signal })``
                return linker.member(given, symbol.path[0]) if len(symbol.path) == 1 else delay
            if symbol.name == param.name:
                if symbol.path and isinstance(given, Known) and isinstance(given.value, int | float):
                    # ``sleep(seconds)`` that multiplies by 1000 on its way.
                    return Known(given.value, given.at, "s")
                if isinstance(given, Known) and callee.function.module.language is Language.PYTHON:
                    return Known(given.value, given.at, given.unit or "s", given.default_of)
                return given
    return delay
