"""Process managers on one machine or in one container: supervisord, systemd, uWSGI, Procfile."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import (
    Command,
    Environment,
    MemoryLimit,
    ProcessKind,
    ProcessRole,
    Replicas,
    Stated,
    Variable,
)
from cronaudit.model.source import Location
from cronaudit.recognition.deployment import shell, variables
from cronaudit.recognition.deployment.assembly import Assembly, Draft
from cronaudit.recognition.deployment.launch import Managed
from cronaudit.recognition.deployment.places import Place
from cronaudit.recognition.deployment.quantities import duration, expand_partly, replicas, size
from cronaudit.recognition.deployment.sections import Section, Setting, sections

_PROCFILE: Final = lazy_regex(r"([A-Za-z0-9_-]+):\s*(.+)")
_PAIR: Final = lazy_regex(r"""(\w+)=("(?:\\.|[^"])*"|'[^']*'|[^,\s]*)""")
_NEVER_ENDING: Final = frozenset({"infinity", "0"})


def supervisor(assembly: Assembly, managed: Managed) -> list[Draft]:
    """`[program:x]` sections, also of files that `[include]` names."""
    return _programs(assembly, managed.path, managed.place, set())


def _programs(assembly: Assembly, path: str, place: Place, seen: set[str]) -> list[Draft]:
    if path in seen:
        return []
    seen.add(path)
    assembly.used.add(path)
    found: list[Draft] = []
    for section in sections(path, assembly.files.text(path), indented=True):
        kind, _, name = section.name.partition(":")
        command = section.get("command")
        if kind == "include":
            files = section.get("files")
            for pattern in files.value.split() if files is not None else ():
                for other in _matching(assembly, path, pattern):
                    found.extend(_programs(assembly, other, place, seen))
        if kind not in {"program", "eventlistener", "fcgi-program"} or command is None:
            continue
        directory = section.get("directory")
        draft = Draft(
            name,
            ProcessKind.SUPERVISOR,
            section.location,
            _production(assembly.environment(path)),
            place if directory is None else place.cd(directory.value),
            command=Command(command.value, shell.words(command.value), command.location),
            restart=_stated(section.get("autorestart")),
        )
        count = section.get("numprocs")
        if count is not None:
            draft.replicas = replicas(count.value, count.value, "numprocs", count.location)
        wait = section.get("stopwaitsecs")
        if wait is not None:
            draft.stop_grace = duration(wait.value, wait.value, wait.location)
        given = section.get("environment")
        for key, value in _PAIR.findall(given.value) if given is not None else ():
            draft.variables.append(
                Variable(key, value.strip("\"'"), given.location if given else section.location)
            )
        found.append(draft)
    return found


def s6(assembly: Assembly, managed: Managed) -> list[Draft]:
    """The services of s6-overlay that keep running: a folder with a `run` script each."""
    found: list[Draft] = []
    for path in assembly.files.below(managed.path):
        folder, _, name = path.rpartition("/")
        if name != "run" or posixpath.dirname(folder) != managed.path:
            continue
        if assembly.files.text(f"{folder}/type").strip() == "oneshot":
            continue
        where = Location(path, 1)
        found.append(
            Draft(
                posixpath.basename(folder),
                ProcessKind.S6,
                where,
                _production(assembly.environment(path)),
                managed.place,
                command=Command(path, ("sh", "/" + path), where),
            )
        )
    return found


def _matching(assembly: Assembly, path: str, pattern: str) -> list[str]:
    folder = posixpath.dirname(path)
    suffix = posixpath.splitext(pattern)[1]
    inner = posixpath.dirname(pattern).strip("/").rpartition("/")[2]
    candidates = [folder] + ([posixpath.join(folder, inner)] if inner else [])
    return [
        one
        for candidate in candidates
        for one in assembly.files.inside(candidate)
        if suffix and one.endswith(suffix) and one != path
    ]


def _production(environment: Environment) -> Environment:
    """Such a file is written for a machine that serves, unless its path says otherwise."""
    return Environment.PRODUCTION if environment is Environment.UNKNOWN else environment


def _stated(setting: Setting | None) -> Stated[str] | None:
    return None if setting is None else Stated(setting.value, setting.value, setting.location)


def is_supervisor(path: str, text: str) -> bool:
    """Whether a file is a configuration of supervisord."""
    return path.endswith((".conf", ".ini")) and re.search(r"^\[program:", text, re.MULTILINE) is not None


def systemd(assembly: Assembly, path: str) -> Draft | None:
    """A `.service` unit."""
    found = {section.name: section for section in sections(path, assembly.files.text(path))}
    service = found.get("Service")
    start = None if service is None else service.get("ExecStart")
    if service is None or start is None:
        return None
    text = " ".join(start.value.lstrip("-@:+!|").split())
    folder = service.get("WorkingDirectory")
    place = assembly.images.anywhere(posixpath.dirname(path))
    name = posixpath.basename(path).removesuffix(".service")
    draft = Draft(
        name.rstrip("@"),
        ProcessKind.SYSTEMD,
        service.location,
        _production(assembly.environment(path)),
        place if folder is None else place.cd(folder.value),
        restart=_stated(service.get("Restart")),
    )
    limit = service.get("MemoryMax") or service.get("MemoryLimit")
    if limit is not None and limit.value not in _NEVER_ENDING:
        draft.limits.append(MemoryLimit("unit", limit.value, size(limit.value), limit.location))
    bound = service.get("RuntimeMaxSec")
    once = service.get("Type")
    if bound is None and once is not None and once.value == "oneshot":
        # What a oneshot unit does is its start (systemd.service(5)).
        bound = service.get("TimeoutStartSec") or service.get("TimeoutSec")
    if bound is not None and bound.value not in _NEVER_ENDING:
        draft.time_limit = duration(bound.value, bound.value, bound.location)
    stop = service.get("TimeoutStopSec") or service.get("TimeoutSec")
    if stop is not None:
        draft.stop_grace = duration(stop.value, stop.value, stop.location)
    for setting in service.every("Environment"):
        for word in shell.words(setting.value):
            key, equals, value = word.partition("=")
            if equals:
                draft.variables.append(Variable(key, value, setting.location))
    for setting in service.every("EnvironmentFile"):
        # The unit names where the file is installed; in the tree it lies beside the unit, by that name.
        wanted = posixpath.basename(setting.value.lstrip("-"))
        for other in assembly.files.inside(posixpath.dirname(path)):
            if posixpath.basename(other) in {wanted, wanted + ".conf", wanted + ".env"}:
                draft.variables.extend(variables.read(assembly.files, other))
    # systemd puts the variables in before the program starts.
    known = {one.name: one.value for one in reversed(draft.variables) if one.value is not None}
    draft.command = Command(text, shell.words(expand_partly(text, known)), start.location)
    if name.endswith("@"):
        draft.replicas = Replicas("unresolved", None, "template unit", name, service.location)
    if once is not None and once.value == "oneshot":
        draft.notes.append("a oneshot unit: it runs to its end")
    return draft


def uwsgi(assembly: Assembly, managed: Managed) -> list[Draft]:
    """The workers of uWSGI and the daemons that it attaches, which share its container."""
    path = managed.path
    found = [one for one in sections(path, assembly.files.text(path)) if one.name == "uwsgi"]
    if not found:
        return []
    section = found[0]
    folder = section.get("chdir")
    place = managed.place if folder is None else managed.place.cd(folder.value)
    environment = _production(assembly.environment(path))
    drafts: list[Draft] = []
    master = _workers(section, place, environment, path)
    if master is not None:
        drafts.append(master)
    for setting in section.settings:
        if setting.name not in {
            "attach-daemon",
            "attach-daemon2",
            "smart-attach-daemon",
            "legion-attach-daemon",
        }:
            continue
        text = setting.value
        if setting.name == "attach-daemon2":
            match = re.search(r"(?:^|,)cmd=([^,]*)", text)
            text = match[1] if match is not None else ""
        elif setting.name == "smart-attach-daemon":
            text = text.partition(" ")[2]
        if not text:
            continue
        words = shell.words(text)
        draft = Draft(
            " ".join(_called(words)),
            ProcessKind.UWSGI_DAEMON,
            setting.location,
            environment,
            place,
            command=Command(text, words, setting.location),
        )
        if setting.condition is not None:
            draft.notes.append(f"only with {setting.condition}")
        drafts.append(draft)
    return drafts


def _called(words: tuple[str, ...]) -> list[str]:
    """What a daemon is called: its management command, or its program."""
    for index, word in enumerate(words[:-1]):
        if posixpath.basename(word) == "manage.py":
            return [words[index + 1]]
    return [posixpath.basename(words[0])] if words else ["daemon"]


def _workers(section: Section, place: Place, environment: Environment, path: str) -> Draft | None:
    module = section.get("module") or section.get("wsgi") or section.get("wsgi-file")
    if module is None:
        return None
    option = "--wsgi-file" if module.name == "wsgi-file" else "--module"
    name = posixpath.basename(path).removesuffix(".ini").removesuffix(".uwsgi")
    draft = Draft(
        name,
        ProcessKind.UWSGI,
        section.location,
        environment,
        place,
        command=Command(f"{module.name} = {module.value}", ("uwsgi", option, module.value), module.location),
        role=ProcessRole.SERVER,
    )
    limit = section.get("reload-on-rss")
    if limit is not None:
        draft.limits.append(
            MemoryLimit("restart", f"reload-on-rss = {limit.value}", size(limit.value + "m"), limit.location)
        )
    return draft


def procfile(assembly: Assembly, managed: Managed) -> list[Draft]:
    """`name: command` lines."""
    path = managed.path
    environment = assembly.environment(path)
    place = assembly.host(posixpath.dirname(path)) if managed.place.stage is None else managed.place
    env = posixpath.join(posixpath.dirname(path), ".env")
    drafts: list[Draft] = []
    for number, line in enumerate(assembly.files.text(path).splitlines(), start=1):
        match = _PROCFILE.fullmatch(line.strip())
        if match is None:
            continue
        where = Location(path, number)
        draft = Draft(
            match[1],
            ProcessKind.PROCFILE,
            where,
            _production(environment),
            place,
            command=Command(match[2], ("sh", "-c", match[2]), where),
            role=ProcessRole.SCRIPT if match[1] == "release" else None,
        )
        if assembly.files.has(env):
            draft.variables = variables.read(assembly.files, env)
        drafts.append(draft)
    return drafts
