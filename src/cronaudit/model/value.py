"""Folded values: what an expression comes to, as far as the tree tells, and where each part of it was stated.

A value is one of a closed set of node types. What depends on a caller stays a `Symbol` (a parameter, ``this``, the
item of a loop) until the caller is known; what cannot be told at all is `Unknown` with its reason. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from cronaudit.model.ir import Call, Class, Expr, Function, Interface, Loop, Module, Scalar, TypeRef
from cronaudit.model.source import Location


class Known(Struct, frozen=True, eq=False):
    """A scalar that the tree states."""

    value: Scalar
    at: Location | None = None
    """Where it is stated: the literal, or for a computed value the expression."""
    unit: str | None = None
    """``s`` or ``ms`` where the value is a duration that carries its unit (``timedelta``, ``ms('5m')``)."""
    default_of: str | None = None
    """The environment variable or option whose default this is."""


class Text(Struct, frozen=True, eq=False):
    """A string with parts that stay open."""

    parts: tuple[str | Value, ...]
    at: Location | None = None


class Lazy(Struct, frozen=True, eq=False):
    """An expression with the scope in which it is to be folded, when somebody asks."""

    expr: Expr
    scope: Scope


class Record(Struct, frozen=True, eq=False):
    """An object or dict."""

    entries: dict[str, Value | Lazy]
    complete: bool
    """False where a spread or a computed key could not be followed: a missing key is then unknown."""
    at: Location | None = None
    rest: External | None = None
    """The object of a library that is spread into it: ``{...createQueue(), start}`` has its methods."""


class Sequence(Struct, frozen=True, eq=False):
    """A list, tuple, array or set."""

    items: tuple[Value | Lazy, ...]
    complete: bool
    at: Location | None = None
    is_map: bool = False
    """Whether it is a ``Map``: the items are pairs of key and value."""


class Closure(Struct, frozen=True, eq=False):
    """A function of the project with the scope that it closes over."""

    function: Function
    scope: Scope
    this: Value | None = None
    bound: tuple[Value, ...] = ()
    """Leading arguments that ``bind`` or ``partial`` has fixed."""


class ClassValue(Struct, frozen=True, eq=False):
    """A class of the project."""

    cls: Class
    scope: Scope


class Instance(Struct, frozen=True, eq=False):
    """An object made by a class of the project."""

    of: ClassValue
    args: Arguments | None
    """None where only the declared type is known."""
    at: Location | None = None
    fields: dict[str, Value] = {}
    """Fields already looked up."""
    row: ClassValue | None = None
    """Of a static object of a class outside the tree below (``objects = OrderManager()``), the class that holds it."""


class Shape(Struct, frozen=True, eq=False):
    """An object of a declared interface or type alias; as a name, the interface itself."""

    interface: Interface
    scope: Scope


class Arguments(Struct, frozen=True, eq=False):
    """Folded arguments of one call."""

    positional: tuple[Value | Lazy, ...]
    named: dict[str, Value | Lazy]
    complete: bool = True
    """False where a spread could not be followed."""
    certain: int = 0
    """So many of `positional` stand before any such spread: they are where they seem to be all the same."""
    spreads: tuple[Value, ...] = ()
    """What was spread and could not be followed: a caller may tell."""


class External(Struct, frozen=True, eq=False):
    """A symbol outside the tree: ``node-cron:schedule``, ``bullmq:Queue()``, ``global:setInterval``.

    The path is the package, a colon, and the members; ``()`` is the result of a call or ``new``. The default export
    and the whole module are both the empty member list. Python has dots only: ``celery.schedules.crontab()``.
    """

    path: str
    args: Arguments | None = None
    """Of the last call in the path."""
    at: Location | None = None
    """Where the last call stands."""
    receiver: External | None = None
    """The object whose method the last call was, with its own arguments."""
    call: Call | None = None
    members: dict[str, Value] = {}
    """What is known of its members: the name of a queue's job, in the walk of that job."""
    of: str = ""
    """The class of the project through which it is reached: the model of a query, which names its table."""
    row: ClassValue | None = None
    """That class itself: the rows of the query are its objects."""


class Namespace(Struct, frozen=True, eq=False):
    """All exports of a module of the project."""

    module: Module


class Builtin(Struct, frozen=True, eq=False):
    """A method of a folded value: ``map`` of a sequence, ``bind`` of a function."""

    receiver: Value
    name: str


class Symbol(Struct, frozen=True, eq=False):
    """What only a caller can tell."""

    owner: Function | Class | Loop
    """The function whose parameter it is, the class whose ``this``, the loop whose item."""
    name: str
    """Of the parameter or loop variable; ``this``."""
    path: tuple[str, ...] = ()
    """Members taken of it."""
    type: TypeRef | None = None
    scope: Scope | None = None
    """Where the type is to be looked up, and the iterable to be folded."""


class Env(Struct, frozen=True, eq=False):
    """An environment variable or setting without a default in the tree."""

    name: str
    at: Location | None = None


class Choice(Struct, frozen=True, eq=False):
    """One of several; the default comes first."""

    options: tuple[Value, ...]


class Unknown(Struct, frozen=True, eq=False):
    """What the tree cannot tell."""

    reason: str
    at: Location | None = None
    over: Value | None = None
    """What it is computed from, where a caller may tell that."""


Value: TypeAlias = (
    "Known | Text | Record | Sequence | Closure | ClassValue | Instance | External | Namespace | Builtin"
    " | Symbol | Env | Choice | Shape | Unknown"
)


class Scope(Struct, eq=False):
    """The variables that an expression can see."""

    node: Function | Module
    parent: Scope | None
    values: dict[str, Value | Lazy] = {}
    """What a caller or a loop has bound; folded when somebody asks."""
    this: Value | None = None
    """None where it is that of the parent."""
    globals: dict[str, Value] | None = None
    """Of a module's scope, what its names have been folded to."""

    @property
    def module(self) -> Module:
        """The module that it lies in."""
        return self.node if isinstance(self.node, Module) else self.node.module

    def outward(self) -> Iterator[Scope]:
        """This scope and those around it, inner first."""
        current: Scope | None = self
        while current is not None:
            yield current
            current = current.parent

    def of(self, node: Function | Module) -> Scope | None:
        """This scope or the one around it that is of `node`; None where none is."""
        current: Scope | None = self
        while current is not None and current.node is not node:
            current = current.parent
        return current
