"""A number that is raised where it is written: in its own unit and style, and the comment behind it with it."""

from __future__ import annotations

import math
import re
from typing import Final

from msgspec import Struct

from cronaudit.fix.edits import NotFixableError
from cronaudit.lazy_regex import lazy_regex

_UNITS: Final = {
    "ms": 0.001,
    "millisecond": 0.001,
    "milliseconds": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "secs": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "m": 60.0,
    "min": 60.0,
    "mins": 60.0,
    "minute": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "hours": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
    "days": 86400.0,
}
_PRODUCT: Final = lazy_regex(r"\d[\d_]*(?:\s*\*\s*\d[\d_]*)*\Z")
_FACTOR: Final = lazy_regex(r"\d[\d_]*")
_QUOTED: Final = lazy_regex(r"(['\"])(\d+)(\s*)([a-z]*)\1\Z", re.IGNORECASE)
_AMOUNT: Final = lazy_regex(
    r"(\d+(?:\.\d+)?)([\s-]*)(" + "|".join(sorted(_UNITS, key=len, reverse=True)) + r")\b"
)
_COMMENT: Final = lazy_regex(r"[\s,;)\]}]*(?://|#|/\*)")
_TELLS_AMOUNT: Final = lazy_regex(
    r"(?:^|_|(?<=[a-z]))(?:\d+|one|two|three|four|five|six|ten|fifteen|twenty|thirty|sixty|half)_?"
    r"(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|days?)(?:_|$)|(?:seconds?|minutes?|hours?|days?)_\d+",
    re.IGNORECASE,
)
_NEARLY: Final = 1e-6
_STEPS: Final = ((600, 60), (10, 5))
"""Whole minutes from ten minutes on, five seconds from ten seconds on: what a person would write."""


class Number(Struct, frozen=True):
    """A number as written."""

    text: str
    name: str
    """The option, key or variable that it is given to; empty where there is none."""
    start: int
    end: int
    rest: str
    """What stands behind it on its line."""
    node: object = None
    """Its node, for an editor that has no offsets."""


def matching(numbers: list[Number], seconds: float, unit: str, option: str | None) -> tuple[Number, float]:
    """The one number that states a duration, and what one of it is in seconds. Raises NotFixableError."""
    found = [
        (number, factor)
        for number in numbers
        if (factor := _factor(number, unit)) is not None
        and abs(_amount(number.text) * factor - seconds) < _NEARLY * max(seconds, 1.0)
    ]
    if len(found) > 1:
        found = [one for one in found if one[0].name == option]
    if len(found) != 1:
        raise NotFixableError("the number is not written where it is used, or more than once")
    if _TELLS_AMOUNT.search(found[0][0].name):
        raise NotFixableError(f"the name {found[0][0].name} states the amount itself")
    return found[0]


def raised(number: Number, factor: float, seconds: float) -> str:
    """The text of a number that comes to at least that many seconds."""
    step = next((step for least, step in _STEPS if seconds >= least), 1)
    wanted = math.ceil(seconds / step) * step
    quoted = _QUOTED.match(number.text)
    if quoted is not None:
        return f"{quoted[1]}{math.ceil(wanted / factor)}{quoted[3]}{quoted[4]}{quoted[1]}"
    first = _FACTOR.match(number.text)
    assert first is not None  # noqa: S101 - `matching` has read it
    others = _amount(number.text) / int(first[0].replace("_", ""))
    amount = math.ceil(round(wanted / (others * factor), 6))
    grouped = "_" in first[0] or ("_" in number.text and amount >= 10_000)
    return (f"{amount:_}" if grouped else str(amount)) + number.text[first.end() :]


def comment_of(rest: str, old: float, new: float) -> tuple[int, int, str] | None:
    """What to write for an amount in the comment behind a number: its range in `rest`, and the new text."""
    begin = _COMMENT.match(rest)
    if begin is None:
        return None
    for amount in _AMOUNT.finditer(rest, begin.end()):
        factor = _UNITS[amount[3]]
        if abs(float(amount[1]) * factor - old) > _NEARLY * max(old, 1.0):
            continue
        value = new / factor
        unit = amount[3]
        if len(unit) > len("mins") and not unit.endswith("s") and value != 1:
            unit += "s"
        return amount.start(), amount.end(), f"{value:g}{amount[2]}{unit}"
    return None


def seconds_of(text: str, factor: float) -> float:
    """What a number comes to."""
    return _amount(text) * factor


def _factor(number: Number, unit: str) -> float | None:
    """What one of a number is in seconds; None where it is no number."""
    quoted = _QUOTED.match(number.text)
    if quoted is not None:
        return _UNITS.get(quoted[4].lower()) if quoted[4] else _UNITS.get(unit)
    if _PRODUCT.match(number.text) is None:
        return None
    return _UNITS.get(unit) or _UNITS.get(number.name.lower())


def _amount(text: str) -> float:
    quoted = _QUOTED.match(text)
    if quoted is not None:
        return float(quoted[2])
    return math.prod(int(factor.replace("_", "")) for factor in _FACTOR.findall(text))
