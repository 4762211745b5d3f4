"""Functions that a part of a program puts on an object that is handed around: ``(Env) => { Env.sweep = … }``."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.linking.fold import Evaluator
from cronaudit.linking.holders import is_compound
from cronaudit.linking.program import Program
from cronaudit.model.ir import Expr, Function, Member, Module, Name
from cronaudit.model.value import Closure, Known, Symbol, Value
from cronaudit.model.walking import functions_around, functions_in

_MOST_FILES = 40


class PutOn:
    """Finds the one function that the tree puts on an object under a name of several words."""

    def __init__(self, evaluator: Evaluator, program: Program) -> None:
        self._ev = evaluator
        self._program = program
        self._found: dict[tuple[str, str], Closure | None] = {}

    def of(self, callee: Expr, value: Value) -> Closure | None:
        """What ``Env.runTasks`` means where `Env` was made without it, or is only known to a caller."""
        if not (isinstance(callee, Member) and isinstance(callee.object, Name) and is_compound(callee.name)):
            return None
        if not (isinstance(value, Symbol) or (isinstance(value, Known) and value.value is None)):
            return None
        key = (callee.object.name, callee.name)
        if key not in self._found:
            stored = list(self._stored(*key))
            self._found[key] = stored[0] if len(stored) == 1 else None
        return self._found[key]

    def _stored(self, holder: str, name: str) -> Iterator[Closure]:
        for path in self._program.calling(name, _MOST_FILES, frozenset((holder,))):
            module = self._program.module(path)
            if module is None:
                continue
            nodes: tuple[Function | Module, ...] = (module, *functions_in(module))
            for node in nodes:
                for store in self._ev.scopes.stores(node):
                    on = store.object
                    if store.name != name or not isinstance(store.value, Function):
                        continue
                    if isinstance(on, Name) and on.name == holder and _is_handed(node, holder):
                        yield Closure(store.value, self._ev.scope_of(node))


def _is_handed(node: Function | Module, name: str) -> bool:
    """Whether a name is a parameter of a function around the place."""
    return any(p.name == name for f in functions_around(node) for p in f.params)
