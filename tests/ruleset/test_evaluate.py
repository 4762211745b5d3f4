from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from cronaudit.model.facts import Fact, ServiceFacts, Unresolved
from cronaudit.model.job import Job, JobState
from cronaudit.model.source import Location
from cronaudit.model.verdict import CheckResult, SeenFact, Severity, Status, Verdict
from cronaudit.ruleset.evaluate import evaluate

if TYPE_CHECKING:
    from tests.ruleset.conftest import Rules

MakeJob = Callable[..., Job]
MakeService = Callable[[Mapping[str, Any]], ServiceFacts]

TABLE = """
- when: job.per_instance
  status: N/A
  evidence: Runs on every instance by design
- when: lock.kind == 'none'
  status: FAIL
  evidence: No lock
  issue: no-lock
- when: lock.kind == 'lease' and lock.ttl_seconds <= timeout.seconds
  status: FAIL
  evidence: "{{ lock.ttl_seconds | duration }} lock < {{ timeout.seconds | duration }} timeout"
  at: [lock.ttl_seconds, timeout.seconds]
  issue: lock-ttl
- when: lock.ttl_seconds is none
  status: PARTIAL
  evidence: "{{ lock.kind.detail }}"
- status: PASS
  evidence: "{{ lock.ttl_seconds }}s"
"""
KIND = Fact("lease", "withLock()", (Location("src/run.ts", 5),), ("arm", "run"))
TTL = Fact(300.0, "ttl: 300", (Location("src/lock.ts", 79),))


@pytest.fixture
def row(rules: Rules, service: ServiceFacts) -> Callable[..., CheckResult]:
    rules.issue("no-lock", "high")
    rules.issue("lock-ttl", "critical")
    rules.check("LOCK-03", TABLE)
    catalogue = rules.load()

    def decide(*jobs: Job) -> CheckResult:
        (found,) = evaluate(catalogue, jobs, service, {"duration": lambda seconds: f"{seconds / 60:g}min"})
        return found

    return decide


def verdict(row: CheckResult) -> Verdict:
    (judged,) = row.jobs
    return judged.verdict


def test_the_first_outcome_that_holds_decides(row: Callable[..., CheckResult], make_job: MakeJob) -> None:
    timeout = Fact(600.0, "", (Location("src/job.ts", 3),))
    job = make_job("expire", {"lock.kind": KIND, "lock.ttl_seconds": TTL, "timeout.seconds": timeout})
    assert verdict(row(job)) == Verdict(
        status=Status.FAIL,
        evidence="5min lock < 10min timeout",
        location=Location("src/lock.ts", 79),
        issue="lock-ttl",
        outcome=2,
        when="lock.kind == 'lease' and lock.ttl_seconds <= timeout.seconds",
        seen=(
            SeenFact("job.per_instance", "false", "", (), ()),
            SeenFact("lock.kind", "lease", "withLock()", (Location("src/run.ts", 5),), ("arm", "run")),
            SeenFact("lock.ttl_seconds", "300", "ttl: 300", (Location("src/lock.ts", 79),), ()),
            SeenFact("timeout.seconds", "600", "", (Location("src/job.ts", 3),), ()),
        ),
    )


def test_a_row_of_one_job_says_what_its_job_says(row: Callable[..., CheckResult], make_job: MakeJob) -> None:
    job = make_job("expire", {"lock.kind": "none"})
    found = row(job)
    assert (found.id, found.section, found.title) == ("LOCK-03", "3.2", "Title of LOCK-03")
    assert (found.status, found.evidence) == (Status.FAIL, "No lock")
    assert (found.issue, found.severity) == ("no-lock", Severity.HIGH)
    assert found.locations == (job.location,)
    assert found.service is None


def test_an_unresolved_value_that_the_table_needs_decides_unknown(
    row: Callable[..., CheckResult], make_job: MakeJob
) -> None:
    lost = Unresolved("LOCK_TTL comes from the environment and has no default", Location("src/env.ts", 3))
    job = make_job("expire", {"lock.kind": KIND, "lock.ttl_seconds": Fact(lost), "timeout.seconds": 9.0})
    found = verdict(row(job))
    assert (found.status, found.evidence) == (Status.UNKNOWN, lost.reason)
    assert (found.location, found.issue, found.outcome) == (Location("src/env.ts", 3), None, None)
    assert found.when == "lock.kind == 'lease' and lock.ttl_seconds <= timeout.seconds"
    assert [(fact.name, fact.value) for fact in found.seen] == [
        ("job.per_instance", "false"),
        ("lock.kind", "lease"),
        ("lock.ttl_seconds", f"unresolved: {lost.reason}"),
        ("timeout.seconds", "9"),
    ]


def test_an_unresolved_value_that_is_not_needed_decides_nothing(
    row: Callable[..., CheckResult], make_job: MakeJob
) -> None:
    job = make_job("expire", {"lock.kind": "none", "lock.ttl_seconds": Unresolved("lost")})
    assert verdict(row(job)).status is Status.FAIL


def test_unknown_names_two_reasons_and_falls_back_to_the_place_of_the_fact(
    rules: Rules, service: ServiceFacts, make_job: MakeJob
) -> None:
    rules.check(
        "LOCK-01",
        "- {when: job.stub or lock.fail_open, status: PASS, evidence: x}\n- {status: PASS, evidence: y}",
    )
    place = Location("src/a.ts", 4)
    values = {"job.stub": Fact(Unresolved("one"), "", (place,)), "lock.fail_open": Unresolved("two")}
    (found,) = evaluate(rules.load(), [make_job("a", values)], service)
    assert (found.status, found.evidence, found.locations) == (Status.UNKNOWN, "one; two", (place,))


def test_empty_evidence_is_the_detail_of_what_decided(
    row: Callable[..., CheckResult], make_job: MakeJob
) -> None:
    job = make_job("expire", {"lock.kind": "row", "lock.ttl_seconds": Fact(None, "never expires")})
    assert verdict(row(job)).evidence == "never expires"
    job = make_job(
        "expire", {"lock.kind": Fact("row", "jobs table"), "lock.ttl_seconds": Fact(None, "never expires")}
    )
    assert verdict(row(job)).evidence == "jobs table"


def test_the_place_of_a_last_outcome_is_that_of_its_evidence(
    row: Callable[..., CheckResult], make_job: MakeJob
) -> None:
    job = make_job("expire", {"lock.kind": KIND, "lock.ttl_seconds": TTL, "timeout.seconds": 60.0})
    found = verdict(row(job))
    assert (found.status, found.evidence, found.location) == (
        Status.PASS,
        "300s",
        Location("src/lock.ts", 79),
    )
    assert (found.outcome, found.when) == (4, None)


def test_a_place_is_always_there_for_a_job(row: Callable[..., CheckResult], make_job: MakeJob) -> None:
    assert verdict(row(make_job("expire", {"lock.kind": "none"}, line=77))).location == Location(
        "src/jobs/expire.ts", 77
    )


def test_dormant_jobs_are_outside_of_every_row(row: Callable[..., CheckResult], make_job: MakeJob) -> None:
    dormant = make_job("old", {"lock.kind": "none"}, state=JobState.DORMANT)
    found = row(dormant, make_job("new", {"lock.kind": KIND, "lock.ttl_seconds": TTL}))
    assert (found.status, [judged.job for judged in found.jobs]) == (Status.PASS, ["id:new"])


def test_without_a_live_job_nothing_is_applicable(
    rules: Rules, service: ServiceFacts, make_job: MakeJob
) -> None:
    rules.check("LOCK-01", "- {status: FAIL, evidence: x}")
    rules.check("MON-09", "- {status: FAIL, evidence: x}", scope="service")
    for jobs in ([], [make_job("old", state=JobState.DORMANT)]):
        rows = evaluate(rules.load(), jobs, service)
        assert [(row.id, row.status, row.evidence) for row in rows] == [
            ("LOCK-01", Status.NOT_APPLICABLE, "No live job"),
            ("MON-09", Status.NOT_APPLICABLE, "No live job"),
        ]


def test_service_checks_are_decided_once(rules: Rules, make_service: MakeService, make_job: MakeJob) -> None:
    rules.issue("no-tests", "low")
    rules.check(
        "IDEM-08",
        """
        - when: service.concurrent_test
          status: PASS
          evidence: "{{ service.concurrent_test.at }}"
        - when: jobs.any("lock.kind != 'none'")
          status: PARTIAL
          evidence: "Lock prevents on {{ jobs.count | plural('job') }}, no tests"
          issue: no-tests
        - status: FAIL
          evidence: Neither
        """,
        scope="service",
    )
    catalogue = rules.load()
    place = Location("test/jobs.test.ts", 8)
    tested = make_service({"service.concurrent_test": Fact(True, "", (place,))})
    jobs = [make_job("a", {"lock.kind": "none"}), make_job("b", {"lock.kind": KIND})]
    (found,) = evaluate(catalogue, jobs, tested)
    assert (found.status, found.evidence, found.locations) == (Status.PASS, "test/jobs.test.ts:8", (place,))
    (found,) = evaluate(catalogue, jobs, make_service({}))
    assert (found.status, found.evidence) == (Status.PARTIAL, "Lock prevents on 2 jobs, no tests")
    assert (found.locations, found.issue, found.severity) == (KIND.locations, "no-tests", Severity.LOW)
    assert found.jobs == ()
    assert found.service is not None
    assert [(fact.name, fact.value, fact.detail) for fact in found.service.seen] == [
        ("service.concurrent_test", "false", ""),
        ("jobs.any(lock.kind != 'none')", "true", "1 of 2 jobs"),
    ]


def test_the_order_of_jobs_is_that_of_the_inventory(
    row: Callable[..., CheckResult], make_job: MakeJob
) -> None:
    names = ["c", "a", "b"]
    assert [judged.job for judged in row(*map(make_job, names)).jobs] == ["id:c", "id:a", "id:b"]
