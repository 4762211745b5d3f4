"""Folding: what an expression comes to, as far as the tree tells."""

from __future__ import annotations

from cronaudit.linking import builtins, exports, instances, names, objects, operators, parameters
from cronaudit.linking.configured import setting
from cronaudit.linking.creating import created
from cronaudit.linking.defaults import stated_default
from cronaudit.linking.folder import Modules
from cronaudit.linking.returned import returned
from cronaudit.linking.scopes import Scopes
from cronaudit.linking.shared_scopes import SharedScopes
from cronaudit.linking.surfaces import Surfaces
from cronaudit.model.ir import (
    Array,
    AssignExpr,
    Await,
    Call,
    Class,
    Comprehension,
    Conditional,
    Const,
    Expr,
    Function,
    Index,
    Member,
    Module,
    Name,
    Object,
    Opaque,
    Operation,
    Spread,
    Super,
    Template,
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
    External,
    Instance,
    Known,
    Lazy,
    Record,
    Scope,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from cronaudit.model.walking import expressions

_DEPTH = 48
"""Folds inside folds; deeper code is given up, which a verdict shows as unresolved."""
_LARGE, _STEPS = 300, 3_000
"""Folds for one question; dense dependency injection would otherwise unfold a whole application."""


class Evaluator:
    """Folds expressions on demand and remembers what it folded."""

    def __init__(self, modules: Modules, foreign: builtins.ForeignFolds) -> None:
        self.modules = modules
        self.scopes = Scopes(modules.assigning)
        self.surfaces = Surfaces(modules)
        self._shared = SharedScopes(self.scopes)
        self.foreign = foreign
        self._cache: dict[tuple[int, int], Value] = {}
        self._kept: list[tuple[Expr, Scope]] = []
        self._active: set[tuple[int, int]] = set()
        self._module_scopes: dict[int, Scope] = {}
        self._depth = 0
        self._steps = 0
        self._given_up = 0
        self._exports: dict[tuple[str, str], Value] = {}

    # ---- expressions -----------------------------------------------------------------------------------------

    def fold(self, expr: Expr, scope: Scope) -> Value:
        """What `expr` comes to in `scope`; never raises, `Unknown` says why not."""
        key = (id(expr), id(scope))
        found = self._cache.get(key)
        if found is not None:
            return found
        if scope.parent is not None and (home := self._shared.home(expr, scope)) is not scope:
            return self.fold(expr, home)
        if key in self._active:
            self._given_up += 1
            return Unknown("it depends on itself", _at(expr, scope))
        if self._depth == 0:
            self._steps = 0
        self._steps += 1
        if self._steps > _STEPS:
            self._given_up += 1
            return Unknown("it takes too many steps to follow", _at(expr, scope))
        if self._depth > _DEPTH:
            self._given_up += 1
            return Unknown("it is nested too deeply to follow", _at(expr, scope))
        before = self._steps
        self._active.add(key)
        self._depth += 1
        try:
            value = self._fold(expr, scope)
        finally:
            self._depth -= 1
            self._active.discard(key)
        # What was given up only for want of steps or depth may be told when it is asked for by itself, unless it is so
        # large that asking again would cost as much again.
        given_up = isinstance(value, Unknown) and self._depth > 0 and value.reason.startswith("it ")
        if not given_up or self._steps - before > _LARGE:
            self._cache[key] = value
            self._kept.append((expr, scope))
        return value

    def force(self, value: Value | Lazy) -> Value:
        """A value that is not lazy."""
        return self.fold(value.expr, value.scope) if isinstance(value, Lazy) else value

    def _fold(self, expr: Expr, scope: Scope) -> Value:
        match expr:
            case Const():
                return Known(expr.value, _at(expr, scope))
            case Name():
                return names.lookup(self, expr.name, scope, expr.line)
            case Member():
                if isinstance(expr.object, Super):
                    return instances.inherited(self, scope, expr.name)
                return self.member(self.fold(expr.object, scope), expr.name, _at(expr, scope))
            case Call():
                return self._call(expr, scope)
            case This():
                return self._this(scope)
            case Template():
                return self._template(expr, scope)
            case Object():
                return objects.of_object(self, expr, scope)
            case Array():
                return objects.of_array(self, expr, scope)
            case Operation():
                return operators.operate(self, expr, scope)
            case Conditional():
                return operators.conditional(self, expr, scope)
            case Await() | Spread():
                return self.fold(expr.value, scope)
            case AssignExpr():
                return self.fold(expr.value, scope)
            case Index():
                value = self.fold(expr.object, scope)
                if isinstance(value, External) and isinstance(expr.index, Opaque):
                    return value  # a slice: some of what a library gave is as much of a query as all of it
                return self.item(value, self.fold(expr.index, scope), _at(expr, scope))
            case Function():
                return Closure(expr, scope, self._maybe_this(scope) if expr.owner is None else None)
            case Class():
                return ClassValue(expr, scope)
            case Comprehension():
                return builtins.comprehend(self, expr, scope)
            case _:
                return Unknown("the expression is not understood", _at(expr, scope))

    def _call(self, expr: Call, scope: Scope) -> Value:
        at = Location(scope.module.path, expr.line, expr.end_line)
        if (
            isinstance(expr.callee, Name)
            and expr.callee.name in ("require", "import")
            and len(expr.args) == 1
        ):
            return exports.required(self, self.fold(expr.args[0].value, scope), expr, scope)
        if isinstance(expr.callee, Super):
            return Unknown("a call of super", at)
        if isinstance(expr.callee, Name | Member) and exports.is_interop(expr.callee.name) and expr.args:
            # Compilers write the function into the file as well; what it does is known by its name.
            return exports.interop(self.fold(expr.args[0].value, scope))
        callee = self.fold(expr.callee, scope)
        value = self.apply(callee, self.arguments(expr, scope), expr, at)
        return stated_default(self, expr, value, scope)

    def arguments(self, call: Call, scope: Scope) -> Arguments:
        """The arguments of a call, folded when somebody asks."""
        positional: list[Value | Lazy] = []
        named: dict[str, Value | Lazy] = {}
        complete = True
        certain: int | None = None
        spreads: list[Value] = []
        for arg in call.args:
            if arg.name == "**":
                value = operators.merged(self.fold(arg.value, scope))
                if isinstance(value, Record):
                    named.update(value.entries)
                    complete = complete and value.complete
                else:
                    complete = False
                    spreads.append(value)
            elif arg.spread:
                value = self.fold(arg.value, scope)
                if isinstance(value, Sequence) and value.complete:
                    positional.extend(value.items)
                else:
                    complete = False
                    certain = len(positional) if certain is None else certain
                    spreads.append(value)
            elif arg.name is not None:
                named[arg.name] = Lazy(arg.value, scope)
            else:
                positional.append(Lazy(arg.value, scope))
        certain = len(positional) if certain is None else certain
        return Arguments(tuple(positional), named, complete, certain, tuple(spreads))

    def _maybe_this(self, scope: Scope) -> Value | None:
        current: Scope | None = scope
        while current is not None:
            if current.this is not None:
                return current.this
            current = current.parent
        return None

    def _this(self, scope: Scope) -> Value:
        current: Scope | None = scope
        while current is not None:
            if current.this is not None:
                return current.this
            node = current.node
            if isinstance(node, Function) and node.owner is not None:
                outer = current.parent or current
                if node.owner.module is not node.module:
                    outer = self.module_scope(node.owner.module)
                if node.is_static:
                    return ClassValue(node.owner, outer)
                return Symbol(node.owner, "this", (), None, outer)
            current = current.parent
        return Unknown("this is not known here")

    def _template(self, expr: Template, scope: Scope) -> Value:
        parts = [part if isinstance(part, str) else self.fold(part, scope) for part in expr.parts]
        texts: list[str | Value] = [operators.as_text(p) if isinstance(p, Known) else p for p in parts]
        text = operators.joined(texts, _at(expr, scope))
        default_of = next((p.default_of for p in parts if isinstance(p, Known) and p.default_of), None)
        return Known(text.value, text.at, None, default_of) if isinstance(text, Known) else text

    # ---- members and calls -----------------------------------------------------------------------------------

    def member(self, value: Value, name: str, at: Location | None = None) -> Value:
        """``value.name``."""
        return objects.member(self, value, name, at)

    def item(self, value: Value, index: Value, at: Location | None = None) -> Value:
        """``value[index]``."""
        return objects.item(self, value, index, at)

    def field(self, instance: Instance, name: str) -> Value | None:
        """A field or method of an instance."""
        return instances.field(self, instance, name)

    def typed(self, type_ref: TypeRef | None, scope: Scope, at: Location | None = None) -> Value | None:
        """An object of a declared type, of which nothing else is known."""
        return objects.typed(self, type_ref, scope, at)

    def apply(self, callee: Value, args: Arguments, call: Call | None, at: Location | None) -> Value:
        """The result of a call."""
        match callee:
            case External():
                return builtins.foreign_call(self, callee, args, call, at)
            case Closure():
                return self._result(callee, args, at)
            case ClassValue():
                return created(self, callee, args, at) or self.instance(callee, args, at)
            case Choice():
                return operators.choice(tuple(self.apply(o, args, call, at) for o in callee.options))
            case Symbol():
                opened = self.foreign.opened(self, callee.path[-1], args, at) if callee.path else None
                return opened or Symbol(callee.owner, callee.name, (*callee.path, "()"), None, callee.scope)
            case Builtin():
                return builtins.method(self, callee, args, at)
            case Unknown():
                return callee
            case _:
                return Unknown("the call is not understood", at)

    def _result(self, closure: Closure, args: Arguments, at: Location | None) -> Value:
        function = closure.function
        if function.is_generator:
            return Unknown(f"{function.symbol} is a generator", at)
        call = self._shared.call(closure, args)
        if call.scope is None:
            call.scope = self.enter(closure, args)
        value = call.result
        if value is None:
            before = self._given_up
            results = list(returned(self, function.body, call.scope))
            if not results:
                return Known(None, at)
            value = results[0] if len(results) == 1 else operators.choice(tuple(results))
            if self._given_up == before:
                call.result = value
            else:
                self._shared.forget(call)
        return self._remembered(value, function, call.scope, at)

    def _remembered(self, value: Value, function: Function, scope: Scope, at: Location | None) -> Value:
        """``once('db', () => new Client())``: what a cache gives back is what the function made that filled it."""
        if not (
            isinstance(value, Unknown) or (isinstance(value, External) and value.path.startswith("global:"))
        ):
            return value
        for param in function.params:
            given = scope.values.get(param.name or "")
            made = self.force(given) if given is not None else None
            if (
                isinstance(made, Closure)
                and not made.function.params
                and any(
                    isinstance(e, Call) and isinstance(e.callee, Name) and e.callee.name == param.name
                    for e in expressions(function.body)
                )
            ):
                return operators.choice((self.apply(made, Arguments((), {}), None, at), value))
        return value

    def enter(self, closure: Closure, args: Arguments) -> Scope:
        """The scope of one call of a function, with its parameters bound."""
        scope = Scope(closure.function, closure.scope, this=closure.this)
        parameters.bind(self, scope, closure.function, args, closure.bound)
        return scope

    def instance(self, of: ClassValue, args: Arguments | None, at: Location | None) -> Instance:
        """An object of a class, one for each place and arguments."""
        return self._shared.instance(of, args, at)

    def passed(self, callee: External) -> tuple[str, ...]:
        """What a call outside the tree passes to its callback, as paths."""
        return self.foreign.passed(callee)

    def constant(self, path: str, at: Location | None) -> Value | None:
        """The value of a constant outside the tree, where the knowledge base has one."""
        return self.foreign.constant(path, at)

    def is_of_row(self, path: str, name: str) -> bool:
        """Whether a path outside the tree is one object of the class that a query is asked of."""
        return self.foreign.is_of_row(path, name)

    def configured(self, holder: External, name: str, at: Location | None) -> Value | None:
        """A setting of the project, where `holder` is the object in which a framework gathers them."""
        stem = self.foreign.settings(holder.path)
        return None if stem is None else setting(self, stem, name, at)

    def stated(self, member: External) -> Value | None:
        """What a member of an object of a library comes to, where the object's own arguments say so."""
        made = member.receiver
        return None if made is None or made.args is None else self.foreign.member(self, member)

    # ---- modules ---------------------------------------------------------------------------------------------

    def module_scope(self, module: Module) -> Scope:
        """The one scope of a module."""
        found = self._module_scopes.get(id(module))
        if found is None:
            found = Scope(module, None)
            self._module_scopes[id(module)] = found
        return found

    def export(self, module: Module, name: str) -> Value:
        """An export of a module, re-exports followed."""
        key = (module.path, name)
        found = self._exports.get(key)
        if found is None:
            # Python modules may import each other's names in a circle.
            self._exports[key] = Unknown(f"{name} of {module.path} is imported in a circle")
            found = exports.export(self, module, name)
            self._exports[key] = found
            if isinstance(found, Unknown):
                del self._exports[key]
        return found

    def scope_of(self, node: Function | Module) -> Scope:
        """The scope of a function or module with nothing bound by a caller, one for each node."""
        if isinstance(node, Module):
            return self.module_scope(node)
        found = self._module_scopes.get(id(node))
        if found is None:
            found = Scope(node, self.scope_of(node.parent))
            self._module_scopes[id(node)] = found
            self._kept.append((node, found))
        return found


def _at(expr: Expr, scope: Scope) -> Location:
    return Location(scope.module.path, expr.line)
