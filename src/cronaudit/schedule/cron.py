"""Cron expressions of all dialects, brought to one form."""

from __future__ import annotations

import calendar
import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from cronaudit.model.schedule import CronExpression, DayRule, Dialect, ScheduleError
from cronaudit.schedule.fields import (
    FieldFault,
    FieldGrammar,
    FieldName,
    FieldValue,
    WeekdayCount,
    parse_field,
)

if TYPE_CHECKING:
    from datetime import date


class _Days(Enum):
    """When a dialect asks both day fields to match."""

    UNLESS_BOTH_RESTRICTED = "either matches where both are restricted"
    UNLESS_BOTH_UNSTARRED = (
        "as crontab(5): a field that starts with a star, also `*/2`, counts as unrestricted"
    )
    ALWAYS = "both must match"
    ONE_QUESTION_MARK = "exactly one of the two is `?`"


_NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_NODE_NICKNAMES: Final = {
    **_NICKNAMES,
    "@weekdays": "0 0 * * 1-5",
    "@weekends": "0 0 * * 0,6",
    "@minutely": "* * * * *",
    "@secondly": "* * * * * *",
}

_FIVE: Final = (FieldName.MINUTE, FieldName.HOUR, FieldName.DAY, FieldName.MONTH, FieldName.WEEKDAY)
_SIX: Final = (FieldName.SECOND, *_FIVE)
_SEVEN: Final = (*_SIX, FieldName.YEAR)
NEVER: Final = "it never runs"
"""How the fault of an expression ends that no date fulfils."""
_LIBERAL: Final = FieldGrammar(day_terms=True, question_mark=True)


class _Form(Struct, frozen=True):
    layouts: tuple[tuple[FieldName, ...], ...] = (_FIVE,)
    grammar: FieldGrammar = FieldGrammar()
    days: _Days = _Days.UNLESS_BOTH_RESTRICTED
    nicknames: dict[str, str] = {}


_NODE: Final = _Form((_FIVE, _SIX, _SEVEN), _LIBERAL, nicknames=_NODE_NICKNAMES)

_FORMS: Final = {
    # Debian accepts N/step and, like Vixie's, tests the first character of the day fields.
    Dialect.UNIX5: _Form(days=_Days.UNLESS_BOTH_UNSTARRED, nicknames=_NICKNAMES),
    Dialect.GITHUB: _Form(days=_Days.UNLESS_BOTH_UNSTARRED),
    Dialect.KUBERNETES: _Form(grammar=FieldGrammar(question_mark=True), nicknames=_NICKNAMES),
    Dialect.GRAPHILE: _Form(),
    Dialect.SECONDS6: _NODE,
    Dialect.SECONDS6_MONTH0: _Form(
        (_FIVE, _SIX),
        FieldGrammar(day_terms=True, question_mark=True, first_month=0),
        nicknames={**_NODE_NICKNAMES, "@yearly": "0 0 1 0 *", "@annually": "0 0 1 0 *"},
    ),
    Dialect.AGENDA: _NODE,
    Dialect.BREE: _NODE,
    Dialect.NODE_CRON: _Form((_FIVE, _SIX), _LIBERAL, _Days.ALWAYS, _NODE_NICKNAMES),
    Dialect.CELERY: _Form(grammar=FieldGrammar(wraps=True), days=_Days.ALWAYS),
    Dialect.APSCHEDULER: _Form(
        (_FIVE, _SIX, _SEVEN),
        FieldGrammar(weekday_count=WeekdayCount.MONDAY_0, day_terms=True),
        _Days.ALWAYS,
    ),
    Dialect.QUARTZ: _Form(
        (_SIX, _SEVEN),
        FieldGrammar(weekday_count=WeekdayCount.SUNDAY_1, wraps=True, day_terms=True, question_mark=True),
        _Days.ONE_QUESTION_MARK,
    ),
    Dialect.AWS: _Form(
        ((*_FIVE, FieldName.YEAR),),
        FieldGrammar(weekday_count=WeekdayCount.SUNDAY_1, wraps=True, day_terms=True, question_mark=True),
        _Days.ONE_QUESTION_MARK,
    ),
}

LONGEST_MONTH: Final = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Most days that a month can have, by its number."""


_EVERY_DATE: Final = FieldValue("*", tuple(range(1, 32)))
_EVERY_WEEKDAY: Final = FieldValue("*", tuple(range(7)))


def parse_cron(expression: str, dialect: Dialect) -> CronExpression | ScheduleError:
    """Reads the fields of an expression; the dialect must be one of cron fields."""
    form = _FORMS[dialect]
    zone, text = _zone_prefix(expression)
    if text.startswith("@"):
        name = text.lower()
        if name == "@reboot":
            return ScheduleError("expression", text, "@reboot runs once at start, not on a schedule")
        if name not in form.nicknames:
            return ScheduleError("expression", text, f"the nickname {text} is not known in {dialect.value}")
        text = form.nicknames[name]
    parts = text.split()
    layout = next((names for names in form.layouts if len(names) == len(parts)), None)
    if layout is None:
        counts = " or ".join(str(len(names)) for names in form.layouts)
        return ScheduleError("expression", text, f"{len(parts)} fields where {dialect.value} has {counts}")
    try:
        values = {
            name: parse_field(part, name, form.grammar) for name, part in zip(layout, parts, strict=True)
        }
        if form.days is _Days.ONE_QUESTION_MARK:
            _require_question_mark(dict(zip(layout, parts, strict=True)), dialect)
        return _assemble(values, form.days, zone)
    except FieldFault as fault:
        return fault.error


def _zone_prefix(expression: str) -> tuple[str | None, str]:
    text = " ".join(expression.split())
    match = re.match(r"(?:CRON_)?TZ=(\S+) (.+)", text)
    return (match[1], match[2]) if match else (None, text)


def _require_question_mark(parts: dict[FieldName, str], dialect: Dialect) -> None:
    marks = [parts[FieldName.DAY], parts[FieldName.WEEKDAY]].count("?")
    if marks != 1:
        both = f"{parts[FieldName.DAY]} and {parts[FieldName.WEEKDAY]}"
        message = f"{dialect.value} needs '?' in exactly one of the two day fields, found {both}"
        raise FieldFault("day of month and day of week", both, message)


def _assemble(values: dict[FieldName, FieldValue], days: _Days, zone: str | None) -> CronExpression:
    second = values.get(FieldName.SECOND, FieldValue("0", (0,)))
    day, month, weekday = values[FieldName.DAY], values[FieldName.MONTH], values[FieldName.WEEKDAY]
    year = values.get(FieldName.YEAR, FieldValue("*", ()))
    either = day.restricted and weekday.restricted and days is _Days.UNLESS_BOTH_RESTRICTED
    if days is _Days.UNLESS_BOTH_UNSTARRED:
        either = not day.starred and not weekday.starred
    if either and not (day.restricted and weekday.restricted):
        # `20 * 0-6`: written out in full, a field matches every day without a star, and either field is enough.
        day, weekday, either = _EVERY_DATE, _EVERY_WEEKDAY, False
    if not either:
        _require_a_date(day, month)
    five = [values[FieldName.MINUTE].text, values[FieldName.HOUR].text, day.text, month.text, weekday.text]
    if year.restricted:
        fields = [second.text, *five, year.text]
    else:
        fields = five if second.text == "0" else [second.text, *five]
    return CronExpression(
        text=" ".join(fields),
        seconds=second.values,
        minutes=values[FieldName.MINUTE].values,
        hours=values[FieldName.HOUR].values,
        days=day.values,
        day_terms=day.terms,
        months=month.values,
        weekdays=weekday.values,
        weekday_terms=weekday.terms,
        years=year.values if year.restricted else (),
        day_rule=DayRule.EITHER if either else DayRule.BOTH,
        timezone=zone,
    )


def _require_a_date(day: FieldValue, month: FieldValue) -> None:
    longest = max(LONGEST_MONTH[number] for number in month.values)
    if not day.terms and min(day.values) > longest:
        raise FieldFault(
            FieldName.DAY, day.text, f"day {min(day.values)} never comes in month {month.text}: {NEVER}"
        )


def runs_on(cron: CronExpression, day: date) -> bool:
    """Whether the expression has runs on that date of the local calendar."""
    if day.month not in cron.months or (cron.years and day.year not in cron.years):
        return False
    by_date = day.day in cron.days or any(_is_day_term(term, day) for term in cron.day_terms)
    weekday = day.isoweekday() % 7
    by_weekday = weekday in cron.weekdays or any(_is_weekday_term(term, day) for term in cron.weekday_terms)
    if cron.day_rule is DayRule.EITHER:
        return by_date or by_weekday
    return by_date and by_weekday


def _is_day_term(term: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if term == "L":
        return day.day == last
    if term == "LW":
        return day.day == _nearest_working_day(day.year, day.month, last)
    if term.endswith("W"):
        wanted = int(term.removesuffix("W"))
        return wanted <= last and day.day == _nearest_working_day(day.year, day.month, wanted)
    return day.day == last - int(term.removeprefix("L-"))


def _nearest_working_day(year: int, month: int, day: int) -> int:
    """Monday to Friday, without leaving the month."""
    last = calendar.monthrange(year, month)[1]
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < last else day - 2
    return day


def _is_weekday_term(term: str, day: date) -> bool:
    if day.isoweekday() % 7 != int(term[0]):
        return False
    if term.endswith("L"):
        return day.day + 7 > calendar.monthrange(day.year, day.month)[1]
    return (day.day + 6) // 7 == int(term[2])
