"""Files of a project that hand a library's scheduler on, and the files that take it from them.

``export { schedule } from 'node-cron'``, or a service with a field ``plan = schedule``: who imports such a file arms
jobs without naming the library, so no byte of his need tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import is_of
from cronaudit.model.ir import Assign, Expr, Member, Module, Name, Object
from cronaudit.model.linker import Linker
from cronaudit.model.value import External

_HOPS = 2
"""Files between the library and who uses it: a barrel in front of the file."""


class Facades:
    """Finds who takes a scheduler from a file of the project."""

    def __init__(self, linker: Linker, matcher: Matcher) -> None:
        self._linker = linker
        arming = (x for x in matcher.libraries if any(s.how == "call" for s in x.schedulers))
        self._packages = frozenset(p for library in arming for p in library.packages)

    def takers(self, paths: Iterable[str]) -> dict[str, frozenset[str]]:
        """The files that import a file which hands a scheduler on, with the names that it has there."""
        found: dict[str, set[str]] = {}
        for path in paths:
            if not any(is_of(s, self._packages) for s in self._linker.specifiers(path)):
                continue
            module = self._linker.module(path)
            names = set(self._handed_on(module)) if module is not None else set()
            frontier = {path} if names else set()
            for _ in range(_HOPS):
                takers = {i for p in sorted(frontier) for i in self._linker.importing(p)}
                for taker in takers:
                    found.setdefault(taker, set()).update(names)
                frontier = {t for t in takers if self._passes_on(t)}
        return {path: frozenset(found[path]) for path in sorted(found)}

    def _handed_on(self, module: Module) -> Iterator[str]:
        """The names under which a module gives what it has from a library."""
        for export in module.exports:
            if export.module is not None and is_of(export.module, self._packages):
                yield export.name
        scope = self._linker.scope_of(module)
        own = {i.local for i in module.imports if i.local and is_of(i.module, self._packages)}
        for name, value in self._members(module):
            if not isinstance(value, Name | Member) or (own and not _is_from(value, own)):
                continue
            folded = self._linker.fold(value, scope)
            if isinstance(folded, External) and is_of(folded.path.partition(":")[0], self._packages):
                yield name

    def _members(self, module: Module) -> Iterator[tuple[str, Expr]]:
        """Fields of classes, variables of the module, members of its objects."""
        for cls in self._linker.classes(module):
            for field in cls.fields:
                if field.value is not None:
                    yield field.name, field.value
        for statement in module.body:
            value = statement.value if isinstance(statement, Assign) else None
            if value is None:
                continue
            yield getattr(statement.target, "name", ""), value  # type: ignore[union-attr]
            if isinstance(value, Object):
                yield from ((e.key, e.value) for e in value.entries if isinstance(e.key, str))
        yield from ((e.name, e.value) for e in module.exports if e.value is not None)

    def _passes_on(self, path: str) -> bool:
        module = self._linker.module(path)
        return module is not None and any(e.module is not None for e in module.exports)


def _is_from(value: Expr, names: set[str]) -> bool:
    current = value
    while isinstance(current, Member):
        current = current.object
    return isinstance(current, Name) and current.name in names
