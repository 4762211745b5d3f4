"""Executions that are held in a variable or field while they run, and flags that say that one runs."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.ir import (
    Assign,
    AssignExpr,
    Await,
    Call,
    Class,
    Const,
    Expr,
    Function,
    Member,
    Module,
    Name,
    Operation,
    Return,
    Template,
    This,
)
from cronaudit.model.linker import Linker
from cronaudit.model.source import Language, Location
from cronaudit.model.value import Closure, Instance, Namespace, Scope
from cronaudit.model.walking import calls_in, class_around, expressions, functions_around, inside, statements

_PUTS = frozenset(("add", "push", "set", "append"))
_FLAG_WORDS = (
    "running",
    "busy",
    "active",
    "progress",
    "working",
    "executing",
    "processing",
    "inflight",
    "locked",
)


class Holder(Struct, frozen=True):
    """A variable or field that outlives the function that writes it."""

    name: str
    owner: str
    """The class of a field (file and name), the file of a variable."""
    classes: tuple[str, ...] = ()
    """The names of the class and its bases, for a field."""

    def same(self, other: Holder) -> bool:
        """Whether both are the same: of a field, in classes that inherit from each other."""
        if self.name != other.name:
            return False
        return self.owner == other.owner or bool(set(self.classes) & set(other.classes))


class Held(Struct, frozen=True):
    """One place that writes a holder."""

    holder: Holder
    location: Location
    value: Expr | None
    """The call whose result is held; None for a flag."""


def holder_of(expr: Expr, scope: Scope, linker: Linker) -> Holder | None:
    """What an expression names, if that outlives the function."""
    if isinstance(expr, Name):
        for node in functions_around(scope.node):
            if expr.name in _declared(node):
                # A variable of an enclosing function outlives the ones inside it.
                return None if node is scope.node else Holder(expr.name, f"{node.module.path}:{node.line}")
        if scope.module.language is Language.PYTHON and expr.name not in _bound_at_top(scope.module):
            return None  # what a function of Python assigns is its own
        return Holder(expr.name, scope.module.path)
    if isinstance(expr, Member):
        if isinstance(expr.object, This):
            cls = class_around(scope.node)
            if cls is not None:
                return Holder(expr.name, f"{cls.module.path}:{cls.name}", _lineage(cls, linker))
            return Holder(expr.name, scope.module.path)
        value = linker.fold(expr.object, scope)
        if isinstance(value, Namespace) and expr.name in _bound_at_top(value.module):
            return Holder(expr.name, value.module.path)
        if isinstance(value, Instance):
            cls = value.of.cls
            return Holder(expr.name, f"{cls.module.path}:{cls.name}", _lineage(cls, linker))
    return None


def _bound_at_top(module: Module) -> frozenset[str]:
    targets = (s.target for s in statements(module.body) if isinstance(s, Assign))
    return frozenset(t.name for t in targets if isinstance(t, Name))


def _declared(node: Function) -> frozenset[str]:
    names = {p.name for p in node.params if p.name}
    names |= {
        s.target.name
        for s in statements(node.body)
        if isinstance(s, Assign) and s.declares and isinstance(s.target, Name)
    }
    return frozenset(names)


def _lineage(cls: Class, linker: Linker) -> tuple[str, ...]:
    return tuple(
        f"{v.cls.module.path}:{v.cls.name}"
        for v in linker.lineage(linker.class_value(cls))
        if hasattr(v, "cls")
    )


def executions(function: Function, scope: Scope, linker: Linker) -> Iterator[Held]:
    """Results of calls that a function keeps without awaiting them: ``this.running = this.execute()``."""
    path = function.module.path
    local: dict[str, Call] = {}
    for target, value, line in _assignments(function):
        call = _pending(value)
        if call is None or not _may_last(call, scope, linker):
            continue
        if isinstance(target, Name):
            local[target.name] = call
        holder = holder_of(target, scope, linker)
        if holder is not None:
            yield Held(holder, Location(path, line), call)
    for expr in calls_in(function):
        if isinstance(expr.callee, Member) and expr.callee.name in _PUTS:
            # The first argument of `set` is a key.
            handed = expr.args[1:] if expr.callee.name == "set" else expr.args
            kept = next((c for a in handed if (c := _kept(a.value, local)) is not None), None)
            kept = kept if kept is not None and _may_last(kept, scope, linker) else None
            holder = holder_of(expr.callee.object, scope, linker) if kept is not None else None
            if holder is not None:
                yield Held(holder, Location(path, expr.line), kept)


def flags(function: Function, scope: Scope, linker: Linker) -> Iterator[Held]:
    """Flags that a function raises: ``this.isRunning = true``."""
    for target, value, line in _assignments(function):
        if not isinstance(value, Const) or value.value is not True:
            continue
        holder = holder_of(target, scope, linker)
        if holder is not None and any(w in holder.name.lower().replace("_", "") for w in _FLAG_WORDS):
            yield Held(holder, Location(function.module.path, line), None)


def _assignments(function: Function) -> Iterator[tuple[Expr, Expr, int]]:
    for statement in statements(function.body):
        if isinstance(statement, Assign) and statement.value is not None:
            yield statement.target, statement.value, statement.line
    for expr in expressions(function.body):
        if isinstance(expr, AssignExpr):
            yield expr.target, expr.value, expr.line


def _pending(value: Expr) -> Call | None:
    """The call whose promise an expression is: itself, or the beginning of its chain."""
    current = value
    while True:
        if isinstance(current, Await):
            return None
        if not isinstance(current, Call):
            return None
        callee = current.callee
        if (
            isinstance(callee, Member)
            and callee.name in ("then", "catch", "finally")
            and isinstance(callee.object, Call)
        ):
            current = callee.object
            continue
        return current


def _may_last(call: Call, scope: Scope, linker: Linker) -> bool:
    """Whether a call may give back before its work is done: not a function that computes a text or a number."""
    callee = linker.fold(call.callee, scope)
    if not isinstance(callee, Closure) or callee.function.is_async:
        return True
    returned = [s.value for s in statements(callee.function.body) if isinstance(s, Return)]
    return not returned or not all(isinstance(v, Const | Template | Operation) for v in returned)


def _kept(value: Expr, local: dict[str, Call]) -> Call | None:
    if isinstance(value, Name):
        return local.get(value.name)
    return _pending(value)


def awaited(function: Function) -> Iterator[tuple[Expr, int]]:
    """What a function waits for that it does not call: ``await this.running``, ``await Promise.all(this.tasks)``."""
    for expr in expressions(function.body):
        if not isinstance(expr, Await):
            continue
        for inner in inside(expr.value):
            if isinstance(inner, Name | Member):
                yield inner, expr.line
                if isinstance(inner, Member) and isinstance(inner.object, Name):
                    continue
