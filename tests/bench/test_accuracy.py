"""The ruler must be straight: a benchmark that flatters the tool is worse than none."""

from __future__ import annotations

from fractions import Fraction

import pytest

from bench.accuracy import jobs, verdicts
from bench.accuracy.labels import Decoy, JobLabel, Place, Source, TreeLabels, VerdictLabel, load
from bench.accuracy.scan import FoundJob, FoundVerdict
from bench.accuracy.schedules import handler_agrees, normalise_cron, schedule_agrees, zone_agrees
from bench.accuracy.scores import Group, TreeScore, below_floor
from bench.accuracy.trees import folder_names
from bench.accuracy.verdicts import Disagreement


def label(name: str = "sweep", line: int = 10, **other: object) -> JobLabel:
    values: dict[str, object] = {
        "kind": "node-cron",
        "other_places": (),
        "schedule": "*/5 * * * *",
        "timezone": None,
        "handler": "src/sweep.ts:Sweep.run",
        "confidence": "sure",
        "state": "live",
    }
    return JobLabel(name=name, place=Place("src/jobs.ts", line), **{**values, **other})  # type: ignore[arg-type]


def found(name: str | None = "sweep", line: int = 10, **other: object) -> FoundJob:
    values: dict[str, object] = {
        "kind": "node-cron",
        "state": "live",
        "path": "src/jobs.ts",
        "expression": "*/5 * * * *",
        "interval_seconds": None,
        "timezone": None,
        "handler_path": "src/sweep.ts",
        "handler_symbol": "Sweep.run",
    }
    return FoundJob(name=name, line=line, **{**values, **other})  # type: ignore[arg-type]


def tree(
    *labels: JobLabel, decoys: tuple[Decoy, ...] = (), checks: dict[str, VerdictLabel] | None = None
) -> TreeLabels:
    return TreeLabels("tree", Source(None, "owner/name", "abc"), ".", labels, decoys, checks or {})


@pytest.mark.parametrize(("line", "matches"), [(4, True), (16, True), (3, False), (17, False)])
def test_a_job_matches_within_six_lines(line: int, matches: bool) -> None:
    score = jobs.score(tree(label()), (found(name=None, line=line),))
    assert (score.found, len(score.false), len(score.missed)) == ((1, 0, 0) if matches else (0, 1, 1))


def test_a_job_matches_by_name_in_its_file_only() -> None:
    far = found(line=900)
    elsewhere = found(line=10, path="src/other.ts")
    assert jobs.score(tree(label()), (far,)).found == 1
    assert jobs.score(tree(label()), (elsewhere,)).false == ("sweep [node-cron] src/other.ts:10",)


def test_a_second_report_is_false() -> None:
    score = jobs.score(tree(label()), (found(), found(name=None, line=12)))
    assert (score.found, score.false) == (1, ("(no name) [node-cron] src/jobs.ts:12 (again: sweep)",))


def test_as_many_as_possible_are_matched() -> None:
    """The job on the loop's line is the closest to both labels, and the only one that the second can have."""
    loop = Place("src/jobs.ts", 30)
    first, second = label("a", 24, other_places=(loop,)), label("b", 60, other_places=(loop,))
    at_loop, at_first = found(name=None, line=30), found(name=None, line=19)
    assert jobs.assign((first, second), (at_loop, at_first)) == [at_first, at_loop]


def test_borderline_dormant_and_workflows_count_neither_way() -> None:
    labels = tree(
        label("sure", 10),
        label("maybe", 100, confidence="borderline"),
        label("dead", 200, state="dormant"),
        label("nightly", 300, kind="github-actions"),
    )
    reports = (
        found("sure", 10),
        found("maybe", 100),
        found("dead", 200, state="dormant"),
        found("nightly", 300, kind="github-actions"),
        found("other", 400, kind="github-actions"),
        found("idle", 500, state="dormant"),
    )
    score = jobs.score(labels, reports)
    assert (score.expected, score.found, score.false, score.missed) == (1, 1, (), ())
    assert score.dormant == ("idle [node-cron] src/jobs.ts:500",)
    assert jobs.score(labels, ()).missed == ("sure [node-cron] src/jobs.ts:10",)


def test_a_false_job_on_a_decoy_is_both() -> None:
    decoy = Decoy(Place("src/jobs.ts", 48), "a cache")
    score = jobs.score(tree(label(), decoys=(decoy,)), (found(), found(name=None, line=50)))
    assert score.false == ("(no name) [node-cron] src/jobs.ts:50",)
    assert score.decoys == ("(no name) [node-cron] src/jobs.ts:50 (a cache)",)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("0 0 17 * * *", "0 17 * * *"),
        ("@daily", "0 0 * * *"),
        ("0 2 * * MON,thu", "00 2 * * 1,4"),
        ("0 3 1 jan ?", "0 3 1 1 *"),
        ("0 0 * * 7", "0 0 * * 0"),
    ],
)
def test_two_spellings_of_one_cron(left: str, right: str) -> None:
    assert normalise_cron(left) == normalise_cron(right)


@pytest.mark.parametrize(
    ("left", "right"), [("30 0 17 * * *", "0 17 * * *"), ("*/5 * * * *", "*/15 * * * *")]
)
def test_two_crons(left: str, right: str) -> None:
    assert normalise_cron(left) != normalise_cron(right)


def test_schedules() -> None:
    assert schedule_agrees(label(schedule="300s"), found(expression=None, interval_seconds=300))
    assert not schedule_agrees(label(schedule="300s"), found(expression=None, interval_seconds=300_000))
    assert schedule_agrees(label(schedule="unresolved"), found(expression=None))
    assert not schedule_agrees(label(schedule="unresolved"), found())
    assert not schedule_agrees(label(), found(expression=None))


def test_zones() -> None:
    assert zone_agrees(label(timezone="UTC"), found(timezone="Etc/UTC"))
    assert not zone_agrees(label(timezone=None), found(timezone="UTC"))
    assert not zone_agrees(label(timezone="Europe/Berlin"), found(timezone=None))


@pytest.mark.parametrize(
    ("expected", "symbol", "agrees"),
    [
        ("src/sweep.ts:run", "Sweep.run", True),
        ("src/sweep.ts:Sweep.run", "run", True),
        ("src/sweep.ts", None, True),
        ("src/sweep.ts:run", "Sweep.rerun", False),
        ("src/sweep.ts:run", None, False),
        ("src/other.ts:run", "run", False),
    ],
)
def test_handlers(expected: str, symbol: str | None, agrees: bool) -> None:
    assert handler_agrees(label(handler=expected), found(handler_symbol=symbol)) is agrees


def judged(**statuses: str) -> dict[str, VerdictLabel]:
    return {check.replace("_", "-"): VerdictLabel(status, (), "", "") for check, status in statuses.items()}


def test_ways_to_disagree() -> None:
    checks = judged(A="FAIL", B="PASS", C="PASS", D="PASS", E="PASS", F="PASS")
    checks["G"] = VerdictLabel("FAIL", ("PARTIAL",), "", "")
    said = {"A": "PASS", "B": "FAIL", "C": "UNKNOWN", "D": "N/A", "F": "PASS", "G": "PARTIAL"}
    score = verdicts.score(tree(checks=checks), {check: FoundVerdict(s, "", ()) for check, s in said.items()})
    assert {miss.check: miss.disagreement for miss in score.misses} == {
        "A": Disagreement.FALSE_PASS,
        "B": Disagreement.FALSE_FAIL,
        "C": Disagreement.UNKNOWN,
        "D": Disagreement.OTHER,
        "E": Disagreement.MISSING,
    }


def test_commonest_label() -> None:
    trees = tuple(tree(checks=judged(A=status)) for status in ("PASS", "FAIL", "FAIL"))
    assert verdicts.commonest_label(trees, unseen=False) == pytest.approx(2 / 3)
    # Without its own label: FAIL for the first; PASS and FAIL tie for the others, and FAIL comes first.
    assert verdicts.commonest_label(trees, unseen=True) == pytest.approx(2 / 3)


def test_groups_and_floors() -> None:
    one = tree(label(), checks=judged(A="PASS", B="PASS"))
    two = tree(label("a", 10), label("b", 100), label("c", 200))
    scores = (
        TreeScore(
            "one", "Python", jobs.score(one, ()), verdicts.score(one, {"A": FoundVerdict("PASS", "", ())})
        ),
        TreeScore(
            "two",
            "Python",
            jobs.score(two, (found("a", 10), found("b", 100), found("x", 50))),
            verdicts.score(two, {}),
        ),
    )
    group = Group("Python", scores)
    assert (group.precision, group.recall, group.agreement) == (
        Fraction(2, 3),
        Fraction(1, 2),
        Fraction(1, 2),
    )
    assert below_floor(group, {"recall": 0.5, "false_pass": 0.0, "agreement": 0.6}) == [
        "Python: agreement is 0.5, at least 0.6 wanted"
    ]
    assert below_floor(Group("two", scores[1:]), {"agreement": 0.1}) == [
        "two: nothing to measure agreement on"
    ]


def test_label_files_are_whole() -> None:
    trees = {tree.tree: tree for tree in load()}
    assert sorted(name for name, tree in trees.items() if tree.family == "Python") == [
        "healthchecks",
        "plane",
        "pretix",
        "superset",
        "weblate",
    ]
    assert {name: len(tree.verdicts) for name, tree in trees.items() if tree.verdicts} == {
        "documenso": 67,
        "plane": 67,
        "uptime-kuma": 67,
        "weblate": 67,
    }
    assert folder_names(trees["superset"])[:2] == ("superset", "apache-superset-6.1.0")
