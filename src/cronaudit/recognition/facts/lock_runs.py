"""A lock as a symbolic run needs it, and what one run has seen."""

from __future__ import annotations

from msgspec import Struct

from cronaudit.model.ir import Expr, With
from cronaudit.model.source import Location
from cronaudit.model.trace import Event
from cronaudit.model.value import Scope
from cronaudit.recognition.facts.lock_state import Held, Key, State


class Guarded(Struct, frozen=True):
    """A lock as the run needs it."""

    event: Event
    """The call that takes it, or makes the context manager that does."""
    block: With | None
    """The block that holds it, where that is one."""
    is_wrapper: bool
    """It is held for the callback that is passed to the call."""
    failure: str
    """``throws``, ``falsy`` or ``waits``: what the caller sees when another holds it."""
    releases: frozenset[int]
    """The orders of the calls that release it."""
    ends: frozenset[int]
    """The orders of the calls at whose end it is given back: of a transaction around it."""
    marks: frozenset[int]
    """The orders by which a function that leads to it is known: of the call, of what is in the block."""


class Block(Struct, frozen=True):
    """A ``with`` block on the way into it."""

    node: With
    position: int
    """How many of its items hold already."""
    scope: Scope

    @property
    def item(self) -> tuple[Expr, Expr | None] | None:
        """What is entered next; None before the body."""
        return self.node.items[self.position] if self.position < len(self.node.items) else None

    @property
    def behind(self) -> Block:
        """The rest of it."""
        return Block(self.node, self.position + 1, self.scope)

    @property
    def key(self) -> Key:
        """Marks the states that have come into the body."""
        return (id(self.node), f"{self.position}:entered")

    def left_by(self, way: str) -> Key:
        """Marks the states that left the body by a statement."""
        return (id(self.node), f"{self.position}:{way}")


class Run(Struct):
    """What one run has seen."""

    reached: dict[Held, set[int]] = {}
    """The orders of the work, by where the lock stood."""
    exits: set[State] = set()
    escaped: bool = False
    """Whether an error leaves the trigger."""
    unsure: Location | None = None
    """A test that asks for the lock's answer in a way that cannot be told."""
    loose: Location | None = None
    """Work that is started under the lock and not awaited."""

    def at(self, *held: Held) -> frozenset[int]:
        """The work that was reached with the lock in one of these places."""
        return frozenset(o for h in held for o in self.reached.get(h, ()))
