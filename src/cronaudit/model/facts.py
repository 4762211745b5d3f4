"""What the audit knows of a job and of its service: the fields that the decision tables ask.

Every field is a `Fact`. Its words are closed lists (`Literal`), so that a table which asks for a word that no
recogniser can say is an error when the catalogue is loaded. A fact says what was seen, never what to think of it:
that is what ``rules/checks`` is for.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from msgspec import Struct

from cronaudit.model.source import Location

T = TypeVar("T")


class Unresolved(Struct, frozen=True):
    """A value that this tree cannot tell. It decides UNKNOWN wherever a table needs it."""

    reason: str
    """Why, in words for the evidence: ``LOCK_TTL comes from the environment and has no default``."""
    location: Location | None = None
    """Where the trail ends."""


class Fact(Struct, Generic[T], frozen=True):
    """One thing seen, or seen to be missing, with its place."""

    value: T | Unresolved
    detail: str = ""
    """Short words for the evidence: the value found, or what is missing."""
    locations: tuple[Location, ...] = ()
    """The deciding place first."""
    path: tuple[str, ...] = ()
    """The call path from the trigger to the place: symbols, the trigger first."""


class Identity(Struct, frozen=True):
    """``job``: what the job is."""

    name: Fact[str | None]
    """The name under which people know it; none where the code gives none."""
    name_source: Fact[Literal["explicit", "symbol", "none"]]
    """Whether the name is stated (option, id, key) or only that of a function, class or file."""
    name_shared: Fact[bool]
    """Whether another job of the service has the same name."""
    kind: Fact[str]
    """The scheduler, as in the result document."""
    stub: Fact[bool]
    """Whether the body is empty, only logs, or is marked as not implemented."""
    per_instance: Fact[bool]
    """Whether it only reads or reports its own instance, so that every instance must run it; false unless seen."""
    switch: Fact[str | None]
    """The switch that turns it on, where it is off by default."""


class ScheduleFacts(Struct, frozen=True):
    """``schedule``: when it runs."""

    form: Fact[Literal["cron", "interval", "data"]]
    """``data``: the schedule comes from user data at run time."""
    expression: Fact[str | None]
    """The cron expression as written."""
    interval_seconds: Fact[float | None]
    """Seconds between runs, for an interval."""
    words: Fact[Literal["words", "size", "builder", "contradicts", "none"]]
    """What stands beside the schedule: words that say when it runs, the size of an interval, a self-describing
    builder, words that contradict the expression, or nothing."""
    timezone: Fact[str | None]
    """The zone in force."""
    timezone_source: Fact[
        Literal["job", "scheduler", "service", "container", "platform", "framework", "none"]
    ]
    """Who sets the zone; ``framework`` is a framework's own UTC default with nothing in the tree."""
    zone_has_dst: Fact[bool]
    """Whether the zone in force, or the host's where none is set, changes its clocks."""
    in_dst_hours: Fact[bool]
    """Whether a run falls in 01:00-02:59."""
    at_least_hourly: Fact[bool]
    """Whether it runs at least once an hour."""
    dst_date: Fact[str | None]
    """The next date on which a run is skipped or doubled."""


class DocFacts(Struct, frozen=True):
    """``doc``: what is written about it."""

    purpose: Fact[Literal["doc", "comment", "none"]]
    """A doc comment, docstring or description, or only a loose comment."""
    dependencies: Fact[Literal["stated", "prose", "runbook", "none"]]
    """Whether its doc says what it needs, names services or tables in prose, or only a README section does."""


class TimeoutFacts(Struct, frozen=True):
    """``timeout``: the bound on one run."""

    scope: Fact[Literal["run", "part", "declared", "none"]]
    """What the bound holds: the whole run, a part of it, nothing (declared but not enforced), or there is none. A
    declared bound on the run beside an enforced one on a part is ``declared``, for a lock is held against the run."""
    seconds: Fact[float | None]
    """The enforced bound on the run in seconds, else the declared one, else that of the part."""


class MemoryFacts(Struct, frozen=True):
    """``memory``: the limit on the process that runs it."""

    limit: Fact[Literal["own", "shared", "none"]]
    """On a process that only runs jobs, on one shared with the HTTP server, or none."""


class RetryFacts(Struct, frozen=True):
    """``retry``: what happens after a failure, within the same run."""

    scope: Fact[Literal["run", "part", "none"]]
    """What is tried again: the run or a unit of work that it enqueues, only one call in it (a request, a query), or
    nothing."""
    attempts: Fact[Literal["bounded", "unbounded", "default", "none"]]
    """How many times; ``default`` is a framework's default that does retry."""
    count: Fact[float | None]
    """Attempts in all, where bounded."""
    delay: Fact[Literal["growing", "fixed", "none"]]
    """The delay between two attempts."""
    predicate: Fact[Literal["used", "unused", "none"]]
    """Whether a predicate or the exception's type decides on a retry."""


class LockFacts(Struct, frozen=True):
    """``lock``: what keeps two runs apart."""

    kind: Fact[
        Literal[
            "lease",
            "session",
            "row",
            "slot",
            "queue",
            "message",
            "platform",
            "platform-start",
            "in-process",
            "none",
        ]
    ]
    """``lease``: held for a time (Redis SET NX PX, Redlock). ``session``: lives with a connection (advisory lock).
    ``row``: a lock document or row. ``slot``: a claim row for each scheduled time. ``queue``: a store holds one
    schedule and each run is claimed once. ``message``: a message is claimed once, but any process may schedule.
    ``platform``: the platform starts each run once and keeps two apart (``concurrencyPolicy: Forbid``, workflow
    ``concurrency``). ``platform-start``: it starts each run once, but two may overlap (``concurrencyPolicy: Allow``,
    a workflow without ``concurrency``, a cron route). ``in-process``: a guard in one process or on one host (a flag,
    ``flock``, a systemd unit); a bare crontab line, run by each host that has it, is ``none``. The detail names the
    mechanism: ``Redis SET NX lock``."""
    coverage: Fact[Literal["all", "some"]]
    """Whether every path to the body takes it. The detail names the place that takes it: ``withLock() wrapper``."""
    fail_open: Fact[bool]
    """Whether the job proceeds when the store is down."""
    key: Fact[str | None]
    """The key, with ``${…}`` for what varies."""
    key_distinct: Fact[bool]
    """Whether the key carries the job's name or a literal of its own."""
    ttl_seconds: Fact[float | None]
    """Time to live in seconds (of a message: its visibility timeout); none where it has none."""
    ttl_option: Fact[str | None]
    """The option that sets it, as written: ``lockTTLMs``; none where it is an argument by position."""
    ttl_unit: Fact[Literal["ms", "s", "min", "none"]]
    """The unit in which that option or argument counts; ``none`` where it carries its own (``'5m'``, ``timedelta``)."""
    renewal: Fact[Literal["renewed", "bound", "early-ack", "slot", "none"]]
    """``bound``: it lives and dies with its session or claim. ``early-ack``: the claim is acknowledged before the
    work starts. ``slot``: a claim for one scheduled time needs no extension."""
    release: Fact[Literal["finally", "claim", "some-errors", "success", "expires"]]
    """How it is released; ``claim``: it ends by itself with its transaction, claim or slot; ``expires``: nothing
    releases it."""
    acquire_failure: Fact[Literal["handled", "swallowed", "ignored"]]
    """What happens when it is taken: skip, retry or throw; swallowed without a log; result ignored."""
    release_failure: Fact[Literal["logged", "swallowed", "unhandled"]]
    """What happens when the release fails."""
    store: Fact[Literal["replicated", "platform", "single"]]
    """Whether a single node decides."""
    store_failure: Fact[Literal["handled", "caught", "unhandled"]]
    """What happens when the store is down: defined behaviour, caught after retries, or nothing."""
    scheduler: Fact[Literal["pinned", "any"]]
    """Whether the process that schedules is one of its own pinned to one instance."""
    single_replica: Fact[bool]
    """Whether the configuration runs one replica of the service, or a test lets one process of a host run the job."""


class MonitorFacts(Struct, frozen=True):
    """``monitor``: an external service that expects a signal."""

    service: Fact[str | None]
    """Its name; none where there is no external monitor."""
    start: Fact[Literal["signal", "stub", "none"]]
    """A ping or check-in at the start of a run."""
    completion: Fact[Literal["signal", "stub", "none"]]
    """At the successful end."""
    failure: Fact[Literal["signal", "stub", "none"]]
    """On the error path."""
    grace: Fact[Literal["declared", "elsewhere", "none"]]
    """Grace, margin or maximum run time: in the repository, or set at the monitor."""
    missed: Fact[Literal["schedule", "rule", "ping", "none"]]
    """How a missed run is seen: the monitor knows the schedule, an alert rule on the age of the last success, or a
    dead-man ping without a schedule."""


class AlertFacts(Struct, frozen=True):
    """``alert``: who is told."""

    failure: Fact[Literal["explicit", "rule", "global", "stub", "none"]]
    """On a failed run: a real alert or explicit capture, an alert rule, an error tracker's global hook, a stub."""
    handler: Fact[Literal["explicit", "global", "stub", "none"]]
    """The same, from the handler of the error itself."""
    slow: Fact[Literal["alert", "rule", "warning", "stub", "none"]]
    """On a slow run; a logged warning beside a stub alert is ``warning``."""


class HistoryFacts(Struct, frozen=True):
    """``history`` and trends."""

    runs: Fact[Literal["stored", "last", "none"]]
    """Whether runs are stored, or only the last one."""
    duration: Fact[Literal["exported", "weak", "stub", "log", "none"]]
    """A duration metric: really exported, weaker (aggregates behind an API, off by default, check-ins), a stub, only
    a log line."""
    outcomes: Fact[Literal["both", "one", "weak", "hardcoded", "none"]]
    """Success and failure counters that are really exported."""


class EffectFacts(Struct, frozen=True):
    """``effects``: what a run changes, and what happens when it runs twice."""

    run_id: Fact[Literal["used", "available", "none"]]
    """An id for each run: used in logs or records, only offered by the framework, or none."""
    changes: Fact[Literal["writes", "outgoing", "none"]]
    """Whether it writes, or only sends something out."""
    guard: Fact[Literal["marker", "conditional", "state-query", "none"]]
    """What keeps a second run from doing the work again."""
    atomicity: Fact[Literal["transaction", "some", "separate", "single"]]
    """Whether writes that belong together are in one transaction; ``single``: at most one write."""
    inserts: Fact[Literal["upsert", "some", "plain", "none"]]
    """Whether inserts are upserts."""
    payments: Fact[Literal["keyed", "some", "unkeyed", "none"]]
    """Whether mutating payment calls pass an idempotency key."""


class ErrorFacts(Struct, frozen=True):
    """``errors``: what happens when it fails."""

    caught: Fact[Literal["whole", "framework", "part", "none"]]
    """The body or the runner around it catches; the framework records the failure; only parts of the body."""
    logged: Fact[Literal["context", "framework", "bare", "dropped-object", "warning", "swallowed"]]
    """The error with the job's name, id or data; logged by the framework; the error alone or by ``console.log``;
    passed where the logger drops it; at warning level; not at all."""
    progress: Fact[Literal["checkpoint", "items", "counts", "none"]]
    """Partial progress: a persisted checkpoint, items in a queue, counts in a log."""
    dead_letter: Fact[Literal["kept", "default", "none"]]
    """Failed runs or items: kept for review, in a queue's failed set by default, lost."""
    in_progress: Fact[Literal["awaited", "framework", "held", "flag", "none"]]
    """The running execution at shutdown: awaited, awaited by the framework, held but not awaited, a flag."""
    lock_cleanup: Fact[Literal["released", "bound", "awaited", "none"]]
    """Locks at shutdown: released, die with their session or claim, work is awaited but nothing released."""


class RunnerFacts(Struct, frozen=True):
    """``runner``: what runs it, and where."""

    library: Fact[Literal["production", "in-process", "own-queue", "own"]]
    """A persistent or platform scheduler, an in-process library, an own timer that only feeds a real queue, an own
    timer."""
    persistence: Fact[Literal["both", "one", "none"]]
    """Whether schedule and pending runs survive a restart."""
    separation: Fact[Literal["own", "flag", "shared"]]
    """A process of its own, separable by a flag, or the process of the HTTP server."""
    scaling: Fact[Literal["own", "flag", "embedded"]]
    """A worker deployment of its own, by flag, or embedded in the service."""
    election: Fact[Literal["leader", "queue", "platform", "lock", "none"]]
    """Who decides which instance runs it."""
    contention: Fact[Literal["limited", "shared", "none"]]
    """Lock or queue with limited concurrency or own connections, with shared connections, or neither."""
    instance_state: Fact[bool]
    """Whether it lives on state kept in the instance between runs."""
    children: Fact[Literal["timeout", "platform", "some", "unbounded", "no-children"]]
    """Child processes: all with a timeout (or the platform kills a hung run), some, without, or none at all."""


class DataFacts(Struct, frozen=True):
    """``data``: how much it takes at once."""

    reads: Fact[Literal["streamed", "batched", "unbounded", "none"]]
    """How collections are read; ``none``: it reads none, or one set-based statement does all."""
    loop: Fact[Literal["elsewhere", "yields", "async", "sync", "none"]]
    """How long loops treat the event loop; ``elsewhere``: the work runs in another process."""


class JobFacts(Struct, frozen=True):
    """All that the tables may ask about one job."""

    job: Identity
    schedule: ScheduleFacts
    doc: DocFacts
    timeout: TimeoutFacts
    memory: MemoryFacts
    retry: RetryFacts
    lock: LockFacts
    monitor: MonitorFacts
    alert: AlertFacts
    history: HistoryFacts
    effects: EffectFacts
    errors: ErrorFacts
    runner: RunnerFacts
    data: DataFacts


class ServiceFacts(Struct, frozen=True):
    """``service``: what holds for the service as a whole; the tables of job checks may ask it too."""

    runtime: Fact[Literal["node", "python", "both", "other"]]
    """What the jobs run on."""
    routing: Fact[Literal["teams", "fixed", "none"]]
    """Where alerts about jobs go: by team, owner or key; one fixed destination; nowhere."""
    escalation: Fact[bool]
    """Whether the repository says who is next and when."""
    board: Fact[Literal["history", "some", "current", "none"]]
    """Whether one place shows all jobs, with their history or only their state; ``some``: the history of some only."""
    tests: Fact[bool]
    """Whether the tree has tests at all."""
    double_run_test: Fact[bool]
    """Whether a test runs a job twice and asserts on the outcome."""
    crash_test: Fact[bool]
    """Whether a test kills or restarts a job midway."""
    concurrent_test: Fact[bool]
    """Whether a test runs a job concurrently and asserts, or finds its lock held and asserts the skip."""
    shutdown: Fact[Literal["jobs", "framework", "some", "no-exec", "stops", "apart", "none"]]
    """At SIGTERM: the scheduler is stopped and work finishes; the framework or the platform does so; either, but for
    some jobs only; the framework does but the entry script does not ``exec``; timers stop and work is not awaited;
    handled, but jobs are no part of it; not handled (a handler that only logs and exits included)."""
    memory_monitored: Fact[bool]
    """Whether process memory is exported or checked."""
    cpu_work: Fact[Literal["pool", "process", "none"]]
    """Where CPU-heavy work runs: worker threads or a process pool, a separate process, or the main thread."""
    instance_id: Fact[Literal["id", "some", "pid", "none"]]
    """Host, pod or instance id in the job's logs; in those of some jobs; only a pid."""
    health: Fact[Literal["jobs", "some", "page", "queue", "plain", "none"]]
    """A machine-readable status that knows the jobs, one that knows some of them, a page for people, the queue's own
    stalled-job detection, a health route that knows no job, none."""
    pool: Fact[Literal["bounded", "some", "default", "per-run", "no-database"]]
    """Database connections."""


class Walk(Struct, frozen=True):
    """How far the walk from a job's trigger came."""

    complete: bool
    """Whether all project code on the path was followed to its end; where not, absence is UNKNOWN."""
    reason: str = ""
    """What cut it."""
    functions: tuple[Location, ...] = ()
    """The functions that were visited."""
