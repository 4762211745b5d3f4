"""Which processes run a job: from the place that starts its work up to the entry files, and to the manifests."""

from __future__ import annotations

from msgspec import Struct

from cronaudit.model.deployment import Entry, EntryPoint, Environment, Process, ProcessRole, is_worker_process
from cronaudit.model.ir import Call, Const, Function, Module
from cronaudit.model.source import Location
from cronaudit.recognition.context import JobContext, Service, once
from cronaudit.recognition.facts.elsewhere import service_sightings
from cronaudit.recognition.facts.processes_http import has_probes_only, serves
from cronaudit.recognition.facts.processes_starts import Start, Switch, starts_of


class Placement(Struct, frozen=True):
    """Where the work of a job runs."""

    work: Location
    """The consumer of its queue, else its registration."""
    starts: tuple[Start, ...]
    """The ways from top-level code to that place."""
    processes: tuple[Process, ...]
    """Those of the manifests that run it; production ones only, where there are some."""
    workers: tuple[Process, ...]
    """Those of them that only run jobs."""
    entries: tuple[EntryPoint, ...]
    """Files that something starts, from which it is reached."""

    @property
    def servers(self) -> tuple[Process, ...]:
        """The processes that run it and serve requests too."""
        return tuple(p for p in self.processes if p not in self.workers)

    @property
    def switches(self) -> tuple[Switch, ...]:
        """What decides on every way whether it is started."""
        if not self.starts:
            return ()
        names = set.intersection(*({s.name for s in start.switches} for start in self.starts))
        return tuple(s for s in self.starts[0].switches if s.name in names)

    @property
    def place(self) -> Location:
        """The call in the entry module that leads to it."""
        return self.starts[0].place if self.starts else self.work


@once
def placement(context: JobContext) -> Placement:
    """Where a job runs."""
    service = context.service
    registration = context.registration
    consumer = registration.consumer
    if consumer is not None:
        work = consumer.location
        node = _node_at(service, work)
        call = consumer.call.call
    else:
        work = registration.site
        node = registration.node
        call = registration.call.call
    starts = starts_of(service, node, call, work) if node is not None else ()
    program = _by_program(context)
    # Who enqueues a task imports it too; where its library has workers of its own, those run it.
    has_workers = any(e.role is ProcessRole.WORKER for p in program for e in p.main_entries)
    if has_workers:
        found = program
    elif context.trait("runner.separation") == "own":
        found = _by_call(context)
    else:
        found = _running(service, tuple(s.path for s in starts) or (work.path,)) or program
    live = tuple(p for p in found if p.environment is Environment.PRODUCTION) or found
    workers = tuple(p for p in live if is_worker_process(p, has_http=process_serves(service, p)))
    started = {s.path for s in starts}
    reaching = [
        e
        for e in service.deployment.entry_points
        if e.kind is not ProcessRole.TEST and not service.linker.reached(e.path).isdisjoint(started)
    ]
    # What only `npm run dev` starts from its source is bundled for production: the same program.
    entries = tuple(e for e in reaching if e.kind is not ProcessRole.BUILD) or tuple(reaching)
    return Placement(work, starts, live, workers, entries)


def _running(service: Service, paths: tuple[str, ...]) -> tuple[Process, ...]:
    def reaches(start: str, path: str) -> bool:
        return path in service.linker.reached(start)

    found = {
        p.source: p
        for path in dict.fromkeys(paths)
        for p in service.deployment.processes_running(path, reaches)
    }
    return tuple(found[k] for k in sorted(found))


def _by_program(context: JobContext) -> tuple[Process, ...]:
    """The processes of a library's own program, which loads its tasks by itself: ``celery -A shop worker``."""
    libraries = libraries_of(context)
    found = [
        p for p in context.service.deployment.in_use() if any(e.program in libraries for e in p.main_entries)
    ]
    working = [p for p in found if any(is_worker_of(e, libraries) for e in p.main_entries)]
    return tuple(working or found)


def _by_call(context: JobContext) -> tuple[Process, ...]:
    """The processes whose own code starts the library's worker: ``app.worker_main(argv)`` in a command."""
    service = context.service
    libraries = libraries_of(context)
    found: dict[Location, Process] = {}
    for sighting in service_sightings(service, "worker.start"):
        node = _node_at(service, sighting.location) if sighting.library in libraries else None
        if node is None:
            continue
        paths = {s.path for s in starts_of(service, node, sighting.event.call, sighting.location)}
        words = command_words(node)
        for process in service.deployment.in_use():
            for entry in process.main_entries:
                if paths.isdisjoint(entry.paths) or (words and words.isdisjoint(entry.argv)):
                    continue
                found[process.source] = process
    return tuple(found[k] for k in sorted(found))


def command_words(node: Function | Module) -> frozenset[str]:
    """The words by which a command line names a function: its own, or the one that its decorator is given.

    Empty for a function without a decorator: what calls it says when it runs.
    """
    if not isinstance(node, Function) or node.name is None or not node.decorators:
        return frozenset()
    named = [
        a.value.value
        for d in node.decorators
        if isinstance(d, Call)
        for a in d.args
        if isinstance(a.value, Const)
    ]
    return frozenset((node.name, node.name.replace("_", "-"), *(n for n in named if isinstance(n, str))))


def libraries_of(context: JobContext) -> frozenset[str]:
    """The libraries that plan a job and take it up."""
    scheduler = context.registration.scheduler
    consumer = context.registration.consumer
    return frozenset(x.library for x in (scheduler, consumer.consumer if consumer is not None else None) if x)


def is_worker_of(entry: Entry, libraries: frozenset[str]) -> bool:
    """Whether a command is a library's own worker program."""
    return entry.program in libraries and entry.role is ProcessRole.WORKER


def process_serves(service: Service, process: Process) -> bool:
    """Whether the code of a process serves requests other than metrics and health."""
    return any(serves(service, path) for entry in process.main_entries for path in entry.paths)


def process_probes(service: Service, process: Process) -> bool:
    """Whether the code of a process serves metrics and health, and nothing else."""
    return any(has_probes_only(service, path) for entry in process.main_entries for path in entry.paths)


def _node_at(service: Service, at: Location) -> Function | Module | None:
    """The function that a call at a place stands in."""
    module = service.linker.module(at.path)
    if module is None:
        return None
    for found in service.linker.calls(module).values():
        for call, node in found:
            if call.line == at.line and (at.end_line is None or call.end_line == at.end_line):
                return node
    return module
