"""What the builders of facts look at: one job with its walk, and the service around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from msgspec import Struct

from cronaudit.knowledge.matcher import Matcher
from cronaudit.model.deployment import Deployment
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import Assign, Comment, Const, Function, Module
from cronaudit.model.linker import Linker, TokenHits
from cronaudit.model.source import Location, SourceTree
from cronaudit.model.trace import Trace
from cronaudit.model.value import Closure
from cronaudit.recognition.found import Registration
from cronaudit.recognition.sightings import Reader, Sighting

T = TypeVar("T")
P = ParamSpec("P")


class Service(Struct, eq=False):
    """What holds for the whole tree."""

    linker: Linker
    matcher: Matcher
    reader: Reader
    tree: SourceTree
    hits: TokenHits
    """Where the service tokens of the libraries stand."""
    deployment: Deployment
    date: date
    jobs: list[JobContext] = []
    """All live jobs."""
    known: dict[tuple[object, ...], object] = {}
    """What `once_a_service` has worked out, by the builder and what it was asked."""


@dataclass(slots=True, eq=False)
class JobContext:
    """One job."""

    service: Service
    registration: Registration
    handler: Closure | Module | None
    """What does the work, behind trivial wrappers."""
    trace: Trace
    """The walk from the trigger: the wrappers around the work are on it."""
    sightings: tuple[Sighting, ...]
    """The trace, read with the knowledge base, in its order."""
    enqueued: tuple[Sighting, ...] = ()
    """What the work does that the job only enqueues; it counts for effects, retries, errors and idempotency, not for
    the lock, timeout and signals of the run that enqueued it (ruling 6)."""
    entries: tuple[str, ...] = ()
    """Entry points of the tree from which the registration is reached."""
    known: dict[Callable[[JobContext], object], object] = field(default_factory=dict, repr=False)
    """What `once` has worked out."""

    @property
    def linker(self) -> Linker:
        """The linked tree."""
        return self.service.linker

    @property
    def site(self) -> Location:
        """Where the job is registered."""
        return self.registration.site

    def seen(self, *effects: str) -> tuple[Sighting, ...]:
        """The sightings of these effects on the walk; ``db.*`` stands for all that begin so."""
        return tuple(s for s in self.sightings if _is_one(s.effect, effects))

    def seen_everywhere(self, *effects: str) -> tuple[Sighting, ...]:
        """The same, with what the enqueued work does."""
        return (*self.seen(*effects), *(s for s in self.enqueued if _is_one(s.effect, effects)))

    def absent(self, value: T, detail: str = "") -> Fact[T]:
        """A fact that something is missing: certain only where the walk came to its end."""
        if self.registration.handler is None:
            return Fact(
                Unresolved(f"the handler is not resolved: {self.registration.handler_open}", self.site)
            )
        if not self.trace.complete:
            return Fact(Unresolved(self.trace.cut, self.site))
        return Fact(value, detail)

    def trait(self, field_name: str) -> str | int | float | bool | None:
        """What the scheduler's library gives by itself (``lock.kind``), from its description."""
        return self.registration.traits.get(field_name)


def once_a_service(build: Callable[Concatenate[Service, P], T]) -> Callable[Concatenate[Service, P], T]:
    """Make a builder work out once what holds for all jobs, for each of its other arguments."""

    @wraps(build)
    def remembered(service: Service, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (build, *args, *kwargs.items())
        if key not in service.known:
            service.known[key] = build(service, *args, **kwargs)
        return service.known[key]  # type: ignore[return-value]

    return remembered


def once(build: Callable[[JobContext], T]) -> Callable[[JobContext], T]:
    """Make a builder work a job's fact out once: several facts ask for the same."""

    @wraps(build)
    def remembered(context: JobContext) -> T:
        if build not in context.known:
            context.known[build] = build(context)
        return context.known[build]  # type: ignore[return-value]

    return remembered


def _is_one(effect: str, wanted: tuple[str, ...]) -> bool:
    return any(effect == w or (w.endswith(".*") and effect.startswith(w[:-1])) for w in wanted)


def seen_fact(value: T, sighting: Sighting, detail: str = "") -> Fact[T]:
    """A fact with the place and the path of a sighting."""
    return Fact(value, detail, (sighting.location,), sighting.path)


def doc_of(function: Function) -> Comment | None:
    """The doc comment of a function: above it and its decorators, or the docstring inside it."""
    first = min([function.line, *(getattr(d, "line", function.line) for d in function.decorators)])
    for comment in function.module.comments:
        if comment.is_doc and (
            comment.end_line in (first - 1, first) or function.line < comment.line <= function.line + 3
        ):
            return comment
    return None


def over_settings(linker: Linker, module: Module, line: int) -> tuple[Comment, ...]:
    """The comments above a definition, with plain settings in between: ``export const maxDuration = 60``."""
    taken = {n for c in module.comments if not c.is_trailing for n in range(c.line, c.end_line + 1)}
    for statement in module.body:
        if isinstance(statement, Assign) and statement.declares and isinstance(statement.value, Const):
            taken.update(range(statement.line, statement.end_line + 1))
    lines = linker.source(module.path).splitlines()
    first = line
    while first > 1 and (first - 1 in taken or not lines[first - 2].strip()):
        first -= 1
    return tuple(c for c in module.comments if first <= c.line < line and not c.is_trailing)
