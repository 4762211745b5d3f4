"""The templates that need no engine: text, fields, and alternatives joined by ``or``.

Nearly all evidence is ``{{ lock.kind.detail or 'No lock' }}``. To compile such a template with Jinja2 costs half a
millisecond, two hundred of them more than the rest of an audit of a small service. What this module reads it renders
exactly as Jinja2 does; anything else it leaves alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.ruleset.fields import FACT_PARTS
from cronaudit.ruleset.views import plain

_FIELD = rf"(?:[a-z]+\.[a-z_]+(?:\.(?:{'|'.join(FACT_PARTS)}))?(?:\s*\|\s*duration)?)"
_LITERAL = r"(?:'[^'\\]*'|\"[^\"\\]*\")"
_ALTERNATIVES = lazy_regex(rf"\s*(?:{_FIELD}|{_LITERAL})(?:\s+or\s+(?:{_FIELD}|{_LITERAL}))*\s*")
_ALTERNATIVE = lazy_regex(rf"({_FIELD})|({_LITERAL})")
_PRINTED = lazy_regex(r"\{\{(.*?)\}\}", re.DOTALL)
_TAG = lazy_regex(r"\{[{%#]")


class _Field(Struct, frozen=True):
    group: str
    name: str
    part: str | None
    as_duration: bool


_Segment = str | tuple[_Field | str, ...]


class PlainTemplate(Struct, frozen=True):
    """A template as literal text and alternatives."""

    segments: tuple[_Segment, ...]

    def render(self, context: Mapping[str, object], duration: Callable[[object], str]) -> str:
        """Return the text; of alternatives the first that is not empty, zero, false, none or unresolved."""
        return "".join(
            segment if isinstance(segment, str) else str(plain(_first(segment, context, duration)))
            for segment in self.segments
        )


def read_plain(source: str) -> PlainTemplate | None:
    """Return a template that needs no engine, or None for any other."""
    segments: list[_Segment] = []
    for number, piece in enumerate(_PRINTED.split(source)):
        if number % 2 == 0:
            if _TAG.search(piece):
                return None
            segments.append(piece)
        elif _ALTERNATIVES.fullmatch(piece):
            segments.append(tuple(_alternative(*found) for found in _ALTERNATIVE.findall(piece)))
        else:
            return None
    return PlainTemplate(tuple(segments))


def _alternative(field: str, literal: str) -> _Field | str:
    if not field:
        return literal[1:-1]
    named, _, filtered = field.partition("|")
    group, name, *part = named.strip().split(".")
    return _Field(group, name, part[0] if part else None, bool(filtered))


def _first(
    alternatives: tuple[_Field | str, ...],
    context: Mapping[str, object],
    duration: Callable[[object], str],
) -> object:
    value: object = ""
    for alternative in alternatives:
        value = alternative if isinstance(alternative, str) else _value(alternative, context, duration)
        if value:
            break
    return value


def _value(field: _Field, context: Mapping[str, object], duration: Callable[[object], str]) -> object:
    value = getattr(context[field.group], field.name)
    if field.part is not None:
        value = getattr(value, field.part)
    return duration(value) if field.as_duration else value
