"""What a module says that it exports, indexed once: a barrel is asked for thousands of names."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from cronaudit.model.ir import Assign, AssignExpr, Do, Export, Expr, Member, Module, Name


class Resolving(Protocol):
    """What is asked of the files of the tree."""

    def module(self, path: str) -> Module | None:
        """The parsed file; None where there is none or it may not be parsed."""

    def resolve(self, specifier: str, importer: Module) -> str | None:
        """The path that a specifier means in `importer`; None outside the tree."""


class Surface(Struct, frozen=True):
    """The export statements of a module."""

    by_name: dict[str, Export]
    """The first statement for each name."""
    stars: tuple[str, ...]
    """The specifiers of ``export * from``."""
    has_commonjs: bool
    """Whether it also writes ``exports`` or ``module.exports``."""


class Surfaces:
    """The surfaces of modules, and what their ``export *`` means, each made once."""

    def __init__(self, modules: Resolving) -> None:
        self._modules = modules
        self._surfaces: dict[str, Surface] = {}
        self._targets: dict[tuple[str, str], Module | None] = {}

    def of(self, module: Module) -> Surface:
        """The surface of a module."""
        found = self._surfaces.get(module.path)
        if found is None:
            by_name: dict[str, Export] = {}
            for entry in module.exports:
                if entry.name != "*":
                    by_name.setdefault(entry.name, entry)
            stars = tuple(e.module or "" for e in module.exports if e.name == "*")
            found = Surface(by_name, stars, _has_commonjs(module))
            self._surfaces[module.path] = found
        return found

    def target(self, module: Module, specifier: str) -> Module | None:
        """The module that a specifier means; None outside the tree and where it was not parsed."""
        key = (module.path, specifier)
        if key not in self._targets:
            path = self._modules.resolve(specifier, module)
            self._targets[key] = self._modules.module(path) if path is not None else None
        return self._targets[key]


def _has_commonjs(module: Module) -> bool:
    return any(
        isinstance(s, Do | Assign) and _writes_exports(s.target if isinstance(s, Assign) else s.value)
        for s in module.body
    )


def _writes_exports(expr: Expr) -> bool:
    while isinstance(expr, AssignExpr):
        expr = expr.target
    while isinstance(expr, Member):
        if isinstance(expr.object, Name) and (expr.object.name, expr.name) == ("module", "exports"):
            return True
        expr = expr.object
    return isinstance(expr, Name) and expr.name == "exports"
