"""Statements of JavaScript and TypeScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cronaudit.model.ir import (
    Assign,
    Break,
    Const,
    Continue,
    Define,
    Do,
    Expr,
    Function,
    FunctionKind,
    Handler,
    Loop,
    LoopKind,
    Name,
    Opaque,
    Return,
    Stmt,
    Throw,
    Try,
    With,
)
from cronaudit.parsing.javascript.branches import Branches
from cronaudit.parsing.javascript.displays import first, unwrapped
from cronaudit.parsing.lowering import MAX_DEPTH, end_line_of, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node

_ASSIGNMENTS = frozenset({"assignment_expression", "augmented_assignment_expression", "update_expression"})

_CAUGHT = "<error>"
"""Names the error of ``catch ({message})``: no variable of the program has it."""


class Statements(Branches):
    """Lowers statements."""

    __slots__ = ()

    def block(self, nodes: Iterable[Node]) -> tuple[Stmt, ...]:
        """Lower a list of statements; ``using`` encloses those behind it."""
        if self.depth >= MAX_DEPTH:
            return ()
        self.depth += 1
        out: list[Stmt] = []
        rest = iter(nodes)
        for node in rest:
            if (using := _using(node)) is not None:
                items = tuple(
                    (self.expr(value), self.pattern(target) if target else None) for target, value in using
                )
                body = self.block(rest)
                end_line = max((end_line_of(node), *(_last_line(stmt) for stmt in body[-1:])))
                is_async = self.source.startswith(b"await", node.start_byte)
                out.append(With(items, body, is_async=is_async, line=line_of(node), end_line=end_line))
                break
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

    def function_body(self, function: Function, node: Node) -> tuple[Stmt, ...]:
        """Lower a body, outside of any ``switch`` around it."""
        outer, self.in_switch = self.in_switch, False
        body = super().function_body(function, node)
        self.in_switch = outer
        return body

    def _salvage(self, node: Node, out: list[Stmt]) -> None:
        """Keep the statements and expressions inside a place that the grammar could not read."""
        pending = [node]
        while pending:
            part = pending.pop()
            if part.is_error:
                pending.extend(reversed(part.named_children))
            elif part.type in self._STATEMENTS:
                self.statement(part, out)
            elif part.child_count:
                value = self.expr(part)
                if not _is_empty(value):
                    out.append(Do(value, line_of(part)))

    # ---- simple statements

    def _expression(self, node: Node, out: list[Stmt]) -> None:
        inner = first(node)
        if inner is None:
            return
        self._do(inner, out, node)

    def _do(self, node: Node, out: list[Stmt], statement: Node) -> None:
        node = unwrapped(node)
        kind = node.type
        line = line_of(statement)
        if kind in _ASSIGNMENTS:
            target, value, op = self.assignment(node)
            end_line = end_line_of(statement)
            out.append(Assign(target, value, op, declares=False, line=line, end_line=end_line))
        elif kind == "sequence_expression":
            for part in node.named_children:
                if part.type != "comment":
                    self._do(part, out, part)
        elif kind == "internal_module":
            self.namespace(node, out)
        elif kind == "unary_expression" and node.children[0].type == "void":
            out.append(Do(self.expr(node.child_by_field_name("argument")), line))
        elif kind != "string":
            out.append(Do(self.expr(node), line))

    def _declaration(self, node: Node, out: list[Stmt]) -> None:
        for child in node.named_children:
            if child.type != "variable_declarator":
                continue
            target = self.pattern(child.child_by_field_name("name"))
            value = child.child_by_field_name("value")
            annotation = child.child_by_field_name("type")
            name = target.name if isinstance(target, Name) else None
            out.append(
                Assign(
                    target,
                    self.named(value, name) if value is not None else None,
                    "=",
                    declares=True,
                    line=line_of(child),
                    end_line=end_line_of(child),
                    type=self.type_ref(annotation) if annotation is not None else None,
                )
            )

    def _return(self, node: Node, out: list[Stmt]) -> None:
        value = first(node)
        out.append(Return(self.expr(value) if value is not None else None, line_of(node)))

    def _throw(self, node: Node, out: list[Stmt]) -> None:
        out.append(Throw(self.expr(first(node)), line_of(node)))

    def _break(self, node: Node, out: list[Stmt]) -> None:
        if not self.in_switch or node.child_by_field_name("label") is not None:
            out.append(Break(line_of(node)))

    def _continue(self, node: Node, out: list[Stmt]) -> None:
        out.append(Continue(line_of(node)))

    def _function_declaration(self, node: Node, out: list[Stmt]) -> None:
        out.append(Define(self.function(node, None, FunctionKind.FUNCTION), line_of(node)))

    def _class_declaration(self, node: Node, out: list[Stmt]) -> None:
        out.append(Define(self.klass(node, None, ()), line_of(node)))

    def _enum(self, node: Node, out: list[Stmt]) -> None:
        out.append(Define(self.enum(node), line_of(node)))

    def _interface_declaration(self, node: Node, out: list[Stmt]) -> None:
        out.append(Define(self.interface(node), line_of(node)))

    def _type_alias(self, node: Node, out: list[Stmt]) -> None:
        out.append(Define(self.type_alias(node), line_of(node)))

    # ---- compound statements

    def _inline(self, node: Node, out: list[Stmt]) -> None:
        out.extend(self.block(node.named_children))

    def _labeled(self, node: Node, out: list[Stmt]) -> None:
        body = node.child_by_field_name("body")
        if body is not None:
            self.statement(body, out)

    def _loop_body(self, node: Node) -> tuple[Stmt, ...]:
        outer, self.in_switch = self.in_switch, False
        body = self.body(node.child_by_field_name("body"))
        self.in_switch = outer
        return body

    def _for(self, node: Node, out: list[Stmt]) -> None:
        start = node.child_by_field_name("initializer")
        if start is not None and start.type != "empty_statement":
            if start.type in self._STATEMENTS:
                self.statement(start, out)
            else:
                self._do(start, out, start)
        test = node.child_by_field_name("condition")
        if test is not None and test.type == "expression_statement":
            test = first(test)
        update = node.child_by_field_name("increment")
        out.append(
            Loop(
                kind=LoopKind.WHILE,
                target=None,
                iterable=None,
                test=self.expr(test) if test is not None and test.type != "empty_statement" else None,
                update=self.expr(update) if update is not None else None,
                body=self._loop_body(node),
                is_async=False,
                line=line_of(node),
                end_line=end_line_of(node),
            )
        )

    def _for_in(self, node: Node, out: list[Stmt]) -> None:
        operator = node.child_by_field_name("operator")
        is_each = operator is not None and operator.type == "of"
        out.append(
            Loop(
                kind=LoopKind.EACH if is_each else LoopKind.KEYS,
                target=self.pattern(node.child_by_field_name("left")),
                iterable=self.expr(node.child_by_field_name("right")),
                test=None,
                update=None,
                body=self._loop_body(node),
                is_async=any(child.type == "await" for child in node.children),
                line=line_of(node),
                end_line=end_line_of(node),
            )
        )

    def _while(self, node: Node, out: list[Stmt]) -> None:
        out.append(
            Loop(
                kind=LoopKind.DO if node.type == "do_statement" else LoopKind.WHILE,
                target=None,
                iterable=None,
                test=self.expr(node.child_by_field_name("condition")),
                update=None,
                body=self._loop_body(node),
                is_async=False,
                line=line_of(node),
                end_line=end_line_of(node),
            )
        )

    def _try(self, node: Node, out: list[Stmt]) -> None:
        body = self.body(node.child_by_field_name("body"))
        clause = node.child_by_field_name("handler")
        final = self.body(node.child_by_field_name("finalizer"))
        handlers = (self._catch(clause),) if clause is not None else ()
        out.append(Try(body, handlers, final, line_of(node), end_line_of(node)))

    def _catch(self, node: Node) -> Handler:
        parameter = node.child_by_field_name("parameter")
        line = line_of(node)
        body = self.body(node.child_by_field_name("body"))
        if parameter is None:
            return Handler(None, (), body, line, end_line_of(node))
        target = self.pattern(parameter)
        if isinstance(target, Name):
            return Handler(target.name, (), body, line, end_line_of(node))
        value = Name(_CAUGHT, line)
        taken = Assign(target, value, "=", declares=True, line=line, end_line=end_line_of(parameter))
        return Handler(_CAUGHT, (), (taken, *body), line, end_line_of(node))

    def _with(self, node: Node, out: list[Stmt]) -> None:
        out.append(Do(self.expr(node.child_by_field_name("object")), line_of(node)))
        out.extend(self.body(node.child_by_field_name("body")))

    _STATEMENTS: ClassVar[dict[str, Callable[[Statements, Node, list[Stmt]], None]]] = {
        "expression_statement": _expression,
        "lexical_declaration": _declaration,
        "variable_declaration": _declaration,
        "return_statement": _return,
        "throw_statement": _throw,
        "break_statement": _break,
        "continue_statement": _continue,
        "function_declaration": _function_declaration,
        "generator_function_declaration": _function_declaration,
        "class_declaration": _class_declaration,
        "abstract_class_declaration": _class_declaration,
        "enum_declaration": _enum,
        "interface_declaration": _interface_declaration,
        "type_alias_declaration": _type_alias,
        "statement_block": _inline,
        "labeled_statement": _labeled,
        "if_statement": Branches.if_statement,
        "switch_statement": Branches.switch_statement,
        "for_statement": _for,
        "for_in_statement": _for_in,
        "while_statement": _while,
        "do_statement": _while,
        "try_statement": _try,
        "with_statement": _with,
        "import_statement": Branches.import_statement,
        "import_alias": Branches.import_alias,
        "export_statement": Branches.export_statement,
        "ambient_declaration": Branches.ambient,
        "module": Branches.namespace,
        "internal_module": Branches.namespace,
    }


def _using(node: Node) -> list[tuple[Node | None, Node]] | None:
    """The targets and values of a ``using`` declaration; the TypeScript grammar reads it as an assignment."""
    if node.type == "using_declaration":
        declared = [child for child in node.named_children if child.type == "variable_declarator"]
        pairs = [(d.child_by_field_name("name"), d.child_by_field_name("value")) for d in declared]
        return [(target, value) for target, value in pairs if value is not None]
    if node.type != "expression_statement":
        return None
    inner = first(node)
    if inner is not None and inner.type == "await_expression":
        inner = first(inner)
    if inner is None or inner.type != "assignment_expression" or inner.children[0].type != "using":
        return None
    value = inner.child_by_field_name("right")
    return [(inner.child_by_field_name("left"), value)] if value is not None else None


def _last_line(statement: Stmt) -> int:
    end = getattr(statement, "end_line", None)
    return end if isinstance(end, int) else statement.line


def _is_empty(value: Expr) -> bool:
    return isinstance(value, Const | Name) or (isinstance(value, Opaque) and not value.parts)
