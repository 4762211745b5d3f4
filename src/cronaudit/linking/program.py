"""The parsed part of the tree: files are parsed when a call resolves into them, and who imports whom is known."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from msgspec import Struct

from cronaudit.linking.adoption import adopt
from cronaudit.linking.contents import Contents
from cronaudit.linking.resolve import Resolver
from cronaudit.model.ir import Call, Class, Function, Module
from cronaudit.model.source import Language

_SCRIPTS = frozenset((Language.TYPESCRIPT, Language.TSX, Language.JAVASCRIPT))


class ImportIndex(Protocol):
    """Who writes which specifier; from the byte search."""

    def files_importing(self, last_segment: str) -> Iterable[tuple[str, str]]:
        """(importing path, specifier) of every import whose last segment is this."""


class Files(Protocol):
    """The files of the target."""

    def language(self, path: str) -> Language | None:
        """The language of a file that may be parsed; None where there is none, or it may not."""

    def read(self, path: str) -> bytes:
        """The content."""

    def runs(self, path: str) -> bool:
        """Whether a file is part of what runs in production: tests and documentation call nothing."""


class Program(Struct):
    """Implements `folder.Modules`."""

    files: Files
    resolver: Resolver
    parse: Callable[[str, bytes, Language], Module]
    importers: ImportIndex
    _modules: dict[str, Module | None] = {}
    _contents: dict[str, Contents] = {}
    _importing: dict[str, tuple[str, ...]] = {}
    _named: dict[str, tuple[str, ...]] = {}
    _closures: dict[tuple[str, int, int], tuple[str, ...]] = {}

    def module(self, path: str) -> Module | None:
        """The parsed file; None where there is none or it may not be parsed."""
        if path not in self._modules:
            language = self.files.language(path)
            if language is None:
                self._modules[path] = None
            else:
                module = self._modules[path] = self.parse(path, self.files.read(path), language)
                if language in _SCRIPTS:
                    adopt(self, module)
        return self._modules[path]

    @property
    def parsed(self) -> tuple[Module, ...]:
        """What has been parsed so far, by path."""
        return tuple(m for _, m in sorted(self._modules.items()) if m is not None)

    def resolve(self, specifier: str, importer: Module) -> str | None:
        """The path that a specifier means; None outside the tree."""
        if importer.language is Language.PYTHON:
            return self.resolver.resolve_python(specifier, importer.path)
        return self.resolver.resolve(specifier, importer.path)

    def json(self, path: str) -> object:
        """The content of a JSON file; None where it is none."""
        if not path.endswith(".json"):
            return None
        try:
            return json.loads(self.files.read(path))
        except (ValueError, KeyError):
            return None

    def sources_in(self, folder: str, *, deep: bool) -> tuple[str, ...]:
        """The paths of a folder's source files that run in production, sorted; those of its folders too if `deep`."""
        prefix = f"{folder}/" if folder not in ("", ".") else ""
        inside = (
            p for p in self.resolver.paths if p.startswith(prefix) and (deep or "/" not in p[len(prefix) :])
        )
        return tuple(p for p in sorted(inside) if self.files.language(p) in _SCRIPTS and self.files.runs(p))

    def assigning_files(self, stem: str, name: str) -> tuple[str, ...]:
        """The Python files of that name, and those below folders of that name, that assign `name` when loaded."""
        if stem not in self._named:
            inside = (
                p for p in self.resolver.paths if p.endswith(".py") and stem in (*p.split("/")[:-1], _stem(p))
            )
            self._named[stem] = tuple(p for p in sorted(inside) if self.files.runs(p))
        assigned = re.compile(rb"(?m)^[ \t]*" + re.escape(name.encode()) + rb"[ \t]*(:[^=\n]*)?=[^=]")
        return tuple(p for p in self._named[stem] if assigned.search(self.files.read(p)))

    def contents(self, module: Module) -> Contents:
        """The calls, functions and classes of a module."""
        found = self._contents.get(module.path)
        if found is None:
            found = self._contents[module.path] = Contents(module, self.files.read(module.path))
        return found

    def calls_of(self, module: Module, name: str) -> list[tuple[Call, Function | Module]]:
        """The calls of a module whose callee ends in a name, with the function that they stand in."""
        return self.contents(module).calls((name,)).get(name, [])

    def taking(self, function: Function) -> Call | None:
        """The call that a function expression is an argument of."""
        return self.contents(function.module).taking(function)

    def on_the_spot(self, function: Function) -> tuple[Call, Function | Module] | None:
        """The call of a function expression where it stands: ``(function (exports) {…})(exports)``."""
        return self.contents(function.module).on_the_spot(function)

    def assigning(self, node: Function | Module, name: str) -> Iterator[Function]:
        """The functions inside `node` that may assign a variable of it."""
        module = node if isinstance(node, Module) else node.module
        return self.contents(module).assigning(node, name)

    def classes(self, module: Module) -> tuple[Class, ...]:
        """The classes of a module, nested ones too."""
        return self.contents(module).classes()

    def importing(self, path: str) -> tuple[str, ...]:
        """The files that import `path` directly, sorted."""
        found = self._importing.get(path)
        if found is None:
            segments = _segments(path, self.resolver)
            names: set[str] = set()
            for segment in segments:
                for importer, specifier in self.importers.files_importing(segment):
                    if importer != path and self._means(specifier, importer, path):
                        names.add(importer)
            found = tuple(n for n in sorted(names) if self.files.runs(n))
            self._importing[path] = found
        return found

    def importing_closure(self, path: str, depth: int, most: int) -> tuple[str, ...]:
        """The files that import `path` directly or through others, nearest first."""
        key = (path, depth, most)
        found = self._closures.get(key)
        if found is None:
            order = [path]
            seen = {path}
            frontier = [path]
            for _ in range(depth):
                following: list[str] = []
                for current in frontier:
                    for importer in self.importing(current):
                        if importer not in seen and len(seen) < most:
                            seen.add(importer)
                            following.append(importer)
                order.extend(following)
                frontier = following
            found = self._closures[key] = tuple(order)
        return found

    def mentions(self, path: str, word: str) -> bool:
        """Whether the bytes of a file hold a word: asked before it is parsed."""
        return word.encode() in self.files.read(path)

    def calling(self, name: str, most: int, holders: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """The files that call a method of that name on something, sorted; none where there are more than `most`.

        `holders`: plain names of which one must stand before it, where there are any.
        """
        word = f".{name}".encode()
        spoken = [f"{one}.{name}".replace("_", "").lower().encode() for one in holders]
        found = [
            path
            for path in sorted(self.resolver.paths)
            if self.files.language(path) is not None
            and self.files.runs(path)
            and word in self.files.read(path)
            and (not spoken or _says(self.files.read(path), spoken))
        ]
        return tuple(found) if len(found) <= most else ()

    def _means(self, specifier: str, importer: str, path: str) -> bool:
        language = self.files.language(importer)
        if language is Language.PYTHON:
            # ``from package import module`` names the module in the import list, not in the specifier.
            resolved = self.resolver.resolve_python(specifier, importer)
            return resolved == path or (
                resolved is not None and resolved.endswith("/__init__.py") and path.startswith(resolved[:-11])
            )
        return self.resolver.resolve(specifier, importer) == path


def _says(text: bytes, spoken: list[bytes]) -> bool:
    plain = text.replace(b"_", b"").replace(b"?.", b".").lower()
    return any(one in plain for one in spoken)


def _stem(path: str) -> str:
    return posixpath.splitext(posixpath.basename(path))[0]


def _segments(path: str, resolver: Resolver) -> tuple[str, ...]:
    """The last segments under which a file may be imported."""
    parts = path.split("/")
    stem = parts[-1].split(".")[0]
    full = parts[-1].rsplit(".", 1)[0]
    found = {stem, full, parts[-1]}
    entry_of = resolver.package_segments(path)
    if stem in ("index", "__init__", "main", "mod") or entry_of:
        found.update(parts[-2:-1])
        found.update((".", "..", ""))
    found.update(entry_of)
    return tuple(sorted(found))
