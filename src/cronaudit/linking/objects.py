"""Members and items of folded values, and what a declared type tells of one."""

from __future__ import annotations

from cronaudit.linking import exports, global_members, instances, names, operators, outside
from cronaudit.linking.defaults import option_default
from cronaudit.linking.folder import Folder
from cronaudit.model.ir import Array, Call, Class, FunctionKind, Object, Spread, TypeRef
from cronaudit.model.source import Language, Location
from cronaudit.model.value import (
    Arguments,
    Builtin,
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

_RECORD_METHODS = frozenset(
    ("get", "items", "keys", "values", "update", "copy", "setdefault", "pop", "hasOwnProperty")
)
_TRANSPARENT_TYPES = frozenset(
    (
        "Promise",
        "Readonly",
        "Partial",
        "Required",
        "NonNullable",
        "Awaited",
        "Optional",
        "Annotated",
        "Final",
        "ClassVar",
    )
)
_BASES = 12
_TASK_NAMES = ("name", "task_name")
"""What queues call the name of a task: the attribute of the task, and the argument that gives it."""


def _behind_proxy(folder: Folder, proxy: External, name: str, at: Location | None) -> Value | None:
    """A member of ``new Proxy({}, {get: (_, key) => real()[key]})``: what the handler's getter gives for it."""
    args = proxy.args.positional if proxy.args is not None else ()
    target, handler = (folder.force(a) for a in args) if len(args) == 2 else (None, None)
    if target is None or not isinstance(handler, Record):
        return None
    getter = folder.force(handler.entries["get"]) if "get" in handler.entries else None
    if getter is None and handler.complete:
        return member(folder, target, name, at)
    if not isinstance(getter, Closure):
        return None
    found = folder.apply(getter, Arguments((target, Known(name, at)), {}), None, at)
    return None if isinstance(found, Unknown) else found


def member(folder: Folder, value: Value, name: str, at: Location | None) -> Value:
    """``value.name``."""
    match value:
        case Record():
            if name in value.entries:
                found = folder.force(value.entries[name])
                if (
                    isinstance(found, Closure)
                    and found.this is None
                    and found.function.kind is not FunctionKind.ARROW
                ):
                    return Closure(found.function, found.scope, value, found.bound)
                return found
            if name in _RECORD_METHODS:
                return Builtin(value, name)
            if value.rest is not None:
                return outside.member(value.rest, name, at)
            return Known(None, at) if value.complete else Unknown(f"{name} is not written out", at)
        case Instance():
            own = folder.field(value, name)
            return own if own is not None else Unknown(f"{value.of.cls.name} has no {name} that is known", at)
        case External():
            if value.path == "global:module" and name == "exports" and at is not None:
                module = folder.modules.module(at.path)
                if module is not None:
                    return folder.export(module, "*")
            if value.path in global_members.GLOBALS and (kept := global_members.kept(folder, name, at)):
                return kept
            found = outside.member(value, name, at)
            if not isinstance(found, External):
                return found
            if value.path == "global:Proxy()" and (behind := _behind_proxy(folder, value, name, at)):
                return behind
            return (
                _of_row(folder, value, name)
                or instances.of_query(folder, value, name)
                or folder.constant(found.path, at)
                or folder.configured(value, name, at)
                or folder.stated(found)
                or found
            )
        case Namespace():
            return folder.export(value.module, name)
        case ClassValue():
            return instances.static_member(folder, value, name, at)
        case Symbol():
            return _symbol_member(folder, value, name, at)
        case Choice():
            return operators.choice(tuple(member(folder, o, name, at) for o in value.options))
        case Shape():
            return _shape_member(folder, value, name, at)
        case Closure():
            if name in ("call", "apply", "bind", "delay", "apply_async", "s", "si"):
                return Builtin(value, name)
            if value.function.module.language is Language.PYTHON and name in (
                "__name__",
                "__qualname__",
                "__module__",
                *_TASK_NAMES,
            ):
                named = _python_name(folder, value, name)
                if named is not None:
                    return named
            return exports.property_of(folder, value, name) or Builtin(value, name)
        case Known() | Text() | Sequence() | Env():
            if name == "length" and isinstance(value, Sequence) and value.complete:
                return Known(len(value.items), at)
            return Builtin(value, name)
        case _:
            return value if isinstance(value, Unknown) else Unknown(f"{name} of a built-in", at)


def _of_row(folder: Folder, value: External, name: str) -> Closure | None:
    """A method that the project gives the rows of a query: ``for order in Order.objects.all(): order.expire()``."""
    if value.row is None or not folder.is_of_row(value.path, name):
        return None
    for cls in instances.lineage(folder, value.row):
        method = cls.cls.method(name) if isinstance(cls, ClassValue) else None
        if method is not None and isinstance(cls, ClassValue):
            is_called = method.kind is not FunctionKind.GETTER and not method.is_static
            return Closure(method, cls.scope, Instance(value.row, None, value.at)) if is_called else None
    return None


def _python_name(folder: Folder, closure: Closure, attribute: str) -> Known | None:
    """``__name__`` of a function, and ``name`` of a task: the one that its decorator gives it, else its path."""
    function = closure.function
    module = function.module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if attribute == "__module__":
        return Known(module, function.location)
    if attribute not in _TASK_NAMES:
        return Known(function.name, function.location)
    if not function.decorators:
        return None
    for decorator in function.decorators:
        for argument in decorator.args if isinstance(decorator, Call) else ():
            if argument.name == attribute:
                given = folder.fold(argument.value, closure.scope)
                return given if isinstance(given, Known) else None
    return Known(f"{module}.{function.name}", function.location)


def item(folder: Folder, value: Value, index: Value, at: Location | None) -> Value:
    """``value[index]``."""
    if isinstance(index, Known):
        if isinstance(value, Sequence) and isinstance(index.value, int):
            try:
                return (
                    folder.force(value.items[index.value]) if value.complete else Unknown("an open list", at)
                )
            except IndexError:
                return Known(None, at)
        if isinstance(value, Known) and isinstance(value.value, str) and isinstance(index.value, int):
            return (
                Known(value.value[index.value], at)
                if abs(index.value) < len(value.value)
                else Known(None, at)
            )
        if isinstance(index.value, str):
            return member(folder, value, index.value, at)
    if isinstance(value, Record):
        if not value.entries:
            return Unknown("an item of an empty object", at)
        return operators.choice(folder.force(v) for v in value.entries.values())
    if isinstance(value, Sequence) and value.items:
        return operators.choice(folder.force(v) for v in value.items)
    if isinstance(value, External):
        if value.path in outside.ENVIRONMENTS:
            return Unknown("an environment variable whose name is computed", at)
        receiver = value if value.path.endswith(")") else value.receiver
        return External(f"{value.path}[]", at=at, receiver=receiver, of=value.of, row=value.row)
    if isinstance(value, Symbol):
        return Symbol(value.owner, value.name, (*value.path, "[]"), None, value.scope)
    return value if isinstance(value, Unknown) else Unknown("an item that cannot be told", at)


def spread_into(folder: Folder, entries: dict[str, Value | Lazy], spread: Value) -> bool:
    """Copy what ``...spread`` brings; False where not all of it is known."""
    if isinstance(spread, Choice):
        records = [o for o in spread.options if isinstance(o, Record)]
        if records:
            spread_into(folder, entries, records[0])
            return len(records) == len(spread.options) == 1
        return False
    if isinstance(spread, Record):
        entries.update(spread.entries)
        return spread.complete
    return isinstance(spread, Known) and not spread.value


def _symbol_member(folder: Folder, value: Symbol, name: str, at: Location | None) -> Value:
    extended = Symbol(value.owner, value.name, (*value.path, name), None, value.scope)
    if not value.path and (stated := option_default(folder, value, name)) is not None:
        return stated
    if isinstance(value.owner, Class) and not value.path:
        of = ClassValue(value.owner, value.scope or folder.module_scope(value.owner.module))
        found = instances.field_of(folder, Instance(of, None), value, name)
        return extended if found is None or isinstance(found, Unknown) else found
    if value.type is not None and value.scope is not None:
        typed = folder.typed(value.type, value.scope, at)
        if typed is not None:
            found = member(folder, typed, name, at)
            spreads = isinstance(found, Record) and found.rest is not None
            if spreads or isinstance(found, Closure | External | Instance | Shape):
                return found
    return extended


def _shape_member(folder: Folder, value: Shape, name: str, at: Location | None, depth: int = 0) -> Value:
    """A member of an object of which only the interface is known: an object of the member's declared type."""
    for field in value.interface.fields:
        if field.name == name:
            return folder.typed(field.type, value.scope, at) or Unknown(f"{name} is only declared", at)
    if any(method.name == name for method in value.interface.methods):
        return Builtin(value, name)
    for base in value.interface.bases:
        inherited_from = folder.typed(base, value.scope, at) if depth < _BASES else None
        if isinstance(inherited_from, Shape):
            found = _shape_member(folder, inherited_from, name, at, depth + 1)
            if not isinstance(found, Unknown):
                return found
        elif inherited_from is not None:
            return folder.member(inherited_from, name, at)
    return Unknown(f"{name} is only declared", at)


def typed(folder: Folder, type_ref: TypeRef | None, scope: Scope, at: Location | None) -> Value | None:
    """An object of a declared type; None where the type names nothing that is known."""
    while type_ref is not None and type_ref.name.rsplit(".", 1)[-1] in _TRANSPARENT_TYPES and type_ref.args:
        type_ref = type_ref.args[0]
    if type_ref is None or type_ref.name == "[]" or not type_ref.name:
        return None
    if type_ref.name == "ReturnType" and type_ref.args and type_ref.args[0].name == "typeof":
        return _given_by(folder, type_ref.args[0].args[0], scope, at)
    head, *rest = type_ref.name.split(".")
    value = names.lookup(folder, head, scope, type_ref.line)
    for part in rest:
        value = member(folder, value, part, at)
    if isinstance(value, ClassValue):
        return None if value.cls.is_enum else folder.instance(value, None, at)
    if isinstance(value, Shape):
        return value
    # ``z.infer<typeof schema>`` is no class; classes are capitalised.
    is_class = type_ref.name.rsplit(".", 1)[-1][:1].isupper()
    if isinstance(value, External) and is_class and not value.path.startswith(("global:", "builtins.")):
        return External(f"{value.path}()", at=at)
    return None


def _given_by(folder: Folder, made_by: TypeRef, scope: Scope, at: Location | None) -> Value | None:
    """``ReturnType<typeof createServices>``, where a library's object is spread into what that gives back.

    Of anything else those who call the function know more.
    """
    maker = names.lookup(folder, made_by.name, scope, made_by.line)
    if not isinstance(maker, Closure):
        return None
    made = folder.apply(maker, Arguments((), {}, complete=False), None, at)
    return made if isinstance(made, Record) and made.rest is not None else None


# ---- displays ---------------------------------------------------------------------------------------------------


def of_object(folder: Folder, expr: Object, scope: Scope) -> Value:
    """An object display."""
    entries: dict[str, Value | Lazy] = {}
    complete = True
    rest: External | None = None
    for entry in expr.entries:
        if entry.key is None:
            spread = folder.fold(entry.value, scope)
            complete = spread_into(folder, entries, spread) and complete
            rest = spread if isinstance(spread, External) and spread.path.endswith("()") else rest
        elif isinstance(entry.key, str):
            entries[entry.key] = Lazy(entry.value, scope)
        else:
            key = folder.fold(entry.key, scope)
            if isinstance(key, Known):
                entries[operators.as_text(key)] = Lazy(entry.value, scope)
            elif isinstance(key, External | ClassValue):
                entries[f"\0{id(entry)}"] = Lazy(entry.value, scope)
            else:
                complete = False
                entries[f"\0{len(entries)}:{entry.line}"] = Lazy(entry.value, scope)
    return Record(entries, complete, Location(scope.module.path, expr.line, expr.end_line), rest)


def of_array(folder: Folder, expr: Array, scope: Scope) -> Value:
    """A list display."""
    items: list[Value | Lazy] = []
    complete = True
    for item in expr.items:
        if isinstance(item, Spread):
            value = folder.fold(item.value, scope)
            if isinstance(value, Sequence):
                items.extend(value.items)
                complete = complete and value.complete
            else:
                complete = False
        else:
            items.append(Lazy(item, scope))
    return Sequence(tuple(items), complete, Location(scope.module.path, expr.line, expr.end_line))
