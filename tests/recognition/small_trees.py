"""The jobs of small trees, as far as discovery, the judgement of timers and liveness tell them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from textwrap import dedent

from cronaudit import audit
from cronaudit.knowledge.matcher import Matcher
from cronaudit.model.ir import Module
from cronaudit.model.options import AuditOptions
from cronaudit.model.value import Closure, Known
from cronaudit.recognition.assemble import display_name, handler_of
from cronaudit.recognition.finding import find
from cronaudit.recognition.jobs import Found
from cronaudit.survey import Survey


@dataclass(frozen=True, slots=True)
class Seen:
    """One job."""

    kind: str
    name: str | None
    schedule: str
    """The expression as written, seconds (``300 s``), or ``open``."""
    zone: str | None
    handler: str | None
    at: str
    live: bool
    reason: str
    shown: str
    """Its display name."""
    runs: str | None
    """The handler that the result names."""
    is_data: bool
    """Whether users' data state the schedule."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What was found in one tree."""

    jobs: tuple[Seen, ...]
    rejected: tuple[str, ...]
    """``path:line reason`` of the places that are none."""

    def rows(self) -> list[tuple[str | None, str, str | None]]:
        """Name, schedule and handler of each."""
        return [(j.name, j.schedule, j.handler) for j in self.jobs]

    def only(self) -> Seen:
        assert len(self.jobs) == 1, (self.rows(), self.rejected)
        return self.jobs[0]


@cache
def matcher() -> Matcher:
    """The knowledge base of the catalogue."""
    return audit._matcher(())


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write the files of a tree."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")


def discover(root: Path, files: Mapping[str, str]) -> Discovered:
    """Find the jobs of a tree of these files, by path and line."""
    write(root, files)
    options = AuditOptions(date(2026, 1, 1))
    survey = Survey(root, ())
    inputs = audit._inputs(survey.tree(), matcher(), options, survey, lambda _what, _done, _total: None)
    found, finder, _service = find(inputs, lambda _done, _total: None)
    jobs = sorted(
        (_seen(f) for f in found),
        key=lambda j: (j.at.rpartition(":")[0], int(j.at.rpartition(":")[2]), j.name or ""),
    )
    return Discovered(
        tuple(jobs),
        tuple(sorted(f"{r.location.path}:{r.location.line} {r.reason}" for r in finder.rejections)),
    )


def _seen(found: Found) -> Seen:
    registration = found.registration
    schedule = registration.timing.schedule
    text = "open"
    if registration.timing.invalid:
        text = f"invalid: {registration.timing.invalid}"
    elif schedule.expression is not None:
        text = schedule.expression
    elif schedule.interval_seconds is not None:
        text = f"{schedule.interval_seconds:g} s"
    elif registration.timing.open is None:
        text = schedule.text
    zone = registration.timezone
    handler = found.context.handler
    return Seen(
        registration.kind,
        registration.name,
        text,
        str(zone.value) if isinstance(zone, Known) else None if zone is None else "open",
        handler.path
        if isinstance(handler, Module)
        else handler.function.symbol
        if isinstance(handler, Closure)
        else None,
        f"{found.location.path}:{found.location.line}",
        found.liveness.is_live,
        found.liveness.reason,
        display_name(found),
        named.symbol if (named := handler_of(found)) is not None else None,
        registration.timing.from_data,
    )
