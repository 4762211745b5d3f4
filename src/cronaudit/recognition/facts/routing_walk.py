"""The walk of what sets a server up: only where routes can be made is entered.

A start leads everywhere, to migrations and scrapers as well as to the routes. Routes are made where the framework is
imported, by what is handed its app or router, and on the way from the start to such files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from cronaudit.knowledge.paths import leads_to, module_of
from cronaudit.model.value import (
    Arguments,
    Choice,
    Closure,
    External,
    Instance,
    Lazy,
    Record,
    Value,
)
from cronaudit.recognition.context import Service
from cronaudit.recognition.sightings import Sighting

_APP_NAMES = frozenset(
    "app application api blueprint bp express fastify instance router routes server".split()
)
"""How a parameter is called that takes what routes are made on, where its value does not tell."""
_DEPTH = 2


def routing_walk(
    service: Service, start: str, making: Iterable[str], packages: Iterable[str]
) -> tuple[Sighting, ...]:
    """What the top-level code of a module calls on its way to routes.

    Args:
        service: the service.
        start: the path of a module that starts to listen.
        making: the files that import a package with routes.
        packages: what they import for it.

    """
    module = service.linker.module(start)
    if module is None:
        return ()
    way = _Way(service, start, _distances(service, start, frozenset(making)), tuple(packages), {})
    return service.reader.read(service.linker.walk(module, enters=way.leads_on))


class _Way(Struct):
    """Which functions lead on to routes."""

    service: Service
    start: str
    distances: dict[str, int]
    """By file, over how many imports it comes to one that makes routes."""
    packages: tuple[str, ...]
    known: dict[str, bool]

    def leads_on(self, closure: Closure, args: Arguments) -> bool:
        """Whether a call can come to a route."""
        path = closure.function.module.path
        here = self.distances.get(path)
        if path == self.start or here == 0 or (here is not None and here < self.distances.get(self.start, 0)):
            return True
        raws = (*args.positional, *args.named.values())
        this = closure.this
        if isinstance(this, Instance) and this.args is not None:
            raws = (*raws, *this.args.positional, *this.args.named.values())
        if any(self._makes_routes(raw) for raw in raws):
            return True
        return any(p.name in _APP_NAMES for p in closure.function.params[: len(args.positional)])

    def _makes_routes(self, raw: Value | Lazy, depth: int = 0) -> bool:
        """Whether a value is an app or a router, or holds one."""
        value = self.service.linker.force(raw)
        if isinstance(value, External):
            return self._is_of(module_of(value.path))
        if depth >= _DEPTH:
            return False
        return any(self._makes_routes(inner, depth + 1) for inner in _inside(value))

    def _is_of(self, module: str) -> bool:
        found = self.known.get(module)
        if found is None:
            found = bool(module) and any(leads_to(module, package) for package in self.packages)
            self.known[module] = found
        return found


def _inside(value: Value) -> Iterator[Value | Lazy]:
    if isinstance(value, Choice):
        yield from value.options
    elif isinstance(value, Record):
        yield from value.entries.values()
    elif isinstance(value, Instance) and value.args is not None:
        yield from (*value.args.positional, *value.args.named.values())


def _distances(service: Service, start: str, making: frozenset[str]) -> dict[str, int]:
    """Over how many imports the files that the start comes to lead to one that makes routes."""
    found = dict.fromkeys(sorted(making), 0)
    layer = list(found)
    while layer and start not in found:
        above = {i for path in layer for i in service.linker.importing(path)} - found.keys()
        distance = found[layer[0]] + 1
        found.update((path, distance) for path in above)
        layer = sorted(above)
    return found
