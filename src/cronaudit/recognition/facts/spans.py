"""The trace of a job by spans: which events a call brings about, what of them is the work, what was written where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Expr, Function, With
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind
from cronaudit.model.value import Choice, Closure, Env, Known, Scope
from cronaudit.model.walking import inside
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.sightings import Sighting, text_of
from cronaudit.recognition.template_methods import given_work

_CHANGING = frozenset((
    "db.insert", "db.upsert", "db.update", "db.delete", "payment.mutate", "mail.send", "queue.enqueue", "file.write",
    "process.spawn", "thread.spawn",
))  # fmt: skip
_READING = frozenset(
    ("db.read", "db.read_one", "db.stream", "db.query", "file.read", "http.request", "queue.consume")
)
_AROUND = ("lock.", "leader.", "monitor.", "alert.", "tracker.", "metric.", "log", "timer.", "id.", "host.")
"""What wraps the work is no part of it."""
_CHANGING_SQL = lazy_regex(
    r"\s*(?:with\b.*?\b)?(insert|update|delete|merge|replace|call|truncate)\b", re.IGNORECASE | re.DOTALL
)
_CHANGING_METHODS = frozenset(("POST", "PUT", "PATCH", "DELETE"))
_LANGUAGE = ("global:", "builtins.", "node:", "util:", "timers")
_NAMED = lazy_regex(r"([\w$]+)[\"']?\??\s*[:=]\s*([^,;{}#]+)")


class Block(Struct, frozen=True):
    """One ``with`` block."""

    node: With
    region: Region
    first: Event
    """What happens first inside it."""
    orders: frozenset[int]
    """The orders of all that happens inside it."""


class Spans:
    """The events of a trace with what each of them brings about."""

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.events = context.trace.events
        self._calls: dict[tuple[int, int], Event] = {}
        self._enters: dict[int, list[Event]] = {}
        self._of_scope: dict[int, list[Event]] = {}
        """By the identity of a scope, the beginnings of the function that it is of."""
        self._ends: dict[int, int] = {}
        self._blocks: tuple[Block, ...] | None = None
        self._passed: dict[int, list[Event]] = {}
        """By the identity of a call, the beginnings of the functions that were passed to it."""
        for event in self.events:
            if event.kind is EventKind.CALL and event.call is not None and not event.passed:
                self._calls.setdefault((id(event.call), id(event.scope)), event)
            if event.kind is EventKind.ENTER:
                self._of_scope.setdefault(id(event.scope), []).append(event)
            if event.kind is EventKind.ENTER and isinstance(event.callee, Closure):
                self._enters.setdefault(id(event.callee.function), []).append(event)
                region = event.region
                if region is not None and region.kind is RegionKind.CALLBACK and region.info is not None:
                    self._passed.setdefault(id(region.info), []).append(event)

    def call_at(self, call: Call, scope: Scope) -> Event | None:
        """The event of a call in a scope that the walk entered."""
        return self._calls.get((id(call), id(scope)))

    def entered(self, event: Event) -> Event | None:
        """Where the function that a call names begins: entered by this call, or by an earlier one like it."""
        if not isinstance(event.callee, Closure):
            return None
        function = event.callee.function
        following = self.events[event.order + 1] if event.order + 1 < len(self.events) else None
        if following is not None and _enters(following, function):
            return following
        return next(iter(self._enters.get(id(function), ())), None)

    def callbacks(self, event: Event) -> tuple[Event, ...]:
        """The functions passed to a call that the walk entered on its behalf."""
        return tuple(e for e in self._passed.get(id(event), ()) if e.order < self._end_of(event))

    def blocks(self) -> tuple[Block, ...]:
        """The ``with`` blocks of the walk, in its order, with what lies inside them."""
        if self._blocks is None:
            nodes: dict[int, tuple[With, Region, Event, set[int]]] = {}
            for event in self.events:
                for region in event.regions():
                    if region.kind is RegionKind.WITH and isinstance(region.node, With):
                        found = nodes.setdefault(id(region.node), (region.node, region, event, set()))
                        found[3].add(event.order)
            self._blocks = tuple(Block(n, r, e, frozenset(orders)) for n, r, e, orders in nodes.values())
        return self._blocks

    def callers(self, enter: Event) -> tuple[Event, ...]:
        """The calls of an entered function."""
        callee = enter.callee
        if not isinstance(callee, Closure):
            return ()
        return tuple(
            e
            for e in self.events
            if e.kind is EventKind.CALL
            and isinstance(e.callee, Closure)
            and e.callee.function is callee.function
            and self.entered(e) is enter
        )

    def span(self, event: Event) -> tuple[Event, ...]:
        """What follows from an event: of a call what it enters, of an entered function its body."""
        return self.events[event.order + 1 : self._end_of(event)]

    def _end_of(self, event: Event) -> int:
        end = self._ends.get(event.order)
        if end is None:
            end = event.order + 1
            depth = len(event.path)
            while end < len(self.events) and self._belongs(self.events[end], event, depth):
                end += 1
            self._ends[event.order] = end
        return end

    @staticmethod
    def _belongs(other: Event, event: Event, depth: int) -> bool:
        if len(other.path) > depth:
            return True
        return (
            event.kind is EventKind.CALL
            and other.kind is EventKind.ENTER
            and len(other.path) == depth
            and not _starts_chain(other, event)
        )

    def brings_about(self, event: Event) -> frozenset[int]:
        """The orders of all that a call brings about: its own span, and that of a function entered earlier."""
        found = {event.order, *(e.order for e in self.span(event))}
        enter = self.entered(event)
        if enter is not None:
            found.update(e.order for e in self.span(enter))
        return frozenset(found)

    def of_expression(self, expr: Expr, scope: Scope) -> frozenset[int]:
        """The orders of all that evaluating an expression brings about."""
        found: set[int] = set()
        for inner in inside(expr):
            if isinstance(inner, Call):
                event = self.call_at(inner, scope)
                if event is not None:
                    found |= self.brings_about(event)
            elif isinstance(inner, Function):
                for enter in self._enters.get(id(inner), ()):
                    found.update(e.order for e in self.span(enter))
        return frozenset(found)

    def is_alternative(self, event: Event) -> bool:
        """Whether an event lies in something that the code only chooses in place of its default."""
        enter = self.enter_of(event)
        while enter is not None:
            callee = enter.callee
            before = next((e for e in reversed(self.events[: enter.order]) if e.path == enter.path), None)
            if before is not None and before.kind is EventKind.ENTER:
                before = next(
                    (
                        e
                        for e in reversed(self.events[: enter.order])
                        if e.path == enter.path and e.call is not None
                    ),
                    None,
                )
            chosen = before.callee if before is not None else None
            if isinstance(chosen, Choice) and isinstance(callee, Closure):
                functions = [o.function for o in chosen.options if isinstance(o, Closure)]
                if callee.function in functions[1:]:
                    return True
            enter = self.enter_of(before) if before is not None else None
        return False

    def enter_of(self, event: Event) -> Event | None:
        """The beginning of the function that an event stands in."""
        entered = self._of_scope.get(id(event.scope), ())
        return next((e for e in reversed(entered) if e.order < event.order), None)

    def enter_of_function(self, function: Function) -> Event | None:
        """Where the walk first entered a function."""
        return next(iter(self._enters.get(id(function), ())), None)

    def functions(self) -> Iterator[Event]:
        """The beginnings of all functions of the walk."""
        return (e for e in self.events if e.kind is EventKind.ENTER)


@once
def spans_of(context: JobContext) -> Spans:
    """The spans of a job's trace."""
    return Spans(context)


def _enters(event: Event, function: Function) -> bool:
    return (
        event.kind is EventKind.ENTER
        and isinstance(event.callee, Closure)
        and event.callee.function is function
    )


def _starts_chain(other: Event, event: Event) -> bool:
    """Whether an entered function is a later link of a promise chain, not something that `event` calls."""
    if other.region is event.region or (other.region is not None and other.region.info is event):
        return False
    return other.region is not None and other.region.kind in (RegionKind.CATCH, RegionKind.FINALLY)


# ---- the work --------------------------------------------------------------------------------------------------


@once
def work_of(context: JobContext) -> tuple[Event, ...]:
    """The events that are the job's work: what it changes, else what it reads, else what it calls outside the tree."""
    usable = _usable(context)
    changing = _distinct(s.event for s in usable if is_changing(s))
    if changing:
        return changing
    reading = _distinct(s.event for s in usable if s.effect in _READING)
    if reading:
        return reading
    known = {s.event.order for s in context.sightings}
    return tuple(
        e
        for e in context.trace.events
        if e.kind is EventKind.CALL
        and e.order not in known
        and e.external is not None
        and not e.external.startswith(_LANGUAGE)
    )


def _usable(context: JobContext) -> list[Sighting]:
    """What the run does to the world, without what stands around it."""
    around = {s.event.order for s in context.sightings if s.effect.startswith(_AROUND)}
    return [s for s in context.sightings if s.event.order not in around and not _is_signal(s, context)]


def _is_signal(sighting: Sighting, context: JobContext) -> bool:
    """Whether a request only tells a monitor or people about the run."""
    if sighting.effect != "http.request":
        return False
    url = sighting.param("url")
    matcher = context.service.matcher
    if isinstance(url, Env):
        return matcher.host_of_variable(url.name) is not None
    text = text_of(url)
    return text is not None and matcher.host(text) is not None


def is_changing(sighting: Sighting) -> bool:
    """Whether a call changes something outside the process."""
    if sighting.effect in _CHANGING:
        return True
    if sighting.effect == "db.query":
        sql = sighting.text("sql")
        return sql is not None and _CHANGING_SQL.match(sql) is not None
    if sighting.effect == "http.request":
        method = sighting.text("method") or sighting.description.word("verb")
        return method is not None and str(method).upper() in _CHANGING_METHODS
    return False


def _distinct(events: Iterable[Event]) -> tuple[Event, ...]:
    found = {e.order: e for e in events}
    return tuple(found[o] for o in sorted(found))


def core_of(context: JobContext, spans: Spans) -> Event | None:
    """Where the method begins that the job's own class gives to the base class that runs it.

    Where decorators of the project are around the handler, or a scheduler of its own, the handler itself.
    """
    handler = context.handler
    if not isinstance(handler, Closure):
        return None
    engine = context.registration.engine
    if engine is not None and context.registration.handler is not engine.handler:
        return next((e for e in spans.functions() if _is_entry(e, handler) and e.order > 0), None)
    if handler.function.decorators:
        entries = [e for e in spans.functions() if _is_entry(e, handler)]
        if entries and entries[0].order > 0:
            # ``@retry(…)`` between the project's decorator and the function enters it once more, inside of itself.
            inner = [e for e in entries if e.path[: len(entries[0].path)] == entries[0].path]
            return inner[-1]
    own = getattr(getattr(handler.this, "of", None), "cls", None)
    if own is None or handler.function.owner is own:
        return None
    return given_work(own, spans.functions())


def _is_entry(event: Event, of: Closure) -> bool:
    return isinstance(event.callee, Closure) and event.callee.function is of.function


def covers_work(covered: frozenset[int], context: JobContext, spans: Spans) -> bool:
    """Whether the events `covered` hold all of the work, or the method that the job's own class gives."""
    core = core_of(context, spans)
    if core is not None and core.order in covered:
        return True
    work = work_of(context)
    return bool(work) and all(e.order in covered for e in work)


def covers_run(covered: frozenset[int], context: JobContext, spans: Spans) -> bool:
    """Whether the events `covered` hold the work and what it reads: a failed query before them is a failed run, too."""
    core = core_of(context, spans)
    if core is not None and core.order in covered:
        return True
    read = (s.event for s in _usable(context) if s.effect in _READING)
    return covers_work(covered, context, spans) and all(e.order in covered for e in read)


# ---- as written ------------------------------------------------------------------------------------------------


def named_at(
    linker: Linker, at: Location | None, hint: re.Pattern[str], value: object = None
) -> tuple[str, str] | None:
    """The name and value of an option or constant as written on the line where a value is stated.

    Where the line states several that the hint fits, the one of `value`.
    """
    if at is None:
        return None
    try:
        lines = linker.source(at.path).decode("utf-8", "replace").splitlines()
    except (KeyError, OSError):
        return None
    if not 0 < at.line <= len(lines):
        return None
    code = re.sub(r"\s(//|#).*$", "", lines[at.line - 1])
    found = [(m[1], _balanced(m[2].strip())) for m in _NAMED.finditer(code)]
    hinted = [pair for pair in found if hint.search(pair[0])]
    number = number_of(value)
    exact = [pair for pair in hinted if number is not None and _is_number(pair[1], number)]
    return next(iter(exact or hinted), None)


def _balanced(text: str) -> str:
    """``300)`` at the end of a call is 300."""
    while text.endswith(")") and text.count(")") > text.count("("):
        text = text[:-1].rstrip()
    return text


def _is_number(text: str, number: float) -> bool:
    match = re.match(r"[\d_.]*\d", text)
    return match is not None and float(match[0].replace("_", "")) == number


def written(linker: Linker, at: Location | None, hint: re.Pattern[str], value: object = None) -> str:
    """``timeoutMs: 600000``: the place where a value is stated, as written; empty where it has no name there."""
    pair = named_at(linker, at, hint, value)
    return "" if pair is None else f"{pair[0]}: {pair[1]}"


def number_of(value: object) -> float | None:
    """A folded number."""
    if (
        isinstance(value, Known)
        and isinstance(value.value, int | float)
        and not isinstance(value.value, bool)
    ):
        return float(value.value)
    return None


def place_of(value: object) -> Location | None:
    """Where a folded value is stated."""
    return getattr(value, "at", None)
