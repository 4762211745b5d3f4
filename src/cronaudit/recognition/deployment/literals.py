"""Object literals of JavaScript and JSON with their lines: enough of them for a configuration file.

What is no literal (a variable, a call) is nothing; template strings count where nothing is put in.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.recognition.deployment.documents import Item

_TOKEN: Final = lazy_regex(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)
    |(?P<word>-?\d[\w.]*|[A-Za-z_$][\w$]*)
    |(?P<mark>=>|\.\.\.|.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = lazy_regex(r"\\(.)", re.DOTALL)
_DEEPEST: Final = 30


class _Token(Struct):
    kind: str
    text: str
    line: int


def literal(path: str, text: str, start: int = 0) -> Item | None:
    """The object or list that starts at an offset; None where there is none."""
    tokens: list[_Token] = []
    line = text.count("\n", 0, start) + 1
    for match in _TOKEN.finditer(text, start):
        kind = match.lastgroup or "mark"
        if kind != "skip":
            tokens.append(_Token(kind, match[0], line))
        line += match[0].count("\n")
    reader = _Reader(path, tokens)
    return reader.value(0) if tokens and tokens[0].text in "{[" else None


class _Reader(Struct):
    path: str
    tokens: list[_Token]
    at: int = 0

    def _peek(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else _Token("end", "", 0)

    def value(self, depth: int) -> Item:
        """The value at the current token, up to its comma or closing bracket."""
        token = self._peek()
        if token.text == "{" and depth < _DEEPEST:
            found = self._object(depth)
        elif token.text == "[" and depth < _DEEPEST:
            found = self._list(depth)
        else:
            self.at += 1
            found = Item(self.path, token.line, self._scalar(token))
        if self._peek().text not in {",", "}", "]", ")", ";", ""}:
            # An expression: what it comes to is not known.
            self._skip()
            found = Item(self.path, token.line)
        return found

    @staticmethod
    def _scalar(token: _Token) -> str | None:
        if token.kind == "string":
            inner = token.text[1:-1]
            return None if token.text[0] == "`" and "${" in inner else _ESCAPE.sub(r"\1", inner)
        if token.text in {"true", "false"} or token.text[:1].isdigit() or token.text.startswith("-"):
            return token.text
        return None

    def _skip(self) -> None:
        depth = 0
        while self.at < len(self.tokens):
            text = self._peek().text
            if depth == 0 and text in {",", "}", "]", ";"}:
                return
            depth += (text in {"{", "[", "("}) - (text in {"}", "]", ")"})
            self.at += 1

    def _object(self, depth: int) -> Item:
        line = self._peek().line
        self.at += 1
        entries: dict[str, Item] = {}
        while self.at < len(self.tokens) and self._peek().text != "}":
            key = self._peek()
            self.at += 1
            if self._peek().text == ":" and key.kind in {"string", "word"}:
                self.at += 1
                inner = self.value(depth + 1)
                name = key.text[1:-1] if key.kind == "string" else key.text
                entries[name] = Item(
                    inner.path, key.line, inner.scalar, inner.items, inner.entries, inner.is_map
                )
            elif key.text != ",":
                self._skip()
            if self._peek().text == ",":
                self.at += 1
        self.at += 1
        return Item(self.path, line, entries=entries, is_map=True)

    def _list(self, depth: int) -> Item:
        line = self._peek().line
        self.at += 1
        items: list[Item] = []
        while self.at < len(self.tokens) and self._peek().text != "]":
            before = self.at
            items.append(self.value(depth + 1))
            if self._peek().text == "," or self.at == before:
                self.at += 1
        self.at += 1
        return Item(self.path, line, items=tuple(items))
