"""The gate: what must hold for the exit code to be 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from cronaudit.model.verdict import Severity
from cronaudit.report.text import listing, plain

if TYPE_CHECKING:  # start-up: the dataclasses of a result cost 30 ms, and not every command has one
    from cronaudit.model.result import AuditResult


class Gates(Struct, frozen=True):
    """What was asked to hold."""

    fail_under: int | None = None
    """Least pass rate, in percent."""
    fail_on: Severity | None = None
    """No issue of this severity or a worse one."""
    fail_on_new: bool = False
    """No finding that the baseline does not know."""


def broken(gates: Gates, result: AuditResult) -> list[str]:
    """Say, a line each, which gates do not hold. Without a job there is nothing that a gate could be about."""
    if not result.jobs:
        return []
    said = []
    rate = result.summary.pass_rate
    if gates.fail_under is not None and result.summary.applicable and rate < gates.fail_under:
        said.append(f"the pass rate is {rate}%, under {gates.fail_under}%")
    if gates.fail_on is not None:
        severities = list(Severity)
        bad = severities[: severities.index(gates.fail_on) + 1]
        titles = [plain(issue.title) for issue in result.summary.issues if issue.severity in bad]
        if titles:
            worse = "" if gates.fail_on is severities[0] else " or worse"
            said.append(f"issues of severity {gates.fail_on}{worse}: {', '.join(titles)}")
    if gates.fail_on_new and result.baseline and result.baseline.new:
        from cronaudit.report.findings import Findings

        findings = Findings(result)
        checks: dict[str, list[str]] = {}
        for job, check in result.baseline.new:
            checks.setdefault(job, []).append(check)
        found = [f"{listing(names, 3)} on {plain(findings.name(job))}" for job, names in checks.items()]
        said.append(f"new since the baseline: {'; '.join(found[:5])}{_more(len(found) - 5)}")
    return said


def _more(jobs: int) -> str:
    return f"; and on {jobs} more" if jobs > 0 else ""
