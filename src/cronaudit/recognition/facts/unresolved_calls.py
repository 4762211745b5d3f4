"""Calls that may change something, on objects that cannot be resolved: that nothing changes is not proved then."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Unresolved
from cronaudit.model.ir import Call, Function, Member, Name
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import External, Symbol, Unknown
from cronaudit.recognition.context import JobContext

_CHANGING = lazy_regex(
    r"(?:save|create|insert|update|delete|remove|destroy|store|upsert|persist|set|incr|write|send|publish|bulk|purge|"
    r"archive|mark|sortedSet(?:Add|Remove)|add|del)(?:[A-Z_]|$)"
)
"""Methods that change something, on whatever object."""
_WRITING = lazy_regex(
    r"(?:save|create|insert|update|delete|remove|destroy|upsert|persist|bulk|purge)(?:[A-Z_]|$)|findOrCreate$"
)
"""Methods that write to a database, on whatever object."""
_INSERTING = lazy_regex(r"(?:create|insert|upsert|persist|bulkCreate|bulkInsert)(?:[A-Z_]|$)|findOrCreate$")

_OWN_GLOBAL = lazy_regex(
    r"global:(?!(?:console|process|crypto|document|navigator|fetch|window|self|performance|caches)\b)[a-z_$][\w$]*\."
)
"""A member of the global object that the language does not have."""


def unresolved_change(context: JobContext) -> Event | None:
    """An awaited call of a changing method on an object that cannot be resolved."""
    return next(_unresolved(context, _CHANGING), None)


def unresolved_write(context: JobContext) -> Event | None:
    """The same of one whose name says that it writes to a database."""
    return next(_unresolved(context, _WRITING), None)


def unresolved_insert(context: JobContext) -> Event | None:
    """The same of one that makes a row: ``db.models.Order.create({…})``, ``orders.save(order)``.

    ``order.save()`` writes the row that it is called on, which somebody has made or read before.
    """
    for event in _unresolved(context, _WRITING):
        name = _name(event)
        if _INSERTING.match(name) or (name == "save" and event.call is not None and event.call.args):
            return event
    return None


def called_on_unresolved(event: Event) -> Unresolved:
    """Why what such a call does cannot be told."""
    return Unresolved(f"what {_name(event)}() is called on is not resolved", event.location)


def _unresolved(context: JobContext, names: re.Pattern[str]) -> Iterator[Event]:
    sighted = {s.event.order for s in context.sightings}
    waited = {id(call) for event in context.trace.events if event.awaited for call in _before(event)}
    for event in context.trace.events:
        if (
            event.kind is EventKind.CALL
            and event.order not in sighted
            and _is_unknown(event)
            and names.match(_name(event))
            and (event.awaited or id(event.call) in waited or _calls_back(event))
        ):
            yield event


def _is_unknown(event: Event) -> bool:
    """Whether nobody knows what is called on; an object that only the global one holds is such (``db`` of nowhere)."""
    return isinstance(event.callee, Unknown | Symbol) or (
        isinstance(event.callee, External) and _OWN_GLOBAL.match(event.callee.path) is not None
    )


def _before(event: Event) -> Iterator[Call]:
    """The calls of the chain that a call ends: ``db.insert(table)`` of ``await db.insert(table).values(row)``."""
    callee = event.call.callee if event.call is not None else None
    while isinstance(callee, Member) and isinstance(callee.object, Call):
        yield callee.object
        callee = callee.object.callee


def _name(event: Event) -> str:
    return str(getattr(getattr(event.call, "callee", None), "name", ""))


def _calls_back(event: Event) -> bool:
    """Whether the last argument is a function that is called with the outcome."""
    last = event.call.args[-1].value if event.call is not None and event.call.args else None
    return isinstance(last, Function) or (
        isinstance(last, Name) and last.name in ("next", "callback", "cb", "done")
    )
