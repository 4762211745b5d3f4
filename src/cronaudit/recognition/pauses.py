"""Loops that never end: how long they pause each time round, and what makes them end after all."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import expanded, last_of
from cronaudit.knowledge.selectors import select
from cronaudit.model.ir import (
    Await,
    Call,
    Const,
    Continue,
    Expr,
    Function,
    If,
    Loop,
    LoopKind,
    Member,
    Module,
    Stmt,
    Try,
    With,
)
from cronaudit.model.linker import Linker
from cronaudit.model.source import Language
from cronaudit.model.value import (
    Arguments,
    Choice,
    Closure,
    External,
    Known,
    Scope,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from cronaudit.model.walking import blocks, calls_in, expressions, inside, statement_expressions, statements
from cronaudit.recognition.choices import holds_by_default
from cronaudit.recognition.endings import STOPPING, is_order
from cronaudit.recognition.naps import bound_delay, multiplied, napped
from cronaudit.recognition.wrapping import steady_pause
from cronaudit.recognition.written import argument_of, spelled

_ENDLESS_ITERATORS = frozenset(("itertools.count()", "itertools.repeat()", "itertools.cycle()"))
_INNER = 1
"""Rank of a pause of a loop inside: it counts where the loop itself has none."""
_CALLED = 2  # how deep a pause is looked for in what a loop calls


class Timer(Struct, frozen=True):
    """A call that runs a function once, later."""

    handler: Expr
    delay: Expr | None
    unit: str


class Pauses:
    """Reads the pauses of endless loops."""

    def __init__(self, linker: Linker, matcher: Matcher) -> None:
        self._linker = linker
        self._matcher = matcher

    def is_endless(self, loop: Loop, scope: Scope) -> bool:
        """Whether a loop only ends on an order to stop."""
        if loop.kind is LoopKind.EACH and isinstance(loop.iterable, Call):
            iterated = self._linker.fold(loop.iterable, scope)
            return isinstance(iterated, External) and iterated.path in _ENDLESS_ITERATORS
        if loop.kind not in (LoopKind.WHILE, LoopKind.DO):
            return False
        test = loop.test
        if test is None or (isinstance(test, Const) and test.value):
            return True
        if self._in_test(loop, scope) is not None:
            return True
        if holds_by_default(test, scope, self._linker) is not None:
            return True  # whatever a setting says, it says for all rounds
        return is_order(test, scope)

    def of(self, loop: Loop, scope: Scope) -> Value | None:
        """How long the loop sleeps each time round; None where it does not, or only after a failure."""
        waited = self._in_test(loop, scope)
        if waited is not None:
            return waited
        pauses = self._within(loop, loop.body, scope, 1.0, 0)
        found = sorted(pauses, key=lambda f: (f[0], not isinstance(f[1], Known)))
        return found[0][1] if found else self._of_called(loop.body, scope, 0)

    def only_rests(self, loop: Loop, scope: Scope) -> bool:
        """Whether no round pauses but one with nothing to do, and that for less than a second: it takes what comes."""
        found = () if self._in_test(loop, scope) else tuple(self._within(loop, loop.body, scope, 1.0, 0))
        return bool(found) and all(
            rank >= _INNER and isinstance(v, Known) and isinstance(v.value, int | float) and v.value < 1
            for rank, v in found
        )

    def _of_called(self, body: tuple[Stmt, ...], scope: Scope, depth: int) -> Value | None:
        """The pause that a function beside the loop makes on its every way: ``while True: self.tick()``."""
        for statement in body:
            if isinstance(statement, Loop):
                continue
            for call in self._waiting(statement, scope):
                callee = self._linker.fold(call.callee, scope)
                if not isinstance(callee, Closure) or callee.function.module is not scope.module:
                    continue
                if (pause := self._of_function(callee, depth)) is not None:
                    return pause
            inner = (statement.body,) if isinstance(statement, Try) else blocks(statement)
            for block in inner:
                if (pause := self._of_called(block, scope, depth)) is not None:
                    return pause
        return None

    def _of_function(self, callee: Closure, depth: int) -> Value | None:
        function = callee.function
        plain = Scope(function, callee.scope, this=callee.this)
        found = [value for rank, value in self._within(function, function.body, plain, 1.0, 0) if rank == 0]
        if not found:
            return self._of_called(function.body, plain, depth + 1) if depth < _CALLED else None
        if isinstance(found[0], Known):
            return found[0]
        bound = (
            value
            for b in self._linker.bounds(function)
            for rank, value in self._within(function, function.body, b.scope, 1.0, 0)
            if rank == 0
        )
        return next((value for value in bound if isinstance(value, Known)), found[0])

    def is_idle(self, loop: Loop, scope: Scope) -> bool:
        """Whether the loop does nothing but sleep."""
        calls = [e for e in expressions(loop.body) if isinstance(e, Call)]
        return all(self._slept(c, scope) is not None or _is_talk(c) for c in calls)

    def waits_instead(self, loop: Loop, scope: Scope) -> bool:
        """Whether a round either pauses or works: ``if not signalled: sleep(1)``, else it does as it was told."""
        if len(loop.body) != 1 or not isinstance(loop.body[0], If):
            return False
        branches = (loop.body[0].then, loop.body[0].otherwise)
        return any(
            calls and all(self._slept(c, scope) is not None for c in calls)
            for calls in ([e for e in expressions(branch) if isinstance(e, Call)] for branch in branches)
        )

    def awaits_turn(self, loop: Loop, scope: Scope) -> bool:
        """Whether a round only pauses to ask again whether it may begin, and what it begins does not end by itself.

        ``if not leader(): sleep(5); continue`` before an endless loop that serves: the pause is no schedule of it.
        """
        serves = any(
            isinstance(s, Loop) and self.is_endless(s, scope) and self.of(s, scope) is None
            for s in statements(loop.body)
        )
        asks = [s for s in loop.body if isinstance(s, If) and s.then and isinstance(s.then[-1], Continue)]
        others = tuple(s for s in loop.body if s not in asks)
        return serves and bool(asks) and not any(self._within(loop, others, scope, 1.0, 0))

    def waits_for_order(self, loop: Loop, scope: Scope) -> bool:
        """Whether every round waits for an event without an end, and clears it: what sets it decides when it works."""
        cleared = {
            spelled(e.callee.object)
            for e in expressions(loop.body)
            if isinstance(e, Call) and isinstance(e.callee, Member) and e.callee.name == "clear"
        }
        return any(
            not call.args
            and isinstance(call.callee, Member)
            and spelled(call.callee.object) in cleared
            and isinstance(callee := self._linker.fold(call.callee, scope), External)
            and any(e.effect == "sleep" and e.when for e in self._matcher.effects(callee.path))
            for statement in loop.body
            for call in self._waiting(statement, scope)
        )

    def is_fed(self, loop: Loop, scope: Scope) -> bool:
        """Whether every round waits for an item of a queue: whoever puts one in decides when it works."""
        body = list(loop.body)
        while body:
            statement = body.pop()
            if isinstance(statement, Try | With):
                body += statement.body
            for call in self._waiting(statement, scope):
                method = call.callee.name if isinstance(call.callee, Member) else ""
                held = getattr(call.callee.object, "name", "") if isinstance(call.callee, Member) else ""
                if method == "get" and not call.args and "queue" in held.lower():
                    return True
                callee = self._linker.fold(call.callee, scope)
                made = self._linker.fold(call, scope) if isinstance(callee, Closure) else callee
                if isinstance(made, External) and self._takes(call, made, scope):
                    return True
        return False

    def goes_on_anew(self, node: Function | Module) -> bool:
        """Whether code begins its next run itself when it has gone round often enough: ``await continueAsNew()``."""
        callees = (self._linker.fold(call.callee, self._linker.scope_of(node)) for call in calls_in(node))
        return any(
            effect.effect == "run.anew"
            for callee in callees
            if isinstance(callee, External)
            for effect in self._matcher.effects(callee.path)
        )

    def _takes(self, call: Call, callee: External, scope: Scope) -> bool:
        path = callee.path.removesuffix("()")  # ``send(receiving({ QueueUrl }))``: what a function made
        args = callee.args if path != callee.path else self._linker.arguments(call, scope)
        view = External(path, args, callee.at, callee.receiver, call)
        return any(
            e.effect == "queue.take" and holds(e.when, view, self._linker.force, self._linker.member) is True
            for e in self._matcher.effects(path)
        )

    def timer(self, call: Call, scope: Scope) -> Timer | None:
        """What a call arms that runs a function once, later: ``setTimeout(f, 500)``, ``Timer(60, f)``."""
        callee = self._linker.fold(call.callee, scope)
        name = getattr(call.callee, "name", "")
        known = self._matcher.effects(callee.path) if isinstance(callee, External) else ()
        opened = self._matcher.untyped(name) if isinstance(callee, Symbol | Unknown) else ()
        for effect in (*known, *opened):
            if effect.effect == "timer.after":
                delays = [
                    (e, s.unit) for s in effect.param("time") if (e := argument_of(call, s)) is not None
                ]
                handlers = [e for s in effect.callback if (e := argument_of(call, s)) is not None]
                if handlers and effect.param("time"):
                    delay, unit = delays[0] if delays else (None, "ms")
                    return Timer(handlers[0], delay, unit or "ms")
        return None

    @property
    def timer_names(self) -> tuple[str, ...]:
        """The last names of the calls that run a function once, later."""
        described = (
            e for library in self._matcher.libraries for e in library.effects if e.effect == "timer.after"
        )
        return tuple(sorted({last_of(one) for e in described if e.param("time") for one in expanded(e.call)}))

    def _in_test(self, loop: Loop, scope: Scope) -> Value | None:
        """``while not stopped.wait(60)``: an order to stop that is waited for is the pause."""
        for expr in inside(loop.test) if loop.test is not None else ():
            if isinstance(expr, Call) and isinstance(expr.callee, Member) and expr.callee.name == "wait":
                seconds = self._slept(expr, scope)
                if seconds is not None:
                    return seconds
        return None

    def _within(
        self, loop: Loop | Function, body: tuple[Stmt, ...], scope: Scope, times: float | None, rank: int
    ) -> Iterator[tuple[int, Value]]:
        for statement in body:
            for call in self._waiting(statement, scope):
                slept = self._slept(call, scope)
                if slept is not None:
                    steady = (
                        None if isinstance(slept, Known) else steady_pause(call, loop, scope, self._linker)
                    )
                    yield rank, multiplied(steady or slept, times)
            if isinstance(statement, Loop):
                each = statement.kind in (LoopKind.EACH, LoopKind.KEYS)
                rounds = self._rounds(statement, scope) if each else 1.0
                inner = None if rounds is None or times is None else times * rounds
                yield from self._within(
                    loop, statement.body, scope, inner, rank + (0 if each and inner else _INNER)
                )
            elif isinstance(statement, Try):
                yield from self._within(loop, statement.body, scope, times, rank)
                yield from self._within(loop, statement.final, scope, times, rank)
            else:
                # A pause on a condition is that of a round with nothing to do; one that every round makes is the rule.
                test = statement.test if isinstance(statement, If) else None
                always = test is None or holds_by_default(test, scope, self._linker)
                for block in blocks(statement):
                    below = (
                        rank
                        if always and block is not getattr(statement, "otherwise", None)
                        else rank + _INNER
                    )
                    yield from self._within(loop, block, scope, times, below)

    @staticmethod
    def _waiting(statement: Stmt, scope: Scope) -> Iterator[Call]:
        """The calls of a statement that the code waits for: all in Python, those awaited in JavaScript."""
        module = scope.module
        for root in statement_expressions(statement):
            for expr in inside(root):
                if module.language is Language.PYTHON:
                    if isinstance(expr, Call):
                        yield expr
                elif isinstance(expr, Await):
                    yield from (inner for inner in inside(expr.value) if isinstance(inner, Call))

    def _rounds(self, loop: Loop, scope: Scope) -> float | None:
        """How often a loop over ``range(n)`` or a written-out list goes round."""
        iterable = loop.iterable
        if iterable is None:
            return None
        if isinstance(iterable, Call) and getattr(iterable.callee, "name", "") == "range":
            bounds = [self._linker.fold(a.value, scope) for a in iterable.args]
            numbers = [b.value for b in bounds if isinstance(b, Known) and isinstance(b.value, int | float)]
            if len(numbers) != len(bounds) or not 1 <= len(numbers) <= 2:
                return None
            return float(numbers[-1] - (numbers[0] if len(numbers) > 1 else 0))
        value = self._linker.fold(iterable, scope)
        return float(len(value.items)) if isinstance(value, Sequence) and value.complete else None

    # ---- one call --------------------------------------------------------------------------------------------

    def _slept(self, call: Call, scope: Scope) -> Value | None:
        callee = self._linker.fold(call.callee, scope)
        if isinstance(callee, Choice):
            callee = next((o for o in callee.options if isinstance(o, Closure | External)), callee)
        if isinstance(callee, External):
            if callee.path == "global:Promise" and call.is_new and call.args:
                return self._timer_in(self._linker.fold(call.args[0].value, scope))
            found = self._described(call, callee, self._linker.arguments(call, scope))
            return found if found is not None else self._order_awaited(call, scope)
        if isinstance(callee, Closure):
            return self._own(callee, self._linker.arguments(call, scope))
        return self._order_awaited(call, scope)

    def _order_awaited(self, call: Call, scope: Scope) -> Value | None:
        """``app.config.exit.wait(60)``: an object of an unknown type that is named after an order to stop."""
        callee = call.callee
        if not isinstance(callee, Member) or callee.name != "wait" or len(call.args) != 1:
            return None
        if scope.module.language is not Language.PYTHON:
            return None
        named = getattr(callee.object, "name", "").lower()
        if not any(word in named for word in STOPPING):
            return None
        value = self._linker.fold(call.args[0].value, scope)
        return (
            Known(value.value, value.at, value.unit or "s", value.default_of)
            if isinstance(value, Known)
            else value
        )

    def _described(self, call: Call, callee: External, args: Arguments) -> Value | None:
        view = External(callee.path, args, callee.at, callee.receiver, call)
        for effect in self._matcher.effects(callee.path):
            fits = holds(effect.when, view, self._linker.force, self._linker.member) is True
            if effect.effect != "sleep" or not fits:
                continue
            for selector in effect.param("time"):
                value = select(selector, view, self._linker.force, self._linker.member)
                if value is not None:
                    return value
        return None

    def _own(self, callee: Closure, args: Arguments) -> Value | None:
        """A function of the project's own that only sleeps."""
        function = callee.function
        calls = [e for e in expressions(function.body) if isinstance(e, Call)]
        for call in calls:
            if call.is_new and getattr(call.callee, "name", "") == "Promise" and call.args:
                delay = self._timer_in(self._linker.fold(call.args[0].value, self._linker.scope_of(function)))
                if delay is not None:
                    return bound_delay(delay, callee, args, self._linker)
        if function.module.language is Language.PYTHON and len(calls) == 1:
            delay = self._slept(calls[0], self._linker.scope_of(function))
            return bound_delay(delay, callee, args, self._linker) if delay is not None else None
        return napped(callee, args, self._linker, self._slept)

    def _timer_in(self, executor: Value) -> Value | None:
        if not isinstance(executor, Closure):
            return None
        for expr in expressions(executor.function.body):
            if (
                isinstance(expr, Call)
                and getattr(expr.callee, "name", "") == "setTimeout"
                and len(expr.args) > 1
            ):
                inner = Scope(executor.function, executor.scope, this=executor.this)
                return self._linker.fold(expr.args[1].value, inner)
        return None


def _is_talk(call: Call) -> bool:
    """Whether a call only prints or logs."""
    return getattr(call.callee, "name", "") in ("print", "debug", "info", "log")
