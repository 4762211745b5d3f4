"""The terms of a lock: its key and whose that is, its time to live, its renewal, and how it is called."""

from __future__ import annotations

import re
from typing import Literal

from cronaudit.knowledge.selectors import select
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import Member, Name
from cronaudit.model.trace import RegionKind
from cronaudit.model.value import Closure, Known, Sequence, Text, Value
from cronaudit.model.walking import inside
from cronaudit.recognition.context import JobContext, Service, once_a_service
from cronaudit.recognition.facts.lock_backend import store_word
from cronaudit.recognition.facts.lock_found import Lock, find_locks
from cronaudit.recognition.facts.lock_store import title_of
from cronaudit.recognition.facts.spans import named_at, number_of, place_of, spans_of, written
from cronaudit.recognition.sightings import Sighting, text_of
from cronaudit.recognition.timing import why_open

TTL_HINT = lazy_regex(r"ttl|lock|expir|lease|timeout|hold", re.IGNORECASE)
_TELLING_APART = lazy_regex(
    r"name|job|task|cron|slug|type|kind|handler|queue|constructor|slot", re.IGNORECASE
)
_UNITS: tuple[tuple[re.Pattern[str], Literal["ms", "s", "min"], float], ...] = (
    (lazy_regex(r"(?:ms|millis|milliseconds|_MS)$", re.IGNORECASE), "ms", 0.001),
    (lazy_regex(r"(?:minutes|mins?)$", re.IGNORECASE), "min", 60.0),
    (lazy_regex(r"(?:seconds|secs?|_s)$", re.IGNORECASE), "s", 1.0),
)
_SHORT = 4


def mechanism_of(sighting: Sighting, service: Service) -> str:
    """``Redis SET NX lock``: what keeps two runs apart, in words."""
    word = str(sighting.description.word("kind") or "lease")
    title = title_of(store_word(sighting, service))
    if word in ("session", "transaction"):
        return f"{title} advisory lock"
    if word == "row":
        return f"{title} row lock"
    if word == "slot":
        return "Claim row for each scheduled time"
    callee = sighting.event.call.callee if sighting.event.call is not None else None
    method = str(getattr(callee, "name", "")).upper()
    flags = [f for f in _flags(sighting) if method]
    return f"{title} {method} {' '.join(flags)} lock" if flags else f"{title} lock"


def _flags(sighting: Sighting) -> list[str]:
    """The literals in capitals among the arguments that no number follows: ``NX``."""
    args = sighting.view.args
    values = [sighting.linker.force(a) for a in args.positional] if args is not None else []
    found: list[str] = []
    for value, behind in zip(values, (*values[1:], None), strict=False):
        text = value.value if isinstance(value, Known) else None
        is_last = behind is None or (isinstance(behind, Known) and isinstance(behind.value, str))
        if isinstance(text, str) and text.isupper() and len(text) < _SHORT and is_last:
            found.append(text)
    return found


# ---- the key ---------------------------------------------------------------------------------------------------


def key_of(lock: Lock) -> Fact[str | None]:
    """The key of the lock."""
    sighting = lock.sighting
    value = _single(sighting.param("key"), sighting)
    text = text_of(value)
    at = place_of(value) or sighting.location
    if text is not None:
        return Fact(text, text, (at,), sighting.path)
    if value is None:
        return Fact(None, "The lock has no key", (sighting.location,), sighting.path)
    return Fact(Unresolved(f"the lock's key: {why_open(value)}", at))


def _single(value: Value | None, sighting: Sighting) -> Value | None:
    if isinstance(value, Sequence) and value.items:
        return sighting.linker.force(value.items[0])
    return value


def distinct_of(lock: Lock, context: JobContext) -> Fact[bool]:
    """Whether the key tells this job from the others."""
    sighting = lock.sighting
    value = _single(sighting.param("key"), sighting)
    text = text_of(value)
    at = place_of(value) or sighting.location
    if lock.kind in ("row", "slot") and text is None:
        return Fact(True, "Claims the rows it works on" if lock.kind == "row" else "", (sighting.location,))  # noqa: FBT003
    if text is None:
        reason = (
            "the lock has no key that is known" if value is None else f"the lock's key: {why_open(value)}"
        )
        return Fact(Unresolved(reason, at))
    if isinstance(value, Text) or "${…}" in text:
        if _names_job(lock):
            return Fact(True, text, (at,), sighting.path)  # noqa: FBT003
        return Fact(Unresolved(f"what varies in the lock's key {text} is not known", at))
    others = _others_with(text, context)
    if not others:
        return Fact(True, text, (at,), sighting.path)  # noqa: FBT003
    if context.trait("lock.kind") == "message":
        return Fact(True, f"A claim for each message; {text} is a further, shared lock", (at,), sighting.path)  # noqa: FBT003
    return Fact(False, f"{text} is also the key of {', '.join(others)}", (at,), sighting.path)  # noqa: FBT003


def _names_job(lock: Lock) -> bool:
    """Whether the open part of the key is written as something that tells jobs apart."""
    calls = [
        c
        for c in (lock.caller, lock.guarded.event, lock.sighting.event)
        if c is not None and c.call is not None
    ]
    for event in calls:
        for arg in event.call.args if event.call is not None else ():
            for expr in inside(arg.value):
                if isinstance(expr, Name | Member) and _TELLING_APART.search(expr.name):
                    return True
    return False


def _others_with(text: str, context: JobContext) -> list[str]:
    """The names of other jobs of the service that lock the same key."""
    found: list[str] = []
    for job, held in _all_keys(context.service):
        if job is context or text not in held or _is_same_job(job, context):
            continue
        found.append(job.registration.name or str(job.site))
    return sorted(set(found))


@once_a_service
def _all_keys(service: Service) -> tuple[tuple[JobContext, frozenset[str]], ...]:
    return tuple((job, frozenset(_keys(job))) for job in service.jobs)


def _keys(job: JobContext) -> list[str]:
    if not job.trace.events:
        return []
    texts = [key_of(lock).value for lock in find_locks(job, spans_of(job))]
    return [t for t in texts if isinstance(t, str)]


def _is_same_job(a: JobContext, b: JobContext) -> bool:
    """Whether two registrations run the same code: two schedules of one job."""
    if a.registration is b.registration:
        return True
    one, other = a.handler, b.handler
    same = isinstance(one, Closure) and isinstance(other, Closure) and one.function is other.function
    return same and a.trace.functions == b.trace.functions and a.registration.name == b.registration.name


# ---- the time --------------------------------------------------------------------------------------------------


def _ttl_sighting(lock: Lock) -> Sighting:
    """Where the time to live stands: at the call, or at the one that sets it right behind (``expire``)."""
    if lock.sighting.param("ttl") is not None:
        return lock.sighting
    for extend in lock.extends:
        if extend.effect == "key.expire" and not _repeats(extend):
            return extend
    return lock.sighting


def _repeats(sighting: Sighting) -> bool:
    return any(r.kind in (RegionKind.LOOP, RegionKind.CALLBACK) for r in sighting.event.regions())


def ttl_of(lock: Lock, context: JobContext) -> Fact[float | None]:
    """How long the lock is held when nobody gives it back, in seconds."""
    if lock.kind in ("session", "transaction", "row", "slot") and lock.sighting.param("ttl") is None:
        return Fact(None, "Ends with its session" if lock.kind != "slot" else "", (lock.sighting.location,))
    sighting = _ttl_sighting(lock)
    value = sighting.param("ttl")
    at = place_of(value)
    places = tuple(p for p in (at, sighting.location) if p is not None)
    if value is None:
        return Fact(None, "No TTL on the lock", (sighting.location,), sighting.path)
    seconds = sighting.seconds("ttl")
    if seconds is None:
        named = named_at(context.linker, at, TTL_HINT)
        factor = _unit_of_name(named[0])[1] if named is not None else None
        number = number_of(value)
        seconds = number * factor if number is not None and factor is not None else None
    if seconds is None:
        reason = (
            "the unit of the TTL is not known"
            if number_of(value) is not None
            else f"the TTL: {why_open(value)}"
        )
        return Fact(Unresolved(reason, at or sighting.location), "", places)
    return Fact(seconds, written(context.linker, at, TTL_HINT), places, sighting.path)


def _unit_of_name(name: str) -> tuple[Literal["ms", "s", "min"] | None, float | None]:
    return next(((unit, factor) for pattern, unit, factor in _UNITS if pattern.search(name)), (None, None))


def option_of(lock: Lock, context: JobContext) -> Fact[str | None]:
    """The option that sets the time to live, as written."""
    sighting = _ttl_sighting(lock)
    at = place_of(sighting.param("ttl"))
    named = named_at(context.linker, at, TTL_HINT)
    return Fact(named[0] if named is not None else None, "", (at,) if at is not None else ())


def unit_of(lock: Lock, context: JobContext) -> Fact[Literal["ms", "s", "min", "none"]]:
    """The unit in which that option counts."""
    sighting = _ttl_sighting(lock)
    value = sighting.param("ttl")
    named = named_at(context.linker, place_of(value), TTL_HINT)
    if named is not None:
        unit = _unit_of_name(named[0])[0]
        if unit is not None:
            return Fact(unit)
    for selector in sighting.description.param("ttl"):
        found = select(selector, sighting.view, sighting.linker.force)
        if isinstance(found, Known) and number_of(found) is not None:
            if found.unit is not None and found.unit != selector.unit:
                return Fact("none")
            stated = selector.unit
            return (
                Fact("ms")
                if stated == "ms"
                else Fact("s")
                if stated == "s"
                else Fact("min")
                if stated == "min"
                else Fact("none")
            )
    return Fact("none")


# ---- renewal ---------------------------------------------------------------------------------------------------


def renewal_of(lock: Lock) -> Fact[Literal["renewed", "bound", "early-ack", "slot", "none"]]:
    """Whether the lock lives as long as the run."""
    sighting = lock.sighting
    if lock.kind == "slot":
        return Fact("slot", "A claim for one scheduled time", (sighting.location,), sighting.path)
    if lock.kind in ("session", "transaction") or (
        lock.kind == "row" and sighting.param("ttl") is None and not lock.releases
    ):
        word = "session" if lock.kind == "session" else "transaction"
        return Fact("bound", f"Held by its {word}", (sighting.location,), sighting.path)
    if sighting.description.word("renews") is True:
        return Fact("renewed", "Renewed while the job runs", (sighting.location,), sighting.path)
    for extend in lock.extends:
        # `expire` behind `setnx` sets the time to live; on a timer or in a loop it renews.
        is_behind = extend.event.order > sighting.event.order
        if is_behind and (_repeats(extend) or extend.effect == "lock.extend"):
            return Fact("renewed", "Extended while the job runs", (extend.location,), extend.path)
    place = lock.holder.location if lock.holder is not None else sighting.location
    return Fact("none", "No renewal mechanism", (place, sighting.location), sighting.path)
