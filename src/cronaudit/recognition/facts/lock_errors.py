"""Who learns of an error of a lock: handlers for errors of other libraries do not."""

from __future__ import annotations

import re
from typing import Literal

from cronaudit.knowledge.paths import root_of
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact
from cronaudit.model.ir import Expr, Try
from cronaudit.model.trace import Event, Region
from cronaudit.model.value import External
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.catching import Caught, catch_of
from cronaudit.recognition.facts.lock_found import Lock
from cronaudit.recognition.facts.spans import Spans

_BUILTIN = ("builtins", "global")
_OF_STORES = lazy_regex(r"lock|redis|cache|database|sql|connect|zoo|etcd|consul|mongo", re.IGNORECASE)
"""A lock's library is built upon another one, whose errors come through."""


def caught_of(event: Event, lock: Lock, context: JobContext, spans: Spans) -> Caught:
    """Who learns of an error that a call throws which takes or gives back the lock."""
    own = root_of(lock.sighting.view.path)

    def misses(region: Region) -> bool:
        types = _types_of(region)
        return bool(types) and all(_is_of_another(t, region, own, context, spans) for t in types)

    return catch_of(event, spans.events, context.sightings, misses)


def _types_of(region: Region) -> tuple[Expr, ...]:
    """The types that the handlers of a TRY take; empty where one of them takes all."""
    handlers = region.node.handlers if isinstance(region.node, Try) else ()
    types = tuple(t for h in handlers for t in h.types)
    return types if all(h.types for h in handlers) else ()


def _is_of_another(expr: Expr, region: Region, own: str, context: JobContext, spans: Spans) -> bool:
    """Whether a type comes from a library that is neither the lock's nor the language's."""
    inside = next((e for e in spans.events if e.region is region), None)
    if inside is None:
        return False
    found = context.linker.fold(expr, inside.scope)
    return (
        isinstance(found, External)
        and root_of(found.path) not in (own, *_BUILTIN)
        and _OF_STORES.search(found.path) is None
    )


def release_failure_of(
    lock: Lock, context: JobContext, spans: Spans
) -> Fact[Literal["logged", "swallowed", "unhandled"]]:
    """What happens when giving it back fails."""
    if lock.inner:
        return _inner_release_failure(lock, context, spans)
    release = lock.releases[0] if lock.releases else lock.sighting
    caught = caught_of(release.event, lock, context, spans)
    place = caught.location or release.location
    if caught.how == "logged":
        return Fact("logged", "Logged on failure", (place, release.location), release.path)
    if caught.how == "swallowed":
        return Fact("swallowed", "Swallowed without a log", (place, release.location), release.path)
    if context.trait("errors.logged") == "framework":
        words = "Escapes to the framework, which logs the failure"
        return Fact("logged", words, (release.location,), release.path)
    return Fact("unhandled", "Nothing catches a failing release", (release.location,), release.path)


def _inner_release_failure(
    lock: Lock, context: JobContext, spans: Spans
) -> Fact[Literal["logged", "swallowed", "unhandled"]]:
    """Of the project's own context manager: what its exit does, else what surrounds the block."""
    released = next((s for s in lock.inner if s.effect == "lock.release"), None)
    place = released.location if released is not None else lock.sighting.location
    if released is not None:
        own = catch_of(released.event, tuple(s.event for s in lock.inner), lock.inner)
        if own.how == "swallowed":
            return Fact("swallowed", "Swallowed without a log", (own.location or place,))
        if own.how == "logged":
            return Fact("logged", "Logged on failure", (own.location or place,))
    outer = caught_of(lock.guarded.event, lock, context, spans)
    if outer.how == "unhandled" and context.trait("errors.logged") == "framework":
        return Fact("logged", "Escapes to the framework, which logs the failure", (place,))
    if outer.how == "unhandled":
        return Fact("unhandled", "Nothing catches a failing release", (place,))
    word: Literal["logged", "swallowed"] = "logged" if outer.how == "logged" else "swallowed"
    return Fact(word, "", (outer.location or place,))
