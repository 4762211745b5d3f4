"""The items of what a loop goes through."""

from __future__ import annotations

from cronaudit.linking.folder import Folder
from cronaudit.model.value import Choice, External, Lazy, Sequence, Unknown, Value


def sequence_items(folder: Folder, value: Value) -> tuple[Value, ...] | None:
    """The items of a folded iterable; None where they cannot be told."""
    raw = raw_items(value)
    return None if raw is None else tuple(folder.force(i) for i in raw)


def raw_items(value: Value) -> tuple[Value | Lazy, ...] | None:
    """The items of a folded iterable as they stand; None where they cannot be told."""
    if isinstance(value, Sequence) and value.items:
        return value.items
    if isinstance(value, Choice):
        return next((items for option in value.options if (items := raw_items(option))), None)
    return None


def from_library(value: Value) -> tuple[External, ...]:
    """What a library gave, each way to it once; nothing where the tree gives it on one of the ways."""
    if isinstance(value, External):
        return () if value.path.startswith("global:") else (value,)
    if not isinstance(value, Choice):
        return ()
    found: dict[str, External] = {}
    for option in value.options:
        given = from_library(option)
        if not given and not isinstance(option, Unknown):
            return ()
        found.update((g.path, g) for g in given)
    return tuple(found.values())
