"""Going through the intermediate representation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from cronaudit.model.ir import (
    Array,
    Assign,
    AssignExpr,
    Await,
    Call,
    Class,
    Comprehension,
    Conditional,
    Define,
    Do,
    Export,
    Expr,
    Function,
    If,
    Index,
    Interface,
    Loop,
    Member,
    Module,
    Object,
    Opaque,
    Operation,
    Return,
    Spread,
    Stmt,
    Template,
    Throw,
    Try,
    With,
)

_DEFINITIONS: Final = (Function, Class)


def _values(expr: Object) -> tuple[Expr, ...]:
    found: list[Expr] = []
    for entry in expr.entries:
        if entry.key is not None and not isinstance(entry.key, str):
            found.append(entry.key)
        found.append(entry.value)
    return tuple(found)


# By the type itself: a chain of ``isinstance`` takes twice the time, and a scan asks a million times.
_CHILDREN: Final[dict[type, Callable[[Any], tuple[Expr, ...]]]] = {
    Call: lambda e: (e.callee, *[a.value for a in e.args]),
    Member: lambda e: (e.object,),
    Index: lambda e: (e.object, e.index),
    Object: _values,
    Array: lambda e: e.items,
    Operation: lambda e: e.operands,
    Await: lambda e: (e.value,),
    Spread: lambda e: (e.value,),
    Conditional: lambda e: (e.test, e.then, e.otherwise),
    AssignExpr: lambda e: (e.target, e.value),
    Template: lambda e: tuple([p for p in e.parts if not isinstance(p, str)]),
    Comprehension: lambda e: (e.iterable, e.target, *e.conditions, e.element),
    Opaque: lambda e: e.parts,
}


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside `expr`; those inside a function or class are not."""
    of = _CHILDREN.get(type(expr))
    return () if of is None else of(expr)


def _value(statement: Return | Throw | Export) -> tuple[Expr, ...]:
    return () if statement.value is None else (statement.value,)


def _of_loop(statement: Loop) -> tuple[Expr, ...]:
    parts = (statement.iterable, statement.test, statement.update, statement.target)
    return tuple([e for e in parts if e is not None])


_OWN: Final[dict[type, Callable[[Any], tuple[Expr, ...]]]] = {
    Assign: lambda s: (s.target,) if s.value is None else (s.value, s.target),
    Do: lambda s: (s.value,),
    If: lambda s: (s.test,),
    Loop: _of_loop,
    With: lambda s: tuple([e for item in s.items for e in item if e is not None]),
    Return: _value,
    Throw: _value,
    Export: _value,
    Define: lambda s: () if isinstance(s.definition, Interface) else (s.definition,),
    Try: lambda s: tuple([t for handler in s.handlers for t in handler.types]),
}


def statement_expressions(statement: Stmt) -> tuple[Expr, ...]:
    """The expressions that belong to a statement itself, those of statements inside it aside."""
    of = _OWN.get(type(statement))
    return () if of is None else of(statement)


_BLOCKS: Final[dict[type, Callable[[Any], tuple[tuple[Stmt, ...], ...]]]] = {
    If: lambda s: (s.then, s.otherwise),
    Loop: lambda s: (s.body,),
    With: lambda s: (s.body,),
    Try: lambda s: (s.body, *[h.body for h in s.handlers], s.final),
}


def blocks(statement: Stmt) -> tuple[tuple[Stmt, ...], ...]:
    """The blocks of statements inside a statement."""
    of = _BLOCKS.get(type(statement))
    return () if of is None else of(statement)


def statements(body: tuple[Stmt, ...]) -> Iterator[Stmt]:
    """All statements of a body in order, nested blocks included, nested functions aside."""
    stack = list(body[::-1])
    while stack:
        statement = stack.pop()
        yield statement
        inner = _BLOCKS.get(type(statement))
        if inner is not None:
            for block in inner(statement)[::-1]:
                stack.extend(block[::-1])


def expressions(body: tuple[Stmt, ...]) -> Iterator[Expr]:
    """All expressions of a body in order of their statements; functions and classes are yielded, not entered."""
    for statement in statements(body):
        yield from _inside(statement_expressions(statement))


def inside(expr: Expr) -> Iterator[Expr]:
    """`expr` and all expressions in it; functions and classes are yielded, not entered."""
    return _inside((expr,))


def _inside(roots: tuple[Expr, ...]) -> Iterator[Expr]:
    stack = list(roots[::-1])
    while stack:
        expr = stack.pop()
        yield expr
        inner = _CHILDREN.get(type(expr))
        if inner is not None:
            stack.extend(inner(expr)[::-1])


def ends_function(body: tuple[Stmt, ...]) -> bool:
    """Whether a block leaves its function at its end."""
    return bool(body) and isinstance(body[-1], Return | Throw)


def holds(body: tuple[Stmt, ...], expr: Expr | None) -> bool:
    """Whether an expression stands in a body, nested blocks included, nested functions aside; never None."""
    return any(e is expr for e in expressions(body))


def contains(root: Expr, expr: Expr | None) -> bool:
    """Whether an expression is `root` or stands in it, functions and classes in it aside; never None."""
    return any(e is expr for e in _inside((root,)))


def definitions_in(node: Function | Module) -> tuple[Function | Class, ...]:
    """Functions and classes directly inside `node`, in order; a class's members are not."""
    return node.inner if node.inner is not None else _look_into(node)


def calls_in(node: Function | Module) -> tuple[Call, ...]:
    """The calls in the body of `node`, and those that are the default of a parameter; not those of functions inside."""
    if node.inner is None:
        _look_into(node)
    return node.calls


def _look_into(node: Function | Module) -> tuple[Function | Class, ...]:
    defaults = [p.default for p in node.params if p.default is not None] if isinstance(node, Function) else []
    inner: list[Function | Class] = [e for e in _inside(tuple(defaults)) if isinstance(e, _DEFINITIONS)]
    calls: list[Call] = []
    for expr in expressions(node.body):
        if isinstance(expr, Call):
            calls.append(expr)
        elif isinstance(expr, _DEFINITIONS):
            inner.append(expr)
    calls += [e for e in defaults if isinstance(e, Call)]
    node.calls = tuple(calls)
    node.inner = tuple(inner)
    return node.inner


def members(cls: Class) -> Iterator[Function | Class]:
    """The methods of a class, and functions and classes in its decorators and in its fields with theirs."""
    yield from cls.methods
    roots = (*cls.decorators, *(r for f in cls.fields for r in (f.value, *f.decorators) if r is not None))
    for expr in _inside(roots):
        if isinstance(expr, _DEFINITIONS):
            yield expr


def functions_in(node: Function | Module) -> Iterator[Function]:
    """Every function written inside `node`, at any depth."""
    stack: list[Function | Class] = list(definitions_in(node)[::-1])
    while stack:
        definition = stack.pop()
        if isinstance(definition, Function):
            yield definition
            stack.extend(definitions_in(definition)[::-1])
        else:
            stack.extend(list(members(definition))[::-1])


def functions_around(node: Function | Module) -> Iterator[Function]:
    """`node`, and the functions that it stands in, inner first; nothing of a module."""
    while isinstance(node, Function):
        yield node
        node = node.parent


def method_around(node: Function | Module) -> Function | None:
    """The member of a class that `node` is, or stands in; the inner one of two."""
    while isinstance(node, Function):
        if node.owner is not None:
            return node
        node = node.parent
    return None


def class_around(node: Function | Module) -> Class | None:
    """The class whose member `node` is, or stands in."""
    method = method_around(node)
    return None if method is None else method.owner


def is_within(node: Function | Module, outer: Function) -> bool:
    """Whether `node` is `outer` or stands in it."""
    while isinstance(node, Function):
        if node is outer:
            return True
        node = node.parent
    return False
