"""Whether a job only reads or reports its own instance, so that every instance must run it (ruling 8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact
from cronaudit.model.ir import Array, Assign, Call, Const, Function, Member, Name, Object, This
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import Closure
from cronaudit.model.walking import expressions, inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.elsewhere import own_files
from cronaudit.recognition.facts.spans import is_changing
from cronaudit.recognition.sightings import Sighting

_OWN: Final = frozenset(
    "memory.read memory.export metric.observe metric.count metric.push metric.serve metric.declare host.id log log.base"
    " timer.clear timer.after monitor.ping monitor.checkin telemetry.send id.make sleep yield async.wait db.read_one"
    " timeout.signal timeout.part".split()
)
"""What a report on the instance itself is made of."""
_READS_ITSELF: Final = frozenset(("memory.read", "memory.export", "host.id"))
_SENDS: Final = frozenset(
    "http.request db.insert db.upsert db.update queue.enqueue cache.set file.write metric.push event.publish".split()
)
_INSTANCE_WORDS: Final = lazy_regex(
    r"(?:instance|node|host|pod|server|process|worker)_?(?:id|name)|hostname|self.?hosted|uptime",
    re.IGNORECASE,
)


def per_instance_of(context: JobContext) -> Fact[bool]:
    """True only where the whole walk was seen and everything in it is about the instance."""
    if not context.trace.complete or context.registration.handler is None or not context.trace.events:
        return Fact(value=False)
    reads = [s for s in context.sightings if s.effect in _READS_ITSELF]
    outside = [s for s in context.sightings if s.effect not in _OWN and s.effect not in _READS_ITSELF]
    if reads and not outside:
        return Fact(True, "Reads its own process only", (reads[0].location,), reads[0].path)  # noqa: FBT003 - the value
    metrics = [s for s in context.sightings if s.effect in ("metric.observe", "metric.push")]
    if metrics and not outside and not _reads_shared(context):
        return Fact(True, "Reports metrics of its own process", (metrics[0].location,), metrics[0].path)  # noqa: FBT003
    drained = _drained(context)
    if drained is not None:
        event, name = drained
        return Fact(True, f"Empties the buffer {name} of its own instance", (event.location,), event.path)  # noqa: FBT003
    report = _report(context, outside)
    if report is not None:
        return Fact(True, "Reports its own instance", (report.location,), report.path)  # noqa: FBT003
    return Fact(value=False)


def _reads_shared(context: JobContext) -> bool:
    return bool(context.seen("db.read", "db.query", "db.stream", "cache.get"))


def _report(context: JobContext, outside: list[Sighting]) -> Event | None:
    """``captureEvent('heartbeat', {node: nodeId})``: one message about the instance, and nothing else."""
    sends = [s.event for s in outside if s.effect in ("http.request", "telemetry.send")]
    if len(sends) != len(outside):
        return None
    read = {s.event.order for s in context.sightings}
    opaque = [
        e
        for e in context.trace.events
        if e.kind is EventKind.CALL
        and e.order not in read
        and e.external is not None
        and not e.external.startswith(("global:", "builtins.", "node:"))
    ]
    sends += opaque
    if len(sends) != 1 or sends[0].call is None:
        return None
    return sends[0] if any(_INSTANCE_WORDS.search(w) for w in _words_in(sends[0].call)) else None


def _words_in(call: Call) -> Iterator[str]:
    for argument in call.args:
        for e in inside(argument.value):
            if isinstance(e, Name | Member):
                yield e.name
            elif isinstance(e, Object):
                yield from (entry.key for entry in e.entries if isinstance(entry.key, str))


# ---- buffers ---------------------------------------------------------------------------------------------------


def _drained(context: JobContext) -> tuple[Event, str] | None:
    """``const batch = this.buffer; this.buffer = []; await send(batch)``: what is sent was collected here."""
    if context.seen(
        "db.read", "db.read_one", "db.stream", "file.read", "queue.consume", "db.delete", "mail.send"
    ):
        return None
    sends = [s for s in context.sightings if s.effect in _SENDS or is_changing(s)]
    if not sends or any(s.effect == "db.query" and not is_changing(s) for s in context.sightings):
        return None
    own = set(own_files(context))
    for event in context.trace.events:
        callee = event.callee
        if isinstance(callee, Closure) and event.call is None and callee.function.module.path in own:
            found = _emptied(callee.function)
            if found is not None and all(_takes(s, found[1], callee.function) for s in sends):
                return event, found[0]
    return None


def _emptied(function: Function) -> tuple[str, frozenset[str]] | None:
    """The state that a function takes over and empties, and the local names that hold what it held."""
    local = {p.name for p in function.params if p.name}
    local |= {
        s.target.name
        for s in statements(function.body)
        if isinstance(s, Assign) and s.declares and isinstance(s.target, Name)
    }
    for s in statements(function.body):
        if (
            isinstance(s, Assign)
            and not s.declares
            and s.op == "="
            and s.value is not None
            and _is_empty(s.value)
        ):
            name = _state(s.target, local)
            if name is not None:
                return name, frozenset((name, *_holders(function, name)))
    for e in expressions(function.body):
        if isinstance(e, Call) and isinstance(e.callee, Member) and e.callee.name in ("splice", "clear"):
            name = _state(e.callee.object, local)
            whole = e.callee.name == "clear" or (
                bool(e.args) and isinstance(e.args[0].value, Const) and e.args[0].value.value == 0
            )
            if name is not None and whole:
                return name, frozenset((name, *_holders(function, name)))
    return None


def _is_empty(value: object) -> bool:
    if isinstance(value, Array):
        return not value.items
    if isinstance(value, Object):
        return not value.entries
    return isinstance(value, Call) and value.is_new and not value.args


def _state(target: object, local: set[str]) -> str | None:
    if isinstance(target, Member) and isinstance(target.object, This):
        return target.name
    if isinstance(target, Name) and target.name not in local:
        return target.name
    return None


def _holders(function: Function, name: str) -> list[str]:
    """Locals made of the state, or of such a local."""
    names = {name}
    for s in statements(function.body):
        if not isinstance(s, Assign) or not isinstance(s.target, Name) or s.value is None:
            continue
        if any(isinstance(e, Name | Member) and e.name in names for e in inside(s.value)):
            names.add(s.target.name)
    return sorted(names - {name})


def _takes(sighting: Sighting, names: frozenset[str], function: Function) -> bool:
    """Whether a call sends what was taken over; in another function its argument has been handed on."""
    call = sighting.event.call
    if call is None:
        return False
    if sighting.event.scope.node is not function:
        return function.symbol in sighting.event.path
    return any(isinstance(e, Name | Member) and e.name in names for a in call.args for e in inside(a.value))
