"""How much a job takes at once, and how its loops treat the event loop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import DataFacts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import data

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = """
{"name": "shop", "scripts": {"start": "node src/index.js"}, "dependencies": {"node-cron": "^3.0.0", "pg": "^8.0.0"}}
"""
HEAD = """\
const cron = require('node-cron');
const fs = require('node:fs');
const { setImmediate: pause, setTimeout: sleep } = require('node:timers/promises');
const { Pool } = require('pg');
const { PrismaClient } = require('@prisma/client');
const pMap = require('p-map');
const pool = new Pool();
const prisma = new PrismaClient();
const all = async () => (await pool.query('SELECT id FROM carts LIMIT 10')).rows;
const touch = (id) => pool.query('UPDATE carts SET x = 1 WHERE id = $1', [id]);
"""


CARTS = "const mongo = require('mongodb');\nconst carts = new mongo.MongoClient('x').db('shop').collection('carts');"


def facts(service_of: ServiceOf, body: str) -> DataFacts:
    source = (
        HEAD + "async function work() {" + body + "}\ncron.schedule('0 * * * *', work, { name: 'work' });\n"
    )
    found = service_of({"package.json": PACKAGE, "src/index.js": source})
    assert len(found) == 1
    return data.build(found[0])


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("await pool.query('DELETE FROM carts WHERE expires_at < now()');", "none"),
        ("const { rows } = await pool.query('SELECT id FROM carts');\nuse(rows);", "unbounded"),
        (
            "const { rows } = await pool.query('SELECT id FROM carts WHERE shop_id = $1', [1]);\nuse(rows);",
            "unbounded",
        ),
        ("const { rows } = await pool.query('SELECT id FROM carts LIMIT 500');\nuse(rows);", "batched"),
        ("const { rows } = await pool.query('SELECT id FROM carts WHERE id = $1', [1]);\nuse(rows);", "none"),
        (
            "const { rows } = await pool.query('SELECT x FROM settings WHERE name = $1', ['a']);\nuse(rows[0].x);",
            "none",
        ),
        ("const { rows } = await pool.query('SELECT count(*) FROM carts');\nuse(rows);", "none"),
        ("use(await prisma.cart.findMany({ where: { open: true } }));", "unbounded"),
        ("use(await prisma.cart.findMany({ where: { open: true }, take: 50 }));", "batched"),
        ("use(await prisma.cart.findUnique({ where: { id: 1 } }));", "none"),
        ("use(await prisma.cart.count());", "none"),
        (f"{CARTS}\nuse(await carts.aggregate([{{ $match: {{ open: true }} }}]).toArray());", "unbounded"),
        (
            f"{CARTS}\nuse(await carts.aggregate([{{ $sort: {{ n: 1 }} }}, {{ $limit: size }}]).toArray());",
            "batched",
        ),
        (
            f"{CARTS}\nconst steps = [{{ $limit: size }}];\nuse(await carts.aggregate(steps).toArray());",
            "batched",
        ),
        (f"{CARTS}\nawait carts.aggregate([{{ $match: {{}} }}, {{ $out: 'ranks' }}]).toArray();", "batched"),
        # One of them is unbounded.
        ("use(await all());\nuse(await prisma.cart.findMany({ where: { open: true } }));", "unbounded"),
    ],
)
def test_reads(service_of: ServiceOf, body: str, reads: str) -> None:
    assert facts(service_of, body).reads.value == reads


PAGE = (
    "const { rows } = await pool.query('SELECT id FROM carts WHERE id > $1 ORDER BY id LIMIT 100', [last]);"
)


def test_keyset_paging(service_of: ServiceOf) -> None:
    found = facts(
        service_of, f"let last = 0;\nfor (;;) {{ {PAGE} if (!rows.length) return; last = rows.at(-1).id; }}"
    )
    assert (found.reads.value, found.reads.detail) == ("streamed", "Keyset paging")


def test_one_page_alone_is_a_batch(service_of: ServiceOf) -> None:
    assert facts(service_of, f"let last = 0;\n{PAGE}\nuse(rows);").reads.value == "batched"


@pytest.mark.parametrize(
    ("body", "loop"),
    [
        ("await touch(1);", "none"),
        # It only turns values around.
        ("const ids = (await all()).map((row) => row.id);\nawait touch(ids);", "none"),
        ("for (const row of await all()) await touch(row.id);", "async"),
        ("await Promise.all((await all()).map((row) => touch(row.id)));", "async"),
        ("for (const row of await all()) { await touch(row.id); await pause(); }", "yields"),
        ("for (const row of await all()) { await touch(row.id); await sleep(100); }", "yields"),
        ("for (const row of await all()) fs.writeFileSync(row.id, 'x');", "sync"),
        # A loop that tries again is none of the work's.
        (
            "for (let n = 0; n < 3; n++) { try { return await touch(1); } catch (e) { await sleep(1000); } }",
            "none",
        ),
    ],
)
def test_loop(service_of: ServiceOf, body: str, loop: str) -> None:
    assert facts(service_of, body).loop.value == loop
