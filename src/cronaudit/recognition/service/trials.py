"""The tests of the tree that run a job, and what is mocked in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import (
    Call,
    Const,
    Expr,
    Function,
    Member,
    Module,
    Name,
)
from cronaudit.model.source import Language, Location, Role
from cronaudit.model.walking import functions_in, inside
from cronaudit.recognition.context import Service, once_a_service
from cronaudit.recognition.service.acts import TestReader, Trial
from cronaudit.recognition.service.mentions import Mentions

_TESTS: Final = frozenset(("test", "it", "specify"))
_SKIPPED: Final = frozenset(("skip", "todo", "skipIf", "xit", "xtest"))


def trials(service: Service, targets: dict[int, Function]) -> Iterator[Trial]:
    """The tests that run a job, by place."""
    words = {f.name for f in targets.values() if f.name} | {
        f.owner.name for f in targets.values() if f.owner and f.owner.name
    }
    if not words:
        return
    plain = sorted(w.encode() for w in words)
    spoken = re.compile(b"|".join(rb"\b" + re.escape(w) + rb"\b" for w in plain))
    for path in test_files(service):
        content = service.tree.read(path)
        if not any(w in content for w in plain) or not spoken.search(content):
            continue
        mentions = Mentions(service, path, targets.values())
        module = service.linker.module(path) if mentions.any() else None
        if module is not None:
            yield from _of_module(service, module, targets, mentions)


@once_a_service
def test_files(service: Service) -> tuple[str, ...]:
    """The files of the tree that hold tests; set-ups and fixtures hold none."""
    return tuple(
        f.path
        for f in service.tree.files
        if f.language in _HOLDING
        and f.role is Role.TEST
        and _HOLDING[f.language].search(service.tree.read(f.path))
    )


_SCRIPT: Final = lazy_regex(rb"(?<![\w.$])(?:test|it|specify)(?:\.\w+)*\s*(?:\(|`)")
_HOLDING: Final = {
    Language.TYPESCRIPT: _SCRIPT,
    Language.TSX: _SCRIPT,
    Language.JAVASCRIPT: _SCRIPT,
    Language.PYTHON: lazy_regex(rb"^\s*(?:async\s+)?def test", re.MULTILINE),
}


def _of_module(
    service: Service,
    module: Module,
    targets: dict[int, Function],
    mentions: Mentions,
) -> Iterator[Trial]:
    replaced = set(_replaced(service, module))
    known = {k: f for k, f in targets.items() if not _is_replaced(f, replaced)}
    tests = sorted(_tests(service, module), key=lambda pair: pair[1])
    reader = TestReader(service, module, known)
    for function, line in mentions.among(tests):
        trial = Trial(Location(module.path, line), module)
        reader.read(function, trial)
        if any(a.kind == "run" for a in trial.acts):
            yield trial


def _tests(service: Service, module: Module) -> Iterator[tuple[Function, int]]:
    if module.language is Language.PYTHON:
        for function in functions_in(module):
            if (function.name or "").startswith("test") and not any(_is_skip(d) for d in function.decorators):
                yield function, function.line
        return
    for found in service.linker.calls(module).values():
        for call, _node in found:
            if isinstance(call.callee, Call) or not _is_test(call.callee):
                callee = call.callee.callee if isinstance(call.callee, Call) else None
                if callee is None or not _is_test(callee):
                    continue
            body = next((a.value for a in reversed(call.args) if isinstance(a.value, Function)), None)
            if body is not None:
                yield body, call.line


def _is_test(callee: Expr) -> bool:
    names: list[str] = []
    while isinstance(callee, Member):
        names.append(callee.name)
        callee = callee.object
    return isinstance(callee, Name) and callee.name in _TESTS and not _SKIPPED & set(names)


def _is_skip(decorator: Expr) -> bool:
    return any(
        isinstance(e, Member | Name) and e.name in ("skip", "skipIf", "xfail") for e in inside(decorator)
    )


def _replaced(service: Service, module: Module) -> Iterator[str]:
    """What the file puts a mock in the place of: the last part of a module's or function's path."""
    names = ("mock", "doMock", "unstable_mockModule", "patch")
    calls = service.linker.calls(module, names)
    for name in names:
        for call, _node in calls.get(name, ()):
            yield from _mocked(call)
    for function in service.linker.decorated(module):
        for decorator in function.decorators:
            if isinstance(decorator, Call) and getattr(decorator.callee, "name", "") in ("patch", "object"):
                yield from _mocked(decorator)


def _mocked(call: Call) -> Iterator[str]:
    for arg in call.args[:1]:
        if isinstance(arg.value, Const) and isinstance(arg.value.value, str):
            yield re.sub(r"\.[cm]?[jt]sx?$", "", arg.value.value).replace("/", ".").rsplit(".", 1)[-1]


def _is_replaced(function: Function, replaced: set[str]) -> bool:
    stem = re.sub(r"\.[cm]?[jt]sx?$|\.py$", "", function.module.path).rsplit("/", 1)[-1]
    return stem.rsplit(".", 1)[-1] in replaced or stem in replaced or (function.name or "") in replaced
