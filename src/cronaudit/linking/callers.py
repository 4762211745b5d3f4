"""The walk up: the scopes in which callers, registries and instances bind what a function leaves open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, zip_longest
from typing import TypeAlias

from cronaudit.linking import handed_out, heirs, instances, iterables, names, parameters
from cronaudit.linking.builtins import EACH_METHODS
from cronaudit.linking.decorators import decorating
from cronaudit.linking.fold import Evaluator
from cronaudit.linking.program import Program
from cronaudit.linking.usages import Usages, needs_caller, symbols
from cronaudit.model.ir import Call, Class, Function, Loop, Member, Module, Name
from cronaudit.model.linker import Bound, Item
from cronaudit.model.source import Language, Location
from cronaudit.model.value import (
    Arguments,
    Builtin,
    Choice,
    ClassValue,
    Closure,
    Instance,
    Lazy,
    Namespace,
    Scope,
    Sequence,
    Symbol,
    Value,
)

_DEPTH = 6
_MOST_BOUND = 200
_MOST_AT_A_SITE = 100

_Site: TypeAlias = tuple[Call, Function | Module]


class Callers:
    """Finds the users of functions and classes."""

    def __init__(self, evaluator: Evaluator, program: Program) -> None:
        self._ev = evaluator
        self._program = program
        self.usages = Usages(evaluator, program)
        self._bounds: dict[int, tuple[Bound, ...]] = {}
        self._active: set[int] = set()
        self._keep: list[object] = []

    # ---- users of a symbol -----------------------------------------------------------------------------------

    def instances(self, cls: Class, depth: int = 0) -> tuple[tuple[Instance, tuple[Location, ...]], ...]:
        """Every object of `cls` or a class below it that the tree makes, with its places."""
        found: list[tuple[Instance, tuple[Location, ...]]] = []
        for value in (self.usages.class_value(cls), *self.usages.subclasses(cls)):
            for call, node in self.usages.new_sites(value.cls):
                scopes = (
                    self.bounds(node, depth + 1)
                    if self._needs_caller(call, node)
                    else (Bound(self._ev.scope_of(node), ()),)
                )
                for bound in scopes:
                    at = Location(bound.scope.module.path, call.line, call.end_line)
                    made = Instance(value, self._ev.arguments(call, bound.scope), at)
                    found.append((made, (at, *bound.chain)))
        return tuple(found[:_MOST_BOUND]) or tuple(heirs.of_container(cls, self.usages))

    def _needs_caller(self, call: Call, node: Function | Module) -> bool:
        args = self._ev.arguments(call, self._ev.scope_of(node))
        raws = (*args.positional, *args.named.values(), *args.spreads)
        return any(needs_caller(raw, self._ev) for raw in raws)

    def seek(self, node: Function | Module) -> None:
        """Find who calls a method in the whole tree, wherever an object of its class is handed to."""
        if isinstance(node, Function) and self.usages.seek(node):
            self._bounds.pop(id(node), None)

    # ---- bound scopes ----------------------------------------------------------------------------------------

    def bounds(self, node: Function | Module, depth: int = 0) -> tuple[Bound, ...]:
        """The scopes of `node`, one for each way in which the tree calls it; one unbound where it calls it nowhere."""
        if isinstance(node, Module):
            return (Bound(self._ev.module_scope(node), ()),)
        found = self._bounds.get(id(node))
        if found is not None:
            return found
        if depth > _DEPTH or id(node) in self._active:
            return (Bound(self._ev.scope_of(node), ()),)
        self._active.add(id(node))
        try:
            found = tuple(self._find_bounds(node, depth))[:_MOST_BOUND]
        finally:
            self._active.discard(id(node))
        found = found or (Bound(self._ev.scope_of(node), ()),)
        self._bounds[id(node)] = found
        self._keep.append(node)
        return found

    def _find_bounds(self, node: Function, depth: int) -> Iterator[Bound]:
        passed_to = self._passed_to(node)
        if (
            passed_to is not None
            and isinstance(passed_to.callee, Member)
            and passed_to.callee.name in EACH_METHODS
        ):
            yield from self._each_bounds(node, passed_to, depth)
            return
        found = self.usages.call_sites(node) or handed_out.sites(
            node, self.usages.call_sites, self._ev, self._program
        )
        sites = [(call, where) for call, where in found if where is not node]
        shared = self._shared(sites)
        of_sites = [
            tuple(islice(self._entered_from(node, site, shared, depth), _MOST_AT_A_SITE)) for site in sites
        ]
        any_call = any(of_sites)
        # A site that is come to in many ways must not use up the room of the others.
        if sum(map(len, of_sites)) > _MOST_BOUND:
            yield from (b for row in zip_longest(*of_sites) for b in row if b is not None)
        else:
            yield from (b for found in of_sites for b in found)
        uses = (
            ()
            if any_call or node.module.language is not Language.PYTHON
            else tuple(decorating(node, self._ev, self._program, self.usages))
        )
        yield from uses
        if any_call or uses:
            return
        if isinstance(node.parent, Function) and node.owner is None:
            for outer in self.bounds(node.parent, depth + 1):
                yield Bound(Scope(node, outer.scope), outer.chain, outer.items, outer.rank)
        elif node.owner is not None and not node.is_static:
            of = self.usages.class_value(node.owner)
            for made, chain in self.instances(node.owner, depth):
                if node.is_constructor:
                    yield Bound(instances.constructor_scope(self._ev, made, of, made), chain, _place(made))
                else:
                    around = of.scope if node.module is of.cls.module else self._ev.scope_of(node.parent)
                    yield Bound(Scope(node, around, this=made), chain, _place(made))

    def _entered_from(
        self, node: Function, site: _Site, shared: frozenset[Location], depth: int
    ) -> Iterator[Bound]:
        for bound in self._site_scopes(node, *site, depth):
            yield from self._entered(node, site[0], bound, shared)

    def _shared(self, sites: list[_Site]) -> frozenset[Location]:
        """Where objects are made that several places hand something: not the object tells those calls apart."""
        found: list[Location] = []
        for call, where in sites if len(sites) > 1 else ():
            callee = self._ev.fold(call.callee, self._ev.scope_of(where)) if call.args else None
            this = callee.this if isinstance(callee, Closure) else None
            if isinstance(this, Instance) and this.at is not None:
                found.append(this.at)
        return frozenset(at for at in found if found.count(at) > 1)

    def _each_bounds(self, node: Function, call: Call, depth: int) -> Iterator[Bound]:
        """A callback of ``forEach`` and the like: once for each item of a written-out list."""
        assert isinstance(call.callee, Member)  # noqa: S101 - the caller has looked
        unbound = Bound(self._ev.scope_of(node.parent), ())
        known = self._ev.fold(call.callee.object, unbound.scope)
        settled = iterables.raw_items(known) and not any(True for _ in symbols(known, self._ev))
        for outer in (unbound,) if settled else self.bounds(node.parent, depth + 1):
            iterable = self._ev.fold(call.callee.object, outer.scope)
            items = list(self._registered(iterable))
            for entry, places, _rank in items:
                is_pair = isinstance(iterable, Sequence) and iterable.is_map and isinstance(entry, Sequence)
                args = (
                    (entry.items[1], entry.items[0]) if is_pair and isinstance(entry, Sequence) else (entry,)
                )
                scope = Scope(node, outer.scope)
                parameters.bind(self._ev, scope, node, Arguments(args, {}, complete=False), ())
                yield Bound(scope, (*outer.chain, *_spots(places)), (*outer.items, *places), outer.rank)
            if not items:
                yield Bound(Scope(node, outer.scope), outer.chain, outer.items, outer.rank)

    def _passed_to(self, node: Function) -> Call | None:
        return self._program.taking(node)

    def _site_scopes(
        self, node: Function, call: Call, where: Function | Module, depth: int
    ) -> Iterator[Bound]:
        """The scopes in which a call site passes plain values: its callers' where it only hands on theirs."""
        is_open = self._needs_caller(call, where) or self._receiver_is_open(call, where, node)
        if is_open or heirs.are_told(call, where, self.usages):
            for bound in self.bounds(where, depth + 1):
                yield from self._unrolled(call, bound)
        else:
            yield from self._unrolled(call, Bound(self._ev.scope_of(where), ()))

    def _receiver_is_open(self, call: Call, where: Function | Module, node: Function) -> bool:
        if isinstance(call.callee, Name):  # what it was handed under a name of its own
            return isinstance(self._ev.fold(call.callee, self._ev.scope_of(where)), Symbol)
        if not isinstance(call.callee, Member):
            return False
        if self.usages.is_held(self._ev.fold(call.callee, self._ev.scope_of(where)), node):
            return False
        receiver = self._ev.fold(call.callee.object, self._ev.scope_of(where))
        return isinstance(receiver, Symbol) and not isinstance(receiver.owner, Loop)

    def _unrolled(self, call: Call, bound: Bound) -> Iterator[Bound]:
        """A site inside loops over written-out lists, once for each item."""

        def values(scope: Scope) -> list[Value | Lazy]:
            args = self._ev.arguments(call, scope)
            found: list[Value | Lazy] = [*args.positional, *args.named.values(), *args.spreads]
            if isinstance(call.callee, Member):
                found.append(self._ev.fold(call.callee.object, scope))
            return found

        yield from self.unroll(bound, values)

    def unroll(
        self, bound: Bound, values: Callable[[Scope], list[Value | Lazy]], depth: int = 0
    ) -> Iterator[Bound]:
        """Bind loop variables that `values` depends on to each item of a written-out list."""
        loop = next(
            (s for raw in values(bound.scope) for s in symbols(raw, self._ev) if isinstance(s.owner, Loop)),
            None,
        )
        if loop is None or depth > 2 or loop.scope is None:
            yield bound
            return
        owner = loop.owner
        assert isinstance(owner, Loop)  # noqa: S101 - just selected
        holder = bound.scope.of(loop.scope.node)
        items: list[tuple[Value, tuple[Item, ...], int]] = []
        if owner.iterable is not None and holder is not None:
            items = list(self._registered(self._ev.fold(owner.iterable, holder)))
        if not items or owner.target is None or holder is None:
            yield bound
            return
        for entry, places, rank in items:
            scope = _rebound(bound.scope, holder)
            target_scope = scope.of(loop.scope.node)
            assert target_scope is not None  # noqa: S101 - `_rebound` keeps the chain
            names.bind_target(self._ev, target_scope, owner.target, entry)
            self._keep.append(scope)
            inner = Bound(
                scope, (*bound.chain, *_spots(places)), _within(bound.items, places), max(rank, bound.rank)
            )
            yield from self.unroll(inner, values, depth + 1)

    def _registered(self, iterable: Value) -> Iterator[tuple[Value, tuple[Item, ...], int]]:
        """The items of a registry with their places; one that a parameter fills, once for each caller that fills it."""
        for raw in iterables.raw_items(iterable) or ():
            inner = raw.items[-1] if isinstance(raw, Sequence) and len(raw.items) == 2 else raw
            scope = inner.scope if isinstance(inner, Lazy) else None
            if (
                scope is None
                or isinstance(scope.node, Module)
                or not any(True for _ in symbols(raw, self._ev))
            ):
                value = self._ev.force(raw)
                yield value, _place(value), 0
                continue
            for bound in self.bounds(scope.node):
                value = self._rebuilt(raw, bound.scope)
                yield value, (*_place(value), *bound.items), bound.rank

    def _rebuilt(self, raw: Value | Lazy, scope: Scope) -> Value:
        if isinstance(raw, Lazy):
            return self._ev.fold(raw.expr, scope)
        if isinstance(raw, Sequence):
            return Sequence(tuple(self._rebuilt(i, scope) for i in raw.items), raw.complete, raw.at)
        return raw

    def _entered(
        self, node: Function, call: Call, bound: Bound, shared: frozenset[Location]
    ) -> Iterator[Bound]:
        at = Location(bound.scope.module.path, call.line, call.end_line)
        callee = self._ev.fold(call.callee, bound.scope)
        if (
            isinstance(call.callee, Member)
            and call.callee.name in EACH_METHODS
            and not self.usages.reaches(callee, node)
        ):
            items = iterables.sequence_items(self._ev, self._ev.fold(call.callee.object, bound.scope)) or ()
            for entry in items:
                scope = Scope(node, self._ev.scope_of(node.parent))
                parameters.bind(self._ev, scope, node, Arguments((entry,), {}, complete=False), ())
                own = _place(entry)
                yield Bound(scope, (at, *bound.chain, *_spots(own)), (*bound.items, *own))
            return
        args = self._ev.arguments(call, bound.scope)
        is_held = self.usages.is_held(callee, node)
        for position, closure in self._closures(callee, node):
            this = closure.this
            known = isinstance(this, Instance) and this.args is not None
            for one in [this] if known else self._implied_instances(node, this) or [this]:
                scope = Scope(node, closure.scope, this=one)
                parameters.bind(self._ev, scope, node, args, closure.bound)
                self._keep.append(scope)
                told = isinstance(one, Instance) and not (
                    call.args and (is_held or one.at in shared or _is_bare(one))
                )
                own = _place(one) if isinstance(one, Instance) and told else ()
                rank = max(position, bound.rank)
                yield Bound(scope, (*_spots(own), at, *bound.chain), (*own, *bound.items), rank)

    def _closures(self, callee: Value, node: Function) -> Iterator[tuple[int, Closure]]:
        """The closures of `node` that a callee may be, each with its place among the alternatives.

        Through a base class or interface, one is made up for it.
        """
        for position, option in enumerate(callee.options if isinstance(callee, Choice) else (callee,)):
            if isinstance(option, Builtin):
                option = option.receiver  # noqa: PLW2901 - ``f.call(…)`` calls f
            if not isinstance(option, Closure):
                if self.usages.is_held(option, node):
                    yield position, Closure(node, self._ev.scope_of(node.parent))
                continue
            if option.function is node:
                yield position, option
            elif self.usages.reaches(option, node):
                this = option.this if self._is_instance_of(option.this, node) else None
                yield position, Closure(node, self._ev.scope_of(node.parent), this, option.bound)

    def _is_instance_of(self, this: Value | None, node: Function) -> bool:
        return isinstance(this, Instance) and any(
            isinstance(c, ClassValue) and c.cls is node.owner for c in instances.lineage(self._ev, this.of)
        )

    def _implied_instances(self, node: Function, this: Value | None) -> list[Value | None]:
        """The call tells only the declared type: every object of it that the tree makes.

        ``super.start()`` in a class is a call on the objects of that class and those below it only.
        """
        if node.owner is None or node.is_static:
            return []
        owner = node.owner
        if isinstance(this, Symbol) and isinstance(this.owner, Class):
            owner = this.owner
        elif isinstance(this, Instance):
            owner = this.of.cls
        return [made for made, _chain in self.instances(owner, _DEPTH - 1)]


def _is_bare(made: Instance) -> bool:
    """Whether an object is made of nothing: what its methods are handed tells more than where it is made."""
    args = made.args
    return args is not None and not (args.positional or args.named or args.spreads)


def _place(value: Value) -> tuple[Item, ...]:
    if isinstance(value, Sequence) and value.items and value.is_map is False and len(value.items) == 2:
        last = value.items[-1]
        return _place(last) if not isinstance(last, Lazy) else (Item(value.at, value),) if value.at else ()
    at = getattr(value, "at", None)
    if isinstance(value, Namespace):
        at = Location(value.module.path, 1)
    if isinstance(value, Closure | ClassValue):
        at = value.function.location if isinstance(value, Closure) else value.cls.location
    return (Item(at, value),) if isinstance(at, Location) else ()


def _within(items: tuple[Item, ...], places: tuple[Item, ...]) -> tuple[Item, ...]:
    """Items with those of a loop inside: what is written inside an item that a caller stated comes before it."""
    for position, item in enumerate(items[:-1]):
        at, end = item.location, item.location.end_line or item.location.line
        if places and all(p.location.path == at.path and at.line <= p.location.line <= end for p in places):
            return (*items[: position + 1], *places, *items[position + 1 :])
    return (*items, *places)


def _spots(items: tuple[Item, ...]) -> tuple[Location, ...]:
    return tuple(i.location for i in items)


def _rebound(scope: Scope, holder: Scope) -> Scope:
    """A copy of the chain from `scope` up to `holder`, so that names can be bound in it."""
    if scope is holder:
        return Scope(scope.node, scope.parent, dict(scope.values), scope.this)
    parent = _rebound(scope.parent, holder) if scope.parent is not None else None
    return Scope(scope.node, parent, dict(scope.values), scope.this)
