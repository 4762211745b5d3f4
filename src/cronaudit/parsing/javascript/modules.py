"""Imports, exports and namespaces of JavaScript and TypeScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.model.ir import (
    Argument,
    Array,
    Assign,
    AssignExpr,
    Call,
    Const,
    Define,
    Export,
    Expr,
    FunctionKind,
    Import,
    Member,
    Name,
    Object,
    Spread,
    Stmt,
)
from cronaudit.parsing.javascript.definitions import Definitions
from cronaudit.parsing.javascript.displays import CLASSES, FUNCTIONS, first
from cronaudit.parsing.lowering import end_line_of, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node


class Modules(Definitions):
    """Lowers what binds names across files."""

    __slots__ = ()

    def statement(self, node: Node, out: list[Stmt]) -> None:
        """Append what a statement lowers to."""
        raise NotImplementedError

    def _specifier(self, node: Node) -> str | None:
        source = node.child_by_field_name("source")
        key = self.key(source) if source is not None else None
        return key if isinstance(key, str) else None

    def import_statement(self, node: Node, out: list[Stmt]) -> None:
        """Lower ``import …``."""
        line = line_of(node)
        type_only = False
        clause: Node | None = None
        for child in node.children:
            if child.type in ("type", "typeof"):
                type_only = True
            elif child.type == "import_require_clause":
                self._import_require(child, out)
                return
            elif child.type == "import_clause":
                clause = child
        module = self._specifier(node)
        if module is None:
            return
        names = list(self._imported(clause, is_type=type_only)) if clause is not None else []
        if not names:
            out.append(Import(module, "*", "", line, type_only))
        out.extend(Import(module, name, local, line, is_type) for name, local, is_type in names)

    def _imported(self, clause: Node, *, is_type: bool) -> Iterator[tuple[str, str, bool]]:
        """Yield the name there, the name here, and whether only the type is imported."""
        for child in clause.named_children:
            if child.type == "identifier":
                yield "default", self.text(child), is_type
            elif child.type == "namespace_import":
                local = first(child)
                yield "*", self.text(local) if local is not None else "", is_type
            elif child.type == "named_imports":
                for specifier in child.named_children:
                    if specifier.type == "import_specifier":
                        name, local_name = self._alias(specifier)
                        yield name, local_name, is_type or specifier.children[0].type in ("type", "typeof")

    def _alias(self, node: Node) -> tuple[str, str]:
        """Read both names of ``x as y``."""
        name = self.member_name(node.child_by_field_name("name"))
        alias = node.child_by_field_name("alias")
        return name, self.member_name(alias) if alias is not None else name

    def _import_require(self, node: Node, out: list[Stmt]) -> None:
        """Lower ``import x = require('m')``, which is CommonJS, to the assignment of that call."""
        line, end_line = line_of(node), end_line_of(node)
        local, module = first(node), self._specifier(node)
        if local is None or module is None:
            return
        call = Call(Name("require", line), (Argument(Const(module, line)),), line, end_line)
        target = Name(self.text(local), line)
        out.append(Assign(target, call, "=", declares=True, line=line, end_line=end_line))

    def import_alias(self, node: Node, out: list[Stmt]) -> None:
        """Lower ``import x = N.y``."""
        names = [child for child in node.named_children if child.type != "comment"]
        if len(names) > 1:
            target = self.pattern(names[0])
            line, end_line = line_of(node), end_line_of(node)
            value = self.expr(names[1])
            out.append(Assign(target, value, "=", declares=True, line=line, end_line=end_line))

    def export_statement(self, node: Node, out: list[Stmt]) -> None:
        """Lower ``export …``."""
        line = line_of(node)
        module = self._specifier(node)
        decorators: list[Expr] = []
        is_default = False
        previous = ""
        for child in node.children:
            kind = child.type
            if kind == "decorator":
                decorators.append(self.expr(first(child)))
            elif kind == "default":
                is_default = True
            elif kind == "*":
                out.append(Export("*", None, module, "*", line))
            elif kind == "namespace_export":
                alias = first(child)
                out.append(Export(self.member_name(alias), None, module, "*", line))
            elif kind == "export_clause":
                self._export_clause(child, module, out)
            elif is_default and child.is_named and kind != "comment":
                self._export_default(child, tuple(decorators), out, line)
                return
            elif previous == "=" and child.is_named and kind != "comment":
                # `export = x` is CommonJS.
                target = Member(Name("module", line), "exports", line)
                end_line = end_line_of(node)
                out.append(
                    Assign(target, self.expr(child), "=", declares=False, line=line, end_line=end_line)
                )
            previous = kind
        declaration = node.child_by_field_name("declaration")
        if declaration is not None:
            self._export_declaration(declaration, tuple(decorators), out)

    def _export_clause(self, node: Node, module: str | None, out: list[Stmt]) -> None:
        for child in node.named_children:
            if child.type != "export_specifier":
                continue
            line = line_of(child)
            name, outside = self._alias(child)
            if module is None:
                out.append(Export(outside, Name(name, line), None, None, line))
            else:
                out.append(Export(outside, None, module, name, line))

    def _export_default(self, node: Node, decorators: tuple[Expr, ...], out: list[Stmt], line: int) -> None:
        name = node.child_by_field_name("name")
        value: Expr
        if node.type in CLASSES:
            klass = self.klass(node, None, decorators)
            value = klass
            if name is not None:
                out.append(Define(klass, line_of(node)))
                value = Name(self.text(name), line)
        elif node.type in FUNCTIONS and name is not None:
            out.append(Define(self.function(node, None, FunctionKind.FUNCTION), line_of(node)))
            value = Name(self.text(name), line)
        elif node.type == "interface_declaration":
            out.append(Define(self.interface(node), line_of(node)))
            value = Name(self.text(name) if name is not None else "", line)
        elif node.type == "function_signature":
            return
        else:
            value = self.expr(node)
        out.append(Export("default", value, None, None, line))

    def _export_declaration(self, node: Node, decorators: tuple[Expr, ...], out: list[Stmt]) -> None:
        line = line_of(node)
        begin = len(out)
        if node.type in CLASSES:
            out.append(Define(self.klass(node, None, decorators), line))
        else:
            self.statement(node, out)
        if node.type in ("internal_module", "module"):
            return
        names = [name for stmt in out[begin:] for name in _bound(stmt)]
        out.extend(Export(name, Name(name, line), None, None, line) for name in names)

    def ambient(self, node: Node, out: list[Stmt]) -> None:
        """Lower ``declare …``."""
        for child in node.named_children:
            if child.type == "statement_block":
                out.extend(self._without_exports(child))
            elif child.is_named:
                exported = node.parent is not None and node.parent.type == "export_statement"
                if child.type in ("lexical_declaration", "variable_declaration") and not exported:
                    continue  # ``declare const globalThis: …`` only tells the type of a global, which holds the value
                self.statement(child, out)

    def namespace(self, node: Node, out: list[Stmt]) -> None:
        """Lower a namespace to its statements; what it exports, the module does not."""
        body = node.child_by_field_name("body")
        if body is not None:
            out.extend(self._without_exports(body))

    def _without_exports(self, node: Node) -> list[Stmt]:
        return [stmt for stmt in self.block(node.named_children) if not isinstance(stmt, Export)]


def _bound(statement: Stmt) -> Iterator[str]:
    """Yield the names that a declaration binds."""
    if isinstance(statement, Define):
        if statement.definition.name is not None:
            yield statement.definition.name
    elif isinstance(statement, Assign):
        pending: list[Expr] = [statement.target]
        while pending:
            target = pending.pop()
            if isinstance(target, Name):
                yield target.name
            elif isinstance(target, AssignExpr):
                pending.append(target.target)
            elif isinstance(target, Spread):
                pending.append(target.value)
            elif isinstance(target, Array):
                pending.extend(reversed(target.items))
            elif isinstance(target, Object):
                pending.extend(entry.value for entry in reversed(target.entries))
