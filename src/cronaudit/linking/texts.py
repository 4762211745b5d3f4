"""Texts with fields in them, as Python's ``format`` fills them."""

from __future__ import annotations

from string import Formatter

from cronaudit.linking import objects
from cronaudit.linking.folder import Folder
from cronaudit.linking.operators import joined
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, Known, Unknown, Value


def formatted(folder: Folder, receiver: Known, args: Arguments, at: Location | None) -> Value:
    """``'{task.__module__}.{0}'.format(name, task=task)``."""
    parts: list[str | Value] = []
    given = 0
    try:
        fields = list(Formatter().parse(str(receiver.value)))
    except ValueError:
        return Unknown("format of a text", at)
    for literal, field, _spec, _conversion in fields:
        parts.append(literal)
        if field is None:
            continue
        root, *members = field.split(".")
        if not root:
            root, given = str(given), given + 1
        raw = args.named.get(root)
        if raw is None and root.isdigit() and int(root) < len(args.positional):
            raw = args.positional[int(root)]
        if raw is None:
            return Unknown("format of a text", at)
        value = folder.force(raw)
        for name in members:
            value = objects.member(folder, value, name, at)
        parts.append(value)
    return joined([p for p in parts if p != ""], at)
