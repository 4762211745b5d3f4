"""Calls with a meaning anywhere in the service: what listens, routes, pools, logs and boards there are.

A job's facts come from its own walk. What holds for the service as a whole is stated elsewhere: in top-level code, in
set-up functions that take the app or the registry as a parameter. So two ways lead here: the calls of all files that
hold a token of a library with such an effect, and the walk of the modules that start something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cronaudit.knowledge.matcher import is_untyped
from cronaudit.model.deployment import ProcessRole
from cronaudit.model.ir import Assign, Call, Const, Expr, Function, Module, Name, Object
from cronaudit.model.knowledge import Library, Selector
from cronaudit.model.source import Location, Role
from cronaudit.model.trace import Event, EventKind, Trace
from cronaudit.model.value import Closure, Scope
from cronaudit.recognition.context import Service, once_a_service
from cronaudit.recognition.sightings import Sighting
from cronaudit.recognition.words import holds_word

_PASSING = frozenset((ProcessRole.SCRIPT, ProcessRole.BUILD, ProcessRole.TEST))


@once_a_service
def placed(service: Service, *effects: str) -> tuple[tuple[Sighting, Function | Module], ...]:
    """The calls of these effects in the service's own files, by place, each with the function it stands in."""
    wanted = frozenset(effects)
    return tuple(placed_in(service, wanted, _files(service, libraries_with(service, wanted), wanted)))


def libraries_with(service: Service, wanted: frozenset[str]) -> tuple[Library, ...]:
    """The libraries that describe calls with these effects."""
    return service.matcher.with_effects(wanted)


def spoken_of(
    service: Service, libraries: Iterable[Library], wanted: frozenset[str], files: Sequence[str]
) -> tuple[Library, ...]:
    """Those of the libraries that one of the files names, or that are known by the names of their methods alone.

    Of all others no call can stand in these files, and names like ``push`` and ``open`` need not be followed.
    """
    found = []
    for library in libraries:
        tokens = [t.encode() for t in (*library.service_tokens, *library.tokens)]
        untyped = any(is_untyped(e) for e in library.effects if e.effect in wanted)
        roots = {p.encode() for p in (*library.packages, *library.roots)}
        if (
            untyped
            or service.hits.files_with(*tokens)
            or _is_open(library, wanted)
            or any(holds_word(service.linker.source(path), roots) for path in files)
        ):
            found.append(library)
    return tuple(found)


def _is_open(library: Library, wanted: frozenset[str]) -> bool:
    """Whether it describes what is there without a package: ``process.memoryUsage()``."""
    return not library.packages or any(
        e.call.startswith(("global:", "builtins.")) for e in library.effects if e.effect in wanted
    )


def placed_in(
    service: Service, wanted: frozenset[str], files: Iterable[str], names: frozenset[str] | None = None
) -> Iterator[tuple[Sighting, Function | Module]]:
    """The calls of these effects in some files, each with the function that it stands in.

    `names` are the last names that count, where the caller knows what the files import.
    """
    if names is None:
        names = service.matcher.last_names(wanted)
    # Packages that are called themselves, under whatever name a file gives them.
    packages = {
        p
        for x in libraries_with(service, wanted)
        if "" in service.matcher.last_names(wanted, x)
        for p in x.packages
    }
    seen: set[tuple[Location, str]] = set()
    words = sorted(n.encode() for n in names if n)
    for path in files:
        if not holds_word(service.linker.source(path), words) and packages.isdisjoint(
            service.linker.specifiers(path)
        ):
            continue
        module = service.linker.module(path)
        if module is None:
            continue
        for call, node in _calls(service, module, names | _local_names(module, packages)):
            for sighting in service.reader.of(event_of(service, call, node)):
                key = (sighting.location, sighting.effect)
                if sighting.effect in wanted and key not in seen:
                    seen.add(key)
                    yield sighting, node


def _files(service: Service, libraries: tuple[Library, ...], wanted: frozenset[str]) -> tuple[str, ...]:
    tokens = sorted({t.encode() for x in libraries for t in (*x.service_tokens, *x.tokens)})
    if not tokens:
        return ()
    holding = service.hits.files_with(*tokens)
    # A registry or router is made in one file and used from those that import it.
    names = sorted(name.encode() for name in service.matcher.last_names(wanted) if name)
    called = re.compile(rb"\b(?:" + b"|".join(map(re.escape, names)) + rb")\s*[(`]")
    near = {i for p in holding for i in importers_near(service, p)} - set(holding)
    # The words first: an expression that begins with a boundary is tried at every byte.
    using = (
        p
        for p in near
        if holds_word(service.linker.source(p), names) and called.search(service.linker.source(p))
    )
    return tuple(p for p in sorted({*holding, *using}) if service.tree.role_of(p) is Role.SERVER)


def importers_near(service: Service, path: str) -> Iterator[str]:
    """The files that import a file directly, and those that import these."""
    for importer in service.linker.importing(path):
        yield importer
        yield from service.linker.importing(importer)


def _calls(
    service: Service, module: Module, names: frozenset[str]
) -> Iterator[tuple[Call, Function | Module]]:
    calls = service.linker.calls(module, names)
    for name in sorted(calls):
        yield from calls[name]
    for node in service.linker.decorated(module):
        for decorator in node.decorators:
            if isinstance(decorator, Call) and getattr(decorator.callee, "name", None) in names:
                yield decorator, node


def _local_names(module: Module, packages: set[str]) -> set[str]:
    """The names under which a module knows packages that are called themselves: ``const metrics = require('…')``."""
    found = {i.local for i in module.imports if i.module in packages and i.local}
    for statement in module.body:
        if (
            isinstance(statement, Assign)
            and isinstance(statement.target, Name)
            and isinstance(statement.value, Call)
        ):
            args = statement.value.args
            source = args[0].value.value if args and isinstance(args[0].value, Const) else None
            if getattr(statement.value.callee, "name", "") == "require" and source in packages:
                found.add(statement.target.name)
    return found


def event_of(service: Service, call: Call, node: Function | Module, within: Scope | None = None) -> Event:
    """A call as the reader takes it, outside any walk; `within` a scope in which more is bound."""
    parent = node.parent if isinstance(node, Function) and call in node.decorators else node
    scope = within or service.linker.scope_of(parent)
    module = node if isinstance(node, Module) else node.module
    path = (node.symbol,) if isinstance(node, Function) else (module.path,)
    at = Location(module.path, call.line, call.end_line if call.end_line != call.line else None)
    return Event(
        EventKind.CALL, 0, call, service.linker.fold(call.callee, scope), scope, None, path, at, None
    )


def walk_of(service: Service, closure: Closure) -> Trace:
    """The walk of a function that is no job; it is remembered."""
    key = (walk_of, closure.function.location, id(closure.this))
    found = service.known.get(key)
    if found is None:
        found = service.known[key] = (closure, service.linker.walk(closure))
    return found[1]  # type: ignore[index, no-any-return]


def is_reached(service: Service, path: str) -> bool:
    """Whether something that is started imports a file; true where the tree does not say what is started.

    A script that runs to its end (a migration) is no part of the service, unless it starts a job.
    """
    entries = service.deployment.entry_points
    kept = {e.path for e in entries if e.kind not in _PASSING} | {p for c in service.jobs for p in c.entries}
    starts = sorted(kept or {e.path for e in entries})
    return not starts or any(path in service.linker.reached(start) for start in starts)


def written_at(call: Call | None, path: str, selectors: Iterable[Selector]) -> Location | None:
    """The line of the option that one of the selectors finds, where the call writes it out."""
    for selector in selectors:
        if call is None or selector.root not in ("args", "kwargs"):
            continue
        expr = _argument(call, selector)
        line: int | None = None
        for member in selector.members:
            entry = (
                next((e for e in expr.entries if e.key == member), None) if isinstance(expr, Object) else None
            )
            if entry is None:
                line = None
                break
            line, expr = entry.line, entry.value
        if line is None and expr is not None and not selector.members:
            line = getattr(expr, "line", None)
        if line is not None:
            return Location(path, line)
    return None


def _argument(call: Call, selector: Selector) -> Expr | None:
    if selector.root == "kwargs":
        return next((a.value for a in call.args if a.name == selector.index), None)
    index = selector.index
    positional = [a.value for a in call.args if a.name is None]
    return (
        positional[index] if isinstance(index, int) and -len(positional) <= index < len(positional) else None
    )
