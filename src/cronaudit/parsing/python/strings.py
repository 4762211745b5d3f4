"""Strings of Python and the ways to fill them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Argument, Array, Const, Expr, Index, Member, Object, Opaque, Template
from cronaudit.parsing.python import literals
from cronaudit.parsing.python.types import Types

if TYPE_CHECKING:
    from tree_sitter import Node

_STEP = lazy_regex(r"\.(\w+)|\[([^\]]*)\]")


class Strings(Types):
    """Lowers strings: without holes to `Const`, else to `Template`."""

    __slots__ = ()

    def string(self, node: Node) -> Expr:
        """Lower a string, or several that are written side by side."""
        parts: list[str | Expr] = []
        if node.type == "string":
            self._string_parts(node, parts)
        else:
            for child in node.named_children:
                if child.type == "string":
                    self._string_parts(child, parts)
        return _template(parts, node.start_point[0] + 1)

    def _string_parts(self, node: Node, parts: list[str | Expr]) -> None:
        children = node.children
        start, end = children[0], children[-1]
        prefix = self.text(start).rstrip("'\"").lower()
        if not ("f" in prefix or "t" in prefix):
            parts.append(self._string_text(start.end_byte, end.start_byte, prefix))
            return
        position = start.end_byte
        for child in children:
            if child.type == "interpolation":
                parts.append(self._string_text(position, child.start_byte, prefix))
                parts.append(self.expr(child.child_by_field_name("expression")))
                position = child.end_byte
        parts.append(self._string_text(position, end.start_byte, prefix))

    def _string_text(self, start: int, end: int, prefix: str) -> str:
        text = self.source[start:end].decode()
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        if "f" in prefix or "t" in prefix:
            text = text.replace("{{", "{").replace("}}", "}")
        return text if "r" in prefix else literals.unescape(text)

    def percent(self, left: Expr, right: Expr) -> Expr | None:
        """Lower ``'…' % values``; ``None`` where the left is no string."""
        text = _text(left)
        if text is None:
            return None
        items = list(right.items) if isinstance(right, Array) else None
        parts: list[str | Expr] = []
        position = 0
        for part in literals.percent_fields(text):
            if isinstance(part, str):
                parts.append(part)
            elif part[0] is not None:
                parts.append(_entry(right, part[0], left.line))
            elif items is None:
                parts.append(right)
            else:
                parts.append(items[position] if position < len(items) else Opaque((), left.line))
                position += 1
        return _template(parts, left.line)

    def formatted(self, left: Expr, args: tuple[Argument, ...]) -> Expr | None:
        """Lower ``'…'.format(values)``; ``None`` where the object is no string."""
        text = _text(left)
        if text is None:
            return None
        positional = [arg.value for arg in args if arg.name is None and not arg.spread]
        keywords = {arg.name: arg.value for arg in args if arg.name is not None and not arg.spread}
        spread = tuple(arg.value for arg in args if arg.spread)
        parts: list[str | Expr] = []
        following = 0
        for part in literals.brace_fields(text):
            if isinstance(part, str):
                parts.append(part)
                continue
            name, path = part
            if not name:
                name, following = str(following), following + 1
            value: Expr | None
            if name.isdecimal():
                value = positional[int(name)] if int(name) < len(positional) else None
            else:
                value = keywords.get(name)
            parts.append(_followed(value or Opaque(spread, left.line), path))
        return _template(parts, left.line)


def _text(value: Expr) -> str | None:
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else None


def _template(parts: list[str | Expr], line: int) -> Expr:
    """Join adjacent text."""
    joined: list[str | Expr] = []
    for part in parts:
        if part == "":
            continue
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    if not joined:
        return Const("", line)
    only = joined[0]
    return Const(only, line) if len(joined) == 1 and isinstance(only, str) else Template(tuple(joined), line)


def _entry(mapping: Expr, key: str, line: int) -> Expr:
    if isinstance(mapping, Object):
        for entry in reversed(mapping.entries):
            if entry.key == key:
                return entry.value
    return Index(mapping, Const(key, line), line)


def _followed(value: Expr, path: str) -> Expr:
    for name, index in _STEP.findall(path):
        if name:
            value = Member(value, name, value.line)
        else:
            key = int(index) if index.isdecimal() else index
            value = Index(value, Const(key, value.line), value.line)
    return value
