"""Where a queue's work is defined: ``new Worker('mail', f)``, ``agenda.define('mail', f)``, ``boss.work('mail', f)``."""

from __future__ import annotations

from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import expanded, last_of
from cronaudit.knowledge.selectors import Called, Site, select
from cronaudit.model.ir import Call, Function, Module, Name
from cronaudit.model.knowledge import Selector
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, Choice, Closure, External, Instance, Known, Value
from cronaudit.recognition.found import ConsumerSite, Registration
from cronaudit.recognition.handlers import resolve_handler


_IMPORTERS = 2
"""How far from the file that makes a queue its consumer is looked for: past a barrel."""


class Consumers:
    """The consumers of the tree, found when the first queue asks."""

    def __init__(self, linker: Linker, matcher: Matcher, files: tuple[str, ...]) -> None:
        self._linker = linker
        self._matcher = matcher
        self._files = files
        """Files that may define consumers."""
        self._sites: dict[str, list[ConsumerSite]] | None = None

    @property
    def sites(self) -> dict[str, list[ConsumerSite]]:
        """All consumers by family."""
        if self._sites is None:
            self._sites = {}
            names = {last_of(one) for lib in self._matcher.libraries for c in lib.consumers for one in expanded(c.call)}
            for path in self._with_importers(names):
                module = self._linker.module(path)
                if module is None:
                    continue
                calls = self._linker.calls(module)
                for name in sorted(calls):
                    for call, node in calls[name]:
                        if name not in names and not isinstance(call.callee, Name):
                            continue
                        scope = self._linker.scope_of(node)
                        callee = self._linker.fold(call.callee, scope)
                        for option in callee.options if isinstance(callee, Choice) else (callee,):
                            if isinstance(option, External):
                                args = self._linker.arguments(call, scope)
                                at = Location(module.path, call.line, call.end_line)
                                self._add(External(option.path, args, at, option.receiver, call), at)
                self._decorated(module)
        return self._sites

    def _with_importers(self, names: set[str]) -> tuple[str, ...]:
        """The files that import a queue's package, and those that get the queue from one of them."""
        words = tuple(f".{name}(".encode() for name in sorted(names))
        found = dict.fromkeys(self._files)
        frontier = self._files
        for _ in range(_IMPORTERS):
            frontier = tuple(sorted({i for path in frontier for i in self._linker.importing(path) if i not in found}))
            found.update(dict.fromkeys(i for i in frontier if any(w in self._linker.source(i) for w in words)))
        return tuple(found)

    def _decorated(self, module: Module) -> None:
        """``@Processor('mail') class``, ``@Process('digest')`` on a method."""
        for cls in self._linker.classes(module):
            of = self._linker.class_value(cls)
            for target in (cls, *cls.methods):
                for decorator in target.decorators:
                    call = decorator if isinstance(decorator, Call) else None
                    callee = self._linker.fold(decorator if call is None else call.callee, of.scope)
                    if not isinstance(callee, External):
                        continue
                    args = Arguments((), {}) if call is None else self._linker.arguments(call, of.scope)
                    made = Instance(of, None)
                    thing: Value = made
                    if isinstance(target, Function):
                        thing = Closure(target, of.scope, made)
                    at = Location(module.path, target.line, target.end_line)
                    self._add(Site(callee.path, args, callee.receiver, {"decorated": thing}), at, "decorator")

    def _add(self, view: Called, at: Location, how: str = "call") -> None:
        for consumer in self._matcher.consumers(view.path, how):
            if holds(consumer.when, view, self._linker.force, self._linker.member) is not True:
                continue
            handler, _why = resolve_handler(self._first(consumer.handler, view), self._linker)
            site = ConsumerSite(
                consumer,
                view if isinstance(view, External) else External(view.path, view.args, at, view.receiver),
                self._first(consumer.queue, view),
                self._first(consumer.name, view),
                handler if isinstance(handler, Closure) else None,
                at,
            )
            assert self._sites is not None  # noqa: S101 - made by the caller
            self._sites.setdefault(consumer.family, []).append(site)

    def _first(self, selectors: tuple[Selector, ...], view: Called) -> Value | None:
        for selector in selectors:
            value = select(selector, view, self._linker.force, self._linker.member)
            if value is not None:
                return value
        return None

    def attach(self, registration: Registration) -> None:
        """Give a registration the consumer that does its work."""
        scheduler = registration.scheduler
        assert scheduler is not None and scheduler.family is not None  # noqa: S101, PT018 - the caller has looked
        queue = self._first(scheduler.queue, registration.call)
        job = self._first(scheduler.job, registration.call)
        best: tuple[int, ConsumerSite] | None = None
        for site in self.sites.get(scheduler.family, []):
            score = _fits(site.queue, queue) + _fits(site.name, job)
            if _differs(site.queue, queue) or _differs(site.name, job):
                continue
            if best is None or score > best[0]:
                best = (score, site)
        if best is None:
            registration.handler_open = "no consumer of its queue is in the tree"
            return
        registration.consumer = best[1]
        registration.handler = best[1].handler
        registration.handler_open = "" if best[1].handler is not None else "the consumer's function is not resolved"


def _fits(a: Value | None, b: Value | None) -> int:
    return int(isinstance(a, Known) and isinstance(b, Known) and a.value == b.value)


def _differs(a: Value | None, b: Value | None) -> bool:
    return isinstance(a, Known) and isinstance(b, Known) and a.value != b.value and a.value is not None
