"""What several formats ask of a result: who raised an issue, where it is seen best, what a baseline says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from cronaudit.model.facts import Unresolved
from cronaudit.model.job import Job, JobState
from cronaudit.model.result import AuditResult, Novelty, RaisedIssue, Suppression
from cronaudit.model.source import Location
from cronaudit.model.verdict import CheckResult, Status, Verdict
from cronaudit.report.text import listing

SERVICE: Final = "service"
"""Stands in for a job's id where the service as a whole is meant."""


class Finding(Struct, frozen=True):
    """The place where an issue is seen best: one primary location a finding."""

    issue: RaisedIssue
    check: CheckResult
    job: Job | None
    """None where the service raised it."""
    verdict: Verdict
    novelty: Novelty | None
    """New where any verdict that raised the issue is new; None without a baseline."""


class Findings:
    """An index over a result."""

    def __init__(self, result: AuditResult) -> None:
        self.result = result
        self.jobs = {job.id: job for job in result.jobs}
        self.live = tuple(job for job in result.jobs if job.state is JobState.LIVE)
        self.dormant = tuple(job for job in result.jobs if job.state is JobState.DORMANT)
        baseline = result.baseline
        self._new = frozenset(baseline.new) if baseline else frozenset()
        self._known = frozenset(baseline.known) if baseline else frozenset()
        self._waivers = {(waiver.job, waiver.check): waiver for waiver in result.suppressions}
        self._checks = {check.id: check for check in result.checks}
        self._verdicts = {
            (job, check.id): verdict for check in result.checks for job, verdict in verdicts(check)
        }

    def name(self, job: str) -> str:
        """The name to show; the id itself for a job that is gone since the baseline."""
        return self.jobs[job].display_name if job in self.jobs else job

    def raised_by(self, jobs: Sequence[str], limit: int) -> str:
        """Who raised something, by ids: names up to the limit, ``all 12 jobs``, or ``service`` where no job did."""
        if len(jobs) > limit + 1 and set(jobs) == {job.id for job in self.live}:
            return f"all {len(jobs)} jobs"
        return listing([self.name(job) for job in jobs], limit) or SERVICE

    def title(self, check: str) -> str:
        """The title of a check; its id for one that the catalogue no longer has."""
        return self._checks[check].title if check in self._checks else check

    def verdict(self, job: str, check: str) -> Verdict | None:
        return self._verdicts.get((job, check))

    def novelty(self, job: str, check: str) -> Novelty | None:
        """What the baseline says of that finding; None for what is no finding, and without a baseline."""
        if (job, check) in self._new:
            return Novelty.NEW
        return Novelty.KNOWN if (job, check) in self._known else None

    def row_novelty(self, check: CheckResult) -> Novelty | None:
        """New where any of its verdicts is."""
        return _merged([self.novelty(job, check.id) for job, _ in verdicts(check)])

    def waiver(self, job: str, check: str) -> Suppression | None:
        return self._waivers.get((job, check))

    def raised(self, issue: RaisedIssue) -> Iterator[tuple[CheckResult, str, Verdict]]:
        """The verdicts that raised the issue, in the order of the report."""
        for check_id in issue.checks:
            check = self._checks.get(check_id)
            if check is None:  # raised beside the checks, as for a dormant job
                continue
            for job, verdict in verdicts(check):
                if verdict.issue == issue.id:
                    yield check, job, verdict

    def leading(self, issue: RaisedIssue) -> Finding | None:
        """Where the issue is seen best: the first verdict that raised it and has a place, a FAIL before a PARTIAL.

        None for an issue that no verdict raises: one about a dormant job.
        """
        found = list(self.raised(issue))
        if not found:
            return None
        check, job, verdict = min(
            found, key=lambda entry: (entry[2].location is None, entry[2].status is not Status.FAIL)
        )
        novelty = _merged([self.novelty(name, row.id) for row, name, _ in found])
        return Finding(issue, check, self.jobs.get(job), verdict, novelty)

    def place(self, issue: RaisedIssue) -> Location | None:
        """The place to look at first; for an issue that no verdict raises, that of its first job."""
        if finding := self.leading(issue):
            return finding.verdict.location
        return next((self.jobs[job].location for job in issue.jobs if job in self.jobs), None)


def verdicts(check: CheckResult) -> Iterator[tuple[str, Verdict]]:
    """The verdicts of a row, each with the id of its job or `SERVICE`."""
    if check.service is not None:
        yield SERVICE, check.service
    for entry in check.jobs:
        yield entry.job, entry.verdict


def notes(job: Job) -> list[str]:
    """What a reader of the inventory must know before the job is judged."""
    facts, said = job.facts.job, []
    switch = facts.switch.value
    if isinstance(switch, str):
        said.append(f"off unless {switch} is set")
    if facts.stub.value is True:
        said.append("its body is a stub")
    if not job.walk.complete:
        said.append(
            f"not followed to its end: {job.walk.reason}" if job.walk.reason else "not followed to its end"
        )
    return said


def timezone(job: Job) -> str | None:
    """The zone in force, which the scheduler, the service or the container may set; None where nothing does.

    A loop or timer of the project's own that only counts seconds reads no clock, whatever zone a setting names.
    """
    in_force = job.facts.schedule.timezone.value
    own = job.facts.runner.library.value == "own" and job.facts.schedule.timezone_source.value == "service"
    if own and job.facts.schedule.form.value == "interval":
        return None
    return in_force if isinstance(in_force, str) else job.schedule.timezone


def schedule_words(job: Job) -> str:
    """When it runs, in words; why that is not known, where it is not."""
    if job.schedule.is_resolved or job.schedule.text not in {"", "unresolved"}:
        return job.schedule.text
    facts = job.facts.schedule
    if facts.form.value == "data":
        return "set by data at run time"
    for value in (facts.expression.value, facts.interval_seconds.value, facts.form.value):
        if isinstance(value, Unresolved):
            return f"not resolved: {value.reason}"
    return "not resolved"


def _merged(novelties: list[Novelty | None]) -> Novelty | None:
    if Novelty.NEW in novelties:
        return Novelty.NEW
    return Novelty.KNOWN if Novelty.KNOWN in novelties else None
