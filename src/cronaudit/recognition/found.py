"""What discovery hands on: a place that arms a job, with everything stated there."""

from __future__ import annotations

from msgspec import Struct

from cronaudit.model.facts import Unresolved
from cronaudit.model.ir import Call, Function, Loop, Module, Scalar
from cronaudit.model.knowledge import Consumer, Scheduler
from cronaudit.model.linker import Bound
from cronaudit.model.schedule import Schedule
from cronaudit.model.source import Location
from cronaudit.model.value import Closure, External, Value


class Timing(Struct, eq=False):
    """A schedule as far as it could be folded."""

    schedule: Schedule
    at: Location | None
    """Where the expression or the interval is written."""
    open: Unresolved | None
    """Why it is not resolved; None where it is."""
    from_data: bool = False
    """It comes from user data at run time, not from the environment or a caller."""
    by_caller: bool = False
    """It comes from user data at run time or from a caller, so from no place of the tree that states it."""
    invalid: str = ""
    """Why the expression is no valid schedule."""
    is_builder: bool = False
    """A self-describing builder (``crontab(hour=2)``)."""
    default_of: str | None = None
    """The variable whose default it is."""


class ConsumerSite(Struct, eq=False):
    """A place where the work of a queue's jobs is defined."""

    consumer: Consumer
    call: External
    queue: Value | None
    name: Value | None
    handler: Closure | None
    location: Location


class Registration(Struct, eq=False):
    """One armed schedule."""

    kind: str
    call: External
    """The call with its arguments, folded in the bound scope."""
    node: Function | Module
    """Where the call stands."""
    bound: Bound
    site: Location
    timing: Timing
    scheduler: Scheduler | None = None
    """None for a timer or loop of the project's own."""
    timezone: Value | None = None
    name: str | None = None
    name_at: Location | None = None
    handler: Closure | Module | None = None
    handler_open: str = ""
    """Why the handler is not resolved."""
    consumer: ConsumerSite | None = None
    job_name: str | None = None
    """The name under which the consumer knows the job."""
    options: dict[str, Value] = {}
    traits: dict[str, Scalar] = {}
    passed: tuple[Value, ...] = ()
    """What the call that arms the job passes to the handler."""
    item: Location | None = None
    """The registry entry, call or class in which the job is stated."""
    alone: bool = True
    """Whether the armed call states this job only; else its callers and registries tell its jobs apart."""
    own: frozenset[Location] = frozenset()
    """The places of its chain through which no other job of that call comes; empty where it states this job only."""
    loop: Loop | None = None
    """Of a loop of the project's own: only what stands in it is the job's work."""
    mode: str | None = None
    """The option without which the loop goes round once."""
    engine: Registration | None = None
    """The timer that reads the registry, for a job of the project's own scheduler."""
    run_by: Call | None = None
    """The engine's call that runs the job, where no name tells it."""
    known_as: str | None = None
    """What it is called where nothing names it and what runs is not followed: the script of its command."""
    work: Closure | None = None
    """What does the job's own work, where `handler` only leads to it: the method that a queue's consumer picks by a
    name at run time, the function that a route wraps."""


def entry_of(
    engine: Registration,
    bound: Bound,
    handler: Closure | Module | None,
    named: tuple[str | None, Location | None],
    timing: Timing | None,
    run_by: Call | None = None,
) -> Registration:
    """The job that the last item of `bound` states for an engine; where it is armed, and how, is the engine's own."""
    name, name_at = named
    return Registration(
        kind="custom",
        call=engine.call,
        node=engine.node,
        bound=bound,
        site=engine.site,
        timing=timing or engine.timing,
        name=name,
        name_at=name_at,
        handler=handler,
        traits=dict(engine.traits),
        item=bound.items[-1].location,
        engine=engine,
        run_by=run_by,
    )


class Rejection(Struct, frozen=True):
    """A place that looked like a job, and why it is none; for ``explain FILE:LINE``."""

    location: Location
    what: str
    reason: str
    is_scheduled: bool = False
    """It does run by the clock, and was left out: the result tells of it."""
