"""Claims by rows: an insert for each scheduled time that a second instance cannot repeat."""

from __future__ import annotations

import re

from msgspec.structs import replace

from cronaudit.knowledge.selectors import constant
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import (
    Call,
    Const,
    Function,
    Handler,
    If,
    Member,
    Name,
    Object,
    Stmt,
    Template,
    Throw,
    Try,
)
from cronaudit.model.trace import Event, RegionKind
from cronaudit.model.value import Closure
from cronaudit.model.walking import inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.lock_found import Lock
from cronaudit.recognition.facts.lock_runs import Guarded
from cronaudit.recognition.facts.spans import Spans
from cronaudit.recognition.sightings import Sighting

_SLOT = lazy_regex(
    r"slot|schedul|tick|run_?at|bucket|window|period|due|fire|occurrence|interval|minute|hour|(?:^|_)day|date|_at$|At$"
)
_JOB = lazy_regex(r"job|task|cron|name|schedule|type|key|handler", re.IGNORECASE)
_UNIQUE = lazy_regex(
    r"duplicate|unique|constraint|conflict|exists|P20\d\d|^23505$|^11000$|integrity", re.IGNORECASE
)
"""Words of the errors for a key that is there; the codes are those of SQL and of two drivers, as people write them."""


def find_claims(context: JobContext, spans: Spans) -> tuple[Lock, ...]:
    """Inserts whose failure for a duplicate skips the run."""
    found: list[Lock] = []
    for sighting in context.sightings:
        if sighting.effect != "db.insert":
            continue
        if not _takes_duplicate(sighting.event) or not _tells_slot(sighting, spans):
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


def _takes_duplicate(event: Event) -> bool:
    """Whether a handler around the insert takes the error of a duplicate: ``catch``, ``except``, ``.catch(…)``."""
    for region in event.regions():
        if region.kind is RegionKind.TRY and isinstance(region.node, Call):
            handler = region.node.args[0].value if region.node.args else None
            return isinstance(handler, Function) and _asks(handler.body)
        if region.kind is not RegionKind.TRY or not isinstance(region.node, Try) or not region.node.handlers:
            continue
        return any(_asks_duplicate(h) for h in region.node.handlers)
    return False


def _asks_duplicate(handler: Handler) -> bool:
    for kind in handler.types:
        if _UNIQUE.search(str(getattr(kind, "name", ""))) and not any(
            isinstance(s, Throw) for s in handler.body
        ):
            return True
    return _asks(handler.body)


def _asks(body: tuple[Stmt, ...]) -> bool:
    """Whether a condition asks for a key that is there."""
    for statement in statements(body):
        if isinstance(statement, If):
            words = [_word(e) for e in inside(statement.test)]
            if any(_UNIQUE.search(w) for w in words):
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
        return {e.key for e in expr.entries if isinstance(e.key, str)}
    if isinstance(expr, Template):
        return {w for p in expr.parts if isinstance(p, str) for w in re.findall(r"\w+", p)}
    return set()


def _words_in(function: Function) -> set[str]:
    return {p.name for p in function.params if p.name is not None}
