"""Locks that stand in a text: SQL that takes an advisory or row lock, a script that runs inside Redis."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.knowledge.selectors import constant, parse_selector
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.knowledge import Effect, Phrase, Selector
from cronaudit.model.trace import Event, RegionKind
from cronaudit.model.value import External
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.spans import Spans
from cronaudit.recognition.sightings import Sighting

_TEXTS = {"script.run": ("lua", "text"), "db.query": ("sql", "sql")}
"""The effects that carry a text in another language: which language, in which parameter."""
_ARGUMENTS = lazy_regex(r"\s*([^)]*)")
_PLACEHOLDER = lazy_regex(r"(?:\$\d|\?|%s|%\(\w+\)s|:\w+)")
_NAMED = lazy_regex(r"(?<!:):([a-z]\w*)|%\(([a-z]\w*)\)s")
SKIPPING = lazy_regex(r"\bskip\s+locked\b", re.IGNORECASE)
"""Rows that another holds are left out; PostgreSQL, MySQL 8 and Oracle write it so."""


def lock_sightings(context: JobContext) -> tuple[Sighting, ...]:
    """The sightings of the walk with what the texts in them mean."""
    found = list(context.sightings)
    for sighting in context.sightings:
        found.extend(read_text(context, sighting))
    return tuple(sorted(found, key=lambda s: s.event.order))


def read_text(context: JobContext, sighting: Sighting) -> tuple[Sighting, ...]:
    """What the SQL or script of one call means for locks and transactions."""
    if sighting.effect not in _TEXTS:
        return ()
    language, param = _TEXTS[sighting.effect]
    text = sighting.text(param)
    if text is None:
        return ()
    found: list[Sighting] = []
    view = _run_by(context, sighting)
    for phrase, match in context.service.matcher.phrases(language, text):
        if not phrase.effect.startswith(("lock.", "tx.")):
            continue
        key = _key(match[0], text[match.end() :]) if language == "sql" else sighting.description.param("key")
        effect = _as_effect(phrase, match.groups(), key, sighting)
        found.append(Sighting(phrase.effect, effect, sighting.event, view, sighting.linker))
    return tuple(found)


def _run_by(context: JobContext, sighting: Sighting) -> External:
    """The call that runs a text and gives its parameters: ``db.execute(text("…"), {"name": job})``."""
    for event in context.trace.events[sighting.event.order + 1 :]:
        call = event.call
        if call is not None and call.args and call.args[0].value is sighting.event.call:
            if isinstance(event.callee, External) and event.scope is sighting.event.scope:
                args = sighting.linker.arguments(call, event.scope)
                return External(event.callee.path, args, event.location, event.callee.receiver, call)
            break
    return sighting.view


def _key(call: str, rest: str) -> tuple[Selector, ...]:
    """The key of an advisory lock, out of the text behind the name of the function."""
    if not call.rstrip().endswith("("):
        return ()
    match = _ARGUMENTS.match(rest)
    written = match[1].strip() if match is not None else ""
    if not written:
        return ()
    named = _NAMED.search(written)
    if named is not None:
        return (parse_selector(f"args.1.{named[1] or named[2]}"),)
    if _PLACEHOLDER.search(written):
        return (parse_selector("args.1.0"), parse_selector("args.1"))
    return (constant(written),)


def _as_effect(
    phrase: Phrase, groups: tuple[str | None, ...], key: tuple[Selector, ...], sighting: Sighting
) -> Effect:
    """A phrase as the description of a call: what it takes from the text becomes a constant."""
    params: list[tuple[str, tuple[Selector, ...]]] = []
    for name, selectors in phrase.params:
        stated: list[Selector] = []
        for selector in selectors:
            if selector.root != "group":
                stated.append(selector)
                continue
            position = int(selector.index or 1) - 1
            text = groups[position] if 0 <= position < len(groups) else None
            if text:
                stated.append(replace(constant(text), unit=selector.unit))
        params.append((name, tuple(stated)))
    if not any(name == "key" for name, _ in params) and key:
        params.append(("key", key))
    return replace(sighting.description, effect=phrase.effect, params=tuple(params), when=(), callback=())


# ---- transactions ----------------------------------------------------------------------------------------------


class Transaction(Struct, frozen=True):
    """The transaction that holds a lock."""

    ends: frozenset[int]
    """The calls at whose end it ends."""
    releases: frozenset[int]
    """The commits and rollbacks behind the lock."""


def transaction_of(
    taken: Sighting, sightings: tuple[Sighting, ...], context: JobContext, spans: Spans
) -> Transaction | None:
    """The transaction around a call; None where there is none, so that a row lock is gone with its statement."""
    event = taken.event
    wraps = {s.event.order for s in sightings if s.effect == "tx.wrap"}
    around = frozenset(
        r.info.order
        for r in event.regions()
        if r.kind in (RegionKind.CALLBACK, RegionKind.WITH)
        and isinstance(r.info, Event)
        and r.info.order in wraps
    )
    begun = [s.event.order for s in sightings if s.effect == "tx.begin" and s.event.order < event.order]
    ended = frozenset(s.event.order for s in sightings if s.effect in ("tx.commit", "tx.rollback"))
    is_open = bool(begun) and not any(max(begun) < o < event.order for o in ended)
    if not around and not is_open and not _is_decorated(event, context, spans):
        return None
    return Transaction(around, frozenset(o for o in ended if o > event.order))


def _is_decorated(event: Event, context: JobContext, spans: Spans) -> bool:
    """Whether a function around the call is a transaction by its decorator (``@transaction.atomic``)."""
    enter = spans.enter_of(event)
    while enter is not None:
        node = enter.scope.node
        for decorator in getattr(node, "decorators", ()):
            value = context.linker.fold(decorator, context.linker.scope_of(node.parent))  # type: ignore[union-attr]
            path = value.path.removesuffix("()") if isinstance(value, External) else ""
            if path and any(e.effect == "tx.wrap" for e in context.service.matcher.effects(path)):
                return True
        calls = spans.callers(enter)
        enter = spans.enter_of(calls[0]) if calls and calls[0].order < enter.order else None
    return False
