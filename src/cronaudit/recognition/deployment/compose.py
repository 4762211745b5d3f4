"""Docker Compose: services with their limits, their images, and what lies over them in further files."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import (
    Command,
    Environment,
    Healthcheck,
    MemoryLimit,
    ProcessKind,
    Replicas,
    Stated,
    Variable,
)
from cronaudit.model.source import Language, Location, SourceFile
from cronaudit.recognition.deployment import shell, variables
from cronaudit.recognition.deployment.assembly import Assembly, Draft, generated, healthcheck_kind, is_own
from cronaudit.recognition.deployment.documents import Item, documents, merge
from cronaudit.recognition.deployment.naming import environment_of_name, weaker
from cronaudit.recognition.deployment.quantities import duration, expand, port, replicas, size

_NAME: Final = lazy_regex(
    r"(?:docker-)?(?:compose|stack|swarm)[\w.-]*\.ya?ml|.*compose[\w.-]*\.ya?ml", re.IGNORECASE
)
_FOLDER: Final = lazy_regex(
    r"(?:.*/)?(?:docker|docker[-_]?compose|compose|containers)/[^/]+\.ya?ml", re.IGNORECASE
)
_STARTED: Final = ("image", "build", "command", "entrypoint")
_SERVICES: Final = lazy_regex(r"^services[ \t]*:", re.MULTILINE)
_BASES: Final = (
    "docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml", "default.yml", "default.yaml",
    "base.yml", "base.yaml",
)  # fmt: skip
_APPENDED: Final = frozenset({"ports", "expose", "env_file", "depends_on", "profiles"})
_EXTENDING: Final = 5


def is_compose(file: SourceFile) -> bool:
    """Whether a file may be one, by its name or that of its folder."""
    if file.language is not Language.YAML or generated(file.role):
        return False
    return _is_named(file.path) or _FOLDER.fullmatch(file.path) is not None


def _is_named(path: str) -> bool:
    return _NAME.fullmatch(posixpath.basename(path)) is not None


class _File(Struct):
    """A compose file, read."""

    path: str
    folder: str
    environment: Environment
    services: dict[str, Item]
    known: dict[str, str]
    """Variables that Compose takes from `.env` beside the file."""
    extends: set[str] = set()


class Compose(Struct):
    """Reads all compose files of the tree."""

    assembly: Assembly
    files: dict[str, _File] = {}

    def read(self, paths: list[str]) -> None:
        """Add the services of these files."""
        for path in paths:
            self._load(path)
        whole = {path: file for path, file in self.files.items() if file.services and path in paths}
        # Images that one file builds and another names.
        for file in whole.values():
            for item in file.services.values():
                self._built(file, item)
        overlaid: set[tuple[str, str]] = set()
        drafts: list[tuple[_File, str, Item]] = []
        for file in whole.values():
            base = self._base(file, whole)
            for name, item in file.services.items():
                below = None if base is None else base.services.get(name)
                if (
                    base is not None
                    and below is not None
                    and not item.at("image").there
                    and not item.at("build").there
                ):
                    # `-f docker-compose.yml -f docker-compose.prod.yml`: what one leaves out stands in the other.
                    item = merge(below, item, _APPENDED)  # noqa: PLW2901 - the service as it runs
                    if file.environment is Environment.PRODUCTION:
                        overlaid.add((base.path, name))
                drafts.append((file, name, item))
        for file, name, item in drafts:
            if (file.path, name) not in overlaid:
                self._service(file, name, item)

    def _base(self, file: _File, whole: dict[str, _File]) -> _File | None:
        for name in _BASES:
            path = posixpath.join(file.folder, name)
            if path != file.path and path in whole and posixpath.basename(file.path) not in _BASES:
                return whole[path]
        return None

    def _load(self, path: str) -> _File:
        known = self.files.get(path)
        if known is not None:
            return known
        files = self.assembly.files
        folder = posixpath.dirname(path)
        beside = posixpath.join(folder, ".env")
        file = self.files[path] = _File(
            path,
            folder,
            self.assembly.environment(path),
            {},
            variables.values(files, beside) if files.has(beside) else {},
        )
        text = files.text(path)
        if not _SERVICES.search(text):
            return file
        found, problem = documents(path, text)
        if problem is not None:
            files.note(path, problem)
        for document in found[:1]:
            if document.at("name").scalar:
                file.environment = weaker(file.environment, environment_of_name(document.at("name").text))
            for include in document.at("include").each():
                for one in include.at("path").each() if include.is_map else (include,):
                    other = files.join(folder, one.text)
                    if other and files.has(other) and other != path:
                        file.services.update(self._load(other).services)
            stated = [(name, item) for name, item in document.at("services").pairs() if item.is_map]
            if _is_named(path) or any(item.at(key).there for _name, item in stated for key in _STARTED):
                file.services.update(stated)
        for name in list(file.services):
            file.services[name] = self._extended(file, file.services[name], 0)
        return file

    def _extended(self, file: _File, item: Item, depth: int) -> Item:
        extends = item.at("extends")
        name = extends.text or extends.at("service").text
        if not name or depth > _EXTENDING:
            return item
        other = file
        if extends.at("file").scalar:
            path = self.assembly.files.join(file.folder, extends.at("file").text)
            if path is None or not self.assembly.files.has(path):
                self.assembly.files.note(
                    file.path, f"extends a file that is not there: {extends.at('file').text}"
                )
                return item
            other = self._load(path)
        base = other.services.get(name)
        if base is None:
            return item
        own = Item(
            item.path,
            item.line,
            entries={k: v for k, v in item.entries.items() if k != "extends"},
            is_map=True,
        )
        return merge(self._extended(other, base, depth + 1), own, _APPENDED)

    def _built(self, file: _File, item: Item) -> None:
        build = item.at("build")
        if build.there and item.at("image").scalar:
            context, name, _ = self._context(file, build)
            if context is not None:
                self.assembly.images.of_build(context, name, self._value(file, item.at("image")), build.place)

    def _context(self, file: _File, build: Item) -> tuple[str | None, str | None, str | None]:
        """Folder, Dockerfile and target of a build."""
        text = build.text or build.at("context").text or "."
        value = expand(text, file.known)
        # A service keeps the paths of the file that states them, also where another one extends it.
        folder = posixpath.dirname(build.path)
        context = None if value is None else self.assembly.files.join(folder, value)
        return context, build.at("dockerfile").scalar, build.at("target").scalar

    def _value(self, file: _File, item: Item) -> str | None:
        return None if item.scalar is None else expand(item.scalar, file.known)

    def _service(self, file: _File, name: str, item: Item) -> None:
        assembly = self.assembly
        image = item.at("image").scalar
        known = None if image is None else expand(image, file.known) or image
        build = None
        place = assembly.images.anywhere(file.folder)
        if item.at("build").there:
            context, dockerfile, target = self._context(file, item.at("build"))
            if context is not None:
                build = assembly.images.of_build(context, dockerfile, known, item.at("build").place)
                if context.startswith("..") and (build.dockerfile or "..").startswith(".."):
                    return  # another part of the enclosing repository
                place = assembly.host(context)
                if build.dockerfile is not None:
                    place = assembly.images.place(build.dockerfile, context, target)
        elif known is not None:
            build = assembly.images.of_image(known, item.at("image").place)
            if build.dockerfile is not None:
                place = assembly.images.place(build.dockerfile, build.context or "")
        if item.at("working_dir").scalar:
            place = place.cd(item.at("working_dir").text)
        draft = Draft(
            name,
            ProcessKind.COMPOSE,
            item.place,
            self._environment(file, item),
            place,
            command=_command(item.at("command"), file.known),
            entrypoint=_command(item.at("entrypoint"), file.known),
            build=build,
            depends_on=tuple(item.at("depends_on").words() or item.at("depends_on").entries),
            profiles=item.at("profiles").words(),
        )
        self._limits(file, item, draft)
        draft.variables = self._variables(file, item)
        command = " ".join(part.text for part in (draft.entrypoint, draft.command) if part is not None)
        stranger = known is not None and build is not None and build.relation == "none"
        if stranger and assembly.service(name, known or "", command, draft):
            return
        if file.path.startswith("../") and (build is None or build.relation == "none"):
            return
        process = assembly.add(draft)
        if not is_own(process):
            assembly.processes.remove(process)

    def _environment(self, file: _File, item: Item) -> Environment:
        environment = file.environment
        for profile in item.at("profiles").words():
            environment = weaker(environment, environment_of_name(profile))
        return environment

    def _limits(self, file: _File, item: Item, draft: Draft) -> None:
        for limit in (item.at("mem_limit"), item.at("deploy", "resources", "limits", "memory")):
            if limit.scalar is not None and limit.text != "0":
                value = self._value(file, limit)
                draft.limits.append(MemoryLimit("container", limit.text, size(value or ""), limit.place))
        draft.replicas = self._replicas(file, item)
        for found in (item.at("deploy", "restart_policy", "condition"), item.at("restart")):
            if found.scalar is not None:
                draft.restart = Stated(self._value(file, found), found.text, found.place)
        grace = item.at("stop_grace_period")
        if grace.scalar is not None:
            draft.stop_grace = duration(grace.text, self._value(file, grace), grace.place)
        for one in item.at("ports").each():
            published = one.at("target") if one.is_map else one
            value = self._value(file, published) or published.text
            draft.ports.append(Stated(port(value), published.text, one.place))
        check = item.at("healthcheck", "test")
        if check.there:
            text = " ".join(check.words()).removeprefix("CMD-SHELL ").removeprefix("CMD ")
            if text != "NONE":
                draft.healthcheck = Healthcheck(healthcheck_kind(text), text, check.place)

    def _replicas(self, file: _File, item: Item) -> Replicas | None:
        mode = item.at("deploy", "mode")
        if mode.text == "global":
            return Replicas("many", None, "mode: global", mode.text, mode.place)
        for count, why in ((item.at("deploy", "replicas"), "replicas"), (item.at("scale"), "scale")):
            if count.scalar is not None:
                return replicas(count.text, self._value(file, count), why, count.place)
        name = item.at("container_name")
        if name.scalar is not None:
            # Two containers cannot have one name: Compose refuses to scale such a service.
            return Replicas("exact", 1, "container_name", name.text, name.place)
        return None

    def _variables(self, file: _File, item: Item) -> list[Variable]:
        found: list[Variable] = []
        given = item.at("environment")
        for name, value in given.pairs():
            found.append(Variable(name, self._variable(file, name, value.scalar), value.place))
        for line in given.words():
            name, equals, text = line.partition("=")
            found.append(
                Variable(name, self._variable(file, name, text if equals else None), _line(given, line))
            )
        env_file = item.at("env_file")
        # Of several files the last one wins.
        for one in reversed(env_file.each()):
            named = one.at("path") if one.is_map else one
            path = self.assembly.files.join(posixpath.dirname(named.path), named.text)
            if path and self.assembly.files.has(path):
                found.extend(variables.read(self.assembly.files, path))
        return found

    @staticmethod
    def _variable(file: _File, name: str, text: str | None) -> str | None:
        return file.known.get(name) if text is None else expand(text, file.known)


def _line(given: Item, text: str) -> Location:
    return next((item.place for item in given.each() if item.text == text), given.place)


def _command(item: Item, known: dict[str, str]) -> Command | None:
    if not item.there:
        return None
    if item.items is not None:
        # Compose has its own `$`; `$$` is the shell's.
        words = tuple((expand(word, known) or word).replace("$$", "$") for word in item.words())
        return Command(" ".join(words), words, item.place)
    text = (expand(item.text, known) or item.text).replace("$$", "$")
    return Command(text, shell.words(text), item.place) if text.strip() else None


def outside(assembly: Assembly) -> list[str]:
    """Handed-in files that may be compose files."""
    names = sorted(assembly.files.outside)
    return [path for path in names if _NAME.fullmatch(posixpath.basename(path))]
