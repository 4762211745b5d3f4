"""Claims by rows: an insert for each scheduled time that a second instance cannot repeat."""

from __future__ import annotations

import re
from dataclasses import replace

from cronaudit.knowledge.selectors import constant
from cronaudit.model.ir import (
    Call,
    Const,
    Entry,
    Function,
    Handler,
    If,
    Member,
    Name,
    Object,
    Template,
    Throw,
    Try,
)
from cronaudit.model.trace import Event, RegionKind
from cronaudit.model.value import Closure
from cronaudit.model.walking import inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.lock_found import Lock
from cronaudit.recognition.facts.lock_values import Guarded
from cronaudit.recognition.facts.spans import Spans
from cronaudit.recognition.sightings import Sighting

_SLOT = re.compile(
    r"slot|schedul|tick|run_?at|bucket|window|period|due|fire|occurrence|interval|minute|hour|(?:^|_)day|date|_at$|At$"
)
_JOB = re.compile(r"job|task|cron|name|schedule|type|key|handler", re.IGNORECASE)
_UNIQUE = re.compile(
    r"duplicate|unique|constraint|conflict|exists|P20\d\d|^23505$|^11000$|integrity", re.IGNORECASE
)
"""Words of the errors for a key that is there; the codes are those of SQL and of two drivers, as people write them."""


def find_claims(context: JobContext, spans: Spans) -> tuple[Lock, ...]:
    """Inserts whose failure for a duplicate skips the run."""
    found: list[Lock] = []
    for sighting in context.sightings:
        if sighting.effect != "db.insert":
            continue
        handler = _duplicate_handler(sighting.event)
        if handler is None or not _tells_slot(sighting, spans):
            continue
        word = replace(
            sighting.description,
            effect="lock.acquire",
            params=(
                *sighting.description.params,
                ("kind", (constant("slot"),)),
                ("store", (constant("sql"),)),
            ),
        )
        event = sighting.event
        claim = Sighting(word.effect, word, event, sighting.view, sighting.linker)
        guarded = Guarded(
            event,
            None,
            is_wrapper=False,
            failure="throws",
            releases=frozenset(),
            ends=frozenset(),
            marks=frozenset({event.order}),
        )
        found.append(Lock(claim, guarded, (), ()))
    return tuple(found)


def _duplicate_handler(event: Event) -> Handler | None:
    """The handler that takes the error of a duplicate and does not give it on."""
    for region in event.regions():
        if region.kind is not RegionKind.TRY or not isinstance(region.node, Try):
            continue
        for handler in region.node.handlers:
            if _asks_duplicate(handler):
                return handler
        return None
    return None


def _asks_duplicate(handler: Handler) -> bool:
    for kind in handler.types:
        if _UNIQUE.search(str(getattr(kind, "name", ""))) and not any(
            isinstance(s, Throw) for s in handler.body
        ):
            return True
    for statement in statements(handler.body):
        if not isinstance(statement, If):
            continue
        words = [_word(e) for e in inside(statement.test)]
        if any(w and _UNIQUE.search(w) for w in words):
            return True
    return False


def _word(expr: object) -> str:
    if isinstance(expr, Const):
        return str(expr.value)
    if isinstance(expr, Name | Member):
        return expr.name
    return ""


def _tells_slot(sighting: Sighting, spans: Spans) -> bool:
    """Whether what is inserted, or the function that makes its id, names the job and the scheduled time."""
    call = sighting.event.call
    if call is None:
        return False
    words: set[str] = set()
    for arg in call.args:
        for expr in inside(arg.value):
            words.update(_words_of(expr))
            if isinstance(expr, Call):
                made = spans.call_at(expr, sighting.event.scope)
                if made is not None and isinstance(made.callee, Closure):
                    words.update(_words_in(made.callee.function))
    return any(_SLOT.search(w) for w in words) and any(_JOB.search(w) for w in words)


def _words_of(expr: object) -> set[str]:
    if isinstance(expr, Name | Member):
        return {expr.name}
    if isinstance(expr, Object):
        return {e.key for e in expr.entries if isinstance(e, Entry) and isinstance(e.key, str)}
    if isinstance(expr, Template):
        return {w for p in expr.parts if isinstance(p, str) for w in re.findall(r"\w+", p)}
    return set()


def _words_in(function: Function) -> set[str]:
    return {p.name for p in function.params if p.name is not None}
