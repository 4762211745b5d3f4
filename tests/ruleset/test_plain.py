from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cronaudit.assets import rules_dir
from cronaudit.model.facts import Fact, ServiceFacts, Unresolved
from cronaudit.model.job import Job
from cronaudit.model.source import Location
from cronaudit.ruleset.catalogue import load_catalogue
from cronaudit.ruleset.evidence import Renderer, context
from cronaudit.ruleset.fields import FieldType, Kind, field_types
from cronaudit.ruleset.plain import read_plain

MakeJob = Callable[..., Job]
MakeService = Callable[[Mapping[str, Any]], ServiceFacts]
FILTERS = {"duration": lambda seconds: f"<{seconds!r}>"}
WRITTEN = [
    "{{ lock.kind }}",
    "a {{ lock.ttl_seconds | duration }} b {{timeout.seconds|duration}} c",
    "{{ lock.key.detail or lock.key or 'No key' }}",
    '{{ lock.key.at or "no place" }} {{ lock.key.file }} {{ lock.key.reason }}',
    "{{ '' or lock.fail_open or retry.count }}",
    "{{ retry.count or 'zero' }}",
    "{{ lock.ttl_seconds | duration or 'never' }}",
    "const a = { key: `${x}-{{ lock.key }}` } // }} %}\n",
    "{{ job.display_name }} {{ service.pool }} {{ jobs.count }}",
]


def facts(which: str, kind: FieldType) -> Fact[Any]:
    if which == "unresolved":
        return Fact(Unresolved("lost", Location("a.ts", 1)), "LOST", (Location("a.ts", 2),))
    if which == "empty":
        empty = {Kind.BOOL: False, Kind.NUMBER: 0.0, Kind.TEXT: "", Kind.WORDS: (kind.words or ("",))[0]}
        return Fact(None if kind.optional else empty[kind.kind])
    full = {Kind.BOOL: True, Kind.NUMBER: 2.5, Kind.TEXT: "x", Kind.WORDS: (kind.words or ("",))[-1]}
    return Fact(full[kind.kind], "seen" if which == "detailed" else "", (Location("b.ts", 3),))


@pytest.mark.parametrize("which", ["full", "detailed", "empty", "unresolved"])
def test_what_needs_no_engine_renders_as_the_engine_would(
    make_job: MakeJob, make_service: MakeService, which: str
) -> None:
    values = {
        f"{group}.{name}": facts(which, kind)
        for group, fields in field_types().items()
        for name, kind in fields.items()
    }
    named = context(make_job("a", values), make_service(values), 2)
    renderer = Renderer(FILTERS)
    catalogue = load_catalogue([rules_dir()])
    shipped = [
        *(
            outcome.evidence
            for check in catalogue.checks
            if check.scope == "job"
            for outcome in check.outcomes
        ),
        *(remediation.template for issue in catalogue.issues for remediation in issue.remediations),
    ]
    differing = {
        source: (renderer.block(source, named), engine)
        for source in [*WRITTEN, *shipped]
        if renderer.block(source, named) != (engine := renderer._engine(source, named).strip("\n"))
    }
    assert differing == {}


@pytest.mark.parametrize("source", WRITTEN)
def test_needs_no_engine(source: str) -> None:
    assert read_plain(source) is not None


@pytest.mark.parametrize(
    "source",
    [
        "{{ lock.ttl_seconds * 2 }}",
        "{{ 'a' if lock.fail_open else 'b' }}",
        "{{ lock.key | default('x') }}",
        "{{- lock.key }}",
        "{% if lock.key %}x{% endif %}",
        "{# a note #}x",
        "{{ 'it\\'s' }}",
        "{{ lock.key and 'x' }}",
        "{{ (lock.key or 'x') }}",
        "{{ lock.key.upper() }}",
        "{{ lock.key ~ 'x' }}",
        "{{ lock.key",
    ],
)
def test_leaves_the_rest_to_the_engine(source: str) -> None:
    assert read_plain(source) is None
