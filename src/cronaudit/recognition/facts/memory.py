"""``memory``: the limit on the process that runs the job."""

from __future__ import annotations

from typing import Final, Literal

from cronaudit.model.deployment import MemoryLimit, Process
from cronaudit.model.facts import Fact, MemoryFacts, Unresolved
from cronaudit.model.value import Env, Known
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.processes import Placement, placement
from cronaudit.recognition.facts.settings import is_set, setting

_WORDS: Final = {
    "container": "memory limit {}",
    "heap": "heap limit {}",
    "restart": "restarted above {}",
    "child": "a child replaced above {}",
    "unit": "MemoryMax {}",
    "function": "memory {}",
}
Limit = Literal["own", "shared", "none"]


def build(context: JobContext) -> MemoryFacts:
    """The limit, from the manifests or the library's own option."""
    return MemoryFacts(_limit(context))


def _limit(context: JobContext) -> Fact[Limit]:
    option = context.registration.options.get("memory")
    if isinstance(option, Known) and option.value:
        return Fact("own", f"Memory limit of the job: {option.value}", (option.at or context.site,))
    if isinstance(option, Env):
        return Fact(Unresolved(f"{option.name} comes from the environment and has no default", option.at))
    found = placement(context)
    if found.workers and not found.servers:
        decided = _of_workers(found)
        if decided is not None:
            return decided
    else:
        for process in found.servers:
            for limit in _sorted(process):
                words = f"Container-level only: {_words(limit)}, shared with the HTTP server"
                return Fact("shared", words, (limit.location,))
    recycled = _recycled(context)
    if recycled is not None:
        return recycled
    stated = context.trait("memory.limit")
    if stated in ("own", "shared"):
        return Fact(stated, "", (context.site,))  # type: ignore[arg-type]
    places = tuple(p.source for p in found.workers or found.processes)
    return Fact("none", "No memory limit", places)


def _recycled(context: JobContext) -> Fact[Limit] | None:
    """A setting at which the workers of a message queue replace their children."""
    if context.trait("lock.kind") != "message":
        return None
    found = setting(context.service, "worker_memory")
    if found is None or not is_set(found):
        return None
    value, at = found
    if isinstance(value, Known) and isinstance(value.value, int | float):
        return Fact("own", f"A worker's child is replaced above {value.value:g} kB", (at,))
    if isinstance(value, Env):
        return Fact(Unresolved(f"{value.name} comes from the environment and has no default", at))
    return None


def _of_workers(found: Placement) -> Fact[Limit] | None:
    """All processes that run the job must be limited: one without can still take its host down."""
    limited: list[tuple[Process, list[MemoryLimit]]] = []
    for process in found.workers:
        limits = _sorted(process)
        if not limits:
            return (
                None if not limited else Fact("none", f"No memory limit on {process.name}", (process.source,))
            )
        if all(x.bytes is None and "$" in x.text for x in limits):
            return Fact(Unresolved(f"the memory limit {limits[0].text} is not resolved", limits[0].location))
        limited.append((process, limits))
    process, limits = limited[0]
    if all(x.shared for x in limits):
        return Fact(
            "shared",
            f"Container-level only: {_words(limits[0])}, shared with other processes",
            (limits[0].location,),
        )
    own = [x for x in limits if not x.shared]
    words = " and ".join(_words(x) for x in own)
    return Fact("own", f"{process.name}: {words}", tuple(x.location for x in own))


def _sorted(process: Process) -> list[MemoryLimit]:
    return sorted(process.memory_limits, key=lambda x: x.location)


def _words(limit: MemoryLimit) -> str:
    return _WORDS[limit.kind].format(limit.text)
