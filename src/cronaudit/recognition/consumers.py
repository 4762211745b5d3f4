"""Where queued work is defined: ``new Worker('mail', f)``, ``agenda.define('mail', f)``, ``boss.work('mail', f)``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import expanded, last_of
from cronaudit.knowledge.selectors import Called, Site, select
from cronaudit.model.ir import Call, Expr, Function, Module, Name
from cronaudit.model.knowledge import Consumer, Selector
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Arguments,
    Choice,
    Closure,
    Env,
    External,
    Instance,
    Known,
    Namespace,
    Record,
    Scope,
    Sequence,
    Symbol,
    Text,
    Value,
)
from cronaudit.recognition.bare_names import BareNames
from cronaudit.recognition.found import ConsumerSite, Registration
from cronaudit.recognition.handlers import dotted, resolve_handler
from cronaudit.recognition.own_tasks import applied_by, known_as

_IMPORTERS = 2
"""How far from the file that makes a queue its consumer is looked for: past a barrel."""


class Consumers:
    """The consumers of the tree; those of a family are found when its first queue asks."""

    def __init__(self, linker: Linker, matcher: Matcher, files: tuple[str, ...]) -> None:
        self._linker = linker
        self._matcher = matcher
        self._files = files
        """Files that may define consumers."""
        self._sites: dict[str, list[ConsumerSite]] = {}
        self._made: dict[str, set[str]] = {}
        """Functions of the project in which a library's decorator is called, by the file that they stand in."""
        self._alike: dict[str, list[ConsumerSite]] = {}
        """What a decorator of a consumer's name registers on an object of which nothing is known."""

    def sites(self, family: str) -> list[ConsumerSite]:
        """The consumers of a family; the tree is searched for them once."""
        found = self._sites.get(family)
        if found is None:
            found = self._sites[family] = []
            names = {
                last_of(one)
                for lib in self._matcher.libraries
                for c in lib.consumers
                if c.family == family
                for one in expanded(c.call)
            }
            consuming = (x for x in self._matcher.libraries if any(c.family == family for c in x.consumers))
            bare = BareNames(self._linker, consuming)
            self._made = {}
            files = self._with_importers(names)
            for path in files:
                module = self._linker.module(path)
                if module is None:
                    continue
                calls = self._linker.calls(module, names | bare.of(module))
                for name in sorted(calls):
                    for call, node in calls[name]:
                        if name in names or isinstance(call.callee, Name):
                            self._called(family, call, node, module)
            for path in (*files, *self._users_of_made(frozenset(files))):
                module = self._linker.module(path)
                if module is not None:
                    self._decorated(family, module)
        return found

    def _users_of_made(self, known: frozenset[str]) -> list[str]:
        """The other files that may use a decorator of the project's own, past a barrel."""
        found: set[str] = set()
        for path, names in self._made.items():
            words = tuple(name.encode() for name in sorted(names) if name)
            frontier = {path}
            for _ in range(_IMPORTERS):
                importing = {i for one in frontier for i in self._linker.importing(one)} - found
                frontier = {i for i in importing if any(w in self._linker.source(i) for w in words)}
                found |= frontier
        return sorted(found - known)

    def _called(self, family: str, call: Call, node: Function | Module, module: Module) -> None:
        """A call that may define a consumer; ``(queue) => queue.process(…)`` only with a caller's queue."""
        at = Location(module.path, call.line, call.end_line)
        callee = self._linker.fold(call.callee, self._linker.scope_of(node))
        foreign = callee.path if isinstance(callee, External) and isinstance(node, Function) else None
        if foreign is not None and self._matcher.consumers(foreign, "decorator"):
            self._made.setdefault(module.path, set()).add(known_as(node))
        if isinstance(callee, Symbol) and isinstance(callee.owner, Function):
            scopes = [bound.scope for bound in self._linker.bounds(node)]
        elif isinstance(callee, External) and self._matcher.consumers(callee.path):
            scopes = [self._scope_of(node)]
        elif isinstance(callee, Choice):
            scopes = [self._linker.scope_of(node)]
        else:
            return
        for scope in scopes:
            callee = self._linker.fold(call.callee, scope)
            for option in callee.options if isinstance(callee, Choice) else (callee,):
                if isinstance(option, External):
                    args = self._linker.arguments(call, scope)
                    self._add(family, External(option.path, args, at, option.receiver, call), at)

    def _scope_of(self, node: Function | Module) -> Scope:
        """The scope in which a consumer is made: what the one caller of the function that makes it passes is known."""
        bounds = self._linker.bounds(node) if isinstance(node, Function) else ()
        return bounds[0].scope if len(bounds) == 1 else self._linker.scope_of(node)

    def _with_importers(self, names: set[str]) -> tuple[str, ...]:
        """The files that import a queue's package, and those that get the queue from one of them."""
        words = tuple(f".{name}".encode() for name in sorted(names))
        found = dict.fromkeys(self._files)
        frontier = self._files
        for _ in range(_IMPORTERS):
            frontier = tuple(
                sorted({i for path in frontier for i in self._linker.importing(path) if i not in found})
            )
            found.update(
                dict.fromkeys(i for i in frontier if any(w in self._linker.source(i) for w in words))
            )
        # ``require('./jobs/email')(agenda)``: a file that is handed the queue names it nowhere.
        handed = {i for path in tuple(found) for i in self._linker.imported_files(path) if i not in found}
        found.update(
            dict.fromkeys(i for i in sorted(handed) if any(w in self._linker.source(i) for w in words))
        )
        return tuple(found)

    def _decorated(self, family: str, module: Module) -> None:
        """``@Processor('mail') class``, ``@Process('digest')`` on a method, ``@shared_task`` on a function."""
        for cls in self._linker.classes(module):
            of = self._linker.class_value(cls)
            made = Instance(of, None)
            self._under(family, cls.decorators, made, of.scope, Location(module.path, cls.line, cls.end_line))
            for method in cls.methods:
                self._under(
                    family, method.decorators, Closure(method, of.scope, made), of.scope, method.location
                )
            for base in self._linker.lineage(of) if cls.bases else ():
                if isinstance(base, External):
                    view = Site(base.path, None, None, {"class": made})
                    self._add(family, view, Location(module.path, cls.line, cls.end_line), "base")
        for function in self._linker.decorated(module):
            if function.owner is None:
                scope = self._linker.scope_of(function.parent)
                self._under(family, function.decorators, Closure(function, scope), scope, function.location)

    def _under(
        self, family: str, decorators: tuple[Expr, ...], thing: Value, scope: Scope, at: Location
    ) -> None:
        for decorator in decorators:
            call = decorator if isinstance(decorator, Call) else None
            callee = self._linker.fold(decorator if call is None else call.callee, scope)
            if isinstance(callee, External):
                args = Arguments((), {}) if call is None else self._linker.arguments(call, scope)
                view = Site(callee.path, args, callee.receiver, {"decorated": thing})
                if self._matcher.consumers(callee.path, "decorator"):
                    self._add(family, view, at, "decorator")
                else:
                    self._register_alike(family, view, at)
            elif isinstance(callee, Closure) and self._made:
                for made in applied_by(decorator, thing, scope, self._linker):
                    view = Site(made.callee.path, made.args, made.callee.receiver, {"decorated": thing})
                    self._add(family, view, at, "decorator")

    def _register_alike(self, family: str, view: Site, at: Location) -> None:
        """``@queue.task(name='mail')`` where ``queue`` is an application of another package, or behind a proxy."""
        last = last_of(view.path)
        for consumer in self._matcher.family(family):
            if consumer.how != "decorator" or all(last_of(one) != last for one in expanded(consumer.call)):
                continue
            if holds(consumer.when, view, self._linker.force, self._linker.member) is True:
                self._alike.setdefault(family, []).append(self._site_of(consumer, view, at))
                return

    def _add(self, family: str, view: Called, at: Location, how: str = "call") -> None:
        for consumer in self._matcher.consumers(view.path, how):
            if consumer.family != family:
                continue
            if holds(consumer.when, view, self._linker.force, self._linker.member) is not True:
                continue
            if consumer.entries:
                for one in self._entries(consumer, view, at):
                    self._site(consumer, one, at)
            else:
                self._site(consumer, view, at)

    def _entries(self, consumer: Consumer, view: Called, at: Location) -> Iterator[Called]:
        """Each of an object of handlers by name."""
        container = self._first(consumer.entries, view)
        if isinstance(container, Known) and isinstance(container.value, str):
            yield from self._files_of(container, view, at)
            return
        if not isinstance(container, Record):
            return
        for key, entry in container.entries.items():
            value = self._linker.force(entry)
            yield Site(view.path, view.args, view.receiver, {"key": Known(key, container.at), "entry": value})

    def _files_of(self, folder: Known, view: Called, at: Location) -> Iterator[Called]:
        """Each file of a folder of tasks: its path in the folder is the name, its default export the work."""
        last = f"/{posixpath.basename(str(folder.value).rstrip('/'))}/"
        for path in self._linker.found_at(folder, at):
            module = self._linker.module(path)
            if module is not None:
                inside = f"/{path}".partition(last)[2] or posixpath.basename(path)
                name = Known(posixpath.splitext(inside)[0], Location(path, 1))
                value = self._linker.member(Namespace(module), "default")
                yield Site(view.path, view.args, view.receiver, {"key": name, "entry": value})

    def _site(self, consumer: Consumer, view: Called, at: Location) -> None:
        self._sites[consumer.family].append(self._site_of(consumer, view, at))

    def _site_of(self, consumer: Consumer, view: Called, at: Location) -> ConsumerSite:
        handler, _why = resolve_handler(self._first(consumer.handler, view), self._linker)
        return ConsumerSite(
            consumer,
            view if isinstance(view, External) else External(view.path, view.args, at, view.receiver),
            self._first(consumer.queue, view),
            self._first(consumer.name, view),
            handler if isinstance(handler, Closure) else None,
            at,
        )

    def _first(self, selectors: tuple[Selector, ...], view: Called) -> Value | None:
        for selector in selectors:
            value = select(selector, view, self._linker.force, self._linker.member)
            if value is not None:
                return value
        return None

    def attach(self, registration: Registration, view: Called) -> None:
        """Give a registration the consumer that does its work; `view` is the place that states it."""
        scheduler = registration.scheduler
        assert scheduler is not None and scheduler.family is not None  # noqa: S101, PT018 - the caller has looked
        queue = self._first(scheduler.queue, view)
        job = self._first(scheduler.job, view)
        if isinstance(job, Sequence) and len(job.items) == 1:  # ``every('1 day', ['digest'])``
            job = self._linker.force(job.items[0])
        registration.job_name = str(job.value) if isinstance(job, Known) and job.value is not None else None
        best = self.of(scheduler.family, queue, job) or self._alike_of(scheduler.family, job)
        if best is None or best.handler is None:
            open_ = best is None and any(_may_be(site, queue, job) for site in self.sites(scheduler.family))
            named = dotted(job, self._linker) if isinstance(job, Known) else None
            if (
                named is not None
                and isinstance(named[0], Closure)
                and not (open_ and not named[0].function.decorators)
            ):
                # A decorator that no library file describes makes it a task.
                registration.handler = named[0]
                registration.handler_open = ""
                return
            if best is None:
                registration.handler_open = (
                    "nothing says which of several consumers takes it"
                    if open_
                    else "no consumer of its queue is in the tree"
                )
                return
        registration.consumer = best
        registration.handler = best.handler
        registration.handler_open = (
            "" if best.handler is not None else "the consumer's function is not resolved"
        )

    def _alike_of(self, family: str, job: Value | None) -> ConsumerSite | None:
        """The one function that an application of unknown kind registers under exactly that name."""
        if not isinstance(job, Known):
            return None
        self.sites(family)
        dotted_path = "." in str(job.value)
        found = [
            site
            for site in self._alike.get(family, ())
            if _fits(site.name, job) and (dotted_path or not isinstance(site.name, Closure))
        ]
        return found[0] if len(found) == 1 else None

    def of(self, family: str, queue: Value | None, job: Value | None) -> ConsumerSite | None:
        """The one consumer that takes a job of that queue and name; None where none or several may."""
        candidates = [
            (_fits(site.queue, queue) + _fits(site.name, job), site)
            for site in self.sites(family)
            if _may_be(site, queue, job)
        ]
        if not candidates:
            return None
        score, best = max(candidates, key=lambda c: c[0])
        several = len({c.location for _, c in candidates}) > 1
        return None if score == 0 and several else best


def _may_be(site: ConsumerSite, queue: Value | None, job: Value | None) -> bool:
    return not _differs(site.queue, queue) and not _differs(site.name, job)


def _fits(a: Value | None, b: Value | None) -> int:
    if isinstance(a, Closure) and isinstance(b, Known | Closure):
        return int(_is_named(a, b))
    ours, theirs = _spelled(a), _spelled(b)
    return int(bool(ours and theirs and ours & theirs))


def _differs(a: Value | None, b: Value | None) -> bool:
    if isinstance(a, Closure) and isinstance(b, Known | Closure):
        return not _is_named(a, b)
    ours, theirs = _spelled(a), _spelled(b)
    return bool(ours and theirs and not ours & theirs and not _is_open(a) and not _is_open(b))


def _spelled(value: Value | None) -> frozenset[str]:
    """The texts that a name may come to; a part that the environment gives stands as the variable's name."""
    match value:
        case Known() if value.value is not None:
            return frozenset((str(value.value),))
        case External() if value.args is None:
            return frozenset((value.path,))  # a constant of another package is its own name
        case Choice():
            return frozenset(text for option in value.options for text in _spelled(option))
        case Text():
            parts = [p if isinstance(p, str) else _variable(p) for p in value.parts]
            return (
                frozenset(("".join(p for p in parts if p),))
                if all(p is not None for p in parts)
                else frozenset()
            )
        case _:
            return frozenset()


def _variable(value: Value) -> str | None:
    return f"${{{value.name}}}" if isinstance(value, Env) else None


def _is_open(value: Value | None) -> bool:
    if isinstance(value, Choice):
        return any(_is_open(option) for option in value.options)
    return not isinstance(value, Known)


def _is_named(function: Closure, name: Known | Closure) -> bool:
    """Whether a task that has no name of its own is meant: by its dotted path, from whichever source root."""
    if isinstance(name, Closure):
        return name.function is function.function
    module = function.function.module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f".{module}.{function.function.name}".endswith(f".{name.value}")
