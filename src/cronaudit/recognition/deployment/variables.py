"""Files with environment variables: `.env` and its kin."""

from __future__ import annotations

from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Variable
from cronaudit.model.source import Location
from cronaudit.recognition.deployment.files import Files

_LINE: Final = lazy_regex(
    r"""[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(?:"((?:\\.|[^"\\])*)"|'([^']*)'|(.*))"""
)
_COMMENT: Final = lazy_regex(r"(?:^|\s+)#.*$")


def read(files: Files, path: str) -> list[Variable]:
    """The variables of a file, the last of each name, in the order of the file."""
    found: dict[str, Variable] = {}
    for number, line in enumerate(files.text(path).splitlines(), start=1):
        match = _LINE.match(line)
        if match is not None:
            plain = match[2] if match[2] is not None else match[3]
            value = _COMMENT.sub("", match[4]).strip() if plain is None else plain
            found.pop(match[1], None)
            found[match[1]] = Variable(match[1], value, Location(path, number))
    return list(found.values())


def values(files: Files, path: str) -> dict[str, str]:
    """The same as plain texts."""
    return {one.name: one.value for one in read(files, path) if one.value is not None}
