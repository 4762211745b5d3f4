"""``service.memory_monitored`` and ``service.cpu_work``: whether memory is watched, and where heavy work runs."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Literal

from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import Assign, Expr, Function, If, Module, Name, Operation
from cronaudit.model.source import Location
from cronaudit.model.value import External
from cronaudit.model.walking import contains, inside, statement_expressions, statements
from cronaudit.recognition.context import Service
from cronaudit.recognition.facts.processes import placement
from cronaudit.recognition.facts.processes_sites import placed
from cronaudit.recognition.sightings import Sighting

_ORDERS = frozenset(("<", "<=", ">", ">="))


def memory_monitored(service: Service) -> Fact[bool]:
    """Exported as a metric that somebody can fetch, or compared with a bound; in a process that runs jobs."""
    files = _files_of_jobs(service)

    def of_jobs(*effects: str) -> list[Sighting]:
        return [s for s, _n in placed(service, *effects) if files is None or s.location.path in files]

    exported, served = of_jobs("memory.export"), of_jobs("metric.serve", "metric.push")
    if exported and served:
        words = f"{_name(exported[0])}, exported"
        return Fact(value=True, detail=words, locations=(exported[0].location, served[0].location))
    for sighting, node in placed(service, "memory.read"):
        if files is not None and sighting.location.path not in files:
            continue
        at = _is_checked(sighting, node) or _is_measured(service, sighting, node, served=bool(served))
        if at is not None:
            return Fact(value=True, detail="Process memory is checked", locations=(sighting.location, at))
    return Fact(value=False, detail="None", locations=tuple(s.location for s in exported[:1]))


def _files_of_jobs(service: Service) -> AbstractSet[str] | None:
    """The files that the entry points of jobs reach; None where no entry point is known."""
    entries = {e.path for c in service.jobs for e in placement(c).entries}
    entries |= {s.path for c in service.jobs for s in placement(c).starts}
    if not any(placement(c).entries for c in service.jobs):
        return None
    return service.linker.reached(*sorted(entries))


def _name(sighting: Sighting) -> str:
    path = sighting.view.path.rstrip("()")
    return path.rsplit(".", 1)[-1].rsplit(":", 1)[-1] or path.split(":", 1)[0]


def _is_checked(sighting: Sighting, node: Function | Module) -> Location | None:
    """The comparison that the reading, or a variable that holds it, goes into."""
    call = sighting.event.call
    path = sighting.location.path
    names: set[str] = set()
    for statement in statements(node.body):
        for root in statement_expressions(statement):
            holds = contains(root, call) or any(isinstance(e, Name) and e.name in names for e in inside(root))
            if not holds:
                continue
            if isinstance(statement, Assign):
                names |= {e.name for e in inside(statement.target) if isinstance(e, Name)}
            if isinstance(statement, If) and _compares(statement.test, call, names):
                return Location(path, statement.line)
    return None


def _compares(test: Expr, call: object, names: set[str]) -> bool:
    return any(
        isinstance(e, Operation)
        and e.op in _ORDERS
        and any(x is call or (isinstance(x, Name) and x.name in names) for x in inside(e))
        for e in inside(test)
    )


def _is_measured(
    service: Service, sighting: Sighting, node: Function | Module, *, served: bool
) -> Location | None:
    """A metric set in the same function, where metrics are served."""
    if not served:
        return None
    for found, where in placed(service, "metric.observe", "metric.count"):
        if where is node and found.location.line >= sighting.location.line:
            return found.location
    return None


def cpu_work(service: Service) -> Fact[Literal["pool", "process", "none"]]:
    """Threads or processes that a job hands work to; else the process in which its library runs it."""
    for sighting in _spawned(service):
        processes = sighting.description.word("pool") == "processes"
        words = "Work in a process pool" if processes else "Work in worker threads"
        return Fact("pool", words, (sighting.location,), sighting.path)
    apart = [c for c in service.jobs if c.trait("data.loop") == "elsewhere"]
    if apart and len(apart) == len(service.jobs):
        title = _title(service, apart[0].registration.scheduler)
        return Fact("process", f"{title} runs each job in another process", (placement(apart[0]).work,))
    cut = next((c for c in service.jobs if not c.trace.complete), None)
    if cut is not None:
        return Fact(Unresolved(cut.trace.cut or "the walk of a job was cut", cut.site))
    return Fact("none", "None")


def _title(service: Service, scheduler: object) -> str:
    library = getattr(scheduler, "library", "")
    return next((x.title for x in service.matcher.libraries if x.id == library), "The platform")


def _spawned(service: Service) -> Iterator[Sighting]:
    for context in service.jobs:
        for sighting in context.seen_everywhere("thread.spawn"):
            if isinstance(sighting.event.callee, External):
                yield sighting
