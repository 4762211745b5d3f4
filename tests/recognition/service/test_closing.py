"""What an app does when a handler of a signal closes it."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import errors

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

TIMERS = """
    const db = require('./db');
    let running = null;
    let timer = null;
    async function sweep() { await db.query('DELETE FROM carts'); }
    module.exports = async function timers(app) {
      timer = setInterval(() => { running = sweep(); }, 60_000);
      HOOK
    };
"""
DB = "const { Pool } = require('pg');\nmodule.exports = new Pool({ max: 5 });\n"
MAIN = """
    const fastify = require('fastify');
    const app = fastify();
    app.register(require('./timers'));
    process.on('SIGTERM', SIGNAL);
    app.listen({ port: 3000 });
"""
CLOSES = "async () => { await app.close(); process.exit(0); }"
WAITS = "app.addHook('onClose', async () => { clearInterval(timer); await running; });"


def shutdown(service_of: ServiceOf, signal: str, hook: str) -> tuple[object, object, str]:
    files = {
        "server.js": dedent(MAIN).replace("SIGNAL", signal),
        "timers.js": dedent(TIMERS).replace("HOOK", hook),
        "db.js": DB,
    }
    (context,) = service_of(files)
    fact = service_facts.build(context.service).shutdown
    return (
        fact.value,
        errors.build(context).in_progress.value,
        str(fact.locations[0]) if fact.locations else "",
    )


@pytest.mark.parametrize(
    ("signal", "hook", "found"),
    [
        (CLOSES, WAITS, ("jobs", "awaited", "server.js:4")),
        (CLOSES, WAITS.replace("await running;", ""), ("stops", "held", "server.js:4")),
        (CLOSES, WAITS.replace("onClose", "preClose"), ("jobs", "awaited", "server.js:4")),
        ("() => app.close(() => process.exit(0))", WAITS, ("jobs", "awaited", "server.js:4")),
        ("() => app.close().then(() => process.exit(0))", WAITS, ("jobs", "awaited", "server.js:4")),
        # It is gone before the hooks are done.
        ("() => { app.close(); process.exit(0); }", WAITS, ("apart", "held", "server.js:4")),
        # Nothing closes the app.
        ("() => process.exit(0)", WAITS, ("none", "held", "")),
        # A hook of every request.
        (CLOSES, WAITS.replace("onClose", "onRequest"), ("apart", "held", "server.js:4")),
        (CLOSES, "", ("apart", "held", "server.js:4")),
    ],
)
def test_what_a_closed_app_does_to_its_jobs(
    service_of: ServiceOf, signal: str, hook: str, found: tuple[object, object, str]
) -> None:
    assert shutdown(service_of, signal, hook) == found


NEST = """
    import { NestFactory } from '@nestjs/core';
    import { Sweeper } from './sweeper';
    async function bootstrap() {
      const app = await NestFactory.create(Sweeper);
      process.on('SIGTERM', SIGNAL);
      await app.listen(3000);
    }
    bootstrap();
"""
SWEEPER = """
    import { Injectable } from '@nestjs/common';
    import pool from './db';
    @Injectable()
    export class Sweeper {
      private timer;
      onModuleInit() { this.timer = setInterval(() => this.sweep(), 60_000); }
      async sweep() { await pool.query('DELETE FROM carts'); }
      onModuleDestroy() { clearInterval(this.timer); }
    }
"""


@pytest.mark.parametrize(
    ("signal", "word"),
    [("async () => { await app.close(); }", "stops"), ("() => process.exit(0)", "none")],
)
def test_closing_a_nest_app_runs_the_methods_of_its_end(
    service_of: ServiceOf, signal: str, word: str
) -> None:
    files = {
        "main.ts": dedent(NEST).replace("SIGNAL", signal),
        "sweeper.ts": dedent(SWEEPER),
        "db.ts": "import { Pool } from 'pg';\nexport default new Pool({ max: 5 });\n",
    }
    (context,) = service_of(files)
    assert service_facts.build(context.service).shutdown.value == word


MODULE = """
    import { Module, Injectable } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { Interval } from '@nestjs/schedule';
    import { setupGracefulShutdown } from 'nestjs-graceful-shutdown';
    import pool from './db';
    @Injectable()
    class Sweeper {
      @Interval('sweep', 60_000)
      async sweep() { await pool.query('DELETE FROM carts'); }
    }
    @Module({ providers: [Sweeper] })
    class AppModule {}
    async function bootstrap() {
      const app = await NestFactory.create(AppModule);
      HOOKS
      await app.listen(3000);
    }
    bootstrap();
"""


@pytest.mark.parametrize(
    ("hooks", "word"),
    [("app.enableShutdownHooks();", "stops"), ("setupGracefulShutdown({ app });", "stops"), ("", "none")],
)
def test_a_framework_that_stops_the_timers_of_its_own_scheduler(
    service_of: ServiceOf, hooks: str, word: str
) -> None:
    files = {
        "main.ts": dedent(MODULE).replace("HOOKS", hooks),
        "db.ts": "import { Pool } from 'pg';\nexport default new Pool({ max: 5 });\n",
    }
    (context,) = service_of(files)
    assert service_facts.build(context.service).shutdown.value == word


def test_the_signals_of_another_process(service_of: ServiceOf) -> None:
    timer = "let running;\nexport const start = () => setInterval(() => { running = sweep(); }, 60_000);\n"
    sweep = "import pool from './db';\nasync function sweep() { await pool.query('DELETE FROM carts'); }\n"
    files = {
        "package.json": '{"scripts": {"start:jobs": "node jobs.js", "start:web": "node web.js"}}',
        "db.js": "import { Pool } from 'pg';\nexport default new Pool({ max: 5 });\n",
        "timer.js": sweep + timer,
        "jobs.js": "import { start } from './timer';\nstart();\n",
        "web.js": "import './stop';\nimport express from 'express';\nexpress().listen(3000);\n",
        "stop.js": "import pool from './db';\nprocess.on('SIGTERM', () => pool.end());\n",
    }
    (context,) = service_of(files)
    assert service_facts.build(context.service).shutdown.value == "none"
    shared = {**files, "jobs.js": files["jobs.js"] + "import './stop';\n"}
    (context,) = service_of(shared)
    assert service_facts.build(context.service).shutdown.value == "apart"
