"""Finding the calls that arm jobs, and specialising each for its callers.

A scheduler call inside a function of the project makes that function a scheduler: what the call leaves open is bound
by the function's callers, theirs in turn, and by the items of the registries that they go through. So each
registration is a job, and the wrapper is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import expanded, is_of, last_of
from cronaudit.knowledge.selectors import Called, Site, select
from cronaudit.model.ir import Call, Function, Module, Name
from cronaudit.model.knowledge import Scheduler, Selector
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Builtin, Choice, Closure, External, Instance, Lazy, Scope, Symbol, Value
from cronaudit.model.walking import functions_around, method_around
from cronaudit.recognition.bare_names import BareNames
from cronaudit.recognition.consumers import Consumers
from cronaudit.recognition.declarations import Declarations
from cronaudit.recognition.found import Registration, Rejection
from cronaudit.recognition.liveness import is_handed_over
from cronaudit.recognition.registrar import Registrar, is_none
from cronaudit.recognition.settling import is_put_on_what_is_handed_in, is_reached, of_rows, settled
from cronaudit.recognition.timers import in_request
from cronaudit.recognition.undescribed import Undescribed, may_state_cron

_FEW = 2


class Discovery:
    """Finds registrations in the files that hold a scheduler's tokens."""

    def __init__(
        self,
        linker: Linker,
        matcher: Matcher,
        consumers: Consumers,
        given: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._linker = linker
        self._given = given or {}
        """By file the names under which other files of the project give it a library's schedulers."""
        self._matcher = matcher
        self.registrar = Registrar(linker, consumers)
        self.rejections = self.registrar.rejections
        self._declarations = Declarations(linker, matcher, self.registrar)
        self.undescribed = Undescribed(linker, matcher)
        self._tokens = frozenset(matcher.tokens())
        self._arming = {last_of(one) for s in matcher.schedulers("call") for one in expanded(s.call)}
        self._packages: dict[str, frozenset[str]] = {}
        """By the name of a method the packages whose objects arm jobs by it."""
        for library in matcher.libraries:
            for name in {last_of(e) for s in library.schedulers if s.how == "call" for e in expanded(s.call)}:
                self._packages[name] = self._packages.get(name, frozenset()) | frozenset(library.packages)
        arming = (x for x in matcher.libraries if any(s.how in ("call", "decorator") for s in x.schedulers))
        self._bare = BareNames(linker, arming)

    def in_file(self, path: str) -> Iterator[Registration]:
        """The registrations of one file."""
        module = self._linker.module(path)
        if module is None:
            return
        names = self._given.get(path, frozenset())
        for name, sites in sorted(self._linker.calls(module).items()):
            for call, node in sites:
                yield from self._declarations.applied(call, node)
                # A default export may be called anything, so a bare name is looked up, too.
                if (
                    name in self._arming
                    or name in names
                    or (isinstance(call.callee, Name) and self._bare.may_be_foreign(name, module))
                ):
                    yield from self._call(call, node, module)
                else:
                    yield from self._unknown(call, node)
        yield from self._declarations.in_module(module)

    def _call(self, call: Call, node: Function | Module, module: Module) -> Iterator[Registration]:
        scope = self._linker.scope_of(node)
        callee = self._linker.fold(call.callee, scope)
        if not isinstance(callee, External) or not self._matcher.scheduler(callee.path, "call"):
            yield from self._unknown(call, node)
        for option in callee.options if isinstance(callee, Choice) else (callee,):
            if isinstance(option, External):
                for scheduler in self._matcher.scheduler(option.path, "call"):
                    yield from self.specialise(scheduler, call, node, module)
                if isinstance(node, Function) and self._matcher.scheduler(option.path, "decorator"):
                    yield from self._declarations.users_of_decorator(module)
            elif isinstance(option, Builtin) and isinstance(option.receiver, Closure):
                for scheduler in self._matcher.scheduler(f".{option.name}", "call"):  # ``flow.serve(…)``
                    yield from self.specialise(scheduler, call, node, module)
            elif isinstance(option, Symbol):
                anywhere = self._matcher.scheduler("." + ".".join(option.path), "call") if option.path else ()
                for scheduler in anywhere:  # ``*.cron.add``, whoever gives the object
                    yield from self.specialise(scheduler, call, node, module)
                # ``jobs.scheduleJob(…)``, ``agenda.every(…)``: the method or the receiver is a library's own word.
                method = getattr(call.callee, "name", "")
                named = option.name.encode() in self._tokens
                if not anywhere and (named or self._may_arm(method, module)):
                    yield from self._open_receiver(call, node, module)

    def _may_arm(self, method: str, module: Module) -> bool:
        """Whether a method of something handed in may be a library's: by its name, or by what the file imports."""
        packages = self._packages.get(method, frozenset())
        return method.encode() in self._tokens or any(
            is_of(specifier, packages) for specifier in self._linker.specifiers(module.path)
        )

    def _unknown(self, call: Call, node: Function | Module) -> Iterator[Registration]:
        """A call that no library file describes."""
        if not may_state_cron(call):
            return
        scope = self._linker.scope_of(node)
        callee = self._linker.fold(call.callee, scope)
        scheduler = self.undescribed.scheduler(call, callee, scope)
        if scheduler is None:
            return
        sites = self.undescribed.sites(callee) if isinstance(callee, Closure) else ((call, node),)
        for other, where in sites:
            own = where if isinstance(where, Module) else where.module
            yield from self.specialise(scheduler, other, where, own)

    def _open_receiver(self, call: Call, node: Function | Module, module: Module) -> Iterator[Registration]:
        """``schedule(queue) { queue.add(…) }``: only a caller tells what ``queue`` is."""
        seen: set[int] = set()
        for bound in self._linker.bounds(node):
            callee = self._linker.fold(call.callee, bound.scope)
            if isinstance(callee, External):
                for scheduler in self._matcher.scheduler(callee.path, "call"):
                    if id(scheduler) not in seen:
                        seen.add(id(scheduler))
                        yield from self.specialise(scheduler, call, node, module)

    def specialise(
        self, scheduler: Scheduler, call: Call, node: Function | Module, module: Module
    ) -> Iterator[Registration]:
        """One registration for each way in which the call is reached with a schedule of its own."""
        site = Location(module.path, call.line, call.end_line)
        selectors = _stated(scheduler)

        def values(scope: Scope) -> list[Value | Lazy]:
            view = self._view(call, scope)
            found = (select(s, view, self._linker.force, self._linker.member) for s in selectors)
            spread = view.args.spreads if view.args is not None else ()
            return [*(v for v in found if v is not None), *spread]

        base = Bound(self._linker.scope_of(node), ())
        handed = self._is_handed(scheduler, call, base.scope)
        # ``job.do(work)``: what `job` was made with is its schedule.
        made = handed and any(s.root == "receiver" for s in selectors)
        if not made and not scheduler.entries and self._states_none(scheduler, call, base.scope):
            self.rejections.append(Rejection(site, scheduler.kind, "it states no recurring schedule"))
            return
        is_open = made or any(self._linker.needs_caller(v) for v in values(base.scope))
        if is_open:
            self._linker.seek(node)
        known = is_open or self._is_inherited(node)
        bounds = self._linker.bounds(node) if known else (self._injected(node, base),)
        reached = is_reached(call, node, base.scope, self._linker)
        found: list[Registration] = []
        for outer in bounds if len(bounds) < _FEW else [b for b in bounds if reached(b.scope)]:
            for bound in self._linker.unroll(outer, values):
                if not handed or self._is_of(scheduler, call, bound.scope):
                    found.extend(self._register(scheduler, call, node, bound, site))
        called = [r for r in found if not (is_open and self._is_uncalled(r))]
        if dict(scheduler.traits).get("runner.library") == "own":
            yield from self._each_once(settled(called))
        else:
            yield from self._each_once(of_rows(called, self._linker))

    def _is_handed(self, scheduler: Scheduler, call: Call, scope: Scope) -> bool:
        """Whether only a caller tells of which library the object is whose method is called."""
        return scheduler.call[:1] not in ("", "*") and isinstance(
            self._linker.fold(call.callee, scope), Symbol
        )

    def _is_of(self, scheduler: Scheduler, call: Call, scope: Scope) -> bool:
        """Whether what this caller hands in is an object of that scheduler."""
        callee = self._linker.fold(call.callee, scope)
        return any(
            isinstance(option, External) and scheduler in self._matcher.scheduler(option.path, "call")
            for option in (callee.options if isinstance(callee, Choice) else (callee,))
        )

    def _injected(self, node: Function | Module, base: Bound) -> Bound:
        """What the one caller or maker of a function hands in: the schedule needs it not, the handler may."""
        bounds = self._linker.bounds(node) if isinstance(node, Function) else ()
        return Bound(bounds[0].scope, ()) if len(bounds) == 1 else base

    def _states_none(self, scheduler: Scheduler, call: Call, scope: Scope) -> bool:
        """Whether the call states no schedule, whoever its caller is: the common case of a queue's ``add``."""
        view = self._view(call, scope)
        for part in scheduler.schedule:
            value = select(part.select, view, self._linker.force, self._linker.member)
            if part.form == "dynamic" or (value is not None and not is_none(value)):
                return False
        return True

    def _is_inherited(self, node: Function | Module) -> bool:
        owners = (f.owner for f in functions_around(node))
        return any(owner is not None and self._linker.subclasses(owner) for owner in owners)

    def _each_once(self, found: list[Registration]) -> Iterator[Registration]:
        """Drop what only repeats another caller's schedule."""
        seen: set[tuple[object, ...]] = set()
        kept: list[Registration] = []
        for registration in found:
            timing = registration.timing
            key = (
                timing.schedule.expression,
                timing.schedule.interval_seconds,
                registration.name,
                _identity(registration),
            )
            if key in seen:
                continue
            seen.add(key)
            kept.append(registration)
        through = Counter(place for registration in kept for place in set(registration.bound.chain))
        for registration in kept:
            registration.alone = len(kept) == 1
            if not registration.alone:
                registration.own = frozenset(p for p in registration.bound.chain if through[p] == 1)
            yield registration

    def _is_uncalled(self, registration: Registration) -> bool:
        """Whether it stays open for want of a caller: then the function that arms it is only a wrapper."""
        view = registration.call
        scheduler = registration.scheduler
        if scheduler is None or registration.timing.open is None:
            return False
        uncalled = any(
            isinstance(s.owner, Function)
            # A callback inside a function is no wrapper: what goes through a list of rows at run time calls it.
            and (s.owner.name is not None or isinstance(s.owner.parent, Module) or in_request(s.owner))
            and not is_put_on_what_is_handed_in(s.owner)
            and not self._linker.call_sites(s.owner)
            and not _is_told_by_container(s.owner, registration)
            and (in_request(s.owner) or not is_handed_over(s.owner))
            for part in scheduler.schedule
            if (v := select(part.select, view, self._linker.force, self._linker.member)) is not None
            for s in self._linker.symbols(v)
        )
        if uncalled:
            why = "a wrapper that nothing in the tree calls"
            self.rejections.append(Rejection(registration.site, registration.kind, why))
        return uncalled

    def _view(self, call: Call, scope: Scope) -> Called:
        callee = self._linker.fold(call.callee, scope)
        if isinstance(callee, Choice):
            callee = next((o for o in callee.options if isinstance(o, External)), callee)
        at = Location(scope.module.path, call.line, call.end_line)
        args = self._linker.arguments(call, scope)
        if isinstance(callee, External):
            return External(callee.path, args, at, callee.receiver, call)
        if isinstance(callee, Builtin) and isinstance(callee.receiver, Closure):
            return Site("", args, None, {"receiver": callee.receiver})
        return External("", args, at, None, call)

    def _register(
        self, scheduler: Scheduler, call: Call, node: Function | Module, bound: Bound, site: Location
    ) -> Iterator[Registration]:
        view = self._view(call, bound.scope)
        if not scheduler.entries:
            registration = self.registrar.register(scheduler, view, node, bound, site)
            if registration is not None:
                yield registration
            return
        yield from self.registrar.entries(scheduler, view, node, bound, site)


def _is_told_by_container(owner: Function, registration: Registration) -> bool:
    """Whether a class with work of its own waits for settings that only a container hands to its constructor."""
    method = method_around(registration.node)
    works = isinstance(registration.handler, Closure) and method is not None and method is not owner
    return owner.is_constructor and works


def _identity(registration: Registration) -> object:
    """What tells two jobs of one armed call apart: where each is stated, and the class that runs it."""
    handler = registration.handler
    this = handler.this if isinstance(handler, Closure) else None
    owner = this.of.cls.location if isinstance(this, Instance) else None
    return (registration.item, owner, handler.path if isinstance(handler, Module) else None)


def _stated(scheduler: Scheduler) -> tuple[Selector, ...]:
    return (*(p.select for p in scheduler.schedule), *scheduler.name, *scheduler.handler, *scheduler.job)
