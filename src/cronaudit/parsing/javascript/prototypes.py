"""Classes that are written as a function and what is assigned to its prototype."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.ir import (
    Assign,
    AssignExpr,
    Call,
    Class,
    Define,
    Do,
    Expr,
    Field,
    Function,
    FunctionKind,
    Member,
    Module,
    Name,
    Object,
    Stmt,
    This,
)

_MERGING = frozenset(("assign", "extend", "mixin"))


def with_classes(body: tuple[Stmt, ...], module: Module) -> tuple[Stmt, ...]:
    """The statements of a module in which a function with a prototype is the class that it stands for.

    ``function Clock() {…}`` with ``Clock.prototype.tick = …`` somewhere below, ``Object.assign(Clock.prototype, {…})``
    and ``util.inherits(Clock, Base)``; a class that is written as one gets what is assigned to its prototype as well.
    """
    given: dict[str, list[tuple[str, Expr]]] = {}
    bases: dict[str, Expr] = {}
    kept: list[Stmt] = []
    defined = {name for statement in body if (name := _defined(statement)[0]) is not None}
    for statement in body:
        members = list(_members(statement))
        base = _base(statement)
        if base is not None and base[0] in defined:
            bases.setdefault(*base)
        if members and all(name in defined for name, _key, _value in members):
            for name, key, value in members:
                given.setdefault(name, []).append((key, value))
        elif base is None or base[0] not in defined:
            kept.append(statement)
    if not given and not bases:
        return body
    return tuple(_classed(s, given, bases, module) for s in kept)


def _defined(statement: Stmt) -> tuple[str | None, Function | Class | None]:
    if isinstance(statement, Define) and isinstance(statement.definition, Function | Class):
        return statement.definition.name, statement.definition
    if (
        isinstance(statement, Assign)
        and isinstance(statement.target, Name)
        and isinstance(statement.value, Function | Class)
        and not (isinstance(statement.value, Function) and statement.value.kind is FunctionKind.ARROW)
    ):
        return statement.target.name, statement.value
    return None, None


def _classed(
    statement: Stmt, given: dict[str, list[tuple[str, Expr]]], bases: dict[str, Expr], module: Module
) -> Stmt:
    name, definition = _defined(statement)
    if name is None or definition is None or (name not in given and name not in bases):
        return statement
    members = given.get(name, [])
    if isinstance(definition, Class):
        cls = definition
    else:
        cls = Class(
            name=name,
            bases=(),
            interfaces=(),
            decorators=(),
            fields=(),
            methods=(definition,),
            is_abstract=False,
            line=definition.line,
            end_line=definition.end_line,
            module=module,
            parent=definition.parent,
        )
        definition.name, definition.kind, definition.owner = "constructor", FunctionKind.CONSTRUCTOR, cls
    if name in bases and not cls.bases:
        cls.bases = (bases[name],)
    for key, value in members:
        if key == "constructor":
            continue
        if isinstance(value, Function) and value.owner is cls:
            again = Member(This(value.line), value.name or "", value.line)
            cls.fields = (*cls.fields, _field(key, again, value.line, value.line))
        elif isinstance(value, Function) and value.kind is not FunctionKind.ARROW:
            value.name, value.owner = key, cls
            if value.kind is FunctionKind.FUNCTION:
                value.kind = FunctionKind.METHOD
            cls.methods = (*cls.methods, value)
        else:
            line = getattr(value, "line", cls.line)
            end_line = getattr(value, "end_line", line)
            cls.fields = (*cls.fields, _field(key, value, line, end_line))
        cls.end_line = max(cls.end_line, getattr(value, "end_line", 0), getattr(value, "line", 0))
    return Define(cls, statement.line)


def _field(name: str, value: Expr, line: int, end_line: int) -> Field:
    return Field(
        name=name, value=value, type=None, is_static=False, decorators=(), line=line, end_line=end_line
    )


def _members(statement: Stmt) -> Iterator[tuple[str, str, Expr]]:
    """The class, key and value of each member that a statement gives to a prototype."""
    target, value = _assignment(statement)
    if isinstance(target, Member) and value is not None:
        owner = _prototype_of(target.object)
        if owner is not None:
            # ``A.prototype.open = A.prototype.start = function () {…}``
            while isinstance(value, AssignExpr):
                inner = value.target
                if isinstance(inner, Member) and _prototype_of(inner.object) == owner:
                    yield owner, inner.name, value.value
                value = value.value
            yield owner, target.name, value
        elif (whole := _prototype_of(target)) is not None and isinstance(value, Object):
            yield from _entries(whole, value)
    call = statement.value if isinstance(statement, Do) else None
    if (
        isinstance(call, Call)
        and isinstance(call.callee, Member)
        and call.callee.name in _MERGING
        and call.args
    ):
        merged = _prototype_of(call.args[0].value)
        for argument in call.args[1:] if merged is not None else ():
            if isinstance(argument.value, Object):
                yield from _entries(merged or "", argument.value)


def _entries(owner: str, value: Object) -> Iterator[tuple[str, str, Expr]]:
    for entry in value.entries:
        if isinstance(entry.key, str):
            yield owner, entry.key, entry.value


def _base(statement: Stmt) -> tuple[str, Expr] | None:
    """``util.inherits(A, B)``, ``A.prototype = Object.create(B.prototype)``, ``A.prototype = new B()``."""
    call = statement.value if isinstance(statement, Do) else None
    if isinstance(call, Call) and getattr(call.callee, "name", "") == "inherits" and len(call.args) == 2:
        first = call.args[0].value
        return (first.name, call.args[1].value) if isinstance(first, Name) else None
    target, value = _assignment(statement)
    owner = _prototype_of(target) if target is not None else None
    if owner is None or not isinstance(value, Call):
        return None
    if value.is_new:
        return owner, value.callee
    if getattr(value.callee, "name", "") == "create" and value.args:
        made = value.args[0].value
        if isinstance(made, Member) and made.name == "prototype":
            return owner, made.object
    return None


def _assignment(statement: Stmt) -> tuple[Expr | None, Expr | None]:
    if isinstance(statement, Assign) and statement.op == "=" and not statement.declares:
        return statement.target, statement.value
    expr = statement.value if isinstance(statement, Do) else None
    if isinstance(expr, AssignExpr) and expr.op == "=":
        return expr.target, expr.value
    return None, None


def _prototype_of(expr: Expr | None) -> str | None:
    if isinstance(expr, Member) and expr.name == "prototype" and isinstance(expr.object, Name):
        return expr.object.name
    return None
