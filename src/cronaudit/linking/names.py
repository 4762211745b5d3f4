"""What a name comes to: bindings, imports, parameters, destructuring, defaults."""

from __future__ import annotations

from cronaudit.linking import imports, mixins, registries
from cronaudit.linking.folder import Folder
from cronaudit.linking.guards import is_optional, taken, tests_for_absence
from cronaudit.linking.iterables import from_library, raw_items, sequence_items
from cronaudit.linking.reaching import nearest, reaching
from cronaudit.linking.scopes import ITEM, Binding, Step, leaves
from cronaudit.model.ir import (
    Array,
    Assign,
    AssignExpr,
    Call,
    Class,
    Const,
    Expr,
    Function,
    Import,
    Interface,
    Loop,
    LoopKind,
    Member,
    Module,
    Name,
    TypeRef,
)
from cronaudit.model.source import Language, Location
from cronaudit.model.value import (
    Choice,
    ClassValue,
    Closure,
    Env,
    External,
    Known,
    Lazy,
    Record,
    Scope,
    Sequence,
    Shape,
    Symbol,
    Unknown,
    Value,
)

_MOST_ASSIGNMENTS = 12


def lookup(folder: Folder, name: str, scope: Scope, line: int) -> Value:
    """Fold the variable `name` as seen from `scope`."""
    current: Scope | None = scope
    while current is not None:
        bound = current.values.get(name)
        if bound is not None:
            if isinstance(bound, Lazy):
                bound = folder.force(bound)
                current.values[name] = bound
            return bound
        node = current.node
        if isinstance(node, Function):
            value = parameter(folder, node, name, current)
            if value is not None:
                return value
        bindings = folder.scopes.table(node).get(name)
        if bindings:
            if current.parent is None:
                return _global(folder, name, bindings, current)
            bindings = nearest(bindings, current, line)
            # A function inside it runs at another time than what stands before it.
            return _bindings(folder, name, bindings, current, line if current is scope else None)
        current = current.parent
    module = scope.module
    if module.language is Language.PYTHON and any(i.local == "*" for i in module.imports):
        starred = folder.export(module, name)
        if not isinstance(starred, Unknown):
            return starred
    if name in ("__dirname", "__filename"):
        return Known(f"\0{name}", Location(scope.module.path, line))
    if name == "exports" and scope.module.language is not Language.PYTHON:
        return folder.export(scope.module, "*")
    prefix = "" if scope.module.language is Language.PYTHON else "global:"
    return External(f"{prefix or 'builtins.'}{name}", at=Location(scope.module.path, line))


def _global(folder: Folder, name: str, bindings: list[Binding], scope: Scope) -> Value:
    """A name of a module: every function of it asks for the same."""
    if scope.globals is None:
        scope.globals = {}
    value = scope.globals.get(name)
    if value is None:
        value = _bindings(folder, name, bindings, scope)
        if not (isinstance(value, Unknown) and value.reason.startswith("it ")):  # given up on the way here
            scope.globals[name] = value
    return value


def parameter(folder: Folder, function: Function, name: str, scope: Scope) -> Value | None:
    """An unbound parameter: a symbol that only a caller can tell."""
    for position, param in enumerate(function.params):
        for leaf, path, default in leaves(param.target):
            if isinstance(leaf, Name) and leaf.name == name:
                given = _given_on_the_spot(folder, function, position, scope) or _passed_by_library(
                    folder, function, position, scope
                )
                if given is not None:
                    return into(folder, given, path, default, scope)
                return _symbol(folder, function, param_name(param.target), path, default, param.type, scope)
    return None


def _passed_by_library(folder: Folder, function: Function, position: int, scope: Scope) -> Value | None:
    """What a call or decorator outside the tree passes to the function, where the knowledge base says so."""
    callees = [d.callee if isinstance(d, Call) else d for d in function.decorators if function.owner is None]
    if (
        function.name is None
        and function.owner is None
        and (call := folder.modules.taking(function)) is not None
    ):
        callees.append(call.callee)
    for expr in callees:
        callee = folder.fold(expr, scope.parent or scope)
        for option in callee.options if isinstance(callee, Choice) else (callee,):
            paths = folder.passed(option) if isinstance(option, External) else ()
            if position < len(paths) and paths[position] not in ("", "receiver"):
                return External(paths[position])
    return None


def _given_on_the_spot(folder: Folder, function: Function, position: int, scope: Scope) -> Value | None:
    """What a function that is called where it stands is given: 2015's modules."""
    if function.name is not None or not isinstance(function.parent, Module) or function.owner is not None:
        return None
    found = folder.modules.on_the_spot(function)
    if found is None:
        return None
    call, _node = found
    at = position + (1 if isinstance(call.callee, Member) else 0)
    if at >= len(call.args):
        return Known(None)
    return folder.fold(call.args[at].value, scope.parent or scope)


def param_name(target: Expr) -> str:
    """How a parameter is named in a symbol; a pattern by its line and kind."""
    return target.name if isinstance(target, Name) else f"<pattern:{getattr(target, 'line', 0)}>"


def _symbol(
    folder: Folder,
    function: Function,
    name: str,
    path: tuple[Step, ...],
    default: Expr | None,
    type_ref: TypeRef | None,
    scope: Scope,
) -> Value:
    value: Value = Symbol(function, name, (), type_ref, scope.parent or scope)
    return into(folder, value, path, default, scope)


def into(folder: Folder, value: Value, path: tuple[Step, ...], default: Expr | None, scope: Scope) -> Value:
    """Take a destructuring path into a value, with its default."""
    for step in path:
        if step is None:
            return Unknown("a computed or rest part of a destructuring")
        value = folder.member(value, step) if isinstance(step, str) else folder.item(value, Known(step))
    if default is not None and is_absent(value):
        return folder.fold(default, scope)
    if default is not None and isinstance(value, Unknown | Symbol | Env):
        fallback = folder.fold(default, scope)
        if isinstance(value, Env):
            if isinstance(fallback, Known):
                return Known(fallback.value, fallback.at, fallback.unit, value.name)
            return Choice((fallback, value))
        if isinstance(value, Unknown) and isinstance(fallback, Known):
            return Known(fallback.value, fallback.at, fallback.unit, "a parameter")
        return Choice((value, fallback)) if isinstance(value, Symbol) else fallback
    return value


def is_absent(value: Value) -> bool:
    """Whether the value is certainly ``undefined``, ``null`` or ``None``."""
    return isinstance(value, Known) and value.value is None


def _bindings(
    folder: Folder, name: str, bindings: list[Binding], scope: Scope, line: int | None = None
) -> Value:
    candidates = list(bindings)
    first = candidates[0].node
    if not (
        isinstance(first, Assign) and first.declares and len(candidates) == 1 and first.value is not None
    ) or _is_empty(first.value):
        candidates += folder.scopes.assigned_inside(scope.node, name)
    candidates = [b for b in candidates if not isinstance(b.node, Interface)] or candidates
    definite = [b for b in candidates if b.value is not None or b.kind != "assign"]
    meaningful = [b for b in definite if not (b.value is not None and _is_empty(b.value))] or definite
    if not meaningful:
        return Known(None, Location(scope.module.path, candidates[0].line))
    if len(meaningful) == 1:
        value = binding_value(folder, meaningful[0], name, scope)
        written = isinstance(meaningful[0].value, Array) and isinstance(value, Sequence)
        if meaningful[0].kind == "assign" and (written or registries.is_fillable(value)):
            value = registries.filled_variable(folder, value, name, scope)
        return (
            _with_members(folder, value, name, scope, meaningful[0]) if isinstance(value, Record) else value
        )
    if len(meaningful) > _MOST_ASSIGNMENTS:
        return Unknown(f"{name} is assigned in {len(meaningful)} places")
    if grown := registries.grown_variable(folder, [b.value for b in meaningful], name, scope):
        return grown
    if line is not None and isinstance(scope.node, Function):
        seen = reaching(definite, scope.node, line)
        meaningful = [b for b in meaningful if b in seen] or seen
        if len(meaningful) == 1:
            value = binding_value(folder, meaningful[0], name, scope)
            if isinstance(value, Record):
                return _with_members(folder, value, name, scope, meaningful[0])
            return value
    return _several(folder, name, meaningful, scope)


def _with_members(folder: Folder, record: Record, name: str, scope: Scope, binding: Binding) -> Record:
    """An object with what is assigned to its members in the same body: ``const api = {}; api.go = …``."""
    declared = [b.line for b in folder.scopes.table(scope.node).get(name, ()) if b.line > binding.line]
    stores = [
        s
        for s in folder.scopes.stores(scope.node)
        if s.name != ITEM and isinstance(s.object, Name) and s.object.name == name
        if not declared or (s.line < min(declared) and s.line >= binding.line)
    ]
    mixed, complete = mixins.mixed_in(folder, scope, frozenset((name,)))
    if not stores and not mixed and complete:
        return record
    entries = {**mixed, **record.entries}
    for store in stores:
        before = record.entries.get(store.name)
        value = Lazy(store.value, scope)
        entries[store.name] = value if before is None else Choice((folder.force(before), folder.force(value)))
    return Record(entries, record.complete and complete, record.at, record.rest)


def _several(folder: Folder, name: str, bindings: list[Binding], scope: Scope) -> Value:
    """A name with more than one assignment: an operator chain, a default behind a guard, else a choice."""
    if any(b.op not in ("=", "??", "or") for b in bindings):
        return Unknown(f"{name} is changed as it goes", Location(scope.module.path, bindings[-1].line))
    bindings = taken(folder, bindings, name, scope) or bindings
    if len(bindings) == 1:
        return binding_value(folder, bindings[0], name, scope)
    # What runs by default comes first: ``if path := os.environ.get("TOKEN_FILE")`` is an option nobody has to take.
    bindings = sorted(bindings, key=lambda b: is_optional(folder, b.guarded_by, scope))
    values = [binding_value(folder, b, name, scope) for b in bindings]
    known = [v for v in values if isinstance(v, Known)]
    if len(known) == len(values) and len({(type(v.value), v.value) for v in known}) == 1:
        return known[0]
    # ``let hour = settings.hour; if (isNaN(hour)) hour = 17;``: the default behind a test of the name itself.
    for binding, value in zip(bindings, values, strict=True):
        if (
            isinstance(value, Known)
            and binding.guarded_by
            and tests_for_absence(binding.guarded_by[-1], name)
        ):
            given = [v for v in values if v is not value]
            if len(given) == 1 and isinstance(given[0], Known) and given[0].value:
                return given[0]
            return Known(value.value, value.at, value.unit, name)
    return Choice(tuple(values))


def _is_empty(value: Expr) -> bool:
    return isinstance(value, Const) and value.value is None


def binding_value(folder: Folder, binding: Binding, name: str, scope: Scope) -> Value:
    """The value that one binding gives."""
    node = binding.node
    if isinstance(node, Function):
        return Closure(node, scope)
    if isinstance(node, Class):
        return ClassValue(node, scope)
    if isinstance(node, Interface):
        return Shape(node, scope)
    if isinstance(node, Import):
        return imports.imported(folder, node, scope.module)
    if binding.kind == "each":
        return _each(folder, binding, name, scope)
    if binding.kind == "catch" or binding.value is None:
        return Unknown(f"{name} is a caught error" if binding.kind == "catch" else f"{name} has no value")
    if isinstance(node, Assign | AssignExpr) and binding.op in ("??", "or") and binding.op != "=":
        return folder.fold(binding.value, scope)
    owner = owner_scope(binding, scope)
    value = folder.fold(binding.value, owner)
    if binding.kind == "with":
        value = folder.member(value, "__enter__") if isinstance(value, Record) else value
    if binding.path or binding.default is not None:
        value = into(folder, value, binding.path, binding.default, owner)
    if isinstance(node, Assign) and node.type is not None and isinstance(value, Unknown | Symbol):
        typed = folder.typed(node.type, owner)
        if typed is not None and isinstance(value, Unknown):
            return typed
    return value


def owner_scope(binding: Binding, scope: Scope) -> Scope:
    """The scope to fold a binding's value in: that of the nested function, where one assigns from inside."""
    return scope_inside(binding.owner, scope)


def scope_inside(node: Function | Module, outer: Scope) -> Scope:
    """An unbound scope of `node`, which lies somewhere inside the node of `outer`."""
    if node is outer.node or isinstance(node, Module):
        return outer
    return Scope(node, scope_inside(node.parent, outer))


def _each(folder: Folder, binding: Binding, name: str, scope: Scope) -> Value:
    """The variable of a loop or comprehension: a symbol that stands for every item."""
    node = binding.node
    assert binding.value is not None  # noqa: S101 - a loop with a target has an iterable
    if isinstance(node, Loop) and node.kind is LoopKind.KEYS:
        return Unknown(f"{name} is a key")
    owner = node if isinstance(node, Loop) else None
    iterable = folder.fold(binding.value, scope)
    items = sequence_items(folder, iterable)
    if items is not None and len(items) == 1 and not _is_callers(raw_items(iterable)):
        return into(folder, items[0], binding.path, binding.default, scope)
    given = from_library(iterable) if items is None else ()
    if given:
        # An item of what a library gave: ``for (const user of await User.find())``.
        entries = tuple(External(f"{g.path}[]", receiver=g, of=g.of, row=g.row) for g in given)
        item = entries[0] if len(entries) == 1 else Choice(entries)
        return into(folder, item, binding.path, binding.default, scope)
    if owner is None:
        return (
            Choice(tuple(into(folder, i, binding.path, None, scope) for i in items))
            if items
            else Unknown(f"{name} is an item of something unresolved")
        )
    target = owner.target
    label = target.name if isinstance(target, Name) else f"<item:{owner.line}>"
    symbol = Symbol(owner, label, (), None, scope)
    return into(folder, symbol, binding.path, binding.default, scope)


def _is_callers(raw: tuple[Value | Lazy, ...] | None) -> bool:
    """Whether the one item of a registry is what callers of a function put there: it stands for many."""
    first = raw[0] if raw else None
    inner = first.items[-1] if isinstance(first, Sequence) and first.items else first
    return isinstance(inner, Lazy) and isinstance(inner.scope.node, Function)


def bind_target(folder: Folder, scope: Scope, target: Expr, value: Value) -> None:
    """Bind the names of a target or pattern to the parts of a value."""
    for leaf, path, default in leaves(target):
        if isinstance(leaf, Name):
            scope.values[leaf.name] = into(folder, value, path, default, scope)
