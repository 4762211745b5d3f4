"""Links small trees and writes folded values and traces down as plain Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from cronaudit.linking.folder import Folder
from cronaudit.linking.index import Index
from cronaudit.model.ir import Call, Class, Function, Module
from cronaudit.model.linker import Bound
from cronaudit.model.source import Language, Location, Role
from cronaudit.model.trace import Event, EventKind, Region, Trace
from cronaudit.model.value import (
    Arguments,
    Choice,
    ClassValue,
    Closure,
    Env,
    External,
    Instance,
    Known,
    Lazy,
    Namespace,
    Record,
    Scope,
    Sequence,
    Shape,
    Symbol,
    Text,
    Unknown,
    Value,
)
from cronaudit.model.walking import functions_in
from cronaudit.parsing import LANGUAGES, parse
from cronaudit.target import ImportTable, RoleRules, Tree, imports, walk

RULES = Path(__file__).parents[2] / "rules" / "roles.yaml"

Files = Mapping[str, str]
Plain = object


@dataclass(frozen=True)
class TreeFiles:
    """A walked tree as linking asks for it."""

    tree: Tree

    def language(self, path: str) -> Language | None:
        file = self.tree.get(path)
        return file.language if file is not None and file.language in LANGUAGES else None

    def read(self, path: str) -> bytes:
        return self.tree.read(path)

    def runs(self, path: str) -> bool:
        return self.tree.role_of(path) not in {Role.TEST, Role.DOCS, Role.VENDORED, Role.GENERATED}


@dataclass(frozen=True)
class TreeImports:
    """The import index as linking asks for it."""

    table: ImportTable

    def files_importing(self, last_segment: str) -> list[tuple[str, str]]:
        return [(site.path, site.specifier) for site in self.table.files_importing(last_segment)]

    def imports_of(self, path: str) -> list[str]:
        return [site.specifier for site in self.table.imports_of(path)]

    def names_of(self, path: str) -> tuple[tuple[str, str], ...]:
        return self.table.names_of(path)


class NullFolds:
    """A knowledge base that knows nothing."""

    def fold(self, folder: Folder, callee: External, args: Arguments, at: Location | None) -> Value | None:
        del folder, callee, args, at
        return None

    def constant(self, path: str, at: Location | None = None) -> Value | None:
        del path, at
        return None

    def member(self, folder: Folder, found: External) -> Value | None:
        del folder, found
        return None

    def settings(self, path: str) -> str | None:
        return "settings" if path == "frame.conf.settings" else None

    def is_of_row(self, path: str, name: str) -> bool:
        del path, name
        return False

    def passed(self, callee: External) -> tuple[str, ...]:
        del callee
        return ()

    def defers(self, callee: External) -> bool:
        del callee
        return False

    def opened(self, folder: Folder, name: str, args: Arguments, at: Location | None) -> Value | None:
        del folder, name, args, at
        return None

    def wraps(self, folder: Folder, callee: External) -> bool:
        del folder, callee
        return False


@dataclass(frozen=True)
class Linked:
    """A linked tree with questions that tests ask."""

    index: Index

    def module(self, path: str) -> Module:
        found = self.index.module(path)
        assert found is not None, path
        return found

    def export(self, path: str, name: str) -> Plain:
        """An export of a file as plain Python."""
        return self.plain(self.index.member(Namespace(self.module(path)), name))

    def calls(self, path: str, name: str) -> list[tuple[Call, Function | Module]]:
        return self.index.calls(self.module(path))[name]

    def probe(self, path: str, name: str = "probe") -> list[Plain]:
        """The arguments of the first call of `name` in a file, with nothing bound by a caller."""
        call, node = self.calls(path, name)[0]
        return self.arguments(call, self.index.scope_of(node))

    def arguments(self, call: Call, scope: Scope) -> list[Plain]:
        args = self.index.arguments(call, scope)
        return [self.plain(a) for a in args.positional]

    def ways(self, path: str, name: str = "probe") -> list[list[Plain]]:
        """The arguments of the first call of `name`, once for each way in which the tree reaches it."""
        return [self.arguments(call, bound.scope) for call, bound in self._bound(path, name)]

    def chains(self, path: str, name: str = "probe") -> list[list[str]]:
        """The places that bound something on each of these ways, inner first."""
        return [[f"{at.path}:{at.line}" for at in bound.chain] for _, bound in self._bound(path, name)]

    def _bound(self, path: str, name: str) -> Iterator[tuple[Call, Bound]]:
        call, node = self.calls(path, name)[0]

        def values(scope: Scope) -> list[Value | Lazy]:
            return [*self.index.arguments(call, scope).positional]

        for outer in self.index.bounds(node):
            for bound in self.index.unroll(outer, values):
                yield call, bound

    def function(self, path: str, symbol: str) -> Function:
        return next(f for f in functions_in(self.module(path)) if f.symbol == symbol)

    def cls(self, path: str, name: str) -> Class:
        return next(c for c in self.index.classes(self.module(path)) if c.name == name)

    def users(self, path: str, symbol: str) -> list[str]:
        """Where a function is called."""
        sites = self.index.call_sites(self.function(path, symbol))
        return [
            f"{node.path if isinstance(node, Module) else node.module.path}:{call.line}"
            for call, node in sites
        ]

    def walk(self, path: str, symbol: str, *, of: str | None = None) -> Trace:
        """The walk from a function, on an object of class `of` where one is named."""
        function = self.function(path, symbol)
        this: Value | None = None
        if of is not None:
            of_path, _, name = of.rpartition(":")
            this = Instance(self.index.class_value(self.cls(of_path or path, name)), None)
        return self.index.walk(Closure(function, self.index.scope_of(function.parent), this))

    def events(self, path: str, symbol: str, *, of: str | None = None) -> list[str]:
        """What the walk saw: entered functions and calls, each with what surrounds it, outer first."""
        return [line for e in self.walk(path, symbol, of=of).events if (line := self.event(e))]

    def event(self, event: Event) -> str:
        where = "".join(f" {name}" for name in reversed([_region(r, self) for r in event.regions()]))
        if event.kind is EventKind.ENTER:
            assert isinstance(event.callee, Closure)
            return f"> {event.callee.function.symbol}{where}"
        if event.kind is not EventKind.CALL:
            return f"{event.kind}{where}" if event.kind is not EventKind.RETURN else ""
        assert event.callee is not None
        callees = event.callee.options if isinstance(event.callee, Choice) else (event.callee,)
        if all(isinstance(c, Closure | ClassValue) for c in callees):
            return ""
        return f"{'await ' if event.awaited else ''}{self.plain(event.callee)}{where}"

    def plain(self, value: Value | Lazy) -> Plain:
        """A folded value as plain Python."""
        value = self.index.force(value)
        match value:
            case Known():
                return value.value
            case Text():
                return "".join(p if isinstance(p, str) else f"${{{self.plain(p)}}}" for p in value.parts)
            case Record():
                return {k: self.plain(v) for k, v in value.entries.items()}
            case Sequence():
                return [self.plain(i) for i in value.items]
            case Closure():
                return f"function {value.function.symbol}"
            case ClassValue():
                return f"class {value.cls.name}"
            case Instance():
                return f"new {value.of.cls.name}"
            case External():
                return value.path.removeprefix("global:")
            case Namespace():
                return f"module {value.module.path}"
            case Symbol():
                return "?" + ".".join((value.name, *value.path))
            case Env():
                return f"env {value.name}"
            case Choice():
                return tuple(self.plain(o) for o in value.options)
            case Shape():
                return f"type {value.interface.name}"
            case Unknown():
                return f"unknown: {value.reason}"
            case _:
                return f"method {value.name}"


def _region(region: Region, linked: Linked) -> str:
    info = region.info
    if isinstance(info, Event) and info.callee is not None:
        return f"[{region.kind} {linked.plain(info.callee)}]"
    return f"[{region.kind}]"


Link = Callable[[Files], Linked]


@pytest.fixture(scope="session")
def roles() -> RoleRules:
    return RoleRules.from_mapping(yaml.safe_load(RULES.read_text("utf-8")))


@pytest.fixture
def linked(tmp_path: Path, roles: RoleRules) -> Link:
    """Link a tree of these files; nothing is known of libraries."""

    def link(files: Files) -> Linked:
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        tree = walk(tmp_path, roles)
        paths = frozenset(f.path for f in tree.files)
        return Linked(Index(TreeFiles(tree), paths, parse, TreeImports(imports(tree)), NullFolds()))

    return link


@pytest.fixture
def deep() -> Iterator[None]:
    """The recursion limit that a scan sets for deeply nested code."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 20_000))
    yield
    sys.setrecursionlimit(before)
