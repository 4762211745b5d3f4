"""When two ways of writing a schedule mean the same."""

from __future__ import annotations

import re

from bench.accuracy.labels import JobLabel
from bench.accuracy.scan import FoundJob

UNRESOLVED = "unresolved"
_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_INTERVAL = re.compile(r"(\d+(?:\.\d+)?)s")
_UTC = frozenset({"utc", "etc/utc", "gmt", "etc/gmt"})


def normalise_cron(expression: str) -> str:
    """One spelling: numbers for names, no leading zeros, no seconds field where it says 0."""
    text = " ".join(expression.lower().split())
    fields = _ALIASES.get(text, text).replace("?", "*").split()
    if len(fields) == 6 and fields[0] in {"0", "00"}:
        fields = fields[1:]
    if len(fields) >= 5:
        fields[-1] = re.sub(r"\b7\b", "0", _numbers(fields[-1], _DAYS, first=0))
        fields[-2] = _numbers(fields[-2], _MONTHS, first=1)
    return re.sub(r"\b0+(?=\d)", "", " ".join(fields))


def _numbers(field: str, names: tuple[str, ...], *, first: int) -> str:
    for number, name in enumerate(names, start=first):
        field = field.replace(name, str(number))
    return field


def schedule_agrees(label: JobLabel, found: FoundJob) -> bool:
    """Whether the tool states the labelled schedule, or says too that it cannot be told."""
    if label.schedule == UNRESOLVED:
        return found.expression in {None, UNRESOLVED} and found.interval_seconds is None
    if interval := _INTERVAL.fullmatch(label.schedule):
        return found.interval_seconds is not None and float(interval[1]) == float(found.interval_seconds)
    return found.expression is not None and normalise_cron(found.expression) == normalise_cron(label.schedule)


def zone_agrees(label: JobLabel, found: FoundJob) -> bool:
    """Whether the tool states the labelled zone; for one that cannot be told, the document has only null."""
    if label.timezone == UNRESOLVED:
        return found.timezone in {None, UNRESOLVED}
    expected, stated = (
        zone and ("utc" if zone.lower() in _UTC else zone) for zone in (label.timezone, found.timezone)
    )
    return expected == stated


def handler_agrees(label: JobLabel, found: FoundJob) -> bool:
    """Same file, and the same symbol as far as both name it: ``handle`` and ``Command.handle`` agree."""
    path, _, symbol = label.handler.partition(":")
    if found.handler_path != path:
        return False
    if not symbol:
        return True
    stated = found.handler_symbol or ""
    return bool(stated) and (
        stated == symbol or stated.endswith(f".{symbol}") or symbol.endswith(f".{stated}")
    )
