"""Classes and their objects: lineage, static members, fields, constructors."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cronaudit.linking import exports, names, operators, outside, parameters, registries
from cronaudit.linking.creating import kept, super_call
from cronaudit.linking.folder import Folder
from cronaudit.model.ir import (
    Call,
    Const,
    Field,
    Function,
    FunctionKind,
    Name,
    This,
    TypeRef,
)
from cronaudit.model.source import Language, Location
from cronaudit.model.value import (
    Arguments,
    Builtin,
    Choice,
    ClassValue,
    Closure,
    External,
    Instance,
    Known,
    Record,
    Scope,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from cronaudit.model.walking import inside

_BASES = 12


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
            # Manager.from_queryset(OrderQuerySet) has what the class has that it is handed.
            handed = [c for c in _classes_given(folder, current) if id(c.cls) not in seen]
            if not handed:
                yield current
                continue
            stack.append(current)
            stack.extend(reversed(handed))
        elif isinstance(current, Choice):
            stack.extend(reversed(current.options))


def _classes_given(folder: Folder, base: External) -> Iterator[ClassValue]:
    """The classes of the tree among what a call outside it is handed that makes a class."""
    for given in base.args.positional if base.args is not None else ():
        value = folder.force(given)
        if isinstance(value, ClassValue):
            yield value


def static_member(folder: Folder, value: ClassValue, name: str, at: Location | None) -> Value:
    """A static member, an enum member, a class attribute, or an unbound method."""
    for current in lineage(folder, value):
        if isinstance(current, External):
            return outside.member(replace(current, of=value.cls.name or "", row=value), name, at)
        for field in current.cls.fields:
            if field.name == name:
                return _asked_of(folder, value, _static_field(folder, current, value, field, at))
        method = current.cls.method(name)
        if method is not None:
            closure = Closure(method, current.scope, value)
            if method.kind is FunctionKind.GETTER:
                return folder.apply(closure, Arguments((), {}), None, at)
            return closure
        stored = exports.property_of(folder, current, name) or kept(folder, current, value, name)
        if stored is not None:
            return stored
    return Builtin(value, name)


def _asked_of(folder: Folder, cls: ClassValue, found: Value) -> Value:
    """A static object of a class, ``objects = OrderManager()``: what it gives are objects of that class.

    What a class outside the tree offers to make one is as good: ``objects = OrderQuerySet.as_manager()``.
    """
    if cls.cls.module.language is not Language.PYTHON:
        return found
    if isinstance(found, External) and found.call is not None and found.receiver is None:
        made = found.row
        return found if made is None or made.cls is cls.cls else Instance(made, None, found.at, row=cls)
    if not isinstance(found, Instance):
        return found
    foreign = any(isinstance(base, External) for base in lineage(folder, found.of))
    return replace(found, row=cls, fields={}) if foreign else found


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
        if entry.is_static and registries.is_fillable(value):
            return registries.filled_field(folder, value, current.cls, entry.name)
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
    mentioned = (
        {e.name for e in inside(entry.value) if isinstance(e, Name)} if entry.value is not None else set()
    )
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
    found = field_of(folder, instance, instance, name)
    if found is None:
        del instance.fields[name]
        return None
    instance.fields[name] = found
    return found


def field_of(folder: Folder, instance: Instance, this: Value, name: str) -> Value | None:
    """A member of an instance from its class and those above it, methods bound to `this`; None where none has it."""
    fallback: Value | None = None
    declared: Closure | None = None
    inherited: External | None = None
    for current in lineage(folder, instance.of):
        if isinstance(current, External):
            if fallback is not None:
                return fallback
            if inherited is None:
                of = (instance.row or instance.of).cls.name or ""
                made = outside_arguments(folder, instance) or current
                inherited = External(f"{current.path}().{name}", receiver=made, of=of, row=instance.row)
                stated = folder.stated(inherited)
                if stated is not None:
                    return stated
            continue
        method = current.cls.method(name)
        if inherited is not None:
            # A class outside the tree may have it, a base of the tree that stands behind it does.
            if method is not None and not method.is_abstract and method.kind is not FunctionKind.GETTER:
                return Closure(method, current.scope, this)
            continue
        if (
            method is not None
            and method.is_abstract
            and declared is None
            and method.kind is not FunctionKind.GETTER
        ):
            declared = Closure(method, _scope_of(folder, current, method), this)
        if method is not None and not method.is_abstract:
            closure = Closure(method, _scope_of(folder, current, method), this)
            if method.kind is FunctionKind.GETTER:
                return folder.apply(closure, Arguments((), {}), None, None)
            return closure
        value = _own_field(folder, current, instance, this, name)
        if value is not None:
            if not isinstance(value, Unknown) and not (fallback is not None and _is_empty(value)):
                return value
            fallback = fallback or value
    return inherited or fallback or declared


def of_query(folder: Folder, value: External, name: str) -> Closure | None:
    """A method that the project gives the queries of a class: ``Order.objects.filter(…).expire()``."""
    if "[]" in value.path or folder.is_of_row(value.path, ""):
        return None
    for cls in lineage(folder, value.row) if value.row is not None else ():
        for entry in cls.cls.fields if isinstance(cls, ClassValue) else ():
            asked = static_member(folder, value.row, entry.name, None) if _is_made(entry) else None  # type: ignore[arg-type]
            if not isinstance(asked, Instance) or asked.row is None:
                continue
            for current in lineage(folder, asked.of):
                method = current.cls.method(name) if isinstance(current, ClassValue) else None
                if isinstance(current, ClassValue) and method is not None:
                    return Closure(method, current.scope, asked)
    return None


def _is_made(entry: Field) -> bool:
    return isinstance(entry.value, Call) and not entry.value.args


def _own_field(
    folder: Folder, current: ClassValue, instance: Instance, this: Value, name: str
) -> Value | None:
    """A field that `current` itself sets: in its constructor, in its body, elsewhere in its methods, by its type."""
    candidates: list[Value] = []
    constructor = current.cls.constructor
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
    elif (given := _given_field(folder, instance, name)) is not None:
        return given
    for entry in current.cls.fields:
        if entry.name == name:
            declared = declared or entry.type
            if entry.value is not None and not candidates:
                inside_class = Scope(current.scope.node, current.scope, this=this)
                candidates.append(folder.fold(entry.value, inside_class))
    if all(names.is_absent(c) or _is_empty(c) for c in candidates):
        stored = list(_stored_in_methods(folder, current, this, name, constructor))
        candidates = [c for c in candidates if not (stored and isinstance(c, Known))] + stored
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


def _given_field(folder: Folder, instance: Instance, name: str) -> Value | None:
    """A field of a class that writes no constructor, as a data class: its typed fields are the arguments, in order."""
    classes = [c.cls for c in lineage(folder, instance.of) if isinstance(c, ClassValue)]
    if instance.args is None or any(c.constructor for c in classes):
        return None
    typed = dict.fromkeys(f.name for c in reversed(classes) for f in c.fields if f.type is not None)
    if name not in typed or not classes or classes[0].module.language is not Language.PYTHON:
        return None
    position = list(typed).index(name)
    args = instance.args
    raw = args.named.get(name)
    if raw is None and position < (len(args.positional) if args.complete else args.certain):
        raw = args.positional[position]
    return None if raw is None else folder.force(raw)


def _is_empty(value: Value) -> bool:
    """A list, an object or a text (``cron = '';``) that is filled later."""
    return (
        (isinstance(value, Sequence) and not value.items)
        or (isinstance(value, Record) and not value.entries)
        or (isinstance(value, Known) and value.value == "")
    )


def _stored_in_methods(
    folder: Folder, current: ClassValue, this: Value, name: str, constructor: Function | None
) -> Iterator[Value]:
    for method, store in folder.scopes.kept_in_this(current.cls, name):
        if method is not constructor:
            scope = Scope(method, _scope_of(folder, current, method), this=this)
            yield folder.fold(store.value, scope)


def _scope_of(folder: Folder, current: ClassValue, method: Function) -> Scope:
    """The scope that a method of a class closes over: its own file's, where it is assigned to a prototype."""
    own = method.module is current.cls.module
    return current.scope if own else folder.module_scope(method.module)


def constructor_scope(folder: Folder, instance: Instance, current: ClassValue, this: Value) -> Scope:
    """The scope of the constructor of `current`, one of the classes of an instance, with its arguments bound."""
    constructor = current.cls.constructor
    assert constructor is not None  # noqa: S101 - the caller has looked
    scope = Scope(constructor, current.scope, this=this)
    args = constructor_arguments(folder, instance, current, this)
    if args is not None:
        parameters.bind(folder, scope, constructor, args, ())
    return scope


def constructor_arguments(
    folder: Folder, instance: Instance, current: ClassValue, this: Value
) -> Arguments | None:
    """What reaches the constructor of `current`: the arguments of ``new``, or those of ``super(…)`` above it."""
    args = instance.args
    for derived in lineage(folder, instance.of):
        if isinstance(derived, External):
            continue
        if derived.cls is current.cls:
            return args
        constructor = derived.cls.constructor
        if constructor is None:
            continue
        call = super_call(constructor)
        if call is None:
            return None
        scope = Scope(constructor, derived.scope, this=this)
        if args is not None:
            parameters.bind(folder, scope, constructor, args, ())
        args = folder.arguments(call, scope)
    return None


def outside_arguments(folder: Folder, instance: Instance) -> External | None:
    """The object outside the tree that an instance is at bottom, with what reaches its constructor."""
    args = instance.args
    for current in lineage(folder, instance.of):
        if isinstance(current, External):
            return External(f"{current.path}()", args, instance.at)
        constructor = current.cls.constructor
        if constructor is None:
            continue
        call = super_call(constructor)
        if call is None:
            return None
        scope = Scope(constructor, current.scope, this=instance)
        if args is not None:
            parameters.bind(folder, scope, constructor, args, ())
        args = folder.arguments(call, scope)
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
                    asked = this.row or this.of if isinstance(this, Instance) else None
                    of = asked.cls.name or "" if asked is not None else ""
                    row = this.row if isinstance(this, Instance) else None
                    made = outside_arguments(folder, this) if isinstance(this, Instance) else None
                    return External(f"{base.path}().{name}", receiver=made or base, of=of, row=row)
                method = base.cls.method(name)
                if method is not None:
                    return Closure(method, base.scope, this)
            break
        current = current.parent
    return Unknown(f"super.{name} is not known")
