"""The rows of a container of jobs: a list, an object, or a dict that a loop fills entry by entry."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.model.linker import Bound, Linker
from cronaudit.model.value import Known, Lazy, Record, Scope, Sequence, Value


def rows_of(
    container: Value | None, linker: Linker
) -> Iterator[tuple[Value | Lazy, Value | Lazy, Bound | None]]:
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


def _unrolled(
    key: Value | Lazy, entry: Value | Lazy, linker: Linker
) -> Iterator[tuple[Value | Lazy, Value | Lazy, Bound | None]]:
    """``for job in JOBS: schedule[job["name"]] = {…}``: one row for each item that the loop goes over."""
    if not isinstance(key, Lazy) or not isinstance(entry, Lazy):
        yield key, entry, None
        return

    def values(scope: Scope) -> list[Value | Lazy]:
        return [linker.fold(key.expr, scope), linker.fold(entry.expr, scope)]

    for bound in linker.unroll(Bound(entry.scope, ()), values):
        yield linker.fold(key.expr, bound.scope), linker.fold(entry.expr, bound.scope), bound
