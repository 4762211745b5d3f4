"""What loops put into maps."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.linking import iterables
from cronaudit.linking.folder import Folder
from cronaudit.model.ir import Array, Call, Expr, Function, Loop, Module, Name
from cronaudit.model.value import Lazy, Sequence, Value
from cronaudit.model.walking import holds, statements


def put_by_loop(
    folder: Folder, call: Call, node: Function | Module
) -> Iterator[tuple[Value | Lazy, Value | Lazy]]:
    """The pairs of ``for (const [name, work] of Object.entries(works)) map.set(name, work)``; none of another call."""
    given = [a.value for a in call.args]
    if not all(isinstance(e, Name) for e in given):
        return
    loop = next((s for s in statements(node.body) if isinstance(s, Loop) and _puts(s, given, call)), None)
    if loop is None or loop.iterable is None:
        return
    pairs = iterables.sequence_items(folder, folder.fold(loop.iterable, folder.scope_of(node))) or ()
    for pair in pairs:
        if isinstance(pair, Sequence) and len(pair.items) == len(given):
            yield pair.items[0], pair.items[1]


def _puts(loop: Loop, given: list[Expr], call: Call) -> bool:
    target = loop.target.items if isinstance(loop.target, Array) else ()
    if [getattr(e, "name", None) for e in target] != [getattr(e, "name", None) for e in given]:
        return False
    return holds(loop.body, call)
