from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cronaudit.model.facts import ServiceFacts
from cronaudit.model.job import Job, JobState
from cronaudit.model.rule import Catalogue, Check, Issue, Remediation, Scope
from cronaudit.model.verdict import Severity, Status
from cronaudit.ruleset.catalogue import load_catalogue
from cronaudit.ruleset.evidence import Renderer, context
from cronaudit.ruleset.expression import compile_condition
from cronaudit.ruleset.kleene import Reading

RULES = Path(__file__).parents[2] / "rules"
CATALOGUE = load_catalogue([RULES])

# Id, scope (job or service) and what the table can say (Pass, pArtial, Fail, Unknown, N/A), title.
EXPECTED = """
JOB-01 J PAF Unique identifier
JOB-02 J PAF Cron documented
JOB-03 J PAF Timezone set
JOB-04 J PFN DST avoidance
JOB-05 J PAF Purpose documented
JOB-06 J PAF Timeout configured
JOB-07 J PF Memory limits
JOB-08 J PAF Retry policy
JOB-09 J PAF Dependencies documented
LOCK-01 J PAFN Lock before execution
LOCK-02 J PFN Unique lock key
LOCK-03 J PAFN Lock TTL > job duration
LOCK-04 J PAFN Released in finally
LOCK-05 J PFN Lock extension
LOCK-06 J PAFN Acquisition failure handled
LOCK-07 J PFN Release failure logged
LOCK-08 J PAFN Redis failure handled
MON-01 J PF Start signal
MON-02 J PF Completion signal
MON-03 J PF Failure signals
MON-04 J PAF Grace period
MON-05 J PF External service
MON-06 J PAF Missed schedule alerts
MON-07 J PAF Failure alerts
MON-08 J PAF Duration regression
MON-09 S PAF Alert routing
MON-10 S PF Escalation policy
MON-11 J PAF Execution history
MON-12 J PAF Duration trends
MON-13 J PAF Failure rates
MON-14 S PAF Cross-job correlation
IDEM-01 J PAF Unique execution ID
IDEM-02 J PAFN Pre-execution check
IDEM-03 J PAFN Atomic transitions
IDEM-04 J PAFN Upserts
IDEM-05 J PAFN Stripe idempotency
IDEM-06 S PFU Double-run test
IDEM-07 S PAF Crash recovery test
IDEM-08 S PAF Concurrent test
ERR-01 J PAF Try/catch wrapper
ERR-02 J PAF Errors logged with context
ERR-03 J PAF Errors trigger alerts
ERR-04 J PAF Partial progress tracked
ERR-05 J PAF Retry count configured
ERR-06 J PAF Exponential backoff
ERR-07 J PAF Retryable distinguished
ERR-08 J PAF Dead letter queue
ERR-09 S PAF SIGTERM handled
ERR-10 J PAF In-progress tracked
ERR-11 J PAF Lock cleanup
NODE-01 J PAF Production library
NODE-02 J PAF Persistence configured
NODE-03 J PAFN Large datasets streamed
NODE-04 S PF Memory monitored
NODE-05 J PAFN GC not blocked
NODE-06 J PAF Separate workers
NODE-07 S PF Worker threads
NODE-08 J PAF Child process timeout
MULTI-01 J PAFN Single execution
MULTI-02 J PF No sticky sessions
MULTI-03 S PAF Instance ID in logs
MULTI-04 J PAFN Leader election failover
MULTI-05 J PFN Lock timeout recovery
MULTI-06 S PAF Health checks for stuck
MULTI-07 J PAF Independent scaling
MULTI-08 J PAF Contention prevented
MULTI-09 S PAFN Connection pooling
"""
LETTERS = {
    Status.PASS: "P",
    Status.PARTIAL: "A",
    Status.FAIL: "F",
    Status.UNKNOWN: "U",
    Status.NOT_APPLICABLE: "N",
}
SECTIONS = [
    ("3.1", {"any": "Job Definition"}, "JOB", 9),
    ("3.2", {"any": "Locking"}, "LOCK", 8),
    ("3.3", {"any": "Monitoring"}, "MON", 14),
    ("3.4", {"any": "Idempotency"}, "IDEM", 8),
    ("3.5", {"any": "Error Handling"}, "ERR", 11),
    (
        "3.6",
        {"node": "Node.js Specific", "python": "Python Specific", "any": "Node.js Specific"},
        "NODE",
        8,
    ),
    ("3.7", {"any": "Multi-Instance"}, "MULTI", 9),
]
NAMED_ISSUES = {
    "Lock TTL < timeout": (Severity.CRITICAL, {"LOCK-03"}),
    "No distributed lock": (Severity.CRITICAL, {"LOCK-01", "MULTI-01"}),
    "No external monitoring": (Severity.CRITICAL, {f"MON-0{number}" for number in range(1, 7)}),
    "No Redlock": (Severity.CRITICAL, {"LOCK-08"}),
    "No job persistence": (Severity.HIGH, {"NODE-01", "NODE-02"}),
    "In-process jobs": (Severity.HIGH, {"NODE-06", "MULTI-07"}),
    "No execution ID": (Severity.HIGH, {"IDEM-01"}),
    "No failure alerts": (Severity.HIGH, {"MON-07", "ERR-03"}),
    "No instance ID": (Severity.MEDIUM, {"MULTI-03"}),
    "No lock extension": (Severity.MEDIUM, {"LOCK-05"}),
    "No DLQ": (Severity.MEDIUM, {"ERR-08"}),
}
# A job of each family; the snippets must fit all of them.
FAMILIES: list[tuple[str, str, Mapping[str, Any]]] = [
    ("node", "src/jobs/settle.ts", {"job.kind": "set-interval", "schedule.interval_seconds": 60.0}),
    ("node", "src/jobs/settle.ts", {"job.kind": "node-cron", "schedule.expression": "30 2 * * *"}),
    ("node", "src/jobs/settle.ts", {"job.kind": "bullmq", "lock.kind": "queue"}),
    ("python", "jobs/settle.py", {"job.kind": "celery-beat", "lock.kind": "message"}),
    ("python", "jobs/settle.py", {"job.kind": "apscheduler", "schedule.interval_seconds": 90.0}),
    ("python", "jobs/settle.py", {"job.kind": "sleep-loop", "lock.kind": "in-process"}),
]
TTL_UNITS = ("ms", "s", "min", "none")
MakeJob = Callable[..., Job]
each_check = pytest.mark.parametrize("check", CATALOGUE.checks, ids=lambda check: check.id)
each_issue = pytest.mark.parametrize("issue", CATALOGUE.issues, ids=lambda issue: issue.id)


def test_every_row_of_the_report_is_there_in_its_order() -> None:
    found = [
        (check.id, check.scope, {outcome.status for outcome in check.outcomes}, check.title)
        for check in CATALOGUE.checks
    ]
    expected = []
    for line in EXPECTED.strip().splitlines():
        name, scope, said, title = line.split(" ", maxsplit=3)
        statuses = {status for status, letter in LETTERS.items() if letter in said}
        expected.append((name, Scope.JOB if scope == "J" else Scope.SERVICE, statuses, title))
    assert found == expected


def test_the_sections_hold_their_rows() -> None:
    found = [(section.id, dict(section.titles), section.checks) for section in CATALOGUE.sections]
    assert found == [
        (name, titles, tuple(f"{prefix}-{row:02}" for row in range(1, count + 1)))
        for name, titles, prefix, count in SECTIONS
    ]


@each_check
def test_prose_is_finished(check: Check) -> None:
    for text in (check.why, check.how, check.remediation):
        assert text.endswith(".")
        assert text[0].isupper() or text[0] in "\"'`"
        assert not re.search(r"\b(TODO|FIXME|XXX|TBD)\b", text)
        assert len(text.split()) >= 5
    assert len(re.findall(r"[.?](?: |$)", check.why)) <= 3
    assert check.why != check.how


@each_check
def test_evidence_of_every_outcome_is_short(check: Check) -> None:
    for outcome in check.outcomes:
        fallback = re.sub(r"\{\{.*?\}\}", "", outcome.evidence)
        assert len(fallback) <= 60
        assert not outcome.evidence.endswith(".")


@each_check
def test_examples_show_bad_and_good(check: Check) -> None:
    assert check.examples
    for example in check.examples:
        assert example.language in {"typescript", "python", "yaml", "dockerfile", "markdown"}
        assert example.bad.strip()
        assert example.good.strip()
        assert example.bad != example.good


@each_check
def test_what_passes_raises_nothing(check: Check) -> None:
    known = {issue.id for issue in CATALOGUE.issues}
    for outcome in check.outcomes:
        if outcome.status in {Status.PASS, Status.NOT_APPLICABLE, Status.UNKNOWN}:
            assert outcome.issue is None
        else:
            assert outcome.issue is None or outcome.issue in known


@each_check
def test_an_outcome_without_condition_says_where(check: Check) -> None:
    assert check.outcomes[-1].at


@each_check
def test_a_lock_that_is_missing_raises_only_its_own_issue(check: Check) -> None:
    absence = {"no-distributed-lock", "unguarded-runs", "overlapping-runs"}
    for outcome in check.outcomes:
        if outcome.when and re.search(r"lock\.kind (==|in \() ?'none'", outcome.when):
            assert outcome.issue in absence | {None}
            assert outcome.status in {Status.FAIL, Status.PARTIAL}


def test_every_issue_is_raised_by_something() -> None:
    raised = {outcome.issue for check in CATALOGUE.checks for outcome in check.outcomes}
    by_jobs = {issue.id: (issue.when, issue.state) for issue in CATALOGUE.issues if issue.id not in raised}
    assert by_jobs == {"never-started": (None, JobState.DORMANT), "stub-job": ("job.stub", None)}


@pytest.mark.parametrize("title", NAMED_ISSUES)
def test_the_named_issues_have_their_severity_and_checks(title: str) -> None:
    (issue,) = (issue for issue in CATALOGUE.issues if issue.title == title)
    severity, checks = NAMED_ISSUES[title]
    raising = {
        check.id for check in CATALOGUE.checks if issue.id in {outcome.issue for outcome in check.outcomes}
    }
    assert issue.severity is severity
    assert checks <= raising


def test_nothing_else_is_critical() -> None:
    critical = {issue.title for issue in CATALOGUE.issues if issue.severity is Severity.CRITICAL}
    assert critical == {
        title for title, (severity, _) in NAMED_ISSUES.items() if severity is Severity.CRITICAL
    }


def test_titles_are_told_apart() -> None:
    for titles in (
        [issue.title for issue in CATALOGUE.issues],
        [issue.recommendation for issue in CATALOGUE.issues],
        [issue.remediation_title for issue in CATALOGUE.issues],
    ):
        assert len(titles) == len(set(titles))


@each_issue
def test_an_issue_is_said_in_one_line(issue: Issue) -> None:
    assert len(issue.title) <= 30
    assert len(issue.remediation_title) <= 30
    assert not issue.title.endswith(".")
    assert not issue.recommendation.endswith(".")
    assert 15 <= len(issue.recommendation) <= 100


@each_issue
def test_an_issue_has_a_snippet_for_every_runtime(
    make_job: MakeJob, service: ServiceFacts, issue: Issue
) -> None:
    for runtime, path, own in FAMILIES:
        for unit in TTL_UNITS if issue.id == "lock-ttl" else TTL_UNITS[:1]:
            values = {"timeout.seconds": 600.0, "lock.ttl_seconds": 300.0, "lock.ttl_unit": unit, **own}
            code = _first_snippet(issue, make_job("settle", values, path=path), runtime, service)
            assert code
            assert not re.search(r"\{\{|unresolved|\bnone\b", code)


def _first_snippet(issue: Issue, job: Job, runtime: str, service: ServiceFacts) -> str:
    def fits(remediation: Remediation) -> bool:
        condition = remediation.when and compile_condition(remediation.when, Scope.JOB)
        return remediation.runtime in {runtime, "any"} and (
            not condition or condition.evaluate(Reading(job.facts, service)) is True
        )

    remediation = next(filter(fits, issue.remediations))
    return Renderer().block(remediation.template, context(job, service, 1))


def _snippet(name: str, job: Job, runtime: str, service: ServiceFacts) -> str:
    (issue,) = (issue for issue in CATALOGUE.issues if issue.id == name)
    return _first_snippet(issue, job, runtime, service)


def test_snippets_carry_the_values_of_the_service(make_job: MakeJob, service: ServiceFacts) -> None:
    job = make_job(
        "order-expiration",
        {
            "timeout.seconds": 600.0,
            "lock.ttl_seconds": 300.0,
            "lock.ttl_option": "lockTTLMs",
            "lock.ttl_unit": "ms",
            "lock.key": "job:order-expiration",
            "schedule.interval_seconds": 60.0,
        },
    )
    assert _snippet("lock-ttl", job, "node", service) == (
        "// where the lock is taken\nlockTTLMs: 900000, // 900s > 600s timeout"
    )
    assert "redlock.acquire([`job:order-expiration`], 900000)" in _snippet("no-redlock", job, "node", service)
    assert "upsertJobScheduler('order-expiration', { every: 60000 })" in _snippet(
        "no-job-persistence", job, "node", service
    )


@pytest.mark.parametrize(
    ("path", "unit", "line"),
    [
        ("jobs/a.ts", "ms", "ttl: 900000, // 900s > 600s timeout"),
        ("jobs/a.ts", "s", "ttl: 900, // 900s > 600s timeout"),
        ("jobs/a.ts", "min", "ttl: 15, // 900s > 600s timeout"),
        ("jobs/a.ts", "none", "ttl: '900s', // 900s > 600s timeout"),
        ("jobs/a.py", "ms", "ttl=900000,  # 900s > 600s timeout"),
        ("jobs/a.py", "s", "ttl=900,  # 900s > 600s timeout"),
        ("jobs/a.py", "min", "ttl=15,  # 900s > 600s timeout"),
        ("jobs/a.py", "none", "ttl=timedelta(seconds=900),  # 900s > 600s timeout"),
    ],
)
def test_a_longer_ttl_counts_in_the_unit_of_its_option(
    make_job: MakeJob, service: ServiceFacts, path: str, unit: str, line: str
) -> None:
    runtime = "node" if path.endswith(".ts") else "python"
    values = {"timeout.seconds": 600.0, "lock.ttl_option": "ttl", "lock.ttl_unit": unit}
    assert _snippet("lock-ttl", make_job("a", values, path=path), runtime, service).splitlines()[1:] == [line]


def test_a_key_that_varies_is_a_template_in_either_language(make_job: MakeJob, service: ServiceFacts) -> None:
    values = {"lock.key": "job:${name}"}
    node = _snippet("lock-without-ttl", make_job("a", values), "node", service)
    python = _snippet("lock-without-ttl", make_job("a", values, path="a.py"), "python", service)
    assert "redis.set(`job:${name}`, holder," in node
    assert 'redis.set(f"job:{name}", holder,' in python


def test_the_headings_of_the_first_remedies() -> None:
    headings = {
        issue.id: [remediation.title or issue.remediation_title for remediation in issue.remediations]
        for issue in CATALOGUE.issues
    }
    assert set(headings["lock-ttl"]) == {"Fix Lock TTL"}
    assert set(headings["no-external-monitoring"]) == {"External Monitoring"}
    assert set(headings["no-redlock"]) == {"Use Redlock"}
    assert headings["no-job-persistence"] == ["Migrate to BullMQ", "Migrate to Celery"]
    assert set(headings["in-process-jobs"]) == {"Separate Worker Process"}


def test_the_catalogue_holds_nothing_but_its_rows() -> None:
    assert isinstance(CATALOGUE, Catalogue)
    folders = {path.parent.name for path in (RULES / "checks").rglob("*.yaml")}
    assert folders == {
        "3.1-job-definition",
        "3.2-locking",
        "3.3-monitoring",
        "3.4-idempotency",
        "3.5-error-handling",
        "3.6-runtime",
        "3.7-multi-instance",
    }
