"""From a command to the files that it starts: through shells, scripts and package scripts to the programs."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import Final, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import (
    Command,
    Entry,
    MemoryLimit,
    ProcessRole,
    Stated,
    Step,
)
from cronaudit.model.source import Language, Location
from cronaudit.recognition.deployment import shell
from cronaudit.recognition.deployment.files import Files
from cronaudit.recognition.deployment.naming import role_of_name
from cronaudit.recognition.deployment.places import Place
from cronaudit.recognition.deployment.quantities import size
from cronaudit.recognition.deployment.sources import Sources
from cronaudit.recognition.deployment.wrappers import program_of, unwrapped

_SHELLS: Final = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh", "busybox"})
_RUNNING: Final = frozenset({ProcessRole.SERVER, ProcessRole.WORKER, ProcessRole.SCHEDULER})
_HEAP: Final = lazy_regex(r"--max[-_]old[-_]space[-_]size(?:=|\s+)(\d+)")
_SHEBANG: Final = lazy_regex(r"#!\s*(\S+)(?:[ \t]+(\S+))?")
_DEEPEST: Final = 12
_IDLE: Final = frozenset(
    "echo printf [ [[ test exit return set unset shift : true false sleep wait trap read cat grep sed awk mkdir chown"
    " chmod rm cp mv ln ls touch curl wget apk apt-get git tar date id hostname which type umask ulimit eval break"
    " continue kill find source . nc pg_isready until mysqladmin redis-cli psql openssl".split()
)
"""Commands that start none of the project's code."""

ManagerKind = Literal["supervisor", "s6", "pm2", "uwsgi", "procfile"]
Handler = Callable[["Follow", tuple[str, ...]], bool]
"""Reads one program's command; false where it cannot say what is started."""


class Launched(Struct):
    """What a command comes to."""

    entries: list[Entry] = []
    limits: list[MemoryLimit] = []
    timezone: Stated[str] | None = None
    uses_exec: bool | None = None
    exec_location: Location | None = None
    managed: list[Managed] = []
    notes: list[str] = []

    @property
    def something(self) -> bool:
        return bool(self.entries or self.managed)


class Managed(Struct, frozen=True):
    """A file of processes that the command hands over to: supervisord, PM2, uWSGI, a Procfile runner."""

    kind: ManagerKind
    path: str
    place: Place
    trail: tuple[Step, ...]


class Launcher(Struct):
    """Follows commands. `handlers` know the programs, by name."""

    files: Files
    sources: Sources
    handlers: Mapping[str, Handler]

    def run(self, command: Command, place: Place, variables: Mapping[str, str], script: str = "") -> Launched:
        """What a command starts; `script` is the name of the script of package.json that holds it."""
        step = Step(command.text, command.location)
        follow = Follow(self, place, dict(variables), (step,), command.location, script)
        follow.words(command.argv)
        return follow.out


class Follow(Struct):
    """A command on its way."""

    launcher: Launcher
    place: Place
    variables: dict[str, str]
    trail: tuple[Step, ...]
    location: Location
    script_name: str = ""
    """What the script of package.json is called that runs it."""
    main: bool = True
    conditional: bool = False
    depth: int = 0
    argv: tuple[str, ...] = ()
    out: Launched = field(default_factory=Launched)

    @property
    def files(self) -> Files:
        return self.launcher.files

    def words(self, argv: tuple[str, ...]) -> bool:
        """Follow one simple command; false where nothing is known to be started by it."""
        argv, assigned, _ = unwrapped(argv)
        self.note_variables(assigned)
        self.variables.update(assigned)
        if not argv or self.depth > _DEEPEST:
            return False
        self.argv = argv
        program = program_of(argv[0])
        if program in _IDLE:
            return False
        if program in _SHELLS:
            return self._shell(argv[1:])
        handler = self.launcher.handlers.get(program)
        if handler is not None:
            return handler(self, argv[1:])
        return self._file(argv)

    def note_variables(self, assigned: Mapping[str, str]) -> None:
        """Settings that stand in front of a command."""
        zone = assigned.get("TZ")
        if zone is not None:
            value = None if "$" in zone else zone.removeprefix(":")
            self.out.timezone = self.out.timezone or Stated(value, zone, self.location)
        if "NODE_OPTIONS" in assigned:
            self.heap(assigned["NODE_OPTIONS"])

    def heap(self, text: str) -> None:
        """`--max-old-space-size`, in MiB."""
        match = _HEAP.search(text)
        if match is not None:
            self.limit("heap", match[0], size(match[1] + "m"))

    def limit(self, kind: Literal["heap", "child", "restart"], text: str, count: int | None) -> None:
        self.out.limits.append(MemoryLimit(kind, text, count, self.location))

    def add(
        self,
        program: str,
        target: str,
        path: str | None,
        role: ProcessRole,
        conventions: tuple[str, ...] = (),
    ) -> bool:
        """Note what is started."""
        if role is ProcessRole.UNKNOWN and path is not None:
            role = role_of_file(path)
        if role is ProcessRole.UNKNOWN:
            role = role_of_name(self.script_name)
        entry = Entry(
            program, target, path, role, self.main, self.trail, self.argv, conventions, self.conditional
        )
        if entry not in self.out.entries:
            self.out.entries.append(entry)
        return True

    def finish(self) -> None:
        """What was started so far has ended before the rest starts."""
        self.out.entries[:] = [replace(entry, main=False) for entry in self.out.entries]

    def manage(self, kind: ManagerKind, path: str) -> bool:
        self.out.managed.append(Managed(kind, path, self.place, self.trail))
        return True

    def _shell(self, rest: tuple[str, ...]) -> bool:
        at = 0
        if rest[:1] and rest[0] in {"sh", "ash"}:
            at = 1
        while at < len(rest) and rest[at][:1] in "-+" and rest[at][:1]:
            flag = rest[at]
            at += 1
            if flag in {"--rcfile", "--init-file"} or (not flag.startswith("--") and flag[-1] in "oO"):
                at += 1
            elif not flag.startswith("--") and "c" in flag:
                return at < len(rest) and self.text(rest[at], rest[at + 2 :])
        return at < len(rest) and self.script(rest[at], rest[at + 1 :])

    def text(self, text: str, arguments: tuple[str, ...] = ()) -> bool:
        """Follow a text for the shell (`sh -c`, a script of package.json)."""
        simples = shell.commands(text, arguments, self.variables)
        self._run(simples, None)
        if self.out.something and simples:
            alone = len(simples) == 1
            handed = simples[-1].argv[:1] == ("exec",)
            # Whether a shell hands its place over to a lone last command by itself differs from shell to shell.
            if handed or not alone:
                self._handed(handed=handed, location=self.location)
        return self.out.something

    def script(self, path: str, arguments: tuple[str, ...]) -> bool:
        """Follow a shell script of the tree."""
        found = self.place.find(path)
        if found is None:
            # The entry script of an image from elsewhere usually ends in `exec "$@"`.
            return bool(arguments) and self.words(arguments)
        simples = shell.commands(self.files.text(found), arguments, self.variables)
        last = self._run(simples, found)
        if last is not None:
            self._handed(handed=last.argv[:1] == ("exec",), location=Location(found, last.line))
        elif any("$@" in simple.argv for simple in simples):
            self.out.notes.append(f"{found} runs what it is given, and nothing is")
        return self.out.something

    def _handed(self, *, handed: bool, location: Location) -> None:
        """Combine with what a shell further inside does: one that keeps its place is enough."""
        if self.out.uses_exec is not False:
            self.out.uses_exec = handed
            self.out.exec_location = location

    def _run(self, simples: list[shell.Simple], path: str | None) -> shell.Simple | None:
        """Follow the commands of a shell; returns the last one that starts something to stay."""
        place, found = self.place, []
        for simple in simples:
            if simple.argv[0] == "cd" and len(simple.argv) > 1 and not simple.conditional:
                # A folder that a variable holds is not known; the last known one is as good as any.
                place = place.cd(simple.argv[1]) if "$" not in simple.argv[1] else place
                continue
            location = self.location if path is None else Location(path, simple.line)
            inner = replace(
                self,
                place=place,
                variables={**self.variables, **dict(simple.variables)},
                location=location,
                trail=self.trail if path is None else (*self.trail, Step(simple.text, location)),
                conditional=self.conditional or simple.conditional,
                depth=self.depth + 1,
                out=Launched(),
            )
            inner.note_variables(dict(simple.variables))
            if inner.words(simple.argv):
                found.append((simple, inner.out))
        kept: shell.Simple | None = None
        for index, (simple, out) in enumerate(found):
            stays = (
                index == len(found) - 1
                or simple.background
                or simple.argv[:1] == ("exec",)
                or bool(out.managed)
                or any(entry.role in _RUNNING and entry.main for entry in out.entries)
            )
            self._take(out, stays=stays)
            kept = simple if stays and not (simple.background and kept is not None) else kept
        return kept

    def _take(self, out: Launched, *, stays: bool) -> None:
        for entry in out.entries:
            one = replace(entry, main=entry.main and stays)
            if not any(_same(one, known) for known in self.out.entries):
                self.out.entries.append(one)
        if stays:
            self.out.limits.extend(limit for limit in out.limits if limit not in self.out.limits)
            self.out.managed.extend(out.managed)
            self.out.timezone = self.out.timezone or out.timezone
            if out.uses_exec is not None:
                self._handed(handed=out.uses_exec, location=out.exec_location or self.location)
        self.out.notes.extend(note for note in out.notes if note not in self.out.notes)

    def package_script(self, folder: str, name: str, arguments: tuple[str, ...] = ()) -> bool:
        """Follow a script of package.json."""
        manifest = posixpath.join(folder, "package.json")
        scripts = self.files.document(manifest).get("scripts")
        text = scripts.get(name) if isinstance(scripts, dict) else None
        if not isinstance(text, str) or self.depth > _DEEPEST:
            return False
        place = self.files.key_place(manifest, "scripts", name)
        inner = replace(
            self,
            place=self.place.at(folder),
            trail=(*self.trail, Step(text, place)),
            location=place,
            script_name=name if role_of_name(name) is not ProcessRole.UNKNOWN else self.script_name,
            depth=self.depth + 1,
            out=Launched(),
        )
        if not inner.text(" ".join((text, *arguments))):
            return False
        inner.out.uses_exec = None  # npm is in between, whatever its shell does
        self._take(inner.out, stays=True)
        return True

    def _file(self, argv: tuple[str, ...]) -> bool:
        """A file of the tree that is run by its own path: what it is for, its first line says."""
        word = argv[0]
        if "/" not in word and not word.endswith(".sh") and not self.place.foreign:
            origin = self.place.find(f"/usr/local/bin/{word}") if self.place.copies_programs else None
            found = origin if origin is not None and posixpath.basename(origin) == word else None
        else:
            found = self.place.find(word) if "/" in word or "." in word else None
        if found is None:
            # `/entrypoint.sh node x.js` in an image from elsewhere
            return word.endswith((".sh", "entrypoint")) and len(argv) > 1 and self.words(argv[1:])
        file = self.files.get(found)
        shebang = _SHEBANG.match(self.files.text(found))
        interpreter = "" if shebang is None else program_of(shebang[2] or shebang[1])
        if interpreter in _SHELLS or (file is not None and file.language is Language.SHELL):
            return self.script(word, argv[1:])
        handler = self.launcher.handlers.get(interpreter or ("python" if found.endswith(".py") else ""))
        return handler is not None and handler(self, argv)


def _same(first: Entry, second: Entry) -> bool:
    """Whether two commands start the same, whichever way leads there."""
    return (first.program, first.target, first.path, first.main) == (
        second.program,
        second.target,
        second.path,
        second.main,
    )


def role_of_file(path: str) -> ProcessRole:
    """What a file is called after: its name, else its folder."""
    parts = path.rsplit("/", 2)
    found = role_of_name(posixpath.splitext(parts[-1])[0])
    if found is ProcessRole.UNKNOWN and len(parts) > 1:
        found = role_of_name(parts[-2])
    return found
