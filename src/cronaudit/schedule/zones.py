"""Time zones by name, and their changes of the clocks. The data is that of the package tzdata on every host."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import tzinfo

_UTC_NAMES: Final = frozenset(
    {"utc", "gmt", "z", "zulu", "uct", "universal", "greenwich", "gmt0", "gmt+0", "gmt-0"}
    | {f"etc/{name}" for name in ("utc", "gmt", "zulu", "uct", "universal", "greenwich", "gmt0")}
)


def is_utc(name: str) -> bool:
    """Whether the name is one of UTC's."""
    return name.strip().lower() in _UTC_NAMES


def find_zone(name: str) -> tzinfo | None:
    """The zone of an IANA name in any case, or of a fixed offset (`+02:00`, `UTC+2`). None if it is neither."""
    wanted = name.strip().removeprefix(":")
    if is_utc(wanted):
        return UTC
    if match := re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", wanted.upper()):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(offset if match[1] == "+" else -offset) if offset < timedelta(hours=24) else None
    return _named(wanted.lower())


@cache
def _names() -> dict[str, str]:
    from importlib import resources

    listing = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return {name.lower(): name for name in listing.split()}


@cache
def _named(lower: str) -> tzinfo | None:
    from importlib import resources
    from zoneinfo import ZoneInfo

    name = _names().get(lower)
    if name is None:
        return None
    # Not ZoneInfo(name): it prefers the host's own data, and the audit must not depend on the host.
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


class Transition(Struct, frozen=True):
    """A change of a zone's offset. All times are local, without a zone."""

    at: datetime
    """What the clock shows when it is changed."""
    to: datetime
    """What it is changed to."""

    @property
    def forward(self) -> bool:
        return self.to > self.at


# No zone changes twice within three days; Morocco's pair around Ramadan lies about four weeks apart.
_STEP: Final = timedelta(days=3)


def transitions(zone: tzinfo, start: datetime, end: datetime) -> tuple[Transition, ...]:
    """The changes of the offset from `start` to `end` (both aware), in order."""
    found: list[Transition] = []
    early = start.astimezone(UTC)
    last = end.astimezone(UTC)
    while early < last:
        late = min(early + _STEP, last)
        if _offset(zone, early) != _offset(zone, late):
            found.append(_narrow(zone, early, late))
        early = late
    return tuple(found)


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _narrow(zone: tzinfo, early: datetime, late: datetime) -> Transition:
    before, after = _offset(zone, early), _offset(zone, late)
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=int((late - early).total_seconds()) // 2)
        if _offset(zone, middle) == before:
            early = middle
        else:
            late = middle
    instant = late.replace(tzinfo=None, microsecond=0)
    return Transition(instant + before, instant + after)


def zone_has_dst(name: str | None, year: int) -> bool | None:
    """Whether the zone's clocks change in that year. None where there is no zone, or no such zone is known."""
    zone = None if name is None else find_zone(name)
    if zone is None:
        return None
    return bool(transitions(zone, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)))
