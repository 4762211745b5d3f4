"""What the body of a function may give back."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.linking import operators
from cronaudit.linking.folder import Folder
from cronaudit.linking.guards import truth
from cronaudit.model.ir import If, Return, Stmt, Try
from cronaudit.model.value import Known, Scope, Value
from cronaudit.model.walking import blocks, ends_function


def returned(folder: Folder, body: tuple[Stmt, ...], scope: Scope) -> Iterator[Value]:
    """The values of a body's returns; branches whose test is known are taken or left."""
    for statement in body:
        if isinstance(statement, Return):
            if statement.value is not None:
                yield folder.fold(statement.value, scope)
            return
        if isinstance(statement, If):
            known = truth(folder.fold(statement.test, scope))
            taken = statement.then if known else statement.otherwise
            if known is not None:
                yield from returned(folder, taken, scope)
                if ends_function(taken):
                    return
                continue
        if isinstance(statement, Try) and _attempts(statement):
            yield from _attempted(folder, statement, scope)
            return
        for block in blocks(statement):
            yield from returned(folder, block, scope)


def _attempts(statement: Try) -> bool:
    """``try: return int(text)``, and every handler ends the function too."""
    return (
        len(statement.body) == 1
        and isinstance(statement.body[0], Return)
        and bool(statement.handlers)
        and all(ends_function(h.body) for h in statement.handlers)
    )


def _attempted(folder: Folder, statement: Try, scope: Scope) -> Iterator[Value]:
    """What is tried where that comes to a value; the handler's where what is tried reads a variable nobody has set."""
    tried = list(returned(folder, statement.body, scope))
    if len(tried) == 1 and isinstance(tried[0], Known) and tried[0].value is not None:
        yield tried[0]
        return
    caught = [v for handler in statement.handlers for v in returned(folder, handler.body, scope)]
    unset = operators.unset_variable(tried[0]) if len(tried) == 1 else None
    if unset is not None and len(caught) == 1 and isinstance(caught[0], Known):
        yield Known(caught[0].value, caught[0].at, caught[0].unit, unset)
        return
    yield from tried
    yield from caught
