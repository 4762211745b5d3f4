"""What a path outside the tree means, found by its package and its last name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Generic, TypeVar

from msgspec import Struct

from cronaudit.knowledge.aliases import Aliases
from cronaudit.knowledge.paths import begins, expanded, last_of, matches, module_of, root_of
from cronaudit.knowledge.versions import holds_for, is_open
from cronaudit.model.knowledge import (
    Consumer,
    Effect,
    Fold,
    Host,
    Injector,
    KnowledgeBase,
    Library,
    OwnName,
    Phrase,
    Scheduler,
)

_Entry = TypeVar("_Entry")


class _Index(Struct, Generic[_Entry]):
    """Entries by the patterns that they stand under."""

    exact: dict[str, list[_Entry]] = {}
    gaps: dict[str, list[tuple[str, _Entry]]] = {}
    """Patterns with ``**``, by their last name."""
    methods: dict[str, list[tuple[str, _Entry]]] = {}
    """``*.name``, by its last name."""

    def add(self, pattern: str, entry: _Entry) -> None:
        """Add an entry under a pattern without braces."""
        if pattern.startswith("*."):
            self.methods.setdefault(last_of(pattern), []).append((pattern[1:], entry))
        elif "**" in pattern:
            self.gaps.setdefault(last_of(pattern), []).append((pattern, entry))
        elif entry not in (listed := self.exact.setdefault(pattern, [])):
            listed.append(entry)

    def find(self, path: str) -> list[_Entry]:
        found = list(self.exact.get(path, ()))
        if self.gaps:
            found += [entry for pattern, entry in self.gaps.get(last_of(path), ()) if matches(path, pattern)]
        return found


class Matcher:
    """Answers what paths mean. Entries are indexed when their package is first asked for."""

    def __init__(self, base: KnowledgeBase, versions: Mapping[str, str] | None = None) -> None:
        """`versions` are those of the packages as the tree's manifests state them.

        Of two descriptions of one package the one counts that holds for its version; without a version, the newest.
        """
        self.libraries = tuple(_in_force(base.libraries, versions or {}))
        self._aliases = Aliases(self.libraries)
        self._effects: dict[str, _Index[Effect]] = {}
        self._folds: dict[str, _Index[Fold]] = {}
        self._found: dict[str, tuple[Effect, ...]] = {}
        self._stated: dict[frozenset[str], tuple[tuple[Library, ...], dict[str, frozenset[str]]]] = {}

    # ---- calls -----------------------------------------------------------------------------------------------

    def effects(self, path: str) -> tuple[Effect, ...]:
        """What a call of the path means; their `when` is still to be asked."""
        found = self._found.get(path)
        if found is None:
            canonical = self.canonical(path)
            root = root_of(canonical)
            index = self._effects.get(root)
            if index is None:
                index = self._effects[root] = self._index_effects(root)
            found = self._found[path] = tuple(index.find(canonical))
        return found

    def with_effects(self, effects: frozenset[str]) -> tuple[Library, ...]:
        """The libraries that describe calls with one of the effects."""
        return self._stating(effects)[0]

    def last_names(self, effects: frozenset[str], library: Library | None = None) -> frozenset[str]:
        """The last names of the calls with one of the effects, those of one library or of all."""
        names = self._stating(effects)[1]
        return (
            names.get(library.id, frozenset()) if library is not None else frozenset().union(*names.values())
        )

    def modules(self, effects: frozenset[str]) -> dict[str, frozenset[str]]:
        """What a file imports to make a call with one of the effects, each with the last names of such calls."""
        found: dict[str, set[str]] = {}
        for library in self.with_effects(effects):
            for path in (p for e in library.effects if e.effect in effects for p in expanded(e.call)):
                aliases = (alias for alias, canonical in library.aliases if begins(path, canonical))
                for written in (path, *aliases):
                    found.setdefault(module_of(written), set()).add(last_of(path))
        return {module: frozenset(names) for module, names in found.items() if module}

    def _stating(self, effects: frozenset[str]) -> tuple[tuple[Library, ...], dict[str, frozenset[str]]]:
        found = self._stated.get(effects)
        if found is None:
            libraries = tuple(x for x in self.libraries if any(e.effect in effects for e in x.effects))
            names = {
                x.id: frozenset(
                    last_of(p) for e in x.effects if e.effect in effects for p in expanded(e.call)
                )
                for x in libraries
            }
            found = self._stated[effects] = (libraries, names)
        return found

    def untyped(self, method: str) -> tuple[Effect, ...]:
        """What a method of that name means on an object that cannot be resolved; their `when` must hold."""
        return tuple(
            effect
            for library in self._by_method.get(method, ())
            for effect in library.effects
            if is_untyped(effect) and any(last_of(pattern) == method for pattern in expanded(effect.call))
        )

    def scheduler(self, path: str, how: str = "call") -> tuple[Scheduler, ...]:
        """The descriptions of a path that arms jobs. An ``assign`` also by its last name (``*.NAME``)."""
        canonical = self.canonical(path)
        index = self._schedulers.get(how)
        if index is None:
            return ()
        found = index.find(canonical)
        anywhere = [
            entry for pattern, entry in index.methods.get(last_of(path), ()) if path.endswith(pattern)
        ]
        return tuple(found + anywhere)

    def schedulers(self, how: str) -> tuple[Scheduler, ...]:
        """All descriptions of one kind, to look for them (``export``, ``assign``, ``base``)."""
        return tuple(s for library in self.libraries for s in library.schedulers if s.how == how)

    def consumers(self, path: str, how: str = "call") -> tuple[Consumer, ...]:
        """The descriptions of a path that defines the work of a queue's jobs."""
        index = self._consumers.get(how)
        return tuple(index.find(self.canonical(path))) if index is not None else ()

    def family(self, family: str) -> tuple[Consumer, ...]:
        """The consumers of a family of schedulers."""
        return tuple(c for library in self.libraries for c in library.consumers if c.family == family)

    def fold(self, path: str) -> Fold | None:
        """The function or constant of that path."""
        found = self.folds(path)
        return found[0] if found else None

    def folds(self, path: str) -> tuple[Fold, ...]:
        """All descriptions of a function that computes a value, the exact ones first."""
        canonical = self.canonical(path)
        root = root_of(canonical)
        index = self._folds.get(root)
        if index is None:
            index = self._folds[root] = self._index_folds(root)
        return tuple(index.find(canonical))

    def injector(self, path: str) -> Injector | None:
        """What a decorator of that path injects."""
        return next((i for i in self._injectors if i.decorator == self.canonical(path)), None)

    def canonical(self, path: str) -> str:
        """The path with its beginning as the descriptions write it."""
        return self._aliases.canonical(path)

    # ---- texts -----------------------------------------------------------------------------------------------

    def host(self, url: str) -> Host | None:
        """The service that a URL, as far as it is known, belongs to."""
        return next((h for h, pattern, _ in self._hosts if pattern.search(url)), None)

    def host_of_variable(self, name: str) -> Host | None:
        """The service whose URL a variable of the environment holds, by its name."""
        return next((h for h, _, env in self._hosts if env is not None and env.search(name)), None)

    def phrases(self, language: str, text: str) -> tuple[tuple[Phrase, re.Match[str]], ...]:
        """What a text in another language means."""
        found = ((p, pattern.search(text)) for p, pattern in self._phrases if p.language == language)
        return tuple((phrase, match) for phrase, match in found if match is not None)

    def own_names(self, effect: str) -> tuple[re.Pattern[str], ...]:
        """Patterns of names that projects give to their own functions for an effect."""
        return tuple(pattern for own, pattern in self._own_names if own.effect == effect)

    # ---- search ----------------------------------------------------------------------------------------------

    def tokens(self, *ecosystems: str) -> tuple[bytes, ...]:
        """Words of which a file that arms jobs has at least one; of all ecosystems where none is named."""
        return _words(ecosystems, self.libraries, lambda library: library.tokens)

    def service_tokens(self, *ecosystems: str) -> tuple[bytes, ...]:
        """Words that bring a file into the service-wide facts."""
        return _words(ecosystems, self.libraries, lambda library: library.service_tokens)

    # ---- indexes ---------------------------------------------------------------------------------------------

    def _index_effects(self, root: str) -> _Index[Effect]:
        index: _Index[Effect] = _Index()
        for library in self._by_root.get(root, ()):
            for effect in library.effects:
                for pattern in self._aliases.patterns(effect.call):
                    if root_of(pattern) == root:
                        index.add(pattern, effect)
        return index

    def _index_folds(self, root: str) -> _Index[Fold]:
        index: _Index[Fold] = _Index()
        for library in self._by_root.get(root, ()):
            for fold in library.folds:
                for pattern in self._aliases.patterns(fold.call):
                    if root_of(pattern) == root:
                        index.add(pattern, fold)
        return index

    @cached_property
    def _by_root(self) -> dict[str, list[Library]]:
        found: dict[str, list[Library]] = {}
        for library in self.libraries:
            for root in library.roots:
                found.setdefault(root, []).append(library)
        return found

    @cached_property
    def _by_method(self) -> dict[str, list[Library]]:
        found: dict[str, list[Library]] = {}
        for library in self.libraries:
            for method in library.methods:
                found.setdefault(method, []).append(library)
        return found

    @cached_property
    def _schedulers(self) -> dict[str, _Index[Scheduler]]:
        found: dict[str, _Index[Scheduler]] = {}
        for library in self.libraries:
            for entry in library.schedulers:
                index = found.setdefault(entry.how, _Index())
                for pattern in self._aliases.patterns(entry.call):
                    index.add(pattern, entry)
        return found

    @cached_property
    def _consumers(self) -> dict[str, _Index[Consumer]]:
        found: dict[str, _Index[Consumer]] = {}
        for library in self.libraries:
            for entry in library.consumers:
                index = found.setdefault(entry.how, _Index())
                for pattern in self._aliases.patterns(entry.call):
                    index.add(pattern, entry)
        return found

    @cached_property
    def _injectors(self) -> tuple[Injector, ...]:
        return tuple(injector for library in self.libraries for injector in library.injectors)

    @cached_property
    def _hosts(self) -> tuple[tuple[Host, re.Pattern[str], re.Pattern[str] | None], ...]:
        return tuple(
            (host, re.compile(host.pattern), re.compile(host.env) if host.env else None)
            for library in self.libraries
            for host in library.hosts
        )

    @cached_property
    def _phrases(self) -> tuple[tuple[Phrase, re.Pattern[str]], ...]:
        listed = (phrase for library in self.libraries for phrase in library.phrases)
        return tuple((phrase, re.compile(phrase.pattern, re.IGNORECASE | re.DOTALL)) for phrase in listed)

    @cached_property
    def _own_names(self) -> tuple[tuple[OwnName, re.Pattern[str]], ...]:
        listed = (own for library in self.libraries for own in library.own_names)
        return tuple((own, re.compile(own.pattern)) for own in listed)


def is_untyped(effect: Effect) -> bool:
    """Whether an effect is known by the name of its method alone."""
    return effect.untyped or effect.call.startswith("*.")


def phase_of(host: Host, url: str) -> str:
    """What a ping of that URL says: ``start``, ``failure`` or ``success``."""
    return next((phase for phase, pattern in host.phases if re.search(pattern, url)), "success")


def _in_force(libraries: tuple[Library, ...], versions: Mapping[str, str]) -> Iterable[Library]:
    shared: dict[str, int] = {}
    for library in libraries:
        for package in library.packages:
            shared[package] = shared.get(package, 0) + 1
    for library in libraries:
        stated = [versions[package] for package in library.packages if package in versions]
        if not library.versions or not any(shared[package] > 1 for package in library.packages):
            # The only description there is says more than none, whatever the version.
            yield library
        elif stated:
            if any(holds_for(library.versions, version) for version in stated):
                yield library
        elif is_open(library.versions):
            yield library


def _words(
    ecosystems: tuple[str, ...], libraries: tuple[Library, ...], words: Callable[[Library], tuple[str, ...]]
) -> tuple[bytes, ...]:
    wanted = [library for library in libraries if not ecosystems or library.ecosystem in (*ecosystems, "any")]
    return tuple(sorted({word.encode() for library in wanted for word in words(library)}))
