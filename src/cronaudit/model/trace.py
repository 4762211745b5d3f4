"""What the walk down from a trigger saw, in the order of the code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from cronaudit.model.ir import Call, Handler, If, Loop, Stmt, Try, With
from cronaudit.model.source import Location
from cronaudit.model.value import External, Scope, Value


class RegionKind(StrEnum):
    """What surrounds a piece of code."""

    TRY = "try"
    CATCH = "catch"
    FINALLY = "finally"
    LOOP = "loop"
    THEN = "then"
    ELSE = "else"
    WITH = "with"
    CALLBACK = "callback"
    """Inside a function that was passed to the call of `Region.info`."""


@dataclass(slots=True, eq=False)
class Region:
    """One surrounding construct; `parent` is the next one out, across function calls."""

    kind: RegionKind
    node: If | Loop | Try | With | Call | Stmt | None
    parent: Region | None
    info: Handler | Event | None = None
    """The handler of a CATCH, the call of a CALLBACK or WITH."""
    kinds: frozenset[RegionKind] = field(init=False, repr=False)
    """Its kind, and those of what is around it."""

    def __post_init__(self) -> None:
        around: frozenset[RegionKind] = frozenset() if self.parent is None else self.parent.kinds
        self.kinds = around if self.kind in around else around | {self.kind}

    def outward(self) -> Iterator[Region]:
        """This region and those around it, inner first."""
        current: Region | None = self
        while current is not None:
            yield current
            current = current.parent


class EventKind(StrEnum):
    """What happened."""

    ENTER = "enter"
    """A function of the project begins."""
    CALL = "call"
    LOOP = "loop"
    THROW = "throw"
    RETURN = "return"


class Event(Struct, eq=False):
    """One thing on the way."""

    kind: EventKind
    order: int
    """Position in the trace."""
    call: Call | None
    callee: Value | None
    """Of a CALL what is called; of an ENTER the function."""
    scope: Scope
    """To fold its arguments in."""
    region: Region | None
    path: tuple[str, ...]
    """The symbols from the trigger to here."""
    location: Location
    statement: Stmt | None
    awaited: bool = False
    """Whether the result is awaited, returned or gathered, so that a rejection reaches what surrounds it."""
    passed: bool = False
    """The function is not called here but handed over (``.catch(console.error)``)."""

    @property
    def external(self) -> str | None:
        """The path of the called symbol, where it lies outside the tree."""
        return self.callee.path if isinstance(self.callee, External) else None

    def regions(self) -> Iterator[Region]:
        """What surrounds it, inner first."""
        return iter(()) if self.region is None else self.region.outward()

    def inside(self, kind: RegionKind) -> bool:
        """Whether a region of that kind surrounds it."""
        return self.region is not None and kind in self.region.kinds


class Trace(Struct, frozen=True):
    """The whole walk of one job."""

    events: tuple[Event, ...] = ()
    complete: bool = True
    cut: str = ""
    """Why it is not complete."""
    functions: tuple[Location, ...] = ()
    """The functions entered."""
