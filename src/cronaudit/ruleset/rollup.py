"""Rolls the verdicts of jobs up into one row, and says in its evidence who is behind it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cronaudit.model.job import Job
from cronaudit.model.rule import Check, Issue
from cronaudit.model.source import Location
from cronaudit.model.verdict import CheckResult, JobVerdict, Severity, Status, Verdict

NO_LIVE_JOB = "No live job"
_NAMED = 3
"""So many offenders are named; the report lists the jobs of each check anyway."""
_WORST_FIRST = (Status.FAIL, Status.PARTIAL, Status.UNKNOWN, Status.PASS)
_LEADING = (Status.PARTIAL, Status.FAIL, Status.UNKNOWN)
_PLAIN_WORDS = {"No", "None", "Not", "Nothing", "Never", "Only", "Neither", "Own", "Same", "Logs", "Without"}
"""First words that lose their capital inside a sentence; any other may be a name (Redis, BullMQ)."""

JobsVerdicts = Sequence[tuple[Job, Verdict]]


class _Group(Struct, frozen=True):
    """Jobs of which the check says the same."""

    status: Status
    evidence: str
    members: JobsVerdicts


def roll_up(check: Check, verdicts: JobsVerdicts, issues: Sequence[Issue]) -> CheckResult:
    """Return the row of a job-scope check: all PASS, FAIL or UNKNOWN as they are, anything mixed PARTIAL.

    Jobs for which it is N/A are left out; ``issues`` are in the order of severity, and the worst that was raised is the
    row's.
    """
    in_scope = [(job, verdict) for job, verdict in verdicts if verdict.status is not Status.NOT_APPLICABLE]
    raised = {verdict.issue for _, verdict in in_scope}
    issue, severity = _worst(raised, issues)
    offenders = [
        pair for worst in _WORST_FIRST[:-1] for pair in in_scope if pair[1].status is worst
    ] or in_scope
    return CheckResult(
        id=check.id,
        section=check.section,
        title=check.title,
        status=_status({verdict.status for _, verdict in in_scope}),
        evidence=_evidence(in_scope or verdicts),
        locations=tuple(dict.fromkeys(v.location for _, v in offenders if v.location is not None)),
        issue=issue,
        severity=severity,
        jobs=tuple(JobVerdict(job.id, verdict) for job, verdict in verdicts),
        service=None,
    )


def service_row(check: Check, verdict: Verdict, issues: Sequence[Issue]) -> CheckResult:
    """Return the row of a service-scope check."""
    issue, severity = _worst({verdict.issue}, issues)
    return CheckResult(
        id=check.id,
        section=check.section,
        title=check.title,
        status=verdict.status,
        evidence=verdict.evidence,
        locations=() if verdict.location is None else (verdict.location,),
        issue=issue,
        severity=severity,
        jobs=(),
        service=verdict,
    )


def _status(statuses: set[Status]) -> Status:
    if not statuses:
        return Status.NOT_APPLICABLE
    # UNKNOWN counts as not passed: beside nothing but FAIL it shows no part of what is asked.
    if statuses == {Status.FAIL, Status.UNKNOWN}:
        return Status.FAIL
    return next(iter(statuses)) if len(statuses) == 1 else Status.PARTIAL


def _worst(raised: set[str | None], issues: Sequence[Issue]) -> tuple[str | None, Severity | None]:
    for issue in issues:
        if issue.id in raised:
            return issue.id, issue.severity
    return None, None


def _evidence(verdicts: JobsVerdicts) -> str:
    groups: dict[tuple[Status, str], list[tuple[Job, Verdict]]] = {}
    for job, verdict in verdicts:
        groups.setdefault((verdict.status, verdict.evidence), []).append((job, verdict))
    alike = [_Group(status, evidence, members) for (status, evidence), members in groups.items()]
    if not alike:
        return NO_LIVE_JOB
    if len(alike) == 1:
        return alike[0].evidence
    # sorted() is stable: what is equally frequent stays in the order of the inventory.
    alike.sort(key=lambda group: -len(group.members))
    if len({group.status for group in alike}) == 1:
        return _of_one_status(alike, len(verdicts))
    return _mixed(alike, len(verdicts))


def _of_one_status(groups: Sequence[_Group], total: int) -> str:
    first, *others = groups
    count = len(first.members)
    if count == 1:
        return f"{first.evidence} (+{total - 1} more)"
    text = f"{first.evidence} ({count}/{total} jobs)"
    if len(others) > 1 or len(others[0].members) > 1:
        return f"{text}; +{total - count} more"
    return f"{text}; {_inside(others[0].evidence)} on {_name(others[0].members[0])}"


def _mixed(groups: Sequence[_Group], total: int) -> str:
    passed = sum(len(group.members) for group in groups if group.status is Status.PASS)
    rest = sorted(groups, key=lambda group: _WORST_FIRST.index(group.status))
    if passed:
        parts = [f"{passed}/{total} jobs"]
        rest = [group for group in rest if group.status is not Status.PASS]
    else:
        lead = min(groups, key=lambda group: _LEADING.index(group.status))
        parts = [f"{lead.evidence} ({len(lead.members)}/{total} jobs)"]
        rest.remove(lead)
    room = _NAMED
    other = 0
    for group in rest:
        named = [_name(member) for member in group.members[:room]]
        room -= len(named)
        more = len(group.members) - len(named)
        if not named:
            other += more
        else:
            parts.append(_about(group, ", ".join([*named, *([f"+{more} more"] if more else [])])))
    if other:
        parts.append(f"+{other} other{'s' if other > 1 else ''}")
    return "; ".join(parts)


def _about(group: _Group, names: str) -> str:
    if group.status is Status.UNKNOWN:
        return f"unknown on {names}: {_inside(group.evidence)}"
    return f"{_inside(group.evidence)} on {names}"


def _inside(evidence: str) -> str:
    first = evidence.partition(" ")[0]
    return evidence[0].lower() + evidence[1:] if first.rstrip(",:") in _PLAIN_WORDS else evidence


def _name(member: tuple[Job, Verdict]) -> str:
    job, verdict = member
    place: Location = verdict.location or job.location
    return job.display_name if job.display_name == str(place) else f"{job.display_name} ({place})"
