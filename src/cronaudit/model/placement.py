"""Where the code states what a library's description asks: the places that `cronaudit fix` may write to."""

from __future__ import annotations

from msgspec import Struct

from cronaudit.model.source import Location


class Placement(Struct, frozen=True):
    """A call, decorator or assignment that a description speaks of, for one job."""

    description: str
    """The path of the call as its library file writes it: ``node-cron:schedule``."""
    how: str
    """As in `knowledge.Scheduler`: ``call``, ``decorator``, ``assign``, …"""
    name: str
    """What is called, without what stands before it: ``schedule``."""
    at: Location
    """From the first to the last line; of a decorator that of the function or class under it, too."""
    receiver: Placement | None = None
    """The call that made the object whose method is called."""
