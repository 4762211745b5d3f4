"""Functions, classes and enums of JavaScript and TypeScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.model.ir import (
    AssignExpr,
    Call,
    Class,
    Const,
    Do,
    Expr,
    Field,
    Function,
    FunctionKind,
    Operation,
    Parameter,
    Return,
    Spread,
    Stmt,
    TypeRef,
)
from cronaudit.parsing.javascript.displays import first, unwrapped
from cronaudit.parsing.javascript.expressions import Expressions
from cronaudit.parsing.lowering import LazyBody, end_line_of, line_of, no_body

if TYPE_CHECKING:
    from tree_sitter import Node

_KINDS = {"get": FunctionKind.GETTER, "set": FunctionKind.SETTER}

_FIELDS = frozenset({"public_field_definition", "field_definition"})
_SIGNATURES = frozenset({"method_signature", "abstract_method_signature"})


class Definitions(Expressions):
    """Lowers what has a body: the body of a function waits until it is asked for."""

    __slots__ = ()

    def function(
        self, node: Node, name: str | None, kind: FunctionKind, owner: Class | None = None
    ) -> Function:
        """Lower a function; `name` is used where it has none of its own."""
        params: Node | None = None
        body: Node | None = None
        is_async = is_generator = is_static = False
        for child in node.children:
            match child.type:
                case "async":
                    is_async = True
                case "*":
                    is_generator = True
                case "static":
                    is_static = True
                case "get" | "set":
                    kind = _KINDS[child.type]
                case "formal_parameters":
                    params = child
                case "statement_block":
                    body = child
                case "identifier" if node.type != "arrow_function":
                    name = self.text(child)
        if node.type == "arrow_function":
            kind = FunctionKind.ARROW
            body = node.child_by_field_name("body")
        function = self._declare(node, name, kind, owner)
        function.is_async, function.is_generator, function.is_static = is_async, is_generator, is_static
        if body is not None:
            function.is_abstract = False
            function.lower = LazyBody(self, body)
        self._sign(function, node, params)
        return function

    def signature(self, node: Node) -> Function:
        """Lower a method without a body."""
        name = self.member_name(node.child_by_field_name("name"))
        kind, is_static = FunctionKind.METHOD, False
        for child in node.children:
            if child.type in _KINDS:
                kind = _KINDS[child.type]
            elif child.type == "static":
                is_static = True
        function = self._declare(node, name, kind, None)
        function.is_static = is_static
        self._sign(function, node, node.child_by_field_name("parameters"))
        return function

    def _declare(self, node: Node, name: str | None, kind: FunctionKind, owner: Class | None) -> Function:
        if kind is FunctionKind.METHOD and owner is not None and name == "constructor":
            kind = FunctionKind.CONSTRUCTOR
        return Function(
            name=name,
            kind=kind,
            params=(),
            decorators=(),
            returns=None,
            is_async=False,
            is_generator=False,
            is_static=False,
            is_abstract=True,
            line=line_of(node),
            end_line=end_line_of(node),
            module=self.module,
            parent=self.scope,
            owner=owner,
            lower=no_body,
        )

    def _sign(self, function: Function, node: Node, params: Node | None) -> None:
        """Lower parameters and return type; functions in default values close over `function`."""
        outer, self.scope = self.scope, function
        if params is not None:
            function.params = tuple(
                param for child in params.named_children if (param := self._parameter(child)) is not None
            )
        elif (single := node.child_by_field_name("parameter")) is not None:
            function.params = (Parameter(self.pattern(single), None, None),)
        returned = node.child_by_field_name("return_type")
        if returned is not None:
            function.returns = self.type_ref(returned)
        self.scope = outer

    def _parameter(self, node: Node) -> Parameter | None:
        kind = node.type
        if kind in ("comment", "this"):
            return None
        if kind not in ("required_parameter", "optional_parameter"):
            return _parameter(self.pattern(node))
        pattern: Node | None = None
        is_property = False
        decorators: list[Expr] = []
        for child in node.children:
            match child.type:
                case "decorator":
                    decorators.append(self.expr(first(child)))
                case "accessibility_modifier" | "readonly" | "override_modifier":
                    is_property = True
                case "comment":
                    pass
                case _ if child.is_named and pattern is None:
                    pattern = child
        if pattern is None or pattern.type == "this":
            return None
        param = _parameter(self.pattern(pattern))
        param.type = self.type_ref(node.child_by_field_name("type"))
        value = node.child_by_field_name("value")
        if value is not None:
            param.default = self.named(value, param.name)
        param.is_property = is_property
        param.decorators = tuple(decorators)
        return param

    def function_body(self, _: Function, node: Node) -> tuple[Stmt, ...]:
        """Lower a body; that of an arrow function may be an expression."""
        if node.type == "statement_block":
            return self.block(node.named_children)
        inner = unwrapped(node)
        if inner.type == "unary_expression" and inner.children[0].type == "void":
            # `() => void run()` runs and returns nothing.
            return (Do(self.expr(inner.child_by_field_name("argument")), line_of(node)),)
        return (Return(self.expr(node), line_of(node)),)

    # ---- classes

    def klass(self, node: Node, name: str | None, decorators: tuple[Expr, ...]) -> Class:
        """Lower a class; `name` is used where it has none of its own."""
        own = node.child_by_field_name("name")
        klass = Class(
            name=self.text(own) if own is not None else name,
            bases=(),
            interfaces=(),
            decorators=(),
            fields=(),
            methods=(),
            is_abstract=node.type == "abstract_class_declaration",
            line=line_of(node),
            end_line=end_line_of(node),
            module=self.module,
            parent=self.scope,
        )
        body: Node | None = None
        own_decorators: list[Expr] = []
        for child in node.named_children:
            if child.type == "decorator":
                own_decorators.append(self.expr(first(child)))
            elif child.type == "class_heritage":
                self._heritage(klass, child)
            elif child.type == "class_body":
                body = child
        klass.decorators = (*decorators, *own_decorators)
        if body is not None:
            self._members_of(klass, body)
        return klass

    def _heritage(self, klass: Class, node: Node) -> None:
        bases: list[Expr] = []
        interfaces: list[TypeRef] = []
        for clause in node.named_children:
            match clause.type:
                case "extends_clause":
                    bases.append(self.expr(clause.child_by_field_name("value")))
                case "implements_clause":
                    refs = [self.type_ref(child) for child in clause.named_children]
                    interfaces.extend(ref for ref in refs if ref is not None)
                case "comment":
                    pass
                case _:
                    bases.append(self.expr(clause))
        klass.bases, klass.interfaces = tuple(bases), tuple(interfaces)

    def _members_of(self, klass: Class, body: Node) -> None:
        fields: list[Field] = []
        methods: list[Function] = []
        signatures: list[Function] = []
        pending: list[Expr] = []
        for node in body.named_children:
            kind = node.type
            if kind == "decorator":
                pending.append(self.expr(first(node)))
            elif kind == "method_definition":
                name = self.member_name(node.child_by_field_name("name"))
                method = self.function(node, name, FunctionKind.METHOD, klass)
                method.decorators = (*pending, *self._decorators(node))
                methods.append(method)
                pending = []
            elif kind in _FIELDS:
                fields.append(self._field(klass, node, pending))
                pending = []
            elif kind in _SIGNATURES:
                signature = self.signature(node)
                signature.owner = klass
                if signature.name == "constructor":
                    signature.kind = FunctionKind.CONSTRUCTOR
                signature.decorators, pending = tuple(pending), []
                signatures.append(signature)
            elif kind == "class_static_block":
                fields.append(self._static_block(klass, node))
        # A signature beside a method of that name is an overload of it.
        names = {method.name for method in methods}
        methods.extend(signature for signature in signatures if signature.name not in names)
        methods.sort(key=lambda method: method.line)
        klass.fields, klass.methods = tuple(fields), tuple(methods)

    def _decorators(self, node: Node) -> list[Expr]:
        return [self.expr(first(child)) for child in node.named_children if child.type == "decorator"]

    def _field(self, klass: Class, node: Node, decorators: list[Expr]) -> Field:
        name = self.member_name(node.child_by_field_name("name") or node.child_by_field_name("property"))
        value = node.child_by_field_name("value")
        return Field(
            name=name,
            value=self.named(value, name, klass) if value is not None else None,
            type=self.type_ref(node.child_by_field_name("type")),
            is_static=any(child.type == "static" for child in node.children),
            decorators=(*decorators, *self._decorators(node)),
            line=line_of(node),
            end_line=end_line_of(node),
        )

    def _static_block(self, klass: Class, node: Node) -> Field:
        """Lower ``static { … }`` to a nameless static field that calls a function: it runs with the class."""
        body = node.child_by_field_name("body")
        function = self._declare(node, None, FunctionKind.ARROW, klass)
        if body is not None:
            function.is_abstract, function.lower = False, LazyBody(self, body)
        line, end_line = function.line, function.end_line
        return Field(
            name="",
            value=Call(function, (), line, end_line),
            type=None,
            is_static=True,
            decorators=(),
            line=line,
            end_line=end_line,
        )

    def member_name(self, node: Node | None) -> str:
        """Lower the name of a member; one that is computed stays as written."""
        key = self.key(node)
        if isinstance(key, str):
            return key
        return self.text(node) if node is not None else ""

    def enum(self, node: Node) -> Class:
        """Lower an enum to a class of static fields; a member without a value counts on from the last."""
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        fields: list[Field] = []
        following: int | float | None = 0
        for member in body.named_children if body is not None else ():
            if member.type == "comment":
                continue
            line = line_of(member)
            value: Expr | None
            if member.type == "enum_assignment":
                label = member.child_by_field_name("name")
                value = self.expr(member.child_by_field_name("value"))
                constant = _integer(value)
                following = None if constant is None else constant + 1
            else:
                label = member
                value = None if following is None else Const(following, line)
                following = None if following is None else following + 1
            fields.append(
                Field(
                    name=self.member_name(label),
                    value=value,
                    type=None,
                    is_static=True,
                    decorators=(),
                    line=line,
                    end_line=end_line_of(member),
                )
            )
        return Class(
            name=self.text(name) if name is not None else None,
            bases=(),
            interfaces=(),
            decorators=(),
            fields=tuple(fields),
            methods=(),
            is_abstract=False,
            line=line_of(node),
            end_line=end_line_of(node),
            module=self.module,
            parent=self.scope,
            is_enum=True,
        )


def _parameter(target: Expr) -> Parameter:
    if isinstance(target, Spread):
        return Parameter(target.value, None, None, rest="*")
    if isinstance(target, AssignExpr):
        return Parameter(target.target, target.value, None)
    return Parameter(target, None, None)


def _integer(value: Expr) -> int | float | None:
    if isinstance(value, Operation) and value.op == "-" and len(value.operands) == 1:
        operand = _integer(value.operands[0])
        return None if operand is None else -operand
    if (
        isinstance(value, Const)
        and isinstance(value.value, int | float)
        and not isinstance(value.value, bool)
    ):
        return value.value
    return None
