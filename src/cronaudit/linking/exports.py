"""What a module gives to others: ES exports, CommonJS, and members that are assigned afterwards."""

from __future__ import annotations

import posixpath

from cronaudit.linking import imports, mixins, names
from cronaudit.linking.folder import Folder
from cronaudit.linking.scopes import Store
from cronaudit.model.ir import (
    AssignExpr,
    Call,
    Do,
    Expr,
    Function,
    Member,
    Module,
    Name,
    Operation,
)
from cronaudit.model.source import Language, Location
from cronaudit.model.value import (
    Arguments,
    ClassValue,
    Closure,
    External,
    Known,
    Lazy,
    Namespace,
    Record,
    Scope,
    Symbol,
    Text,
    Unknown,
    Value,
)

_STARS = frozenset(("__exportStar", "__export"))
_TREE = "\0tree/"
_HERE = "\0__dirname/"
_INTEROP = frozenset(
    ("__importDefault", "__importStar", "_interopRequireDefault", "_interopRequireWildcard", "__toESM")
)


def is_interop(name: str) -> bool:
    """Whether a function is one that compilers write around ``require``."""
    return name in _INTEROP


def export(folder: Folder, module: Module, name: str) -> Value:
    """An export of a module; re-exports are followed, a CommonJS module is its own default."""
    return _export(folder, module, name, set())


def _export(folder: Folder, module: Module, name: str, seen: set[tuple[str, str]]) -> Value:
    if (module.path, name) in seen:
        return Unknown(f"the export {name} of {module.path} goes in a circle")
    seen.add((module.path, name))
    scope = folder.module_scope(module)
    if module.language is Language.PYTHON:
        return _python_export(folder, module, name, seen)
    surface = folder.surfaces.of(module)
    entry = surface.by_name.get(name)
    if entry is not None:
        if entry.module is None:
            return (
                folder.fold(entry.value, scope) if entry.value is not None else Unknown(f"{name} is a type")
            )
        return _from(folder, module, entry.module, entry.source_name or name, entry.line, seen)
    outside: External | None = None
    for specifier in surface.stars:
        target = folder.surfaces.target(module, specifier)
        if target is None:
            continue
        if name == "*":
            return Namespace(target)
        found = _export(folder, target, name, seen)
        if isinstance(found, External):  # an object of a library, or any name of a library that it hands on
            outside = outside or found
        elif not isinstance(found, Unknown):
            return found
    if outside is not None:
        return outside
    if (surface.by_name or surface.stars) and not surface.has_commonjs:
        return Unknown(f"{module.path} exports no {name}")
    whole = commonjs(folder, module)
    if name in ("default", "*"):
        if isinstance(whole, Record) and name == "default" and "default" in whole.entries:
            return folder.force(whole.entries["default"])
        return whole
    return folder.member(whole, name)


def _from(
    folder: Folder, module: Module, specifier: str, name: str, line: int, seen: set[tuple[str, str]]
) -> Value:
    path = folder.modules.resolve(specifier, module)
    if path is None:
        return imports.external(specifier, name, Location(module.path, line))
    target = folder.modules.module(path)
    if target is None:
        return Unknown(f"{path} was not parsed")
    return Namespace(target) if name == "*" else _export(folder, target, name, seen)


def _python_export(folder: Folder, module: Module, name: str, seen: set[tuple[str, str]]) -> Value:
    scope = folder.module_scope(module)
    if name in folder.scopes.table(module):
        return names.lookup(folder, name, scope, 1)
    for entry in module.imports:
        if entry.name == "*" and entry.local == "*":
            path = folder.modules.resolve(entry.module, module)
            target = folder.modules.module(path) if path else None
            if target is not None:
                found = _export(folder, target, name, seen)
                if not isinstance(found, Unknown):
                    return found
    if posixpath.basename(module.path) == "__init__.py":
        inner = folder.modules.resolve(f".{name}", module)
        target = folder.modules.module(inner) if inner else None
        if target is not None:
            return Namespace(target)
    return Unknown(f"{module.path} defines no {name}")


# ---- CommonJS -------------------------------------------------------------------------------------------------


def commonjs(folder: Folder, module: Module) -> Value:
    """What ``require`` of a CommonJS module gives."""
    base: Value | None = None
    entries: dict[str, Value | Lazy] = {}
    void: dict[str, Value | Lazy] = {}
    scope = folder.module_scope(module)
    aliases = {"exports"}
    for owner, store in _stores(folder, module, aliases):
        inner = names.scope_inside(owner, scope)
        if isinstance(store.object, Name) and store.object.name == "module" and store.name == "exports":
            if not (isinstance(store.value, Name) and store.value.name in aliases):
                base = folder.fold(store.value, inner)
        elif _is_exports(store.object, aliases):
            (void if _is_void(store.value) else entries)[store.name] = Lazy(store.value, inner)
    complete = _merged(folder, module, aliases, entries)
    entries = {**void, **entries}
    at = Location(module.path, 1)
    if base is None:
        return Record(entries, complete, at)
    if isinstance(base, Record) and entries:
        return Record({**base.entries, **entries}, base.complete and complete, base.at)
    if entries and isinstance(base, Closure | ClassValue):
        # ``module.exports = f; module.exports.g = …``: the members are found by `property_of`.
        return base
    return base


def _merged(folder: Folder, module: Module, aliases: set[str], entries: dict[str, Value | Lazy]) -> bool:
    """Add what calls put into ``exports``; False where one could not be followed.

    ``Object.assign(exports, …)``, a compiler's ``__exportStar(require('./x'), exports)`` and
    ``Object.defineProperty(exports, 'x', {get})``, and a mixin: ``require('./x')(exports)``.
    """
    complete = True
    scope = folder.module_scope(module)
    for statement in module.body:
        call = statement.value if isinstance(statement, Do) else None
        if not isinstance(call, Call) or not call.args:
            continue
        name = getattr(call.callee, "name", "")
        first = call.args[0].value
        if name in _STARS and isinstance(first, Call):
            complete = _include(folder, entries, folder.fold(first, scope)) and complete
        elif not any(_is_exports(a.value, aliases) for a in call.args):
            continue
        elif name == "assign" and _is_exports(first, aliases):
            for argument in call.args[1:]:
                complete = _include(folder, entries, folder.fold(argument.value, scope)) and complete
        elif name == "defineProperty" and len(call.args) == 3:
            _define(folder, entries, call, scope)
    mixed, followed = mixins.mixed_in(folder, scope, frozenset(aliases))
    for key, value in mixed.items():
        entries.setdefault(key, value)
    return complete and followed


def _include(folder: Folder, entries: dict[str, Value | Lazy], value: Value) -> bool:
    if isinstance(value, Namespace):
        for entry in value.module.exports:
            if entry.name not in ("default", "*"):
                entries.setdefault(entry.name, export(folder, value.module, entry.name))
        return all(entry.name != "*" for entry in value.module.exports)
    if not isinstance(value, Record):
        return False
    for key, inner in value.entries.items():
        if key != "default":
            entries.setdefault(key, inner)
    return value.complete


def _define(folder: Folder, entries: dict[str, Value | Lazy], call: Call, scope: Scope) -> None:
    key = folder.fold(call.args[1].value, scope)
    descriptor = folder.fold(call.args[2].value, scope)
    if not isinstance(key, Known) or not isinstance(key.value, str) or not isinstance(descriptor, Record):
        return
    if "value" in descriptor.entries:
        entries.setdefault(key.value, descriptor.entries["value"])
    elif "get" in descriptor.entries:
        getter = folder.force(descriptor.entries["get"])
        entries.setdefault(key.value, folder.apply(getter, Arguments((), {}), None, None))


def _is_void(value: Expr) -> bool:
    return not isinstance(value, Function) and getattr(value, "value", 0) is None


def _is_exports(expr: Expr, aliases: set[str]) -> bool:
    if isinstance(expr, Name):
        return expr.name in aliases
    return (
        isinstance(expr, Member)
        and expr.name == "exports"
        and isinstance(expr.object, Name)
        and (expr.object.name == "module")
    )


def _stores(folder: Folder, module: Module, aliases: set[str]) -> list[tuple[Function | Module, Store]]:
    """Assignments at the top level and in functions that are called on the spot, with the aliases of ``exports``."""
    found: list[tuple[Function | Module, Store]] = []
    pending: list[Function | Module] = [module]
    while pending:
        owner = pending.pop(0)
        for name, bindings in folder.scopes.table(owner).items():
            if any(b.value is not None and _is_exports(b.value, aliases) for b in bindings):
                aliases.add(name)
            for binding in bindings:
                # ``const User = module.exports = {}``
                if isinstance(binding.value, AssignExpr) and _is_exports(binding.value.target, {"exports"}):
                    aliases.add(name)
        found.extend((owner, store) for store in folder.scopes.stores(owner))
        for statement in owner.body:
            call = statement.value if isinstance(statement, Do) else None
            while isinstance(call, Operation) and call.operands:
                call = call.operands[0]
            if isinstance(call, Call) and isinstance(_called(call), Function):
                function = _called(call)
                assert isinstance(function, Function)  # noqa: S101 - just checked
                offset = 1 if isinstance(call.callee, Member) else 0
                for param, arg in zip(function.params, call.args[offset:], strict=False):
                    if param.name and _is_exports(arg.value, aliases):
                        aliases.add(param.name)
                pending.append(function)
    return found


def _called(call: Call) -> Expr:
    callee = call.callee
    if isinstance(callee, Member) and callee.name in ("call", "apply"):
        return callee.object
    return callee


# ---- members that are assigned afterwards ------------------------------------------------------------------


def property_of(folder: Folder, value: Closure | ClassValue, name: str) -> Value | None:
    """``f.name`` where somewhere in the same scope ``f.name = …`` or ``f.prototype.name = …`` stands."""
    definition = value.function if isinstance(value, Closure) else value.cls
    if definition.name is None:
        return None
    scope = value.scope
    for store in folder.scopes.stores(scope.node):
        if store.name != name:
            continue
        target = store.object
        if isinstance(target, Member) and target.name == "prototype":
            target = target.object
        if (isinstance(target, Name) and target.name == definition.name) or _is_exports(target, set()):
            return folder.fold(store.value, scope)
    return None


def required(folder: Folder, specifier: Value, call: Call, scope: Scope) -> Value:
    """The result of ``require(specifier)`` and ``await import(specifier)``."""
    at = Location(scope.module.path, call.line)
    if isinstance(specifier, Symbol):
        return Symbol(specifier.owner, specifier.name, (*specifier.path, "()"), None, specifier.scope)
    if isinstance(specifier, Text):
        part = next((p for p in specifier.parts if isinstance(p, Symbol)), None)
        if part is None:
            return Unknown("a module whose name is computed", at)
        return required(folder, part, call, scope)
    if not isinstance(specifier, Known) or not isinstance(specifier.value, str):
        return Unknown("a module whose name is computed", at)
    name = specifier.value
    if name.startswith(_HERE):  # ``__dirname + '/jobs/' + file``
        name = _TREE + posixpath.join(posixpath.dirname(scope.module.path), name.removeprefix(_HERE))
    if name.startswith(_TREE):
        path: str | None = _in_tree(folder, name.removeprefix(_TREE), scope.module)
    else:
        path = folder.modules.resolve(name, scope.module)
    if path is None:
        return imports.external(name, "*", at)
    module = folder.modules.module(path)
    if module is None:
        content = folder.modules.json(path)
        return (
            imports.from_json(content, at) if content is not None else Unknown(f"{path} was not parsed", at)
        )
    is_es = any(True for _ in module.exports)
    return Namespace(module) if is_es or _is_dynamic(call) else commonjs(folder, module)


def _in_tree(folder: Folder, path: str, module: Module) -> str | None:
    """A path that the program puts together: ``path.join(__dirname, 'jobs', name)``."""
    relative = posixpath.relpath(path, posixpath.dirname(module.path) or ".")
    return folder.modules.resolve(relative if relative.startswith(".") else f"./{relative}", module)


def _is_dynamic(call: Call) -> bool:
    return isinstance(call.callee, Name) and call.callee.name == "import"


def interop(value: Value) -> Value:
    """The result of a compiler's wrapper around ``require``: an object with a ``default``."""
    if isinstance(value, External | Namespace):
        return value
    if isinstance(value, Record) and "default" in value.entries:
        return value
    entries: dict[str, Value | Lazy] = dict(value.entries) if isinstance(value, Record) else {}
    entries["default"] = value
    return Record(entries, complete=True)
