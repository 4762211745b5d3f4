"""What is made of texts: fields filled in as Python's ``format`` does, parts put in place of others, and parts."""

from __future__ import annotations

from string import Formatter
from typing import Final

from msgspec.structs import replace

from cronaudit.linking import objects
from cronaudit.linking.folder import Folder
from cronaudit.linking.operators import joined
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, Known, Sequence, Unknown, Value

_PAIR: Final = 2


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


def replaced(
    folder: Folder, receiver: Known, text: str, name: str, args: Arguments, at: Location | None
) -> Value:
    """``'a_b'.replace('_', '-')``: of a text alone JavaScript replaces the first."""
    given = [folder.force(a) for a in args.positional]
    texts = [g.value for g in given if isinstance(g, Known) and isinstance(g.value, str)]
    if len(given) != _PAIR or len(texts) != _PAIR or not texts[0]:
        return Unknown(f"{name} of a text", at)
    every = name == "replaceAll" or (at is not None and at.path.endswith(".py"))
    old, new = texts
    return replace(receiver, value=text.replace(old, new, -1 if every else 1))


def split(folder: Folder, receiver: Known, text: str, args: Arguments, at: Location | None) -> Value:
    """``'5 * * * *'.split(' ')``: each part keeps where the text is stated and whose default it is."""
    given = folder.force(args.positional[0]) if args.positional else Known(None)
    if len(args.positional) > 1 or not isinstance(given, Known) or not isinstance(given.value, str | None):
        return Unknown("split of a text", at)
    # Without a separator Python splits at white space; an empty one is an error there, and characters in JavaScript.
    parts = text.split(given.value) if given.value != "" else list(text)
    return Sequence(
        tuple(Known(p, receiver.at, None, receiver.default_of) for p in parts), complete=True, at=at
    )
