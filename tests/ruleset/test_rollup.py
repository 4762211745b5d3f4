from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from cronaudit.model.job import Job
from cronaudit.model.rule import Check, Issue, Scope
from cronaudit.model.source import Location
from cronaudit.model.verdict import CheckResult, Severity, Status, Verdict
from cronaudit.ruleset.rollup import roll_up

CHECK = Check("JOB-06", "3.1", "Timeout configured", "", "", Scope.JOB, (), "", "")
ISSUES = [
    Issue("worst", "Worst", Severity.CRITICAL, "", "", (), ""),
    Issue("bad", "Bad", Severity.HIGH, "", "", (), ""),
]
P, W, F, U, N = Status.PASS, Status.PARTIAL, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
Said = tuple[Status, str]
Roll = Callable[[Sequence[Said]], CheckResult]


def say(status: Status, evidence: str, issue: str | None = None) -> Verdict:
    return Verdict(status, evidence, None, issue, 0, None, ())


@pytest.fixture
def roll(make_job: Callable[..., Job]) -> Roll:
    def rolled(said: Sequence[Said]) -> CheckResult:
        jobs = [
            make_job(f"j{number}", path="src/j.ts", line=number) for number, _ in enumerate(said, start=1)
        ]
        return roll_up(CHECK, [(job, say(*words)) for job, words in zip(jobs, said, strict=True)], ISSUES)

    return rolled


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([P, P], P),
        ([F, F], F),
        ([U, U], U),
        ([W, W], W),
        ([N, N], N),
        ([], N),
        ([P, F], W),
        ([P, U], W),
        # UNKNOWN counts as not passed; beside nothing but FAIL it shows no part of what is asked.
        ([F, U], F),
        ([P, W], W),
        ([F, W], W),
        ([P, N], P),
        ([F, N], F),
        ([U, N], U),
        ([P, F, N], W),
    ],
)
def test_status_of_a_row(roll: Roll, statuses: list[Status], expected: Status) -> None:
    assert roll([(status, "x") for status in statuses]).status is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], "No live job"),
        ([(N, "No payment call")], "No payment call"),
        ([(N, "No payment call"), (P, "timeout: 5")], "timeout: 5"),
        ([(P, "same"), (P, "same")], "same"),
        ([(P, "name: 'a'"), (P, "name: 'b'"), (P, "name: 'c'")], "name: 'a' (+2 more)"),
        ([(P, "one"), (P, "many"), (P, "many")], "many (2/3 jobs); one on j1 (src/j.ts:1)"),
        (
            [(F, "No lock"), (F, "No lock"), (F, "Not locked")],
            "No lock (2/3 jobs); not locked on j3 (src/j.ts:3)",
        ),
        ([(P, "a"), (P, "a"), (P, "b"), (P, "c")], "a (2/4 jobs); +2 more"),
        ([(P, "a"), (P, "a"), (P, "b"), (P, "b")], "a (2/4 jobs); +2 more"),
        ([(P, "5min"), (P, "5min"), (F, "None")], "2/3 jobs; none on j3 (src/j.ts:3)"),
        ([(P, "5min"), (P, "6min"), (F, "No timeout"), (N, "x")], "2/3 jobs; no timeout on j3 (src/j.ts:3)"),
        (
            [(P, "x"), (F, "Redis only"), (F, "Redis only")],
            "1/3 jobs; Redis only on j2 (src/j.ts:2), j3 (src/j.ts:3)",
        ),
        (
            [(P, "x"), (W, "Weak"), (U, "lost"), (F, "None")],
            "1/4 jobs; none on j4 (src/j.ts:4); Weak on j2 (src/j.ts:2); unknown on j3 (src/j.ts:3): lost",
        ),
        (
            [(P, "x"), *[(F, "None")] * 5],
            "1/6 jobs; none on j2 (src/j.ts:2), j3 (src/j.ts:3), j4 (src/j.ts:4), +2 more",
        ),
        (
            [(P, "x"), *[(F, "None")] * 3, (W, "Weak")],
            "1/5 jobs; none on j2 (src/j.ts:2), j3 (src/j.ts:3), j4 (src/j.ts:4); +1 other",
        ),
        ([(W, "Weak"), (F, "None"), (W, "Weak")], "Weak (2/3 jobs); none on j2 (src/j.ts:2)"),
        ([(F, "None"), (U, "Lost"), (F, "None")], "None (2/3 jobs); unknown on j2 (src/j.ts:2): Lost"),
    ],
)
def test_evidence_of_a_row(roll: Roll, said: list[Said], expected: str) -> None:
    assert roll(said).evidence == expected


def test_offenders_are_placed_where_their_verdict_is(make_job: Callable[..., Job]) -> None:
    jobs = [make_job(name) for name in ("a", "b", "c")]
    at = Location("src/run.ts", 9)
    verdicts = [
        say(P, "x"),
        Verdict(F, "None", at, None, 0, None, ()),
        Verdict(W, "Half", at, None, 0, None, ()),
    ]
    row = roll_up(CHECK, list(zip(jobs, verdicts, strict=True)), ISSUES)
    assert row.evidence == "1/3 jobs; none on b (src/run.ts:9); Half on c (src/run.ts:9)"
    assert row.locations == (at,)


def test_the_worst_issue_is_the_rows(make_job: Callable[..., Job]) -> None:
    jobs = [make_job(name) for name in ("a", "b", "c")]
    verdicts = [say(F, "x", "bad"), say(F, "y", "worst"), say(P, "z")]
    row = roll_up(CHECK, list(zip(jobs, verdicts, strict=True)), ISSUES)
    assert (row.issue, row.severity) == ("worst", Severity.CRITICAL)
