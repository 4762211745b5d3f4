"""Walks that saw no work and end in a call that nobody can tell."""

from __future__ import annotations

from cronaudit.model.ir import Call, Const, Member, Opaque, Template
from cronaudit.model.trace import Trace
from cronaudit.model.value import Symbol, Unknown
from cronaudit.recognition.sightings import Sighting

_CONTINUATIONS = frozenset(
    ("next", "cb", "callback", "done", "resolve", "reject", "then", "catch", "finally")
)
"""Names of what goes on after the work: calling it is no work."""
_TALK = frozenset(("log", "console.log", "timer.after", "async.wait", "cron.parse"))


def without_blind_end(trace: Trace, sightings: tuple[Sighting, ...]) -> Trace:
    """A walk that saw no work and ends in a call that nobody can tell is not complete."""
    if not trace.complete or any(s.effect not in _TALK for s in sightings):
        return trace
    for event in trace.events:
        call = event.call
        if call is None or not isinstance(event.callee, Symbol | Unknown) or not event.awaited:
            continue
        name = getattr(call.callee, "name", None) or "a function picked at run time"
        if name in _CONTINUATIONS or _is_of_literal(call):
            continue
        return Trace(trace.events, complete=False, cut=f"what {name} runs is not resolved ({event.location})",
                     functions=trace.functions)  # fmt: skip
    return trace


def _is_of_literal(call: Call) -> bool:
    """``/^[a-z]+$/.test(name)``: a method of the language, on an expression that is written out on the spot."""
    return isinstance(call.callee, Member) and isinstance(call.callee.object, Opaque | Template | Const)
