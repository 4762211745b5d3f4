"""Type annotations of TypeScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.model.ir import Field, Interface, TypeRef
from cronaudit.parsing.lowering import MAX_DEPTH, Lowering, end_line_of, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from cronaudit.model.ir import Function

_NO_VALUE = frozenset({"null", "undefined", "void", "never"})

_NAMES = frozenset(
    {
        "identifier",
        "type_identifier",
        "predefined_type",
        "this_type",
        "nested_type_identifier",
        "nested_identifier",
        "existential_type",
    }
)

_TRANSPARENT = frozenset(
    {
        "type_annotation",
        "parenthesized_type",
        "readonly_type",
        "optional_type",
        "rest_type",
        "default_type",
        "flow_maybe_type",
        "omitting_type_annotation",
        "opting_type_annotation",
    }
)

_UNIONS = frozenset({"union_type", "intersection_type"})


class Types(Lowering):
    """Lowers types to `TypeRef`, and interfaces and aliases to `Interface`."""

    __slots__ = ()

    def type_ref(self, node: Node | None) -> TypeRef | None:
        """The type that a value is declared with; ``None`` for what has no name (literals, object types)."""
        if node is None or self.depth >= MAX_DEPTH:
            return None
        while node.type in _TRANSPARENT:
            inner = _first(node)
            if inner is None:
                return None
            node = inner
        self.depth += 1
        result = self._type(node)
        self.depth -= 1
        return result

    def _type(self, node: Node) -> TypeRef | None:
        kind = node.type
        if kind in _NAMES:
            return TypeRef("".join(self.text(node).split()), (), line_of(node))
        if kind == "generic_type":
            return self._generic(node)
        if kind in _UNIONS:
            refs = map(self.type_ref, _members(node))
            return next((ref for ref in refs if ref is not None and ref.name not in _NO_VALUE), None)
        if kind == "array_type":
            return TypeRef(
                "[]", self._type_args([child for child in (_first(node),) if child]), line_of(node)
            )
        if kind == "tuple_type":
            return TypeRef("tuple", self._type_args(node.named_children), line_of(node))
        if kind == "function_type":
            returned = node.child_by_field_name("return_type")
            return TypeRef("=>", self._type_args([returned] if returned else []), line_of(node))
        if kind == "type_query":
            return self._type_query(node)
        return None

    def _generic(self, node: Node) -> TypeRef | None:
        name = node.child_by_field_name("name")
        args = node.child_by_field_name("type_arguments")
        if name is None:
            return None
        return TypeRef(
            "".join(self.text(name).split()),
            self._type_args(args.named_children if args else []),
            line_of(node),
        )

    def _type_query(self, node: Node) -> TypeRef | None:
        subject = _first(node)
        if subject is None or subject.type not in ("identifier", "member_expression", "this"):
            return None
        line = line_of(node)
        return TypeRef("typeof", (TypeRef("".join(self.text(subject).split()), (), line),), line)

    def _type_args(self, nodes: list[Node]) -> tuple[TypeRef, ...]:
        # An argument without a name keeps its place.
        return tuple(
            self.type_ref(node) or TypeRef("unknown", (), line_of(node))
            for node in nodes
            if node.type != "comment"
        )

    def interface(self, node: Node) -> Interface:
        """``interface X { … }``."""
        body = node.child_by_field_name("body")
        heritage = (child for child in node.named_children if child.type == "extends_type_clause")
        bases = [self.type_ref(base) for clause in heritage for base in clause.named_children]
        return self._interface(node, bases, [body] if body else [])

    def type_alias(self, node: Node) -> Interface:
        """``type X = …``."""
        value = node.child_by_field_name("value")
        members = list(_members(value)) if value else []
        bases = [self.type_ref(member) for member in members if member.type != "object_type"]
        return self._interface(node, bases, [member for member in members if member.type == "object_type"])

    def _interface(self, node: Node, bases: list[TypeRef | None], bodies: list[Node]) -> Interface:
        name = node.child_by_field_name("name")
        fields: list[Field] = []
        methods: list[Function] = []
        for body in bodies:
            for member in body.named_children:
                if member.type == "property_signature":
                    fields.append(self._property(member))
                elif member.type == "method_signature":
                    methods.append(self.signature(member))
        return Interface(
            name=self.text(name) if name else "",
            bases=tuple(base for base in bases if base is not None and base.name not in _NO_VALUE),
            fields=tuple(fields),
            methods=tuple(methods),
            line=line_of(node),
            end_line=end_line_of(node),
            module=self.module,
        )

    def _property(self, node: Node) -> Field:
        return Field(
            name=self.member_name(node.child_by_field_name("name")),
            value=None,
            type=self.type_ref(node.child_by_field_name("type")),
            is_static=False,
            decorators=(),
            line=line_of(node),
            end_line=end_line_of(node),
        )

    def member_name(self, node: Node | None) -> str:
        """The name of a class or interface member."""
        raise NotImplementedError

    def signature(self, node: Node) -> Function:
        """A method that is only declared."""
        raise NotImplementedError


def _first(node: Node) -> Node | None:
    return next((child for child in node.named_children if child.type != "comment"), None)


def _members(node: Node) -> Iterator[Node]:
    """Yield the members of a union or intersection in order; of another type, itself."""
    pending = [node]
    while pending:
        node = pending.pop()
        if node.type in _UNIONS or node.type == "parenthesized_type":
            pending.extend(child for child in reversed(node.named_children) if child.type != "comment")
        else:
            yield node
