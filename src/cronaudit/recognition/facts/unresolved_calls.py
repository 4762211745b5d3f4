"""Calls that may change something, on objects that cannot be resolved: that nothing changes is not proved then."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cronaudit.model.facts import Unresolved
from cronaudit.model.ir import Function, Name
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import Symbol, Unknown
from cronaudit.recognition.context import JobContext

_CHANGING = re.compile(
    r"(?:save|create|insert|update|delete|remove|destroy|store|upsert|persist|set|incr|write|send|publish|bulk|purge|"
    r"archive|mark|sortedSet(?:Add|Remove)|add|del)(?:[A-Z_]|$)"
)
"""Methods that change something, on whatever object."""
_WRITING = re.compile(
    r"(?:save|create|insert|update|delete|remove|destroy|upsert|persist|bulk|purge)(?:[A-Z_]|$)|findOrCreate$"
)
"""Methods that write to a database, on whatever object."""
_INSERTING = re.compile(r"(?:create|insert|upsert|persist|bulkCreate|bulkInsert)(?:[A-Z_]|$)|findOrCreate$")


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
    for event in context.trace.events:
        if (
            event.kind is EventKind.CALL
            and event.order not in sighted
            and isinstance(event.callee, Unknown | Symbol)
            and names.match(_name(event))
            and (event.awaited or _calls_back(event))
        ):
            yield event


def _name(event: Event) -> str:
    return str(getattr(getattr(event.call, "callee", None), "name", ""))


def _calls_back(event: Event) -> bool:
    """Whether the last argument is a function that is called with the outcome."""
    last = event.call.args[-1].value if event.call is not None and event.call.args else None
    return isinstance(last, Function) or (
        isinstance(last, Name) and last.name in ("next", "callback", "cb", "done")
    )
