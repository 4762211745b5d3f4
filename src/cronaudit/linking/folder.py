"""What the parts of the folding machinery may ask of each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from cronaudit.linking.scopes import Scopes
from cronaudit.linking.surfaces import Surfaces
from cronaudit.model.ir import Call, Expr, Function, Module, TypeRef
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, ClassValue, External, Instance, Lazy, Scope, Value


class Modules(Protocol):
    """The parsed files of the tree, parsed when they are first asked for."""

    def module(self, path: str) -> Module | None:
        """The parsed file; None where there is none or it may not be parsed."""

    def resolve(self, specifier: str, importer: Module) -> str | None:
        """The path that a specifier means in `importer`; None outside the tree."""

    def calls_of(self, module: Module, name: str) -> Sequence[tuple[Call, Function | Module]]:
        """The calls of a module whose callee ends in a name, with the function that they stand in."""

    def taking(self, function: Function) -> Call | None:
        """The call that a function expression is an argument of."""

    def on_the_spot(self, function: Function) -> tuple[Call, Function | Module] | None:
        """The call of a function expression where it stands; None where there is none."""

    def assigning(self, node: Function | Module, name: str) -> Iterator[Function]:
        """The functions inside `node` that may assign a variable of it."""

    def assigning_files(self, stem: str, name: str) -> tuple[str, ...]:
        """The Python files of that name, and those below folders of that name, that assign `name` when loaded."""

    def json(self, path: str) -> object:
        """The content of a JSON file of the tree; None where it is none."""

    def sources_in(self, folder: str, *, deep: bool) -> Sequence[str]:
        """The paths of a folder's source files that run in production, sorted; those of its folders too if `deep`."""


class Folder(Protocol):
    """Folds expressions to values."""

    modules: Modules
    scopes: Scopes
    surfaces: Surfaces

    def fold(self, expr: Expr, scope: Scope) -> Value:
        """What `expr` comes to in `scope`."""

    def force(self, value: Value | Lazy) -> Value:
        """A value that is not lazy."""

    def member(self, value: Value, name: str, at: Location | None = None) -> Value:
        """``value.name``."""

    def item(self, value: Value, index: Value, at: Location | None = None) -> Value:
        """``value[index]``."""

    def apply(self, callee: Value, args: Arguments, call: Call | None, at: Location | None) -> Value:
        """The result of a call."""

    def arguments(self, call: Call, scope: Scope) -> Arguments:
        """The folded arguments of a call."""

    def module_scope(self, module: Module) -> Scope:
        """The one scope of a module."""

    def scope_of(self, node: Function | Module) -> Scope:
        """The scope of a function or module with nothing bound by a caller."""

    def instance(self, of: ClassValue, args: Arguments | None, at: Location | None) -> Instance:
        """An object of a class, one for each place and arguments."""

    def passed(self, callee: External) -> tuple[str, ...]:
        """What a call outside the tree passes to its callback, as paths."""

    def constant(self, path: str, at: Location | None) -> Value | None:
        """The value of a constant outside the tree, where the knowledge base has one."""

    def is_of_row(self, path: str, name: str) -> bool:
        """Whether a path outside the tree is one object of the class that a query is asked of."""

    def configured(self, holder: External, name: str, at: Location | None) -> Value | None:
        """A setting of the project, where `holder` is the object in which a framework gathers them."""

    def stated(self, member: External) -> Value | None:
        """What a member of an object of a library comes to, where the object's own arguments say so."""

    def export(self, module: Module, name: str) -> Value:
        """An export of a module, re-exports followed."""

    def typed(self, type_ref: TypeRef | None, scope: Scope, at: Location | None = None) -> Value | None:
        """An object of the declared type, of which nothing else is known."""

    def field(self, instance: Instance, name: str) -> Value | None:
        """A field or method of an instance; None where its classes define none."""
