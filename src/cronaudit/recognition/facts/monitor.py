"""``monitor``: the external service that expects a signal from each run."""

from __future__ import annotations

import re
from typing import Final, Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, MonitorFacts, Unresolved
from cronaudit.model.ir import Member, Name
from cronaudit.model.source import Location
from cronaudit.model.trace import RegionKind
from cronaudit.model.walking import inside
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.facts.declared import DeclaredMonitor, monitor_for
from cronaudit.recognition.facts.elsewhere import service_sightings
from cronaudit.recognition.facts.failure_paths import catches, share_of
from cronaudit.recognition.facts.hosts import texts
from cronaudit.recognition.facts.rule_matching import rule_for
from cronaudit.recognition.facts.signals import Phase, Signal, signals_of
from cronaudit.recognition.facts.spans import work_of
from cronaudit.recognition.facts.stubs import ALERT_NAMES, named_stubs
from cronaudit.recognition.sightings import Sighting

Told = Literal["signal", "stub", "none"]

_PING_NAMES: Final = lazy_regex(
    r"ping|heart_?beat|check_?in|healthcheck|monitor(?:ing)?_?(?:start|success|fail|run|job)|signal_?(?:start|success)",
    re.IGNORECASE,
)
"""Names of a project's own functions that would tell a monitor."""
_MONITOR_URL: Final = lazy_regex(
    r"(?:heart_?beat|ping|health_?checks?|dead_?man|snitch|check_?in|cronitor|monitor(?:ing)?)_?(?:url|uri|endpoint|address|link)",
    re.IGNORECASE,
)
"""Names of variables that hold the address of a monitor."""
_LATER: Final = (RegionKind.CATCH, RegionKind.FINALLY)


@once
def build(context: JobContext) -> MonitorFacts:
    """What an external monitor learns of a job's runs."""
    signals = signals_of(context)
    instrument = _instrument(context)
    unclear = _unclear(context) if not signals and instrument is None else None
    names = (context.registration.name or "", *(s.name or "" for s in signals))
    declared = monitor_for(context, names)
    rule = rule_for(context, "missed")
    phases: dict[Phase, Fact[Told]] = {
        "start": _phase(context, signals, instrument, "start"),
        "completion": _phase(context, signals, instrument, "completion"),
        "failure": _phase(context, signals, instrument, "failure"),
    }
    service: Fact[str | None]
    if signals:
        first = signals[0]
        service = Fact(first.service, first.service, (first.source, first.location), first.path)
    elif instrument is not None:
        name = str(instrument.description.word("service") or instrument.library)
        service = Fact(name, name, (instrument.location,))
    elif (trait := context.trait("monitor.service")) is not None:
        service = Fact(str(trait), str(trait), (context.site,))
    elif declared is not None:
        service = Fact(
            declared.service, f"{declared.service} check '{declared.names[0]}'", (declared.location,)
        )
    elif rule is not None:
        service = Fact("Prometheus", f"Alert rule {rule.name}", (rule.location,))
    else:
        service = _no_service(context)
        if unclear is not None:
            service = Fact(unclear, "", service.locations)
    if unclear is not None:
        phases = {k: v if v.value == "signal" else Fact(unclear, "", v.locations) for k, v in phases.items()}
    is_there = isinstance(service.value, str)
    return MonitorFacts(
        service=service,
        start=phases["start"],
        completion=phases["completion"],
        failure=phases["failure"],
        grace=_grace(context, signals, instrument, declared, is_there=is_there),
        missed=_missed(context, signals, instrument, declared),
    )


def _instrument(context: JobContext) -> Sighting | None:
    """What makes the scheduler tell a monitor about every job, in the process of this one."""
    family = re.split(r"[-_]", context.registration.kind)[0]
    for sighting in service_sightings(context.service, "monitor.instrument"):
        path = sighting.view.path
        if ":" in path:
            # An instrumented scheduler is used like the library itself: only what is registered with it is watched.
            if context.registration.call.path.startswith(path):
                return sighting
        elif family in path.lower():
            return sighting
    return None


def _unclear(context: JobContext) -> Unresolved | None:
    """A request whose address is not known, but is called that of a monitor."""
    for sighting in context.seen("http.request"):
        url = sighting.param("url")
        call = sighting.event.call
        if url is None or call is None or not call.args or any(not t.startswith("${") for t in texts(url)):
            continue
        for expr in inside(call.args[0].value):
            if isinstance(expr, Name | Member) and _MONITOR_URL.search(expr.name):
                return Unresolved(f"the address {expr.name} of a ping is not resolved", sighting.location)
    return None


def _phase(
    context: JobContext, signals: tuple[Signal, ...], instrument: Sighting | None, phase: Phase
) -> Fact[Told]:
    for signal in signals:
        if phase in signal.phases:
            return Fact("signal", signal.detail, (signal.location, signal.source), signal.path)
    if instrument is not None:
        name = instrument.description.word("service") or instrument.library
        return Fact("signal", f"{name} checks every job in", (instrument.location,))
    if context.trait(f"monitor.{phase}") == "signal":
        return Fact("signal", str(context.trait("monitor.service") or ""), (context.site,))
    stub = _stub(context, phase)
    if stub is not None:
        return stub
    if any(not s.phases for s in signals) and phase == "failure":
        unclear = next(s for s in signals if not s.phases)
        return Fact("none", f"{unclear.service} is called, but not told of a failure", (unclear.location,))
    fact: Fact[Told] = context.absent("none", _MISSING[phase] if not signals else "")
    return Fact(fact.value, fact.detail, fact.locations or _log_at(context, phase), fact.path)


_MISSING: Final[dict[Phase, str]] = {
    "start": "Logs only, no external ping",
    "completion": "No external monitoring",
    "failure": "No external monitoring",
}


def _stub(context: JobContext, phase: Phase) -> Fact[Told] | None:
    """A function of the project that is named for the signal and does nothing."""
    names = ALERT_NAMES if phase == "failure" else _PING_NAMES
    effect = "alert.send" if phase == "failure" else "monitor.ping"
    work = [e.order for e in work_of(context)]
    for event, function in named_stubs(context, names, effect):
        on_error = event.inside(RegionKind.CATCH)
        late = not work or event.order > work[0]
        if on_error is (phase == "failure") and (phase == "failure" or late is (phase == "completion")):
            return Fact("stub", f"{function.name} is a stub", (function.location, event.location), event.path)
    return None


def _log_at(context: JobContext, phase: Phase) -> tuple[Location, ...]:
    """The log line that stands where the signal would."""
    logs = [s for s in context.seen("log") if "info" in (s.text("level") or "info")]
    plain = [s for s in logs if not any(s.event.inside(kind) for kind in _LATER)]
    if phase == "failure":
        handlers = catches(context)
        plain = [s for s in context.seen("log") if share_of(s.event, handlers) > 0.5]
    work = [e.order for e in work_of(context)]
    if phase == "completion":
        plain = [s for s in plain if not work or s.event.order > work[-1]][::-1]
    elif phase == "start":
        plain = [s for s in plain if not work or s.event.order < work[0]]
    return (plain[0].location,) if plain else ()


def _no_service(context: JobContext) -> Fact[str | None]:
    stub = next(
        ((e, f) for e, f in named_stubs(context, ALERT_NAMES, "alert.send") if e.inside(RegionKind.CATCH)),
        None,
    )
    fact: Fact[str | None] = context.absent(None, "No external monitoring")
    if stub is not None and not isinstance(fact.value, Unresolved):
        return Fact(None, "All internal stubs", (stub[1].location,), stub[0].path)
    if context.seen("metric.observe", "metric.count") and not isinstance(fact.value, Unresolved):
        return Fact(None, "Metrics without an alert rule", (context.seen("metric.*")[0].location,))
    return fact


def _grace(
    context: JobContext,
    signals: tuple[Signal, ...],
    instrument: Sighting | None,
    declared: DeclaredMonitor | None,
    *,
    is_there: bool,
) -> Fact[Literal["declared", "elsewhere", "none"]]:
    for signal in signals:
        if signal.grace:
            return Fact("declared", f"Margin in the call to {signal.service}", (signal.source,), signal.path)
    if declared is not None and declared.grace is not None:
        return Fact("declared", f"Grace of the {declared.service} check", (declared.grace,))
    if instrument is not None and (instrument.param("grace") or instrument.param("max_runtime")) is not None:
        return Fact("declared", "Margin at the instrumentation", (instrument.location,))
    if context.trait("monitor.grace") in ("declared", "elsewhere"):
        return Fact(
            "declared" if context.trait("monitor.grace") == "declared" else "elsewhere", "", (context.site,)
        )
    if is_there:
        at = (
            signals[0].source
            if signals
            else (instrument.location if instrument is not None else context.site)
        )
        return Fact("elsewhere", "Set at the monitor, not in the tree", (at,))
    return context.absent("none", "No external monitoring")


def _missed(
    context: JobContext,
    signals: tuple[Signal, ...],
    instrument: Sighting | None,
    declared: DeclaredMonitor | None,
) -> Fact[Literal["schedule", "rule", "ping", "none"]]:
    rule = rule_for(context, "missed")
    if rule is not None:
        return Fact("rule", f"Alert rule {rule.name}", (rule.location,))
    told = [s for s in signals if s.phases]
    for signal in told:
        if signal.schedule:
            return Fact("schedule", f"{signal.service} is told the schedule", (signal.source,), signal.path)
    if declared is not None and declared.schedule is not None and (told or instrument is not None):
        return Fact("schedule", f"{declared.service} knows the schedule", (declared.schedule,))
    if instrument is not None and instrument.param("schedule") is not None:
        name = instrument.description.word("service") or instrument.library
        return Fact("schedule", f"{name} takes the schedule over", (instrument.location,))
    if context.trait("monitor.missed") == "schedule":
        return Fact("schedule", "", (context.site,))
    beats = [s for s in told if "completion" in s.phases or "start" in s.phases]
    if beats:
        return Fact("ping", "Dead-man ping without a schedule", (beats[0].location,), beats[0].path)
    return context.absent("none", "No detection")
