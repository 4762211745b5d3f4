"""``errors``: what happens when a job fails, and when its process ends."""

from __future__ import annotations

from typing import Literal

from cronaudit.model.facts import ErrorFacts, Fact
from cronaudit.recognition.context import JobContext, seen_fact
from cronaudit.recognition.facts import lock
from cronaudit.recognition.facts.errors_caught import caught_of
from cronaudit.recognition.facts.errors_logged import logged_of
from cronaudit.recognition.facts.errors_progress import dead_letter_of, progress_of
from cronaudit.recognition.facts.shutdown import end_of, held_executions, running_flags
from cronaudit.recognition.facts.shutdown_paths import shutdown_paths

InProgress = Literal["awaited", "framework", "held", "flag", "none"]
Cleanup = Literal["released", "bound", "awaited", "none"]

_BOUND_LOCKS = frozenset(("queue", "message", "platform"))
"""Claims that die with their run."""
_BOUND_KINDS = frozenset(("session", "transaction"))


def build(context: JobContext) -> ErrorFacts:
    """The facts of one job."""
    return ErrorFacts(
        caught=caught_of(context),
        logged=logged_of(context),
        progress=progress_of(context),
        dead_letter=dead_letter_of(context),
        in_progress=_in_progress(context),
        lock_cleanup=_lock_cleanup(context),
    )


def _in_progress(context: JobContext) -> Fact[InProgress]:
    end = end_of(context)
    if end.how == "awaited" and end.location is not None:
        places = (end.location,) if end.signal is None else (end.location, end.signal)
        return Fact("awaited", end.detail, places)
    if context.trait("errors.in_progress") == "framework":
        return Fact("framework", "The framework waits for running work", (context.site,))
    held = held_executions(context)
    if held:
        return Fact("held", f"{held[0].holder.name} is held, never awaited", (held[0].location,))
    raised = running_flags(context)
    if raised:
        return Fact("flag", f"Only a flag: {raised[0].holder.name}", (raised[0].location,))
    return context.absent("none", "Running work is not held")


def _lock_cleanup(context: JobContext) -> Fact[Cleanup]:
    for path in shutdown_paths(context.service):
        released = next((s for s in path.sightings if s.effect == "lock.release"), None)
        if path.is_ending and released is not None and context.seen("lock.*", "leader.elect"):
            return Fact("released", "Locks are released on shutdown", (released.location, path.location))
    held = lock.build(context)
    if context.trait("errors.in_progress") == "framework" and held.kind.value in ("lease", "row", "slot"):
        places = held.release.locations[:1]
        if held.release.value in ("finally", "claim"):
            return Fact("bound", "The framework waits for the run, which releases its lock", places)
        return Fact("awaited", "The framework waits for the run, no release on every path", places)
    if context.trait("errors.lock_cleanup") == "bound" or context.trait("lock.kind") in _BOUND_LOCKS:
        registration = context.registration
        at = registration.consumer.location if registration.consumer is not None else context.site
        return Fact("bound", "The claim dies with its run", (at,))
    for sighting in context.seen("lock.acquire", "lock.with", "leader.elect"):
        if sighting.description.word("kind") in _BOUND_KINDS:
            return seen_fact("bound", sighting, "The lock dies with its session")
    if held.kind.value == "session":
        return Fact("bound", "The lock dies with its session", held.kind.locations[:1])
    end = end_of(context)
    if end.how == "awaited":
        place = end.function or end.location
        return Fact("awaited", "Work is awaited, no explicit release", (place,) if place is not None else ())
    if end.how == "stopped":
        return context.absent("none", "Only the timer is cleared")
    return context.absent("none", "Nothing is released on shutdown")
