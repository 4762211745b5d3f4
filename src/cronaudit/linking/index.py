"""The linked tree as the other stages see it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Protocol

from cronaudit.linking import instances, listings
from cronaudit.linking.builtins import ForeignFolds
from cronaudit.linking.callers import Callers
from cronaudit.linking.fold import Evaluator
from cronaudit.linking.imports import from_json
from cronaudit.linking.program import Files, ImportIndex, Program
from cronaudit.linking.reach import Reach
from cronaudit.linking.resolve import Resolver
from cronaudit.linking.usages import needs_caller, symbols
from cronaudit.linking.walk import Walker
from cronaudit.model.ir import Call, Class, Expr, Function, Module
from cronaudit.model.linker import Bound, Enters
from cronaudit.model.source import Language, Location
from cronaudit.model.trace import Event, Trace
from cronaudit.model.value import (
    Arguments,
    ClassValue,
    Closure,
    External,
    Instance,
    Known,
    Lazy,
    Scope,
    Symbol,
    Value,
)


class Imports(ImportIndex, Protocol):
    """The import index of the byte search."""

    def imports_of(self, path: str) -> Iterable[str]:
        """The specifiers that a file imports."""

    def names_of(self, path: str) -> Iterable[tuple[str, str]]:
        """What a Python file takes from modules: module and name."""


class Index:
    """Implements `model.linker.Linker`."""

    def __init__(
        self,
        files: Files,
        paths: frozenset[str],
        parse: Callable[[str, bytes, Language], Module],
        imports: Imports,
        foreign: ForeignFolds,
    ) -> None:
        self._files = files
        self._imports = imports
        self.program = Program(files, Resolver(paths, files.read), parse, imports)
        self._ev = Evaluator(self.program, foreign)
        self._callers = Callers(self._ev, self.program)
        self._imported: dict[str, tuple[str, ...]] = {}
        self._reach = Reach(self.imported_files)
        self._walks: dict[tuple[int, int, int], tuple[Closure, Trace]] = {}
        """Walks by the identity of what they start from, which they keep alive."""

    # ---- files -----------------------------------------------------------------------------------------------

    def module(self, path: str) -> Module | None:
        """The parsed file; None where there is none or it may not be parsed."""
        return self.program.module(path)

    def json(self, path: str) -> Value | None:
        """The content of a JSON file; None where it is none."""
        content = self.program.json(path)
        return None if content is None else from_json(content, Location(path, 1))

    def parsed(self) -> tuple[Module, ...]:
        """What has been parsed so far, by path."""
        return self.program.parsed

    def language(self, path: str) -> Language | None:
        """The language of a file that may be parsed."""
        return self._files.language(path)

    def source(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._files.read(path)

    def found_at(self, where: Known, at: Location) -> tuple[str, ...]:
        """The file, or the code files of the folder, that a path in a program means; empty where there is none.

        A program is started in the folder of its package, and may be compiled into another folder than its source.
        """
        path = listings.tree_path(where, at)
        if path is None:
            return ()
        package = self.program.resolver.package_folder(posixpath.dirname(at.path))
        for one in dict.fromkeys((path, posixpath.join(package, path))):
            for candidate in dict.fromkeys((one, *listings.sources_of(one))):
                if candidate in self.program.resolver.paths:
                    return (candidate,)
                if found := self.program.sources_in(candidate, deep=True):
                    return found
        return ()

    def importing(self, path: str) -> tuple[str, ...]:
        """The files that import `path` directly, sorted."""
        return self.program.importing(path)

    def imported_files(self, path: str) -> tuple[str, ...]:
        """The files of the tree that `path` imports directly, sorted."""
        found = self._imported.get(path)
        if found is None:
            resolver = self.program.resolver
            python = self._files.language(path) is Language.PYTHON
            resolve = resolver.resolve_python if python else resolver.resolve
            specifiers = list(self._imports.imports_of(path))
            if python:  # ``from shop import tasks`` loads shop/tasks.py
                specifiers += [
                    f"{module}{'' if module.endswith('.') else '.'}{name}"
                    for module, name in self._imports.names_of(path)
                    if resolver.may_be_package(module, path)
                ]
            targets = (resolve(specifier, path) for specifier in specifiers)
            found = tuple(sorted({t for t in targets if t is not None and t != path}))
            self._imported[path] = found
        return found

    def reached(self, *paths: str) -> AbstractSet[str]:
        """The files that `paths` import, directly or not, and themselves."""
        return self._reach.of(*paths)

    def resolve(self, specifier: str, importer: Module) -> str | None:
        """The file that a specifier means; None outside the tree."""
        return self.program.resolve(specifier, importer)

    def specifiers(self, path: str) -> tuple[str, ...]:
        """What a file imports, as it writes it."""
        return tuple(self._imports.imports_of(path))

    # ---- folding ---------------------------------------------------------------------------------------------

    def fold(self, expr: Expr, scope: Scope) -> Value:
        """What `expr` comes to in `scope`."""
        return self._ev.fold(expr, scope)

    def force(self, value: Value | Lazy) -> Value:
        """A value that is not lazy."""
        return self._ev.force(value)

    def member(self, value: Value, name: str) -> Value:
        """``value.name``."""
        return self._ev.member(value, name)

    def item(self, value: Value, index: Value) -> Value:
        """``value[index]``."""
        return self._ev.item(value, index)

    def arguments(self, call: Call, scope: Scope) -> Arguments:
        """The arguments of a call."""
        return self._ev.arguments(call, scope)

    def apply(self, callee: Value, args: Arguments) -> Value:
        """The result of a call."""
        return self._ev.apply(callee, args, None, None)

    def scope_of(self, node: Function | Module) -> Scope:
        """The scope of a function or module with nothing bound by a caller."""
        return self._ev.scope_of(node)

    def symbols(self, value: Value | Lazy) -> Iterator[Symbol]:
        """The open symbols inside a folded value."""
        return symbols(value, self._ev)

    def needs_caller(self, value: Value | Lazy) -> bool:
        """Whether only a caller tells a value: a parameter, or an item of a list that is one."""
        return needs_caller(value, self._ev)

    # ---- classes ---------------------------------------------------------------------------------------------

    def class_value(self, cls: Class) -> ClassValue:
        """A class with its scope."""
        return self._callers.usages.class_value(cls)

    def lineage(self, value: ClassValue) -> Iterator[ClassValue | External]:
        """A class and what it inherits from."""
        return instances.lineage(self._ev, value)

    def outside(self, instance: Instance) -> Value | None:
        """What an instance is outside the tree: the object of the foreign class that its own class inherits from."""
        made = instances.outside_arguments(self._ev, instance)
        if made is None or made.args is None:
            return made
        return self._ev.apply(External(made.path.removesuffix("()")), made.args, None, made.at)

    def subclasses(self, cls: Class) -> tuple[ClassValue, ...]:
        """All classes of the tree that inherit from `cls`."""
        return self._callers.usages.subclasses(cls)

    def instances(self, cls: Class) -> tuple[tuple[Instance, tuple[Location, ...]], ...]:
        """Every object of `cls` or a class below it that the tree makes."""
        return self._callers.instances(cls)

    def classes(self, module: Module) -> tuple[Class, ...]:
        """The classes of a module."""
        return self.program.classes(module)

    # ---- up and down -----------------------------------------------------------------------------------------

    def calls(
        self, module: Module, names: Collection[str] | None = None
    ) -> dict[str, list[tuple[Call, Function | Module]]]:
        """The calls of a module by the last name of their callee; of those names alone, where some are given."""
        contents = self.program.contents(module)
        return contents.all_calls() if names is None else contents.calls(names)

    def decorated(self, module: Module) -> Iterator[Function]:
        """The functions of a module that have decorators."""
        return self.program.contents(module).decorated()

    def functions(self, module: Module, *words: str) -> Iterator[Function]:
        """The functions of a module in whose lines one of the words stands."""
        return self.program.contents(module).functions(*words)

    def call_sites(self, function: Function) -> tuple[tuple[Call, Function | Module], ...]:
        """The calls that reach `function`."""
        return self._callers.usages.call_sites(function)

    def seek(self, node: Function | Module) -> None:
        """Find who calls a method in the whole tree, wherever an object of its class is handed to."""
        self._callers.seek(node)

    def bounds(self, node: Function | Module) -> tuple[Bound, ...]:
        """The scopes of `node`, one for each way in which the tree calls it."""
        return self._callers.bounds(node)

    def unroll(self, bound: Bound, values: Callable[[Scope], list[Value | Lazy]]) -> Iterator[Bound]:
        """Bind loop variables that `values` depends on, once for each item of a written-out list."""
        return self._callers.unroll(bound, values)

    def walk(
        self,
        start: Closure | Module,
        given: tuple[Value, ...] = (),
        caller: Event | None = None,
        enters: Enters | None = None,
    ) -> Trace:
        """Everything that a run of `start` may call.

        `given` is what the scheduler passes; `caller` is the call in another walk that runs it; `enters` tells of
        each function, with what it is handed, whether to go into it.
        """
        if given or caller is not None or enters is not None or isinstance(start, Module):
            return Walker(self._ev, self._callers.usages).walk(start, given, caller, enters)
        key = (id(start.function), id(start.scope), id(start.this))
        found = self._walks.get(key)
        if found is None:
            trace = Walker(self._ev, self._callers.usages).walk(start)
            found = self._walks[key] = (start, trace)
        return found[1]
