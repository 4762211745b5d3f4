"""Writes the IR down as one line a statement."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.model import ir
from cronaudit.model.source import Language
from cronaudit.parsing import parse

Dump = Callable[[str], list[str]]


def _join(nodes: tuple[ir.Expr, ...]) -> str:
    return ", ".join(expr(node) for node in nodes)


def _argument(arg: ir.Argument) -> str:
    if arg.spread:
        return ("**" if arg.name == "**" else "...") + expr(arg.value)
    return f"{arg.name}={expr(arg.value)}" if arg.name else expr(arg.value)


def _entry(entry: ir.Entry) -> str:
    if entry.key is None:
        return f"...{expr(entry.value)}"
    key = entry.key if isinstance(entry.key, str) else f"[{expr(entry.key)}]"
    return f"{key}: {expr(entry.value)}"


def type_ref(ref: ir.TypeRef | None) -> str:
    """``name<args>``."""
    if ref is None:
        return ""
    args = f"<{', '.join(type_ref(arg) for arg in ref.args)}>" if ref.args else ""
    return f"{ref.name}{args}"


def _decorators(decorators: tuple[ir.Expr, ...]) -> str:
    return "".join(f"@{expr(decorator)} " for decorator in decorators)


def _parameter(param: ir.Parameter) -> str:
    prefix = f"{_decorators(param.decorators)}{'this.' if param.is_property else ''}{param.rest}"
    text = f"{prefix}{expr(param.target)}"
    if param.type is not None:
        text += f": {type_ref(param.type)}"
    return f"{text} = {expr(param.default)}" if param.default is not None else text


def function(node: ir.Function) -> str:
    """``kind flags name(params) -> type {body}``; the class in front of the name is the owner."""
    flags = ("async", "generator", "static", "abstract")
    words = [node.kind.value, *(flag for flag in flags if getattr(node, f"is_{flag}"))]
    owner = f"{node.owner.name or '<class>'}#" if node.owner is not None else ""
    params = ", ".join(_parameter(param) for param in node.params)
    returns = f" -> {type_ref(node.returns)}" if node.returns is not None else ""
    head = f"{_decorators(node.decorators)}{' '.join(words)} {owner}{node.name or '<anonymous>'}({params})"
    return f"{head}{returns} {block(node.body)}"


def klass(node: ir.Class) -> str:
    """``class name(bases) implements types {members}``."""
    word = "enum" if node.is_enum else "abstract class" if node.is_abstract else "class"
    text = f"{_decorators(node.decorators)}{word} {node.name or '<anonymous>'}({_join(node.bases)})"
    if node.interfaces:
        text += f" implements {', '.join(type_ref(ref) for ref in node.interfaces)}"
    members = [_field(field) for field in node.fields] + [function(method) for method in node.methods]
    return f"{text} {{{'; '.join(members)}}}"


def _field(node: ir.Field) -> str:
    text = f"{_decorators(node.decorators)}{'static ' if node.is_static else ''}{node.name}"
    if node.type is not None:
        text += f": {type_ref(node.type)}"
    return f"{text} = {expr(node.value)}" if node.value is not None else text


def interface(node: ir.Interface) -> str:
    """``interface name(bases) {members}``."""
    members = [_field(field) for field in node.fields] + [function(method) for method in node.methods]
    bases = ", ".join(type_ref(base) for base in node.bases)
    return f"interface {node.name}({bases}) {{{'; '.join(members)}}}"


def expr(node: ir.Expr) -> str:
    """An expression; operations in prefix form, `Opaque` as ``?(parts)``."""
    match node:
        case ir.Const():
            return repr(node.value)
        case ir.Name():
            return node.name
        case ir.This():
            return "this"
        case ir.Super():
            return "super"
        case ir.Member():
            return f"{expr(node.object)}.{node.name}"
        case ir.Index():
            return f"{expr(node.object)}[{expr(node.index)}]"
        case ir.Call():
            args = ", ".join(_argument(arg) for arg in node.args)
            return f"{'new ' if node.is_new else ''}{expr(node.callee)}({args})"
        case ir.Array():
            return f"[{_join(node.items)}]"
        case ir.Spread():
            return f"...{expr(node.value)}"
        case ir.Object():
            return f"{{{', '.join(_entry(entry) for entry in node.entries)}}}"
        case ir.Operation():
            return f"({node.op} {' '.join(expr(operand) for operand in node.operands)})"
        case ir.Conditional():
            return f"({expr(node.test)} ? {expr(node.then)} : {expr(node.otherwise)})"
        case ir.Await():
            return f"(await {expr(node.value)})"
        case ir.AssignExpr():
            op = "=" if node.op == "=" else f"{node.op}="
            return f"({expr(node.target)} {op} {expr(node.value)})"
        case ir.Template():
            parts = [part if isinstance(part, str) else f"${{{expr(part)}}}" for part in node.parts]
            return f"`{''.join(parts)}`"
        case ir.Comprehension():
            conditions = "".join(f" if {expr(condition)}" for condition in node.conditions)
            element, target, iterable = expr(node.element), expr(node.target), expr(node.iterable)
            return f"({node.kind} {element} for {target} in {iterable}{conditions})"
        case ir.Opaque():
            return f"?({_join(node.parts)})"
        case ir.Function():
            return function(node)
        case ir.Class():
            return klass(node)


def block(body: tuple[ir.Stmt, ...]) -> str:
    """Statements in braces."""
    return f"{{{'; '.join(statement(stmt) for stmt in body)}}}"


def statement(node: ir.Stmt) -> str:
    """A statement."""
    match node:
        case ir.Assign():
            kind = f": {type_ref(node.type)}" if node.type is not None else ""
            op = "=" if node.op == "=" else f"{node.op}="
            value = f" {op} {expr(node.value)}" if node.value is not None else ""
            return f"{'let ' if node.declares else ''}{expr(node.target)}{kind}{value}"
        case ir.Do():
            return expr(node.value)
        case ir.If():
            otherwise = f" else {block(node.otherwise)}" if node.otherwise else ""
            return f"if {expr(node.test)} {block(node.then)}{otherwise}"
        case ir.Loop():
            words = ["async " if node.is_async else "", node.kind.value]
            if node.target is not None and node.iterable is not None:
                words.append(f" {expr(node.target)} in {expr(node.iterable)}")
            words.append(f" {expr(node.test)}" if node.test is not None else "")
            words.append(f"; {expr(node.update)}" if node.update is not None else "")
            return f"{''.join(words)} {block(node.body)}"
        case ir.Try():
            handlers = "".join(_handler(handler) for handler in node.handlers)
            final = f" finally {block(node.final)}" if node.final else ""
            return f"try {block(node.body)}{handlers}{final}"
        case ir.With():
            items = [
                expr(value) + (f" as {expr(target)}" if target is not None else "")
                for value, target in node.items
            ]
            return f"{'async ' if node.is_async else ''}with {', '.join(items)} {block(node.body)}"
        case ir.Return():
            return f"return {expr(node.value)}" if node.value is not None else "return"
        case ir.Throw():
            return f"throw {expr(node.value)}" if node.value is not None else "throw"
        case ir.Break():
            return "break"
        case ir.Continue():
            return "continue"
        case ir.Define():
            definition = node.definition
            return interface(definition) if isinstance(definition, ir.Interface) else expr(definition)
        case ir.Import():
            return f"{'type ' if node.type_only else ''}import {node.name} from {node.module!r} as {node.local!r}"
        case ir.Export():
            if node.value is not None:
                return f"export {node.name} = {expr(node.value)}"
            return f"export {node.name} = {node.source_name} from {node.module!r}"


def _handler(node: ir.Handler) -> str:
    name = f" {node.name}" if node.name is not None else ""
    types = f" ({_join(node.types)})" if node.types else ""
    return f" catch{types}{name} {block(node.body)}"


def _dump(source: str, language: Language) -> list[str]:
    module = parse("file", dedent(source).encode(), language)
    assert module.errors == ()
    return [statement(stmt) for stmt in module.body]


@pytest.fixture
def ts() -> Dump:
    """Parse TypeScript and write it down."""
    return lambda source: _dump(source, Language.TYPESCRIPT)


@pytest.fixture
def tsx() -> Dump:
    """Parse TypeScript with JSX and write it down."""
    return lambda source: _dump(source, Language.TSX)


@pytest.fixture
def js() -> Dump:
    """Parse JavaScript and write it down."""
    return lambda source: _dump(source, Language.JAVASCRIPT)


@pytest.fixture
def py() -> Dump:
    """Parse Python and write it down."""
    return lambda source: _dump(source, Language.PYTHON)
