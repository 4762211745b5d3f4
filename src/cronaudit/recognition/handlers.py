"""What a registration runs: the function behind the argument."""

from __future__ import annotations

import re

from cronaudit.model.ir import Assign, Await, Call, Do, Expr, Function, Module, Name, Operation, Return
from cronaudit.model.linker import Linker
from cronaudit.model.source import Language
from cronaudit.model.value import (
    Choice,
    ClassValue,
    Closure,
    Instance,
    Known,
    Namespace,
    Scope,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from cronaudit.model.walking import expressions, functions_in

_TREE = "\0tree/"
_RUN_METHODS = ("run", "execute", "process", "handle", "invoke", "perform", "call", "__call__", "work")
_DOTTED = re.compile(r"[A-Za-z_]\w*([.:][A-Za-z_]\w*)+$")
"""``app.jobs.sweep`` and ``app.jobs:sweep``: a function by its path in Python."""
_UNWRAP = 4


def resolve_handler(value: Value | None, linker: Linker) -> tuple[Closure | Module | None, str]:
    """The function or module that runs, or why it cannot be told."""
    match value:
        case None:
            return None, "the call names no function"
        case Closure():
            return value, ""
        case Choice():
            found = [resolve_handler(o, linker) for o in value.options]
            return next((f for f in found if f[0] is not None), found[0])
        case ClassValue() | Instance():
            instance = value if isinstance(value, Instance) else Instance(value, None)
            for name in _RUN_METHODS:
                method = linker.member(instance, name)
                if isinstance(method, Closure):
                    return method, ""
            return None, "the class has no method that is known to run"
        case Known() if isinstance(value.value, str):
            return _file(value.value, linker)
        case Sequence() if value.items:
            return resolve_handler(linker.force(value.items[0]), linker)
        case Symbol():
            return None, f"{value.name} is only known to a caller"
        case Unknown():
            return None, value.reason
        case _:
            return None, "the handler lies outside the tree"


def _file(text: str, linker: Linker) -> tuple[Closure | Module | None, str]:
    path = text.removeprefix(_TREE)
    if _DOTTED.match(text):
        parts = re.split("[.:]", text)
        for candidate in ("/".join(parts[:-1]) + ".py", "/".join(parts[:-1]) + "/__init__.py"):
            module = linker.module(candidate)
            found = linker.member(Namespace(module), parts[-1]) if module is not None else None
            if isinstance(found, Closure):
                return found, ""
    for candidate in (
        path,
        *(f"{path}{s}" for s in (".ts", ".js", ".mjs", ".cjs", "/index.ts", "/index.js")),
    ):
        module = linker.module(candidate)
        if module is not None:
            return module, ""
    return None, f"the file {path} is not in the tree"


def unwrapped(handler: Closure, linker: Linker, passed: tuple[Value, ...] = ()) -> Closure:
    """The function that a trivial wrapper hands on to: ``() => this.run()``, ``async () => { await sync(); }``.

    A function that is handed another and calls it is a wrapper too: ``run_in_background('sync', sync)``.
    """
    current = _handed(handler, passed) or handler
    if current is not handler:
        passed = ()
    for _ in range(_UNWRAP):
        function = current.function
        if function.decorators and function.owner is None:
            # A function that a decorator registers is known by its own name, however little stands in it.
            return current
        if _is_own(function):
            return current
        call = _only_call(function)
        if call is None:
            return current
        scope = Scope(function, current.scope, this=current.this)
        callee = linker.fold(call.callee, scope)
        if not isinstance(callee, Closure) or callee.function is function:
            return current
        given = linker.arguments(call, scope).positional
        current = _handed(callee, tuple(linker.force(g) for g in given)) or callee
    return current


def _is_own(function: Function) -> bool:
    """A function or method of Python that is handed over by its name is the job, however little stands in it."""
    stands_alone = isinstance(function.parent, Module) or function.owner is not None
    return function.module.language is Language.PYTHON and bool(function.name) and stands_alone


def _handed(wrapper: Closure, given: tuple[Value, ...]) -> Closure | None:
    """The function among what is given to a wrapper that the wrapper calls."""
    closures = {
        param.name: value
        for param, value in zip(wrapper.function.params, (*wrapper.bound, *given), strict=False)
        if isinstance(value, Closure)
    }
    if not closures:
        return None
    bodies = (wrapper.function, *functions_in(wrapper.function))
    called = (e.callee for body in bodies for e in expressions(body.body) if isinstance(e, Call))
    return next((closures[c.name] for c in called if isinstance(c, Name) and c.name in closures), None)


def _only_call(function: Function) -> Call | None:
    """The one call of a body that only hands on; loading the module of that call first is no work of its own."""
    *before, last = function.body or (None,)
    if not all(isinstance(s, Assign) and s.value is not None and _loads(s.value) for s in before):
        return None
    if not isinstance(last, Do | Return) or last.value is None:
        return None
    expr = last.value
    while True:
        if isinstance(expr, Await):
            expr = expr.value
        elif isinstance(expr, Operation) and len(expr.operands) == 1:
            expr = expr.operands[0]
        elif isinstance(expr, Call):
            callee = expr.callee
            inner = getattr(callee, "object", None)
            if getattr(callee, "name", "") in ("catch", "then", "finally") and isinstance(inner, Call):
                expr = inner
                continue
            return expr
        else:
            return None


def _loads(expr: Expr) -> bool:
    while isinstance(expr, Await):
        expr = expr.value
    return (
        isinstance(expr, Call) and isinstance(expr.callee, Name) and expr.callee.name in ("import", "require")
    )
