"""Loops that never end: a ``setTimeout`` or ``Timer`` that arms itself, and ``while (true)`` with a pause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from cronaudit.model.ir import (
    Call,
    Const,
    Expr,
    Function,
    Loop,
    Member,
    Module,
    Name,
    Operation,
)
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.schedule import Schedule
from cronaudit.model.source import Language, Location
from cronaudit.model.value import Arguments, Closure, External, Instance, Known, Scope, Symbol, Value
from cronaudit.model.walking import (
    calls_in,
    expressions,
    functions_around,
    functions_in,
    is_within,
    statements,
)
from cronaudit.recognition.after_failure import only_on_failure
from cronaudit.recognition.armed_work import armed_work
from cronaudit.recognition.choices import holds_by_default
from cronaudit.recognition.commands import command_of
from cronaudit.recognition.endings import backs_off, ends_on_success, required_mode
from cronaudit.recognition.found import Registration, Rejection, Timing
from cronaudit.recognition.handed_work import handed_work
from cronaudit.recognition.handlers import unwrapped
from cronaudit.recognition.naming import named_by
from cronaudit.recognition.operations import (
    answers,
    follows_failure,
    stands_under,
    told_at_the_end,
    waits_instead,
)
from cronaudit.recognition.pauses import Pauses, Timer
from cronaudit.recognition.rearming import goes_on_in
from cronaudit.recognition.timers import judge_interval, rearms
from cronaudit.recognition.timing import one_of_several, read_length
from cronaudit.recognition.wrapping import armed_by_callers, called_parameters, scope_inside

_FEW_CALLS = 4
_SPIN = 0.01
"""Seconds below which a pause is no period of anything."""

_Site: TypeAlias = tuple[Call, Function, Closure]
"""A call that arms a timer, the function that it stands in, and what it runs."""


class _Rest(Struct, frozen=True, eq=False):
    """How long a timer waits that arms itself."""

    timer: Timer
    node: Function
    """Where it is armed."""
    runs: Function
    linker: Linker

    def of(self, scope: Scope) -> Value:
        """As a scope of `node` says; nothing where no wait is written."""
        written = self.timer.delay
        return self.linker.fold(written, scope) if written is not None else Known(0)

    def within(self, outer: Scope) -> Value:
        """As a scope of what runs says, which callers have bound."""
        return self.of(scope_inside(outer, self.runs, self.node, self.linker))

    def timing(self, delay: Value) -> Timing | None:
        return read_length(delay, self.timer.unit, self.linker)

    def is_settled(self, outer: Scope) -> bool:
        found = self.timing(self.within(outer))
        return found is not None and found.open is None


class Loops:
    """Finds loops of the project's own that run for as long as the process."""

    def __init__(self, linker: Linker, pauses: Pauses) -> None:
        self._linker = linker
        self._pauses = pauses
        self._timers = pauses.timer_names
        self.rejections: list[Rejection] = []

    # ---- setTimeout that arms itself ------------------------------------------------------------------------

    def timeouts(self, module: Module) -> Iterator[Registration]:
        """The self-arming timers of a module, one for each function that they run."""
        found: dict[int, list[_Site]] = {}
        retried: set[int] = set()
        calls = self._linker.calls(module, self._timers)
        for call, node in (site for name in self._timers if name in calls for site in calls[name]):
            if not isinstance(node, Function) or not call.args:
                continue
            handler = self._armed(call, node, retried)
            if handler is not None:
                found.setdefault(id(self._cycle(handler, node)), []).append((call, node, handler))
        for sites in found.values():
            (call, node, handler), reason = self._lasting(sites, retried)
            if reason:
                self._reject(call, module, reason)
            else:
                yield from self._timeout(call, node, handler, module)

    def _lasting(self, sites: list[_Site], retried: set[int]) -> tuple[_Site, str]:
        """The timer that keeps a cycle going; with why it is no job, empty where it is one."""
        lasting = [
            s for s in sites if id(s[0]) not in retried and not only_on_failure(s[0], s[1], self._linker)
        ]
        if not lasting:
            return sites[0], "it arms itself only after a failure: a retry"
        lasting = [s for s in lasting if not stands_under(s[1].body, s[0], _is_some_left)]
        if not lasting:
            return sites[0], "it arms itself only while work is waiting: it drains a buffer"
        if all(waits_instead(call, node) for call, node, _ in lasting):
            return lasting[0], "it arms itself instead of the work, until that is due"
        call, node, handler = lasting[0]
        against = judge_interval(call, node, None, self._linker)
        if against is not None:
            return lasting[0], against.reason
        return lasting[0], answers(call, node, self._cycle(handler, node))

    def _armed(self, call: Call, node: Function, retried: set[int]) -> Closure | None:
        """What a call runs that arms it again; `retried` takes those that only do so when their work has failed."""
        scope = self._linker.scope_of(node)
        timer = self._pauses.timer(call, scope)
        if timer is None:
            return None
        handler = self._linker.fold(timer.handler, scope)
        if not isinstance(handler, Closure) or not self._may_rearm(handler, node):
            return None
        if self._cycle(handler, node) is node and handler.function is node:
            return handler
        trace = self._linker.walk(handler)
        again = [event for f in functions_around(node) for event in rearms(trace, f)]
        if again and all(follows_failure(event) for event in again):
            retried.add(id(call))
        if again or is_within(node, handler.function):
            return handler
        return None

    @staticmethod
    def _cycle(handler: Closure, node: Function) -> Function:
        """A function that stands for the whole cycle: the innermost named one around the timer."""
        return (
            handler.function
            if handler.function.name and handler.function is not node
            else next((f for f in functions_around(node) if f.name), node)
        )

    def _may_rearm(self, closure: Closure, node: Function) -> bool:
        """A look at the names before anything is walked: the handler must speak of a function around the timer."""
        handler = closure.function
        if is_within(node, handler):
            return True
        around = {f.name for f in functions_around(node) if f.name}
        handed_on = unwrapped(closure, self._linker).function
        pending: list[Function] = [handler, *functions_in(handler), handed_on]
        if any(n in around for f in pending for n in _names(f)):
            return True
        # ``setTimeout(() => { try { this.sweep(); } catch …})``, and it is `sweep` that arms the next one.
        scope = Scope(handler, closure.scope, this=closure.this)
        called = (self._linker.fold(c.callee, scope) for c in calls_in(handler)[:_FEW_CALLS])
        return any(isinstance(c, Closure) and goes_on_in(c.function, around) for c in called)

    def _timeout(
        self, call: Call, node: Function, handler: Closure, module: Module
    ) -> Iterator[Registration]:
        scope = self._linker.scope_of(node)
        site = Location(module.path, call.line, call.end_line)
        timer = self._pauses.timer(call, scope)
        runs = (
            handler
            if handler.function.name or handler.function is node
            else Closure(node, scope.parent or scope)
        )
        works = self._handed_in(call, node, handler, runs)
        assert timer is not None  # noqa: S101 - `_armed` has asked
        rest = _Rest(timer, node, runs.function, self._linker)
        delay = rest.of(scope)
        armed = armed_by_callers(works, delay, runs.function, self._linker, rest.is_settled, each=True)
        if not armed:
            self._reject(call, module, "a wrapper that nothing in the tree calls")
        plain = {} if works else {id(b): rest.timing(rest.within(b.scope)) for b in armed if not b.items}
        rests = {t.schedule.interval_seconds for t in plain.values() if t is not None}
        if rests:  # ``plan(0)`` at the start says nothing about the period
            armed = [b for b in armed if id(b) not in plain or plain[id(b)] is not None]
        seen: set[tuple[float | None, Location]] = set()
        for bound in armed:
            own = bool(works) or bool(bound.items)
            is_plain = not own and bound.scope is self._linker.scope_of(runs.function)
            timing = rest.timing(delay if is_plain else rest.within(bound.scope)) or Timing(
                Schedule(text="again at once"), Location(module.path, call.line), None
            )
            if len(rests) > 1 and not own:
                timing = one_of_several(site)  # each round tells the next one how long it rests
            item = bound.chain[-1] if own and bound.chain else site
            key = (timing.schedule.interval_seconds, item)
            if key in seen:
                continue
            seen.add(key)
            bound_run = self._run_in(bound, runs) if own else runs
            name, name_at = named_by(bound, self._linker) if bound.items else (None, None)
            yield Registration(
                kind="timer-loop" if module.language is Language.PYTHON else "set-timeout-loop",
                call=self._view(call, scope, site),
                node=node,
                bound=bound if own else Bound(scope, ()),
                site=site if bound.items else item,
                timing=timing,
                name=name,
                name_at=name_at,
                handler=self._with_this(bound_run),
                item=item,
                traits={"runner.library": "own", "runner.persistence": "none"},
                alone=not own,
                work=self._work(handler, node, runs, bound, own=own),
            )

    def _work(
        self, handler: Closure, node: Function, runs: Closure, bound: Bound, *, own: bool
    ) -> Closure | None:
        """What does the work, where what runs only leads to it."""
        if own:
            return handed_work(runs.function, bound.scope, self._linker, node)
        return armed_work(handler, node, self._linker) if runs.function is node else None

    def _handed_in(self, call: Call, node: Function, handler: Closure, runs: Closure) -> list[Symbol]:
        """The parameters that do the work of a timer, each time round and not only at the end."""
        bodies = (handler.function, runs.function, node, unwrapped(handler, self._linker).function)
        ended = told_at_the_end(call, node, self._cycle(handler, node))
        return [w for w in called_parameters(bodies, self._linker, runs.function) if w.name not in ended]

    @staticmethod
    def _run_in(bound: Bound, runs: Closure) -> Closure:
        """What runs, in the scope that a caller or a class that inherits it has bound."""
        if bound.items and isinstance(made := bound.items[-1].value, Instance):
            return Closure(runs.function, runs.scope, made)
        return Closure(runs.function, bound.scope.parent or bound.scope, bound.scope.this)

    def _view(self, call: Call, scope: Scope, site: Location) -> External:
        path = getattr(self._linker.fold(call.callee, scope), "path", "")
        return External(path, self._linker.arguments(call, scope), site, None, call)

    def _with_this(self, closure: Closure) -> Closure:
        owner = closure.function.owner
        if owner is None or closure.this is not None:
            return closure
        return Closure(closure.function, closure.scope, Instance(self._linker.class_value(owner), None))

    def _round_of(self, node: Function, bound: Bound) -> Closure:
        """The function of a loop; where the tree makes one object of its class, that tells what it was handed."""
        closure = Closure(node, bound.scope.parent or bound.scope, bound.scope.this)
        owner = closure.function.owner
        made = self._linker.instances(owner) if owner is not None and closure.this is None else ()
        if len(made) != 1:
            return self._with_this(closure)
        return Closure(closure.function, closure.scope, made[0][0])

    # ---- while (true) with a pause --------------------------------------------------------------------------

    def sleeps(self, module: Module) -> Iterator[Registration]:
        """The endless loops with a pause."""
        nodes: tuple[Function | Module, ...] = (module, *self._linker.functions(module, "while", "for"))
        for node in nodes:
            for statement in statements(node.body):
                if isinstance(statement, Loop) and self._pauses.is_endless(
                    statement, self._linker.scope_of(node)
                ):
                    yield from self._sleep(statement, node, module)

    def _sleep(self, loop: Loop, node: Function | Module, module: Module) -> Iterator[Registration]:
        pause = self._pauses.of(loop, self._linker.scope_of(node))
        if pause is None:
            return
        reason = self._against(loop, node)
        if reason:
            self._reject(loop, module, reason)
            return
        at = Location(module.path, loop.line, loop.end_line)
        unit = "s" if module.language is Language.PYTHON else "ms"
        works = called_parameters((loop,), self._linker, node)
        armed = armed_by_callers(works, pause, node, self._linker)
        if not armed:
            self._reject(loop, module, "a wrapper that nothing in the tree calls")
        seen: set[tuple[float | None, Location]] = set()
        made: set[tuple[Location, int] | None] = set()
        for bound in armed:
            timing = read_length(self._pauses.of(loop, bound.scope) or pause, unit, self._linker)
            if timing is None:
                continue
            if timing.schedule.interval_seconds is not None and timing.schedule.interval_seconds < _SPIN:
                self._reject(loop, module, "it hardly pauses: it waits for what it asks, round after round")
                continue
            item = bound.chain[-1] if bound.chain else at
            work = handed_work(loop, bound.scope, self._linker) if bound.chain else None
            key = (timing.schedule.interval_seconds, item)
            # One place that makes the object, whoever leads there, is one job.
            again = None if work is None else (bound.chain[0], id(work.function))
            if key in seen or (again is not None and again in made):
                continue
            seen.add(key)
            made.add(again)
            yield Registration(
                loop=loop,
                mode=required_mode(loop, node),
                kind="sleep-loop",
                call=External("", Arguments((), {}), at),
                node=node,
                bound=bound,
                site=item if works else at,
                timing=timing,
                name=command_of(node, self._linker),
                handler=self._round_of(node, bound) if isinstance(node, Function) else module,
                item=item,
                traits={"runner.library": "own", "runner.persistence": "none"},
                work=work,
            )

    def _against(self, loop: Loop, node: Function | Module) -> str:
        """Why an endless loop with a pause is no job; empty where it is one."""
        scope = self._linker.scope_of(node)
        if self._pauses.is_idle(loop, scope):
            return "it only keeps the process alive"
        if self._pauses.waits_instead(loop, scope):
            return "it waits for an order and works only when there is one"
        if self._pauses.awaits_turn(loop, scope):
            return "it waits for its turn, and what it then does is a loop of its own"
        if self._pauses.only_rests(loop, scope):
            return "it only rests for a moment where there is nothing to do: it takes what comes"
        if backs_off(loop):
            return "each round waits longer than the last: it connects again"
        ends = ends_on_success(loop, node, lambda test: holds_by_default(test, scope, self._linker) is False)
        if ends and not self._pauses.goes_on_anew(node):
            return "it waits until a condition holds"
        if self._pauses.waits_for_order(loop, scope):
            return "each round waits for an event, however long that takes"
        if self._pauses.is_fed(loop, scope):
            return "each round waits for an item of a queue, however long that takes"
        if not isinstance(node, Function):
            return ""
        if node.is_async and node.is_generator:
            return "it hands what it finds to whoever iterates over it"
        marker = Call(Name("", loop.line), (), loop.line, loop.line)
        against = judge_interval(marker, node, None, self._linker)
        return against.reason if against is not None else ""

    def _reject(self, node: Call | Loop, module: Module, reason: str) -> None:
        what = "setTimeout" if isinstance(node, Call) else "loop"
        self.rejections.append(Rejection(Location(module.path, node.line, node.end_line), what, reason))


def _names(function: Function) -> Iterator[str]:
    for expr in expressions(function.body):
        if isinstance(expr, Name | Member):
            yield expr.name


def _is_some_left(test: Expr) -> bool:
    """Whether a test asks if something waits: ``this.pending.length > 0``."""
    if isinstance(test, Operation) and test.op == "and":
        return any(_is_some_left(operand) for operand in test.operands)
    if isinstance(test, Operation) and test.op in (">", "!=") and len(test.operands) == 2:
        left, right = test.operands
        return isinstance(right, Const) and right.value == 0 and _is_some_left(left)
    return isinstance(test, Member) and test.name in ("length", "size")
