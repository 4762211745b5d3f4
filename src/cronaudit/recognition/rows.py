"""The rows of a container of jobs: a list, an object, or a dict that a loop fills entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from msgspec.structs import replace

from cronaudit.knowledge.selectors import EACH
from cronaudit.model.knowledge import Selector
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.value import Choice, Known, Lazy, Record, Scope, Sequence, Value

Row: TypeAlias = "tuple[Value | Lazy, Value | Lazy, Bound | None]"


def held_by(selectors: tuple[Selector, ...]) -> tuple[tuple[Selector, ...], bool]:
    """Where the container of rows stands, and whether each of its entries is a list of rows itself."""
    nested = any(one.members[-1:] == (EACH,) for one in selectors)
    return tuple(replace(s, members=s.members[:-1]) for s in selectors) if nested else selectors, nested


def rows_within(container: Value | None, linker: Linker) -> Iterator[Row]:
    """``{"0 2 * * *": [job, job]}``: each row of each list, under the key of the list."""
    for key, entry, filled in rows_of(container, linker):
        held = linker.force(entry)
        at = getattr(held, "at", None)
        stated = replace(key, at=at) if isinstance(key, Known) and at is not None else key
        for _, inner, within in rows_of(held, linker):
            yield stated, inner, within or filled


def rows_of(container: Value | None, linker: Linker) -> Iterator[Row]:
    """Key and entry of each row, with what bound them where a loop over a written-out list filled the container."""
    if isinstance(container, Record):
        for key, entry in container.entries.items():
            yield Known(key, container.at), entry, None
    elif isinstance(container, Sequence) and container.is_map:
        for pair in container.items:
            if isinstance(pair, Sequence) and len(pair.items) == 2:
                yield from _unrolled(pair.items[0], pair.items[1], linker)
    elif isinstance(container, Sequence):
        for number, entry in enumerate(container.items):
            yield Known(number, container.at), entry, None
    elif isinstance(container, Choice):
        yield from _of_any(container, linker)


def _of_any(container: Choice, linker: Linker) -> Iterator[Row]:
    """``{} if DISABLED else {"nightly": {…}}``: the rows of each container that it may be, none of them twice."""
    seen: set[object] = set()
    for option in container.options:
        for key, entry, filled in rows_of(option, linker):
            at = getattr(linker.force(entry), "at", None)
            named = key.value if isinstance(key, Known) and isinstance(option, Record) else None
            if (at is not None and at in seen) or (named is not None and named in seen):
                continue
            seen.update((at, named))
            yield key, entry, filled


def _unrolled(key: Value | Lazy, entry: Value | Lazy, linker: Linker) -> Iterator[Row]:
    """``for job in JOBS: schedule[job["name"]] = {…}``: one row for each item that the loop goes over."""
    if not isinstance(key, Lazy) or not isinstance(entry, Lazy):
        yield key, entry, None
        return

    def values(scope: Scope) -> list[Value | Lazy]:
        return [linker.fold(key.expr, scope), linker.fold(entry.expr, scope)]

    for bound in linker.unroll(Bound(entry.scope, ()), values):
        yield linker.fold(key.expr, bound.scope), linker.fold(entry.expr, bound.scope), bound
