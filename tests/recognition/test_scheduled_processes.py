"""Jobs that a manifest starts by the clock: lines of crontabs, CronJobs, cron services of platforms."""

from __future__ import annotations

from pathlib import Path

from tests.recognition.small_trees import discover

SWEEP = "import psycopg2\nconn = psycopg2.connect('')\nconn.execute('delete from sessions')\n"
COMMAND = (
    "import psycopg2\nfrom django.core.management.base import BaseCommand\nconn = psycopg2.connect('')\n\n"
    "class Command(BaseCommand):\n    def handle(self, *args, **options):\n        conn.execute('delete from carts')\n"
)
IMAGE = (
    'FROM python:3.12\nWORKDIR /app\nCOPY . /app\nCOPY deploy/times /etc/cron.d/shop\nCMD ["cron", "-f"]\n'
)
TIMES = (
    "# what runs when\nMAILTO=ops\nCRON_TZ=Europe/Rome\n"
    "*/10 * * * * root cd /app && python sweep.py >> /var/log/sweep.log 2>&1\n"
    "@daily app python manage.py prune_carts\n"
    "15 4 * * 1 root /usr/local/bin/backup.sh\n"
    "every day at four is no time\n61 25 * * * root python sweep.py\n"
)

LEFT_OUT = "scheduled, and not audited: its command runs no code of this tree, or a script of the shell"


def test_lines_of_a_crontab_that_an_image_keeps(tmp_path: Path) -> None:
    files = {
        "Dockerfile": IMAGE,
        "deploy/times": TIMES,
        "sweep.py": SWEEP,
        "manage.py": "import django\n",
        "shop/__init__.py": "",
        "shop/management/__init__.py": "",
        "shop/management/commands/__init__.py": "",
        "shop/management/commands/prune_carts.py": COMMAND,
        "docs/times": TIMES,
    }
    found = discover(tmp_path, files)
    assert [(j.kind, j.shown, j.schedule, j.zone, j.runs, j.at, j.live) for j in found.jobs] == [
        ("crontab", "sweep.py", "*/10 * * * *", "Europe/Rome", "sweep.py", "deploy/times:4", True),
        ("crontab", "Command.handle", "@daily", "Europe/Rome", "Command.handle", "deploy/times:5", True),
    ]
    assert [r for r in found.rejected if r.startswith("deploy/")] == [f"deploy/times:6 {LEFT_OUT}"]


def test_a_line_that_asks_a_route_runs_it(tmp_path: Path) -> None:
    route = (
        "import { sql } from '@vercel/postgres';\n\nexport async function GET() {\n"
        "  await sql`delete from sessions`;\n  return Response.json({});\n}\n"
    )
    crontab = (
        '*/5 * * * * curl -fsS -H "Authorization: Bearer $SECRET" http://web:3000/api/sweep\n'
        "0 * * * * curl -fsS http://web:3000/api/unknown\n"
    )
    files = {"docker/crontab": crontab, "src/app/api/sweep/route.ts": route, "package.json": "{}"}
    found = discover(tmp_path, files)
    assert [(j.name, j.schedule, j.handler, j.at) for j in found.jobs] == [
        ("/api/sweep", "*/5 * * * *", "GET", "docker/crontab:1"),
    ]
    assert found.rejected == (f"docker/crontab:2 {LEFT_OUT}",)


def test_a_route_that_a_platform_asks_as_well_is_one_job(tmp_path: Path) -> None:
    route = "import { sql } from '@vercel/postgres';\n\nexport async function GET() {\n  await sql`delete from x`;\n}\n"
    files = {
        "docker/crontab": "*/5 * * * * curl http://web:3000/api/sweep\n",
        "vercel.json": '{"crons": [{"path": "/api/sweep", "schedule": "*/5 * * * *"}]}\n',
        "src/app/api/sweep/route.ts": route,
        "package.json": "{}",
    }
    assert [(j.kind, j.name) for j in discover(tmp_path, files).jobs] == [("vercel-cron", "/api/sweep")]


CRON_JOB = (
    "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: {name}\nspec:\n  schedule: '0 3 * * *'\n"
    "  concurrencyPolicy: {policy}\n  timeZone: Europe/Rome\n  jobTemplate:\n    spec:\n      template:\n"
    "        spec:\n          containers:\n            - name: main\n              image: {image}\n"
    "              command: {command}\n"
)


def test_cron_jobs_that_run_code_of_the_tree(tmp_path: Path) -> None:
    own = CRON_JOB.format(name="sweep", policy="Forbid", image="shop", command='["python", "-m", "sweep"]')
    other = CRON_JOB.format(
        name="dump", policy="Allow", image="postgres:16", command='["pg_dump", "-f", "/backup/all"]'
    )
    files = {"k8s/sweep.yaml": own, "k8s/dump.yaml": other, "sweep.py": SWEEP}
    found = discover(tmp_path, files)
    assert [(j.kind, j.name, j.schedule, j.zone, j.runs, j.at) for j in found.jobs] == [
        ("k8s-cronjob", "sweep", "0 3 * * *", "Europe/Rome", "sweep.py", "k8s/sweep.yaml:6")
    ]


def test_cron_services_of_a_platform(tmp_path: Path) -> None:
    render = (
        "services:\n  - type: cron\n    name: nightly\n    runtime: python\n    schedule: '0 2 * * *'\n"
        "    startCommand: python sweep.py\n"
    )
    found = discover(tmp_path, {"render.yaml": render, "sweep.py": SWEEP})
    assert [(j.kind, j.name, j.schedule, j.runs) for j in found.jobs] == [
        ("render-cron", "nightly", "0 2 * * *", "sweep.py")
    ]


def test_functions_that_a_platform_calls_by_the_clock(tmp_path: Path) -> None:
    manifest = (
        "service: shop\nprovider:\n  name: aws\n  runtime: nodejs20.x\nfunctions:\n  sweep:\n"
        "    handler: src/jobs.sweep\n    events:\n      - schedule: rate(10 minutes)\n  report:\n"
        "    handler: src/jobs.report\n    events:\n      - schedule: cron(0 4 * * ? *)\n  page:\n"
        "    handler: src/jobs.page\n    events:\n      - http: GET /\n"
    )
    jobs = (
        "import middy from '@middy/core';\nimport { Pool } from 'pg';\nconst pool = new Pool();\n"
        "export async function sweep() { await pool.query('delete from sessions'); }\n"
        "async function reporting() { await pool.query('insert into reports values (1)'); }\n"
        "export const report = middy(reporting);\nexport async function page() { return {}; }\n"
    )
    package = '{"dependencies": {"pg": "8", "@middy/core": "5"}}'
    files = {"serverless.yml": manifest, "src/jobs.ts": jobs, "package.json": package}
    found = discover(tmp_path, files)
    assert [(j.kind, j.name, j.schedule, j.zone, j.runs, j.at, j.live) for j in found.jobs] == [
        ("eventbridge", "sweep", "600 s", "UTC", "sweep", "serverless.yml:9", True),
        ("eventbridge", "report", "cron(0 4 * * ? *)", "UTC", "reporting", "serverless.yml:13", True),
    ]
