"""Loops of wrappers: each caller that hands over the work is one job, with the pause that it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

WORK = (
    "import { Pool } from 'pg';\nconst db = new Pool();\n"
    "async function sweep() { await db.query('delete from sessions'); }\n"
    "async function count() { await db.query('update totals set n = n + 1'); }\n"
)
WRAPPERS = {
    "a timer that arms itself": (
        (
            "function poll(work, ms) {\n"
            "  const tick = async () => { try { await work(); } finally { setTimeout(tick, ms); } };\n  tick();\n}\n"
        ),
        "poll(sweep, 60_000);\npoll(count, 300_000);\n",
    ),
    "a loop that starts itself": (
        (
            "import { setTimeout as wait } from 'node:timers/promises';\n"
            "function poll(work, ms) {\n  async function begin() {\n    while (true) {\n      await work();\n"
            "      await wait(ms);\n    }\n  }\n  begin();\n}\n"
        ),
        "poll(sweep, 60_000);\npoll(count, 300_000);\n",
    ),
    "a loop that subtracts what its round took": (
        (
            "import { setTimeout as wait } from 'node:timers/promises';\n"
            "async function poll(work, ms) {\n  while (true) {\n    const begun = Date.now();\n    await work();\n"
            "    const rest = Math.max(ms - (Date.now() - begun), 0);\n    await wait(rest);\n  }\n}\n"
        ),
        "poll(sweep, 60_000);\npoll(count, 300_000);\n",
    ),
    "a loop that takes options": (
        (
            "import { setTimeout as wait } from 'node:timers/promises';\n"
            "function every({ tick, ms, onError = () => {} }) {\n  const ac = new AbortController();\n"
            "  const loop = async () => {\n    while (!ac.signal.aborted) {\n"
            "      try { await tick(); } catch (e) { onError(e); }\n"
            "      await wait(ms, undefined, { signal: ac.signal });\n    }\n  };\n  void loop();\n}\n"
        ),
        "every({ tick: sweep, ms: 60_000 });\nevery({ ms: 300_000, tick: count });\n",
    ),
    "an object that keeps the work": (
        (
            "class Poller {\n  constructor(private work, private ms) {}\n"
            "  start() { setTimeout(() => this.next(), this.ms); }\n"
            "  private async next() { await this.work(); this.start(); }\n}\n"
        ),
        "new Poller(sweep, 60_000).start();\nnew Poller(count, 300_000).start();\n",
    ),
    "an object with a loop": (
        (
            "class Poller {\n  private running = true;\n  constructor(private work, private ms) {}\n"
            "  async run() {\n    while (this.running) {\n      await this.work();\n"
            "      await new Promise((resolve) => setTimeout(resolve, this.ms));\n    }\n  }\n}\n"
        ),
        "new Poller(sweep, 60_000).run();\nnew Poller(count, 300_000).run();\n",
    ),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_each_caller_is_a_job(tmp_path: Path, name: str) -> None:
    wrapper, callers = WRAPPERS[name]
    found = discover(tmp_path, {"package.json": '{"main": "main.ts"}', "main.ts": WORK + wrapper + callers})
    first = (WORK + wrapper).count("\n") + 1
    assert [(j.schedule, j.at) for j in found.jobs] == [
        ("60 s", f"main.ts:{first}"),
        ("300 s", f"main.ts:{first + 1}"),
    ]


def test_a_wrapper_that_nothing_calls_is_none(tmp_path: Path) -> None:
    wrapper, _callers = WRAPPERS["a timer that arms itself"]
    found = discover(tmp_path, {"main.ts": WORK + wrapper})
    assert found.jobs == ()
    assert found.rejected == ("main.ts:6 a wrapper that nothing in the tree calls",)


def test_the_pause_of_a_loop_is_that_of_its_caller(tmp_path: Path) -> None:
    loop = (
        "import { setTimeout as wait } from 'node:timers/promises';\n"
        "async function main(seconds = 5) {\n  while (true) {\n    await sweep();\n    await wait(seconds * 1000);\n"
        "  }\n}\nmain(Number(process.env.PAUSE) || 10);\n"
    )
    job = discover(tmp_path, {"package.json": '{"main": "main.ts"}', "main.ts": WORK + loop}).only()
    assert (job.schedule, job.handler, job.at) == ("10 s", "main", "main.ts:7")


def test_a_dict_of_jobs_that_a_loop_fills(tmp_path: Path) -> None:
    settings = """
        import os
        from celery.schedules import crontab

        def schedules():
            found = {}
            for row in [
                {"name": "nightly", "variable": "NIGHTLY", "default": "0 2 * * *", "task": "shop.tasks.sweep"},
                {"name": "often", "variable": "OFTEN", "default": "*/5 * * * *", "task": "shop.tasks.sweep"},
            ]:
                text = os.getenv(row["variable"], row["default"])
                if text == "off":
                    continue
                minute, hour, day, month, weekday = text.split(" ")
                found[row["name"]] = {"task": row["task"], "schedule": crontab(minute, hour, weekday, day, month)}
            return found

        CELERY_BEAT_SCHEDULE = schedules()
    """
    tasks = """
        from celery import shared_task
        from shop.models import Session

        @shared_task
        def sweep():
            Session.objects.all().delete()
    """
    found = discover(
        tmp_path,
        {"shop/settings.py": settings, "shop/tasks.py": tasks, "requirements.txt": "celery==5.4\n"},
    )
    assert found.rows() == [("nightly", "0 2 * * *", "sweep"), ("often", "*/5 * * * *", "sweep")]
    assert [j.at for j in found.jobs] == ["shop/settings.py:7", "shop/settings.py:8"]


ZONES = {
    "an expression out of a larger object": ("scheduleJob(settings().nightly.spec, sweep);", None),
    "options that nobody can follow": ("scheduleJob(await load(), sweep);", "open"),
    "written out": ("scheduleJob({ rule: '0 3 * * *', tz: 'UTC' }, sweep);", "UTC"),
}


@pytest.mark.parametrize("name", ZONES)
def test_a_spec_without_a_zone_sets_none(tmp_path: Path, name: str) -> None:
    call, zone = ZONES[name]
    source = (
        "import { scheduleJob } from 'node-schedule';\nimport { merge } from 'lodash';\n"
        "import { load } from 'somewhere';\n"
        "class Settings {\n  private data;\n  constructor(more) {\n    this.data = { nightly: "
        "{ spec: '0 3 * * *' } };\n"
        "    if (more) { this.data = merge(this.data, more); }\n  }\n"
        "  get nightly() { return this.data.nightly; }\n}\n"
        "let kept;\nfunction settings() { if (!kept) { kept = new Settings(); } return kept; }\n"
    )
    job = discover(
        tmp_path,
        {"package.json": '{"dependencies": {"node-schedule": "2.1.0"}}', "main.ts": source + WORK + call},
    ).only()
    assert job.zone == zone


def test_a_scheduler_of_the_tree_that_nobody_describes(tmp_path: Path) -> None:
    engine = """
        const { EventEmitter } = require('events');
        const dueTimes = require('due-times');
        class Clock extends EventEmitter {
          constructor(expression) { super(); this.expression = expression; }
          start() {
            const look = () => {
              if (this.matches(new Date())) this.emit('due');
              this.timer = setTimeout(look, 1000);
            };
            look();
          }
          matches(now) { return dueTimes.of(this.expression).fit(now); }
        }
        function plan(expression, work) {
          const clock = new Clock(expression);
          clock.on('due', () => work());
          clock.start();
          return clock;
        }
        module.exports = { plan };
    """
    users = (
        "const clocks = require('./lib/clocks');\nconst { Pool } = require('pg');\nconst db = new Pool();\n"
        "clocks.plan('30 0 * * *', async () => { await db.query('delete from sessions'); });\n"
        "require('./backups').arm({ pattern: process.env.BACKUP_SCHEDULE });\n"
    )
    other = (
        "const clocks = require('./lib/clocks');\nconst { Pool } = require('pg');\nconst db = new Pool();\n"
        "class Backups {\n  arm(settings) {\n    this.task = clocks.plan(settings.pattern, this.run.bind(this));\n  }\n"
        "  async run() { await db.query('insert into backups values (1)'); }\n}\nmodule.exports = new Backups();\n"
    )
    found = discover(tmp_path, {"lib/clocks.js": engine, "main.js": users, "backups.js": other})
    assert found.rejected == (
        "lib/clocks.js:8 it keeps a scheduler of the tree going: the calls of that are the jobs",
    )
    assert [(j.schedule, j.at, j.handler) for j in found.jobs] == [
        ("30 0 * * *", "main.js:4", "<anonymous>"),
        ("open", "main.js:5", "Backups.run"),
    ]


UNDESCRIBED = {
    "a package that speaks of schedules": (
        "import { schedule } from 'tiny-cron-runner';\nschedule('*/5 * * * *', sweep);\n",
        [("*/5 * * * *", "sweep")],
    ),
    "a package that does not": ("import { match } from 'glob-lines';\nmatch('*/5 * * * *', sweep);\n", []),
    "a text that is no expression": (
        "import { schedule } from 'tiny-cron-runner';\nschedule('a b * c d', sweep);\n",
        [],
    ),
    "a function of the tree that only reads it": (
        "function explain(text, then) { then(text.split(' ')); }\nexplain('*/5 * * * *', sweep);\n",
        [],
    ),
}


@pytest.mark.parametrize("name", UNDESCRIBED)
def test_an_expression_beside_a_function(tmp_path: Path, name: str) -> None:
    source, expected = UNDESCRIBED[name]
    found = discover(tmp_path, {"main.ts": WORK + source})
    assert [(j.schedule, j.handler) for j in found.jobs] == expected
