"""The intermediate representation: one small tree for all languages.

Parsers lower a syntax tree to these nodes; linking and recognition read nothing else. The nodes are compared by
identity. Nobody writes to a node after its parser made it; what a parser completes when it knows what is inside is not
frozen.

What a language has and the tree has not is lowered to what is there: ``switch`` to a chain of `If`, ``self`` to
`This`, ``x = yield`` and JSX to `Opaque` with the expressions inside it, so that no call is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from cronaudit.model.source import Language, Location

Scalar: TypeAlias = str | int | float | bool | None


# ---- expressions ----------------------------------------------------------------------------------------------


class Const(Struct, frozen=True, eq=False):
    """A literal. JavaScript's ``undefined`` and Python's ``None`` are both ``None``."""

    value: Scalar
    line: int


class Template(Struct, frozen=True, eq=False):
    """A string with holes: a template literal, an f-string, ``'…' % x`` and ``'…'.format(x)``."""

    parts: tuple[str | Expr, ...]
    line: int


class Name(Struct, frozen=True, eq=False):
    """A variable as written."""

    name: str
    line: int


class This(Struct, frozen=True, eq=False):
    """``this``; in Python the first parameter of a method, ``cls`` of a class method too."""

    line: int


class Super(Struct, frozen=True, eq=False):
    """``super`` as the object of a member access or as a callee (Python: ``super()``)."""

    line: int


class Member(Struct, frozen=True, eq=False):
    """``object.name``, optional chaining included."""

    object: Expr
    name: str
    line: int


class Index(Struct, frozen=True, eq=False):
    """``object[index]``."""

    object: Expr
    index: Expr
    line: int


class Argument(Struct, frozen=True, eq=False):
    """One argument of a call."""

    value: Expr
    name: str | None = None
    """The keyword, in languages that have them."""
    spread: bool = False
    """``...x`` and ``*x``; with ``name == "**"`` the spread of keywords."""


class Call(Struct, frozen=True, eq=False):
    """A call, or ``new`` of a class. A tagged template is a call of its tag with the `Template` as argument."""

    callee: Expr
    args: tuple[Argument, ...]
    line: int
    end_line: int
    is_new: bool = False


class Array(Struct, frozen=True, eq=False):
    """A list, tuple or set display. An item may be a `Spread`."""

    items: tuple[Expr, ...]
    line: int
    end_line: int


class Spread(Struct, frozen=True, eq=False):
    """``...value`` inside an array."""

    value: Expr
    line: int


class Entry(Struct, frozen=True, eq=False):
    """One entry of an object display; a method in it has a `Function` as value."""

    key: str | Expr | None
    """The name where it is written out, an expression where it is computed, ``None`` for a spread."""
    value: Expr
    line: int


class Object(Struct, frozen=True, eq=False):
    """An object or dict display."""

    entries: tuple[Entry, ...]
    line: int
    end_line: int


class Operation(Struct, frozen=True, eq=False):
    """A unary, binary, comparison or logical operation.

    Operators are spelt one way for all languages: ``and or not == != < <= > >= + - * / // % ** ?? in is``,
    ``typeof``, ``instanceof``, ``& | ^ << >> ~``; ``===`` is ``==``. Unary minus is ``-`` with one operand.
    """

    op: str
    operands: tuple[Expr, ...]
    line: int


class Conditional(Struct, frozen=True, eq=False):
    """``test ? then : otherwise``."""

    test: Expr
    then: Expr
    otherwise: Expr
    line: int


class Await(Struct, frozen=True, eq=False):
    """``await value``."""

    value: Expr
    line: int


class AssignExpr(Struct, frozen=True, eq=False):
    """An assignment used as a value (``(timer = setInterval(…))``, the walrus)."""

    target: Expr
    value: Expr
    op: str
    line: int


class Comprehension(Struct, frozen=True, eq=False):
    """``[element for target in iterable if condition]``; of a dict, `element` is an `Array` of key and value."""

    element: Expr
    target: Expr
    iterable: Expr
    conditions: tuple[Expr, ...]
    kind: str
    """``list``, ``set``, ``dict`` or ``generator``."""
    line: int


class Opaque(Struct, frozen=True, eq=False):
    """An expression that the tree has no node for; the expressions inside it are kept."""

    parts: tuple[Expr, ...]
    line: int
    is_yield: bool = False
    """``yield value``: of a context manager, where the block that it holds runs."""


Expr: TypeAlias = (
    "Const | Template | Name | This | Super | Member | Index | Call | Array | Spread | Object | Operation"
    " | Conditional | Await | AssignExpr | Comprehension | Opaque | Function | Class"
)


# ---- types ----------------------------------------------------------------------------------------------------


class TypeRef(Struct, frozen=True, eq=False):
    """A declared type, as far as linking needs it: ``Promise<Foo.Bar>``, ``list[Foo]``, ``Foo | null`` (Foo)."""

    name: str
    """The dotted name as written; ``[]`` for an array type, whose element type is the first argument."""
    args: tuple[TypeRef, ...]
    line: int


# ---- statements -----------------------------------------------------------------------------------------------


class Assign(Struct, frozen=True, eq=False):
    """A declaration or an assignment."""

    target: Expr
    """`Name`, `Member`, `Index`, or for destructuring `Array`/`Object` whose leaves are targets; a default in a
    pattern is an `AssignExpr` with the target and the default."""
    value: Expr | None
    op: str
    """``=``, or the operator of an augmented assignment: ``+`` for ``+=``, ``??`` for ``??=``."""
    declares: bool
    """``const``, ``let``, ``var``; in Python always false."""
    line: int
    end_line: int
    type: TypeRef | None = None


class Do(Struct, frozen=True, eq=False):
    """An expression as a statement."""

    value: Expr
    line: int


class If(Struct, frozen=True, eq=False):
    """A branch. ``switch`` and ``match`` arms are a chain of these with ``==`` tests, which share their subject."""

    test: Expr
    then: tuple[Stmt, ...]
    otherwise: tuple[Stmt, ...]
    line: int


class LoopKind(StrEnum):
    """How a loop goes round."""

    EACH = "each"
    """Over the items of `Loop.iterable` (``for…of``, Python's ``for``)."""
    KEYS = "keys"
    """Over keys (``for…in``)."""
    WHILE = "while"
    """While `Loop.test` holds; ``for (;;)`` has no test."""
    DO = "do"
    """At least once."""


class Loop(Struct, frozen=True, eq=False):
    """A loop of any kind. ``for (init; test; update)`` is a WHILE with the init before it and `update` kept."""

    kind: LoopKind
    target: Expr | None
    iterable: Expr | None
    test: Expr | None
    update: Expr | None
    body: tuple[Stmt, ...]
    is_async: bool
    """``for await``, ``async for``."""
    line: int
    end_line: int


class Handler(Struct, frozen=True, eq=False):
    """One ``catch`` or ``except``."""

    name: str | None
    """The variable that holds the error."""
    types: tuple[Expr, ...]
    """The exception types; empty where all are caught."""
    body: tuple[Stmt, ...]
    line: int
    end_line: int


class Try(Struct, frozen=True, eq=False):
    """``try``; ``else`` of Python is appended to the body."""

    body: tuple[Stmt, ...]
    handlers: tuple[Handler, ...]
    final: tuple[Stmt, ...]
    line: int
    end_line: int


class With(Struct, frozen=True, eq=False):
    """``with a as b:``, ``using x = …``: a scope that releases at its end."""

    items: tuple[tuple[Expr, Expr | None], ...]
    """Each a context expression and the target that holds it."""
    body: tuple[Stmt, ...]
    is_async: bool
    line: int
    end_line: int


class Return(Struct, frozen=True, eq=False):
    """``return value``; an arrow function's expression body is one."""

    value: Expr | None
    line: int


class Throw(Struct, frozen=True, eq=False):
    """``throw`` or ``raise``; without a value it throws the caught error on."""

    value: Expr | None
    line: int


class Break(Struct, frozen=True, eq=False):
    """``break``."""

    line: int


class Continue(Struct, frozen=True, eq=False):
    """``continue``."""

    line: int


class Define(Struct, frozen=True, eq=False):
    """A function, class or interface declaration in statement position."""

    definition: Function | Class | Interface
    line: int


class Import(Struct, frozen=True, eq=False):
    """One imported name. ``require`` stays a `Call` and ``import()`` is a `Call` of the `Name` ``import``."""

    module: str
    """The specifier as written; Python's relative dots included."""
    name: str
    """The name in that module; ``default``, or ``*`` for the whole module."""
    local: str
    """The name here; empty for an import for its side effects. Python's ``import a.b`` is an import of ``a`` as ``a``
    and one of ``a.b`` without a name; ``from x import *`` has ``*`` here too."""
    line: int
    type_only: bool = False


class Export(Struct, frozen=True, eq=False):
    """One exported name of an ES module."""

    name: str
    """The name outside; ``default``; ``*`` for ``export * from``."""
    value: Expr | None
    """What is exported (a `Name` for a declaration); ``None`` where it comes from `module`."""
    module: str | None
    """The specifier of ``export … from``."""
    source_name: str | None
    """The name inside that module, ``*`` for the namespace."""
    line: int


Stmt: TypeAlias = (
    "Assign | Do | If | Loop | Try | With | Return | Throw | Break | Continue | Define | Import | Export"
)


# ---- definitions ----------------------------------------------------------------------------------------------


class Parameter(Struct, eq=False):
    """One parameter of a function."""

    target: Expr
    """A `Name`, or a destructuring pattern as in `Assign.target`."""
    default: Expr | None
    type: TypeRef | None
    rest: str = ""
    """``*`` for the rest of the arguments, ``**`` for the rest of the keywords."""
    is_property: bool = False
    """A TypeScript parameter property (``constructor(private readonly x: X)``): also ``this.x``."""
    decorators: tuple[Expr, ...] = ()
    """``@Inject(TOKEN)`` and the like."""

    @property
    def name(self) -> str | None:
        """The plain name, where it is no pattern."""
        return self.target.name if isinstance(self.target, Name) else None


class FunctionKind(StrEnum):
    """How a function is written."""

    FUNCTION = "function"
    ARROW = "arrow"
    METHOD = "method"
    CONSTRUCTOR = "constructor"
    GETTER = "getter"
    SETTER = "setter"


@dataclass(slots=True, eq=False)
class Function:
    """A function, method or lambda. Its body is lowered when it is first asked for: most are never visited."""

    name: str | None
    """Its own name, else the name that it is directly assigned to (``const f = () => …``, ``{f: () => …}``)."""
    kind: FunctionKind
    params: tuple[Parameter, ...]
    """Without the receiver: the ``self`` or ``cls`` of a Python method is `This`."""
    decorators: tuple[Expr, ...]
    returns: TypeRef | None
    is_async: bool
    is_generator: bool
    is_static: bool
    is_abstract: bool
    """Without a body, or marked abstract."""
    line: int
    end_line: int
    module: Module = field(repr=False)
    parent: Function | Module = field(repr=False)
    """The function or module whose scope it closes over."""
    owner: Class | None = field(repr=False)
    """The class that it is a member of."""
    lower: Callable[[Function], tuple[Stmt, ...]] = field(repr=False)
    """Makes the body."""
    _body: tuple[Stmt, ...] | None = field(default=None, repr=False)
    inner: tuple[Function | Class, ...] | None = field(default=None, repr=False)
    """Functions and classes directly inside, once `walking.definitions_in` has looked."""
    calls: tuple[Call, ...] = field(default=(), repr=False)
    """The calls of its own body, found in the same look; ask `walking.calls_in`."""

    @property
    def body(self) -> tuple[Stmt, ...]:
        """The statements; an expression body is one `Return`."""
        if self._body is None:
            self._body = self.lower(self)
        return self._body

    @property
    def location(self) -> Location:
        """Where it stands."""
        return Location(self.module.path, self.line, self.end_line)

    @property
    def is_constructor(self) -> bool:
        """Whether it makes the objects of its class."""
        return self.kind is FunctionKind.CONSTRUCTOR or self.name == "__init__"

    @property
    def symbol(self) -> str:
        """A readable name: ``Class.method``, ``function``, ``outer.<anonymous>``."""
        own = self.name or "<anonymous>"
        if self.owner is not None:
            return f"{self.owner.name or '<class>'}.{own}"
        if isinstance(self.parent, Function) and (self.name is None or self.parent.name is not None):
            return f"{self.parent.symbol}.{own}"
        return own


class Field(Struct, frozen=True, eq=False):
    """A field of a class, static or not; in Python a class attribute, static if it has a value."""

    name: str
    """Empty for code that runs with the class: a static block, a bare call."""
    value: Expr | None
    type: TypeRef | None
    is_static: bool
    decorators: tuple[Expr, ...]
    line: int
    end_line: int


@dataclass(slots=True, eq=False)
class Class:
    """A class, or a TypeScript enum (`is_enum`: its members are static fields)."""

    name: str | None
    bases: tuple[Expr, ...]
    """What it extends."""
    interfaces: tuple[TypeRef, ...]
    """What it implements."""
    decorators: tuple[Expr, ...]
    fields: tuple[Field, ...]
    methods: tuple[Function, ...]
    is_abstract: bool
    line: int
    end_line: int
    module: Module = field(repr=False)
    parent: Function | Module = field(repr=False)
    is_enum: bool = False
    adopted: tuple[Function, ...] = ()
    """Methods that stand in other files and are assigned to its prototype."""

    @property
    def location(self) -> Location:
        """Where it stands."""
        return Location(self.module.path, self.line, self.end_line)

    @property
    def constructor(self) -> Function | None:
        """What this class itself defines to make its objects."""
        return self.method("constructor") or self.method("__init__")

    def method(self, name: str) -> Function | None:
        """The method of that name that this class defines itself."""
        for method in (
            *self.methods,
            *self.adopted,
        ):  # a plain loop: a scan of a large tree asks a million times
            if method.name == name and method.kind is not FunctionKind.SETTER:
                return method
        return None


@dataclass(slots=True, eq=False)
class Interface:
    """A TypeScript interface or type alias: what is declared about values, nothing that runs."""

    name: str
    bases: tuple[TypeRef, ...]
    """What an interface extends; the type an alias stands for, the members of its union or intersection."""
    fields: tuple[Field, ...]
    """Declared members, of every object type in an alias; none has a value."""
    methods: tuple[Function, ...]
    """Declared methods, all abstract."""
    line: int
    end_line: int
    module: Module = field(repr=False)

    @property
    def location(self) -> Location:
        """Where it stands."""
        return Location(self.module.path, self.line, self.end_line)


class Comment(Struct, frozen=True, eq=False):
    """A comment, or a docstring."""

    text: str
    """Without its markers and indentation."""
    line: int
    end_line: int
    is_doc: bool
    """``/** … */`` or a docstring."""
    is_trailing: bool
    """Code stands before it on its line."""


class Module(Struct, eq=False):
    """One parsed file."""

    path: str
    language: Language
    body: tuple[Stmt, ...] = ()
    comments: tuple[Comment, ...] = ()
    """In the order of the file; neighbouring line comments are one comment."""
    errors: tuple[int, ...] = ()
    """Lines that the grammar could not read."""
    inner: tuple[Function | Class, ...] | None = None
    """Functions and classes directly inside, once `walking.definitions_in` has looked."""
    calls: tuple[Call, ...] = ()
    """The calls of its own body, found in the same look; ask `walking.calls_in`."""

    @property
    def imports(self) -> Iterator[Import]:
        """The imports at the top level."""
        return (s for s in self.body if isinstance(s, Import))

    @property
    def exports(self) -> Iterator[Export]:
        """The exports of an ES module."""
        return (s for s in self.body if isinstance(s, Export))
