"""Hosting platforms: Fly, Render, Railway, Heroku, Serverless, Vercel."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Mapping
from typing import Final, Literal

from cronaudit.model.deployment import (
    BackingService,
    Command,
    Environment,
    Healthcheck,
    MemoryLimit,
    ProcessKind,
    ProcessRole,
    Replicas,
    Stated,
    Variable,
)
from cronaudit.model.source import Location
from cronaudit.recognition.deployment.assembly import Assembly, Draft
from cronaudit.recognition.deployment.documents import Item, documents
from cronaudit.recognition.deployment.images import Images
from cronaudit.recognition.deployment.literals import literal
from cronaudit.recognition.deployment.places import Place
from cronaudit.recognition.deployment.quantities import duration, replicas, size

_RENDER_ROLES: Final = {
    "web": ProcessRole.SERVER,
    "pserv": ProcessRole.SERVER,
    "worker": ProcessRole.WORKER,
    "cron": ProcessRole.SCHEDULER,
}
_RENDER_STORES: Final = {"redis": "redis", "keyvalue": "redis"}
_ADDONS: Final = {
    "redis": "redis",
    "keyvalue": "redis",
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "mongo": "mongodb",
    "cloudamqp": "rabbitmq",
    "kafka": "kafka",
    "memcach": "memcached",
}


def _command(text: str, where: Location) -> Command:
    """A command that the platform gives to a shell."""
    return Command(text, ("sh", "-c", text), where)


def _environment(assembly: Assembly, path: str) -> Environment:
    found = assembly.environment(path)
    return Environment.PRODUCTION if found is Environment.UNKNOWN else found


def _image(assembly: Assembly, folder: str, dockerfile: str | None, draft: Draft, where: Location) -> None:
    """Let a draft run in the image of a Dockerfile, where there is one."""
    images: Images = assembly.images
    build = images.of_build(folder, dockerfile, None, where)
    if build.dockerfile is not None:
        draft.build = build
        draft.place = images.place(build.dockerfile, folder)


def fly(assembly: Assembly, path: str) -> list[Draft]:
    """`fly.toml`: one machine group a process."""
    document = _toml(assembly, path)
    folder = posixpath.dirname(path)
    groups = _mapping(document.get("processes")) or {"app": None}
    build = _mapping(document.get("build"))
    dockerfile = build.get("dockerfile")
    drafts: list[Draft] = []
    for name, command in groups.items():
        listed = isinstance(command, str)
        pattern = rf"(?m)^\s*['\"]?{re.escape(name)}['\"]?\s*=" if listed else r"(?m)^app\s*="
        where = assembly.files.place(path, pattern)
        draft = Draft(name, ProcessKind.FLY, where, _environment(assembly, path), assembly.host(folder))
        if isinstance(command, str) and command:
            draft.command = _command(command, where)
        _image(assembly, folder, dockerfile if isinstance(dockerfile, str) else None, draft, where)
        serves = _serves(document, name)
        if serves is not None:
            number, place = serves, assembly.files.place(path, r"internal_port")
            draft.ports.append(Stated(number, str(number), place))
            draft.role = ProcessRole.SERVER
        limit = _machine(document, name)
        if limit is not None:
            text, count = limit
            place = assembly.files.place(path, rf"(?m)^\s*memory(?:_mb)?\s*=\s*['\"]?{re.escape(text)}")
            draft.limits.append(MemoryLimit("container", text, count, place))
        grace = document.get("kill_timeout")
        if grace is not None:
            place = assembly.files.place(path, r"(?m)^kill_timeout")
            draft.stop_grace = duration(str(grace), str(grace), place)
        for key, value in _mapping(document.get("env")).items():
            place = assembly.files.place(path, rf"(?m)^\s*{re.escape(key)}\s*=")
            draft.variables.append(Variable(key, str(value), place))
        drafts.append(draft)
    return drafts


def _serves(document: Mapping[str, object], name: str) -> int | None:
    """The port that the platform's proxy sends requests to."""
    services = [document.get("http_service"), *_list(document.get("services"))]
    for service in map(_mapping, services):
        groups = _list(service.get("processes"))
        if service and (not groups or name in groups):
            port = service.get("internal_port")
            return port if isinstance(port, int) else 8080
    return None


def _machine(document: Mapping[str, object], name: str) -> tuple[str, int | None] | None:
    for machine in map(_mapping, _list(document.get("vm")) or [document.get("vm")]):
        groups = _list(machine.get("processes"))
        if machine and (not groups or name in groups):
            if "memory" in machine:
                text = str(machine["memory"])
                return text, size(text, "m")
            if "memory_mb" in machine:
                return str(machine["memory_mb"]), size(f"{machine['memory_mb']}m")
    return None


def _toml(assembly: Assembly, path: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(assembly.files.text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        assembly.files.note(path, f"not read: no TOML ({error})")
        return {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _yaml(assembly: Assembly, path: str) -> Item | None:
    found, problem = documents(path, assembly.files.text(path))
    if problem is not None:
        assembly.files.note(path, problem)
    return found[0] if found else None


def render(assembly: Assembly, path: str) -> list[Draft]:
    """`render.yaml`: services by type, and the stores that the platform runs."""
    document = _yaml(assembly, path)
    if document is None:
        return []
    environment = _environment(assembly, path)
    drafts: list[Draft] = []
    for item in document.at("services").each():
        kind = item.at("type").text
        name = item.at("name").text
        engine = _RENDER_STORES.get(kind)
        if engine is not None:
            plan = item.at("plan").text
            assembly.services.append(
                BackingService(name, engine, "managed", plan, None, item.place, environment)
            )
            continue
        folder = assembly.files.join(posixpath.dirname(path), item.at("rootDir").text or ".") or ""
        draft = Draft(name, ProcessKind.RENDER, item.place, environment, assembly.host(folder))
        draft.role = _RENDER_ROLES.get(kind)
        command = item.at("startCommand")
        if not command.there:
            command = item.at("dockerCommand")
        if command.scalar is not None:
            draft.command = _command(command.text, command.place)
        if item.at("runtime").text == "docker" or item.at("env").text == "docker":
            context = assembly.files.join(folder, item.at("dockerContext").text or ".") or ""
            named = item.at("dockerfilePath").scalar
            inner = (
                None if named is None else posixpath.relpath(posixpath.join(folder, named), context or ".")
            )
            _image(assembly, context, inner, draft, item.place)
        schedule = item.at("schedule")
        if schedule.scalar is not None:
            draft.schedule = Stated(schedule.text, schedule.text, schedule.place)
            draft.timezone = Stated("UTC", "UTC", schedule.place)
        count = item.at("numInstances")
        if count.scalar is not None:
            draft.replicas = replicas(count.text, count.text, "numInstances", count.place)
        scaling = item.at("scaling")
        if scaling.is_map:
            most = scaling.at("maxInstances")
            draft.replicas = Replicas("many", None, "scaling", most.text, scaling.place)
        check = item.at("healthCheckPath")
        if check.scalar is not None:
            draft.healthcheck = Healthcheck("http", check.text, check.place)
        wait = item.at("maxShutdownDelaySeconds")
        if wait.scalar is not None:
            draft.stop_grace = duration(wait.text, wait.text, wait.place)
        for one in item.at("envVars").each():
            if one.at("key").scalar:
                draft.variables.append(Variable(one.at("key").text, one.at("value").scalar, one.place))
        drafts.append(draft)
    for item in document.at("databases").each():
        assembly.services.append(
            BackingService(
                item.at("name").text,
                "postgres",
                "managed",
                item.at("plan").text,
                None,
                item.place,
                environment,
            )
        )
    return drafts


def railway(assembly: Assembly, path: str) -> list[Draft]:
    """`railway.toml` and `railway.json`: one service a file."""
    document = assembly.files.document(path) if path.endswith(".json") else _toml(assembly, path)
    build, deploy = _mapping(document.get("build")), _mapping(document.get("deploy"))
    if not document:
        return []
    where = Location(path, 1)
    folder = posixpath.dirname(path)
    name = posixpath.basename(folder) or "railway"
    draft = Draft(name, ProcessKind.RAILWAY, where, _environment(assembly, path), assembly.host(folder))
    command = deploy.get("startCommand")
    if isinstance(command, str):
        draft.command = _command(command, assembly.files.place(path, r"startCommand"))
    named = build.get("dockerfilePath")
    if isinstance(named, str):
        _image(assembly, "", named.lstrip("/"), draft, assembly.files.place(path, r"dockerfilePath"))
    elif build.get("builder") == "DOCKERFILE" or draft.command is None:
        _image(assembly, folder, None, draft, where)
    count = deploy.get("numReplicas")
    if isinstance(count, int):
        draft.replicas = replicas(
            str(count), str(count), "numReplicas", assembly.files.place(path, r"numReplicas")
        )
    check = deploy.get("healthcheckPath")
    if isinstance(check, str):
        draft.healthcheck = Healthcheck("http", check, assembly.files.place(path, r"healthcheckPath"))
    schedule = deploy.get("cronSchedule")
    if isinstance(schedule, str):
        place = assembly.files.place(path, r"cronSchedule")
        draft.schedule = Stated(schedule, schedule, place)
        draft.timezone = Stated("UTC", "UTC", place)
    restart = deploy.get("restartPolicyType")
    if isinstance(restart, str):
        draft.restart = Stated(restart, restart, assembly.files.place(path, r"restartPolicyType"))
    return [draft] if draft.command is not None or draft.build is not None else []


def heroku(assembly: Assembly, path: str) -> Mapping[str, Replicas]:
    """`app.json`: stores that the platform runs, and the size of the formation, by the name in the Procfile."""
    document = literal(path, text) if (text := assembly.files.text(path)).lstrip().startswith("{") else None
    if document is None:
        return {}
    environment = _environment(assembly, path)
    for addon in document.at("addons").each():
        plan = addon.text or addon.at("plan").text
        engine = next((engine for name, engine in _ADDONS.items() if name in plan), None)
        if engine is not None:
            assembly.services.append(
                BackingService(
                    plan.partition(":")[0], engine, "managed", plan, None, addon.place, environment
                )
            )
    formation = document.at("formation")
    return {
        name: replicas(
            one.at("quantity").text, one.at("quantity").text, "formation", one.at("quantity").place
        )
        for name, one in formation.pairs()
        if one.at("quantity").scalar is not None
    }


def serverless(assembly: Assembly, path: str) -> list[Draft]:
    """`serverless.yml`: functions with their limits."""
    document = _yaml(assembly, path)
    if document is None:
        return []
    provider = document.at("provider")
    folder = posixpath.dirname(path)
    drafts: list[Draft] = []
    for name, item in document.at("functions").pairs():
        handler = item.at("handler")
        if handler.scalar is None:
            continue
        file, _, _ = handler.text.rpartition(".")
        schedule = next(
            (one.at("schedule") for one in item.at("events").each() if one.at("schedule").there), None
        )
        serves = any(
            one.at(key).there for one in item.at("events").each() for key in ("http", "httpApi", "alb")
        )
        draft = Draft(
            name,
            ProcessKind.SERVERLESS,
            item.place,
            _environment(assembly, path),
            Place(assembly.files, assembly.launcher.sources, folder),
            command=Command(
                handler.text,
                ("node" if _is_node(provider) else "python", _file(file, provider)),
                handler.place,
            ),
            role=ProcessRole.SERVER
            if serves
            else ProcessRole.SCHEDULER
            if schedule is not None
            else ProcessRole.UNKNOWN,
        )
        memory = item.at("memorySize") if item.at("memorySize").there else provider.at("memorySize")
        if memory.scalar is not None:
            draft.limits.append(MemoryLimit("function", memory.text, size(memory.text + "m"), memory.place))
        bound = item.at("timeout") if item.at("timeout").there else provider.at("timeout")
        if bound.scalar is not None:
            draft.time_limit = duration(bound.text, bound.text, bound.place)
        if schedule is not None:
            text = schedule.text or " ".join(schedule.at("rate").words())
            draft.schedule = Stated(text, text, schedule.place)
            draft.timezone = Stated("UTC", "UTC", schedule.place)
        count = item.at("reservedConcurrency")
        if count.scalar is not None:
            draft.replicas = replicas(count.text, count.text, "reservedConcurrency", count.place)
        drafts.append(draft)
    return drafts


def _is_node(provider: Item) -> bool:
    return not provider.at("runtime").text.startswith("python")


def _file(path: str, provider: Item) -> str:
    suffix: Literal[".js", ".py"] = ".js" if _is_node(provider) else ".py"
    return path + suffix


def vercel(assembly: Assembly, path: str) -> list[Stated[str]]:
    """`vercel.json`: the cron routes, as `path` of the request with its schedule beside."""
    text = assembly.files.text(path)
    document = literal(path, text) if text.lstrip().startswith("{") else None
    if document is None:
        return []
    return [
        Stated(one.at("path").text, f"{one.at('schedule').text} {one.at('path').text}", one.place)
        for one in document.at("crons").each()
        if one.at("path").scalar and one.at("schedule").scalar
    ]
