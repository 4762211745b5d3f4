"""All manifests of a tree, read into one `Deployment`."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from typing import Final

from cronaudit.model.deployment import (
    LIVE,
    Deployment,
    EntryPoint,
    Process,
    ProcessKind,
    ProcessRole,
    Replicas,
    Stated,
)
from cronaudit.model.source import Language, Location, Role, SourceFile
from cronaudit.recognition.deployment import crontabs, entry_points, platforms, pm2, supervisors
from cronaudit.recognition.deployment.assembly import Assembly, Draft, is_own
from cronaudit.recognition.deployment.compose import Compose, is_compose, outside
from cronaudit.recognition.deployment.files import Enclosing, Files, Manifests
from cronaudit.recognition.deployment.images import Images
from cronaudit.recognition.deployment.kubernetes import Kubernetes, is_manifest
from cronaudit.recognition.deployment.launch import Launcher, Managed
from cronaudit.recognition.deployment.node_programs import HANDLERS as NODE
from cronaudit.recognition.deployment.python_programs import HANDLERS as PYTHON
from cronaudit.recognition.deployment.sources import Sources

_FLY: Final = ("fly.toml", "fly.")
_PLATFORMS: Final[dict[str, Callable[[Assembly, str], list[Draft]]]] = {
    "render.yaml": platforms.render,
    "render.yml": platforms.render,
    "railway.toml": platforms.railway,
    "railway.json": platforms.railway,
    "serverless.yml": platforms.serverless,
    "serverless.yaml": platforms.serverless,
}
_MANIFESTS: Final = (
    Language.YAML,
    Language.JSON,
    Language.TOML,
    Language.INI,
    Language.PROCFILE,
    Language.JAVASCRIPT,
    Language.OTHER,
)
"""What manifests are written in; Dockerfiles, scripts and variables are read when a manifest names them."""
_FINITE: Final = frozenset({ProcessRole.BUILD, ProcessRole.TEST})


def read_deployment(manifests: Manifests, enclosing: Enclosing | None = None) -> Deployment:
    """What the manifests of the target say, and those of the repository around it that are handed in.

    Of the latter only compose services count that build the target or a part of it.
    """
    files = Files(manifests, enclosing)
    sources = Sources(files)
    assembly = Assembly(
        files,
        Images(files, sources),
        Launcher(files, sources, {**NODE, **PYTHON}),
        {
            "supervisor": supervisors.supervisor,
            "s6": supervisors.s6,
            "pm2": pm2.read,
            "uwsgi": supervisors.uwsgi,
            "procfile": supervisors.procfile,
        },
    )
    found = _Found(file for language in _MANIFESTS for file in files.written_in(language))
    Compose(assembly).read([*found.compose, *outside(assembly)])
    Kubernetes(assembly).read(found.manifests)
    for path in found.platforms:
        name = posixpath.basename(path)
        reader = _PLATFORMS.get(name, platforms.fly)
        _keep(assembly, reader(assembly, path))
    for path in found.units:
        unit = supervisors.systemd(assembly, path)
        _keep(assembly, [] if unit is None else [unit])
    formation: dict[str, Replicas] = {}
    for path in found.heroku:
        formation.update(platforms.heroku(assembly, path))
    _dockerfiles(assembly)
    _standalone(assembly, found, formation)
    _package_scripts(assembly)
    for draft in crontabs.drafts(assembly):
        assembly.add(draft)
    crons = tuple(cron for path in found.vercel for cron in platforms.vercel(assembly, path))
    return _result(assembly, crons)


class _Found:
    """Manifests by what they may be, before they are read. Each list is sorted by language, then path."""

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self.compose: list[str] = []
        self.manifests: list[str] = []
        self.platforms: list[str] = []
        self.units: list[str] = []
        self.sections: list[str] = []
        self.procfiles: list[str] = []
        self.pm2: list[str] = []
        self.heroku: list[str] = []
        self.vercel: list[str] = []
        for file in files:
            if file.role not in {Role.VENDORED, Role.GENERATED}:
                self._sort(file)

    def _sort(self, file: SourceFile) -> None:
        language = file.language
        name = file.path.rpartition("/")[2].lower()
        if language is Language.JAVASCRIPT and not name.startswith(("ecosystem", "pm2", "processes")):
            return
        if language is Language.YAML:
            if is_compose(file):
                self.compose.append(file.path)
            elif name in _PLATFORMS:
                self.platforms.append(file.path)
            elif pm2.is_pm2(file):
                self.pm2.append(file.path)
            elif is_manifest(file):
                self.manifests.append(file.path)
        elif language is Language.PROCFILE:
            self.procfiles.append(file.path)
        elif name in _PLATFORMS or (name.startswith(_FLY) and name.endswith(".toml")):
            self.platforms.append(file.path)
        elif name.endswith(".service"):
            self.units.append(file.path)
        elif name.endswith((".ini", ".conf")) and file.role is not Role.TEST:
            self.sections.append(file.path)
        elif name == "app.json":
            self.heroku.append(file.path)
        elif name == "vercel.json":
            self.vercel.append(file.path)
        elif pm2.is_pm2(file):
            self.pm2.append(file.path)


def _keep(assembly: Assembly, drafts: Iterable[Draft]) -> None:
    for draft in drafts:
        process = assembly.add(draft)
        if not is_own(process) and draft.role is None:
            assembly.processes.remove(process)


def _dockerfiles(assembly: Assembly) -> None:
    """Dockerfiles that no manifest in use builds: each is a container of its own."""
    for path in assembly.images.dockerfiles():
        if path in assembly.used:
            continue
        read = assembly.images.dockerfile(path)
        stage = read.stage()
        if stage is None or (stage.command or stage.entrypoint) is None:
            continue
        command = stage.command or stage.entrypoint
        where = command.location if command is not None else Location(path, 1)
        context = assembly.images.context_of(path)
        draft = Draft(
            _called(path),
            ProcessKind.DOCKERFILE,
            where,
            assembly.environment(path),
            assembly.images.place(path, context),
            build=assembly.images.of_build(
                context, posixpath.relpath(path, context or "."), None, Location(path, 1)
            ),
        )
        for text, place in stage.ports:
            number = text.partition("/")[0]
            draft.ports.append(Stated(int(number) if number.isdigit() else None, text, place))
        process = assembly.add(draft)
        if not any(entry.path or entry.conventions for entry in process.entries):
            managing = any(other.parent == process.source for other in assembly.processes)
            if not managing:
                assembly.processes.remove(process)


def _called(path: str) -> str:
    folder, _, name = path.rpartition("/")
    suffix = name.partition(".")[2] if name.lower().startswith("dockerfile.") else ""
    return suffix or posixpath.basename(folder) or "Dockerfile"


def _standalone(assembly: Assembly, found: _Found, formation: dict[str, Replicas]) -> None:
    """Files of processes to which no container hands over: they run on a machine, or on a platform."""
    for path in found.procfiles:
        if path not in assembly.used:
            place = assembly.host(posixpath.dirname(path))
            for draft in supervisors.procfile(assembly, Managed("procfile", path, place, ())):
                draft.replicas = formation.get(draft.name)
                _keep(assembly, [draft])
    for path in found.pm2:
        if path not in assembly.used:
            place = assembly.host(posixpath.dirname(path))
            _keep(assembly, pm2.read(assembly, Managed("pm2", path, place, ())))
    for path in found.sections:
        if path in assembly.used:
            continue
        text = assembly.files.text(path)
        place = assembly.images.anywhere(posixpath.dirname(path))
        if supervisors.is_supervisor(path, text):
            _keep(assembly, supervisors.supervisor(assembly, Managed("supervisor", path, place, ())))
        elif "[uwsgi]" in text:
            _keep(assembly, supervisors.uwsgi(assembly, Managed("uwsgi", path, place, ())))


def _package_scripts(assembly: Assembly) -> None:
    """Scripts that run in production, by their names, and that nothing else runs."""
    steps = {
        step.location
        for process in assembly.processes
        if process.environment in LIVE
        for entry in process.entries
        for step in entry.trail
    }
    started = {_identity(process) for process in assembly.processes if process.environment in LIVE}
    for manifest in entry_points.manifests(assembly):
        for draft in entry_points.package_drafts(assembly, manifest):
            if draft.source in steps:
                continue
            process = assembly.add(draft)
            main = {entry.role for entry in process.main_entries}
            here = _identity(process)
            if not is_own(process) or main <= _FINITE or any(here <= other for other in started):
                assembly.processes.remove(process)


def _identity(process: Process) -> frozenset[tuple[str, ...]]:
    return frozenset(entry.paths for entry in process.main_entries)


def _result(assembly: Assembly, crons: tuple[Stated[str], ...]) -> Deployment:
    processes = sorted(set(assembly.processes), key=lambda one: (one.source, one.name))
    points: dict[tuple[str, str, Location], EntryPoint] = {}
    run: set[tuple[str, Location]] = set()
    for point in entry_points.of_processes(processes):
        points.setdefault((point.path, point.why, point.location), point)
        run.add((point.path, point.location))
    for point in (*entry_points.of_packages(assembly), *entry_points.of_python(assembly)):
        if (point.path, point.location) not in run:
            points.setdefault((point.path, point.why, point.location), point)
    return Deployment(
        processes=tuple(processes),
        entry_points=tuple(sorted(points.values(), key=lambda one: (one.path, one.location, one.why))),
        services=tuple(sorted(assembly.services, key=lambda one: (one.location, one.name))),
        cron_routes=crons,
        diagnostics=tuple(sorted(assembly.files.diagnostics)),
    )
