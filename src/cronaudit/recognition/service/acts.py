"""What one test does, in its order: runs of a job, at once or one after the other, failures, kills, assertions."""

from __future__ import annotations

import re
from typing import Final, Literal

from msgspec import Struct

from cronaudit.model.ir import (
    Argument,
    Array,
    Assign,
    Await,
    Call,
    Const,
    Do,
    Expr,
    Function,
    Index,
    Loop,
    LoopKind,
    Member,
    Module,
    Name,
    Object,
    Operation,
    Stmt,
    Template,
    Try,
    With,
)
from cronaudit.model.source import Language, Location, Role
from cronaudit.model.value import Closure, External, Known, Scope, Sequence
from cronaudit.model.walking import blocks, children, inside, statement_expressions
from cronaudit.recognition.context import Service
from cronaudit.recognition.facts import lock
from cronaudit.recognition.facts.processes_sites import event_of

_ASSERTING: Final = frozenset(("expect", "assert", "should", "chai", "t", "sinon"))
_REJECTING: Final = frozenset(("rejects", "toThrow", "toThrowError", "rejectedWith", "throws", "raises", "assertRaises",
                               "assertRaisesMessage", "assertRaisesRegex"))  # fmt: skip
_GATHERING: Final = (
    "global:Promise.all",
    "global:Promise.allSettled",
    "global:Promise.race",
    "asyncio.gather",
)
_STARTING: Final = frozenset(
    "submit Thread Process map create_task start_new_thread spawn spawn_later to_thread".split()
)
"""Methods that start a function that is handed to them beside the caller."""
_RUNNING: Final = frozenset("delay apply apply_async run call now".split())
"""Methods of a task of the project that run it."""
_APPLYING: Final = frozenset(("apply", "apply_async"))
_REPEATING: Final = frozenset("from map forEach times fill each".split())
_REPLACING: Final = frozenset(("patch", "object"))
"""``with patch(…)``, ``with mocker.patch.object(…)``: what the block sees is its own."""
_DEPTH: Final = 3

Kind = Literal["run", "assert", "spawn", "kill", "held", "assign", "scene", "change"]


class Act(Struct):
    """One thing that a test does, in its order."""

    kind: Kind
    line: int
    subject: int = 0
    """Id of the function of the job; 0 for what is no run."""
    args: str = ""
    """The arguments as written: a second run with others is another run."""
    times: int = 1
    group: int = 0
    """Runs with the same number other than 0 go at once."""
    fails: bool = False
    """It is expected to fail, or its failure is caught."""
    is_negative: bool = False
    """Of an assertion: that something did not happen."""
    texts: tuple[str, ...] = ()
    """Of a spawn: the texts among its arguments; of an assignment: the name."""


class Trial(Struct):
    """One test."""

    location: Location
    module: Module
    acts: list[Act] = []
    texts: list[str] = []
    """All texts in it: names of scripts that it starts."""


class _Mode(Struct, frozen=True):
    """What surrounds an expression."""

    times: int = 1
    group: int = 0
    fails: bool = False
    depth: int = 0


class TestReader:
    """Goes through one test in the order of its code."""

    def __init__(self, service: Service, module: Module, targets: dict[int, Function]) -> None:
        self._service = service
        self._linker = service.linker
        self._module = module
        self._targets = targets
        self._groups = 0
        self._trial = Trial(Location(module.path, 1), module)
        self._lines = service.linker.source(module.path).decode("utf-8", "replace").splitlines()

    def read(self, function: Function, trial: Trial) -> None:
        self._trial = trial
        self._block(function.body, self._linker.scope_of(function), _Mode())

    def _block(self, body: tuple[Stmt, ...], scope: Scope, mode: _Mode) -> None:
        for statement in body:
            self._statement(statement, scope, mode)

    def _statement(self, s: Stmt, scope: Scope, mode: _Mode) -> None:
        before = len(self._trial.acts)
        for expr in statement_expressions(s):
            self._expr(expr, scope, mode)
        if isinstance(s, Assign) and isinstance(s.target, Name):
            self._trial.acts.append(Act("assign", s.line, texts=(s.target.name,)))
        elif isinstance(s, Do) and len(self._trial.acts) == before and isinstance(_awaited(s.value), Call):
            self._trial.acts.append(Act("change", s.line))
        elif isinstance(s, With) and any(_last(v) in _REPLACING for v, _t in s.items):
            self._trial.acts.append(Act("scene", s.line))
        if self._is_python_assert(s):
            self._assert(
                s.line, negative=bool(re.search(r"\bnot\b|\bFalse\b|\bNone\b|== 0|skip", self._line(s.line)))
            )
        if isinstance(s, Loop):
            self._block(
                s.body, scope, _Mode(self._rounds(s, scope) * mode.times, mode.group, mode.fails, mode.depth)
            )
        elif isinstance(s, Try):
            fails = mode.fails or bool(s.handlers)
            self._block(s.body, scope, _Mode(mode.times, mode.group, fails, mode.depth))
            for handler in s.handlers:
                self._block(handler.body, scope, mode)
            self._block(s.final, scope, mode)
        elif isinstance(s, With):
            fails = mode.fails or any(_last(v) in _REJECTING for v, _t in s.items)
            self._block(s.body, scope, _Mode(mode.times, mode.group, fails, mode.depth))
        else:
            for block in blocks(s):
                self._block(block, scope, mode)

    def _is_python_assert(self, s: Stmt) -> bool:
        return self._module.language is Language.PYTHON and self._line(s.line).lstrip().startswith("assert ")

    def _line(self, number: int) -> str:
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def _rounds(self, loop: Loop, scope: Scope) -> int:
        """How often a loop goes round, as far as it is written out; once where it is not."""
        if loop.iterable is not None:
            return self._length(loop.iterable, scope)
        if loop.kind is LoopKind.WHILE and isinstance(loop.test, Operation):
            numbers = [
                o.value for o in loop.test.operands if isinstance(o, Const) and isinstance(o.value, int)
            ]
            return 2 if numbers and numbers[0] >= (1 if loop.test.op == "<=" else 2) else 1
        return 1

    def _length(self, expr: Expr, scope: Scope) -> int:
        if isinstance(expr, Call) and _last(expr.callee) == "range" and len(expr.args) == 1:
            value = self._linker.fold(expr.args[0].value, scope)
            return 2 if isinstance(value, Known) and isinstance(value.value, int) and value.value >= 2 else 1
        if isinstance(expr, Array):
            return 2 if len(expr.items) >= 2 else 1
        if isinstance(expr, Object):
            length = next((e.value for e in expr.entries if e.key == "length"), None)
            number = length.value if isinstance(length, Const) else None
            return 2 if isinstance(number, int) and number >= 2 else 1
        value = self._linker.fold(expr, scope)
        return 2 if isinstance(value, Sequence) and value.complete and len(value.items) >= 2 else 1

    # ---- expressions -----------------------------------------------------------------------------------------

    def _expr(self, expr: Expr, scope: Scope, mode: _Mode) -> None:
        if isinstance(expr, Call):
            self._call(expr, scope, mode)
        elif isinstance(expr, Function):
            return
        elif isinstance(expr, Await):
            self._expr(expr.value, scope, mode)
        else:
            if isinstance(expr, Const) and isinstance(expr.value, str):
                self._trial.texts.append(expr.value)
            for child in children(expr):
                self._expr(child, scope, mode)

    def _call(self, call: Call, scope: Scope, mode: _Mode) -> None:
        chain = _chain(call.callee)
        callee = self._linker.fold(call.callee, scope)
        path = callee.path if isinstance(callee, External) else ""
        if chain and (chain[0] in _ASSERTING or chain[-1].startswith("assert")):
            self._assertion(call, chain, scope, mode)
            return
        subject = self._subject(call, callee, scope)
        if subject:
            self._arguments(call, scope, mode)
            self._run(call, subject, mode)
            return
        if path.startswith(_GATHERING):
            self._groups += 1
            mode = _Mode(mode.times, self._groups, mode.fails, mode.depth)
        elif chain and chain[-1] in _STARTING and self._handed_over(call, scope, mode):
            return
        if chain and chain[-1] == "kill":
            self._trial.acts.append(Act("kill", call.line))
        self._meanings(call, scope)
        if isinstance(call.callee, Member):
            self._expr(call.callee.object, scope, mode)
        elif isinstance(call.callee, Call):
            self._expr(call.callee, scope, mode)
        times = self._repeats(call, chain, scope)
        self._arguments(call, scope, _Mode(mode.times * times, mode.group, mode.fails, mode.depth))
        if isinstance(callee, Closure) and mode.depth < _DEPTH and self._is_of_tests(callee.function):
            inner = _Mode(mode.times, mode.group, mode.fails, mode.depth + 1)
            self._block(callee.function.body, self._linker.scope_of(callee.function), inner)

    def _arguments(self, call: Call, scope: Scope, mode: _Mode) -> None:
        for arg in call.args:
            if isinstance(arg.value, Function):
                if mode.depth < _DEPTH:
                    inner = _Mode(mode.times, mode.group, mode.fails, mode.depth + 1)
                    self._block(arg.value.body, self._linker.scope_of(arg.value), inner)
            else:
                self._expr(arg.value, scope, mode)

    def _assertion(self, call: Call, chain: tuple[str, ...], scope: Scope, mode: _Mode) -> None:
        fails = mode.fails or bool(_REJECTING & set(chain))
        inner = _Mode(mode.times, mode.group, fails, mode.depth)
        current: Expr = call
        roots: list[Call] = []
        while isinstance(current, Call | Member):
            if isinstance(current, Call):
                roots.append(current)
                current = current.callee
            else:
                current = current.object
        for part in reversed(roots):
            self._arguments(part, scope, inner)
        values = [a.value for part in roots for a in part.args]
        negative = "not" in chain or any(isinstance(v, Const) and v.value in (False, None, 0) for v in values)
        skipped = any(
            isinstance(v, Const) and isinstance(v.value, str) and "skip" in v.value.lower() for v in values
        )
        if not fails:
            self._assert(call.line, negative=negative or skipped)

    def _assert(self, line: int, *, negative: bool) -> None:
        self._trial.acts.append(Act("assert", line, is_negative=negative))

    def _subject(self, call: Call, callee: object, scope: Scope) -> int:
        if isinstance(callee, Closure) and id(callee.function) in self._targets:
            return id(callee.function)
        if isinstance(call.callee, Member) and call.callee.name in _RUNNING:
            owner = self._linker.fold(call.callee.object, scope)
            if isinstance(owner, Closure) and id(owner.function) in self._targets:
                return id(owner.function)
        if isinstance(call.callee, Index) and isinstance(call.callee.index, Const):
            # A test may reach a private method: `job['execute']()`.
            owner = self._linker.fold(call.callee.object, scope)
            found = self._linker.member(owner, str(call.callee.index.value))
            if isinstance(found, Closure) and id(found.function) in self._targets:
                return id(found.function)
        return 0

    def _handed_over(self, call: Call, scope: Scope, mode: _Mode) -> bool:
        found = False
        for arg in call.args:
            if not isinstance(arg.value, Name | Member):
                continue
            value = self._linker.fold(arg.value, scope)
            if isinstance(value, Closure) and id(value.function) in self._targets:
                rest = _written(tuple(a for a in call.args if a is not arg))
                act = Act("run", call.line, id(value.function), rest, mode.times, -1, mode.fails)
                self._trial.acts.append(act)
                found = True
        return found

    def _run(self, call: Call, subject: int, mode: _Mode) -> None:
        args = call.args
        if _last(call.callee) in _APPLYING:
            # How the task runs (`throw=True`, `countdown=0`) is no argument of its work.
            args = tuple(a for a in args if a.name in (None, "args", "kwargs"))
        self._trial.acts.append(
            Act("run", call.line, subject, _written(args), mode.times, mode.group, mode.fails)
        )

    def _meanings(self, call: Call, scope: Scope) -> None:
        event = event_of(self._service, call, scope.node)
        for sighting in self._service.reader.of(event):
            if sighting.effect == "process.spawn":
                texts = [e.value for a in call.args for e in inside(a.value) if isinstance(e, Const)]
                found = tuple(str(t) for t in texts if isinstance(t, str))
                self._trial.acts.append(Act("spawn", call.line, texts=found))
            elif sighting.effect == "process.kill":
                self._trial.acts.append(Act("kill", call.line))
            elif sighting.effect == "lock.acquire" or (
                sighting.effect == "cache.set" and self._is_key_of_lock(sighting.text("key"))
            ):
                self._trial.acts.append(Act("held", call.line))

    def _is_key_of_lock(self, key: str | None) -> bool:
        """Whether a test writes the key under which a job's lock is kept, with the prefix of the lock's library."""
        locks = (lock.build(context).key.value for context in self._service.jobs)
        return key is not None and any(isinstance(k, str) and len(k) > 3 and key.endswith(k) for k in locks)

    def _repeats(self, call: Call, chain: tuple[str, ...], scope: Scope) -> int:
        if (
            not chain
            or chain[-1] not in _REPEATING
            or not any(isinstance(a.value, Function) for a in call.args)
        ):
            return 1
        if chain[-1] == "from" and call.args:
            return self._length(call.args[0].value, scope)
        if isinstance(call.callee, Member):
            return self._length(call.callee.object, scope)
        return 1

    def _is_of_tests(self, function: Function) -> bool:
        path = function.module.path
        return path == self._module.path or self._service.tree.role_of(path) is Role.TEST


def _chain(callee: Expr) -> tuple[str, ...]:
    """The names of ``expect(x).not.toHaveBeenCalled``, calls between them left out."""
    names: list[str] = []
    while True:
        if isinstance(callee, Member):
            names.append(callee.name)
            callee = callee.object
        elif isinstance(callee, Call):
            callee = callee.callee
        elif isinstance(callee, Await):
            callee = callee.value
        else:
            break
    if isinstance(callee, Name):
        names.append(callee.name)
    return tuple(reversed(names))


def _awaited(expr: Expr) -> Expr:
    return expr.value if isinstance(expr, Await) else expr


def _last(expr: Expr) -> str:
    while isinstance(expr, Call):
        expr = expr.callee
    return expr.name if isinstance(expr, Member | Name) else ""


def _written(args: tuple[Argument, ...]) -> str:
    return ",".join(_text(a.value) for a in args)


def _text(expr: Expr) -> str:
    """An expression as text that is the same for two that are written alike."""
    match expr:
        case Const():
            return repr(expr.value)
        case Name():
            return expr.name
        case Member():
            return f"{_text(expr.object)}.{expr.name}"
        case Call():
            return f"{_text(expr.callee)}({_written(expr.args)})"
        case Object():
            return "{" + ",".join(f"{e.key}:{_text(e.value)}" for e in expr.entries) + "}"
        case Template():
            return "`" + "".join(p if isinstance(p, str) else _text(p) for p in expr.parts) + "`"
        case _:
            name = type(expr).__name__
            return f"{name}({','.join(_text(c) for c in children(expr))})"
