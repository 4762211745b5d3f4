"""What the end of the process does to a job: what stops it, what waits for it (the handlers are `shutdown_paths`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from cronaudit.model.ir import Assign, Await, Call, Function, Loop, LoopKind, Module
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind, Trace
from cronaudit.model.value import Closure, External
from cronaudit.model.walking import contains, expressions, inside, statements
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.facts.elsewhere import process_files
from cronaudit.recognition.facts.frames import Frames
from cronaudit.recognition.facts.holds import Held, awaited, executions, flags, holder_of
from cronaudit.recognition.facts.shutdown_paths import ShutdownPath, is_chained, shutdown_paths
from cronaudit.recognition.facts.stop_flags import ends_loop
from cronaudit.recognition.sightings import Sighting


class JobEnd(Struct, frozen=True):
    """What the shutdown of the service does to one job."""

    how: Literal["awaited", "stopped", "apart", "none"]
    """Its running execution is waited for; only its timer or schedule ends; there are handlers, but it is no part of
    them; there is no handler that does anything."""
    location: Location | None
    """The place that waits or stops."""
    function: Location | None
    """The function that it stands in."""
    signal: Location | None
    """Where the handler is registered."""
    detail: str = ""


# ---- one job ----------------------------------------------------------------------------------------------------


def end_of(context: JobContext) -> JobEnd:
    """What the paths do to a job; the best of them counts, for one handler may call what another leaves out."""
    paths = [p for p in shutdown_paths(context.service) if p.is_ending and not _is_elsewhere(context, p)]
    ends = [_end_on(context, path) for path in paths]
    for how in ("awaited", "stopped", "apart"):
        found = next((e for e in ends if e.how == how), None)
        if found is not None:
            return found
    return JobEnd("none", None, None, None, "No handler of SIGTERM that does anything")


def _is_elsewhere(context: JobContext, path: ShutdownPath) -> bool:
    """Whether only processes that do not run the job handle the signal there."""
    file = path.location.path
    if not context.entries or file in process_files(context):
        return False
    starts = {e.path for e in context.service.deployment.entry_points} - set(context.entries)
    return any(file in context.linker.reached(start) for start in sorted(starts))


def _closes(event: Event) -> bool:
    """``server.close(…)``: something is brought to an end, whatever it is."""
    name = getattr(event.call.callee, "name", "") if event.call is not None else ""
    return event.kind is EventKind.CALL and name in (
        "close",
        "end",
        "destroy",
        "disconnect",
        "drain",
        "shutdown",
        "stop",
        "quit",
        "dispose",
    )


def _end_on(context: JobContext, path: ShutdownPath) -> JobEnd:
    pause = ends_loop(path.flag, context) if path.flag is not None else None
    if pause is not None:
        return JobEnd("awaited", pause, None, path.location, "The loop ends behind the run in progress")
    waited = _waits_for_execution(context, path) or _waits_for_worker(context, path)
    if waited is not None:
        return waited
    stopped = next((s for s in path.stops if stops_job(s, context)), None)
    if stopped is not None:
        where = _function_of(stopped.event, path)
        return JobEnd(
            "stopped",
            stopped.location,
            where,
            path.location,
            "The schedule stops, running work is not awaited",
        )
    does = any(s.effect not in ("log", "process.exit", "log.base") for s in path.sightings)
    if path.signal != "default" and (does or any(_closes(e) for e in path.trace.events)):
        return JobEnd("apart", path.location, None, path.location, "Handled, but the job is no part of it")
    return JobEnd("none", None, None, path.location, "The handler only logs and exits")


@once
def held_executions(context: JobContext) -> tuple[Held, ...]:
    """Executions of the job that are held while they run."""
    linker = context.linker
    frames = Frames(context.trace.events)
    found: list[Held] = []
    for function, event in _entered(context.trace):
        found += [
            h
            for h in executions(function, event.scope, linker)
            if h.value is not None and _leads_to_work(h.value, event, context, frames)
        ]
    return tuple(found)


@once
def running_flags(context: JobContext) -> tuple[Held, ...]:
    """Flags that the job raises while it runs."""
    return tuple(
        f for function, event in _entered(context.trace) for f in flags(function, event.scope, context.linker)
    )


def _entered(trace: Trace) -> Iterator[tuple[Function, Event]]:
    for event in trace.events:
        if event.kind is EventKind.ENTER and isinstance(event.callee, Closure):
            yield event.callee.function, event


def _leads_to_work(call: object, entered: Event, context: JobContext, frames: Frames) -> bool:
    """Whether the held call is the one that does the work: it goes into a function of the project that calls more."""
    assert isinstance(call, Call)  # noqa: S101 - only calls are held
    callee = context.linker.fold(call.callee, entered.scope)
    if isinstance(callee, External):
        effects = context.service.matcher.effects(callee.path)
        return any(e.effect == "run.current" for e in effects)
    if not isinstance(callee, Closure):
        return False
    frame = frames.first(callee.function)
    if frame is None or frame.enter is None:
        return False
    depth = len(frame.enter.path)
    handler = context.handler
    for event in context.trace.events[frame.enter.order :]:
        if event.order > frame.enter.order and len(event.path) <= depth:
            return False
        entered_function = event.callee.function if isinstance(event.callee, Closure) else None
        if (
            isinstance(handler, Closure)
            and event.kind is EventKind.ENTER
            and entered_function is handler.function
        ):
            return True
        if event.kind is EventKind.CALL and event.awaited:
            return True
    return False


def _waits_for_execution(context: JobContext, path: ShutdownPath) -> JobEnd | None:
    held = [*held_executions(context)]
    raised = [*running_flags(context)]
    if not held and not raised:
        return None
    linker = context.linker
    for function, event in path.functions:
        for expr, line in awaited(function):
            holder = holder_of(expr, event.scope, linker)
            if holder is not None and any(holder.same(h.holder) for h in held):
                at = Location(function.module.path, line)
                return JobEnd(
                    "awaited", at, function.location, path.location, f"{holder.name} awaited at shutdown"
                )
        for statement in statements(function.body):
            if not isinstance(statement, Loop) or statement.kind not in (LoopKind.WHILE, LoopKind.DO):
                continue
            waits = any(isinstance(e, Await) for e in expressions(statement.body))
            for expr in inside(statement.test) if statement.test is not None and waits else ():
                holder = holder_of(expr, event.scope, linker)
                if holder is not None and any(holder.same(h.holder) for h in (*held, *raised)):
                    at = Location(function.module.path, statement.line)
                    return JobEnd(
                        "awaited", at, function.location, path.location, f"Waits until {holder.name} is over"
                    )
    return None


def _waits_for_worker(context: JobContext, path: ShutdownPath) -> JobEnd | None:
    """``await worker.close()``: the library waits for the runs in progress."""
    for stop in path.stops:
        if stop.description.word("awaits") is not True or not stops_job(stop, context):
            continue
        exits_after = any(e.event.order > stop.event.order for e in path.exits)
        if exits_after and not stop.event.awaited and not is_chained(stop.event):
            continue
        name = getattr(getattr(stop.event.call, "callee", None), "name", "close")
        detail = f"{name}() waits for running jobs"
        return JobEnd("awaited", stop.location, _function_of(stop.event, path), path.location, detail)
    return None


def stops_job(stop: Sighting, context: JobContext) -> bool:
    """Whether what is stopped is the timer, scheduler or worker of a job."""
    registration = context.registration
    if stop.effect == "timer.clear":
        return _clears_timer(stop, context)
    made = stop.view.receiver.at if stop.view.receiver is not None else None
    places = [registration.site]
    if registration.consumer is not None:
        places.append(registration.consumer.location)
    receiver = registration.call.receiver
    if receiver is not None and receiver.at is not None:
        places.append(receiver.at)
    if made is not None and any(made.path == p.path and made.line == p.line for p in places):
        return True
    libraries = {getattr(registration.scheduler, "library", None)}
    if registration.consumer is not None:
        libraries.add(registration.consumer.consumer.library)
    if stop.library not in libraries:
        return False
    if stop.description.word("all") is True:
        return True
    # A function of the library that stops all of its jobs has no receiver; one made elsewhere is another's.
    return made is None


def _clears_timer(stop: Sighting, context: JobContext) -> bool:
    registration = context.registration
    call = registration.call.call
    cleared = stop.event.call
    if call is None or cleared is None or not cleared.args:
        return False
    node: Function | Module = registration.node
    linker = context.linker
    target = next(
        (
            s.target
            for s in statements(node.body)
            if isinstance(s, Assign) and s.value is not None and contains(s.value, call)
        ),
        None,
    )
    if target is None:
        return False
    kept = holder_of(target, linker.scope_of(node), linker)
    freed = holder_of(cleared.args[0].value, stop.event.scope, linker)
    return kept is not None and freed is not None and kept.same(freed)


def _function_of(event: Event, path: ShutdownPath) -> Location | None:
    frame = Frames(path.trace.events).of(event)
    return frame.function.location if frame.function is not None else None
