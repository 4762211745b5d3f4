from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cronaudit.model.facts import Fact, ServiceFacts, Unresolved
from cronaudit.model.job import Job
from cronaudit.model.rule import Scope
from cronaudit.model.source import Location
from cronaudit.ruleset.evidence import Renderer, check_template, context

MakeJob = Callable[..., Job]
VALUES = {
    "lock.key": Fact(
        "job:${name}", "key: job:${name}", (Location("src/lock.ts", 12), Location("src/lock.ts", 40))
    ),
    "lock.kind": "lease",
    "lock.ttl_seconds": 300.0,
    "timeout.seconds": 0.5,
    "lock.fail_open": True,
    "retry.count": Fact(Unresolved("RETRIES has no default"), "RETRIES"),
    "monitor.service": None,
}


@pytest.fixture
def render(make_job: MakeJob, service: ServiceFacts) -> Callable[[str], str]:
    named = context(make_job("expire", VALUES, line=16), service, 3)
    renderer = Renderer({"duration": lambda seconds: f"<{seconds!r}>"})
    return lambda source: renderer.block(source, named)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", "plain"),
        ("{{ lock.kind }}", "lease"),
        ("{{ lock.key }}", "job:${name}"),
        (
            "{{ lock.key.detail }} at {{ lock.key.at }} in {{ lock.key.file }}",
            "key: job:${name} at src/lock.ts:12 in src/lock.ts",
        ),
        ("[{{ lock.kind.at }}{{ lock.kind.file }}{{ lock.kind.detail }}]", "[]"),
        ("{{ lock.ttl_seconds }} and {{ timeout.seconds }}", "300 and 0.5"),
        ("{{ lock.ttl_seconds * 1500 }}", "450000"),
        ("{{ lock.ttl_seconds | duration }}", "<300.0>"),
        ("{{ lock.fail_open }}, {{ job.stub }}", "yes, no"),
        ("{{ 'open' if lock.fail_open else 'closed' }}", "open"),
        ("{{ monitor.service }}, {{ retry.count }}", "none, unresolved"),
        ("{{ retry.count.reason }}", "RETRIES has no default"),
        ("{{ retry.count | duration }}, {{ monitor.service | duration }}", "unresolved, none"),
        ("{{ monitor.service or 'Healthchecks.io' }}", "Healthchecks.io"),
        ("{{ monitor.service | default('x') }}, {{ lock.kind | default('x') }}", "x, lease"),
        ("{{ (retry.count or 3) * 2 }}", "6"),
        ("{{ 'none' if monitor.service is none }}{{ 'bad' if retry.count is none }}", "none"),
        ("{{ 'lost' if retry.count is unresolved }}{{ 'bad' if lock.key is unresolved }}", "lost"),
        ("{{ 'bad' if retry.count is resolved }}{{ 'known' if monitor.service is resolved }}", "known"),
        ("{{ 'y' if lock.kind == 'lease' }}{{ 'y' if lock.kind in ('row', 'lease') }}", "yy"),
        (
            "{{ 1 | plural('job') }}, {{ 2 | plural('job') }}, {{ 0 | plural('query', 'queries') }}",
            "1 job, 2 jobs, 0 queries",
        ),
        ("{{ jobs.count | plural('job') }}", "3 jobs"),
        (
            "{{ job.display_name }} {{ job.place }} {{ job.id }} {{ job.symbol }}|",
            "expire src/jobs/expire.ts:16 id:expire |",
        ),
        (
            "{{ job.schedule_text }} {{ job.path }} {{ service.pool }}",
            "every minute src/jobs/expire.ts bounded",
        ),
        ("a\n{% if lock.fail_open %}\n  b\n{% endif %}\nc\n", "a\n  b\nc"),
        ("<b>{{ lock.key }}</b>", "<b>job:${name}</b>"),
    ],
)
def test_facts_print_as_their_values(render: Callable[[str], str], source: str, expected: str) -> None:
    assert render(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ monitor.service * 2 }}",
        "{{ retry.count + 1 }}",
        "{{ 1 / 0 }}",
        "{{ ''.__class__ }}",
        "{{ lock.key.fact }}{{ lock.key.__class__.__mro__ }}",
    ],
)
def test_a_template_that_fails_on_these_values_says_nothing(
    render: Callable[[str], str], source: str
) -> None:
    assert render(source) == ""


def test_evidence_is_one_line(make_job: MakeJob, service: ServiceFacts) -> None:
    named = context(make_job("expire", VALUES), service, 1)
    assert (
        Renderer().line("{{ lock.kind }}\n  of {{ lock.ttl_seconds | duration }}\n", named) == "lease of 300s"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ lock.key }} {{ service.pool }} {{ jobs.count }} {{ job.display_name }} {{ lock.key.at }}", []),
        ("{% set ttl = timeout.seconds or 60 %}{{ ttl * 2 }}", []),
        ("{% for x in (1, 2) %}{{ x }}{% endfor %}", []),
        ("{{ lock.key.upper() }}", [(1, "a fact has no 'upper'")]),
        ("{{ lock.key.detial }}", [(1, "a fact has no 'detial'; did you mean 'detail'?")]),
        ("x\n{{ lock.kee }}", [(2, "unknown field 'lock.kee'; did you mean 'key'?")]),
        ("{{ lck.key }}", [(1, "unknown name 'lck'; did you mean 'lock'?")]),
        ("{{ key }}", [(1, "unknown name 'key'")]),
        ("{{ lock }}", [(1, "'lock' is a group: name one of its fields")]),
        ("{{ lock['key'] }}", [(1, "'lock' is a group: name one of its fields")]),
        ("{{ jobs.any }}", [(1, "unknown field 'jobs.any'")]),
        ("{{ lock.key | durration }}", [(1, "unknown filter 'durration'; did you mean 'duration'?")]),
        ("{{ 1 if lock.key is unresolve }}", [(1, "unknown test 'unresolve'; did you mean 'unresolved'?")]),
        ("{{ range(3) }}", [(1, "unknown name 'range'")]),
        ("{% include 'x' %}", [(1, "a rule's template stands alone: no include")]),
        (
            "{% if lock.key",
            [
                (
                    1,
                    "not a template: unexpected end of template, expected 'end of statement block'.",
                )
            ],
        ),
        (
            "{{ 1 if effects.changes == 'write' }}",
            [(1, "never 'write' but one of writes, outgoing, none; did you mean 'writes'?")],
        ),
        ("{{ 1 if effects.changes in ('none', 'x') }}", [(1, "never 'x' but one of writes, outgoing, none")]),
    ],
)
def test_templates_are_checked_before_they_run(source: str, expected: list[Any]) -> None:
    assert list(check_template(source, Scope.JOB)) == expected


def test_service_evidence_knows_no_single_job() -> None:
    found = list(check_template("{{ lock.key }} {{ job.name }} {{ service.pool }}", Scope.SERVICE))
    assert found == [
        (1, "unknown name 'lock'"),
        (1, "unknown name 'job'; did you mean 'jobs'?"),
    ]
