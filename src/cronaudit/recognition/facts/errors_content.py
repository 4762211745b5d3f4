"""What one log line says: has it the error, and has it more than that and a fixed message."""

from __future__ import annotations

import re

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import (
    Argument,
    Assign,
    Call,
    Const,
    Entry,
    Expr,
    Function,
    Handler,
    Member,
    Name,
    Object,
    Template,
    Try,
)
from cronaudit.model.trace import Event, Region, RegionKind
from cronaudit.model.value import Known
from cronaudit.model.walking import inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.frames import Frame, Frames
from cronaudit.recognition.facts.usage import names_of
from cronaudit.recognition.sightings import Sighting

_FORMAT = lazy_regex(r"%[sdifjoO]|\{\}")
_PLAIN = lazy_regex(r"[^a-z0-9]")
_JOB_FIELD = lazy_regex(r"job|task|cron|worker|module|component|action|operation", re.IGNORECASE)
_BOUND = lazy_regex(r"\.(child|bind|withContext|with_fields|getChild)\(\)")
"""Methods that give a logger fields of its own."""


class Content:
    """Reads the log lines of one job."""

    def __init__(self, context: JobContext, frames: Frames) -> None:
        self._context = context
        self._frames = frames

    def error_names(self, event: Event, region: Region) -> tuple[frozenset[str], frozenset[str]]:
        """Names that hold the error, and names that hold it with more, in the function of a log line."""
        chain = list(self._frames.of(event).outward())
        node = region.node
        handler = _handler_of(region, event)
        errors: frozenset[str] = frozenset()
        bundles: frozenset[str] = frozenset()
        started = False
        for frame in reversed(chain):
            enter = frame.enter
            inside_handler = enter is not None and any(
                r.kind is RegionKind.CATCH and r.node is node for r in enter.regions()
            )
            if not inside_handler:
                # The function that holds the handler: the last one out of it.
                errors, bundles = (
                    frozenset((handler.name,)) if handler is not None and handler.name else frozenset(),
                    frozenset(),
                )
                errors |= derived(frame.function, errors)
                started = True
                continue
            if frame.call is None or frame.is_callback or frame.call.call is None:
                # The link of a promise chain: its first parameter is the error.
                function = frame.function
                first = (
                    frozenset(names_of(function.params[0].target))
                    if function is not None and function.params
                    else frozenset()
                )
                if not started or _is_link(enter, node):
                    errors, bundles = first, frozenset()
            else:
                errors, bundles = through(frame, frame.call.call, errors, bundles)
            errors |= derived(frame.function, errors)
            started = True
        return errors, bundles

    def content(
        self, call: Call, errors: frozenset[str], bundles: frozenset[str], event: Event
    ) -> tuple[bool, bool]:
        """Whether a log call has the error, and whether it has more than that and a fixed message."""
        has_error = has_context = False
        for argument in call.args:
            if _mentions(argument.value, bundles):
                has_error = has_context = True
            if _mentions(argument.value, errors):
                has_error = True
            if self._says_more(argument, errors, event):
                has_context = True
        if self._is_child(call, event):
            has_context = True
        return has_error, has_context

    def _says_more(self, argument: Argument, errors: frozenset[str], event: Event) -> bool:
        """Anything besides the error: a field, a hole of a template, a text that names the job."""
        value = argument.value
        if isinstance(value, Const):
            return isinstance(value.value, str) and self._names_job(value.value)
        if isinstance(value, Object):
            return any(
                entry.key not in ("stack", "message", "err", "error")
                and not _mentions(entry.value, errors)
                and not (isinstance(entry.value, Const) and not self._is_job_field(entry))
                for entry in value.entries
            )
        if isinstance(value, Template):
            holes = [p for p in value.parts if not isinstance(p, str)]
            texts = "".join(p for p in value.parts if isinstance(p, str))
            return any(not _mentions(h, errors) for h in holes) or self._names_job(texts)
        if isinstance(value, Name | Member):
            if _mentions(value, errors):
                return False
            folded = self._context.linker.fold(value, event.scope)
            return not isinstance(folded, Known) or self._names_job(str(folded.value))
        if isinstance(value, Call):
            return any(self._says_more(a, errors, event) for a in value.args) and not _mentions(value, errors)
        return any(
            self._says_more(Argument(e), errors, event)
            for e in inside(value)
            if e is not value and isinstance(e, Name | Template | Const)
        )

    def _is_job_field(self, entry: Entry) -> bool:
        """Whether a fixed field says which job it is: ``{job: 'settle'}``."""
        value = entry.value.value if isinstance(entry.value, Const) else None
        named = isinstance(entry.key, str) and _JOB_FIELD.search(entry.key) is not None
        return isinstance(value, str) and (named or self._names_job(value))

    def _names_job(self, text: str) -> bool:
        name = self._context.registration.name
        plain = _PLAIN.sub("", text.lower())
        return bool(name) and len(name or "") > 2 and _PLAIN.sub("", (name or "").lower()) in plain

    def _is_child(self, call: Call, event: Event) -> bool:
        """Whether the logger carries fields: ``logger.child({job})``."""
        callee = call.callee
        if not isinstance(callee, Member):
            return False
        value = self._context.linker.fold(callee.object, event.scope)
        path = getattr(value, "path", "")
        return isinstance(path, str) and _BOUND.search(path) is not None

    def drops(self, log: Sighting, call: Call, errors: frozenset[str]) -> bool:
        """Pino's ``error('msg', {error})``: what stands behind the message is dropped, unless it has a place for it."""
        if log.description.word("drops_object") is not True or len(call.args) < 2:
            return False
        first = call.args[0].value
        text = first if isinstance(first, Template) else self._context.linker.fold(first, log.event.scope)
        words = (
            text.value
            if isinstance(text, Known)
            else "".join(p for p in getattr(text, "parts", ()) if isinstance(p, str))
        )
        is_text = isinstance(first, Template) or (isinstance(text, Known) and isinstance(text.value, str))
        if not is_text or (isinstance(words, str) and _FORMAT.search(words)):
            return False
        return any(_mentions(a.value, errors) for a in call.args[1:]) and not _mentions(first, errors)


def _handler_of(region: Region, event: Event) -> Handler | None:
    for one in event.regions():
        if one.kind is RegionKind.CATCH and one.node is region.node and isinstance(one.info, Handler):
            return one.info
    node = region.node
    return node.handlers[0] if isinstance(node, Try) and node.handlers else None


def _is_link(enter: Event | None, node: object) -> bool:
    """Whether a function is the handler of a promise chain itself."""
    return (
        enter is not None
        and enter.region is not None
        and enter.region.kind is RegionKind.CATCH
        and enter.region.node is node
    )


def derived(function: Function | None, errors: frozenset[str]) -> frozenset[str]:
    """Names computed from the error: ``const message = error instanceof Error ? error.message : String(error)``."""
    if function is None or not errors:
        return frozenset()
    found: set[str] = set()
    for statement in statements(function.body):
        if (
            isinstance(statement, Assign)
            and statement.value is not None
            and _mentions(statement.value, errors | found)
        ):
            found.update(names_of(statement.target))
    return frozenset(found)


def through(
    frame: Frame, call: Call, errors: frozenset[str], bundles: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """The same names as a called function knows them."""
    function = frame.function
    if function is None:
        return frozenset(), frozenset()
    passed: set[str] = set()
    more: set[str] = set()
    for position, argument in enumerate(call.args):
        if position >= len(function.params):
            break
        names = set(names_of(function.params[position].target))
        value = argument.value
        if _mentions(value, bundles):
            more |= names
        elif _mentions(value, errors):
            (more if isinstance(value, Object) and len(value.entries) > 1 else passed).update(names)
    return frozenset(passed), frozenset(more)


def _mentions(expr: Expr, names: frozenset[str]) -> bool:
    return bool(names) and any(isinstance(e, Name) and e.name in names for e in inside(expr))


def level_of(log: Sighting) -> str:
    """The level of a log line: ``error``, ``warn``, or as written."""
    level = log.description.word("level") or log.text("level_from")
    text = str(level or "error").lower()
    if text in ("error", "err", "exception", "critical", "crit", "fatal", "alert", "emerg", "severe"):
        return "error"
    return "warn" if text.startswith("warn") else text
