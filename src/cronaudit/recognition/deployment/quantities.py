"""Sizes, durations, counts and variables, in the notations of the tools that read the manifests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Replicas, Stated
from cronaudit.model.source import Location

_BINARY: Final = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_KUBERNETES: Final = {
    "": 1,
    "m": 0.001,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 1 << 10,
    "Mi": 1 << 20,
    "Gi": 1 << 30,
    "Ti": 1 << 40,
}
_SIZE: Final = lazy_regex(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", re.IGNORECASE)
_QUANTITY: Final = lazy_regex(r"\s*(\d+(?:\.\d+)?(?:[eE]\d+)?)([kKMGT]i?|m)?\s*")
_PART: Final = lazy_regex(r"(\d+(?:\.\d+)?)\s*([a-zµ]*)\s*", re.IGNORECASE)
_SECONDS: Final = {
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 0.001,
    "": 1,
    "s": 1,
    "sec": 1,
    "second": 1,
    "seconds": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "minutes": 60,
    "h": 3600,
    "hr": 3600,
    "hour": 3600,
    "hours": 3600,
    "d": 86_400,
    "day": 86_400,
    "days": 86_400,
    "w": 604_800,
    "week": 604_800,
    "weeks": 604_800,
}
_VARIABLE: Final = lazy_regex(r"\$\$|\$\{(\w+)(?::?([-?+=])((?:[^{}]|\$\{[^{}]*\})*))?\}|\$([A-Za-z_]\w*)")


def size(text: str, unit: str = "") -> int | None:
    """Bytes of a size counted in powers of 1024 (Docker, PM2, systemd, Fly); `unit` is that of a bare number."""
    match = _SIZE.fullmatch(text)
    if match is None:
        return None
    bytes_of_unit = _BINARY[(match[2] or ("" if text.strip()[-1:] in {"b", "B"} else unit)).lower()]
    return int(float(match[1]) * bytes_of_unit) or None


def quantity(text: str) -> int | None:
    """Bytes of a Kubernetes quantity: `512Mi`, `1G`, `128974848`, `129e6`."""
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] == "K":
        return None
    return int(float(match[1]) * _KUBERNETES[match[2] or ""]) or None


def seconds(text: str) -> float | None:
    """Seconds of a duration as Compose and systemd write it: `1m30s`, `2min 5s`, `90`."""
    text = text.strip()
    at = 0
    total = 0.0
    while at < len(text):
        match = _PART.match(text, at)
        unit = None if match is None else match[2] if match[2] in _SECONDS else match[2].lower()
        if match is None or unit not in _SECONDS:
            return None
        total += float(match[1]) * _SECONDS[unit]
        at = match.end()
    return total if text else None


def expand(text: str, variables: Mapping[str, str]) -> str | None:
    """`${NAME:-default}` and `$NAME` replaced as Compose and a shell do.

    None where one of them has neither value nor default.
    """
    lost = False

    def value(match: re.Match[str]) -> str:
        nonlocal lost
        if match[0] == "$$":
            return "$"
        name = match[1] or match[4]
        known = variables.get(name)
        if match[2] == "+":
            return ""
        if known is not None:
            return known
        if match[2] in {"-", "="}:
            nested = expand(match[3], variables)
            if nested is not None:
                return nested
        lost = True
        return match[0]

    replaced = _VARIABLE.sub(value, text)
    return None if lost else replaced


def expand_partly(text: str, variables: Mapping[str, str]) -> str:
    """The same for a command, where what has no value stays as written."""

    def value(match: re.Match[str]) -> str:
        one = expand(match[0], variables)
        return match[0] if one is None else one

    return _VARIABLE.sub(value, text)


def replicas(text: str, value: str | None, why: str, location: Location) -> Replicas:
    """Instances from a count as written and as it is with its variables replaced."""
    if value is None or not re.fullmatch(r"\s*\d+\s*", value):
        return Replicas("unresolved", None, why, text, location)
    return Replicas("exact", int(value), why, text, location)


def duration(text: str, value: str | None, location: Location) -> Stated[float]:
    """A setting in seconds."""
    return Stated(None if value is None else seconds(value), text, location)


def port(text: str) -> int | None:
    """Container port of a published port as Compose writes it: `8080:80`, `127.0.0.1:8080:80/tcp`, `3000`."""
    last = re.split(r"[:\s]", text.strip().partition("/")[0])[-1]
    return int(last) if last.isdigit() else None
