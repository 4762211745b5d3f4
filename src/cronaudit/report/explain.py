"""Why a check says what it says, in words."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from cronaudit.model.job import Job
from cronaudit.model.result import AuditResult
from cronaudit.model.rule import Catalogue, Check, Scope
from cronaudit.model.verdict import SeenFact, Status, Verdict
from cronaudit.report.catalogue import raised_by
from cronaudit.report.findings import SERVICE, Findings
from cronaudit.report.text import plain

_WIDTH = 100


def explain_check(catalogue: Catalogue, check: Check) -> str:
    """What the check is, why it is there, how it is decided and what to do."""
    section = next((s for s in catalogue.sections if s.id == check.section), None)
    title = dict(section.titles).get("any", "") if section else ""
    scope = "decided for each job" if check.scope is Scope.JOB else "decided once for the service"
    blocks = [
        f"{check.id}  {check.title}\n{f'{check.section} {title}'.strip()}, {scope}",
        _paragraph("Why", check.why),
        _paragraph("How it is decided", check.how),
        "\n".join(["Outcomes: the first that holds decides", *_outcomes(check)]),
        *([_issues(catalogue, check)] if any(raised_by(check)) else []),
        _paragraph("Remediation", check.remediation),
        f"Source: {check.source}",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def explain_verdicts(result: AuditResult, check: Check, jobs: Sequence[Job]) -> str:
    """How the check was decided here: the outcome that fired, the facts that it saw, the way to them.

    For a check of the service the jobs do not matter.
    """
    findings = Findings(result)
    subjects = [SERVICE] if check.scope is Scope.SERVICE else [job.id for job in jobs]
    return "\n\n".join(_explained(findings, check, subject) for subject in subjects) + "\n"


def _explained(findings: Findings, check: Check, subject: str) -> str:
    verdict, job = findings.verdict(subject, check.id), findings.jobs.get(subject)
    head = f"{check.id} {check.title}: {plain(findings.name(subject))}"
    if verdict is None:
        return f"{head}: not decided" + (f" ({plain(job.state_reason)})" if job else "")
    lines = [f"{head}: {verdict.status}"]
    if verdict.evidence:
        lines.append(f"  {plain(verdict.evidence)}")
    if verdict.location:
        lines.append(f"  at {plain(str(verdict.location))}")
    if verdict.issue:
        lines.append(f"  raises {verdict.issue}")
    if waiver := findings.waiver(subject, check.id):
        lines.append(f"  waived at {plain(f'{waiver.path}:{waiver.line}')}: {plain(waiver.reason)}")
    lines += ["", *_decision(verdict)]
    if verdict.seen:
        lines += ["", *_facts(verdict.seen)]
    if job and not job.walk.complete:
        lines += ["", f"Not followed to its end: {plain(job.walk.reason)}"]
    return "\n".join(lines)


def _paragraph(head: str, prose: str) -> str:
    said = fill(" ".join(prose.split()), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    return f"{head}\n{said}" if said else ""


def _outcomes(check: Check) -> list[str]:
    lines = []
    for position, outcome in enumerate(check.outcomes, start=1):
        condition = f"when {' '.join(outcome.when.split())}" if outcome.when else "otherwise"
        said = [" ".join(outcome.evidence.split()), f"raises {outcome.issue}" if outcome.issue else ""]
        lines.append(f"  {position}. {outcome.status:7}  {condition}")
        lines += [f"{'':14}{line}" for line in said if line]
    return lines


def _issues(catalogue: Catalogue, check: Check) -> str:
    issues = {issue.id: issue for issue in catalogue.issues}
    lines = ["Issues"]
    for name in raised_by(check):
        if issue := issues.get(name):
            lines.append(f"  {issue.id}: {issue.title} ({issue.severity.upper()}, {issue.severity.priority})")
            lines.append(f"    {issue.recommendation}")
    return "\n".join(lines)


def _decision(verdict: Verdict) -> list[str]:
    if verdict.outcome is None:
        reason = (
            "a value that this tree cannot tell"
            if verdict.status is Status.UNKNOWN
            else "no outcome of its table"
        )
        return [f"Decided by {reason}" + (f", needed by: {verdict.when}" if verdict.when else "")]
    condition = f"when {' '.join(verdict.when.split())}" if verdict.when else "no earlier one held"
    return [f"Decided by outcome {verdict.outcome + 1}: {condition}"]


def _facts(seen: Sequence[SeenFact]) -> list[str]:
    lines = ["Facts seen, in order"]
    for fact in seen:
        detail = f"  {plain(fact.detail)}" if fact.detail and fact.detail != fact.value else ""
        lines.append(f"  {fact.name} = {plain(fact.value)}{detail}")
        lines += [f"    at {plain(str(place))}" for place in fact.locations]
        if fact.path:
            lines.append(f"    by way of {' > '.join(plain(step) for step in fact.path)}")
    return lines
