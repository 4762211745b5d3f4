"""That a job writes nothing is only said where every call that may write is known."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.model.facts import Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import effects

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

CODE = """
    import { Pool } from 'pg';
    const pool = new Pool({ max: 5 });
    export default function start(app) {
      setInterval(async () => {
        const { rows } = await pool.query('SELECT id FROM carts');
        await app.mailer.notify(rows);
        WORK
      }, 60_000);
    }
"""


def facts_of(service_of: ServiceOf, work: str) -> tuple[object, object]:
    (context,) = service_of({"src/sweep.ts": dedent(CODE).replace("WORK", work)})
    found = effects.build(context)
    return found.inserts.value, found.atomicity.value


@pytest.mark.parametrize(
    ("work", "name"),
    [
        ("await app.db.models.Report.create({ rows });", "create"),
        ("await app.reports.insertAll(rows);", "insertAll"),
        ("await app.reports.createDaily(rows);", "createDaily"),
        ("await app.reports.save({ rows });", "save"),
    ],
)
def test_a_row_that_an_unknown_object_may_make(service_of: ServiceOf, work: str, name: str) -> None:
    inserts, atomicity = facts_of(service_of, work)
    for fact in (inserts, atomicity):
        assert isinstance(fact, Unresolved)
        assert (fact.reason, str(fact.location)) == (
            f"what {name}() is called on is not resolved",
            "src/sweep.ts:7",
        )


def test_a_row_that_is_written_back_is_no_insert(service_of: ServiceOf) -> None:
    inserts, atomicity = facts_of(service_of, "for (const row of await app.reports.all()) await row.save();")
    assert inserts == "none"
    assert isinstance(atomicity, Unresolved)


@pytest.mark.parametrize(
    "work",
    [
        "app.log.info(rows);",
        "await app.mailer.notify(rows);",
        "app.forms.create(rows);",
        "await app.queue.drain();",
    ],
)
def test_other_calls_of_unknown_objects_make_no_row(service_of: ServiceOf, work: str) -> None:
    assert facts_of(service_of, work) == ("none", "single")
