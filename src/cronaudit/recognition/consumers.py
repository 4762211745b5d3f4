"""Where a queue's work is defined: ``new Worker('mail', f)``, ``agenda.define('mail', f)``, ``boss.work('mail', f)``."""

from __future__ import annotations

from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import expanded, last_of
from cronaudit.knowledge.selectors import select
from cronaudit.model.ir import Name
from cronaudit.model.knowledge import Selector
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Closure, External, Known, Value
from cronaudit.recognition.found import ConsumerSite, Registration
from cronaudit.recognition.handlers import resolve_handler


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
            for path in self._files:
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
        return self._sites

    def _add(self, view: External, at: Location) -> None:
        for consumer in self._matcher.consumers(view.path):
            handler, _why = resolve_handler(self._first(consumer.handler, view), self._linker)
            site = ConsumerSite(
                consumer,
                view,
                self._first(consumer.queue, view),
                self._first(consumer.name, view),
                handler if isinstance(handler, Closure) else None,
                at,
            )
            assert self._sites is not None  # noqa: S101 - made by the caller
            self._sites.setdefault(consumer.family, []).append(site)

    def _first(self, selectors: tuple[Selector, ...], view: External) -> Value | None:
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
