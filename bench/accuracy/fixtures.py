"""`python -m bench.accuracy.fixtures`: the project's own fixtures against what is expected of them.

Beside a fixture `tests/fixtures/<name>` stands `<name>.expected.yaml`: its jobs and the statuses of its checks, where
they differ by job under the job's name, or under its id where the code gives it no name.
Those that floors.yaml lists as exact must agree in everything; the others are shown.

Exit codes: 0 the exact ones are exact; 1 they are not; 2 there is nothing to compare.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.accuracy.scan import Found, FoundJob, ScanError, read, scan
from bench.accuracy.schedules import normalise_cron

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
FLOORS = Path(__file__).parent / "floors.yaml"


@dataclass(frozen=True, slots=True)
class FixtureScore:
    """How one fixture compares."""

    name: str
    jobs: int
    checks: int
    problems: tuple[str, ...]


def main() -> int:
    exact = set(yaml.safe_load(FLOORS.read_text(encoding="utf-8"))["fixtures"]["exact"])
    scores = [compare(path) for path in sorted(FIXTURES.glob("*.expected.yaml"))]
    missing = exact - {score.name for score in scores}
    failing = [score for score in scores if score.name in exact and score.problems]
    for score in scores:
        kind = "exact" if score.name in exact else "shown"
        print(
            f"{score.name} ({kind}): {score.jobs} jobs, {score.checks} checks, {len(score.problems)} differences"
        )
        for problem in score.problems:
            print(f"  {problem}")
    for name in sorted(missing):
        print(f"{name}: floors.yaml wants it exact, but {name}.expected.yaml is not there", file=sys.stderr)
    if not scores:
        return 2
    return 1 if failing or missing else 0


def compare(path: Path) -> FixtureScore:
    """Scans the fixture of an expectation and lists what differs."""
    name = path.name.removesuffix(".expected.yaml")
    expected = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs: list[dict[str, Any]] = expected.get("jobs") or []
    checks: dict[str, dict[str, Any]] = expected.get("checks") or {}
    try:
        found = read(scan(path.parent / name))
    except (ScanError, KeyError) as error:
        return FixtureScore(name, len(jobs), len(checks), (f"no result: {error!r}",))
    problems = (
        *_job_problems(jobs, found.jobs),
        *_check_problems(checks, found),
        *_summary_problems(expected, found),
    )
    return FixtureScore(name, len(jobs), len(checks), problems)


def _job_problems(expected: list[dict[str, Any]], found: tuple[FoundJob, ...]) -> list[str]:
    problems = []
    left = list(found)
    for job in expected:
        places = {f"{job['path']}:{job['line']}", *job.get("alt_lines", ())}
        match = next((f for f in left if f.name == job["name"] and f"{f.path}:{f.line}" in places), None)
        if match is None:
            problems.append(f"missed job {job['name']} at {job['path']}:{job['line']}")
            continue
        left.remove(match)
        problems += [f"job {job['name']}: {problem}" for problem in _differences(job, match)]
    return problems + [f"false job {job}" for job in left]


def _differences(job: dict[str, Any], found: FoundJob) -> Iterator[str]:
    for field in ("kind", "state", "timezone", "interval_seconds"):
        if field in job and getattr(found, field) != job[field]:
            yield f"expected {field} {job[field]}, got {getattr(found, field)}"
    if "expression" in job and _cron(found.expression) != _cron(job["expression"]):
        yield f"expected {job['expression']}, got {found.expression}"
    handler = job.get("handler")
    if handler and (found.handler_path, found.handler_symbol) != (handler["path"], handler["symbol"]):
        yield f"expected handler {handler['path']}:{handler['symbol']}, got {found.handler_path}:{found.handler_symbol}"


def _cron(expression: str | None) -> str | None:
    return expression and normalise_cron(expression)


def _check_problems(expected: dict[str, dict[str, Any]], found: Found) -> Iterator[str]:
    for check, row in expected.items():
        verdict = found.verdicts.get(check)
        if verdict is None:
            yield f"{check}: no row"
            continue
        if verdict.status != row["status"]:
            yield f"{check}: expected {row['status']} ({row['evidence']}), got {verdict.status}: {verdict.evidence}"
        for job, status in (row.get("jobs") or {}).items():
            got = verdict.by_job.get(job) or verdict.by_id.get(job)
            if got != status:
                yield f"{check} of {job}: expected {status}, got {got}"
    for check in sorted(found.verdicts.keys() - expected.keys()):
        yield f"{check}: a row that nobody expects"


def _summary_problems(expected: dict[str, Any], found: Found) -> Iterator[str]:
    for name, count in (expected.get("summary") or {}).items():
        if found.summary[name] != count:
            yield f"summary: expected {name} {count}, got {found.summary[name]}"
    raised = {issue["title"] for issue in found.summary["issues"]}
    for title in expected.get("issues") or ():
        if title not in raised:
            yield f"issue not raised: {title}"


if __name__ == "__main__":
    sys.exit(main())
