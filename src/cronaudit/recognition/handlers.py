"""What a registration runs: the function behind the argument."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import (
    Assign,
    Await,
    Call,
    Do,
    Expr,
    Function,
    If,
    Module,
    Name,
    Operation,
    Return,
    Stmt,
)
from cronaudit.model.linker import Linker
from cronaudit.model.source import Language
from cronaudit.model.value import (
    Builtin,
    Choice,
    ClassValue,
    Closure,
    Instance,
    Known,
    Lazy,
    Namespace,
    Scope,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from cronaudit.model.walking import expressions, functions_around, functions_in, inside, is_within, statements
from cronaudit.recognition.endings import STOPPING
from cronaudit.recognition.talk import says

_TREE = "\0tree/"
_RUN_METHODS = ("run", "execute", "process", "handle", "invoke", "perform", "call", "__call__", "work")
_DOTTED = lazy_regex(r"[A-Za-z_]\w*([.:][A-Za-z_]\w*)+$")
"""``app.jobs.sweep`` and ``app.jobs:sweep``: a function by its path in Python."""
_ENQUEUE = ("delay", "apply_async", "send", "enqueue", "defer", "kiq")
"""Methods that a decorator gives a function: what calls them runs it, by way of a queue."""
_UNWRAP = 4
_Told = Mapping[str, "Value | Lazy"]
"""The arguments of a wrapper, by parameter."""


def resolve_handler(value: Value | None, linker: Linker) -> tuple[Closure | Module | None, str]:
    """The function or module that runs, or why it cannot be told."""
    match value:
        case None:
            return None, "the call names no function"
        case Closure():
            return value, ""
        case Builtin(receiver=Closure() as task) if value.name in _ENQUEUE and task.function.decorators:
            return task, ""
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
            return dotted(value, linker) or _file(value.value, linker)
        case Sequence() if value.items:
            return resolve_handler(linker.force(value.items[0]), linker)
        case Symbol():
            return None, f"{value.name} is only known to a caller"
        case Unknown():
            return None, value.reason
        case _:
            return None, "the handler lies outside the tree"


def dotted(path: Known, linker: Linker) -> tuple[Closure | Module | None, str] | None:
    """What a path in Python names: the longest part of it that is a module, then member by member.

    The module is sought as an import of the file that states the path would be: the folder that is on the path need
    not be the one that is audited.
    """
    text = str(path.value)
    importer = linker.module(path.at.path) if path.at is not None and _DOTTED.match(text) else None
    if importer is None:
        return None
    parts = re.split("[.:]", text)
    for end in range(len(parts) - 1, 0, -1):
        file = linker.resolve(".".join(parts[:end]), importer)
        module = linker.module(file) if file is not None else None
        if module is None:
            continue
        found: Value = Namespace(module)
        for name in parts[end:]:
            found = linker.member(found, name)
        return resolve_handler(found, linker) if isinstance(found, Closure | Instance | ClassValue) else None
    return None


def _file(text: str, linker: Linker) -> tuple[Closure | Module | None, str]:
    path = text.removeprefix(_TREE)
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

    A function that is handed another and calls it is a wrapper too: ``run_in_background('sync', sync)``, and
    ``monitored('sync', sync)``, which gives back the function that does.
    """
    return _layers(handler, linker, passed)[-1][0]


def guarded(handler: Closure, linker: Linker) -> Closure | None:
    """The one function that an anonymous one runs unless the process stops: ``if (stopping) return; await sync();``.

    It is what the job is known by; the guard belongs to the run all the same.
    """
    first = handler.function.body[0] if handler.function.body else None
    if handler.function.name is not None or not isinstance(first, If) or first.otherwise:
        return None
    asks = [e for e in inside(first.test) if not isinstance(e, Operation)]
    stops = all(isinstance(e, Name) and any(w in e.name.lower() for w in STOPPING) for e in asks)
    leaves = len(first.then) == 1 and isinstance(first.then[0], Return) and first.then[0].value is None
    call = _only_call(handler.function.body[1:]) if stops and leaves else None
    if call is None:
        return None
    callee = linker.fold(call.callee, Scope(handler.function, handler.scope, this=handler.this))
    return unwrapped(callee, linker) if isinstance(callee, Closure) else None


def named_by_wrapper(handler: Closure, linker: Linker, names: tuple[str, ...]) -> Iterator[Value]:
    """What the wrappers around a job are told under one of these names: ``monitored(name, work)``."""
    for _closure, told in _layers(handler, linker, ()):
        for name in names:
            if name in told:
                yield linker.force(told[name])


def _layers(handler: Closure, linker: Linker, passed: tuple[Value, ...]) -> list[tuple[Closure, _Told]]:
    """A function and what it hands on to, the work last; each with what the wrapper before it was told."""
    inner = _handed(handler, passed)
    found: list[tuple[Closure, _Told]] = [(handler, {})]
    if inner is not None:
        found.append((inner, {}))
        passed = ()
    while len(found) <= _UNWRAP:
        current = found[-1][0]
        function = current.function
        if function.decorators and function.owner is None:
            # A function that a decorator registers is known by its own name, however little stands in it.
            break
        if _is_own(function):
            break
        kept = _kept(current, linker)
        if kept is not None:
            found.append(kept)
            continue
        call = _only_call(function.body)
        if call is None:
            break
        scope = Scope(function, current.scope, this=current.this)
        callee = linker.fold(call.callee, scope)
        if not isinstance(callee, Closure) or callee.function is function:
            break
        given = tuple(linker.force(g) for g in linker.arguments(call, scope).positional)
        work = _handed(callee, _nearest(given, call, function), only_called=_forwards(call, function))
        if work is not None and function.name and is_within(work.function.parent, function):
            break  # ``function nightly() { inContext(() => { … }); }``: the work has a name
        if work is None:
            found.append((callee, {}))
            continue
        params = callee.function.params
        found.append((work, {p.name or "": v for p, v in zip(params, (*callee.bound, *given), strict=False)}))
    return found


def _nearest(given: tuple[Value, ...], call: Call, function: Function) -> tuple[Value, ...]:
    """The arguments without the functions that are further away than others.

    ``(lock) => (cron, work) => schedule(cron, () => guarded(lock, work))``: who states the schedule hands the work
    over, and who made the scheduler what all of its jobs share.
    """
    far = {
        at: _distance(a.value, function)
        for at, (a, value) in enumerate(zip(call.args, given, strict=False))
        if isinstance(value, Closure)
    }
    least = min(far.values(), default=0)
    return tuple(
        Unknown("all jobs of the scheduler share it") if far.get(at, least) > least else value
        for at, value in enumerate(given)
    )


def _distance(expr: Expr, function: Function) -> int:
    """How many functions up one stands that has the name among its parameters; 0 where none does."""
    for steps, around in enumerate(functions_around(function.parent) if isinstance(expr, Name) else (), 1):
        names = {e.name for p in around.params for e in inside(p.target) if isinstance(e, Name)}
        if isinstance(expr, Name) and expr.name in names:
            return steps
    return 0


def _kept(closure: Closure, linker: Linker) -> tuple[Closure, _Told] | None:
    """The one function that a wrapper was handed whose result calls it: ``const tick = monitored('sync', sync)``."""
    wrapper = closure.function.parent
    told = closure.scope.values if closure.scope.node is wrapper else {}
    if not isinstance(wrapper, Function) or not told:
        return None
    works = {
        param.name: value
        for param in wrapper.params
        if param.name in told and isinstance(value := linker.force(told[param.name]), Closure)
    }
    name = _called_in(closure.function, works) if len(works) == 1 else None
    return (works[name], told) if name is not None else None


def _is_own(function: Function) -> bool:
    """A function or method of Python that is handed over by its name is the job, however little stands in it."""
    stands_alone = isinstance(function.parent, Module) or function.owner is not None
    return function.module.language is Language.PYTHON and bool(function.name) and stands_alone


def _handed(wrapper: Closure, given: tuple[Value, ...], *, only_called: bool = False) -> Closure | None:
    """The function among what is given to a wrapper that the wrapper calls, or hands on to be called."""
    closures = {
        param.name or "": value
        for param, value in zip(wrapper.function.params, (*wrapper.bound, *given), strict=False)
        if isinstance(value, Closure) and not hears_of_errors(value.function)
    }
    name = _called_in(wrapper.function, closures, only_called=only_called)
    return closures[name] if name is not None else None


def _forwards(call: Call, function: Function) -> bool:
    """Whether a call is handed what the run was given: ``(job) => report(job, mail)`` is about the run itself."""
    own = {p.name for p in function.params}
    return any(isinstance(a.value, Name) and a.value.name in own for a in call.args)


def hears_of_errors(function: Function) -> bool:
    """Whether a function is told of an error first: it goes on where the work has ended."""
    name = function.params[0].name if function.params else None
    return name in ("err", "error") or (name in ("e", "er") and _asks(function, name))


def _asks(function: Function, name: str) -> bool:
    return any(
        isinstance(s, If) and any(isinstance(e, Name) and e.name == name for e in inside(s.test))
        for s in statements(function.body)
    )


def _called_in(function: Function, names: Collection[str], *, only_called: bool = False) -> str | None:
    """The first of these parameters that a function calls, or else hands on to be called."""
    if not names:
        return None
    calls = [
        e for b in (function, *functions_in(function)) for e in expressions(b.body) if isinstance(e, Call)
    ]
    called = (c.callee for c in calls)
    handed = (a.value for c in calls for a in c.args if not only_called)
    return next((e.name for e in (*called, *handed) if isinstance(e, Name) and e.name in names), None)


def _only_call(body: tuple[Stmt, ...]) -> Call | None:
    """The one call of a body that only hands on; loading the module of that call and a line of a log are no work."""
    *before, last = [s for s in body if not says(s)] or (None,)
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
