"""The functions that a call is handed."""

from __future__ import annotations

from cronaudit.linking.fold import Evaluator
from cronaudit.model.ir import Const, Function, Object, Template
from cronaudit.model.value import Closure, Lazy, Record, Sequence, Value

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
