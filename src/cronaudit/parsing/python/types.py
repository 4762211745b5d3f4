"""Type hints of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import TypeRef
from cronaudit.model.source import Language
from cronaudit.parsing.grammars import parser
from cronaudit.parsing.lowering import MAX_DEPTH, Lowering, line_of
from cronaudit.parsing.python.literals import unescape

if TYPE_CHECKING:
    from tree_sitter import Node

_QUALIFIERS = frozenset(
    {"Optional", "Annotated", "ClassVar", "Final", "Required", "NotRequired", "ReadOnly", "InitVar"}
)
"""They say something about a value of the type that is their first argument."""

_DOTTED = lazy_regex(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class Types(Lowering):
    """Lowers hints to `TypeRef`."""

    __slots__ = ()

    def type_ref(self, node: Node | None) -> TypeRef | None:
        """The type of a hint; ``None`` for ``None`` and what has no name (literals)."""
        if node is None or self.depth >= MAX_DEPTH:
            return None
        self.depth += 1
        result = self._type(node)
        self.depth -= 1
        return result

    def _type(self, node: Node) -> TypeRef | None:
        kind = node.type
        if kind in ("type", "parenthesized_expression"):
            return self.type_ref(_first(node))
        if kind == "identifier":
            return TypeRef(self.text(node), (), line_of(node))
        if kind in ("attribute", "member_type", "dotted_name"):
            return TypeRef("".join(self.text(node).split()), (), line_of(node))
        if kind == "generic_type":
            head, *rest = (child for child in node.named_children if child.type != "comment")
            args = [arg for part in rest for arg in part.named_children]
            return self._generic(self._type(head), args)
        if kind == "subscript":
            return self._generic(
                self.type_ref(node.child_by_field_name("value")), node.children_by_field_name("subscript")
            )
        if kind == "union_type" or (kind == "binary_operator" and node.child_count and self._is_union(node)):
            return self._union([child for child in node.named_children if child.type != "comment"])
        if kind in ("string", "concatenated_string"):
            return self._forward(node)
        return None

    @staticmethod
    def _is_union(node: Node) -> bool:
        operator = node.child_by_field_name("operator")
        return operator is not None and operator.type == "|"

    def _union(self, members: list[Node]) -> TypeRef | None:
        return next((ref for member in members if (ref := self.type_ref(member)) is not None), None)

    def _generic(self, head: TypeRef | None, args: list[Node]) -> TypeRef | None:
        if head is None:
            return None
        args = [arg for arg in args if arg.type != "comment"]
        name = head.name.rpartition(".")[2]
        if name in _QUALIFIERS:
            return self.type_ref(args[0]) if args else None
        if name == "Union":
            return self._union(args)
        if name == "Literal":
            return None
        if name == "Callable":
            # What a call returns is its last argument.
            return TypeRef("=>", self._args(args[-1:]), head.line)
        return TypeRef(head.name, self._args(args), head.line)

    def _args(self, args: list[Node]) -> tuple[TypeRef, ...]:
        # An argument without a name keeps its place.
        return tuple(self.type_ref(arg) or TypeRef("unknown", (), line_of(arg)) for arg in args)

    def _forward(self, node: Node) -> TypeRef | None:
        """Read a hint that is written as a string."""
        line = line_of(node)
        text = unescape(self.text(node)).strip("rRuUbB").strip("'\"").strip()
        if _DOTTED.fullmatch(text):
            return TypeRef(text, (), line)
        source = text.encode()
        statement = _first(parser(Language.PYTHON).parse(source).root_node)
        if statement is None or statement.type != "expression_statement":
            return None
        inner = Types(source, self.module)
        inner.depth = self.depth
        ref = inner.type_ref(_first(statement))
        return None if ref is None else _at(ref, line)


def _at(ref: TypeRef, line: int) -> TypeRef:
    return TypeRef(ref.name, tuple(_at(arg, line) for arg in ref.args), line)


def _first(node: Node) -> Node | None:
    return next((child for child in node.named_children if child.type != "comment"), None)
