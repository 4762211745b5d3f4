"""Patterns of Python's ``match``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.model.ir import Expr, Member, Opaque, Operation
from cronaudit.parsing.lowering import line_of
from cronaudit.parsing.python.expressions import Expressions, first

if TYPE_CHECKING:
    from tree_sitter import Node


class Matching(Expressions):
    """Lowers the patterns of ``case`` to tests."""

    __slots__ = ()

    def case(self, node: Node, subject: Expr) -> tuple[Expr | None, str | None]:
        """The test of a ``case``, ``None`` where all matches, and the name that takes the subject."""
        tests: list[Expr | None] = []
        names: list[str | None] = []
        line = line_of(node)
        for child in node.named_children:
            if child.type == "case_pattern":
                test, name = self._case_pattern(child, subject)
                tests.append(test)
                names.append(name)
        guard = node.child_by_field_name("guard")
        # `case a, b:` is a sequence.
        test, name = (tests[0], names[0]) if len(tests) == 1 else (Opaque((subject,), line), None)
        if guard is not None:
            condition = self.expr(first(guard))
            test = condition if test is None else Operation("and", (test, condition), line)
        return test, name

    def _case_pattern(self, node: Node, subject: Expr) -> tuple[Expr | None, str | None]:
        line = line_of(node)
        while node.type == "case_pattern":
            inner = first(node)
            if inner is None:
                # The wildcard `_` has no node; a literal such as `-1` starts with its sign.
                return (None, None) if self.text(node) == "_" else (Opaque((subject,), line), None)
            if inner.type in ("integer", "float") and self.text(node).startswith("-"):
                negative = Operation("-", (self.expr(inner),), line)
                return Operation("==", (subject, negative), line), None
            node = inner
        match node.type:
            case "dotted_name":
                return self._dotted(node, subject)
            case "union_pattern":
                return self._union_pattern(node, subject), None
            case "as_pattern":
                inner = first(node)
                alias = node.named_children[-1]
                test = self._case_pattern(inner, subject)[0] if inner is not None else None
                return test, self.text(alias)
            case "class_pattern":
                klass = first(node)
                value = self._path(klass) if klass is not None else Opaque((), line)
                return Operation("instanceof", (subject, value), line), None
            case "integer" | "float" | "string" | "concatenated_string" | "true" | "false" | "none":
                return Operation("==", (subject, self.expr(node)), line), None
            case _:
                return Opaque((subject,), line), None

    def _dotted(self, node: Node, subject: Expr) -> tuple[Expr | None, str | None]:
        """A dotted name is a value, a plain one takes the subject."""
        if node.named_child_count == 1:
            name = self.text(node)
            return None, None if name == "_" else name
        return Operation("==", (subject, self._path(node)), line_of(node)), None

    def _path(self, node: Node) -> Expr:
        line = line_of(node)
        head, *rest = (child for child in node.named_children if child.type == "identifier")
        value: Expr = self.expr(head)
        for name in rest:
            value = Member(value, self.text(name), line)
        return value

    def _union_pattern(self, node: Node, subject: Expr) -> Expr | None:
        result: Expr | None = None
        for child in node.named_children:
            if child.type == "comment":
                continue
            test, _ = self._case_pattern(child, subject)
            if test is None:
                return None
            result = test if result is None else Operation("or", (result, test), test.line)
        return result
