"""What a function of the project does at each of its calls.

A walk enters a function once; a helper that is called three times (``ping('/start')``, ``ping('')``, ``ping('/fail')``)
leaves one sighting. Here that sighting is read again with the arguments and the surroundings of the other calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.model.ir import Call, Function
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Region, Trace
from cronaudit.model.value import Arguments, Choice, Closure, External, Scope
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.sightings import Sighting

_LEVELS: Final = 3
"""How far out the other calls of the functions around a sighting are looked for."""
_MOST: Final = 40


class Frame(Struct, frozen=True):
    """A function around an event, and the call that went into it."""

    call: Event
    closure: Closure
    entered: Event


class Occurrence(Struct, frozen=True):
    """A sighting with the calls that lead to it."""

    sighting: Sighting
    calls: tuple[Event, ...]
    """The calls of project functions that lead to it, inner first; not those of the trigger."""

    def place_in(self, path: tuple[str, ...]) -> Location:
        """The call that stands in a function on `path` (that to the work); the sighting itself where none does."""
        for event in self.calls:
            if path[: len(event.path)] == event.path:
                return event.location
        return self.sighting.location


def frames(trace: Trace, event: Event) -> Iterator[Frame]:
    """The functions around an event, inner first."""
    current = event
    for _ in range(_LEVELS * 2):
        entered = _entered_at(trace, current)
        if entered is None or not isinstance(entered.callee, Closure):
            return
        call = _call_into(trace, entered)
        if call is None:
            return
        yield Frame(call, entered.callee, entered)
        current = call


def _entered_at(trace: Trace, event: Event) -> Event | None:
    for candidate in reversed(trace.events[: event.order]):
        callee = candidate.callee
        if candidate.kind is not EventKind.ENTER or not isinstance(callee, Closure):
            continue
        if (*candidate.path, callee.function.symbol) == event.path:
            return candidate
    return None


def _call_into(trace: Trace, entered: Event) -> Event | None:
    """The call whose function is entered; None where it is a callback that others call."""
    assert isinstance(entered.callee, Closure)  # noqa: S101 - the caller has looked
    for candidate in reversed(trace.events[: entered.order]):
        if candidate.kind is not EventKind.CALL or candidate.path != entered.path:
            continue
        if _goes_to(candidate, entered.callee.function) is not None:
            return candidate
    return None


def _goes_to(event: Event, function: Function) -> Closure | None:
    options = event.callee.options if isinstance(event.callee, Choice) else (event.callee,)
    return next((o for o in options if isinstance(o, Closure) and o.function is function), None)


@once
def _calls(context: JobContext) -> dict[int, list[tuple[Event, Closure]]]:
    """By the identity of a function its calls, with the closure that each of them calls."""
    found: dict[int, list[tuple[Event, Closure]]] = {}
    for event in context.trace.events:
        if event.kind is not EventKind.CALL or event.call is None:
            continue
        options = event.callee.options if isinstance(event.callee, Choice) else (event.callee,)
        closures = {id(o.function): o for o in reversed(options) if isinstance(o, Closure)}
        for function, closure in closures.items():
            found.setdefault(function, []).append((event, closure))
    return found


def occurrences(context: JobContext, *effects: str) -> tuple[Occurrence, ...]:
    """The sightings of these effects at every call that leads to them."""
    trace = context.trace
    found: list[Occurrence] = []
    for sighting in context.seen(*effects):
        around = tuple(frames(trace, sighting.event))
        found.append(Occurrence(sighting, tuple(f.call for f in around)))
        for depth, frame in enumerate(around[:_LEVELS]):
            for other, closure in _calls(context).get(id(frame.closure.function), ()):
                if other is frame.call or len(found) > _MOST:
                    continue
                calls = tuple(f.call for f in around[:depth])
                again = _again(sighting, other, closure, frame, calls[::-1], context.linker)
                outer = tuple(f.call for f in frames(trace, other))
                found.append(Occurrence(again, (*calls, other, *outer)))
    return tuple(sorted(found, key=lambda o: o.sighting.event.order))


def _again(
    sighting: Sighting, other: Event, closure: Closure, frame: Frame, inner: tuple[Event, ...], linker: Linker
) -> Sighting:
    assert other.call is not None  # noqa: S101 - the caller has looked
    scope = bound(closure, linker.arguments(other.call, other.scope), linker)
    for call in inner:
        callee = call.callee
        if isinstance(callee, Closure) and call.call is not None:
            scope = bound(callee, linker.arguments(call.call, scope), linker)
    event = replace(
        sighting.event,
        order=other.order,
        scope=scope,
        region=_moved(sighting.event.region, frame.entered.region, other.region),
        path=(*other.path, *sighting.event.path[len(frame.call.path) :]),
    )
    return Sighting(sighting.effect, sighting.description, event, _view(sighting, scope, linker), linker)


def _view(sighting: Sighting, scope: Scope, linker: Linker) -> External:
    call = sighting.event.call
    if not isinstance(call, Call):
        return sighting.view
    args = linker.arguments(call, scope)
    callee = linker.fold(call.callee, scope)
    receiver = callee.receiver if isinstance(callee, External) else sighting.view.receiver
    return External(sighting.view.path, args, sighting.view.at, receiver, call)


def bound(closure: Closure, args: Arguments, linker: Linker) -> Scope:
    """The scope of a function under a call: plain parameters only; what is not handed in stays open."""
    scope = Scope(closure.function, closure.scope, {}, closure.this)
    rest = [*closure.bound, *args.positional]
    for param in closure.function.params:
        name = param.name
        value = None
        if name is not None and name in args.named:
            value = args.named[name]
        elif rest and not param.rest:
            value = rest.pop(0)
        if name is not None and value is not None:
            scope.values[name] = linker.force(value)
    return scope


def _moved(region: Region | None, old: Region | None, new: Region | None) -> Region | None:
    """The regions inside the function, with those around the other call outside."""
    inner: list[Region] = []
    current = region
    while current is not None and current is not old:
        inner.append(current)
        current = current.parent
    moved = new
    for one in reversed(inner):
        moved = Region(one.kind, one.node, moved, one.info)
    return moved
