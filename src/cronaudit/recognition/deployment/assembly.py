"""From what a reader finds in a manifest to a process."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import (
    LIVE,
    BackingService,
    Build,
    Command,
    Entry,
    Environment,
    Healthcheck,
    MemoryLimit,
    Process,
    ProcessKind,
    ProcessRole,
    Replicas,
    Stated,
    Variable,
)
from cronaudit.model.source import Location, Role
from cronaudit.recognition.deployment.files import Files
from cronaudit.recognition.deployment.images import Images, engine_of, member_of
from cronaudit.recognition.deployment.launch import Launched, Launcher, Managed
from cronaudit.recognition.deployment.naming import environment_of, role_of_entries, weaker
from cronaudit.recognition.deployment.places import Place
from cronaudit.recognition.deployment.quantities import size

_HEAP: Final = lazy_regex(r"--max[-_]old[-_]space[-_]size(?:=|\s+)(\d+)")
_STAGES: Final = {
    "development": Environment.DEVELOPMENT,
    "dev": Environment.DEVELOPMENT,
    "test": Environment.TEST,
}


class Draft(Struct):
    """A process as its manifest states it."""

    name: str
    kind: ProcessKind
    source: Location
    environment: Environment
    place: Place
    command: Command | None = None
    entrypoint: Command | None = None
    """Where the manifest replaces that of the image."""
    limits: list[MemoryLimit] = []
    replicas: Replicas | None = None
    timezone: Stated[str] | None = None
    restart: Stated[str] | None = None
    time_limit: Stated[float] | None = None
    stop_grace: Stated[float] | None = None
    ports: list[Stated[int]] = []
    healthcheck: Healthcheck | None = None
    build: Build | None = None
    variables: list[Variable] = []
    schedule: Stated[str] | None = None
    concurrency: Stated[str] | None = None
    parent: Location | None = None
    depends_on: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    notes: list[str] = []
    role: ProcessRole | None = None
    """Where the manifest itself says it (`type: worker`)."""


Reader = Callable[["Assembly", Managed], list[Draft]]
"""Reads a file of processes that a command hands over to."""


class Assembly(Struct):
    """What has been found so far, and what it takes to find more."""

    files: Files
    images: Images
    launcher: Launcher
    readers: Mapping[str, Reader]
    processes: list[Process] = []
    services: list[BackingService] = []
    used: set[str] = set()
    """Manifests that a process hands over to, and Dockerfiles and package scripts that one runs."""

    def environment(self, path: str) -> Environment:
        """What the path of a manifest says."""
        file = self.files.get(path)
        return environment_of(path.removeprefix("../"), file.role if file is not None else None)

    def host(self, folder: str) -> Place:
        """A folder of the tree on the machine itself."""
        return Place(self.files, self.launcher.sources, folder)

    def add(self, draft: Draft) -> Process:
        """Complete a draft and keep it, with the processes of a supervisor that it starts."""
        self._image(draft)
        launched = self._launch(draft)
        process = self._process(draft, launched)
        if process.build is not None and process.build.dockerfile is not None and process.environment in LIVE:
            self.used.add(process.build.dockerfile)
        self.processes.append(process)
        for managed in launched.managed:
            if process.environment in LIVE:
                self.used.add(managed.path)
            for inner in self.readers[managed.kind](self, managed):
                self._add_managed(inner, process, managed)
        return process

    def _add_managed(self, inner: Draft, process: Process, managed: Managed) -> None:
        inner.parent = process.source
        inner.environment = process.environment
        inner.build = inner.build or process.build
        inner.limits.extend(replace(limit, shared=True) for limit in process.memory_limits)
        inner.replicas = inner.replicas or process.replicas
        inner.timezone = inner.timezone or process.timezone
        inner.stop_grace = inner.stop_grace or process.stop_grace
        inner.variables.extend(process.variables)
        launched = self._launch(inner)
        child = self._process(inner, launched)
        trail = tuple(managed.trail)
        entries = tuple(replace(entry, trail=(*trail, *entry.trail)) for entry in child.entries)
        self.processes.append(replace(child, entries=entries))

    def _image(self, draft: Draft) -> None:
        """What the image adds: its command, variables and health check."""
        stage = draft.place.stage
        if draft.build is None or draft.build.dockerfile is None or stage is None:
            draft.command = joined(draft.entrypoint, draft.command)
            return
        draft.variables.extend(stage.variables.values())
        if draft.healthcheck is None and stage.healthcheck is not None:
            text, where = stage.healthcheck
            draft.healthcheck = Healthcheck(healthcheck_kind(text), text, where)
        if draft.entrypoint is not None:
            draft.command = joined(draft.entrypoint, draft.command)
        else:
            draft.command = joined(stage.entrypoint, draft.command or stage.command)

    def _launch(self, draft: Draft) -> Launched:
        if draft.command is None:
            return Launched()
        known = {one.name: one.value for one in reversed(draft.variables) if one.value is not None}
        script = draft.name if draft.kind is ProcessKind.PACKAGE_SCRIPT else ""
        return self.launcher.run(draft.command, draft.place, known, script)

    def _process(self, draft: Draft, launched: Launched) -> Process:
        variables = _first(draft.variables)
        limits = [*draft.limits, *(limit for limit in launched.limits if limit not in draft.limits)]
        options = variables.get("NODE_OPTIONS")
        match = _HEAP.search(options.value or "") if options is not None else None
        if options is not None and match is not None:
            limits.append(MemoryLimit("heap", match[0], size(match[1] + "m"), options.location))
        zone = variables.get("TZ")
        timezone = draft.timezone or launched.timezone
        if timezone is None and zone is not None and zone.value != "":
            timezone = Stated(zone.value, zone.value or "", zone.location)
        role = draft.role or role_of_entries(launched.entries, draft.name)
        return Process(
            name=draft.name,
            kind=draft.kind,
            source=draft.source,
            environment=_environment(draft, launched.entries, variables),
            role=role,
            command=draft.command,
            entries=tuple(launched.entries),
            memory_limits=tuple(limits),
            replicas=draft.replicas,
            timezone=timezone,
            restart=draft.restart,
            time_limit=draft.time_limit,
            stop_grace=draft.stop_grace,
            ports=tuple(draft.ports),
            healthcheck=draft.healthcheck,
            build=draft.build,
            variables=tuple(variables.values()),
            uses_exec=launched.uses_exec,
            exec_location=launched.exec_location,
            schedule=draft.schedule,
            concurrency=draft.concurrency,
            parent=draft.parent,
            depends_on=draft.depends_on,
            profiles=draft.profiles,
            notes=(*draft.notes, *launched.notes),
        )

    def service(self, name: str, image: str, command: str, draft: Draft) -> bool:
        """Keep a store or broker; false where the image is none."""
        engine = engine_of(image)
        if engine is None:
            return False
        count = draft.replicas.count if draft.replicas is not None else None
        variables = {one.name: one.value for one in draft.variables}
        member = member_of(image, command, variables, count)
        self.services.append(
            BackingService(name, engine, member, image, count, draft.source, draft.environment)
        )
        return True


def _first(variables: Sequence[Variable]) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for variable in variables:
        found.setdefault(variable.name, variable)
    return found


def _environment(draft: Draft, entries: Sequence[Entry], variables: Mapping[str, Variable]) -> Environment:
    """What the manifest says, unless the process runs a development server or a test."""
    environment = draft.environment
    stage = variables.get("NODE_ENV")
    if stage is not None and stage.value in _STAGES:
        environment = weaker(environment, _STAGES[stage.value])
    roles = {entry.role for entry in entries if entry.main}
    if roles and roles <= {ProcessRole.BUILD}:
        environment = weaker(environment, Environment.DEVELOPMENT)
    if roles and roles <= {ProcessRole.TEST}:
        environment = weaker(environment, Environment.TEST)
    return environment


def joined(entrypoint: Command | None, command: Command | None) -> Command | None:
    """ENTRYPOINT with CMD as its arguments, as Docker joins them: an entry point in shell form takes none."""
    if entrypoint is None or not entrypoint.argv:
        return command
    if command is None or entrypoint.argv[:2] == ("/bin/sh", "-c"):
        return entrypoint
    # A command for a shell is words like any other to an entry point.
    return Command(f"{entrypoint.text} {command.text}", entrypoint.argv + command.argv, command.location)


def healthcheck_kind(text: str) -> Literal["http", "command"]:
    """What a health check's command asks."""
    return "http" if re.search(r"https?://|\bcurl\b|\bwget\b|fetch\(", text) else "command"


def is_own(process: Process) -> bool:
    """Whether a container runs code of the tree, or at least an image that the tree builds."""
    built = process.build is not None and process.build.relation != "none"
    return built or any(
        entry.path is not None or entry.conventions or entry.program == "flower" for entry in process.entries
    )


def generated(role: Role | None) -> bool:
    """Whether manifests of that role are none of the project's own."""
    return role in {Role.VENDORED, Role.GENERATED}
