"""What a file keeps on the global object: ``if (!globalThis.db) globalThis.db = make()``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cronaudit.linking.folder import Folder
from cronaudit.model.ir import Expr, Function, Member, Module, Operation
from cronaudit.model.source import Location
from cronaudit.model.value import External, Unknown, Value
from cronaudit.model.walking import functions_in, inside

GLOBALS: Final = frozenset(("global:globalThis", "global:global", "global:window"))
_DEFAULTS: Final = ("??", "or")


def kept(folder: Folder, name: str, at: Location | None) -> Value | None:
    """The object that the file at hand puts on the global object under a name; None where it puts none there."""
    module = folder.modules.module(at.path) if at is not None else None
    if module is None or at is None:
        return None
    for node in _around(module, at.line):
        scope = folder.scope_of(node) if isinstance(node, Function) else folder.module_scope(node)
        for store in folder.scopes.stores(node):
            value = _made(store.value, name) if store.name == name else None
            if value is None:
                continue
            holder = folder.fold(store.object, scope)
            if isinstance(holder, External) and holder.path in GLOBALS:
                found = folder.fold(value, scope)
                return None if isinstance(found, Unknown) else found
    return None


def _around(module: Module, line: int) -> Iterator[Function | Module]:
    yield module
    yield from (f for f in functions_in(module) if f.line <= line <= f.end_line)


def _made(value: Expr, name: str) -> Expr | None:
    """What is made, without ``globalThis.db ?? …`` before it; None where it speaks of itself otherwise."""
    if isinstance(value, Operation) and value.op in _DEFAULTS and len(value.operands) == 2:
        value = value.operands[1]
    speaks = any(isinstance(e, Member) and e.name == name for e in inside(value))
    return None if speaks else value
