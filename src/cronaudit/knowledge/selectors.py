"""Selectors: where in a call a value stands, read from text and looked up in folded values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Protocol, TypeAlias

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Scalar
from cronaudit.model.knowledge import Selector
from cronaudit.model.value import (
    Arguments,
    Choice,
    ClassValue,
    Closure,
    External,
    Instance,
    Known,
    Lazy,
    Namespace,
    Record,
    Sequence,
    Text,
    Unknown,
    Value,
)

EACH = "*"
"""The last step of a selector of rows that stand in lists of their own: ``value.cron.*``."""
UNITS = ("ms", "s", "min", "h", "d")
ROOTS = (
    "args kwargs receiver after text decorated class value export entry key path const result group".split()
)
_CALLED = lazy_regex(r"(after|const)\((.*)\)(?: +(\S+))?\Z")
_STEP = lazy_regex(r"[\w$-]+\Z")
_NUMBER = lazy_regex(r"-?\d+\Z")

Force: TypeAlias = Callable[["Value | Lazy"], Value]
Take: TypeAlias = Callable[[Value, str], Value]


class SelectorError(ValueError):
    """A text that is no selector; says why."""


class Called(Protocol):
    """What a selector asks: a call (`model.value.External` is one) or another `Site`."""

    @property
    def path(self) -> str:
        """The path of what is called."""

    @property
    def args(self) -> Arguments | None:
        """The arguments of the call."""

    @property
    def receiver(self) -> External | None:
        """The object whose method it is, with its own arguments."""


class Site(Struct):
    """A place of interest that is more than a call: under a decorator, in a class, an entry of a list."""

    path: str = ""
    args: Arguments | None = None
    receiver: External | None = None
    places: dict[str, Value | Lazy] = {}
    """By root: ``decorated``, ``class``, ``value``, ``entry``, ``key``, ``result``, ``receiver`` of the tree."""
    exports: dict[str, Value | Lazy] = {}
    """Of the module, by name."""
    file: str = ""
    """The path of the file."""


@cache
def parse_selector(text: str) -> Selector:
    """Read a selector. Raises SelectorError."""
    match = _CALLED.match(text.strip())
    body, _, unit = text.strip().rpartition(" ")
    # What stands in parentheses may hold blanks itself.
    if not body or unit.endswith(")"):
        body, unit = text.strip(), ""
    if unit and unit not in UNITS:
        raise SelectorError(f"`{text}`: unknown unit '{unit}' (one of {', '.join(UNITS)})")
    if match is not None:
        return Selector(match[1], _literal(match[2]), (), unit or None, text)
    root, *rest = body.split(".")
    if root not in ROOTS or root in {"after", "const"}:
        raise SelectorError(f"`{text}`: a selector begins with one of {', '.join(ROOTS)}")
    steps = rest[:-1] if rest[-1:] == [EACH] else rest
    if any(not _STEP.match(step) and not _NUMBER.match(step) for step in steps):
        raise SelectorError(f"`{text}` is no selector: names and numbers with dots between them")
    index: Scalar = None
    if root in {"args", "group"} and rest:
        if not _NUMBER.match(rest[0]):
            raise SelectorError(f"`{text}`: the number of an argument follows `args`")
        index, rest = int(rest[0]), rest[1:]
    elif root in {"kwargs", "export"} and rest:
        index, rest = rest[0], rest[1:]
    return Selector(root, index, tuple(rest), unit or None, text)


def constant(value: Scalar) -> Selector:
    """A selector that is a constant."""
    return Selector("const", value, (), None, str(value))


def _literal(text: str) -> Scalar:
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if _NUMBER.match(text) else text


def select(selector: Selector, call: Called, force: Force, take: Take | None = None) -> Value | None:
    """The value that stands there; None where there certainly is none, `Unknown` where that cannot be told.

    `take` is ``value.name`` of the linker, for values that are more than data: instances, classes, modules.
    """
    if selector.unit is not None:
        return _with_unit(_select(selector, call, force, take), selector.unit)
    return _select(selector, call, force, take)


def first(
    selectors: Iterable[Selector], call: Called, force: Force, take: Take | None = None
) -> Value | None:
    """The first alternative that is there; an open one only where no other is stated.

    A constant is what holds where nothing is stated, so not where what is stated is open.
    """
    opened: Value | None = None
    for selector in selectors:
        if opened is not None and selector.root == "const":
            return opened
        value = select(selector, call, force, take)
        if isinstance(value, Unknown):
            opened = opened or value
        elif value is not None:
            return value
    return opened


# ---- selecting ------------------------------------------------------------------------------------------------


def _select(selector: Selector, call: Called, force: Force, take: Take | None) -> Value | None:
    value = _at_root(selector, call, force)
    members = selector.members
    if selector.root == "receiver" and not members:
        return value
    for position, member in enumerate(members):
        if value is None:
            return None
        value, taken = _step(value, member, members[position + 1 :], force, take)
        if taken:
            return _select_rest(value, members[position + 2 :], force, take)
    return _present(value)


def _select_rest(
    value: Value | None, members: tuple[str, ...], force: Force, take: Take | None
) -> Value | None:
    """Go on behind ``args.0`` of a call inside the path, which takes two members."""
    while members:
        if value is None:
            return None
        value, taken = _step(value, members[0], members[1:], force, take)
        members = members[2:] if taken else members[1:]
    return _present(value)


def _at_root(selector: Selector, call: Called, force: Force) -> Value | None:
    root, index = selector.root, selector.index
    if root == "const":
        return Known(index)
    if root == "receiver":
        held = call.places.get(root) if isinstance(call, Site) and call.receiver is None else call.receiver
        return None if held is None else force(held)
    if root == "args":
        return _argument(call.args, index, force)
    if root == "kwargs":
        return _keyword(call.args, index, force)
    if root == "after":
        return _after(call.args, index, force)
    if root == "text":
        return _joined(call.args, force)
    site = call if isinstance(call, Site) else Site()
    if root == "path":
        return Known(site.file) if site.file else None
    if root == "export":
        found = site.exports.get(str(index))
        return None if found is None else force(found)
    place = site.places.get(root)
    return None if place is None else force(place)


def _argument(args: Arguments | None, index: Scalar, force: Force) -> Value | None:
    if args is None:
        return None
    if index is None:
        return Sequence(args.positional, args.complete)
    position = int(index or 0)
    if not args.complete and not 0 <= position < args.certain:
        # A spread that could not be followed may stand anywhere behind what is certain.
        return Unknown("the arguments are spread from something open")
    if -len(args.positional) <= position < len(args.positional):
        return force(args.positional[position])
    return None


def _keyword(args: Arguments | None, index: Scalar, force: Force) -> Value | None:
    if args is None:
        return None
    if index is None:
        return Record(dict(args.named), args.complete) if args.named or not args.complete else None
    found = args.named.get(str(index))
    if found is None:
        return None if args.complete else Unknown("the arguments are spread from something open")
    return force(found)


def _after(args: Arguments | None, literal: Scalar, force: Force) -> Value | None:
    if args is None:
        return None
    wanted = str(literal).lower()
    for raw, behind in zip(args.positional, args.positional[1:], strict=False):
        value = force(raw)
        if isinstance(value, Known) and isinstance(value.value, str) and value.value.lower() == wanted:
            return force(behind)
    return None if args.complete else Unknown("the arguments are spread from something open")


def _joined(args: Arguments | None, force: Force) -> Value | None:
    """The texts among the arguments, and those directly in objects (``{text: 'SELECT …', values}``)."""
    parts: list[str | Value] = []
    for raw in args.positional if args is not None else ():
        value = force(raw)
        if isinstance(value, Record):
            value = next(
                (
                    v
                    for k in ("text", "sql", "query")
                    if k in value.entries
                    for v in (force(value.entries[k]),)
                ),
                value,
            )
        if isinstance(value, Known) and isinstance(value.value, str):
            parts += [" "] * bool(parts) + [value.value]
        elif isinstance(value, Text):
            parts += [" "] * bool(parts) + list(value.parts)
    if not parts:
        return None
    if all(isinstance(part, str) for part in parts):
        return Known("".join(part for part in parts if isinstance(part, str)))
    return Text(tuple(parts))


def _step(
    value: Value, member: str, rest: tuple[str, ...], force: Force, take: Take | None
) -> tuple[Value | None, bool]:
    """One member of a value, and whether it took the next member of the path too (``args.0``)."""
    if isinstance(value, Choice):
        found = [_step(option, member, rest, force, take) for option in value.options]
        there = tuple(f for f, _ in found if f is not None and not _is_absent(f))
        taken = any(t for _, t in found)
        return (Choice(there) if len(there) > 1 else there[0] if there else None), taken
    if isinstance(value, External):
        if member == "args" and rest and _NUMBER.match(rest[0]):
            return _argument(value.args, int(rest[0]), force), True
        if member == "kwargs" and rest:
            return _keyword(value.args, rest[0], force), True
        if member == "receiver":
            return value.receiver, False
        if member == "path":
            return Known(value.path), False
        return _open(value, f"{value.path} is outside the tree"), False
    if isinstance(value, Record):
        if member in value.entries:
            return force(value.entries[member]), False
        if rest and f"{member}.{rest[0]}" in value.entries:  # ``{"scheduler.timezone": "UTC"}``
            return force(value.entries[f"{member}.{rest[0]}"]), True
        return (None if value.complete else Unknown(f"{member} is not written out", value.at)), False
    if isinstance(value, Sequence):
        if _NUMBER.match(member):
            position = int(member)
            if -len(value.items) <= position < len(value.items):
                return force(value.items[position]), False
            return (None if value.complete else Unknown("an open list", value.at)), False
        return None, False
    if take is not None and isinstance(value, Instance | ClassValue | Closure | Namespace):
        return _member_of(take(value, member)), False
    if isinstance(value, Known | Text | Closure):
        return None, False
    if isinstance(value, Unknown):
        return value, False
    return (
        take(value, member) if take is not None else _open(value, f"{member} of a value that is open")
    ), False


def _member_of(value: Value) -> Value | None:
    """A member of an object of the project; what no class of it defines is not there."""
    return None if isinstance(value, Unknown) and " has no " in value.reason else value


def _open(value: Value, reason: str) -> Unknown:
    return Unknown(reason, getattr(value, "at", None))


def _present(value: Value | None) -> Value | None:
    return None if value is None or _is_absent(value) else value


def _is_absent(value: Value) -> bool:
    return isinstance(value, Known) and value.value is None


def _with_unit(value: Value | None, unit: str) -> Value | None:
    """A number takes the unit of the description, unless it carries its own."""
    if isinstance(value, Known) and value.unit is None and _is_number(value.value):
        return Known(value.value, value.at, unit, value.default_of)
    if isinstance(value, Choice):
        options = tuple(o for option in value.options if (o := _with_unit(option, unit)) is not None)
        return Choice(options)
    return value


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
