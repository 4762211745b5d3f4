"""A scheduler of the project that keeps its runs in a table: their history, their id, how often they are tried."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import retry
from cronaudit.recognition.facts.effects_run_id import run_id_of
from cronaudit.recognition.facts.run_history import runs_of

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = """
{"name": "farm", "scripts": {"start": "node src/index.js"},
 "dependencies": {"@prisma/client": "^6.0.0", "cron-parser": "^5.0.0", "express": "^5.0.0"}}
"""
SCHEMA = """
model BackgroundJob {
  id         String @id
  retried    Int    @default(0)
  maxRetries Int    @default(%s)
}
"""
SOURCE = """\
const { PrismaClient } = require('@prisma/client');
const { CronExpressionParser } = require('cron-parser');
const express = require('express');
const db = new PrismaClient();
const last = new Date();

class Engine {
  constructor() {
    this.jobs = [{ name: 'water', cron: '0 * * * *', last, handler: async () => { await db.field.deleteMany(); } }];
  }
  start() { setInterval(() => this.round(), 30000); }
  async round() {
    for (const job of this.jobs) {
      const next = CronExpressionParser.parse(job.cron, { currentDate: job.last }).next();
      if (next.toDate() > new Date()) continue;
      const row = await db.backgroundJob.create({ data: { name: job.name } });
      await this.send(row.id);
    }
  }
  async send(id) { await fetch('http://localhost/run/' + id, { method: 'POST' }); }
  route() {
    return async (req, res) => {
      const id = req.params.id;
      const job = this.jobs.find((j) => j.name === req.params.name);
      const row = await db.backgroundJob.update({ where: { id }, data: { status: 'RUNNING'%(counts)s } });
      try {
        await job.handler();
        await db.backgroundJob.update({ where: { id }, data: { status: 'DONE'%(ended)s } });
      } catch (err) {
        if (row.retried >= %(limit)s) {
          await db.backgroundJob.update({ where: { id }, data: { status: 'FAILED' } });
          return res.sendStatus(500);
        }
        %(again)s
      }
      return res.sendStatus(200);
    };
  }
}
const engine = new Engine();
const app = express();
app.post('/run/:name/:id', engine.route());
engine.start();
app.listen(3000);
"""
WHOLE = {
    "counts": ", retried: { increment: 1 }",
    "ended": ", completedAt: new Date()",
    "limit": "row.maxRetries",
    "again": "await this.send(id);",
}


def job(service_of: ServiceOf, schema: str = SCHEMA % 3, **changed: str) -> JobContext:
    found = service_of(
        {
            "package.json": PACKAGE,
            "prisma/schema.prisma": schema,
            "src/index.js": SOURCE % (WHOLE | changed),
        }
    )
    assert [f.registration.name for f in found] == ["water"]
    return found[0]


def test_one_row_a_run(service_of: ServiceOf) -> None:
    found = job(service_of)
    runs, run_id = runs_of(found), run_id_of(found)
    assert (runs.value, runs.detail, [p.line for p in runs.locations]) == (
        "stored", "One row of background_job a run", [16],
    )  # fmt: skip
    assert (run_id.value, [p.line for p in run_id.locations]) == ("used", [28, 16])


def test_a_row_whose_end_nobody_writes_is_no_history(service_of: ServiceOf) -> None:
    found = job(service_of, ended="")
    assert runs_of(found).value == "none"
    assert run_id_of(found).value == "none"


@pytest.mark.parametrize(("limit", "count"), [("row.maxRetries", 4.0), ("5", 6.0)])
def test_retries_that_a_row_counts(service_of: ServiceOf, limit: str, count: float) -> None:
    found = retry.build(job(service_of, limit=limit))
    assert (found.scope.value, found.attempts.value, found.count.value, found.delay.value) == (
        "run", "bounded", count, "none",
    )  # fmt: skip


def test_the_schema_gives_the_limit(service_of: ServiceOf) -> None:
    place = retry.build(job(service_of)).count.locations[0]
    assert (place.path, place.line) == ("prisma/schema.prisma", 4)


def test_a_limit_that_no_schema_states_is_not_resolved(service_of: ServiceOf) -> None:
    assert isinstance(retry.build(job(service_of, schema="")).attempts.value, Unresolved)


@pytest.mark.parametrize("changed", [{"counts": ""}, {"again": "console.error(err);"}])
def test_no_retry_without_a_count_or_another_attempt(service_of: ServiceOf, changed: dict[str, str]) -> None:
    assert retry.build(job(service_of, **changed)).attempts.value == "none"
