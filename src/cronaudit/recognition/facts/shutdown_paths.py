"""The handlers of the end of the process: of signals, of a framework's end, of an app that a handler closes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.ir import Call, Function
from cronaudit.model.source import NOT_RUN, Location, Role
from cronaudit.model.trace import Event, EventKind, Trace
from cronaudit.model.value import Closure, Instance
from cronaudit.model.walking import contains, inside
from cronaudit.recognition.context import Service, once_a_service
from cronaudit.recognition.facts.elsewhere import service_sightings
from cronaudit.recognition.facts.stop_flags import flag_of, flags_set, waitings
from cronaudit.recognition.sightings import Sighting

_ENDING = frozenset(("SIGTERM", "beforeExit", "hook", "default"))
"""What a platform sends first; SIGINT is a key on a keyboard."""
_HOOKS = frozenset(("onModuleDestroy", "beforeApplicationShutdown", "onApplicationShutdown"))
"""Methods that a framework calls at the end; it calls them at SIGTERM where it is told to handle signals."""
_OTHER_ROLES = NOT_RUN | {Role.BROWSER}


class ShutdownPath(Struct, frozen=True, eq=False):
    """One handler of the end of the process."""

    signal: str
    """``SIGTERM``, ``SIGINT``, ``beforeExit``; ``hook`` for a method that the framework calls, ``default`` for a
    library that handles the signals by itself."""
    location: Location
    """Where it is registered; of a hook the method."""
    trace: Trace
    sightings: tuple[Sighting, ...]
    stops: tuple[Sighting, ...]
    """Timers cleared, schedulers and workers stopped."""
    exits: tuple[Sighting, ...]
    behind: int = -1
    """The call behind which the way out begins, in a walk that begins before the signal."""
    flag: Location | None = None
    """Where the flag is made that it sets."""

    @property
    def is_ending(self) -> bool:
        """Whether a platform that stops the process comes here."""
        return self.signal in _ENDING

    @property
    def functions(self) -> Iterator[tuple[Function, Event]]:
        """The functions that it enters."""
        for event in self.trace.events:
            if 0 < event.order <= self.behind:
                continue
            if event.kind is EventKind.ENTER and isinstance(event.callee, Closure):
                yield event.callee.function, event


@once_a_service
def shutdown_paths(service: Service) -> tuple[ShutdownPath, ...]:
    """Every handler of the end of the process, by place."""
    signals = list(_signals(service))
    paths = [*signals, *_hooks(service, signals), *_closing(service, signals)]
    return tuple(sorted(paths, key=lambda p: (p.location, p.signal)))


def _signals(service: Service) -> Iterator[ShutdownPath]:
    stopping = service_sightings(service, "scheduler.stop")
    for sighting in service_sightings(service, "signal.on"):
        if sighting.description.word("default") is True:
            stops = tuple(s for s in stopping if s.event.call is sighting.event.call)
            yield ShutdownPath("default", sighting.location, Trace(), (), stops, ())
            continue
        handler = sighting.param("handler")
        signal = sighting.text("signal")
        # A library that handles several signals names them in one text.
        name = "SIGTERM" if signal is None or "SIGTERM" in signal else signal
        flags = [flag for flag in (flag_of(handler, service),) if flag is not None]
        if isinstance(handler, Closure):
            path = _path(name, sighting.location, handler, service)
            flags = list(flags_set(path.sightings))
            yield path
        for flag in flags:
            yield from _behind(name, sighting.location, flag, service)


def _behind(signal: str, location: Location, flag: Location, service: Service) -> Iterator[ShutdownPath]:
    """What is done when a flag is set that the handler sets; that it is set is all that a loop asks for."""
    yield ShutdownPath(signal, location, Trace(), (), (), (), flag=flag)
    for waiting in waitings(flag, service):
        events = tuple(e for e in waiting.trace.events if e.order > waiting.order)
        sightings = service.reader.read(events)
        yield ShutdownPath(
            signal,
            location,
            waiting.trace,
            sightings,
            _stops(sightings),
            _exits(sightings),
            waiting.order,
            flag,
        )


def _closing(service: Service, signals: list[ShutdownPath]) -> Iterator[ShutdownPath]:
    """What an app does when it is closed, where a handler of a signal closes it."""
    for path in signals:
        if not any(s.description.word("runs") == "handlers" for s in _closed_apps(path)):
            continue
        for handed in service_sightings(service, "app.on_close"):
            handler = handed.param("handler")
            if isinstance(handler, Closure):
                yield _path(path.signal, path.location, handler, service)


def _closed_apps(path: ShutdownPath) -> Iterator[Sighting]:
    """The apps that it closes, unless it leaves the process while they are still closing."""
    for close in path.sightings:
        if close.effect == "app.close" and (
            close.event.awaited
            or is_chained(close.event)
            or all(e.event.order < close.event.order or _is_after(e.event, close.event) for e in path.exits)
        ):
            yield close


def _is_after(event: Event, call: Event) -> bool:
    """Whether an event stands in a function that was handed to a call: ``app.close(() => process.exit(0))``."""
    return any(region.node is call.call for region in event.regions())


def _hooks(service: Service, signals: list[ShutdownPath]) -> Iterator[ShutdownPath]:
    """Methods of classes that the framework calls, where it handles signals at all or a handler closes the app."""
    closes = any(
        s.description.word("runs") == "methods" for p in signals if p.is_ending for s in _closed_apps(p)
    )
    if not closes and not any(
        s.description.word("default") is True for s in service_sightings(service, "signal.on")
    ):
        return
    paths = {m.path for m in service.linker.parsed()} | set(
        service.hits.files_with(*(name.encode() for name in sorted(_HOOKS)))
    )
    for path in sorted(paths):
        if service.tree.role_of(path) in _OTHER_ROLES:
            continue
        module = service.linker.module(path)
        if module is None:
            continue
        for cls in service.linker.classes(module):
            for name in sorted(_HOOKS):
                method = cls.method(name)
                if method is not None and not method.is_abstract:
                    of = service.linker.class_value(cls)
                    closure = Closure(method, of.scope, Instance(of, None))
                    yield _path("hook", method.location, closure, service)


def _path(signal: str, location: Location, handler: Closure, service: Service) -> ShutdownPath:
    trace = service.linker.walk(handler)
    sightings = service.reader.read(trace)
    return ShutdownPath(signal, location, trace, sightings, _stops(sightings), _exits(sightings))


def _stops(sightings: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    return tuple(s for s in sightings if s.effect in ("timer.clear", "scheduler.stop", "worker.close"))


def _exits(sightings: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    return tuple(s for s in sightings if s.effect == "process.exit")


def is_chained(event: Event) -> bool:
    """Whether something follows on the promise of a call: ``worker.close().then(() => process.exit(0))``."""
    statement = event.statement
    value = getattr(statement, "value", None)
    return value is not None and any(
        isinstance(e, Call)
        and getattr(e.callee, "name", "") in ("then", "finally")
        and contains(e.callee, event.call)
        for e in inside(value)
    )
