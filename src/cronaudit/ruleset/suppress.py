"""Waivers: verdicts that the project knows better, each with a reason, from comments and from the configuration.

A comment waives for the job that it stands at or right above: ``# cronaudit: ignore[LOCK-03] one replica by contract``.
The configuration waives for jobs by pattern, and with the pattern ``service`` for checks on the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.job import Job
from cronaudit.model.result import Suppression
from cronaudit.model.rule import Catalogue, Check
from cronaudit.model.source import Diagnostic, Location
from cronaudit.model.verdict import CheckResult, Status, Verdict
from cronaudit.problems import did_you_mean
from cronaudit.ruleset.rollup import roll_up, service_row

SERVICE = "service"
"""The job of checks on the service, in waivers and in the result."""

_MARK = lazy_regex(r"cronaudit:[ \t]*ignore\b(?:[ \t]*\[(?P<checks>[^\]\n]*)\])?(?P<reason>[^\n]*)")
_EDGES = " \t-\N{EN DASH}\N{EM DASH}:*/#<>"
_SETTLED = {Status.PASS, Status.NOT_APPLICABLE}


class Comment(Struct, frozen=True):
    """A comment of the target, as written or without its marks."""

    path: str
    """POSIX path, relative to the target."""
    line: int
    """First line."""
    text: str


class ConfiguredWaiver(Struct, frozen=True):
    """An entry of the configuration."""

    job: str
    """A pattern over ids, names and display names of jobs, case-sensitive; or ``service``."""
    checks: tuple[str, ...]
    reason: str
    path: str
    """The file of the configuration."""
    line: int


class Suppressed(Struct, frozen=True):
    """Rows after waiving."""

    results: tuple[CheckResult, ...]
    suppressions: tuple[Suppression, ...]
    """What was waived, by place."""
    diagnostics: tuple[Diagnostic, ...]
    """Waivers that are malformed, or that waive nothing."""


class _Waiver(Struct, frozen=True):
    """One check waived for some jobs by one place."""

    place: Location
    check: str
    reason: str
    jobs: frozenset[str]
    """Ids, or ``service``."""


def mentions_waiver(text: str) -> bool:
    """Return whether a text speaks of a waiver at all: a cheap test for whoever collects comments."""
    return "cronaudit:" in text


def suppress(
    results: Sequence[CheckResult],
    catalogue: Catalogue,
    jobs: Sequence[Job],
    comments: Iterable[Comment],
    configured: Iterable[ConfiguredWaiver] = (),
) -> Suppressed:
    """Return the rows with waived verdicts as N/A, outside the roll-up.

    Only a verdict that counts against the pass rate can be waived; a waiver of PASS is unused, and says so. The
    comments are all those of the files that mention a waiver: between it and its job only comments may stand.
    """
    diagnostics: list[Diagnostic] = []
    checks = {check.id: check for check in catalogue.checks}
    waivers = [
        *_from_comments(sorted(comments, key=lambda c: (c.path, c.line)), jobs, checks, diagnostics),
        *_from_configuration(configured, jobs, checks, diagnostics),
    ]
    reasons: dict[tuple[str, str], _Waiver] = {}
    for waiver in waivers:
        for job in waiver.jobs:
            reasons.setdefault((job, waiver.check), waiver)
    applied: dict[tuple[str, str], _Waiver] = {}
    rows = tuple(_waived(row, checks[row.id], jobs, catalogue, reasons, applied) for row in results)
    used = set(applied.values())
    diagnostics += [
        Diagnostic(waiver.place.path, f"line {waiver.place.line}: {_why_unused(waiver, results)}")
        for waiver in waivers
        if waiver not in used
    ]
    suppressions = [
        Suppression(job, check, waiver.reason, waiver.place.path, waiver.place.line)
        for (job, check), waiver in applied.items()
    ]
    return Suppressed(
        rows,
        tuple(sorted(suppressions, key=lambda s: (s.path, s.line, s.job, s.check))),
        tuple(sorted(set(diagnostics))),
    )


def _from_comments(
    comments: Sequence[Comment],
    jobs: Sequence[Job],
    checks: Mapping[str, Check],
    diagnostics: list[Diagnostic],
) -> Iterator[_Waiver]:
    covered = {
        (comment.path, line)
        for comment in comments
        for line in range(comment.line, comment.line + comment.text.count("\n") + 1)
    }
    for comment in comments:
        for mark in _MARK.finditer(comment.text):
            line = comment.line + comment.text.count("\n", 0, mark.start())
            place = Location(comment.path, line)
            if mark["checks"] is None:
                message = f"line {line}: `cronaudit: ignore` without checks: ignore[LOCK-03] reason"
                diagnostics.append(Diagnostic(comment.path, message))
                continue
            named = [name.strip() for name in mark["checks"].split(",") if name.strip()]
            concerned = frozenset(job.id for job in jobs if _stands_at(place, job, covered))
            reason = mark["reason"].strip(_EDGES)
            yield from _waivers(place, named, reason, concerned, checks, diagnostics)


def _from_configuration(
    configured: Iterable[ConfiguredWaiver],
    jobs: Sequence[Job],
    checks: Mapping[str, Check],
    diagnostics: list[Diagnostic],
) -> Iterator[_Waiver]:
    for entry in configured:
        concerned = {
            job.id
            for job in jobs
            if any(fnmatchcase(name, entry.job) for name in (job.id, job.name, job.display_name) if name)
        }
        if entry.job == SERVICE:
            concerned.add(SERVICE)
        place = Location(entry.path, entry.line)
        reason = entry.reason.strip()
        yield from _waivers(place, entry.checks, reason, frozenset(concerned), checks, diagnostics)


def _waivers(
    place: Location,
    named: Sequence[str],
    reason: str,
    jobs: frozenset[str],
    checks: Mapping[str, Check],
    diagnostics: list[Diagnostic],
) -> Iterator[_Waiver]:
    if not reason:
        message = f"line {place.line}: a waiver of {', '.join(named)} needs its reason"
        diagnostics.append(Diagnostic(place.path, message))
        return
    for name in named:
        if name in checks:
            yield _Waiver(place, name, reason, jobs)
        else:
            guess = did_you_mean(name, checks)
            diagnostics.append(
                Diagnostic(place.path, f"line {place.line}: no check '{name}' to waive{guess}")
            )


def _stands_at(place: Location, job: Job, covered: set[tuple[str, int]]) -> bool:
    spots = [job.location] if job.handler is None else [job.location, job.handler.location]
    for spot in spots:
        if spot.path != place.path:
            continue
        if spot.line <= place.line <= (spot.end_line or spot.line):
            return True
        if place.line < spot.line and all(
            (place.path, line) in covered for line in range(place.line, spot.line)
        ):
            return True
    return False


def _waived(
    row: CheckResult,
    check: Check,
    jobs: Sequence[Job],
    catalogue: Catalogue,
    reasons: Mapping[tuple[str, str], _Waiver],
    applied: dict[tuple[str, str], _Waiver],
) -> CheckResult:
    def settle(job: str, verdict: Verdict) -> Verdict:
        waiver = reasons.get((job, check.id))
        if waiver is None or verdict.status in _SETTLED:
            return verdict
        applied[job, check.id] = waiver
        return replace(verdict, status=Status.NOT_APPLICABLE, evidence=f"waived: {waiver.reason}", issue=None)

    if row.service is not None:
        verdict = settle(SERVICE, row.service)
        return row if verdict is row.service else service_row(check, verdict, catalogue.issues)
    by_id = {job.id: job for job in jobs}
    verdicts = [(by_id[judged.job], settle(judged.job, judged.verdict)) for judged in row.jobs]
    if all(verdict is judged.verdict for (_, verdict), judged in zip(verdicts, row.jobs, strict=True)):
        return row
    return roll_up(check, verdicts, catalogue.issues)


def _why_unused(waiver: _Waiver, results: Sequence[CheckResult]) -> str:
    unused = f"waiver of {waiver.check} is unused: "
    row = next(row for row in results if row.id == waiver.check)
    if row.service is not None and waiver.jobs != {SERVICE}:
        return f'{unused}the check is about the service: waive it with job = "service"'
    if not waiver.jobs:
        return f"{unused}it concerns no job"
    return f"{unused}nothing to waive there"
