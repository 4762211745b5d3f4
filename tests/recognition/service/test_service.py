from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cronaudit.model.facts import Fact, ServiceFacts, Unresolved
from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

JOB = """
    import { Pool } from 'pg';
    import pino from 'pino';
    const logger = pino({ name: 'shop' });
    const pool = new Pool({ max: 5 });
    export async function sweep() {
      await pool.query('DELETE FROM sessions');
      logger.info('swept');
    }
    setInterval(sweep, 60_000);
"""


def of(service_of: ServiceOf, files: dict[str, str]) -> ServiceFacts:
    (context, *_rest) = service_of(files)
    return service_facts.build(context.service)


def at(fact: Fact[Any]) -> str:
    return str(fact.locations[0])


# ---- the logger --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("{ name: 'shop' }", "id"),
        ("", "id"),
        ("{ base: null }", "none"),
        ("{ base: { host: hostname() } }", "id"),
        ("{ base: { pod: process.env.POD_NAME } }", "id"),
        ("{ base: { service: 'shop' } }", "none"),
        ("{ transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } }", "none"),
        ("{ formatters: { bindings: () => ({}) } }", "none"),
    ],
)
def test_the_base_of_pino(service_of: ServiceOf, options: str, word: str) -> None:
    code = JOB.replace("{ name: 'shop' }", options).replace(
        "import pino", "import { hostname } from 'node:os';\n    import pino"
    )
    assert of(service_of, {"src/sweep.ts": code}).instance_id.value == word


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("{ ...(plain ? { base: null } : {}) }", None),
        ("{ ...(plain && { base: null }) }", None),
        ("{ base: plain ? null : { host: hostname() } }", None),
        ("{ base: plain ? { host: hostname() } : { pod: process.env.POD_NAME } }", "id"),
        ("{ base: plain ? { service: 'shop' } : null }", "none"),
        ("{ base: plain ? null : undefined }", "none"),
        ("{ ...(pretty ? { base: null } : {}) }", "id"),
        ("{ ...(pretty ? {} : { base: null }) }", "none"),
        (
            "{ transport: pretty ? { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } : undefined }",
            "id",
        ),
        ("{ base: { service: 'shop' }, ...(plain ? { level: 'debug' } : {}) }", "none"),
        ("{ ...(plain ? { level: 'debug' } : {}) }", "id"),
        ("{ formatters: { bindings: plain ? () => ({}) : (b) => ({ host: hostname() }) } }", None),
    ],
)
def test_a_base_of_pino_under_a_test(service_of: ServiceOf, options: str, word: str | None) -> None:
    head = """import { hostname } from 'node:os';
    import { z } from 'zod';
    const plain = process.env.PLAIN_LOGS === 'true';
    const { pretty } = z.object({ pretty: z.boolean().default(false) }).parse(process.env);
    import pino"""
    code = JOB.replace("{ name: 'shop' }", options).replace("import pino", head)
    fact = of(service_of, {"src/sweep.ts": code}).instance_id
    if word is not None:
        assert fact.value == word
        return
    assert isinstance(fact.value, Unresolved)
    assert "decided by the environment" in fact.value.reason
    assert str(fact.value.location) == "src/sweep.ts:7"


def test_winston_has_no_host_by_itself(service_of: ServiceOf) -> None:
    code = JOB.replace("import pino from 'pino';", "import winston from 'winston';").replace(
        "pino({ name: 'shop' })", "winston.createLogger({ defaultMeta: { service: 'shop' } })"
    )
    fact = of(service_of, {"src/sweep.ts": code}).instance_id
    assert (fact.value, fact.detail) == ("none", "No hostname or pod ID in the winston logger")


def test_a_job_that_logs_to_the_console_beside_one_with_pino(service_of: ServiceOf) -> None:
    other = """
        import { Pool } from 'pg';
        const pool = new Pool({ max: 5 });
        setInterval(async () => {
          await pool.query('DELETE FROM carts');
          console.log('done');
        }, 60_000);
    """
    fact = of(service_of, {"src/sweep.ts": JOB, "src/carts.ts": other}).instance_id
    assert (fact.value, fact.detail) == ("some", "1 of 2 jobs log with an instance id")


# ---- pools --------------------------------------------------------------------------------------------------------


def test_pools(service_of: ServiceOf) -> None:
    assert of(service_of, {"src/sweep.ts": JOB}).pool.value == "bounded"
    default = of(service_of, {"src/sweep.ts": JOB.replace("{ max: 5 }", "")}).pool
    assert (default.value, at(default)) == ("default", "src/sweep.ts:4")


def test_a_pool_that_a_decorator_makes(service_of: ServiceOf) -> None:
    module = """
        import { Module } from '@nestjs/common';
        import * as postgres from 'postgres';
        @Module({
          imports: [Store.forRootAsync({ useFactory: () => ({ db: postgres('postgres://db', { max: 7 }) }) })],
        })
        export class Database {}
    """
    sweep = JOB.replace("new Pool({ max: 5 })", "carts").replace(
        "{ Pool } from 'pg'", "{ carts } from './database'"
    )
    fact = of(service_of, {"src/sweep.ts": sweep, "src/database.ts": module}).pool
    assert (fact.value, at(fact)) == ("bounded", "src/database.ts:4")


def test_the_connections_of_a_migration_are_none_of_the_service(service_of: ServiceOf) -> None:
    manifest = '{"scripts": {"start": "node src/sweep.js", "migrate": "node src/migrate.js"}}'
    migrate = (
        "import { Pool } from 'pg';\nconst pool = new Pool();\npool.query('CREATE TABLE carts (id int)');\n"
    )
    fact = of(service_of, {"package.json": manifest, "src/sweep.js": JOB, "src/migrate.js": migrate}).pool
    assert (fact.value, at(fact)) == ("bounded", "src/sweep.js:4")


def test_one_bounded_pool_of_two(service_of: ServiceOf) -> None:
    other = "import { Pool } from 'pg';\nexport const reports = new Pool({ host: 'reports' });\n"
    fact = of(service_of, {"src/sweep.ts": JOB + "\n    import './reports';\n", "src/reports.ts": other}).pool
    assert (fact.value, at(fact)) == ("some", "src/reports.ts:2")


def test_a_connection_for_each_run(service_of: ServiceOf) -> None:
    code = """
        import { Client } from 'pg';
        async function sweep() {
          const client = new Client();
          await client.connect();
          await client.query('DELETE FROM sessions');
          await client.end();
        }
        setInterval(sweep, 60_000);
    """
    fact = of(service_of, {"src/sweep.ts": code}).pool
    assert (fact.value, at(fact)) == ("per-run", "src/sweep.ts:3")


def test_no_database(service_of: ServiceOf) -> None:
    code = "setInterval(() => fetch('https://api.example.com/sync', { method: 'POST' }), 60_000);\n"
    assert of(service_of, {"src/sync.ts": code}).pool.value == "no-database"


# ---- memory and threads ----------------------------------------------------------------------------------------------


def test_default_metrics_count_only_where_they_are_served(service_of: ServiceOf) -> None:
    declared = """
        import { Registry, collectDefaultMetrics } from 'prom-client';
        export const registry = new Registry();
        collectDefaultMetrics({ register: registry });
    """
    served = """
        import express from 'express';
        import { registry } from './metrics';
        const app = express();
        app.get('/metrics', async (req, res) => res.send(await registry.metrics()));
        app.listen(9100);
    """
    job = "import './metrics';\n" + JOB
    assert of(service_of, {"src/sweep.ts": job, "src/metrics.ts": declared}).memory_monitored.value is False
    facts = of(
        service_of,
        {"src/sweep.ts": "import './http';\n" + JOB, "src/metrics.ts": declared, "src/http.ts": served},
    )
    assert (facts.memory_monitored.value, at(facts.memory_monitored)) == (True, "src/metrics.ts:3")


def test_memory_that_is_only_logged_is_not_monitored(service_of: ServiceOf) -> None:
    logged = JOB.replace("logger.info('swept');", "logger.info({ memory: process.memoryUsage() }, 'swept');")
    assert of(service_of, {"src/sweep.ts": logged}).memory_monitored.value is False
    checked = JOB.replace(
        "logger.info('swept');",
        "const { rss } = process.memoryUsage();\n      if (rss > 500e6) logger.error('memory');",
    )
    assert of(service_of, {"src/sweep.ts": checked}).memory_monitored.value is True


def test_threads_count_on_the_path_of_a_job(service_of: ServiceOf) -> None:
    pooled = JOB.replace(
        "import pino from 'pino';",
        "import pino from 'pino';\n    import Piscina from 'piscina';\n"
        "    const threads = new Piscina({ filename: './render.js' });",
    ).replace("logger.info('swept');", "await threads.run({});")
    assert of(service_of, {"src/sweep.ts": pooled}).cpu_work.value == "pool"
    unused = pooled.replace("await threads.run({});", "")
    assert of(service_of, {"src/sweep.ts": unused}).cpu_work.value == "none"


# ---- health and boards --------------------------------------------------------------------------------------


HEALTH = """
    import express from 'express';
    import { Pool } from 'pg';
    const pool = new Pool({ max: 5 });
    const lastSuccess = new Map();
    export async function sweep() {
      await pool.query('DELETE FROM sessions');
      KEEP
    }
    const app = express();
    app.get('/health', (req, res) => {
      ANSWER
    });
    app.listen(3000);
    setInterval(sweep, 60_000);
"""


def health(service_of: ServiceOf, keep: str, answer: str) -> Fact[Any]:
    code = HEALTH.replace("KEEP", keep).replace("ANSWER", answer)
    return of(service_of, {"src/server.ts": code}).health


def test_a_route_that_tells_the_last_success(service_of: ServiceOf) -> None:
    fact = health(
        service_of,
        "lastSuccess.set('sweep', Date.now());",
        "res.json({ lastSuccess: lastSuccess.get('sweep') });",
    )
    assert (fact.value, at(fact)) == ("jobs", "src/server.ts:10")


def test_a_route_that_tells_what_no_job_leaves_behind(service_of: ServiceOf) -> None:
    fact = health(service_of, "", "res.json({ lastSuccess: Date.now() });")
    assert fact.value == "plain"


def test_a_constant_answer(service_of: ServiceOf) -> None:
    fact = health(service_of, "lastSuccess.set('sweep', Date.now());", "res.json({ status: 'ok' });")
    assert (fact.value, at(fact)) == ("plain", "src/server.ts:10")


def test_routes_behind_a_long_start(service_of: ServiceOf) -> None:
    """Six hundred steps of an upgrade, none of which makes a route, stand before the function that makes them."""
    steps = range(600)
    upgrade = "\n".join(f"function step{n}() {{ log({n}); }}" for n in steps)
    calls = " ".join(f"step{n}();" for n in steps)
    routes = """
        export function addRoutes(router, load) {
          router.get('/health', (req, res) => res.json({ status: 'ok' }));
        }
    """
    start = """
        import express from 'express';
        import { upgrade } from './upgrade';
        import { addRoutes } from './routes';
        upgrade();
        const app = express();
        addRoutes(app, upgrade);
        app.listen(3000);
    """
    files = {
        "src/start.ts": start + JOB,
        "src/routes.ts": routes,
        "src/upgrade.ts": f"{upgrade}\nexport function upgrade() {{ {calls} }}",
    }
    fact = of(service_of, files).health
    assert (fact.value, at(fact)) == ("plain", "src/routes.ts:2")


def test_no_route_at_all(service_of: ServiceOf) -> None:
    assert of(service_of, {"src/sweep.ts": JOB}).health.value == "none"


def test_a_word_of_the_business_is_no_health(service_of: ServiceOf) -> None:
    code = HEALTH.replace("/health", "/invoices").replace(
        "KEEP", "const overdue = 1; await pool.query('x', [overdue]);"
    )
    code = code.replace("ANSWER", "const overdue = load(); res.json({ overdue });")
    assert of(service_of, {"src/server.ts": code}).health.value == "none"


def test_metrics_labelled_by_job_are_a_board_where_they_are_served(service_of: ServiceOf) -> None:
    code = """
        import express from 'express';
        import { Counter, register } from 'prom-client';
        import { Pool } from 'pg';
        const pool = new Pool({ max: 5 });
        const runs = new Counter({ name: 'job_runs_total', help: 'Runs', labelNames: ['job'] });
        async function sweep() {
          await pool.query('DELETE FROM sessions');
          runs.inc({ job: 'sweep' });
        }
        setInterval(sweep, 60_000);
    """
    served = """
        const app = express();
        app.get('/metrics', async (req, res) => res.send(await register.metrics()));
        app.listen(9100);
    """
    fact = of(service_of, {"src/sweep.ts": code + served}).board
    assert (fact.value, fact.detail, at(fact)) == ("history", "Metrics labelled by job", "src/sweep.ts:5")
    assert of(service_of, {"src/sweep.ts": code}).board.value == "none"


def test_a_status_route_is_current_only(service_of: ServiceOf) -> None:
    code = """
        import express from 'express';
        import { Pool } from 'pg';
        class Sweeper {
          private readonly pool = new Pool({ max: 5 });
          private running = false;
          start() {
            setInterval(() => this.run(), 60_000);
          }
          async run() {
            await this.pool.query('DELETE FROM sessions');
          }
          status() {
            return { running: this.running };
          }
        }
        const sweeper = new Sweeper();
        const app = express();
        app.get('/admin/jobs', (req, res) => res.json(sweeper.status()));
        app.post('/admin/jobs/run', (req, res) => sweeper.run());
        app.listen(3000);
        sweeper.start();
    """
    facts = of(service_of, {"src/server.ts": code})
    assert (facts.board.value, facts.board.detail) == ("current", "Current status only: GET /admin/jobs")
    assert facts.health.value == "plain"


@pytest.mark.parametrize(
    ("route", "word"),
    [
        ("app.get('/admin/jobs', (req, res) => res.json(plan.map((p) => ({ id: p.id, next: p.job.next() }))));",
         "current"),
        ("app.get('/admin/jobs', (req, res) => res.json({ jobs: 1 }));", "none"),
        ("app.post('/admin/jobs/stop', (req, res) => { plan.forEach((p) => p.job.stop()); res.end(); });", "none"),
        ("app.get('/carts', (req, res) => res.json(plan.length));", "none"),
    ],
)  # fmt: skip
def test_a_route_shows_the_list_that_the_registrations_are_put_into(
    service_of: ServiceOf, route: str, word: str
) -> None:
    files = {
        "package.json": '{"main": "src/server.js", "dependencies": {"node-cron": "3", "express": "4", "pg": "8"}}',
        "src/plan.js": """
            import cron from 'node-cron';
            import { Pool } from 'pg';
            const pool = new Pool();
            export const plan = [];
            export function arm() {
              plan.push({
                id: 'sweep',
                job: cron.schedule('0 * * * *', () => pool.query('DELETE FROM sessions')),
              });
            }
        """,
        "src/server.js": f"""
            import express from 'express';
            import {{ arm, plan }} from './plan';
            const app = express();
            {route}
            arm();
            app.listen(3000);
        """,
    }
    assert of(service_of, files).board.value == word


# ---- escalation ---------------------------------------------------------------------------------------------------


RUNBOOK = """
    # Runbook: scheduled jobs

    ## Escalation

    - 0 minutes: primary on call
    - after 15 minutes: the team lead
"""


def test_a_runbook_with_steps_and_people(service_of: ServiceOf) -> None:
    fact = of(service_of, {"src/sweep.ts": JOB, "docs/runbook.md": RUNBOOK}).escalation
    assert (fact.value, at(fact)) == (True, "docs/runbook.md:3")


@pytest.mark.parametrize(
    "text",
    [
        RUNBOOK.replace("scheduled jobs", "the website"),
        RUNBOOK.replace("    - after 15 minutes: the team lead\n", ""),
        "# Jobs\n\nPrivilege escalation is not possible: after 5 minutes the team owner signs out.\n",
    ],
)
def test_what_is_no_escalation(service_of: ServiceOf, text: str) -> None:
    assert of(service_of, {"src/sweep.ts": JOB, "docs/runbook.md": text}).escalation.value is False


def test_runtime(service_of: ServiceOf) -> None:
    assert of(service_of, {"src/sweep.ts": JOB}).runtime.value == "node"


# ---- Python --------------------------------------------------------------------------------------------------


CELERY = """
    from celery import Celery, shared_task

    app = Celery("shop")
    app.conf.beat_schedule = {
        "sweep": {"task": "shop.tasks.sweep", "schedule": 60.0},
    }
"""
TASKS = """
    from celery import shared_task
    from shop.models import Session

    @shared_task(name="shop.tasks.sweep")
    def sweep():
        Session.objects.filter(expired=True).delete()
"""


@pytest.mark.parametrize(
    ("database", "word"),
    [
        ("'ENGINE': 'django.db.backends.postgresql'", "per-run"),
        ("'ENGINE': 'django.db.backends.postgresql', 'CONN_MAX_AGE': 0", "per-run"),
        ("'ENGINE': 'django.db.backends.postgresql', 'CONN_MAX_AGE': 600", "default"),
        ("'ENGINE': 'django.db.backends.postgresql', 'OPTIONS': {'pool': {'max_size': 8}}", "bounded"),
    ],
)
def test_the_databases_of_django(service_of: ServiceOf, database: str, word: str) -> None:
    settings = f"DATABASES = {{'default': {{{database}}}}}\n"
    models = "from django.db import models\n\nclass Session(models.Model):\n    pass\n"
    facts = of(
        service_of,
        {
            "shop/__init__.py": "",
            "shop/celery.py": CELERY,
            "shop/tasks.py": TASKS,
            "shop/models.py": models,
            "shop/settings.py": settings,
        },
    )
    assert (facts.pool.value, at(facts.pool)) == (word, "shop/settings.py:1")


def test_celery_runs_tasks_in_other_processes_and_lets_them_finish(service_of: ServiceOf) -> None:
    facts = of(service_of, {"shop/__init__.py": "", "shop/celery.py": CELERY, "shop/tasks.py": TASKS})
    assert facts.cpu_work.value == "process"
    assert facts.shutdown.value == "framework"
    assert facts.runtime.value == "python"


@pytest.mark.parametrize(
    ("last", "word", "places"),
    [
        ("python run.py work ${queues}", "no-exec", "bin/worker.sh:3"),
        ("exec python run.py work ${queues}", "framework", "shop/tasks.py:5"),
        ("python run.py serve", "framework", "shop/tasks.py:5"),  # another command of the same file
    ],
)
def test_a_worker_that_a_command_of_the_project_starts(
    service_of: ServiceOf, last: str, word: str, places: str
) -> None:
    run = """
    import click
    from shop.celery import app

    @click.group()
    def cli():
        pass

    @cli.command()
    def serve():
        print("serving")

    @cli.command()
    @click.option("--queue", multiple=True)
    def work(queue):
        return app.worker_main(argv=["worker", "-B", "-Q", ",".join(queue)])

    if __name__ == "__main__":
        cli()
    """
    files = {
        "Dockerfile": 'FROM python:3.12\nCOPY . /app\nWORKDIR /app\nENTRYPOINT ["bin/worker.sh"]\n',
        "shop/__init__.py": "",
        "shop/celery.py": CELERY,
        "shop/tasks.py": TASKS,
        "run.py": run,
        "bin/worker.sh": f"#!/bin/bash\npython manage.py migrate\n{last}\n",
    }
    fact = of(service_of, files).shutdown
    assert (fact.value, at(fact)) == (word, places)


def test_an_entry_script_without_exec_keeps_the_signal(service_of: ServiceOf) -> None:
    files = {
        "Dockerfile": "FROM python:3.12\nCOPY . /app\nWORKDIR /app\nCMD celery -A shop worker -B\n",
        "shop/__init__.py": "",
        "shop/celery.py": CELERY,
        "shop/tasks.py": TASKS,
        "bin/worker.sh": "#!/bin/bash\ncelery -A shop worker -B\n",
        "docker-compose.yml": "services:\n  worker:\n    build: .\n    command: bin/worker.sh\n",
    }
    fact = of(service_of, files).shutdown
    assert (fact.value, at(fact)) == ("no-exec", "bin/worker.sh:2")
