"""What lies off a job's walk: calls of the service as a whole, and the files of the process that runs the job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cronaudit.model.ir import Call, Function, Loop, Module, Name
from cronaudit.model.linker import Bound
from cronaudit.model.source import NOT_RUN, Role
from cronaudit.model.value import Closure, Lazy, Scope, Value
from cronaudit.recognition.bare_names import own_names
from cronaudit.recognition.context import JobContext, Service, once_a_service
from cronaudit.recognition.facts.processes_sites import event_of, importers_near, spoken_of
from cronaudit.recognition.facts.run_hooks import receivers
from cronaudit.recognition.sightings import Sighting
from cronaudit.recognition.words import holds_word

_MOST_FILES: Final = 4_000
_UPWARDS: Final = 8
_MOST_SCOPES: Final = 20
_IN_LOOPS: Final = frozenset(("signal.on", "queue.failed"))
"""What code often sets up in a loop over names or workers."""
_OTHER_ROLES: Final = NOT_RUN | {Role.BROWSER}


@once_a_service
def service_sightings(service: Service, *effects: str) -> tuple[Sighting, ...]:
    """The calls of the tree with one of these effects, tests and browser code aside; on no particular path."""
    return tuple(_search(service, frozenset(effects)))


def _search(service: Service, effects: frozenset[str]) -> Iterator[Sighting]:
    """In the files that name such a library, and in those that import them.

    A registry of metrics is declared in one file and served from another.
    """
    libraries = service.matcher.with_effects(effects)
    tokens = sorted({t.encode() for x in libraries for t in x.service_tokens})
    if not tokens:
        return
    paths = list(service.hits.files_with(*tokens))
    # What one file declares another may serve; the other effects stand where their library is named.
    spread = any(effect.startswith("metric.") for effect in effects)
    near = (
        dict.fromkeys((*paths, *(i for p in paths for i in importers_near(service, p)))) if spread else paths
    )
    libraries = spoken_of(service, libraries, effects, tuple(near))
    last = [(x, service.matcher.last_names(effects, x)) for x in libraries]
    names = frozenset[str]().union(*(found for _x, found in last))
    words = sorted(n.encode() for n in names if n)
    packages = sorted({p.encode() for x, found in last if "" in found for p in x.packages})
    for path in sorted(near):
        if service.tree.role_of(path) in _OTHER_ROLES:
            continue
        # What is exported by default may be called anything, where the package is spoken of or one file further.
        beside = (path, *service.linker.imported_files(path)) if packages else ()
        is_bare = any(holds_word(service.linker.source(p), packages) for p in beside)
        if not is_bare and not holds_word(service.linker.source(path), words):
            continue
        module = service.linker.module(path)
        if module is None:
            continue
        bare = own_names(module) - names if is_bare else frozenset()
        calls = sorted(
            (
                pair
                for name, pairs in service.linker.calls(module, names | bare).items()
                for pair in pairs
                if name in names or isinstance(pair[0].callee, Name)
            ),
            key=lambda p: p[0].line,
        )
        for call, node in calls:
            scopes = _scopes(call, node, service) if effects & _IN_LOOPS else (None,)
            for scope in scopes:
                for sighting in service.reader.of(event_of(service, call, node, scope)):
                    if sighting.effect in effects:
                        yield sighting


def _scopes(call: Call, node: Function | Module, service: Service) -> tuple[Scope | None, ...]:
    """The scopes of a call for each item of a written-out list that it is made for; one where it stands in no loop.

    ``['SIGTERM', 'SIGINT'].forEach((signal) => process.on(signal, stop))``, ``for (const worker of workers) …``
    """
    linker = service.linker
    base = linker.scope_of(node)

    def values(scope: Scope) -> list[Value | Lazy]:
        return [linker.fold(call.callee, scope), *linker.arguments(call, scope).positional[:1]]

    owners = [s.owner for v in values(base) for s in linker.symbols(v)]
    # The callers of a function with a loop are not asked: what a service says about itself is written out beside it.
    if any(isinstance(o, Loop) for o in owners):
        bounds: tuple[Bound, ...] = (Bound(base, ()),)
    elif any(o is node for o in owners) and isinstance(node, Function) and _is_callback(node, service):
        bounds = linker.bounds(node)
    else:
        return (None,)
    found = tuple(b.scope for outer in bounds for b in linker.unroll(outer, values))
    return found[:_MOST_SCOPES] or (None,)


def _is_callback(node: object, service: Service) -> bool:
    """Whether a function is written as the argument of a call: ``workers.forEach((worker) => …)``."""
    if not isinstance(node, Function) or node.name is not None:
        return False
    sites = service.linker.calls(node.module, frozenset(("forEach", "map"))).values()
    return any(a.value is node for pairs in sites for call, _ in pairs for a in call.args)


def process_files(context: JobContext) -> frozenset[str]:
    """The files that the process of the job loads: what its entry points import, and the job's own files.

    What its library calls around every run is one of them, however it is loaded (``ready()`` of a Django app).
    """
    service = context.service
    hooked = {c.function.module.path for e in ("task.hook", "queue.failed") for _, c in receivers(context, e)}
    own = tuple(sorted({*own_files(context), *hooked}))
    starts = tuple(sorted({*context.entries, *own}))
    return _loaded(service, starts if context.entries else _with_importers(service, own))


def own_files(context: JobContext) -> tuple[str, ...]:
    """The files in which the job is stated and in which its work begins."""
    registration = context.registration
    paths = {registration.site.path}
    if registration.consumer is not None:
        paths.add(registration.consumer.location.path)
    for handler in (registration.handler, context.handler):
        if isinstance(handler, Closure):
            paths.add(handler.function.module.path)
        elif isinstance(handler, Module):
            paths.add(handler.path)
    return tuple(sorted(paths))


@once_a_service
def _with_importers(service: Service, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Those files and what imports them, as far as the top."""
    seen = set(paths)
    frontier = list(paths)
    for _ in range(_UPWARDS):
        following: list[str] = []
        for path in frontier:
            for importer in service.linker.importing(path):
                if importer not in seen and service.tree.role_of(importer) not in _OTHER_ROLES:
                    seen.add(importer)
                    following.append(importer)
        frontier = following
    return tuple(sorted(seen))


@once_a_service
def _loaded(service: Service, roots: tuple[str, ...]) -> frozenset[str]:
    """The files that some files import, and those that these import."""
    seen = set(roots)
    stack = list(roots)
    while stack and len(seen) < _MOST_FILES:
        for path in service.linker.imported_files(stack.pop()):
            if path not in seen:
                seen.add(path)
                stack.append(path)
    return frozenset(seen)
