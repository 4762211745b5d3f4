from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cronaudit.model.facts import Fact, ServiceFacts, Unresolved
from cronaudit.model.job import Job
from cronaudit.model.rule import Catalogue, Check, Scope
from cronaudit.model.verdict import CheckResult, Status, Verdict
from cronaudit.ruleset.catalogue import load_catalogue
from cronaudit.ruleset.evaluate import evaluate

MakeJob = Callable[..., Job]
MakeService = Callable[[Mapping[str, Any]], ServiceFacts]
Facts = Mapping[str, Any]

TABLES = Path(__file__).parent / "decisions"
REASON = "LIMIT comes from the environment and has no default"
ORDINARY: Facts = {
    "job.name": "reconcile",
    "job.name_source": "explicit",
    "job.kind": "node-cron",
    "schedule.form": "cron",
    "schedule.expression": "30 2 * * *",
    "schedule.timezone": "Europe/Vienna",
    "schedule.timezone_source": "job",
    "schedule.zone_has_dst": True,
    "schedule.in_dst_hours": False,
    "schedule.at_least_hourly": False,
    "timeout.scope": "run",
    "timeout.seconds": 600.0,
    "retry.scope": "run",
    "retry.attempts": "bounded",
    "retry.count": 4.0,
    "retry.delay": "growing",
    "retry.predicate": "used",
    "lock.kind": "lease",
    "lock.coverage": "all",
    "lock.key": "job:reconcile",
    "lock.key_distinct": True,
    "lock.ttl_seconds": 900.0,
    "lock.renewal": "none",
    "lock.release": "finally",
    "lock.acquire_failure": "handled",
    "lock.release_failure": "logged",
    "lock.store": "single",
    "lock.store_failure": "caught",
    "monitor.service": "Healthchecks.io",
    "effects.changes": "writes",
}


def tables() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for table in sorted(TABLES.glob("*.yaml")):
        found |= yaml.safe_load(table.read_text(encoding="utf-8"))
    return found


def decided() -> Iterator[Any]:
    for check, table in tables().items():
        for number, (status, issue, facts) in enumerate(table["decided"]):
            yield pytest.param(check, number, status, issue, facts, id=f"{check}-{number}")


def undecided() -> Iterator[Any]:
    for check, table in tables().items():
        for number, facts in enumerate(table.get("undecided", ())):
            yield pytest.param(check, facts, id=f"{check}-unknown-{number}")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue([Path(__file__).parents[2] / "rules"])


@pytest.fixture
def decide(
    catalogue: Catalogue, make_job: MakeJob, make_service: MakeService
) -> Callable[[str, Facts], Verdict]:
    def judge(name: str, facts: Facts) -> Verdict:
        (check,) = (check for check in catalogue.checks if check.id == name)
        values = {field: _value(value) for field, value in {**ORDINARY, **facts}.items()}
        (row,) = evaluate(_only(catalogue, check), [make_job("reconcile", values)], make_service(values))
        return _verdict(check, row)

    return judge


def _only(catalogue: Catalogue, check: Check) -> Catalogue:
    return Catalogue(catalogue.sections, (check,), catalogue.issues, catalogue.digest)


def _value(value: Any) -> Any:
    if value == "?":
        return Fact(Unresolved(REASON))
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _verdict(check: Check, row: CheckResult) -> Verdict:
    if check.scope is Scope.SERVICE:
        assert row.service is not None
        return row.service
    (judged,) = row.jobs
    return judged.verdict


def test_every_outcome_of_every_check_has_its_case(catalogue: Catalogue) -> None:
    cases = {check: len(table["decided"]) for check, table in tables().items()}
    assert cases == {check.id: len(check.outcomes) for check in catalogue.checks}


@pytest.mark.parametrize(("check", "number", "status", "issue", "facts"), list(decided()))
def test_an_outcome_decides(
    decide: Callable[[str, Facts], Verdict],
    check: str,
    number: int,
    status: str,
    issue: str | None,
    facts: Facts,
) -> None:
    verdict = decide(check, facts)
    assert (verdict.outcome, verdict.status, verdict.issue) == (number, status, issue)
    assert verdict.evidence
    assert "unresolved" not in verdict.evidence
    assert "{" not in verdict.evidence


@pytest.mark.parametrize(("check", "facts"), list(undecided()))
def test_what_the_tree_cannot_tell_is_unknown(
    decide: Callable[[str, Facts], Verdict], check: str, facts: Facts
) -> None:
    verdict = decide(check, facts)
    assert (verdict.status, verdict.evidence, verdict.issue) == (Status.UNKNOWN, REASON, None)


@pytest.mark.parametrize(
    ("check", "facts", "evidence"),
    [
        ("LOCK-01", {"lock.coverage": Fact("all", "withLock() wrapper")}, "withLock() wrapper"),
        ("LOCK-02", {"lock.key": Fact("job:${config.name}")}, "job:${config.name}"),
        ("LOCK-02", {"lock.kind": "in-process"}, "No shared lock"),
        ("LOCK-02", {"lock.kind": "none", "lock.single_replica": True}, "No lock"),
        ("LOCK-02", {"lock.kind": "in-process", "lock.single_replica": True}, "No shared lock"),
        ("LOCK-03", {"lock.ttl_seconds": 300}, "300s lock < 600s timeout"),
        ("LOCK-03", {"lock.ttl_seconds": 600}, "600s lock = 600s timeout"),
        ("LOCK-07", {"lock.kind": "none"}, "No lock"),
        ("MON-01", {"monitor.service": None}, "Logs only, no external ping"),
        (
            "MON-03",
            {"monitor.service": None, "monitor.failure": Fact("stub", "alertJobFailure is STUB")},
            "alertJobFailure is STUB",
        ),
        ("JOB-06", {"timeout.seconds": Fact(180.0, "timeoutMs: 180000")}, "timeoutMs: 180000"),
        ("JOB-06", {}, "600s"),
        (
            "JOB-08",
            {
                "retry.attempts": Fact("bounded", "maxAttempts: 3"),
                "retry.delay": Fact("growing", "backoffMultiplier: 2"),
            },
            "maxAttempts: 3, backoffMultiplier: 2",
        ),
        (
            "JOB-04",
            {"schedule.in_dst_hours": True, "schedule.dst_date": "2027-03-28"},
            "Next skipped or doubled run: 2027-03-28",
        ),
        ("MULTI-05", {}, "TTL of 900s prevents blocking"),
    ],
)
def test_evidence_is_short_and_concrete(
    decide: Callable[[str, Facts], Verdict], check: str, facts: Facts, evidence: str
) -> None:
    assert decide(check, facts).evidence == evidence
