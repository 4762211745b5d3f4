"""One lock held against the job's work: what it covers, how it is taken, released and lost."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import Loop as LoopNode
from cronaudit.model.ir import LoopKind, Try
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.model.walking import inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.catching import Caught
from cronaudit.recognition.facts.lock_errors import caught_of
from cronaudit.recognition.facts.lock_flow import Flow
from cronaudit.recognition.facts.lock_found import (
    Lock,
    block_location,
    is_result_used,
    is_wrapper,
    with_holder,
)
from cronaudit.recognition.facts.lock_runs import Run
from cronaudit.recognition.facts.lock_state import Answer, Body, Held
from cronaudit.recognition.facts.retry_loops import bound_of_loop
from cronaudit.recognition.facts.spans import Spans, core_of, covers_work, is_changing, work_of

_NAMING = lazy_regex(r"name|job|task|cron|slug|type|kind|handler|schedule|slot|queue", re.IGNORECASE)


class Judged(Struct, frozen=True):
    """A lock with its three runs."""

    lock: Lock
    taken: Run
    denied: Run
    down: Run
    covered: frozenset[int]
    """The work that runs under it."""
    uncovered: frozenset[int]
    covers_all: bool

    @property
    def kind(self) -> str:
        """The word for `LockFacts.kind`."""
        return "session" if self.lock.kind == "transaction" else self.lock.kind


def judge(context: JobContext, spans: Spans, lock: Lock) -> Judged | None:
    """What a lock does for the job; None where it guards nothing of the work."""
    work = _work(context, spans, lock) - {lock.guarded.event.order, *lock.guarded.releases}
    if lock.guarded.block is not None and not work & lock.guarded.marks:
        return None
    runs = [Flow(spans, context.linker, lock.guarded, work, answer).start() for answer in Answer]
    covered = runs[0].at(Held.HELD)
    if lock.guarded.block is not None:  # what no way through it was found to stands in the block all the same
        covered |= (work - runs[0].at(*Held)) & lock.guarded.marks
    if not covered:
        return None
    if covered <= runs[1].at(Held.DENIED) and runs[1].unsure is None and is_result_used(lock.sighting.event):
        # Its answer decides about something else.
        return None
    lock = with_holder(lock, covered, spans)
    uncovered = runs[0].at(Held.IDLE, Held.RELEASED, Held.DENIED, Held.DOWN) | (work - covered)
    covers = not uncovered or (covers_work(covered, context, spans) and not covered & uncovered)
    return Judged(lock, runs[0], runs[1], runs[2], covered, uncovered, covers)


def _work(context: JobContext, spans: Spans, lock: Lock) -> frozenset[int]:
    """The orders of the work; of a scheduler of the project's own, of the round that hands the runs out."""
    work = frozenset(e.order for e in work_of(context))
    if context.registration.engine is None:
        core = core_of(context, spans)
        # Around the job's own method that method is the work, also where what it does lies outside the tree.
        return work | {core.order} if core is not None and core.order > lock.guarded.event.order else work
    first = frozenset(e.order for e in spans.span(spans.events[0]))
    changing = {s.event.order for s in context.sightings if s.event.order in first and is_changing(s)}
    return frozenset(changing) or work


# ---- what it covers --------------------------------------------------------------------------------------------


def coverage_of(judged: Judged, spans: Spans) -> Fact[Literal["all", "some"]]:
    """Whether every way to the work takes the lock."""
    lock = judged.lock
    event = lock.guarded.event
    caller = lock.caller
    place = caller or event
    name = lock.label or f"{_callee_name(place)}()"
    block = block_location(lock)
    taken = lock.sighting.location
    locations = (block or place.location, taken) if caller is not None or block is not None else (taken,)
    doubt = judged.taken.unsure
    if is_ignored(judged):
        return Fact("some", f"{name}: the work runs whether or not the lock was taken", locations, place.path)
    if judged.taken.loose is not None:
        return Fact(
            "some", "The work is not awaited: the lock is released before it ends", (judged.taken.loose,)
        )
    if not judged.covers_all:
        first = next((e for e in spans.events if e.order in judged.uncovered), None)
        where = (first.location,) if first is not None else ()
        return Fact("some", "Some work is done without the lock", (*where, *locations), place.path)
    if lock.kind == "row" and lock.guarded.failure == "waits" and not lock.skips:
        return Fact(
            "some", "Rows are locked: a second run waits and goes on with them", locations, place.path
        )
    item = _locked_item(lock, spans)
    if item is not None:
        return Fact("some", "Each item is locked, not the run", (item, *locations), place.path)
    if doubt is not None and judged.uncovered:
        return Fact(Unresolved("whether every path takes the lock cannot be told", doubt), "", locations)
    wraps = is_wrapper(lock) or lock.guarded.is_wrapper or lock.guarded.block is not None
    detail = f"{name} wrapper" if wraps else f"{name} before the work"
    return Fact("all", detail, locations, place.path)


def _callee_name(event: Event) -> str:
    callee = event.call.callee if event.call is not None else None
    return str(getattr(callee, "name", "") or "lock")


def is_ignored(judged: Judged) -> bool:
    """Whether work under the lock also runs when another holds it."""
    return bool(judged.covered & judged.denied.at(Held.DENIED))


def _locked_item(lock: Lock, spans: Spans) -> Location | None:
    """The loop over items of which each is locked by a key of its own."""
    key = lock.sighting.text("key")
    if lock.kind != "row" and (key is None or "${" not in key):
        return None
    place = lock.caller or lock.guarded.event
    args = place.call.args if place.call is not None else ()
    words = [str(getattr(e, "name", "")) for a in args for e in inside(a.value)]
    if any(_NAMING.search(w) for w in words):
        return None
    for region in place.regions():
        node = region.node
        if region.kind is RegionKind.LOOP and isinstance(node, LoopNode) and node.kind is LoopKind.EACH:
            return Location(place.location.path, node.line) if spans.events else None
    return None


# ---- taking ----------------------------------------------------------------------------------------------------


def acquire_failure_of(
    judged: Judged, context: JobContext, spans: Spans
) -> Fact[Literal["handled", "swallowed", "ignored"]]:
    """What happens when another holds the lock."""
    lock = judged.lock
    event = lock.sighting.event
    place = lock.sighting.location
    if lock.kind == "slot" and not is_ignored(judged):
        return Fact("handled", "A claim that is there already is skipped", (place,), lock.sighting.path)
    if lock.guarded.failure == "waits":
        detail = "Rows that another holds are skipped" if lock.skips else "Waits until it is free"
        return Fact("handled", detail, (place,), lock.sighting.path)
    if is_ignored(judged):
        if judged.denied.unsure is not None:
            return Fact(
                Unresolved("what the check of the lock's result decides cannot be told", judged.denied.unsure)
            )
        used = is_result_used(event)
        detail = "The work runs whether or not the lock was taken" if used else "Result ignored"
        return Fact("ignored", detail, (place,), lock.sighting.path)
    thrown = _throw_behind(judged, spans)
    tried = _tries(lock, spans, context)
    if thrown is not None:
        caught = caught_of(thrown, lock, context, spans)
        if caught.how == "swallowed" and not _asks(thrown) and not _is_own(caught.regions[-1], thrown):
            return Fact(
                "swallowed", "Swallowed without a log", (caught.location or place, place), lock.sighting.path
            )
        return Fact("handled", f"{tried}throws", (thrown.location, place), lock.sighting.path)
    if lock.guarded.failure == "throws":
        caught = caught_of(lock.guarded.event, lock, context, spans)
        if caught.how == "swallowed" and not _asks(lock.guarded.event):
            return Fact(
                "swallowed", "Swallowed without a log", (caught.location or place,), lock.sighting.path
            )
        if caught.how == "unhandled":
            return Fact("handled", f"{tried}throws to the scheduler", (place,), lock.sighting.path)
        return Fact(
            "handled", f"{tried}throws to a handler", (caught.location or place, place), lock.sighting.path
        )
    return Fact("handled", f"{tried}skips the run", (place,), lock.sighting.path)


def _is_own(region: Region, event: Event) -> bool:
    """Whether a ``try`` stands in the function of an event: there it tries again."""
    return any(s is region.node for s in statements(event.scope.node.body))


def _asks(event: Event) -> bool:
    from cronaudit.recognition.facts.catching import asks_error

    for region in event.regions():
        if region.kind is RegionKind.TRY and isinstance(region.node, Try) and region.node.handlers:
            return any(asks_error(h) for h in region.node.handlers)
    return False


def _throw_behind(judged: Judged, spans: Spans) -> Event | None:
    """The ``throw`` that ends the function that takes the lock when it did not get it."""
    event = judged.lock.sighting.event
    enter = spans.enter_of(event)
    for other in spans.span(enter) if enter is not None else ():
        if other.kind is not EventKind.THROW or other.order < event.order or other.scope is not event.scope:
            continue
        if other.inside(RegionKind.CATCH) or any(event.order < o < other.order for o in judged.covered):
            continue
        return other
    return None


def _tries(lock: Lock, spans: Spans, context: JobContext) -> str:
    """``Retries 3x then ``: how often it is tried."""
    event = lock.sighting.event
    for region in event.regions():
        if region.kind is RegionKind.LOOP and isinstance(region.node, LoopNode):
            loop = next(
                (e for e in spans.events if e.statement is region.node and e.kind is EventKind.LOOP), None
            )
            if loop is not None and loop.scope is event.scope:
                bound = bound_of_loop(loop, region.node, context.linker)
                if bound is not None and bound.count is not None:
                    return f"Retries {bound.count:g}x then "
    return ""


# ---- losing the store ------------------------------------------------------------------------------------------


def fail_open_of(judged: Judged) -> Fact[bool]:
    """Whether the work runs while the store is down."""
    place = judged.lock.sighting.location
    reached = judged.covered & judged.down.at(Held.DOWN)
    if not reached:
        return Fact(False, "", (place,))  # noqa: FBT003
    if judged.down.unsure is not None:
        return Fact(Unresolved("whether the run goes on without its lock cannot be told", judged.down.unsure))
    return Fact(True, "Runs without the lock when its store is down", (place,))  # noqa: FBT003


def store_failure_of(
    judged: Judged, context: JobContext, spans: Spans
) -> Fact[Literal["handled", "caught", "unhandled"]]:
    """What happens when the store is down."""
    lock = judged.lock
    caught = caught_of(lock.sighting.event, lock, context, spans)
    if lock.inner or caught.how == "unhandled":
        outer = caught_of(lock.guarded.event, lock, context, spans)
        caught = outer if caught.how == "unhandled" else caught
    place = lock.sighting.location
    if caught.how == "unhandled" or _of_held_locks(caught):
        return Fact("unhandled", "Nothing catches a failing lock store", (place,), lock.sighting.path)
    in_loop = any(
        isinstance(r.node, LoopNode) and r.kind is RegionKind.LOOP and r.node.iterable is None
        for r in lock.sighting.event.regions()
    )
    if caught.how == "logged":
        word: Literal["handled", "caught"] = "caught"
        detail = "Catches after retries" if in_loop else "Caught and logged, the run is skipped"
        return Fact(word, detail, (caught.location or place, place), lock.sighting.path)
    return Fact("caught", "Caught without a log", (caught.location or place, place), lock.sighting.path)


def _of_held_locks(caught: Caught) -> bool:
    """``except LockError``: a lock that another holds is caught, a store that is down is not."""
    handlers = [h for r in caught.regions if isinstance(r.node, Try) for h in r.node.handlers]
    types = [str(getattr(t, "name", "")) for h in handlers for t in h.types]
    return bool(types) and all(h.types for h in handlers) and all("lock" in t.lower() for t in types)


# ---- releasing -------------------------------------------------------------------------------------------------


def release_of(
    judged: Judged, spans: Spans
) -> Fact[Literal["finally", "claim", "some-errors", "success", "expires"]]:
    """How the lock is given back."""
    lock = judged.lock
    place = lock.sighting.location
    if lock.kind in ("transaction", "row", "slot") and not lock.releases:
        return Fact(
            "claim", "Ends with its transaction" if lock.kind != "slot" else "Ends with its slot", (place,)
        )
    if lock.guarded.block is not None:
        at = block_location(lock) or lock.guarded.event.location
        return Fact("finally", "Released at the end of the block", (at, place))
    if lock.guarded.is_wrapper:
        if lock.sighting.description.word("releases") is False:
            return Fact("expires", "The wrapper never releases it", (place,))
        return Fact("finally", f"{_callee_name(lock.guarded.event)}() releases on every path", (place,))
    if not lock.releases:
        return Fact("expires", "Nothing releases it", (place,))
    ended = [s for s in judged.taken.exits if s.held in (Held.HELD, Held.RELEASED)]
    after = {body: [s.held is Held.RELEASED for s in ended if s.body is body] for body in Body}
    release = lock.releases[0]
    block = _finally_block(lock, spans)
    if judged.taken.unsure is not None and not all(after[Body.DONE] + after[Body.FAILED]):
        return Fact(
            Unresolved("on which paths it is released cannot be told", judged.taken.unsure),
            "",
            (release.location,),
        )
    if after[Body.DONE] and all(after[Body.DONE]):
        if all(after[Body.FAILED]):
            detail = (
                f"{_file(block)}:{block.line}-{block.end_line}"
                if block is not None
                else "Released on every path"
            )
            return Fact("finally", detail, (block or release.location, release.location), release.path)
        if any(after[Body.FAILED]):
            return Fact("some-errors", "Not released after every error", (release.location,), release.path)
        return Fact("success", "Released on success only", (release.location,), release.path)
    if any(after[Body.DONE]):
        return Fact("success", "Not released on every path", (release.location,), release.path)
    return Fact("expires", "No path releases it", (release.location,), release.path)


def _file(location: Location) -> str:
    return location.path.rsplit("/", 1)[-1]


def _finally_block(lock: Lock, spans: Spans) -> Location | None:
    """The ``finally`` that releases, from its keyword to its end."""
    for release in lock.releases:
        for region in release.event.regions():
            node = region.node
            if region.kind is RegionKind.FINALLY and isinstance(node, Try) and node.final:
                path = _path_of(node, release.event, spans)
                first = min(
                    node.final[0].line if hasattr(node.final[0], "line") else node.end_line, node.end_line
                )
                return Location(path, _keyword_line(spans, path, first), node.end_line)
    return None


def _path_of(node: Try, event: Event, spans: Spans) -> str:
    for other in reversed(spans.events[: event.order + 1]):
        if other.statement in node.final or other.statement in node.body:
            return other.scope.module.path
    return event.scope.module.path


def _keyword_line(spans: Spans, path: str, first: int) -> int:
    lines = spans.context.linker.source(path).decode("utf-8", "replace").splitlines()
    for number in range(first, max(first - 10, 0), -1):
        if number <= len(lines) and re.search(r"\bfinally\b", lines[number - 1]):
            return number
    return first
