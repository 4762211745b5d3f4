"""An option that a fix sets, and what may stand there before."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.fix.edits import NotFixableError
from cronaudit.fix.recipe import Wanted


class Option(Struct, frozen=True):
    """One option of one argument."""

    members: tuple[str, ...]
    """Where it stands inside the argument; empty where the argument itself is meant."""
    value: Wanted
    over: tuple[str | int | float | bool | None, ...] = ()
    """Values that may be replaced."""
    keeps: bool = False
    """Whether a value that stands there already is left as it is."""

    def inside(self) -> Option:
        """The same, seen from one member further in."""
        return replace(self, members=self.members[1:])


def nested(options: tuple[Option, ...]) -> dict[str, Wanted]:
    """Options by the members that lead to them, as one display. Raises NotFixableError."""
    found: dict[str, Wanted] = {}
    for option in options:
        inner = found
        for member in option.members[:-1]:
            deeper = inner.setdefault(member, {})
            if not isinstance(deeper, dict):
                raise NotFixableError(f"{member} is set twice")
            inner = deeper
        inner[option.members[-1]] = option.value
    return found
