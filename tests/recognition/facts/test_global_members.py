"""Objects that a file keeps on the global object, so that a reload does not make them again."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.model.facts import Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import effects

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

SWEEP = """
    import { db } from './db';
    import { carts } from './schema';
    setInterval(async () => {
      await db.insert(carts).values({ state: 'new' });
    }, 60_000);
"""
SCHEMA = "import { pgTable } from 'drizzle-orm/pg-core';\nexport const carts = pgTable('carts', {});\n"
HEAD = "import { drizzle } from 'drizzle-orm/postgres-js';\nimport postgres from 'postgres';\n"


@pytest.mark.parametrize(
    ("db", "inserts"),
    [
        (
            (
                "const kept = globalThis as unknown as { db?: object };\n"
                "if (!kept.db) kept.db = drizzle(postgres('postgres://db'));\nexport const db = kept.db;\n"
            ),
            "plain",
        ),
        (
            "globalThis.db = globalThis.db ?? drizzle(postgres('postgres://db'));\nexport const db = globalThis.db;\n",
            "plain",
        ),
        (
            (
                "function made() {\n  if (!global.db) { global.db = drizzle(postgres('postgres://db')); }\n"
                "  return global.db;\n}\nexport const db = made();\n"
            ),
            "plain",
        ),
    ],
)
def test_what_a_file_puts_on_the_global_object(service_of: ServiceOf, db: str, inserts: str) -> None:
    (context,) = service_of({"src/sweep.ts": dedent(SWEEP), "src/schema.ts": SCHEMA, "src/db.ts": HEAD + db})
    assert effects.build(context).inserts.value == inserts


@pytest.mark.parametrize(
    "db",
    [
        "export const db = globalThis.db;\n",
        "globalThis.other = drizzle(postgres('postgres://db'));\nexport const db = globalThis.db;\n",
        "globalThis.db = globalThis.db.fresh();\nexport const db = globalThis.db;\n",
    ],
)
def test_what_nobody_puts_there_is_not_known(service_of: ServiceOf, db: str) -> None:
    sweep = dedent(SWEEP).replace(
        "  await", "  await fetch('https://shop.example/sweep', { method: 'POST' });\n  await"
    )
    (context,) = service_of({"src/sweep.ts": sweep, "src/schema.ts": SCHEMA, "src/db.ts": HEAD + db})
    found = effects.build(context).inserts.value
    assert isinstance(found, Unresolved)
    assert found.reason == "what insert() is called on is not resolved"
