"""Management commands: programs of a framework that manifests start by the name of their file."""

from __future__ import annotations

import posixpath

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Deployment, Stated
from cronaudit.model.ir import Const, Function, Module
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import External
from cronaudit.model.walking import class_around

_BASES = lazy_regex(r"django\.core\.management(\.base)?\.(Base|App|Label|NoArgs)Command$")
_COMMANDS = lazy_regex(r"(^|/)management/commands/([^/_][^/]*)\.py$")


def command_of(node: Function | Module, linker: Linker) -> str | None:
    """The name of the management command whose class `node` belongs to; None where it belongs to none."""
    owner = class_around(node)
    path = _COMMANDS.search(node.path if isinstance(node, Module) else node.module.path)
    if owner is None or path is None:
        return None
    lineage = linker.lineage(linker.class_value(owner))
    is_command = any(isinstance(base, External) and _BASES.match(base.path) for base in lineage)
    return posixpath.basename(path[2]) if is_command else None


def started_with(command: str, option: str, deployment: Deployment) -> Location | None:
    """Where a manifest starts a command with an option; None where none does."""
    flag = "--" + option.replace("_", "-")
    for process in deployment.processes:
        argvs = [
            (entry.argv, entry.trail[-1].location if entry.trail else process.source)
            for entry in process.entries
        ]
        if process.command is not None:
            argvs.append((process.command.argv, process.command.location))
        for argv, at in argvs:
            words = [word for part in argv for word in part.split()]
            if command in words and any(word == flag or word.startswith(f"{flag}=") for word in words):
                return at
    return None


def scheduled_by(command: str, deployment: Deployment) -> Stated[str] | None:
    """The schedule on which a manifest starts a command; None where none does."""
    for process in deployment.processes:
        argv = process.command.argv if process.command is not None else ()
        words = [word for part in argv for word in part.split()]
        if process.schedule is not None and command in words:
            return process.schedule
    return None


def is_on_by_default(node: Function | Module, option: str) -> bool:
    """Whether a parameter that chooses the endless mode is set without anybody asking for it."""
    params = node.params if isinstance(node, Function) else ()
    return any(p.name == option and isinstance(p.default, Const) and bool(p.default.value) for p in params)
