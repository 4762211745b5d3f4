"""Files that something outside the code starts: processes, package.json, console scripts, frameworks."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import (
    Command,
    EntryPoint,
    Environment,
    Process,
    ProcessKind,
    ProcessRole,
)
from cronaudit.model.source import NOT_RUN, Location
from cronaudit.recognition.deployment.assembly import Assembly, Draft
from cronaudit.recognition.deployment.files import Files
from cronaudit.recognition.deployment.frameworks import conventions, frameworks_of
from cronaudit.recognition.deployment.naming import environment_of_name, role_of_name, starts_a_service

_LABELS: Final = {
    ProcessKind.DOCKERFILE: "Dockerfile CMD",
    ProcessKind.COMPOSE: "compose {}",
    ProcessKind.PROCFILE: "Procfile {}",
    ProcessKind.PACKAGE_SCRIPT: "package.json scripts.{}",
    ProcessKind.PM2: "PM2 {}",
}
_RUNS_CODE: Final = lazy_regex(
    r"(?:^|[\s;&|])(?:[\w./-]*/)?(?:node|[\w-]+-node[\w-]*|node-dev|tsx|jiti|esno|esmo|tsnd|bun|deno|python3?|nodemon|pm2\S*"
    r"|next|nest|nuxt|nuxi|strapi|medusa|sails|astro|remix-serve|react-router-serve|celery|gunicorn|uvicorn"
    r"|graphile-worker|flask)(?:\s|$)"
)
_DELEGATES: Final = lazy_regex(
    r"(?:^|[\s;&|])(?:npm|pnpm|yarn|bun|turbo|lerna|nx|run-p|run-s|npm-run-all|concurrently)\s"
)
_SCRIPT: Final = lazy_regex(r"^\s*([\w.-]+)\s*=\s*([\w.]+:[\w.]+)")
_SCRIPT_TEXT: Final = lazy_regex(r"[\"']\s*([\w.-]+)\s*=\s*([\w.]+:[\w.]+)")


def manifests(assembly: Assembly) -> Iterator[str]:
    """The package.json files of the project's own packages, sorted."""
    for path in assembly.files.named("package.json"):
        file = assembly.files.get(path)
        if file is not None and file.role not in NOT_RUN:
            yield path


def scripts_of(assembly: Assembly, manifest: str) -> dict[str, str]:
    """The scripts of a package.json."""
    scripts = assembly.files.document(manifest).get("scripts")
    if not isinstance(scripts, Mapping):
        return {}
    return {str(name): text for name, text in scripts.items() if isinstance(text, str)}


def package_drafts(assembly: Assembly, manifest: str) -> Iterator[Draft]:
    """The scripts of a package.json that run in production, by their names, as processes."""
    folder = posixpath.dirname(manifest)
    for name, text in scripts_of(assembly, manifest).items():
        if starts_a_service(name) and (_RUNS_CODE.search(text) or _DELEGATES.search(text)):
            where = assembly.files.key_place(manifest, "scripts", name)
            yield Draft(
                name,
                ProcessKind.PACKAGE_SCRIPT,
                where,
                assembly.environment(manifest),
                assembly.host(folder),
                command=Command(text, ("sh", "-c", text), where),
            )


def of_processes(processes: list[Process]) -> Iterator[EntryPoint]:
    """What the processes start."""
    for process in processes:
        kind = process.kind.value.removeprefix("k8s-")
        why = _LABELS.get(process.kind, kind + " {}").format(process.name)
        where = process.command.location if process.command is not None else process.source
        for entry in process.entries:
            if entry.path is not None:
                role = entry.role
                if role is ProcessRole.UNKNOWN and entry.main:
                    role = process.role
                yield EntryPoint(entry.path, why, process.name, role, where, process.environment)
            for path in entry.conventions:
                yield EntryPoint(
                    path, f"{entry.program} convention", process.name, entry.role, where, process.environment
                )


def of_packages(assembly: Assembly) -> Iterator[EntryPoint]:
    """`main`, `bin`, scripts and framework files of each package.json."""
    for manifest in manifests(assembly):
        folder = posixpath.dirname(manifest)
        document = assembly.files.document(manifest)
        environment = assembly.environment(manifest)
        place = assembly.host(folder)
        main = document.get("main")
        if isinstance(main, str) and (path := place.source(main)) is not None:
            where = assembly.files.key_place(manifest, "main")
            yield EntryPoint(path, "package.json main", None, ProcessRole.UNKNOWN, where, environment)
        binaries = document.get("bin")
        named = binaries if isinstance(binaries, Mapping) else {"": binaries}
        for name, target in named.items():
            if isinstance(target, str) and (path := place.source(target)) is not None:
                where = assembly.files.key_place(manifest, "bin", *([str(name)] if name else []))
                yield EntryPoint(path, "package.json bin", None, ProcessRole.SCRIPT, where, environment)
        for name, text in scripts_of(assembly, manifest).items():
            if _RUNS_CODE.search(text):
                yield from _script(assembly, manifest, name, text)
        for framework in frameworks_of(assembly.files, manifest):
            where = Location(manifest, 1)
            for path in conventions(assembly.files, folder, framework):
                yield EntryPoint(
                    path, f"{framework} convention", None, ProcessRole.SERVER, where, environment
                )


def _script(assembly: Assembly, manifest: str, name: str, text: str) -> Iterator[EntryPoint]:
    where = assembly.files.key_place(manifest, "scripts", name)
    place = assembly.host(posixpath.dirname(manifest))
    launched = assembly.launcher.run(Command(text, ("sh", "-c", text), where), place, {}, name)
    environment = environment_of_name(name)
    role = role_of_name(name)
    if role is ProcessRole.BUILD and environment is Environment.UNKNOWN:
        environment = Environment.DEVELOPMENT
    for entry in launched.entries:
        kind = role if role is not ProcessRole.UNKNOWN else entry.role
        if kind is ProcessRole.UNKNOWN and not starts_a_service(name):
            kind = ProcessRole.SCRIPT
        for path in entry.paths:
            yield EntryPoint(path, f"package.json scripts.{name}", None, kind, where, environment)


def of_python(assembly: Assembly) -> Iterator[EntryPoint]:
    """Console scripts, `__main__.py`, `manage.py` with its commands, `wsgi.py` and `asgi.py`."""
    files = assembly.files
    yield from _console_scripts(assembly)
    for name, role in (
        ("manage.py", ProcessRole.SCRIPT),
        ("__main__.py", ProcessRole.SCRIPT),
        ("wsgi.py", ProcessRole.SERVER),
        ("asgi.py", ProcessRole.SERVER),
    ):
        for path in files.named(name):
            file = files.get(path)
            if file is not None and file.role not in NOT_RUN:
                yield EntryPoint(
                    path, f"{name} convention", None, role, Location(path, 1), Environment.UNKNOWN
                )
    for path in assembly.launcher.sources.django_commands():
        name = posixpath.basename(path).removesuffix(".py")
        yield EntryPoint(
            path, f"django command {name}", None, ProcessRole.SCRIPT, Location(path, 1), Environment.UNKNOWN
        )


def _console_scripts(assembly: Assembly) -> Iterator[EntryPoint]:
    """What `pip install` makes commands of, as pyproject.toml (Poetry's table too), setup.cfg and setup.py state it."""
    files = assembly.files
    for manifest, stated in (
        ("pyproject.toml", _of_pyproject),
        ("setup.cfg", _of_setup_cfg),
        ("setup.py", _of_setup_py),
    ):
        for path in files.named(manifest):
            file = files.get(path)
            if file is None or file.role in NOT_RUN:
                continue
            place, environment = assembly.host(posixpath.dirname(path)), assembly.environment(path)
            title = manifest.partition(".")[0]
            for name, target in stated(files, path):
                found = place.module(target.partition(":")[0])
                if found is not None:
                    where = files.place(path, rf"(?m)^[\s\"']*{re.escape(name)}[\"']?\s*=")
                    why = f"{title} scripts.{name}"
                    yield EntryPoint(found, why, None, ProcessRole.SCRIPT, where, environment)


def _of_pyproject(files: Files, path: str) -> Iterator[tuple[str, str]]:
    try:
        document = tomllib.loads(files.text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        files.note(path, f"not read: no TOML ({error})")
        return
    tool = document.get("tool")
    for project in (document.get("project"), tool.get("poetry") if isinstance(tool, dict) else None):
        scripts = project.get("scripts") if isinstance(project, dict) else None
        for name, stated in scripts.items() if isinstance(scripts, dict) else ():
            target = stated.get("callable") if isinstance(stated, dict) else stated
            if isinstance(target, str):
                yield name, target


def _of_setup_cfg(files: Files, path: str) -> Iterator[tuple[str, str]]:
    config = ConfigParser(interpolation=None)
    try:
        config.read_string(files.text(path))
    except ConfigParserError as error:
        files.note(path, f"not read: {error.message.splitlines()[0]}")
        return
    lines = config.get("options.entry_points", "console_scripts", fallback="").splitlines()
    yield from ((script[1], script[2]) for line in lines if (script := _SCRIPT.search(line)))


def _of_setup_py(files: Files, path: str) -> Iterator[tuple[str, str]]:
    """The texts behind ``console_scripts``: ``'shop-jobs = shop.cli:main'``."""
    _before, _name, after = files.text(path).partition("console_scripts")
    listed = after.partition("[")[2].partition("]")[0]
    yield from ((script[1], script[2]) for script in _SCRIPT_TEXT.finditer(listed))
