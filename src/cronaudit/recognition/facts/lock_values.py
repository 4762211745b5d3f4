"""What the expressions of a symbolic run come to, and what its calls do to the lock and to the work."""

from __future__ import annotations

from abc import ABC, abstractmethod

from cronaudit.model.ir import (
    Array,
    AssignExpr,
    Await,
    Call,
    Conditional,
    Const,
    Do,
    Expr,
    Function,
    If,
    Member,
    Module,
    Name,
    Object,
    Opaque,
    Operation,
    Spread,
    Stmt,
)
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import Event
from cronaudit.model.value import Closure, External, Scope
from cronaudit.model.walking import children, statements
from cronaudit.recognition.facts.lock_memory import CHAIN, Known, Memory
from cronaudit.recognition.facts.lock_runs import Guarded, Run
from cronaudit.recognition.facts.lock_state import (
    Answer,
    Body,
    Held,
    Key,
    Out,
    State,
    Truth,
    Val,
    combined,
    compared,
    derived,
    leave,
    negated,
)
from cronaudit.recognition.facts.spans import Spans

_CASTS = frozenset(
    ("global:Boolean", "global:Number", "global:String", "builtins.bool", "builtins.int", "builtins.str")
)


class Values(Memory, ABC):
    """Evaluates expressions in one symbolic run; `Flow` adds the statements."""

    def __init__(
        self, spans: Spans, linker: Linker, lock: Guarded, work: frozenset[int], answer: Answer
    ) -> None:
        super().__init__(spans, lock, work)
        self._linker = linker
        self._answer = answer
        self._stack: list[int] = []
        self._steps = 0
        self._known: dict[tuple[int, State], list[Known]] = {}
        self._entered: set[int] = set()
        """The functions that were gone through since somebody last asked."""
        self.run = Run()

    @abstractmethod
    def _block(self, body: tuple[Stmt, ...], scope: Scope, states: set[State]) -> Out:
        """Run statements."""

    @abstractmethod
    def _yielded(self, expr: Opaque, scope: Scope, state: State, out: Out) -> set[tuple[State, Val]]:
        """Run what stands in the block that a generator holds."""

    def _all(self, expr: Expr | None, scope: Scope, states: set[State], out: Out) -> set[tuple[State, Val]]:
        if expr is None:
            return {(state, None) for state in states}
        found: set[tuple[State, Val]] = set()
        if not self._is_inert(expr, scope):
            for state in states:
                found |= self._value(expr, scope, state, out)
            return found
        # What it comes to depends on the variables alone: most expressions, and most ways differ in nothing else.
        values: dict[frozenset[tuple[Key, Truth]], tuple[Val, ...]] = {}
        for state in states:
            known = values.get(state.variables)
            if known is None:
                known = tuple({value for _, value in self._value(expr, scope, state, out)})
                values[state.variables] = known
            found.update((state, value) for value in known)
        return found

    def _answered(self, state: State, out: Out) -> tuple[State, Val] | None:
        """The state and value after the lock has answered; None where it throws or waits for good."""
        if state.held is Held.HELD:
            return state, Truth(value=True, of_lock=True)
        if self._answer is Answer.TAKEN:
            return state.at(Held.HELD), Truth(value=True, of_lock=True)
        if self._answer is Answer.DOWN:
            out.throws.add(state.at(Held.DOWN))
            return None
        if self._lock.failure == "falsy":
            return state.at(Held.DENIED), Truth(value=False, of_lock=True)
        if self._lock.failure == "throws":
            out.throws.add(state.at(Held.DENIED))
        return None

    def _doubt(self, scope: Scope, line: int) -> None:
        self.run.unsure = self.run.unsure or Location(scope.module.path, line)

    # ---- expressions -----------------------------------------------------------------------------------------

    def _value(self, expr: Expr, scope: Scope, state: State, out: Out) -> set[tuple[State, Val]]:
        match expr:
            case Const():
                return {(state, Truth(bool(expr.value), of_lock=False))}
            case Name():
                key = self._variables.key(expr, scope)
                return {(state, state.get(key) if key is not None else None)}
            case Call():
                return self._call(expr, scope, state, out)
            case Await() | Spread():
                return self._value(expr.value, scope, state, out)
            case AssignExpr():
                found: set[tuple[State, Val]] = set()
                for following, value in self._value(expr.value, scope, state, out):
                    assigned = following
                    for key in self._variables.keys(expr.target, scope):
                        known = value if expr.op == "=" else None
                        assigned = self._put(assigned, key, known, expr.value, scope)
                    found.add((assigned, value))
                return found
            case Operation():
                return self._operation(expr, scope, state, out)
            case Conditional():
                found = set()
                for following, test in self._value(expr.test, scope, state, out):
                    if test is None or test.value:
                        found |= self._value(expr.then, scope, following, out)
                    if test is None or not test.value:
                        found |= self._value(expr.otherwise, scope, following, out)
                return found
            case Function():
                return {(state, None)}
            case Opaque() if expr.is_yield:
                return self._yielded(expr, scope, state, out)
            case _:
                return self._parts(expr, scope, state, out)

    def _parts(self, expr: Expr, scope: Scope, state: State, out: Out) -> set[tuple[State, Val]]:
        """An expression by what is in it: a part of an answer, an object that holds it."""
        own = self._variables.key(expr, scope)
        if own is not None:
            return {(state, state.get(own))}
        current: set[tuple[State, Val]] = {(state, None)}
        keeps = derived(expr) or isinstance(expr, Object | Array)
        for child in children(expr):
            following: set[tuple[State, Val]] = set()
            for before, kept in current:
                for after, value in self._value(child, scope, before, out):
                    following.add((after, _stronger(kept, value)))
            current = following
        return current if keeps else {(s, None) for s, _ in current}

    def _operation(self, expr: Operation, scope: Scope, state: State, out: Out) -> set[tuple[State, Val]]:
        if expr.op in ("and", "or", "??"):
            return self._logical(expr, scope, state, out)
        if len(expr.operands) == 1:
            found = self._value(expr.operands[0], scope, state, out)
            return {(s, negated(v)) for s, v in found} if expr.op == "not" else {(s, None) for s, _ in found}
        first, second = expr.operands[0], expr.operands[1]
        result: set[tuple[State, Val]] = set()
        for middle, left in self._value(first, scope, state, out):
            for after, right in self._value(second, scope, middle, out):
                if isinstance(first, Const) and not isinstance(second, Const):
                    result.add((after, compared(expr.op, right, left, first)))
                else:
                    result.add((after, compared(expr.op, left, right, second)))
        return result

    def _logical(self, expr: Operation, scope: Scope, state: State, out: Out) -> set[tuple[State, Val]]:
        current = self._value(expr.operands[0], scope, state, out)
        for operand in expr.operands[1:]:
            following: set[tuple[State, Val]] = set()
            for middle, left in current:
                decides = left is not None and (left.value if expr.op in ("or", "??") else not left.value)
                if decides:
                    following.add((middle, left))
                    continue
                for after, right in self._value(operand, scope, middle, out):
                    following.add((after, right if left is not None else combined(expr.op, left, right)))
            current = following
        return current

    # ---- calls -----------------------------------------------------------------------------------------------

    def _call(self, call: Call, scope: Scope, state: State, out: Out) -> set[tuple[State, Val]]:
        event = self._spans.call_at(call, scope)
        if event is None:
            if isinstance(call.callee, Member) and call.callee.name in CHAIN and call.args:
                return self._chain(call, call.callee, scope, state, out)
            return self._parts(call, scope, state, out)
        casts = isinstance(event.callee, External) and event.callee.path in _CASTS
        current: set[tuple[State, Val]] = {(state, None)}
        for part in (
            call.callee.object if isinstance(call.callee, Member) else None,
            *(a.value for a in call.args),
        ):
            if part is None:
                continue
            # ``wait_for(lock.acquire())``, ``execute(text("SELECT pg_try_…"))``: who is handed the call has its answer.
            handed = part is self._lock.event.call and isinstance(event.callee, External)
            passes = casts or handed or part is getattr(call.callee, "object", None)
            current = {
                (after, value if passes and value is not None and value.of_lock else kept)
                for before, kept in current
                for after, value in self._value(part, scope, before, out)
            }
        found: set[tuple[State, Val]] = set()
        for before, kept in current:
            found |= {(s, v if v is not None else kept) for s, v in self._called(event, before, out)}
        return found

    def _called(self, event: Event, state: State, out: Out) -> set[tuple[State, Val]]:
        if event.order == self._lock.event.order and self._lock.block is None:
            answered = self._answered(state, out)
            if answered is None:
                return set()
            if not self._lock.is_wrapper:
                return {answered}
            if answered[0].held is not Held.HELD:
                return {answered}
            inner = Out()
            found = self._callbacks(event, answered[0], inner)
            out.throws |= {leave(s) for s in inner.throws}
            return {(leave(s), v) for s, v in found}
        if event.order in self._lock.releases:
            return {(leave(state), None)}
        enter = self._spans.entered(event)
        if enter is not None and enter.order in self._relevant:
            if enter.order in self._work:
                self.run.reached.setdefault(state.held, set()).add(enter.order)
            return self._function(enter, state, out)
        if any(c.order in self._relevant for c in self._spans.callbacks(event)):
            if event.order in self._lock.ends:
                inner = Out()
                found = self._callbacks(event, state, inner)
                out.throws |= {leave(s) for s in inner.throws}
                return {(leave(s), v) for s, v in found}
            return {(state, None), *self._callbacks(event, state, out)}
        return self._opaque(event, state, out)

    def _opaque(self, event: Event, state: State, out: Out) -> set[tuple[State, Val]]:
        orders = self._spans.brings_about(event) & self._work
        if not orders:
            return {(state, None)}
        self.run.reached.setdefault(state.held, set()).update(orders)
        self._note_loose(event, state)
        out.throws.add(state.after(Body.FAILED))
        return {(state.after(Body.DONE), None)}

    def _note_loose(self, event: Event, state: State) -> None:
        """Work whose promise nobody keeps outlives the lock."""
        callee = event.callee
        is_async = isinstance(callee, Closure) and callee.function.is_async
        statement = event.statement
        if (
            state.held is Held.HELD
            and is_async
            and not event.awaited
            and isinstance(statement, Do)
            and statement.value is event.call
        ):
            self.run.loose = self.run.loose or event.location

    def _callbacks(self, event: Event, state: State, out: Out) -> set[tuple[State, Val]]:
        entered = self._spans.callbacks(event) or self._passed(event)
        if not entered:
            return self._opaque(event, state, out)
        current: set[tuple[State, Val]] = {(state, None)}
        for enter in entered:
            following: set[tuple[State, Val]] = set()
            for before, _ in current:
                following |= self._function(enter, before, out)
            current = following
        return current

    def _passed(self, event: Event) -> tuple[Event, ...]:
        """The functions passed to a call that the walk had entered before."""
        found: list[Event] = []
        for arg in event.call.args if event.call is not None else ():
            value = self._linker.fold(arg.value, event.scope)
            if isinstance(value, Closure):
                enter = self._spans.enter_of_function(value.function)
                if enter is not None:
                    found.append(enter)
        return tuple(found)

    def _function(self, enter: Event, state: State, out: Out) -> set[tuple[State, Val]]:
        self._entered.add(enter.order)
        if enter.order in self._stack:
            return {(state, None)}
        node = enter.scope.node
        if isinstance(node, Module):
            return {(state, None)}
        # What only the functions around can see stays as it is meanwhile: without it there are far fewer ways to go.
        hidden = frozenset(pair for pair in state.variables if self._is_hidden(pair[0], node))
        if hidden:
            state = State(state.held, state.body, state.variables - hidden)
        known = self._gone_through(enter.order, state)
        if known is None:
            known = self._go_through(enter, node, state)
        self._entered |= known.met
        if not hidden:
            out.throws |= known.throws
            return known.ends
        out.throws |= {s.having(hidden) for s in known.throws}
        return {(s.having(hidden), v) for s, v in known.ends}

    def _go_through(self, enter: Event, node: Function, state: State) -> Known:
        around = self._entered
        self._entered = {enter.order}
        self._stack.append(enter.order)
        inner = self._block(node.body, enter.scope, {state})
        self._stack.pop()
        ends = {
            *((self._left(s, node), None) for s in inner.following),
            *((self._left(s, node), v) for s, v in inner.returns),
        }
        throws = {self._left(s, node) for s in inner.throws}
        met = frozenset(self._entered)
        known = Known(met, met.intersection(self._stack), ends, throws)
        self._known.setdefault((enter.order, state), []).append(known)
        self._entered = around
        return known

    def _gone_through(self, order: int, state: State) -> Known | None:
        """What became of a function from a state, where the same calls of itself are cut that were cut then."""
        for known in self._known.get((order, state), ()):
            if known.met.intersection(self._stack) == known.cut:
                return known
        return None

    def _chain(
        self, call: Call, callee: Member, scope: Scope, state: State, out: Out
    ) -> set[tuple[State, Val]]:
        """``work().then(f).catch(g).finally(h)``, in the order of the promises."""
        inner = Out()
        settled = self._value(callee.object, scope, state, inner)
        failed = inner.throws
        handlers = [a.value for a in call.args]
        if callee.name == "finally":
            done = {(after, v) for s, v in settled for after, _ in self._handler(handlers[0], scope, s, out)}
            out.throws |= {after for s in failed for after, _ in self._handler(handlers[0], scope, s, out)}
            return done
        if callee.name == "catch":
            return settled | {p for s in failed for p in self._handler(handlers[0], scope, s, out)}
        found = {p for s, v in settled for p in self._handler(handlers[0], scope, s, out, v)}
        if len(handlers) > 1:
            return found | {p for s in failed for p in self._handler(handlers[1], scope, s, out)}
        out.throws |= failed
        return found

    def _handler(
        self, expr: Expr, scope: Scope, state: State, out: Out, given: Val = None
    ) -> set[tuple[State, Val]]:
        value = self._linker.fold(expr, scope)
        enter = self._spans.enter_of_function(value.function) if isinstance(value, Closure) else None
        if enter is None:
            return {(state, None)}
        node = enter.scope.node
        before = state
        if given is not None and isinstance(node, Function) and node.params:
            for key in self._variables.keys(node.params[0].target, enter.scope):
                before = before.put(key, given)
        orders = {e.order for e in self._spans.span(enter)} & self._work
        if orders and enter.order not in self._relevant and not self._tests_answer(node):
            self.run.reached.setdefault(before.held, set()).update(orders)
            out.throws.add(before.after(Body.FAILED))
            return {(before.after(Body.DONE), None)}
        return self._function(enter, before, out)

    @staticmethod
    def _tests_answer(node: Function | Module) -> bool:
        return any(isinstance(s, If) for s in statements(node.body))


def _stronger(kept: Val, value: Val) -> Val:
    if kept is None or (value is not None and value.of_lock and not kept.of_lock):
        return value
    return kept
