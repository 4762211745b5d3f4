"""What a symbolic run keeps of its way: the fewer ways differ, the fewer there are to go."""

from __future__ import annotations

from msgspec import Struct

from cronaudit.model.ir import AssignExpr, Call, Expr, Function, Member, Name, Opaque
from cronaudit.model.value import Scope
from cronaudit.model.walking import expressions, functions_in, inside
from cronaudit.recognition.facts.lock_runs import Guarded
from cronaudit.recognition.facts.lock_state import Key, State, Val, Variables
from cronaudit.recognition.facts.spans import Spans

CHAIN = ("then", "catch", "finally")


class Known(Struct, frozen=True):
    """What became of a function from a state."""

    met: frozenset[int]
    """The functions that the run came to, itself among them."""
    cut: frozenset[int]
    """Those of them that it was in already, and did not enter again."""
    ends: set[tuple[State, Val]]
    throws: set[State]


class Memory:
    """What matters for one lock: the functions that lead to it, the variables that may tell of it."""

    def __init__(self, spans: Spans, lock: Guarded, work: frozenset[int]) -> None:
        self._spans = spans
        self._lock = lock
        self._work = work
        self._variables = Variables()
        self._kept: dict[int, frozenset[str]] = {}
        self._inert: dict[tuple[Expr, Scope], bool] = {}
        self._keys = lock.marks | lock.releases
        self._relevant = self._leading_functions()
        self._near = self._around_lock()

    def _leading_functions(self) -> frozenset[int]:
        """The entered functions on whose way the lock or its release lies."""
        found = {
            e.order for e in self._spans.functions() if self._keys & {o.order for o in self._spans.span(e)}
        }
        for event in self._spans.functions():
            calls = (self._spans.entered(o) for o in self._spans.span(event) if o.call is not None)
            if any(c is not None and c.order in found for c in calls):
                found.add(event.order)
        return frozenset(found)

    def _around_lock(self) -> frozenset[int]:
        """The functions in which the lock is taken or released, and those around them: whose flags tell of it."""
        found: set[int] = set()
        for event in self._spans.events:
            if event.order in self._keys:
                found.update(id(scope.node) for scope in event.scope.outward())
        return frozenset(found)

    # ---- variables ----------------------------------------------------------------------------------------------

    def _put(self, state: State, key: Key, value: Val, written: Expr | None, scope: Scope) -> State:
        """The state after an assignment; counters and flags far from the lock would only multiply the states."""
        is_far = value is not None and not value.of_lock and key[0] and key[0] not in self._near
        if is_far and written is not None and self._is_written_out(written, scope, state):
            return state.put(key, None)
        return state.put(key, value)

    def _is_written_out(self, expr: Expr, scope: Scope, state: State) -> bool:
        """Whether a value is that of literals alone: nothing of it is called, or known of a variable."""
        return not any(
            isinstance(e, Call) or self._known_of(e, scope, state) is not None for e in inside(expr)
        )

    def _known_of(self, expr: Expr, scope: Scope, state: State) -> Val:
        key = self._variables.key(expr, scope)
        return None if key is None else state.get(key)

    def _left(self, state: State, node: Function) -> State:
        """A state at the end of a function: its variables are gone, but for those that its own functions keep."""
        return state.without(id(node), self._asked_inside(node))

    def _asked_inside(self, node: Function) -> frozenset[str]:
        """The names that the functions inside a function mention."""
        kept = self._kept.get(id(node))
        if kept is None:
            inner = (e for f in functions_in(node) for e in expressions(f.body))
            kept = self._kept[id(node)] = frozenset(e.name for e in inner if isinstance(e, Name))
        return kept

    def _is_hidden(self, key: Key, node: Function) -> bool:
        """Whether a variable is of another function, and no function inside that one asks for it."""
        owner = self._variables.owner(key)
        return owner is not None and owner is not node and key[1] not in self._asked_inside(owner)

    # ---- expressions that change nothing ------------------------------------------------------------------------

    def _is_inert(self, expr: Expr, scope: Scope) -> bool:
        """Whether evaluating an expression changes nothing: no variable, no lock, none of the work."""
        key = (expr, scope)
        known = self._inert.get(key)
        if known is None:
            known = self._inert[key] = all(self._changes_nothing(e, scope) for e in inside(expr))
        return known

    def _changes_nothing(self, expr: Expr, scope: Scope) -> bool:
        if isinstance(expr, AssignExpr) or (isinstance(expr, Opaque) and expr.is_yield):
            return False
        if not isinstance(expr, Call):
            return True
        event = self._spans.call_at(expr, scope)
        if event is None:
            return not (isinstance(expr.callee, Member) and expr.callee.name in CHAIN and expr.args)
        if event.order == self._lock.event.order or event.order in self._lock.releases:
            return False
        entered = (self._spans.entered(event), *self._spans.callbacks(event))
        if any(enter is not None and enter.order in self._relevant for enter in entered):
            return False
        return not self._spans.brings_about(event) & self._work
