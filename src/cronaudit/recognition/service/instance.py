"""``service.instance_id``: whether the lines that a job logs say which instance has written them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.paths import expanded
from cronaudit.knowledge.selectors import first
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import Assign, Module, Object
from cronaudit.model.knowledge import Effect
from cronaudit.model.source import Language, Location, Role
from cronaudit.model.value import External, Known, Record, Value
from cronaudit.model.walking import statements
from cronaudit.recognition.context import JobContext, Service, once_a_service
from cronaudit.recognition.facts.elsewhere import service_sightings
from cronaudit.recognition.service.switched_base import switched_base
from cronaudit.recognition.service.values import Tells, of_arguments, parts, strongest, tells_instance
from cronaudit.recognition.sightings import Sighting

_LEFT_OUT = lazy_regex(r"ignore|exclude|omit|remove|hide", re.IGNORECASE)
_FORMAT_HOST = lazy_regex(
    r"%\((?:host|hostname|pod|pod_name|instance|instance_id)\)|\{(?:host|hostname|pod|instance_id)"
)
_FORMAT_PID = lazy_regex(r"%\(process\)|\{process\b")


class _Logger(Struct, frozen=True):
    """What the lines of one logger carry by themselves."""

    tells: Tells | Literal["open"]
    title: str
    location: Location | None
    is_default: bool = False


def instance_id(service: Service) -> Fact[Literal["id", "some", "pid", "none"]]:
    """Over all jobs: the loggers on their paths decide, not those of the HTTP side."""
    seen: list[tuple[JobContext, str, _Logger]] = []
    for context in service.jobs:
        loggers = list(_loggers(context))
        if not loggers:
            continue
        kinds = {x.tells for x in loggers}
        if len(kinds) == 1:
            seen.append((context, loggers[0].tells, loggers[0]))
        else:
            weakest = min(loggers, key=lambda x: ("none", "open", "pid", "id").index(x.tells))
            seen.append((context, weakest.tells, weakest))
    if not seen:
        return _nothing_logged(service)
    telling = [x for x in seen if x[1] == "id"]
    undecided = [x for x in seen if x[1] == "open"]
    if undecided and len(undecided) + len(telling) == len(seen):
        logger = undecided[0][2]
        reason = (
            f"whether the base of the {logger.title} logger names the instance is decided by the environment"
        )
        return Fact(Unresolved(reason, logger.location))
    if len(telling) == len(seen):
        logger = telling[0][2]
        words = (
            f"Default base of {logger.title}: pid and hostname"
            if logger.is_default
            else "Instance id in the logs"
        )
        return Fact("id", words, _at(logger))
    if telling:
        silent = next(x for x in seen if x[1] != "id")
        words = f"{len(telling)} of {len(seen)} jobs log with an instance id"
        return Fact("some", words, (*_at(silent[2]), *_at(telling[0][2])))
    with_pid = [x for x in seen if x[1] == "pid"]
    if with_pid:
        return Fact("pid", f"Only a pid in the {with_pid[0][2].title} logger", _at(with_pid[0][2]))
    logger = seen[0][2]
    return Fact("none", f"No hostname or pod ID in the {logger.title} logger", _at(logger))


def _at(logger: _Logger) -> tuple[Location, ...]:
    return () if logger.location is None else (logger.location,)


def _nothing_logged(service: Service) -> Fact[Literal["id", "some", "pid", "none"]]:
    cut = next((c for c in service.jobs if not c.trace.complete), None)
    if cut is not None:
        return Fact(Unresolved(cut.trace.cut or "the walk of a job was cut", cut.site))
    return Fact("none", "The jobs log nothing")


def _loggers(context: JobContext) -> Iterator[_Logger]:
    """The loggers that a job uses, each once; one whose line names the instance itself counts as that."""
    service = context.service
    known: dict[str, _Logger] = {}
    for sighting in context.seen("log"):
        args = of_arguments(service, sighting.view.args)
        if strongest(tells_instance(service, value) for _key, value in args) == "id":
            known["line"] = _Logger("id", "", sighting.location)
            continue
        logger = _made(service, sighting)
        if logger is not None:
            known.setdefault(f"{logger.title}{logger.location}{logger.tells}", logger)
    if any(x.tells == "id" for x in known.values()) and "line" in known:
        yield known["line"]
        return
    yield from known.values()


def _made(service: Service, sighting: Sighting) -> _Logger | None:
    """The logger behind a line, by the calls that made it."""
    title = next((x.title for x in service.matcher.libraries if x.id == sighting.library), sighting.library)
    current: External | None = sighting.view.receiver
    found: list[_Logger] = []
    outermost: Location | None = None
    while current is not None:
        found += _bases(service, current, title)
        outermost = current.at or outermost
        current = current.receiver
    if service.linker.language(sighting.location.path) is Language.PYTHON:
        found += _formats(service)
        found += _bound(service, sighting, title)
    for told in ("id", "open", "pid"):
        telling = next((x for x in found if x.tells == told), None)
        if telling is not None:
            return telling
    if sighting.view.path == "" and sighting.view.receiver is None:
        return None
    stated = next((x for x in reversed(found) if x.location is not None), None)
    return stated or _Logger("none", title, outermost or sighting.location)


def _bases(service: Service, made: External, title: str) -> Iterator[_Logger]:
    view = External(made.path.removesuffix("()"), made.args, made.at, made.receiver, made.call)
    described = [e for e in service.matcher.effects(view.path) if e.effect == "log.base"]
    switched = _switched(service, made, described)
    if switched is not None:
        yield _Logger(switched[0], title, switched[1])
        return
    for effect in described:
        held = holds(effect.when, view, service.linker.force, service.linker.member)
        if held is not True:
            continue
        fields = first(effect.param("fields"), view, service.linker.force)
        place = getattr(fields, "at", None) or made.at
        own = strongest(tells_instance(service, v) for _k, v in of_arguments(service, made.args))
        if own == "id":
            yield _Logger("id", title, place)
        elif _is_overridden(service, effect, made):
            yield _Logger(own, title, place)
        elif effect.word("default_host") is True and not _leaves_out(service, made, "hostname"):
            yield _Logger("id", title, made.at, is_default=True)
        elif own == "pid" or (effect.word("default_pid") is True and not _leaves_out(service, made, "pid")):
            yield _Logger("pid", title, place)
        else:
            yield _Logger("none", title, place)


def _switched(
    service: Service, made: External, described: list[Effect]
) -> tuple[Tells | Literal["open"], Location] | None:
    """What a test around the base decides, for loggers that have one of their own."""
    own = next((e for e in described if e.word("default_host") is True), None)
    if own is None:
        return None
    options = frozenset(c.select.members[-1] for c in own.when if c.test == "missing" and c.select.members)
    return switched_base(service, made, options, "id")


def _is_overridden(service: Service, effect: Effect, made: External) -> bool:
    """``base: null``: the option without which the default would hold is written out, if only as nothing."""
    for condition in effect.when:
        selector = condition.select
        if (
            condition.test != "missing"
            or selector.root != "args"
            or not selector.members
            or made.args is None
        ):
            continue
        index = selector.index if isinstance(selector.index, int) else 0
        value = (
            service.linker.force(made.args.positional[index]) if index < len(made.args.positional) else None
        )
        for member in selector.members[:-1]:
            inner = value.entries.get(member) if isinstance(value, Record) else None
            value = None if inner is None else service.linker.force(inner)
        if isinstance(value, Record) and selector.members[-1] in value.entries:
            return True
    return False


def _leaves_out(service: Service, made: External, field: str) -> bool:
    """``ignore: 'pid,hostname'``: an option that takes a field out of every line again."""
    return any(
        isinstance(value, Known) and field in str(value.value) and _LEFT_OUT.search(key) is not None
        for key, value in of_arguments(service, made.args)
    )


def _bound(service: Service, line: Sighting, title: str) -> Iterator[_Logger]:
    """What a module puts into every line of the process when it is loaded: a format, variables of the context."""
    head = _head(line)
    for base in service_sightings(service, "log.base"):
        if not isinstance(base.event.scope.node, Module) or _head(base) != head:
            continue
        values = of_arguments(service, base.view.args)
        told = strongest(tells_instance(service, value) for _key, value in values)
        if told != "none":
            yield _Logger(told, title, base.location)


def _head(sighting: Sighting) -> str:
    """The package in whose words a description is written."""
    return next(iter(expanded(sighting.description.call))).partition(".")[0].removesuffix("()")


# ---- Python's logging configuration ------------------------------------------------------------------------------


@once_a_service
def _formats(service: Service) -> tuple[_Logger, ...]:
    """The formats of ``logging.config`` dictionaries that a handler uses."""
    return tuple(_used_formats(service))


def _used_formats(service: Service) -> Iterator[_Logger]:
    for file in service.tree.files:
        if file.language is not Language.PYTHON or service.tree.role_of(file.path) is not Role.SERVER:
            continue
        source = service.tree.read(file.path)
        if b"formatters" not in source or b"handlers" not in source:
            continue
        module = service.linker.module(file.path)
        if module is None:
            continue
        scope = service.linker.scope_of(module)
        for statement in statements(module.body):
            if isinstance(statement, Assign) and isinstance(statement.value, Object):
                value = service.linker.fold(statement.value, scope)
                if isinstance(value, Record) and {"formatters", "handlers"} <= value.entries.keys():
                    yield from _of_config(service, value)


def _of_config(service: Service, config: Record) -> Iterator[_Logger]:
    force = service.linker.force
    formatters, handlers = force(config.entries["formatters"]), force(config.entries["handlers"])
    if not isinstance(formatters, Record) or not isinstance(handlers, Record):
        return
    used = {
        value.value
        for raw in handlers.entries.values()
        for key, value in parts(service, raw)
        if key == "formatter" and isinstance(value, Known)
    }
    for name in sorted(str(u) for u in used if u in formatters.entries):
        for _key, value in parts(service, formatters.entries[name]):
            if isinstance(value, Known) and isinstance(value.value, str):
                yield _of_format(value, value.value)


def _of_format(value: Value, text: str) -> _Logger:
    place = getattr(value, "at", None)
    if _FORMAT_HOST.search(text):
        return _Logger("id", "Python", place)
    return _Logger("pid" if _FORMAT_PID.search(text) else "none", "Python", place)
