"""What an audit is asked, and what it hands back: the seam between the command line and the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:  # start-up: the dataclasses of a result cost 30 ms, and not every command has one
    from cronaudit.model.placement import Placement
    from cronaudit.model.result import AuditResult
    from cronaudit.model.source import SourceTree


class ConfigurationError(Exception):
    """The configuration, the catalogue or a baseline is wrong. The message names file and line; the exit code is 2."""


class Waiver(Struct, frozen=True):
    """Findings that the configuration waives."""

    job: str
    """A pattern over ids and names of jobs; or ``service``."""
    checks: tuple[str, ...]
    reason: str
    path: str
    """The file of the configuration, relative to the target where it lies inside."""
    line: int


class AuditOptions(Struct, frozen=True):
    """How to audit."""

    date: date
    """Date of the report, and start of every look-ahead: the pipeline reads no clock."""
    rules: tuple[Path, ...] = ()
    """Folders with own checks, issues and libraries; a later one wins over an earlier one and over ours."""
    job_globs: tuple[str, ...] = ()
    """Audit only jobs whose name or id fits one of these; empty: all."""
    baseline: Path | None = None
    """Findings accepted on an earlier day, as `cronaudit scan --write-baseline` wrote them."""
    waivers: tuple[Waiver, ...] = ()
    processes: int = 1
    """How many processes may share the work."""
    on_progress: Callable[[str, int, int], None] | None = None
    """Called with what is being done, how much is done, and how much there is (0: not known yet)."""
    overlay: Mapping[str, bytes] = {}
    """Contents that stand in for those of files, by path relative to the target: an edit is audited before anybody
    writes it."""


class Trace(Protocol):
    """What the stages saw, kept for `cronaudit explain` and `cronaudit fix`."""

    @property
    def tree(self) -> SourceTree:
        """The target as it was read."""

    def explain_place(self, path: str, line: int) -> list[str]:
        """Say, a line of text each, why that place is, or is not, a job. The path is relative to the target."""
        ...

    def placements(self) -> Mapping[str, tuple[Placement, ...]]:
        """Where each job is stated, by its id."""
        ...


class AuditOutcome(Struct, frozen=True):
    """What an audit hands back."""

    result: AuditResult
    trace: Trace
    errors: tuple[str, ...] = ()
    """Tracebacks of internal errors that cost a part of the result, not all of it. The exit code is 4."""
