"""``runner.instance_state``: whether a job lives on what an earlier run left in the memory of its process.

State is a variable outside the run (of the module, of a function around the handler, a field of an object that
outlives the run) that one run writes and a later one reads to decide what it does. Handles of timers, flags against
overlap, counters for metrics, caches and things that are only made once are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.ir import (
    Assign,
    AssignExpr,
    Await,
    Call,
    Class,
    Const,
    Expr,
    Function,
    If,
    Index,
    Loop,
    Member,
    Module,
    Name,
    Operation,
    Return,
    Stmt,
    This,
)
from cronaudit.model.source import Location
from cronaudit.model.trace import EventKind
from cronaudit.model.value import Choice, Closure, External, Instance, Record, Sequence
from cronaudit.model.walking import (
    blocks,
    calls_in,
    class_around,
    functions_in,
    inside,
    statement_expressions,
)
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.facts.homes import home_of
from cronaudit.recognition.facts.processes import placement
from cronaudit.recognition.facts.runner_renewed import Renewals, Spot, is_new
from cronaudit.recognition.sightings import Sighting

_HARMLESS: Final = lazy_regex(
    r"cache|memo|timer|timeout|interval|handle|running|active|busy|in_?progress|in_?flight|processing|executing|lock"
    r"|client|connection|conn\b|pool|instance|logger|metric|counter|count\b|stats|started|initiali[sz]ed|ready"
    r"|singleton|loaded|stop|abort|closed|shutdown|execution|promise|scheduled|worker|tick",
    re.IGNORECASE,
)
"""Names of what a run may leave behind without living on it."""
_MUTATORS: Final = frozenset("push unshift add append extend update set setdefault insert".split())
_DRAINS: Final = frozenset("splice shift pop popleft".split())
"""What takes away what others have put there: a buffer that each instance fills for itself."""
_LOOKUPS: Final = frozenset("has get includes indexOf find some every __contains__ at pop shift".split())

_COLLECTIONS: Final = frozenset(
    ("global:Map()", "global:Set()", "global:Array()", "builtins.set()", "builtins.dict()")
)

Key: TypeAlias = "tuple[int, str]"
"""Of the function, module or class that owns a variable, and its name."""


class _Use(Struct):
    """What the run does with one variable that outlives it."""

    name: str
    written: Location | None = None
    decided: Location | None = None
    drained: Location | None = None
    path_written: tuple[str, ...] = ()
    values: list[Expr] = []
    made: list[Spot] = []
    """Where it is given a value that owes nothing to the last one."""
    reads: list[Spot] = []


class _Entered(Struct, frozen=True, eq=False):
    """One function that the run enters."""

    function: Function
    path: tuple[str, ...]
    lasting: bool
    """Whether the object that it is called on outlives the run."""

    def at(self, line: int) -> Location:
        return Location(self.function.module.path, line)


@once
def instance_state(context: JobContext) -> Fact[bool]:
    """Whether the job depends on state that an earlier run left in the same instance."""
    for use in _Uses(context).found():
        assert use.written is not None  # noqa: S101 - found() gives only what is written
        words = f"{use.name} is kept in the instance between runs"
        places = tuple(x for x in (use.written, use.decided) if x is not None)
        return Fact(value=True, detail=words, locations=places, path=use.path_written)
    kept = _local_file(context)
    if kept is not None:
        return kept
    absent = context.absent(value=False, detail="Any instance can run")
    if isinstance(absent.value, Unresolved):
        return absent
    return Fact(value=False, detail="Any instance can run", locations=(_place(context),))


def _place(context: JobContext) -> Location:
    """Where the shared guard is made that lets any instance run; else the worker, else the registration."""
    for sighting in context.seen("lock.*"):
        this = next((s.this for s in sighting.event.scope.outward() if s.this is not None), None)
        if isinstance(this, Instance) and this.at is not None:
            return this.at
    return placement(context).work


def _local_file(context: JobContext) -> Fact[bool] | None:
    """A file of the instance that one run writes and the next one reads."""
    written = {p: s for s in context.seen("file.write") if (p := _fixed_path(s)) is not None}
    for sighting in context.seen("file.read"):
        path = _fixed_path(sighting)
        if path is not None and path in written and sighting.event.order < written[path].event.order:
            first = written[path]
            words = f"Local file {path} is kept between runs"
            places = (first.location, sighting.location)
            return Fact(value=True, detail=words, locations=places, path=first.path)
    return None


def _fixed_path(sighting: Sighting) -> str | None:
    path = sighting.text("path")
    return None if path is None or "${…}" in path or "/tmp" in path else path  # noqa: S108 - a path of the target


class _Uses:
    """The variables that outlive a run, with what the run does to them."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._linker = context.linker
        self._uses: dict[Key, _Use] = {}
        self._entered: list[tuple[Function, tuple[str, ...], Instance | None]] = []
        self._inside: set[int] = set()
        self._owners: dict[int, Class | Function | Module] = {}
        for event in context.trace.events:
            if event.kind is EventKind.ENTER and isinstance(event.callee, Closure):
                this = event.callee.this
                owner = this if isinstance(this, Instance) else None
                self._entered.append(
                    (event.callee.function, (*event.path, event.callee.function.symbol), owner)
                )
                self._inside.add(id(event.callee.function))

    def found(self) -> Iterator[_Use]:
        for function, path, this in self._entered:
            if not function.is_constructor:
                lasting = this is None or this.at is None or not self._is_made_in_run(this.at)
                self._function(_Entered(function, path, lasting))
        renewals = Renewals(self._context.trace.events)
        for key in sorted(self._uses, key=lambda k: str(self._uses[k].written)):
            use = self._uses[key]
            if use.drained is not None and use.written is None:
                use.written = self._filled(key)
                use.decided = use.drained
            if not use.written or not use.decided or _HARMLESS.search(use.name) or _is_flag(use.values):
                continue
            if not any(renewals.settles(spot, use.reads) for spot in use.made):
                yield use

    def _function(self, entered: _Entered) -> None:
        for statement, guards in _guarded(entered.function.body, ()):
            self._writes(statement, guards, entered)
            self._reads(statement, entered)

    def _is_made_in_run(self, at: Location) -> bool:
        """Whether an object is made anew by each run."""
        for function, _path, _this in self._entered:
            if function.module.path == at.path and function.line <= at.line <= function.end_line:
                return True
        return False

    # ---- writes ----------------------------------------------------------------------------------------------

    def _writes(self, statement: Stmt, guards: tuple[Expr, ...], entered: _Entered) -> None:
        if isinstance(statement, Assign) and not statement.declares:
            self._assigned(statement, guards, entered)
        for root in statement_expressions(statement):
            for expr in inside(root):
                if isinstance(expr, AssignExpr):
                    self._assigned(expr, guards, entered)
                elif (
                    isinstance(expr, Call)
                    and isinstance(expr.callee, Member)
                    and expr.callee.name in _MUTATORS
                ):
                    self._mutated(expr, entered)

    def _assigned(self, assignment: Assign | AssignExpr, guards: tuple[Expr, ...], entered: _Entered) -> None:
        target, value = assignment.target, assignment.value
        base = target.object if isinstance(target, Index) else target
        key = self._key(base, entered.function, lasting=entered.lasting)
        if key is None or self._is_made_once(key, guards, entered.function):
            return
        use = self._uses.setdefault(key, _Use(key[1]))
        if value is not None and not isinstance(target, Index):
            use.values.append(value)
            if isinstance(assignment, Assign) and is_new(assignment, use.name):
                use.made.append(Spot(entered.function, assignment.line))
        if use.written is None:
            use.written, use.path_written = entered.at(assignment.line), entered.path

    def _mutated(self, call: Call, entered: _Entered) -> None:
        assert isinstance(call.callee, Member)  # noqa: S101 - the caller has looked
        key = self._key(call.callee.object, entered.function, lasting=entered.lasting)
        if key is None or not self._is_collection(call.callee.object, entered.function):
            return
        use = self._uses.setdefault(key, _Use(key[1]))
        use.values.append(call)
        if use.written is None:
            use.written, use.path_written = entered.at(call.line), entered.path

    def _is_collection(self, expr: Expr, function: Function) -> bool:
        """A list, set or map of the language, not an object of the project or of a library."""
        value = self._linker.fold(expr, self._linker.scope_of(function))
        owner = class_around(function)
        if isinstance(expr, Member) and isinstance(expr.object, This) and owner is not None:
            value = self._linker.member(Instance(self._linker.class_value(owner), None), expr.name)
        options = value.options if isinstance(value, Choice) else (value,)
        return any(
            o.path in _COLLECTIONS if isinstance(o, External) else isinstance(o, Sequence | Record)
            for o in options
        )

    def _is_made_once(self, key: Key, guards: tuple[Expr, ...], function: Function) -> bool:
        """``if (!x) x = make()``: what is only made at the first run decides nothing later."""
        for guard in guards:
            if not isinstance(guard, Operation) or guard.op not in ("not", "=="):
                continue
            tested = guard.operands[0]
            if isinstance(tested, Index):
                tested = tested.object
            elif isinstance(tested, Operation) and tested.op == "in":
                tested = tested.operands[1]
            if self._key(tested, function, lasting=True) == key:
                return True
        return False

    def _filled(self, key: Key) -> Location | None:
        """Where code off the run, beside the variable, puts something into it."""
        owner = self._owners[key[0]]
        beside = owner.methods if isinstance(owner, Class) else tuple(functions_in(owner))
        for function in beside:
            if id(function) in self._inside:
                continue
            for call in calls_in(function):
                callee = call.callee
                if (
                    isinstance(callee, Member)
                    and callee.name in _MUTATORS
                    and self._key(callee.object, function, lasting=True) == key
                    and self._is_collection(callee.object, function)
                ):
                    return Location(function.module.path, call.line)
        return None

    # ---- reads -----------------------------------------------------------------------------------------------

    def _reads(self, statement: Stmt, entered: _Entered) -> None:
        """What decides: a test, what is gone through, an argument, what is returned."""
        roots: list[Expr] = []
        if isinstance(statement, If):
            roots.append(statement.test)
        elif isinstance(statement, Loop):
            roots += [e for e in (statement.test, statement.iterable) if e is not None]
        elif isinstance(statement, Return) and statement.value is not None:
            roots.append(statement.value)
        for root in statement_expressions(statement):
            for expr in inside(root):
                if isinstance(expr, Call) and not self._is_log(expr, entered.function):
                    roots += [a.value for a in expr.args]
                    if isinstance(expr.callee, Member) and expr.callee.name in _LOOKUPS:
                        roots.append(expr.callee.object)
                    if isinstance(expr.callee, Member) and expr.callee.name in _DRAINS:
                        self._drained(expr.callee.object, expr.line, entered)
        for root in roots:
            for expr in inside(root):
                key = self._key(expr, entered.function, lasting=entered.lasting)
                if key is None:
                    continue
                use = self._uses.setdefault(key, _Use(key[1]))
                line = getattr(expr, "line", entered.function.line)
                use.reads.append(Spot(entered.function, line))
                if use.decided is None:
                    use.decided = entered.at(line)

    def _drained(self, expr: Expr, line: int, entered: _Entered) -> None:
        key = self._key(expr, entered.function, lasting=entered.lasting)
        if key is not None and self._is_collection(expr, entered.function):
            use = self._uses.setdefault(key, _Use(key[1]))
            use.drained = use.drained or entered.at(line)

    def _is_log(self, call: Call, function: Function) -> bool:
        callee = self._linker.fold(call.callee, self._linker.scope_of(function))
        if not isinstance(callee, External):
            return False
        effects = self._context.service.matcher.effects(callee.path)
        return any(e.effect.startswith(("log", "metric.", "timer.", "monitor.")) for e in effects)

    # ---- variables -------------------------------------------------------------------------------------------

    def _key(self, expr: Expr, function: Function, *, lasting: bool) -> Key | None:
        """The variable that an expression is, where it outlives a run."""
        if isinstance(expr, Member) and isinstance(expr.object, This):
            owner = class_around(function)
            if owner is None or not lasting:
                return None
            self._owners[id(owner)] = owner
            return id(owner), expr.name
        if isinstance(expr, Name):
            home = home_of(expr.name, function)
            if home is None or id(home) in self._inside:
                return None
            self._owners[id(home)] = home
            return id(home), expr.name
        return None


def _guarded(body: tuple[Stmt, ...], guards: tuple[Expr, ...]) -> Iterator[tuple[Stmt, tuple[Expr, ...]]]:
    for statement in body:
        yield statement, guards
        if isinstance(statement, If):
            yield from _guarded(statement.then, (*guards, statement.test))
            yield from _guarded(statement.otherwise, guards)
        else:
            for block in blocks(statement):
                yield from _guarded(block, guards)


def _is_flag(values: list[Expr]) -> bool:
    """Whether all that is ever written is a boolean or nothing, or the run itself."""
    return bool(values) and all(_is_flag_value(v) for v in values)


def _is_flag_value(value: Expr) -> bool:
    if isinstance(value, Await):
        return False
    if isinstance(value, Const):
        return value.value is None or isinstance(value.value, bool)
    if isinstance(value, Call) and isinstance(value.callee, Member):
        # `run().finally(…)`, `run().catch(…)`: the promise of the run, held for the shutdown.
        return value.callee.name in ("finally", "catch", "then")
    return isinstance(value, Operation) and value.op == "not"
