"""The result document against its schema, and what it promises beyond shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from msgspec.structs import replace

from cronaudit.model.facts import Fact, Unresolved
from cronaudit.report.facts import fact_document, is_plainly_absent, number
from cronaudit.report.formats import FORMATS
from cronaudit.report.inventory import inventory_json
from cronaudit.schema import SCHEMAS, schema_text


def closed(schema: Any) -> Any:
    """The schema without leave for further fields: what the tool writes must all be described."""
    if isinstance(schema, list):
        return [closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    entries = {key: closed(value) for key, value in schema.items()}
    if entries.get("type") == "object" and "properties" in entries and "additionalProperties" not in entries:
        entries["additionalProperties"] = False
    return entries


def rendered(make: Any, result: Any) -> Any:
    return json.loads(FORMATS["json"].render(result, make.render_options()))


def test_schema_is_a_schema() -> None:
    for name in SCHEMAS:
        Draft202012Validator.check_schema(json.loads(schema_text(name)))


@pytest.mark.parametrize("build", ["result", "full_result", "empty_result", "hostile_result"])
def test_document_fits_its_schema_and_nothing_in_it_is_undescribed(make: Any, build: str) -> None:
    document = rendered(make, getattr(make, build)())
    schema = json.loads(schema_text("result"))
    for variant in (schema, closed(schema)):
        validator = Draft202012Validator(variant, format_checker=FormatChecker())
        assert [error.message for error in validator.iter_errors(document)] == []


def test_schema_refuses_what_it_does_not_promise(make: Any) -> None:
    document = rendered(make, make.result())
    document["checks"][0]["status"] = "MAYBE"
    del document["jobs"][0]["handler"]
    validator = Draft202012Validator(json.loads(schema_text("result")))
    assert sorted(error.message for error in validator.iter_errors(document)) == [
        "'MAYBE' is not one of ['PASS', 'PARTIAL', 'FAIL', 'UNKNOWN', 'N/A']",
        "'handler' is a required property",
    ]


def test_facts_say_what_was_seen_and_what_is_unresolved(make: Any) -> None:
    assert rendered(make, make.result())["jobs"][0]["facts"] == {
        "timeout.seconds": {
            "unresolved": "JOB_TIMEOUT has no default",
            "detail": "",
            "locations": [{"path": "src/config.ts", "line": 7}],
        },
        "lock.kind": {
            "value": "lease",
            "detail": "SET NX PX",
            "locations": [{"path": "src/jobs/lock.ts", "line": 20}],
        },
        "lock.ttl_seconds": {
            "value": 300,
            "detail": "300000 ms",
            "locations": [{"path": "src/jobs/job-executor.ts", "line": 79}],
        },
    }


@pytest.mark.parametrize(
    ("fact", "absent"),
    [
        (Fact(None), True),
        (Fact("none", "No lock"), True),
        (Fact(False), True),
        (Fact(0.0), False),
        (Fact("stub"), False),
        (Fact(Unresolved("x")), False),
    ],
)
def test_plainly_absent(fact: Fact[Any], absent: bool) -> None:
    assert is_plainly_absent(fact) is absent


def test_absence_with_a_place_is_no_plain_absence(make: Any) -> None:
    fact: Fact[Any] = Fact("none", "cleared on line 9", (make.at("a.ts:9"),))
    assert not is_plainly_absent(fact)
    assert fact_document(fact) == {
        "value": "none",
        "detail": "cleared on line 9",
        "locations": [{"path": "a.ts", "line": 9}],
    }


@pytest.mark.parametrize(
    ("value", "written"), [(60.0, 60), (0.5, 0.5), (float("inf"), None), (float("nan"), None)]
)
def test_number(value: float, written: float | None) -> None:
    assert number(value) == written
    assert type(number(value)) is type(written)


def test_coming_runs_carry_an_offset_only_where_a_zone_is_set(make: Any) -> None:
    invoices = make.jobs()[1]
    unset = replace(invoices, id="unset", schedule=replace(invoices.schedule, timezone=None))
    jobs = rendered(make, make.result(jobs=(invoices, unset)))["jobs"]
    assert [job["schedule"]["next_runs"][0] for job in jobs] == [
        "2026-11-23T02:00:00+01:00",
        "2026-11-23T02:00:00",
    ]


def test_zone_in_force_may_come_from_the_service(make: Any) -> None:
    job = replace(make.jobs()[0], facts=make.job_facts(schedule__timezone=Fact("UTC", "TZ=UTC")))
    assert rendered(make, make.result(jobs=(job,)))["jobs"][0]["schedule"]["timezone"] == "UTC"


def test_a_timer_that_counts_seconds_reads_no_clock(make: Any) -> None:
    facts = make.job_facts(
        schedule__timezone=Fact("UTC", "TIME_ZONE"),
        schedule__timezone_source=Fact("service", "TIME_ZONE"),
        schedule__form=Fact("interval", "every minute"),
        runner__library=Fact("own", "sleep loop"),
    )
    job = replace(make.jobs()[0], facts=facts, schedule=replace(make.jobs()[0].schedule, timezone="UTC"))
    assert rendered(make, make.result(jobs=(job,)))["jobs"][0]["schedule"]["timezone"] is None


def test_inventory_writes_jobs_as_the_result_document_does(make: Any) -> None:
    result = make.full_result()
    inventory = json.loads(inventory_json(result, make.render_options()))
    document = rendered(make, result)
    assert inventory == {
        key: document[key] for key in ("schema_version", "tool", "target", "date", "jobs", "diagnostics")
    }


def test_lone_surrogate_of_a_broken_file_name_is_rendered(make: Any) -> None:
    result = make.result(jobs=(replace(make.jobs()[0], name="a\udcff", display_name="a\udcff"),))
    assert rendered(make, result)["jobs"][0]["name"] == "a\udcff"
    assert "a\N{REPLACEMENT CHARACTER}" in FORMATS["markdown"].render(result, make.render_options())
