"""Expressions of JavaScript and TypeScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cronaudit.model.ir import (
    Argument,
    AssignExpr,
    Await,
    Call,
    Conditional,
    Const,
    Expr,
    FunctionKind,
    Index,
    Member,
    Name,
    Opaque,
    Operation,
    Super,
    This,
)
from cronaudit.parsing.javascript import literals
from cronaudit.parsing.javascript.displays import Displays, first, name_of_target, unwrapped
from cronaudit.parsing.lowering import MAX_CHAIN, MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

OPERATORS = {
    "===": "==",
    "!==": "!=",
    "&&": "and",
    "||": "or",
    "!": "not",
    ">>>": ">>",
}

_LINKS = {
    "call_expression": "function",
    "member_expression": "object",
    "subscript_expression": "object",
    "nested_identifier": "object",
    "non_null_expression": "",
}
"""Expressions that are chained to the right of another, and the field of that other."""


_MISPLACED = {"await_expression": "", "unary_expression": "argument", "binary_expression": "right"}
"""Operators that cannot be the object of a link unless in parentheses, and the field of their last operand."""


class Expressions(Displays):
    """Lowers expressions; what it has no form for becomes `Opaque`."""

    __slots__ = ()

    def expr(self, node: Node | None) -> Expr:
        """Lower an expression."""
        if node is None:
            return Opaque((), 1)
        if self.depth >= MAX_DEPTH:
            return Opaque((), node.start_point[0] + 1)
        handler = self._EXPRESSIONS.get(node.type)
        self.depth += 1
        result = handler(self, node) if handler is not None else self._unknown(node)
        self.depth -= 1
        return result

    # ---- leaves

    def _identifier(self, node: Node) -> Expr:
        return Name(self.text(node), node.start_point[0] + 1)

    def _number(self, node: Node) -> Expr:
        value = literals.number(self.text(node))
        line = node.start_point[0] + 1
        return Opaque((), line) if value is None else Const(value, line)

    def _meta_property(self, node: Node) -> Expr:
        line = node.start_point[0] + 1
        if self.text(node).startswith("import"):
            return Member(Name("import", line), "meta", line)
        return Opaque((), line)

    # ---- chains

    def _chain(self, node: Node) -> Expr:
        """Lower calls and member accesses from the root outwards, without a frame for each link."""
        links: list[Node] = []
        operators: list[Node] = []
        while True:
            kind = node.type
            if (field := _LINKS.get(kind)) is not None:
                inner = node.child_by_field_name(field) if field else first(node)
                into = links
            elif links and kind in _MISPLACED:
                # The TypeScript grammar reads `await f<T>(x)` as `(await f)(x)` and `a && f<T>(x)` alike.
                inner = node.child_by_field_name(_MISPLACED[kind]) or first(node)
                into = operators
            else:
                break
            if inner is None:
                break
            into.append(node)
            node = inner
        if len(links) > MAX_CHAIN:
            cut = links[MAX_CHAIN:]
            nodes = [
                arg for link in reversed(cut) if (args := _arguments(link)) for arg in args.named_children
            ]
            value: Expr = self.opaque(node, [node, *(arg for arg in nodes if arg.type != "comment")])
            del links[MAX_CHAIN:]
        else:
            value = self.expr(node)
        for link in reversed(links):
            value = self._link(link, value)
        for operator in reversed(operators):
            value = self._operated(operator, value)
        return value

    def _link(self, node: Node, value: Expr) -> Expr:
        kind = node.type
        line = node.start_point[0] + 1
        if kind in ("member_expression", "nested_identifier"):
            name = node.child_by_field_name("property")
            # The line of the name: that of the whole is the line where a long chain begins.
            return Member(value, self.text(name), name.start_point[0] + 1) if name else value
        if kind == "call_expression":
            arguments = node.child_by_field_name("arguments")
            if arguments is not None and arguments.type == "template_string":
                args: tuple[Argument, ...] = (Argument(self.template(arguments)),)
            else:
                args = self._arguments(arguments)
            return Call(value, args, _line_of_call(value, line), node.end_point[0] + 1)
        if kind == "subscript_expression":
            return Index(value, self.expr(node.child_by_field_name("index")), line)
        return value

    def _arguments(self, node: Node | None) -> tuple[Argument, ...]:
        if node is None:
            return ()
        args: list[Argument] = []
        for child in node.named_children:
            kind = child.type
            if kind == "spread_element":
                args.append(Argument(self.expr(first(child)), spread=True))
            elif kind != "comment":
                args.append(Argument(self.expr(child)))
        return tuple(args)

    def _new(self, node: Node) -> Expr:
        return Call(
            self.expr(node.child_by_field_name("constructor")),
            self._arguments(node.child_by_field_name("arguments")),
            node.start_point[0] + 1,
            node.end_point[0] + 1,
            is_new=True,
        )

    def _binary(self, node: Node) -> Expr:
        links: list[Node] = []
        while node.type == "binary_expression":
            left = node.child_by_field_name("left")
            if left is None:
                break
            links.append(node)
            node = left
        if len(links) > MAX_CHAIN:
            rights = [link.child_by_field_name("right") for link in reversed(links[MAX_CHAIN:])]
            value: Expr = self.opaque(node, [node, *(right for right in rights if right)])
            del links[MAX_CHAIN:]
        elif node.type == "private_property_identifier":
            value = Const(self.text(node), node.start_point[0] + 1)
        else:
            value = self.expr(node)
        for link in reversed(links):
            operator = link.child_by_field_name("operator")
            op = operator.type if operator is not None else ""
            operands = (value, self.expr(link.child_by_field_name("right")))
            value = Operation(OPERATORS.get(op, op), operands, link.start_point[0] + 1)
        return value

    def _ternary(self, node: Node) -> Expr:
        arms: list[tuple[Expr, Expr, int]] = []
        last: Node | None = node
        while last is not None and last.type == "ternary_expression" and len(arms) < MAX_CHAIN:
            test = self.expr(last.child_by_field_name("condition"))
            then = self.expr(last.child_by_field_name("consequence"))
            arms.append((test, then, last.start_point[0] + 1))
            last = last.child_by_field_name("alternative")
            last = unwrapped(last) if last is not None else None
        value = self.expr(last) if len(arms) < MAX_CHAIN else Opaque((), node.start_point[0] + 1)
        for test, then, line in reversed(arms):
            value = Conditional(test, then, value, line)
        return value

    # ---- operators

    def _wrapped(self, node: Node) -> Expr:
        return self.expr(unwrapped(node))

    def _unary(self, node: Node) -> Expr:
        return self._operated(node, self.expr(node.child_by_field_name("argument")))

    def _await(self, node: Node) -> Expr:
        return Await(self.expr(first(node)), node.start_point[0] + 1)

    def _operated(self, node: Node, operand: Expr) -> Expr:
        """Apply an operator to its last operand."""
        line = node.start_point[0] + 1
        if node.type == "await_expression":
            return Await(operand, line)
        operator = node.child_by_field_name("operator")
        op = operator.type if operator is not None else ""
        if node.type == "binary_expression":
            left = self.expr(node.child_by_field_name("left"))
            return Operation(OPERATORS.get(op, op), (left, operand), line)
        if op == "void" and isinstance(operand, Const):
            return Const(None, line)
        if op in ("void", "delete"):
            return Opaque((operand,), line)
        return Operation(OPERATORS.get(op, op), (operand,), line)

    def _assignment(self, node: Node) -> Expr:
        return AssignExpr(*self.assignment(node), node.start_point[0] + 1)

    def assignment(self, node: Node) -> tuple[Expr, Expr, str]:
        """Lower target, value and operator of an assignment of any kind, ``x++`` among them."""
        if node.type == "update_expression":
            operator = node.child_by_field_name("operator")
            target = self.expr(node.child_by_field_name("argument"))
            op = "-" if operator is not None and operator.type == "--" else "+"
            return target, Const(1, node.start_point[0] + 1), op
        target = self.pattern(node.child_by_field_name("left"))
        value = self.named(node.child_by_field_name("right"), name_of_target(target))
        operator = node.child_by_field_name("operator")
        if operator is None:
            return target, value, "="
        op = operator.type.removesuffix("=")
        return target, value, OPERATORS.get(op, op)

    def _sequence(self, node: Node) -> Expr:
        parts = [child for child in node.named_children if child.type != "comment"]
        # (0, module.run)() is how compilers call without a receiver.
        if len(parts) > 1 and all(part.type == "number" for part in parts[:-1]):
            return self.expr(parts[-1])
        return self.opaque(node, parts)

    def _parts(self, node: Node) -> Expr:
        return self.opaque(node, [child for child in node.named_children if child.type != "comment"])

    # ---- the rest

    def _unknown(self, node: Node) -> Expr:
        """Keep what can be read of an unreadable place."""
        return self.opaque(
            node,
            [child for child in node.named_children if child.type in self._EXPRESSIONS or child.is_error],
        )

    def _function(self, node: Node) -> Expr:
        return self.function(node, None, FunctionKind.FUNCTION)

    def _class(self, node: Node) -> Expr:
        return self.klass(node, None, ())

    _EXPRESSIONS: ClassVar[dict[str, Callable[[Expressions, Node], Expr]]] = {
        "identifier": _identifier,
        "property_identifier": _identifier,
        "shorthand_property_identifier": _identifier,
        "type_identifier": _identifier,
        "import": _identifier,
        "this": lambda _, node: This(node.start_point[0] + 1),
        "super": lambda _, node: Super(node.start_point[0] + 1),
        "undefined": lambda _, node: Const(None, node.start_point[0] + 1),
        "null": lambda _, node: Const(None, node.start_point[0] + 1),
        "true": lambda _, node: Const(value=True, line=node.start_point[0] + 1),
        "false": lambda _, node: Const(value=False, line=node.start_point[0] + 1),
        "string": Displays.string,
        "number": _number,
        "regex": lambda _, node: Opaque((), node.start_point[0] + 1),
        "meta_property": _meta_property,
        "template_string": Displays.template_literal,
        "call_expression": _chain,
        "member_expression": _chain,
        "subscript_expression": _chain,
        "non_null_expression": _chain,
        "nested_identifier": _chain,
        "new_expression": _new,
        "binary_expression": _binary,
        "ternary_expression": _ternary,
        "parenthesized_expression": _wrapped,
        "as_expression": _wrapped,
        "satisfies_expression": _wrapped,
        "instantiation_expression": _wrapped,
        "type_assertion": _wrapped,
        "unary_expression": _unary,
        "await_expression": _await,
        "assignment_expression": _assignment,
        "augmented_assignment_expression": _assignment,
        "update_expression": _assignment,
        "sequence_expression": _sequence,
        "yield_expression": _parts,
        "array": Displays.array,
        "object": Displays.object_literal,
        "spread_element": Displays.spread,
        "array_pattern": Displays.pattern,
        "object_pattern": Displays.pattern,
        "jsx_element": Displays.jsx,
        "jsx_self_closing_element": Displays.jsx,
        "arrow_function": _function,
        "function_expression": _function,
        "function_declaration": _function,
        "generator_function": _function,
        "generator_function_declaration": _function,
        "class": _class,
        "class_declaration": _class,
        "abstract_class_declaration": _class,
    }


def _arguments(node: Node) -> Node | None:
    return node.child_by_field_name("arguments")


def _line_of_call(callee: Expr, line: int) -> int:
    """A call in a chain over several lines stands where its method is named."""
    return callee.line if isinstance(callee, Member) else line
