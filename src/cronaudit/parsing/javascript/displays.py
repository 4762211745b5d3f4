"""Displays of JavaScript and TypeScript (arrays, objects, templates, JSX) and patterns, which mirror them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.model.ir import (
    Array,
    AssignExpr,
    Class,
    Const,
    Entry,
    Expr,
    Function,
    FunctionKind,
    Index,
    Member,
    Name,
    Object,
    Opaque,
    Spread,
    Template,
)
from cronaudit.parsing.javascript import literals
from cronaudit.parsing.javascript.types import Types
from cronaudit.parsing.lowering import MAX_DEPTH, end_line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node

FUNCTIONS = frozenset(
    {
        "arrow_function",
        "function_expression",
        "generator_function",
        "function_declaration",
        "generator_function_declaration",
    }
)
CLASSES = frozenset({"class", "class_declaration", "abstract_class_declaration"})


_WRAPPERS = frozenset(
    {
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "instantiation_expression",
        "type_assertion",
    }
)
"""They change nothing at run time but how the parts bind."""


class Displays(Types):
    """Lowers displays and binding patterns."""

    __slots__ = ()

    def named(self, node: Node | None, name: str | None, owner: Class | None = None) -> Expr:
        """Lower an expression; a function or class in it takes the name that it is assigned to."""
        if node is None or self.depth >= MAX_DEPTH:
            return self.expr(node)
        inner = unwrapped(node)
        result: Expr
        self.depth += 1
        if inner.type in FUNCTIONS:
            result = self.function(inner, name, FunctionKind.FUNCTION, owner=owner)
        elif inner.type in CLASSES:
            result = self.klass(inner, name, ())
        else:
            result = self.expr(inner)
        self.depth -= 1
        return result

    def string(self, node: Node) -> Expr:
        """Lower a string."""
        raw = self.source[node.start_byte + 1 : node.end_byte - 1].decode()
        return Const(literals.unescape(raw) if "\\" in raw else raw, node.start_point[0] + 1)

    def template_literal(self, node: Node) -> Expr:
        """Lower a template literal; one without holes is a string."""
        template = self.template(node)
        if not template.parts:
            return Const("", template.line)
        only = template.parts[0]
        return Const(only, template.line) if len(template.parts) == 1 and isinstance(only, str) else template

    def template(self, node: Node) -> Template:
        """Lower a template literal; adjacent text is one part."""
        parts: list[str | Expr] = []
        start = node.start_byte + 1
        # The grammar cuts the text up at its escapes; between the holes it is one slice.
        for child in node.named_children:
            if child.type == "template_substitution":
                if child.start_byte > start:
                    parts.append(self._template_text(start, child.start_byte))
                parts.append(self.expr(first(child)))
                start = child.end_byte
        if node.end_byte - 1 > start:
            parts.append(self._template_text(start, node.end_byte - 1))
        return Template(tuple(parts), node.start_point[0] + 1)

    def _template_text(self, start: int, end: int) -> str:
        return literals.unescape(self.source[start:end].decode().replace("\r\n", "\n"))

    def array(self, node: Node) -> Expr:
        """Lower ``[…]``."""
        return Array(
            tuple(self._items(node, self.expr)),
            node.start_point[0] + 1,
            node.end_point[0] + 1,
        )

    def _items(self, node: Node, lower: Callable[[Node], Expr]) -> Iterable[Expr]:
        """Yield the items of an array or array pattern; a hole (``[, b]``) keeps its place."""
        is_hole = True
        for child in node.children:
            kind = child.type
            if kind == ",":
                if is_hole:
                    yield Opaque((), child.start_point[0] + 1)
                is_hole = True
            elif child.is_named and kind != "comment":
                is_hole = False
                yield lower(child)

    def spread(self, node: Node) -> Expr:
        """Lower ``...x`` in an array."""
        return Spread(self.expr(first(node)), node.start_point[0] + 1)

    def object_literal(self, node: Node) -> Expr:
        """Lower ``{…}``."""
        entries: list[Entry] = []
        for child in node.named_children:
            kind = child.type
            line = child.start_point[0] + 1
            if kind == "pair":
                key = self.key(child.child_by_field_name("key"))
                name = key if isinstance(key, str) else None
                entries.append(Entry(key, self.named(child.child_by_field_name("value"), name), line))
            elif kind == "shorthand_property_identifier":
                text = self.text(child)
                value: Expr = Const(None, line) if text == "undefined" else Name(text, line)
                entries.append(Entry(text, value, line))
            elif kind == "spread_element":
                entries.append(Entry(None, self.expr(first(child)), line))
            elif kind == "method_definition":
                key = self.key(child.child_by_field_name("name"))
                name = key if isinstance(key, str) else None
                entries.append(Entry(key, self.function(child, name, FunctionKind.METHOD), line))
        return Object(tuple(entries), node.start_point[0] + 1, end_line_of(node))

    def key(self, node: Node | None) -> str | Expr:
        """Lower the key of an entry; a computed literal is a plain name."""
        if node is None:
            return ""
        if node.type == "string":
            return literals.unescape(self.source[node.start_byte + 1 : node.end_byte - 1].decode())
        if node.type == "number":
            return str(literals.number(self.text(node)))
        if node.type == "computed_property_name":
            value = self.expr(first(node))
            return value.value if isinstance(value, Const) and isinstance(value.value, str) else value
        return self.text(node)

    # ---- patterns

    def pattern(self, node: Node | None) -> Expr:
        """Lower what is assigned to."""
        if node is None or self.depth >= MAX_DEPTH:
            return Opaque((), node.start_point[0] + 1 if node else 1)
        kind = node.type
        line = node.start_point[0] + 1
        if kind in ("identifier", "shorthand_property_identifier_pattern"):
            return Name(self.text(node), line)
        self.depth += 1
        result: Expr
        if kind == "object_pattern":
            result = Object(tuple(self._pattern_entries(node)), line, node.end_point[0] + 1)
        elif kind == "array_pattern":
            result = Array(tuple(self._items(node, self.pattern)), line, node.end_point[0] + 1)
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            target = self.pattern(node.child_by_field_name("left"))
            default = self.named(node.child_by_field_name("right"), name_of_target(target))
            result = AssignExpr(target, default, "=", line)
        elif kind == "rest_pattern":
            result = Spread(self.pattern(first(node)), line)
        else:
            result = self.expr(node)
        self.depth -= 1
        return result

    def _pattern_entries(self, node: Node) -> Iterable[Entry]:
        for child in node.named_children:
            kind = child.type
            line = child.start_point[0] + 1
            if kind == "pair_pattern":
                yield Entry(
                    self.key(child.child_by_field_name("key")),
                    self.pattern(child.child_by_field_name("value")),
                    line,
                )
            elif kind == "rest_pattern":
                yield Entry(None, self.pattern(first(child)), line)
            elif kind == "object_assignment_pattern":
                left = child.child_by_field_name("left")
                yield Entry(self.text(left) if left else "", self.pattern(child), line)
            elif kind != "comment":
                yield Entry(self.text(child), self.pattern(child), line)

    def jsx(self, node: Node) -> Expr:
        """Keep the expressions in braces, attributes included; elements nest without a frame for each."""
        parts: list[Expr] = []
        pending = [node]
        while pending:
            part = pending.pop()
            if part.type == "jsx_expression":
                inner = first(part)
                if inner is not None:
                    parts.append(self.expr(first(inner) if inner.type == "spread_element" else inner))
            elif part.type.startswith("jsx_"):
                pending.extend(reversed(part.named_children))
        return Opaque(tuple(parts), node.start_point[0] + 1)

    def function(
        self, node: Node, name: str | None, kind: FunctionKind, owner: Class | None = None
    ) -> Function:
        """Lower a function of any form."""
        raise NotImplementedError

    def klass(self, node: Node, name: str | None, decorators: tuple[Expr, ...]) -> Class:
        """Lower a class of any form."""
        raise NotImplementedError


def first(node: Node) -> Node | None:
    """The first child that is neither punctuation nor a comment."""
    return next((child for child in node.named_children if child.type != "comment"), None)


def unwrapped(node: Node) -> Node:
    """The expression inside parentheses and type assertions."""
    while node.type in _WRAPPERS:
        children = [child for child in node.named_children if child.type != "comment"]
        if not children:
            return node
        node = children[-1] if node.type == "type_assertion" else children[0]
    return node


def name_of_target(target: Expr) -> str | None:
    """The name that a function takes when it is assigned to `target`."""
    if isinstance(target, Name):
        return target.name
    if isinstance(target, Member):
        is_module = isinstance(target.object, Name) and target.object.name == "module"
        return None if is_module and target.name == "exports" else target.name
    if isinstance(target, Index) and isinstance(target.index, Const) and isinstance(target.index.value, str):
        return target.index.value
    return None
