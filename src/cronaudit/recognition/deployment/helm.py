"""Helm templates, as far as they can be read without running them.

Expressions become placeholders line by line, so that lines keep their numbers. `.Values.a.b` is looked up in
`values.yaml`, conditions on such values are decided by it, and everything else stays unknown.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.recognition.deployment.documents import Item

_EXPRESSION: Final = lazy_regex(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_COMMENT: Final = lazy_regex(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_VALUES: Final = lazy_regex(r"\$?\.Values((?:\.\w+)+)")
_YAML: Final = lazy_regex(r"(?:toYaml|tpl \(toYaml)\s+(\S+?)\)?(?:\s+[.$])?\s*(?:\|\s*n?indent\s+(\d+))?")
_DEFAULT: Final = lazy_regex(r"\|\s*default\s+(\"[^\"]*\"|\S+)|default\s+(\"[^\"]*\"|\S+)\s+\$?\.")
_PLACEHOLDER: Final = lazy_regex(r"HELM_(\d+)_")
_WORD: Final = lazy_regex(r'"(?:\\.|[^"\\])*"|[()]|[^\s()]+')
_NO_DOT: Final = "$item"
"""The dot inside a `range`, or of a `with` on an expression: nothing that can be looked up."""
_FALSE: Final = frozenset({"", "false", "0", "null", "nil"})


class Template(Struct):
    """A template with its expressions taken out."""

    values: Item
    expressions: list[str] = []

    def render(self, text: str, *, blocks: bool = True) -> str:
        """YAML of the same number of lines. `blocks`: whether `toYaml` of a value becomes a reference to it."""
        text = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
        if not blocks:
            self.expressions.clear()
        scopes: list[_Scope] = []
        joined = _EXPRESSION.sub(lambda match: self._mark(match[1], match[0].count("\n")), text)
        return "\n".join(self._line(line, scopes, blocks=blocks) for line in joined.split("\n"))

    def _mark(self, expression: str, breaks: int) -> str:
        self.expressions.append(" ".join(expression.split()))
        return f"HELM_{len(self.expressions) - 1}_" + "\n" * breaks

    def _line(self, line: str, scopes: list[_Scope], *, blocks: bool) -> str:
        marks = [int(number) for number in _PLACEHOLDER.findall(line)]
        if not marks:
            return "" if any(scope.off for scope in scopes) else line
        bare = not _PLACEHOLDER.sub("", line).strip()
        control = [self._control(self.expressions[mark], scopes) for mark in marks]
        if any(scope.off for scope in scopes):
            return ""
        if not bare:
            for mark, is_control in zip(marks, control, strict=True):
                if is_control:
                    line = line.replace(f"HELM_{mark}_", "")
                else:
                    self._bind(mark, scopes)
            return line
        if blocks and len(marks) == 1 and not control[0]:
            match = _YAML.fullmatch(self.expressions[marks[0]])
            if match is not None:
                self.expressions[marks[0]] = match[1]
                self._bind(marks[0], scopes)
                indent = int(match[2]) if match[2] else len(line) - len(line.lstrip())
                return " " * indent + f"HELM_{marks[0]}_: HELM_{marks[0]}_"
        return ""

    def _bind(self, mark: int, scopes: list[_Scope]) -> None:
        """Replace the dot of a `with` by what it stands for."""
        dot = next((scope.dot for scope in reversed(scopes) if scope.dot is not None), None)
        text = self.expressions[mark]
        if dot is not None and re.match(r"\.(?!Values|Release|Chart)", text):
            self.expressions[mark] = dot if text == "." else dot + text

    def _control(self, expression: str, scopes: list[_Scope]) -> bool:
        word, _, rest = expression.partition(" ")
        if word in {"if", "with", "range", "define", "block"}:
            scope = _Scope()
            if word in {"if", "with"}:
                scope.branch(self._holds(rest))
            scope.off = scope.off or word == "define"
            if word == "with":
                scope.dot = rest if _VALUES.fullmatch(rest) else _NO_DOT
            elif word == "range":
                scope.dot = _NO_DOT
            scopes.append(scope)
        elif word == "else" and scopes:
            scopes[-1].branch(self._holds(rest[3:]) if rest.startswith("if ") else True)
        elif word == "end":
            if scopes:
                scopes.pop()
        else:
            return word.startswith("$") and "=" in expression
        return True

    def value(self, text: str) -> Item | str:
        """What a plain text of the rendered YAML stands for."""
        match = _PLACEHOLDER.fullmatch(text)
        if match is None:
            return _PLACEHOLDER.sub(lambda one: self._text(self._expressed(int(one[1]))), text)
        found = self._expressed(int(match[1]))
        return found if isinstance(found, str) or found.there else ""

    @staticmethod
    def _text(found: Item | str) -> str:
        return found if isinstance(found, str) else found.text

    def _expressed(self, mark: int) -> Item | str:
        expression = self.expressions[mark]
        found = self.lookup(expression)
        if found is not None and found.there:
            return found
        default = _DEFAULT.search(expression)
        if default is not None and found is not None:
            return (default[1] or default[2]).strip('"')
        return "{{ " + expression + " }}"

    def lookup(self, expression: str) -> Item | None:
        """The value that an expression names; None where it names none, or more than one."""
        plain = re.sub(r"\|\s*(?:quote|int|int64|toString|squote|trim|default\s+\S+)\s*", "", expression)
        plain = re.sub(r"^(?:quote|int|toString|default\s+\S+)\s+", "", plain.strip()).strip()
        match = _VALUES.fullmatch(plain.strip("() "))
        return None if match is None else self.values.at(*match[1].strip(".").split("."))

    def _holds(self, condition: str) -> bool | None:
        words = _WORD.findall(condition)
        answer, rest = self._term(words)
        return None if rest else answer

    def _term(self, words: list[str]) -> tuple[bool | None, list[str]]:
        """One operand in front of the rest."""
        if not words:
            return None, words
        head, rest = words[0], words[1:]
        if head == "(":
            depth, at = 1, 0
            while at < len(rest) and depth:
                depth += (rest[at] == "(") - (rest[at] == ")")
                at += 1
            inner, left = self._term(rest[: at - 1])
            return (None if left else inner), rest[at:]
        if head == "not":
            inner, left = self._term(rest)
            return (None if inner is None else not inner), left
        if head in {"and", "or"}:
            found: list[bool | None] = []
            while rest:
                one, rest = self._term(rest)
                found.append(one)
            decisive = head == "or"
            if decisive in found:
                return decisive, []
            return (None if None in found else not decisive), []
        if head in {"eq", "ne"} and len(rest) == 2:
            item = self.lookup(rest[0])
            if item is None or item.scalar is None or not rest[1].startswith('"'):
                return None, []
            return (item.text == rest[1].strip('"')) is (head == "eq"), []
        match = _VALUES.fullmatch(head)
        if match is None:
            return None, rest if head.startswith(("$", ".")) else []
        return _truth(self.values.at(*match[1].strip(".").split("."))), rest


class _Scope(Struct):
    """An open `if`, `with`, `range` or `define`."""

    off: bool = False
    """Whether the current branch is not rendered."""
    taken: bool = False
    """Whether a branch before this one is rendered for certain."""
    open: bool = False
    """Whether a branch before this one may be rendered."""
    dot: str | None = None
    """What the dot stands for, where it is not that of the scope around."""

    def branch(self, holds: bool | None) -> None:  # noqa: FBT001 - a condition is true, false or unknown
        self.off = self.taken or holds is False
        self.taken = self.taken or (holds is True and not self.open)
        self.open = self.open or holds is None


def _truth(item: Item) -> bool:
    """As Go templates see it: empty is false."""
    if item.scalar is not None:
        return item.text.lower() not in _FALSE
    return bool(item.items) if item.items is not None else bool(item.entries)


def resolved(item: Item) -> Item:
    """Mappings in which a `toYaml` stands in for keys, with those keys in its place."""
    entries = dict(item.entries)
    for key, value in item.entries.items():
        if _PLACEHOLDER.fullmatch(key):
            del entries[key]
            if value.items is not None and len(item.entries) == 1:
                return Item(item.path, item.line, items=tuple(resolved(one) for one in value.items))
            for name, inner in value.entries.items():
                entries.setdefault(name, inner)
    if item.items is not None:
        return Item(item.path, item.line, items=tuple(resolved(one) for one in item.items))
    if not item.is_map:
        return item
    return Item(
        item.path, item.line, entries={key: resolved(one) for key, one in entries.items()}, is_map=True
    )
