"""Operators on folded values, and the logic that keeps open what is open."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator

from cronaudit.linking import names
from cronaudit.linking.folder import Folder
from cronaudit.linking.guards import truth
from cronaudit.model.ir import Conditional, Name, Operation, Scalar
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Choice,
    ClassValue,
    Closure,
    Env,
    External,
    Known,
    Lazy,
    Record,
    Scope,
    Sequence,
    Symbol,
    Text,
    Unknown,
    Value,
)

_MOST_OPTIONS = 8
_EQUALITIES = frozenset(("==", "is", "!=", "is not"))
_STAGE = "NODE_ENV"


# ---- scalars --------------------------------------------------------------------------------------------------


def as_text(value: Known) -> str:
    """How a scalar is written into a string."""
    if value.value is None:
        return ""
    if isinstance(value.value, bool):
        return "true" if value.value else "false"
    if isinstance(value.value, float) and value.value.is_integer():
        return str(int(value.value))
    return str(value.value)


def joined(parts: list[str | Value], at: Location | None) -> Value:
    """A string of parts; `Known` where all are text."""
    flat: list[str | Value] = []
    for part in parts:
        pieces = part.parts if isinstance(part, Text) else (part,)
        for piece in pieces:
            if isinstance(piece, Choice) and isinstance(getattr(_first(piece), "value", None), int | float):
                piece = _first(piece)  # noqa: PLW2901 - as in arithmetic: ``envInt('HOURS', 24) + ' hours'``
            piece = as_text(piece) if isinstance(piece, Known) else piece  # noqa: PLW2901 - normalised
            if isinstance(piece, str) and flat and isinstance(flat[-1], str):
                flat[-1] += piece
            elif piece != "":
                flat.append(piece)
    if all(isinstance(p, str) for p in flat):
        return Known("".join(p for p in flat if isinstance(p, str)), at)
    return Text(tuple(flat), at)


def choice(options: Iterable[Value]) -> Value:
    """One of several: equal ones once, nested choices flat, absent ones last, and open where there are too many."""
    distinct: dict[Hashable, Value] = {}
    useful: list[Value] = []
    for value in _flat(options):
        identity = _identity(value)
        if identity in distinct:
            continue
        distinct[identity] = value
        if names.is_absent(value) or isinstance(value, Unknown):
            continue
        if len(useful) == _MOST_OPTIONS:
            return Choice((*useful, Unknown(f"one of more than {_MOST_OPTIONS} values")))
        useful.append(value)
    present = [v for v in distinct.values() if not names.is_absent(v)]
    if len(present) == 1:
        return present[0]
    if not present:
        return next(iter(distinct.values()), Unknown("nothing to choose from"))
    if not useful:
        return present[0]
    open_ones = [v for v in present if isinstance(v, Unknown)]
    return Choice((*useful, *open_ones[:1]))


def _flat(options: Iterable[Value]) -> Iterator[Value]:
    for option in options:
        yield from option.options if isinstance(option, Choice) else (option,)


def _identity(value: Value) -> Hashable:
    """What two values have in common that are certainly the same."""
    match value:
        case Known():
            return Known, type(value.value), value.value
        case Closure():
            return Closure, id(value.function)
        case ClassValue():
            return ClassValue, id(value.cls)
        case External():
            return External, value.path, id(value.call)
        case Env():
            return Env, value.name
        case _:
            return id(value)


# ---- operators ------------------------------------------------------------------------------------------------


def operate(folder: Folder, expr: Operation, scope: Scope) -> Value:
    """A unary, binary or logical operation."""
    at = Location(scope.module.path, expr.line)
    if expr.op in ("or", "and", "??"):
        return _logical(folder, expr, scope)
    values = [folder.fold(o, scope) for o in expr.operands]
    if expr.op == "not":
        known = truth(values[0])
        return Unknown("a test that is open", at) if known is None else Known(not known, at)
    if len(values) == 1:
        return _unary(expr.op, values[0], at)
    left, right = values[0], values[1]
    if expr.op in _EQUALITIES and (staged := _of_production(expr.op, left, right, at)) is not None:
        return staged
    if expr.op == "+" and (_is_textual(left) or _is_textual(right)):
        return joined([left, right], at)
    if isinstance(left, Choice | Known) and isinstance(right, Choice | Known):
        if expr.op in _EQUALITIES and (isinstance(left, Choice) or isinstance(right, Choice)):
            return _equality(expr.op, left, right, at)
        left, right = _first(left), _first(right)
    if isinstance(left, Known) and isinstance(right, Known):
        return _binary(expr.op, left, right, at)
    if isinstance(left, Sequence) and isinstance(right, Sequence) and expr.op == "+":
        return Sequence((*left.items, *right.items), left.complete and right.complete, at)
    if isinstance(left, Record) and isinstance(right, Record) and expr.op == "|":
        return Record({**left.entries, **right.entries}, left.complete and right.complete, at)
    return open_operand((left, right), at)


def open_operand(values: tuple[Value, ...], at: Location | None) -> Value:
    """Why an operation stays open: the operand that is, symbols first since a caller may close them."""
    for value in values:
        if isinstance(value, Symbol | Env):
            return (
                value
                if isinstance(value, Env)
                else Symbol(value.owner, value.name, (*value.path, "+"), None, value.scope)
            )
    for value in values:
        if isinstance(value, Text):
            for part in value.parts:
                if isinstance(part, Symbol | Env):
                    return part
    for value in values:
        if isinstance(value, Unknown):
            return value
    return Unknown("an operand is not a plain value", at)


def _is_textual(value: Value) -> bool:
    return isinstance(value, Text) or (isinstance(value, Known) and isinstance(value.value, str))


def _first(value: Choice | Known) -> Value:
    if isinstance(value, Choice):
        return next((o for o in value.options if isinstance(o, Known)), value)
    return value


def _of_production(op: str, left: Value, right: Value, at: Location) -> Value | None:
    """``process.env.NODE_ENV === 'test'``: what is audited is what runs in production."""
    word = right if _is_stage(left) else left if _is_stage(right) else None
    if not (isinstance(word, Known) and isinstance(word.value, str) and word.value != "prod"):
        return None
    return _binary(op, Known("production"), word, at)


def _is_stage(value: Value) -> bool:
    """``process.env.NODE_ENV``, with or without a default behind it."""
    return (isinstance(value, Env) and value.name == _STAGE) or (
        isinstance(value, Known) and value.default_of == _STAGE
    )


def conditional(folder: Folder, expr: Conditional, scope: Scope) -> Value:
    """``test ? a : b``: one of the two where the test is known; what is bounded where one is only its bound."""
    test = truth(folder.fold(expr.test, scope))
    if test is not None:
        return folder.fold(expr.then if test else expr.otherwise, scope)
    ways = [folder.fold(expr.then, scope), folder.fold(expr.otherwise, scope)]
    bounded = _bounded(expr)
    if bounded is not None and isinstance(ways[bounded], Unknown | External):
        return ways[bounded]  # a computed value, and no setting for which the bound may stand in
    return choice(ways)


def _bounded(expr: Conditional) -> int | None:
    """Which branch the test compares: ``rest > 0 ? rest : 1000``."""
    if not (isinstance(expr.test, Operation) and expr.test.op in ("<", "<=", ">", ">=")):
        return None
    compared = {o.name for o in expr.test.operands if isinstance(o, Name)}
    ways = (expr.then, expr.otherwise)
    return next((n for n, way in enumerate(ways) if isinstance(way, Name) and way.name in compared), None)


def _equality(op: str, left: Choice | Known, right: Choice | Known, at: Location) -> Value:
    """A comparison with one of several: told where all that it may be agree. What is switched off is none of them."""
    told = [_binary(op, a, b, at) for a in _present(left) for b in _present(right)]
    if not told or len({t.value for t in told if isinstance(t, Known)}) != 1:
        return Unknown("a comparison with one of several values", at)
    return told[0]


def _present(value: Choice | Known) -> list[Known]:
    """The values that are known; ``false`` and nothing beside others only say that there may be none.

    Beside what is open only a default counts, which stands last: ``settings.every || 'daily'``.
    """
    if isinstance(value, Known):
        return [value]
    is_open = any(not isinstance(o, Known) for o in value.options)
    options = value.options[-1:] if is_open else value.options
    return [o for o in options if isinstance(o, Known) and o.value is not None and o.value is not False]


def _logical(folder: Folder, expr: Operation, scope: Scope) -> Value:
    """``a || b``, ``a ?? b``, ``a and b``: an environment variable or option takes the default behind it."""
    result: Value = folder.fold(expr.operands[0], scope)
    for operand in expr.operands[1:]:
        if expr.op == "and":
            known = truth(result)
            if known is False:
                return result
            right = folder.fold(operand, scope)
            result = right if known or not isinstance(right, Unknown) else result
            continue
        if expr.op == "??":
            if isinstance(result, Known) and result.value is not None and result.default_of is None:
                return result
            # What lies outside the tree may be absent (``global.prisma ?? new PrismaClient()``); an object just made
            # is not.
            made = isinstance(result, External) and result.call is not None and result.call.is_new
            settled = made or not isinstance(result, Env | Unknown | Symbol | Choice | Known | External)
        else:
            known = truth(result)
            if known is True:
                return result
            settled = False
        if settled:
            return result
        right = folder.fold(operand, scope)
        if isinstance(result, Env) and isinstance(right, Known):
            result = Known(right.value, right.at, right.unit, result.name)
        elif isinstance(result, Known):
            result = right
        elif isinstance(result, Unknown) and isinstance(right, Known):
            result = Known(right.value, right.at, right.unit, "an option")
        elif isinstance(result, Unknown):
            result = right
        elif not (isinstance(result, Env) and isinstance(right, Env | Unknown)):
            result = choice((result, right))
    return result


def _unary(op: str, value: Value, at: Location) -> Value:
    if isinstance(value, Known) and isinstance(value.value, int | float):
        number = value.value
        if op == "-":
            return Known(-number, at, value.unit, value.default_of)
        if op == "+":
            return Known(number, at, value.unit, value.default_of)
        if op == "~" and isinstance(number, int):
            return Known(~number, at)
    if op == "+" and isinstance(value, Known) and isinstance(value.value, str):
        return number_from(value, at)
    if op == "+":
        return value
    return open_operand((value,), at)


def _binary(op: str, left: Known, right: Known, at: Location) -> Value:
    a, b = left.value, right.value
    default_of = left.default_of or right.default_of
    unit = left.unit or right.unit
    if op in ("==", "is"):
        return Known(a == b, at, default_of=default_of)
    if op in ("!=", "is not"):
        return Known(a != b, at, default_of=default_of)
    if (
        isinstance(a, bool)
        or isinstance(b, bool)
        or not isinstance(a, int | float)
        or not isinstance(b, int | float)
    ):
        if op == "*" and isinstance(a, str) and isinstance(b, int | float):
            number = number_from(left, at)
            if isinstance(number, Known):
                return _binary(op, number, right, at)
        if op == "%" and isinstance(a, str):
            return Text((a, right), at)
        return Unknown("an operation on values that are no numbers", at)
    at = _origin(left, right, at)
    result: Scalar
    try:
        match op:
            case "+":
                result = a + b
            case "-":
                result = a - b
            case "*":
                result = a * b
            case "/":
                result = a / b
            case "//":
                result = a // b
            case "%":
                result = a % b
            case "**":
                result = float(a) ** b if abs(b) < 64 and abs(a) < 1e6 else math.inf
            case "<":
                result = a < b
            case "<=":
                result = a <= b
            case ">":
                result = a > b
            case ">=":
                result = a >= b
            case "<<" | ">>" | "&" | "|" | "^" if isinstance(a, int) and isinstance(b, int):
                result = _bits(op, a, b)
            case _:
                return Unknown("an operator that is not folded", at)
    except (ZeroDivisionError, OverflowError, ValueError):
        return Unknown("a computation that fails", at)
    if isinstance(result, float) and result.is_integer() and abs(result) < 2**53:
        result = int(result)
    return Known(result, at, unit, default_of)


def _origin(left: Known, right: Known, at: Location) -> Location:
    """Where a computed number is stated: at the operand that comes from elsewhere (``config.seconds * 1000``)."""
    for operand in (left, right):
        if operand.at is not None and (operand.at.path, operand.at.line) != (at.path, at.line):
            return operand.at
    return at


def _bits(op: str, a: int, b: int) -> int:
    if op in ("<<", ">>"):
        return a << b if op == "<<" and 0 <= b < 64 else a >> max(b, 0)
    return a & b if op == "&" else a | b if op == "|" else a ^ b


def number_from(value: Known, at: Location | None) -> Value:
    """``Number(x)``, ``int(x)``."""
    raw = value.value
    if isinstance(raw, bool) or raw is None:
        return Known(int(bool(raw)), at, value.unit, value.default_of)
    if isinstance(raw, int | float):
        return Known(raw, at, value.unit, value.default_of)
    try:
        number = float(raw.replace("_", "").strip() or "nan")
    except ValueError:
        return Unknown(f"{raw!r} is no number", at)
    if math.isnan(number) or math.isinf(number):
        return Unknown(f"{raw!r} is no number", at)
    return Known(int(number) if number.is_integer() else number, at, value.unit, value.default_of)


def merged(value: Value) -> Value:
    """One object for a choice of objects, as far as all of them have the same keys written out; else the value."""
    if not isinstance(value, Choice) or not all(isinstance(o, Record) for o in value.options):
        return value
    options = [o for o in value.options if isinstance(o, Record)]
    entries: dict[str, Value | Lazy] = {}
    for key in dict.fromkeys(k for o in options for k in o.entries):
        entries[key] = Unknown(f"{key} is one of several that are spread", options[0].at)
    return Record(entries, all(o.complete for o in options), options[0].at)


def unset_variable(value: Value) -> str | None:
    """The variable of the environment that a value is, where nothing in the tree sets it: a conversion of it fails."""
    match value:
        case Env():
            return value.name
        case Known() if value.value is None:
            return value.default_of
        case Choice():
            return next((n for o in value.options if (n := unset_variable(o)) is not None), None)
        case _:
            return None
