"""The result of an audit, from which every report is rendered."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from cronaudit.model.facts import ServiceFacts
from cronaudit.model.job import Job
from cronaudit.model.rule import Catalogue
from cronaudit.model.source import Diagnostic
from cronaudit.model.verdict import CheckResult, Severity


class SectionSummary(Struct, frozen=True):
    """The counts of one section, from its rows."""

    id: str
    title: str
    passed: int
    applicable: int
    runtime: str = "any"
    """Whose table this is: a section that is titled by runtime appears once for each runtime of the jobs."""
    rows: tuple[CheckResult, ...] = ()
    """The rows of this table; where the section is split by runtime, each rolled up over that runtime's jobs."""


class Snippet(Struct, frozen=True):
    """A remediation, filled with the service's own names and values."""

    title: str
    language: str
    code: str


class Novelty(StrEnum):
    """What a baseline says of a finding."""

    NEW = "new"
    KNOWN = "known"


class RaisedIssue(Struct, frozen=True):
    """An issue that at least one outcome raised."""

    id: str
    severity: Severity
    title: str
    checks: tuple[str, ...]
    jobs: tuple[str, ...]
    """Ids of the jobs that raised it; empty where the service did."""
    recommendation: str
    snippets: tuple[Snippet, ...]


class BaselineComparison(Struct, frozen=True):
    """Findings against a baseline. A finding is a job (or the service) and a check that is not PASS, N/A or UNKNOWN."""

    new: tuple[tuple[str, str], ...]
    """(job id or "service", check id)."""
    known: tuple[tuple[str, str], ...]
    fixed: tuple[tuple[str, str], ...]


class Suppression(Struct, frozen=True):
    """A verdict that the project waived, with its reason."""

    job: str
    """Job id or "service"."""
    check: str
    reason: str
    path: str
    line: int


class Summary(Struct, frozen=True):
    """Counts over all rows."""

    passed: int
    partial: int
    failed: int
    unknown: int
    not_applicable: int
    applicable: int
    pass_rate: int
    """Whole percent, rounded half up; 0 where nothing is applicable."""
    sections: tuple[SectionSummary, ...]
    issues: tuple[RaisedIssue, ...]
    """By severity, then in the order of the catalogue."""


class Target(Struct, frozen=True):
    """What was audited."""

    path: str
    """As given on the command line, without the part above the working directory."""
    name: str
    """From the manifest, else the folder."""
    runtimes: tuple[str, ...]


class AuditResult(Struct, frozen=True):
    """Everything that a report may say."""

    version: str
    """Of the tool."""
    date: str
    """ISO date of the report."""
    target: Target
    catalogue: Catalogue
    summary: Summary
    jobs: tuple[Job, ...]
    """Live ones first, each by path and line."""
    checks: tuple[CheckResult, ...]
    service: ServiceFacts
    baseline: BaselineComparison | None
    suppressions: tuple[Suppression, ...]
    diagnostics: tuple[Diagnostic, ...]
