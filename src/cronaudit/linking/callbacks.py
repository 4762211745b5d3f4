"""The functions that a call is handed, and what it hands to them."""

from __future__ import annotations

from cronaudit.linking import operators
from cronaudit.linking.builtins import EACH_METHODS
from cronaudit.linking.fold import Evaluator
from cronaudit.model.ir import Const, Function, Object, Template
from cronaudit.model.value import (
    Arguments,
    Builtin,
    Closure,
    External,
    Lazy,
    Record,
    Sequence,
    Unknown,
    Value,
)

_EACH = EACH_METHODS - {"reduce"}
_MOST_ITEMS = 20
_DEPTH = 3
"""How deep an argument is searched for functions: ``{on: {error: f}}`` is two."""


def functions_in(raw: Value | Lazy, evaluator: Evaluator, depth: int = 0) -> list[Closure]:
    """The functions in an argument: itself, and those in objects and lists that are written out."""
    if isinstance(raw, Lazy) and isinstance(raw.expr, Const | Template):
        return []
    if isinstance(raw, Lazy) and not isinstance(raw.expr, Function | Object):
        value = evaluator.fold(raw.expr, raw.scope)
    else:
        value = evaluator.force(raw)
    if isinstance(value, Closure):
        return [value]
    if depth >= _DEPTH:
        return []
    if isinstance(value, Record) and isinstance(raw, Lazy) and isinstance(raw.expr, Object):
        return [c for v in value.entries.values() for c in functions_in(v, evaluator, depth + 1)]
    if isinstance(value, Sequence) and depth == 0:
        return [c for v in value.items for c in functions_in(v, evaluator, depth + 1)]
    return []


def passed_on(callee: Value, evaluator: Evaluator) -> Arguments:
    """What a call hands to its callback: ``transaction(async (tx) => …)``, ``jobs.map((job) => job.stop())``."""
    if isinstance(callee, Builtin) and isinstance(callee.receiver, Sequence) and callee.name in _EACH:
        items = tuple(evaluator.force(i) for i in callee.receiver.items[:_MOST_ITEMS])
        return Arguments((operators.choice(items),) if items else (), {}, complete=False)
    if not isinstance(callee, External):
        return Arguments((), {}, complete=False)
    values: list[Value] = []
    if callee.path.rsplit(".", 1)[-1] in EACH_METHODS and callee.receiver is not None:
        # ``(await User.find()).map(async (user) => …)``
        values.append(External(f"{callee.receiver.path}[]", receiver=callee.receiver))
    for what in evaluator.foreign.passed(callee):
        if what == "receiver" and callee.receiver is not None:
            values.append(callee.receiver)
        else:
            values.append(External(what) if what else Unknown("what the library passes is not known"))
    return Arguments(tuple(values), {}, complete=False)
