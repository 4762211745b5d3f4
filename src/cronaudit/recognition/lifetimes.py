"""How long what holds a timer lives: as long as the process, or as one request or queued job that makes it."""

from __future__ import annotations

from msgspec import Struct

from cronaudit.model.ir import Assign, Class, Do, Function, Module, Name
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Closure, Instance
from cronaudit.model.walking import class_around, statements
from cronaudit.recognition.found import Registration
from cronaudit.recognition.timers import handle_of, in_request

_DEPTH = 8
_QUEUED = frozenset(("job", "message", "msg"))
"""Parameters of functions that a queue calls for each of its jobs."""


class Lifetimes(Struct, eq=False):
    """Answers whether an object with a timer is made by each request or queued job anew."""

    linker: Linker
    _classes: dict[int, bool] = {}
    _functions: dict[int, bool | None] = {}
    _keep: list[object] = []

    def is_of_operation(self, registration: Registration) -> bool:
        """Whether only local variables of operations keep a timer, or the object whose method arms it."""
        cls = _class_of(registration)
        if cls is None:
            return self._is_armed_by_operation(registration)
        known = self._classes.get(id(cls))
        if known is None:
            known = self._classes[id(cls)] = self._made_by_operations(cls)
            self._keep.append(cls)
        return known

    def _is_armed_by_operation(self, registration: Registration) -> bool:
        """A timer that only a local variable of the function keeps which arms it, for each request anew."""
        call, node = registration.call.call, registration.node
        if call is None or not isinstance(node, Function):
            return False
        handle = handle_of(call, node)
        is_local = isinstance(handle, Name) and _declares(node, handle.name)
        return is_local and self._serves(node, 0, frozenset()) is True

    def _made_by_operations(self, cls: Class) -> bool:
        makers = {made.at for made, _chain in self.linker.instances(cls) if made.at is not None}
        return bool(makers) and all(self._is_made_by_operation(at) for at in sorted(makers))

    def _is_made_by_operation(self, at: Location) -> bool:
        module = self.linker.module(at.path)
        if module is None:
            return False
        around = [f for f in self.linker.functions(module, "new") if f.line <= at.line <= f.end_line]
        if not around:
            return False
        inner = max(around, key=lambda f: (f.line, -f.end_line))
        return _is_local(inner, at) and self._serves(inner, 0, frozenset()) is True

    def _serves(self, node: Function | Module, depth: int, active: frozenset[int]) -> bool | None:
        """Whether code runs for a request or a queued job; None where nobody can be seen to run it."""
        if isinstance(node, Module):
            return False
        if in_request(node) or any(p.name in _QUEUED for p in node.params):
            return True
        if depth > _DEPTH or id(node) in active:
            return None
        if id(node) not in self._functions:
            found = self._asked(node, depth, active | {id(node)})
            if depth > 0 and found is None:
                return None  # it may be told from elsewhere
            self._functions[id(node)] = found
            self._keep.append(node)
        return self._functions[id(node)]

    def _asked(self, node: Function, depth: int, active: frozenset[int]) -> bool | None:
        if isinstance(node.parent, Function) and node.owner is None:
            return self._serves(node.parent, depth + 1, active)
        told = [self._serves(where, depth + 1, active) for _call, where in self.linker.call_sites(node)]
        if False in told:
            return False
        return True if True in told else None


def _class_of(registration: Registration) -> Class | None:
    """The class of the object whose method arms the timer."""
    handler = registration.handler
    this = handler.this if isinstance(handler, Closure) else None
    owner = class_around(registration.node)
    return this.of.cls if owner is not None and isinstance(this, Instance) else owner


def _is_local(node: Function, at: Location) -> bool:
    """Whether what is made there is kept in a local variable, or by nobody."""
    for statement in statements(node.body):
        end = getattr(statement, "end_line", statement.line)
        if isinstance(statement, Assign) and statement.line <= at.line <= end:
            return isinstance(statement.target, Name) and _declares(node, statement.target.name)
        if isinstance(statement, Do) and statement.line == at.line:
            return True
    return False


def _declares(node: Function, name: str) -> bool:
    return any(
        isinstance(s, Assign) and s.declares and isinstance(s.target, Name) and s.target.name == name
        for s in statements(node.body)
    )
