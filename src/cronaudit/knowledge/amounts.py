"""Amounts with units, as calls of libraries state them: ``timedelta(minutes=5)``, ``duration(5, 'minutes')``."""

from __future__ import annotations

from collections.abc import Mapping

from cronaudit.model.value import Known, Value
from cronaudit.schedule.durations import UNITS

SECONDS_OF = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_EXTRA = {"microsecond": 1e-6, "microseconds": 1e-6, "us": 1e-6}


def summed(fields: Mapping[str, Value]) -> float | None:
    """Seconds of amounts by the names of units; None where one of them is open or no unit."""
    total = 0.0
    found = False
    for name, value in fields.items():
        scale = UNITS.get(name.lower(), _EXTRA.get(name.lower()))
        amount = number_of(value)
        if scale is None or amount is None:
            if isinstance(value, Known) and not value.value:
                continue
            return None
        total += amount * scale
        found = True
    return tidy(total) if found else None


def number_of(value: Value | None) -> float | None:
    """The number that a value is; None where it is none, or open."""
    if not isinstance(value, Known) or isinstance(value.value, bool):
        return None
    return float(value.value) if isinstance(value.value, int | float) else None


def tidy(number: float) -> int | float:
    """A number without what floating point adds."""
    # 0.3 * 1000 is 299.99…: what is whole in decimal must come out whole.
    rounded = round(number, 9)
    return int(rounded) if rounded.is_integer() else rounded


def unit_of(seconds: float) -> str | None:
    """The unit of that many seconds."""
    return next((unit for unit, size in SECONDS_OF.items() if size == seconds), None)
