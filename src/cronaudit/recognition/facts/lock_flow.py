"""What becomes of the work when a lock is taken, when another holds it, and when its store is down.

The functions between the trigger and the lock are run symbolically, once for each answer of the lock. A test that the
answer decides takes one way, any other both; a call that leads to neither the lock nor its release counts only for
the work in it, which may succeed or fail.
"""

from __future__ import annotations

from cronaudit.model.ir import (
    Assign,
    Break,
    Call,
    Continue,
    Do,
    Expr,
    Function,
    If,
    Loop,
    Opaque,
    Return,
    Stmt,
    Throw,
    Try,
    With,
)
from cronaudit.model.linker import Linker
from cronaudit.model.trace import Event, RegionKind
from cronaudit.model.value import Closure, Scope
from cronaudit.model.walking import inside, statement_expressions, statements
from cronaudit.recognition.facts.lock_runs import Block, Guarded, Run
from cronaudit.recognition.facts.lock_state import Answer, Key, Out, State, Truth, Val, leave
from cronaudit.recognition.facts.lock_values import Values
from cronaudit.recognition.facts.spans import Spans

_ROUNDS = 6
_MOST_STATES = 400
_MOST_STEPS = 40_000


_ENTERED = Truth(value=True, of_lock=False)
_WAYS = ("return", "break", "continue")


class Flow(Values):
    """One symbolic run."""

    def __init__(
        self, spans: Spans, linker: Linker, lock: Guarded, work: frozenset[int], answer: Answer
    ) -> None:
        super().__init__(spans, linker, lock, work, answer)
        self._blocks: list[tuple[Function, Block]] = []
        """The generators that the run is in, each with the block that it holds."""

    def start(self) -> Run:
        """Run from the trigger."""
        root = self._spans.events[0]
        node = root.scope.node
        out = self._block(node.body, root.scope, {State()})
        self.run.escaped = bool(out.throws)
        self.run.exits = out.following | {s for s, _ in out.returns} | out.throws
        return self.run

    # ---- statements ------------------------------------------------------------------------------------------

    def _block(self, body: tuple[Stmt, ...], scope: Scope, states: set[State]) -> Out:
        out = Out()
        current = states
        for statement in body:
            if not current:
                break
            one = self._statement(statement, scope, current)
            out.add(one)
            current = one.following
            if len(current) > _MOST_STATES:
                self._doubt(scope, getattr(statement, "line", 1))
                current = set(sorted(current, key=repr)[:_MOST_STATES])
        out.following = current
        return out

    def _statement(self, s: Stmt, scope: Scope, states: set[State]) -> Out:
        out = Out()
        self._steps += 1
        if self._steps > _MOST_STEPS:
            self._doubt(scope, getattr(s, "line", 1))
            return out
        match s:
            case Assign():
                for state, value in self._all(s.value, scope, states, out):
                    following = state
                    for key in self._variables.keys(s.target, scope):
                        known = value if s.op in ("=", "??", "or", "and") else None
                        following = self._put(following, key, known, s.value, scope)
                    out.following.add(following)
            case Do():
                out.following = {state for state, _ in self._all(s.value, scope, states, out)}
            case If():
                self._if(s, scope, states, out)
            case Loop():
                self._loop(s, scope, states, out)
            case Try():
                self._try(s, scope, states, out)
            case With():
                self._with(s, scope, states, out)
            case Return():
                out.returns = self._all(s.value, scope, states, out)
            case Throw():
                out.throws |= {state for state, _ in self._all(s.value, scope, states, out)}
            case Break():
                out.breaks = set(states)
            case Continue():
                out.continues = set(states)
            case _:
                out.following = set(states)
        return out

    def _if(self, s: If, scope: Scope, states: set[State], out: Out) -> None:
        then: set[State] = set()
        otherwise: set[State] = set()
        releasing = self._releases_in(s, scope)
        for state, value in self._all(s.test, scope, states, out):
            if value is None and releasing:
                # Comparing the token before the release: only its own holder passes.
                then.add(state)
                continue
            if value is None:
                keys = self._keys_in(s.test, scope)
                if state.mentions_lock(keys):
                    self._doubt(scope, s.line)
            if value is None or value.value:
                then.add(state)
            if value is None or not value.value:
                otherwise.add(state)
        for block, entering in ((s.then, then), (s.otherwise, otherwise)):
            one = self._block(block, scope, entering)
            out.add(one)
            out.following |= one.following

    def _releases_in(self, s: If, scope: Scope) -> bool:
        """Whether a branch only compares the token and releases: ``if ((await get(key)) === token) await del(key)``."""
        asks_store = any(isinstance(e, Call) for e in inside(s.test))
        for inner in statements(s.then):
            for root in statement_expressions(inner):
                for e in inside(root):
                    event = self._spans.call_at(e, scope) if isinstance(e, Call) else None
                    if event is not None and event.order in self._lock.releases:
                        return asks_store or event.inside(RegionKind.FINALLY)
        return False

    def _keys_in(self, expr: Expr, scope: Scope) -> frozenset[Key]:
        return frozenset(k for e in inside(expr) if (k := self._variables.key(e, scope)) is not None)

    def _loop(self, s: Loop, scope: Scope, states: set[State], out: Out) -> None:
        """At least one round where the lock is tried inside, any number of rounds elsewhere."""
        entering = {state for state, _ in self._all(s.iterable, scope, states, out)}
        seen: set[State] = set()
        must_run = self._tries_inside(s, scope)
        for round_ in range(_ROUNDS):
            fresh = entering - seen
            if not fresh:
                break
            seen |= fresh
            inner: set[State] = set()
            if s.test is None:
                inner = fresh
                if s.iterable is not None and (round_ > 0 or not must_run):
                    out.following |= fresh
            for state, value in self._all(s.test, scope, fresh, out) if s.test is not None else ():
                known = value.value if value is not None and value.of_lock else None
                if known is not False or (round_ == 0 and must_run and value is None):
                    inner.add(state)
                if known is not True and (round_ > 0 or not must_run):
                    out.following.add(state)
            one = self._block(s.body, scope, inner)
            out.returns |= one.returns
            out.throws |= one.throws
            out.following |= one.breaks
            entering = one.following | one.continues
            if s.update is not None:
                entering = {state for state, _ in self._all(s.update, scope, entering, out)}
        else:
            if s.test is not None or s.iterable is not None:
                out.following |= entering

    def _tries_inside(self, s: Loop, scope: Scope) -> bool:
        for inner in statements(s.body):
            for part in (getattr(inner, "value", None), getattr(inner, "test", None)):
                for e in inside(part) if part is not None else ():
                    event = self._spans.call_at(e, scope) if isinstance(e, Call) else None
                    if event is not None and self._leads_to_lock(event):
                        return True
        return False

    def _leads_to_lock(self, event: Event) -> bool:
        if event.order == self._lock.event.order:
            return True
        enter = self._spans.entered(event)
        return enter is not None and enter.order in self._relevant

    def _try(self, s: Try, scope: Scope, states: set[State], out: Out) -> None:
        body = self._block(s.body, scope, states)
        inner = Out(body.following, body.returns, set(), body.breaks, body.continues)
        open_errors = body.throws
        for handler in s.handlers:
            caught = self._block(handler.body, scope, open_errors)
            inner.add(caught)
            inner.following |= caught.following
            if not handler.types:
                open_errors = set()
        inner.throws |= open_errors
        if not s.final:
            out.add(inner)
            out.following |= inner.following
            return
        for state, value in inner.returns:
            final = self._block(s.final, scope, {state})
            out.add(final)
            out.returns |= {(f, value) for f in final.following}
        self._finish(s, scope, inner.following, out.following, out)
        self._finish(s, scope, inner.throws, out.throws, out)
        self._finish(s, scope, inner.breaks, out.breaks, out)
        self._finish(s, scope, inner.continues, out.continues, out)

    def _finish(self, s: Try, scope: Scope, states: set[State], ends: set[State], out: Out) -> None:
        """Run ``finally`` and go on as the block ended."""
        final = self._block(s.final, scope, states)
        out.add(final)
        ends.update(final.following)

    def _with(self, s: With, scope: Scope, states: set[State], out: Out) -> None:
        if s is not self._lock.block:
            self._held(Block(s, 0, scope), states, out)
            return
        entering: set[State] = set()
        for state in states:
            answered = self._answered(state, out)
            if answered is None:
                continue
            following, truth = answered
            for _value, target in s.items:
                for key in self._variables.keys(target, scope) if target is not None else ():
                    following = following.put(key, truth)
            entering.add(following)
        one = self._block(s.body, scope, entering)
        out.returns |= {(leave(state), value) for state, value in one.returns}
        out.throws |= {leave(state) for state in one.throws}
        out.breaks |= {leave(state) for state in one.breaks}
        out.continues |= {leave(state) for state in one.continues}
        out.following |= {leave(state) for state in one.following}

    # ---- context managers of the project -----------------------------------------------------------------------

    def _held(self, block: Block, states: set[State], out: Out) -> None:
        """Run a block from one of its items on; where that is a generator on the lock's way, inside of it."""
        if block.item is None:
            one = self._block(block.node.body, block.scope, states)
            out.add(one)
            out.following |= one.following
            return
        value, target = block.item
        enter = self._generator(value, block.scope)
        if enter is None:
            current: set[State] = set()
            for state, _known in self._all(value, block.scope, states, out):
                current.add(self._bound(state, target, None, block.scope))
            self._held(block.behind, current, out)
            return
        node = enter.scope.node
        assert isinstance(node, Function)  # noqa: S101 - the event enters one
        self._stack.append(enter.order)
        self._blocks.append((node, block))
        inner = self._block(node.body, enter.scope, states)
        self._blocks.pop()
        self._stack.pop()
        out.throws |= {self._left(s, node) for s in inner.throws}
        for state in inner.following | {s for s, _ in inner.returns}:
            self._resumed(self._left(state, node), block, out)

    def _generator(self, value: Expr, scope: Scope) -> Event | None:
        """The beginning of the generator that makes a context manager, where the lock is taken or released in it."""
        event = self._spans.call_at(value, scope) if isinstance(value, Call) else None
        if event is None or not isinstance(event.callee, Closure) or not event.callee.function.is_generator:
            return None
        enter = self._spans.entered(event)
        if enter is None or enter.order not in self._relevant or enter.order in self._stack:
            return None
        return enter

    def _yielded(self, expr: Opaque, scope: Scope, state: State, out: Out) -> set[tuple[State, Val]]:
        if not self._blocks or self._blocks[-1][0] is not scope.node:
            return self._parts(expr, scope, state, out)
        waiting = self._blocks.pop()
        block = waiting[1]
        found: set[State] = set()
        for value in expr.parts or (None,):
            for after, known in self._all(value, scope, {state}, out):
                target = block.item[1] if block.item is not None else None
                entering = self._bound(after, target, known, block.scope).put(block.key, _ENTERED)
                one = Out()
                self._held(block.behind, {entering}, one)
                out.throws |= one.throws
                found |= one.following
                found |= {s.put(block.left_by("return"), _ENTERED) for s, _ in one.returns}
                found |= {s.put(block.left_by("break"), _ENTERED) for s in one.breaks}
                found |= {s.put(block.left_by("continue"), _ENTERED) for s in one.continues}
        self._blocks.append(waiting)
        return {(s, None) for s in found}

    def _resumed(self, state: State, block: Block, out: Out) -> None:
        """Go on behind the block as its body ended; a generator that has not yielded is an error."""
        if state.get(block.key) is None:
            out.throws.add(state)
            return
        ways = [way for way in _WAYS if state.get(block.left_by(way)) is not None]
        after = state.put(block.key, None)
        for way in ways:
            after = after.put(block.left_by(way), None)
        if "return" in ways:
            out.returns.add((after, None))
        elif "break" in ways:
            out.breaks.add(after)
        elif "continue" in ways:
            out.continues.add(after)
        else:
            out.following.add(after)

    def _bound(self, state: State, target: Expr | None, value: Val, scope: Scope) -> State:
        for key in self._variables.keys(target, scope) if target is not None else ():
            state = state.put(key, value)
        return state
