"""What the files in rules/libraries say: which calls make a job, and what a call on a job's path means.

Paths are those of `model.value.External`: ``node-cron:schedule``, ``bullmq:Queue().upsertJobScheduler``,
``celery.schedules.crontab``. A pattern may hold alternatives in braces (``pino:().{error,fatal}``) and ``**`` once, for
any chain in between (``knex:()**.insert``), or start with ``*.`` for a method of an object that cannot be resolved
(``*.pg_try_advisory_lock``).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cronaudit.model.ir import Scalar


class Selector(Struct, frozen=True):
    """Where a value stands at a place of interest, and in which unit.

    Written as a path with dots, a unit behind it where there is one: ``args.1.pattern``, ``args.-1`` (the last
    argument), ``kwargs.minutes``, ``receiver.args.0`` (the arguments of the call that made the object),
    ``args.0.args.1`` (those of the call that made the argument), ``after(PX) ms`` (the positional argument behind the
    literal), ``const(value)``. Which roots a place has is said at `root`.
    """

    root: str
    """``args``, ``kwargs``, ``receiver``, ``after`` or ``text`` (the arguments joined, for SQL) of a call or decorator;
    ``decorated`` (the function or class under a decorator); ``class`` (that inherits from a base); ``value`` (that
    is assigned); ``export`` (of a module, by name); ``entry`` and ``key`` (of one entry of a list or object of jobs);
    ``path`` (of the file); ``const``; ``result`` (of the call)."""
    index: Scalar
    """Of the argument, the keyword, the literal of ``after``, the export; the value of ``const``."""
    members: tuple[str, ...] = ()
    unit: str | None = None
    """``s``, ``ms``, ``min``, ``h``, ``d``; None: by the name that the value carries, else unknown."""
    text: str = ""
    """As written."""


class Condition(Struct, frozen=True):
    """When a description holds: a selector against literals."""

    select: Selector
    test: str
    """``is``, ``not``, ``unless`` (holds too where the value cannot be told), ``in``, ``has`` (a literal among the
    arguments), ``lacks``, ``missing``, ``present``, ``matches`` (a regular expression in the text), ``kind`` (``text``,
    ``number``, ``bool``, ``function``, ``object``, ``list``)."""
    values: tuple[Scalar, ...] = ()


class SchedulePart(Struct, frozen=True):
    """One way in which a call states its schedule. Several are alternatives; the first that resolves counts."""

    form: str
    """``cron``, ``every`` (a number), ``words`` (text that the library parses), ``date`` (one-shot: no job),
    ``fields`` (an object or the keywords: crontab fields by name), ``duration`` (an object or the keywords: amounts by
    the names of units, summed), ``object`` (whatever it folds to: an expression, a duration), ``list`` (a list of any
    of these), ``clock`` (a time of the day, or ``:15`` in every hour)."""
    select: Selector
    dialect: str = "unix5"
    """A value of `model.schedule.Dialect`; of ``words`` too."""
    days: str = "*"
    """Of ``clock``: the days of the week, as cron writes them."""
    passes: str = ""
    """The path of what a function that computes the schedule is handed: ``schedule(parser)``."""


class Consumer(Struct, frozen=True):
    """Where the work of a queue's jobs is defined."""

    call: str
    how: str
    """As in `Scheduler`."""
    family: str
    """Links it to the schedulers of the same family."""
    entries: tuple[Selector, ...]
    """Where an object of handlers by name stands; the other selectors then ask ``entry`` and ``key``."""
    queue: tuple[Selector, ...]
    name: tuple[Selector, ...]
    handler: tuple[Selector, ...]
    options: tuple[tuple[str, tuple[Selector, ...]], ...]
    """Facts that it sets for its jobs: ``concurrency``, ``lock_ttl``, …"""
    when: tuple[Condition, ...]
    passes: tuple[str, ...]
    """What the handler's parameters are, as paths or as selectors (``receiver.args.1``); an empty path says nothing."""
    library: str


class Scheduler(Struct, frozen=True):
    """A call, decorator, export or class that arms jobs."""

    call: str
    """For ``export`` the name that a module exports: ``export:config.schedule``; for ``assign`` the path that is
    assigned to, or ``*.NAME`` for a variable of any module; for ``row`` the keys: ``row:task,schedule``."""
    kind: str
    how: str
    """``call``, ``decorator``, ``base`` (a class that inherits from it), ``export``, ``assign``, ``row``
    (a written-out object with such keys, whose consumer is in the tree), or ``manifest`` (a
    JSON file of that name, whose content is ``value``; a handler that begins with a slash is a route)."""
    entries: tuple[Selector, ...] = ()
    """Where a list or object of jobs stands; the other selectors then ask ``entry`` and ``key``. Of a
    text each line is an entry. Empty: one job."""
    schedule: tuple[SchedulePart, ...] = ()
    """Empty where it is stated outside the code."""
    timezone: tuple[Selector, ...] = ()
    name: tuple[Selector, ...] = ()
    handler: tuple[Selector, ...] = ()
    family: str | None = None
    """The consumers that hold the work, by `queue` and `job`."""
    queue: tuple[Selector, ...] = ()
    job: tuple[Selector, ...] = ()
    """The name under which the consumers know the job."""
    options: tuple[tuple[str, tuple[Selector, ...]], ...] = ()
    """What the call sets: ``timeout``, ``attempts``, ``backoff``, ``no_overlap``, ``description``, …"""
    traits: tuple[tuple[str, Scalar], ...] = ()
    """What the library gives: fields of facts by name (``runner.library: production``, ``lock.kind: queue``)."""
    when: tuple[Condition, ...] = ()
    starts: str = "call"
    """``call``: armed by the call itself; else the method that must be called on its result, or on its receiver with
    ``receiver.`` in front (``receiver.start``); ``setting``: where the setting ``job_list`` lists the class."""
    passes: tuple[str, ...] = ()
    """What the handler's parameters are, as paths; an empty path says nothing."""
    library: str = ""
    """Empty where no library file describes it."""


class Effect(Struct, frozen=True):
    """What a call on a job's path means."""

    call: str
    effect: str
    """From the closed list in ``rules/effects.yaml``."""
    params: tuple[tuple[str, tuple[Selector, ...]], ...]
    """A word (``level: error``) is a ``const`` selector."""
    when: tuple[Condition, ...]
    callback: tuple[Selector, ...]
    """The functions that it calls."""
    passes: tuple[str, ...]
    """What the callback's parameters are, as paths; ``receiver`` for the object itself, an empty path says nothing."""
    untyped: bool
    """Whether a method of that name on an unresolved object counts too (its `when` must be decisive)."""
    library: str

    def param(self, name: str) -> tuple[Selector, ...]:
        """The selectors of a parameter; empty where the description has none."""
        return next((s for n, s in self.params if n == name), ())

    def word(self, name: str) -> Scalar:
        """The constant that the description gives for a parameter; None where it has none."""
        return next((s.index for s in self.param(name) if s.root == "const"), None)


class Fold(Struct, frozen=True):
    """A function or constant outside the tree that has a value."""

    call: str
    operation: str
    """``constant`` (of a member, no call), or a function of ``knowledge.folds``: ``duration-text``, ``schema``, …"""
    value: Scalar
    args: tuple[tuple[str, Scalar], ...]


class OwnName(Struct, frozen=True):
    """Names that a project gives to its own functions, or to its variables in the environment.

    A stub under such a name is evidence of a stub, never of more.
    """

    effect: str
    pattern: str
    """A regular expression over the name."""


class Injector(Struct, frozen=True):
    """A decorator of a parameter or field that says how the injected object was made."""

    decorator: str
    path: str
    """What the object is: ``bullmq:Queue()``."""
    args: tuple[Selector, ...]
    """The arguments that it counts as made with, out of those of the decorator."""


class Host(Struct, frozen=True):
    """A service that is reached by its URL alone."""

    service: str
    effect: str
    """``monitor.ping`` or ``alert.send``."""
    pattern: str
    """A regular expression, searched in the URL as far as it is known."""
    env: str | None
    """The same for the name of an environment variable or setting that holds the URL."""
    phases: tuple[tuple[str, str], ...]
    """``start`` and ``failure``, each a regular expression in the URL; what matches neither is a success."""


class Phrase(Struct, frozen=True):
    """What a text in another language means: SQL, a Lua script, a shell command."""

    language: str
    """``sql``, ``lua`` or ``shell``."""
    pattern: str
    """A regular expression, searched without regard to case."""
    effect: str
    params: tuple[tuple[str, tuple[Selector, ...]], ...]
    """A word is a ``const`` selector; ``group.1`` is a group of the pattern."""


class Setting(Struct, frozen=True):
    """A setting that a framework reads by its name, so that no import leads from the job to it."""

    what: str
    """What it settles: one of ``settings`` in rules/effects.yaml."""
    names: tuple[str, ...]
    """What it is called, the strongest name first."""
    default: Scalar
    """What holds where nothing sets it; a duration in seconds."""
    parts: tuple[tuple[str, str], ...]
    """Where in its value what stands, keys joined by dots, by the words of rules/effects.yaml."""
    means: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What words its value begins with, or engines that manifests run, by what they mean (rules/effects.yaml)."""

    def part(self, word: str) -> tuple[str, ...]:
        """The keys that lead to a part; none where the setting has no such part."""
        return tuple(dict(self.parts).get(word, "").split(".")) if word in dict(self.parts) else ()


class Overview(Struct, frozen=True):
    """A place that shows the runs of libraries' jobs, and that no call of the code makes."""

    title: str
    shows: tuple[str, ...]
    """The ids of the libraries whose jobs it shows."""
    history: bool
    """Whether it shows past runs, not only the last one."""
    command: str | None
    """A regular expression in the command of a process that serves it."""
    image: str | None
    """The same in the name of an image that a manifest runs."""
    app: str | None
    """The application that a project must have installed for it."""
    mounted: tuple[str, ...]
    """What the routes must hold: paths of symbols, or the module that is included, by its name."""
    backend: str | None
    """A regular expression in the setting that says where results are kept: without them it stays empty."""


class Library(Struct, frozen=True):
    """One file of rules/libraries."""

    id: str
    """The file's name."""
    title: str
    ecosystem: str
    """``npm``, ``pypi``, or ``any`` for what belongs to no language."""
    packages: tuple[str, ...]
    versions: str
    """The versions that the description holds for: ``>=1 <6``; empty for all."""
    tokens: tuple[str, ...]
    """Words without which no file can use it as a scheduler; searched in all files."""
    service_tokens: tuple[str, ...]
    """Words that bring a file into the service-wide facts."""
    aliases: tuple[tuple[str, str], ...]
    """Other beginnings of paths, each with the one that the descriptions use."""
    schedulers: tuple[Scheduler, ...]
    consumers: tuple[Consumer, ...]
    effects: Sequence[Effect]
    """Not read from the compiled form before somebody asks: a scan needs those of few libraries."""
    folds: Sequence[Fold]
    own_names: tuple[OwnName, ...]
    injectors: tuple[Injector, ...]
    hosts: tuple[Host, ...]
    phrases: tuple[Phrase, ...]
    settings: tuple[Setting, ...]
    overviews: tuple[Overview, ...]
    source: str
    roots: tuple[str, ...] = ()
    """What the paths of its effects and folds begin with, aliases resolved; to find them without reading them."""
    methods: tuple[str, ...] = ()
    """The names of the methods that its effects know on any object."""


class KnowledgeBase(Struct, frozen=True):
    """All libraries."""

    libraries: tuple[Library, ...]
    digest: str
