"""From the notation of any dialect to a cron expression or an interval."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.schedule import (
    CronExpression,
    Dialect,
    DurationUnit,
    Interval,
    ScheduleError,
)
from cronaudit.schedule.cron import parse_cron
from cronaudit.schedule.durations import parse_duration, parse_iso_duration
from cronaudit.schedule.fields import WEEKDAYS

Normalised = CronExpression | Interval | ScheduleError


@lru_cache(maxsize=1024)
def normalise(expression: str, dialect: Dialect) -> Normalised:
    """The meaning of an expression, or why it has none in its dialect. Never raises."""
    text = " ".join(expression.split())
    if not text:
        return ScheduleError("expression", expression, "it is empty")
    match dialect:
        case Dialect.AWS:
            return _aws(text)
        case Dialect.GRAPHILE:
            entry = parse_graphile_line(text)
            return parse_cron(entry.expression if entry else text, dialect)
        case Dialect.HUMAN_INTERVAL | Dialect.MS:
            return _length(text)
        case Dialect.ISO8601:
            return _interval(text, parse_iso_duration(text), "it is no ISO 8601 duration of fixed length")
        case Dialect.LATER:
            return _later(text)
        case Dialect.AGENDA:
            return parse_cron(text, dialect) if _looks_like_cron(text) else _length(text)
        case Dialect.BREE:
            return _bree(text)
        case _ if text.lower().startswith("@every ") and dialect is not Dialect.GITHUB:
            return _interval(text, parse_duration(text[7:], None), f"{text[7:]!r} is no duration")
        case _:
            return parse_cron(text, dialect)


def _interval(text: str, seconds: float | None, reason: str) -> Interval | ScheduleError:
    if seconds is None:
        return ScheduleError("expression", text, reason)
    if seconds <= 0:
        return ScheduleError("expression", text, "the interval is 0")
    return Interval(seconds)


def _length(text: str) -> Interval | ScheduleError:
    return _interval(text, parse_duration(text, DurationUnit.MILLISECOND), f"{text!r} is no length of time")


def _aws(text: str) -> Normalised:
    match = re.fullmatch(r"(\w+) ?\((.*)\)", text)
    if match is None:
        return parse_cron(text, Dialect.AWS)
    kind, inner = match[1].lower(), match[2].strip()
    if kind == "cron":
        return parse_cron(inner, Dialect.AWS)
    if kind == "at":
        return ScheduleError("expression", text, "at(…) runs once, not on a schedule")
    if kind == "rate" and re.fullmatch(r"\d+ (?:minute|hour|day)s?", inner):
        return _interval(text, parse_duration(inner, None), "")
    if kind == "rate":
        return ScheduleError("rate", inner, f"{inner!r} is not a number of minutes, hours or days")
    return ScheduleError("expression", text, f"{match[1]}(…) is none of cron, rate and at")


def _looks_like_cron(text: str) -> bool:
    return (
        text.startswith("@")
        or re.match(r"(?:[\d*?/,LW-]+ ){3,}[\w*?/,#-]+(?: [\w*?/,#-]+){1,3}$", text) is not None
    )


def _bree(text: str) -> Normalised:
    if _looks_like_cron(text):
        return parse_cron(text, Dialect.BREE)
    if re.match(r"(?:every|at|on|after)\b", text.lower()):
        return _later(text)
    return _length(text)


_LATER_TIME: Final = lazy_regex(r"at (\d{1,2}):(\d{2}) ?(am|pm)?\b")


def _later(text: str) -> Normalised:
    """The part of later.js text that people write: an interval, or a time of the day with days of the week."""
    wanted = text.lower()
    if match := re.fullmatch(r"every (\d+ )?(second|sec|minute|min|hour|day|week)s?", wanted):
        return _interval(text, parse_duration(f"{(match[1] or '1 ')}{match[2]}", None), "")
    time = _LATER_TIME.search(wanted)
    unread = ScheduleError("expression", text, f"{text!r} is beyond the later.js text that is understood")
    if time is None:
        return unread
    hour, minute = int(time[1]), int(time[2])
    if time[3]:
        if not 1 <= hour <= 12:
            return ScheduleError("hour", time[1], f"{hour} {time[3]} is no time of the day")
        hour = hour % 12 + (12 if time[3] == "pm" else 0)
    days = _later_days(" ".join((wanted[: time.start()] + wanted[time.end() :]).split()))
    return unread if days is None else parse_cron(f"{minute} {hour} * * {days}", Dialect.SECONDS6)


def _later_days(text: str) -> str | None:
    if text in ("", "every day"):
        return "*"
    if text in ("every weekday", "every weekend"):
        return "1-5" if text == "every weekday" else "0,6"
    match = re.fullmatch(r"(?:on|every) ((?:[a-z]+(?:, ?| and )?)+)", text)
    if match is None:
        return None
    names = [name for name in re.split(r", ?| and ", match[1]) if name]
    known = [name[:3] for name in names if any(day.startswith(name[:3]) for day in WEEKDAYS)]
    return ",".join(known) if len(known) == len(names) else None


class GraphileEntry(Struct, frozen=True):
    """A line of a graphile-worker crontab."""

    expression: str
    task: str
    options: str
    """As written, without the question mark: `fill=4h&max=10`."""
    payload: str
    """JSON5, as written; empty where there is none."""


def parse_graphile_line(line: str) -> GraphileEntry | None:
    """Splits `m h dom mon dow task ?options {payload}`. None where the line has no task."""
    match = re.fullmatch(
        r"((?:\S+ ){4}\S+) ([A-Za-z_][\w:/-]*)(?: \?(\S+))?(?: (\{.*\}))?", " ".join(line.split())
    )
    if match is None:
        return None
    return GraphileEntry(match[1], match[2], match[3] or "", match[4] or "")


FieldInput = str | int | Sequence[str | int]
"""What code gives for a field: `5`, `"*/5"`, `[1, 3]`, `"mon,thu"`."""

_CELERY_FIELDS: Final = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_APSCHEDULER_FIELDS: Final = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")


def expression_of_fields(fields: Mapping[str, FieldInput], dialect: Dialect) -> str | ScheduleError:
    """The expression for the keyword arguments of Celery's `crontab` or APScheduler's `CronTrigger`.

    Celery: what is left out is `*`, so that `crontab(hour=2)` runs sixty times. APScheduler: what is left out
    is `*` if it is coarser than the finest field given, else its minimum.
    """
    known = _CELERY_FIELDS if dialect is Dialect.CELERY else _APSCHEDULER_FIELDS
    for name in fields:
        if name not in known:
            return ScheduleError(name, str(fields[name]), f"{dialect.value} has no field {name!r}")
    texts = {name: _field_text(value) for name, value in fields.items()}
    if dialect is Dialect.CELERY:
        return " ".join(texts.get(name, "*") for name in _CELERY_FIELDS)
    if "week" in texts:
        return ScheduleError("week", texts["week"], "weeks of the year have no counterpart in cron")
    return _apscheduler_expression(texts)


def _field_text(value: FieldInput) -> str:
    if isinstance(value, str):
        return ",".join("".join(part.split()) if "/" in part else part.strip() for part in value.split(","))
    if isinstance(value, int):
        return str(value)
    return ",".join(str(part).strip() for part in value)


def _apscheduler_expression(texts: dict[str, str]) -> str:
    given = [index for index, name in enumerate(_APSCHEDULER_FIELDS) if name in texts]
    finest = max(given, default=-1)
    minima = {"month": "1", "day": "1", "hour": "0", "minute": "0", "second": "0"}
    values = {
        name: texts.get(name, "*" if index <= finest else minima.get(name, "*"))
        for index, name in enumerate(_APSCHEDULER_FIELDS)
    }
    if match := re.fullmatch(r"(1st|2nd|3rd|4th|5th|last) (\w+)", values["day"]):
        if values["day_of_week"] != "*":
            values["day"] = values["day"].replace(" ", "-")
        else:
            values["day"] = "*"
            values["day_of_week"] = f"{match[2]}L" if match[1] == "last" else f"{match[2]}#{match[1][0]}"
    elif values["day"] == "last":
        values["day"] = "L"
    fields = [values[name] for name in ("minute", "hour", "day", "month", "day_of_week")]
    if values["year"] != "*":
        return " ".join([values["second"], *fields, values["year"]])
    return " ".join(fields if values["second"] == "0" else [values["second"], *fields])
