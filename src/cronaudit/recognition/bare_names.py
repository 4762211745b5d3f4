"""Which bare names of a file may stand for a library's function: asked of the imports, before anything is followed.

A default export may be called anything, so a bare name says nothing by itself. But one that comes from a file of the
tree is a library's only where that file, or one close behind it, imports the library.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cronaudit.knowledge.paths import is_of
from cronaudit.model.ir import Assign, Import, Module, Name
from cronaudit.model.knowledge import Library
from cronaudit.model.linker import Linker
from cronaudit.model.walking import inside

_HOPS: Final = 3
"""Files between a name and the package that it comes from: a wrapper behind a barrel."""


def own_names(module: Module) -> frozenset[str]:
    """The names that stand for something from elsewhere: what is imported, and the variables of the file itself."""
    found = {i.local for i in module.imports if i.local}
    for statement in module.body:
        if isinstance(statement, Assign):
            found.update(e.name for e in inside(statement.target) if isinstance(e, Name))
    return frozenset(found)


class BareNames:
    """Knows the files that lead to one of some libraries."""

    def __init__(self, linker: Linker, libraries: Iterable[Library]) -> None:
        self._linker = linker
        self._packages = frozenset(p for library in libraries for p in library.packages)
        self._leading: dict[str, bool] = {}
        self._imports: dict[str, dict[str, tuple[str, ...]]] = {}

    def may_be_foreign(self, name: str, module: Module) -> bool:
        """Whether a bare name of a module may be a function of one of the libraries."""
        imports = self._imports.get(module.path)
        if imports is None:
            imports = self._imports[module.path] = self._in_tree(module)
        return name not in imports or any(self._leads(path) for path in imports[name])

    def of(self, module: Module) -> frozenset[str]:
        """The bare names that may be one: what is imported, and the variables of the file itself."""
        return frozenset(name for name in own_names(module) if self.may_be_foreign(name, module))

    def _in_tree(self, module: Module) -> dict[str, tuple[str, ...]]:
        """The names that are imported from files of the tree alone, and these files."""
        found: dict[str, tuple[str, ...]] = {}
        for statement in module.body:
            if isinstance(statement, Import) and statement.local:
                path = self._linker.resolve(statement.module, module)
                found[statement.local] = (*found.get(statement.local, ()), path or "")
        return {name: paths for name, paths in found.items() if "" not in paths}

    def _leads(self, path: str) -> bool:
        found = self._leading.get(path)
        if found is None:
            near = frontier = {path}
            for _ in range(_HOPS - 1):
                frontier = {i for p in sorted(frontier) for i in self._linker.imported_files(p)} - near
                near = near | frontier
            found = self._leading[path] = any(
                is_of(specifier, self._packages) for p in near for specifier in self._linker.specifiers(p)
            )
        return found
