"""Methods that insert a new row and update one that was read before: which of both a call does."""

from __future__ import annotations

from typing import Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Loop
from cronaudit.model.value import Choice, External, Instance, Record, Sequence, Symbol, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.sightings import Sighting

Row = Literal["new", "read", "open"]
_READS = frozenset(("db.read", "db.read_one", "db.stream"))
_TAKEN = lazy_regex(r"(\[\]|\(\))+$")
"""What is taken of a query's answer: an item, the answer itself."""
_DEPTH = 4


def row_of(sighting: Sighting, context: JobContext) -> Row:
    """Where the row comes from that a call writes; ``open`` where that cannot be told."""
    data = sighting.param("data")
    return "open" if data is None else _origin(data, context, 0)


def _origin(value: Value, context: JobContext, depth: int) -> Row:
    linker = context.linker
    if depth > _DEPTH:
        return "open"
    match value:
        case External():
            return "read" if _is_read(value, context) else "open"
        case Instance():
            # Without arguments only its declared type is known, and nobody knows who has made it.
            return "new" if value.args is not None else "open"
        case Record():
            return "new"
        case Choice():
            return _together([_origin(o, context, depth + 1) for o in value.options])
        case Sequence():
            return _together([_origin(linker.force(i), context, depth + 1) for i in value.items])
        case Symbol() if isinstance(value.owner, Loop) and not value.path:
            if value.owner.iterable is None or value.scope is None:
                return "open"
            return _origin(linker.fold(value.owner.iterable, value.scope), context, depth + 1)
        case _:
            return "open"


def _together(found: list[Row]) -> Row:
    """One that may be new is inserted all the same."""
    if not found or "new" in found:
        return "new"
    return "open" if "open" in found else "read"


def _is_read(value: External, context: JobContext) -> bool:
    matcher = context.service.matcher
    paths = {value.path, _TAKEN.sub("", value.path)}
    return any(e.effect in _READS for path in paths for e in matcher.effects(path))
