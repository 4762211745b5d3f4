"""Stubs: bodies that are empty, only log, only return a constant, or say that they are not implemented.

A stub under the name of an alert or a metric is evidence of a stub, never of more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cronaudit.knowledge.matcher import Matcher
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import (
    Assign,
    Await,
    Call,
    Class,
    Const,
    Define,
    Do,
    Expr,
    Function,
    If,
    Import,
    Loop,
    Member,
    Module,
    Name,
    Return,
    Stmt,
    Throw,
    Try,
    With,
)
from cronaudit.model.linker import Linker
from cronaudit.model.trace import Event, EventKind, Trace
from cronaudit.model.value import Choice, Closure, External, Value
from cronaudit.model.walking import blocks, children, expressions, inside, statement_expressions
from cronaudit.recognition.context import JobContext, Service, once_a_service

_DEEPEST: Final = 4
_LEVELS: Final = frozenset(
    "trace debug verbose silly info log notice success warn warning error exception critical fatal child".split()
)
_PURE_GLOBALS: Final = frozenset(
    "String Number Boolean JSON Date Math Object Array Symbol Error TypeError RangeError BigInt Map Set Intl parseInt"
    " parseFloat isNaN structuredClone encodeURIComponent performance".split()
)
_PURE_PYTHON: Final = frozenset(
    "str int float bool len repr round format isinstance list dict tuple set sorted min max sum abs print range"
    " getattr type enumerate zip".split()
)
_NOT_IMPLEMENTED: Final = lazy_regex(r"not\s*(?:yet\s*)?implemented|unimplemented|\btodo\b", re.IGNORECASE)

ALERT_NAMES: Final = lazy_regex(
    r"alert|notif|page(?:r|_?oncall|_?duty)|escalat|slack|(?:report|capture)_?(?:job_?)?(?:error|exception|failure)",
    re.IGNORECASE,
)
"""Names that a project gives to functions that tell people."""
DURATION_NAMES: Final = lazy_regex(
    r"(?:record|observe|track|report|measure|metric|emit|push|set|log).*(?:duration|latency|timing|elapsed|runtime)"
    r"|(?:duration|latency|timing).*(?:metric|histogram)",
    re.IGNORECASE,
)
"""Names of functions that measure how long something took."""
OUTCOME_NAMES: Final = lazy_regex(
    r"(?:record|count|track|report|inc(?:rement)?|metric|emit|push|mark).*"
    r"(?:outcome|success|fail|error|result|status|completion|run)",
    re.IGNORECASE,
)
"""Names of functions that count runs by how they ended."""
RATE_NAMES: Final = lazy_regex(r"(?:rate|count|ratio|percent|total|metric)", re.IGNORECASE)
"""Names of functions that read such counts."""


class Stubs:
    """Tells stubs from functions that do something."""

    def __init__(self, linker: Linker, matcher: Matcher) -> None:
        self._linker = linker
        self._matcher = matcher
        self._known: dict[int, bool] = {}
        self._keep: list[Function] = []

    def is_stub(self, function: Function, depth: int = 0) -> bool:
        """Whether a function does nothing but log or return what is written out."""
        key = id(function)
        if key not in self._known:
            self._known[key] = False  # A function that calls itself is none for that call.
            self._keep.append(function)
            self._known[key] = not function.is_generator and self._idle(function, depth)
        return self._known[key]

    def _idle(self, function: Function, depth: int) -> bool:
        return all(self._is_idle(s, function, depth) for s in function.body)

    def _is_idle(self, statement: Stmt, function: Function, depth: int) -> bool:
        match statement:
            case Define() | Import():
                return True
            case Throw():
                return _says_not_implemented(statement)
            case Return():
                return statement.value is None or self._is_constant(statement.value, function, depth)
            case Assign() if not isinstance(statement.target, Name) and not statement.declares:
                return False
            case Assign() | Do() | If() | Try() | Loop() | With():
                own = all(self._harmless(e, function, depth) for e in statement_expressions(statement))
                return own and all(
                    self._is_idle(inner, function, depth) for block in blocks(statement) for inner in block
                )
            case _:
                return True

    def _is_constant(self, expr: Expr, function: Function, depth: int) -> bool:
        """What is returned is written out: a name is what the caller has handed in, so that nothing is done."""
        return self._harmless(expr, function, depth)

    def _harmless(self, expr: Expr, function: Function, depth: int) -> bool:
        stack: list[Expr] = [expr]
        while stack:
            current = stack.pop()
            if isinstance(current, Call):
                if self.is_log(current, function):
                    stack.extend(a.value for a in current.args)
                    continue
                if not self._is_idle_call(current, function, depth):
                    return False
            if isinstance(current, Function | Class):
                continue
            stack.extend(children(current))
        return True

    def _is_idle_call(self, call: Call, function: Function, depth: int) -> bool:
        callee = self._linker.fold(call.callee, self._linker.scope_of(function))
        for option in callee.options if isinstance(callee, Choice) else (callee,):
            if isinstance(option, Closure):
                if depth >= _DEEPEST or not self.is_stub(option.function, depth + 1):
                    return False
            elif not self._is_pure(option, call):
                return False
        return True

    def _is_pure(self, callee: Value, call: Call) -> bool:
        if isinstance(callee, External):
            path = callee.path
            if path.startswith("global:"):
                root = re.split(r"[.(]", path.removeprefix("global:"), maxsplit=1)[0]
                return root in _PURE_GLOBALS or path.startswith(
                    ("global:Promise.resolve", "global:process.hrtime")
                )
            if path.startswith("builtins."):
                return path.removeprefix("builtins.").split(".")[0].split("(")[0] in _PURE_PYTHON
            return any(e.effect in ("log", "log.base") for e in self._matcher.effects(path))
        name = call.callee.name if isinstance(call.callee, Name | Member) else ""
        return isinstance(call.callee, Name) and name in _PURE_PYTHON | _PURE_GLOBALS

    def is_log(self, call: Call, node: Function | Module) -> bool:
        """Whether a call writes a log line: by its library, else by the names of logger and level."""
        callee = call.callee
        if isinstance(callee, Member) and callee.name in _LEVELS:
            receiver = callee.object
            while isinstance(receiver, Call):
                receiver = receiver.callee
            last = getattr(receiver, "name", "")
            if isinstance(last, str) and (last == "console" or "log" in last.lower()):
                return True
        value = self._linker.fold(callee, self._linker.scope_of(node))
        return isinstance(value, External) and any(
            e.effect == "log" for e in self._matcher.effects(value.path)
        )


def _says_not_implemented(statement: Throw) -> bool:
    if statement.value is None:
        return False
    for expr in inside(statement.value):
        if isinstance(expr, Const) and isinstance(expr.value, str) and _NOT_IMPLEMENTED.search(expr.value):
            return True
        if isinstance(expr, Name | Member) and _NOT_IMPLEMENTED.search(expr.name):
            return True
    return False


@once_a_service
def stubs_of(service: Service) -> Stubs:
    """One for the whole service."""
    return Stubs(service.linker, service.matcher)


def own_calls(trace: Trace) -> Iterator[tuple[Event, Function]]:
    """The calls on a walk that go to functions of the project."""
    for event in trace.events:
        if event.kind is EventKind.CALL and event.callee is not None:
            options = event.callee.options if isinstance(event.callee, Choice) else (event.callee,)
            for option in options:
                if isinstance(option, Closure):
                    yield event, option.function


def named_stubs(context: JobContext, names: re.Pattern[str], effect: str) -> Iterator[tuple[Event, Function]]:
    """The calls on a job's walk of stubs that are named for an effect."""
    stubs = stubs_of(context.service)
    patterns = (names, *context.service.matcher.own_names(effect))
    for event, function in own_calls(context.trace):
        if function.name and any(p.search(function.name) for p in patterns) and stubs.is_stub(function):
            yield event, function


def returned_constant(function: Function) -> Const | None:
    """The constant that is all that a function returns; None where it does more."""
    if len(function.body) != 1 or not isinstance(function.body[0], Return):
        return None
    value = function.body[0].value
    while isinstance(value, Await):
        value = value.value
    return value if isinstance(value, Const) and value.value is not None else None


def calls_anything(function: Function) -> bool:
    """Whether a function calls anything at all."""
    return any(isinstance(e, Call) for e in expressions(function.body))
