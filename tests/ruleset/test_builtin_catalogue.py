"""The rules that ship, as tables: what must hold of them whatever the recognisers see."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cronaudit.assets import rules_dir
from cronaudit.model.facts import Fact, JobFacts, ServiceFacts, Unresolved
from cronaudit.model.job import Job, JobState
from cronaudit.model.rule import Catalogue, Scope
from cronaudit.model.verdict import Status
from cronaudit.ruleset.catalogue import load_catalogue
from cronaudit.ruleset.evaluate import evaluate
from cronaudit.ruleset.fields import FieldType, Kind, field_types
from cronaudit.ruleset.summary import summarise

MakeJob = Callable[..., Job]
MakeService = Callable[[Mapping[str, Any]], ServiceFacts]
LOST: Fact[Any] = Fact(Unresolved("cannot be told"))
FILTERS = {"duration": lambda seconds: f"{seconds:g}s"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue([rules_dir()])


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same throw at every run is the point


def some_value(kind: FieldType, chance: random.Random, unresolved: float) -> Fact[Any]:
    if chance.random() < unresolved:
        return LOST
    if kind.optional and chance.random() < 0.3:
        return Fact(None)
    values: dict[Kind, list[Any]] = {
        Kind.BOOL: [True, False],
        Kind.NUMBER: [0.0, 1.0, 30.0, 300.0, 86400.0],
        Kind.TEXT: ["job:${name}", "x"],
        Kind.WORDS: list(kind.words),
    }
    return Fact(chance.choice(values[kind.kind]))


def some_facts(chance: random.Random, unresolved: float) -> dict[str, Fact[Any]]:
    return {
        # What a job is, its recogniser always knows: the call that arms it says so.
        f"{group}.{name}": some_value(kind, chance, unresolved * ((group, name) != ("job", "kind")))
        for group, fields in field_types().items()
        for name, kind in fields.items()
    }


def test_sixty_seven_checks_in_seven_sections(catalogue: Catalogue) -> None:
    assert [(section.id, len(section.checks)) for section in catalogue.sections] == [
        ("3.1", 9),
        ("3.2", 8),
        ("3.3", 14),
        ("3.4", 8),
        ("3.5", 11),
        ("3.6", 8),
        ("3.7", 9),
    ]
    assert [check.id for check in catalogue.checks if check.scope is Scope.SERVICE] == [
        "MON-09",
        "MON-10",
        "MON-14",
        "IDEM-06",
        "IDEM-07",
        "IDEM-08",
        "ERR-09",
        "NODE-04",
        "NODE-07",
        "MULTI-03",
        "MULTI-06",
        "MULTI-09",
    ]


def test_nothing_known_decides_nothing(
    catalogue: Catalogue, make_job: MakeJob, make_service: MakeService
) -> None:
    lost = dict.fromkeys(some_facts(dice(0), 0), LOST)
    rows = evaluate(catalogue, [make_job("a", lost)], make_service(lost), FILTERS)
    assert {row.id: row.status for row in rows if row.status is not Status.UNKNOWN} == {}
    assert {row.evidence for row in rows} == {"cannot be told"}


@pytest.mark.parametrize("seed", range(40))
def test_every_table_decides_with_evidence_and_every_issue_has_its_snippet(
    catalogue: Catalogue, make_job: MakeJob, make_service: MakeService, seed: int
) -> None:
    chance = dice(seed)
    jobs = [
        make_job("a", some_facts(chance, 0.1), path="src/a.ts"),
        make_job("b", some_facts(chance, 0), path="app/b.py"),
        make_job("c", some_facts(chance, 0), path="src/c.ts", state=JobState.DORMANT),
    ]
    service = make_service(some_facts(chance, 0))
    rows = evaluate(catalogue, jobs, service, FILTERS)
    assert [row.id for row in rows if not row.evidence.strip()] == []
    for row in rows:
        for verdict in [judged.verdict for judged in row.jobs] + ([row.service] if row.service else []):
            assert verdict.evidence not in {str(status) for status in Status}, f"{row.id}: {verdict.when}"
            assert "unresolved" not in verdict.evidence, f"{row.id}: {verdict.when}"
    found = summarise(rows, catalogue, jobs, service, ("node", "python"), FILTERS)
    assert len(found.issues) > 5
    issues = {issue.id: issue for issue in catalogue.issues}
    assert [
        raised.id for raised in found.issues if issues[raised.id].remediations and not raised.snippets
    ] == []


_BEST_FIRST = (Status.NOT_APPLICABLE, Status.PASS, Status.PARTIAL, Status.FAIL, Status.UNKNOWN)


@pytest.mark.parametrize("seed", range(40))
def test_knowing_less_never_makes_a_verdict_better(
    catalogue: Catalogue, make_job: MakeJob, make_service: MakeService, seed: int
) -> None:
    chance = dice(seed)
    facts = some_facts(chance, 0)
    lost = dict.fromkeys(chance.sample(sorted(facts), 25), LOST)
    less = {**facts, **lost}
    known = evaluate(catalogue, [make_job("a", facts)], make_service(facts), FILTERS)
    now = evaluate(catalogue, [make_job("a", less)], make_service(less), FILTERS)
    better = {
        before.id: (before.status, after.status)
        for before, after in zip(known, now, strict=True)
        if _BEST_FIRST.index(after.status) < _BEST_FIRST.index(before.status)
    }
    assert better == {}


def test_facts_of_the_model_are_the_fields() -> None:
    assert [*field_types()] == [*JobFacts.__struct_fields__, "service"]
