"""Expressions of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cronaudit.model.ir import (
    Argument,
    Array,
    AssignExpr,
    Await,
    Call,
    Comprehension,
    Conditional,
    Const,
    Entry,
    Expr,
    Function,
    Index,
    Member,
    Name,
    Object,
    Opaque,
    Operation,
    Spread,
    Super,
    This,
)
from cronaudit.parsing.lowering import MAX_CHAIN, MAX_DEPTH
from cronaudit.parsing.python import literals
from cronaudit.parsing.python.strings import Strings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

_LINKS = {"call": "function", "attribute": "object", "subscript": "value"}
"""Expressions that are chained to the right of another, and the field of that other."""

_BINARY = frozenset({"binary_operator", "boolean_operator"})

_COMPREHENSIONS = {
    "list_comprehension": "list",
    "set_comprehension": "set",
    "dictionary_comprehension": "dict",
    "generator_expression": "generator",
}

_TARGET_LISTS = frozenset(
    {"pattern_list", "tuple_pattern", "list_pattern", "tuple", "list", "expression_list"}
)


class Expressions(Strings):
    """Lowers expressions and targets; `receiver` is what the enclosing method calls its ``self``."""

    __slots__ = ("receiver",)

    receiver: str | None

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

    def named(self, node: Node | None, name: str | None) -> Expr:
        """Lower an expression; a lambda takes the name that it is assigned to."""
        if node is not None and node.type == "lambda" and self.depth < MAX_DEPTH:
            return self.function(node, name)
        return self.expr(node)

    def _identifier(self, node: Node) -> Expr:
        name = self.text(node)
        line = node.start_point[0] + 1
        return This(line) if name == self.receiver else Name(name, line)

    def _number(self, node: Node) -> Expr:
        value = literals.number(self.text(node))
        line = node.start_point[0] + 1
        return Opaque((), line) if value is None else Const(value, line)

    # ---- chains

    def _chain(self, node: Node) -> Expr:
        """Lower calls and attributes from the root outwards, without a frame for each link."""
        links: list[Node] = []
        while (field := _LINKS.get(node.type)) is not None:
            inner = node.child_by_field_name(field)
            if inner is None:
                break
            links.append(node)
            node = inner
        if len(links) > MAX_CHAIN:
            nodes = [arg for link in reversed(links[MAX_CHAIN:]) for arg in _inner_arguments(link)]
            value: Expr = self.opaque(node, [node, *nodes])
            del links[MAX_CHAIN:]
        else:
            value = self.expr(node)
        for link in reversed(links):
            value = self._link(link, value)
        return value

    def _link(self, node: Node, value: Expr) -> Expr:
        kind = node.type
        if kind == "attribute":
            name = node.child_by_field_name("attribute")
            # The line of the name: that of the whole is the line where a long chain begins.
            return Member(value, self.text(name), name.start_point[0] + 1) if name else value
        line = node.start_point[0] + 1
        if kind == "call":
            if isinstance(value, Name) and value.name == "super":
                return Super(line)
            args = self.arguments(node.child_by_field_name("arguments"))
            if isinstance(value, Member):
                if value.name == "format" and (template := self.formatted(value.object, args)) is not None:
                    return template
                # A call in a chain over several lines stands where its method is named.
                line = value.line
            return Call(value, args, line, node.end_point[0] + 1)
        subscripts = node.children_by_field_name("subscript")
        if len(subscripts) == 1:
            return Index(value, self.expr(subscripts[0]), line)
        items = tuple(self.expr(subscript) for subscript in subscripts)
        return Index(value, Array(items, line, node.end_point[0] + 1), line)

    def arguments(self, node: Node | None) -> tuple[Argument, ...]:
        """Lower the arguments of a call."""
        if node is None:
            return ()
        if node.type == "generator_expression":
            return (Argument(self.expr(node)),)
        args: list[Argument] = []
        for child in node.named_children:
            kind = child.type
            if kind == "keyword_argument":
                name = child.child_by_field_name("name")
                keyword = self.text(name) if name is not None else None
                args.append(Argument(self.named(child.child_by_field_name("value"), keyword), keyword))
            elif kind == "list_splat":
                args.append(Argument(self.expr(first(child)), spread=True))
            elif kind == "dictionary_splat":
                args.append(Argument(self.expr(first(child)), "**", spread=True))
            elif kind != "comment":
                args.append(Argument(self.expr(child)))
        return tuple(args)

    # ---- operators

    def _binary(self, node: Node) -> Expr:
        links: list[Node] = []
        while node.type in _BINARY:
            left = node.child_by_field_name("left")
            if left is None:
                break
            links.append(node)
            node = left
        if len(links) > MAX_CHAIN:
            rights = [link.child_by_field_name("right") for link in reversed(links[MAX_CHAIN:])]
            value: Expr = self.opaque(node, [node, *(right for right in rights if right)])
            del links[MAX_CHAIN:]
        else:
            value = self.expr(node)
        for link in reversed(links):
            operator = link.child_by_field_name("operator")
            op = operator.type if operator is not None else ""
            right = self.expr(link.child_by_field_name("right"))
            template = self.percent(value, right) if op == "%" else None
            value = template or Operation(op, (value, right), link.start_point[0] + 1)
        return value

    def _comparison(self, node: Node) -> Expr:
        """Lower ``a < b < c`` to ``a < b and b < c``, which share `b`."""
        line = node.start_point[0] + 1
        ops = [operator.type for operator in node.children_by_field_name("operators")]
        operands = [self.expr(child) for child in node.named_children if _is_operand(child)]
        tests: list[Expr] = []
        for op, left, right in zip(ops, operands, operands[1:], strict=False):
            test: Expr
            match op:
                case "not in":
                    test = Operation("not", (Operation("in", (left, right), line),), line)
                case "is not":
                    test = Operation("not", (Operation("is", (left, right), line),), line)
                case _:
                    test = Operation("!=" if op == "<>" else op, (left, right), line)
            tests.append(test)
        if not tests:
            return Opaque(tuple(operands), line)
        result = tests[0]
        for test in tests[1:MAX_CHAIN]:
            result = Operation("and", (result, test), line)
        return result

    def _unary(self, node: Node) -> Expr:
        operator = node.child_by_field_name("operator")
        op = "not" if node.type == "not_operator" else operator.type if operator is not None else ""
        return Operation(op, (self.expr(node.child_by_field_name("argument")),), node.start_point[0] + 1)

    def _conditional(self, node: Node) -> Expr:
        parts = [child for child in node.named_children if child.type != "comment"]
        line = node.start_point[0] + 1
        if len(parts) != len(("then", "test", "otherwise")):
            return self.opaque(node, parts)
        then, test, otherwise = parts
        return Conditional(self.expr(test), self.expr(then), self.expr(otherwise), line)

    def _named(self, node: Node) -> Expr:
        target = self.pattern(node.child_by_field_name("name"))
        return AssignExpr(target, self.expr(node.child_by_field_name("value")), "=", node.start_point[0] + 1)

    def assignment(self, node: Node) -> AssignExpr:
        """Lower the inner assignment of ``a = b = c``."""
        target = self.pattern(node.child_by_field_name("left"))
        name = target.name if isinstance(target, Name) else None
        right = self.named(node.child_by_field_name("right"), name)
        return AssignExpr(target, right, "=", node.start_point[0] + 1)

    def _await(self, node: Node) -> Expr:
        return Await(self.expr(first(node)), node.start_point[0] + 1)

    def _wrapped(self, node: Node) -> Expr:
        while node.type == "parenthesized_expression" and (inner := first(node)) is not None:
            node = inner
        return self.expr(node)

    def _parts(self, node: Node) -> Expr:
        return self.opaque(node, [child for child in node.named_children if child.type != "comment"])

    def _yield(self, node: Node) -> Expr:
        parts = [self.expr(child) for child in node.named_children if child.type != "comment"]
        return Opaque(tuple(parts), node.start_point[0] + 1, is_yield=True)

    def _slice(self, node: Node) -> Expr:
        """``[low:high:step]``: its parts in their places, nothing where one is left out."""
        line = node.start_point[0] + 1
        parts: list[Expr] = [Const(None, line)]
        for child in node.children:
            if child.type == ":":
                parts.append(Const(None, line))
            elif child.is_named and child.type != "comment":
                parts[-1] = self.expr(child)
        return Opaque(tuple(parts), line)

    # ---- displays

    def _array(self, node: Node) -> Expr:
        items = [self.expr(child) for child in node.named_children if child.type != "comment"]
        return Array(tuple(items), node.start_point[0] + 1, node.end_point[0] + 1)

    def _spread(self, node: Node) -> Expr:
        return Spread(self.expr(first(node)), node.start_point[0] + 1)

    def _dictionary(self, node: Node) -> Expr:
        entries: list[Entry] = []
        for child in node.named_children:
            line = child.start_point[0] + 1
            if child.type == "pair":
                key = self.expr(child.child_by_field_name("key"))
                name = key.value if isinstance(key, Const) and isinstance(key.value, str) else None
                value = self.named(child.child_by_field_name("value"), name)
                entries.append(Entry(key if name is None else name, value, line))
            elif child.type == "dictionary_splat":
                entries.append(Entry(None, self.expr(first(child)), line))
        return Object(tuple(entries), node.start_point[0] + 1, node.end_point[0] + 1)

    def _comprehension(self, node: Node) -> Expr:
        """Lower a comprehension; a second ``for`` is a comprehension as the element of the first."""
        line = node.start_point[0] + 1
        body = node.child_by_field_name("body")
        element: Expr
        if body is not None and body.type == "pair":
            pair = (self.expr(body.child_by_field_name("key")), self.expr(body.child_by_field_name("value")))
            element = Array(pair, body.start_point[0] + 1, body.end_point[0] + 1)
        else:
            element = self.expr(body)
        loops: list[tuple[Expr, Expr, list[Expr]]] = []
        for clause in node.named_children:
            if clause.type == "for_in_clause":
                target = self.pattern(clause.child_by_field_name("left"))
                loops.append((target, self._iterable(clause), []))
            elif clause.type == "if_clause" and loops:
                loops[-1][2].append(self.expr(first(clause)))
        for target, iterable, conditions in reversed(loops):
            kind = _COMPREHENSIONS[node.type]
            element = Comprehension(element, target, iterable, tuple(conditions), kind, line)
        return element

    def _iterable(self, clause: Node) -> Expr:
        rights = clause.children_by_field_name("right")
        rights = [right for right in rights if right.is_named and right.type != "comment"]
        return self.expr(rights[0]) if len(rights) == 1 else self.opaque(clause, rights)

    # ---- targets

    def pattern(self, node: Node | None) -> Expr:
        """Lower what is assigned to; ``self`` as a target is a name like any other."""
        if node is None or self.depth >= MAX_DEPTH:
            return Opaque((), node.start_point[0] + 1 if node else 1)
        kind = node.type
        line = node.start_point[0] + 1
        if kind == "identifier":
            return Name(self.text(node), line)
        self.depth += 1
        result: Expr
        if kind in _TARGET_LISTS:
            items = [self.pattern(child) for child in node.named_children if child.type != "comment"]
            result = Array(tuple(items), line, node.end_point[0] + 1)
        elif kind in ("list_splat_pattern", "list_splat"):
            result = Spread(self.pattern(first(node)), line)
        elif kind in ("as_pattern_target", "parenthesized_expression"):
            parts = [child for child in node.named_children if child.type != "comment"]
            items = [self.pattern(part) for part in parts]
            result = items[0] if len(items) == 1 else Array(tuple(items), line, node.end_point[0] + 1)
        else:
            result = self.expr(node)
        self.depth -= 1
        return result

    def _unknown(self, node: Node) -> Expr:
        """Keep what can be read of an unreadable place."""
        return self.opaque(
            node,
            [child for child in node.named_children if child.type in self._EXPRESSIONS or child.is_error],
        )

    def _lambda(self, node: Node) -> Expr:
        return self.function(node, None)

    def function(self, node: Node, name: str | None) -> Function:
        """Lower a lambda."""
        raise NotImplementedError

    _EXPRESSIONS: ClassVar[dict[str, Callable[[Expressions, Node], Expr]]] = {
        "identifier": _identifier,
        "none": lambda _, node: Const(None, node.start_point[0] + 1),
        "true": lambda _, node: Const(value=True, line=node.start_point[0] + 1),
        "false": lambda _, node: Const(value=False, line=node.start_point[0] + 1),
        "ellipsis": lambda _, node: Opaque((), node.start_point[0] + 1),
        "integer": _number,
        "float": _number,
        "string": Strings.string,
        "concatenated_string": Strings.string,
        "call": _chain,
        "attribute": _chain,
        "subscript": _chain,
        "slice": _slice,
        "binary_operator": _binary,
        "boolean_operator": _binary,
        "comparison_operator": _comparison,
        "unary_operator": _unary,
        "not_operator": _unary,
        "conditional_expression": _conditional,
        "named_expression": _named,
        "assignment": assignment,
        "await": _await,
        "yield": _yield,
        "parenthesized_expression": _wrapped,
        "list": _array,
        "set": _array,
        "tuple": _array,
        "expression_list": _array,
        "pattern_list": _array,
        "tuple_pattern": _array,
        "list_pattern": _array,
        "list_splat": _spread,
        "list_splat_pattern": _spread,
        "dictionary": _dictionary,
        "list_comprehension": _comprehension,
        "set_comprehension": _comprehension,
        "dictionary_comprehension": _comprehension,
        "generator_expression": _comprehension,
        "lambda": _lambda,
    }


def first(node: Node) -> Node | None:
    """The first child that is neither punctuation nor a comment."""
    return next((child for child in node.named_children if child.type != "comment"), None)


def _is_operand(node: Node) -> bool:
    return node.type not in ("comment", "not in", "is not")


def _inner_arguments(node: Node) -> list[Node]:
    args = node.child_by_field_name("arguments")
    return [arg for arg in args.named_children if arg.type != "comment"] if args is not None else []
