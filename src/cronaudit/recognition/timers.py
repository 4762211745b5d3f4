"""Own timers: which ``setInterval``, self-arming ``setTimeout`` and sleep loop is a job, and which is none.

A timer is a job when what it runs reaches the world outside the process (a database, a queue, a request that
changes something, a file), for as long as the process lives. Keep-alives, progress tickers, refreshers of a value in
memory, and polling inside one request are none.
"""

from __future__ import annotations

import re

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import (
    Assign,
    AssignExpr,
    Call,
    Expr,
    Function,
    FunctionKind,
    Member,
    Module,
    Name,
)
from cronaudit.model.linker import Linker
from cronaudit.model.trace import Event, EventKind, RegionKind, Trace
from cronaudit.model.value import Closure, External, Unknown
from cronaudit.model.walking import (
    class_around,
    contains,
    expressions,
    functions_around,
    functions_in,
    statements,
)
from cronaudit.recognition.clearing import clears, in_promise, never_ends, same_place
from cronaudit.recognition.opaque import goes_on, is_opaque_work, verb_of
from cronaudit.recognition.operations import ending_branches
from cronaudit.recognition.sightings import Reader, Sighting
from cronaudit.recognition.talk import inside_logger

CHANGING = frozenset(
    (
        "db.insert", "db.upsert", "db.update", "db.delete", "db.write", "tx.wrap", "tx.begin", "queue.enqueue",
        "mail.send", "file.write", "payment.mutate", "process.spawn", "alert.send", "monitor.ping", "monitor.wrap",
        "lock.acquire", "lock.with", "event.publish", "telemetry.send", "thread.spawn", "metric.push",
    )
)  # fmt: skip
"""Effects that make a timer a job by themselves."""
READING = frozenset(
    ("db.read", "db.read_one", "db.stream", "db.query", "http.request", "file.read", "cache.get")
)
"""Effects that need something to be done with what was read."""

_REQUEST_PARAMETERS = frozenset(("req", "request", "res", "response", "reply", "socket", "ws", "ctx"))
_SHUTDOWN_WORDS = tuple(
    "stop close shutdown destroy dispose cleanup clear end teardown disconnect unmount exit sigterm sigint kill deinit"
    " terminate pause cancel".split()
)


class Judgement(Struct, frozen=True):
    """Whether a timer is a job, and why (not)."""

    is_job: bool
    reason: str
    by_opaque: bool = False
    """Whether all that speaks for a job is a call that nobody has described."""


def judge_interval(
    call: Call, node: Function | Module, handler: Closure | None, linker: Linker
) -> Judgement | None:
    """What the place of a timer says before its work is looked at; None where it says nothing against a job."""
    if in_request(node) or _in_connection(node):
        return Judgement(is_job=False, reason="it lives as long as one request or connection")
    if in_component(node, linker):
        return Judgement(is_job=False, reason="it lives as long as a component of a page")
    handle = handle_of(call, node)
    if in_promise(node, handle, handler, linker):
        return Judgement(is_job=False, reason="it polls inside one operation")
    if handle is not None:
        where = _cleared_by_operation(handle, call, node, handler, linker)
        if where:
            return Judgement(is_job=False, reason=f"it is cleared {where}")
        if _renews(handle, node):
            return Judgement(is_job=False, reason="it renews a lock for as long as that is held")
    if handler is not None and _clears_itself(handler, handle, node):
        return Judgement(is_job=False, reason="it clears itself once its condition holds")
    return None


def judge_work(trace: Trace, reader: Reader) -> tuple[Judgement, tuple[Sighting, ...]]:
    """Whether the work of a timer reaches the world outside the process."""
    talk = inside_logger(trace)
    sightings = tuple(s for s in reader.read(trace) if s.event.order not in talk)
    for sighting in sightings:
        if sighting.effect in CHANGING or _is_changing_request(sighting) or _is_changing_query(sighting):
            return Judgement(
                is_job=True, reason=f"its work reaches {sighting.effect} at {sighting.location}"
            ), sightings
    reading = [s for s in sightings if s.effect in READING]
    read = {id(s.event) for s in sightings}
    begun = tuple({s.event.external for s in reading if s.event.external is not None})
    opaque = [e for e in trace.events if id(e) not in read and is_opaque_work(e) and not goes_on(e, begun)]
    if reading and (opaque or _does_more(trace, reading)):
        return Judgement(is_job=True, reason=f"it reads at {reading[0].location} and acts on it"), sightings
    if reading:
        return Judgement(is_job=False, reason="it only refreshes a value in memory"), sightings
    if opaque:
        first = opaque[0]
        called = first.external or verb_of(first)
        reason = f"its work calls {called} at {first.location}"
        return Judgement(is_job=True, reason=reason, by_opaque=True), sightings
    return Judgement(is_job=False, reason="its work stays in the memory of the process"), sightings


def _is_changing_request(sighting: Sighting) -> bool:
    if sighting.effect != "http.request":
        return False
    method = sighting.text("method")
    return method is not None and method.upper() in ("POST", "PUT", "PATCH", "DELETE")


def _is_changing_query(sighting: Sighting) -> bool:
    """A statement that is not known to only read."""
    if sighting.effect != "db.query":
        return False
    sql = sighting.text("sql")
    return sql is None or _READS.match(sql) is None or _WRITES_TOO.search(sql) is not None


_READS = lazy_regex(r"\s*\(?\s*(select|show|explain|with|values|describe|pragma)\b", re.IGNORECASE)
_WRITES_TOO = lazy_regex(
    r"\b(insert\s+into|update|delete\s+from|merge\s+into|pg_notify|nextval)\b", re.IGNORECASE
)


def _does_more(trace: Trace, reading: list[Sighting]) -> bool:
    """Whether something of the project is done for each thing read: a loop around further calls."""
    first = reading[0].event.order
    return any(
        e.kind is EventKind.CALL and e.order > first and e.inside(RegionKind.LOOP) and _calls_out(e)
        for e in trace.events
    )


def _calls_out(event: Event) -> bool:
    return isinstance(event.callee, Closure | Unknown) or (
        isinstance(event.callee, External)
        and not event.callee.path.startswith(("global:console", "global:Math"))
    )


# ---- the place -------------------------------------------------------------------------------------------------


def in_request(node: Function | Module) -> bool:
    """Whether code runs for one request or connection, by the names of the parameters around it."""
    return any(
        f.kind is not FunctionKind.CONSTRUCTOR and any(p.name in _REQUEST_PARAMETERS for p in f.params)
        for f in functions_around(node)
    )


_LEAVES = frozenset(("close", "disconnect", "disconnecting", "end", "finish"))
"""Events by which a connection says that it is over."""
_SERVES = lazy_regex(r"server|app|process|program|service|fastify|http|bot|db|database|pool", re.IGNORECASE)
"""Names of what goes only when the whole process goes."""


def _in_connection(node: Function | Module) -> bool:
    """Whether a function clears its timer when something that it was handed goes: ``client.on('disconnect', …)``."""
    if not isinstance(node, Function) or not node.params:
        return False
    handed = {p.name for p in node.params if p.name and not _SERVES.search(p.name)}
    leaving = any(
        isinstance(e, Call)
        and isinstance(e.callee, Member)
        and e.callee.name in ("on", "once", "addEventListener")
        and isinstance(e.callee.object, Name)
        and e.callee.object.name in handed
        and bool(e.args)
        and getattr(e.args[0].value, "value", None) in _LEAVES
        for e in expressions(node.body)
    )
    return leaving and any(clears(f, None) for f in functions_in(node))


_HOOK = lazy_regex(r"use[A-Z]?\w*Effect$")
"""What runs a function when a component of a page appears; it is named so in every framework of that kind."""


_COMPONENTS = ("Component", "PureComponent", "HTMLElement")
"""The last words of what classes of pages inherit from."""


def in_component(node: Function | Module, linker: Linker) -> bool:
    """Whether a timer lives in a page: in ``useEffect(() => { setInterval(…) })``, in a class of a component."""
    if _of_component(node):
        return True
    calls = linker.calls(node if isinstance(node, Module) else node.module)
    taken = {
        id(a.value) for name, sites in calls.items() if _HOOK.match(name) for c, _ in sites for a in c.args
    }
    return bool(taken) and any(id(f) in taken for f in functions_around(node))


def _of_component(node: Function | Module) -> bool:
    cls = class_around(node)
    return cls is not None and any(getattr(base, "name", "") in _COMPONENTS for base in cls.bases)


def handle_of(call: Call, node: Function | Module) -> Expr | None:
    """The variable that keeps the timer."""
    for statement in statements(node.body):
        value = statement.value if isinstance(statement, Assign) else None
        if isinstance(statement, Assign) and value is not None and contains(value, call):
            return statement.target
    for expr in expressions(node.body):
        if isinstance(expr, AssignExpr) and expr.value is call:
            return expr.target
    return None


def _clears_itself(handler: Closure, handle: Expr | None, node: Function | Module) -> bool:
    if handle is None:
        return False
    bodies = (handler.function, *functions_in(handler.function))
    if not any(clears(f, handle) for f in bodies):
        return False
    # ``clearInterval(this.timer); this.start()``: another interval follows, and with it the next run.
    arming = node.name if isinstance(node, Function) else None
    calls = (e for f in bodies for e in expressions(f.body) if isinstance(e, Call))
    return arming is None or not any(getattr(c.callee, "name", None) == arming for c in calls)


def _cleared_by_operation(
    handle: Expr, call: Call, node: Function | Module, handler: Closure | None, linker: Linker
) -> str:
    """Where a local timer is cleared by the operation that started it; empty where it outlives it."""
    owner = _declares(handle, node) if isinstance(handle, Name) else None
    if owner is None or never_ends(owner, linker):
        return ""
    if any(
        isinstance(e, Call)
        and getattr(e.callee, "name", "") in ("clearInterval", "clearTimeout")
        and e.args
        and same_place(e.args[0].value, handle)
        and e.line > call.line
        for e in expressions(owner.body)
    ):
        return "when the function that started it ends"
    if owner is not node or not isinstance(node, Function):
        return ""
    for function in functions_in(node):
        if handler is not None and function is handler.function:
            continue
        if clears(function, handle) and not _is_shutdown(function, node):
            return "by the operation that started it"
    return ""


_TAKES = lazy_regex(r"(try_?)?(acquire|lock|obtain|claim)", re.IGNORECASE)
_GIVES_BACK = lazy_regex(r"_?(release|unlock)", re.IGNORECASE)


def _renews(handle: Expr, node: Function | Module) -> bool:
    """Whether the object that arms a timer is a lock: its timer ends with what gives the lock back."""
    owner = class_around(node)
    methods = owner.methods if owner is not None else ()
    if not any(_TAKES.match(m.name or "") for m in methods):
        return False
    ending = {m.name for m in methods if clears(m, handle)}
    return any(
        m.name in ending or any(isinstance(e, Member) and e.name in ending for e in expressions(m.body))
        for m in methods
        if _GIVES_BACK.match(m.name or "")
    )


def _declares(handle: Name, node: Function | Module) -> Function | None:
    """The function, `node` or one around it, whose variable keeps the timer."""
    for function in functions_around(node):
        for s in statements(function.body):
            if (
                isinstance(s, Assign)
                and isinstance(s.target, Name)
                and s.target.name == handle.name
                and s.declares
            ):
                return function
    return None


def _is_shutdown(function: Function, node: Function) -> bool:
    """Whether a function ends the service: returned to the caller, or named like a stop or a signal."""
    for around in functions_around(function):
        if around is node:
            break
        name = (around.name or "").lower()
        if any(w in name for w in _SHUTDOWN_WORDS):
            return True
    for expr in expressions(node.body):
        if isinstance(expr, Call) and any(a.value is function for a in expr.args):
            words = [str(getattr(a.value, "value", "")).lower() for a in expr.args]
            words.append(getattr(expr.callee, "name", "").lower())
            return any(w in text for text in words for w in _SHUTDOWN_WORDS)
    return True


def rearms(trace: Trace, function: Function) -> list[Event]:
    """The events of a trace that enter `function` again: a timer that arms itself."""
    return [
        event
        for event in trace.events[1:]
        if event.kind is EventKind.ENTER
        and isinstance(event.callee, Closure)
        and event.callee.function is function
    ]


def branches_that_end(
    call: Call, node: Function, arming: tuple[str | None, ...] = ()
) -> frozenset[tuple[int, RegionKind]]:
    """The branches of `node` that exclude the call that arms its timer again: what runs there ends the timer.

    So works a debouncer: ``if (due()) { work(); return; } setTimeout(again, rest)``.
    """
    around = {f.name for f in (node, *functions_in(node)) if f.name is not None}
    around.update(name for name in arming if name is not None)
    ended = ending_branches(call, node.body, frozenset({*around, "setTimeout"}))
    return frozenset((id(statement), kind) for statement, kind, _branch in ended)
