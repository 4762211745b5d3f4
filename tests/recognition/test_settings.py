"""Schedules out of settings that a schema describes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

HEAD = (
    "import * as cron from 'node-cron';\nimport { z } from 'zod';\nimport { Pool } from 'pg';\n"
    "const db = new Pool();\nasync function sweep() { await db.query('delete from sessions'); }\n"
    "const shape = z.object({ EVERY: z.coerce.number().optional().default(10), OFF: z.coerce.number().default(-1) });\n"
)
SCHEMAS = {
    "checked as a whole": ("const env = shape.check((ctx) => {}).parse(process.env);", "*/10 * * * *"),
    "checked by a function of the tree": (
        (
            "function read(schema, from = process.env) {\n  const found = schema.safeParse(from);\n"
            "  if (!found.success) { throw new Error('invalid'); }\n  return found.data;\n}\n"
            "const env = read(shape.required({ EVERY: true }));"
        ),
        "*/10 * * * *",
    ),
    "with more fields": (
        "const env = shape.extend({ EVERY: z.coerce.number().default(15) }).parse(process.env);",
        "*/15 * * * *",
    ),
    "changed by a function": (
        "const env = shape.transform((found) => ({ EVERY: found.EVERY * 2 })).parse(process.env);",
        "open",
    ),
    "of something that is not the environment": ("const env = shape.parse(await load());", "open"),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_default_that_a_schema_states(tmp_path: Path, name: str) -> None:
    code, expected = SCHEMAS[name]
    found = discover(
        tmp_path, {"src/main.ts": HEAD + code + "\ncron.schedule(`*/${env.EVERY} * * * *`, sweep);\n"}
    )

    assert found.only().schedule == expected


def test_a_default_that_makes_no_schedule(tmp_path: Path) -> None:
    code = "const env = shape.parse(process.env);\nif (env.OFF >= 0) { cron.schedule(`${env.OFF} * * * *`, sweep); }\n"
    found = discover(tmp_path, {"src/main.ts": HEAD + code})

    assert found.only().schedule == "open"
