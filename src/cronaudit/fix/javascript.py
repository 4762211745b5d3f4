"""Edits of TypeScript and JavaScript by exact byte ranges: what nobody asked to change keeps every byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.fix.edits import Edit, NotFixableError, apply
from cronaudit.fix.numbers import Number
from cronaudit.fix.options import Option, nested
from cronaudit.fix.recipe import Code, Like, Wanted
from cronaudit.model.placement import Placement

if TYPE_CHECKING:
    from tree_sitter import Node

_CALLS = frozenset(("call_expression", "new_expression"))
_WRAPPED = frozenset(
    ("as_expression", "satisfies_expression", "parenthesized_expression", "non_null_expression")
)
_PASSING = frozenset(
    (*_WRAPPED, "binary_expression", "arguments", "call_expression", "template_string", "ternary_expression")
)
_NARROW = 80
_WIDE = 120
"""Columns: no line gets longer than the longest of the file, within these bounds (Prettier's, a usual limit)."""
_DECLARED_AND_USED = 2
"""Places of a name that is declared once and used once."""


class JavaScript(Struct):
    """One file, parsed."""

    path: str
    source: bytes
    root: Node

    def set_options(
        self, placement: Placement, options: Mapping[int | str, tuple[Option, ...]]
    ) -> tuple[Edit, ...]:
        """Edits that set options of a call, by argument. Raises NotFixableError."""
        call = self._call(placement)
        listed = call.child_by_field_name("arguments")
        if listed is None or listed.type != "arguments":
            raise NotFixableError("the call has no arguments")
        given = [node for node in listed.named_children if node.type != "comment"]
        if any(node.type == "spread_element" for node in given):
            raise NotFixableError("its arguments are spread from something else")
        edits: list[Edit] = []
        for argument, inner in options.items():
            if not isinstance(argument, int):
                raise NotFixableError("JavaScript has no keywords")
            if argument < len(given):
                edits += self._in_object(self._display(given[argument]), inner)
            elif argument > len(given) or not all(option.members for option in inner):
                raise NotFixableError("an argument before the options is missing")
            else:
                edits += self._append(listed, given, nested(inner))
        return tuple(edits)

    def numbers(self, line: int) -> Iterator[Number]:
        """The numbers, products of numbers and texts on a line, each with the name that it is given."""
        for node in _nodes(self.root):
            if node.start_point.row + 1 != line or not self._is_amount(node):
                continue
            if node.parent is None or not self._is_amount(node.parent):
                text = self._of(node)
                rest = self.source[node.end_byte : self._line_end(node.end_byte)].decode("utf-8", "replace")
                yield Number(text, self._named(node), node.start_byte, node.end_byte, rest)

    def replace(self, number: Number, text: str) -> tuple[Edit, ...]:
        """The edit that writes another number there."""
        return (self._edit(number.start, number.end, text),)

    def _is_amount(self, node: Node) -> bool:
        if node.type == "binary_expression":
            return all(self._is_amount(child) or child.type == "*" for child in node.children)
        return node.type in ("number", "string")

    def _named(self, node: Node) -> str:
        """The key, variable or field that a value is given to; behind a fallback (``x ?? 5``) too."""
        parent = node.parent
        while parent is not None and parent.type in _PASSING:
            parent = parent.parent
        for name in ("key", "name", "left") if parent is not None else ():
            field = parent.child_by_field_name(name) if parent is not None else None
            if field is not None:
                return self._of(field).rpartition(".")[2]
        return ""

    def _line_end(self, offset: int) -> int:
        end = self.source.find(b"\n", offset)
        return len(self.source) if end < 0 else end

    # ---- finding

    def _call(self, placement: Placement) -> Node:
        found = [
            node
            for node in _nodes(self.root)
            if node.type in _CALLS
            and node.start_point.row + 1 == placement.at.line
            and self._is_called(node, placement.name)
            and (placement.how == "decorator" or node.end_point.row + 1 == placement.at.end_line)
        ]
        if placement.how == "decorator":
            found = [node for node in found if node.parent is not None and node.parent.type == "decorator"]
        if len(found) != 1:
            raise NotFixableError(
                "the call is not found again" if not found else "several calls stand on its line"
            )
        if found[0].has_error:
            raise NotFixableError("the grammar could not read the call")
        return found[0]

    def _is_called(self, call: Node, name: str) -> bool:
        callee = call.child_by_field_name("function") or call.child_by_field_name("constructor")
        if callee is None:
            return False
        if callee.type == "member_expression":
            callee = callee.child_by_field_name("property") or callee
        return self._of(callee) == name

    def _display(self, node: Node, depth: int = 0) -> Node:
        """The object display that an argument is, or that the constant holds which it names."""
        while node.type in _WRAPPED and node.named_children:
            node = node.named_children[0]
        if node.type == "object":
            return node
        if node.type == "identifier" and depth == 0:
            value = self._constant(node)
            if value is not None:
                return self._display(value, 1)
        raise NotFixableError("the options are not written out at the call")

    def _constant(self, name: Node) -> Node | None:
        """What a constant holds that is declared once in the file and used nowhere else."""
        text = self._of(name)
        uses = [
            n
            for n in _nodes(self.root)
            if n.type in ("identifier", "shorthand_property_identifier") and self._of(n) == text
        ]
        declared = [
            n.parent
            for n in uses
            if n.parent is not None
            and n.parent.type == "variable_declarator"
            and n.parent.child_by_field_name("name") == n
        ]
        declarator = declared[0] if len(declared) == 1 else None
        if declarator is None or len(uses) > _DECLARED_AND_USED:
            return None
        statement = declarator.parent
        if (
            statement is not None
            and statement.parent is not None
            and statement.parent.type == "export_statement"
        ):
            return None
        return declarator.child_by_field_name("value")

    # ---- editing

    def _in_object(self, display: Node, options: tuple[Option, ...]) -> list[Edit]:
        edits: list[Edit] = []
        missing: list[Option] = []
        for name in dict.fromkeys(option.members[0] for option in options if option.members):
            inner = tuple(option for option in options if option.members[0] == name)
            entry = self._entry(display, name)
            if entry is None:
                missing += inner
                continue
            value = entry.child_by_field_name("value")
            if value is None:
                raise NotFixableError(f"{name} is set by a variable")
            if all(len(option.members) > 1 for option in inner):
                edits += self._in_object(self._display(value), tuple(option.inside() for option in inner))
            else:
                edits += self._over(value, inner[0])
        if missing:
            edits += self._insert(display, nested(tuple(missing)))
        return edits

    def _entry(self, display: Node, name: str) -> Node | None:
        for node in display.named_children:
            key = node.child_by_field_name("key") if node.type == "pair" else None
            if key is not None and self._of(key).strip("'\"`") == name:
                return node
            if (
                node.type in ("shorthand_property_identifier", "method_definition")
                and self._of(node).split("(")[0] == name
            ):
                return node
        return None

    def _over(self, value: Node, option: Option) -> list[Edit]:
        """Replace a value that the recipe lets be replaced."""
        stated = self._of(value)
        if option.keeps:
            return []
        if self._text(option.value) == stated:
            return []
        if not any(self._text(one) == stated or self._text(one, '"') == stated for one in option.over):
            raise NotFixableError(f"{option.members[-1]} is set already, to {stated}")
        return [self._edit(value.start_byte, value.end_byte, self._text(option.value))]

    def _insert(self, display: Node, entries: dict[str, Wanted]) -> list[Edit]:
        """Add entries to an object display, written as those that stand there."""
        written = [f"{_key(name)}: {self._text(value)}" for name, value in entries.items()]
        inside = [node for node in display.named_children if node.type != "comment"]
        if not inside:
            if any(node.type == "comment" for node in display.named_children):
                raise NotFixableError("its options hold only a comment")
            return [self._edit(display.start_byte, display.end_byte, "{ " + ", ".join(written) + " }")]
        last = inside[-1]
        comma = self._comma(last)
        end = last.end_byte if comma is None else comma.end_byte
        if last.start_point.row == display.start_point.row:
            text = ", ".join(written)
            return [self._edit(end, end, f", {text}" if comma is None else f" {text},")]
        line_end = self._after_comments(last, end)
        between = self._newline() + self._indent(last)
        lines = f",{between}".join(written)
        if comma is None:
            if line_end == end:
                return [self._edit(end, end, f",{between}{lines}")]
            return [self._edit(end, end, ","), self._edit(line_end, line_end, f"{between}{lines}")]
        return [self._edit(line_end, line_end, f"{between}{lines},")]

    def _append(self, listed: Node, given: list[Node], entries: dict[str, Wanted]) -> list[Edit]:
        """Add an argument behind the last one; on lines of its own where it would make a line too long."""
        edits = self._appended(listed, given, self._text(entries))
        if not self._is_too_long(edits):
            return edits
        between = self._newline() + self._indent(given[-1] if given else listed)
        step = "\t" if between.endswith("\t") else "  "
        lines = "".join(f"{between}{step}{_key(k)}: {self._text(v)}," for k, v in entries.items())
        return self._appended(listed, given, f"{{{lines}{between}}}")

    def _is_too_long(self, edits: list[Edit]) -> bool:
        """Whether a line that the edits leave is longer than any line of the file has been."""
        start = self.source.rfind(b"\n", 0, edits[0].start) + 1
        end = self._line_end(edits[-1].end)
        moved = [replace(edit, start=edit.start - start, end=edit.end - start) for edit in edits]
        written = apply(self.source[start:end], moved).decode("utf-8", "replace").splitlines()
        widest = max(map(len, self.source.decode("utf-8", "replace").splitlines()), default=0)
        return max(map(len, written), default=0) > min(max(widest, _NARROW), _WIDE)

    def _appended(self, listed: Node, given: list[Node], text: str) -> list[Edit]:
        if not given:
            return [self._edit(listed.start_byte + 1, listed.start_byte + 1, text)]
        last = given[-1]
        comma = self._comma(last)
        end = last.end_byte if comma is None else comma.end_byte
        closes_alone = listed.end_point.row != last.end_point.row
        first = given[0]
        if not closes_alone or first.start_point.row == listed.start_point.row:
            if comma is not None:
                return [self._edit(end, end, f" {text},")]
            return [self._edit(end, end, f", {text}")]
        line_end = self._after_comments(last, end)
        between = self._newline() + self._indent(first)
        if comma is None:
            if line_end == end:
                return [self._edit(end, end, f",{between}{text}")]
            return [self._edit(end, end, ","), self._edit(line_end, line_end, f"{between}{text}")]
        return [self._edit(line_end, line_end, f"{between}{text},")]

    # ---- text

    def _of(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _edit(self, start: int, end: int, text: str) -> Edit:
        return Edit(self.path, start, end, text.encode())

    def _comma(self, node: Node) -> Node | None:
        following = node.next_sibling
        while following is not None and following.type == "comment":
            following = following.next_sibling
        return following if following is not None and following.type == "," else None

    @staticmethod
    def _after_comments(last: Node, end: int) -> int:
        """The end of the comments that stand behind the last entry on its line."""
        following = last.next_sibling
        while following is not None and following.type in (",", "comment"):
            if following.type == "comment":
                if following.start_point.row != last.end_point.row:
                    break
                end = max(end, following.end_byte)
            following = following.next_sibling
        return end

    def _indent(self, node: Node) -> str:
        start = self.source.rfind(b"\n", 0, node.start_byte) + 1
        line = self.source[start : node.start_byte].decode("utf-8", "replace")
        return line[: len(line) - len(line.lstrip())]

    def _newline(self) -> str:
        return "\r\n" if b"\r\n" in self.source else "\n"

    def _quote(self) -> str:
        single = double = 0
        for node in _nodes(self.root):
            if node.type == "string":
                if self.source[node.start_byte : node.start_byte + 1] == b"'":
                    single += 1
                else:
                    double += 1
        return '"' if double > single else "'"

    def _text(self, value: Wanted, quote: str = "") -> str:
        match value:
            case Code(text=text):
                return text
            case bool():
                return "true" if value else "false"
            case None:
                return "null"
            case str():
                quote = quote or self._quote()
                return quote + value.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
            case Like():
                raise NotFixableError("JavaScript has no keywords")
            case dict():
                return "{ " + ", ".join(f"{_key(k)}: {self._text(v, quote)}" for k, v in value.items()) + " }"
        return str(value)


def _key(name: str) -> str:
    return name if name.isidentifier() else f"'{name}'"


def _nodes(root: Node) -> Iterator[Node]:
    """All nodes below one, in the order of the text; by a stack, as trees may be deeper than recursion goes."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.named_children))
