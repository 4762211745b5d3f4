"""What a run only says: the work of a logger of the project's own."""

from __future__ import annotations

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Assign, Call, Do, Function, Member, Name, Stmt, This
from cronaudit.model.trace import EventKind, Trace
from cronaudit.model.value import Closure
from cronaudit.model.walking import calls_in, inside, statements

_LOGGER = lazy_regex(
    r"(^|/)(log|logs|logger|logging)(\.service|/index)?\.[cm]?[jt]s$|(^|/)(log|logger|logging)\.py$"
)
LEVELS = frozenset(
    ("log", "trace", "debug", "verbose", "info", "notice", "warn", "warning", "error", "fatal")
)


_RECEIVER = lazy_regex(r"(?i)^(console|winston|_*log(s|ger|ging)?|\w*logger)$")


def says(statement: Stmt) -> bool:
    """Whether a statement only writes a line of a log, told by the names: ``logger.info('starting')``."""
    call = statement.value if isinstance(statement, Do) else None
    if not isinstance(call, Call) or not isinstance(call.callee, Member) or call.callee.name not in LEVELS:
        return False
    receiver = call.callee.object
    if isinstance(receiver, Member) and not isinstance(receiver.object, This | Name):
        return False
    return isinstance(receiver, Name | Member) and _RECEIVER.match(receiver.name) is not None


def inside_logger(trace: Trace) -> frozenset[int]:
    """What a logger of the project's own does, whose file is its work: saying that nothing was done is no job."""
    found: set[int] = set()
    depth: int | None = None
    for event in trace.events:
        if depth is not None and len(event.path) <= depth:
            depth = None
        if depth is not None:
            found.add(event.order)
        elif event.kind is EventKind.ENTER and isinstance(event.callee, Closure):
            function = event.callee.function
            if (function.name in LEVELS and _LOGGER.search(function.module.path)) or _narrates(function):
                depth = len(event.path)
    return frozenset(found)


_STREAMS = ("stdout", "stderr")
_PASSES_ON = lazy_regex(r"(?i)write|append|log|print|feed|emit")


def _narrates(function: Function) -> bool:
    """Whether a function only says the text that it is handed: to the terminal, and to whatever else keeps texts.

    ``const tell = (line) => { appendFileSync(file, line); process.stdout.write(line); };``
    """
    first = function.params[0].name if function.params else None
    if first is None or function.is_async:
        return False
    texts = {first}
    for statement in statements(function.body):
        target = statement.target if isinstance(statement, Assign) else None
        value = statement.value if isinstance(statement, Assign) else None
        words = [] if value is None else [e.name for e in inside(value) if isinstance(e, Name)]
        if isinstance(target, Name) and texts.intersection(words):
            texts.add(target.name)
    told = [
        call.callee
        for call in calls_in(function)
        if any(isinstance(e, Name) and e.name in texts for a in call.args for e in inside(a.value))
    ]
    streams = (c.object for c in told if isinstance(c, Member) and c.name == "write")
    return any(getattr(one, "name", "") in _STREAMS for one in streams) and all(
        _PASSES_ON.search(getattr(c, "name", "")) for c in told
    )
