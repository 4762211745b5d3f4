"""``runner``: what runs the job, and where."""

from __future__ import annotations

from typing import Final, Literal

from cronaudit.model.facts import Fact, RunnerFacts, Unresolved
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Closure, External, Known, Record, Unknown, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.configured import app_setting
from cronaudit.recognition.facts.processes import placement
from cronaudit.recognition.facts.processes_sites import written_at
from cronaudit.recognition.facts.runner_coordination import contention, election
from cronaudit.recognition.facts.runner_placement import scaling, separation
from cronaudit.recognition.facts.runner_state import instance_state
from cronaudit.recognition.facts.settings import is_set
from cronaudit.recognition.facts.spans import is_changing
from cronaudit.recognition.facts.stated import option as stated_option
from cronaudit.recognition.sightings import Sighting
from cronaudit.recognition.timers import CHANGING

_OWN: Final = {
    "set-interval": "Custom setInterval",
    "set-timeout-loop": "Custom setTimeout loop",
    "timer-loop": "Custom timer loop",
    "sleep-loop": "Custom sleep loop",
}
_FEEDING: Final = frozenset(("queue.enqueue", "tx.wrap", "tx.begin", "lock.acquire", "lock.with", "monitor.ping",
                             "monitor.wrap", "metric.push"))  # fmt: skip
"""Changing effects that an own timer may have beside the one that feeds its queue."""


def build(context: JobContext) -> RunnerFacts:
    """What runs a job, from its library, its walk, its processes and its lock."""
    return RunnerFacts(
        library=_library(context),
        persistence=_persistence(context),
        separation=separation(context),
        scaling=scaling(context),
        election=election(context),
        contention=contention(context),
        instance_state=instance_state(context),
        children=_children(context),
    )


def _places(context: JobContext) -> tuple[Location, ...]:
    """The worker first, where there is one."""
    consumer = context.registration.consumer
    return (context.site,) if consumer is None else (consumer.location, context.site)


def _title(context: JobContext) -> str:
    scheduler = context.registration.scheduler
    if scheduler is None:
        return ""
    return next((x.title for x in context.service.matcher.libraries if x.id == scheduler.library), "")


def _library(context: JobContext) -> Fact[Literal["production", "in-process", "own-queue", "own"]]:
    stated = context.trait("runner.library")
    if stated in ("production", "in-process"):
        return Fact(stated, _title(context), _places(context))  # type: ignore[arg-type]
    title = _OWN.get(context.registration.kind, "Custom scheduler")
    fed = _feeds(context)
    if fed is not None:
        return Fact("own-queue", f"{title} that only feeds a queue", (context.site, fed.location), fed.path)
    return Fact("own", title, (context.site,))


def _feeds(context: JobContext) -> Sighting | None:
    """The call that puts the work into a queue, where that is all that a run changes (ruling 25)."""
    if context.registration.handler is None or not context.trace.complete:
        return None
    changing = [s for s in context.sightings if s.effect in CHANGING or is_changing(s)]
    queued = [s for s in changing if s.effect == "queue.enqueue"]
    if not queued or not all(s.effect in _FEEDING for s in changing):
        return None
    chosen = _chosen(context)
    return next((s for s in queued if not chosen & set(s.path)), None)


def _chosen(context: JobContext) -> frozenset[str]:
    """Functions of which only the configuration tells whether they are called: another runner may be in force."""
    return frozenset(
        option.function.symbol
        for event in context.trace.events
        if isinstance(event.callee, Choice)
        for option in event.callee.options
        if isinstance(option, Closure)
    )


def _persistence(context: JobContext) -> Fact[Literal["both", "one", "none"]]:
    kept = context.registration.options.get("persistent")
    if isinstance(kept, Known) and kept.value is True:
        return Fact("both", "Schedules and runs are kept in a store", (kept.at or context.site,))
    store = _store(kept, context)
    if store is not None:
        return Fact("both", "Schedules and their next runs are kept in a store", (store,))
    stated = context.trait("runner.persistence")
    if stated == "both":
        return Fact(
            "both",
            f"{_title(context)} keeps schedules and runs".strip(),
            (context.site, placement(context).work),
        )
    if stated == "one":
        return Fact("one", "Schedule or runs survive a restart, not both", (context.site,))
    fed = _feeds(context)
    if fed is not None:
        return Fact(
            "one",
            "The timer is in memory, its work in a queue",
            (context.site, fed.location),
            fed.path,
        )
    return Fact("none", "In-memory only", (context.site,))


def _store(kept: Value | None, context: JobContext) -> Location | None:
    """Where the store is made that schedules go to unless they name another: ``{"default": SQLAlchemyJobStore(…)}``."""
    if isinstance(kept, Record):
        default = kept.entries.get("default")
        kept = None if default is None else context.linker.force(default)
    if not isinstance(kept, External):
        return None
    effects = context.service.matcher.effects(kept.path.removesuffix("()"))
    return (kept.at or context.site) if any(e.effect == "schedule.keep" for e in effects) else None


def _children(
    context: JobContext,
) -> Fact[Literal["timeout", "platform", "some", "unbounded", "no-children"]]:
    if context.trait("runner.children") == "platform":
        return Fact("platform", "The platform kills a hung run", (context.site,))
    killed = [p for p in placement(context).processes if p.schedule is not None and p.time_limit is not None]
    if killed and killed[0].time_limit is not None and killed[0].time_limit.value is not None:
        limit = killed[0].time_limit
        return Fact("platform", f"The platform kills a run after {limit.text} s", (limit.location,))
    bound = stated_option(context, "timeout")
    apart = context.trait("data.loop") == "elsewhere" or context.trait("lock.kind") in (
        "platform",
        "platform-start",
    )
    if apart and isinstance(bound, Known) and bound.value:
        return Fact("platform", "A hung run is killed at its time limit", (bound.at or context.site,))
    limit_of_all = app_setting(context, "run_timeout") if apart and bound is None else None
    if isinstance(limit_of_all, tuple) and is_set(limit_of_all):
        return Fact("platform", "A hung run is killed at the time limit of all tasks", (limit_of_all[1],))
    spawned = context.seen_everywhere("process.spawn")
    if not spawned:
        return context.absent("no-children", "No child processes")
    bounded = [s for s in spawned if _is_bounded(s) is True]
    open_ = [s for s in spawned if _is_bounded(s) is None]
    without = [s for s in spawned if _is_bounded(s) is False]
    if bounded and without:
        places = (*(s.location for s in without), *(s.location for s in bounded))
        return Fact(
            "some",
            f"{len(bounded)} of {len(spawned)} child processes have a timeout",
            places,
            without[0].path,
        )
    if without:
        return Fact(
            "unbounded",
            "Child processes without a timeout",
            tuple(s.location for s in without),
            without[0].path,
        )
    if open_:
        first = open_[0]
        return Fact(
            Unresolved("the options of a child process are not resolved", first.location),
            "",
            (first.location,),
        )
    first = bounded[0]
    if not context.trace.complete:
        return Fact(Unresolved(context.trace.cut, first.location), "", (first.location,))
    seconds = first.seconds("timeout")
    words = "Child processes get a timeout" if seconds is None else f"Child processes get {seconds:g} s"
    option = written_at(first.event.call, first.location.path, first.description.param("timeout"))
    return Fact("timeout", words, (*((option,) if option is not None else ()), first.location), first.path)


def _is_bounded(sighting: Sighting) -> bool | None:
    """Whether a child process is ended after a time; None where that cannot be told."""
    if sighting.seconds("timeout") is not None:
        return sighting.seconds("timeout") != 0
    stated = sighting.param("timeout")
    if stated is None:
        signal = sighting.param("signal")
        if isinstance(signal, External) and signal.path == "global:AbortSignal.timeout()":
            return True
        return None if signal is not None else False
    return None if isinstance(stated, Unknown) else True
