"""The zone in which a schedule is read, and who sets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from cronaudit.model.deployment import Process
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import Assign, Const, Function, Index, Member, Module, Name
from cronaudit.model.source import Language, Location, Role
from cronaudit.model.value import Choice, Env, Known, Value
from cronaudit.model.walking import statements
from cronaudit.recognition.context import JobContext, Service, once_a_service
from cronaudit.recognition.facts.configured import app_setting
from cronaudit.recognition.facts.settings import is_set
from cronaudit.recognition.sightings import text_of
from cronaudit.recognition.timing import why_open
from cronaudit.schedule.zones import find_zone

Source = Literal["job", "scheduler", "service", "container", "platform", "framework", "none"]
Zone = tuple[Fact[str | None], Fact[Source]]

_TOKENS: Final = (
    b"process.env.TZ",
    b"process.env['TZ']",
    b'process.env["TZ"]',
    b"environ['TZ']",
    b'environ["TZ"]',
)
_MOST_FILES: Final = 400


def zone_of(context: JobContext) -> Zone:
    """The zone in force, and its source."""
    registration = context.registration
    if registration.timezone is not None:
        return _stated(registration.timezone, "job", context.site)
    own = registration.timing.schedule.timezone
    if own is not None:
        at = registration.timing.at or context.site
        return Fact(own, own, (at,)), Fact("job", f"{own} in the expression", (at,))
    source = context.trait("schedule.timezone_source")
    zone = context.trait("schedule.timezone")
    if source == "platform":
        text = str(zone or "UTC")
        return Fact(text, text, (context.site,)), Fact("platform", f"{text} by the platform", (context.site,))
    if context.linker.language(context.site.path) is Language.PYTHON:
        stated = app_setting(context, "timezone", shared=True)
        if isinstance(stated, Unresolved):
            where = (stated.location,) if stated.location is not None else ()
            return Fact(stated, "", where), Fact(stated, "", where)
        if stated is not None and is_set(stated):
            return _stated(stated[0], "service", stated[1])
    if source == "framework" and zone is not None:
        text = str(zone)
        return Fact(text, text, (context.site,)), Fact(
            "framework", f"{text} by default of the framework", (context.site,)
        )
    service = _service_wide(context)
    if service is not None:
        return _stated(service[0], "service", service[1])
    container = _container(context)
    if container is not None:
        return container
    if source is not None and zone is not None:
        word: Source = "scheduler" if source == "scheduler" else "job"
        return Fact(str(zone), str(zone), (context.site,)), Fact(word, str(zone), (context.site,))
    return Fact(None, "No timezone config"), Fact("none", "No timezone config")


def _stated(value: Value, source: Source, at: Location) -> Zone:
    """A zone that the code sets; one without a default in the tree leaves open whether it is set at all (ruling 3)."""
    place = getattr(value, "at", None) or at
    has_fallback = may_be_unset = False
    if isinstance(value, Choice):
        may_be_unset = any(isinstance(o, Known) and o.value is None for o in value.options)
        stated = tuple(o for o in value.options if not (isinstance(o, Known) and o.value is None))
        value = Choice(stated or value.options)
        # The default comes first; where it is open, what a later option says is one case of several.
        has_fallback = any(not isinstance(o, Env) for o in value.options[1:])
        value = value.options[0]
    text = text_of(value)
    if isinstance(value, Known) and text:
        if find_zone(text) is None and "${" not in text and text.lower() not in ("local", "system"):
            unresolved = Unresolved(f"'{text}' is no time zone that is known", place)
            return Fact(unresolved, "", (place,)), Fact(source, f"timezone: '{text}'", (place,))
        if text.lower() in ("local", "system"):
            return Fact(None, "The host's own zone", (place,)), Fact("none", "The host's own zone", (place,))
        detail = f"{text} by default of {value.default_of}" if value.default_of else f"timezone: '{text}'"
        return Fact(text, detail, (place,)), Fact(source, detail, (place,))
    reason = why_open(value)
    unresolved = Unresolved(f"the time zone is not resolved: {reason}", place)
    if may_be_unset or (isinstance(value, Env) and not has_fallback):
        return Fact(unresolved, "", (place,)), Fact(unresolved, "", (place,))
    # A zone from settings or user data is set, whichever it is.
    return Fact(unresolved, "", (place,)), Fact(source, "Zone from settings at run time", (place,))


# ---- the service as a whole ------------------------------------------------------------------------------------


def _service_wide(context: JobContext) -> tuple[Value, Location] | None:
    """``process.env.TZ = …`` in code that runs in the job's process."""
    found = _all_assigned(context.service)
    return next((f for f in found if _runs_with(context, f[1].path)), None)


def _runs_with(context: JobContext, path: str) -> bool:
    """Whether a file is loaded in the process that runs the job: by its entry points, else what loads both."""
    above = _loading(context.service, path)
    if context.entries:
        return bool(above & set(context.entries))
    return bool(above & _loading(context.service, context.site.path))


def _loading(service: Service, path: str) -> set[str]:
    """A file and all that import it."""
    found = {path}
    pending = [path]
    while pending and len(found) < _MOST_FILES:
        for importer in service.linker.importing(pending.pop()):
            if importer not in found:
                found.add(importer)
                pending.append(importer)
    return found


@once_a_service
def _all_assigned(service: Service) -> tuple[tuple[Value, Location], ...]:
    return tuple(_assigned(service))


def _assigned(service: Service) -> Iterator[tuple[Value, Location]]:
    hits = set(service.hits.files_with(*_TOKENS)) | {m.path for m in service.linker.parsed()}
    for path in sorted(hits):
        source = service.linker.source(path)
        if not any(token in source for token in _TOKENS) or service.tree.role_of(path) is not Role.SERVER:
            continue
        module = service.linker.module(path)
        if module is None:
            continue
        nodes: tuple[Function | Module, ...] = (module, *service.linker.functions(module, "TZ"))
        for node in nodes:
            for s in statements(node.body):
                if isinstance(s, Assign) and s.value is not None and s.op == "=" and _is_tz(s.target):
                    value = service.linker.fold(s.value, service.linker.scope_of(node))
                    yield value, Location(path, s.line)


def _is_tz(target: object) -> bool:
    if isinstance(target, Member):
        return target.name == "TZ" and _is_env(target.object)
    if isinstance(target, Index):
        return isinstance(target.index, Const) and target.index.value == "TZ" and _is_env(target.object)
    return False


def _is_env(expr: object) -> bool:
    return isinstance(expr, Member | Name) and re.fullmatch(r"env|environ", expr.name) is not None


def running(context: JobContext) -> tuple[Process, ...]:
    """The processes of the manifests that run the job."""
    registration = context.registration
    path = registration.consumer.location.path if registration.consumer is not None else context.site.path
    entries = set(context.entries)
    return context.service.deployment.processes_running(path, lambda start, _path: start in entries)


def _container(context: JobContext) -> Zone | None:
    """``TZ`` of every process that runs the job; of some only is of none."""
    processes = running(context)
    stated = [p.timezone for p in processes]
    if not processes or any(t is None for t in stated):
        return None
    first = stated[0]
    if first is None:
        return None
    if first.value is None:
        unresolved = Unresolved(
            f"the time zone of the container is not resolved: {first.text}", first.location
        )
        return Fact(unresolved, "", (first.location,)), Fact(unresolved, "", (first.location,))
    detail = f"TZ: {first.value} in the container"
    return Fact(first.value, detail, (first.location,)), Fact("container", detail, (first.location,))
