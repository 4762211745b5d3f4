"""Durations: from the notations that code uses to seconds, and from seconds to words."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Final

from cronaudit.model.schedule import DurationUnit

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
WEEK: Final = 604_800

_UNIT_SECONDS: Final = {
    DurationUnit.MILLISECOND: 0.001,
    DurationUnit.SECOND: 1,
    DurationUnit.MINUTE: MINUTE,
    DurationUnit.HOUR: HOUR,
    DurationUnit.DAY: DAY,
}

# A month is a twelfth of 365 days, as human-interval counts it.
_UNIT_NAMES: Final = {
    1e-9: "ns",
    1e-6: "us µs",
    0.001: "ms msec msecs millisecond milliseconds milli millis",
    1: "s sec secs second seconds",
    MINUTE: "m min mins minute minutes",
    HOUR: "h hr hrs hour hours",
    DAY: "d day days",
    WEEK: "w wk wks week weeks",
    365 * DAY / 12: "mo month months",
    365 * DAY: "y yr yrs year years",
}
UNITS: Final[dict[str, float]] = {
    name: seconds for seconds, names in _UNIT_NAMES.items() for name in names.split()
}
"""Seconds in a unit, by each of its English names and abbreviations, lower case."""

_ONES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBERS: Final[dict[str, float]] = {
    **{name: float(value) for value, name in enumerate(_ONES)},
    **{name: 10.0 * value for value, name in enumerate(_TENS, start=2)},
    **{
        f"{tens}{joint}{ones}": 10.0 * ten + one
        for ten, tens in enumerate(_TENS, start=2)
        for one, ones in enumerate(_ONES[1:10], start=1)
        for joint in ("-", " ")
    },
    "hundred": 100.0,
    "a": 1.0,
    "an": 1.0,
    "half": 0.5,
    "half a": 0.5,
    "half an": 0.5,
}
"""Numbers in English, up to what people write in schedules."""


def alternatives(words: dict[str, float]) -> str:
    """A regular expression for any of the words, longest first so that "min" does not hide "minutes"."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


@cache
def _part() -> re.Pattern[str]:
    number = rf"\d+(?:\.\d+)?|\.\d+|(?:{alternatives(NUMBERS)})(?=[\s-])"
    return re.compile(rf"({number})[\s_-]*({alternatives(UNITS)})(?![a-zµ])")


@cache
def _iso() -> re.Pattern[str]:
    amount = r"(\d+(?:[.,]\d+)?)"
    return re.compile(
        rf"P(?=.)(?:{amount}W)?(?:{amount}D)?(?:T(?=.)(?:{amount}H)?(?:{amount}M)?(?:{amount}S)?)?"
    )


def parse_iso_duration(text: str) -> float | None:
    """Seconds of an ISO 8601 duration. None for years and months too, which have no fixed length."""
    match = _iso().fullmatch(text.strip().upper())
    if match is None:
        return None
    amounts = [float(group.replace(",", ".")) if group else 0.0 for group in match.groups()]
    return sum(amount * unit for amount, unit in zip(amounts, (WEEK, DAY, HOUR, MINUTE, 1), strict=True))


def parse_duration(text: str, default_unit: DurationUnit | None) -> float | None:
    """Seconds of "5m", "1h30m", "2 days", "three days and 4 hours", "PT5M", or a bare number in `default_unit`.

    None for what is no duration as a whole, for a negative one, and for a bare number without a default unit.
    """
    wanted = " ".join(text.lower().split())
    if re.fullmatch(r"\d+(?:\.\d+)?(?:e\d+)?|\d{1,3}(?:_\d{3})+", wanted):
        return None if default_unit is None else _tidy(float(wanted) * _UNIT_SECONDS[default_unit])
    if wanted.startswith("p"):
        return parse_iso_duration(wanted)
    wanted = wanted.removeprefix("every ")
    if not re.match(r"[a-zµ\d.]", wanted):
        return None
    total, position = 0.0, 0
    while position < len(wanted):
        match = _part().match(wanted, position)
        if match is None:
            named = UNITS.get(wanted) if position == 0 and len(wanted) > 1 else None
            return _tidy(named) if named is not None else None
        number = NUMBERS.get(match[1])
        total += (float(match[1]) if number is None else number) * UNITS[match[2]]
        joint = re.compile(r"(?:\s*,\s*|\s+)?(?:and\s+)?").match(wanted, match.end())
        position = joint.end() if joint else match.end()
    return _tidy(total) if wanted else None


def _tidy(seconds: float) -> float:
    # 0.001 has no exact binary form: 300000 ms must come out as 300, not 300.00000000000006.
    return round(seconds, 9)


_WORD_UNITS: Final = ((DAY, "day"), (HOUR, "h"), (MINUTE, "min"), (1, "s"))


def duration_words(seconds: float) -> str:
    """Compact words for evidence: "45s", "5min", "1h 30min", "2 days", "150ms"."""
    if not math.isfinite(seconds):
        return "unbounded"
    if seconds < 0:
        return f"-{duration_words(-seconds)}"
    if seconds == 0:
        return "0s"
    if seconds < 1:
        return f"{round(seconds * 1000, 3):g}ms"
    rest = round(seconds, 3)
    parts: list[str] = []
    for size, name in _WORD_UNITS:
        amount: float = rest if size == 1 else rest // size
        rest = round(rest - amount * size, 3)
        if amount:
            plural = f" {name}" if amount == 1 else f" {name}s"
            parts.append(f"{amount:.10g}{plural if name == 'day' else name}")
    return " ".join(parts)


_EVERY_UNITS: Final = ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second"))


def interval_words(seconds: float) -> str:
    """Words for an interval between runs: "every minute", "every 90 seconds", "every 2 days"."""
    if seconds <= 0 or not math.isfinite(seconds):
        return "without a pause"
    for size, name in _EVERY_UNITS:
        amount = seconds / size
        if amount == int(amount):
            return f"every {name}" if amount == 1 else f"every {int(amount)} {name}s"
    if seconds < 1:
        return f"every {seconds * 1000:.6g} milliseconds"
    return f"every {seconds:.10g} seconds"
