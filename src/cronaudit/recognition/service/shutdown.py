"""``service.shutdown``: what happens to the jobs at SIGTERM, over all of them."""

from __future__ import annotations

from typing import Literal

from cronaudit.model.facts import Fact
from cronaudit.model.source import Location
from cronaudit.recognition.context import JobContext, Service
from cronaudit.recognition.facts.processes import placement
from cronaudit.recognition.facts.shutdown import JobEnd, end_of
from cronaudit.recognition.facts.shutdown_paths import shutdown_paths

Shutdown = Literal["jobs", "framework", "some", "no-exec", "stops", "apart", "none"]


def shutdown(service: Service) -> Fact[Shutdown]:
    """The best that holds for all jobs; where the work of only some is waited for, ``some``."""
    ends = [(c, end_of(c)) for c in service.jobs]
    waited = [(c, e) for c, e in ends if e.how == "awaited"]
    framework = [c for c, e in ends if e.how != "awaited" and _by_framework(c)]
    if ends and len(waited) + len(framework) == len(ends):
        shell = next((at for c in service.jobs if (at := _held_by_shell(c)) is not None), None)
        if shell is not None:
            return Fact("no-exec", "The entry script does not exec: the signal ends at the shell", (shell,))
        if waited:
            end = waited[0][1]
            return Fact("jobs", f"SIGTERM: {end.detail}", _places(end))
        return Fact("framework", _framework_words(service, framework[0]), (placement(framework[0]).work,))
    if waited or framework:
        left = next(c for c, e in ends if e.how != "awaited" and not _by_framework(c))
        words = f"{len(waited) + len(framework)} of {len(ends)} jobs are waited for"
        return Fact("some", words, (left.site, *(_places(waited[0][1]) if waited else ())))
    for how, word, words in (
        ("stopped", "stops", "Timers stop, running work is not awaited"),
        ("apart", "apart", "Handled, but jobs are not part of it"),
    ):
        found = next((e for _c, e in ends if e.how == how), None)
        if found is not None:
            return Fact(word, words, _places(found))  # type: ignore[arg-type]
    silent = next((e for _c, e in ends if e.signal is not None), None)
    if silent is not None and silent.signal is not None:
        return Fact("none", "The handler only logs and exits", (silent.signal,))
    return Fact("none", "Not handled")


def _by_framework(context: JobContext) -> bool:
    """Whether the library or platform lets running work end by itself."""
    return context.trait("errors.in_progress") == "framework"


def _framework_words(service: Service, context: JobContext) -> str:
    scheduler = context.registration.scheduler
    library = scheduler.library if scheduler is not None else ""
    title = next((x.title for x in service.matcher.libraries if x.id == library), "The platform")
    return f"{title} lets running work finish"


def _held_by_shell(context: JobContext) -> Location | None:
    """The shell that starts the job's process without handing its place over, so that the signal stops there."""
    for process in placement(context).processes:
        if process.uses_exec is False:
            return process.exec_location or process.source
    return None


def _places(end: JobEnd) -> tuple[Location, ...]:
    """Where the waiting stands, if that is beside the handler; else the handler first."""
    ordered = [end.signal, end.location]
    if end.location is not None and (end.signal is None or end.signal.path == end.location.path):
        ordered.reverse()
    return tuple(x for x in ordered if x is not None)


def graceful_handler(service: Service) -> tuple[str, Location] | None:
    """The function of the project that shuts down the jobs, by name, for those who ask for a test of it."""
    for context in service.jobs:
        end = end_of(context)
        if end.how not in ("awaited", "stopped"):
            continue
        for path in shutdown_paths(service):
            if path.location != end.signal:
                continue
            for function, _event in path.functions:
                if function.name is not None and function.module.path == path.location.path:
                    return function.name, function.location
            return "shutdown", path.location
    return None
