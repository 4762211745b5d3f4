"""Calls with a meaning anywhere in the service: what listens, routes, pools, logs and boards there are.

A job's facts come from its own walk. What holds for the service as a whole is stated elsewhere: in top-level code, in
set-up functions that take the app or the registry as a parameter. So two ways lead here: the calls of all files that
hold a token of a library with such an effect, and the walk of the modules that start something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cronaudit.knowledge.paths import expanded, last_of
from cronaudit.model.ir import Call, Function, Module
from cronaudit.model.knowledge import Library
from cronaudit.model.source import Location, Role
from cronaudit.model.trace import Event, EventKind, Trace
from cronaudit.model.value import Closure
from cronaudit.model.walking import functions_in
from cronaudit.recognition.context import Service
from cronaudit.recognition.sightings import Sighting

_CACHE = "processes_sites"
_MOST_FILES = 6_000
_MOST_MODULES = 120
"""Modules whose top-level code is walked for one entry."""


def placed(service: Service, *effects: str) -> tuple[tuple[Sighting, Function | Module], ...]:
    """The calls of these effects in the service's own files, by place, each with the function it stands in."""
    key = f"{_CACHE}:placed:{','.join(effects)}"
    found = service.cache.get(key)
    if found is None:
        found = tuple(_placed(service, frozenset(effects)))
        service.cache[key] = found
    return found  # type: ignore[return-value]


def _placed(service: Service, wanted: frozenset[str]) -> Iterator[tuple[Sighting, Function | Module]]:
    libraries = [x for x in service.matcher.libraries if any(e.effect in wanted for e in x.effects)]
    names = {last_of(p) for x in libraries for e in x.effects if e.effect in wanted for p in expanded(e.call)}
    seen: set[tuple[Location, str]] = set()
    for path in _files(service, libraries):
        module = service.linker.module(path)
        if module is None:
            continue
        for call, node in _calls(service, module, names):
            for sighting in service.reader.of(event_of(service, call, node)):
                key = (sighting.location, sighting.effect)
                if sighting.effect in wanted and key not in seen:
                    seen.add(key)
                    yield sighting, node


def _files(service: Service, libraries: Iterable[Library]) -> tuple[str, ...]:
    tokens = sorted({t.encode() for x in libraries for t in (*x.service_tokens, *x.tokens)})
    if not tokens:
        return ()
    found = service.hits.files_with(*tokens)
    return tuple(p for p in found if service.tree.role_of(p) is Role.SERVER)


def _calls(service: Service, module: Module, names: set[str]) -> Iterator[tuple[Call, Function | Module]]:
    calls = service.linker.calls(module)
    for name in sorted(names & calls.keys()):
        yield from calls[name]
    for node in functions_in(module):
        for decorator in node.decorators:
            if isinstance(decorator, Call) and getattr(decorator.callee, "name", None) in names:
                yield decorator, node


def event_of(service: Service, call: Call, node: Function | Module) -> Event:
    """A call as the reader takes it, outside any walk."""
    parent = node.parent if isinstance(node, Function) and call in node.decorators else node
    scope = service.linker.scope_of(parent)
    module = node if isinstance(node, Module) else node.module
    path = (node.symbol,) if isinstance(node, Function) else (module.path,)
    at = Location(module.path, call.line, call.end_line if call.end_line != call.line else None)
    return Event(
        EventKind.CALL, 0, call, service.linker.fold(call.callee, scope), scope, None, path, at, None
    )


def walked(service: Service, path: str) -> tuple[Sighting, ...]:
    """What the top-level code of a module may call, read; functions that it sets up with are entered."""
    key = f"{_CACHE}:walked:{path}"
    found = service.cache.get(key)
    if found is None:
        module = service.linker.module(path)
        found = () if module is None else service.reader.read(service.linker.walk(module))
        service.cache[key] = found
    return found  # type: ignore[return-value]


def walk_of(service: Service, closure: Closure) -> Trace:
    """The walk of a function that is no job; it is remembered."""
    key = f"{_CACHE}:walk:{closure.function.location}:{id(closure.this)}"
    found = service.cache.get(key)
    if found is None:
        found = (closure, service.linker.walk(closure))
        service.cache[key] = found
    return found[1]  # type: ignore[index, no-any-return]


def reached_from(service: Service, start: str) -> frozenset[str]:
    """The files that a file imports, directly or not, and the file itself."""
    key = f"{_CACHE}:reached:{start}"
    found = service.cache.get(key)
    if found is None:
        order = [start]
        seen = {start}
        for current in order:
            if len(order) > _MOST_FILES:
                break
            for path in service.linker.imported_files(current):
                if path not in seen:
                    seen.add(path)
                    order.append(path)
        found = frozenset(seen)
        service.cache[key] = found
    return found  # type: ignore[return-value]


def is_reached(service: Service, path: str) -> bool:
    """Whether something that is started imports a file; true where the tree does not say what is started."""
    starts = sorted({e.path for e in service.deployment.entry_points})
    return not starts or any(path in reached_from(service, start) for start in starts)
