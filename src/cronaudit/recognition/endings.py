"""How a loop ends: on an order to stop, on what it has waited for, or after one round unless an option forbids it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cronaudit.model.ir import (
    Array,
    Assign,
    Break,
    Call,
    Const,
    Continue,
    Expr,
    Function,
    Handler,
    If,
    Loop,
    Member,
    Module,
    Name,
    Object,
    Operation,
    Return,
    Stmt,
    This,
    Throw,
    Try,
)
from cronaudit.model.value import Scope
from cronaudit.model.walking import blocks, calls_in, class_around, inside, statement_expressions, statements

STOPPING = ("stop", "abort", "shut", "clos", "exit", "running", "alive", "active", "cancel", "destroy", "quit", "kill",
            "disposed", "terminat", "signal", "paused", "enabled", "started")  # fmt: skip
_STOPS = (
    "stop",
    "cancel",
    "abort",
    "shut",
    "clos",
    "exit",
    "quit",
    "kill",
    "terminat",
    "destroy",
    "dispos",
)
"""What a method is called that orders to stop."""
_DEADLINES = (
    "elapsed",
    "deadline",
    "timed_out",
    "timedout",
    "timeoutms",
    "timeout_ms",
    "max_wait",
    "maxwait",
)
"""What a test is about that gives up waiting."""
_QUESTIONS = ("is_set", "isSet", "aborted")
"""What an order to stop is asked."""
_MODES = ("once", "oneshot", "one_shot", "forever", "daemon", "loop", "single_run", "run_single")
"""Names of options that choose between one round and many."""
_RECEIVERS = ("this", "self", "current", "is_set", "isset")
_INTERRUPTS = frozenset(
    ("KeyboardInterrupt", "SystemExit", "CancelledError", "InterruptedError", "GeneratorExit")
)


def is_order(test: Expr, scope: Scope) -> bool:
    """Whether the test of a loop only asks for orders to stop, and for constants, which never change."""
    named = [e for e in without_owners(test, scope) if isinstance(e, Name | Member)]
    asked = [e.name.lower() for e in named if not e.name.isupper()]
    others = [n for n in asked if n not in _RECEIVERS and not any(w in n for w in STOPPING)]
    return bool(named) and (not others or ordered_by(scope.node).issuperset(others))


def ends_on_success(loop: Loop, node: Function | Module, is_closed: Callable[[Expr], bool]) -> bool:
    """Whether the loop is left once something holds that is no order to stop, and no choice of the caller's.

    `is_closed` tells the tests that hold only where somebody asks for it: ``if options['testing']: break``.
    """
    params = _fixed_parameters(node)
    events = ordered_by(node)

    def is_ordered(test: Expr) -> bool:
        words = [e.name.lower() for e in inside(test) if isinstance(e, Name | Member)]
        return (
            any(n in events or any(w in n for w in STOPPING) for n in words)
            or mode_of(test, params) is not None
        )

    def leaves(body: tuple[Stmt, ...], tests: tuple[Expr, ...]) -> bool:
        for statement in body:
            if isinstance(statement, If) and statement.then and isinstance(statement.then[-1], Continue):
                # ``if daemon: sleep(2); continue``: what stands behind it is for one round.
                tests = (*tests, statement.test) if mode_of(statement.test, params) is not None else tests
            if isinstance(statement, Return) and isinstance(statement.value, Name | Member | Object | Array):
                return True  # an operation that goes on until it has what it gives back
            if isinstance(statement, Throw) and any(_is_deadline(test) for test in tests):
                return True
            if isinstance(statement, Break | Return):
                if not any(is_ordered(test) for test in tests):
                    return True
            elif isinstance(statement, If):
                inner = (*tests, statement.test)
                then = () if is_closed(statement.test) else statement.then
                if leaves(then, inner) or leaves(statement.otherwise, inner):
                    return True
            elif isinstance(statement, Loop):
                continue
            elif isinstance(statement, Try):
                caught = [h.body for h in statement.handlers if not _interrupts(h)]
                if leaves(statement.body, tests) or leaves(statement.final, tests):
                    return True
                if any(leaves(body, tests) for body in caught if not _leaves_by_option(body)):
                    return True
            elif any(leaves(b, tests) for b in blocks(statement)):
                return True
        return False

    return leaves(loop.body, ())


def _leaves_by_option(body: tuple[Stmt, ...]) -> bool:
    """Whether a handler leaves only where an option says so: ``catch { if (!this.continueOnError) break; }``."""
    for statement in body:
        if isinstance(statement, Break | Return):
            return False
        if isinstance(statement, If) and any(isinstance(s, Break | Return) for s in statement.then):
            test = statement.test
            negated = isinstance(test, Operation) and test.op in ("not", "!") and len(test.operands) == 1
            asked = test.operands[0] if isinstance(test, Operation) and negated else test
            if not isinstance(asked, Member) or not isinstance(asked.object, This | Name):
                return False
    return True


def _is_deadline(test: Expr) -> bool:
    """Whether a test asks whether something has taken too long."""
    names = [e.name.lower() for e in inside(test) if isinstance(e, Name | Member)]
    return any(word in name for name in names for word in _DEADLINES)


def required_mode(loop: Loop, node: Function | Module) -> str | None:
    """The option without which the loop goes round once: ``if not forever: break``; None where it needs none."""
    params = _fixed_parameters(node)
    for statement in loop.body:
        if isinstance(statement, If) and any(isinstance(s, Break | Return) for s in statement.then):
            test = statement.test
            negated = isinstance(test, Operation) and test.op in ("not", "!") and len(test.operands) == 1
            if negated and isinstance(test, Operation):
                return mode_of(test.operands[0], params)
    return None


def mode_of(test: Expr, params: frozenset[str]) -> str | None:
    """The parameter or option that a test is about, where the whole test is that; it holds for all rounds or none."""
    while isinstance(test, Operation) and test.op in ("not", "!") and len(test.operands) == 1:
        test = test.operands[0]
    if isinstance(test, Name) and test.name in params:
        return test.name
    name = test.name if isinstance(test, Name | Member) else ""
    index = getattr(test, "index", None)
    if isinstance(index, Const) and isinstance(index.value, str):
        name = index.value
    return name if name and any(w in name.lower() for w in _MODES) else None


def _fixed_parameters(node: Function | Module) -> frozenset[str]:
    if isinstance(node, Module):
        return frozenset()
    assigned = {
        target.name
        for statement in statements(node.body)
        if isinstance(target := getattr(statement, "target", None), Name)
    }
    return frozenset(p.name for p in node.params if p.name is not None) - assigned


def _interrupts(handler: Handler) -> bool:
    """Whether only an order to stop is caught here."""
    names = [getattr(e, "name", "") for t in handler.types for e in (getattr(t, "items", None) or (t,))]
    return bool(names) and all(name in _INTERRUPTS for name in names)


def ordered_by(node: Function | Module) -> frozenset[str]:
    """The events of an object, in lower case, that only what stops it sets: ``def cancel(self): self.done.set()``."""
    cls = class_around(node)
    if cls is None:
        return frozenset()
    set_by: dict[str, list[str]] = {}
    stops = {name for m in cls.methods if any(word in (name := (m.name or "").lower()) for word in _STOPS)}
    led_to: set[str] = set()
    for method in cls.methods:
        for call in calls_in(method):
            if (method.name or "").lower() in stops and isinstance(call.callee, Member):
                led_to.add(call.callee.name.lower())  # ``def cancel(self): self._finish()``
            if isinstance(call.callee, Member) and call.callee.name == "set" and not call.args:
                held = call.callee.object
                if isinstance(held, Member):
                    set_by.setdefault(held.name.lower(), []).append((method.name or "").lower())
    return frozenset(
        name
        for name, methods in set_by.items()
        if all(method in stops or method in led_to for method in methods)
    )


def backs_off(loop: Loop) -> bool:
    """Whether every round multiplies the variable that it pauses by: it comes back to what it was thrown out of.

    ``while True: try: listen() … ; await sleep(delay); delay = min(delay * 2, 60)``
    """
    for statement in loop.body:
        if not isinstance(statement, Assign) or not isinstance(statement.target, Name):
            continue
        grown = statement.target.name
        parts = [] if statement.value is None else list(inside(statement.value))
        multiplied = statement.op in ("*", "**") or any(
            isinstance(e, Operation) and e.op in ("*", "**") and any(_is_named(o, grown) for o in e.operands)
            for e in parts
        )
        if multiplied and any(
            isinstance(e, Call) and any(_is_named(i, grown) for a in e.args for i in inside(a.value))
            for other in loop.body
            if other is not statement
            for root in statement_expressions(other)
            for e in inside(root)
        ):
            return True
    return False


def _is_named(expr: Expr, name: str) -> bool:
    return isinstance(expr, Name) and expr.name == name


def without_owners(test: Expr, scope: Scope) -> Iterator[Expr]:
    """The parts of a test but for what holds an event or a flag of the process.

    Of ``app.config.exit.is_set()`` the event and the question, of ``settings.worker_running`` the flag.
    """
    owners: set[int] = set()
    for part in inside(test):
        if not isinstance(part, Member):
            continue
        asked = part.object if part.name in _QUESTIONS and isinstance(part.object, Member) else part
        if asked is not part or _is_of_module(asked.object, scope):
            owners.update(id(owner) for owner in inside(asked.object))
            if asked is not part and getattr(asked, "name", "").strip("_").lower() == "event":
                owners.add(
                    id(asked)
                )  # ``self._event``: an event that says nothing but that is an order to stop
    return (e for e in inside(test) if id(e) not in owners)


def _is_of_module(owner: Expr, scope: Scope) -> bool:
    """Whether an object belongs to the module (``settings``, ``app.state``): its flags are those of the process."""
    while isinstance(owner, Member):
        owner = owner.object
    if not isinstance(owner, Name):
        return False
    current: Scope | None = scope
    while current is not None and isinstance(node := current.node, Function):
        if any(p.name == owner.name for p in node.params) or any(
            isinstance(target := getattr(s, "target", None), Name) and target.name == owner.name
            for s in statements(node.body)
        ):
            return False
        current = current.parent
    return True
