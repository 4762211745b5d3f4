"""The summary: counts, the tables of the report, and the issues with their remedies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from cronaudit.model.facts import ServiceFacts
from cronaudit.model.job import Job, JobState
from cronaudit.model.result import RaisedIssue, SectionSummary, Snippet, Summary
from cronaudit.model.rule import Catalogue, Issue, Remediation, Scope, Section
from cronaudit.model.verdict import CheckResult, Status
from cronaudit.ruleset.evidence import Filters, Renderer, context
from cronaudit.ruleset.expression import compile_condition
from cronaudit.ruleset.kleene import Reading
from cronaudit.ruleset.rollup import roll_up

ANY = "any"
"""The runtime of a table, or of a remediation, that is bound to none."""
_RUNTIMES: Mapping[str, str] = {
    suffix: runtime
    for runtime, suffixes in {
        "node": (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"),
        "python": (".py", ".pyi"),
    }.items()
    for suffix in suffixes
}


def summarise(
    results: Sequence[CheckResult],
    catalogue: Catalogue,
    jobs: Sequence[Job],
    service: ServiceFacts,
    runtimes: Sequence[str],
    filters: Filters | None = None,
) -> Summary:
    """Return the summary of evaluated rows.

    Every check counts once, rolled up over all jobs. A section that is titled by runtime has a table for each runtime
    of the live jobs, with rows rolled up over that runtime's jobs; ``runtimes`` titles it where the jobs do not tell.
    """
    counts = {status: sum(row.status is status for row in results) for status in Status}
    applicable = len(results) - counts[Status.NOT_APPLICABLE]
    passed = counts[Status.PASS]
    return Summary(
        passed=passed,
        partial=counts[Status.PARTIAL],
        failed=counts[Status.FAIL],
        unknown=counts[Status.UNKNOWN],
        not_applicable=counts[Status.NOT_APPLICABLE],
        applicable=applicable,
        # Half up in whole numbers: round() rounds half to even.
        pass_rate=(200 * passed + applicable) // (2 * applicable) if applicable else 0,
        sections=tuple(_tables(results, catalogue, jobs, runtimes)),
        issues=tuple(_raised(results, catalogue, jobs, service, Renderer(filters))),
    )


def job_runtime(job: Job) -> str | None:
    """Return what runs a job: ``node`` or ``python``, by the file of its handler, else of its schedule."""
    places = [job.location] if job.handler is None else [job.handler.location, job.location]
    found = (_RUNTIMES.get(PurePosixPath(place.path).suffix) for place in places)
    return next((runtime for runtime in found if runtime is not None), None)


def _tables(
    results: Sequence[CheckResult], catalogue: Catalogue, jobs: Sequence[Job], runtimes: Sequence[str]
) -> Iterator[SectionSummary]:
    live = {job.id: job for job in jobs if job.state is JobState.LIVE}
    present = sorted({runtime for job in live.values() if (runtime := job_runtime(job)) is not None})
    # Jobs of no known runtime (a CronJob with an image from elsewhere) stay with the only runtime there is.
    unbound = len(present) > 1 and any(job_runtime(job) is None for job in live.values())
    for section in catalogue.sections:
        rows = [row for row in results if row.section == section.id]
        if len(section.titles) == 1 or len(present) <= 1:
            named = present or (list(runtimes) if len(runtimes) == 1 else [])
            yield _table(section, named[0] if named else ANY, rows)
            continue
        for runtime in [*present, *([ANY] if unbound else [])]:
            wanted = None if runtime == ANY else runtime
            own = {name: job for name, job in live.items() if job_runtime(job) == wanted}
            yield _table(section, runtime, [_of_jobs(row, own, catalogue) for row in rows])


def _table(section: Section, runtime: str, rows: Sequence[CheckResult]) -> SectionSummary:
    titles = dict(section.titles)
    return SectionSummary(
        id=section.id,
        title=titles.get(runtime) or titles[ANY],
        passed=sum(row.status is Status.PASS for row in rows),
        applicable=sum(row.status is not Status.NOT_APPLICABLE for row in rows),
        runtime=runtime if runtime in titles else ANY,
        rows=tuple(rows),
    )


def _of_jobs(row: CheckResult, jobs: Mapping[str, Job], catalogue: Catalogue) -> CheckResult:
    check = next(check for check in catalogue.checks if check.id == row.id)
    if check.scope is Scope.SERVICE:
        return row
    verdicts = [(jobs[judged.job], judged.verdict) for judged in row.jobs if judged.job in jobs]
    return roll_up(check, verdicts, catalogue.issues)


class _Origins(Struct):
    """Who raised an issue."""

    checks: list[str] = []
    jobs: set[str] = set()


def _raised(
    results: Sequence[CheckResult],
    catalogue: Catalogue,
    jobs: Sequence[Job],
    service: ServiceFacts,
    renderer: Renderer,
) -> Iterator[RaisedIssue]:
    by_outcomes = _raised_by_outcomes(results)
    for issue in catalogue.issues:
        origins = by_outcomes.get(issue.id) or _Origins()
        concerned = [job for job in jobs if job.id in origins.jobs or _raises_itself(issue, job, service)]
        if not origins.checks and not concerned:
            continue
        yield RaisedIssue(
            id=issue.id,
            severity=issue.severity,
            title=issue.title,
            checks=tuple(origins.checks),
            jobs=tuple(job.id for job in concerned),
            recommendation=issue.recommendation,
            snippets=tuple(_snippets(issue, concerned, jobs, service, renderer)),
        )


def _raised_by_outcomes(results: Sequence[CheckResult]) -> dict[str, _Origins]:
    found: dict[str, _Origins] = {}
    for row in results:
        raised = [(judged.job, judged.verdict.issue) for judged in row.jobs]
        if row.service is not None:
            raised.append(("", row.service.issue))
        for job, issue in raised:
            if issue is not None:
                origins = found.setdefault(issue, _Origins())
                if row.id not in origins.checks:
                    origins.checks.append(row.id)
                if job:
                    origins.jobs.add(job)
    return found


def _raises_itself(issue: Issue, job: Job, service: ServiceFacts) -> bool:
    if issue.when is None:
        return issue.state == job.state.value
    return job.state.value == (issue.state or "live") and _holds(issue.when, job, service)


def _holds(when: str | None, job: Job, service: ServiceFacts) -> bool:
    return when is None or compile_condition(when, Scope.JOB).evaluate(Reading(job.facts, service)) is True


def _snippets(
    issue: Issue,
    concerned: Sequence[Job],
    jobs: Sequence[Job],
    service: ServiceFacts,
    renderer: Renderer,
) -> Iterator[Snippet]:
    """Yield a snippet for each runtime concerned, filled from its first job; the first remediation that fits."""
    live = [job for job in jobs if job.state is JobState.LIVE]
    examples: dict[str | None, Job] = {}
    for job in concerned or live:
        examples.setdefault(job_runtime(job), job)
    if len(examples) > 1:
        # A job of no known runtime has nothing of its own to show beside those that have one.
        examples.pop(None, None)
    used: set[Remediation] = set()
    for runtime, job in examples.items():
        for remediation in issue.remediations:
            if remediation.runtime not in {runtime, ANY} or not _holds(remediation.when, job, service):
                continue
            if remediation in used:
                break
            code = renderer.block(remediation.template, context(job, service, len(live)))
            if code:
                used.add(remediation)
                yield Snippet(remediation.title or issue.remediation_title, remediation.language, code)
                break
