"""From a call up to the modules whose top-level code comes to it, and what switches it off on the way."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import (
    Call,
    Conditional,
    Expr,
    Function,
    If,
    Module,
    Operation,
    Stmt,
)
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Env, External, Known, Value
from cronaudit.model.walking import blocks, contains, ends_function, inside, statement_expressions
from cronaudit.recognition.context import Service, once_a_service

_ARGV = "the command line"
_DEPTH = 12
_MOST = 40

_WORDS = lazy_regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ROLE_WORDS = frozenset(
    "job jobs cron crons worker workers scheduler schedulers task tasks background queue queues consumer consumers"
    " role mode beat primary".split()
)
"""Words for what a process is there for."""
_OTHER_WORDS = frozenset(
    "provider driver url uri host port secret token key timeout interval concurrency prefix name limit size redis"
    " expression schedule dsn id path dir debug log test env".split()
)
"""A setting with one of these beside is about something else (`CRON_SECRET`, `QUEUE_URL`)."""


class Switch(Struct, frozen=True):
    """A condition on the environment or the command line that decides whether a call is made."""

    name: str
    """The variable, or ``the command line``."""
    location: Location


class Start(Struct, frozen=True):
    """One way from top-level code to a call."""

    path: str
    """The module whose top-level code it is."""
    place: Location
    """The call in that module that leads there."""
    switches: tuple[Switch, ...]
    calls: tuple[str, ...]
    """Paths of the library calls whose callbacks lie on the way: ``elector.on('elected', start)``."""


def starts_of(
    service: Service, node: Function | Module, call: Expr | None, at: Location
) -> tuple[Start, ...]:
    """The ways from top-level code to `call`, which stands in `node` at `at`; sorted, none twice."""
    found: dict[tuple[object, ...], Start] = {}
    for start in _up(service, node, call, (at,), (), (), set(), 0):
        found.setdefault((start.path, start.place, start.switches), start)
        if len(found) >= _MOST:
            break
    return tuple(found[k] for k in sorted(found, key=lambda k: (k[0], k[1])))


def _up(
    service: Service,
    node: Function | Module,
    expr: Expr | None,
    chain: tuple[Location, ...],
    switches: tuple[Switch, ...],
    calls: tuple[str, ...],
    seen: set[tuple[object, ...]],
    depth: int,
) -> Iterator[Start]:
    """`seen` holds where this search has been: what is above a function is the same however it was come to."""
    if expr is not None:
        switches = (*switches, *_known_switches(service, node, expr))
    if isinstance(node, Module):
        yield _start(node.path, chain, switches, calls)
        return
    if depth >= _DEPTH:
        yield _start(node.module.path, chain, switches, calls)
        return
    state = (id(node), frozenset(switches), calls)
    if state in seen:
        return
    seen.add(state)
    came = False
    for call, where in _known_callers(service, node):
        if where is node:
            continue
        came = True
        module = where if isinstance(where, Module) else where.module
        step = Location(module.path, call.line, call.end_line)
        yield from _up(service, where, call, (*chain, step), switches, calls, seen, depth + 1)
    if came:
        return
    if node.owner is None:
        passed = _passed_to(service, node)
        yield from _up(service, node.parent, node, chain, switches, (*calls, *passed), seen, depth + 1)
        return
    yield _start(node.module.path, chain, switches, calls)


@once_a_service
def _known_switches(service: Service, node: Function | Module, expr: Expr) -> tuple[Switch, ...]:
    """`switches_around`; the ways of all jobs lead through the same few functions."""
    return switches_around(service.linker, node, expr)


@once_a_service
def _known_callers(service: Service, node: Function) -> tuple[tuple[Call, Function | Module], ...]:
    return tuple(_callers(service.linker, node))


def _start(
    path: str, chain: tuple[Location, ...], switches: tuple[Switch, ...], calls: tuple[str, ...]
) -> Start:
    place = next((at for at in chain if at.path == path), chain[0])
    return Start(path, place, tuple(dict.fromkeys(switches)), calls)


def _callers(linker: Linker, node: Function) -> Iterator[tuple[Call, Function | Module]]:
    if node.is_constructor:
        if node.owner is None:
            return
        for _made, places in linker.instances(node.owner):
            yield from _calls_at(linker, places[0])
        return
    if node.name is not None:
        yield from linker.call_sites(node)


def _calls_at(linker: Linker, at: Location) -> Iterator[tuple[Call, Function | Module]]:
    module = linker.module(at.path)
    if module is None:
        return
    for found in linker.calls(module).values():
        for call, where in found:
            if call.line == at.line and call.end_line == (at.end_line or at.line):
                yield call, where
                return


@once_a_service
def _passed_to(service: Service, function: Function) -> tuple[str, ...]:
    """The library calls that a function is an argument of."""
    linker = service.linker
    parent = function.parent
    found: list[str] = []
    for statement, _around in _with_tests(parent.body, ()):
        for expr in (e for root in statement_expressions(statement) for e in inside(root)):
            if isinstance(expr, Call) and any(a.value is function for a in expr.args):
                callee = linker.fold(expr.callee, linker.scope_of(parent))
                if isinstance(callee, External):
                    found.append(callee.path)
    return tuple(found)


# ---- switches --------------------------------------------------------------------------------------------------


def switches_around(linker: Linker, node: Function | Module, expr: Expr) -> tuple[Switch, ...]:
    """The conditions on the environment under which `expr`, a call or function in `node`, is reached."""
    for statement, around in _with_tests(node.body, ()):
        tests = around
        for root in statement_expressions(statement):
            inner = _tests_in(root, expr)
            if inner is not None:
                tests = (*tests, *inner)
                return tuple(s for t in tests for s in _switches(linker, node, t))
    return ()


def _with_tests(body: tuple[Stmt, ...], around: tuple[Expr, ...]) -> Iterator[tuple[Stmt, tuple[Expr, ...]]]:
    """All statements with the tests that hold for them: of an `if` around, of an early return above."""
    tests = around
    for statement in body:
        yield statement, tests
        if isinstance(statement, If):
            inner = (*tests, statement.test)
            yield from _with_tests(statement.then, inner)
            yield from _with_tests(statement.otherwise, inner)
            if ends_function(statement.then) and not statement.otherwise:
                tests = inner
        else:
            for block in blocks(statement):
                yield from _with_tests(block, tests)


def _tests_in(root: Expr, expr: Expr) -> tuple[Expr, ...] | None:
    """The tests inside an expression on the way to another: ``RUN_JOBS && start()``; None where it is not in it."""
    if root is expr:
        return ()
    if not contains(root, expr):
        return None
    if isinstance(root, Operation) and root.op in ("and", "or") and len(root.operands) > 1:
        for position, operand in enumerate(root.operands):
            inner = _tests_in(operand, expr)
            if inner is not None:
                return (*root.operands[:position], *inner)
    if isinstance(root, Conditional):
        for branch in (root.then, root.otherwise):
            inner = _tests_in(branch, expr)
            if inner is not None:
                return (root.test, *inner)
    return ()


def _switches(linker: Linker, node: Function | Module, test: Expr) -> Iterator[Switch]:
    scope = linker.scope_of(node)
    module = node if isinstance(node, Module) else node.module
    for part in inside(test):
        at = Location(module.path, getattr(part, "line", 1))
        for name in _variables(linker.fold(part, scope)):
            if name == _ARGV or names_a_role(name):
                yield Switch(name, at)
                return


def _variables(value: Value) -> Iterator[str]:
    if isinstance(value, Env):
        yield value.name
    elif isinstance(value, Known) and value.default_of:
        yield value.default_of
    elif isinstance(value, External) and value.path in ("global:process.argv", "sys.argv"):
        yield _ARGV
    elif isinstance(value, Choice):
        for option in value.options:
            yield from _variables(option)


def names_a_role(name: str) -> bool:
    """Whether a setting's name says that it decides what the process is there for."""
    words = {w.lower() for w in _WORDS.findall(name.replace("_", " "))}
    return bool(words & _ROLE_WORDS) and not words & _OTHER_WORDS
