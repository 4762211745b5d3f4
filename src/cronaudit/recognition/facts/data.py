"""``data``: how much a job takes at once, and how its loops treat the event loop."""

from __future__ import annotations

from typing import Literal

from cronaudit.model.facts import DataFacts, Fact, Unresolved
from cronaudit.model.ir import Call, Loop, LoopKind
from cronaudit.model.source import Language
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.recognition.context import JobContext, once, seen_fact
from cronaudit.recognition.facts.acts import is_work
from cronaudit.recognition.facts.frames import each_method, repeats
from cronaudit.recognition.facts.operations import Operation, Operations, operations_of
from cronaudit.recognition.sightings import Sighting

Reads = Literal["streamed", "batched", "unbounded", "none"]
LoopKindOfWork = Literal["elsewhere", "yields", "async", "sync", "none"]

_PRIMARY = frozenset(("id", "pk", "_id", "uuid", "guid"))
_MINOR = ("log", "metric.", "id.", "timer.", "host.", "alert.", "tracker.", "monitor.", "memory.", "yield", "sleep",
          "lock.", "timeout.", "async.wait")  # fmt: skip


def build(context: JobContext) -> DataFacts:
    """The facts of one job."""
    return DataFacts(reads=_reads(context), loop=_loop(context))


# ---- reads ------------------------------------------------------------------------------------------------------


def _reads(context: JobContext) -> Fact[Reads]:
    operations = operations_of(context)
    reads = [o for o in operations.of("read", "stream") if _is_collection(o)]
    reads = [o for o in reads if o.enqueued or is_work(context, o.event)] or reads
    if not reads:
        if operations.opaque:
            event = operations.opaque[0]
            return Fact(
                Unresolved("the text of a statement is not resolved", event.location), "", (event.location,)
            )
        if operations.writes:
            first = operations.writes[0]
            found: Fact[Reads] = context.absent("none", "Set-based statements, no collection is read")
            return Fact(found.value, found.detail, (first.location,), first.path)
        return context.absent("none", "Reads no collection")
    unbounded = next((o for o in reads if _size(o, operations) == "unbounded"), None)
    if unbounded is not None:
        table = f" of {unbounded.table}" if unbounded.table else ""
        return Fact("unbounded", f"Loads all rows{table}", (unbounded.location,), unbounded.path)
    batched = next((o for o in reads if _size(o, operations) == "batched"), None)
    if batched is not None:
        return Fact("batched", "Batched with a limit, not streamed", (batched.location,), batched.path)
    detail = "Keyset paging" if reads[0].pages else "Streamed"
    return Fact("streamed", detail, (reads[0].location,), reads[0].path)


def _is_collection(operation: Operation) -> bool:
    """One row by its primary key is no collection."""
    return operation.kind == "stream" or not any(k.lower() in _PRIMARY for k in operation.condition.keys)


def _size(operation: Operation, operations: Operations) -> Reads:
    if operation.kind == "stream":
        return "streamed"
    if operation.pages and any(
        r.kind is RegionKind.LOOP for p in operations.frames.places(operation.event) for r in p.regions
    ):
        return "streamed"
    return "batched" if operation.limited else "unbounded"


# ---- loops ------------------------------------------------------------------------------------------------------


def _loop(context: JobContext) -> Fact[LoopKindOfWork]:
    loops = _loops(context)
    if not loops:
        return context.absent("none", "No loops")
    first = loops[0]
    if context.trait("data.loop") == "elsewhere":
        return Fact("elsewhere", "Work runs in worker processes", (first.location, context.site), first.path)
    frames = operations_of(context).frames
    blocking = [
        s
        for s in context.seen_everywhere("cpu.sync", "file.read", "file.write", "process.spawn")
        if _blocks(s)
    ]
    for sighting in blocking:
        if any(repeats(r) for r in sighting.event.regions()) and not frames.is_set_up(sighting.event):
            return seen_fact("sync", sighting, f"Synchronous {sighting.effect} in a loop")
    for sighting in context.seen("thread.spawn", "process.spawn"):
        if any(_in_loop_of_work(r, loops) for r in sighting.event.regions()):
            word = "a worker thread" if sighting.effect == "thread.spawn" else "a child process"
            yielding = _pause(context)
            if yielding is None:
                return seen_fact("elsewhere", sighting, f"The work of the loop runs in {word}")
    pause = _pause(context)
    if pause is not None:
        return pause
    return Fact("async", "Async but no yielding", (first.location,), first.path)


def _pause(context: JobContext) -> Fact[LoopKindOfWork] | None:
    """What lets other work go on between two rounds."""
    for sighting in context.seen_everywhere("yield"):
        if any(repeats(r) and not is_retry(r, context) for r in sighting.event.regions()):
            return seen_fact("yields", sighting, "Yields to the event loop between rounds")
    for sighting in context.seen_everywhere("sleep"):
        if _is_each_round(sighting.event, context):
            return seen_fact("yields", sighting, "Pauses between rounds")
    for sighting in context.seen_everywhere("concurrency.limit"):
        return seen_fact("yields", sighting, "Bounded concurrency")
    return None


def _is_each_round(event: Event, context: JobContext) -> bool:
    """Whether a pause lies in a loop of the work, and not in what happens after a failure only."""
    for region in event.regions():
        if region.kind is RegionKind.CATCH:
            return False
        if region.node is not None and region.node is context.registration.loop:
            return False  # the pause until the next run
        if repeats(region):
            return not is_retry(region, context)
    return False


def _loops(context: JobContext) -> list[Event]:
    """The loops of the work that do more than turn values around: something outside is called for each item."""
    work: set[int] = set()
    frames = operations_of(context).frames
    for event in context.trace.events:
        if event.kind is not EventKind.CALL or not is_work(context, event) or not _matters(event, context):
            continue
        if frames.is_set_up(event):
            continue
        for region in event.regions():
            if repeats(region) and not is_retry(region, context):
                work.add(id(region.node) if region.kind is RegionKind.LOOP else id(region.info))
    found = [
        e
        for e in context.trace.events
        if (e.kind is EventKind.LOOP and id(e.statement) in work)
        or (e.kind is EventKind.CALL and id(e) in work)
    ]
    return sorted(found, key=lambda e: (len(e.path), e.order))


def _matters(event: Event, context: JobContext) -> bool:
    sightings = _by_order(context).get(event.order)
    if sightings:
        return any(not s.effect.startswith(_MINOR) for s in sightings)
    return (
        event.awaited
        and event.external is not None
        and not event.external.startswith(("global:", "builtins."))
    )


@once
def _by_order(context: JobContext) -> dict[int, list[Sighting]]:
    found: dict[int, list[Sighting]] = {}
    for sighting in context.sightings:
        found.setdefault(sighting.event.order, []).append(sighting)
    return found


def is_retry(region: Region, context: JobContext) -> bool:
    """A loop that tries the same again after a failure and a pause is none of the work's."""
    node = region.node
    if region.kind is not RegionKind.LOOP or not isinstance(node, Loop):
        return False
    counts = isinstance(node.iterable, Call) and getattr(node.iterable.callee, "name", "") == "range"
    if node.kind is LoopKind.EACH and not counts:
        return False
    events = _inside(context).get(id(region), [])
    if not any(_is_caught_inside(event, region) for event in events):
        return False
    sleeps = {s.event.order for s in context.seen("sleep", "timer.after")}
    return any(e.order in sleeps for e in events)


@once
def _inside(context: JobContext) -> dict[int, list[Event]]:
    """The events inside each loop, by the identity of its region."""
    found: dict[int, list[Event]] = {}
    for event in context.trace.events:
        for region in event.regions():
            if region.kind is RegionKind.LOOP:
                found.setdefault(id(region), []).append(event)
    return found


def _is_caught_inside(event: Event, region: Region) -> bool:
    """Whether an event inside a region belongs to what catches a failure in there."""
    for inner in event.regions():
        if inner is region:
            return False
        if inner.kind is RegionKind.CATCH:
            return True
    return False


def _in_loop_of_work(region: Region, loops: list[Event]) -> bool:
    if region.kind is RegionKind.LOOP:
        return any(e.statement is region.node for e in loops)
    return each_method(region) is not None and any(e is region.info for e in loops)


def _blocks(sighting: Sighting) -> bool:
    """Whether the event loop stands still meanwhile; Python's calls block, but there is no event loop to stop."""
    if sighting.effect == "cpu.sync":
        return True
    language = sighting.event.scope.module.language
    return sighting.description.word("sync") is True and language is not Language.PYTHON
