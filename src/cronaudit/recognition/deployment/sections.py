"""Files of sections with `key = value` lines: supervisord, systemd units, uWSGI."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import Location

_SECTION: Final = lazy_regex(r"\s*\[([^\]]+)\]\s*(?:[;#].*)?$")
_KEY: Final = lazy_regex(r"\s*([\w.:@-]+)\s*(?:=\s?(.*))?$", re.DOTALL)


class Setting(Struct, frozen=True):
    """One line."""

    name: str
    value: str
    """Empty for a key without a value."""
    location: Location
    condition: str | None = None
    """The `if-env` that the line stands below (uWSGI)."""


class Section(Struct):
    """A section with its lines in order; a key may stand several times."""

    name: str
    location: Location
    settings: list[Setting] = []

    def get(self, name: str) -> Setting | None:
        """The last line of that key, as the tools read it."""
        return next((one for one in reversed(self.settings) if one.name == name), None)

    def every(self, name: str) -> Iterator[Setting]:
        return (one for one in self.settings if one.name == name)


def sections(path: str, text: str, *, indented: bool = False) -> list[Section]:
    """The sections of a text. Lines that end in a backslash go on.

    `indented`: so do lines before indented ones, and a comment may end a line (supervisord).
    """
    found: list[Section] = []
    condition: str | None = None
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        start = number
        line = lines[number]
        number += 1
        while line.rstrip().endswith("\\") and number < len(lines):
            if lines[number].lstrip()[:1] not in {"#", ";"}:
                line = line.rstrip()[:-1] + "\n" + lines[number]
            number += 1
        if not line.strip() or line.lstrip()[0] in "#;":
            continue
        place = Location(path, start + 1)
        header = _SECTION.match(line)
        if header is not None:
            found.append(Section(header[1].strip(), place))
            condition = None
            continue
        if not found:
            found.append(Section("", place))
        settings = found[-1].settings
        if indented:
            line = re.sub(r"\s;.*$", "", line)
        if indented and line[:1] in {" ", "\t"} and settings:
            last = settings[-1]
            settings[-1] = Setting(last.name, f"{last.value}\n{line.strip()}", last.location, last.condition)
            continue
        match = _KEY.match(line)
        if match is None:
            continue
        value = (match[2] or "").strip()
        if match[1] in {"if-env", "if-not-env", "if-opt", "if-not-opt", "if-file", "if-exists"}:
            condition = f"{match[1]} {value}"
        elif match[1] in {"endif", "end-if"}:
            condition = None
        else:
            settings.append(Setting(match[1], value, place, condition))
    return found
