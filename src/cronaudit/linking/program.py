"""The parsed part of the tree: files are parsed when a call resolves into them, and who imports whom is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from cronaudit.linking.resolve import Resolver
from cronaudit.model.ir import Call, Class, Function, Member, Module, Name
from cronaudit.model.source import Language
from cronaudit.model.walking import classes_in, expressions, functions_in, inside

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


@dataclass(slots=True)
class Calls:
    """All calls of a module by the last name of their callee, each with the function that it stands in."""

    by_name: dict[str, list[tuple[Call, Function | Module]]] = field(default_factory=dict)
    taking: dict[int, Call] = field(default_factory=dict)
    """By the identity of a function expression, the call that it is an argument of."""
    on_the_spot: dict[int, tuple[Call, Function | Module]] = field(default_factory=dict)
    """By the identity of a function expression that is called where it stands, the call."""

    def add(self, call: Call, node: Function | Module) -> None:
        """Take a call in."""
        self.by_name.setdefault(callee_name(call), []).append((call, node))
        for argument in call.args:
            if isinstance(argument.value, Function):
                self.taking[id(argument.value)] = call
        callee = call.callee
        if isinstance(callee, Member) and callee.name == "call":
            callee = callee.object
        if isinstance(callee, Function):
            self.on_the_spot[id(callee)] = (call, node)


@dataclass(slots=True)
class Program:
    """Implements `folder.Modules`."""

    files: Files
    resolver: Resolver
    parse: Callable[[str, bytes, Language], Module]
    importers: ImportIndex
    _modules: dict[str, Module | None] = field(default_factory=dict)
    _calls: dict[str, Calls] = field(default_factory=dict)
    _classes: dict[str, tuple[Class, ...]] = field(default_factory=dict)
    _importing: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def module(self, path: str) -> Module | None:
        """The parsed file; None where there is none or it may not be parsed."""
        if path not in self._modules:
            language = self.files.language(path)
            if language is None:
                self._modules[path] = None
            else:
                self._modules[path] = self.parse(path, self.files.read(path), language)
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

    def calls(self, module: Module) -> Calls:
        """The calls of a module; lowers all of its functions."""
        found = self._calls.get(module.path)
        if found is None:
            found = Calls()
            nodes: tuple[Function | Module, ...] = (module, *functions_in(module))
            for node in nodes:
                body = expressions(node.body)
                defaults = (
                    (p.default for p in node.params if p.default is not None)
                    if isinstance(node, Function)
                    else ()
                )
                for expr in (*body, *defaults):
                    if isinstance(expr, Call):
                        found.add(expr, node)
            for cls in self.classes(module):
                for decorator in cls.decorators:
                    # `@Module({imports: [TypeOrmModule.forRoot(…)]})`: what stands in it is called, too.
                    for expr in inside(decorator):
                        if isinstance(expr, Call) and expr is not decorator:
                            found.add(expr, cls.parent)
                for item in cls.fields:
                    if item.value is not None:
                        for expr in inside(item.value):
                            if isinstance(expr, Call):
                                found.add(expr, cls.parent)
            self._calls[module.path] = found
        return found

    def calls_of(self, module: Module, name: str) -> list[tuple[Call, Function | Module]]:
        """The calls of a module whose callee ends in a name, with the function that they stand in."""
        return self.calls(module).by_name.get(name, [])

    def taking(self, function: Function) -> Call | None:
        """The call that a function expression is an argument of."""
        return self.calls(function.module).taking.get(id(function))

    def on_the_spot(self, function: Function) -> tuple[Call, Function | Module] | None:
        """The call of a function expression where it stands: ``(function (exports) {…})(exports)``."""
        return self.calls(function.module).on_the_spot.get(id(function))

    def classes(self, module: Module) -> tuple[Class, ...]:
        """The classes of a module, nested ones too."""
        if module.path not in self._classes:
            self._classes[module.path] = tuple(classes_in(module))
        return self._classes[module.path]

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
        return tuple(order)

    def mentions(self, path: str, word: str) -> bool:
        """Whether the bytes of a file hold a word: asked before it is parsed."""
        return word.encode() in self.files.read(path)

    def _means(self, specifier: str, importer: str, path: str) -> bool:
        language = self.files.language(importer)
        if language is Language.PYTHON:
            # ``from package import module`` names the module in the import list, not in the specifier.
            resolved = self.resolver.resolve_python(specifier, importer)
            return resolved == path or (
                resolved is not None and resolved.endswith("/__init__.py") and path.startswith(resolved[:-11])
            )
        return self.resolver.resolve(specifier, importer) == path


def callee_name(call: Call) -> str:
    """The last name of what is called; empty where it has none."""
    callee = call.callee
    return callee.name if isinstance(callee, Name | Member) else ""


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
