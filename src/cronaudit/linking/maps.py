"""What maps from keys to values are asked for."""

from __future__ import annotations

from cronaudit.linking.folder import Folder
from cronaudit.linking.operators import choice
from cronaudit.model.value import Known, Sequence, Value


def map_method(folder: Folder, receiver: Sequence, name: str, key: Value | None = None) -> Value:
    """What a method of a map gives: the value of a key that is known, else what it may hold."""
    pairs = [p for raw in receiver.items if isinstance(p := folder.force(raw), Sequence) and len(p.items) > 1]
    if name == "items":
        return receiver
    if name == "get":
        return choice(tuple(folder.force(p.items[1]) for p in _of_key(folder, pairs, key)))
    side = 0 if name == "keys" else 1
    return Sequence(tuple(p.items[side] for p in pairs), receiver.complete, receiver.at)


def _of_key(folder: Folder, pairs: list[Sequence], key: Value | None) -> list[Sequence]:
    """The pairs that may have a key; all of them where it is not among those that are known."""
    if not isinstance(key, Known):
        return pairs
    keys = [(folder.force(p.items[0]), p) for p in pairs]
    if not any(isinstance(k, Known) and k.value == key.value for k, _ in keys):
        return pairs
    return [p for k, p in keys if not isinstance(k, Known) or k.value == key.value]
