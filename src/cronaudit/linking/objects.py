"""Members, items, fields of instances, and the parameters of a call."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.linking import exports, names, operators, registries
from cronaudit.linking.folder import Folder
from cronaudit.model.ir import (
    Call,
    Class,
    Const,
    Do,
    Field,
    Function,
    FunctionKind,
    Member,
    Name,
    Super,
    This,
    TypeRef,
)
from cronaudit.model.source import Location
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
from cronaudit.model.walking import inside, statements

_RECORD_METHODS = frozenset(("get", "items", "keys", "values", "update", "copy", "setdefault", "pop", "hasOwnProperty"))
_TRANSPARENT_TYPES = frozenset(
    ("Promise", "Readonly", "Partial", "Required", "NonNullable", "Awaited", "Optional", "Annotated", "Final", "ClassVar")
)
_ENVIRONMENTS = frozenset(
    ("global:process.env", "global:Bun.env", "os.environ", "global:import.meta.env", "process:env")
)
_BASES = 12


def member(folder: Folder, value: Value, name: str, at: Location | None) -> Value:  # noqa: PLR0911, C901
    """``value.name``."""
    match value:
        case Record():
            if name in value.entries:
                found = folder.force(value.entries[name])
                if isinstance(found, Closure) and found.this is None and found.function.kind is not FunctionKind.ARROW:
                    return Closure(found.function, found.scope, value, found.bound)
                return found
            if name in _RECORD_METHODS:
                return Builtin(value, name)
            return Known(None, at) if value.complete else Unknown(f"{name} is not written out", at)
        case Instance():
            own = folder.field(value, name)
            return own if own is not None else Unknown(f"{value.of.cls.name} has no {name} that is known", at)
        case External():
            if value.path == "global:module" and name == "exports" and at is not None:
                own = folder.modules.module(at.path)
                if own is not None:
                    return folder.export(own, "*")
            outside = external_member(value, name, at)
            return (folder.constant(outside.path, at) or outside) if isinstance(outside, External) else outside
        case Namespace():
            return folder.export(value.module, name)
        case ClassValue():
            return static_member(folder, value, name, at)
        case Symbol():
            return _symbol_member(folder, value, name, at)
        case Choice():
            return operators.choice(tuple(member(folder, o, name, at) for o in value.options))
        case Shape():
            return _shape_member(folder, value, name, at)
        case Closure():
            if name in ("call", "apply", "bind", "delay", "apply_async", "s", "si"):
                return Builtin(value, name)
            return exports.property_of(folder, value, name) or Builtin(value, name)
        case Known() | Text() | Sequence() | Env():
            if name == "length" and isinstance(value, Sequence) and value.complete:
                return Known(len(value.items), at)
            return Builtin(value, name)
        case _:
            return value if isinstance(value, Unknown) else Unknown(f"{name} of a built-in", at)


def external_member(value: External, name: str, at: Location | None = None) -> Value:
    """A member of a symbol outside the tree; of the environment, a variable."""
    if value.path in _ENVIRONMENTS and name not in ("get", "setdefault"):
        return Env(name, at)
    if value.path == "global:globalThis" or value.path == "global:window":
        return External(f"global:{name}", at=at)
    if name == "default":
        return value
    dot = "" if value.path.endswith(":") else "."
    receiver = value if value.path.endswith(")") else value.receiver
    return External(f"{value.path}{dot}{name}", at=at, receiver=receiver)


def item(folder: Folder, value: Value, index: Value, at: Location | None) -> Value:
    """``value[index]``."""
    if isinstance(index, Known):
        if isinstance(value, Sequence) and isinstance(index.value, int):
            try:
                return folder.force(value.items[index.value]) if value.complete else Unknown("an open list", at)
            except IndexError:
                return Known(None, at)
        if isinstance(value, Known) and isinstance(value.value, str) and isinstance(index.value, int):
            return Known(value.value[index.value], at) if abs(index.value) < len(value.value) else Known(None, at)
        if isinstance(index.value, str):
            return member(folder, value, index.value, at)
    if isinstance(value, Record):
        options = tuple(folder.force(v) for v in value.entries.values())
        return operators.choice(options) if options else Unknown("an item of an empty object", at)
    if isinstance(value, Sequence) and value.items:
        return operators.choice(tuple(folder.force(v) for v in value.items))
    if isinstance(value, External):
        if value.path in _ENVIRONMENTS:
            return Unknown("an environment variable whose name is computed", at)
        return External(f"{value.path}[]", at=at, receiver=value if value.path.endswith(")") else value.receiver)
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


# ---- classes and instances ----------------------------------------------------------------------------------


def base_values(folder: Folder, value: ClassValue) -> Iterator[Value]:
    """The folded bases of a class."""
    for base in value.cls.bases:
        yield folder.fold(base, value.scope)


def lineage(folder: Folder, value: ClassValue) -> Iterator[ClassValue | External]:
    """A class and what it inherits from, depth first; outside the tree the first external symbol of each line."""
    stack: list[Value] = [value]
    seen: set[int] = set()
    while stack and len(seen) <= _BASES:
        current = stack.pop()
        if isinstance(current, ClassValue):
            if id(current.cls) in seen:
                continue
            seen.add(id(current.cls))
            yield current
            stack.extend(reversed(list(base_values(folder, current))))
        elif isinstance(current, External):
            yield current
        elif isinstance(current, Choice):
            stack.extend(reversed(current.options))


def static_member(folder: Folder, value: ClassValue, name: str, at: Location | None) -> Value:
    """A static member, an enum member, a class attribute, or an unbound method."""
    for current in lineage(folder, value):
        if isinstance(current, External):
            return external_member(current, name, at)
        for field in current.cls.fields:
            if field.name == name:
                return _static_field(folder, current, value, field, at)
        method = current.cls.method(name)
        if method is not None:
            closure = Closure(method, current.scope, value)
            if method.kind is FunctionKind.GETTER:
                return folder.apply(closure, Arguments((), {}), None, at)
            return closure
        stored = exports.property_of(folder, current, name)
        if stored is not None:
            return stored
    return Builtin(value, name)


def _static_field(
    folder: Folder, current: ClassValue, this: ClassValue, entry: Field, at: Location | None
) -> Value:
    """A class attribute; one that starts empty is filled by a method (``static instance = null``)."""
    value: Value | None = None
    if entry.value is not None:
        scope = Scope(current.scope.node, current.scope, this=this)
        if current.cls.is_enum and not isinstance(entry.value, Const):
            _bind_members(folder, scope, current, entry, at)
        value = folder.fold(entry.value, scope)
        if not names.is_absent(value):
            return value
    for method in current.cls.methods:
        for store in folder.scopes.stores(method):
            own = isinstance(store.object, This) or (
                isinstance(store.object, Name) and store.object.name == current.cls.name
            )
            if own and store.name == entry.name:
                stored = folder.fold(store.value, Scope(method, current.scope, this=this))
                if not names.is_absent(stored):
                    return stored
    return value or folder.typed(entry.type, current.scope, at) or Unknown(f"{entry.name} has no value", at)


def _bind_members(
    folder: Folder, scope: Scope, current: ClassValue, entry: Field, at: Location | None
) -> None:
    """The members of an enum that stand before one are names in its value: ``Hour = Minute * 60``."""
    mentioned = {e.name for e in inside(entry.value) if isinstance(e, Name)} if entry.value is not None else set()
    for earlier in current.cls.fields:
        if earlier is entry:
            return
        if earlier.name in mentioned:
            scope.values[earlier.name] = _static_field(folder, current, current, earlier, at)


def field(folder: Folder, instance: Instance, name: str) -> Value | None:
    """A field or method of an instance; None where its classes define none."""
    if name in instance.fields:
        return instance.fields[name]
    instance.fields[name] = Unknown(f"{name} depends on itself")
    found = _field(folder, instance, instance, name)
    if found is None:
        del instance.fields[name]
        return None
    instance.fields[name] = found
    return found


def _field(folder: Folder, instance: Instance, this: Value, name: str) -> Value | None:
    fallback: Value | None = None
    for current in lineage(folder, instance.of):
        if isinstance(current, External):
            return External(f"{current.path}().{name}", receiver=current) if fallback is None else fallback
        method = current.cls.method(name)
        if method is not None and not method.is_abstract:
            closure = Closure(method, current.scope, this)
            if method.kind is FunctionKind.GETTER:
                return folder.apply(closure, Arguments((), {}), None, None)
            return closure
        value = _own_field(folder, current, instance, this, name)
        if value is not None:
            if not isinstance(value, Unknown):
                return value
            fallback = fallback or value
    return fallback


def _own_field(folder: Folder, current: ClassValue, instance: Instance, this: Value, name: str) -> Value | None:
    """A field that `current` itself sets: in its constructor, in its body, elsewhere in its methods, by its type."""
    candidates: list[Value] = []
    constructor = current.cls.method("constructor") or current.cls.method("__init__")
    declared: TypeRef | None = None
    if constructor is not None:
        scope = constructor_scope(folder, instance, current, this)
        for param in constructor.params:
            if param.is_property and param.name == name:
                candidates.append(folder.fold(Name(name, constructor.line), scope))
                declared = param.type
        candidates.extend(
            folder.fold(store.value, scope)
            for store in folder.scopes.stores(constructor)
            if store.name == name and isinstance(store.object, This)
        )
    for entry in current.cls.fields:
        if entry.name == name:
            declared = declared or entry.type
            if entry.value is not None and not candidates:
                candidates.append(folder.fold(entry.value, Scope(current.scope.node, current.scope, this=this)))
    if not candidates or all(names.is_absent(c) or _is_empty_container(c) for c in candidates):
        candidates.extend(_stored_in_methods(folder, current, this, name, constructor))
    useful = [c for c in candidates if not names.is_absent(c)]
    value = useful[-1] if len(useful) == 1 else (operators.choice(tuple(useful)) if useful else None)
    if value is not None and registries.is_fillable(value):
        return registries.filled_field(folder, value, current.cls, name)
    if declared is not None and (value is None or isinstance(value, Unknown | Symbol | External)):
        typed = folder.typed(declared, current.scope)
        # What a call outside the tree gives is known by the declared class, where that is one of the tree.
        if typed is not None and not (isinstance(value, External) and not isinstance(typed, Instance)):
            return typed
    return value if value is not None else (candidates[0] if candidates else None)


def _is_empty_container(value: Value) -> bool:
    return (isinstance(value, Sequence) and not value.items) or (isinstance(value, Record) and not value.entries)


def _stored_in_methods(
    folder: Folder, current: ClassValue, this: Value, name: str, constructor: Function | None
) -> Iterator[Value]:
    for method in current.cls.methods:
        if method is constructor:
            continue
        for store in folder.scopes.stores(method):
            if store.name == name and isinstance(store.object, This):
                yield folder.fold(store.value, Scope(method, current.scope, this=this))


def constructor_scope(folder: Folder, instance: Instance, current: ClassValue, this: Value) -> Scope:
    """The scope of the constructor of `current`, one of the classes of an instance, with its arguments bound."""
    constructor = current.cls.method("constructor") or current.cls.method("__init__")
    assert constructor is not None  # noqa: S101 - the caller has looked
    scope = Scope(constructor, current.scope, this=this)
    args = constructor_arguments(folder, instance, current, this)
    if args is not None:
        bind_parameters(folder, scope, constructor, args, ())
    return scope


def constructor_arguments(folder: Folder, instance: Instance, current: ClassValue, this: Value) -> Arguments | None:
    """What reaches the constructor of `current`: the arguments of ``new``, or those of ``super(…)`` above it."""
    args = instance.args
    for derived in lineage(folder, instance.of):
        if isinstance(derived, External):
            continue
        if derived.cls is current.cls:
            return args
        constructor = derived.cls.method("constructor") or derived.cls.method("__init__")
        if constructor is None:
            continue
        call = super_call(constructor)
        if call is None:
            return None
        scope = Scope(constructor, derived.scope, this=this)
        if args is not None:
            bind_parameters(folder, scope, constructor, args, ())
        args = folder.arguments(call, scope)
    return None


def super_call(constructor: Function) -> Call | None:
    """The ``super(…)`` (Python: ``super().__init__(…)``) of a constructor."""
    for statement in statements(constructor.body):
        call = statement.value if isinstance(statement, Do) else None
        if isinstance(call, Call):
            callee = call.callee
            if isinstance(callee, Super):
                return call
            if isinstance(callee, Member) and callee.name == "__init__" and isinstance(callee.object, Super):
                return call
    return None


def inherited(folder: Folder, scope: Scope, name: str) -> Value:
    """``super.name``."""
    current: Scope | None = scope
    while current is not None:
        node = current.node
        if isinstance(node, Function) and node.owner is not None:
            outer = current.parent or current
            this = current.this or Symbol(node.owner, "this", (), None, outer)
            for base in list(lineage(folder, ClassValue(node.owner, outer)))[1:]:
                if isinstance(base, External):
                    return External(f"{base.path}().{name}", receiver=base)
                method = base.cls.method(name)
                if method is not None:
                    return Closure(method, base.scope, this)
            break
        current = current.parent
    return Unknown(f"super.{name} is not known")


def _symbol_member(folder: Folder, value: Symbol, name: str, at: Location | None) -> Value:
    extended = Symbol(value.owner, value.name, (*value.path, name), None, value.scope)
    if isinstance(value.owner, Class) and not value.path:
        of = ClassValue(value.owner, value.scope or folder.module_scope(value.owner.module))
        found = _field(folder, Instance(of, None), value, name)
        return extended if found is None or isinstance(found, Unknown) else found
    if value.type is not None and value.scope is not None:
        typed = folder.typed(value.type, value.scope, at)
        if typed is not None:
            found = member(folder, typed, name, at)
            if isinstance(found, Closure | External | Instance | Shape):
                return found
    return extended


def _shape_member(folder: Folder, value: Shape, name: str, at: Location | None, depth: int = 0) -> Value:
    """A member of an object of which only the interface is known: an object of the member's declared type."""
    for field in value.interface.fields:
        if field.name == name:
            return folder.typed(field.type, value.scope, at) or Unknown(f"{name} is only declared", at)
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
    head, *rest = type_ref.name.split(".")
    value = names.lookup(folder, head, scope, type_ref.line)
    for part in rest:
        value = member(folder, value, part, at)
    if isinstance(value, ClassValue):
        return None if value.cls.is_enum else Instance(value, None, at)
    if isinstance(value, Shape):
        return value
    # ``z.infer<typeof schema>`` is no class; classes are capitalised.
    is_class = type_ref.name.rsplit(".", 1)[-1][:1].isupper()
    if isinstance(value, External) and is_class and not value.path.startswith(("global:", "builtins.")):
        return External(f"{value.path}()", at=at)
    return None


# ---- calls ----------------------------------------------------------------------------------------------------


def bind_parameters(
    folder: Folder, scope: Scope, function: Function, args: Arguments, bound: tuple[Value, ...]
) -> None:
    """Bind what a call passes to the parameters of `function`; what it does not pass takes its default."""
    positional: list[Value | Lazy] = [*bound, *args.positional]
    taken: set[str] = set()
    for position, param in enumerate(function.params):
        value: Value | Lazy | None = None
        if param.rest == "*":
            value = Sequence(tuple(positional[position:]), args.complete)
        elif param.rest == "**":
            rest = {k: v for k, v in args.named.items() if k not in taken}
            value = Record(dict(rest), args.complete)
        elif position < len(positional):
            value = positional[position]
        elif param.name is not None and param.name in args.named:
            value = args.named[param.name]
        elif not args.complete:
            continue
        if param.name is not None:
            taken.add(param.name)
        _bind_one(folder, scope, param.target, param.default, value, param.type)


def _bind_one(  # noqa: PLR0913 - the parts of one parameter
    folder: Folder,
    scope: Scope,
    target: object,
    default: object,
    given: Value | Lazy | None,
    type_ref: TypeRef | None,
) -> None:
    if isinstance(given, Lazy) and default is None and isinstance(target, Name) and type_ref is None:
        scope.values[target.name] = given
        return
    value = folder.force(given) if given is not None else None
    if (value is None or names.is_absent(value)) and default is not None:
        value = folder.fold(default, scope)  # type: ignore[arg-type]
    if value is None:
        value = Known(None)
    if isinstance(value, Unknown) and type_ref is not None:
        value = folder.typed(type_ref, scope.parent or scope) or value
    names.bind_target(folder, scope, target, value)  # type: ignore[arg-type]
