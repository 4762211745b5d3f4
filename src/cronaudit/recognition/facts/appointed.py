"""Jobs that one process of several is appointed to: ``if (cluster.isPrimary)``, ``if (NODE_APP_INSTANCE === '0')``.

No other process of the same host runs them. A second host has a first process of its own, so it is no shared lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cronaudit.model.facts import Fact
from cronaudit.model.ir import Call, Const, Expr, Function, If, Member, Module, Name, Operation
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location, Role
from cronaudit.model.value import Choice, Env, External, Known, Scope, Value
from cronaudit.model.walking import calls_in, ends_function, inside
from cronaudit.recognition.context import JobContext, Service, once
from cronaudit.recognition.facts.switches import Condition, conditions_around, conditions_on_the_way

_LOADS: Final = ("require", "import")
_DEPTH: Final = 2
"""How many files up a guarded import is looked for."""


@once
def appointed(context: JobContext) -> Fact[bool]:
    """Whether a test lets only one process of a host arm or run the job."""
    for condition in _conditions(context):
        said = _appoints(condition.test, condition.scope, context.service, wanted=condition.wanted)
        if said is not None:
            return Fact(True, f"One process of a host runs it: {said}", (condition.location,))  # noqa: FBT003
    return Fact(value=False)


def _conditions(context: JobContext) -> Iterator[Condition]:
    yield from conditions_on_the_way(context)
    node = context.registration.node
    if isinstance(node, Module):
        yield from _around_import(context.service, node, _DEPTH)
    if context.handler is not None and not isinstance(context.handler, Module):
        yield from _first_in(context.handler.function, context.linker)


def _around_import(service: Service, module: Module, depth: int) -> Iterator[Condition]:
    """The tests around the one place that loads a file whose own code arms jobs."""
    importers = [p for p in service.linker.importing(module.path) if service.tree.role_of(p) is Role.SERVER]
    above = service.linker.module(importers[0]) if len(importers) == 1 else None
    if above is None:
        return
    for call in calls_in(above):
        loaded = call.args[0].value if call.args else None
        if (
            isinstance(call.callee, Name)
            and call.callee.name in _LOADS
            and isinstance(loaded, Const)
            and service.linker.resolve(str(loaded.value), above) == module.path
        ):
            yield from conditions_around(service.linker, above, call, call.line)
    if depth > 1:
        yield from _around_import(service, above, depth - 1)


def _first_in(function: Function, linker: Linker) -> Iterator[Condition]:
    """``if (!cluster.isPrimary) return;`` as the first thing that a run does, or all of it in one test."""
    first = function.body[0] if function.body else None
    if not isinstance(first, If) or first.otherwise:
        return
    leaves = ends_function(first.then)
    if leaves or len(function.body) == 1:
        place = Location(function.module.path, first.line)
        yield Condition(first.test, not leaves, linker.scope_of(function), place)


def _appoints(test: Expr, scope: Scope, service: Service, *, wanted: bool) -> str | None:
    """In words which process the test lets through; None where it may let several."""
    while isinstance(test, Operation) and test.op == "not" and len(test.operands) == 1:
        test, wanted = test.operands[0], not wanted
    if isinstance(test, Operation) and test.op in ("and", "or"):
        found = [_appoints(o, scope, service, wanted=wanted) for o in test.operands]
        said = next((f for f in found if f is not None), None)
        if (test.op == "and") is wanted:
            return said
        # One of several ways suffices: each must be that of the one process, or of a process that is alone.
        alone = [
            f is not None or _is_alone(o, scope, service, wanted=wanted)
            for f, o in zip(found, test.operands, strict=True)
        ]
        return said if all(alone) else None
    if isinstance(test, Operation) and test.op in ("==", "!=") and len(test.operands) == 2:
        return _counted(test, scope, service) if (test.op == "==") is wanted else None
    role = _role(test, scope, service)
    if role is None or (role[0] == "primary") is not wanted or role[0] == "number":
        return None
    return role[1] if wanted else f"not {role[1]}"


def _counted(test: Operation, scope: Scope, service: Service) -> str | None:
    """``NODE_APP_INSTANCE === '0'``: a number of which each process has its own."""
    for one, other in (test.operands, test.operands[::-1]):
        constant = service.linker.fold(other, scope)
        role = _role(one, scope, service)
        if (
            isinstance(constant, Known)
            and constant.value is not None
            and role is not None
            and role[0] == "number"
        ):
            return f"{role[1]} is {constant.value}"
    return None


def _is_alone(test: Expr, scope: Scope, service: Service, *, wanted: bool) -> bool:
    """``NODE_APP_INSTANCE === undefined``: nothing has started several."""
    while isinstance(test, Operation) and test.op == "not" and len(test.operands) == 1:
        test, wanted = test.operands[0], not wanted
    if isinstance(test, Operation) and test.op in ("==", "!=") and len(test.operands) == 2:
        left, right = test.operands
        nothing = isinstance(right, Const) and right.value is None
        undefined = isinstance(right, Name) and right.name == "undefined"
        wanted = ((test.op == "==") is wanted) is False
        if not (nothing or undefined):
            return False
        test = left
    role = _role(test, scope, service)
    return role is not None and role[0] == "number" and not wanted


def _role(expr: Expr, scope: Scope, service: Service) -> tuple[str, str] | None:
    """What an expression says of the process (``primary``, ``worker``, ``number``), and how it is written."""
    for part in inside(expr):
        if isinstance(part, Member | Name | Call):
            found = _said(service.linker.fold(part, scope), service)
            if found is not None:
                return found
    return None


def _said(value: Value, service: Service) -> tuple[str, str] | None:
    match value:
        case Choice():
            return next((f for o in value.options if (f := _said(o, service)) is not None), None)
        case External():
            for effect in service.matcher.effects(value.path):
                kind = effect.word("kind")
                if effect.effect == "instance.role" and isinstance(kind, str):
                    return kind, value.path.removesuffix("()").replace(":", ".")
        case Env():
            return _named(value.name, service)
        case Known() if value.default_of:
            return _named(value.default_of, service)
        case _:
            pass
    return None


def _named(name: str, service: Service) -> tuple[str, str] | None:
    numbered = any(p.search(name) for p in service.matcher.own_names("instance.role"))
    return ("number", name) if numbered else None
