"""What the calls on a job's path mean: the trace, read with the knowledge base."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import expanded
from cronaudit.knowledge.selectors import select
from cronaudit.model.ir import Call, Member, Name
from cronaudit.model.knowledge import Effect
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, RegionKind, Trace
from cronaudit.model.value import (
    Builtin,
    Choice,
    Closure,
    External,
    Known,
    Symbol,
    Text,
    Unknown,
    Value,
)


class Sighting(Struct, eq=False):
    """One call on the path with one meaning."""

    effect: str
    """From the vocabulary in rules/effects.yaml: ``lock.acquire``, ``db.insert``, …"""
    description: Effect
    event: Event
    view: External
    """The call as selectors read it."""
    linker: Linker

    @property
    def location(self) -> Location:
        """Where the call stands."""
        return self.event.location

    @property
    def path(self) -> tuple[str, ...]:
        """The symbols from the trigger to here."""
        return self.event.path

    @property
    def library(self) -> str:
        """The id of the library that describes it."""
        return self.description.library

    def param(self, name: str) -> Value | None:
        """The first selector of a parameter that finds something."""
        found: Value | None = None
        for selector in self.description.param(name):
            value = select(selector, self.view, self.linker.force)
            if value is None or (isinstance(value, Known) and value.value is None):
                continue
            if not isinstance(value, Unknown):
                return value
            found = found or value
        return found

    def text(self, name: str) -> str | None:
        """A parameter as text; open parts are written ``${…}``."""
        return text_of(self.param(name))

    def seconds(self, name: str) -> float | None:
        """A parameter as a duration in seconds; None where it is not resolved or there is none."""
        for selector in self.description.param(name):
            value = select(selector, self.view, self.linker.force)
            seconds = seconds_of(value, selector.unit)
            if seconds is not None:
                return seconds
        return None


_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(value: Value | None, unit: str | None) -> float | None:
    """A folded duration in seconds; a value's own unit wins over the declared one."""
    if isinstance(value, Choice):
        return next((s for o in value.options if (s := seconds_of(o, unit)) is not None), None)
    if (
        not isinstance(value, Known)
        or isinstance(value.value, bool)
        or not isinstance(value.value, int | float)
    ):
        return None
    factor = _SECONDS.get(value.unit or unit or "")
    return None if factor is None else float(value.value) * factor


def text_of(value: Value | None) -> str | None:
    """A folded text; open parts are written ``${…}``."""
    if isinstance(value, Known):
        return None if value.value is None else str(value.value)
    if isinstance(value, Text):
        return "".join(p if isinstance(p, str) else "${…}" for p in value.parts)
    if isinstance(value, Choice):
        return next((t for o in value.options if (t := text_of(o)) is not None), None)
    return None


class Reader:
    """Reads traces."""

    def __init__(self, linker: Linker, matcher: Matcher) -> None:
        self._linker = linker
        self._matcher = matcher

    def read(self, trace: Trace | Iterable[Event]) -> tuple[Sighting, ...]:
        """All sightings of a trace, in its order."""
        events = trace.events if isinstance(trace, Trace) else trace
        return tuple(s for event in events if event.kind is EventKind.CALL for s in self.of(event))

    def of(self, event: Event) -> Iterator[Sighting]:
        """What one call means; a call may mean several things."""
        callee = event.callee
        call = event.call
        if call is None or callee is None:
            return
        options = callee.options if isinstance(callee, Choice) else (callee,)
        for option in options:
            if isinstance(option, External):
                view = External(
                    option.path,
                    self._linker.arguments(call, event.scope),
                    event.location,
                    option.receiver,
                    call,
                    of=option.of,
                )
                found = [e for e in self._matcher.effects(option.path) if self._holds(e, view)]
                if not found and not option.path.startswith(("global:", "builtins.")):
                    found = self._untyped(call, view)
            elif isinstance(option, Builtin) and isinstance(option.receiver, Closure):
                view, found = self._of_decorated(option.name, option.receiver, call, event)
            elif isinstance(option, Unknown | Symbol | Builtin):
                view = External("", self._linker.arguments(call, event.scope), event.location, None, call)
                found = self._untyped(call, view)
            else:
                continue
            for effect in found:
                yield Sighting(effect.effect, effect, event, view, self._linker)
            if found:
                return

    def _of_decorated(
        self, name: str, closure: Closure, call: Call, event: Event
    ) -> tuple[External, list[Effect]]:
        """A method that a function of the project has from its decorator: ``@shared_task``, then ``task.delay()``."""
        args = self._linker.arguments(call, event.scope)
        scope = self._linker.scope_of(closure.function.parent)
        for decorator in closure.function.decorators:
            made = decorator if isinstance(decorator, Call) else None
            value = self._linker.fold(made.callee if made is not None else decorator, scope)
            if not isinstance(value, External):
                continue
            stated = self._linker.arguments(made, scope) if made is not None else None
            task = External(f"{value.path}()", stated, value.at, value.receiver, made)
            view = External(f"{task.path}.{name}", args, event.location, task, call)
            found = [e for e in self._matcher.effects(view.path) if self._holds(e, view)]
            if found:
                return view, found
        return External("", args, event.location, None, call), []

    def _untyped(self, call: Call, view: External) -> list[Effect]:
        if not isinstance(call.callee, Member | Name):
            return []
        effects = self._matcher.untyped(call.callee.name)
        return [e for e in effects if _is_written_so(e, call.callee) and self._holds(e, view)]

    def _holds(self, effect: Effect, view: External) -> bool:
        return holds(effect.when, view, self._linker.force, self._linker.member) is True


def _is_written_so(effect: Effect, callee: Member | Name) -> bool:
    """Whether a call is written as an unresolved pattern asks: ``*.logger.error`` wants a receiver named ``logger``."""
    if not effect.call.startswith("*."):
        return True
    receiver = callee.object if isinstance(callee, Member) else None
    written = getattr(receiver, "name", "")
    wanted = {pattern.split(".")[-2] for pattern in expanded(effect.call)}
    return "*" in wanted or written in wanted


def is_error_path(region: Region | None) -> bool:
    """Whether code runs only after a failure: in a ``catch``, or in the error branch of a callback."""
    return region is not None and any(r.kind is RegionKind.CATCH for r in region.outward())
