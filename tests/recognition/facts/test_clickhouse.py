"""A job that writes to ClickHouse."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import effects

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

CODE = """
    import { createClient } from '@clickhouse/client';
    const store = createClient({ OPTIONS });
    const plain = (name) => /^[a-z]+$/.test(name);
    setInterval(async () => {
      if (plain('rows')) WORK
    }, 60_000);
"""


@pytest.mark.parametrize(
    ("work", "inserts", "changes"),
    [
        ("await store.insert({ table: 'rows', values: [1], format: 'JSONEachRow' });", "plain", "writes"),
        ("await store.command({ query: 'DELETE FROM rows WHERE at < now()' });", "none", "writes"),
    ],
)
def test_what_a_call_does(service_of: ServiceOf, work: str, inserts: str, changes: str) -> None:
    (context,) = service_of({"src/rows.ts": dedent(CODE).replace("OPTIONS", "").replace("WORK", work)})
    found = effects.build(context)
    assert (found.inserts.value, found.changes.value) == (inserts, changes)


@pytest.mark.parametrize(("options", "word"), [("max_open_connections: 4", "bounded"), ("", "default")])
def test_its_connections(service_of: ServiceOf, options: str, word: str) -> None:
    work = "await store.insert({ table: 'rows', values: [1] });"
    (context,) = service_of({"src/rows.ts": dedent(CODE).replace("OPTIONS", options).replace("WORK", work)})
    assert service_facts.build(context.service).pool.value == word


def test_a_literal_is_nothing_that_a_run_may_hide_behind(service_of: ServiceOf) -> None:
    code = dedent(CODE).replace("OPTIONS", "").replace("if (plain('rows')) WORK", "return plain('rows');")
    assert all(c.trace.complete for c in service_of({"src/rows.ts": code}))
