"""Which tests may run a job at all: asked of their text and imports, before anything of them is followed.

A job's function is run under its name, under that of a support file of the tests, or under whatever name a file gives
to what it imports. In Python the byte search does not tell what of a package is imported: there the name alone counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Function
from cronaudit.model.source import Language, Role
from cronaudit.recognition.context import Service

_IMPORT: Final = lazy_regex(rb"^[ \t]*import\b[^'\"`;=(]*['\"][^'\"\n]*['\"]", re.MULTILINE)
_PYTHON_IMPORT: Final = lazy_regex(
    rb"^[ \t]*(?:from\s+[\w.]+\s+)?import\s+(?:\([^)]*\)|[^\n(]*)", re.MULTILINE
)
_MOST_SUPPORT: Final = 200


class Mentions:
    """The jobs' functions as one test file names them."""

    def __init__(self, service: Service, path: str, targets: Iterable[Function]) -> None:
        self._content = service.linker.source(path)
        self._all = False
        self._names: tuple[bytes, ...] = ()
        self._imports = _IMPORT
        if service.linker.language(path) is Language.PYTHON:
            self._imports = _PYTHON_IMPORT
            self._names = tuple(sorted({f.name.encode() for f in targets if f.name}))
            self._all = (
                _is_renamed(self._content, self._names)
                or _is_spoken_of(service, path, self._names)
                or any(_holds(service.linker.source(p), self._names) for p in _fixtures(service, path))
            )
            return
        words = [(f, (f.name or "").encode()) for f in targets]
        direct = service.linker.imported_files(path)
        if not any(word and word in self._content for _f, word in words) and not any(
            f.module.path in direct for f, _word in words
        ):
            words = [(f, w) for f, w in words if w]
            self._all = bool(words) and _is_spoken_of(service, path, tuple({w for _f, w in words}))
            return
        reached = service.linker.reached(path)
        near = [(f, word) for f, word in words if f.module.path in reached]
        self._names = tuple(sorted({word for _f, word in near if word}))
        self._all = any(
            # What a file exports may have any name where it is imported; a method has its own.
            f.owner is None and f.module.path in direct and not (word and word in self._content)
            for f, word in near
        ) or _is_spoken_of(service, path, self._names)

    def any(self) -> bool:
        """Whether one of the tests may run a job."""
        return self._all or _holds(self._content, self._names)

    def among(self, tests: list[tuple[Function, int]]) -> Iterator[tuple[Function, int]]:
        """The tests that may run a job."""
        lines = self._content.split(b"\n")
        outside = list(lines)
        for function, _line in tests:
            for number in range(function.line - 1, min(function.end_line, len(lines))):
                outside[number] = b""
        if self._all or _holds(self._imports.sub(b"", b"\n".join(outside)), self._names):
            yield from tests
            return
        for function, line in tests:
            if _holds(b"\n".join(lines[function.line - 1 : function.end_line]), self._names):
                yield function, line


def _is_renamed(content: bytes, names: tuple[bytes, ...]) -> bool:
    """Whether Python code gives one of the names another: ``from jobs import sweep as clean``."""
    return any(re.search(rb"\b" + re.escape(n) + rb"\s+as\s", content) for n in names if n in content)


def _fixtures(service: Service, path: str) -> Iterator[str]:
    """The files whose fixtures pytest hands to the tests of a file without an import."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        found = f"{folder}/conftest.py".lstrip("/")
        if service.tree.get(found) is not None:
            yield found


def _is_spoken_of(service: Service, path: str, names: tuple[bytes, ...]) -> bool:
    """Whether a support file of the tests that this one imports, directly or not, names a job's function."""
    order = [path]
    for current in order:
        for imported in service.linker.imported_files(current):
            if (
                imported in order
                or len(order) > _MOST_SUPPORT
                or service.tree.role_of(imported) is not Role.TEST
            ):
                continue
            if _holds(service.linker.source(imported), names):
                return True
            order.append(imported)
    return False


def _holds(content: bytes, names: tuple[bytes, ...]) -> bool:
    """Whether a text uses one of the names: calls it, takes it as a member, hands it over; prose only says it."""
    found = [name for name in names if name in content]
    if not found:
        return False
    word = rb"(?:" + b"|".join(map(re.escape, found)) + rb")(?![\w$])"
    used = re.compile(
        rb"(?:[.#]|\[\s*['\"`])"
        + word
        + rb"|(?<![\w$])"
        + word
        + rb"\s*(?:\??\.?\(|\.\w|as\b|`)|import\s+"
        + word
        + rb"|[({\[,=:>]\s*"
        + word
        + rb"\s*[)}\],;\n]"
    )
    return used.search(content) is not None
