"""``errors.progress`` and ``errors.dead_letter``: what is left of a run that fails half way."""

from __future__ import annotations

import re
from typing import Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact
from cronaudit.model.ir import Call, Const, Entry, Expr, Member, Name, Object, Template
from cronaudit.model.trace import RegionKind
from cronaudit.model.value import External, Known, Record
from cronaudit.model.walking import inside
from cronaudit.recognition.context import JobContext, seen_fact
from cronaudit.recognition.facts.conditions import words_in
from cronaudit.recognition.facts.failure_paths import Catch, catches, hooks, share_of
from cronaudit.recognition.facts.frames import repeats
from cronaudit.recognition.facts.operations import Operation, Operations, operations_of
from cronaudit.recognition.sightings import Sighting, is_error_path

Progress = Literal["checkpoint", "items", "counts", "none"]
DeadLetter = Literal["kept", "default", "none"]

_CURSOR = lazy_regex(
    r"checkpoint|cursor|bookmark|watermark|high_?water|resume|offset|sync_?(?:state|token)|continuation|last_?(?:id|seen|"
    r"processed|position|offset|run_?at|synced?|cursor|page)|page_?token|progress",
    re.IGNORECASE,
)
"""What people call the place up to which the work is done."""
_COUNT = lazy_regex(
    r"count|processed|failed|failures|total|deleted|removed|updated|created|sent|skipped|success|succeeded|errors|"
    r"inserted|affected|written|rendered|imported|exported|fetched|published|handled|matched|remaining|items|rows|synced|expired|archived|delivered|checked|completed|done",
    re.IGNORECASE,
)
_HALF = 0.5
_FAILED = lazy_regex(r"fail|dead|error", re.IGNORECASE)
_INFO = frozenset(("info", "debug", "log", "warn", "notice", "error"))


def progress_of(context: JobContext) -> Fact[Progress]:
    """``errors.progress``."""
    operations = operations_of(context)
    saved = _checkpoint(operations)
    if saved is not None:
        name = saved.table or "a cursor"
        return Fact("checkpoint", f"Checkpoint is persisted in {name}", (saved.location,), saved.path)
    stored = _cached_cursor(context)
    if stored is not None:
        return seen_fact("checkpoint", stored, f"Checkpoint is persisted under {stored.text('key')}")
    items = _items(context)
    if items is not None:
        return seen_fact("items", items, "One queue item for each unit of work")
    counts = _counts(context)
    if counts is not None:
        return seen_fact("counts", counts, "Counts logged, not persisted")
    return context.absent("none", "Nothing is tracked")


def _checkpoint(operations: Operations) -> Operation | None:
    """A cursor that is written as the work goes on and read where it begins."""
    reads = operations.of("read", "read-one", "stream")
    for write in operations.writes:
        if write.kind == "delete" or not _in_loop(write, operations):
            continue
        if is_error_path(write.event.region):
            continue
        is_cursor = _CURSOR.search(write.table or "") is not None or any(
            _CURSOR.search(c) for c in write.sets
        )
        if is_cursor and any(r.table is not None and r.table == write.table for r in reads):
            return write
        # The next run takes first what was looked at longest ago: ``order by last_checked_at``.
        if any(r.table is not None and r.table == write.table and r.ordered & write.sets for r in reads):
            return write
    return None


def _in_loop(operation: Operation, operations: Operations) -> bool:
    if operation.enqueued:
        return False
    return any(repeats(r) for p in operations.frames.places(operation.event) for r in p.regions)


def _cached_cursor(context: JobContext) -> Sighting | None:
    read = {s.text("key") for s in context.seen("cache.get")} - {None}
    for sighting in context.seen("cache.set"):
        key = sighting.text("key")
        if (
            key is not None
            and key in read
            and _CURSOR.search(key)
            and any(repeats(r) for r in sighting.event.regions())
        ):
            return sighting
    return None


def _items(context: JobContext) -> Sighting | None:
    """Work that is put into a queue item by item."""
    for sighting in context.seen("queue.enqueue"):
        if is_error_path(sighting.event.region):
            continue
        name = getattr(getattr(sighting.event.call, "callee", None), "name", "").lower()
        if any(repeats(r) for r in sighting.event.regions()) or "bulk" in name or "many" in name:
            return sighting
    return None


# ---- counts -----------------------------------------------------------------------------------------------------


def _counts(context: JobContext) -> Sighting | None:
    """A line that says how much was done; the outermost one, which speaks of the whole run."""
    found = [
        s
        for s in context.seen("log")
        if s.event.call is not None
        and not is_error_path(s.event.region)
        and not any(r.kind is RegionKind.LOOP for r in s.event.regions())
        and str(s.description.word("level") or "info").lower() in _INFO
        and any(_tells_count(a.value) for a in s.event.call.args)
    ]
    return min(found, key=lambda s: (len(s.path), s.event.order)) if found else None


def _tells_count(expr: Expr) -> bool:
    if isinstance(expr, Object):
        return any(_is_count_entry(e) for e in expr.entries)
    if isinstance(expr, Template):
        return any(_is_count(p) for p in expr.parts if not isinstance(p, str))
    return _is_count(expr)


def _is_count_entry(entry: Entry) -> bool:
    if isinstance(entry.value, Const):
        return False
    if isinstance(entry.key, str) and _COUNT.search(entry.key):
        return True
    return entry.key is not None and _is_count(entry.value)


def _is_count(expr: Expr) -> bool:
    """``rows.length``, ``processed``, ``result.count``, ``len(rows)``."""
    if isinstance(expr, Member):
        return expr.name in ("length", "size") or _COUNT.search(expr.name) is not None
    if isinstance(expr, Name):
        return _COUNT.search(expr.name) is not None
    if isinstance(expr, Call):
        return getattr(expr.callee, "name", "") == "len"
    return any(
        (isinstance(e, Member) and e.name == "length")
        or (isinstance(e, Call) and getattr(e.callee, "name", "") == "len")
        for e in inside(expr)
    )


# ---- dead letters -----------------------------------------------------------------------------------------------


def dead_letter_of(context: JobContext) -> Fact[DeadLetter]:
    """``errors.dead_letter``."""
    option = context.registration.options.get("dead_letter")
    if option is not None and not (isinstance(option, Known) and not option.value):
        return Fact("kept", "Failed work goes to a queue of its own", (context.site,))
    for sighting in context.seen_everywhere("queue.failed"):
        if is_error_path(sighting.event.region):
            return seen_fact("kept", sighting, "Failed work is kept")
    for hook in hooks(context):
        kept = next((s for s in hook.sightings if _keeps(s, context)), None)
        if kept is not None:
            return Fact("kept", "Failed runs are kept for review", (kept.location, hook.location), kept.path)
    operations = operations_of(context)
    handlers = catches(context)
    for operation in operations.writes:
        if not is_error_path(operation.event.region) or not _is_failure_record(operation):
            continue
        if operation.enqueued or _is_of_work(operation, handlers):
            table = f" in {operation.table}" if operation.table else ""
            return Fact("kept", f"Failures are kept{table}", (operation.location,), operation.path)
    for sighting in context.seen_everywhere("queue.enqueue"):
        if is_error_path(sighting.event.region) and _FAILED.search(" ".join(_names(sighting))):
            return seen_fact("kept", sighting, "Failed work goes to a queue of its own")
    kept_set = context.registration.options.get("keep_failed")
    if context.trait("errors.dead_letter") == "kept":
        return Fact("kept", "The library keeps failed runs", (context.site,))
    if context.trait("errors.dead_letter") == "default" or kept_set is not None:
        if isinstance(kept_set, Known) and kept_set.value in (True, 0):
            return Fact("none", "Failed runs are removed", (kept_set.at or context.site,))
        if isinstance(kept_set, Record) and kept_set.entries:
            return Fact("kept", "Failed runs are kept by option", (kept_set.at or context.site,))
        return Fact("default", "Failed set of the queue, by default", (context.site,))
    for sighting in context.seen("queue.enqueue"):
        if not is_error_path(sighting.event.region) and _keeps_failed(sighting, context):
            return seen_fact("default", sighting, "Failed set of the queue that it feeds, by default")
    return context.absent("none", "No dead letter queue")


def _keeps_failed(sighting: Sighting, context: JobContext) -> bool:
    """Whether the library of a queue keeps what fails in it, for work that is only put there (ruling 6)."""
    library = next((x for x in context.service.matcher.libraries if x.id == sighting.library), None)
    return library is not None and any(
        dict(s.traits).get("errors.dead_letter") in ("default", "kept") for s in library.schedulers
    )


def _keeps(sighting: Sighting, context: JobContext) -> bool:
    """Whether a call in a failure handler keeps the run: another queue, a row."""
    if sighting.effect == "queue.enqueue":
        own = context.registration.consumer.location if context.registration.consumer is not None else None
        return (
            own is None
            or bool(_FAILED.search(" ".join(_names(sighting))))
            or not _is_retry(sighting, context)
        )
    if sighting.effect in ("db.insert", "db.upsert"):
        return True
    if sighting.effect == "db.query":
        text = sighting.text("sql") or ""
        return re.match(r"\s*(insert|update)\b", text, re.IGNORECASE) is not None
    return sighting.effect == "db.update" and any(
        _FAILED.search(w) for w in words_in(sighting.param("data"), context.linker)
    )


def _is_retry(sighting: Sighting, context: JobContext) -> bool:
    """Whether work is put back into the queue that it came from."""
    consumer = context.registration.consumer
    mine = consumer.queue if consumer is not None else None
    queue = sighting.text("queue")
    return queue is None or (isinstance(mine, Known) and str(mine.value) == queue)


def _is_of_work(operation: Operation, handlers: tuple[Catch, ...]) -> bool:
    """Whether it is the failure of the work, or of an item of it, and not that of some preparation."""
    in_loop = any(repeats(r) for r in operation.event.regions())
    return in_loop or share_of(operation.event, handlers) >= _HALF


def _is_failure_record(operation: Operation) -> bool:
    if _FAILED.search(operation.table or ""):
        return True
    return any(_FAILED.search(w) for w in operation.words) or any(_FAILED.search(c) for c in operation.sets)


def _names(sighting: Sighting) -> list[str]:
    found = [t for t in (sighting.text("queue"), sighting.text("job")) if t]
    receiver = sighting.view.receiver
    if isinstance(receiver, External) and receiver.path:
        found.append(receiver.path)
    callee = getattr(sighting.event.call, "callee", None)
    if isinstance(callee, Member) and isinstance(callee.object, Name | Member):
        found.append(callee.object.name)
    return found
