"""Jobs that are declared: by a decorator, an export, an assignment to a setting, or the class inherited from."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import expanded, last_of
from cronaudit.knowledge.selectors import Site
from cronaudit.model.ir import Call, Class, Expr, Function, Module
from cronaudit.model.knowledge import Scheduler
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Arguments,
    ClassValue,
    Closure,
    External,
    Instance,
    Lazy,
    Namespace,
    Record,
    Scope,
    Unknown,
    Value,
)
from cronaudit.recognition.assignments import settings
from cronaudit.recognition.found import Registration
from cronaudit.recognition.own_decorators import OwnDecorators
from cronaudit.recognition.registrar import Registrar, is_none
from cronaudit.recognition.undescribed import decorator_with, is_naming, is_trigger
from cronaudit.recognition.written_rows import WrittenRows

_COMPOSED = 2
"""How deep decorators are looked for in what others compose of them."""


class Declarations:
    """Finds the declared jobs of a file."""

    def __init__(self, linker: Linker, matcher: Matcher, registrar: Registrar) -> None:
        self._linker = linker
        self._matcher = matcher
        self._registrar = registrar
        self._composed: set[str] = set()
        self._own = OwnDecorators(linker)
        self._rows = WrittenRows(linker, matcher, registrar)
        assigned = (one for s in matcher.schedulers("assign") for one in expanded(s.call))
        self._settable = frozenset(last_of(one) for one in assigned)

    def in_module(self, module: Module) -> Iterator[Registration]:
        """The declared jobs of one file."""
        yield from self._decorated(module)
        yield from self._exported(module)
        yield from self._assigned(module)
        yield from self._inherited(module)
        yield from self._rows.in_module(module)
        if self._own.defined_in(module):
            yield from self.users_of_decorator(module)

    def _decorated(self, module: Module) -> Iterator[Registration]:
        for target, decorators, node in _decorated_things(module, self._linker):
            for decorator in decorators:
                call = decorator if isinstance(decorator, Call) else None
                scope = self._linker.scope_of(node)
                line = call.line if call is not None else target.line
                at = Location(module.path, line, target.end_line)
                of_class = isinstance(target, Class)
                for scheduler, callee, args in self._decorating(call, decorator, scope, of_class=of_class):
                    thing: Value = (
                        self._method(target) if isinstance(target, Function) else ClassValue(target, scope)
                    )
                    view = Site(callee.path, args, callee.receiver, {"decorated": thing})
                    for registration in self._under(scheduler, view, node, Bound(scope, ()), at):
                        if of_class and not scheduler.call:
                            registration.name_at = (
                                None  # the decorator states the job, whatever the class says
                            )
                        if registration.handler is None and isinstance(target, Function):
                            registration.handler = self._method(target)
                            registration.handler_open = ""
                        yield registration

    def _under(
        self, scheduler: Scheduler, view: Site, node: Function | Module, bound: Bound, at: Location
    ) -> Iterator[Registration]:
        """What a decorator arms: one job, or one for each row of the list that it is handed."""
        if scheduler.entries:
            yield from self._registrar.entries(scheduler, view, node, bound, at)
            return
        registration = self._registrar.register(scheduler, view, node, bound, at, at)
        if registration is not None:
            yield registration

    def applied(self, call: Call, node: Function | Module) -> Iterator[Registration]:
        """``every(hours=1)(sweep)``: a decorator that is called by hand."""
        decorator = call.callee
        if not isinstance(decorator, Call) or len(call.args) != 1:
            return
        scope = self._linker.scope_of(node)
        thing = self._linker.fold(call.args[0].value, scope)
        if not isinstance(thing, Closure):
            return
        at = Location(scope.module.path, decorator.line, call.end_line)
        for scheduler, callee, args in self._decorating(decorator, decorator, scope):
            view = Site(callee.path, args, callee.receiver, {"decorated": thing})
            yield from self._under(scheduler, view, node, Bound(scope, ()), at)

    def users_of_decorator(self, module: Module) -> Iterator[Registration]:
        """A function that makes a decorator is one: what uses it holds no token of the library itself."""
        for path in self._linker.importing(module.path):
            user = self._linker.module(path) if path not in self._composed else None
            self._composed.add(path)
            if user is not None:
                yield from self._decorated(user)

    def _decorating(
        self, call: Call | None, decorator: Expr, scope: Scope, *, of_class: bool = False
    ) -> Iterator[tuple[Scheduler, External, Arguments]]:
        """The schedulers behind a decorator; one of the project's own counts as those that it makes."""
        callee = self._linker.fold(call.callee if call is not None else decorator, scope)
        if isinstance(callee, External):
            args = self._linker.arguments(call, scope) if call is not None else Arguments((), {})
            described = self._matcher.scheduler(callee.path, "decorator")
            for scheduler in described:
                yield scheduler, callee, args
            if not described and call is not None:
                yield from self._handed_a_trigger(callee.path, args)
        elif isinstance(callee, Closure) and call is not None:
            made = list(self._made(self._linker.fold(call, scope), 0))
            args = self._linker.arguments(call, scope)
            found = made or [
                (self._as_its_library(scheduler, callee), view, given)
                for scheduler, view, given in self._handed_a_trigger("", args)
            ]
            own = self._own.scheduler(callee) if of_class and not found else None
            yield from found if own is None else ((own, External("", args), args),)

    def _handed_a_trigger(
        self, path: str, args: Arguments
    ) -> Iterator[tuple[Scheduler, External, Arguments]]:
        """``@actor(name='sweep', at=CronTrigger(hour=3))``: it arms what stands under it."""
        for name, raw in args.named.items():
            if is_trigger(self._linker.force(raw)):
                texts = [key for key in args.named if is_naming(key)]
                yield decorator_with(name, texts), External(path, args), args
                return

    def _as_its_library(self, scheduler: Scheduler, decorator: Closure) -> Scheduler:
        """A method of the project's own kind of a library's application arms as that library does."""
        owner = decorator.function.owner
        for base in self._linker.lineage(self._linker.class_value(owner)) if owner is not None else ():
            made = self._matcher.canonical(f"{base.path}().") if isinstance(base, External) else None
            for how in ("call", "decorator") if made is not None else ():
                for known in self._matcher.schedulers(how):
                    if made is not None and any(one.startswith(made) for one in expanded(known.call)):
                        return replace(scheduler, kind=known.kind, traits=known.traits)
        return scheduler

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
        if names.keys().isdisjoint(_exported_path(s)[0] for s in schedulers):
            return
        exports: dict[str, Value | Lazy] = {n: self._linker.member(namespace, n) for n in sorted(names)}
        for scheduler in schedulers:
            head, *rest = _exported_path(scheduler)
            value: Value | None = self._linker.force(exports[head]) if head in exports else None
            for part in rest:
                value = self._linker.member(value, part) if value is not None else None
            if value is None or is_none(value) or isinstance(value, Unknown):
                continue
            at = Location(module.path, names[head])
            view = Site(scheduler.call, None, None, {"value": value}, exports, module.path)
            if scheduler.entries:
                yield from self._registrar.entries(scheduler, view, module, Bound(scope, ()), at)
                continue
            registration = self._registrar.register(scheduler, view, module, Bound(scope, ()), at, at)
            if registration is not None:
                yield registration

    def _assigned(self, module: Module) -> Iterator[Registration]:
        """Settings that a framework reads: ``CELERY_BEAT_SCHEDULE = {…}``, ``app.conf.beat_schedule = {…}``."""
        for setting in settings(module, self._linker, self._settable):
            node = setting.bound.scope.node
            for scheduler in self._matcher.scheduler(setting.path, "assign"):
                view = Site(setting.path, None, None, {"value": setting.value}, {}, module.path)
                if scheduler.entries:
                    yield from self._registrar.entries(scheduler, view, node, setting.bound, setting.at)
                    continue
                found = self._registrar.register(scheduler, view, node, setting.bound, setting.at, setting.at)
                if found is not None:
                    yield found

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
                    registration = self._registrar.register(scheduler, view, node, bound, at, at)
                    if registration is not None:
                        yield registration


def _exported_path(scheduler: Scheduler) -> list[str]:
    """The export that a framework looks at, and the way inside it: ``config``, ``schedule``."""
    return scheduler.call.removeprefix("export:").split(".")


def _decorated_things(
    module: Module, linker: Linker
) -> Iterator[tuple[Function | Class, tuple[Expr, ...], Function | Module]]:
    for function in linker.decorated(module):
        yield function, function.decorators, function.parent
    for cls in linker.classes(module):
        if cls.decorators:
            yield cls, cls.decorators, cls.parent
