"""The grammar of one cron field, for all dialects."""

from __future__ import annotations

import re
from enum import Enum, StrEnum
from itertools import pairwise
from typing import Final

from msgspec import Struct

from cronaudit.model.schedule import ScheduleError


class FieldName(StrEnum):
    """A field, under the name that messages give it."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day of month"
    MONTH = "month"
    WEEKDAY = "day of week"
    YEAR = "year"


LIMITS: Final = {
    FieldName.SECOND: (0, 59),
    FieldName.MINUTE: (0, 59),
    FieldName.HOUR: (0, 23),
    FieldName.DAY: (1, 31),
    FieldName.MONTH: (1, 12),
    FieldName.WEEKDAY: (0, 6),
    FieldName.YEAR: (1970, 2199),
}
"""First and last canonical value; Sunday is 0."""

MONTHS: Final = (
    "january february march april may june july august september october november december".split()
)
WEEKDAYS: Final = "sunday monday tuesday wednesday thursday friday saturday".split()


class WeekdayCount(Enum):
    """Where a dialect starts to count the days of the week."""

    SUNDAY_0 = 0
    """0 to 7; 0 and 7 are Sunday."""
    SUNDAY_1 = 1
    """1 to 7: Quartz, AWS."""
    MONDAY_0 = 2
    """0 to 6: APScheduler."""


_SUNDAY_0: Final = WeekdayCount.SUNDAY_0


class FieldGrammar(Struct, frozen=True):
    """What a dialect allows within fields."""

    weekday_count: WeekdayCount = _SUNDAY_0
    first_month: int = 1
    wraps: bool = False
    """Whether a range may pass the end of its field: `22-2`, `FRI-MON`."""
    day_terms: bool = False
    """Whether `L`, `W` and `#` are known."""
    question_mark: bool = False


class FieldValue(Struct, frozen=True):
    """What a field selects."""

    text: str
    """Canonical: numbers only, Sunday is 0, `*` for every value."""
    values: tuple[int, ...]
    terms: tuple[str, ...] = ()
    """What depends on the month: `L`, `15W`, `1#2`."""
    starred: bool = False
    """Whether it is written with a leading star: crontab(5) then treats the day fields differently."""

    @property
    def restricted(self) -> bool:
        return self.text != "*"


class FieldFault(Exception):  # noqa: N818 - never leaves the package: normalise turns it into a ScheduleError
    """Carries the error out of the nested grammar."""

    def __init__(self, field: str, value: str, message: str) -> None:
        super().__init__(message)
        self.error = ScheduleError(field, value, message)


def parse_field(text: str, name: FieldName, grammar: FieldGrammar) -> FieldValue:
    """Raises `FieldFault` with the part at fault."""
    reader = _FieldReader(name, grammar)
    texts: list[str] = []
    values: set[int] = set()
    terms: list[str] = []
    for part in text.lower().split(","):
        if not part:
            raise FieldFault(name, text, f"{text!r} has an empty element")
        special = reader.special(part)
        if special is not None:
            terms.append(special)
            texts.append(special)
            continue
        chosen = reader.plain(part)
        values.update(chosen)
        texts.append(reader.canonical(part, chosen))
    first, last = LIMITS[name]
    if len(values) == last - first + 1:
        return FieldValue("*", tuple(sorted(values)), (), starred=text.startswith("*"))
    return FieldValue(",".join(texts), tuple(sorted(values)), tuple(terms), starred=text.startswith("*"))


class _FieldReader:
    def __init__(self, name: FieldName, grammar: FieldGrammar) -> None:
        self._name = name
        self._grammar = grammar
        self._first, self._last = LIMITS[name]

    def special(self, part: str) -> str | None:
        """The canonical form of a term that depends on the month, or None."""
        if not self._grammar.day_terms:
            return None
        if self._name is FieldName.DAY:
            return self._special_day(part)
        if self._name is FieldName.WEEKDAY:
            return self._special_weekday(part)
        return None

    def _special_day(self, part: str) -> str | None:
        if part in ("l", "lw", "wl"):
            return "L" if part == "l" else "LW"
        if match := re.fullmatch(r"l-(\d+)", part):
            if not 1 <= int(match[1]) <= 30:
                raise FieldFault(self._name, part, f"{match[1]} days before the last is outside 1-30")
            return f"L-{int(match[1])}"
        if match := re.fullmatch(r"(\d+)w", part):
            return f"{self._value(match[1])}W"
        return None

    def _special_weekday(self, part: str) -> str | None:
        if match := re.fullmatch(r"(\w+)#(\w+)", part):
            if match[2] == "l":
                return f"{self._value(match[1])}L"
            if match[2] not in tuple("12345"):
                raise FieldFault(self._name, part, f"{match[2]} in {part!r} is outside 1-5")
            return f"{self._value(match[1])}#{match[2]}"
        if part != "l" and (match := re.fullmatch(r"(\d|[a-z]+)l", part)):
            return f"{self._value(match[1])}L"
        return None

    def plain(self, part: str) -> tuple[int, ...]:
        """The values of `*`, `5`, `1-5`, `*/5`, `1-5/2`, `5/15`, in the order that they are counted in."""
        base, slash, step_text = part.partition("/")
        step = 1
        if slash:
            if not step_text.isdecimal() or int(step_text) == 0:
                raise FieldFault(self._name, part, f"the step in {part!r} is not a number above 0")
            step = int(step_text)
        return self._base(base, part, open_ended=bool(slash))[::step]

    def _base(self, base: str, part: str, *, open_ended: bool) -> tuple[int, ...]:
        if base == "*":
            return self._span()
        if base == "?":
            if not self._grammar.question_mark or self._name not in (FieldName.DAY, FieldName.WEEKDAY):
                raise FieldFault(self._name, part, "'?' is not known here")
            return self._span()
        if base == "l" and self._name is FieldName.WEEKDAY and self._grammar.day_terms:
            return (6,)
        low, dash, high = base.partition("-")
        start = self._value(low)
        if not dash:
            return tuple(range(start, self._last + 1)) if open_ended else (start,)
        end = self._value(high)
        if high == "7" and self._name is FieldName.WEEKDAY and self._grammar.weekday_count is _SUNDAY_0:
            return tuple(dict.fromkeys(number % 7 for number in range(start, 8)))
        if start <= end:
            return tuple(range(start, end + 1))
        if self._grammar.wraps or (self._name is FieldName.WEEKDAY and end == 0):
            return (*range(start, self._last + 1), *range(self._first, end + 1))
        raise FieldFault(self._name, part, f"the range {base!r} runs backwards")

    def _span(self) -> tuple[int, ...]:
        if self._name is FieldName.WEEKDAY and self._grammar.weekday_count is WeekdayCount.MONDAY_0:
            return (1, 2, 3, 4, 5, 6, 0)
        return tuple(range(self._first, self._last + 1))

    def _value(self, text: str) -> int:
        names = {FieldName.MONTH: MONTHS, FieldName.WEEKDAY: WEEKDAYS}.get(self._name, [])
        for index, name in enumerate(names):
            if text == name[:3] or (len(text) > 3 and name.startswith(text)):
                return index + self._first
        if not text.isdecimal():
            kind = "number or name" if names else "number"
            raise FieldFault(self._name, text, f"{text!r} is not a {kind}")
        return self._counted(int(text))

    def _counted(self, number: int) -> int:
        """The canonical value of a number in the dialect's own count."""
        first, last, shift = self._first, self._last, 0
        if self._name is FieldName.MONTH:
            shift = 1 - self._grammar.first_month
            first, last = first - shift, last - shift
        elif self._name is FieldName.WEEKDAY:
            first, last, shift = {
                WeekdayCount.SUNDAY_0: (0, 7, 0),
                WeekdayCount.SUNDAY_1: (1, 7, -1),
                WeekdayCount.MONDAY_0: (0, 6, 1),
            }[self._grammar.weekday_count]
        if not first <= number <= last:
            raise FieldFault(self._name, str(number), f"{number} is outside {first}-{last}")
        return (number + shift) % 7 if self._name is FieldName.WEEKDAY else number + shift

    def canonical(self, part: str, chosen: tuple[int, ...]) -> str:
        """The shortest text in canonical numbers for values that were written as `part`."""
        if len(chosen) == 1:
            return str(chosen[0])
        if len(chosen) == self._last - self._first + 1:
            return "*"
        steps = {after - before for before, after in pairwise(chosen)}
        step = steps.pop()
        if steps or step <= 0:
            return ",".join(map(str, chosen))
        if step == 1:
            return f"{chosen[0]}-{chosen[-1]}"
        if chosen[0] == self._first and chosen[-1] + step > self._last:
            return f"*/{step}"
        if "/" in part and chosen[-1] + step > self._last:
            return f"{chosen[0]}/{step}"
        return f"{chosen[0]}-{chosen[-1]}/{step}"
