"""What happens when a run takes longer than it should."""

from __future__ import annotations

import re
from typing import Final, Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact
from cronaudit.model.ir import Assign, Break, Call, Expr, If, Member, Name, Operation, Return, Throw
from cronaudit.model.trace import Event, Region, RegionKind
from cronaudit.model.walking import inside, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.hosts import host_of
from cronaudit.recognition.facts.rule_matching import rule_for
from cronaudit.recognition.facts.stubs import ALERT_NAMES, named_stubs
from cronaudit.recognition.sightings import Sighting

Slow = Literal["alert", "rule", "warning", "stub", "none"]

_TOOK: Final = lazy_regex(r"duration|elapsed|took|run_?time|time_?taken|latency|lasted", re.IGNORECASE)
_LIMIT_ONLY: Final = lazy_regex(r"timeout|max|limit|threshold", re.IGNORECASE)
_CLOCKS: Final = frozenset(("now", "time", "monotonic", "perf_counter", "hrtime", "getTime"))
_BEGAN: Final = lazy_regex(r"start|began|begin|^t0$|^before$", re.IGNORECASE)
_COMPARES: Final = frozenset(("<", ">", "<=", ">="))


def slow_of(context: JobContext) -> Fact[Slow]:
    """An alert, a rule, or only a warning."""
    stub = next(
        (
            (e, f)
            for e, f in named_stubs(context, ALERT_NAMES, "alert.send")
            if _under_duration(e) is not None
        ),
        None,
    )
    warning: Sighting | None = None
    for sighting in context.seen("alert.send", "tracker.capture", "http.request", "log"):
        if (
            sighting.effect == "http.request"
            and host_of(sighting, context.service.matcher, "alert.send") is None
        ):
            continue
        test = _under_duration(sighting.event)
        if test is None or sighting.event.inside(RegionKind.CATCH):
            continue
        if sighting.effect != "log":
            return Fact("alert", "Alert on a slow run", (sighting.location,), sighting.path)
        if (sighting.text("level") or "") in ("warn", "error", "fatal"):
            warning = warning or sighting
    rule = rule_for(context, "slow")
    if rule is not None:
        return Fact("rule", f"Alert rule {rule.name}", (rule.location,))
    if warning is not None:
        detail = "Logs warning, stub alert" if stub is not None else "Logs a warning"
        return Fact("warning", detail, (warning.location,), warning.path)
    if stub is not None:
        return Fact("stub", f"{stub[1].name} is a stub", (stub[1].location, stub[0].location), stub[0].path)
    return context.absent("none", "No check on the duration")


def _under_duration(event: Event) -> If | None:
    """The test on the duration of a run whose branch an event stands in."""
    for region in event.regions():
        if region.kind not in (RegionKind.THEN, RegionKind.ELSE) or not isinstance(region.node, If):
            continue
        if _tests_duration(region.node.test, event) and not _is_deadline(region):
            return region.node
    return None


def _is_deadline(region: Region) -> bool:
    """Whether a branch ends the loop that it stands in: it waited long enough for something, the run is not slow."""
    branch = region.node.then if isinstance(region.node, If) and region.kind is RegionKind.THEN else ()
    around = next((r for r in region.outward() if r is not region), None)
    return (
        around is not None
        and around.kind is RegionKind.LOOP
        and bool(branch)
        and isinstance(branch[-1], Return | Throw | Break)
    )


def _tests_duration(test: Expr, event: Event) -> bool:
    for expr in inside(test):
        if not isinstance(expr, Operation) or expr.op not in _COMPARES:
            continue
        if any(_is_duration(operand, event) for operand in expr.operands):
            return True
    return False


def _is_duration(expr: Expr, event: Event) -> bool:
    """``durationMs``, ``Date.now() - startedAt``, or a variable that holds such a difference."""
    name = expr.name if isinstance(expr, Name | Member) else ""
    if name and _TOOK.search(name) and not _LIMIT_ONLY.search(name):
        return True
    if _is_difference(expr):
        return True
    if not name or not isinstance(expr, Name):
        return False
    body = getattr(event.scope.node, "body", ())
    return any(
        isinstance(s, Assign) and isinstance(s.target, Name) and s.target.name == name and s.value is not None
        and _is_difference(s.value)
        for s in statements(body)
    )  # fmt: skip


def _is_difference(expr: Expr) -> bool:
    """The clock minus when it began: not the age of something else."""
    for inner in inside(expr):
        if isinstance(inner, Operation) and inner.op == "-" and len(inner.operands) == 2:
            left, right = inner.operands
            if _reads_clock(left) and _BEGAN.search(_last_name(right)):
                return True
    return False


def _reads_clock(expr: Expr) -> bool:
    return any(isinstance(e, Call) and _last_name(e.callee) in _CLOCKS for e in inside(expr)) or _last_name(expr) in (
        "end", "ended", "endTime", "end_time", "finished", "finishedAt",
    )  # fmt: skip


def _last_name(expr: Expr) -> str:
    return expr.name if isinstance(expr, Name | Member) else ""
