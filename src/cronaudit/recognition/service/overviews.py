"""Places that show the runs of a library's jobs and stand beside the code: Flower, the pages of an admin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import LIVE
from cronaudit.model.ir import Array, Assign, Call, Const, Expr, Member, Module, Name
from cronaudit.model.knowledge import Overview
from cronaudit.model.source import Language, Location, Role
from cronaudit.model.value import Choice, External, Known
from cronaudit.model.walking import expressions, inside, statements
from cronaudit.recognition.context import JobContext, Service, once_a_service
from cronaudit.recognition.facts.settings import setting

_SECOND: Final = lazy_regex(
    r"(?:^|[/_.-])(?:tests?|testing|ci|local|dev(?:elopment)?|examples?|samples?)(?:[/_.-]|$)"
)
_APPS: Final = lazy_regex(r"(?:^|_)APPS$")
_IMAGE: Final = lazy_regex(r"^\s*-?\s*image:\s*[\"']?([^\s\"'#]+)")
_MOST_BYTES: Final = 300_000


class Shown(Struct, frozen=True):
    """One such place of this service."""

    title: str
    history: bool
    jobs: int
    """How many jobs of the service it shows."""
    profile: str
    """The profile under which alone it runs; empty for none."""
    location: Location


@once_a_service
def overviews_of(service: Service) -> tuple[Shown, ...]:
    """What shows the runs of this service's jobs, the most telling first."""
    return tuple(sorted(_all(service), key=lambda s: (not s.history, bool(s.profile), -s.jobs)))


def _all(service: Service) -> Iterator[Shown]:
    for library in service.matcher.libraries:
        for overview in library.overviews:
            jobs = sum(bool(_libraries(c) & set(overview.shows)) for c in service.jobs)
            place = _place(service, overview) if jobs else None
            if place is not None:
                yield Shown(overview.title, overview.history, jobs, place[1], place[0])


def _libraries(context: JobContext) -> set[str]:
    registration = context.registration
    known = (registration.scheduler, registration.consumer.consumer if registration.consumer else None)
    return {one.library for one in known if one is not None}


def _place(service: Service, overview: Overview) -> tuple[Location, str] | None:
    if overview.backend is not None and not _is_kept(service, overview.backend):
        return None
    served = _served(service, overview) if overview.command is not None else None
    if served is not None:
        return served
    if overview.image is not None and (at := _image(service, overview.image)) is not None:
        return at, ""
    if not overview.mounted or (overview.app is not None and _installed(service, overview.app) is None):
        return None
    at = next((at for path in overview.mounted if (at := _mounted(service, path)) is not None), None)
    return None if at is None else (at, "")


def _is_kept(service: Service, pattern: str) -> bool:
    stated = setting(service, "result_backend")
    value = stated[0] if stated is not None else None
    if isinstance(value, Choice):
        value = value.options[0]
    return (
        isinstance(value, Known)
        and isinstance(value.value, str)
        and re.search(pattern, value.value) is not None
    )


def _served(service: Service, overview: Overview) -> tuple[Location, str] | None:
    """A process that a manifest runs; one that only a profile brings up says so."""
    assert overview.command is not None  # noqa: S101 - the caller has looked
    pattern = re.compile(overview.command)
    for process in service.deployment.processes:
        runs = any(pattern.search(" ".join(entry.argv)) for entry in process.entries)
        if (
            runs
            and (process.environment in LIVE or process.profiles)
            and not _SECOND.search(process.source.path)
        ):
            return process.source, next(iter(process.profiles), "")
    return None


def _image(service: Service, pattern: str) -> Location | None:
    """An image from elsewhere that a manifest runs."""
    wanted = re.compile(pattern)
    for file in service.tree.files:
        if (
            file.role is not Role.DEPLOY
            or not file.path.endswith((".yml", ".yaml"))
            or _SECOND.search(file.path)
        ):
            continue
        source = service.tree.read(file.path) if file.size <= _MOST_BYTES else b""
        if b"image:" not in source:
            continue
        for number, line in enumerate(source.decode("utf-8", "replace").splitlines(), 1):
            match = _IMAGE.match(line)
            if match is not None and wanted.search(match[1]):
                return Location(file.path, number)
    return None


# ---- what a project installs and mounts ------------------------------------------------------------------------


def _installed(service: Service, app: str) -> Location | None:
    """``INSTALLED_APPS = [*DJANGO_APPS, 'django_celery_beat']``."""
    for module in _modules(service, app.encode()):
        for statement in statements(module.body):
            if not isinstance(statement, Assign) or statement.value is None:
                continue
            if not isinstance(statement.target, Name) or not _APPS.search(statement.target.name):
                continue
            for expr in inside(statement.value):
                if isinstance(expr, Array) and any(_is_app(item, app) for item in expr.items):
                    return Location(module.path, statement.line)
    return None


def _is_app(item: Expr, app: str) -> bool:
    text = item.value if isinstance(item, Const) else None
    return isinstance(text, str) and (text == app or text.startswith(f"{app}."))


def _mounted(service: Service, path: str) -> Location | None:
    """``path('admin/', admin.site.urls)``, ``include('django_rq.urls')``, ``register_blueprint(board.blueprint)``."""
    last = path.rpartition(".")[2]
    for module in _modules(service, f".{last}".encode()):
        for call in (e for e in expressions(module.body) if isinstance(e, Call)):
            for argument in call.args:
                expr = argument.value
                if isinstance(expr, Const) and expr.value == path:
                    return Location(module.path, call.line)
                if not isinstance(expr, Member) or expr.name != last:
                    continue
                found = service.linker.fold(expr, service.linker.scope_of(module))
                if isinstance(found, External) and found.path == path:
                    return Location(module.path, call.line)
    return None


def _modules(service: Service, word: bytes) -> Iterator[Module]:
    for file in service.tree.files:
        if file.language is not Language.PYTHON or file.role not in (Role.SERVER, Role.CONFIG):
            continue
        if file.size > _MOST_BYTES or _SECOND.search(file.path) or word not in service.tree.read(file.path):
            continue
        module = service.linker.module(file.path)
        if module is not None:
            yield module
