"""Conditions: whether a description holds for a call, as far as its folded arguments tell."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cronaudit.knowledge.selectors import Called, Force, Take, select
from cronaudit.model.ir import Scalar
from cronaudit.model.knowledge import Condition
from cronaudit.model.value import (
    Builtin,
    Choice,
    ClassValue,
    Closure,
    External,
    Instance,
    Known,
    Record,
    Sequence,
    Text,
    Unknown,
    Value,
)

KINDS = ("text", "number", "bool", "function", "object", "list")


def holds(
    conditions: Iterable[Condition], call: Called, force: Force, take: Take | None = None
) -> bool | None:
    """Whether all conditions hold; None where one of them cannot be told and no other fails."""
    result: bool | None = True
    for condition in conditions:
        one = _holds(condition, call, force, take)
        if one is False:
            return False
        if one is None:
            result = None
    return result


def _holds(condition: Condition, call: Called, force: Force, take: Take | None) -> bool | None:
    if condition.test in {"has", "lacks"}:
        found = _has(condition, call, force, take)
        return found if condition.test == "has" or found is None else not found
    value = select(condition.select, call, force, take)
    if condition.test in {"present", "missing"}:
        if isinstance(value, Unknown):
            return None
        # A member that nothing defines is a method of the language at most.
        stated = value is not None and not isinstance(value, Builtin)
        return stated is (condition.test == "present")
    options = value.options if isinstance(value, Choice) else (value,)
    if condition.test == "unless":
        return not all(_is_one(option, condition) for option in options)
    results = {_one_holds(condition, option) for option in options}
    return results.pop() if len(results) == 1 else None


def _one_holds(condition: Condition, value: Value | None) -> bool | None:
    test, values = condition.test, condition.values
    if value is None:
        return test == "not"
    if test == "kind":
        kind = _kind_of(value)
        return None if kind is None else kind in values
    if test == "matches":
        text = _literal_text(value)
        if text is None:
            return None
        if re.search(str(values[0]), text):
            return True
        return False if isinstance(value, Known | External) else None
    if isinstance(value, External):
        return (value.path in values) is (test != "not")
    if not isinstance(value, Known):
        return None
    return _is_one(value, condition) is (test != "not")


def _is_one(value: Value | None, condition: Condition) -> bool:
    return isinstance(value, Known) and any(_same(value.value, other) for other in condition.values)


def _has(condition: Condition, call: Called, force: Force, take: Take | None) -> bool | None:
    """Whether a literal stands among the arguments (``'NX'``), or as a key of an object among them."""
    value = select(condition.select, call, force, take)
    items = value.items if isinstance(value, Sequence) else (value,)
    certain = not isinstance(value, Sequence) or value.complete
    for raw in items:
        item = None if raw is None else force(raw)
        if isinstance(item, Known):
            if any(_same(item.value, wanted) for wanted in condition.values):
                return True
        elif isinstance(item, Record):
            truths = [
                not (isinstance(inner, Known) and not inner.value)
                for wanted in condition.values
                for key, raw_inner in item.entries.items()
                if _same(key, wanted)
                for inner in (force(raw_inner),)
            ]
            if any(truths):
                return True
            certain = certain and item.complete
        elif item is not None and not isinstance(item, Closure | ClassValue | Instance | Text):
            certain = False
    return False if certain else None


def _same(value: Scalar, wanted: Scalar) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value.lower() == wanted.lower()
    return type(value) is type(wanted) and value == wanted


def _literal_text(value: Value) -> str | None:
    if isinstance(value, Known):
        return value.value if isinstance(value.value, str) else None
    if isinstance(value, Text):
        return "".join(part if isinstance(part, str) else "\0" for part in value.parts)
    return value.path if isinstance(value, External) else None


def _kind_of(value: Value) -> str | None:
    match value:
        case Known():
            if isinstance(value.value, bool):
                return "bool"
            return "number" if isinstance(value.value, int | float) else "text"
        case Text():
            return "text"
        case Closure():
            return "function"
        case Record() | Instance():
            return "object"
        case Sequence():
            return "list"
        case _:
            return None
