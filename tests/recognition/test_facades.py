"""Files of a project that hand a library's scheduler on: who takes it from them need not name the library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

PLANNER = """
    import { scheduleJob, RecurrenceRule } from 'node-schedule';
    export class Planner {
      plan = scheduleJob;
      Rule = RecurrenceRule;
    }
    export const arm = scheduleJob;
    export { scheduleJob as again } from 'node-schedule';
    export { default as cron } from 'node-cron';
    export const kit = { every: scheduleJob };
    export const name = 'planner';
"""
TAKERS = {
    "a field of a class": (
        "import { Planner } from './planner';\nconst planner = new Planner();",
        "planner.plan('sweep', WHEN, sweep);",
    ),
    "an injected service": (
        "import { Planner } from './planner';",
        (
            "class Keeper {\n  constructor(private readonly planner: Planner) {\n"
            "    this.planner.plan('sweep', WHEN, sweep);\n  }\n}\n"
            "new Keeper(new Planner());"
        ),
    ),
    "a variable": ("import { arm } from './planner';", "arm('sweep', WHEN, sweep);"),
    "an export under another name": ("import { again } from './planner';", "again('sweep', WHEN, sweep);"),
    "the whole library": (
        "import { cron } from './planner';",
        "cron.schedule(WHEN, sweep, { name: 'sweep' });",
    ),
    "a member of an object": ("import { kit } from './planner';", "kit.every('sweep', WHEN, sweep);"),
    "a barrel in front of it": ("import { arm } from './barrel';", "arm('sweep', WHEN, sweep);"),
}


def tree(head: str, body: str) -> dict[str, str]:
    return {
        "package.json": (
            '{"main": "main.ts", "dependencies": {"node-schedule": "2", "node-cron": "3", "pg": "8"}}'
        ),
        "planner.ts": PLANNER,
        "barrel.ts": "export * from './planner';\n",
        "when.ts": "export const WHEN = ['0', '1', '*', '*', '*'].join(' ');\n",
        "main.ts": (
            f"{head}\nimport {{ Pool }} from 'pg';\nimport {{ WHEN }} from './when';\nconst pool = new Pool();\n"
            f"async function sweep() {{ await pool.query(`truncate sessions`); }}\n{body}\n"
        ),
    }


@pytest.mark.parametrize("way", TAKERS)
def test_a_scheduler_that_the_project_hands_on_arms_a_job(tmp_path: Path, way: str) -> None:
    (row,) = discover(tmp_path, tree(*TAKERS[way])).rows()
    assert row[:2] == ("sweep", "0 1 * * *")


@pytest.mark.parametrize(
    "body",
    [
        "import { name } from './planner';\nexport const every = (words: string) => name + words;\nevery(WHEN);",
        "const kit = { every(...words: unknown[]) { return words; } };\nkit.every('sweep', WHEN, sweep);",
    ],
)
def test_a_name_that_only_looks_the_same_arms_none(tmp_path: Path, body: str) -> None:
    head, _, rest = body.partition("\n")
    assert discover(tmp_path, tree(head, rest)).rows() == []
