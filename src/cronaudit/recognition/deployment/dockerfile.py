"""Dockerfiles: what the last stage runs, and where in the context the files of the image come from."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Command, Variable
from cronaudit.model.source import Location
from cronaudit.recognition.deployment import shell
from cronaudit.recognition.deployment.quantities import expand, expand_partly

_INSTRUCTION: Final = lazy_regex(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)
_FLAG: Final = lazy_regex(r"--([\w-]+)(?:=(\S+))?\s+")
_PAIR: Final = lazy_regex(r"""(\w+)=((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*)""", re.DOTALL)
_HERE: Final = lazy_regex(r"<<-?\s*['\"]?(\w+)['\"]?")
_DEEPEST: Final = 8


class Copy(Struct):
    """`COPY` or `ADD`."""

    sources: tuple[str, ...]
    target: str
    """Absolute path in the image; ends in a slash where it is a folder by its spelling."""
    stage: str | None
    """Where it copies from, if not from the context."""


class Stage(Struct):
    """One `FROM` and what follows."""

    name: str
    base: str
    line: int
    workdir: str = "/"
    workdirs: list[str] = []
    copies: list[Copy] = []
    variables: dict[str, Variable] = {}
    command: Command | None = None
    entrypoint: Command | None = None
    ports: list[tuple[str, Location]] = []
    healthcheck: tuple[str, Location] | None = None


class Dockerfile(Struct):
    """A Dockerfile, read."""

    path: str
    stages: list[Stage]

    def stage(self, name: str | None = None) -> Stage | None:
        """The stage of a build target; the last one without."""
        if name is None:
            return self.stages[-1] if self.stages else None
        for stage in self.stages:
            if stage.name == name.lower():
                return stage
        return self.stages[int(name)] if name.isdigit() and int(name) < len(self.stages) else None

    def lineage(self, stage: Stage) -> Iterator[Stage]:
        """A stage and the stages of this file that it is based on."""
        seen: set[int] = set()
        current: Stage | None = stage
        while current is not None and id(current) not in seen:
            seen.add(id(current))
            yield current
            current = self.stage(current.base) if not current.base.isdigit() else None

    def origins(self, stage: Stage, path: str, depth: int = 0) -> Iterator[str]:
        """Paths in the context that may have become a path of the image, the likeliest first."""
        if depth > _DEEPEST:
            return
        for current in self.lineage(stage):
            for copy in reversed(current.copies):
                for inner in _through(copy, path):
                    other = None if copy.stage is None else self.stage(copy.stage)
                    if copy.stage is None:
                        yield inner.lstrip("/")
                    elif other is not None:
                        yield from self.origins(other, posixpath.join("/", inner), depth + 1)
        # What a build step makes lies where its source lay: relative to the folder that the step works in.
        for current in self.lineage(stage):
            for folder in reversed(current.workdirs):
                if path.startswith(folder.rstrip("/") + "/"):
                    yield path[len(folder.rstrip("/")) + 1 :]


def _through(copy: Copy, path: str) -> Iterator[str]:
    target = copy.target.rstrip("/") or "/"
    if path == target and len(copy.sources) == 1 and not copy.target.endswith("/"):
        yield copy.sources[0]
    inside = target.rstrip("/") + "/"
    if not path.startswith(inside):
        return
    rest = path[len(inside) :]
    for source in copy.sources:
        name = posixpath.basename(source.rstrip("/"))
        if name and (rest == name) and not source.endswith("/"):
            yield source
        yield posixpath.join(source, rest)


def read(path: str, text: str) -> Dockerfile:
    """The stages of a Dockerfile. What is not understood is left out."""
    file = Dockerfile(path, [])
    arguments: dict[str, str] = {}
    for instruction, rest, line in _instructions(text):
        _apply(file, arguments, instruction, rest, Location(path, line))
    return file


def _instructions(text: str) -> Iterator[tuple[str, str, int]]:
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        start = number
        parts: list[str] = []
        while number < len(lines):
            line = lines[number]
            number += 1
            if line.lstrip().startswith("#") or (parts and not line.strip()):
                continue
            parts.append(line.rstrip().removesuffix("\\"))
            if not line.rstrip().endswith("\\"):
                break
        joined = "\n".join(parts)
        for mark in _HERE.findall(joined):
            while number < len(lines) and lines[number].strip() != mark:
                number += 1
            number += 1
        match = _INSTRUCTION.match(joined)
        if match is not None:
            first = next(
                index
                for index in range(start, number)
                if lines[index].strip() and not lines[index].lstrip().startswith("#")
            )
            yield match[1].upper(), match[2].strip(), first + 1


def _apply(file: Dockerfile, arguments: dict[str, str], instruction: str, rest: str, place: Location) -> None:
    if instruction == "FROM":
        words = _FLAG.sub("", rest).split()
        base = expand_partly(words[0], arguments) if words else ""
        name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
        stage = Stage(name, base.lower(), place.line)
        inherited = file.stage(stage.base) if stage.base and not stage.base.isdigit() else None
        if inherited is not None:
            stage.workdir = inherited.workdir
            stage.workdirs = list(inherited.workdirs)
            stage.variables = dict(inherited.variables)
            stage.command, stage.entrypoint = inherited.command, inherited.entrypoint
            stage.ports = list(inherited.ports)
            stage.healthcheck = inherited.healthcheck
        file.stages.append(stage)
        return
    if instruction == "ARG":
        name, _, default = rest.partition("=")
        if default:
            arguments[name.strip()] = shell.unquoted(default.strip())
    if not file.stages:
        return
    stage = file.stages[-1]
    known = {
        **arguments,
        **{name: one.value for name, one in stage.variables.items() if one.value is not None},
    }
    if instruction == "WORKDIR":
        stage.workdir = posixpath.normpath(
            posixpath.join(stage.workdir, expand_partly(shell.unquoted(rest), known))
        )
        stage.workdirs.append(stage.workdir)
    elif instruction == "ENV":
        pairs = _PAIR.findall(rest) if re.match(r"\w+=", rest) else [tuple((*rest.split(None, 1), "")[:2])]
        for name, value in pairs:
            stage.variables[name] = Variable(name, expand(shell.unquoted(value), known), place)
    elif instruction in {"COPY", "ADD"}:
        _copy(stage, expand_partly(rest, known))
    elif instruction == "CMD":
        stage.command = command_of(rest, place)
    elif instruction == "ENTRYPOINT":
        stage.entrypoint = command_of(rest, place)
        if stage.command is not None and stage.command.location.line < stage.line:
            stage.command = None
    elif instruction == "EXPOSE":
        stage.ports.extend((word, place) for word in expand_partly(rest, known).split())
    elif instruction == "HEALTHCHECK":
        test = _FLAG.sub("", rest + " ").strip()
        stage.healthcheck = None if test.upper() == "NONE" else (test.removeprefix("CMD").strip(), place)


def _copy(stage: Stage, rest: str) -> None:
    flags: dict[str, str] = {}
    while (match := _FLAG.match(rest)) is not None:
        flags[match[1]] = match[2] or ""
        rest = rest[match.end() :]
    words = _json_words(rest) or tuple(rest.split())
    if len(words) < 2 or any(word.startswith("<<") for word in words):
        return
    target = posixpath.join(stage.workdir, words[-1])
    folder = words[-1].endswith(("/", ".")) or len(words) > 2
    target = posixpath.normpath(target) + ("/" if folder else "")
    stage.copies.append(
        Copy(tuple(posixpath.normpath(word) for word in words[:-1]), target, flags.get("from"))
    )


def _json_words(text: str) -> tuple[str, ...] | None:
    if not text.startswith("["):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return tuple(str(word) for word in value) if isinstance(value, list) else None


def command_of(text: str, place: Location) -> Command:
    """`CMD` or `ENTRYPOINT` in exec form, else in shell form."""
    return Command(text, _json_words(text) or ("/bin/sh", "-c", text), place)
