from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from cronaudit.model.facts import ServiceFacts
from cronaudit.model.job import Job, JobState
from cronaudit.model.result import Suppression
from cronaudit.model.rule import Catalogue
from cronaudit.model.source import Diagnostic, Location
from cronaudit.model.verdict import Severity, Status
from cronaudit.ruleset.evaluate import evaluate
from cronaudit.ruleset.suppress import Comment, ConfiguredWaiver, Suppressed, suppress

if TYPE_CHECKING:
    from tests.ruleset.conftest import Rules

MakeJob = Callable[..., Job]
Run = Callable[..., Suppressed]


@pytest.fixture
def catalogue(rules: Rules) -> Catalogue:
    rules.issue("no-lock", "high")
    rules.check(
        "LOCK-01",
        "- {when: lock.kind == 'none', status: FAIL, evidence: No lock, issue: no-lock}\n"
        "- {status: PASS, evidence: Locked}",
    )
    rules.check("JOB-01", "- {status: PARTIAL, evidence: Half}")
    rules.check("MON-09", "- {status: FAIL, evidence: No routing, issue: no-lock}", scope="service")
    return rules.load()


@pytest.fixture
def jobs(make_job: MakeJob) -> list[Job]:
    return [
        make_job(
            "a", {"lock.kind": "none"}, path="src/a.ts", line=10, handler=Location("src/run.ts", 50, 60)
        ),
        make_job("b", {"lock.kind": "lease"}, path="src/b.ts", line=10),
        make_job("old", {"lock.kind": "none"}, path="src/old.ts", line=10, state=JobState.DORMANT),
    ]


@pytest.fixture
def run(catalogue: Catalogue, jobs: list[Job], service: ServiceFacts) -> Run:
    def suppressed(comments: list[Comment], configured: list[ConfiguredWaiver] | None = None) -> Suppressed:
        rows = evaluate(catalogue, jobs, service)
        return suppress(rows, catalogue, jobs, comments, configured or [])

    return suppressed


def line(found: Suppressed) -> str:
    return found.diagnostics[0].reason


def test_a_waived_verdict_is_not_applicable_and_out_of_the_roll_up(run: Run) -> None:
    before = run([]).results[0]
    assert (before.status, before.issue, before.severity) == (Status.PARTIAL, "no-lock", Severity.HIGH)
    found = run([Comment("src/a.ts", 9, "// cronaudit: ignore[LOCK-01] one replica by contract")])
    row = found.results[0]
    assert (row.status, row.evidence, row.issue, row.severity) == (Status.PASS, "Locked", None, None)
    verdict = row.jobs[0].verdict
    assert (verdict.status, verdict.evidence, verdict.issue) == (
        Status.NOT_APPLICABLE,
        "waived: one replica by contract",
        None,
    )
    assert [fact.name for fact in verdict.seen] == ["lock.kind"]
    assert found.suppressions == (Suppression("id:a", "LOCK-01", "one replica by contract", "src/a.ts", 9),)
    assert found.diagnostics == ()


@pytest.mark.parametrize(
    ("comment", "reason", "at"),
    [
        (Comment("src/a.ts", 10, "// cronaudit: ignore[LOCK-01] why"), "why", 10),
        (Comment("src/a.ts", 9, "cronaudit:ignore [LOCK-01] -- why"), "why", 9),
        (Comment("src/a.ts", 9, "/* cronaudit: ignore[ LOCK-01 ] why */"), "why", 9),
        (Comment("src/a.ts", 7, "/**\n * Expires.\n * cronaudit: ignore[LOCK-01]: why\n*/"), "why", 9),
        (Comment("src/run.ts", 49, "# cronaudit: ignore[LOCK-01] why"), "why", 49),
        (Comment("src/run.ts", 55, "# cronaudit: ignore[LOCK-01] why"), "why", 55),
    ],
)
def test_a_comment_at_or_right_above_its_job(run: Run, comment: Comment, reason: str, at: int) -> None:
    found = run([comment])
    assert found.suppressions == (Suppression("id:a", "LOCK-01", reason, comment.path, at),)


def test_between_a_comment_and_its_job_only_comments_may_stand(run: Run) -> None:
    above = Comment("src/a.ts", 8, "// cronaudit: ignore[LOCK-01] why")
    assert len(run([above, Comment("src/a.ts", 9, "// every minute")]).suppressions) == 1
    apart = run([above])
    assert apart.suppressions == ()
    assert apart.diagnostics == (
        Diagnostic("src/a.ts", "line 8: waiver of LOCK-01 is unused: it concerns no job"),
    )


@pytest.mark.parametrize(
    ("text", "diagnostic"),
    [
        (
            "cronaudit: ignore[LOCK-01]",
            "line 9: a waiver of LOCK-01 needs its reason",
        ),
        (
            "/* cronaudit: ignore[LOCK-01] */",
            "line 9: a waiver of LOCK-01 needs its reason",
        ),
        ("cronaudit: ignore why", "line 9: `cronaudit: ignore` without checks: ignore[LOCK-03] reason"),
        ("cronaudit: ignore[LOK-01] why", "line 9: no check 'LOK-01' to waive; did you mean 'LOCK-01'?"),
        (
            "cronaudit: ignore[MON-09] why",
            'line 9: waiver of MON-09 is unused: the check is about the service: waive it with job = "service"',
        ),
    ],
)
def test_a_waiver_that_cannot_hold_is_said(run: Run, text: str, diagnostic: str) -> None:
    found = run([Comment("src/a.ts", 9, text)])
    assert found.suppressions == ()
    assert found.diagnostics == (Diagnostic("src/a.ts", diagnostic),)


def test_a_pass_or_a_dormant_job_needs_no_waiver(run: Run) -> None:
    comments = [
        Comment("src/b.ts", 9, "# cronaudit: ignore[LOCK-01, JOB-01] why"),
        Comment("src/old.ts", 9, "# cronaudit: ignore[LOCK-01] why"),
    ]
    found = run(comments)
    assert found.suppressions == (Suppression("id:b", "JOB-01", "why", "src/b.ts", 9),)
    assert found.diagnostics == (
        Diagnostic("src/b.ts", "line 9: waiver of LOCK-01 is unused: nothing to waive there"),
        Diagnostic("src/old.ts", "line 9: waiver of LOCK-01 is unused: nothing to waive there"),
    )
    assert found.results[0].jobs[1].verdict.status is Status.PASS


@pytest.mark.parametrize("pattern", ["a", "id:a", "[!b]", "id:[a]"])
def test_the_configuration_waives_by_pattern(run: Run, pattern: str) -> None:
    entry = ConfiguredWaiver(pattern, ("LOCK-01",), "known", "pyproject.toml", 12)
    assert run([], [entry]).suppressions == (Suppression("id:a", "LOCK-01", "known", "pyproject.toml", 12),)


def test_the_configuration_waives_for_the_service(run: Run) -> None:
    found = run([], [ConfiguredWaiver("service", ("MON-09",), "one team", "cronaudit.toml", 3)])
    row = found.results[-1]
    assert (row.id, row.status, row.evidence, row.issue) == (
        "MON-09",
        Status.NOT_APPLICABLE,
        "waived: one team",
        None,
    )
    assert found.suppressions == (Suppression("service", "MON-09", "one team", "cronaudit.toml", 3),)


def test_a_row_waived_for_all_jobs_says_so(run: Run) -> None:
    row = run([], [ConfiguredWaiver("*", ("JOB-01",), "names are fine", "c.toml", 1)]).results[1]
    assert (row.id, row.status, row.evidence) == ("JOB-01", Status.NOT_APPLICABLE, "waived: names are fine")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (
            ConfiguredWaiver("zz*", ("LOCK-01",), "x", "c.toml", 4),
            "line 4: waiver of LOCK-01 is unused: it concerns no job",
        ),
        (
            ConfiguredWaiver("a", ("LOCK-01",), " ", "c.toml", 4),
            "line 4: a waiver of LOCK-01 needs its reason",
        ),
        (
            ConfiguredWaiver("a", ("LOCK-1",), "x", "c.toml", 4),
            "line 4: no check 'LOCK-1' to waive; did you mean 'LOCK-01'?",
        ),
    ],
)
def test_configured_waivers_are_checked(run: Run, entry: ConfiguredWaiver, reason: str) -> None:
    found = run([], [entry])
    assert (found.suppressions, found.diagnostics) == ((), (Diagnostic("c.toml", reason),))


def test_an_ordinary_comment_is_none(run: Run) -> None:
    found = run(
        [Comment("src/a.ts", 9, "// cronaudit: see the docs"), Comment("src/a.ts", 10, "ignore[LOCK-01] x")]
    )
    assert (found.suppressions, found.diagnostics) == ((), ())
