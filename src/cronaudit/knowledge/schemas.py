"""Settings behind a schema: which variable each comes from, and the default that the tree states for it."""

from __future__ import annotations

from cronaudit.knowledge.paths import last_of
from cronaudit.knowledge.selectors import Force
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Choice,
    Env,
    External,
    Known,
    Lazy,
    Record,
    Sequence,
    Symbol,
    Text,
    Unknown,
    Value,
)

_ENVIRONMENTS = (
    "global:process.env",
    "process:env",
    "global:Bun.env",
    "global:import.meta.env",
    "os.environ",
)
_DEFAULTS = frozenset(("default", "catch", "prefault"))
_CHANGING = frozenset(("transform", "preprocess", "custom", "pipe", "overwrite"))
_ADDING = frozenset(("extend", "safeExtend", "merge", "append", "keys"))
_CHAIN = 24


def is_environment(value: Value, force: Force) -> bool:
    """Whether a value is the environment, or an object made of it."""
    if isinstance(value, External):
        return value.path in _ENVIRONMENTS
    if isinstance(value, Choice):
        return any(is_environment(option, force) for option in value.options)
    if isinstance(value, Record):
        # ``{...process.env, X: …}`` is not complete; ``{PORT: process.env.PORT}`` names variables.
        return not value.complete or any(isinstance(force(inner), Env) for inner in value.entries.values())
    return False


def settings(tables: list[Value | None], force: Force, at: Location | None) -> Record | None:
    """The settings of schemas, by name."""
    entries: dict[str, Value | Lazy] = {}
    complete = True
    for table in tables:
        record = _fields(table, force)
        if record is None:
            complete = complete and table is None
            continue
        complete = complete and record.complete
        for name, raw in record.entries.items():
            entries[name] = _setting(name, force(raw), force, at)
    return Record(entries, complete, at) if entries else None


def nested(schema: Value | None, key: str, force: Force) -> Value | None:
    """The setting under a dotted key of a schema whose leaves are ``{default, env}``."""
    for part in key.split("."):
        if not isinstance(schema, Record) or part not in schema.entries:
            return None
        schema = force(schema.entries[part])
    if not isinstance(schema, Record) or "default" not in schema.entries:
        return None
    variable = force(schema.entries["env"]) if "env" in schema.entries else None
    default = force(schema.entries["default"])
    if not isinstance(variable, Known):
        return default
    return one(variable, default, schema.at)


def one(name: Value | None, default: Value | None, at: Location | None) -> Value | None:
    """A setting with its default; without one it stays open."""
    if not isinstance(name, Known) or not isinstance(name.value, str):
        return None
    if default is None:
        return Env(name.value, at)
    if isinstance(default, Known):
        return Known(default.value, default.at or at, default.unit, name.value)
    return default


def default_in(made: External | None, name: Value | None, force: Force) -> Value | None:
    """The default that the making of a reader of the environment states: ``Env(PORT=(int, 3000))``."""
    args = made.args if made is not None else None
    if args is None or not isinstance(name, Known) or str(name.value) not in args.named:
        return None
    row = force(args.named[str(name.value)])
    return force(row.items[1]) if isinstance(row, Sequence) and len(row.items) > 1 else None


def _fields(table: Value | None, force: Force, depth: int = _CHAIN) -> Record | None:
    """The fields of a schema: an object, or the call that wraps one, with what later calls of its chain add."""
    added: dict[str, Value | Lazy] = {}
    for _ in range(depth):
        if isinstance(table, Record):
            return Record({**table.entries, **added}, table.complete, table.at) if added else table
        if not isinstance(table, External):
            return None
        method = last_of(table.path)
        if method in _CHANGING:
            return None
        args = table.args.positional if table.args is not None and table.path.endswith(")") else ()
        inner = force(args[0]) if args else None
        if table.receiver is not None and table.receiver is not table:
            if method in _ADDING and isinstance(inner, Record | External):
                more = _fields(inner, force, depth - 1)
                if more is None or not more.complete:
                    return None
                added = {**more.entries, **added}
            table = table.receiver
        elif isinstance(inner, Record | External):
            table = inner
        else:
            return None
    return None


def _setting(name: str, value: Value, force: Force, at: Location | None) -> Value:
    """One field: ``z.coerce.number().default(5)``, ``port({default: 3000})``."""
    if isinstance(value, Record):
        default = force(value.entries["default"]) if "default" in value.entries else None
        return one(Known(name), default, at) or Env(name, at)
    current: External | None = value if isinstance(value, External) else None
    is_number = current is not None and ".number(" in current.path
    for _ in range(_CHAIN):
        if current is None:
            break
        method = last_of(current.path)
        arguments = current.args.positional if current.args is not None else ()
        first = force(arguments[0]) if arguments else None
        if method in _CHANGING:
            return Unknown(f"{name} is changed by a function", current.at)
        if method in _DEFAULTS and first is not None:
            return _defaulted(name, first, number=is_number)
        if isinstance(first, Record) and "default" in first.entries:
            return _defaulted(name, force(first.entries["default"]), number=is_number)
        current = current.receiver if current.receiver is not current else None
    return Env(name, at)


def _defaulted(name: str, default: Value, *, number: bool) -> Value:
    if isinstance(default, Known):
        value = default.value
        if number and isinstance(value, str) and value.strip().lstrip("-").isdigit():
            value = int(value)
        return Known(value, default.at, default.unit, name)
    return (
        default
        if isinstance(default, Text | Symbol)
        else Env(name, default.at if isinstance(default, Env) else None)
    )
