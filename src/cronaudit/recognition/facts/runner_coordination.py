"""``runner.election`` and ``runner.contention``: who decides which instance runs, and what a run competes for."""

from __future__ import annotations

from typing import Final, Literal

from cronaudit.knowledge.selectors import first
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, External, Known, Value
from cronaudit.recognition.context import JobContext, seen_fact
from cronaudit.recognition.facts import lock
from cronaudit.recognition.facts.processes import placement
from cronaudit.recognition.facts.processes_sites import placed, written_at
from cronaudit.recognition.facts.runner_placement import separation

Election = Literal["leader", "queue", "platform", "lock", "none"]
Contention = Literal["limited", "shared", "none"]

_AT_ONCE: Final = lazy_regex(r"\s(?:--(?:concurrency|processes|threads|workers)|-c)(?:=|\s+)\d+\b")
_LOCKS: Final = frozenset(("lease", "session", "row", "slot"))
_QUEUES: Final = frozenset(("queue", "message"))
_PLATFORMS: Final = frozenset(("platform", "platform-start"))


def election(context: JobContext) -> Fact[Election]:
    """Who decides which instance runs the job."""
    led = _leader(context)
    if led is not None:
        return led
    guard = lock.build(context)
    kind = guard.kind.value
    if isinstance(kind, Unresolved):
        return Fact(kind)
    where = placement(context).work
    if kind in _QUEUES:
        return Fact("queue", "Any of N queue workers", (where, *guard.kind.locations))
    if kind in _PLATFORMS:
        return Fact("platform", "The platform starts each run", guard.kind.locations or (context.site,))
    if kind in _LOCKS and context.trait("runner.election") == "queue":
        return Fact("queue", "Any of N queue workers, one at a time", (where, *guard.kind.locations))
    if kind in _LOCKS:
        places = guard.coverage.locations or guard.kind.locations
        return Fact("lock", "Lock-based coordination", places, guard.kind.path)
    stated = context.trait("runner.election")
    if stated in ("queue", "platform", "leader", "lock"):
        return Fact(stated, "", (context.site,))  # type: ignore[arg-type]
    return Fact("none", "No coordination", guard.kind.locations)


def _leader(context: JobContext) -> Fact[Election] | None:
    """An election on the job's own path, or one whose callback starts the job."""
    for sighting in context.seen("leader.elect"):
        return seen_fact("leader", sighting, "Leader election")
    starts = placement(context).starts
    if starts and all(any(_elects(context, path) for path in start.calls) for start in starts):
        return Fact("leader", "Started by the leader election", (starts[0].place,))
    return None


def _elects(context: JobContext, path: str) -> bool:
    return any(e.effect == "leader.elect" for e in context.service.matcher.effects(path))


def contention(context: JobContext) -> Fact[Contention]:
    """Whether runs and requests can take each other's connections."""
    guard = lock.build(context)
    kind = guard.kind.value
    if isinstance(kind, Unresolved):
        return Fact(kind)
    if guard.acquire_failure.value == "ignored" and kind in _LOCKS:
        return Fact("none", "The lock is taken and its result ignored", guard.acquire_failure.locations)
    if kind not in (*_LOCKS, *_QUEUES, "platform"):
        return Fact("none", "Neither lock nor queue", guard.kind.locations)
    apart = separation(context)
    has_own = apart.value == "own"
    own = ", own connections" if has_own else ""
    if kind in _QUEUES:
        return _queued(context, own)
    word = "Platform" if kind == "platform" else "Lock"
    if has_own:
        return Fact("limited", f"{word}{own}", (*apart.locations[:1], *guard.kind.locations))
    limited = context.seen("concurrency.limit")
    if limited:
        places = (limited[0].location, *guard.kind.locations)
        return Fact("limited", f"{word} and bounded concurrency", places, limited[0].path)
    if guard.coverage.value == "some":
        return Fact("shared", "Lock on some paths, connections shared", guard.coverage.locations)
    connections = _connections(context)
    return Fact("shared", "Lock yes, connections shared with HTTP", connections or guard.kind.locations)


def _queued(context: JobContext, own: str) -> Fact[Contention]:
    """A queue hands out so many runs at a time as its worker asks for; one where nothing is said."""
    stated, at = _concurrency(context)
    told = _commanded(context) if stated is None else None
    if told is not None:
        return Fact("limited", f"Queue, {told[0]}{own}", (told[1], context.site))
    if stated is None:
        where = (placement(context).work, context.site)
        return Fact("limited", f"Queue, the worker's default concurrency{own}", where)
    if isinstance(stated, Known) and isinstance(stated.value, int | float):
        return Fact("limited", f"Queue, concurrency: {stated.value}{own}", (at, context.site))
    if own:
        return Fact("limited", f"Queue{own}", (at,))
    return Fact(Unresolved("the concurrency of the worker is not resolved", at), "", (at,))


def _concurrency(context: JobContext) -> tuple[Value | None, Location]:
    """The option of the worker, else that of the registration."""
    registration = context.registration
    site = registration.consumer
    if site is not None:
        for name, selectors in site.consumer.options:
            if name == "concurrency":
                value = first(selectors, site.call, context.linker.force)
                if value is not None:
                    at = written_at(site.call.call, site.location.path, selectors)
                    return _one(value), at or getattr(value, "at", None) or site.location
    value = registration.options.get("concurrency")
    return (_one(value) if value is not None else None), context.site


def _commanded(context: JobContext) -> tuple[str, Location] | None:
    """``--concurrency=4`` of the command that starts the worker."""
    for process in placement(context).processes:
        found = _AT_ONCE.search(process.command.text) if process.command is not None else None
        if process.command is not None and found is not None:
            return found[0].strip(), process.command.location
    return None


def _one(value: Value) -> Value:
    return (
        next((o for o in value.options if isinstance(o, Known)), value)
        if isinstance(value, Choice)
        else value
    )


def _connections(context: JobContext) -> tuple[Location, ...]:
    """Where the connections that the job uses are made: the outermost object of its first database call."""
    for sighting in context.seen("db.*"):
        current: External | None = sighting.view.receiver
        last = None
        while current is not None:
            last = current.at or last
            current = current.receiver
        if last is not None and last != sighting.location:
            return (last,)
    pools = placed(context.service, "db.pool")
    return tuple(s.location for s, _node in pools[:1])
