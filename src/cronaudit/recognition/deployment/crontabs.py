"""Crontabs: files whose lines the cron daemon of an image, or of the host, starts by the clock."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Command, ProcessKind, ProcessRole, Stated
from cronaudit.model.schedule import Dialect, ScheduleError
from cronaudit.model.source import NOT_RUN, Language, Location
from cronaudit.recognition.deployment.assembly import Assembly, Draft
from cronaudit.recognition.deployment.places import Place
from cronaudit.recognition.deployment.wrappers import program_of
from cronaudit.schedule.build import read_schedule

_TARGET: Final = lazy_regex(r"/etc/(?:cron\.d(?:/|$)|crontab$|crontabs(?:/|$))|/var/spool/cron(?:/|$)")
_WITH_USER: Final = lazy_regex(r"/etc/(?:cron\.d(?:/|$)|crontab$)")
_LINE: Final = lazy_regex(
    r"\s*(@(?:hourly|daily|midnight|weekly|monthly|yearly|annually)|(?:[-*/,\w]+\s+){4}[-*/,\w]+)\s+(\S.*?)\s*$"
)
_SETTING: Final = lazy_regex(r"\s*(\w+)\s*=\s*(.*?)\s*$")
_ZONES: Final = ("CRON_TZ", "TZ")
_USER: Final = lazy_regex(r"[a-z_][\w-]*$")
_DAEMONS: Final = frozenset(("cron", "crond", "supercronic", "go-crond"))
_NO_USERS: Final = frozenset(
    "cd bash sh test exec curl wget python python3 node npm npx yarn pnpm php ruby bundle flock nice find env"
    " echo docker sleep timeout sudo su printf rm date source export".split()
)
"""Programs that a line may begin with where no user stands in front."""


def drafts(assembly: Assembly) -> Iterator[Draft]:
    """A process for each line of each crontab of the tree."""
    for path, (place, with_user) in sorted(_files(assembly).items()):
        file = assembly.files.get(path)
        if file is not None and file.role not in NOT_RUN:
            yield from _lines(assembly, path, place, with_user=with_user)


def _files(assembly: Assembly) -> dict[str, tuple[Place, bool]]:
    """The crontabs: what images keep where their daemon looks, what a daemon is told, and files of that name."""
    found: dict[str, tuple[Place, bool]] = {}
    for path in assembly.images.dockerfiles():
        if "cron" in assembly.files.text(path):
            found.update(_of_image(assembly, path))
    for process in assembly.processes:
        for entry in process.entries:
            if entry.path is not None and program_of(entry.program) in _DAEMONS:
                found.setdefault(entry.path, (assembly.images.anywhere(posixpath.dirname(entry.path)), False))
    for file in assembly.files.written_in(Language.CRONTAB):
        place = assembly.images.anywhere(posixpath.dirname(file.path))
        found.setdefault(file.path, (place, "/cron.d/" in f"/{file.path}"))
    return found


def _of_image(assembly: Assembly, dockerfile: str) -> Iterator[tuple[str, tuple[Place, bool]]]:
    """The files that an image has where its daemon looks for crontabs."""
    context = assembly.images.context_of(dockerfile)
    place = assembly.images.place(dockerfile, context)
    for stage in assembly.images.dockerfile(dockerfile).stages:
        for copy in stage.copies:
            if copy.stage is None and _TARGET.match(copy.target):
                with_user = _WITH_USER.match(copy.target) is not None
                for source in copy.sources:
                    yield from ((path, (place, with_user)) for path in _copied(assembly, context, source))


def _copied(assembly: Assembly, context: str, source: str) -> Iterator[str]:
    path = assembly.files.join(context, source.lstrip("/").removesuffix("/*"))
    if path is not None and assembly.files.has(path):
        yield path
    elif path is not None:
        yield from assembly.files.inside(path)


def _lines(assembly: Assembly, path: str, place: Place, *, with_user: bool) -> Iterator[Draft]:
    zone: Stated[str] | None = None
    for number, line in enumerate(assembly.files.text(path).splitlines(), 1):
        at = Location(path, number)
        setting = _SETTING.match(line)
        if setting is not None and setting[1] in _ZONES:
            value = setting[2].strip("'\"")
            zone = Stated(value, value, at)
        match = _LINE.match(line) if setting is None else None
        if match is None or isinstance(read_schedule(match[1], Dialect.UNIX5), ScheduleError):
            continue
        text = _without_user(match[2], with_user=with_user)
        draft = Draft("crontab", ProcessKind.CRONTAB, at, assembly.environment(path), place)
        draft.command = Command(text, ("/bin/sh", "-c", text), at)
        draft.schedule = Stated(match[1], match[1], at)
        draft.timezone = zone
        draft.role = ProcessRole.SCRIPT
        yield draft


def _without_user(text: str, *, with_user: bool) -> str:
    """The command behind the name of the user that a system's crontab states first."""
    first, _, rest = text.partition(" ")
    is_user = _USER.match(first) is not None and first not in _NO_USERS and bool(rest.strip())
    return rest.strip() if is_user and (with_user or first == "root") else text
