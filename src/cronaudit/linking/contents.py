"""The calls, functions and classes of one module, found without lowering what cannot hold them.

Most questions are about a few names: who calls `schedule`, what assigns `timer`, which classes are there. A function
whose lines hold none of the words is passed over with all that is inside it, and its body stays as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Class, Function, Member, Module, Name
from cronaudit.model.source import Language
from cronaudit.model.walking import calls_in, definitions_in, inside, members

_NAME: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$")
_ASSIGNMENT: Final = lazy_regex(rb"\s*(?:=(?![=>])|(?:[-+*/%&|^?]{1,2}|<<|>>>?)=|\+\+|--|[,\]}])")
_REBINDING: Final = lazy_regex(rb"\b(?:global|nonlocal)\s([^\n]*)")
_WORD: Final = lazy_regex(rb"[\w$]+")
_NAMELESS: Final = lazy_regex(rb"[)\]}>\"']\s*[(`]|\b(?:super|this)\s*\(")
"""Where a call may stand whose callee has no name."""
_CLASSES: Final = ("class", "enum", "prototype", "inherits")

Site = tuple[Call, Function | Module]
"""A call and the function that it stands in."""


class Contents:
    """What one module holds."""

    def __init__(self, module: Module, source: bytes) -> None:
        self._module = module
        self._source = source
        self._line_starts: list[int] | None = None
        self._rebound: dict[bytes, list[int]] | None = None
        self._named: dict[str, list[Site]] = {}
        self._all: dict[str, list[Site]] | None = None
        self._classes: tuple[Class, ...] | None = None
        self._arguments: dict[int, dict[int, Call]] = {}
        self._on_the_spot: dict[int, dict[int, Call]] = {}

    def all_calls(self) -> dict[str, list[Site]]:
        """All calls by the last name of their callee; lowers every function."""
        if self._all is None:
            self._all = {}
            for call, node in self._sites(None):
                self._all.setdefault(callee_name(call), []).append((call, node))
        return self._all

    def calls(self, names: Collection[str]) -> dict[str, list[Site]]:
        """The calls whose callee ends in one of the names, by name; the empty name is that of ``make()()``."""
        if self._all is not None:
            found = self.all_calls()
            return {name: found[name] for name in names if name in found}
        missing = frozenset(name for name in names if name not in self._named)
        if missing:
            self._named.update((name, []) for name in missing)
            for call, node in self._sites(self._lines_with(missing)):
                name = callee_name(call)
                if name in missing:
                    self._named[name].append((call, node))
        return {name: self._named[name] for name in names if self._named[name]}

    def functions(self, *words: str) -> Iterator[Function]:
        """The functions in whose lines one of the words stands, at any depth, in order."""
        lines = self._lines_with(words)
        return (d for d in self._definitions(self._module, lines) if isinstance(d, Function))

    def decorated(self) -> Iterator[Function]:
        """The functions with decorators, at any depth, in order."""
        lines = self._lines_with(("@",))
        pending: list[Function | Class] = list(definitions_in(self._module)[::-1])
        while pending:
            definition = pending.pop()
            if isinstance(definition, Function):
                if definition.decorators:
                    yield definition
                if _holds(definition, lines):
                    pending.extend(definitions_in(definition)[::-1])
            else:
                pending.extend(tuple(members(definition))[::-1])

    def assigning(self, node: Function | Module, name: str) -> Iterator[Function]:
        """The functions inside `node` that may assign a variable of a scope around them."""
        is_python = self._module.language is Language.PYTHON
        places = self._rebinding(name.encode()) if is_python else _assigned(self._source, name)
        lines = self._lines_of(places)
        return (d for d in self._definitions(node, lines) if isinstance(d, Function))

    def classes(self) -> tuple[Class, ...]:
        """The classes, nested ones too."""
        if self._classes is None:
            found = self._definitions(self._module, self._lines_with(_CLASSES))
            self._classes = tuple(d for d in found if isinstance(d, Class))
        return self._classes

    def taking(self, function: Function) -> Call | None:
        """The call that a function expression is an argument of."""
        return self._around(function)[0].get(id(function))

    def on_the_spot(self, function: Function) -> Site | None:
        """The call of a function expression where it stands: ``(function (exports) {…})(exports)``."""
        call = self._around(function)[1].get(id(function))
        return None if call is None else (call, function.parent)

    def _around(self, function: Function) -> tuple[dict[int, Call], dict[int, Call]]:
        """By identity, for the functions beside this one: the call that takes it, the call whose callee it is."""
        node = function.parent
        if id(node) not in self._arguments:
            taking: dict[int, Call] = {}
            called: dict[int, Call] = {}
            classes = [d for d in definitions_in(node) if isinstance(d, Class)]
            for call in (*calls_in(node), *(c for cls in classes for c in _calls_of(cls))):
                taking.update((id(a.value), call) for a in call.args if isinstance(a.value, Function))
                callee = call.callee
                if isinstance(callee, Member) and callee.name == "call":
                    callee = callee.object
                if isinstance(callee, Function):
                    called[id(callee)] = call
            self._arguments[id(node)], self._on_the_spot[id(node)] = taking, called
        return self._arguments[id(node)], self._on_the_spot[id(node)]

    def _sites(self, lines: list[int] | None) -> Iterator[Site]:
        """All calls of functions that hold one of the lines; of all where none are given."""
        found = list(self._definitions(self._module, lines))
        yield from ((call, self._module) for call in calls_in(self._module))
        for node in found:
            if isinstance(node, Function):
                yield from ((call, node) for call in calls_in(node))
        for cls in found:
            if isinstance(cls, Class):
                yield from ((call, cls.parent) for call in _calls_of(cls))

    def _definitions(self, root: Function | Module, lines: list[int] | None) -> Iterator[Function | Class]:
        """The functions and classes inside `root` that hold one of the lines, at any depth, in order."""
        stack = list(definitions_in(root)[::-1])
        while stack:
            definition = stack.pop()
            if lines is not None and not _holds(definition, lines):
                continue
            yield definition
            inner = (
                definitions_in(definition) if isinstance(definition, Function) else tuple(members(definition))
            )
            stack.extend(inner[::-1])

    def _lines_with(self, words: Iterable[str]) -> list[int]:
        """The numbers of the lines that one of the words stands on, sorted; the empty word is `_NAMELESS`."""
        source = self._source
        places: list[int] = []
        for word in words:
            if word:
                places += _places(source, word.encode())
            else:
                places += [m.start() for m in _NAMELESS.finditer(source)]
        return self._lines_of(places)

    def _rebinding(self, name: bytes) -> list[int]:
        """Where Python code says that an assignment is one of a variable around the function."""
        if self._rebound is None:
            self._rebound = {}
            for found in _REBINDING.finditer(self._source):
                for word in _WORD.finditer(found[1]):
                    self._rebound.setdefault(word[0], []).append(found.start())
        return self._rebound.get(name, [])

    def _lines_of(self, places: Iterable[int]) -> list[int]:
        """The numbers of the lines of some offsets, sorted."""
        if self._line_starts is None:
            self._line_starts = [m.end() for m in re.finditer(rb"\n", self._source)]
        starts = self._line_starts
        return sorted({bisect_right(starts, place) + 1 for place in places})


def callee_name(call: Call) -> str:
    """The last name of what is called; empty where it has none."""
    callee = call.callee
    return callee.name if isinstance(callee, Name | Member) else ""


def _calls_of(cls: Class) -> Iterator[Call]:
    """The calls in the decorators and fields of a class: they run where the class is defined."""
    for decorator in cls.decorators:
        # `@Module({imports: [TypeOrmModule.forRoot(…)]})`: what stands in it is called, too.
        yield from (e for e in inside(decorator) if isinstance(e, Call) and e is not decorator)
    for item in cls.fields:
        if item.value is not None:
            yield from (e for e in inside(item.value) if isinstance(e, Call))


def _holds(definition: Function | Class, lines: list[int]) -> bool:
    first = min([definition.line, *(getattr(d, "line", definition.line) for d in definition.decorators)])
    at = bisect_left(lines, first)
    return at < len(lines) and lines[at] <= definition.end_line


def _places(source: bytes, word: bytes) -> Iterator[int]:
    """The offsets of a word; what only begins or ends with it is passed over."""
    at = source.find(word)
    while at >= 0:
        end = at + len(word)
        longer = (word[0] in _NAME and at > 0 and source[at - 1] in _NAME) or (
            word[-1] in _NAME and end < len(source) and source[end] in _NAME
        )
        if not longer:
            yield at
        at = source.find(word, end)


def _assigned(source: bytes, name: str) -> Iterator[int]:
    """Where a script may assign a variable, itself or in a pattern."""
    word = name.encode()
    for at in _places(source, word):
        if _ASSIGNMENT.match(source, at + len(word)) or source[max(at - 2, 0) : at] in (b"++", b"--"):
            yield at
