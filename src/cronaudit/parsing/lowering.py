"""What the lowering of every language shares: the text, the scope, the depth, and bodies that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.model.ir import Expr, Function, If, Module, Opaque, Stmt, TypeRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

MAX_DEPTH = 120
"""Syntax levels of one function body that are lowered. The interpreter stops at 1,000 frames, a level takes
up to four, and a body is lowered from deep inside the walk of whoever asks for it."""

MAX_CHAIN = 2000
"""Links of one chain (``a.b().c()``, ``a + b + c``, ``else if``) that are lowered as a chain; what is beyond is
kept flat. Chains cost no frames here, whatever walks them had better do the same."""


def line_of(node: Node) -> int:
    """The line that a node starts on, counted from 1."""
    return node.start_point[0] + 1


def end_line_of(node: Node) -> int:
    """The line that a node ends on, counted from 1."""
    return node.end_point[0] + 1


class Lowering:
    """One file on its way to the IR.

    `scope` is the function whose body is being lowered, or the module; `depth` counts the open syntax levels.
    """

    __slots__ = ("depth", "module", "scope", "source")

    def __init__(self, source: bytes, module: Module) -> None:
        self.source = source
        self.module = module
        self.scope: Function | Module = module
        self.depth = 0

    def text(self, node: Node) -> str:
        """The source of a node."""
        return self.source[node.start_byte : node.end_byte].decode()

    def expr(self, node: Node | None) -> Expr:
        """An expression; what the grammar left out is an empty `Opaque`."""
        raise NotImplementedError

    def block(self, nodes: Iterable[Node]) -> tuple[Stmt, ...]:
        """A list of statements."""
        raise NotImplementedError

    def function_body(self, function: Function, node: Node) -> tuple[Stmt, ...]:
        """The body of `function`, whose syntax is `node`."""
        raise NotImplementedError

    def type_ref(self, node: Node | None) -> TypeRef | None:
        """A declared type, where it names one."""
        raise NotImplementedError

    def opaque(self, node: Node, parts: Iterable[Node]) -> Opaque:
        """Keep the expressions of a node that the IR has no form for."""
        return Opaque(tuple([self.expr(part) for part in parts]), node.start_point[0] + 1)


class LazyBody:
    """Lowers a function body when it is first asked for, then lets go of the syntax tree."""

    __slots__ = ("lowering", "node")

    def __init__(self, lowering: Lowering, node: Node) -> None:
        self.lowering = lowering
        self.node: Node | None = node

    def __call__(self, function: Function) -> tuple[Stmt, ...]:
        """Make the body of `function`."""
        node, self.node = self.node, None
        if node is None:
            return ()
        lowering = self.lowering
        outer, depth = lowering.scope, lowering.depth
        lowering.scope, lowering.depth = function, 0
        try:
            return lowering.function_body(function, node)
        finally:
            lowering.scope, lowering.depth = outer, depth


def no_body(_: Function) -> tuple[Stmt, ...]:
    """The body of a function that is only declared."""
    return ()


def branches(arms: list[tuple[Expr, tuple[Stmt, ...], int]], otherwise: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """Fold tests, bodies and lines to an if-else chain; one that is too long goes on as a list."""
    rest = [If(test, then, (), line) for test, then, line in arms[MAX_CHAIN:]]
    otherwise = (*rest, *otherwise)
    for test, then, line in reversed(arms[:MAX_CHAIN]):
        otherwise = (If(test, then, otherwise, line),)
    return otherwise


def error_lines(root: Node) -> tuple[int, ...]:
    """The lines that the grammar could not read."""
    if not root.has_error:
        return ()
    lines: set[int] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            lines.add(line_of(node))
        elif node.has_error:
            pending.extend(child for child in node.children if child.has_error or child.is_missing)
    return tuple(sorted(lines))
