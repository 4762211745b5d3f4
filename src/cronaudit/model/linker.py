"""What recognition may ask of linking. `audit` hands the implementation over; neither stage imports the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Protocol, TypeAlias

from msgspec import Struct

from cronaudit.model.ir import Call, Class, Expr, Function, Module
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

Enters: TypeAlias = Callable[["Closure", "Arguments"], bool]
"""Tells of a function that is called, with what it is handed, whether a walk is to go into it."""


class Item(Struct, frozen=True, eq=False):
    """An item of a registry, or an instance."""

    location: Location
    value: Value


class Bound(Struct, frozen=True, eq=False):
    """A scope in which a caller has bound what it passes, and how it came about."""

    scope: Scope
    chain: tuple[Location, ...]
    """The places that bound something, inner first: call sites, items of a registry, instances."""
    items: tuple[Item, ...] = ()
    """Those of them that are items of a registry or instances: what is stated there is one job's own."""
    rank: int = 0
    """How far down the list of alternatives the way leads: 0 is what runs by default."""


class Linker(Protocol):
    """The linked tree."""

    # ---- files
    def module(self, path: str) -> Module | None:
        """The parsed file; None where there is none or it may not be parsed."""

    def json(self, path: str) -> Value | None:
        """The content of a JSON file; None where it is none."""

    def parsed(self) -> tuple[Module, ...]:
        """What has been parsed so far, by path."""

    def language(self, path: str) -> Language | None:
        """The language of a file that may be parsed."""

    def source(self, path: str) -> bytes:
        """The bytes of a file."""

    def found_at(self, where: Known, at: Location) -> tuple[str, ...]:
        """The file, or the code files of the folder, that a path in a program means; empty where there is none."""

    def importing(self, path: str) -> tuple[str, ...]:
        """The files that import `path` directly, sorted."""

    def imported_files(self, path: str) -> tuple[str, ...]:
        """The files of the tree that `path` imports directly, sorted; by byte search, nothing is parsed."""

    def reached(self, *paths: str) -> AbstractSet[str]:
        """The files that `paths` import, directly or not, and themselves; by byte search, nothing is parsed."""

    def resolve(self, specifier: str, importer: Module) -> str | None:
        """The file that a specifier means; None outside the tree."""

    def specifiers(self, path: str) -> tuple[str, ...]:
        """What a file imports, as it writes it; by byte search."""

    # ---- folding
    def fold(self, expr: Expr, scope: Scope) -> Value:
        """What `expr` comes to in `scope`."""

    def force(self, value: Value | Lazy) -> Value:
        """A value that is not lazy."""

    def member(self, value: Value, name: str) -> Value:
        """``value.name``."""

    def item(self, value: Value, index: Value) -> Value:
        """``value[index]``."""

    def arguments(self, call: Call, scope: Scope) -> Arguments:
        """The arguments of a call."""

    def apply(self, callee: Value, args: Arguments) -> Value:
        """The result of a call."""

    def scope_of(self, node: Function | Module) -> Scope:
        """The scope of a function or module with nothing bound by a caller."""

    def symbols(self, value: Value | Lazy) -> Iterator[Symbol]:
        """The open symbols inside a folded value."""

    def needs_caller(self, value: Value | Lazy) -> bool:
        """Whether only a caller tells a value: a parameter, or an item of a list that is one."""

    # ---- classes
    def class_value(self, cls: Class) -> ClassValue:
        """A class with its scope."""

    def lineage(self, value: ClassValue) -> Iterator[ClassValue | External]:
        """A class and what it inherits from."""

    def outside(self, instance: Instance) -> Value | None:
        """What an instance is outside the tree: the object of the foreign class that its own class inherits from.

        None where it inherits from none, or nothing says what reaches that class's constructor.
        """

    def subclasses(self, cls: Class) -> tuple[ClassValue, ...]:
        """All classes of the tree that inherit from `cls`."""

    def instances(self, cls: Class) -> tuple[tuple[Instance, tuple[Location, ...]], ...]:
        """Every object of `cls` or a class below it that the tree makes."""

    def classes(self, module: Module) -> tuple[Class, ...]:
        """The classes of a module."""

    # ---- up and down
    def calls(
        self, module: Module, names: Collection[str] | None = None
    ) -> dict[str, list[tuple[Call, Function | Module]]]:
        """The calls of a module by the last name of their callee, with the function that they stand in.

        Where `names` are given, of those names alone: functions that hold none of them need not be lowered.
        """

    def decorated(self, module: Module) -> Iterator[Function]:
        """The functions of a module that have decorators, at any depth, in order."""

    def functions(self, module: Module, *words: str) -> Iterator[Function]:
        """The functions of a module in whose lines one of the words stands, at any depth, in order."""

    def call_sites(self, function: Function) -> tuple[tuple[Call, Function | Module], ...]:
        """The calls that reach `function`."""

    def seek(self, node: Function | Module) -> None:
        """Find who calls a method in the whole tree, wherever an object of its class is handed to."""

    def bounds(self, node: Function | Module) -> tuple[Bound, ...]:
        """The scopes of `node`, one for each way in which the tree calls it."""

    def unroll(self, bound: Bound, values: Callable[[Scope], list[Value | Lazy]]) -> Iterator[Bound]:
        """Bind loop variables that `values` depends on, once for each item of a written-out list."""

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


class TokenHits(Protocol):
    """Where the byte search found its tokens."""

    def files_with(self, *tokens: bytes) -> tuple[str, ...]:
        """The files that hold any of the tokens, sorted."""

    def in_file(self, path: str) -> Iterable[tuple[bytes, int]]:
        """The tokens of one file with their offsets."""
