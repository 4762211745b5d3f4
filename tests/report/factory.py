"""Results built by hand: a small order-service with three live jobs, a dormant one, and a check of every status."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from cronaudit.model.facts import Fact, JobFacts, ServiceFacts, Unresolved, Walk
from cronaudit.model.job import Handler, Job, JobState
from cronaudit.model.result import (
    AuditResult,
    BaselineComparison,
    RaisedIssue,
    SectionSummary,
    Snippet,
    Summary,
    Suppression,
    Target,
)
from cronaudit.model.rule import Catalogue, Check, Issue, Outcome, Scope, Section
from cronaudit.model.schedule import Dialect, Schedule
from cronaudit.model.source import Diagnostic, Location
from cronaudit.model.verdict import CheckResult, JobVerdict, SeenFact, Severity, Status, Verdict
from cronaudit.report.options import RenderOptions

TEMPLATES = Path(__file__).parents[2] / "reports" / "templates"
PASS, PARTIAL, FAIL, UNKNOWN, NOT_APPLICABLE = Status

EXPIRATION, INVOICES, REMINDER, ARCHIVE = "expiration", "invoices", "reminder", "archive"


def render_options(**changes: Any) -> RenderOptions:
    return replace(RenderOptions(templates=TEMPLATES, next_runs=daily_at_two), **changes)


def daily_at_two(schedule: Schedule, zone: str | None, start: date, count: int) -> tuple[datetime, ...]:
    """A calendar that knows one expression."""
    if schedule.expression is None:
        return ()
    first = datetime.combine(start, time(2), ZoneInfo(zone) if zone == "Europe/Berlin" else UTC)
    return tuple(first + timedelta(days=n) for n in range(count))


def at(place: str) -> Location:
    """``path:line`` or ``path:line-end``."""
    path, _, lines = place.rpartition(":")
    first, _, last = lines.partition("-")
    return Location(path, int(first), int(last) if last else None)


def job_facts(**stated: Fact[Any]) -> JobFacts:
    """Facts of nothing, with the stated ones (``lock__ttl_seconds=Fact(300.0)``) in their places."""
    groups = {}
    for name, group in get_type_hints(JobFacts).items():
        members = {member: nothing(hint) for member, hint in group.__annotations__.items()}
        prefix = f"{name}__"
        members |= {key.removeprefix(prefix): fact for key, fact in stated.items() if key.startswith(prefix)}
        groups[name] = group(**members)
    return JobFacts(**groups)


def nothing(annotation: str) -> Fact[Any]:
    """The fact that says that nothing is there."""
    if "Literal" in annotation:
        return Fact("none")
    return Fact(False) if "bool" in annotation else Fact(None)


def service_facts() -> ServiceFacts:
    return ServiceFacts(**{member: nothing(hint) for member, hint in ServiceFacts.__annotations__.items()})


def job(identifier: str, name: str | None, place: str, schedule: Schedule, **changes: Any) -> Job:
    base = Job(
        id=identifier,
        name=name,
        display_name=name or "<anonymous>",
        state=JobState.LIVE,
        state_reason="started in src/index.ts:12",
        kind="set-interval",
        location=at(place),
        schedule=schedule,
        handler=Handler(at("src/jobs/expiration.job.ts:53"), "ExpirationJob.executeCore"),
        trigger="timers:setInterval",
        facts=job_facts(),
        walk=Walk(complete=True),
    )
    return replace(base, **changes)


def jobs() -> tuple[Job, ...]:
    every_minute = Schedule(interval_seconds=60.0, text="every minute")
    nightly = Schedule("0 2 * * *", None, "Europe/Berlin", "at 02:00, every day", Dialect.UNIX5)
    return (
        job(
            EXPIRATION,
            "order-expiration",
            "src/jobs/expiration.job.ts:16-38",
            every_minute,
            facts=job_facts(
                lock__kind=Fact(
                    "lease", "SET NX PX", (at("src/jobs/lock.ts:20"),), ("JobManager.start", "withLock")
                ),
                lock__ttl_seconds=Fact(300.0, "300000 ms", (at("src/jobs/job-executor.ts:79"),)),
                timeout__seconds=Fact(Unresolved("JOB_TIMEOUT has no default", at("src/config.ts:7"))),
            ),
        ),
        job(
            INVOICES,
            "invoice-generation",
            "src/jobs/invoice.job.ts:9",
            nightly,
            kind="node-cron",
            trigger="node-cron:schedule",
            facts=job_facts(job__switch=Fact("ENABLE_INVOICES", "", (at("src/jobs/invoice.job.ts:7"),))),
        ),
        job(
            REMINDER,
            None,
            "src/jobs/reminder.ts:4",
            Schedule(),
            handler=None,
            walk=Walk(complete=False, reason="the handler is passed in from outside"),
            facts=job_facts(schedule__interval_seconds=Fact(Unresolved("REMINDER_MS has no default"))),
        ),
        job(
            ARCHIVE,
            "order-archiving",
            "src/jobs/archive.job.ts:5",
            every_minute,
            state=JobState.DORMANT,
            state_reason="nothing calls ArchiveJob.start",
        ),
    )


def verdict(status: Status, evidence: str, place: str | None = None, **changes: Any) -> Verdict:
    base = Verdict(
        status=status,
        evidence=evidence,
        location=at(place) if place else None,
        issue=None,
        outcome=0,
        when="lock.kind != 'none'",
        seen=(),
    )
    return replace(base, **changes)


def row(  # the columns of a table
    check: str,
    title: str,
    status: Status,
    evidence: str,
    verdicts: tuple[Verdict, ...],
    severity: Severity | None = None,
    *,
    service: bool = False,
) -> CheckResult:
    section = {"JOB": "3.1", "LOCK": "3.2", "IDEM": "3.4"}[check.partition("-")[0]]
    places = tuple(dict.fromkeys(v.location for v in verdicts if v.location))
    issue = next((v.issue for v in verdicts if v.issue), None)
    by_job = tuple(
        JobVerdict(name, v) for name, v in zip((EXPIRATION, INVOICES, REMINDER), verdicts, strict=False)
    )
    return CheckResult(
        id=check,
        section=section,
        title=title,
        status=status,
        evidence=evidence,
        locations=places,
        issue=issue,
        severity=severity,
        jobs=() if service else by_job,
        service=verdicts[0] if service else None,
    )


TTL_SEEN = (
    SeenFact(
        "lock.kind", "lease", "SET NX PX", (at("src/jobs/lock.ts:20"),), ("JobManager.start", "withLock")
    ),
    SeenFact("lock.ttl_seconds", "300", "300000 ms", (at("src/jobs/job-executor.ts:79"),), ()),
)


def checks() -> tuple[CheckResult, ...]:
    fine = verdict(PASS, "")
    return (
        row(
            "JOB-01",
            "Unique identifier",
            PARTIAL,
            "2/3 jobs; none on <anonymous> (src/jobs/reminder.ts:4)",
            (
                verdict(PASS, "name: 'order-expiration'", "src/jobs/expiration.job.ts:17"),
                verdict(PASS, "name: 'invoice-generation'", "src/jobs/invoice.job.ts:10"),
                verdict(FAIL, "anonymous callback", "src/jobs/reminder.ts:4", issue="unnamed-job"),
            ),
            Severity.LOW,
        ),
        row("JOB-04", "DST avoidance", PASS, "Interval-based, not time-based", (fine, fine, fine)),
        row(
            "LOCK-01",
            "Lock before execution",
            PASS,
            "withLock() wrapper",
            (verdict(PASS, "withLock()", "src/jobs/lock.ts:20"), fine, fine),
        ),
        row(
            "LOCK-03",
            "Lock TTL > job duration",
            FAIL,
            "5min lock < 10min timeout",
            (
                verdict(
                    FAIL,
                    "5min lock < 10min timeout",
                    "src/jobs/job-executor.ts:79",
                    issue="lock-ttl",
                    outcome=2,
                    when="lock.ttl_seconds <= timeout.seconds",
                    seen=TTL_SEEN,
                ),
                verdict(
                    FAIL,
                    "5min lock < 10min timeout",
                    "src/jobs/job-executor.ts:79",
                    issue="lock-ttl",
                    outcome=2,
                ),
                verdict(UNKNOWN, "the handler is passed in from outside", outcome=None, when=None),
            ),
            Severity.CRITICAL,
        ),
        row(
            "IDEM-05",
            "Stripe idempotency",
            NOT_APPLICABLE,
            "No payment call is reachable",
            (verdict(NOT_APPLICABLE, ""),) * 3,
        ),
        row(
            "IDEM-06",
            "Double-run test",
            UNKNOWN,
            "No tests in the tree",
            (verdict(UNKNOWN, "No tests in the tree", when="not service.tests"),),
            service=True,
        ),
    )


def issues() -> tuple[RaisedIssue, ...]:
    return (
        RaisedIssue(
            "lock-ttl",
            Severity.CRITICAL,
            "Lock TTL < timeout",
            ("LOCK-03",),
            (EXPIRATION, INVOICES),
            "Fix lock TTL > job timeout immediately",
            (
                Snippet(
                    "Fix Lock TTL",
                    "typescript",
                    "// job-executor.ts\nlockTTLMs: 900000, // 15 min > 10 min timeout\n",
                ),
            ),
        ),
        RaisedIssue(
            "dormant-job",
            Severity.HIGH,
            "Job never started",
            (),
            (ARCHIVE,),
            "Start the job or delete it",
            (),
        ),
        RaisedIssue(
            "unnamed-job", Severity.LOW, "Job without a name", ("JOB-01",), (REMINDER,), "Name every job", ()
        ),
    )


def catalogue() -> Catalogue:
    table = (
        Outcome("lock.kind == 'none'", FAIL, "No lock", (), "no-lock"),
        Outcome("lock.renewal in ('renewed', 'bound')", PASS, "{{ lock.renewal }}", (), None),
        Outcome(
            "lock.ttl_seconds <= timeout.seconds", FAIL, "{{ lock.ttl_seconds }} too short", (), "lock-ttl"
        ),
        Outcome(None, PASS, "TTL above the timeout", (), None),
    )
    listed = tuple(
        Check(
            id=check.id,
            section=check.section,
            title=check.title,
            why="A lock that ends before its job lets a second run in.",
            how="The time to live is held against the enforced bound on the run.",
            scope=Scope.SERVICE if check.service else Scope.JOB,
            outcomes=table,
            remediation="Set the time to live above the timeout.",
            source=f"rules/checks/{check.section}/{check.id}.yaml",
        )
        for check in checks()
    )
    titles = {"3.1": "Job Definition", "3.2": "Locking", "3.4": "Idempotency"}
    return Catalogue(
        sections=tuple(
            Section(s, (("any", title),), tuple(c.id for c in listed if c.section == s))
            for s, title in titles.items()
        ),
        checks=listed,
        issues=(
            Issue(
                "lock-ttl",
                "Lock TTL < timeout",
                Severity.CRITICAL,
                "Fix Lock TTL",
                "Fix lock TTL > job timeout immediately",
                (),
                "rules/issues/lock-ttl.yaml",
            ),
        ),
        digest="0" * 64,
    )


def result(**changes: Any) -> AuditResult:
    base = AuditResult(
        version="1.2.3",
        date="2026-11-23",
        target=Target("services/order-service", "order-service", ("node",)),
        catalogue=catalogue(),
        summary=Summary(
            passed=2,
            partial=1,
            failed=1,
            unknown=1,
            not_applicable=1,
            applicable=5,
            pass_rate=40,
            sections=(
                SectionSummary("3.1", "Job Definition", 1, 2),
                SectionSummary("3.2", "Locking", 1, 2),
                SectionSummary("3.4", "Idempotency", 0, 1),
            ),
            issues=issues(),
        ),
        jobs=jobs(),
        checks=checks(),
        service=service_facts(),
        baseline=None,
        suppressions=(),
        diagnostics=(),
    )
    return replace(base, **changes)


def full_result() -> AuditResult:
    """With everything that a result may have beside the audit itself."""
    return result(
        baseline=BaselineComparison(
            new=((INVOICES, "LOCK-03"),),
            known=((EXPIRATION, "LOCK-03"), (REMINDER, "JOB-01")),
            fixed=(("gone-job", "JOB-01"),),
        ),
        suppressions=(Suppression(REMINDER, "JOB-01", "renamed | next week", "src/jobs/reminder.ts", 3),),
        diagnostics=(
            Diagnostic("dist/a.js", "minified: not parsed"),
            Diagnostic("dist/b.js", "minified: not parsed"),
            Diagnostic("src/broken.ts", "line 3 cannot be read"),
        ),
    )


def empty_result() -> AuditResult:
    """Of a tree without a job."""
    return result(jobs=(), checks=(), summary=Summary(0, 0, 0, 0, 0, 0, 0, (), ()))


HOSTILE = "a|b<script>alert(1)</script>\n| `x` [y](z) **w** __v__ \x1b[31m"


def hostile_result() -> AuditResult:
    """Of a tree that wants to break the report: every text that comes from a target is an attack."""
    attacked = job(
        "evil",
        HOSTILE,
        "src/a|b `c`/x.ts:3",
        Schedule("*/5 * * * *", None, "a|b", HOSTILE, Dialect.UNIX5),
        handler=Handler(at("src/a|b `c`/x.ts:9"), "x|`y`"),
        kind="a|b",
    )
    other = replace(attacked, id="evil-2")
    row_ = CheckResult(
        "JOB-01",
        "3.1",
        "Unique identifier",
        FAIL,
        HOSTILE,
        (at("src/a|b `c`/x.ts:3"),),
        "lock-ttl",
        Severity.CRITICAL,
        (JobVerdict("evil", verdict(FAIL, HOSTILE, "src/a|b `c`/x.ts:3", issue="lock-ttl")),),
        None,
    )
    issue = replace(
        issues()[0],
        title=HOSTILE,
        checks=("JOB-01",),
        jobs=("evil",),
        recommendation=HOSTILE,
        snippets=(Snippet(HOSTILE, "type script`", "```\nescaped\n```"),),
    )
    return result(
        target=Target("x", HOSTILE, ("node",)),
        jobs=(attacked, other),
        checks=(row_,),
        summary=Summary(0, 0, 1, 0, 0, 1, 0, (SectionSummary("3.1", HOSTILE, 0, 1),), (issue,)),
        suppressions=(Suppression("evil", "JOB-01", HOSTILE, "a|b.ts", 1),),
        diagnostics=(Diagnostic("a|b.ts", HOSTILE),),
    )
