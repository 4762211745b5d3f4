"""Calls that nobody has described: which of them work outside the process, as far as their names tell."""

from __future__ import annotations

import re

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Const, Function, Member
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import Symbol, Unknown

_QUIET_VERBS = frozenset(
    (
        "get", "set", "has", "delete", "clear", "prune", "purgeStale", "reset", "emit", "ping", "write", "send", "log",
        "info", "debug", "warn", "error", "trace", "format", "now", "diff", "add", "push", "pop", "map", "filter",
        "toString", "keys", "values", "entries", "update", "stop", "succeed", "start", "terminate", "inc", "observe",
        "gauge", "increment", "record", "unref", "ref", "isBefore", "isAfter", "subtract", "unix", "parse", "tick",
        "disconnect", "connect", "reconnect", "close", "end", "destroy", "quit", "heartbeat", "resolve", "reject",
        # What lists, texts and emitters offer, whatever library an object of that kind comes from.
        "forEach", "some", "every", "reduce", "includes", "indexOf", "concat", "slice", "splice", "join",
        "split", "sort", "reverse", "flat", "flatMap", "startsWith", "endsWith", "trim", "match", "test", "replace",
        "trimStart", "trimEnd", "closeIdleConnections", "closeAllConnections", "percentile",
        "replaceAll", "padStart", "padEnd", "repeat", "substring", "charAt", "localeCompare", "off", "removeListener",
        "removeAllListeners", "removeEventListener", "addListener", "addEventListener", "encode", "decode", "finish",
    )
)  # fmt: skip
_STORED = frozenset(("delete", "update"))
"""What a list or map does at once; where its end is waited for, something outside the process does it."""
_PROMISED = "global:Promise()."
"""What ``new Promise`` is kept with, which only its own function tells."""
_ANSWERS = lazy_regex(r"is|has|get|to|as|on|length|size|count|stat|list|idle|lookup")
_CONVERTS = lazy_regex(r"to[A-Z]")
_ASKS = lazy_regex(r"(get|is|has|num)[A-Z]")
"""How the name begins of what is asked of something unknown: it tells, and whoever asked works with it or does not."""
_PROBE = lazy_regex(r"\s*select\s+(1|now\(\)|version\(\))\s*;?\s*$", re.IGNORECASE)
"""A statement that only finds out whether a database answers."""


def is_opaque_work(event: Event) -> bool:
    """A call into a package that no library file describes, whose name does not say that it stays in memory."""
    path = event.external
    if event.kind is not EventKind.CALL:
        return False
    if _tells_worker(event):
        return True
    if path is None or path.startswith(_PROMISED):
        quiet = _QUIET_VERBS - _STORED if event.awaited else _QUIET_VERBS
        return (
            (event.awaited or _is_answered(event))
            and (path is not None or isinstance(event.callee, Unknown | Symbol))
            and verb_of(event) not in quiet
            and not _CONVERTS.match(verb_of(event))
            and not _ASKS.match(verb_of(event))
            and not _is_probe(event)
        )
    if path.startswith("global:Proxy("):
        return event.awaited
    if path.startswith(("global:", "builtins.")):
        return False
    verb = path.rsplit(".", 1)[-1].rsplit(":", 1)[-1].removesuffix("()")
    if _ANSWERS.match(verb) or _ASKS.match(verb) or _is_probe(event):
        return False
    return verb not in _QUIET_VERBS and "." in path.partition(":")[2] and path.count("(") > 0


def _is_probe(event: Event) -> bool:
    """``await client.query('SELECT 1')``: whether the other side is there."""
    given = event.call.args[0].value if event.call is not None and event.call.args else None
    return isinstance(given, Const) and isinstance(given.value, str) and _PROBE.match(given.value) is not None


def _is_answered(event: Event) -> bool:
    """Whether a call is told what to do when it is over, as one awaits it: ``store.sweep((err) => …)``.

    Not one that asks for something: ``store.list((err, all) => …)``, ``send('getStatus', (err, status) => …)``.
    """
    args = event.call.args if event.call is not None else ()
    last = args[-1].value if args else None
    if not (isinstance(last, Function) and last.params and last.params[0].name in ("err", "error", "e")):
        return False
    words = (verb_of(event), str(getattr(args[0].value, "value", "")))
    return not any(_ANSWERS.match(word) for word in words)


_WORKERS = lazy_regex(r"(worker|child|fork|subprocess)", re.IGNORECASE)


def _tells_worker(event: Event) -> bool:
    """Whether a message goes to another process or thread that does the work: ``state.worker.send(order)``."""
    callee = event.call.callee if event.call is not None else None
    if not isinstance(callee, Member) or callee.name not in ("send", "postMessage"):
        return False
    return bool(_WORKERS.match(getattr(callee.object, "name", "")))


def goes_on(event: Event, begun: tuple[str, ...]) -> bool:
    """Whether a call is a further step of something that is read: ``Model.find().exec()``, ``fetch().json()``."""
    path = event.external or ""
    return any(path.removeprefix(start).startswith(("().", ".")) for start in begun if path.startswith(start))


def verb_of(event: Event) -> str:
    """The last word of what is called."""
    return getattr(event.call.callee, "name", "") if event.call is not None else ""
