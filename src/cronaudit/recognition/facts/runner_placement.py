"""``runner.separation`` and ``runner.scaling``: in which process a job runs, and what is deployed for it."""

from __future__ import annotations

from typing import Final, Literal

from cronaudit.model.deployment import Entry, EntryPoint, Process, ProcessKind, ProcessRole
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.source import Location
from cronaudit.recognition.context import JobContext, Service
from cronaudit.recognition.facts.processes import (
    Placement,
    is_worker_of,
    libraries_of,
    placement,
    process_probes,
)
from cronaudit.recognition.facts.processes_http import has_probes_only, may_listen, serves

Separation = Literal["own", "flag", "shared"]
Scaling = Literal["own", "flag", "embedded"]

_INSIDE: Final = frozenset((ProcessKind.UWSGI_DAEMON, ProcessKind.SUPERVISOR))
"""Processes that start and end with the container of another one."""
_KINDS: Final = {
    ProcessKind.COMPOSE: "container",
    ProcessKind.DOCKERFILE: "container",
    ProcessKind.K8S_DEPLOYMENT: "deployment",
    ProcessKind.K8S_STATEFUL_SET: "stateful set",
    ProcessKind.K8S_CRON_JOB: "CronJob",
    ProcessKind.K8S_JOB: "job",
    ProcessKind.K8S_POD: "pod",
    ProcessKind.PROCFILE: "Procfile process",
    ProcessKind.HEROKU: "dyno",
    ProcessKind.SYSTEMD: "unit",
    ProcessKind.PACKAGE_SCRIPT: "script",
    ProcessKind.CRONTAB: "line",
}


def separation(context: JobContext) -> Fact[Separation]:
    """Whether the job runs apart from the HTTP server."""
    found = placement(context)
    if found.workers and not found.servers:
        return Fact("own", _own_words(context.service, found), (found.place, *_sources(found.workers)))
    if found.processes:
        set_apart = _set_apart(found)
        if set_apart is not None:
            return Fact(
                "own", f"{set_apart[0]} is set for {set_apart[1].name}", (found.place, set_apart[1].source)
            )
        beside = _beside(context, found)
        if beside is not None:
            words = " ".join(beside.argv)
            places = (found.place, *_sources(found.servers))
            return Fact("own", f"Command of its own beside the server: {words}", places)
        return _shared(found)
    stated = context.trait("runner.separation")
    if stated in ("own", "flag", "shared"):
        return Fact(stated, _trait_words(context, stated), (context.site,))  # type: ignore[arg-type]
    return _by_entries(context.service, found)


def scaling(context: JobContext) -> Fact[Scaling]:
    """Whether what runs the job can be scaled without the HTTP server."""
    found = placement(context)
    apart = [p for p in found.workers if p.kind not in _INSIDE and p.parent is None]
    if apart and not (found.servers and _set_apart(found) is None):
        first = apart[0]
        return Fact("own", f"{_noun(first).capitalize()} of its own: {first.name}", _sources(apart))
    if found.workers and not found.servers:
        first = found.workers[0]
        return Fact(
            "embedded", f"Runs in the container of another process: {first.name}", _sources(found.workers)
        )
    if found.processes:
        chosen = _beside(context, found)
        if chosen is not None and _is_one_of_several(chosen):
            command = " ".join(chosen.argv)
            said = f"Program of its own that the image can be started as: {command}"
            return Fact("own", said, (chosen.trail[-1].location,))
        if found.switches:
            switch = found.switches[0]
            return Fact("flag", f"By {switch.name}", (switch.location,))
        return Fact("embedded", "Jobs embedded in service", (found.place, *_sources(found.servers)))
    stated = context.trait("runner.scaling")
    if stated in ("own", "flag", "embedded"):
        title = f"{_title(context)} has workers of its own" if stated == "own" else ""
        return Fact(stated, title, (context.site,))  # type: ignore[arg-type]
    apart_fact = _by_entries(context.service, found)
    words: dict[object, Scaling] = {"own": "own", "flag": "flag", "shared": "embedded"}
    if isinstance(apart_fact.value, Unresolved):
        return Fact(apart_fact.value, "", apart_fact.locations)
    details: dict[Scaling, str] = {
        "embedded": "Jobs embedded in service",
        "own": apart_fact.detail,
        "flag": apart_fact.detail,
    }
    word = words[apart_fact.value]
    return Fact(word, details[word], apart_fact.locations)


def _shared(found: Placement) -> Fact[Separation]:
    if found.switches:
        switch = found.switches[0]
        return Fact("flag", f"By {switch.name}, shared by default", (switch.location, found.place))
    if found.workers:
        both = ", ".join(sorted({p.name for p in found.servers}))
        return Fact(
            "shared",
            f"Also runs in the process of the HTTP server: {both}",
            (found.place, *_sources(found.servers)),
        )
    return Fact("shared", "Same process as HTTP", (found.place, *_sources(found.servers)))


def _by_entries(service: Service, found: Placement) -> Fact[Separation]:
    """Without a manifest the files that something starts decide."""
    entries = [e for e in found.entries if e.kind is not ProcessRole.TEST]
    if not entries:
        reason = "no manifest and no entry point of the tree starts it, so its process is not known"
        return Fact(Unresolved(reason, found.work))
    serving = [e for e in entries if e.kind is ProcessRole.SERVER or serves(service, e.path)]
    if not serving:
        first = entries[0]
        extra = _PROBES if has_probes_only(service, first.path) else ""
        return Fact("own", f"Entry point of its own: {first.why}{extra}", (found.place, first.location))
    if found.switches:
        switch = found.switches[0]
        return Fact("flag", f"By {switch.name}, shared by default", (switch.location, found.place))
    return Fact("shared", "Same process as HTTP", (found.place, _place(serving[0])))


def _place(entry: EntryPoint) -> Location:
    return entry.location


def _set_apart(found: Placement) -> tuple[str, Process] | None:
    """A worker process for which a switch is set, while every process that serves requests sets it otherwise."""
    for switch in found.switches:
        for worker in found.workers:
            own = worker.variable(switch.name)
            others = [p.variable(switch.name) for p in found.servers]
            if (
                own is not None
                and own.value is not None
                and all(o is not None and o.value is not None and o.value != own.value for o in others)
            ):
                return switch.name, worker
    return None


def _beside(context: JobContext, found: Placement) -> Entry | None:
    """The command that runs the job where every container starts it next to another one that serves requests."""
    service = context.service
    libraries = libraries_of(context)
    apart: Entry | None = None
    for process in found.servers:
        # Who plans a task reaches its code too; where its library has workers of its own, those run it.
        running = [e for e in process.main_entries if is_worker_of(e, libraries)] or [
            e for e in process.main_entries if any(_comes_to(service, path, found) for path in e.paths)
        ]
        if not running or len(running) == len(process.main_entries):
            return None
        if any(_is_server(service, e) or _may_serve(service, e) for e in running):
            return None
        apart = apart or running[0]
    return apart


def _is_one_of_several(entry: Entry) -> bool:
    """``case "$1" in worker) exec celery …``: the shell becomes this program, so no other one runs beside it."""
    return entry.conditional and bool(entry.trail) and entry.trail[-1].text.startswith("exec ")


def _is_server(service: Service, entry: Entry) -> bool:
    """A worker by its command stays one, whatever listens inside it for its own use."""
    if entry.role is ProcessRole.WORKER:
        return False
    return entry.role is ProcessRole.SERVER or any(serves(service, path) for path in entry.paths)


def _may_serve(service: Service, entry: Entry) -> bool:
    """Whether a command that is no declared worker may serve by a library that nobody describes."""
    if entry.role is ProcessRole.WORKER:
        return False
    return any(may_listen(service, path) and not has_probes_only(service, path) for path in entry.paths)


def _comes_to(service: Service, path: str, found: Placement) -> bool:
    wanted = {s.path for s in found.starts} or {found.work.path}
    return path in wanted or bool(wanted & service.linker.reached(path))


_PROBES: Final = "; its own HTTP server has metrics and health only"


def _own_words(service: Service, found: Placement) -> str:
    first = found.workers[0]
    probes = _PROBES if any(process_probes(service, p) for p in found.workers) else ""
    return f"{_noun(first).capitalize()} of its own: {first.name}{probes}"


def _noun(process: Process) -> str:
    return _KINDS.get(process.kind, "process")


def _trait_words(context: JobContext, word: object) -> str:
    if word == "shared":
        return "Same process as HTTP"
    return "" if word != "own" else f"{_title(context)} runs it in a process of its own"


def _title(context: JobContext) -> str:
    """Of the library that runs the job, else of the one that plans it."""
    registration = context.registration
    runs = registration.consumer.consumer if registration.consumer is not None else registration.scheduler
    return next(
        (x.title for x in context.service.matcher.libraries if runs and x.id == runs.library), "The platform"
    )


def _sources(processes: tuple[Process, ...] | list[Process]) -> tuple[Location, ...]:
    return tuple(p.source for p in processes)
