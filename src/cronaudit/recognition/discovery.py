"""Finding the calls, decorators, exports and classes that arm jobs, and specialising each for its callers.

A scheduler call inside a function of the project makes that function a scheduler: what the call leaves open is bound
by the function's callers, theirs in turn, and by the items of the registries that they go through. So each
registration is a job, and the wrapper is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import expanded, last_of
from cronaudit.knowledge.selectors import Called, Site, select
from cronaudit.model.ir import Assign, Call, Class, Expr, Function, Loop, Member, Module, Name
from cronaudit.model.knowledge import Scheduler, Selector
from cronaudit.model.linker import Bound, Item, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Arguments,
    Choice,
    ClassValue,
    Closure,
    External,
    Instance,
    Known,
    Lazy,
    Namespace,
    Record,
    Scope,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from cronaudit.model.walking import functions_in, statements
from cronaudit.recognition.consumers import Consumers
from cronaudit.recognition.found import Registration, Rejection, Timing
from cronaudit.recognition.handlers import resolve_handler
from cronaudit.recognition.naming import as_name, named_beside, named_by
from cronaudit.recognition.timing import timing_of

_COMPOSED = 2
"""How deep decorators are looked for in what others compose of them."""


class Discovery:
    """Finds registrations in the files that hold a scheduler's tokens."""

    def __init__(self, linker: Linker, matcher: Matcher, consumers: Consumers) -> None:
        self._linker = linker
        self._matcher = matcher
        self._consumers = consumers
        self.rejections: list[Rejection] = []
        self._composed: set[str] = set()
        self._tokens = frozenset(matcher.tokens())
        self._arming = {last_of(one) for s in matcher.schedulers("call") for one in expanded(s.call)}

    def in_file(self, path: str) -> Iterator[Registration]:
        """The registrations of one file."""
        module = self._linker.module(path)
        if module is None:
            return
        for name, sites in sorted(self._linker.calls(module).items()):
            for call, node in sites:
                # A default export may be called anything, so a bare name is always looked up.
                if name in self._arming or isinstance(call.callee, Name):
                    yield from self._call(call, node, module)
        yield from self._decorated(module)
        yield from self._exported(module)
        yield from self._assigned(module)
        yield from self._inherited(module)

    # ---- calls -----------------------------------------------------------------------------------------------

    def _call(self, call: Call, node: Function | Module, module: Module) -> Iterator[Registration]:
        scope = self._linker.scope_of(node)
        callee = self._linker.fold(call.callee, scope)
        for option in callee.options if isinstance(callee, Choice) else (callee,):
            if isinstance(option, External):
                for scheduler in self._matcher.scheduler(option.path, "call"):
                    yield from self.specialise(scheduler, call, node, module)
                if isinstance(node, Function) and self._matcher.scheduler(option.path, "decorator"):
                    yield from self._users_of_decorator(module)
            elif isinstance(option, Symbol):
                anywhere = self._matcher.scheduler("." + ".".join(option.path), "call") if option.path else ()
                for scheduler in anywhere:  # ``*.cron.add``, whoever gives the object
                    yield from self.specialise(scheduler, call, node, module)
                if not anywhere and getattr(call.callee, "name", "").encode() in self._tokens:
                    yield from self._open_receiver(call, node, module)

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
            return [v for v in found if v is not None]

        base = Bound(self._linker.scope_of(node), ())
        if not scheduler.entries and self._states_none(scheduler, call, base.scope):
            self.rejections.append(Rejection(site, scheduler.kind, "it states no recurring schedule"))
            return
        is_open = any(
            not isinstance(s.owner, Loop) for v in values(base.scope) for s in self._linker.symbols(v)
        )
        bounds = self._linker.bounds(node) if is_open or self._is_inherited(node) else (base,)
        found: list[Registration] = []
        for outer in bounds:
            for bound in self._linker.unroll(outer, values):
                found.extend(self._register(scheduler, call, node, bound, site))
        yield from self._without_wrappers(found, is_open=is_open, node=node)

    def _states_none(self, scheduler: Scheduler, call: Call, scope: Scope) -> bool:
        """Whether the call states no schedule, whoever its caller is: the common case of a queue's ``add``."""
        view = self._view(call, scope)
        for part in scheduler.schedule:
            value = select(part.select, view, self._linker.force, self._linker.member)
            if part.form == "dynamic" or (value is not None and not _is_none(value)):
                return False
        return True

    def _is_inherited(self, node: Function | Module) -> bool:
        current: Function | Module = node
        while isinstance(current, Function):
            if current.owner is not None and self._linker.subclasses(current.owner):
                return True
            current = current.parent
        return False

    def _without_wrappers(
        self, found: list[Registration], *, is_open: bool, node: Function | Module
    ) -> Iterator[Registration]:
        """Drop what stays open for want of a caller, and what only repeats another caller's schedule."""
        seen: set[tuple[object, ...]] = set()
        for registration in found:
            if is_open and self._is_uncalled(registration):
                self.rejections.append(
                    Rejection(registration.site, registration.kind, "a wrapper that nothing in the tree calls")
                )
                continue
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
            yield registration

    def _is_uncalled(self, registration: Registration) -> bool:
        view = registration.call
        scheduler = registration.scheduler
        if scheduler is None or registration.timing.open is None:
            return False
        return any(
            isinstance(s.owner, Function) and not self._linker.call_sites(s.owner)
            for part in scheduler.schedule
            if (v := select(part.select, view, self._linker.force, self._linker.member)) is not None
            for s in self._linker.symbols(v)
        )

    def _view(self, call: Call, scope: Scope) -> External:
        callee = self._linker.fold(call.callee, scope)
        if isinstance(callee, Choice):
            callee = next((o for o in callee.options if isinstance(o, External)), callee)
        at = Location(scope.module.path, call.line, call.end_line)
        args = self._linker.arguments(call, scope)
        if isinstance(callee, External):
            return External(callee.path, args, at, callee.receiver, call)
        return External("", args, at, None, call)

    def _register(
        self, scheduler: Scheduler, call: Call, node: Function | Module, bound: Bound, site: Location
    ) -> Iterator[Registration]:
        view = self._view(call, bound.scope)
        if not scheduler.entries:
            registration = self.register(scheduler, view, node, bound, site)
            if registration is not None:
                yield registration
            return
        yield from self._entries(scheduler, view, node, bound, site)

    def _entries(
        self, scheduler: Scheduler, view: Called, node: Function | Module, bound: Bound, site: Location
    ) -> Iterator[Registration]:
        """One registration for each entry of a list or object of jobs."""
        container = self._first(scheduler.entries, view)
        rows: list[tuple[Value | Lazy, Value | Lazy]] = []
        if isinstance(container, Record):
            rows = [(Known(k, container.at), v) for k, v in container.entries.items()]
        elif isinstance(container, Sequence):
            rows = [(Known(n, container.at), v) for n, v in enumerate(container.items)]
        for key, entry in rows:
            value = self._linker.force(entry)
            places: dict[str, Value | Lazy] = {"key": key, "entry": value}
            inner = Site(view.path, view.args, view.receiver, places)
            if isinstance(view, Site):
                inner = Site(view.path, view.args, view.receiver, {**view.places, **places}, view.exports, view.file)
            at = getattr(value, "at", None)
            item = at if isinstance(at, Location) else site
            registration = self.register(
                scheduler, inner, node, Bound(bound.scope, (*bound.chain, item), (*bound.items, Item(item, value))), site, item
            )
            if registration is not None:
                yield registration

    def register(  # noqa: PLR0913 - the parts of one place
        self,
        scheduler: Scheduler,
        view: Called,
        node: Function | Module,
        bound: Bound,
        site: Location,
        item: Location | None = None,
    ) -> Registration | None:
        """What one armed place states; None where it arms no periodic job."""
        if holds(scheduler.when, view, self._linker.force, self._linker.member) is not True:
            return None
        timing = timing_of(scheduler.schedule, view, self._linker)
        if timing is None:
            self.rejections.append(Rejection(site, scheduler.kind, "it states no recurring schedule"))
            return None
        against = _one_shot(scheduler, view, timing, self._first(scheduler.handler, view))
        if against:
            self.rejections.append(Rejection(site, scheduler.kind, against))
            return None
        name, name_at = self._first_text(scheduler.name, view)
        if name is None:
            name, name_at = named_by(bound, self._linker)
        if name is None and isinstance(getattr(view, "call", None), Call):
            name, name_at = named_beside(view.call, node, bound.scope, self._linker)
        options = {
            key: value
            for key, selectors in scheduler.options
            if (value := self._first(selectors, view)) is not None and not _is_none(value)
        }
        timezone = self._first(scheduler.timezone, view)
        handler, why = resolve_handler(self._first(scheduler.handler, view), self._linker)
        registration = Registration(
            kind=scheduler.kind,
            scheduler=scheduler,
            call=_as_call(view, site),
            node=node,
            bound=bound,
            site=site,
            timing=timing,
            timezone=None if timezone is None or _is_none(timezone) else timezone,
            name=name,
            name_at=name_at,
            handler=handler,
            handler_open=why,
            options=options,
            traits=dict(scheduler.traits),
            item=item or _item(bound, site),
        )
        if scheduler.family is not None and handler is None:
            self._consumers.attach(registration, view)
        return registration

    def _first(self, selectors: tuple[Selector, ...], view: Called) -> Value | None:
        fallback: Value | None = None
        for selector in selectors:
            value = select(selector, view, self._linker.force, self._linker.member)
            if value is None or _is_none(value):
                continue
            if isinstance(value, Known | Closure | ClassValue):
                return value
            fallback = fallback or value
        return fallback

    def name_of(self, scheduler: Scheduler, view: Called) -> str | None:
        """The name that a place states."""
        return self._first_text(scheduler.name, view)[0]

    def _first_text(self, selectors: tuple[Selector, ...], view: Called) -> tuple[str | None, Location | None]:
        for selector in selectors:
            value = select(selector, view, self._linker.force, self._linker.member)
            text = as_name(value)
            if text is not None:
                return text, getattr(value, "at", None)
        return None, None

    # ---- decorators and exports ------------------------------------------------------------------------------

    def _decorated(self, module: Module) -> Iterator[Registration]:
        for target, decorators, node in _decorated_things(module, self._linker):
            for decorator in decorators:
                call = decorator if isinstance(decorator, Call) else None
                scope = self._linker.scope_of(node)
                line = call.line if call is not None else target.line
                at = Location(module.path, line, target.end_line)
                for scheduler, callee, args in self._decorating(call, decorator, scope):
                    thing: Value = self._method(target) if isinstance(target, Function) else ClassValue(target, scope)
                    view = Site(callee.path, args, callee.receiver, {"decorated": thing})
                    registration = self.register(scheduler, view, node, Bound(scope, ()), at, at)
                    if registration is None:
                        continue
                    if registration.handler is None and isinstance(target, Function):
                        registration.handler = self._method(target)
                        registration.handler_open = ""
                    yield registration

    def _users_of_decorator(self, module: Module) -> Iterator[Registration]:
        """A function that makes a decorator is one: what uses it holds no token of the library itself."""
        for path in self._linker.importing(module.path):
            user = self._linker.module(path) if path not in self._composed else None
            self._composed.add(path)
            if user is not None:
                yield from self._decorated(user)

    def _decorating(
        self, call: Call | None, decorator: Expr, scope: Scope
    ) -> Iterator[tuple[Scheduler, External, Arguments]]:
        """The schedulers behind a decorator; one of the project's own counts as those that it makes."""
        callee = self._linker.fold(call.callee if call is not None else decorator, scope)
        if isinstance(callee, External):
            args = self._linker.arguments(call, scope) if call is not None else Arguments((), {})
            for scheduler in self._matcher.scheduler(callee.path, "decorator"):
                yield scheduler, callee, args
        elif isinstance(callee, Closure) and call is not None:
            yield from self._made(self._linker.fold(call, scope), 0)

    def _made(self, value: Value, depth: int) -> Iterator[tuple[Scheduler, External, Arguments]]:
        """``const Nightly = () => Cron('0 2 * * *')``, ``applyDecorators(Cron(…), …)``."""
        if not isinstance(value, External) or value.args is None or depth > _COMPOSED:
            return
        found = self._matcher.scheduler(value.path.removesuffix("()"), "decorator")
        for scheduler in found:
            yield scheduler, External(value.path.removesuffix("()"), receiver=value.receiver), value.args
        for raw in () if found else value.args.positional:
            yield from self._made(self._linker.force(raw), depth + 1)

    def _method(self, function: Function) -> Closure:
        scope = self._linker.scope_of(function.parent)
        if function.owner is None:
            return Closure(function, scope)
        return Closure(function, scope, Instance(self._linker.class_value(function.owner), None))

    def _exported(self, module: Module) -> Iterator[Registration]:
        """Frameworks that run what a module exports: ``export const config = {schedule}``, ``scheduled()``."""
        schedulers = self._matcher.schedulers("export")
        if not schedulers:
            return
        names = {e.name: e.line for e in module.exports if e.name != "*"}
        scope = self._linker.scope_of(module)
        namespace = Namespace(module)
        if not names and b"exports" in self._linker.source(module.path):
            whole = self._linker.member(namespace, "*")
            if isinstance(whole, Record):
                names = {key: 1 for key in whole.entries if not key.startswith("\0")}
            at = getattr(whole, "at", None)
            names.setdefault("default", at.line if isinstance(at, Location) else 1)
        if not names:
            return
        exports: dict[str, Value | Lazy] = {n: self._linker.member(namespace, n) for n in sorted(names)}
        for scheduler in schedulers:
            head, *rest = scheduler.call.removeprefix("export:").split(".")
            value: Value | None = self._linker.force(exports[head]) if head in exports else None
            for part in rest:
                value = self._linker.member(value, part) if value is not None else None
            if value is None or _is_none(value) or isinstance(value, Unknown):
                continue
            at = Location(module.path, names[head])
            view = Site(scheduler.call, None, None, {"value": value}, exports, module.path)
            if scheduler.entries:
                yield from self._entries(scheduler, view, module, Bound(scope, ()), at)
                continue
            registration = self.register(scheduler, view, module, Bound(scope, ()), at, at)
            if registration is not None:
                yield registration

    def _assigned(self, module: Module) -> Iterator[Registration]:
        """Settings that a framework reads: ``CELERY_BEAT_SCHEDULE = {…}``, ``app.conf.beat_schedule = {…}``."""
        if not self._matcher.schedulers("assign"):
            return
        scope = self._linker.scope_of(module)
        for statement in statements(module.body):
            if not isinstance(statement, Assign) or statement.value is None:
                continue
            target = statement.target
            path = f"{module.path}.{target.name}" if isinstance(target, Name) else ""
            if isinstance(target, Member):
                folded = self._linker.fold(target, scope)
                path = folded.path if isinstance(folded, External) else f".{target.name}"
            for scheduler in self._matcher.scheduler(path, "assign") if path else ():
                at = Location(module.path, statement.line, statement.end_line)
                view = Site(path, None, None, {"value": self._linker.fold(statement.value, scope)}, {}, module.path)
                bound = Bound(scope, ())
                if scheduler.entries:
                    yield from self._entries(scheduler, view, module, bound, at)
                elif (registration := self.register(scheduler, view, module, bound, at, at)) is not None:
                    yield registration

    def _inherited(self, module: Module) -> Iterator[Registration]:
        """Classes that a framework runs because of what they inherit from."""
        if not self._matcher.schedulers("base"):
            return
        for cls in self._linker.classes(module):
            if not cls.bases:
                continue
            value = self._linker.class_value(cls)
            for base in self._linker.lineage(value):
                if not isinstance(base, External):
                    continue
                for scheduler in self._matcher.scheduler(base.path, "base"):
                    node = cls.parent
                    at = Location(module.path, cls.line, cls.end_line)
                    view = Site(base.path, None, None, {"class": Instance(value, None)})
                    bound = Bound(self._linker.scope_of(node), ())
                    registration = self.register(scheduler, view, node, bound, at, at)
                    if registration is not None:
                        yield registration


def _decorated_things(
    module: Module, linker: Linker
) -> Iterator[tuple[Function | Class, tuple[Expr, ...], Function | Module]]:
    for function in functions_in(module):
        if function.decorators:
            yield function, function.decorators, function.parent
    for cls in linker.classes(module):
        if cls.decorators:
            yield cls, cls.decorators, cls.parent


_DATE_NAME = re.compile(r"(^|_)(date|datetime|at|when|until|deadline)$|(Date|DateTime|At|When|Deadline)$|^(run|start|end)_?at$")


def _one_shot(scheduler: Scheduler, view: Called, timing: Timing, handler: Value | None) -> str:
    """Why a call with an open schedule arms no recurring job; empty where nothing speaks against one."""
    if timing.open is None:
        return ""
    call = getattr(view, "call", None)
    for part in scheduler.schedule:
        index = part.select.index
        if isinstance(call, Call) and part.select.root == "args" and isinstance(index, int) and not part.select.members:
            given = call.args[index].value if index < len(call.args) else None
            if isinstance(given, Name | Member) and _DATE_NAME.search(given.name):
                return f"{given.name} is a single date"
            if isinstance(given, Call) and given.is_new and getattr(given.callee, "name", "") == "Date":
                return "it is a single date"
    if isinstance(handler, Closure) and not handler.function.body and not handler.function.is_abstract:
        return "it runs an empty function: the expression is only checked"
    return ""


def _as_call(view: Called, site: Location) -> External:
    if isinstance(view, External):
        return view
    return External(view.path, view.args, site, view.receiver)


def _identity(registration: Registration) -> object:
    """What tells two jobs of one armed call apart: where each is stated, and the class that runs it."""
    handler = registration.handler
    this = handler.this if isinstance(handler, Closure) else None
    owner = this.of.cls.location if isinstance(this, Instance) else None
    return (registration.item, owner, handler.path if isinstance(handler, Module) else None)


def _item(bound: Bound, site: Location) -> Location:
    """The registry entry, call or class that states the job: the outermost place that bound something."""
    if bound.items:
        return bound.items[-1].location
    return bound.chain[-1] if bound.chain else site


def _stated(scheduler: Scheduler) -> tuple[Selector, ...]:
    return (*(p.select for p in scheduler.schedule), *scheduler.name, *scheduler.handler, *scheduler.job)


def _is_none(value: Value) -> bool:
    return isinstance(value, Known) and value.value is None
