"""Services that are reached by their URL alone: which one a request goes to."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.knowledge.matcher import Matcher
from cronaudit.model.knowledge import Host
from cronaudit.model.linker import Linker
from cronaudit.model.value import Choice, Env, External, Known, Record, Text, Value
from cronaudit.recognition.sightings import Sighting, text_of

_MOST = 16
"""Texts of one URL: its open parts may have several values each."""


def host_of(sighting: Sighting, matcher: Matcher, effect: str) -> Host | None:
    """The service with that effect that a request goes to, by its URL, else by the variable that holds the URL."""
    url = sighting.param("url")
    if url is None:
        return None
    for text in texts(url):
        host = matcher.host(text)
        if host is not None:
            return host if host.effect == effect else None
    for name in _variables(url, sighting.linker):
        host = matcher.host_of_variable(name)
        if host is not None:
            return host if host.effect == effect else None
    return None


def texts(value: Value | None) -> list[str]:
    """All texts that a folded value may be; open parts are written ``${…}``."""
    if value is None:
        return []
    if isinstance(value, Choice):
        return [t for o in value.options for t in texts(o)]
    if isinstance(value, Text):
        options = [""]
        for part in value.parts:
            said = [part] if isinstance(part, str) else (texts(part) or ["${…}"])
            options = [a + b for a in options for b in said][:_MOST]
        return options
    text = text_of(value)
    return [] if text is None else [text]


def _variables(value: Value | None, linker: Linker) -> Iterator[str]:
    """Environment variables and settings inside a folded value."""
    match value:
        case Env():
            yield value.name
        case Known() if value.default_of:
            yield value.default_of
        case Text():
            for part in value.parts:
                if not isinstance(part, str):
                    yield from _variables(part, linker)
        case Choice():
            for option in value.options:
                yield from _variables(option, linker)
        case External():
            yield value.path.rsplit(".", 1)[-1].rsplit(":", 1)[-1]
            for raw in (value.args.positional if value.args is not None else ())[:1]:
                yield from _variables(linker.force(raw), linker)
        case Record():
            for key in ("url", "baseURL", "href"):
                inner = value.entries.get(key)
                if inner is not None:
                    yield from _variables(linker.force(inner), linker)
        case _:
            return
