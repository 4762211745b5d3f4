"""What keeps two runs of a job apart."""

from __future__ import annotations

from typing import TypeVar, cast

from cronaudit.model.facts import Fact, LockFacts, Unresolved
from cronaudit.model.source import Location
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.facts.late_claims import is_late, late_claim
from cronaudit.recognition.facts.lock_claims import find_claims
from cronaudit.recognition.facts.lock_errors import release_failure_of
from cronaudit.recognition.facts.lock_flags import find_flag
from cronaudit.recognition.facts.lock_found import find_locks
from cronaudit.recognition.facts.lock_judged import (
    Judged,
    acquire_failure_of,
    coverage_of,
    fail_open_of,
    judge,
    release_of,
    store_failure_of,
)
from cronaudit.recognition.facts.lock_store import Store, queue_store, scheduler_of, single_replica, store_of
from cronaudit.recognition.facts.lock_terms import (
    TTL_HINT,
    distinct_of,
    key_of,
    mechanism_of,
    option_of,
    renewal_of,
    ttl_of,
    unit_of,
)
from cronaudit.recognition.facts.spans import Spans, place_of, spans_of, written
from cronaudit.recognition.facts.stated import option
from cronaudit.recognition.facts.stated import unit_of as option_unit
from cronaudit.recognition.sightings import seconds_of

T = TypeVar("T")

_CLAIMED = ("queue", "platform")
"""What needs no lock of the project's own beside it."""
_MOST_LOCKS = 8


@once
def build(context: JobContext) -> LockFacts:
    """The facts of one job."""
    trait = context.trait("lock.kind")
    spans = spans_of(context)
    if trait not in _CLAIMED and spans.events:
        judged = best_lock(context, spans)
        if judged is not None and not (trait == "message" and coverage_of(judged, spans).value != "all"):
            return _locked(judged, context, spans)
    if trait in (None, "none", "in-process"):
        return _unlocked(context, spans)
    return _claimed(context, str(trait))


def best_lock(context: JobContext, spans: Spans) -> Judged | None:
    """The first lock that covers all of the work, else the first that covers some."""
    found: list[Judged] = []
    for lock in (*find_locks(context, spans)[:_MOST_LOCKS], *find_claims(context, spans)[:_MOST_LOCKS]):
        judged = judge(context, spans, lock)
        if judged is None:
            continue
        if judged.covers_all and coverage_of(judged, spans).value == "all":
            return judged
        found.append(judged)
    return found[0] if found else None


def _locked(judged: Judged, context: JobContext, spans: Spans) -> LockFacts:
    sighting = judged.lock.sighting
    kind: Fact[str] = Fact(
        judged.kind, mechanism_of(sighting, context.service), (sighting.location,), sighting.path
    )
    store = store_of(context, sighting)
    return LockFacts(
        kind=cast("Fact[object]", kind),  # type: ignore[arg-type]
        coverage=coverage_of(judged, spans),
        fail_open=fail_open_of(judged),
        key=key_of(judged.lock),
        key_distinct=distinct_of(judged.lock, context),
        ttl_seconds=ttl_of(judged.lock, context),
        ttl_option=option_of(judged.lock, context),
        ttl_unit=unit_of(judged.lock, context),
        renewal=renewal_of(judged.lock),
        release=release_of(judged, spans),
        acquire_failure=acquire_failure_of(judged, context, spans),
        release_failure=release_failure_of(judged.lock, context, spans),
        store=store,
        store_failure=store_failure_of(judged, context, spans),
        scheduler=scheduler_of(context),
        single_replica=single_replica(context),
    )


# ---- without a lock --------------------------------------------------------------------------------------------


def _unlocked(context: JobContext, spans: Spans) -> LockFacts:
    flag = find_flag(context, spans) if spans.events else None
    kind: Fact[str]
    if flag is not None:
        kind = Fact("in-process", flag.detail, (flag.location or context.site,), flag.path)
    elif context.trait("lock.kind") == "in-process":
        kind = Fact("in-process", "In-process guard of the scheduler", (context.site,))
    else:
        kind = context.absent("none", "No lock")
        if not kind.locations:
            kind = Fact(kind.value, kind.detail, (context.site,))
    reason = kind.value if isinstance(kind.value, Unresolved) else None
    return LockFacts(
        kind=cast("Fact[object]", kind),  # type: ignore[arg-type]
        coverage=_same(reason, "some"),
        fail_open=_same(reason, False),  # noqa: FBT003
        key=_same(reason, None),
        key_distinct=_same(reason, False),  # noqa: FBT003
        ttl_seconds=_same(reason, None),
        ttl_option=Fact(None),
        ttl_unit=Fact("none"),
        renewal=_same(reason, "none"),
        release=_same(reason, "expires"),
        acquire_failure=_same(reason, "ignored"),
        release_failure=_same(reason, "unhandled"),
        store=_same(reason, "single"),
        store_failure=_same(reason, "unhandled"),
        scheduler=scheduler_of(context),
        single_replica=single_replica(context),
    )


def _same(reason: Unresolved | None, value: T) -> Fact[T]:
    return Fact(value if reason is None else reason)


# ---- what a queue or the platform claims -----------------------------------------------------------------------


def _claimed(context: JobContext, kind: str) -> LockFacts:
    registration = context.registration
    place = registration.consumer.location if registration.consumer is not None else context.site
    title = _library_title(context)
    details = {
        "queue": f"{title} claims each run once",
        "message": f"{title} hands each message to one worker",
        "platform": f"{title} starts each run once",
        "platform-start": f"{title} starts each run once, runs may overlap",
    }
    at = (place, context.site) if place != context.site else (place,)
    ttl, ttl_at = _claim_ttl(context)
    stated = context.trait("lock.renewal")
    late = is_late(context) if kind == "message" else False
    if late:
        claim = late_claim(context)
        renewal = "bound" if claim.bound else "none"
        ttl, ttl_at = claim.ttl, claim.at
    elif kind == "message":
        renewal = str(stated or "early-ack")
    elif kind == "queue":
        renewal = str(stated or "none")
    else:
        renewal = str(stated or "bound")
    words = {
        "renewed": "Renewed while the job runs",
        "early-ack": "Acknowledged before the work starts",
        "bound": "Ends with the run",
        "none": "No renewal of the claim",
        "slot": "A claim for one scheduled time",
    }
    detail = (
        "Held as long as the connection to the broker"
        if late and renewal == "bound"
        else words.get(renewal, "")
    )
    if ttl_at is not None and renewal == "renewed":
        detail = f"{written(context.linker, ttl_at, TTL_HINT) or 'claim'}, renewed while the job runs"
    return LockFacts(
        kind=cast("Fact[object]", Fact(kind, details.get(kind, ""), at)),  # type: ignore[arg-type]
        coverage=Fact("all", details.get(kind, ""), at),
        fail_open=Fact(False, "", at),  # noqa: FBT003
        key=Fact(None, "The claim is the run itself", at),
        key_distinct=Fact(True, "The claim is the run itself", at),  # noqa: FBT003
        ttl_seconds=ttl,
        ttl_option=Fact(None),
        ttl_unit=Fact("none"),
        renewal=Fact(renewal, detail, (ttl_at, *at) if ttl_at is not None else at),  # type: ignore[arg-type]
        release=Fact("claim", "The claim ends with the run", at),
        acquire_failure=Fact("handled", "Only claimed runs are handed over", at),
        release_failure=Fact("logged", "The claim ends by itself", at),
        store=_claim_store(context, kind, at),
        store_failure=Fact(cast("object", context.trait("lock.store_failure") or "caught"), "", at),  # type: ignore[arg-type]
        scheduler=scheduler_of(context),
        single_replica=single_replica(context),
    )


def _library_title(context: JobContext) -> str:
    scheduler = context.registration.scheduler
    if scheduler is None:
        return "The platform"
    libraries = context.service.matcher.libraries
    return next((lib.title for lib in libraries if lib.id == scheduler.library), scheduler.library)


def _claim_ttl(context: JobContext) -> tuple[Fact[float | None], Location | None]:
    """How long a claim is held without renewal, and where that is stated."""
    value = option(context, "lock_ttl")
    seconds = seconds_of(value, option_unit(context, "lock_ttl"))
    at = place_of(value)
    if seconds is not None:
        return Fact(seconds, written(context.linker, at, TTL_HINT), (at,) if at is not None else ()), at
    if value is not None:
        return Fact(Unresolved("how long the claim is held is not stated in the tree", at)), None
    stated = context.trait("lock.ttl_seconds")
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        return Fact(float(stated), "the default of the library", (context.site,)), None
    return Fact(None), None


def _claim_store(context: JobContext, kind: str, at: tuple[Location, ...]) -> Fact[Store]:
    if kind in ("platform", "platform-start") or context.trait("lock.store") == "platform":
        return Fact("platform", "The platform decides", at)
    found = queue_store(context)
    if found is not None:
        return found
    if context.trait("lock.store") == "replicated":
        return Fact("replicated", "The library's store", at)
    return Fact("single", "One node as far as the tree says", at)
