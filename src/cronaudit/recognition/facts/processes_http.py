"""Which entry files start an HTTP server, and whether it serves more than metrics and health."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, partial

from msgspec import Struct

from cronaudit.knowledge.paths import leads_to
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Const, Function, If, Index, Member, Name, Operation
from cronaudit.model.source import Language, Location, Role
from cronaudit.model.value import Arguments, Closure, External, Known
from cronaudit.model.walking import inside, statements
from cronaudit.recognition.context import Service, once_a_service
from cronaudit.recognition.facts.processes_sites import (
    placed,
    placed_in,
)
from cronaudit.recognition.facts.processes_starts import starts_of
from cronaudit.recognition.facts.routing_walk import routing_walk
from cronaudit.recognition.facts.settings import modules_named_by
from cronaudit.recognition.sightings import Sighting

_ROUTING = frozenset(("http.route", "health.check"))
_PROBE = lazy_regex(
    r"(^|[/_-])(health|healthz|healthcheck|ready|readyz|readiness|live|livez|liveness|alive|metrics|ping|pong|status"
    r"|startup|startupz|up|version|heartbeat)([/_.-]|$)",
    re.IGNORECASE,
)
_URL_NAMES = frozenset("url path pathname originalUrl PATH_INFO".split())
_WITHOUT_PATH = frozenset(("*", "/*", "(.*)", "/(.*)", "/", ""))


class Route(Struct, frozen=True):
    """One route of an HTTP server."""

    path: str
    method: str
    """Upper case; empty where nothing says."""
    leads_to: Callable[[], Closure | None]
    """What works out the function behind it: of hundreds of routes few are asked."""
    location: Location
    body: tuple[object, ...] = ()
    """Of a hand-written server the statements under the test of the URL."""

    @property
    def handler(self) -> Closure | None:
        """The function behind it; None where that cannot be told."""
        return self.leads_to()


def is_probe(path: str) -> bool:
    """Whether a route is for the platform: health, readiness, metrics."""
    return bool(_PROBE.search(path))


@once_a_service
def serves(service: Service, entry: str) -> bool:
    """Whether the code that an entry file starts serves requests other than metrics and health."""
    if not _listens(service, entry):
        return False
    files = service.linker.reached(entry)
    routes = [r for r in routes_of(service) if r.location.path in files]
    paths = [r.path for r in routes if r.path not in _WITHOUT_PATH]
    return not paths or not all(is_probe(path) for path in paths)


def has_probes_only(service: Service, entry: str) -> bool:
    """Whether the code listens, and all that it serves is metrics and health."""
    return _listens(service, entry) and not serves(service, entry)


def may_listen(service: Service, entry: str) -> bool:
    """Whether the code asks something that no description knows to listen at a port: ``made.app.listen(4000)``."""
    linker = service.linker
    reached = linker.reached(entry)
    for path in service.hits.files_with(b"listen"):
        module = linker.module(path) if path == entry or path in reached else None
        if module is None or module.language is Language.PYTHON:
            continue
        for call, node in linker.calls(module).get("listen", ()):
            scope = linker.scope_of(node)
            port = linker.fold(call.args[0].value, scope) if call.args else Known(None)
            is_channel = isinstance(port, Known) and not isinstance(port.value, int | float)
            if not is_channel and not isinstance(linker.fold(call.callee, scope), Closure):
                return True
    return False


def _listens(service: Service, entry: str) -> bool:
    files = service.linker.reached(entry)
    return any(start in files for start in listening_modules(service))


@once_a_service
def listening_modules(service: Service) -> tuple[str, ...]:
    """The modules whose top-level code comes to a call that starts to serve HTTP, sorted."""
    paths: set[str] = set()
    for sighting, node in placed(service, "http.listen"):
        call = sighting.event.call
        paths.update(s.path for s in starts_of(service, node, call, sighting.location))
    return tuple(sorted(paths))


@once_a_service
def routes_of(service: Service) -> tuple[Route, ...]:
    """All routes that the service's own code registers, by place."""
    routes = {(r.location, r.path): r for r in _routes(service)}
    return tuple(routes[k] for k in sorted(routes))


def _routes(service: Service) -> Iterator[Route]:
    sightings: list[Sighting] = []
    making = _routing_files(service)
    found = (pair for names, files in making.items() for pair in placed_in(service, _ROUTING, files, names))
    for sighting, node in found:
        decorated = isinstance(node, Function) and sighting.event.call in node.decorators
        if decorated and isinstance(node, Function):  # ``@app.get('/health') def health()``
            closure = Closure(node, service.linker.scope_of(node.parent))
            path = sighting.text("path") or ""
            yield Route(path, _method(sighting), partial(_itself, closure), sighting.location)
        else:
            sightings.append(sighting)
    makers = [path for files in making.values() for path in files]
    for path in listening_modules(service):
        walk = routing_walk(service, path, makers, service.matcher.modules(_ROUTING))
        sightings += [s for s in walk if s.effect in _ROUTING]
    for sighting in sightings:
        yield Route(
            sighting.text("path") or "",
            _method(sighting),
            cache(partial(_handler, service, sighting)),
            sighting.location,
        )
    for sighting, _node in placed(service, "http.listen"):
        for callback in _callbacks(service, sighting.view):
            yield from _hand_written(service, callback)


def _routing_files(service: Service) -> dict[frozenset[str], list[str]]:
    """The server files that speak of a package with routes and are reached from what listens.

    By the names of the calls that make routes with what they import: Django's `path` is no method of Flask.
    """
    modules = service.matcher.modules(_ROUTING)
    entries = (e.path for e in service.deployment.entry_points)
    # A framework finds these by a text in a setting, and they each other in the same way: no import leads there.
    named = modules_named_by(service, "routes")
    reached = service.linker.reached(*listening_modules(service), *named, *entries)
    known: dict[str, frozenset[str]] = {}
    found: dict[frozenset[str], list[str]] = {}
    for file in sorted(reached):
        specifiers = service.linker.specifiers(file)
        for s in specifiers:
            if s not in known:
                known[s] = frozenset(n for m, names in modules.items() if leads_to(s, m) for n in names)
        led = frozenset[str]().union(*(known[s] for s in specifiers))
        if led and service.tree.role_of(file) is Role.SERVER:
            found.setdefault(led, []).append(file)
    return found


def _method(sighting: Sighting) -> str:
    stated = sighting.text("method")
    if stated:
        return stated.upper()
    callee = sighting.event.call.callee if sighting.event.call is not None else None
    name = callee.name if isinstance(callee, Member | Name) else ""
    return name.upper() if name.lower() in ("get", "post", "put", "patch", "delete", "head") else ""


def _handler(service: Service, sighting: Sighting) -> Closure | None:
    """The last function among the arguments: those before it are middleware."""
    stated = sighting.param("handler")
    if isinstance(stated, Closure):
        return stated
    for raw in reversed(sighting.view.args.positional if sighting.view.args is not None else ()):
        value = service.linker.force(raw)
        if isinstance(value, Closure):
            return value
    return None


def _callbacks(service: Service, view: External) -> Iterator[Closure]:
    """The functions that were given to what listens, and to what made it."""
    current: External | None = view
    while current is not None:
        yield from _functions(service, current.args)
        current = current.receiver


def _functions(service: Service, args: Arguments | None) -> Iterator[Closure]:
    for raw in args.positional if args is not None else ():
        value = service.linker.force(raw)
        if isinstance(value, Closure):
            yield value


def _hand_written(service: Service, callback: Closure) -> Iterator[Route]:
    """``if (req.url === '/health') …`` in the callback of a plain server."""
    function = callback.function
    scope = service.linker.scope_of(function)
    for statement in statements(function.body):
        if not isinstance(statement, If):
            continue
        for test in inside(statement.test):
            if not isinstance(test, Operation) or test.op not in ("==", "in") or len(test.operands) != 2:
                continue
            paths = [v for o in test.operands if isinstance(v := _text(service, o, scope), str)]
            if paths and any(_is_url(o) for o in test.operands):
                at = Location(function.module.path, statement.line)
                yield Route(paths[0], "", partial(_itself, callback), at, statement.then)


def _itself(closure: Closure) -> Closure:
    return closure


def _text(service: Service, expr: object, scope: object) -> str | None:
    if isinstance(expr, Const):
        return expr.value if isinstance(expr.value, str) and expr.value.startswith("/") else None
    if isinstance(expr, Name):
        value = service.linker.fold(expr, scope)  # type: ignore[arg-type]
        if isinstance(value, Known) and isinstance(value.value, str) and value.value.startswith("/"):
            return value.value
    return None


def _is_url(expr: object) -> bool:
    if isinstance(expr, Member):
        return expr.name in _URL_NAMES
    if isinstance(expr, Name):
        return expr.name in _URL_NAMES
    return isinstance(expr, Index) and isinstance(expr.index, Const) and expr.index.value in (*_URL_NAMES, 0)
