"""The compiled form of the knowledge base: plain lists, with every selector stated once.

Effects and folds, the bulk of it, are texts inside the form: they are read when somebody asks for those of a library.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

from cronaudit.model.knowledge import (
    Condition,
    Consumer,
    Effect,
    Fold,
    Host,
    Injector,
    KnowledgeBase,
    Library,
    Overview,
    OwnName,
    Phrase,
    SchedulePart,
    Scheduler,
    Selector,
    Setting,
)


def to_form(base: KnowledgeBase) -> list[Any]:
    """Return the knowledge base as lists, strings and numbers."""
    return _Writer().base(base)


def from_form(form: list[Any]) -> KnowledgeBase:
    """Return the knowledge base of a form. Raises LookupError, TypeError or ValueError for any other."""
    # Thousands of small tuples are made here and none is garbage: the collector would only look at them again.
    enabled = gc.isenabled()
    gc.disable()
    try:
        return _Reader(form).base()
    finally:
        if enabled:
            gc.enable()


_Entry = TypeVar("_Entry")


class Deferred(Sequence[_Entry]):
    """Entries of a library that are made when they are first asked for."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], tuple[_Entry, ...]]) -> None:
        self._make = make
        self._made: tuple[_Entry, ...] | None = None

    def all(self) -> tuple[_Entry, ...]:
        """Return the entries."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def __len__(self) -> int:
        return len(self.all())

    @overload
    def __getitem__(self, index: int) -> _Entry: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[_Entry]: ...

    def __getitem__(self, index: int | slice) -> _Entry | Sequence[_Entry]:
        return self.all()[index]

    def __eq__(self, other: object) -> bool:
        return self.all() == (other.all() if isinstance(other, Deferred) else other)

    def __hash__(self) -> int:
        return hash(self.all())


class _Writer:
    def __init__(self) -> None:
        self._selectors: dict[Selector, int] = {}

    def base(self, base: KnowledgeBase) -> list[Any]:
        libraries = [self._library(library) for library in base.libraries]
        selectors = [[s.root, s.index, s.members, s.unit, s.text] for s in self._selectors]
        return [base.digest, selectors, libraries]

    def _library(self, library: Library) -> list[Any]:
        return [
            [library.id, library.title, library.ecosystem, library.packages, library.versions],
            [
                library.tokens,
                library.service_tokens,
                library.aliases,
                library.source,
                library.roots,
                library.methods,
            ],
            [self._scheduler(s) for s in library.schedulers],
            [self._consumer(c) for c in library.consumers],
            _text([self._effect(e) for e in library.effects]),
            _text([[f.call, f.operation, f.value, f.args] for f in library.folds]),
            [[o.effect, o.pattern] for o in library.own_names],
            [[i.decorator, i.path, self._many(i.args)] for i in library.injectors],
            [[h.service, h.effect, h.pattern, h.env, h.phases] for h in library.hosts],
            [[p.language, p.pattern, p.effect, self._named(p.params)] for p in library.phrases],
            [[s.what, s.names, s.default, s.parts, s.means] for s in library.settings],
            [[getattr(o, name) for name in Overview.__struct_fields__] for o in library.overviews],
        ]

    def _scheduler(self, s: Scheduler) -> list[Any]:
        return [
            [s.call, s.kind, s.how, s.family, s.starts],
            [[p.form, self._one(p.select), p.dialect, p.days, p.passes] for p in s.schedule],
            [self._many(m) for m in (s.entries, s.timezone, s.name, s.handler, s.queue, s.job)],
            self._named(s.options),
            s.traits,
            self._conditions(s.when),
            s.passes,
        ]

    def _consumer(self, c: Consumer) -> list[Any]:
        return [
            [c.call, c.how, c.family],
            [self._many(m) for m in (c.entries, c.queue, c.name, c.handler)],
            self._named(c.options),
            self._conditions(c.when),
            c.passes,
        ]

    def _effect(self, e: Effect) -> list[Any]:
        return [
            e.call,
            e.effect,
            self._named(e.params),
            self._conditions(e.when),
            self._many(e.callback),
            e.passes,
            e.untyped,
        ]

    def _conditions(self, conditions: tuple[Condition, ...]) -> list[Any]:
        return [[self._one(c.select), c.test, c.values] for c in conditions]

    def _named(self, named: tuple[tuple[str, tuple[Selector, ...]], ...]) -> list[Any]:
        return [[name, self._many(selectors)] for name, selectors in named]

    def _many(self, selectors: tuple[Selector, ...]) -> list[int]:
        return [self._one(selector) for selector in selectors]

    def _one(self, selector: Selector) -> int:
        return self._selectors.setdefault(selector, len(self._selectors))


class _Reader:
    def __init__(self, form: list[Any]) -> None:
        self._digest, selectors, self._libraries = form
        self._table = [Selector(r, i, tuple(m), u, t) for r, i, m, u, t in selectors]

    def base(self) -> KnowledgeBase:
        return KnowledgeBase(tuple(self._library(values) for values in self._libraries), self._digest)

    def _library(self, values: list[Any]) -> Library:
        (name, title, ecosystem, packages, versions), (tokens, service, aliases, *rest), *entries = values
        source, roots, methods = rest
        schedulers, consumers, effects, folds, own_names, injectors, hosts, phrases, settings, overviews = (
            entries
        )
        return Library(
            name,
            title,
            ecosystem,
            tuple(packages),
            versions,
            tuple(tokens),
            tuple(service),
            _pairs(aliases),
            tuple(self._scheduler(name, s) for s in schedulers),
            tuple(self._consumer(name, c) for c in consumers),
            Deferred(lambda: tuple([self._effect(name, e) for e in json.loads(effects)])),
            Deferred(
                lambda: tuple([Fold(c, o, value, _pairs(args)) for c, o, value, args in json.loads(folds)])
            ),
            tuple(OwnName(*own) for own in own_names),
            tuple(Injector(decorator, path, self._many(args)) for decorator, path, args in injectors),
            tuple(
                Host(service, effect, pattern, env, _pairs(p)) for service, effect, pattern, env, p in hosts
            ),
            tuple(
                Phrase(language, p, effect, self._named(params)) for language, p, effect, params in phrases
            ),
            tuple(
                Setting(
                    what, tuple(names), default, _pairs(parts), tuple((w, tuple(said)) for w, said in means)
                )
                for what, names, default, parts, means in settings
            ),
            tuple(
                Overview(title, tuple(shows), history, command, image, app, tuple(mounted), backend)
                for title, shows, history, command, image, app, mounted, backend in overviews
            ),
            source,
            tuple(roots),
            tuple(methods),
        )

    def _scheduler(self, library: str, values: list[Any]) -> Scheduler:
        (call, kind, how, family, starts), schedule, selected, options, traits, when, passes = values
        entries, timezone, name, handler, queue, job = map(self._many, selected)
        table = self._table
        return Scheduler(
            call,
            kind,
            how,
            entries,
            tuple(
                SchedulePart(form, table[select], dialect, days, passes)
                for form, select, dialect, days, passes in schedule
            ),
            timezone,
            name,
            handler,
            family,
            queue,
            job,
            self._named(options),
            _pairs(traits),
            self._conditions(when),
            starts,
            tuple(passes),
            library,
        )

    def _consumer(self, library: str, values: list[Any]) -> Consumer:
        (call, how, family), selected, options, when, passes = values
        entries, queue, name, handler = map(self._many, selected)
        return Consumer(
            call,
            how,
            family,
            entries,
            queue,
            name,
            handler,
            self._named(options),
            self._conditions(when),
            tuple(passes),
            library,
        )

    def _effect(self, library: str, values: list[Any]) -> Effect:
        call, effect, params, when, callback, passes, untyped = values
        return Effect(
            call,
            effect,
            self._named(params),
            self._conditions(when) if when else (),
            self._many(callback),
            tuple(passes),
            untyped,
            library,
        )

    def _conditions(self, conditions: list[Any]) -> tuple[Condition, ...]:
        return tuple([Condition(self._table[s], test, tuple(values)) for s, test, values in conditions])

    def _named(self, named: list[Any]) -> tuple[tuple[str, tuple[Selector, ...]], ...]:
        return tuple([(name, self._many(numbers)) for name, numbers in named])

    def _many(self, numbers: list[int]) -> tuple[Selector, ...]:
        table = self._table
        return tuple([table[number] for number in numbers])


def _pairs(listed: list[list[Any]]) -> tuple[tuple[Any, Any], ...]:
    return tuple([(first, second) for first, second in listed])


def _text(entries: list[Any]) -> str:
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
