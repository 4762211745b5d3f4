"""Schedules that a JSON manifest states, and the routes that it calls."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.selectors import Site, select
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Assign, Call, Function, Module, Name
from cronaudit.model.linker import Bound, Item, Linker
from cronaudit.model.source import Location, SourceTree
from cronaudit.model.value import Closure, Known, Lazy, Namespace, Record, Scope, Sequence, Value
from cronaudit.model.walking import statements
from cronaudit.recognition import mounted_routes
from cronaudit.recognition.found import Registration
from cronaudit.recognition.registrar import Registrar

_APP_ROUTE = lazy_regex(r"(?:^|/)app/(.*)/route\.[cm]?[jt]sx?$")
_PAGE_ROUTE = lazy_regex(r"(?:^|/)pages/(api/.*?)(?:/index)?\.[cm]?[jt]sx?$")
_FILE_ROUTE = lazy_regex(r"(?:^|/)(api/.*?)(?:/index)?\.[cm]?[jt]s$")
_GROUP = lazy_regex(r"\([^/]*\)/|@[^/]*/")
_METHODS = ("GET", "POST", "default", "handler")


class Manifests(Struct):
    """Finds the jobs of manifests."""

    linker: Linker
    matcher: Matcher
    tree: SourceTree
    registrar: Registrar
    _routes: dict[str, str] = {}

    def registrations(self) -> Iterator[Registration]:
        """One registration for each entry of each manifest."""
        for scheduler in self.matcher.schedulers("manifest"):
            for file in self.tree.by_name(scheduler.call.removeprefix("manifest:")):
                module = Module(file.path, file.language)
                value = self.linker.json(file.path)
                if not isinstance(value, Record):
                    continue
                site = Site(scheduler.call, None, None, {"value": value}, {}, file.path)
                listed = [select(s, site, self.linker.force, self.linker.member) for s in scheduler.entries]
                for container in listed:
                    for entry in container.items if isinstance(container, Sequence) else ():
                        inner = Site(scheduler.call, None, None, {"entry": entry}, {}, file.path)
                        name = self.registrar.name_of(scheduler, inner)
                        at = self._line(file.path, name)
                        bound = Bound(Scope(module, None), (at,), (Item(at, self.linker.force(entry)),))
                        found = self.registrar.register(scheduler, inner, module, bound, at, at)
                        if found is not None:
                            self.route(found, name)
                            yield found

    def _line(self, path: str, name: str | None) -> Location:
        offset = self.tree.read(path).find(f'"{name}"'.encode()) if name else -1
        return Location(path, self.tree.line_of(path, offset) if offset >= 0 else 1)

    def route(self, found: Registration, name: str | None) -> bool:
        """The function of the route that the platform calls; whether it is in the tree."""
        if name is None or not name.startswith("/"):
            return False
        route = name.partition("?")[0].strip("/")
        path = self._paths().get(route) or mounted_routes.file_of(route, self._paths().items())
        module = self.linker.module(path) if path is not None else None
        if module is None:
            found.handler_open = f"no route {name} is in the tree"
            return False
        for method in _METHODS:
            value: Value = self.linker.member(Namespace(module), method)
            handler = mounted_routes.handler_of(route, module, value, self.linker) or function_of(
                value, self.linker
            )
            if handler is not None:
                found.handler, found.handler_open, found.node = handler, "", module
                found.work = _wrapped(method, module, self.linker)
                self._options(found, module)
                return True
        found.handler_open = f"{module.path} exports no handler that is known"
        return True

    def _options(self, found: Registration, module: Module) -> None:
        """What the route's file sets for the platform: ``export const maxDuration = 60``."""
        if found.scheduler is None:
            return
        exports: dict[str, Value | Lazy] = {
            e.name: self.linker.member(Namespace(module), e.name) for e in module.exports if e.name != "*"
        }
        site = Site(found.scheduler.call, None, None, {}, exports, module.path)
        for name, selectors in found.scheduler.options:
            values = (select(s, site, self.linker.force, self.linker.member) for s in selectors)
            value = next((v for v in values if isinstance(v, Known) and v.value is not None), None)
            if value is not None:
                found.options.setdefault(name, value)

    def _paths(self) -> dict[str, str]:
        if not self._routes:
            for file in self.tree.files:
                for pattern in (_APP_ROUTE, _PAGE_ROUTE, _FILE_ROUTE):
                    match = pattern.search(file.path)
                    if match is not None:
                        self._routes.setdefault(_GROUP.sub("", match[1] + "/").strip("/"), file.path)
                        break
        return self._routes


def _wrapped(method: str, module: Module, linker: Linker) -> Closure | None:
    """The route's own function in ``export const GET = withCron(async () => …)``: what the wrapper surrounds."""
    for statement in statements(module.body):
        if not (isinstance(statement, Assign) and isinstance(statement.value, Call)):
            continue
        if isinstance(statement.target, Name) and statement.target.name == method:
            inner = next((a.value for a in statement.value.args if isinstance(a.value, Function)), None)
            value = linker.fold(inner, linker.scope_of(module)) if inner is not None else None
            return value if isinstance(value, Closure) else None
    return None


def function_of(value: Value, linker: Linker) -> Closure | None:
    """A handler, also behind a wrapper of the project's own or of a library: ``withCron(async () => …)``."""
    if isinstance(value, Closure):
        return value
    args = getattr(value, "args", None)
    for raw in args.positional if args is not None else ():
        inner = linker.force(raw)
        if isinstance(inner, Closure):
            return inner
    return None
