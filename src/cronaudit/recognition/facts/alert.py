"""``alert``: who is told of a failed or slow run."""

from __future__ import annotations

from typing import Literal

from cronaudit.model.facts import AlertFacts, Fact, Unresolved
from cronaudit.model.trace import RegionKind
from cronaudit.model.value import Closure
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.facts.elsewhere import process_files, service_sightings
from cronaudit.recognition.facts.failure_paths import Hook, catches, hooks, share_of, swallowed
from cronaudit.recognition.facts.hosts import host_of
from cronaudit.recognition.facts.replays import occurrences
from cronaudit.recognition.facts.rule_matching import rule_for
from cronaudit.recognition.facts.slow_runs import slow_of
from cronaudit.recognition.facts.stubs import ALERT_NAMES, named_stubs
from cronaudit.recognition.sightings import Sighting

Handled = Literal["explicit", "global", "stub", "none"]
_TELLING = ("tracker.capture", "alert.send")
_MOST_OF_IT = 0.5
"""A handler around less of the work than this tells only of a part."""


@once
def build(context: JobContext) -> AlertFacts:
    """What reaches people."""
    handler = _handler(context)
    return AlertFacts(failure=_failure(context, handler), handler=handler, slow=slow_of(context))


def _failure(
    context: JobContext, handler: Fact[Handled]
) -> Fact[Literal["explicit", "rule", "global", "stub", "none"]]:
    if handler.value != "explicit":
        rule = rule_for(context, "failure")
        if rule is not None:
            return Fact("rule", f"Alert rule {rule.name}", (rule.location,))
    return Fact(handler.value, handler.detail, handler.locations, handler.path)


def _handler(context: JobContext) -> Fact[Handled]:
    handlers = catches(context)
    partly: Fact[Handled] | None = None
    for occurrence in occurrences(context, *_TELLING, "http.request"):
        sighting = occurrence.sighting
        if (
            sighting.effect == "http.request"
            and host_of(sighting, context.service.matcher, "alert.send") is None
        ):
            continue
        if not sighting.event.inside(RegionKind.CATCH):
            continue
        places = tuple(dict.fromkeys((occurrence.place_in(_trunk(context)), sighting.location)))
        fact: Fact[Handled] = Fact("explicit", _words(sighting, context), places, sighting.path)
        share = share_of(sighting.event, handlers)
        if share > _MOST_OF_IT:
            return fact
        if share > 0:
            partly = partly or fact
    for hook in hooks(context):
        told = _told(hook, context)
        if told is not None:
            return Fact(
                "explicit", f"{_words(told, context)} in the failure handler", (told.location, hook.location)
            )
    everything = _global(context)
    if everything is not None:
        return everything
    if partly is not None:
        return Fact("global", f"{partly.detail}, for a part of the work only", partly.locations, partly.path)
    stub = next(
        ((e, f) for e, f in named_stubs(context, ALERT_NAMES, "alert.send") if e.inside(RegionKind.CATCH)),
        None,
    )
    if stub is not None:
        event, function = stub
        return Fact("stub", f"{function.name} is a stub", (function.location, event.location), event.path)
    absent: Fact[Handled] = context.absent("none", "No alert on failure")
    if isinstance(absent.value, Unresolved):
        return absent
    logs = [s.location for s in context.seen("log") if share_of(s.event, handlers) > _MOST_OF_IT]
    return Fact("none", "Errors are only logged" if logs else "No alert on failure", tuple(logs[:1]))


def _global(context: JobContext) -> Fact[Handled] | None:
    """An error tracker that sees what gets out of the run."""
    keeper = swallowed(catches(context))
    files = process_files(context)
    for sighting in service_sightings(context.service, "tracker.init"):
        path = sighting.location.path
        if path not in files and not path.endswith(".py"):
            # Django and Celery load their settings by name, so that no import leads there.
            continue
        name = str(sighting.description.word("service") or sighting.library)
        if keeper is not None:
            if path.endswith(".py") and _logs_error(context):
                return Fact("global", f"{name} takes what is logged as an error", (sighting.location,))
            continue
        return Fact("global", f"{name} catches everything, nothing job-specific", (sighting.location,))
    return _last_resort(context, files) if keeper is None else None


def _last_resort(context: JobContext, files: frozenset[str]) -> Fact[Handled] | None:
    """``process.on('unhandledRejection', capture)``: the project's own handler of what nobody catches."""
    for sighting in service_sightings(context.service, "error.global"):
        handler = sighting.param("handler")
        if sighting.location.path not in files or not isinstance(handler, Closure):
            continue
        trace = context.linker.walk(handler)
        if _told(Hook(sighting.location, context.service.reader.read(trace)), context) is not None:
            return Fact("global", "The handler of uncaught errors alerts", (sighting.location,))
    return None


def _logs_error(context: JobContext) -> bool:
    return any(
        s.event.inside(RegionKind.CATCH) and (s.text("level") or "") in ("error", "fatal")
        for s in context.seen("log")
    )


def _told(hook: Hook, context: JobContext) -> Sighting | None:
    for sighting in hook.sightings:
        if sighting.effect in _TELLING:
            return sighting
        if (
            sighting.effect == "http.request"
            and host_of(sighting, context.service.matcher, "alert.send") is not None
        ):
            return sighting
    return None


def _words(sighting: Sighting, context: JobContext) -> str:
    if sighting.effect == "http.request":
        host = host_of(sighting, context.service.matcher, "alert.send")
        return f"Alert to {host.service}" if host is not None else "Alert"
    service = sighting.description.word("service") or sighting.text("service")
    verb = sighting.view.path.rsplit(".", 1)[-1].rsplit(":", 1)[-1].removesuffix("()")
    if sighting.effect == "alert.send":
        return f"Alert to {service or sighting.library}"
    return f"{service}.{verb}" if service and verb else str(service or verb or sighting.library)


def _trunk(context: JobContext) -> tuple[str, ...]:
    """The path to the innermost call of the walk's longest chain: what a capture on the way is shown beside."""
    return max((e.path for e in context.trace.events), key=len, default=())
