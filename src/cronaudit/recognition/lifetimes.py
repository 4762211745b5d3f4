"""How long what holds a timer lives: as long as the process, or as one request or queued job that makes it."""

from __future__ import annotations

from msgspec import Struct

from cronaudit.knowledge.matcher import Matcher
from cronaudit.model.ir import Assign, Call, Class, Do, Expr, Function, Member, Module, Name, Try
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Closure, External, Instance
from cronaudit.model.walking import class_around, expressions, functions_around, statements
from cronaudit.recognition.found import Registration
from cronaudit.recognition.timers import handle_of, in_component, in_request

_DEPTH = 8
_NEXT = ("then", "finally", "nextTick", "setImmediate")
"""What runs a function once, when something before it is done."""
_QUEUED = frozenset(("job", "message", "msg"))
"""Parameters of functions that a queue calls for each of its jobs."""
_ENDS = frozenset(("set", "cancel", "stop"))
"""How a function ends a loop that it has started beside its work."""


class Lifetimes(Struct, eq=False):
    """Answers whether an object with a timer is made by each request or queued job anew."""

    linker: Linker
    matcher: Matcher
    _classes: dict[int, bool] = {}
    _functions: dict[int, bool | None] = {}
    _keep: list[object] = []

    def is_of_operation(self, registration: Registration) -> bool:
        """Whether only local variables of operations keep a timer, or the object whose method arms it."""
        cls = _class_of(registration)
        if cls is None:
            return (
                self._is_armed_by_operation(registration)
                if registration.loop is None
                else self._goes_beside_operation(registration.node)
            )
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

    def _goes_beside_operation(self, node: Function | Module) -> bool:
        """Whether only queued tasks start a loop, and end it once their own work is done: they renew a lock by it.

        ``Thread(target=beat, args=(done,)).start()``, then ``try: work() finally: done.set()``.
        """
        if not isinstance(node, Function) or node.name is None:
            return False
        name = node.name
        starters = [
            f
            for f in self.linker.functions(node.module, name)
            if f is not node and any(_hands_over(e, name) for e in expressions(f.body))
        ]
        return bool(starters) and all(self._is_task(f) and _ends_what_it_started(f) for f in starters)

    def _is_task(self, node: Function) -> bool:
        """Whether a queue runs a function: a decorator makes it one of its consumers, or it is handed a job."""
        scope = self.linker.scope_of(node.parent)
        for decorator in node.decorators:
            callee = self.linker.fold(decorator.callee if isinstance(decorator, Call) else decorator, scope)
            if isinstance(callee, External) and self.matcher.consumers(callee.path, "decorator"):
                return True
        return self._serves(node, 0, frozenset()) is True

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
        if in_component(inner, self.linker):
            return True
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
            kept = _is_kept(node.parent, node.line)
            return False if kept else self._serves(node.parent, depth + 1, active)
        if node.name is None and self._goes_on(node):
            return False
        told = [
            False if _is_kept(where, call.line) else self._serves(where, depth + 1, active)
            for call, where in self.linker.call_sites(node)
        ]
        if False in told:
            return False
        return True if True in told else None

    def _goes_on(self, node: Function) -> bool:
        """Whether a function is what a file does when it is loaded: ``(() => serve())()``, ``ready.then(() => …)``."""
        sites = self.linker.calls(node.module, _NEXT)
        taken = any(a.value is node for calls in sites.values() for call, _at in calls for a in call.args)
        return taken or any(isinstance(e, Call) and e.callee is node for e in expressions(node.module.body))


def _class_of(registration: Registration) -> Class | None:
    """The class of the object whose method arms the timer."""
    handler = registration.handler
    this = handler.this if isinstance(handler, Closure) else None
    owner = class_around(registration.node)
    return this.of.cls if owner is not None and isinstance(this, Instance) else owner


def _is_kept(node: Function | Module, line: int) -> bool:
    """Whether what is made on a line is put where the next request finds it: ``global.app = await boot()``."""
    for statement in statements(node.body):
        end = getattr(statement, "end_line", statement.line)
        if isinstance(statement, Assign) and statement.line <= line <= end:
            holder = statement.target
            while isinstance(holder, Member):
                holder = holder.object
            if isinstance(holder, Name) and not _declares_around(node, holder.name):
                return True
    return False


def _declares_around(node: Function | Module, name: str) -> bool:
    """Whether a name is a variable or parameter of a function around the place."""
    return any(_declares(f, name) or any(p.name == name for p in f.params) for f in functions_around(node))


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


def _hands_over(expr: Expr, name: str) -> bool:
    """Whether a call is handed a function of that name, or what calling it gives: ``Thread(target=beat)``."""
    given = [a.value for a in expr.args] if isinstance(expr, Call) else []
    given = [a.callee if isinstance(a, Call) else a for a in given]
    return any(isinstance(a, Name) and a.name == name for a in given)


def _ends_what_it_started(node: Function) -> bool:
    """Whether whatever happens a function gives an order to stop to an object of its own."""
    return any(
        isinstance(call, Call)
        and isinstance(call.callee, Member)
        and call.callee.name in _ENDS
        and isinstance(call.callee.object, Name)
        for s in statements(node.body)
        if isinstance(s, Try)
        for call in expressions(s.final)
    )
