"""Crontabs of job libraries: lines ``m h dom mon dow task ?options {payload}`` in a string or in a file of the tree."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Known, Lazy, Record, Value
from cronaudit.schedule.normalise import parse_graphile_line

_OPTIONS = {"max": "maxAttempts", "fill": "backfillPeriod", "id": "identifier", "priority": "priority"}
"""What the options of a line are called where the entry is an object."""


def entries_of(container: Known, site: Location, linker: Linker) -> Iterator[tuple[Known, Record]]:
    """Each line as the object that stands for it elsewhere: ``{match, task, identifier, options}``."""
    for number, line, at in _lines(container, site, linker):
        entry = parse_graphile_line(line.strip())
        if entry is None:
            continue
        options: dict[str, Value | Lazy] = {
            _OPTIONS.get(name, name): Known(_number(value), at) for name, value in parse_qsl(entry.options)
        }
        identifier = options.pop("identifier", Known(entry.task, at))
        yield (
            Known(number, at),
            Record(
                {
                    "match": Known(entry.expression, at),
                    "task": Known(entry.task, at),
                    "identifier": identifier,
                    "options": Record(options, complete=True, at=at),
                },
                complete=True,
                at=at,
            ),
        )


def _lines(container: Known, site: Location, linker: Linker) -> Iterator[tuple[int, str, Location]]:
    text = str(container.value)
    if len(text.split()) > 1:
        at = container.at or site
        for number, line in enumerate(text.splitlines()):
            yield number, line, at
        return
    for path in linker.found_at(container, site):
        if linker.language(path) is None:
            for number, line in enumerate(linker.source(path).decode("utf-8", "replace").splitlines(), 1):
                yield number, line, Location(path, number)


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text
