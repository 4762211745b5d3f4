"""What a schema file says of a column: the value that a row has when nothing else is written."""

from __future__ import annotations

import re

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import Language, Location
from cronaudit.model.value import Known
from cronaudit.recognition.context import Service, once_a_service

_MODEL = lazy_regex(r"^model\s+(\w+)\s*\{(.*?)^\}", re.MULTILINE | re.DOTALL)
_MAPPED = lazy_regex(r"@@map\(\s*\"([^\"]+)\"")
_DEFAULT = lazy_regex(r"^[ \t]+(\w+)[ \t]+Int\b[^\n]*@default\(\s*(-?\d+)\s*\)", re.MULTILINE)


def default_of_column(service: Service, table: str, column: str) -> Known | None:
    """The number that a Prisma schema gives a column by default; None where no schema says it, or two disagree."""
    found = _all(service).get((_plain(table), column), ())
    return found[0] if found and len({k.value for k in found}) == 1 else None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


@once_a_service
def _all(service: Service) -> dict[tuple[str, str], tuple[Known, ...]]:
    found: dict[tuple[str, str], tuple[Known, ...]] = {}
    for file in service.tree.files:
        if file.language is not Language.PRISMA:
            continue
        text = service.tree.read(file.path).decode("utf-8", "replace")
        for model in _MODEL.finditer(text):
            mapped = _MAPPED.search(model[2])
            names = {_plain(model[1]), *((_plain(mapped[1]),) if mapped is not None else ())}
            for column in _DEFAULT.finditer(model[2]):
                line = text.count("\n", 0, model.start(2) + column.start(1)) + 1
                value = Known(int(column[2]), Location(file.path, line))
                for name in names:
                    found[name, column[1]] = (*found.get((name, column[1]), ()), value)
    return found
