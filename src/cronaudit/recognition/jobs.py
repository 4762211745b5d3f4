"""All jobs of a tree: discovery, the judgement of timers, duplicates, liveness, and the walk of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from cronaudit.model.ir import Function, Module
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Trace
from cronaudit.model.value import Closure, External, Known, Unknown, Value
from cronaudit.recognition.alternatives import without_alternatives, without_rearmed
from cronaudit.recognition.blind_ends import without_blind_end
from cronaudit.recognition.catalogues import is_listed, variable_of
from cronaudit.recognition.class_registries import classes_of
from cronaudit.recognition.commands import command_of, is_on_by_default, started_with
from cronaudit.recognition.context import JobContext, Service
from cronaudit.recognition.discovery import Discovery
from cronaudit.recognition.engines import engine_trace, entries_of
from cronaudit.recognition.enqueued import Enqueued
from cronaudit.recognition.found import Registration, Rejection
from cronaudit.recognition.handed_work import ends_its_timer
from cronaudit.recognition.handlers import unwrapped
from cronaudit.recognition.heartbeats import is_heartbeat
from cronaudit.recognition.kept_work import kept_by_objects
from cronaudit.recognition.lifetimes import Lifetimes
from cronaudit.recognition.listed_jobs import by_setting
from cronaudit.recognition.liveness import Liveness, Starts
from cronaudit.recognition.loops import Loops
from cronaudit.recognition.manifests import Manifests
from cronaudit.recognition.planned import Planned
from cronaudit.recognition.receivers import Receivers
from cronaudit.recognition.rounds import rounds_of
from cronaudit.recognition.scheduled_processes import ScheduledProcesses, without_asked_twice
from cronaudit.recognition.sightings import Reader, Sighting
from cronaudit.recognition.stated import stated_at
from cronaudit.recognition.timers import branches_that_end, judge_interval, judge_work
from cronaudit.recognition.undescribed import is_handed_a_trigger
from cronaudit.recognition.written_rows import without_repeated
from cronaudit.schedule.cron import NEVER

_TIMER_KINDS = frozenset(("set-interval", "set-timeout-loop", "timer-loop", "sleep-loop"))


class Found(Struct, eq=False):
    """One job with its liveness."""

    registration: Registration
    liveness: Liveness
    context: JobContext
    location: Location


@dataclass(slots=True, eq=False)
class Finder:
    """Finds the jobs of a tree."""

    linker: Linker
    discovery: Discovery
    loops: Loops
    planned: Planned
    manifests: Manifests
    processes: ScheduledProcesses
    receivers: Receivers
    reader: Reader
    enqueued: Enqueued
    starts: Starts
    lifetimes: Lifetimes
    rejections: list[Rejection] = field(default_factory=list)
    _walked: dict[Registration, tuple[Trace, tuple[Sighting, ...]]] = field(default_factory=dict)
    """By the registration itself: the id of one that was no job may be that of another one later."""
    _passing: set[Location | None] = field(default_factory=set)
    """Where timers were armed that pass with what arms them."""

    def registrations(self, files: Iterable[str], on_file: Callable[[str], None]) -> list[Registration]:
        """The registrations of these files that are jobs."""
        found: list[Registration] = []
        for path in files:
            on_file(path)
            module = self.linker.module(path)
            if module is None:
                continue
            planned = list(self.planned.in_module(module))
            candidates = [
                *self.discovery.in_file(path),
                *planned,
                *(t for t in self.loops.timeouts(module) if all(t.node is not p.node for p in planned)),
                *self.loops.sleeps(module),
            ]
            for candidate in candidates:
                rounds = self._rounds(candidate)
                if rounds:
                    found.extend(rounds)
                elif self._is_job(candidate):
                    found.extend(self._entries(candidate) or [candidate])
        found.extend(self.processes.registrations())
        received, senders = self.receivers.registrations(found)
        found = [r for r in found if r not in senders] + received
        found = [r for r in found if not self._is_engine(r)]
        triggers = {
            r.timing.at for r in found if r.scheduler is not None and is_handed_a_trigger(r.scheduler)
        }
        if triggers:
            found = [r for r in found if not self._arms_them(r, triggers)]
        found = [r for r in found if not self._is_other_way(r, found) and not self._is_only_listed(r, found)]
        tables = {(r.kind, r.name) for r in found if r.name and r.scheduler and r.scheduler.how == "assign"}
        # A row of that name is overwritten by what the settings say when the scheduler starts.
        found = [
            r for r in found if not (r.scheduler and r.scheduler.how == "call" and (r.kind, r.name) in tables)
        ]
        found = without_asked_twice([*found, *self.manifests.registrations()])
        self.rejections += self.discovery.rejections + self.loops.rejections + self.processes.rejections
        return _distinct(without_rearmed(without_alternatives(without_repeated(found)), self.linker))

    def _is_job(self, registration: Registration) -> bool:
        if registration.kind not in _TIMER_KINDS:
            return True
        handler = registration.handler if isinstance(registration.handler, Closure) else None
        if registration.kind == "set-interval" and registration.call.call is not None:
            against = judge_interval(registration.call.call, registration.node, handler, self.linker)
            if against is not None:
                self._reject(registration, against.reason)
                return False
        if registration.handler is None:
            self._reject(registration, f"what it runs is not resolved: {registration.handler_open}")
            return False
        if registration.site in self._passing and self._is_passing(registration):
            return False
        trace = self._trace(registration)
        judgement, sightings = judge_work(_round(trace, registration), self.reader)
        if registration.loop is not None:
            sightings = self.reader.read(trace)
        self._walked[registration] = (trace, sightings)
        if not judgement.is_job:
            self._reject(registration, judgement.reason)
        elif is_heartbeat(registration, judgement, trace):
            self._reject(registration, "it is a heartbeat: it only says that the process lives")
            return False
        elif ends_its_timer(registration, trace, self.linker):
            self._reject(registration, "it stops its own timer when it is through")
            return False
        elif self._is_passing(registration):
            return False
        return judgement.is_job

    def _is_passing(self, registration: Registration) -> bool:
        """Whether a timer passes with what makes its object: a request, a queued job, a page; said if so."""
        if not self.lifetimes.is_of_operation(registration):
            return False
        # A timer of a base class is one of each class below it: the next one is not walked to find the same.
        self._passing.add(registration.site)
        self._reject(
            registration, "it lives as long as what makes its object: a request, a queued job or a page"
        )
        return True

    def _rounds(self, registration: Registration) -> list[Registration]:
        """The jobs that a loop of the project's own runs out of a registry, or for each object of its class."""
        if registration.loop is None:
            return []
        jobs = [j for j in rounds_of(registration, self.linker) if self._works(j)]
        if jobs:
            return jobs
        # What one such scheduler runs may hand its work to a thread or a queue that another one runs.
        kept = list(kept_by_objects(registration, self.linker))
        return kept if any(map(self._works, kept)) else []

    def _works(self, registration: Registration) -> bool:
        handler = registration.handler
        return handler is not None and judge_work(self.linker.walk(handler), self.reader)[0].is_job

    def _arms_them(self, registration: Registration, triggers: set[Location | None]) -> bool:
        """Whether a registration only arms what decorators with triggers have collected, which are the jobs."""
        scheduler = registration.scheduler
        if scheduler is None or scheduler.how != "call" or registration.handler is not None:
            return False
        timing = registration.timing
        if registration.consumer is not None or (timing.open is None and timing.at not in triggers):
            return False
        self._reject(
            registration, "it arms what decorators have collected: what stands under those are the jobs"
        )
        return True

    def _is_engine(self, registration: Registration) -> bool:
        """Whether a timer only keeps a scheduler of the tree going whose calls are the jobs."""
        node = registration.node
        if registration.kind not in _TIMER_KINDS or not isinstance(node, Function):
            return False
        if node.location not in self.discovery.undescribed.engines:
            return False
        self._reject(registration, "it keeps a scheduler of the tree going: the calls of that are the jobs")
        return True

    def _is_other_way(self, registration: Registration, found: list[Registration]) -> bool:
        """Whether a timer is only the other way to arm what a scheduler beside it arms with a schedule that is known.

        ``if (every) setInterval(run, every) else cron.schedule(task.schedule, run)``, for each task of a registry.
        """
        if registration.kind not in _TIMER_KINDS or registration.timing.open is None:
            return False
        work = self._work_of(registration)
        return work is not None and any(
            r.node is registration.node
            and r.timing.open is None
            and self._work_of(r) is work
            and not _is_armed_by_the_same(r, registration)
            for r in found
        )

    def _is_only_listed(self, registration: Registration, found: list[Registration]) -> bool:
        """Whether an entry of a list of jobs is armed by a scheduler of the tree, or at a time that never comes."""
        if not is_listed(registration):
            return False
        if registration.timing.invalid.endswith(NEVER):
            self._reject(registration, "it is listed at a time that never comes: it is run by hand")
            return True
        work = self._work_of(registration)
        armed = any(work is not None and self._work_of(r) is work for r in found if not is_listed(r))
        if armed:
            self._reject(registration, "a scheduler of the tree arms what is listed here")
        return armed

    def _work_of(self, registration: Registration) -> Function | None:
        handler = registration.work or registration.handler
        return unwrapped(handler, self.linker).function if isinstance(handler, Closure) else None

    def _entries(self, registration: Registration) -> list[Registration]:
        """The jobs that a timer of the project's own runs out of a registry; none where it is a job itself."""
        known = self._walked.get(registration)
        if known is None:
            return []
        trace, sightings = known
        return list(entries_of(registration, sightings, self.linker)) or list(
            classes_of(registration, trace, self.linker)
        )

    def _in_its_mode(self, registration: Registration, liveness: Liveness, service: Service) -> Liveness:
        """A command whose loop is an option runs it only where a manifest passes that option."""
        command = command_of(registration.node, self.linker)
        option = registration.mode
        if command is None or option is None or is_on_by_default(registration.node, option):
            return liveness
        at = started_with(command, option, service.deployment)
        flag = "--" + option.replace("_", "-")
        if at is None:
            return Liveness(
                is_live=False, reason=f"it goes round once unless {flag} is given, which no manifest does"
            )
        return Liveness(is_live=True, reason=f"{at} starts it with {flag}", entries=liveness.entries)

    def _liveness(self, registration: Registration) -> Liveness:
        kept = variable_of(registration) if is_listed(registration) else None
        dead = self.starts.listed(*kept) if kept is not None else None
        return dead or self.starts.of(registration.node)

    def _trace(self, registration: Registration) -> Trace:
        assert registration.handler is not None  # noqa: S101 - only such jobs are walked
        if registration.engine is not None:
            return engine_trace(registration, self.linker)
        return self.linker.walk(registration.handler, passed_to(registration))

    def _reject(self, registration: Registration, reason: str) -> None:
        self.rejections.append(Rejection(registration.site, registration.kind, reason))

    def found(self, registration: Registration, service: Service) -> Found:
        """A registration with its liveness and its walk."""
        platform = registration.scheduler is not None and registration.scheduler.how == "manifest"
        liveness = (
            Liveness(is_live=True, reason="the platform starts it")
            if platform
            else self._liveness(registration)
        )
        known = self._walked.get(registration)
        if known is not None:
            trace, sightings = known
        elif registration.handler is not None:
            trace = self._trace(registration)
            sightings = self.reader.read(trace)
        else:
            trace, sightings = Trace(complete=False, cut=registration.handler_open), ()
        handler: Closure | Module | None = registration.handler
        if registration.work is not None:
            handler = registration.work
        elif isinstance(handler, Closure):
            handler = unwrapped(handler, self.linker, registration.passed)
        trace = without_blind_end(trace, sightings)
        liveness = by_setting(registration, liveness, service)
        if liveness.is_live:
            liveness = self._in_its_mode(registration, self.starts.started(registration, liveness), service)
        enqueued = self.enqueued.sightings(trace, sightings)
        work = registration.work
        runs = {id(getattr(e.callee, "function", None)) for e in trace.events}
        if work is not None and id(work.function) not in runs:
            enqueued = (*enqueued, *self.reader.read(self.linker.walk(work)))
        context = JobContext(service, registration, handler, trace, sightings, enqueued, liveness.entries)
        return Found(registration, liveness, context, stated_at(registration))


def _is_armed_by_the_same(one: Registration, other: Registration) -> bool:
    """Whether two jobs are told apart by callers or objects only: one loop or call arms them both."""
    if one.loop is not None or other.loop is not None:
        return one.loop is other.loop
    return one.call.call is not None and one.call.call is other.call.call


def _round(trace: Trace, registration: Registration) -> Trace:
    """What one round does of which another follows, without what stands before a loop and what ends a timer."""
    loop, node, call = registration.loop, registration.node, registration.call.call
    if loop is not None:
        events = tuple(e for e in trace.events if any(r.node is loop for r in e.regions()))
    elif registration.kind != "set-interval" and call is not None and isinstance(node, Function):
        ended = branches_that_end(call, node)
        for event in trace.events[1:]:
            if _calls(event, node) and event.call is not None and isinstance(event.scope.node, Function):
                # ``fire() { if (due()) { work(); } else { this.arm(); } }``: what arms it again stands elsewhere.
                ended |= branches_that_end(event.call, event.scope.node, (node.name,))
        events = tuple(e for e in trace.events if not any((id(r.node), r.kind) in ended for r in e.regions()))
    else:
        return trace
    return Trace(events, trace.complete, trace.cut, trace.functions)


def _calls(event: Event, function: Function) -> bool:
    return (
        event.kind is EventKind.CALL
        and isinstance(event.callee, Closure)
        and event.callee.function is function
    )


def passed_to(registration: Registration) -> tuple[Value, ...]:
    """What the scheduler or the queue passes to the handler; a queue's job knows its name and its data."""
    consumer, scheduler = registration.consumer, registration.scheduler
    passes = (
        consumer.consumer.passes
        if consumer is not None
        else scheduler.passes
        if scheduler is not None
        else ()
    )
    name = registration.job_name
    members: dict[str, Value] = {"name": Known(name)} if name is not None else {}
    data = registration.options.get("data")
    if data is not None:
        members["data"] = data
    return tuple(
        External(path, members=members) if path else Unknown("what the scheduler passes is not known")
        for path in passes
    )


def _distinct(found: list[Registration]) -> list[Registration]:
    """One job a registration: several schedulers behind one registry entry are one job, the first kind wins."""
    kept: list[Registration] = []
    seen: dict[tuple[object, ...], list[Registration]] = {}
    for registration in sorted(found, key=lambda r: r.bound.rank):
        at = stated_at(registration)
        timing = registration.timing.schedule
        key = (at.path, at.line, timing.expression, timing.interval_seconds)
        known = seen.setdefault(key, [])
        if known and (known[0].kind != registration.kind or any(k.name == registration.name for k in known)):
            continue
        known.append(registration)
        kept.append(registration)
    return kept
