"""Recipes: what the files in rules/fixes say of one kind of fix, and where each library takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.verdict import Status

Wanted: TypeAlias = "str | int | float | bool | Code | Like | dict[str, Wanted] | None"


class Code(Struct, frozen=True):
    """Source that is written as it stands: ``(Exception,)``."""

    text: str


class Like(Struct, frozen=True):
    """The number that another keyword of the same call states: a first pause like the one that was fixed so far."""

    keyword: str
    otherwise: int
    """What the library takes where the call does not state it."""
    most: int
    """The largest number of which the option can make use."""


class Slot(Struct, frozen=True):
    """Where an option stands: ``args.2.timezone``, ``kwargs.time_limit``, ``receiver.kwargs.timezone``."""

    receivers: int
    """How often ``receiver`` stands in front: the call that made the object whose method is called."""
    argument: int | str
    """The number of an argument, or the name of a keyword."""
    members: tuple[str, ...] = ()
    """Of an object display."""


_SLOT = lazy_regex(r"((?:receiver\.)*)(?:args\.(\d+)|kwargs\.([A-Za-z_]\w*))((?:\.[A-Za-z_$][\w$]*)*)\Z")


def parse_slot(text: str) -> Slot | None:
    """Read a slot; None where the text is none."""
    match = _SLOT.match(text)
    if match is None:
        return None
    argument: int | str = int(match[2]) if match[2] is not None else match[3]
    return Slot(match[1].count("."), argument, tuple(match[4].split(".")[1:]))


class Place(Struct, frozen=True):
    """How one library is told what the fix wants."""

    calls: tuple[str, ...]
    """Paths of calls, as the library's own file describes them."""
    options: tuple[tuple[Slot, Wanted], ...]
    over: tuple[tuple[Slot, tuple[str | int | float | bool | None, ...]], ...] = ()
    """Values that may stand there already and are replaced; any other is left alone."""
    keeps: tuple[Slot, ...] = ()
    """Options that are left as they are where they are set already, and only added where they are not."""
    beside: tuple[tuple[str, str], ...] = ()
    """For a schedule that is assigned to a setting: its name, and that of the setting to assign next to it."""
    value: Wanted = None
    """What is assigned there."""
    needs: tuple[tuple[str, str], ...] = ()
    """Packages with the versions that have the option."""
    note: str = ""
    """Why it takes --unsafe here, whatever `Recipe.safe` says; empty where that decides alone."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind of fix."""

    id: str
    title: str
    """What it does, in a few words for the summary: ``set the time zone``."""
    checks: tuple[str, ...]
    reaches: Status
    """The status that a check must get by it; a fix that misses it is dropped."""
    when: str | None
    """An expression over the facts: what it is for, among the jobs that do not pass."""
    safe: str | bool
    """Whether it keeps what the job does: an expression over the facts, or the same for all."""
    caution: str
    """What it may change, for those that are not safe."""
    places: tuple[Place, ...] = ()
    raises: str | None = None
    """The fact whose number is raised where it is written, instead of an option that is set."""
    to: Wanted = None
    """The number that it becomes."""
    source: str = field(default="", compare=False)
