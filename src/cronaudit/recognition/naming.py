"""The name that a registry entry or a class of the project gives its job."""

from __future__ import annotations

from cronaudit.model.ir import Call, Function, Member, Module, Name, Object
from cronaudit.model.linker import Bound, Item, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Choice,
    Closure,
    Instance,
    Known,
    Lazy,
    Namespace,
    Record,
    Scope,
    Sequence,
    Text,
    Value,
)
from cronaudit.model.walking import expressions
from cronaudit.recognition.handlers import named_by_wrapper

NAMES = (
    "id",
    "jobId",
    "name",
    "jobName",
    "job_name",
    "key",
    "jobKey",
    "taskName",
    "identifier",
    "slug",
    "title",
    "label",
)
"""Under such a name an entry, or a parameter, names a job."""
_HOLDERS = (
    "config",
    "options",
    "opts",
    "settings",
    "definition",
    "props",
    "params",
    "meta",
    "metadata",
    "job",
)


def named_by(bound: Bound, linker: Linker) -> tuple[str | None, Location | None]:
    """The name in the items that bind a job, the outermost first: that of the entry, its key, its configuration."""
    for item in reversed(bound.items):
        found = _name_of(item.value, linker) or _name_of_file(item, linker)
        if found is not None:
            return as_name(found), getattr(found, "at", None)
    return _passed_name(bound.scope, linker)


def _name_of_file(item: Item, linker: Linker) -> Value | None:
    """The name that a file states which is loaded from its folder: ``exports.name = 'digest'``."""
    loaded = item.value
    if (
        isinstance(loaded, Known) and not item.location.path.endswith(str(loaded.value))
    ) or item.location.line != 1:
        return None
    module = linker.module(item.location.path) if isinstance(loaded, Known | Namespace) else None
    if module is None:
        return None
    for holder in (Namespace(module), linker.member(Namespace(module), "default")):
        for key in NAMES:
            found = linker.member(holder, key) if isinstance(holder, Namespace | Record) else None
            if found is not None and _is_text(found):
                return found
    return None


def _passed_name(inner: Scope, linker: Linker) -> tuple[str | None, Location | None]:
    """The name that a caller passes to the project's own scheduler: ``schedule(run, 60_000, 'sync')``.

    It may stand in an object that holds the work as well.
    """
    for scope in inner.outward():
        for key in NAMES:
            raw = scope.values.get(key)
            value = linker.force(raw) if raw is not None else _in_keywords(key, scope, linker)
            if value is not None and _is_text(value):
                return as_name(value), getattr(value, "at", None)
        for raw in scope.values.values():
            value = linker.force(raw)
            if isinstance(value, Record) and any(
                isinstance(linker.force(entry), Closure) for entry in value.entries.values()
            ):
                # ``register({name: 'sync', every: 60, run() { … }})``
                found = _name_of(value, linker)
                if found is not None:
                    return as_name(found), getattr(found, "at", None)
    return None, None


def _in_keywords(key: str, scope: Scope, linker: Linker) -> Value | None:
    """What a caller passes by name to a function that takes any keyword: ``add(every(5).minutes, name='sync')``."""
    params = scope.node.params if isinstance(scope.node, Function) else ()
    rest = next((p.name for p in params if p.rest == "**"), None)
    raw = scope.values.get(rest) if rest is not None else None
    keywords = linker.force(raw) if raw is not None else None
    if not isinstance(keywords, Record) or key not in keywords.entries:
        return None
    return linker.force(keywords.entries[key])


def named_by_wrappers(handler: Closure, linker: Linker) -> tuple[str | None, Location | None]:
    """The name that a wrapper around the job is told: ``cron.schedule('…', monitored('sync', sync))``."""
    found = next((v for v in named_by_wrapper(handler, linker, NAMES) if _is_text(v)), None)
    return as_name(found), getattr(found, "at", None)


def named_beside(
    call: Call, node: Function | Module, scope: Scope, linker: Linker
) -> tuple[str | None, Location | None]:
    """The name in the object that keeps the armed job: ``{id: 'sync', job: schedule(…)}``."""
    for expr in expressions(node.body):
        if isinstance(expr, Object) and any(entry.value is call for entry in expr.entries):
            for key in NAMES:
                entry = next((e for e in expr.entries if e.key == key), None)
                if entry is not None and _is_text(found := linker.fold(entry.value, scope)):
                    return as_name(found), getattr(found, "at", None)
    return None, None


def _name_of(value: Value, linker: Linker) -> Value | None:
    if isinstance(value, Sequence) and len(value.items) == 2:
        first = linker.force(value.items[0])
        return _name_of(linker.force(value.items[1]), linker) or (first if as_name(first) else None)
    if isinstance(value, Record):
        for key in NAMES:
            if key in value.entries:
                found = linker.force(value.entries[key])
                named = found if _is_text(found) else _member_name(value.entries[key], found)
                if named is not None:
                    return named
        return _in_holders(value, linker)
    if isinstance(value, Instance):
        for key in NAMES:
            found = linker.member(value, key)
            if _is_text(found):
                return found
        return _in_holders(value, linker)
    return None


def _member_name(written: Value | Lazy, value: Value) -> Known | None:
    """The name of a number that is a member of an enumeration: ``{id: TaskId.DeleteExpired, …}``."""
    if not (isinstance(written, Lazy) and isinstance(written.expr, Member) and isinstance(value, Known)):
        return None
    holder = written.expr.object
    if (
        isinstance(value.value, bool | str | None)
        or not isinstance(holder, Name)
        or not holder.name[:1].isupper()
    ):
        return None
    return Known(written.expr.name, Location(written.scope.module.path, written.expr.line))


def _in_holders(value: Record | Instance, linker: Linker) -> Value | None:
    for holder in _HOLDERS:
        if isinstance(value, Record) and holder not in value.entries:
            continue
        inner = linker.member(value, holder)
        if isinstance(inner, Record):
            for key in NAMES:
                if key in inner.entries and _is_text(found := linker.force(inner.entries[key])):
                    return found
    return None


def _is_text(value: Value) -> bool:
    return isinstance(value, Known) and isinstance(value.value, str) and bool(value.value)


def as_name(value: Value | None) -> str | None:
    """A name from a folded value; open parts are written ``${…}``."""
    if isinstance(value, Known) and isinstance(value.value, str | int) and not isinstance(value.value, bool):
        return str(value.value) or None
    if isinstance(value, Text):
        text = "".join(p if isinstance(p, str) else "${…}" for p in value.parts)
        return text if text.replace("${…}", "").strip(" -_:.") else None
    if isinstance(value, Choice):
        return next((n for o in value.options if (n := as_name(o)) is not None), None)
    return None
