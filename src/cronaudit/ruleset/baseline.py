"""The baseline: findings that a project knows of, so that a gate can fail on new ones only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from msgspec import Struct

from cronaudit.model.result import BaselineComparison
from cronaudit.model.verdict import CheckResult, Status

SCHEMA_VERSION = 1
SERVICE = "service"
"""Stands for the job in findings of service scope."""
_FINDINGS = (Status.PARTIAL, Status.FAIL)
"""Better first."""

Key = tuple[str, str]
"""(job id or "service", check id)."""


class BaselineError(Exception):
    """A baseline that cannot be compared with."""


class Baseline(Struct, frozen=True):
    """The findings of an earlier audit."""

    findings: Mapping[Key, Status]


def render_baseline(results: Sequence[CheckResult]) -> str:
    """Return the findings of an audit as the text of a baseline file, sorted, with a final newline."""
    found = sorted((key, status) for key, status in _statuses(results).items() if status in _FINDINGS)
    findings = [{"job": job, "check": check, "status": str(status)} for (job, check), status in found]
    document = {"schema_version": SCHEMA_VERSION, "tool": "cronaudit", "findings": findings}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_baseline(text: str) -> Baseline:
    """Return the baseline that a file holds. Raises BaselineError with what is wrong with it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"not JSON: {error}") from error
    if not isinstance(document, dict) or "findings" not in document:
        raise BaselineError("not a baseline: no findings")
    if (version := document.get("schema_version")) != SCHEMA_VERSION:
        raise BaselineError(f"schema version {version!r}, this tool reads {SCHEMA_VERSION}: write it anew")
    if not isinstance(document["findings"], list):
        raise BaselineError("findings must be a list")
    return Baseline(
        dict(_finding(number, entry) for number, entry in enumerate(document["findings"], start=1))
    )


def compare(results: Sequence[CheckResult], baseline: Baseline) -> BaselineComparison:
    """Return the findings that are new, known and fixed, each sorted.

    A finding that got worse (PARTIAL to FAIL) is new. One that can no longer be decided is not new, and not fixed.
    """
    now = _statuses(results)
    new: list[Key] = []
    known: list[Key] = []
    for key, status in sorted(now.items()):
        if status in _FINDINGS:
            before = baseline.findings.get(key)
            worse = before is None or _FINDINGS.index(status) > _FINDINGS.index(before)
            (new if worse else known).append(key)
    solved = {Status.PASS, Status.NOT_APPLICABLE}
    fixed = sorted(key for key in baseline.findings if now.get(key, Status.PASS) in solved)
    return BaselineComparison(tuple(new), tuple(known), tuple(fixed))


def _statuses(results: Sequence[CheckResult]) -> dict[Key, Status]:
    found = {}
    for row in results:
        if row.service is not None:
            found[SERVICE, row.id] = row.service.status
        for judged in row.jobs:
            found[judged.job, row.id] = judged.verdict.status
    return found


def _finding(number: int, entry: object) -> tuple[Key, Status]:
    match entry:
        case {"job": str(job), "check": str(check), "status": "PARTIAL" | "FAIL" as status}:
            return (job, check), Status(status)
    raise BaselineError(f"finding {number} needs `job`, `check` and `status` (PARTIAL or FAIL)")
