"""The objects of the project from which a library is configured: ``app.config_from_object('shop.tasks:Config')``.

Where all of them lie in the tree, a setting of another framework says nothing to the library; what they inherit from
outside the tree may say anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.facts import Unresolved
from cronaudit.model.ir import Assign, Module, Name
from cronaudit.model.source import Location
from cronaudit.model.value import ClassValue, External, Instance, Known, Namespace, Value
from cronaudit.model.walking import statements
from cronaudit.recognition.context import JobContext, Service
from cronaudit.recognition.facts.elsewhere import service_sightings
from cronaudit.recognition.facts.settings import Setting, files_of, names_of, setting
from cronaudit.recognition.sightings import Sighting

Holder = ClassValue | Module


def app_setting(context: JobContext, what: str, *, shared: bool = False) -> Setting | Unresolved | None:
    """What the settings say that the job's library reads; None where they say nothing, or it has no such setting.

    A `shared` one is that of its framework, so that it counts also for a library that names none.
    Names in capitals stand in a module that a library does not read which has an object of its own.
    """
    service = context.service
    libraries = _libraries(context)
    names = tuple(n for library in libraries for n in names_of(service, what, library))
    if not names:
        return setting(service, what) if shared else None
    own = _own_setting(service, libraries, names)
    if isinstance(own, tuple):
        return own
    if own == "elsewhere":
        return setting(service, what, named=names.__contains__)
    found = setting(service, what, named=lambda name: name in names and name.islower())
    return found or (own if isinstance(own, Unresolved) else None)


def _libraries(context: JobContext) -> tuple[str, ...]:
    """The libraries that plan the job and take it up."""
    scheduler = context.registration.scheduler
    if scheduler is None:
        return ()
    family = context.service.matcher.family(scheduler.family) if scheduler.family is not None else ()
    return tuple(dict.fromkeys((scheduler.library, *(c.library for c in family))))


def _own_setting(
    service: Service, libraries: tuple[str, ...], names: tuple[str, ...]
) -> tuple[Value, Location] | Unresolved | str:
    """What the objects say that configure a library.

    ``elsewhere`` where they do not lie in the tree or there are none; ``none`` where they leave the setting open.
    """
    loads = [s for s in service_sightings(service, "settings.load") if s.library in libraries]
    holders = [_holder(load, service) for load in loads]
    if not holders or any(h is None for h in holders):
        return "elsewhere"
    for holder in holders:
        found = next((f for name in names if (f := _stated(holder, name, service)) is not None), None)
        if found is not None:
            return found
    for holder, load in zip(holders, loads, strict=True):
        base = _base_outside(holder, service)
        if base is not None:
            reason = f"the settings come from {base}, which lies outside the tree"
            return Unresolved(reason, load.location)
    return "none"


def _holder(load: Sighting, service: Service) -> Holder | None:
    source = load.param("source")
    if isinstance(source, Instance):
        source = source.of
    if isinstance(source, ClassValue):
        return source
    if isinstance(source, Namespace):
        return source.module
    if isinstance(source, Known) and isinstance(source.value, str):
        return next(_named(source.value, service), None)
    return None


def _named(dotted: str, service: Service) -> Iterator[Holder]:
    """``shop.tasks:Config``, ``shop.tasks.Config``, ``shop.settings``."""
    linker = service.linker
    module_name, _, name = dotted.partition(":") if ":" in dotted else dotted.rpartition(".")
    for path in files_of(service, module_name) if name else ():
        module = linker.module(path)
        if module is not None:
            yield from (linker.class_value(c) for c in linker.classes(module) if c.name == name)
    for path in files_of(service, dotted) if ":" not in dotted else ():
        module = linker.module(path)
        if module is not None:
            yield module


def _stated(holder: Holder | None, name: str, service: Service) -> tuple[Value, Location] | None:
    linker = service.linker
    if isinstance(holder, ClassValue):
        for of in linker.lineage(holder):
            for own in of.cls.fields if isinstance(of, ClassValue) else ():
                if own.name == name and own.value is not None and isinstance(of, ClassValue):
                    return linker.fold(own.value, of.scope), Location(of.cls.module.path, own.line)
        return None
    if holder is None:
        return None
    for s in statements(holder.body):
        if (
            isinstance(s, Assign)
            and isinstance(s.target, Name)
            and s.target.name == name
            and s.value is not None
        ):
            return linker.fold(s.value, linker.scope_of(holder)), Location(holder.path, s.line)
    return None


def _base_outside(holder: Holder | None, service: Service) -> str | None:
    if not isinstance(holder, ClassValue):
        return None
    return next((x.path for x in service.linker.lineage(holder) if isinstance(x, External)), None)
