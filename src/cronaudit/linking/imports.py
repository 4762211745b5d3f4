"""What an import binds: a symbol of another file, of a package outside the tree, or the content of a JSON file."""

from __future__ import annotations

from cronaudit.linking.folder import Folder
from cronaudit.model.ir import (
    Import,
    Module,
)
from cronaudit.model.source import Language, Location
from cronaudit.model.value import (
    External,
    Known,
    Namespace,
    Record,
    Sequence,
    Unknown,
    Value,
)


def imported(folder: Folder, node: Import, importer: Module) -> Value:
    """What an import binds."""
    if importer.language is Language.PYTHON:
        return _imported_python(folder, node, importer)
    at = Location(importer.path, node.line)
    path = folder.modules.resolve(node.module, importer)
    if path is None:
        found = external(node.module, node.name, at)
        return folder.constant(found.path, at) or found
    module = folder.modules.module(path)
    if module is None:
        content = folder.modules.json(path)
        return from_json(content, at) if content is not None else Unknown(f"{path} was not parsed", at)
    if node.name == "*":
        return Namespace(module)
    return folder.export(module, node.name)


def external(package: str, name: str, at: Location | None) -> External:
    """A symbol of a package that is not in the tree; ``node:`` is dropped."""
    package = package.removeprefix("node:")
    return External(f"{package}:" if name in ("*", "default") else f"{package}:{name}", at=at)


def _imported_python(folder: Folder, node: Import, importer: Module) -> Value:
    at = Location(importer.path, node.line)
    whole = node.name == "*"
    if whole and node.local == node.module.split(".")[0] and "." in node.module:
        # ``import a.b`` binds ``a``; the rest is taken as members.
        return _python_module(folder, node.local, importer, at)
    if whole:
        return _python_module(folder, node.module, importer, at)
    path = folder.modules.resolve(node.module, importer)
    if path is not None:
        module = folder.modules.module(path)
        if module is not None and node.name in folder.scopes.table(module):
            return folder.export(module, node.name)
        joint = node.module if node.module.endswith(".") else node.module + "."
        inner = folder.modules.resolve(joint + node.name, importer)
        if inner is not None and (found := folder.modules.module(inner)) is not None:
            return Namespace(found)
        if module is not None:
            return folder.export(module, node.name)
        return Unknown(f"{path} was not parsed", at)
    joint = node.module if node.module.endswith(".") else node.module + "."
    inner = folder.modules.resolve(joint + node.name, importer)
    if inner is not None and (found := folder.modules.module(inner)) is not None:
        return Namespace(found)
    path = f"{node.module}.{node.name}"
    return folder.constant(path, at) or External(path, at=at)


def _python_module(folder: Folder, name: str, importer: Module, at: Location) -> Value:
    path = folder.modules.resolve(name, importer)
    module = folder.modules.module(path) if path else None
    return Namespace(module) if module is not None else External(name, at=at)


def from_json(content: object, at: Location) -> Value:
    """A value from a JSON file."""
    if isinstance(content, dict):
        return Record({str(k): from_json(v, at) for k, v in content.items()}, complete=True, at=at)
    if isinstance(content, list):
        return Sequence(tuple(from_json(v, at) for v in content), complete=True, at=at)
    if isinstance(content, str | int | float) or content is None:
        return Known(content, at)
    return Unknown("not a JSON value", at)
