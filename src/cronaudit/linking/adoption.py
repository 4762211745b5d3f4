"""Methods in a file of their own: ``Clock.prototype.tick = tick`` after ``const { tick } = require('./tick')``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from cronaudit.model.ir import (
    Assign,
    Call,
    Class,
    Const,
    Define,
    Expr,
    Function,
    FunctionKind,
    Import,
    Member,
    Module,
    Name,
    Object,
)


class Modules(Protocol):
    """What is asked of the program."""

    def module(self, path: str) -> Module | None:
        """The parsed file."""

    def importing(self, path: str) -> tuple[str, ...]:
        """The files that import a file."""

    def mentions(self, path: str, word: str) -> bool:
        """Whether the bytes of a file hold a word."""

    def resolve(self, specifier: str, importer: Module) -> str | None:
        """The path that a specifier means."""


def adopt(program: Modules, module: Module) -> None:
    """Give the classes of a new module the methods of other files, or its functions to the classes of others."""
    if program.mentions(module.path, ".prototype"):
        _adopt_into(program, module)
    # A file with classes of its own has its methods there.
    if program.mentions(module.path, "this.") and not program.mentions(module.path, "class "):
        for importer in program.importing(module.path):
            if program.mentions(importer, ".prototype"):
                program.module(importer)  # it adopts as it is parsed


def _adopt_into(program: Modules, module: Module) -> None:
    imported = {local: (specifier, name) for specifier, name, local in _imports(module)}
    for statement in module.body:
        cls = statement.definition if isinstance(statement, Define) else None
        if not isinstance(cls, Class):
            continue
        for entry in cls.fields:
            value = entry.value
            if not isinstance(value, Name) or entry.is_static or value.name not in imported:
                continue
            specifier, name = imported[value.name]
            path = program.resolve(specifier, module)
            other = program.module(path) if path is not None and path != module.path else None
            function = _exported(other, name) if other is not None else None
            if function is None or function.owner is not None or function.kind is not FunctionKind.FUNCTION:
                continue
            function.owner = cls
            cls.adopted = (*cls.adopted, function)


def _imports(module: Module) -> Iterator[tuple[str, str, str]]:
    """Specifier, name there (``*`` for the whole) and name here."""
    for statement in module.body:
        if isinstance(statement, Import):
            yield statement.module, "*" if statement.name == "default" else statement.name, statement.local
        elif isinstance(statement, Assign):
            specifier = _required(statement.value)
            if specifier is None:
                continue
            target = statement.target
            if isinstance(target, Name):
                yield specifier, "*", target.name
            elif isinstance(target, Object):
                for entry in target.entries:
                    if isinstance(entry.key, str) and isinstance(entry.value, Name):
                        yield specifier, entry.key, entry.value.name


def _required(value: Expr | None) -> str | None:
    if (
        isinstance(value, Call)
        and isinstance(value.callee, Name)
        and value.callee.name == "require"
        and value.args
    ):
        path = value.args[0].value
        return path.value if isinstance(path, Const) and isinstance(path.value, str) else None
    return None


def _exported(module: Module, name: str) -> Function | None:
    for entry in module.exports:
        if entry.name == ("default" if name == "*" else name):
            return _function(module, entry.value)
    for statement in module.body:
        target = statement.target if isinstance(statement, Assign) else None
        if not isinstance(statement, Assign) or not isinstance(target, Member):
            continue
        whole = (
            isinstance(target.object, Name) and target.object.name == "module" and target.name == "exports"
        )
        if whole and isinstance(statement.value, Object):
            found = next((e.value for e in statement.value.entries if e.key == name), None)
            if found is not None:
                return _function(module, found)
        elif (whole and name == "*") or (target.name == name and _is_exports(target.object)):
            return _function(module, statement.value)
    return None


def _is_exports(expr: Expr) -> bool:
    return (isinstance(expr, Name) and expr.name == "exports") or (
        isinstance(expr, Member)
        and expr.name == "exports"
        and isinstance(expr.object, Name)
        and expr.object.name == "module"
    )


def _function(module: Module, value: Expr | None) -> Function | None:
    if isinstance(value, Function):
        return value
    if not isinstance(value, Name):
        return None
    for statement in module.body:
        if isinstance(statement, Define) and isinstance(statement.definition, Function):
            if statement.definition.name == value.name:
                return statement.definition
        elif (
            isinstance(statement, Assign)
            and isinstance(statement.target, Name)
            and statement.target.name == value.name
            and isinstance(statement.value, Function)
        ):
            return statement.value
    return None
