"""Which of several assignments a use of a local variable sees: the last on every way to it, and what may follow."""

from __future__ import annotations

from collections.abc import Iterable

from cronaudit.linking.scopes import Binding
from cronaudit.model.ir import Assign, Function, Loop, Stmt
from cronaudit.model.source import Language
from cronaudit.model.value import Scope
from cronaudit.model.walking import blocks

_Way = tuple[tuple[int, int], ...]
"""The branches into which a place lies: the statement by identity, and which of its blocks, outermost first."""


def reaching(bindings: list[Binding], function: Function, line: int) -> list[Binding]:
    """Of the assignments of a variable of `function`, those that its use on a line may see; else all of them."""
    if any(b.owner is not function or not isinstance(b.node, Assign) for b in bindings):
        return bindings
    way, loops = _way_to(function.body, line)
    certain = [b for b in bindings if b.line < line and _holds(_way_of(b, function), way)]
    if not certain:
        return bindings
    last = max(certain, key=lambda b: b.line)
    if sum(b.line == last.line for b in bindings) > 1:
        return bindings
    around = [loop for loop in loops if not loop.line <= last.line <= loop.end_line]
    return [
        b
        for b in bindings
        if b is last or last.line < b.line <= line or any(o.line <= b.line <= o.end_line for o in around)
    ]


def nearest(bindings: list[Binding], scope: Scope, line: int) -> list[Binding]:
    """Of declarations of one name in several blocks the one that stands before its use."""
    if len(bindings) == 1 or scope.module.language is Language.PYTHON:
        return bindings
    if not all(isinstance(b.node, Assign) and b.node.declares and b.value is not None for b in bindings):
        return bindings
    return [b for b in bindings if b.line <= line][-1:] or bindings


def _way_of(binding: Binding, function: Function) -> _Way:
    if binding.way is None:
        binding.way = _way_to(function.body, binding.node.line)[0]
    return binding.way


def _holds(outer: _Way, inner: _Way) -> bool:
    return inner[: len(outer)] == outer


def _way_to(body: tuple[Stmt, ...], line: int) -> tuple[_Way, tuple[Loop, ...]]:
    """The way to a line, and the loops on it."""
    way: list[tuple[int, int]] = []
    loops: list[Loop] = []
    block: tuple[Stmt, ...] | None = body
    while block:
        statement = _last_before(block, line)
        block = None
        if statement is None:
            break
        if isinstance(statement, Loop):
            loops.append(statement)
        begun = [(n, b) for n, b in enumerate(blocks(statement)) if b and b[0].line <= line]
        if begun:
            number, block = max(begun, key=_begin)
            way.append((id(statement), number))
    return tuple(way), tuple(loops)


def _begin(found: tuple[int, tuple[Stmt, ...]]) -> int:
    return found[1][0].line


def _last_before(block: Iterable[Stmt], line: int) -> Stmt | None:
    found: Stmt | None = None
    for statement in block:
        if statement.line <= line:
            found = statement
    return found
