"""What a language's own functions and methods do to folded values."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable
from typing import Protocol

from cronaudit.linking import exports, iterables, listings, names
from cronaudit.linking.copying import is_copy
from cronaudit.linking.folder import Folder
from cronaudit.linking.maps import map_method
from cronaudit.linking.operators import as_text, choice, joined, number_from, open_operand, unset_variable
from cronaudit.linking.texts import formatted, replaced, split
from cronaudit.model.ir import Array, Call, Comprehension
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Arguments,
    Builtin,
    Closure,
    Env,
    External,
    Known,
    Lazy,
    Namespace,
    Record,
    Scope,
    Sequence,
    Symbol,
    Text,
    Unknown,
    Value,
)


class ForeignFolds(Protocol):
    """What the knowledge base says about functions outside the tree that compute a value."""

    def fold(self, folder: Folder, callee: External, args: Arguments, at: Location | None) -> Value | None:
        """The value that the call computes; None where nothing is known of it."""

    def constant(self, path: str, at: Location | None = None) -> Value | None:
        """The value of a constant of that path (``CronExpression.EVERY_HOUR``); None where it is none."""

    def settings(self, path: str) -> str | None:
        """The name of the modules whose settings an object of that path gathers; None where it gathers none."""

    def member(self, folder: Folder, found: External) -> Value | None:
        """What a member of an object of a library comes to (the name of a queue); None where nothing is known."""

    def opened(self, folder: Folder, name: str, args: Arguments, at: Location | None) -> Value | None:
        """What a method of that name gives, whoever is asked; None where its name says nothing."""

    def wraps(self, folder: Folder, callee: External) -> bool:
        """Whether a decorator runs the function under it: again when it fails, under a lock, with a bound."""

    def is_of_row(self, path: str, name: str) -> bool:
        """Whether a path is one object of the class that a query is asked of, and `name` no method of the library's."""

    def passed(self, callee: External) -> tuple[str, ...]:
        """What a call passes to its callback, as paths; ``receiver`` for the object itself, empty for unknown."""

    def defers(self, callee: External) -> bool:
        """Whether a call only keeps the function that it is handed: a message or a request is what runs it."""


# ---- functions of the language -----------------------------------------------------------------------------

_NUMBERS = frozenset(("global:Number", "global:parseInt", "global:parseFloat", "global:Number.parseInt",
                      "global:Number.parseFloat", "builtins.int", "builtins.float"))  # fmt: skip
_SAME = frozenset(("global:Object.freeze", "global:Object.seal", "global:Promise.resolve", "builtins.list",
                   "builtins.tuple", "builtins.set", "builtins.sorted", "builtins.reversed", "global:Array.from",
                   "global:Promise.all", "global:structuredClone", "builtins.dict", "builtins.frozenset"))  # fmt: skip
_PATHS = frozenset(("path:join", "path:resolve", "path:posix.join", "global:require.resolve", "os.path.join"))
_ENV_GETTERS = frozenset(("os.environ.get", "os.getenv"))
_ROUNDING: dict[str, Callable[[float], float]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "trunc": math.trunc,
    "abs": abs,
}


def foreign_call(
    folder: Folder, callee: External, args: Arguments, call: Call | None, at: Location | None
) -> Value:
    """A call of a symbol outside the tree: folded where the language or the knowledge base defines it."""
    path = callee.path
    first = folder.force(args.positional[0]) if args.positional else None
    if path in _NUMBERS and first is not None:
        unset = unset_variable(first) if path.startswith("builtins.") else None
        if unset is not None:
            return Env(unset, at)
        if isinstance(first, Known) and first.value is None and path.startswith("builtins."):
            return Unknown("None is no number", at)
        if isinstance(first, Known):
            return number_from(first, at)
        return (
            first if isinstance(first, Env | Symbol | Unknown) else _external_result(callee, args, call, at)
        )
    if path in ("global:String", "builtins.str") and isinstance(first, Known):
        return Known(as_text(first), at, default_of=first.default_of)
    if path == "builtins.dict" and args.named and (first is None or isinstance(first, Record)):
        base = first.entries if isinstance(first, Record) else {}
        complete = args.complete and (first is None or first.complete)
        return Record({**base, **args.named}, complete, at)
    if path in _SAME and first is not None:
        return first
    if path == "builtins.getattr" and first is not None and len(args.positional) == 2:
        name = folder.force(args.positional[1])
        if isinstance(name, Known) and isinstance(name.value, str) and isinstance(first, External):
            return folder.member(first, name.value)  # `log = getattr(logger, level)`
    if path == "url:fileURLToPath" and isinstance(first, External) and first.path == "global:import.meta.url":
        return Known("\0__filename", at)
    if path == "path:dirname" and isinstance(first, Known) and first.value == "\0__filename":
        return Known("\0__dirname", first.at)
    if path == "global:process.cwd" and not args.positional:
        return Known(listings.TREE, at)
    if path in _PATHS:
        return _joined_path(folder, path, args, at)
    if path in _ENV_GETTERS and isinstance(first, Known):
        default = folder.force(args.positional[1]) if len(args.positional) > 1 else None
        if default is None and "default" in args.named:
            default = folder.force(args.named["default"])
        if isinstance(default, Known) and default.value is not None:
            return Known(default.value, default.at, default.unit, as_text(first))
        return default if isinstance(default, Symbol) else Env(as_text(first), at)
    if path in ("global:Object.values", "global:Object.entries", "global:Object.keys") and first is not None:
        return _object_listing(folder, path.rsplit(".", 1)[1], first, at)
    if path == "global:Object.assign":
        return _assigned(folder, args, at)
    if path == "global:Object.fromEntries" and isinstance(first, Sequence):
        return _from_entries(folder, first, at)
    rounding = _ROUNDING.get(path.removeprefix("global:Math.")) if path.startswith("global:Math.") else None
    if rounding is not None and isinstance(first, Known) and isinstance(first.value, int | float):
        return Known(rounding(first.value), at, first.unit, first.default_of)
    if path in ("global:Math.max", "global:Math.min", "builtins.max", "builtins.min"):
        return _extreme(folder, args, at, largest=path.endswith("max"))
    if path == "functools.partial" and isinstance(first, Closure):
        rest = tuple(folder.force(a) for a in args.positional[1:])
        return Closure(first.function, first.scope, first.this, (*first.bound, *rest))
    if path.startswith("global:") and exports.is_interop(path[len("global:") :]) and first is not None:
        return exports.interop(first)
    files = listings.listed(folder, callee, args, at)
    if files is not None:
        return files
    found = folder_foreign(folder, callee, args, at)
    return found if found is not None else _external_result(callee, args, call, at)


def folder_foreign(folder: Folder, callee: External, args: Arguments, at: Location | None) -> Value | None:
    """Ask the knowledge base."""
    foreign: ForeignFolds | None = getattr(folder, "foreign", None)
    return foreign.fold(folder, callee, args, at) if foreign is not None else None


def _external_result(callee: External, args: Arguments, call: Call | None, at: Location | None) -> External:
    return External(f"{callee.path}()", args, at, callee.receiver, call, of=callee.of, row=callee.row)


def _joined_path(folder: Folder, path: str, args: Arguments, at: Location | None) -> Value:
    """``path.join(__dirname, 'x.js')``: a path relative to the tree."""
    parts: list[str] = []
    for raw in args.positional:
        value = folder.force(raw)
        if isinstance(value, Symbol):
            return open_operand((value,), at)
        if isinstance(value, External) and value.path == "global:import.meta.dirname":
            value = Known("\0__dirname", at)
        if not isinstance(value, Known) or not isinstance(value.value, str):
            return Unknown("a path with a part that cannot be told", at)
        text = value.value
        if text.startswith(listings.TREE):
            parts = ["\0tree", text[len(listings.TREE) :]]
        elif text.startswith("\0") and value.at is not None:
            where = value.at.path
            rest = text.removeprefix("\0__dirname").strip("/") if text != "\0__filename" else ""
            text = where if text == "\0__filename" else posixpath.join(posixpath.dirname(where), rest)
            parts = ["\0tree", text]
        else:
            parts.append(text)
    if path == "global:require.resolve" and at is not None and parts and parts[0].startswith("."):
        parts = ["\0tree", posixpath.dirname(at.path), *parts]
    if parts and parts[0] == "\0tree":
        return Known("\0tree/" + posixpath.normpath(posixpath.join(*parts[1:])), at)
    return Known(posixpath.normpath(posixpath.join(*parts)) if parts else "", at)


def _object_listing(folder: Folder, what: str, value: Value, at: Location | None) -> Value:
    if isinstance(value, Namespace):
        entries: dict[str, Value | Lazy] = {
            e.name: folder.export(value.module, e.name) for e in value.module.exports if e.name != "*"
        }
        value = Record(entries, complete=True, at=at)
    if isinstance(value, Sequence) and value.is_map:
        return value if what == "entries" else map_method(folder, value, what)
    if not isinstance(value, Record):
        return value if isinstance(value, Symbol | Unknown) else Unknown("the entries of an open object", at)
    pairs = [(k, v) for k, v in value.entries.items() if not k.startswith("\0") or what == "values"]
    if what == "keys":
        return Sequence(tuple(Known(k, value.at) for k, _ in pairs), value.complete, value.at)
    if what == "values":
        return Sequence(tuple(v for _, v in pairs), value.complete, value.at)
    rows = tuple(Sequence((Known(k, value.at), v), True, value.at) for k, v in pairs)  # noqa: FBT003 - a row is whole
    return Sequence(rows, value.complete, value.at)


def _assigned(folder: Folder, args: Arguments, at: Location | None) -> Value:
    entries: dict[str, Value | Lazy] = {}
    complete = args.complete
    for raw in args.positional:
        value = folder.force(raw)
        if isinstance(value, Record):
            entries.update(value.entries)
            complete = complete and value.complete
        elif not isinstance(value, Known):
            complete = False
    return Record(entries, complete, at)


def _from_entries(folder: Folder, pairs: Sequence, at: Location | None) -> Value:
    entries: dict[str, Value | Lazy] = {}
    complete = pairs.complete
    for raw in pairs.items:
        pair = folder.force(raw)
        key = folder.force(pair.items[0]) if isinstance(pair, Sequence) and len(pair.items) == 2 else None
        if isinstance(key, Known) and isinstance(pair, Sequence):
            entries[as_text(key)] = pair.items[1]
        else:
            complete = False
    return Record(entries, complete, at)


def _extreme(folder: Folder, args: Arguments, at: Location | None, *, largest: bool) -> Value:
    values = [folder.force(a) for a in args.positional]
    numbers = [v for v in values if isinstance(v, Known) and isinstance(v.value, int | float)]
    if len(numbers) == len(values) and numbers:
        best = sorted(numbers, key=lambda v: float(v.value or 0))[-1 if largest else 0]
        return Known(best.value, at, best.unit, next((n.default_of for n in numbers if n.default_of), None))
    return open_operand(tuple(values), at)


# ---- methods of folded values ------------------------------------------------------------------------------

_KEEPING = frozenset(
    ("filter", "slice", "sort", "reverse", "concat", "flat", "toSorted", "toReversed", "values")
)
EACH_METHODS = frozenset(("forEach", "map", "flatMap", "filter", "some", "every", "find", "reduce"))
"""Array methods that call their first argument once for each item."""


def method(folder: Folder, builtin: Builtin, args: Arguments, at: Location | None) -> Value:
    """A call of a method of a folded value."""
    receiver, name = builtin.receiver, builtin.name
    first = folder.force(args.positional[0]) if args.positional else None
    if isinstance(receiver, Closure):
        return _function_method(folder, receiver, name, args, at)
    if isinstance(receiver, Record):
        if name in ("get", "pop") and isinstance(first, Known):
            key = as_text(first)
            if key in receiver.entries:
                return folder.force(receiver.entries[key])
            return folder.force(args.positional[1]) if len(args.positional) > 1 else Known(None, at)
        if name in ("items", "keys", "values"):
            return _object_listing(folder, "entries" if name == "items" else name, receiver, at)
        return receiver if name == "copy" else Unknown(f"{name} of an object", at)
    if isinstance(receiver, Sequence) and receiver.is_map and name in ("values", "keys", "get", "items"):
        return map_method(folder, receiver, name, first)
    if isinstance(receiver, Sequence):
        if name == "map" and isinstance(first, Closure) and is_copy(first.function):
            return Sequence(receiver.items, receiver.complete, receiver.at)
        if name in ("map", "flatMap") and isinstance(first, Closure):
            items = tuple(_applied(folder, first, (i, Known(n)), at) for n, i in enumerate(receiver.items))
            return Sequence(items, receiver.complete, at)
        if name == "concat" and isinstance(first, Sequence):
            return Sequence((*receiver.items, *first.items), receiver.complete and first.complete, at)
        if name == "join" and isinstance(first, Known | None):
            separator = as_text(first) if first else ","
            parts: list[str | Value] = []
            for position, raw in enumerate(receiver.items):
                parts += ([separator] if position else []) + [folder.force(raw)]
            return joined(parts, at)
        if name in _KEEPING:
            return Sequence(
                receiver.items, receiver.complete and name not in ("filter", "slice"), receiver.at
            )
        if name in ("find", "at", "pop", "shift") and receiver.items:
            return choice(tuple(folder.force(i) for i in receiver.items))
        return Unknown(f"{name} of a list", at)
    if isinstance(receiver, Known | Text):
        return _text_method(folder, receiver, name, args, at)
    if isinstance(receiver, Env):
        return (
            receiver
            if name in ("trim", "toString", "toLowerCase", "strip", "lower")
            else Unknown(f"{receiver.name} comes from the environment", at)
        )
    return Unknown(f"the result of {name}", at)


def _applied(folder: Folder, closure: Closure, args: tuple[Value | Lazy, ...], at: Location | None) -> Value:
    return folder.apply(closure, Arguments(args, {}), None, at)


def _function_method(
    folder: Folder, receiver: Closure, name: str, args: Arguments, at: Location | None
) -> Value:
    given = tuple(folder.force(a) for a in args.positional)
    if name == "bind":
        this = given[0] if given else receiver.this
        return Closure(receiver.function, receiver.scope, this, (*receiver.bound, *given[1:]))
    if name == "call":
        this = given[0] if given else receiver.this
        return folder.apply(
            Closure(receiver.function, receiver.scope, this, receiver.bound),
            Arguments(given[1:], {}),
            None,
            at,
        )
    if name == "apply":
        rest = given[1].items if len(given) > 1 and isinstance(given[1], Sequence) else ()
        this = given[0] if given else receiver.this
        return folder.apply(Closure(receiver.function, receiver.scope, this), Arguments(rest, {}), None, at)
    if name in ("s", "si", "signature"):
        # Celery's signatures: the task with some of its arguments.
        return Closure(receiver.function, receiver.scope, receiver.this, (*receiver.bound, *given))
    return Unknown(f"{name} of {receiver.function.symbol}", at)


def _text_method(
    folder: Folder, receiver: Known | Text, name: str, args: Arguments, at: Location | None
) -> Value:
    if name in (
        "toString",
        "trim",
        "toLowerCase",
        "toUpperCase",
        "lower",
        "upper",
        "strip",
        "toLocaleLowerCase",
    ):
        if isinstance(receiver, Known) and isinstance(receiver.value, str):
            text = receiver.value.strip() if name in ("trim", "strip") else receiver.value
            text = text.lower() if "ower" in name else text.upper() if "pper" in name else text
            return Known(text, receiver.at, receiver.unit, receiver.default_of)
        return receiver
    if name == "concat":
        return joined([receiver, *(folder.force(a) for a in args.positional)], at)
    if name == "total_seconds" and isinstance(receiver, Known):
        return receiver
    if name == "split" and isinstance(receiver, Known) and isinstance(receiver.value, str):
        return split(folder, receiver, receiver.value, args, at)
    if name in ("replace", "replaceAll") and isinstance(receiver, Known) and isinstance(receiver.value, str):
        return replaced(folder, receiver, receiver.value, name, args, at)
    if name == "format" and isinstance(receiver, Known) and isinstance(receiver.value, str):
        return formatted(folder, receiver, args, at)
    return Unknown(f"{name} of a text", at)


# ---- comprehensions ----------------------------------------------------------------------------------------


def comprehend(folder: Folder, expr: Comprehension, scope: Scope) -> Value:
    """A comprehension over a folded list, item by item."""
    at = Location(scope.module.path, expr.line)
    iterable = folder.fold(expr.iterable, scope)
    items = iterables.sequence_items(folder, iterable)
    if items is None:
        return Unknown("a comprehension over something open", at, iterable)
    results: list[Value | Lazy] = []
    for entry in items:
        inner = Scope(scope.node, scope.parent, dict(scope.values), scope.this)
        names.bind_target(folder, inner, expr.target, entry)
        results.append(Lazy(expr.element, inner))
    if expr.kind == "dict" and isinstance(expr.element, Array):
        pairs = Sequence(tuple(results), complete=not expr.conditions, at=at)
        return _from_entries(folder, pairs, at)
    return Sequence(tuple(results), not expr.conditions, at)
