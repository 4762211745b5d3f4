"""One call of a library that computes a value, with what its description says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from cronaudit.knowledge.selectors import Force, first, parse_selector
from cronaudit.model.ir import Call, Scalar
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, External, Known, Value


class Folder(Protocol):
    """The linker's folder, as far as it is needed here."""

    @property
    def force(self) -> Force:
        """A value that is not lazy."""

    def apply(self, callee: Value, args: Arguments, call: Call | None, at: Location | None) -> Value:
        """The result of a call."""


class Fold(Struct, frozen=True):
    """One call to be folded."""

    call: External
    """The callee with the arguments of this call and the object whose method it is."""
    force: Force
    settings: Mapping[str, Scalar]
    """What the library file says under ``with``."""
    value: Scalar
    at: Location | None
    apply: Callable[[Value], Value]
    """Calls a folded function without arguments."""

    def selected(self, setting: str, default: str | None = None) -> Value | None:
        """The value that the selectors under a setting find: ``args.0 | kwargs.run_every``, the first counts."""
        text = self.settings.get(setting, default)
        if text is None:
            return None
        return first((parse_selector(one) for one in str(text).split(" | ")), self.call, self.force)

    def zoned(self, expression: str) -> str | None:
        """The expression with the zone under ``timezone`` in front; None where that zone is open and has to be told."""
        zone = self.selected("timezone")
        if zone is None or (self.settings.get("zone") == "optional" and not isinstance(zone, Known)):
            return expression
        if isinstance(zone, Known) and isinstance(zone.value, str):
            return f"CRON_TZ={zone.value} {expression}"
        return None
