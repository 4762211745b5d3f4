"""What keeps a lock where a setting of a framework says it, and whether that shuts out other processes at all."""

from __future__ import annotations

from typing import Final

from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Known, Record, Value
from cronaudit.recognition.context import Service
from cronaudit.recognition.facts.settings import default_of, parts_of, setting
from cronaudit.recognition.sightings import Sighting

_SETTING: Final = "lock_store"
_ENGINES: Final = {"redis": "redis", "valkey": "redis", "memcache": "memcached", "bmemcached": "memcached",
                   "database": "sql", "db.": "sql", "file": "file"}  # fmt: skip
"""What the names of backends begin with, and the store that they are."""


def store_word(sighting: Sighting, service: Service) -> str:
    """What keeps a lock; empty where nothing says it."""
    word = str(sighting.description.word("store") or "")
    if word != "setting":
        return word
    backends = " ".join(_backends(service)).lower()
    return next((store for begin, store in _ENGINES.items() if begin in backends), "")


def is_in_process(sighting: Sighting, service: Service) -> bool:
    """Whether a lock shuts out nobody but threads of its own process."""
    if sighting.description.word("kind") == "in-process":
        return True
    if sighting.description.word("store") != "setting":
        return False
    return set(_backends(service)) == {default_of(service, _SETTING)}


def place_of_setting(service: Service) -> Location | None:
    """Where the setting stands."""
    found = setting(service, _SETTING)
    return None if found is None else found[1]


def _backends(service: Service) -> list[str]:
    """The backends that the setting names; the default where the framework's settings are there and say nothing."""
    found = setting(service, _SETTING)
    if found is None:
        stated = setting(service, "databases") or setting(service, "routes")
        return [str(default_of(service, _SETTING))] if stated is not None else []
    keys = parts_of(service, _SETTING, "backend")
    return list(_texts(found[0], keys, service))


def _texts(value: Value, keys: tuple[str, ...], service: Service) -> list[str]:
    if isinstance(value, Choice):
        return [text for option in value.options for text in _texts(option, keys, service)]
    if not isinstance(value, Record):
        return ["?"]
    found: list[str] = [] if value.complete and value.entries else ["?"]
    for raw in value.entries.values():
        inner = service.linker.force(raw)
        for key in keys:
            entry = inner.entries.get(key) if isinstance(inner, Record) else None
            inner = service.linker.force(entry) if entry is not None else Known(None)
        options = inner.options if isinstance(inner, Choice) else (inner,)
        found += [str(o.value) if isinstance(o, Known) else "?" for o in options]
    return found
