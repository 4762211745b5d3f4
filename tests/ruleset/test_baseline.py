from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from cronaudit.model.result import BaselineComparison
from cronaudit.model.verdict import CheckResult, JobVerdict, Status, Verdict
from cronaudit.ruleset.baseline import BaselineError, compare, read_baseline, render_baseline


def rows(statuses: Mapping[tuple[str, str], str]) -> list[CheckResult]:
    found: dict[str, CheckResult] = {}
    for (job, check), status in statuses.items():
        verdict = Verdict(Status(status), "x", None, None, 0, None, ())
        before = found[check].jobs if check in found else ()
        found[check] = CheckResult(
            check,
            "3.1",
            "",
            Status.PASS,
            "",
            (),
            None,
            None,
            () if job == "service" else (*before, JobVerdict(job, verdict)),
            verdict if job == "service" else None,
        )
    return list(found.values())


def test_a_baseline_is_sorted_findings() -> None:
    statuses = {
        ("b", "LOCK-01"): "FAIL",
        ("a", "LOCK-01"): "PARTIAL",
        ("service", "MON-09"): "FAIL",
        ("a", "JOB-01"): "FAIL",
        ("a", "JOB-02"): "PASS",
        ("a", "JOB-03"): "UNKNOWN",
        ("a", "JOB-04"): "N/A",
    }
    text = render_baseline(rows(statuses))
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "schema_version": 1,
        "tool": "cronaudit",
        "findings": [
            {"job": "a", "check": "JOB-01", "status": "FAIL"},
            {"job": "a", "check": "LOCK-01", "status": "PARTIAL"},
            {"job": "b", "check": "LOCK-01", "status": "FAIL"},
            {"job": "service", "check": "MON-09", "status": "FAIL"},
        ],
    }
    assert render_baseline(rows(dict(reversed(statuses.items())))) == text


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("FAIL", "FAIL", "known"),
        ("PARTIAL", "PARTIAL", "known"),
        ("FAIL", "PARTIAL", "known"),
        ("PARTIAL", "FAIL", "new"),
        ("PASS", "FAIL", "new"),
        ("UNKNOWN", "PARTIAL", "new"),
        ("FAIL", "PASS", "fixed"),
        ("FAIL", "N/A", "fixed"),
        ("PASS", "UNKNOWN", None),
        ("FAIL", "UNKNOWN", None),
        ("PASS", "PASS", None),
    ],
)
@pytest.mark.parametrize("job", ["a", "service"])
def test_a_finding_against_the_baseline(job: str, before: str, now: str, expected: str | None) -> None:
    key = (job, "LOCK-01")
    found = compare(rows({key: now}), read_baseline(render_baseline(rows({key: before}))))
    empty: dict[str, tuple[tuple[str, str], ...]] = {"new": (), "known": (), "fixed": ()}
    assert found == BaselineComparison(**{**empty, **({} if expected is None else {expected: (key,)})})


def test_a_job_that_is_gone_is_fixed_and_a_new_one_is_new() -> None:
    baseline = read_baseline(render_baseline(rows({("old", "LOCK-01"): "FAIL", ("kept", "LOCK-01"): "FAIL"})))
    found = compare(rows({("kept", "LOCK-01"): "FAIL", ("new", "LOCK-01"): "FAIL"}), baseline)
    assert found == BaselineComparison(
        new=(("new", "LOCK-01"),), known=(("kept", "LOCK-01"),), fixed=(("old", "LOCK-01"),)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: "),
        ("[]", "not a baseline: no findings"),
        ('{"findings": []}', "schema version None, this tool reads 1: write it anew"),
        ('{"schema_version": 2, "findings": []}', "schema version 2, this tool reads 1: write it anew"),
        ('{"schema_version": 1, "findings": {}}', "findings must be a list"),
        (
            '{"schema_version": 1, "findings": [{"job": "a", "check": "b", "status": "PASS"}]}',
            "finding 1 needs `job`, `check` and `status` (PARTIAL or FAIL)",
        ),
    ],
)
def test_a_baseline_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(BaselineError) as caught:
        read_baseline(text)
    assert str(caught.value).startswith(message)
