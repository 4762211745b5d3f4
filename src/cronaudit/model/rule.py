"""The catalogue: checks, issues and sections, as loaded from rules/."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from cronaudit.model.verdict import Severity, Status


class Scope(StrEnum):
    """What a check is decided for."""

    JOB = "job"
    SERVICE = "service"


class Outcome(Struct, frozen=True):
    """One row of a decision table."""

    when: str | None
    """An expression over the facts; None decides always."""
    status: Status
    evidence: str
    """A Jinja2 template over the same facts."""
    at: tuple[str, ...]
    """The facts whose places are the evidence; empty: those of the facts that the condition read."""
    issue: str | None


class Example(Struct, frozen=True):
    """Code that the check finds wrong, and the same code mended."""

    language: str
    """Of the code fences."""
    bad: str
    good: str


class Check(Struct, frozen=True):
    """One check of the catalogue."""

    id: str
    section: str
    """``3.2``."""
    title: str
    why: str
    """Why it matters, in one or two sentences."""
    how: str
    """How it is decided, in words."""
    scope: Scope
    outcomes: tuple[Outcome, ...]
    remediation: str
    """What to do about it, in words."""
    source: str
    """The file that it was loaded from."""
    examples: tuple[Example, ...] = ()


class Remediation(Struct, frozen=True):
    """A snippet that mends an issue."""

    runtime: str
    """``node``, ``python`` or ``any``."""
    language: str
    """Of the code fence."""
    when: str | None
    """An expression over the facts of the first job concerned; None fits always."""
    template: str
    """Jinja2, over the facts, the job and the service."""
    title: str | None = None
    """A heading of its own, where the issue's does not fit the runtime: ``Migrate to BullMQ``."""


class Issue(Struct, frozen=True):
    """A root cause that several checks may share."""

    id: str
    title: str
    """As in the summary table: ``Lock TTL < timeout``."""
    severity: Severity
    remediation_title: str
    """As in the heading of its remediation: ``Fix Lock TTL``."""
    recommendation: str
    """One line."""
    remediations: tuple[Remediation, ...]
    source: str
    """The file that it was loaded from."""
    when: str | None = None
    """An expression over a job's facts: the job raises the issue itself, whatever the checks say of it."""
    state: Literal["live", "dormant"] | None = None
    """The jobs that raise it themselves; with a condition and no state: live ones. With neither a condition nor a
    state only outcomes raise it."""


class Section(Struct, frozen=True):
    """A section of the report."""

    id: str
    titles: tuple[tuple[str, str], ...]
    """Title by runtime; the entry ``any`` fits all."""
    checks: tuple[str, ...]
    """Ids in the order of the rows."""


class Catalogue(Struct, frozen=True):
    """All rules in force."""

    sections: tuple[Section, ...]
    checks: tuple[Check, ...]
    """In the order of the report."""
    issues: tuple[Issue, ...]
    digest: str
    """SHA-256 over the content of all rules in force."""
