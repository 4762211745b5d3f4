"""Recognition as a whole: jobs, their facts, and the facts of the service."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar, cast

from msgspec import Struct

from cronaudit.knowledge.matcher import Matcher
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Deployment
from cronaudit.model.facts import ServiceFacts
from cronaudit.model.job import Job
from cronaudit.model.linker import Linker, TokenHits
from cronaudit.model.placement import Placement
from cronaudit.model.source import Role, SourceTree
from cronaudit.recognition import service as service_facts
from cronaudit.recognition.assemble import jobs_of, ordered
from cronaudit.recognition.consumers import Consumers
from cronaudit.recognition.context import Service
from cronaudit.recognition.discovery import Discovery
from cronaudit.recognition.enqueued import Enqueued
from cronaudit.recognition.facades import Facades
from cronaudit.recognition.found import Rejection
from cronaudit.recognition.jobs import Finder, Found
from cronaudit.recognition.lifetimes import Lifetimes
from cronaudit.recognition.liveness import Starts
from cronaudit.recognition.loops import Loops
from cronaudit.recognition.manifests import Manifests
from cronaudit.recognition.pauses import Pauses
from cronaudit.recognition.placements import placements_of
from cronaudit.recognition.planned import Planned
from cronaudit.recognition.receivers import Receivers
from cronaudit.recognition.scheduled_processes import ScheduledProcesses
from cronaudit.recognition.sharing import share
from cronaudit.recognition.sightings import Reader

N = TypeVar("N")

_CONVENTIONS = lazy_regex(
    r"(^|/)(instrumentation(-node)?|middleware|entry[.-]server|hooks\.server|nuxt\.config|gatsby-node)\.[cm]?[jt]sx?$"
    r"|(^|/)(pages/api|app/.*/route|server/(plugins|tasks|api)|api/cron|subscribers|src/jobs|extensions|plugins)(/|\.)"
    r"|(^|/)management/commands/[^/]+\.py$"
    r"|\.(module|plugin|gateway|controller|service|task|schedule|cron|job|worker|config)\.[cm]?[jt]s$"
)
"""Files that frameworks pick up by their place or name: Next, Nuxt, Remix, SvelteKit, Nest, Medusa, Strapi."""


class Findings(Struct, frozen=True):
    """What recognition hands on."""

    jobs: tuple[Job, ...]
    service: ServiceFacts
    rejections: tuple[Rejection, ...]
    placements: Callable[[], Mapping[str, tuple[Placement, ...]]]
    """Where each job is stated, by its id; asked only by who writes there."""


class Inputs(Struct, frozen=True):
    """What the stages before have made."""

    linker: Linker
    matcher: Matcher
    tree: SourceTree
    hits: TokenHits
    """Of the tokens without which no file arms a job, and of those of service-wide facts."""
    candidates: tuple[str, ...]
    """The files with hits that may define jobs, sorted."""
    consumers: tuple[str, ...]
    """Files that may define the work of queues."""
    deployment: Deployment
    date: date
    mentioned: Callable[[str, str], bool]
    is_hook: Callable[[str], bool]


def find(inputs: Inputs, on_progress: Callable[[int, int], None]) -> tuple[list[Found], Finder, Service]:
    """The jobs of the tree, without their facts."""
    reader = Reader(inputs.linker, inputs.matcher)
    consumers = Consumers(inputs.linker, inputs.matcher, inputs.consumers)
    starts = Starts(
        inputs.linker,
        frozenset(e.path for e in inputs.deployment.entry_points),
        lambda path: bool(_CONVENTIONS.search(path)),
        inputs.mentioned,
        inputs.is_hook,
    )
    given = Facades(inputs.linker, inputs.matcher).takers(inputs.candidates)
    candidates = sorted({*inputs.candidates, *may_define(inputs.tree, tuple(given))})
    discovery = Discovery(inputs.linker, inputs.matcher, consumers, given)
    pauses = Pauses(inputs.linker, inputs.matcher)
    manifests = Manifests(inputs.linker, inputs.matcher, inputs.tree, discovery.registrar)
    finder = Finder(
        inputs.linker,
        discovery,
        Loops(inputs.linker, pauses),
        Planned(inputs.linker, pauses),
        manifests,
        ScheduledProcesses(inputs.linker, inputs.matcher, inputs.deployment, discovery.registrar, manifests),
        Receivers(inputs.linker, inputs.tree, inputs.deployment),
        reader,
        Enqueued(inputs.linker, reader, consumers),
        starts,
        Lifetimes(inputs.linker, inputs.matcher),
    )
    service = Service(
        inputs.linker,
        inputs.matcher,
        reader,
        inputs.tree,
        inputs.hits,
        inputs.deployment,
        inputs.date,
    )
    total = len(candidates)
    done = 0

    def on_file(_path: str) -> None:
        nonlocal done
        done += 1
        on_progress(done, total)

    registrations = finder.registrations(candidates, on_file)
    found = [finder.found(r, service) for r in registrations]
    service.jobs.extend(f.context for f in found if f.liveness.is_live)
    return found, finder, service


def recognise(
    inputs: Inputs, on_progress: Callable[[int, int], None], note: Callable[[], N], processes: int
) -> tuple[Findings, tuple[N, ...]]:
    """Jobs with their facts, and the facts of the service; and what `note` says of each process that worked on them."""
    found, finder, service = find(inputs, on_progress)
    of_service, of_jobs = service_facts.parts(service), jobs_of(found)
    shared = share((*of_service, *of_jobs), note, processes)
    jobs = cast("tuple[Job, ...]", shared.results[len(of_service) :])
    findings = Findings(
        jobs,
        service_facts.put_together(
            cast("tuple[Mapping[str, object], ...]", shared.results[: len(of_service)])
        ),
        tuple(finder.rejections),
        lambda: dict(zip((j.id for j in jobs), map(placements_of, ordered(found)), strict=True)),
    )
    return findings, shared.notes


def may_define(tree: SourceTree, paths: Sequence[str]) -> tuple[str, ...]:
    """Of files with hits those whose role lets them define jobs."""
    return tuple(p for p in paths if tree.role_of(p) is Role.SERVER)


def stem(path: str) -> str:
    """The name of a file without its suffixes."""
    return posixpath.basename(path).split(".")[0]
