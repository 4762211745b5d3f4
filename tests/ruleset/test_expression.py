from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cronaudit.model.facts import Fact, JobFacts, ServiceFacts, Unresolved
from cronaudit.model.rule import Scope
from cronaudit.model.source import Location
from cronaudit.ruleset.expression import ExpressionError, compile_condition
from cronaudit.ruleset.kleene import Reading, Truth, Unknown

MakeFacts = Callable[[Mapping[str, Any]], JobFacts]
LOST = Unresolved("LOCK_TTL has no default", Location("src/env.ts", 3))


@pytest.fixture
def ask(make_facts: MakeFacts, service: ServiceFacts) -> Callable[..., Truth]:
    def evaluate(source: str, **values: Any) -> Truth:
        facts = make_facts({name.replace("__", "."): value for name, value in values.items()})
        return compile_condition(source, Scope.JOB).evaluate(Reading(facts, service))

    return evaluate


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("lock.kind == 'lease'", True),
        ("lock.kind != 'lease'", False),
        ("lock.kind in ('queue', 'lease')", True),
        ("lock.kind in ['queue', 'lease']", True),
        ("lock.kind not in ('queue', 'message')", True),
        ("lock.ttl_seconds < timeout.seconds", True),
        ("lock.ttl_seconds >= timeout.seconds", False),
        ("0 < lock.ttl_seconds < timeout.seconds", True),
        ("0 < lock.ttl_seconds < 200", False),
        ("lock.ttl_seconds == 5 * 60", True),
        ("lock.ttl_seconds * 2 == timeout.seconds", True),
        ("timeout.seconds - lock.ttl_seconds > -1", True),
        ("timeout.seconds / 2 <= lock.ttl_seconds", True),
        ("lock.fail_open", True),
        ("not lock.fail_open", False),
        ("lock.fail_open == true", True),
        ("lock.fail_open and lock.kind == 'lease'", True),
        ("lock.key == 'job:x'", True),
        ("lock.key is none", False),
        ("lock.key is not None", True),
        ("retry.count is none", True),
        ("lock.key is resolved", True),
        ("lock.key is unresolved", False),
        ("service.tests or\nlock.fail_open", True),
    ],
)
def test_decides_what_is_resolved(ask: Callable[..., Truth], source: str, expected: bool) -> None:
    values = {"lock__kind": "lease", "lock__key": "job:x", "lock__ttl_seconds": 300.0}
    assert ask(source, **values, timeout__seconds=600.0, lock__fail_open=True) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("lock.ttl_seconds < 10", False),
        ("lock.ttl_seconds > 10", False),
        ("lock.ttl_seconds == 10", False),
        ("lock.ttl_seconds != 10", True),
        ("lock.ttl_seconds * 2 > 10", False),
        ("lock.ttl_seconds == timeout.seconds", False),
        ("lock.key in ('a', 'b')", False),
        ("lock.key not in ('a', 'b')", True),
        ("lock.ttl_seconds is none", True),
        ("lock.ttl_seconds is unresolved", False),
        ("10 / retry.count > 1", False),
    ],
)
def test_none_is_known_to_be_absent(ask: Callable[..., Truth], source: str, expected: bool) -> None:
    assert ask(source, retry__count=0.0) is expected


A, B = "job.stub", "lock.fail_open"
STATES: dict[str, Any] = {"true": True, "false": False, "unknown": LOST}


def kleene(values: tuple[str, str], *, decisive: str) -> str:
    if decisive in values:
        return decisive
    return "unknown" if "unknown" in values else {"true": "false", "false": "true"}[decisive]


@pytest.mark.parametrize("pair", list(itertools.product(STATES, STATES)))
def test_and_and_or_are_kleene_in_any_order(ask: Callable[..., Truth], pair: tuple[str, str]) -> None:
    values = {"job__stub": STATES[pair[0]], "lock__fail_open": STATES[pair[1]]}
    for word, decisive in (("or", "true"), ("and", "false")):
        for source in (f"{A} {word} {B}", f"{B} {word} {A}"):
            truth = ask(source, **values)
            shown = "unknown" if isinstance(truth, Unknown) else str(truth).lower()
            assert shown == kleene(pair, decisive=decisive), source


@pytest.mark.parametrize(
    "source",
    [
        "lock.ttl_seconds < 10",
        "not lock.ttl_seconds < 10",
        "10 > lock.ttl_seconds",
        "lock.ttl_seconds is none",
        "lock.ttl_seconds * 0 == 0",
        "-lock.ttl_seconds < 0",
        "lock.ttl_seconds in (1, 2)",
        "lock.ttl_seconds not in (1, 2)",
        "1 < lock.ttl_seconds < 10",
    ],
)
def test_unresolved_spreads_with_its_origin(ask: Callable[..., Truth], source: str) -> None:
    assert ask(source, lock__ttl_seconds=LOST) == Unknown((("lock.ttl_seconds", LOST),))


def test_unknown_names_every_origin_in_order(ask: Callable[..., Truth]) -> None:
    other = Unresolved("no default either")
    truth = ask("lock.ttl_seconds < timeout.seconds", lock__ttl_seconds=LOST, timeout__seconds=other)
    assert truth == Unknown((("lock.ttl_seconds", LOST), ("timeout.seconds", other)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("lock.ttl_seconds is unresolved", True),
        ("lock.ttl_seconds is not unresolved", False),
        ("lock.ttl_seconds is resolved", False),
        ("lock.ttl_seconds is resolved and lock.ttl_seconds < 5", False),
        ("1 < lock.ttl_seconds < 10 and 5 < retry.count", False),
    ],
)
def test_asking_for_unresolved_does_not_spread(
    ask: Callable[..., Truth], source: str, expected: bool
) -> None:
    assert ask(source, lock__ttl_seconds=LOST) is expected


def test_a_false_link_decides_a_chain_with_an_unknown_one(ask: Callable[..., Truth]) -> None:
    assert (
        ask("lock.ttl_seconds < timeout.seconds < 5", lock__ttl_seconds=LOST, timeout__seconds=9.0) is False
    )


def test_notes_what_it_read_in_order(make_facts: MakeFacts, service: ServiceFacts) -> None:
    facts = make_facts({"lock.kind": "none"})
    reading = Reading(facts, service)
    condition = compile_condition("lock.kind == 'none' or lock.ttl_seconds < timeout.seconds", Scope.JOB)
    assert condition.evaluate(reading) is True
    assert list(reading.seen.items()) == [("lock.kind", facts.lock.kind)]
    assert condition.fields == ("lock.kind", "lock.ttl_seconds", "timeout.seconds")


@pytest.mark.parametrize(
    ("source", "locks", "expected"),
    [
        ("jobs.any(\"lock.kind == 'lease'\")", ["none", "lease"], True),
        ("jobs.any(\"lock.kind == 'lease'\")", ["none", "none"], False),
        ("jobs.any(\"lock.kind == 'lease'\")", [], False),
        ("jobs.any(\"lock.kind == 'lease'\")", [LOST, "lease"], True),
        ("jobs.all(\"lock.kind == 'lease'\")", ["lease", "lease"], True),
        ("jobs.all(\"lock.kind == 'lease'\")", ["lease", "none"], False),
        ("jobs.all(\"lock.kind == 'lease'\")", [LOST, "none"], False),
        ("jobs.count > 1 and not service.tests", ["none", "none"], True),
        ("jobs.count > 1", ["none"], False),
    ],
)
def test_aggregates_over_live_jobs(
    make_facts: MakeFacts, service: ServiceFacts, source: str, locks: list[Any], expected: bool
) -> None:
    jobs = [make_facts({"lock.kind": kind}) for kind in locks]
    assert compile_condition(source, Scope.SERVICE).evaluate(Reading(None, service, jobs)) is expected


@pytest.mark.parametrize("which", ["any", "all"])
def test_an_aggregate_that_an_unresolved_job_could_turn_is_unknown(
    make_facts: MakeFacts, service: ServiceFacts, which: str
) -> None:
    other = "none" if which == "any" else "lease"
    jobs = [make_facts({"lock.kind": LOST}), make_facts({"lock.kind": other})]
    condition = compile_condition(f"jobs.{which}(\"lock.kind == 'lease'\")", Scope.SERVICE)
    assert condition.evaluate(Reading(None, service, jobs)) == Unknown((("lock.kind", LOST),))


def test_an_aggregate_is_seen_with_its_count_and_places(make_facts: MakeFacts, service: ServiceFacts) -> None:
    place = Location("src/lock.ts", 7)
    jobs = [make_facts({"lock.kind": Fact("lease", locations=(place,))}), make_facts({"lock.kind": "none"})]
    reading = Reading(None, service, jobs)
    compile_condition("jobs.any(\"lock.kind != 'none'\")", Scope.SERVICE).evaluate(reading)
    assert reading.seen == {"jobs.any(lock.kind != 'none')": Fact(True, "1 of 2 jobs", (place,))}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("lok.kind == 'lease'", "unknown group 'lok'; did you mean 'lock'?"),
        ("lock.kin == 'lease'", "unknown field 'lock.kin'; did you mean 'kind'?"),
        ("lock.release == 'finaly'", "'finaly'"),
        ("lock.kind in ('lease', 'red')", "'red'"),
        ("lock.release == lock.store", "one of"),
        (
            "lock.ttl_seconds == '300'",
            "can never be equal: lock.ttl_seconds is a number, or none, '300' is `300`",
        ),
        ("lock.kind == 3", "can never be equal"),
        ("lock.fail_open == 'yes'", "can never be equal"),
        ("lock.kind < 'z'", "only numbers have an order"),
        ("lock.fail_open < 3", "only numbers have an order"),
        ("lock.key == none", "nothing equals none: ask `is none`"),
        ("lock.key == None", "nothing equals none: ask `is none`"),
        ("lock.key in ('a', None)", "nothing equals none: ask `is none`"),
        ("lock.kind is none", "lock.kind is never none"),
        ("lock.kind is 'lease'", "`is` asks for none, unresolved or resolved; compare with `==`"),
        ("lock.key is none is none", "`is` stands alone: join conditions with `and`"),
        ("lock.key", "lock.key is text, or none, no condition: compare it, or ask `is none`"),
        ("not lock.ttl_seconds", "no condition"),
        ("lock", "not allowed in a condition: lock"),
        ("lock.key.detail == 'x'", "not a field: lock.key.detail"),
        ("true", "always the same: leave `when` out instead"),
        ("1 == 1", "compares two literals"),
        ("lock.kind in ()", "`in` takes one list of literals: x in ('a', 'b')"),
        ("lock.kind in 'lease'", "`in` takes one list of literals: x in ('a', 'b')"),
        ("lock.kind in (lock.store,)", "`in` takes literals only"),
        ("lock.key + 'x' == 'y'", "lock.key is text, or none, no number"),
        ("lock.ttl_seconds / 0 > 1", "divides by zero"),
        ("lock.ttl_seconds ** 2 > 1", "not allowed in a condition: lock.ttl_seconds ** 2"),
        ("lock.kind.upper() == 'LEASE'", "not allowed in a condition: lock.kind.upper()"),
        ("len(lock.key) > 3", "not allowed in a condition: len(lock.key)"),
        ("print('x')", "the only calls are jobs.any('…') and jobs.all('…')"),
        ("__import__('os').system('x')", "the only calls are jobs.any('…') and jobs.all('…')"),
        ("[x for x in (1,)] == 1", "not allowed in a condition: [x for x in (1,)]"),
        ("(lambda: 1) == 1", "not allowed in a condition: lambda: 1"),
        ("lock.fail_open if job.stub else job.stub", "not allowed in a condition"),
        ("lock.kind == f'{1}'", "not allowed in a condition: f'{1}'"),
        ("lock.kind = 'lease'", "not an expression: "),
        ("lock.kind ==", "not an expression: "),
        ("", "not allowed in a condition: ()"),
        ("lock.key == '\\d'", "not an expression: "),
        ("jobs.any('job.stub')", "`jobs` is for checks with `scope: service`"),
        ("jobs.count > 1", "`jobs` is for checks with `scope: service`"),
    ],
)
def test_refuses_what_cannot_mean_anything(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition(source, Scope.JOB)
    assert message in caught.value.message


def test_suggests_the_word_that_was_meant() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition("lock.release == 'finaly'", Scope.JOB)
    assert caught.value.message == (
        "lock.release is never 'finaly' but one of `finally`, `claim`, `some-errors`, `success`, `expires`; "
        "did you mean 'finally'?"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("lock.kind == 'none'", "lock.kind is a job's: in service scope ask jobs.any('…') or jobs.all('…')"),
        ("jobs.any('lock.kin == 1')", "in jobs.any: unknown field 'lock.kin'; did you mean 'kind'?"),
        ("jobs.any('jobs.count > 1')", "in jobs.any: `jobs` is for checks with `scope: service`"),
        ("jobs.most('job.stub')", "the only calls are jobs.any('…') and jobs.all('…')"),
    ],
)
def test_service_scope_asks_jobs_through_aggregates(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition(source, Scope.SERVICE)
    assert caught.value.message == message


def test_says_the_line_of_a_condition_over_several() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition("lock.kind == 'lease'\nand job.stub\nand lock.kin == 'x'", Scope.JOB)
    assert (caught.value.line, caught.value.message) == (3, "unknown field 'lock.kin'; did you mean 'kind'?")


def test_deep_nesting_is_refused_not_a_crash() -> None:
    with pytest.raises(ExpressionError):
        compile_condition("not " * 20_000 + "job.stub", Scope.JOB)
