"""Edits of Python through libcst: formatting and comments are kept. Imported only when a Python file is edited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from msgspec import Struct
from msgspec.structs import replace

from cronaudit.fix.edits import Edit, NotFixableError, difference
from cronaudit.fix.numbers import Number
from cronaudit.fix.options import Option, nested
from cronaudit.fix.recipe import Code, Like, Wanted
from cronaudit.model.placement import Placement

_NARROW = 79
_WIDE = 120
"""Columns: no line gets longer than the longest of the file, within these bounds (PEP 8, and what teams allow)."""


class Python(Struct):
    """One file, parsed with every blank and comment."""

    path: str
    source: bytes
    module: cst.Module
    places: Mapping[cst.CSTNode, CodeRange]

    def set_options(
        self, placement: Placement, options: Mapping[int | str, tuple[Option, ...]]
    ) -> tuple[Edit, ...]:
        """Edits that set keywords of a call or decorator. Raises NotFixableError."""
        found = self._decorator(placement) if placement.how == "decorator" else self._call(placement)
        changed = found
        for name, inner in options.items():
            if isinstance(name, int):
                raise NotFixableError("only keywords are set in Python")
            changed = self._with(changed, name, inner)
        if changed is found:
            return ()
        edit = self._replaced(found, changed)
        if isinstance(changed, cst.Call) and self._is_too_long(edit):
            edit = self._replaced(found, self._one_a_line(found, changed))
        return (edit,)

    def numbers(self, line: int) -> Iterator[Number]:
        """The numbers, products of numbers and texts on a line, each with the name that it is given."""
        inside: set[cst.CSTNode] = set()
        for node, at in self.places.items():
            if at.start.line != line or not _is_amount(node) or node in inside:
                continue
            inside.update(_below(node))
            lines = self.source.decode("utf-8", "replace").splitlines(keepends=True)
            start = _offset(lines, at.start.line, at.start.column)
            end = _offset(lines, at.end.line, at.end.column)
            rest = lines[at.end.line - 1][at.end.column :].rstrip("\r\n")
            yield Number(self.module.code_for_node(node), self._named(node), start, end, rest, node)

    def replace(self, number: Number, text: str) -> tuple[Edit, ...]:
        """The edit that writes another number there."""
        assert isinstance(number.node, cst.BaseExpression)  # noqa: S101 - it comes from `numbers`
        return (self._replaced(number.node, cst.parse_expression(text)),)

    def _named(self, value: cst.CSTNode) -> str:
        """The keyword, key or variable that a value is given to."""
        for node in self.places:
            if isinstance(node, cst.Arg) and node.value is value and node.keyword is not None:
                return node.keyword.value
            if isinstance(node, cst.DictElement) and node.value is value:
                return self.module.code_for_node(node.key).strip("'\"")
            if isinstance(node, cst.Assign) and node.value is value:
                return _last_name(node.targets[0].target)
            if isinstance(node, cst.AnnAssign) and node.value is value:
                return _last_name(node.target)
            if isinstance(node, cst.Param) and node.default is value:
                return node.name.value
        return ""

    def assign_beside(
        self, placement: Placement, names: Mapping[str, str], value: Wanted
    ) -> tuple[Edit, ...]:
        """An assignment to another setting of the same object, in front of this one. Raises NotFixableError."""
        for block in _blocks(self.module):
            for position, statement in enumerate(block.body):
                target = _target(statement)
                if (
                    target is None
                    or self._line(statement) > placement.at.line
                    or not self._spans(statement, placement)
                ):
                    continue
                last = target.attr.value if isinstance(target, cst.Attribute) else target.value
                if last not in names:
                    continue
                return (self._with_statement(block, position, target, names[last], value),)
        raise NotFixableError("the assignment of the schedule is not found again")

    # ---- finding

    def _call(self, placement: Placement) -> cst.Call:
        found = [
            node
            for node in self.places
            if isinstance(node, cst.Call)
            and _last_name(node.func) == placement.name
            and self.places[node].start.line == placement.at.line
            and self.places[node].end.line == placement.at.end_line
        ]
        if len(found) != 1:
            raise NotFixableError(
                "the call is not found again" if not found else "several calls stand on its line"
            )
        return found[0]

    def _decorator(self, placement: Placement) -> cst.BaseExpression:
        found = []
        for node in self.places:
            if not isinstance(node, cst.FunctionDef | cst.ClassDef):
                continue
            line = self.places[node].start.line
            for decorator in node.decorators:
                inner = decorator.decorator
                callee = inner.func if isinstance(inner, cst.Call) else inner
                at = self.places[decorator].start.line
                if _last_name(callee) == placement.name and placement.at.line in (line, at):
                    found.append(inner)
        if len(found) != 1:
            raise NotFixableError("the decorator is not found again")
        return found[0]

    def _line(self, node: cst.CSTNode) -> int:
        return self.places[node].start.line

    def _spans(self, statement: cst.CSTNode, placement: Placement) -> bool:
        return self.places[statement].start.line <= placement.at.line <= self.places[statement].end.line

    # ---- editing

    def _with(self, call: cst.BaseExpression, name: str, options: tuple[Option, ...]) -> cst.BaseExpression:
        """The call with a keyword more, or with another value in it."""
        if not isinstance(call, cst.Call):
            if not isinstance(call, cst.Name | cst.Attribute):
                raise NotFixableError("what is decorated with is neither a name nor a call")
            return cst.Call(func=call, args=[self._argument(name, _value(options))])
        options = tuple(replace(option, value=self._like(call, option.value)) for option in options)
        for given in call.args:
            if given.keyword is not None and given.keyword.value == name:
                return call.with_deep_changes(given, value=self._over(given.value, name, options))
        return _appended(call, self._argument(name, _value(options)))

    def _is_too_long(self, edit: Edit) -> bool:
        """Whether a line that the edit leaves is longer than any line of the file has been."""
        start = self.source.rfind(b"\n", 0, edit.start) + 1
        end = self.source.find(b"\n", edit.end)
        tail = self.source[edit.end :] if end < 0 else self.source[edit.end : end]
        written = (self.source[start : edit.start] + edit.text + tail).decode("utf-8", "replace").splitlines()
        widest = max(map(len, self.source.decode("utf-8", "replace").splitlines()), default=0)
        return max(map(len, written), default=0) > min(max(widest, _NARROW), _WIDE)

    def _one_a_line(self, found: cst.BaseExpression, call: cst.Call) -> cst.Call:
        """The call with each argument on a line of its own; one that is laid out over lines already stays."""
        spaces = [call.whitespace_before_args, *(_behind(arg) for arg in call.args)]
        if any(isinstance(space, cst.ParenthesizedWhitespace) for space in spaces):
            return call
        line = self.source.decode("utf-8", "replace").splitlines()[self.places[found].start.line - 1]
        indent = line[: len(line) - len(line.lstrip())]
        below = cst.SimpleWhitespace(indent + self.module.default_indent)
        between = cst.ParenthesizedWhitespace(indent=False, last_line=below)
        closing = cst.ParenthesizedWhitespace(indent=False, last_line=cst.SimpleWhitespace(indent))
        commas = [*[between] * (len(call.args) - 1), closing]
        return call.with_changes(
            whitespace_before_args=between,
            args=[
                arg.with_changes(
                    comma=cst.Comma(whitespace_after=space), whitespace_after_arg=cst.SimpleWhitespace("")
                )
                for arg, space in zip(call.args, commas, strict=True)
            ],
        )

    def _over(self, value: cst.BaseExpression, name: str, options: tuple[Option, ...]) -> cst.BaseExpression:
        stated = self.module.code_for_node(value)
        if all(option.keeps for option in options):
            return value
        for option in options:
            if not option.members and any(self._text(one) == stated for one in option.over):
                return cst.parse_expression(self._text(option.value))
        raise NotFixableError(f"{name} is set already, to {stated}")

    def _like(self, call: cst.Call, value: Wanted) -> Wanted:
        """What another keyword of the call states; any other value as it is."""
        if not isinstance(value, Like):
            return value
        for given in call.args:
            if given.keyword is not None and given.keyword.value == value.keyword:
                stated = given.value
                if not isinstance(stated, cst.Integer) or int(stated.value) > value.most:
                    raise NotFixableError(f"{value.keyword} is no number up to {value.most}")
                return int(stated.value)
        return value.otherwise

    def _argument(self, name: str, value: Wanted) -> cst.Arg:
        return cst.Arg(
            keyword=cst.Name(name),
            value=cst.parse_expression(self._text(value)),
            equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
        )

    def _with_statement(
        self,
        block: cst.Module | cst.IndentedBlock,
        position: int,
        beside: cst.Name | cst.Attribute,
        name: str,
        value: Wanted,
    ) -> Edit:
        target: cst.Name | cst.Attribute = (
            beside.with_changes(attr=cst.Name(name)) if isinstance(beside, cst.Attribute) else cst.Name(name)
        )
        first = block.body[position]
        assert isinstance(first, cst.SimpleStatementLine)  # noqa: S101 - `_target` has looked
        statement = cst.SimpleStatementLine(
            body=[cst.Assign([cst.AssignTarget(target)], cst.parse_expression(self._text(value)))],
        )
        # The comments above the schedule stay with the schedule.
        lines, kept = [], list(first.leading_lines)
        while kept and kept[0].comment is None:
            lines.append(kept.pop(0))
        body = [
            *block.body[:position],
            statement.with_changes(leading_lines=lines),
            first.with_changes(leading_lines=kept),
            *block.body[position + 1 :],
        ]
        return self._replaced(block, block.with_changes(body=body))

    def _replaced(self, old: cst.CSTNode, new: cst.CSTNode) -> Edit:
        if old is self.module:
            changed = cast("cst.Module", new)
        else:
            changed = cast("cst.Module", self.module.deep_replace(old, new))
        return difference(self.path, self.source, changed.bytes)

    def _text(self, value: Wanted) -> str:
        match value:
            case Code(text=text):
                return text
            case str():
                quote = self._quote()
                return quote + value.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
            case dict():
                return "{" + ", ".join(f"{self._text(k)}: {self._text(v)}" for k, v in value.items()) + "}"
        return str(value)

    def _quote(self) -> str:
        single = double = 0
        for node in self.places:
            if isinstance(node, cst.SimpleString) and node.quote in ("'", '"'):
                single, double = single + (node.quote == "'"), double + (node.quote == '"')
        return "'" if single > double else '"'


def read_python(path: str, source: bytes) -> Python:
    """Parse a file. Raises NotFixableError where libcst cannot."""
    try:
        wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    except (cst.ParserSyntaxError, UnicodeDecodeError, RecursionError) as error:
        raise NotFixableError("libcst cannot read the file") from error
    return Python(path, source, wrapper.module, cast("Any", wrapper.resolve(PositionProvider)))


def _appended(call: cst.Call, added: cst.Arg) -> cst.Call:
    """The call with one argument more behind the last, laid out as those before it."""
    if not call.args:
        return call.with_changes(args=[added])
    *before, last = call.args
    own = last.comma if isinstance(last.comma, cst.Comma) else None
    closing = own.whitespace_after if own is not None else last.whitespace_after_arg
    between = _between(call)
    if (
        own is not None
        and isinstance(closing, cst.ParenthesizedWhitespace)
        and isinstance(between, cst.ParenthesizedWhitespace)
    ):
        # What is said behind the last argument stays on its line.
        between = between.with_changes(first_line=closing.first_line, empty_lines=[])
        closing = closing.with_changes(first_line=cst.TrailingWhitespace(newline=closing.first_line.newline))
    if own is not None:
        last = last.with_changes(comma=own.with_changes(whitespace_after=between))
        trailing = cst.Comma(whitespace_after=closing)
        return call.with_changes(args=[*before, last, added.with_changes(comma=trailing)])
    last = last.with_changes(
        comma=cst.Comma(whitespace_after=between), whitespace_after_arg=cst.SimpleWhitespace("")
    )
    return call.with_changes(args=[*before, last, added.with_changes(whitespace_after_arg=closing)])


def _behind(arg: cst.Arg) -> cst.BaseParenthesizableWhitespace:
    return arg.comma.whitespace_after if isinstance(arg.comma, cst.Comma) else arg.whitespace_after_arg


def _between(call: cst.Call) -> cst.BaseParenthesizableWhitespace:
    """What stands between two arguments of the call: a blank, or a new line with its indentation."""
    commas = [arg.comma for arg in call.args[:-1] if isinstance(arg.comma, cst.Comma)]
    written: cst.BaseParenthesizableWhitespace = (
        commas[-1].whitespace_after if commas else call.whitespace_before_args
    )
    if isinstance(written, cst.ParenthesizedWhitespace):
        return written.with_changes(
            first_line=cst.TrailingWhitespace(newline=written.first_line.newline), empty_lines=[]
        )
    return cst.SimpleWhitespace(" ")


def _value(options: tuple[Option, ...]) -> Wanted:
    """The value of an argument: what is wanted itself, or a dict of what is wanted inside it."""
    whole = next((option for option in options if not option.members), None)
    return whole.value if whole is not None else nested(options)


def _is_amount(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.BinaryOperation):
        return isinstance(node.operator, cst.Multiply) and _is_amount(node.left) and _is_amount(node.right)
    return isinstance(node, cst.Integer | cst.Float | cst.SimpleString)


def _offset(lines: list[str], line: int, column: int) -> int:
    """The offset in bytes of a position that libcst counts in characters."""
    return len("".join(lines[: line - 1]).encode()) + len(lines[line - 1][:column].encode())


def _below(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for child in node.children:
        yield child
        yield from _below(child)


def _last_name(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def _blocks(module: cst.Module) -> Iterator[cst.Module | cst.IndentedBlock]:
    """The module and every block in it."""
    pending: list[cst.CSTNode] = [module]
    while pending:
        node = pending.pop()
        if isinstance(node, cst.Module | cst.IndentedBlock):
            yield node
        pending.extend(node.children)


def _target(statement: cst.CSTNode) -> cst.Name | cst.Attribute | None:
    """What a line assigns to, where it is one plain assignment."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    only = statement.body[0]
    if isinstance(only, cst.Assign) and len(only.targets) == 1:
        target = only.targets[0].target
        return target if isinstance(target, cst.Name | cst.Attribute) else None
    if isinstance(only, cst.AnnAssign) and isinstance(only.target, cst.Name | cst.Attribute):
        return only.target
    return None
