"""Which timers are jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

DB = (
    "import { Pool } from 'pg';\nconst db = new Pool();\n"
    "async function sweep() { await db.query('delete from sessions'); }\n"
)

JOBS = {
    "at the top level": ("setInterval(sweep, 5 * 60 * 1000);", "300 s"),
    "in a start function that keeps the handle": (
        (
            "let timer;\nexport function start() { timer = setInterval(() => sweep(), 60_000); }\n"
            "export function stop() { clearInterval(timer); }\nstart();"
        ),
        "60 s",
    ),
    "cleared on shutdown": (
        (
            "function start() {\n  const timer = setInterval(sweep, 1000);\n"
            "  process.on('SIGTERM', () => clearInterval(timer));\n}\nstart();"
        ),
        "1 s",
    ),
    "until the server closes": (
        (
            "function start(server) {\n  const timer = setInterval(sweep, 1000);\n"
            "  server.on('close', () => clearInterval(timer));\n}\nstart(http);"
        ),
        "1 s",
    ),
    "with its stop handed out": (
        (
            "function start() {\n  const timer = setInterval(sweep, 1000);\n"
            "  return () => clearInterval(timer);\n}\nstart();"
        ),
        "1 s",
    ),
    "one that tells the terminal, and works": (
        (
            "const work = async (name) => { process.stdout.write(name); await db.query('delete from x', [name]); };\n"
            "setInterval(() => work('carts'), 60_000);"
        ),
        "60 s",
    ),
    "armed when the promise around it is settled": (
        (
            "const listen = (app) => new Promise((resolve) => {\n"
            "  app.on('ready', async () => { resolve(); setInterval(async () => { await sweep(); }, 3600_000); });\n"
            "});\nlisten(application);"
        ),
        "3600 s",
    ),
    "cleared when workers without an end have stopped": (
        (
            "let stopping = false;\nasync function work() {\n"
            "  while (true) { if (stopping) break; await answer(); }\n}\n(async () => {\n"
            "  const timer = setInterval(async () => { if (stopping) return; await sweep(); }, 5000);\n"
            "  await Promise.all([work()]);\n  clearInterval(timer);\n})();"
        ),
        "5 s",
    ),
    "in a constructor": (
        (
            "class Sweeper {\n"
            "  constructor(private every = 30_000) { setInterval(() => this.run(), this.every); }\n"
            "  async run() { await sweep(); }\n}\nnew Sweeper();"
        ),
        "30 s",
    ),
    "unreferenced": ("setInterval(sweep, 1000).unref();", "1 s"),
    "overlap guarded": (
        (
            "let busy = false;\nsetInterval(async () => {\n  if (busy) return;\n  busy = true;\n"
            "  try { await sweep(); } finally { busy = false; }\n}, 9000);"
        ),
        "9 s",
    ),
    "a request that changes something": (
        "setInterval(async () => { await fetch('https://api.example.com/x', { method: 'POST' }); }, 60000);",
        "60 s",
    ),
    "the interval from the environment": (
        "setInterval(sweep, Number(process.env.EVERY ?? 120) * 1000);",
        "120 s",
    ),
    "the interval from the environment without a default": (
        "setInterval(sweep, Number(process.env.EVERY));",
        "open",
    ),
}


@pytest.mark.parametrize("shape", JOBS)
def test_work_for_as_long_as_the_process_lives_is_a_job(tmp_path: Path, shape: str) -> None:
    code, schedule = JOBS[shape]
    found = discover(tmp_path, {"src/main.ts": DB + code}).only()

    assert (found.kind, found.schedule, found.live) == ("set-interval", schedule, True)


JOBS["work under the name of a ping that reaches the database"] = (
    "let pingTimer;\npingTimer = setInterval(() => sweep(), 2000);",
    "2 s",
)
JOBS["a heartbeat that is counted elsewhere"] = (
    (
        "import Stats from 'stats';\nconst stats = new Stats();\n"
        "let heartbeatTimer;\nheartbeatTimer = setInterval(() => { stats.client().capture('alive'); }, 2000);"
    ),
    "2 s",
)
JOBS["work of a library that nobody has described"] = (
    "import Bus from 'bus';\nconst bus = new Bus();\nsetInterval(() => { bus.channel().compact(); }, 2000);",
    "2 s",
)
DECOYS = {
    "a keep-alive in a request handler": (
        "export function stream(req, res) { const timer = setInterval(() => sweep(), 1000); }",
        "it lives as long as one request or connection",
    ),
    "until a client leaves": (
        (
            "export function watch(client) {\n  const timer = setInterval(() => sweep(client), 1000);\n"
            "  const onEnd = () => clearInterval(timer);\n  client.on('disconnect', onEnd);\n}"
        ),
        "it lives as long as one request or connection",
    ),
    "a socket's heartbeat": (
        "export function onConnect(socket) { setInterval(() => { socket.send('ping'); sweep(); }, 30000); }",
        "it lives as long as one request or connection",
    ),
    "cleared in finally": (
        (
            "export async function run() {\n  const timer = setInterval(() => sweep(), 1000);\n"
            "  try { await sweep(); } finally { clearInterval(timer); }\n}\nrun();"
        ),
        "it is cleared when the function that started it ends",
    ),
    "a poll that clears itself": (
        (
            "export function wait() {\n  const timer = setInterval(async () => {\n"
            "    if (await sweep()) { clearInterval(timer); }\n  }, 100);\n}\nwait();"
        ),
        "it clears itself once its condition holds",
    ),
    "a poll inside a promise": (
        (
            "export const ready = () => new Promise((resolve) => {\n"
            "  setInterval(async () => { if (await sweep()) resolve(1); }, 100);\n});\nready();"
        ),
        "it polls inside one operation",
    ),
    "a poll that its promise clears": (
        (
            "export const ready = () => new Promise((resolve) => {\n"
            "  const timer = setInterval(sweep, 100);\n"
            "  bus.on('ready', () => { clearInterval(timer); resolve(1); });\n});\nready();"
        ),
        "it polls inside one operation",
    ),
    "a refreshed value": (
        (
            "let settings = {};\n"
            "setInterval(async () => { settings = (await db.query('select * from settings')).rows; }, 60000);"
        ),
        "it only refreshes a value in memory",
    ),
    "a refreshed value in two steps": (
        (
            "let settings = {};\nsetInterval(async () => {\n  const found = db.query('select * from settings');\n"
            "  settings = await found.rows();\n}, 60000);"
        ),
        "it only refreshes a value in memory",
    ),
    "a progress ticker": (
        "let done = 0;\nsetInterval(() => { console.log(`${done} done`); }, 1000);",
        "its work stays in the memory of the process",
    ),
    "a ticker that tells the terminal and a file": (
        (
            "import { appendFileSync } from 'node:fs';\nconst tell = (line) => {\n  const text = `${line}\\n`;\n"
            "  appendFileSync('out.log', text);\n  process.stdout.write(text);\n};\n"
            "const stage = (label) => { setInterval(() => { tell(`… ${label}`); }, 20_000); };\nstage('build');"
        ),
        "its work stays in the memory of the process",
    ),
    "a probe of a database of an unknown kind": (
        (
            "let well = true;\nexport const watch = (client) => setInterval(async () => {\n"
            "  try { await client.query('SELECT 1'); well = true; } catch { well = false; }\n}, 5000);\nwatch(made());"
        ),
        "its work stays in the memory of the process",
    ),
    "connections that are idle are closed": (
        (
            "import { createServer } from 'node:http';\nconst server = createServer(() => {});\n"
            "setInterval(() => server.closeIdleConnections?.(), 1000);"
        ),
        "its work stays in the memory of the process",
    ),
    "a map that is pruned": (
        (
            "const seen = new Map();\n"
            "setInterval(() => { for (const [k, t] of seen) if (t < Date.now()) seen.delete(k); }, 60000);"
        ),
        "its work stays in the memory of the process",
    ),
    "a heartbeat of sockets of a library that nobody has described": (
        (
            "import Sockets from 'sockets';\nconst sockets = new Sockets();\nsetInterval(() => {\n"
            "  sockets.forEach((one) => { one.alive = false; one.ping(); });\n}, 30000);"
        ),
        "its work stays in the memory of the process",
    ),
    "a heartbeat by its name": (
        (
            "import Bus from 'bus';\nconst bus = new Bus();\nlet heartbeatTimer;\n"
            "heartbeatTimer = setInterval(() => { bus.send(bus.kinds().make('alive')); }, 2000);"
        ),
        "it is a heartbeat: it only says that the process lives",
    ),
    "a handler that only a caller knows": (
        "export function every(ms: number, work: () => void) { setInterval(work, ms); }",
        "a wrapper that nothing in the tree calls",
    ),
}


@pytest.mark.parametrize("shape", DECOYS)
def test_timers_that_are_no_jobs_and_why(tmp_path: Path, shape: str) -> None:
    code, reason = DECOYS[shape]
    found = discover(tmp_path, {"src/main.ts": DB + code})

    assert found.jobs == ()
    assert [r.partition(" ")[2] for r in found.rejected] == [reason]


@pytest.mark.parametrize(
    "path",
    [
        "src/a.test.ts",
        "src/__tests__/a.ts",
        "test/helpers.ts",
        "docs/example.ts",
        "node_modules/x/index.ts",
        "src/a.stories.tsx",
        "e2e/run.spec.ts",
    ],
)
def test_files_that_define_no_jobs(tmp_path: Path, path: str) -> None:
    assert (
        discover(tmp_path, {path: DB + "setInterval(sweep, 1000);", "src/main.ts": "export {};"}).jobs == ()
    )


def test_timers_of_pages(tmp_path: Path) -> None:
    code = (
        "import { useEffect } from 'react';\nexport function Clock() {\n  useEffect(() => {\n"
        "    const t = setInterval(() => { void fetch('/api/tick', { method: 'POST' }); }, 1000);\n"
        "    return () => clearInterval(t);\n  }, []);\n  return <p>now</p>;\n}\n"
    )

    assert discover(tmp_path, {"src/components/Clock.tsx": code}).jobs == ()


def test_a_name_that_only_looks_like_a_timer(tmp_path: Path) -> None:
    code = (
        "function setInterval(fn, ms) { return fn; }\nsetInterval(sweep, 1000);\n"
        "const o = { setInterval() {} };\no.setInterval(sweep, 1);"
    )

    assert discover(tmp_path, {"src/main.ts": DB + code}).jobs == ()


def test_two_timers_with_one_handler_are_two_jobs(tmp_path: Path) -> None:
    code = "setInterval(sweep, 1000);\nsetInterval(sweep, 60000);"

    assert [j.schedule for j in discover(tmp_path, {"src/main.ts": DB + code}).jobs] == ["1 s", "60 s"]


def test_croner_takes_a_function_before_its_options(tmp_path: Path) -> None:
    code = "import { Cron } from 'croner';\nnew Cron('*/5 * * * *', sweep, { name: 'sweep' });"

    job = discover(tmp_path, {"src/main.ts": DB + code}).only()

    assert (job.name, job.schedule, job.handler) == ("sweep", "*/5 * * * *", "sweep")
