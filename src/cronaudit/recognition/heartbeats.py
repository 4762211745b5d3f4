"""Timers that only tell the other side of a connection, or the nodes beside this one, that the process lives."""

from __future__ import annotations

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Function, Member, Name
from cronaudit.model.trace import Trace
from cronaudit.model.value import Closure
from cronaudit.recognition.found import Registration
from cronaudit.recognition.timers import Judgement, handle_of

_BEAT = lazy_regex(r"[Hh]eart_?[Bb]eat|[Kk]eep_?[Aa]live|(^|_)ping([A-Z_]|$)|[a-z]Ping([A-Z_]|s?$)")


_SPEAKS = frozenset(("ping", "pong", "send", "terminate"))
"""What is done to the other side of a connection."""


def is_heartbeat(registration: Registration, judgement: Judgement, trace: Trace) -> bool:
    """Whether the code calls a timer, what keeps it or what arms it a heartbeat, and speaks to a connection."""
    if not judgement.by_opaque or registration.kind != "set-interval":
        return False
    node, call, handler = registration.node, registration.call.call, registration.handler
    names = [handler.function.name if isinstance(handler, Closure) else None]
    if call is not None:
        handle = handle_of(call, node)
        names.append(handle.name if isinstance(handle, Name | Member) else None)
    while isinstance(node, Function) and node.name is None:
        node = node.parent
    names.append(node.name if isinstance(node, Function) else None)
    if not any(name is not None and _BEAT.search(name) for name in names):
        return False
    return any(e.call is not None and getattr(e.call.callee, "name", "") in _SPEAKS for e in trace.events)
