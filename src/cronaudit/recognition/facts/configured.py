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
from cronaudit.recognition.context import Service
from cronaudit.recognition.facts.elsewhere import service_sightings
from cronaudit.recognition.facts.settings import files_of
from cronaudit.recognition.sightings import Sighting

Holder = ClassValue | Module


def own_setting(
    service: Service, library: str, names: tuple[str, ...]
) -> tuple[Value, Location] | Unresolved | str:
    """What the objects say that configure a library.

    ``elsewhere`` where they do not lie in the tree or there are none; ``none`` where they leave the setting open.
    """
    loads = [s for s in service_sightings(service, "settings.load") if s.library == library]
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
