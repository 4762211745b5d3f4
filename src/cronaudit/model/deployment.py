"""What the manifests say about running the code: which processes, from which files, within which limits.

Everything carries the place that states it. What no manifest states is None or an empty tuple; what one states
without the tree telling its value (a variable without a default, a template) is a `Stated` whose value is None.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Final, Generic, Literal, TypeVar

from msgspec import Struct

from cronaudit.model.source import Diagnostic, Location

T = TypeVar("T")

Reaches = Callable[[str, str], bool]
"""Whether what the first file starts comes to the code of the second one."""


class ProcessKind(StrEnum):
    """What states that a process runs."""

    COMPOSE = "compose"
    K8S_DEPLOYMENT = "k8s-deployment"
    K8S_STATEFUL_SET = "k8s-statefulset"
    K8S_DAEMON_SET = "k8s-daemonset"
    K8S_CRON_JOB = "k8s-cronjob"
    K8S_JOB = "k8s-job"
    K8S_POD = "k8s-pod"
    DOCKERFILE = "dockerfile"
    PROCFILE = "procfile"
    PM2 = "pm2"
    SUPERVISOR = "supervisor"
    S6 = "s6"
    SYSTEMD = "systemd"
    UWSGI = "uwsgi"
    UWSGI_DAEMON = "uwsgi-daemon"
    PACKAGE_SCRIPT = "package-script"
    FLY = "fly"
    RENDER = "render"
    RAILWAY = "railway"
    HEROKU = "heroku"
    SERVERLESS = "serverless"
    CRONTAB = "crontab"
    """A line of a crontab that an image carries."""


class ProcessRole(StrEnum):
    """What a process or a file that one starts with is for, by what it is called and by what it runs."""

    SERVER = "server"
    WORKER = "worker"
    SCHEDULER = "scheduler"
    SCRIPT = "script"
    """Runs to its end: a migration, a set-up."""
    TEST = "test"
    BUILD = "build"
    UNKNOWN = "unknown"


class Environment(StrEnum):
    """Where a manifest is for, by its name, its folder and what it runs."""

    PRODUCTION = "production"
    UNKNOWN = "unknown"
    """Nothing says so: a plain `docker-compose.yml`. It may well be production."""
    EXAMPLE = "example"
    """Shown to readers of the documentation."""
    DEVELOPMENT = "development"
    TEST = "test"


class Stated(Struct, Generic[T], frozen=True):
    """A setting with the place that states it."""

    value: T | None
    """None where the tree does not tell it: a variable without a default, a template that was not followed."""
    text: str
    """As written."""
    location: Location


class Command(Struct, frozen=True):
    """What is run."""

    text: str
    """As written; a list is joined by spaces."""
    argv: tuple[str, ...]
    """Words without their quotes. A command for a shell is one that starts with `sh -c`."""
    location: Location


class MemoryLimit(Struct, frozen=True):
    """A bound on the memory of a process."""

    kind: Literal["container", "heap", "restart", "child", "unit", "function"]
    """``container``: of the container or machine. ``heap``: `--max-old-space-size`. ``restart``: the process is
    restarted above it (PM2, uWSGI). ``child``: a worker's child process is replaced above it (Celery).
    ``unit``: `MemoryMax` of systemd. ``function``: of a serverless function."""
    text: str
    """As written: ``512m``."""
    bytes: int | None
    """None where the tree does not tell it, and where it is a share of the machine."""
    location: Location
    shared: bool = False
    """Whether other processes run within the same bound: programs of one container under a supervisor."""


class Replicas(Struct, frozen=True):
    """How many instances run."""

    bound: Literal["exact", "many", "unresolved"]
    """``many``: an autoscaler decides, each node runs one, or one for each core."""
    count: int | None
    """Instances, where exact. A variable with a default counts as the default."""
    why: str
    """What states it: ``replicas``, ``container_name``, ``HorizontalPodAutoscaler``, ``instances``."""
    text: str
    """As written."""
    location: Location


class Variable(Struct, frozen=True):
    """An environment variable that a manifest sets."""

    name: str
    value: str | None
    """None where it comes from outside the tree (a secret, a variable without default)."""
    location: Location


class Healthcheck(Struct, frozen=True):
    """How the platform asks a process whether it is well."""

    kind: Literal["http", "tcp", "command", "unknown"]
    text: str
    """The URL path or the command, as written."""
    location: Location


class Build(Struct, frozen=True):
    """The image that a process runs in."""

    image: str | None
    """As written; None where only a build is stated."""
    dockerfile: str | None
    """The Dockerfile in the tree that makes it; None where none is known to."""
    context: str | None
    """Folder in the tree that it is built from; empty for the target itself."""
    relation: Literal["build", "image", "none"]
    """How the Dockerfile is known: the manifest builds it, another place of the tree builds an image of that name,
    or it is not known."""
    location: Location


class Step(Struct, frozen=True):
    """One place on the way from the manifest to an entry file."""

    text: str
    """The command that stands there."""
    location: Location


class Entry(Struct, frozen=True):
    """What a process starts: a file of the tree, or what a framework finds by convention."""

    program: str
    """What runs it: ``node``, ``python``, ``celery``, ``gunicorn``, ``next``, …"""
    target: str
    """As the command names it: ``dist/index.js``, ``plane.asgi:application``."""
    path: str | None
    """The file of the tree, the source where the command names a build output; None where none was found."""
    role: ProcessRole
    main: bool
    """False for what runs to its end before: migrations, waiting for a database."""
    trail: tuple[Step, ...]
    """From the manifest to here: a compose command, a Dockerfile's CMD, a script of package.json."""
    argv: tuple[str, ...] = ()
    """The program's own words, with its options: ``celery -A plane worker --time-limit 300``."""
    conventions: tuple[str, ...] = ()
    """Files that the framework loads by their place (routes, `instrumentation.ts`), sorted."""
    conditional: bool = False
    """Whether a condition on the way decides (a shell's `if`, `case` on the environment)."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The file itself and what the framework loads by convention."""
        return self.conventions if self.path is None else (self.path, *self.conventions)


class Process(Struct, frozen=True):
    """A process that a manifest runs."""

    name: str
    kind: ProcessKind
    source: Location
    """Where the manifest states it."""
    environment: Environment
    role: ProcessRole
    """Of its main commands; where these say nothing, of its name. One that also serves requests is a server."""
    command: Command | None = None
    """None where the manifest states none and no Dockerfile of the tree does."""
    entries: tuple[Entry, ...] = ()
    """In the order in which they start."""
    memory_limits: tuple[MemoryLimit, ...] = ()
    """Of the container first."""
    replicas: Replicas | None = None
    """None where none are stated: that is one by the default of Compose and Kubernetes."""
    timezone: Stated[str] | None = None
    """`TZ`, or `timeZone` of a CronJob."""
    restart: Stated[str] | None = None
    time_limit: Stated[float] | None = None
    """The platform ends a run after so many seconds: `activeDeadlineSeconds`, `RuntimeMaxSec`."""
    stop_grace: Stated[float] | None = None
    """Seconds between the request to stop and the kill."""
    ports: tuple[Stated[int], ...] = ()
    """Ports of the container that are published or exposed."""
    healthcheck: Healthcheck | None = None
    build: Build | None = None
    variables: tuple[Variable, ...] = ()
    """Those of the process, then of its files and its image; the first of a name is in force."""
    uses_exec: bool | None = None
    """Whether the shell on the way hands its place to the command (`exec`), so that signals reach it; None where
    no shell is on the way or nothing can be said."""
    exec_location: Location | None = None
    """The command of the shell that `uses_exec` is about."""
    schedule: Stated[str] | None = None
    """For a process that the platform starts by the clock."""
    concurrency: Stated[str] | None = None
    """`concurrencyPolicy` of a CronJob."""
    parent: Location | None = None
    """`source` of the container that runs it under a supervisor, beside other processes."""
    depends_on: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader should know: how a value was found, what could not be followed."""

    @property
    def main_entries(self) -> tuple[Entry, ...]:
        """The entries that keep running."""
        return tuple(entry for entry in self.entries if entry.main)

    def variable(self, name: str) -> Variable | None:
        """The environment variable in force."""
        return next((known for known in self.variables if known.name == name), None)


class EntryPoint(Struct, frozen=True):
    """A file of the tree that something starts from outside the code."""

    path: str
    why: str
    """What starts it: ``package.json scripts.start``, ``Dockerfile CMD``, ``compose api``, ``next convention``."""
    process: str | None
    """Name of the process; None for what no process of a manifest runs (a `bin`, a library's `main`)."""
    kind: ProcessRole
    location: Location
    environment: Environment


class BackingService(Struct, frozen=True):
    """A store or broker that a manifest runs beside the code."""

    name: str
    engine: str
    """``redis`` (also Valkey, KeyDB, Dragonfly), ``postgres``, ``mysql``, ``mongodb``, ``rabbitmq``, ``kafka``, …"""
    member: Literal["node", "primary", "replica", "sentinel", "cluster", "managed"]
    """What this one is: ``node`` stands alone as far as is seen. ``managed``: the platform runs it."""
    image: str
    """Image or plan, as written."""
    replicas: int | None
    """Instances, where stated."""
    location: Location
    environment: Environment


Topology = Literal["none", "single", "replicated", "sentinel", "cluster", "managed"]

_WEAKEST_FIRST: Final[tuple[Topology, ...]] = (
    "none",
    "single",
    "replicated",
    "sentinel",
    "cluster",
    "managed",
)

LIVE: Final = (Environment.PRODUCTION, Environment.UNKNOWN)
"""Where the service may be in use. Other manifests say something only if there are none of these."""

_FINITE: Final = frozenset({ProcessRole.TEST, ProcessRole.BUILD})
_WORKING: Final = frozenset({ProcessRole.WORKER, ProcessRole.SCHEDULER})
_PODS: Final = frozenset(
    {
        ProcessKind.K8S_DEPLOYMENT,
        ProcessKind.K8S_STATEFUL_SET,
        ProcessKind.K8S_DAEMON_SET,
        ProcessKind.K8S_POD,
    }
)
_RUN_ONLY: Final = frozenset({ProcessKind.K8S_CRON_JOB, ProcessKind.K8S_JOB, ProcessKind.UWSGI_DAEMON})


class Deployment(Struct, frozen=True):
    """All that the manifests of a tree say."""

    processes: tuple[Process, ...] = ()
    """Sorted by place. A Dockerfile or script of package.json is one only where no other manifest runs it."""
    entry_points: tuple[EntryPoint, ...] = ()
    """Sorted by path, then place."""
    services: tuple[BackingService, ...] = ()
    """Sorted by place."""
    cron_routes: tuple[Stated[str], ...] = ()
    """Request paths that Vercel calls by the clock; the text holds the schedule in front."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Manifests that could not be read, sorted."""

    def in_use(self) -> tuple[Process, ...]:
        """The processes of the service in use: of production and of manifests that do not say, else of examples."""
        for environments in (LIVE, (Environment.EXAMPLE,)):
            found = tuple(
                process
                for process in self.processes
                if process.environment in environments and process.role not in _FINITE
            )
            if found:
                return found
        return ()

    def processes_running(self, path: str, reaches: Reaches) -> tuple[Process, ...]:
        """The processes in use whose commands start `path` or a file that reaches it.

        A container is left out where the program of its supervisor that runs the path is in the answer.
        """
        found = [
            process
            for process in self.in_use()
            if any(
                path in entry.paths or any(reaches(start, path) for start in entry.paths)
                for entry in process.entries
            )
        ]
        parents = {process.parent for process in found}
        return tuple(process for process in found if process.source not in parents)

    def topology(self, engine: str) -> Topology:
        """How a store or broker is run; ``none`` if no manifest in use runs it.

        Manifests are ways to run the service, one or the other: the weakest of them decides.
        """
        for environments in (LIVE, (Environment.EXAMPLE,)):
            members: dict[str, set[str]] = {}
            for service in self.services:
                if service.engine == engine and service.environment in environments:
                    members.setdefault(service.location.path, set()).add(service.member)
            if members:
                return min(map(_topology, members.values()), key=_WEAKEST_FIRST.index)
        return "none"


def _topology(members: Collection[str]) -> Topology:
    """Of the containers of one manifest."""
    if "cluster" in members:
        return "cluster"
    if "sentinel" in members:
        return "sentinel"
    if "managed" in members:
        return "managed"
    return "replicated" if "replica" in members else "single"


def is_worker_process(process: Process, *, has_http: bool) -> bool:
    """Whether a process only runs jobs.

    `has_http`: its code starts an HTTP server. A process that is a worker by its command or name stays one then,
    for workers answer health checks too, unless it publishes a port. Ports of a pod are open to the cluster anyway.
    """
    if process.kind in _RUN_ONLY:
        return True
    if process.role in _WORKING:
        return not (has_http and process.ports and process.kind not in _PODS)
    return process.role in {ProcessRole.UNKNOWN, ProcessRole.SCRIPT} and not has_http and not process.ports
