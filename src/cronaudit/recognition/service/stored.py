"""What a route and a job share in a store: rows that the one reads and the other leaves behind."""

from __future__ import annotations

from cronaudit.model.ir import Const, Function
from cronaudit.model.value import ClassValue, External
from cronaudit.model.walking import expressions
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.chains import model_of
from cronaudit.recognition.facts.conditions import chain_of
from cronaudit.recognition.facts.failure_paths import hooks
from cronaudit.recognition.facts.run_hooks import run_hooks
from cronaudit.recognition.facts.sql import read as read_sql
from cronaudit.recognition.sightings import Sighting

_WRITES = ("db.insert", "db.upsert", "db.update")
_READS = ("db.read", "db.read_one", "db.stream")


def shares_rows(context: JobContext, read: tuple[Sighting, ...]) -> bool:
    """Whether the job, or what is called around its runs, writes a table that the route reads."""
    asked = {t for s in read for t in _tables(s, writes=False)}
    if not asked:
        return False
    left = [*context.sightings, *(s for h in run_hooks(context) for s in h.sightings)]
    left += [s for h in hooks(context) for s in h.sightings]
    return any(t in asked for s in left for t in _tables(s, writes=True))


def shares_runs(context: JobContext, read: tuple[Sighting, ...], functions: list[Function]) -> bool:
    """Whether the route asks the runs that the job's framework stores, of this job or of all."""
    scheduler = context.registration.scheduler
    family = scheduler.family if scheduler is not None else None
    asked = [s for s in read if s.effect == "runs.read" and s.description.word("family") == family]
    if family is None or not asked:
        return False
    if not any(s.param("task") is not None for s in asked):
        return True
    consumer = context.registration.consumer
    names = {context.registration.name}
    if consumer is not None:
        names.add(getattr(consumer.name, "value", None))
    texts = {
        e.value
        for module in {id(f.module): f.module for f in functions}.values()
        for e in expressions(module.body)
        if isinstance(e, Const) and isinstance(e.value, str)
    }
    keys = {
        entry.key
        for module in {id(f.module): f.module for f in functions}.values()
        for e in expressions(module.body)
        for entry in getattr(e, "entries", ())
    }
    return any(isinstance(n, str) and (n in texts or n in keys) for n in names)


def _tables(sighting: Sighting, *, writes: bool) -> frozenset[str]:
    if sighting.effect == "db.query":
        text = sighting.text("sql") or ""
        found = read_sql(text)
        return frozenset(s.table for s in found if s.table and (s.verb != "select") is writes)
    if sighting.effect not in (_WRITES if writes else _READS):
        return frozenset()
    named = {link.of for link in chain_of(sighting.view) if link.of}
    stated = sighting.text("table")
    value = sighting.param("table")
    if isinstance(value, ClassValue):
        named.add(value.cls.name or "")
    elif isinstance(value, External) and value.of:
        named.add(value.of)
    elif stated:
        named.add(stated)
    if sighting.description.word("builds") is True or sighting.param("data") is not None:
        args = sighting.view.args
        named |= {model_of(raw, sighting.linker) for raw in (args.positional[:1] if args is not None else ())}
    return frozenset(named - {""})
