"""Where a timer is cleared, and which functions outlive it."""

from __future__ import annotations

from cronaudit.model.ir import Call, Const, Expr, Function, Loop, LoopKind, Member, Module, Name, This
from cronaudit.model.linker import Linker
from cronaudit.model.value import Closure
from cronaudit.model.walking import calls_in, expressions, functions_around, functions_in, statements
from cronaudit.recognition.choices import holds_by_default
from cronaudit.recognition.endings import ends_on_success


def same_place(a: Expr, b: Expr) -> bool:
    """Whether two expressions are the same variable or member."""
    if isinstance(a, Name) and isinstance(b, Name):
        return a.name == b.name
    if isinstance(a, Member) and isinstance(b, Member):
        return a.name == b.name and (same_place(a.object, b.object))
    return isinstance(a, This) and isinstance(b, This)


def clears(node: Function | Module, handle: Expr | None) -> bool:
    """Whether a body clears the timer that a variable keeps; any timer where no variable is given."""
    for expr in expressions(node.body):
        if (
            isinstance(expr, Call)
            and getattr(expr.callee, "name", "") in ("clearInterval", "clearTimeout")
            and (handle is None or (expr.args and same_place(expr.args[0].value, handle)))
        ):
            return True
    return False


def in_promise(node: Function | Module, handle: Expr | None, handler: Closure | None, linker: Linker) -> bool:
    """Whether a timer stands inside the executor of ``new Promise``, and is cleared there or settles it.

    What is armed after the promise is settled, as in ``server.listen(port, () => { resolve(); … })``, goes on.
    """
    for function in functions_around(node):
        made = linker.calls(function.module, ("Promise",)).get("Promise", ())
        if not any(call.is_new and any(a.value is function for a in call.args) for call, _where in made):
            continue
        settling = {p.name for p in function.params}
        bodies = (handler.function, *functions_in(handler.function)) if handler is not None else ()
        settles = any(isinstance(e, Name) and e.name in settling for f in bodies for e in expressions(f.body))
        if handler is None or settles or any(clears(f, handle) for f in (function, *functions_in(function))):
            return True
    return False


def never_ends(owner: Function, linker: Linker) -> bool:
    """Whether a function waits for another one of the project that goes round until it is told to stop.

    ``const timer = setInterval(flush, 5000); await Promise.all([work(queue)]); clearInterval(timer);``
    """
    if not owner.is_async:
        return False
    scope = linker.scope_of(owner)
    for call in calls_in(owner):
        callee = linker.fold(call.callee, scope)
        function = callee.function if isinstance(callee, Closure) else None
        if (
            function is not None
            and function.is_async
            and function is not owner
            and _goes_round(function, linker)
        ):
            return True
    return False


def _goes_round(function: Function, linker: Linker) -> bool:
    scope = linker.scope_of(function)
    return any(
        isinstance(s, Loop)
        and s.kind is LoopKind.WHILE
        and isinstance(s.test, Const)
        and bool(s.test.value)
        and not ends_on_success(s, function, lambda test: holds_by_default(test, scope, linker) is False)
        for s in statements(function.body)
    )
