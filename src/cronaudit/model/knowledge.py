"""What the files in rules/libraries say: which calls make a job, and what a call on a job's path means.

Paths are those of `model.value.External`: ``node-cron:schedule``, ``bullmq:Queue().upsertJobScheduler``,
``celery.schedules.crontab``. A pattern may hold ``**`` once, for any chain in between (``knex:()**.insert``), or
start with ``*.`` for a method of an object that cannot be resolved (``*.pg_try_advisory_lock``).
"""

from __future__ import annotations

from dataclasses import dataclass

from cronaudit.model.ir import Scalar


@dataclass(frozen=True, slots=True)
class Selector:
    """Where a value stands in a call, and in which unit.

    Written as a path: ``args[1].pattern``, ``kwargs.minutes``, ``receiver.args[0]`` (the arguments of the call that
    made the object), ``after(PX)`` (the positional argument behind the literal), ``decorated`` (the function or
    class under a decorator), ``self`` (the class that calls), ``const(value)``, ``text`` (the call's arguments joined,
    for SQL), ``result``.
    """

    root: str
    """``args``, ``kwargs``, ``receiver``, ``after``, ``decorated``, ``const``, ``class`` or ``path``."""
    index: int | str | None
    """Of the argument, the keyword, the literal of ``after``, the constant."""
    members: tuple[str, ...] = ()
    unit: str | None = None
    """``s``, ``ms``, ``min``, ``h``, ``d``; None: by the name that the value carries, else unknown."""
    text: str = ""
    """As written."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a description holds: a selector against literals."""

    select: Selector
    test: str
    """``is``, ``in``, ``has`` (a literal among the arguments or a key), ``missing``, ``present``, ``matches``."""
    values: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class SchedulePart:
    """One way in which a call states its schedule."""

    form: str
    """``cron``, ``every``, ``words`` (text that the library parses), ``date`` (one-shot: no job), ``fields`` (crontab
    fields by keyword), ``object`` (a value with its own folds)."""
    select: Selector
    dialect: str = "unix5"


@dataclass(frozen=True, slots=True)
class Consumer:
    """Where the work of a queue's jobs is defined."""

    call: str
    family: str
    """Links it to the schedulers of the same family."""
    queue: tuple[Selector, ...]
    name: tuple[Selector, ...]
    handler: tuple[Selector, ...]
    options: tuple[tuple[str, tuple[Selector, ...]], ...]
    """Facts that it sets for its jobs: ``concurrency``, ``lock_ttl``, …"""


@dataclass(frozen=True, slots=True)
class Scheduler:
    """A call, decorator, export or class that arms jobs."""

    call: str
    kind: str
    how: str
    """``call``, ``decorator``, ``export``, ``base`` (a class that inherits from it) or ``entries`` (a list or object
    of entries)."""
    schedule: tuple[SchedulePart, ...]
    timezone: tuple[Selector, ...]
    name: tuple[Selector, ...]
    handler: tuple[Selector, ...]
    family: str | None
    """The consumers that hold the work, by `queue` and `name`."""
    queue: tuple[Selector, ...]
    job: tuple[Selector, ...]
    """The name under which the consumers know the job."""
    options: tuple[tuple[str, tuple[Selector, ...]], ...]
    """What the call sets: ``timeout``, ``attempts``, ``backoff``, ``no_overlap``, ``description``, …"""
    traits: tuple[tuple[str, Scalar], ...]
    """What the library gives: fields of facts by name (``runner.library: production``, ``lock.kind: queue``)."""
    when: tuple[Condition, ...]
    starts: str
    """``call``: armed by the call itself; else the method that must be called on its result."""
    library: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a call on a job's path means."""

    call: str
    effect: str
    """From the closed list in ``rules/effects.yaml``."""
    params: tuple[tuple[str, tuple[Selector, ...]], ...]
    when: tuple[Condition, ...]
    callback: tuple[Selector, ...]
    """The functions that it calls."""
    untyped: bool
    """Whether a method of that name on an unresolved object counts too (its `when` must be decisive)."""
    library: str

    def param(self, name: str) -> tuple[Selector, ...]:
        """The selectors of a parameter; empty where the description has none."""
        return next((s for n, s in self.params if n == name), ())


@dataclass(frozen=True, slots=True)
class Fold:
    """A function outside the tree that computes a value."""

    call: str
    operation: str
    """``duration-text``, ``duration-kwargs``, ``constant``, ``crontab-fields``, ``first``, ``schema``, …"""
    value: Scalar
    args: tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True, slots=True)
class OwnName:
    """Names that a project gives to its own functions; a stub under such a name is evidence of a stub, never of
    more."""

    effect: str
    pattern: str
    """A regular expression over the name."""


@dataclass(frozen=True, slots=True)
class Library:
    """One file of rules/libraries."""

    id: str
    """The file's name."""
    title: str
    ecosystem: str
    packages: tuple[str, ...]
    versions: str
    """The versions that the description holds for, as the ecosystem writes ranges."""
    tokens: tuple[str, ...]
    """Words without which no file can use it as a scheduler; searched in all files."""
    service_tokens: tuple[str, ...]
    """Words that bring a file into the service-wide facts."""
    schedulers: tuple[Scheduler, ...]
    consumers: tuple[Consumer, ...]
    effects: tuple[Effect, ...]
    folds: tuple[Fold, ...]
    own_names: tuple[OwnName, ...]
    source: str


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """All libraries."""

    libraries: tuple[Library, ...]
    digest: str
