"""The walk down from a trigger: every call on the way, with what surrounds it."""

from __future__ import annotations

from cronaudit.linking import iterables, messages, operators
from cronaudit.linking.branches import Branches
from cronaudit.linking.callbacks import functions_in, passed_on
from cronaudit.linking.decorators import decorated, wrappers
from cronaudit.linking.fold import Evaluator
from cronaudit.linking.usages import Usages
from cronaudit.model.ir import (
    Await,
    Call,
    Class,
    Define,
    Export,
    Expr,
    Function,
    If,
    Loop,
    LoopKind,
    Member,
    Module,
    Name,
    Return,
    Stmt,
    Throw,
    Try,
    With,
)
from cronaudit.model.linker import Enters
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind, Trace
from cronaudit.model.value import (
    Arguments,
    Builtin,
    Choice,
    ClassValue,
    Closure,
    External,
    Instance,
    Scope,
    Value,
)
from cronaudit.model.walking import children, statement_expressions

_MOST_FUNCTIONS = 500
_MOST_EVENTS = 8_000
_DEEPEST = 40
_PROMISE_METHODS = frozenset(("then", "catch", "finally"))
_MOST_ITEMS = 20
_MOST_IMPLEMENTATIONS = 4


class Walker:
    """Walks one job. A function is entered once for each set of functions that is passed to it."""

    def __init__(self, evaluator: Evaluator, usages: Usages) -> None:
        self._ev = evaluator
        self._usages = usages
        self._events: list[Event] = []
        self._entered: set[tuple[int, ...]] = set()
        self._functions: list[Location] = []
        self._keep: list[object] = []
        self._undecorated: set[int] = set()
        self._cut = ""
        self._enters: Enters | None = None
        self._branches = Branches()
        self._taken: dict[int, dict[int, bool]] = {}
        """By scope, the tests that its call settles."""

    def walk(
        self,
        start: Closure | Module,
        given: tuple[Value, ...] = (),
        caller: Event | None = None,
        enters: Enters | None = None,
    ) -> Trace:
        """Everything that a run of `start` may call; of a module, its top-level code.

        `given` is what the scheduler passes. `caller` is the call, seen in another walk, that runs `start`: what
        surrounds it surrounds this walk too. `enters` tells of each function whether the walk is to go into it.
        """
        self._enters = enters
        if isinstance(start, Module):
            scope = self._ev.module_scope(start)
            self._functions.append(Location(start.path, 1))
            self._block(start.body, scope, None, (start.path,))
        elif caller is not None and caller.call is not None:
            self._enter(start, self._ev.arguments(caller.call, caller.scope), caller.region, caller.path)
        else:
            self._enter(start, Arguments(given, {}, complete=False), None, ())
        return Trace(tuple(self._events), not self._cut, self._cut, tuple(self._functions))

    # ---- functions -------------------------------------------------------------------------------------------

    def _enter(
        self,
        closure: Closure,
        args: Arguments,
        region: Region | None,
        path: tuple[str, ...],
        wrapping: Closure | None = None,
    ) -> bool:
        function = closure.function
        if self._enters is not None and not self._enters(closure, args):
            return False
        if function.decorators and id(function) not in self._undecorated:
            outer = decorated(closure, self._ev)
            if outer is not closure:
                return self._enter_decorated(closure, outer, args, region, path)
        passed = [a for raw in args.positional for a in functions_in(raw, self._ev)]
        if wrapping is not None:
            passed.append(wrapping)
        this = closure.this
        owner = id(this.of.cls) if isinstance(this, Instance) else 0
        key = (id(function), owner, *(id(p.function) for p in passed))
        if key in self._entered:
            return True
        scope = self._ev.enter(closure, args)
        taken = self._branches.taken(closure, args, scope)
        way = (*key, *(part for test in taken.items() for part in test))
        if way in self._entered:
            return True
        if (
            len(path) > _DEEPEST
            or len(self._functions) >= _MOST_FUNCTIONS
            or len(self._events) > _MOST_EVENTS
        ):
            self._cut = self._cut or f"the walk was cut at {function.symbol} ({function.location})"
            return False
        self._entered.add(way)
        self._keep.append(scope)
        self._taken[id(scope)] = taken
        self._functions.append(function.location)
        inner = (*path, function.symbol)
        self._emit(EventKind.ENTER, None, closure, scope, region, path, function.line, None)
        for call, callee in wrappers(function, self._ev) if function.decorators else ():
            # ``@retry(…) def f`` is a function that hands the body to ``retry(…)``.
            around = self._ev.scope_of(function.parent)
            event = self._emit(EventKind.CALL, call, callee, around, region, inner, call.line, None)
            region = Region(RegionKind.CALLBACK, None, region, event)
            self._emit(EventKind.ENTER, None, closure, scope, region, inner, function.line, None)
            inner = (*inner, function.symbol)
        self._block(function.body, scope, region, inner)
        return True

    def _enter_decorated(
        self,
        closure: Closure,
        outer: Closure,
        args: Arguments,
        region: Region | None,
        path: tuple[str, ...],
    ) -> bool:
        """Enter what the decorators of a function have made of it; it calls the function itself."""
        self._undecorated.add(id(closure.function))
        whole = self._enter(outer, args, region, path, closure)
        if not any(key[0] == id(closure.function) for key in self._entered):
            whole = self._enter(closure, args, region, path) and whole
        self._undecorated.discard(id(closure.function))
        return whole

    def _block(
        self, body: tuple[Stmt, ...], scope: Scope, region: Region | None, path: tuple[str, ...]
    ) -> None:
        for statement in body:
            self._statement(statement, scope, region, path)

    def _statement(self, s: Stmt, scope: Scope, region: Region | None, path: tuple[str, ...]) -> None:
        match s:
            case If():
                self._expr(s.test, scope, region, path, s)
                taken = messages.holds(s.test, scope, self._ev)
                if taken is None:
                    taken = self._taken.get(id(scope), {}).get(id(s))
                if taken is not None:
                    self._block(s.then if taken else s.otherwise, scope, region, path)
                    return
                self._block(s.then, scope, Region(RegionKind.THEN, s, region), path)
                self._block(s.otherwise, scope, Region(RegionKind.ELSE, s, region), path)
            case Loop():
                self._emit(EventKind.LOOP, None, None, scope, region, path, s.line, s)
                for part in statement_expressions(s):
                    self._expr(part, scope, region, path, s)
                self._bind_item(s, scope)
                self._block(s.body, scope, Region(RegionKind.LOOP, s, region), path)
            case Try():
                self._block(s.body, scope, Region(RegionKind.TRY, s, region), path)
                for handler in s.handlers:
                    self._block(handler.body, scope, Region(RegionKind.CATCH, s, region, handler), path)
                self._block(s.final, scope, Region(RegionKind.FINALLY, s, region), path)
            case With():
                inner = region
                for value, _target in s.items:
                    before = len(self._events)
                    self._expr(value, scope, inner, path, s)
                    made = next((e for e in reversed(self._events[before:]) if e.call is value), None)
                    inner = Region(RegionKind.WITH, s, inner, made)
                self._block(s.body, scope, inner, path)
            case Throw():
                if s.value is not None:
                    self._expr(s.value, scope, region, path, s)
                self._emit(EventKind.THROW, None, None, scope, region, path, s.line, s)
            case Return():
                if s.value is not None:
                    self._expr(s.value, scope, region, path, s, awaited=True)
                self._emit(EventKind.RETURN, None, None, scope, region, path, s.line, s)
            case Define() | Export():
                return
            case _:
                for part in statement_expressions(s):
                    self._expr(part, scope, region, path, s)

    def _bind_item(self, loop: Loop, scope: Scope) -> None:
        """Bind the variable of a loop over a list that is written out: ``for (const job of this.jobs)``.

        Only in the scope of one call; that of a module is shared with whoever else folds in it.
        """
        if (
            loop.kind is not LoopKind.EACH
            or not isinstance(loop.target, Name)
            or isinstance(scope.node, Module)
        ):
            return
        scope.values.pop(loop.target.name, None)
        iterable = self._ev.fold(loop.iterable, scope) if loop.iterable is not None else None
        items = iterables.sequence_items(self._ev, iterable) if iterable is not None else None
        if items is not None and 1 < len(items) <= _MOST_ITEMS:
            scope.values[loop.target.name] = operators.choice(items)

    # ---- expressions -----------------------------------------------------------------------------------------

    def _expr(
        self,
        expr: Expr,
        scope: Scope,
        region: Region | None,
        path: tuple[str, ...],
        statement: Stmt,
        *,
        awaited: bool = False,
    ) -> None:
        if isinstance(expr, Call):
            self._call(expr, scope, region, path, statement, awaited=awaited)
        elif isinstance(expr, Function | Class):
            return
        elif isinstance(expr, Await):
            self._expr(expr.value, scope, region, path, statement, awaited=True)
        else:
            for child in children(expr):
                self._expr(child, scope, region, path, statement, awaited=awaited)

    def _call(
        self,
        call: Call,
        scope: Scope,
        region: Region | None,
        path: tuple[str, ...],
        statement: Stmt,
        *,
        awaited: bool,
    ) -> None:
        callee = self._ev.fold(call.callee, scope)
        callee = self._usages.put_on.of(call.callee, callee) or callee
        if self._is_promise_chain(call, callee):
            self._promise_chain(call, scope, region, path, statement, awaited=awaited)
            return
        if isinstance(call.callee, Member):
            self._expr(call.callee.object, scope, region, path, statement)
        elif isinstance(call.callee, Call):
            self._expr(call.callee, scope, region, path, statement)
        for arg in call.args:
            self._expr(arg.value, scope, region, path, statement, awaited=_gathers(callee))
        event = self._emit(
            EventKind.CALL, call, callee, scope, region, path, call.line, statement, awaited=awaited
        )
        args = self._ev.arguments(call, scope)
        for option in callee.options[:3] if isinstance(callee, Choice) else (callee,):
            self._follow(option, args, event, region, path)

    def _follow(
        self, callee: Value, args: Arguments, event: Event, region: Region | None, path: tuple[str, ...]
    ) -> None:
        for implementation in self._usages.implementations(callee)[:_MOST_IMPLEMENTATIONS]:
            self._enter(implementation, args, region, path)
        if isinstance(callee, Closure):
            before = len(self._functions)
            entered = self._enter(callee, args, region, path)
            if entered and len(self._functions) == before:
                return
        elif isinstance(callee, ClassValue):
            made = self._ev.instance(callee, args, event.location)
            constructor = callee.cls.constructor
            if (maker := callee.cls.method("__new__")) is not None:
                self._enter(Closure(maker, callee.scope, callee), args, region, path)
            if constructor is not None:
                self._enter(Closure(constructor, callee.scope, made), args, region, path)
        elif (
            isinstance(callee, Builtin)
            and isinstance(callee.receiver, Closure)
            and callee.name in ("call", "apply")
        ):
            rest = Arguments(
                args.positional[1:], args.named, complete=callee.name == "call" and args.complete
            )
            self._enter(callee.receiver, rest, region, path)
            return
        if isinstance(callee, External) and self._ev.foreign.defers(callee):
            return
        inner = Region(RegionKind.CALLBACK, event.statement, region, event)
        given = passed_on(callee, self._ev)
        for raw in (*args.positional, *args.named.values()):
            for closure in functions_in(raw, self._ev):
                self._enter(closure, given, inner, path)

    # ---- promises --------------------------------------------------------------------------------------------

    @staticmethod
    def _is_promise_chain(call: Call, callee: Value) -> bool:
        if not isinstance(call.callee, Member) or call.callee.name not in _PROMISE_METHODS:
            return False
        return bool(call.args) and not isinstance(callee, Closure)

    def _promise_chain(
        self,
        call: Call,
        scope: Scope,
        region: Region | None,
        path: tuple[str, ...],
        statement: Stmt,
        *,
        awaited: bool,
    ) -> None:
        """``work().catch(f)`` is ``try { await work() } catch { f() }``; ``then`` and ``finally`` likewise."""
        assert isinstance(call.callee, Member)  # noqa: S101 - the caller has looked
        name = call.callee.name
        guarded = name == "catch" or (name == "then" and len(call.args) > 1)
        inner = Region(RegionKind.TRY, call, region) if guarded or name == "finally" else region
        self._expr(call.callee.object, scope, inner, path, statement, awaited=awaited or guarded)
        for position, arg in enumerate(call.args):
            value = self._ev.fold(arg.value, scope)
            if name == "finally":
                around: Region | None = Region(RegionKind.FINALLY, call, region)
            elif name == "catch" or position == 1:
                around = Region(RegionKind.CATCH, call, region)
            else:
                around = region
            if isinstance(value, Closure):
                self._enter(value, Arguments((), {}, complete=False), around, path)
            else:
                self._expr(arg.value, scope, around, path, statement)
                if isinstance(value, External):
                    self._emit(
                        EventKind.CALL, call, value, scope, around, path, call.line, statement, passed=True
                    )

    # ---- events ----------------------------------------------------------------------------------------------

    def _emit(  # noqa: PLR0913 - an event has that many parts
        self,
        kind: EventKind,
        call: Call | None,
        callee: Value | None,
        scope: Scope,
        region: Region | None,
        path: tuple[str, ...],
        line: int,
        statement: Stmt | None,
        *,
        awaited: bool = False,
        passed: bool = False,
    ) -> Event:
        end = call.end_line if call is not None else None
        event = Event(
            kind=kind,
            order=len(self._events),
            call=call,
            callee=callee,
            scope=scope,
            region=region,
            path=path,
            location=Location(scope.module.path, line, end if end != line else None),
            statement=statement,
            awaited=awaited,
            passed=passed,
        )
        self._events.append(event)
        return event


def _gathers(callee: Value) -> bool:
    return isinstance(callee, External) and callee.path.startswith("global:Promise.")
