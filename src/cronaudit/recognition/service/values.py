"""What folded values speak of: the texts in them, and whether one tells the instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cronaudit.model.ir import Call, Member, Name
from cronaudit.model.value import (
    Arguments,
    Choice,
    Closure,
    Env,
    External,
    Known,
    Lazy,
    Record,
    Sequence,
    Text,
    Value,
)
from cronaudit.model.walking import expressions
from cronaudit.recognition.context import Service

_DEPTH = 7
Tells = Literal["id", "pid", "none"]


def parts(service: Service, value: Value | Lazy | None, depth: int = 0) -> Iterator[tuple[str, Value]]:
    """A value and all values in it, each under its key; functions are entered for what they speak of."""
    if value is None or depth > _DEPTH:
        return
    found = service.linker.force(value)
    yield "", found
    match found:
        case Record():
            for key, entry in found.entries.items():
                for inner, part in parts(service, entry, depth + 1):
                    yield (inner or key), part
        case Sequence():
            for item in found.items:
                yield from parts(service, item, depth + 1)
        case Text():
            for hole in found.parts:
                if not isinstance(hole, str):
                    yield from parts(service, hole, depth + 1)
        case Choice():
            for option in found.options:
                yield from parts(service, option, depth + 1)
        case External():
            yield from of_arguments(service, found.args, depth + 1)
        case Closure():
            scope = service.linker.scope_of(found.function)
            for expr in expressions(found.function.body):
                if isinstance(expr, Call | Member | Name):
                    yield "", service.linker.fold(expr, scope)


def of_arguments(service: Service, args: Arguments | None, depth: int = 0) -> Iterator[tuple[str, Value]]:
    """The same of all arguments of a call."""
    if args is None:
        return
    for raw in args.positional:
        yield from parts(service, raw, depth)
    for name, raw in args.named.items():
        for key, part in parts(service, raw, depth):
            yield (key or name), part


def tells_instance(service: Service, value: Value) -> Tells:
    """Whether a value is the host, pod or instance, or only the process id."""
    match value:
        case External():
            for path in (value.path, value.path.removesuffix("()")):
                for effect in service.matcher.effects(path):
                    if effect.effect == "host.id":
                        return "pid" if effect.word("kind") == "pid" else "id"
        case Env():
            return _by_name(service, value.name)
        case Known() if value.default_of:
            return _by_name(service, value.default_of)
        case _:
            pass
    return "none"


def _by_name(service: Service, name: str) -> Tells:
    return "id" if any(p.search(name) for p in service.matcher.own_names("host.id")) else "none"


def strongest(found: Iterator[Tells] | tuple[Tells, ...]) -> Tells:
    """``id`` over ``pid`` over ``none``."""
    kinds = set(found)
    return "id" if "id" in kinds else "pid" if "pid" in kinds else "none"
