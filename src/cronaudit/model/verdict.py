"""Statuses and the verdicts of checks."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from cronaudit.model.source import Location


class Status(StrEnum):
    """What a check says."""

    PASS = "PASS"  # noqa: S105 - a status, not a password
    PARTIAL = "PARTIAL"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    NOT_APPLICABLE = "N/A"


class Severity(StrEnum):
    """How bad an issue is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def priority(self) -> str:
        """P0 to P3, as the report writes it."""
        return f"P{list(Severity).index(self)}"


class SeenFact(Struct, frozen=True):
    """A fact that the evaluator read while it decided."""

    name: str
    """``lock.ttl_seconds``."""
    value: str
    detail: str
    locations: tuple[Location, ...]
    path: tuple[str, ...]


class Verdict(Struct, frozen=True):
    """What one check says of one job, or of the service."""

    status: Status
    evidence: str
    location: Location | None
    issue: str | None
    """The issue that the deciding outcome raises."""
    outcome: int | None
    """Which outcome of the table decided, counted from 0; None where an unresolved value decided."""
    when: str | None
    """The deciding condition as written; None for the last, unconditional outcome."""
    seen: tuple[SeenFact, ...]
    """The facts that were read up to the decision, in order."""


class JobVerdict(Struct, frozen=True):
    """A verdict with its job."""

    job: str
    """The id of the job."""
    verdict: Verdict


class CheckResult(Struct, frozen=True):
    """One row of the report."""

    id: str
    section: str
    title: str
    status: Status
    evidence: str
    locations: tuple[Location, ...]
    issue: str | None
    severity: Severity | None
    """Of the issue, where one is raised."""
    jobs: tuple[JobVerdict, ...]
    """For job scope, one each in the order of the inventory; empty for service scope."""
    service: Verdict | None
    """For service scope."""
