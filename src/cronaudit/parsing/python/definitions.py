"""Functions and classes of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.model.ir import (
    Array,
    Assign,
    AssignExpr,
    Class,
    Const,
    Define,
    Expr,
    Field,
    Function,
    FunctionKind,
    If,
    Index,
    Loop,
    Member,
    Name,
    Parameter,
    Return,
    Stmt,
    Try,
    TypeRef,
    With,
)
from cronaudit.parsing.lowering import LazyBody, end_line_of, line_of, no_body
from cronaudit.parsing.python.expressions import Expressions, first

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

_GETTERS = frozenset({"property", "cached_property", "abstractproperty", "classproperty"})
_STATIC = frozenset({"staticmethod", "classmethod", "abstractstaticmethod", "abstractclassmethod"})
_WITHOUT_RECEIVER = frozenset({"staticmethod", "abstractstaticmethod"})
_ABSTRACT = frozenset({"abstractmethod", "abstractproperty", "abstractstaticmethod", "abstractclassmethod"})
_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})
_PARAMETER_RESTS = {"list_splat_pattern": "*", "dictionary_splat_pattern": "**"}
_MEMBERS = frozenset({"function_definition", "if_statement", "try_statement", "with_statement"})
_FUNCTIONS = frozenset({"function_definition", "lambda"})


class PythonBody(LazyBody):
    """A body that knows what its method calls its receiver."""

    __slots__ = ("expressions", "receiver")

    def __init__(self, lowering: Definitions, node: Node, receiver: str | None) -> None:
        super().__init__(lowering, node)
        self.expressions = lowering
        self.receiver = receiver

    def __call__(self, function: Function) -> tuple[Stmt, ...]:
        """Make the body of `function`."""
        outer, self.expressions.receiver = self.expressions.receiver, self.receiver
        try:
            return super().__call__(function)
        finally:
            self.expressions.receiver = outer


class Definitions(Expressions):
    """Lowers what has a body: the body of a function waits until it is asked for."""

    __slots__ = ()

    def function(
        self, node: Node, name: str | None, decorators: tuple[Expr, ...] = (), owner: Class | None = None
    ) -> Function:
        """Lower a function or lambda; `name` is used for a lambda."""
        own = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        names = {label for decorator in decorators if (label := _last_name(decorator))}
        params = self._parameters(node.child_by_field_name("parameters"))
        kind = FunctionKind.ARROW if node.type == "lambda" else FunctionKind.FUNCTION
        receiver = self.receiver
        if owner is not None and own is not None:
            kind = _method_kind(self.text(own), names)
            if not names & _WITHOUT_RECEIVER and params and not params[0].rest:
                # What is passed by the call itself is no parameter to those who call.
                receiver = params[0].name
                params = params[1:]
            else:
                receiver = None
        elif receiver is not None and (
            any(param.name == receiver for param in params) or self._rebinds(body, receiver)
        ):
            receiver = None
        return Function(
            name=self.text(own) if own is not None else name,
            kind=kind,
            params=params,
            decorators=decorators,
            returns=self.type_ref(node.child_by_field_name("return_type")),
            is_async=node.children[0].type == "async",
            is_generator=self._yields(node, body),
            is_static=bool(names & _STATIC),
            is_abstract=body is None or bool(names & _ABSTRACT),
            line=line_of(node),
            end_line=end_line_of(node),
            module=self.module,
            parent=self.scope,
            owner=owner,
            lower=PythonBody(self, body, receiver) if body is not None else no_body,
        )

    def _parameters(self, node: Node | None) -> tuple[Parameter, ...]:
        if node is None:
            return ()
        params: list[Parameter] = []
        for child in node.named_children:
            kind = child.type
            if kind in ("identifier", "tuple_pattern"):
                params.append(Parameter(self.pattern(child), None, None))
            elif kind in _PARAMETER_RESTS:
                params.append(Parameter(self.pattern(first(child)), None, None, _PARAMETER_RESTS[kind]))
            elif kind == "typed_parameter":
                target = first(child)
                rest = _PARAMETER_RESTS.get(target.type, "") if target is not None else ""
                if target is not None and rest:
                    target = first(target)
                hint = self.type_ref(child.child_by_field_name("type"))
                params.append(Parameter(self.pattern(target), None, hint, rest))
            elif kind in ("default_parameter", "typed_default_parameter"):
                bound = self.pattern(child.child_by_field_name("name"))
                name = bound.name if isinstance(bound, Name) else None
                default = self.named(child.child_by_field_name("value"), name)
                params.append(Parameter(bound, default, self.type_ref(child.child_by_field_name("type"))))
        return tuple(params)

    def _yields(self, node: Node, body: Node | None) -> bool:
        """Whether a ``yield`` belongs to this function and not to one inside it."""
        return body is not None and any(
            _function_around(word) == node.id for word in self._words(body, b"yield") if word.type == "yield"
        )

    def _rebinds(self, body: Node | None, name: str) -> bool:
        """Whether a nested function assigns the name of the receiver around it."""
        if body is None:
            return False
        for word in self._words(body, name.encode()):
            parent = word.parent if word.type == "identifier" else None
            if parent is None or parent.type not in ("assignment", "for_statement", "as_pattern_target"):
                continue
            if parent.type == "as_pattern_target" or parent.child_by_field_name("left") == word:
                return True
        return False

    def _words(self, node: Node, word: bytes) -> Iterator[Node]:
        """Yield the leaves at which a word stands in the text of a node."""
        position, end = node.start_byte, node.end_byte
        while (position := self.source.find(word, position, end)) >= 0:
            leaf = node.descendant_for_byte_range(position, position + len(word))
            if leaf is not None and leaf.start_byte == position and leaf.end_byte == position + len(word):
                yield leaf
            position += len(word)

    def function_body(self, function: Function, node: Node) -> tuple[Stmt, ...]:
        """Lower a body; that of a lambda is an expression."""
        if function.kind is FunctionKind.ARROW:
            return (Return(self.expr(node), line_of(node)),)
        return self.block(node.named_children)

    # ---- classes

    def klass(self, node: Node, decorators: tuple[Expr, ...] = ()) -> Class:
        """Lower a class."""
        name = node.child_by_field_name("name")
        bases: list[Expr] = []
        names: set[str | None] = set()
        told: list[Field] = []
        for arg in self.arguments(node.child_by_field_name("superclasses")):
            # Of Repository[User], the class is Repository.
            base = arg.value.object if isinstance(arg.value, Index) else arg.value
            if arg.name is None and not arg.spread:
                bases.append(base)
            if arg.name in (None, "metaclass"):
                names.add(_last_name(base))
            elif not arg.spread and arg.name != "**":
                # ``class Sweep(Task, name='sweep')``: what a base is told of a class stays with it.
                told.append(Field(arg.name, arg.value, None, True, (), line_of(node), line_of(node)))  # noqa: FBT003
        klass = Class(
            name=self.text(name) if name is not None else None,
            bases=tuple(bases),
            interfaces=(),
            decorators=decorators,
            fields=(),
            methods=(),
            is_abstract=bool(names & {"ABC", "ABCMeta"}),
            line=line_of(node),
            end_line=end_line_of(node),
            module=self.module,
            parent=self.scope,
            is_enum=bool(names & _ENUMS),
        )
        body = node.child_by_field_name("body")
        if body is not None:
            fields: list[Field] = []
            methods: list[Function] = []
            self._members(klass, body, fields, methods)
            stated = {field.name for field in fields}
            fields = [*(field for field in told if field.name not in stated), *fields]
            klass.fields, klass.methods = tuple(fields), tuple(methods)
            klass.is_abstract = klass.is_abstract or any(method.is_abstract for method in methods)
        return klass

    def _members(self, klass: Class, body: Node, fields: list[Field], methods: list[Function]) -> None:
        """Collect methods and attributes, also those under an ``if`` or ``try`` in the body of the class."""
        others: list[Node] = []
        for node in body.named_children:
            inner, decorators = self.decorated(node)
            if inner.type not in _MEMBERS:
                others.append(node)
                continue
            fields.extend(_fields(self.block(others)))
            others = []
            if inner.type == "function_definition":
                if not is_signature(decorators):
                    methods.append(self.function(inner, None, decorators, klass))
                continue
            for block in _blocks(inner):
                self._members(klass, block, fields, methods)
        fields.extend(_fields(self.block(others)))

    def decorated(self, node: Node) -> tuple[Node, tuple[Expr, ...]]:
        """Split a definition from its decorators."""
        if node.type != "decorated_definition":
            return node, ()
        decorators = [self.expr(first(child)) for child in node.named_children if child.type == "decorator"]
        return node.child_by_field_name("definition") or node, tuple(decorators)


def _blocks(node: Node) -> Iterator[Node]:
    """Yield the blocks of a compound statement."""
    for child in node.named_children:
        if child.type == "block":
            yield child
        elif child.type.endswith("_clause"):
            yield from (block for block in child.named_children if block.type == "block")


def _fields(statements: Iterable[Stmt]) -> Iterator[Field]:
    """Yield the attributes that the body of a class makes; nameless ones are statements that run with it."""
    for stmt in statements:
        if isinstance(stmt, Assign):
            yield from _assigned(stmt)
        elif isinstance(stmt, Define) and isinstance(stmt.definition, Class):
            klass = stmt.definition
            yield _field(klass.name or "", klass, None, klass.line, klass.end_line)
        elif isinstance(stmt, If | Loop | Try | With):
            yield from _fields(_inner(stmt))
        elif (value := getattr(stmt, "value", None)) is not None and not isinstance(value, Const):
            yield _field("", value, None, stmt.line, stmt.line)


def _inner(stmt: If | Loop | Try | With) -> tuple[Stmt, ...]:
    if isinstance(stmt, If):
        return (*stmt.then, *stmt.otherwise)
    if isinstance(stmt, Try):
        return (*stmt.body, *(inner for handler in stmt.handlers for inner in handler.body), *stmt.final)
    return stmt.body


def _assigned(stmt: Assign) -> Iterator[Field]:
    """Yield a field for each target of ``a = b = value`` and ``a, b = values``."""
    targets, value = [stmt.target], stmt.value
    while isinstance(value, AssignExpr):
        targets.append(value.target)
        value = value.value
    for target in targets:
        if isinstance(target, Name):
            yield _field(target.name, value, stmt.type, stmt.line, stmt.end_line)
        elif isinstance(target, Array) and value is not None:
            pairs = isinstance(value, Array) and len(value.items) == len(target.items)
            for position, item in enumerate(target.items):
                if isinstance(item, Name):
                    part = Index(value, Const(position, stmt.line), stmt.line)
                    own = value.items[position] if pairs and isinstance(value, Array) else part
                    yield _field(item.name, own, None, stmt.line, stmt.end_line)


def _field(name: str, value: Expr | None, hint: TypeRef | None, line: int, end_line: int) -> Field:
    return Field(name, value, hint, is_static=value is not None, decorators=(), line=line, end_line=end_line)


def is_signature(decorators: tuple[Expr, ...]) -> bool:
    """Whether a definition is only one of the signatures of the one that follows it: ``@overload``."""
    return any(_last_name(decorator) == "overload" for decorator in decorators)


def _method_kind(name: str, decorators: set[str]) -> FunctionKind:
    if decorators & _GETTERS:
        return FunctionKind.GETTER
    if "setter" in decorators:
        return FunctionKind.SETTER
    return FunctionKind.CONSTRUCTOR if name == "__init__" else FunctionKind.METHOD


def _last_name(value: Expr) -> str | None:
    if isinstance(value, Name | Member):
        return value.name
    return None


def _function_around(node: Node) -> int | None:
    parent = node.parent
    while parent is not None and parent.type not in _FUNCTIONS:
        parent = parent.parent
    return parent.id if parent is not None else None
