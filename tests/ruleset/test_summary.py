from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from cronaudit.model.facts import Fact, ServiceFacts, Unresolved
from cronaudit.model.job import Job, JobState
from cronaudit.model.result import Snippet, Summary
from cronaudit.model.rule import Catalogue
from cronaudit.model.source import Location
from cronaudit.model.verdict import Severity, Status
from cronaudit.ruleset.evaluate import evaluate
from cronaudit.ruleset.summary import job_runtime, summarise

if TYPE_CHECKING:
    from tests.ruleset.conftest import Rules

MakeJob = Callable[..., Job]
BY_LOCK = """
- {when: lock.kind == 'none', status: FAIL, evidence: No lock, issue: no-lock}
- {when: lock.kind == 'in-process', status: N/A, evidence: Apart}
- {status: PASS, evidence: Locked}
"""


@pytest.fixture
def summarised(service: ServiceFacts) -> Callable[..., Summary]:
    def run(catalogue: Catalogue, jobs: Sequence[Job], runtimes: Sequence[str] = ("node",)) -> Summary:
        rows = evaluate(catalogue, jobs, service)
        return summarise(rows, catalogue, jobs, service, runtimes)

    return run


@pytest.mark.parametrize(
    ("passed", "failed", "expected"),
    [
        (0, 0, 0),
        (0, 3, 0),
        (1, 0, 100),
        (1, 1, 50),
        (1, 2, 33),
        (2, 1, 67),
        (1, 7, 13),
        (3, 5, 38),
        (1, 199, 1),
    ],
)
def test_pass_rate_is_rounded_half_up(
    rules: Rules,
    make_job: MakeJob,
    summarised: Callable[..., Summary],
    passed: int,
    failed: int,
    expected: int,
) -> None:
    for number in range(passed + failed):
        status = "PASS" if number < passed else "FAIL"
        rules.check(f"LOCK-{number:03}", f"- {{status: {status}, evidence: x}}")
    rules.check("JOB-01", "- {status: N/A, evidence: x}", section="3.1")
    assert summarised(rules.load(), [make_job("a")]).pass_rate == expected


def test_counts_come_from_the_rows(
    rules: Rules, make_job: MakeJob, summarised: Callable[..., Summary]
) -> None:
    for number, status in enumerate(["PASS", "PASS", "PARTIAL", "FAIL", "UNKNOWN", "N/A"], start=1):
        rules.check(f"LOCK-{number:02}", f"- {{status: {status}, evidence: x}}")
    rules.check("JOB-01", "- {status: PASS, evidence: x}", section="3.1")
    found = summarised(rules.load(), [make_job("a")])
    assert (found.passed, found.partial, found.failed, found.unknown, found.not_applicable) == (3, 1, 1, 1, 1)
    assert (found.applicable, found.pass_rate) == (6, 50)
    assert [(table.id, table.title, table.passed, table.applicable) for table in found.sections] == [
        ("3.2", "Section", 2, 5),
        ("3.1", "Section", 1, 1),
    ]
    assert [[row.id for row in table.rows] for table in found.sections] == [
        [f"LOCK-{number:02}" for number in range(1, 7)],
        ["JOB-01"],
    ]


TITLES = "{node: Node.js Specific, python: Python Specific, any: Runtime Specific}"


@pytest.fixture
def by_runtime(rules: Rules) -> Catalogue:
    rules.issue("no-lock")
    rules.check("NODE-01", BY_LOCK, section="3.6")
    rules.check("NODE-04", "- {status: PASS, evidence: Measured}", scope="service", section="3.6")
    rules.sections(TITLES)
    return rules.load_as_written()


def tables(summary: Summary) -> list[tuple[str, str, int, int, list[Status]]]:
    return [
        (table.title, table.runtime, table.passed, table.applicable, [row.status for row in table.rows])
        for table in summary.sections
    ]


NODE, PYTHON, OTHER = "src/a.ts", "app/tasks.py", "k8s/cron.yaml"


def test_a_service_of_one_runtime_has_one_table(
    by_runtime: Catalogue, make_job: MakeJob, summarised: Callable[..., Summary]
) -> None:
    jobs = [
        make_job("a", {"lock.kind": "lease"}, path=PYTHON),
        make_job("k", {"lock.kind": "none"}, path=OTHER),
    ]
    assert tables(summarised(by_runtime, jobs, ("node", "python"))) == [
        ("Python Specific", "python", 1, 2, [Status.PARTIAL, Status.PASS])
    ]


@pytest.mark.parametrize(
    ("runtimes", "title", "runtime"),
    [
        (("node",), "Node.js Specific", "node"),
        (("python",), "Python Specific", "python"),
        (("node", "python"), "Runtime Specific", "any"),
        (("other",), "Runtime Specific", "any"),
        ((), "Runtime Specific", "any"),
    ],
)
def test_where_jobs_tell_no_runtime_the_target_does(
    by_runtime: Catalogue,
    make_job: MakeJob,
    summarised: Callable[..., Summary],
    runtimes: tuple[str, ...],
    title: str,
    runtime: str,
) -> None:
    found = tables(summarised(by_runtime, [make_job("k", {"lock.kind": "none"}, path=OTHER)], runtimes))
    assert found == [(title, runtime, 1, 2, [Status.FAIL, Status.PASS])]


def test_a_service_of_two_runtimes_has_a_table_for_each(
    by_runtime: Catalogue, make_job: MakeJob, summarised: Callable[..., Summary]
) -> None:
    jobs = [
        make_job("n", {"lock.kind": "none"}, path=NODE),
        make_job("p", {"lock.kind": "lease"}, path=PYTHON),
        make_job("q", {"lock.kind": "none"}, path=PYTHON, state=JobState.DORMANT),
    ]
    found = summarised(by_runtime, jobs)
    assert tables(found) == [
        ("Node.js Specific", "node", 1, 2, [Status.FAIL, Status.PASS]),
        ("Python Specific", "python", 2, 2, [Status.PASS, Status.PASS]),
    ]
    assert [[judged.job for judged in table.rows[0].jobs] for table in found.sections] == [["id:n"], ["id:p"]]
    # One row, over all jobs: mixed. The tables do not count twice.
    assert (found.passed, found.partial, found.failed, found.applicable) == (1, 1, 0, 2)


def test_jobs_of_no_runtime_get_a_table_beside_two(
    by_runtime: Catalogue, make_job: MakeJob, summarised: Callable[..., Summary]
) -> None:
    jobs = [make_job(path[:1], {"lock.kind": "lease"}, path=path) for path in (NODE, PYTHON, OTHER)]
    assert [table.title for table in summarised(by_runtime, jobs).sections] == [
        "Node.js Specific",
        "Python Specific",
        "Runtime Specific",
    ]


@pytest.mark.parametrize(
    ("path", "handler", "expected"),
    [
        ("a.mts", None, "node"),
        ("b.py", None, "python"),
        ("k8s/cron.yaml", None, None),
        ("k8s/cron.yaml", "app/tasks.py", "python"),
        ("a.js", "run.sh", "node"),
    ],
)
def test_runtime_of_a_job(make_job: MakeJob, path: str, handler: str | None, expected: str | None) -> None:
    job = make_job("a", path=path, handler=None if handler is None else Location(handler, 1))
    assert job_runtime(job) == expected


def issue(name: str, severity: str, rest: str) -> str:
    return (
        f"id: {name}\ntitle: {name.title()}\nseverity: {severity}\nremediation_title: Fix {name}\n"
        f"recommendation: Fix {name} now\n{rest}"
    )


def test_issues_name_the_checks_and_jobs_that_raised_them(
    rules: Rules, make_job: MakeJob, summarised: Callable[..., Summary]
) -> None:
    rules.check("LOCK-01", BY_LOCK)
    rules.check("MULTI-01", BY_LOCK)
    rules.check("MON-09", "- {status: FAIL, evidence: x, issue: no-routing}", scope="service")
    rules.check(
        "JOB-01", "- {when: job.stub, status: FAIL, evidence: x, issue: quiet}\n- {status: PASS, evidence: x}"
    )
    rules.write("issues/no-routing.yaml", issue("no-routing", "low", ""))
    rules.write("issues/no-lock.yaml", issue("no-lock", "critical", ""))
    rules.write("issues/quiet.yaml", issue("quiet", "critical", ""))
    rules.write("issues/stub.yaml", issue("stub", "high", "when: lock.fail_open\n"))
    rules.write("issues/never.yaml", issue("never", "medium", "state: dormant\n"))
    rules.write("issues/late.yaml", issue("late", "medium", "state: dormant\nwhen: lock.fail_open\n"))
    jobs = [
        make_job("a", {"lock.kind": "none"}),
        make_job("b", {"lock.kind": "lease", "lock.fail_open": True}),
        make_job("c", {"lock.kind": "none", "lock.fail_open": Unresolved("lost")}),
        make_job("d", {"lock.kind": "none"}, state=JobState.DORMANT),
    ]
    found = summarised(rules.load(), jobs).issues
    assert [(raised.id, raised.severity, raised.checks, raised.jobs) for raised in found] == [
        ("no-lock", Severity.CRITICAL, ("LOCK-01", "MULTI-01"), ("id:a", "id:c")),
        ("stub", Severity.HIGH, (), ("id:b",)),
        ("never", Severity.MEDIUM, (), ("id:d",)),
        ("no-routing", Severity.LOW, ("MON-09",), ()),
    ]
    assert (found[0].title, found[0].recommendation) == ("No-Lock", "Fix no-lock now")


REMEDIES = """\
remediations:
  - runtime: node
    language: typescript
    when: lock.kind == 'lease'
    template: "lease {{ job.name }}"
  - runtime: node
    language: javascript
    template: "{{ timeout.seconds * 2 }}"
  - runtime: any
    language: yaml
    template: |
      job: {{ job.name }}
      at: {{ lock.ttl_seconds.at }}
"""


@pytest.fixture
def remedied(rules: Rules) -> Catalogue:
    rules.check("LOCK-01", "- {status: FAIL, evidence: x, issue: ttl}")
    rules.write("issues/ttl.yaml", issue("ttl", "high", REMEDIES))
    return rules.load()


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([("a", NODE, {"lock.kind": "lease"})], [("typescript", "lease a")]),
        ([("a", NODE, {"lock.kind": "none", "timeout.seconds": 2.0})], [("javascript", "4")]),
        ([("a", NODE, {"lock.kind": "none"})], [("yaml", "job: a\nat:")]),
        (
            [("a", PYTHON, {"lock.ttl_seconds": Fact(1.0, "", (Location("x.py", 3),))})],
            [("yaml", "job: a\nat: x.py:3")],
        ),
        (
            [("p", PYTHON, {}), ("a", NODE, {"lock.kind": "lease"}), ("b", NODE, {"lock.kind": "lease"})],
            [("yaml", "job: p\nat:"), ("typescript", "lease a")],
        ),
        ([("k", OTHER, {}), ("a", NODE, {"lock.kind": "lease"})], [("typescript", "lease a")]),
        ([("k", OTHER, {})], [("yaml", "job: k\nat:")]),
        ([("p", PYTHON, {}), ("a", NODE, {"lock.kind": "none"})], [("yaml", "job: p\nat:")]),
    ],
)
def test_snippets_fit_the_first_job_of_each_runtime(
    remedied: Catalogue,
    make_job: MakeJob,
    summarised: Callable[..., Summary],
    jobs: list[tuple[str, str, dict[str, Any]]],
    expected: list[tuple[str, str]],
) -> None:
    made = [make_job(name, values, path=path) for name, path, values in jobs]
    (raised,) = summarised(remedied, made).issues
    assert [
        Snippet(s.title, s.language, "\n".join(map(str.rstrip, s.code.split("\n")))) for s in raised.snippets
    ] == [Snippet("Fix ttl", language, code) for language, code in expected]
