"""Binding what a call passes to the parameters of a function."""

from __future__ import annotations

from cronaudit.linking import names
from cronaudit.linking.folder import Folder
from cronaudit.model.ir import (
    Function,
    Name,
    TypeRef,
)
from cronaudit.model.value import (
    Arguments,
    Known,
    Lazy,
    Record,
    Scope,
    Sequence,
    Unknown,
    Value,
)


def bind(folder: Folder, scope: Scope, function: Function, args: Arguments, bound: tuple[Value, ...]) -> None:
    """Bind what a call passes to the parameters of `function`; what it does not pass takes its default."""
    positional: list[Value | Lazy] = [*bound, *args.positional]
    taken: set[str] = set()
    for position, param in enumerate(function.params):
        value: Value | Lazy | None = None
        if param.rest == "*":
            value = Sequence(tuple(positional[position:]), args.complete)
        elif param.rest == "**":
            rest = {k: v for k, v in args.named.items() if k not in taken}
            value = Record(dict(rest), args.complete)
        elif position < len(positional):
            value = positional[position]
        elif param.name is not None and param.name in args.named:
            value = args.named[param.name]
        elif not args.complete:
            continue
        if param.name is not None:
            taken.add(param.name)
        _bind_one(folder, scope, param.target, param.default, value, param.type)


def _bind_one(
    folder: Folder,
    scope: Scope,
    target: object,
    default: object,
    given: Value | Lazy | None,
    type_ref: TypeRef | None,
) -> None:
    if isinstance(given, Lazy) and default is None and isinstance(target, Name) and type_ref is None:
        scope.values[target.name] = given
        return
    value = folder.force(given) if given is not None else None
    if (value is None or names.is_absent(value)) and default is not None:
        value = folder.fold(default, scope)  # type: ignore[arg-type]
    if value is None:
        value = Known(None)
    if isinstance(value, Unknown) and type_ref is not None:
        value = folder.typed(type_ref, scope.parent or scope) or value
    names.bind_target(folder, scope, target, value)  # type: ignore[arg-type]
