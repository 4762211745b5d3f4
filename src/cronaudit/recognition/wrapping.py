"""Loops inside functions of the project that callers hand the work or the pause: each call is one job."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cronaudit.model.ir import (
    Assign,
    Call,
    Class,
    Const,
    Expr,
    Function,
    Loop,
    Member,
    Module,
    Name,
    Operation,
)
from cronaudit.model.linker import Bound, Item, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import ClassValue, External, Instance, Known, Scope, Symbol, Value
from cronaudit.model.walking import class_around, expressions, method_around, statements


def called_parameters(
    bodies: Iterable[Function | Loop], linker: Linker, node: Function | Module
) -> list[Symbol]:
    """The parameters that these bodies call: the work of a wrapper around `node`, that its callers pass.

    A constructor's parameter that the object keeps counts as well.
    """
    found: list[Symbol] = []
    for body in bodies:
        scope = linker.scope_of(body if isinstance(body, Function) else node)
        for expr in expressions(body.body):
            if isinstance(expr, Call) and isinstance(expr.callee, Name | Member):
                callee = linker.fold(expr.callee, scope)
                if isinstance(callee, Symbol) and _is_handed(callee) and _is_around(callee, node):
                    found.append(callee)
    return found


def _is_handed(symbol: Symbol) -> bool:
    """Whether a symbol is what a caller passes, as an argument or as one of its options: ``every({ tick, ms })``."""
    if not symbol.path:
        return True
    params = symbol.owner.params if isinstance(symbol.owner, Function) else ()
    return len(symbol.path) == 1 and all(p.name != symbol.name for p in params)


def _is_around(symbol: Symbol, node: Function | Module) -> bool:
    owner = symbol.owner
    if not isinstance(owner, Function):
        return False
    return _between(node, owner) is not None or (
        class_made_by(owner) is not None and class_around(node) is owner.owner
    )


def class_made_by(function: Function) -> Class | None:
    """The class that a function constructs."""
    return function.owner if function.is_constructor else None


def armed_by_callers(
    works: list[Symbol],
    pause: Value,
    node: Function | Module,
    linker: Linker,
    settles: Callable[[Scope], bool] = lambda _scope: True,
    *,
    each: bool = False,
) -> list[Bound]:
    """The scopes of `node`, one for each call that hands over what runs, else for one that settles the pause.

    With `each`, for all that say a pause. Empty where `node` is a wrapper that nothing calls.
    """
    plain = Bound(linker.scope_of(node), ())
    if works:
        return [b for b in _bound_in(works[0], node, linker) if b.chain]
    inherited = of_subclasses(node, linker, settles)
    if inherited:
        return inherited
    opened = [s for s in linker.symbols(pause) if _is_around(s, node)]
    if not opened:
        return _told_to_a_library(pause, node, linker) or [plain]
    # Whoever calls it, the loop is one job: only what its pause comes to is asked of the callers.
    bounds = _bound_in(opened[0], node, linker)
    return [Bound(b.scope, ()) for b in (bounds if each else bounds[:1])] or [plain]


def _told_to_a_library(pause: Value, node: Function | Module, linker: Linker) -> list[Bound]:
    """The scopes of `node` for each object of a class that leaves its pause to the library it inherits from.

    ``class Every(Timer): def run(self): while not self.finished.wait(self.interval): self.function()``.
    """
    cls = class_around(node)
    if cls is None or not isinstance(pause, External) or pause.receiver is None:
        return []
    if any(isinstance(c, ClassValue) and c.cls.constructor for c in linker.lineage(linker.class_value(cls))):
        return []
    return [bound for _made, bound in objects_around(cls, node, linker)]


def of_subclasses(node: Function | Module, linker: Linker, settles: Callable[[Scope], bool]) -> list[Bound]:
    """The scopes of `node` for each class that inherits the loop: a base class that arms itself is a scheduler.

    An object that is made gives what it is made with. Of several ways into `node` the one counts that `settles` the
    pause: ``scheduleNext(0)`` at the start says nothing about the period.
    """
    owner = class_around(node)
    if owner is None or not isinstance(node, Function) or not linker.subclasses(owner):
        return []
    made: dict[Location, Bound] = {}
    for bound in linker.bounds(node):
        this = _this_of(bound.scope)
        if this is not None and not this.of.cls.is_abstract:
            at = this.of.cls.location
            if at not in made or (settles(bound.scope) and not settles(made[at].scope)):
                made[at] = _of_class(this, bound.scope, bound.chain)
    for instance, chain in linker.instances(owner):
        cls = instance.of.cls
        if cls.location not in made and not cls.is_abstract:
            made[cls.location] = _of_class(
                instance, Scope(node, linker.scope_of(node.parent), this=instance), chain
            )
    return [made[at] for at in sorted(made)]


def _of_class(made: Instance, scope: Scope, chain: tuple[Location, ...]) -> Bound:
    at = made.of.cls.location
    return Bound(scope, (*chain, at), (Item(at, made),))


def _this_of(scope: Scope) -> Instance | None:
    return next((s.this for s in scope.outward() if isinstance(s.this, Instance)), None)


def scope_inside(outer: Scope, of: Function, node: Function, linker: Linker) -> Scope:
    """The scope of `node`, which is `of` or stands inside it or around it, where `of` has the scope `outer`."""
    known = outer.of(node)
    if known is not None:
        return known
    between = _between(node, of)
    if between is None:
        # Another method of the object: ``def _run(self): self.start(); …``, which arms the timer.
        this = _this_of(outer)
        plain = linker.scope_of(node)
        return plain if this is None or node.owner is None else Scope(node, plain.parent, this=this)
    scope = outer
    for inner in reversed(between):
        scope = Scope(inner, scope)
    return scope


def _between(node: Function | Module, outer: Function) -> list[Function] | None:
    """The functions from `node` up to `outer`, inner first and without it; None where `node` is not inside it."""
    found: list[Function] = []
    current: Function | Module = node
    while isinstance(current, Function) and current is not outer:
        found.append(current)
        current = current.parent
    return found if current is outer else None


def _bound_in(symbol: Symbol, node: Function | Module, linker: Linker) -> list[Bound]:
    """The scopes of `node` inside those of the function around it that callers call, or for each object made."""
    owner = symbol.owner
    if not isinstance(owner, Function):
        return []
    between = _between(node, owner)
    if between is None:
        made = class_made_by(owner)
        return _of_objects(made, node, linker) if made is not None else []
    found: list[Bound] = []
    for bound in linker.bounds(owner):
        scope = bound.scope
        for inner in reversed(between):
            scope = Scope(inner, scope)
        found.append(Bound(scope, bound.chain, bound.items, bound.rank))
    return found


def _of_objects(cls: Class, node: Function | Module, linker: Linker) -> list[Bound]:
    return [
        _of_class(made, bound.scope, bound.chain) if made.of.cls is not cls else bound
        for made, bound in objects_around(cls, node, linker)
    ]


def objects_around(cls: Class, node: Function | Module, linker: Linker) -> list[tuple[Instance, Bound]]:
    """The objects of a class that the tree makes, each with the scope of `node`, a method or inside one."""
    method = method_around(node)
    between = _between(node, method) if method is not None else None
    if method is None or between is None:
        return []
    found: list[tuple[Instance, Bound]] = []
    for made, chain in linker.instances(cls):
        scope = Scope(method, made.of.scope, this=made)
        for inner in reversed(between):
            scope = Scope(inner, scope, this=made)
        found.append((made, Bound(scope, chain)))
    return found


def steady_pause(call: Call, loop: Loop | Function, scope: Scope, linker: Linker) -> Value | None:
    """The period of a loop that subtracts what its round has taken: ``sleep(Math.max(PERIOD - (end - start), 0))``."""
    expr: Expr | None = call.args[0].value if call.args else None
    if isinstance(expr, Name):
        name = expr.name
        expr = next(
            (
                s.value
                for s in statements(loop.body)
                if isinstance(s, Assign) and isinstance(s.target, Name) and s.target.name == name
            ),
            None,
        )
    if isinstance(expr, Call) and isinstance(expr.callee, Name | Member) and expr.callee.name == "max":
        expr = next((a.value for a in expr.args if not isinstance(a.value, Const)), None)
    if not isinstance(expr, Operation) or expr.op != "-" or not expr.operands:
        return None
    period = linker.fold(expr.operands[0], scope)
    return period if isinstance(period, Known | Symbol) else None
