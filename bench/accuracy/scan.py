"""Runs the tool as a user would and reads the result document that it promises."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 600
AUDITED = frozenset({0, 1, 3})
"""Exit codes with a complete document: the gate holds, it does not, there was no job."""


class ScanError(RuntimeError):
    """The tool did not give a result."""


@dataclass(frozen=True, slots=True)
class FoundJob:
    """A job as the tool reports it."""

    name: str | None
    kind: str
    state: str
    path: str
    line: int
    expression: str | None
    interval_seconds: float | None
    timezone: str | None
    handler_path: str | None
    handler_symbol: str | None

    def __str__(self) -> str:
        return f"{self.name or '(no name)'} [{self.kind}] {self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class FoundVerdict:
    """A row of the report."""

    status: str
    evidence: str
    places: tuple[str, ...]
    by_job: dict[str | None, str] = field(default_factory=dict)
    """Status by the name of the job, for checks of job scope."""
    by_id: dict[str, str] = field(default_factory=dict)
    """The same by the job's id: jobs without a name share none."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the benchmarks read of a result document."""

    jobs: tuple[FoundJob, ...]
    verdicts: dict[str, FoundVerdict]
    summary: dict[str, Any]


def command() -> list[str]:
    """The command line of the environment that runs the benchmark."""
    return [str(Path(sys.executable).with_name("cronaudit"))]


def scan(target: Path) -> dict[str, Any]:
    """Audits a folder; the result document. Raises `ScanError`."""
    done = subprocess.run(
        [*command(), "scan", str(target), "--format", "json", "-o", "-", "--allow-no-jobs"],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    if done.returncode not in AUDITED:
        raise ScanError(f"{target}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise ScanError(f"{target}: no result document: {done.stderr.strip()[-500:]}") from error
    return document


def read(document: dict[str, Any]) -> Found:
    """The parts of a result document that are scored. Raises KeyError where it breaks its promise."""
    names = {job["id"]: job["name"] for job in document["jobs"]}
    return Found(
        jobs=tuple(_job(job) for job in document["jobs"]),
        verdicts={
            check["id"]: FoundVerdict(
                check["status"],
                check["evidence"],
                tuple(f"{place['path']}:{place['line']}" for place in check["locations"]),
                {names[row["job"]]: row["status"] for row in check["jobs"]},
                {row["job"]: row["status"] for row in check["jobs"]},
            )
            for check in document["checks"]
        },
        summary=document["summary"],
    )


def _job(job: dict[str, Any]) -> FoundJob:
    schedule = job["schedule"]
    handler = job["handler"] or {"path": None, "symbol": None}
    return FoundJob(
        name=job["name"],
        kind=job["kind"],
        state=job["state"],
        path=job["location"]["path"],
        line=job["location"]["line"],
        expression=schedule["expression"],
        interval_seconds=schedule["interval_seconds"],
        timezone=schedule["timezone"],
        handler_path=handler["path"],
        handler_symbol=handler["symbol"],
    )
