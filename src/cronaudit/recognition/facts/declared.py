"""Monitors and alert rules that stand in the repository as code: YAML, Terraform, and calls that set them up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import yaml
from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import Language, Location, Role
from cronaudit.recognition.context import JobContext, Service, once_a_service
from cronaudit.recognition.facts.elsewhere import service_sightings

_GRACE: Final = (
    "grace", "grace_seconds", "graceseconds", "grace_period", "tolerance", "schedule_tolerance", "checkin_margin",
    "checkinmargin", "max_runtime", "maxruntime", "failure_tolerance", "timeout_grace",
)  # fmt: skip
_SCHEDULE: Final = ("schedule", "cron", "crontab", "schedules", "period", "interval", "timeout")
"""``timeout`` is the period of a simple check."""
_NAMES: Final = ("slug", "key", "name", "id", "monitor_slug", "unique_key")
_MOST_BYTES: Final = 400_000


class DeclaredMonitor(Struct, frozen=True):
    """A monitor of an external service, as code."""

    service: str
    names: tuple[str, ...]
    """All under which a job may be known: slug, key, name."""
    location: Location
    schedule: Location | None
    """Where its schedule stands."""
    grace: Location | None
    """Where its grace, margin or maximum run time stands."""


class AlertRule(Struct, frozen=True):
    """A rule over metrics that raises an alert."""

    name: str
    expression: str
    location: Location


class Declared(Struct, frozen=True):
    """All of a tree."""

    monitors: tuple[DeclaredMonitor, ...]
    rules: tuple[AlertRule, ...]


@once_a_service
def declared_of(service: Service) -> Declared:
    """What the tree declares."""
    monitors = sorted((*_files_monitors(service), *_called_monitors(service)), key=lambda m: m.location)
    return Declared(tuple(monitors), tuple(_rules(service)))


def normal(name: str) -> str:
    """A name without regard to case and separators."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def monitor_for(context: JobContext, names: tuple[str, ...]) -> DeclaredMonitor | None:
    """The declared monitor of a job, by its names."""
    wanted = {normal(n) for n in names if n and "${" not in n} - {""}
    for monitor in declared_of(context.service).monitors:
        if wanted & {normal(n) for n in monitor.names}:
            return monitor
    return None


# ---- services --------------------------------------------------------------------------------------------------


def _services(service: Service) -> dict[str, str]:
    """Monitor services by the word under which files name them: ``healthchecks``, ``cronitor``."""
    found: dict[str, str] = {}
    for library in service.matcher.libraries:
        named = [h.service for h in library.hosts if h.effect == "monitor.ping"]
        for effect in library.effects:
            word = effect.word("service") if effect.effect.startswith("monitor.") else None
            if isinstance(word, str):
                named.append(word)
        for name in named:
            found.setdefault(
                re.sub(r"[^a-z]", "", name.lower().removesuffix(".io").removesuffix(" crons")), name
            )
    return {word: name for word, name in sorted(found.items()) if len(word) > 5}


def _service_in(text: str, services: dict[str, str]) -> str | None:
    plain = re.sub(r"[^a-z]", "", text.lower())
    return next((name for word, name in services.items() if word in plain), None)


# ---- YAML and Terraform ----------------------------------------------------------------------------------------


def _texts(service: Service, *suffixes: str) -> Iterator[tuple[str, str]]:
    for file in service.tree.files:
        wanted = file.language is Language.YAML if not suffixes else file.path.endswith(suffixes)
        if wanted and file.size <= _MOST_BYTES and file.role not in (Role.TEST, Role.DOCS, Role.VENDORED):
            yield file.path, service.tree.read(file.path).decode("utf-8", "replace")


def _mappings(text: str) -> Iterator[dict[str, tuple[yaml.Node, int]]]:
    """All mappings of a YAML file, each key with its value and line; nothing of a template that is no YAML."""
    try:
        stack: list[yaml.Node] = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    seen: set[int] = set()
    stack.reverse()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            pairs = [(k, v) for k, v in node.value if isinstance(k, yaml.ScalarNode)]
            yield {str(k.value): (v, k.start_mark.line + 1) for k, v in pairs}
            stack.extend(v for _, v in reversed(pairs))
        elif isinstance(node, yaml.SequenceNode):
            stack.extend(reversed(node.value))


def _scalar(entry: tuple[yaml.Node, int] | None) -> str | None:
    return str(entry[0].value) if entry is not None and isinstance(entry[0], yaml.ScalarNode) else None


def _files_monitors(service: Service) -> Iterator[DeclaredMonitor]:
    services = _services(service)
    for path, text in _texts(service):
        known = _service_in(f"{path} {text}", services)
        if known is None or not any(word in text for word in ("schedule", "grace", "period")):
            continue
        for mapping in _mappings(text):
            keys = {k.lower(): v for k, v in mapping.items()}
            names = tuple(n for k in _NAMES if (n := _scalar(keys.get(k))))
            schedule = next((keys[k][1] for k in _SCHEDULE if k in keys), None)
            grace = next((keys[k][1] for k in _GRACE if k in keys), None)
            if names and (grace is not None or "slug" in keys or "key" in keys) and schedule is not None:
                yield _monitor(known, names, path, min(v[1] for v in keys.values()), schedule, grace)
    yield from _terraform(service, services)


_RESOURCE: Final = lazy_regex(r'^resource\s+"([\w-]+)"\s+"([\w-]+)"\s*\{(.*?)^\}', re.MULTILINE | re.DOTALL)
_WATCHES: Final = lazy_regex(r"check|monitor|heartbeat|cron|snitch", re.IGNORECASE)
_SETTING: Final = lazy_regex(r'^\s*([\w-]+)\s*=\s*"?([^"\n]*)"?', re.MULTILINE)


def _terraform(service: Service, services: dict[str, str]) -> Iterator[DeclaredMonitor]:
    for path, text in _texts(service, ".tf"):
        for match in _RESOURCE.finditer(text):
            known = _service_in(match[1], services)
            if known is None or not _WATCHES.search(match[1]):
                continue
            line = text.count("\n", 0, match.start()) + 1
            body_line = text.count("\n", 0, match.start(3)) + 1
            settings = {
                m[1].lower(): (m[2], body_line + match[3].count("\n", 0, m.start(1)))
                for m in _SETTING.finditer(match[3])
            }
            names = (match[2], *(settings[k][0] for k in _NAMES if k in settings))
            schedule = next((settings[k][1] for k in _SCHEDULE if k in settings), None)
            grace = next((settings[k][1] for k in _GRACE if k in settings), None)
            yield _monitor(known, names, path, line, schedule, grace)


def _monitor(
    service: str, names: tuple[str, ...], path: str, line: int, schedule: int | None, grace: int | None
) -> DeclaredMonitor:
    return DeclaredMonitor(
        service,
        names,
        Location(path, line),
        None if schedule is None else Location(path, schedule),
        None if grace is None else Location(path, grace),
    )


# ---- calls -----------------------------------------------------------------------------------------------------


def _called_monitors(service: Service) -> Iterator[DeclaredMonitor]:
    """``Monitor.put({key: 'close', schedule: '…'})``: calls off the job's walk that set a monitor up."""
    for sighting in service_sightings(service, "monitor.ping", "monitor.checkin", "monitor.wrap"):
        name = sighting.text("name")
        schedule = sighting.param("schedule")
        if name is None or schedule is None:
            continue
        grace = sighting.param("grace") or sighting.param("max_runtime")
        word = sighting.description.word("service")
        at = sighting.location
        yield DeclaredMonitor(str(word or sighting.library), (name,), at, at, None if grace is None else at)


# ---- alert rules -----------------------------------------------------------------------------------------------


def _rules(service: Service) -> Iterator[AlertRule]:
    for path, text in _texts(service):
        if "alert:" not in text or "expr:" not in text:
            continue
        for mapping in _mappings(text):
            name, expression = _scalar(mapping.get("alert")), _scalar(mapping.get("expr"))
            if name and expression:
                yield AlertRule(name, expression, Location(path, mapping["alert"][1]))
