"""Which names a function or module defines, and every place that assigns to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from cronaudit.model.ir import (
    Array,
    Assign,
    AssignExpr,
    Class,
    Comprehension,
    Define,
    Do,
    Export,
    Expr,
    Function,
    If,
    Import,
    Index,
    Interface,
    Loop,
    Member,
    Module,
    Name,
    Object,
    Operation,
    Return,
    Spread,
    Stmt,
    This,
    Throw,
    Try,
    With,
)
from cronaudit.model.walking import children

ITEM = "[]"
Step = str | int | None
"""One step into a destructured value: a key, a position, or the rest (None)."""


class Binding(Struct, eq=False):
    """One place that gives a name its value."""

    kind: str
    """``assign``, ``define``, ``import``, ``each``, ``with``, ``catch`` or ``parameter``."""
    node: Assign | AssignExpr | Function | Class | Interface | Import | Loop | With | Try | Comprehension
    value: Expr | None
    path: tuple[Step, ...]
    """Into the value, for a destructuring."""
    default: Expr | None
    """Of a destructuring."""
    guarded_by: tuple[Expr, ...]
    """Tests of the branches that it stands in, inner last."""
    owner: Function | Module
    """The function or module in whose body it stands."""
    op: str = "="
    line: int = 0
    way: tuple[tuple[int, int], ...] | None = None
    """Into which branches of its owner it lies, once that was asked."""


class Store(Struct, eq=False):
    """An assignment to a member: ``object.name = value``."""

    object: Expr
    name: str
    value: Expr
    line: int
    function: Function | Module
    """The function in whose scope it stands."""
    key: Expr | None = None
    """Of ``object[key] = value``, whose `name` is `ITEM`."""


Table = dict[str, list[Binding]]


def leaves(target: Expr, path: tuple[Step, ...] = ()) -> Iterator[tuple[Expr, tuple[Step, ...], Expr | None]]:
    """The targets inside a destructuring pattern, each with its path and default."""
    if isinstance(target, AssignExpr):
        for leaf, inner, default in leaves(target.target, path):
            yield leaf, inner, target.value if default is None and inner == path else default
    elif isinstance(target, Object):
        for entry in target.entries:
            step: Step = entry.key if isinstance(entry.key, str) else None
            yield from leaves(entry.value, (*path, step))
    elif isinstance(target, Array):
        for position, item in enumerate(target.items):
            if isinstance(item, Spread):
                yield from leaves(item.value, (*path, None))
            else:
                yield from leaves(item, (*path, position))
    else:
        yield target, path, None


class Scopes:
    """Symbol tables, made once for each function and module that is asked about."""

    def __init__(self, assigning: Callable[[Function | Module, str], Iterator[Function]]) -> None:
        self._assigning = assigning
        self._tables: dict[int, Table] = {}
        self._stores: dict[int, list[Store]] = {}
        self._nested: dict[tuple[int, str], list[Binding]] = {}
        self._of_classes: dict[tuple[int, int], dict[str, list[tuple[Function, Store]]]] = {}
        self._keep: list[Function | Module | Class] = []

    def table(self, node: Function | Module) -> Table:
        """The names that `node` itself defines, parameters aside."""
        found = self._tables.get(id(node))
        if found is None:
            found = {}
            stores: list[Store] = []
            self._collect(node.body, (), found, stores, node)
            self._tables[id(node)] = found
            self._stores[id(node)] = stores
            self._keep.append(node)
        return found

    def stores(self, node: Function | Module) -> list[Store]:
        """Assignments to members in the body of `node`, nested functions aside."""
        self.table(node)
        return self._stores[id(node)]

    def kept_in_this(self, cls: Class, name: str) -> Sequence[tuple[Function, Store]]:
        """``this.name = …`` in the methods of a class, by their order."""
        key = (id(cls), len(cls.adopted))
        found = self._of_classes.get(key)
        if found is None:
            found = self._of_classes[key] = {}
            self._keep.append(cls)
            for method in (*cls.methods, *cls.adopted):
                for store in self.stores(method):
                    if isinstance(store.object, This):
                        found.setdefault(store.name, []).append((method, store))
        return found.get(name, ())

    def assigned_inside(self, node: Function | Module, name: str) -> list[Binding]:
        """Assignments of a variable of `node` in functions nested in it: they may fill it."""
        key = (id(node), name)
        found = self._nested.get(key)
        if found is None:
            found = self._nested[key] = []
            self._keep.append(node)
            for function in self._assigning(node, name):
                bindings = self.table(function).get(name, ())
                is_own = any(_declares(b) for b in bindings) or any(
                    name in _names(param.target) for param in function.params
                )
                if not is_own:
                    found.extend(b for b in bindings if b.kind == "assign")
        return found

    def _collect(
        self,
        body: tuple[Stmt, ...],
        guards: tuple[Expr, ...],
        table: Table,
        stores: list[Store],
        owner: Function | Module,
    ) -> None:
        for statement in body:
            self._collect_one(statement, guards, table, stores, owner)

    def _bind(  # noqa: PLR0913, PLR0917 - the parts of one binding
        self,
        kind: str,
        node: Assign | AssignExpr | Loop | With | Comprehension,
        target: Expr,
        value: Expr | None,
        guards: tuple[Expr, ...],
        table: Table,
        stores: list[Store],
        owner: Function | Module,
        op: str = "=",
    ) -> None:
        for leaf, path, default in leaves(target):
            line = getattr(leaf, "line", node.line)
            if isinstance(leaf, Name):
                binding = Binding(kind, node, value, path, default, guards, owner, op, line)
                table.setdefault(leaf.name, []).append(binding)
            elif isinstance(leaf, Member) and value is not None and not path and op in ("=", "??", "or"):
                stores.append(Store(leaf.object, leaf.name, value, line, owner))
            elif isinstance(leaf, Index) and value is not None and not path and op == "=":
                stores.append(Store(leaf.object, ITEM, value, line, owner, leaf.index))

    def _collect_one(
        self,
        s: Stmt,
        guards: tuple[Expr, ...],
        table: Table,
        stores: list[Store],
        owner: Function | Module,
    ) -> None:
        if isinstance(s, Assign):
            self._bind("assign", s, s.target, s.value, guards, table, stores, owner, s.op)
            if s.value is not None:
                self._expression(s.value, guards, table, stores, owner)
        elif isinstance(s, Do):
            self._expression(s.value, guards, table, stores, owner)
        elif isinstance(s, Define):
            definition = s.definition
            if definition.name and not (isinstance(definition, Interface) and definition.name in table):
                binding = Binding("define", definition, None, (), None, guards, owner, line=s.line)
                table.setdefault(definition.name, []).append(binding)
        elif isinstance(s, Import):
            if s.local:
                table.setdefault(s.local, []).append(
                    Binding("import", s, None, (), None, guards, owner, line=s.line)
                )
        elif isinstance(s, If):
            self._expression(s.test, guards, table, stores, owner)
            self._collect(s.then, (*guards, s.test), table, stores, owner)
            against = Operation("not", (s.test,), s.line)
            self._collect(s.otherwise, (*guards, against), table, stores, owner)
        elif isinstance(s, Loop):
            if s.target is not None and s.iterable is not None:
                self._bind("each", s, s.target, s.iterable, guards, table, stores, owner)
            self._collect(s.body, guards, table, stores, owner)
            if s.test is not None:
                self._expression(s.test, guards, table, stores, owner)
        elif isinstance(s, With):
            for value, target in s.items:
                if target is not None:
                    self._bind("with", s, target, value, guards, table, stores, owner)
            self._collect(s.body, guards, table, stores, owner)
        elif isinstance(s, Try):
            self._collect(s.body, guards, table, stores, owner)
            for handler in s.handlers:
                if handler.name:
                    binding = Binding("catch", s, None, (), None, guards, owner, line=handler.line)
                    table.setdefault(handler.name, []).append(binding)
                self._collect(handler.body, guards, table, stores, owner)
            self._collect(s.final, guards, table, stores, owner)
        elif isinstance(s, Export):
            if isinstance(s.value, Function | Class) and s.value.name:
                binding = Binding("define", s.value, None, (), None, guards, owner, line=s.line)
                table.setdefault(s.value.name, []).append(binding)
            elif s.value is not None:
                self._expression(s.value, guards, table, stores, owner)
        elif isinstance(s, Return | Throw) and s.value is not None:
            self._expression(s.value, guards, table, stores, owner)

    def _expression(
        self,
        expr: Expr,
        guards: tuple[Expr, ...],
        table: Table,
        stores: list[Store],
        owner: Function | Module,
    ) -> None:
        """Assignments inside an expression (``a = b = c``, the walrus) and comprehension targets."""
        if isinstance(expr, AssignExpr):
            self._bind("assign", expr, expr.target, expr.value, guards, table, stores, owner, expr.op)
        elif isinstance(expr, Comprehension):
            self._bind("each", expr, expr.target, expr.iterable, guards, table, stores, owner)
        elif isinstance(expr, Function | Class):
            return
        for child in children(expr):
            self._expression(child, guards, table, stores, owner)


def _declares(binding: Binding) -> bool:
    return not isinstance(binding.node, Assign | AssignExpr) or (
        isinstance(binding.node, Assign) and binding.node.declares
    )


def _names(target: Expr) -> Iterator[str]:
    for leaf, _path, _default in leaves(target):
        if isinstance(leaf, Name):
            yield leaf.name
