"""From the folded argument of a scheduler to a schedule."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from msgspec.structs import replace

from cronaudit.knowledge.folds import CRON_UNIT, WORDS_UNIT
from cronaudit.knowledge.selectors import Called, select
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Unresolved
from cronaudit.model.knowledge import SchedulePart, Selector
from cronaudit.model.linker import Linker
from cronaudit.model.schedule import Dialect, DurationUnit, Schedule, ScheduleError
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Arguments,
    Choice,
    Closure,
    Env,
    External,
    Instance,
    Known,
    Record,
    Sequence,
    Symbol,
    Text,
    Unknown,
    Value,
)
from cronaudit.recognition.found import Timing
from cronaudit.schedule.build import interval_schedule, read_schedule
from cronaudit.schedule.durations import parse_duration, parse_iso_duration
from cronaudit.schedule.normalise import expression_of_fields

_TIME = lazy_regex(r"(?P<hour>\d{1,2})?:(?P<minute>\d{2})(?::(?P<second>\d{2}))?")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_UNRESOLVED_TEXT = "unresolved"


def timing_of(parts: tuple[SchedulePart, ...], call: Called, linker: Linker) -> Timing | None:
    """The schedule that a call states; None where it states none, so that it arms no job."""
    opened: Timing | None = None
    if not parts:
        return _open(Unknown("the schedule stands outside the code"))
    for part in parts:
        value = select(part.select, call, linker.force, linker.member)
        if value is None or (isinstance(value, Known) and value.value in (None, False)):
            continue
        timing = read(part, value, linker)
        if timing is None:
            continue
        if part.select.root == "const":
            timing.is_builder = True  # ``daily``: the word that the description translates says when
        if timing.open is None:
            return timing
        # An options object that cannot be followed does not prove a schedule.
        if not part.select.members or not isinstance(value, Unknown) or _is_written(part, call, linker):
            opened = opened or timing
    return opened


def _is_written(part: SchedulePart, call: Called, linker: Linker) -> bool:
    """Whether the object of options that a call is handed has the schedule, whatever that comes to."""
    around = replace(part.select, members=part.select.members[:-1])
    options = select(around, call, linker.force, linker.member)
    return isinstance(options, Record) and part.select.members[-1] in options.entries


def read_length(value: Value, unit: str | None, linker: Linker) -> Timing | None:
    """How often a timer or loop of the project's own goes round; `unit` is that of a bare number."""
    return read(SchedulePart("every", Selector("args", 0, (), unit)), value, linker)


def read_expression(value: Value, dialect: str, linker: Linker) -> Timing | None:
    """A cron expression that the project reads itself."""
    return read(SchedulePart("cron", Selector("args", 0), dialect), value, linker)


def read(part: SchedulePart, value: Value, linker: Linker) -> Timing | None:
    """One part of a schedule from its folded value."""
    if isinstance(value, Choice):
        options = [t for o in value.options if (t := read(part, o, linker)) is not None]
        told = [t for t in options if t.open is None]
        if len({_when(t) for t in told}) > 1:
            return one_of_several(told[0].at)
        return told[0] if told else options[0] if options else None
    if part.form == "date" or (isinstance(value, External) and value.path.endswith((".toDate()", ":Date()"))):
        return None  # a single point in time
    if part.form == "dynamic":
        return _open(Unknown("the schedule is only known at run time"))
    if isinstance(value, Instance) and (foreign := linker.outside(value)) is not None:
        # ``class Jittered(schedule)``: what its constructor hands up is the schedule.
        return read(part, foreign, linker)
    if isinstance(value, Closure) and part.passes:
        # ``schedule(parser) { return parser.text('every 2 hours') }``
        computed = linker.apply(value, Arguments((External(part.passes),), {}))
        return _open(computed) if isinstance(computed, Closure) else read(part, computed, linker)
    if isinstance(value, Known):
        return _known(part, value)
    if isinstance(value, Record):
        return _record(part, value, linker)
    if isinstance(value, Sequence):
        items = [t for i in value.items if (t := read(part, linker.force(i), linker)) is not None]
        return items[0] if items else None
    return _open(value, linker)


def one_of_several(at: Location | None) -> Timing:
    """A schedule that the code states, but not which of those that it states."""
    return Timing(
        Schedule(None, None, None, _UNRESOLVED_TEXT), at, Unresolved("the schedule is one of several", at)
    )


def _when(timing: Timing) -> Hashable:
    schedule = timing.schedule
    return (schedule.expression, schedule.interval_seconds, schedule.text)


def _known(part: SchedulePart, value: Known) -> Timing | None:
    at = value.at
    if (
        isinstance(value.value, bool) or value.value is None or value.value == ""
    ):  # an empty text is no schedule
        return None
    if isinstance(value.value, str) and value.unit is not None and value.unit.startswith(CRON_UNIT):
        found = read_schedule(value.value, Dialect(value.unit.removeprefix(CRON_UNIT)))
        if isinstance(found, ScheduleError):
            schedule = Schedule(value.value, None, None, value.value)
            return Timing(
                schedule, at, None, invalid=str(found), is_builder=True, default_of=value.default_of
            )
        return Timing(found, at, None, is_builder=True, default_of=value.default_of)
    if value.unit == WORDS_UNIT:
        return Timing(Schedule(text=str(value.value)), at, None, is_builder=True, default_of=value.default_of)
    if part.form == "clock":
        return _clock(part, value)
    if isinstance(value.value, int | float):
        if part.form == "cron" and value.unit is None and part.dialect in ("unix5", "seconds6", "quartz"):
            return None
        seconds = float(value.value) * _SECONDS.get(value.unit or part.select.unit or "ms", 0.001)
        if seconds <= 0:
            return None
        return Timing(interval_schedule(seconds), at, None, default_of=value.default_of)
    if part.form == "every":
        unit = DurationUnit(part.select.unit) if part.select.unit in _SECONDS else DurationUnit.MILLISECOND
        parsed = parse_duration(value.value, unit)
        if parsed is not None and parsed > 0:
            return Timing(interval_schedule(parsed), at, None, default_of=value.default_of)
    found = read_schedule(value.value, Dialect(part.dialect))
    if isinstance(found, ScheduleError) and (length := parse_iso_duration(value.value)):
        # ``PT10S``: no scheduler of cron expressions takes it, so the program has read it before.
        return Timing(interval_schedule(length), at, None, default_of=value.default_of)
    if isinstance(found, ScheduleError):
        if value.default_of is not None:  # ``${MINUTE ?? -1} * * * *``: not scheduled unless it is set
            return _open(Unknown(f"{value.default_of} sets it; its default makes {value.value!r}", at))
        schedule = Schedule(value.value, None, None, value.value)
        return Timing(schedule, at, None, invalid=str(found), default_of=value.default_of)
    return Timing(found, at, None, default_of=value.default_of)


def _clock(part: SchedulePart, value: Known) -> Timing | None:
    """``at('10:30')`` on the days of the description, ``at(':15')`` in every hour."""
    match = _TIME.fullmatch(str(value.value).strip())
    if match is None:
        return None
    hour, minute, second = match["hour"] or "*", int(match["minute"]), int(match["second"] or 0)
    if hour != "*":
        hour = str(int(hour))
    seconds = f"{second} " if second else ""
    found = read_schedule(f"{seconds}{minute} {hour} * * {part.days}", Dialect.SECONDS6)
    if isinstance(found, ScheduleError):
        return Timing(
            Schedule(str(value.value), None, None, str(value.value)), value.at, None, invalid=str(found)
        )
    return Timing(found, value.at, None, is_builder=True, default_of=value.default_of)


def _record(part: SchedulePart, value: Record, linker: Linker) -> Timing | None:
    """An object of fields: ``{hour: 2, minute: 30}``, ``{minutes: 5}``; an open second moves no run."""
    fields: dict[str, float | str] = {}
    for key, raw in value.entries.items():
        inner = linker.force(raw)
        stated = _field(inner, linker)
        if stated is not None:
            fields[key.lower()] = stated
        elif part.form in _OF_FIELDS and key.lower() in _ORDER[1:] and not _is_absent(inner):
            return _open(inner, linker)
    if part.form == "duration" and (unknown := _open_length(value, linker)) is not None:
        return _open(unknown, linker)
    seconds = _length(fields)
    if part.form in ("every", "duration", "object") and seconds:
        return Timing(interval_schedule(seconds), value.at, None, is_builder=True)
    if part.form == "duration":
        return None
    if part.form == "fields" and part.dialect in _KEYWORD_DIALECTS:
        return _keywords(part, value, linker)
    month = fields.get("month")
    if part.form in _OF_FIELDS and part.dialect != Dialect.AWS and isinstance(month, int | float):
        fields["month"] = int(month) + 1  # months of dates count from 0
    cron = _fields_expression(fields)
    if cron is not None:
        found = read_schedule(cron, Dialect.SECONDS6)
        if not isinstance(found, ScheduleError):
            return Timing(found, value.at, None, is_builder=True)
    return None


def _keywords(part: SchedulePart, value: Record, linker: Linker) -> Timing | None:
    """``hour=4, minute={0, 30}``: the keywords of a call that are fields of a crontab."""
    dialect = Dialect.CELERY if part.dialect == Dialect.CELERY else Dialect.APSCHEDULER
    fields: dict[str, str | int | list[str | int]] = {}
    for key, raw in value.entries.items():
        if key not in _FIELDS:
            continue
        name = "day_of_week" if key == "weekday" else key
        inner = linker.force(raw)
        if isinstance(inner, Known) and isinstance(inner.value, int | str):
            fields[name] = inner.value
        elif isinstance(inner, Sequence) and inner.complete:
            items = [linker.force(i) for i in inner.items]
            fields[name] = [i.value for i in items if isinstance(i, Known) and isinstance(i.value, int | str)]
        elif not (isinstance(inner, Known) and inner.value is None):
            return _open(inner, linker)
    expression = expression_of_fields(fields, dialect) if fields else None
    if expression is None or isinstance(expression, ScheduleError):
        return None
    found = read_schedule(expression, dialect)
    return None if isinstance(found, ScheduleError) else Timing(found, value.at, None, is_builder=True)


_KEYWORD_DIALECTS = (Dialect.APSCHEDULER, Dialect.CELERY, Dialect.UNIX5)
_FIELDS = frozenset(
    (
        "year",
        "month",
        "day",
        "week",
        "day_of_week",
        "day_of_month",
        "month_of_year",
        "hour",
        "minute",
        "second",
        "weekday",
    )
)
_LENGTHS = {
    "milliseconds": 0.001, "seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0, "weeks": 604800.0,
    "millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0,
}  # fmt: skip


def _length(fields: dict[str, float | str]) -> float:
    return sum(_LENGTHS[k] * float(v) for k, v in fields.items() if k in _LENGTHS and not isinstance(v, str))


def _open_length(value: Record, linker: Linker) -> Value | None:
    """A part of a duration that is written but not resolved: ``minutes=settings.sync``."""
    inner = (linker.force(raw) for key, raw in value.entries.items() if key.lower() in _LENGTHS)
    return next((v for v in inner if not isinstance(v, Known)), None)


_OF_FIELDS: Final = frozenset(("cron", "fields"))
"""Forms of a schedule for which an object's fields are those of a cron expression."""
_ORDER: Final = ("second", "minute", "hour", "date", "month", "dayofweek")


def _field(value: Value, linker: Linker) -> float | str | None:
    """One field of an object: a number, a text, or a list of them."""
    if isinstance(value, Known) and isinstance(value.value, int | float | str):
        return None if isinstance(value.value, bool) else value.value
    if isinstance(value, Sequence) and value.complete and value.items:
        items = [_field(linker.force(i), linker) for i in value.items]
        return None if None in items else ",".join(str(i) for i in items)
    return None


def _is_absent(value: Value) -> bool:
    return isinstance(value, Known) and value.value is None


def _fields_expression(fields: dict[str, float | str]) -> str | None:
    fields = {
        {"day": "date", "weekday": "dayofweek"}.get(name, name): value for name, value in fields.items()
    }
    if not any(f in fields for f in _ORDER):
        return None
    started = False
    parts: list[str] = []
    for name in _ORDER:
        if name in fields:
            started = True
            number = fields[name]
            parts.append(str(int(number) if isinstance(number, float) else number))
        else:
            parts.append("*" if started or name != "second" else "0")
    return " ".join(parts)


def _open(value: Value, linker: Linker | None = None) -> Timing:
    at: Location | None = getattr(value, "at", None)
    by_chance = linker is not None and _is_by_chance(value, linker, 0)
    reason = "it is drawn by chance when the process starts" if by_chance else why_open(value)
    unresolved = Unresolved(reason, at)
    from_data = isinstance(value, External | Unknown) and not by_chance  # nobody's data
    by_caller = from_data or isinstance(value, Symbol)
    return Timing(
        Schedule(None, None, None, _UNRESOLVED_TEXT), at, unresolved, from_data=from_data, by_caller=by_caller
    )


def _is_by_chance(value: Value, linker: Linker, depth: int) -> bool:
    """Whether a value is drawn by chance, or made of one: ``crontab(hour=str(randint(0, 23)))``; no user states it."""
    if not isinstance(value, External):
        return False
    if value.path.startswith(_CHANCE):
        return True
    given = (*value.args.positional, *value.args.named.values()) if value.args is not None else ()
    return depth < _NESTED and any(_is_by_chance(linker.force(raw), linker, depth + 1) for raw in given)


_CHANCE: Final = ("global:Math.", "random.")
_NESTED: Final = 3


def why_open(value: Value) -> str:
    """Why a value is not resolved, in words for the evidence."""
    match value:
        case Env():
            return f"{value.name} comes from the environment and has no default"
        case Symbol():
            return f"{'.'.join((value.name, *value.path))} is only known to a caller"
        case Unknown():
            return value.reason
        case Text():
            inner = next((p for p in value.parts if not isinstance(p, str)), None)
            return f"a part of it is open: {why_open(inner)}" if inner is not None else "a part of it is open"
        case External():
            return f"it is the result of {value.path}"
        case Choice():
            return why_open(value.options[0])
        case _:
            return "it cannot be told from this tree"
