"""Going through the intermediate representation."""

from __future__ import annotations

from collections.abc import Iterator

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
    Entry,
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


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside `expr`; those inside a function or class are not."""
    match expr:
        case Call():
            return (expr.callee, *(a.value for a in expr.args))
        case Member():
            return (expr.object,)
        case Index():
            return (expr.object, expr.index)
        case Object():
            return tuple(e for entry in expr.entries for e in _parts(entry))
        case Array():
            return expr.items
        case Operation():
            return expr.operands
        case Await() | Spread():
            return (expr.value,)
        case Conditional():
            return (expr.test, expr.then, expr.otherwise)
        case AssignExpr():
            return (expr.target, expr.value)
        case Template():
            return tuple(p for p in expr.parts if not isinstance(p, str))
        case Comprehension():
            return (expr.iterable, expr.target, *expr.conditions, expr.element)
        case Opaque():
            return expr.parts
        case _:
            return ()


def _parts(entry: Entry) -> tuple[Expr, ...]:
    if entry.key is None or isinstance(entry.key, str):
        return (entry.value,)
    return (entry.key, entry.value)


def statement_expressions(statement: Stmt) -> tuple[Expr, ...]:
    """The expressions that belong to a statement itself, those of statements inside it aside."""
    match statement:
        case Assign():
            return tuple(e for e in (statement.value, statement.target) if e is not None)
        case Do():
            return (statement.value,)
        case If():
            return (statement.test,)
        case Loop():
            parts = (statement.iterable, statement.test, statement.update, statement.target)
            return tuple(e for e in parts if e is not None)
        case With():
            return tuple(e for item in statement.items for e in item if e is not None)
        case Return() | Throw() | Export():
            return () if statement.value is None else (statement.value,)
        case Define():
            return () if isinstance(statement.definition, Interface) else (statement.definition,)
        case Try():
            return tuple(t for handler in statement.handlers for t in handler.types)
        case _:
            return ()


def blocks(statement: Stmt) -> tuple[tuple[Stmt, ...], ...]:
    """The blocks of statements inside a statement."""
    match statement:
        case If():
            return (statement.then, statement.otherwise)
        case Loop() | With():
            return (statement.body,)
        case Try():
            return (statement.body, *(h.body for h in statement.handlers), statement.final)
        case _:
            return ()


def statements(body: tuple[Stmt, ...]) -> Iterator[Stmt]:
    """All statements of a body in order, nested blocks included, nested functions aside."""
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        for block in reversed(blocks(statement)):
            stack.extend(reversed(block))


def expressions(body: tuple[Stmt, ...]) -> Iterator[Expr]:
    """All expressions of a body in order of their statements; functions and classes are yielded, not entered."""
    for statement in statements(body):
        yield from _inside(statement_expressions(statement))


def inside(expr: Expr) -> Iterator[Expr]:
    """`expr` and all expressions in it; functions and classes are yielded, not entered."""
    return _inside((expr,))


def _inside(roots: tuple[Expr, ...]) -> Iterator[Expr]:
    stack = list(reversed(roots))
    while stack:
        expr = stack.pop()
        yield expr
        stack.extend(reversed(children(expr)))


def definitions_in(node: Function | Module) -> tuple[Function | Class, ...]:
    """Functions and classes directly inside `node`, in order; a class's members are not."""
    if node.inner is None:
        defaults = (
            tuple(p.default for p in node.params if p.default is not None)
            if isinstance(node, Function)
            else ()
        )
        found = (*_inside(defaults), *expressions(node.body))
        node.inner = tuple(e for e in found if isinstance(e, Function | Class))
    return node.inner


def members(cls: Class) -> Iterator[Function | Class]:
    """The methods of a class, and functions and classes in its field values, decorators and bases."""
    yield from cls.methods
    for field in cls.fields:
        for root in (field.value, *field.decorators):
            if root is not None:
                for expr in _inside((root,)):
                    if isinstance(expr, Function | Class):
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


def classes_in(module: Module) -> Iterator[Class]:
    """Every class of a module, at any depth."""
    stack: list[Function | Class] = list(definitions_in(module)[::-1])
    while stack:
        definition = stack.pop()
        if isinstance(definition, Class):
            yield definition
            stack.extend(list(members(definition))[::-1])
        else:
            stack.extend(definitions_in(definition)[::-1])
