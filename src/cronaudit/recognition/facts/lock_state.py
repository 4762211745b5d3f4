"""The states of a symbolic run around a lock, and what an expression says about the lock's answer."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from cronaudit.model.ir import (
    Array,
    Assign,
    AssignExpr,
    Const,
    Expr,
    Function,
    Index,
    Member,
    Module,
    Name,
    Object,
    This,
    With,
)
from cronaudit.model.source import Language
from cronaudit.model.value import Scope
from cronaudit.model.walking import statements

Key: TypeAlias = tuple[int, str]
"""A variable: the function that declares it (0 for ``this``) and its name."""


class Answer(StrEnum):
    """What the lock's store says in one run."""

    TAKEN = "taken"
    DENIED = "denied"
    """Somebody else holds it."""
    DOWN = "down"
    """The store does not answer: the call throws."""


class Held(StrEnum):
    """Where the lock stands."""

    IDLE = "idle"
    HELD = "held"
    DENIED = "denied"
    DOWN = "down"
    RELEASED = "released"


class Body(StrEnum):
    """Where the work stands."""

    NOT_RUN = "not-run"
    DONE = "done"
    FAILED = "failed"


class Truth(Struct, frozen=True):
    """Whether a value is truthy, as far as the lock's answer or a literal decides it."""

    value: bool
    of_lock: bool
    """It comes from the lock's answer, not from a literal."""


Val: TypeAlias = "Truth | None"


class State(Struct, frozen=True):
    """One way in which the code may have come here."""

    held: Held = Held.IDLE
    body: Body = Body.NOT_RUN
    variables: frozenset[tuple[Key, Truth]] = frozenset()

    def get(self, key: Key) -> Val:
        """What is known of a variable."""
        return next((v for k, v in self.variables if k == key), None)

    def put(self, key: Key, value: Val) -> State:
        """The state after an assignment."""
        rest = frozenset(p for p in self.variables if p[0] != key)
        return State(self.held, self.body, rest if value is None else rest | {(key, value)})

    def at(self, held: Held) -> State:
        """The state with the lock elsewhere."""
        return State(held, self.body, self.variables)

    def after(self, body: Body) -> State:
        """The state after the work."""
        return State(self.held, body, self.variables)

    def without(self, function: int, kept: frozenset[str]) -> State:
        """The state without the variables of a function, except those of some names."""
        rest = frozenset(p for p in self.variables if p[0][0] != function or p[0][1] in kept)
        return self if len(rest) == len(self.variables) else State(self.held, self.body, rest)

    def having(self, variables: frozenset[tuple[Key, Truth]]) -> State:
        """The state with variables that it did not have."""
        return State(self.held, self.body, self.variables | variables)

    def mentions_lock(self, keys: frozenset[Key]) -> bool:
        """Whether a variable among `keys` holds the lock's answer."""
        return any(k in keys and v.of_lock for k, v in self.variables)


class Out(Struct):
    """How a piece of code ends, each way with its states."""

    following: set[State] = set()
    returns: set[tuple[State, Val]] = set()
    throws: set[State] = set()
    breaks: set[State] = set()
    continues: set[State] = set()

    def add(self, other: Out) -> None:
        """Take over how another piece ends early; what follows it is the caller's."""
        self.returns |= other.returns
        self.throws |= other.throws
        self.breaks |= other.breaks
        self.continues |= other.continues


class Variables:
    """Which function declares a name."""

    def __init__(self) -> None:
        self._declared: dict[int, frozenset[str]] = {}
        self._functions: dict[int, Function] = {}

    def owner(self, key: Key) -> Function | None:
        """The function that declares a variable; None for one of a module or of ``this``."""
        return self._functions.get(key[0])

    def key(self, expr: Expr, scope: Scope) -> Key | None:
        """The variable that an expression is; None where it is none."""
        if isinstance(expr, Member) and isinstance(expr.object, This):
            return (0, expr.name)
        if not isinstance(expr, Name):
            return None
        current: Scope | None = scope
        while current is not None:
            if expr.name in self._names(current.node):
                return (id(current.node), expr.name)
            current = current.parent
        return None

    def keys(self, target: Expr, scope: Scope) -> tuple[Key, ...]:
        """The variables that a target assigns."""
        return tuple(k for leaf in _leaves(target) if (k := self.key(leaf, scope)) is not None)

    def _names(self, node: Function | Module) -> frozenset[str]:
        found = self._declared.get(id(node))
        if found is None:
            module = node if isinstance(node, Module) else node.module
            python = module.language is Language.PYTHON
            names = {
                leaf.name
                for s in statements(node.body)
                if isinstance(s, Assign) and (s.declares or python)
                for leaf in _leaves(s.target)
                if isinstance(leaf, Name)
            }
            names |= {
                leaf.name
                for s in statements(node.body)
                if isinstance(s, With)
                for _, target in s.items
                if target is not None
                for leaf in _leaves(target)
                if isinstance(leaf, Name)
            }
            if isinstance(node, Function):
                self._functions[id(node)] = node
                names |= {
                    leaf.name for p in node.params for leaf in _leaves(p.target) if isinstance(leaf, Name)
                }
            found = self._declared[id(node)] = frozenset(names)
        return found


def _leaves(target: Expr) -> tuple[Expr, ...]:
    if isinstance(target, Array):
        return tuple(leaf for item in target.items for leaf in _leaves(item))
    if isinstance(target, Object):
        return tuple(leaf for entry in target.entries for leaf in _leaves(entry.value))
    if isinstance(target, AssignExpr):
        return _leaves(target.target)
    return (target,)


def leave(state: State) -> State:
    """The state after a release."""
    return state.at(Held.RELEASED) if state.held is Held.HELD else state


# ---- tests -----------------------------------------------------------------------------------------------------


def negated(value: Val) -> Val:
    """``not value``."""
    return None if value is None else Truth(not value.value, value.of_lock)


def compared(op: str, left: Val, right: Val, constant: Expr | None) -> Val:
    """``value op constant``: what a comparison says, where one side is a literal.

    The answer of a lock is one of two: ``=== 'OK'``, ``=== 1``, ``!= null`` and ``> 0`` all ask whether it was taken.
    """
    if left is None or not isinstance(constant, Const) or right is None:
        return None
    if op in ("==", "is", "in"):
        return left if right.value else negated(left)
    if op in ("!=", "is not"):
        return negated(left) if right.value else left
    if not left.of_lock or not isinstance(constant.value, int | float):
        return None
    if (op == ">" and constant.value == 0) or (op == ">=" and constant.value == 1):
        return left
    if (op == "<" and constant.value == 1) or (op == "<=" and constant.value == 0):
        return negated(left)
    return None


def combined(op: str, left: Val, right: Val) -> Val:
    """``left and right``, ``left or right`` where both were evaluated."""
    if op == "and":
        if (left is not None and not left.value) or (right is not None and not right.value):
            return left if left is not None and not left.value else right
        return None if left is None or right is None else right
    if (left is not None and left.value) or (right is not None and right.value):
        return left if left is not None and left.value else right
    return None if left is None or right is None else right


def derived(expr: Expr) -> bool:
    """Whether an expression's truth is that of what it takes a part of."""
    return isinstance(expr, Member | Index)
