"""Branches of JavaScript and TypeScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.model.ir import Const, Do, Expr, Name, Operation, Stmt
from cronaudit.parsing.javascript.displays import first
from cronaudit.parsing.javascript.modules import Modules
from cronaudit.parsing.lowering import branches, line_of

if TYPE_CHECKING:
    from tree_sitter import Node

_MAX_FALL = 16
"""Cases that one case is followed into; the work grows with its square."""


class Branches(Modules):
    """Lowers ``if`` and ``switch``. `in_switch` is true where a ``break`` ends a ``switch`` and no loop."""

    __slots__ = ("in_switch",)

    in_switch: bool

    def body(self, node: Node | None) -> tuple[Stmt, ...]:
        """Lower the body of a compound statement, in braces or not."""
        if node is None:
            return ()
        if node.type == "statement_block":
            return self.block(node.named_children)
        if node.type in ("else_clause", "finally_clause"):
            return self.body(first(node))
        return self.block((node,))

    def if_statement(self, node: Node, out: list[Stmt]) -> None:
        """Lower ``if``; a long ``else if`` chain costs no frames."""
        arms: list[tuple[Expr, tuple[Stmt, ...], int]] = []
        otherwise: tuple[Stmt, ...] = ()
        arm: Node | None = node
        while arm is not None:
            test = self.expr(arm.child_by_field_name("condition"))
            arms.append((test, self.body(arm.child_by_field_name("consequence")), line_of(arm)))
            clause = arm.child_by_field_name("alternative")
            arm = first(clause) if clause is not None else None
            if arm is not None and arm.type != "if_statement":
                otherwise = self.body(arm)
                break
        out.extend(branches(arms, otherwise))

    def switch_statement(self, node: Node, out: list[Stmt]) -> None:
        """Lower ``switch`` to a chain of tests, which share the subject; the default is the last ``else``."""
        subject = self.expr(node.child_by_field_name("value"))
        body = node.child_by_field_name("body")
        outer, self.in_switch = self.in_switch, True
        cases = [
            (case, self.block(case.children_by_field_name("body")))
            for case in (body.named_children if body is not None else ())
            if case.type in ("switch_case", "switch_default")
        ]
        self.in_switch = outer
        arms: list[tuple[Expr, tuple[Stmt, ...], int]] = []
        otherwise: tuple[Stmt, ...] = ()
        tests: list[Expr] = []
        is_default = False
        for index, (case, statements) in enumerate(cases):
            line = line_of(case)
            if case.type == "switch_default":
                is_default = True
            else:
                value = self.expr(case.child_by_field_name("value"))
                tests.append(Operation("==", (subject, value), line))
            if not case.children_by_field_name("body") and index + 1 < len(cases):
                continue
            # What falls through runs the next cases too.
            run = list(statements)
            for before, (_, following) in zip(
                cases[index:], cases[index + 1 : index + _MAX_FALL], strict=False
            ):
                if _leaves(before[0]):
                    break
                run.extend(following)
            if is_default:
                otherwise = tuple(run)
            else:
                test = tests[0]
                for other in tests[1:]:
                    test = Operation("or", (test, other), other.line)
                arms.append((test, tuple(run), tests[0].line))
            tests, is_default = [], False
        if arms:
            out.extend(branches(arms, otherwise))
        else:
            if not isinstance(subject, Const | Name):
                out.append(Do(subject, line_of(node)))
            out.extend(otherwise)


def _leaves(case: Node) -> bool:
    """Whether a case surely does not run into the next one."""
    statements = [node for node in case.named_children if node.type != "comment"]
    while statements and statements[-1].type == "statement_block":
        statements = [node for node in statements[-1].named_children if node.type != "comment"]
    return bool(statements) and statements[-1].type in (
        "break_statement",
        "return_statement",
        "throw_statement",
        "continue_statement",
    )
