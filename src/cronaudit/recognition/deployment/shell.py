"""Shell text as simple commands: enough to see what a script leaves running.

Nothing is executed. `case` on an argument that is known takes its branch; any other condition only marks the
commands below it, and all of them count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.recognition.deployment.quantities import expand_partly

_TOKEN: Final = lazy_regex(
    r"""(?P<skip>[ \t\r]+|\\\n|\#[^\n]*)
    |(?P<here><<-?[ \t]*(?P<quote>['"]?)(?P<mark>\w+)(?P=quote))
    |(?P<redirect>\d*(?:>>|>&|<&|>\||>|<)[ \t]*(?:&?\d+|-)?)
    |(?P<operator>&&|\|\||;;|\|&|[;&|\n()]|\{(?=\s)|\}(?=[\s;&|)]|$))
    |(?P<word>(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|`[^`]*`|[^\s;&|<>()'"\\`{}]|[{}])+)
    |(?P<rest>.)""",
    re.VERBOSE | re.DOTALL,
)
_PIECE: Final = lazy_regex(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)|([^'"\\]+)""", re.DOTALL)
_QUOTING: Final = frozenset("'\"\\")
_NAME: Final = lazy_regex(r"\$\{?(\w+)")
_ASSIGNMENT: Final = lazy_regex(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_THEN: Final = frozenset({"then"})
_BRANCHES: Final = frozenset({"elif", "else", "fi"})
_DO: Final = frozenset({"do"})
_DONE: Final = frozenset({"done"})
_DEEPEST: Final = 6
_MOST: Final = 2000
"""Commands of one script that are looked at; functions that call each other could make more of them."""


class Simple(Struct, frozen=True):
    """One command with its words."""

    argv: tuple[str, ...]
    """Without quotes, redirections and leading assignments."""
    line: int
    """Within the text, counted from 1."""
    variables: tuple[tuple[str, str], ...] = ()
    """Assignments in front of it: `TZ=UTC node x.js`."""
    background: bool = False
    conditional: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.argv)


class _Token(Struct, frozen=True):
    text: str
    line: int
    word: bool


def unquoted(word: str) -> str:
    """A word without its quotes."""
    if _QUOTING.isdisjoint(word):
        return word
    return "".join(
        match[1]
        or (re.sub(r'\\(["\\$`\n])', r"\1", match[2]) if match[2] else "")
        or match[3]
        or match[4]
        or ""
        for match in _PIECE.finditer(word)
    )


def commands(
    text: str, arguments: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> list[Simple]:
    """The simple commands of a script in order, those of functions where they are called.

    `arguments` are the script's own (`$1` the first); `variables` its environment.
    """
    named = set(_NAME.findall(text))
    known = tuple(sorted((name, value) for name, value in (variables or {}).items() if name in named))
    return list(_commands(text, tuple(arguments), known))


@lru_cache(maxsize=128)
def _commands(
    text: str, arguments: tuple[str, ...], variables: tuple[tuple[str, str], ...]
) -> tuple[Simple, ...]:
    reader = _Reader(_tokens(text), arguments, dict(variables))
    reader.block(0, conditional=False, until=frozenset())
    return tuple(reader.found)


def words(text: str) -> tuple[str, ...]:
    """A text as words, where it is one simple command or an option list; operators are left out."""
    return tuple(unquoted(token.text) for token in _tokens(text) if token.word)


@lru_cache(maxsize=64)
def _tokens(text: str) -> tuple[_Token, ...]:
    found: list[_Token] = []
    waiting: list[str] = []
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            break
        at = match.end()
        kind = match.lastgroup if match.lastgroup not in {"quote", "mark"} else "here"
        if match["word"] is not None:
            found.append(_Token(match[0], line, word=True))
        elif match["here"] is not None:
            waiting.append(match["mark"])
        elif match["redirect"] is not None:
            found.append(_Token(match[0].strip(), line, word=False))
        elif kind == "operator":
            found.append(_Token(match[0], line, word=False))
        line += match[0].count("\n")
        if match[0] == "\n":
            for mark in waiting:
                end = re.compile(rf"^\t*{re.escape(mark)}$", re.MULTILINE).search(text, at)
                stop = len(text) if end is None else end.end()
                line += text.count("\n", at, stop)
                at = stop
            waiting.clear()
    return tuple(found)


def _holds(found: Sequence[Simple]) -> bool | None:
    """What a test comes to, if all its words are known: `[ "$ROLE" = worker ]`."""
    if len(found) != 1 or found[0].argv[0] not in {"[", "[[", "test"}:
        return None
    words = [word for word in found[0].argv[1:] if word not in {"]", "]]"}]
    if any("$" in word or "`" in word for word in words):
        return None
    match words:
        case [first, "=" | "==", second]:
            return first == second
        case [first, "!=", second]:
            return first != second
        case ["-n", word]:
            return bool(word)
        case ["-z", word]:
            return not word
        case _:
            return None


class _Reader(Struct):
    tokens: tuple[_Token, ...]
    arguments: tuple[str, ...]
    variables: dict[str, str]
    found: list[Simple] = []
    functions: dict[str, tuple[int, int]] = {}
    """Where the body of a function starts and ends."""
    depth: int = 0

    def block(self, at: int, *, conditional: bool, until: frozenset[str], stop: int | None = None) -> int:
        """Read commands up to a closing token or an index; returns where that is."""
        pending: list[_Token] = []
        end = len(self.tokens) if stop is None else stop
        while at < end:
            token = self.tokens[at]
            if not pending:
                if token.text in until:
                    return at
                compound = self._compound(at, end, conditional=conditional) if token.word else None
                if compound is not None:
                    at = compound
                    continue
            if token.word or token.text[:1] in "<>0123456789":
                pending.append(token)
            else:
                self._simple(
                    pending, background=token.text == "&", conditional=conditional, piped=token.text == "|"
                )
                pending = []
                if token.text in until:
                    return at
            at += 1
        self._simple(pending, background=False, conditional=conditional, piped=False)
        return at

    def _compound(self, at: int, end: int, *, conditional: bool) -> int | None:
        """Read a compound command or a function and return the index after it; None where there is none."""
        match self.tokens[at].text:
            case "case":
                return self._case(at, conditional=conditional)
            case "if":
                return self._if(at, conditional=conditional)
            case "while" | "until":
                at = self.block(at + 1, conditional=conditional, until=_DO)
                return self.block(at + 1, conditional=True, until=_DONE) + 1
            case "for" | "select":
                while at < end and self.tokens[at].text != "do":
                    at += 1
                return self.block(at + 1, conditional=True, until=_DONE) + 1
            case "!" | "time":
                return at + 1
            case _:
                return self._function(at, end)

    def _if(self, at: int, *, conditional: bool) -> int:
        """Read `if … fi`; returns the index after it. A test on known values takes its branch."""
        taken = unknown = False
        while at < len(self.tokens):
            word = self.tokens[at].text
            if word == "fi":
                return at + 1
            holds: bool | None = True
            length = len(self.found)
            if word in {"if", "elif"}:
                at = self.block(at + 1, conditional=conditional, until=_THEN)
                holds = _holds(self.found[length:])
            length = len(self.found)
            known = dict(self.variables)
            at = self.block(at + 1, conditional=conditional or unknown or holds is None, until=_BRANCHES)
            if taken or holds is False:
                del self.found[length:]
                self.variables = known
            taken = taken or (holds is True and not unknown)
            unknown = unknown or holds is None
        return at

    def _function(self, at: int, end: int) -> int | None:
        """Note a function's body and return the index after it; None where there is no function."""
        tokens = self.tokens
        name = tokens[at].text
        start = at + 1
        if name == "function" and start < end:
            name, start = tokens[start].text, start + 1
            if start + 1 < end and tokens[start].text == "(" and tokens[start + 1].text == ")":
                start += 2
        elif (
            start + 1 < end
            and tokens[at].word
            and tokens[start].text == "("
            and tokens[start + 1].text == ")"
        ):
            start += 2
        else:
            return None
        while start < end and tokens[start].text == "\n":
            start += 1
        if start >= end or tokens[start].text not in {"{", "("}:
            return None
        opening, closing = tokens[start].text, {"{": "}", "(": ")"}[tokens[start].text]
        depth = 0
        for index in range(start, end):
            depth += (tokens[index].text == opening) - (tokens[index].text == closing)
            if depth == 0:
                self.functions[name] = (start + 1, index)
                return index + 1
        return end

    def _case(self, at: int, *, conditional: bool) -> int:
        """Read `case … esac`; returns the index after it."""
        tokens = self.tokens
        subject = self._value(tokens[at + 1].text) if at + 1 < len(tokens) else "$"
        known = "$" not in subject and "`" not in subject
        at += 2
        while at < len(tokens) and tokens[at].text in {"in", "\n"}:
            at += 1
        taken = False
        while at < len(tokens) and tokens[at].text != "esac":
            patterns: list[str] = []
            while at < len(tokens) and tokens[at].text != ")":
                if tokens[at].word:
                    patterns.append(unquoted(tokens[at].text))
                at += 1
            fits = not known or (not taken and any(fnmatchcase(subject, pattern) for pattern in patterns))
            length = len(self.found)
            at = self.block(at + 1, conditional=conditional or not known, until=frozenset({";;", "esac"}))
            if not fits:
                del self.found[length:]
            taken = taken or fits
            while at < len(tokens) and tokens[at].text in {";;", "\n"}:
                at += 1
        return at + 1

    def _value(self, word: str) -> str:
        if "$" not in word:
            return unquoted(word)
        places = {str(number): value for number, value in enumerate(self.arguments, start=1)}
        text = word if word.startswith("'") else expand_partly(word, {**self.variables, **places})
        for number, value in places.items():
            text = re.sub(rf"\${number}(?!\d)", lambda _, value=value: value, text)  # type: ignore[misc]
        return unquoted(text)

    def _assign(self, assigned: Sequence[tuple[str, str]]) -> None:
        for name, value in assigned:
            if "$" in value or "`" in value:
                self.variables.pop(name, None)
            else:
                self.variables[name] = value

    def _simple(self, tokens: list[_Token], *, background: bool, conditional: bool, piped: bool) -> None:
        argv: list[str] = []
        assigned: list[tuple[str, str]] = []
        redirected = False
        for token in tokens:
            if not token.word:
                redirected = token.text[-1:] in "<>"
                continue
            if redirected:
                redirected = False
                continue
            match = _ASSIGNMENT.fullmatch(token.text) if not argv else None
            if match is not None:
                assigned.append((match[1], self._value(match[2])))
            elif token.text in {'"$@"', '"${@}"', "$@", "$*", '"$*"', "${@}"}:
                argv.extend(self.arguments or ("$@",))
            elif "$" in token.text and _QUOTING.isdisjoint(token.text):
                argv.extend(self._value(token.text).split() if "$(" not in token.text else (token.text,))
            else:
                argv.append(self._value(token.text))
        if not argv:
            self._assign(assigned)
            return
        if argv[0] in {"export", "readonly", "local", "declare", "typeset"}:
            matches = [_ASSIGNMENT.fullmatch(word) for word in argv[1:]]
            self._assign([(match[1], match[2]) for match in matches if match is not None])
            return
        if argv[0] == "set" and argv[1:2] == ["--"]:
            self.arguments = tuple(argv[2:])
        if argv[0] == "shift":
            self.arguments = self.arguments[int(argv[1]) if argv[1:2] and argv[1].isdigit() else 1 :]
        body = self.functions.get(argv[0])
        if body is not None and self.depth < _DEEPEST:
            outer, self.arguments = self.arguments, tuple(argv[1:])
            self.depth += 1
            self.block(body[0], conditional=conditional, until=frozenset(), stop=body[1])
            self.depth -= 1
            self.arguments = outer
        elif body is None and len(self.found) < _MOST:
            self.found.append(
                Simple(
                    tuple(argv),
                    tokens[0].line,
                    tuple(assigned),
                    background=background,
                    conditional=conditional or piped,
                )
            )
