"""What functions put into an object that they are handed: ``require('./x')(Topics)``."""

from __future__ import annotations

from cronaudit.linking.folder import Folder
from cronaudit.linking.scopes import ITEM
from cronaudit.model.ir import Call, Do, Expr, Member, Name
from cronaudit.model.value import Closure, External, Lazy, Scope, Value


def mixed_in(folder: Folder, scope: Scope, aliases: frozenset[str]) -> tuple[dict[str, Value | Lazy], bool]:
    """What mixins put into the object of these names, and whether all could be followed: ``require('./x')(Topics)``."""
    entries: dict[str, Value | Lazy] = {}
    complete = True
    for statement in scope.node.body:
        call = statement.value if isinstance(statement, Do) else None
        if not isinstance(call, Call) or not isinstance(call.callee, Call):
            continue
        given = [position for position, a in enumerate(call.args) if _names_one(a.value, aliases)]
        if not given:
            continue
        mixin = folder.fold(call.callee, scope)
        if not isinstance(mixin, Closure):
            complete = complete and isinstance(mixin, External)
            continue
        params = mixin.function.params
        taken = {params[position].name for position in given if position < len(params)}
        inner = Scope(mixin.function, mixin.scope, this=mixin.this)
        for store in folder.scopes.stores(mixin.function):
            if isinstance(store.object, Name) and store.object.name in taken and store.name != ITEM:
                entries.setdefault(store.name, Lazy(store.value, inner))
    return entries, complete


def _names_one(expr: Expr, aliases: frozenset[str]) -> bool:
    if isinstance(expr, Member):
        return expr.name == "exports" and "exports" in aliases
    return isinstance(expr, Name) and expr.name in aliases
