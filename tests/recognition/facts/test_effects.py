# ruff: noqa: S608 - the statements are those of the audited services

"""What a run changes, and what happens when it runs twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cronaudit.model.facts import EffectFacts, Fact, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import effects

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = """
{"name": "shop", "scripts": {"start": "node src/index.js"},
 "dependencies": {"node-cron": "^3.0.0", "pg": "^8.0.0", "stripe": "^14.0.0", "nodemailer": "^6.0.0", "pino": "^9.0.0"}}
"""
HEAD = """\
const cron = require('node-cron');
const { randomUUID } = require('node:crypto');
const { Pool } = require('pg');
const { PrismaClient } = require('@prisma/client');
const stripe = require('stripe')('key');
const mailer = require('nodemailer').createTransport('smtp://localhost');
const log = require('pino')();
const pool = new Pool();
const prisma = new PrismaClient();
"""
FIRST = HEAD.count("\n") + 1


def facts(service_of: ServiceOf, body: str) -> EffectFacts:
    source = (
        HEAD + "async function work() {" + body + "}\ncron.schedule('0 * * * *', work, { name: 'work' });\n"
    )
    found = service_of({"package.json": PACKAGE, "src/index.js": source})
    (context,) = [c for c in found if c.registration.kind == "node-cron"]
    return effects.build(context)


def line(fact: Fact[Any]) -> int:
    """The line of the deciding place within the body."""
    return fact.locations[0].line - FIRST + 1


# ---- guard ------------------------------------------------------------------------------------------------------

SELECT = "const { rows } = await pool.query(`SELECT id FROM carts WHERE state = 'open' LIMIT 100`);"


def test_nothing_is_changed(service_of: ServiceOf) -> None:
    found = facts(service_of, "log.info('tick');")
    assert (found.changes.value, found.guard.value, found.atomicity.value) == ("none", "none", "single")


def test_query_by_state_then_unconditional_update(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        SELECT
        + """
for (const row of rows) {
await pool.query(`UPDATE carts SET state = 'done' WHERE id = $1`, [row.id]);
}""",
    )
    assert found.guard.value == "state-query"
    assert found.guard.detail == "State-based query on state, then an unconditional UPDATE"
    assert line(found.guard) == 1


def test_query_on_a_state_that_the_job_never_changes(service_of: ServiceOf) -> None:
    found = facts(
        service_of, SELECT + "\nfor (const row of rows) {\nawait mailer.sendMail({ to: row.id });\n}"
    )
    assert (found.changes.value, found.guard.value) == ("outgoing", "none")
    assert found.guard.detail == "mail.send without a guard: the query on state selects the same again"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE carts SET state = 'done' WHERE state = 'open' AND touched_at < now()",
        "DELETE FROM carts WHERE expires_at < now()",
        "INSERT INTO days (day) VALUES (current_date) ON CONFLICT DO NOTHING",
    ],
)
def test_one_conditional_statement(service_of: ServiceOf, statement: str) -> None:
    assert facts(service_of, f"await pool.query(`{statement}`);").guard.value == "conditional"


def test_set_based_update_on_a_state_that_it_does_not_change(service_of: ServiceOf) -> None:
    found = facts(
        service_of, "await pool.query(`UPDATE accounts SET cents = cents * 1.01 WHERE state = 'open'`);"
    )
    assert found.guard.value == "none"


def test_claim_whose_result_decides(service_of: ServiceOf) -> None:
    body = """
for (const id of await open()) {
  const { rowCount } = await pool.query(`UPDATE carts SET state = 'sent' WHERE id = $1 AND state = 'open'`, [id]);
  if (rowCount === 0) continue;
  await mailer.sendMail({ to: id });
}
"""
    assert facts(service_of, body).guard.value == "conditional"


def test_claim_whose_result_is_ignored(service_of: ServiceOf) -> None:
    body = """
for (const id of await open()) {
  await pool.query(`UPDATE carts SET state = 'sent' WHERE id = $1 AND state = 'open'`, [id]);
  await mailer.sendMail({ to: id });
}
"""
    assert facts(service_of, body).guard.value == "state-query"


MARKER = "const { rowCount } = await pool.query('SELECT 1 FROM closings WHERE day = $1', [day]);"
CLOSE = "await pool.query('INSERT INTO closings (day) VALUES ($1)', [day]);"


@pytest.mark.parametrize(
    ("test", "guard"),
    [
        ("if (rowCount > 0) return;", "marker"),
        ("if (rowCount === 1) { return; }", "marker"),
        ("if (rowCount) return;", "marker"),
        # It leaves where there is none: the row is what the job is about, no marker.
        ("if (rowCount === 0) return;", "none"),
        ("if (!rowCount) return;", "none"),
        # It only says so.
        ("if (rowCount > 0) log.info('closed already');", "none"),
        # It leaves another branch.
        ("if (day === 'x') { if (rowCount > 0) return; }", "none"),
    ],
)
def test_marker(service_of: ServiceOf, test: str, guard: str) -> None:
    body = f"const day = new Date().toISOString();\n{MARKER}\n{test}\nawait mailer.sendMail({{ to: day }});\n{CLOSE}"
    assert facts(service_of, body).guard.value == guard


def test_marker_in_a_helper_that_gives_back_whether_there_is_one(service_of: ServiceOf) -> None:
    body = """
const day = new Date().toISOString();
const isClosed = async (d) => {
  const { rowCount } = await pool.query('SELECT 1 FROM closings WHERE day = $1', [d]);
  return rowCount === 1;
};
if (await isClosed(day)) return;
await pool.query('INSERT INTO closings (day) VALUES ($1)', [day]);
"""
    found = facts(service_of, body)
    assert (found.guard.value, found.guard.detail) == ("marker", "Processed marker in closings is checked")


def test_marker_that_the_job_never_sets(service_of: ServiceOf) -> None:
    body = f"const day = 1;\n{MARKER}\nif (rowCount > 0) return;\nawait mailer.sendMail({{ to: day }});"
    assert facts(service_of, body).guard.value == "none"


def test_prisma_update_many_with_the_state_in_its_condition(service_of: ServiceOf) -> None:
    where = "{ state: 'OPEN', expiresAt: { lt: new Date() } }"
    body = f"await prisma.cart.updateMany({{ where: {where}, data: {{ state: 'DONE' }} }});"
    found = facts(service_of, body)
    assert (found.guard.value, found.guard.detail) == ("conditional", "UPDATE only where state still says so")


def test_prisma_update_by_key(service_of: ServiceOf) -> None:
    body = """
const carts = await prisma.cart.findMany({ where: { state: 'OPEN' }, take: 100 });
for (const cart of carts) await prisma.cart.update({ where: { id: cart.id }, data: { state: 'DONE' } });
"""
    assert facts(service_of, body).guard.value == "state-query"


# ---- atomicity --------------------------------------------------------------------------------------------------

TWO = "await q.query('UPDATE a SET x = 1 WHERE id = $1', [1]); await q.query('INSERT INTO b (x) VALUES (1)');"


def test_single_write(service_of: ServiceOf) -> None:
    found = facts(service_of, "await pool.query('INSERT INTO b (x) VALUES (1)');")
    assert (found.atomicity.value, found.inserts.value) == ("single", "plain")


def test_separate_writes(service_of: ServiceOf) -> None:
    found = facts(service_of, f"const q = pool;\n{TWO}")
    assert (found.atomicity.value, found.atomicity.detail) == (
        "separate",
        "Separate INSERT and UPDATE statements",
    )
    assert line(found.atomicity) == 2


def test_writes_between_begin_and_commit(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        f"const q = await pool.connect();\nawait q.query('BEGIN');\n{TWO}\nawait q.query('COMMIT');",
    )
    assert found.atomicity.value == "transaction"
    assert line(found.atomicity) == 2


def test_one_write_after_the_commit(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        "const q = await pool.connect();\nawait q.query('BEGIN');\n"
        f"{TWO}\nawait q.query('COMMIT');\nawait q.query('DELETE FROM c WHERE id = 1');",
    )
    assert (found.atomicity.value, found.atomicity.detail) == ("some", "DELETE outside the transaction")


def test_a_function_that_is_called_inside_and_outside_of_a_transaction(service_of: ServiceOf) -> None:
    body = """
const mark = async (q) => { await q.query('UPDATE a SET x = 1 WHERE id = $1', [1]); };
const q = await pool.connect();
await q.query('BEGIN');
await mark(q);
await q.query('INSERT INTO b (x) VALUES (1)');
await q.query('COMMIT');
await mark(q);
"""
    assert facts(service_of, body).atomicity.value == "some"


def test_wrapper_of_the_project(service_of: ServiceOf) -> None:
    body = """
const inTransaction = async (run) => {
  const client = await pool.connect();
  try { await client.query('BEGIN'); const r = await run(client); await client.query('COMMIT'); return r; }
  catch (e) { await client.query('ROLLBACK'); throw e; }
};
await inTransaction(async (q) => { WRITES });
""".replace("WRITES", TWO)
    assert facts(service_of, body).atomicity.value == "transaction"


@pytest.mark.parametrize(
    "body",
    [
        (
            "await prisma.$transaction([prisma.a.update({ where: { id: 1 }, data: { x: 1 } }), "
            "prisma.b.create({ data: { x: 1 } })]);"
        ),
        (
            "await prisma.$transaction(async (tx) => { await tx.a.update({ where: { id: 1 }, data: { x: 1 } }); "
            "await tx.b.create({ data: { x: 1 } }); });"
        ),
    ],
)
def test_prisma_transactions(service_of: ServiceOf, body: str) -> None:
    assert facts(service_of, body).atomicity.value == "transaction"


# ---- inserts, payments, ids -------------------------------------------------------------------------------------


def test_some_inserts_are_upserts(service_of: ServiceOf) -> None:
    body = (
        "await pool.query('INSERT INTO a (x) VALUES (1)');\n"
        "await pool.query('INSERT INTO b (x) VALUES (1) ON CONFLICT DO NOTHING');"
    )
    found = facts(service_of, body)
    assert (found.inserts.value, found.inserts.detail) == ("some", "1 of 2 inserts are upserts")
    assert line(found.inserts) == 1


def test_statement_whose_text_is_not_resolved(service_of: ServiceOf) -> None:
    found = facts(service_of, "await pool.query(process.env.STATEMENT);")
    assert isinstance(found.changes.value, Unresolved)
    assert isinstance(found.inserts.value, Unresolved)


@pytest.mark.parametrize(
    ("options", "payments"),
    [(", { idempotencyKey: `payout-${id}` }", "keyed"), ("", "unkeyed"), (", { timeout: 5 }", "unkeyed")],
)
def test_payments(service_of: ServiceOf, options: str, payments: str) -> None:
    body = (
        f"const id = await next();\nawait stripe.transfers.create({{ amount: 5, destination: id }}{options});"
    )
    assert facts(service_of, body).payments.value == payments


BATCHER = """class Batcher {
  constructor() { this.rows = []; setInterval(() => this.flush(), 5000); }
  async flush() { const batch = randomUUID(); await prisma.note.createMany({ data: this.rows, batch }); }
}"""


@pytest.mark.parametrize(
    ("body", "run_id"),
    [
        ("const run = randomUUID();\nlog.info({ run }, 'started');", "used"),
        ("const child = log.child({ run: randomUUID() });\nchild.info('started');", "used"),
        ("const run = randomUUID();\nawait pool.query('INSERT INTO runs (id) VALUES ($1)', [run]);", "used"),
        (
            "const token = randomUUID();\nawait fetch('https://x.example', { headers: { token } });\nlog.info('done');",
            "none",
        ),
        ("log.info('started');", "none"),
        # An id of each row, of each mail or of each batch is none of the run.
        ("for (const o of await open()) {\nawait prisma.note.create({ data: { id: randomUUID(), o } });\n}", "none"),
        (
            "const { ObjectId } = require('mongodb');\nawait prisma.note.create({ data: { of: new ObjectId(key) } });",
            "none",
        ),
        ("const { ObjectId } = require('mongodb');\nconst run = new ObjectId();\nlog.info({ run });", "used"),
        ("for (const o of await open()) {\nconst id = randomUUID();\nlog.info({ id, o }, 'sent');\n}", "none"),
        ("await Promise.all((await open()).map(async (o) => {\nlog.info({ id: randomUUID(), o });\n}));", "none"),
        (f"{BATCHER}\nconst batcher = new Batcher();\nawait batcher.flush();", "none"),
        (("const note = async (o) => { const id = randomUUID(); log.info({ id, o }); };\n"
         "for (const o of await open()) await note(o);"), "none"),
        (("const note = async (o) => { const id = randomUUID(); log.info({ id, o }); };\n"
         "await note('a');\nawait note('b');"), "none"),
        # The key of a row is its own.
        ("await prisma.note.create({ data: { id: randomUUID(), text: 'swept' } });", "none"),
        ("const id = randomUUID();\nawait prisma.note.create({ data: { id, text: 'swept' } });", "none"),
        ("const row = { id: randomUUID(), text: 'swept' };\nawait prisma.note.create({ data: row });", "none"),
        ("const id = randomUUID();\nlog.info({ id });\nawait prisma.note.create({ data: { id } });", "used"),
        # Made once, written with each.
        (("const run = randomUUID();\nfor (const o of await open()) {\n"
         "await prisma.note.create({ data: { run, o } });\n}"), "used"),
        (("const run = randomUUID();\nconst rows = (await open()).map((o) => ({ o, run }));\n"
         "await prisma.note.createMany({ data: rows });"), "used"),
        (("const run = randomUUID();\nconst rows = [];\nfor (const o of await open()) rows.push({ o, run });\n"
         "await prisma.note.createMany({ data: rows });"), "used"),
        ("const newId = () => randomUUID();\nconst run = newId();\nlog.info({ run }, 'started');", "used"),
        ("const run = randomUUID();\nconst found = await open(run);\nlog.info({ found }, 'started');", "none"),
    ],
)  # fmt: skip
def test_run_id(service_of: ServiceOf, body: str, run_id: str) -> None:
    assert facts(service_of, body).run_id.value == run_id


def test_an_id_that_goes_into_a_list_of_an_object_cannot_be_told(service_of: ServiceOf) -> None:
    kept = """
    class Outbox {
      constructor() { this.rows = []; }
      add(...rows) { this.rows.push(...rows); }
    }
    const run = randomUUID();
    new Outbox().add({ run, total: 5 });"""
    found = facts(service_of, kept)
    reason = found.run_id.value
    assert isinstance(reason, Unresolved)
    assert reason.reason == "an id of the run is put into a list that is written elsewhere"
    assert reason.location is not None
    assert reason.location.line - FIRST == 3


def test_a_delete_of_each_row_that_a_query_found_is_not_conditional(service_of: ServiceOf) -> None:
    (context,) = service_of(
        {
            "shop/settings.py": """
                CELERY_BEAT_SCHEDULE = {"sweep": {"task": "shop.tasks.sweep", "schedule": 60.0}}
            """,
            "shop/models.py": """
                from django.db import models

                class Share(models.Model):
                    expires = models.DateTimeField()
            """,
            "shop/tasks.py": """
                from celery import shared_task
                from django.utils import timezone
                from shop.models import Share

                @shared_task
                def sweep():
                    for share in Share.objects.filter(expires__lt=timezone.now()).iterator():
                        share.delete()
            """,
        }
    )
    guard = effects.build(context).guard
    assert (guard.value, [str(at) for at in guard.locations]) == (
        "state-query",
        ["shop/tasks.py:7", "shop/tasks.py:8"],
    )


@pytest.mark.parametrize(
    ("read", "guard"),
    [
        ("repository(Cart).findOne({ where: { shop } })", "marker"),
        ("repository(Shop).findOne({ where: { shop } })", "none"),
    ],
)
def test_the_class_that_a_repository_is_asked_for_is_the_table(
    service_of: ServiceOf, read: str, guard: str
) -> None:
    source = f"""
const cron = require('node-cron');
const {{ DataSource }} = require('typeorm');
class Cart {{}}
class Shop {{}}
const source = new DataSource({{}});
const repository = (entity) => source.getRepository(entity);
async function work() {{
  const shop = await source.query('SELECT id FROM shops LIMIT 1');
  const found = await {read};
  if (!found) {{
    await repository(Cart).save(new Cart());
  }}
}}
cron.schedule('0 * * * *', work, {{ name: 'work' }});
"""
    (context,) = service_of({"package.json": PACKAGE, "src/index.js": source})
    assert effects.build(context).guard.value == guard
