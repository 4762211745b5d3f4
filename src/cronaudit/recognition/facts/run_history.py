"""Where the runs of a job are kept: rows of a table, the history of its queue, or only the last one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from itertools import pairwise
from math import inf
from typing import Final, Literal

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import Call, Expr, Index, Member, Name
from cronaudit.model.source import Language, Location
from cronaudit.model.trace import RegionKind
from cronaudit.model.value import Choice, Known, Record, Value
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.facts.chains import model_of
from cronaudit.recognition.facts.failure_paths import hooks
from cronaudit.recognition.facts.settings import default_of, is_set, setting
from cronaudit.recognition.facts.spans import core_of, place_of, spans_of
from cronaudit.recognition.facts.sql import read as read_sql
from cronaudit.recognition.sightings import Sighting, seconds_of, text_of
from cronaudit.recognition.timing import why_open
from cronaudit.schedule.durations import duration_words
from cronaudit.schedule.occurrences import next_runs

Runs = Literal["stored", "last", "none"]

_RUNS_LOOKED_AT: Final = 15

_THING: Final = (
    r"(?:cron|jobs?|tasks?|batch|worker|schedul(?:e|er|ed)|background_?jobs?|sync|process|backup|import"
    r"|export)"
)
_KEPT: Final = r"(?:runs?|executions?|history|histories|logs?|attempts|results?)"
_RUN_TABLE: Final = lazy_regex(rf"(?:^|_){_THING}_?{_KEPT}s?$|^(?:runs|executions|{_THING}_?{_KEPT}_?\w*)$")
_JOB_TABLE: Final = lazy_regex(r"(?:^|_)(?:background|cron|scheduled|periodic)_?(?:jobs?|tasks?)$")
"""One row for each run is named after the job itself too; it counts where its status is written later."""
_STAMPS: Final = lazy_regex(
    r"started|finished|ended|completed|duration|took|status|outcome|result|error|success", re.IGNORECASE
)
_ENDED: Final = lazy_regex(r"finished|ended|completed|duration|outcome|succeeded|failed", re.IGNORECASE)
_LAST: Final = lazy_regex(
    r"last_?(?:run|success|execut|sync|complet|finish|processed|check|start)", re.IGNORECASE
)


def runs_of(context: JobContext) -> Fact[Runs]:
    """What is kept of past runs."""
    kept = context.registration.options.get("keep_completed")
    if kept is not None:
        found = _kept(context, kept)
        if found is not None:
            return found
    row = _row(context)
    if row is not None:
        return row
    trait = context.trait("history.runs")
    results = _results(context)
    if results is not None and results.value != "none":
        return results
    if trait == "stored" and results is None:
        return Fact("stored", "The scheduler keeps past runs", (_runner(context),))
    backend = _backend(context)
    if backend is not None:
        return backend
    last = _last(context)
    if last is not None:
        return last
    if trait == "last":
        return Fact("last", "The scheduler knows only the last run", (_runner(context),))
    missing: Fact[Runs] = context.absent("none", "No persistence of runs")
    if results is not None:
        return Fact(missing.value, results.detail, results.locations)
    return missing


def _runner(context: JobContext) -> Location:
    consumer = context.registration.consumer
    return consumer.location if consumer is not None else context.site


# ---- the queue's own history -----------------------------------------------------------------------------------


def _kept(context: JobContext, value: Value) -> Fact[Runs] | None:
    """``removeOnComplete: {age, count}``: true keeps nothing, false everything, a number or bound so many."""
    at = getattr(value, "at", None) or context.site
    match value:
        case Choice():
            return _kept(context, value.options[0])
        case Known(value=bool()):
            return None if not value.value else _kept_failed(context)
        case Known() if isinstance(value.value, int | float):
            if value.value <= 0:
                return _kept_failed(context)
            if value.value == 1:
                return Fact("last", "Only the last run is kept", (at,))
            return Fact("stored", f"The last {value.value:g} runs are kept", (at,))
        case Record():
            bounds = {k: context.linker.force(v) for k, v in value.entries.items()}
            words = [
                f"{k}: {v.value}"
                for k, v in bounds.items()
                if isinstance(v, Known) and isinstance(v.value, int | float) and not isinstance(v.value, bool)
            ]
            zero = any(isinstance(v, Known) and v.value == 0 for v in bounds.values())
            if zero:
                return _kept_failed(context)
            return Fact(
                "stored",
                f"Completed runs are kept ({', '.join(words)})" if words else "Completed runs are kept",
                (at,),
            )
        case _:
            return None


def _kept_failed(context: JobContext) -> Fact[Runs]:
    return Fact("none", "Completed runs are removed at once", (context.site,))


def _results(context: JobContext) -> Fact[Runs] | None:
    """How long the queue keeps the result of a run: what expires before the next one ends is no history."""
    value = context.registration.options.get("keep_results")
    if value is None:
        return None
    at = place_of(value) or context.site
    ages = [_age(v) for v in (value.options if isinstance(value, Choice) else (value,))]
    known = [age for age in ages if age is not None]
    if len(known) < len(ages) or not known:
        return Fact(Unresolved(f"how long results are kept: {why_open(value)}", at))
    age, between = min(known), _between_runs(context)
    if age == 0:
        return Fact("none", "The result of a run is not kept", (at,))
    if age == inf:
        words = "The scheduler keeps past runs" if place_of(value) is None else "Results are kept without end"
        return Fact("stored", words, (at,))
    kept = f"Results are kept {duration_words(age)}"
    if between is None:
        return Fact(Unresolved(f"{kept}, the time between two runs is not known", at))
    if age > between:
        return Fact("stored", f"{kept}, longer than the time between two runs", (at,))
    return Fact("none", f"{kept}, the next run comes after {duration_words(between)}", (at,))


def _age(value: Value) -> float | None:
    """Seconds; a negative number and `forever` are without end."""
    if isinstance(value, Known) and value.value == "forever":
        return inf
    seconds = seconds_of(value, "s")
    return inf if seconds is not None and seconds < 0 else seconds


# ---- result backends -------------------------------------------------------------------------------------------


def _backend(context: JobContext) -> Fact[Runs] | None:
    """A result backend counts where results outlive the interval (ruling 12); a stored schedule knows the last run."""
    scheduler = context.registration.scheduler
    if scheduler is None or scheduler.family is None:
        return None
    if context.linker.language(context.site.path) is not Language.PYTHON:
        return None
    backend = setting(context.service, "result_backend")
    if backend is not None and is_set(backend):
        kept = _kept_seconds(context)
        between = _between_runs(context)
        if kept is not None and between is not None and kept > between:
            return Fact("stored", "Results are kept longer than the time between two runs", (backend[1],))
    store = setting(context.service, "schedule_store")
    text = text_of(store[0]) if store is not None else None
    if store is not None and text is not None and "database" in text.lower():
        return Fact("last", "The schedule's table knows only the last run", (store[1],))
    return None


def _kept_seconds(context: JobContext) -> float | None:
    """How long results are kept; without an end where expiry is off."""
    stated = setting(context.service, "result_expires")
    if stated is None:
        default = default_of(context.service, "result_expires")
        return float(default) if isinstance(default, int | float) else None
    value = stated[0].options[0] if isinstance(stated[0], Choice) else stated[0]
    if isinstance(value, Known) and value.value in (None, 0):
        return inf
    return seconds_of(value, "s")


def _between_runs(context: JobContext) -> float | None:
    """The longest time between two of the coming runs, in seconds."""
    schedule = context.registration.timing.schedule
    if schedule.interval_seconds is not None:
        return schedule.interval_seconds
    start = datetime.combine(context.service.date, time(), UTC)
    runs = next_runs(schedule, None, start, _RUNS_LOOKED_AT)
    gaps = [(b - a).total_seconds() for a, b in pairwise(runs)]
    return max(gaps, default=None)


# ---- rows ------------------------------------------------------------------------------------------------------


def _row(context: JobContext) -> Fact[Runs] | None:
    row = row_of_run(context)
    if row is None:
        return None
    return Fact("stored", f"One row of {row.table} a run", (row.inserted.location,), row.inserted.path)


class RunRow(Struct, frozen=True):
    """What is written for each run."""

    table: str
    """In snake case."""
    inserted: Sighting
    outcome: Sighting | None
    """The update that says how the run went."""


@once
def row_of_run(context: JobContext) -> RunRow | None:
    """A row for each run: around the work, in a table of runs, or one that holds the job's name and how it went."""
    spans = spans_of(context)
    core = core_of(context, spans)
    own = {e.order for e in spans.span(core)} if core is not None else set()
    candidates = [s for s in context.seen("db.insert", "db.upsert", "db.query") if s.event.order not in own]
    candidates += [
        s for h in hooks(context) for s in h.sightings if s.effect in ("db.insert", "db.upsert", "db.query")
    ]
    # The round of a scheduler of the project's own goes over its jobs: what it writes for each is one row a run.
    is_round = context.registration.engine is not None and core is not None
    for sighting in candidates:
        table = _inserted(sighting)
        if table is None:
            continue
        outcome = _outcome(context, table, own)
        if any(r.kind is RegionKind.LOOP for r in sighting.event.regions()) and not (
            is_round and outcome is not None
        ):
            continue
        if _RUN_TABLE.search(table):
            return RunRow(table, sighting, outcome)
        if _JOB_TABLE.search(table) and (_is_stamped(sighting, context) or outcome is not None):
            return RunRow(table, sighting, outcome)
        if _names_job(sighting, context) and _is_stamped(sighting, context):
            return RunRow(table, sighting, outcome)
    return None


def _outcome(context: JobContext, table: str, own: set[int]) -> Sighting | None:
    """The update around the work that says how the run went; none where the rows are deleted there as well."""
    if any(s.event.order not in own and table_of(s) == table for s in context.seen("db.delete")):
        return None
    for sighting in context.seen("db.update"):
        data = sighting.param("data")
        if sighting.event.order in own or table_of(sighting) != table or not isinstance(data, Record):
            continue
        if any(_ENDED.search(_snake(k)) for k in data.entries):
            return sighting
    return None


def table_of(sighting: Sighting) -> str | None:
    """The table or model of a call, in snake case; None where only a statement in SQL says it."""
    if sighting.text("sql") is not None or sighting.effect == "db.query":
        return None
    args = sighting.view.args
    model = model_of(args.positional[0], sighting.linker) if args is not None and args.positional else ""
    return _snake(sighting.text("table") or model or _target(sighting)) or None


def _inserted(sighting: Sighting) -> str | None:
    """The table or model that a call inserts into, in snake case."""
    sql = sighting.text("sql")
    if sql is not None:
        found = [s for s in read_sql(sql) if s.verb == "insert"]
        return _snake(found[0].table) if found and found[0].table else None
    return table_of(sighting)


def _target(sighting: Sighting) -> str:
    """The name before the method, as written: ``prisma.jobRun.create`` → ``jobRun``."""
    call = sighting.event.call
    names: list[str] = []
    expr: Expr | None = call.callee if isinstance(call, Call) else None
    while expr is not None:
        if isinstance(expr, Member):
            names.append(expr.name)
            expr = expr.object
        elif isinstance(expr, Call):
            expr = expr.callee
        elif isinstance(expr, Index):
            expr = expr.object
        elif isinstance(expr, Name):
            names.append(expr.name)
            expr = None
        else:
            expr = None
    passing = (
        "objects",
        "create",
        "insert",
        "save",
        "update",
        "updateMany",
        "delete",
        "deleteMany",
        "values",
        "into",
        "query",
        "model",
        "manager",
        "session",
        "_default_manager",
    )
    rest = [n for n in names if n not in passing]
    return rest[0] if rest else ""


def _snake(name: str | None) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name or "").lower().replace("-", "_").split(".")[-1]


def _data(sighting: Sighting, context: JobContext) -> dict[str, Value]:
    view = sighting.view
    values = [sighting.param("data")]
    if view.args is not None:
        values += [context.linker.force(v) for v in view.args.positional]
        named = {k: context.linker.force(v) for k, v in view.args.named.items()}
    else:
        named = {}
    for value in values:
        if isinstance(value, Record):
            for key, raw in value.entries.items():
                inner = context.linker.force(raw)
                if isinstance(inner, Record):
                    named.update({k: context.linker.force(v) for k, v in inner.entries.items()})
                named[key] = inner
    return named


def _names_job(sighting: Sighting, context: JobContext) -> bool:
    name = context.registration.name
    sql = sighting.text("sql")
    if name is None:
        return False
    if sql is not None and f"'{name}'" in sql:
        return True
    return any(isinstance(v, Known) and v.value == name for v in _data(sighting, context).values())


def _is_stamped(sighting: Sighting, context: JobContext) -> bool:
    """Whether it says when the run was or how it went."""
    sql = sighting.text("sql")
    if sql is not None:
        return _STAMPS.search(sql) is not None
    return any(_STAMPS.search(_snake(k)) for k in _data(sighting, context))


# ---- the last run ----------------------------------------------------------------------------------------------


def _last(context: JobContext) -> Fact[Runs] | None:
    """``last_run_at`` of one row or key."""
    seen = [*context.seen("db.update", "db.upsert", "db.query", "cache.set")]
    seen += [
        s
        for h in hooks(context)
        for s in h.sightings
        if s.effect in ("db.update", "db.upsert", "db.query", "cache.set")
    ]
    for sighting in seen:
        if any(r.kind is RegionKind.LOOP for r in sighting.event.regions()):
            continue
        texts = [sighting.text("sql"), sighting.text("key"), *_data(sighting, context)]
        written = [t for t in texts if t is not None and _LAST.search(t)]
        sql = sighting.text("sql")
        if written and (sql is None or not sql.lstrip().lower().startswith("select")):
            return Fact("last", "Only the last run", (sighting.location,), sighting.path)
    return None
