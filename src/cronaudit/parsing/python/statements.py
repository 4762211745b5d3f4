"""Statements of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cronaudit.model.ir import (
    Argument,
    Array,
    Assign,
    Break,
    Call,
    Continue,
    Define,
    Do,
    Expr,
    Handler,
    Import,
    Interface,
    Loop,
    LoopKind,
    Member,
    Name,
    Opaque,
    Return,
    Stmt,
    Throw,
    Try,
    With,
)
from cronaudit.parsing.lowering import MAX_DEPTH, branches, end_line_of, line_of
from cronaudit.parsing.python.definitions import Definitions, is_signature
from cronaudit.parsing.python.expressions import first
from cronaudit.parsing.python.matching import Matching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node

_DOCS = frozenset({"string", "concatenated_string", "ellipsis"})
"""What as a statement does nothing."""


class Statements(Matching, Definitions):
    """Lowers statements. `type_only` is true under ``if TYPE_CHECKING``."""

    __slots__ = ("type_only",)

    type_only: bool

    def block(self, nodes: Iterable[Node]) -> tuple[Stmt, ...]:
        """Lower a list of statements."""
        if self.depth >= MAX_DEPTH:
            return ()
        self.depth += 1
        out: list[Stmt] = []
        for node in nodes:
            self.statement(node, out)
        self.depth -= 1
        return tuple(out)

    def statement(self, node: Node, out: list[Stmt]) -> None:
        """Append what a statement lowers to."""
        handler = self._STATEMENTS.get(node.type)
        if handler is not None:
            handler(self, node, out)
        elif node.is_error:
            self._salvage(node, out)

    def _salvage(self, node: Node, out: list[Stmt]) -> None:
        """Keep the statements and expressions inside a place that the grammar could not read."""
        pending = [node]
        while pending:
            part = pending.pop()
            if part.is_error or part.type == "block":
                pending.extend(reversed(part.named_children))
            elif part.type in self._STATEMENTS:
                self.statement(part, out)
            elif part.child_count and part.type != "string":
                value = self.expr(part)
                if not isinstance(value, Opaque) or value.parts:
                    out.append(Do(value, line_of(part)))

    def _body(self, node: Node | None, field: str = "body") -> tuple[Stmt, ...]:
        block = node.child_by_field_name(field) if node is not None else None
        return self.block(block.named_children) if block is not None else ()

    def _clause(self, node: Node) -> tuple[Stmt, ...]:
        """Lower the block of a clause that has no field for it."""
        return self.block(
            [stmt for child in node.named_children if child.type == "block" for stmt in child.named_children]
        )

    # ---- simple statements

    def _expression(self, node: Node, out: list[Stmt]) -> None:
        parts = [child for child in node.named_children if child.type != "comment"]
        line = line_of(node)
        if len(parts) != 1:
            items = tuple(self.expr(part) for part in parts)
            out.append(Do(Array(items, line, end_line_of(node)), line))
            return
        part = parts[0]
        if part.type == "assignment":
            self._assignment(part, out)
        elif part.type == "augmented_assignment":
            operator = part.child_by_field_name("operator")
            op = operator.type.removesuffix("=") if operator is not None else "+"
            target = self.pattern(part.child_by_field_name("left"))
            value = self.expr(part.child_by_field_name("right"))
            end_line = end_line_of(part)
            out.append(Assign(target, value, op, declares=False, line=line, end_line=end_line))
        elif part.type not in _DOCS:
            out.append(Do(self.expr(part), line))

    def _assignment(self, node: Node, out: list[Stmt]) -> None:
        right = node.child_by_field_name("right")
        inner = self.assignment(node)
        hint = node.child_by_field_name("type")
        out.append(
            Assign(
                inner.target,
                inner.value if right is not None else None,
                "=",
                declares=False,
                line=inner.line,
                end_line=end_line_of(node),
                type=self.type_ref(hint) if hint is not None else None,
            )
        )

    def _return(self, node: Node, out: list[Stmt]) -> None:
        value = first(node)
        out.append(Return(self.expr(value) if value is not None else None, line_of(node)))

    def _raise(self, node: Node, out: list[Stmt]) -> None:
        value = first(node)
        out.append(Throw(self.expr(value) if value is not None else None, line_of(node)))

    def _parts_of(self, node: Node, out: list[Stmt]) -> None:
        """Lower ``assert``, ``del`` and ``exec``."""
        parts = [child for child in node.named_children if child.type != "comment"]
        out.append(Do(self.opaque(node, parts), line_of(node)))

    def _print(self, node: Node, out: list[Stmt]) -> None:
        """Lower the statement of Python 2 to the call that it became."""
        line = line_of(node)
        args = tuple(Argument(self.expr(arg)) for arg in node.children_by_field_name("argument"))
        out.append(Do(Call(Name("print", line), args, line, end_line_of(node)), line))

    def _break(self, node: Node, out: list[Stmt]) -> None:
        out.append(Break(line_of(node)))

    def _continue(self, node: Node, out: list[Stmt]) -> None:
        out.append(Continue(line_of(node)))

    # ---- definitions

    def _definition(self, node: Node, out: list[Stmt]) -> None:
        inner, decorators = self.decorated(node)
        if inner.type == "function_definition" and not is_signature(decorators):
            out.append(Define(self.function(inner, None, decorators), line_of(inner)))
        elif inner.type == "class_definition":
            out.append(Define(self.klass(inner, decorators), line_of(inner)))

    def _type_alias(self, node: Node, out: list[Stmt]) -> None:
        left = self.type_ref(node.child_by_field_name("left"))
        right = self.type_ref(node.child_by_field_name("right"))
        if left is not None:
            line, end_line = line_of(node), end_line_of(node)
            bases = (right,) if right is not None else ()
            out.append(Define(Interface(left.name, bases, (), (), line, end_line, self.module), line))

    # ---- names of other modules

    def _import(self, node: Node, out: list[Stmt]) -> None:
        line = line_of(node)
        for child in node.children_by_field_name("name"):
            name, alias = self._imported(child)
            if alias is not None:
                out.append(Import(name, "*", alias, line, self.type_only))
                continue
            top = name.partition(".")[0]
            out.append(Import(top, "*", top, line, self.type_only))
            if top != name:
                out.append(Import(name, "*", "", line, self.type_only))

    def _import_from(self, node: Node, out: list[Stmt]) -> None:
        source = node.child_by_field_name("module_name")
        module = "".join(self.text(source).split()) if source is not None else ""
        line = line_of(node)
        if any(child.type == "wildcard_import" for child in node.named_children):
            out.append(Import(module, "*", "*", line, self.type_only))
        for child in node.children_by_field_name("name"):
            name, alias = self._imported(child)
            out.append(Import(module, name, alias or name, line_of(child), self.type_only))

    def _imported(self, node: Node) -> tuple[str, str | None]:
        alias = node.child_by_field_name("alias")
        name = node.child_by_field_name("name") or node
        text = "".join(self.text(name).split())
        return text, self.text(alias) if alias is not None else None

    # ---- compound statements

    def _if(self, node: Node, out: list[Stmt]) -> None:
        condition = node.child_by_field_name("condition")
        if condition is not None and self.text(condition).rpartition(".")[2] == "TYPE_CHECKING":
            outer, self.type_only = self.type_only, True
            out.extend(self._body(node, "consequence"))
            self.type_only = outer
            for clause in node.children_by_field_name("alternative"):
                out.extend(self._body(clause, "consequence") or self._body(clause))
            return
        arms = [(self.expr(condition), self._body(node, "consequence"), line_of(node))]
        otherwise: tuple[Stmt, ...] = ()
        for clause in node.children_by_field_name("alternative"):
            if clause.type == "elif_clause":
                test = self.expr(clause.child_by_field_name("condition"))
                arms.append((test, self._body(clause, "consequence"), line_of(clause)))
            else:
                otherwise = self._body(clause)
        out.extend(branches(arms, otherwise))

    def _for(self, node: Node, out: list[Stmt]) -> None:
        out.append(
            Loop(
                kind=LoopKind.EACH,
                target=self.pattern(node.child_by_field_name("left")),
                iterable=self.expr(node.child_by_field_name("right")),
                test=None,
                update=None,
                body=self._body(node),
                is_async=node.children[0].type == "async",
                line=line_of(node),
                end_line=end_line_of(node),
            )
        )
        out.extend(self._body(node.child_by_field_name("alternative")))

    def _while(self, node: Node, out: list[Stmt]) -> None:
        out.append(
            Loop(
                kind=LoopKind.WHILE,
                target=None,
                iterable=None,
                test=self.expr(node.child_by_field_name("condition")),
                update=None,
                body=self._body(node),
                is_async=False,
                line=line_of(node),
                end_line=end_line_of(node),
            )
        )
        out.extend(self._body(node.child_by_field_name("alternative")))

    def _try(self, node: Node, out: list[Stmt]) -> None:
        body = list(self._body(node))
        handlers: list[Handler] = []
        final: tuple[Stmt, ...] = ()
        for clause in node.named_children:
            if clause.type == "except_clause":
                handlers.append(self._handler(clause))
            elif clause.type == "else_clause":
                body.extend(self._body(clause))
            elif clause.type == "finally_clause":
                final = self._clause(clause)
        out.append(Try(tuple(body), tuple(handlers), final, line_of(node), end_line_of(node)))

    def _handler(self, node: Node) -> Handler:
        value = node.child_by_field_name("value")
        alias = node.child_by_field_name("alias")
        if value is not None and value.type == "as_pattern":
            value, alias = self._as_pattern(value)
        name = self.pattern(alias) if alias is not None else None
        types: tuple[Expr, ...] = ()
        if value is not None:
            caught = self.expr(value)
            types = caught.items if isinstance(caught, Array) else (caught,)
        label = name.name if isinstance(name, Name) else None
        return Handler(label, types, self._clause(node), line_of(node), end_line_of(node))

    def _as_pattern(self, node: Node) -> tuple[Node | None, Node | None]:
        return first(node), node.child_by_field_name("alias")

    def _with(self, node: Node, out: list[Stmt]) -> None:
        items: list[tuple[Expr, Expr | None]] = []
        for clause in node.named_children:
            if clause.type != "with_clause":
                continue
            for item in clause.named_children:
                if item.type != "with_item":
                    continue
                value, alias = item.child_by_field_name("value"), None
                if value is not None and value.type == "as_pattern":
                    value, alias = self._as_pattern(value)
                items.append((self.expr(value), self.pattern(alias) if alias is not None else None))
        is_async = node.children[0].type == "async"
        body, line, end = self._body(node), line_of(node), end_line_of(node)
        inner: list[tuple[Expr, Expr | None]] = []
        for entered in reversed(items):
            if (types := _suppressed(entered[0])) is None:
                inner.insert(0, entered)
                continue
            # ``with suppress(OSError):`` is ``try: … except OSError: pass``.
            body = (With(tuple(inner), body, is_async=is_async, line=line, end_line=end),) if inner else body
            body = (Try(body, (Handler(None, types, (), line, line),), (), line, end),)
            inner = []
        if inner:
            body = (With(tuple(inner), body, is_async=is_async, line=line, end_line=end),)
        out.extend(body)

    def _match(self, node: Node, out: list[Stmt]) -> None:
        subject = self.expr(node.child_by_field_name("subject"))
        body = node.child_by_field_name("body")
        arms: list[tuple[Expr, tuple[Stmt, ...], int]] = []
        otherwise: tuple[Stmt, ...] = ()
        for clause in body.named_children if body is not None else ():
            if clause.type != "case_clause":
                continue
            line = line_of(clause)
            test, name = self.case(clause, subject)
            then = self._body(clause, "consequence")
            if name is not None:
                bound = Assign(Name(name, line), subject, "=", declares=False, line=line, end_line=line)
                then = (bound, *then)
            if test is None:
                # What stands behind a case that takes all is never reached.
                otherwise = then
                break
            arms.append((test, then, line))
        if not arms:
            out.append(Do(subject, line_of(node)))
        out.extend(branches(arms, otherwise))

    _STATEMENTS: ClassVar[dict[str, Callable[[Statements, Node, list[Stmt]], None]]] = {
        "expression_statement": _expression,
        "return_statement": _return,
        "raise_statement": _raise,
        "assert_statement": _parts_of,
        "delete_statement": _parts_of,
        "exec_statement": _parts_of,
        "print_statement": _print,
        "break_statement": _break,
        "continue_statement": _continue,
        "function_definition": _definition,
        "class_definition": _definition,
        "decorated_definition": _definition,
        "type_alias_statement": _type_alias,
        "import_statement": _import,
        "import_from_statement": _import_from,
        "if_statement": _if,
        "for_statement": _for,
        "while_statement": _while,
        "try_statement": _try,
        "with_statement": _with,
        "match_statement": _match,
    }


def _suppressed(value: Expr) -> tuple[Expr, ...] | None:
    """The types of ``suppress(…)`` of the standard library; None where it is another block."""
    callee = value.callee if isinstance(value, Call) else None
    named = callee.object if isinstance(callee, Member) else None
    is_one = (isinstance(callee, Name) and callee.name == "suppress") or (
        isinstance(callee, Member)
        and callee.name == "suppress"
        and isinstance(named, Name)
        and named.name == "contextlib"
    )
    return tuple(a.value for a in value.args) if is_one and isinstance(value, Call) else None
