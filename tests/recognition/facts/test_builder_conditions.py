"""Conditions that a query builder gets elsewhere than in its own chain."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.model.facts import Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import effects

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

KNEX = """
    import { knex } from 'knex';
    const db = knex({ client: 'pg' });
    setInterval(async () => {
      const now = new Date();
      WORK
    }, 60_000);
"""


def guard(service_of: ServiceOf, work: str) -> object:
    (context,) = service_of({"src/sweep.ts": dedent(KNEX).replace("WORK", work)})
    return effects.build(context).guard.value


@pytest.mark.parametrize(
    ("work", "word"),
    [
        # In a function that states it.
        ("await db('carts').where((b) => b.where('expires_at', '<', now)).delete();", "conditional"),
        ("await db('carts').where(function () { this.whereNotNull('closed_at'); }).delete();", "conditional"),
        ("await db('carts').where((b) => { if (now > limit) b.where('state', 'old'); }).delete();", "none"),
        ("await db('carts').where((b) => b.where('owner', load())).delete();", "none"),
        # In a statement of its own.
        ("const q = db('carts'); q.where('expires_at', '<', now); await q.delete();", "conditional"),
        ("const q = db('carts'); await q.delete(); q.where('expires_at', '<', now);", "none"),
        (
            "const q = db('carts'); if (now > limit) q.where('expires_at', '<', now); await q.delete();",
            "none",
        ),
        ("const q = db('carts'); const r = db('rows'); r.where('state', 'old'); await q.delete();", "none"),
    ],
)
def test_a_condition_beside_the_chain(service_of: ServiceOf, work: str, word: str) -> None:
    assert guard(service_of, work) == word


def test_columns_that_only_the_run_knows(service_of: ServiceOf) -> None:
    work = "const q = db('carts'); Object.entries(match).forEach(([k, v]) => { q.where(k, v); }); await q.delete();"
    found = guard(service_of, work)
    assert isinstance(found, Unresolved)
    assert found.reason == "the columns of the condition of the DELETE are not told"


KYSELY = """
    import { Kysely } from 'kysely';
    const db = new Kysely({});
    setInterval(async () => {
      const cutoff = new Date();
      await STATEMENT.execute();
    }, 60_000);
"""


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        (
            "db.deleteFrom('carts').where((eb) => eb.or([eb('ended', '<', cutoff), eb('old', '=', true)]))",
            "conditional",
        ),
        ("db.deleteFrom('carts').where('ended', '<', cutoff)", "conditional"),
        ("db.deleteFrom('carts').where('id', 'in', ids)", "none"),
        ("db.updateTable('carts').set({ state: 'old' }).where('state', '=', 'new')", "conditional"),
        ("db.updateTable('carts').set({ state: 'old' }).where('owner', '=', owner)", "none"),
        ("db.insertInto('carts').values({ state: 'old' }).onConflict((c) => c.doNothing())", "conditional"),
        ("db.insertInto('carts').values({ state: 'old' })", "none"),
    ],
)
def test_a_statement_that_is_built_call_by_call(service_of: ServiceOf, statement: str, word: str) -> None:
    (context,) = service_of({"src/sweep.ts": dedent(KYSELY).replace("STATEMENT", statement)})
    assert effects.build(context).guard.value == word
