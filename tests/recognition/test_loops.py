"""Loops of the project's own: timers that arm themselves, and endless loops with a pause."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

DB = (
    "import { Pool } from 'pg';\nconst db = new Pool();\n"
    "async function sweep() { await db.query('delete from sessions'); }\n"
)
SLEEP = "const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));\n"

JOBS = {
    "a function that arms itself": (
        "async function tick() {\n  await sweep();\n  setTimeout(tick, 5000);\n}\ntick();",
        ("set-timeout-loop", "5 s", "tick"),
    ),
    "at once while there is more, else later": (
        (
            "async function tick() {\n  const rows = await sweep();\n"
            "  if (rows.length > 0) { setTimeout(tick, 0); } else { setTimeout(tick, 5000); }\n}\ntick();"
        ),
        ("set-timeout-loop", "5 s", "tick"),
    ),
    "in finally": (
        (
            "async function tick() {\n"
            "  try { await sweep(); } finally { setTimeout(() => void tick(), 60 * 1000); }\n}\ntick();"
        ),
        ("set-timeout-loop", "60 s", "tick"),
    ),
    "a method": (
        (
            "class Poller {\n  private timer;\n  start() { this.next(); }\n"
            "  private next() { this.timer = setTimeout(async () => { await sweep(); this.next(); }, 250); }\n"
            "}\nnew Poller().start();"
        ),
        ("set-timeout-loop", "0.25 s", "sweep"),
    ),
    "two functions that call each other": (
        "function plan() { setTimeout(run, 1000); }\nasync function run() { await sweep(); plan(); }\nplan();",
        ("set-timeout-loop", "1 s", "run"),
    ),
    "while true": (
        SLEEP
        + (
            "async function main() {\n  while (true) {\n    await sweep();\n    await sleep(10_000);\n  }\n}\n"
            "main();"
        ),
        ("sleep-loop", "10 s", "main"),
    ),
    "for ever": (
        SLEEP
        + (
            "async function main() {\n  for (;;) {\n    await sweep();\n    await sleep(2 * 1000);\n  }\n}\n"
            "main();"
        ),
        ("sleep-loop", "2 s", "main"),
    ),
    "until it is told to stop": (
        (
            "import { setTimeout as wait } from 'node:timers/promises';\nlet stopping = false;\n"
            "async function main() {\n  while (!stopping) {\n    await sweep();\n    await wait(3000);\n  }\n"
            "}\nmain();"
        ),
        ("sleep-loop", "3 s", "main"),
    ),
    "left on an order to stop": (
        SLEEP
        + (
            "async function main(signal) {\n  while (true) {\n    if (signal.aborted) break;\n"
            "    await sweep();\n    await sleep(1000);\n  }\n}\nmain(controller.signal);"
        ),
        ("sleep-loop", "1 s", "main"),
    ),
    "until a callback is told that it has stopped": (
        (
            "function begin(onStopped) {\n  const tick = async () => {\n"
            "    if (stopping) { return onStopped(); }\n    await sweep();\n    setTimeout(tick, 4000);\n  };\n"
            "  tick();\n}\nbegin(() => {});"
        ),
        ("set-timeout-loop", "4 s", "begin.tick"),
    ),
    "later after an error, and at once without one": (
        (
            "async function tick() {\n  const result = await sweep();\n"
            "  if (result.error) { setTimeout(tick, 60_000); return; }\n  setTimeout(tick, 5000);\n}\ntick();"
        ),
        ("set-timeout-loop", "5 s", "tick"),
    ),
    "an option says that it ends with an error": (
        SLEEP
        + (
            "class Daemon {\n  async start() {\n    while (!this.signal.aborted) {\n"
            "      try { await sweep(); } catch (e) { if (!this.goesOn) { break; } }\n      await sleep(1000);\n"
            "    }\n  }\n}\nnew Daemon().start();"
        ),
        ("sleep-loop", "1 s", "Daemon.start"),
    ),
    "a promise on the spot": (
        (
            "async function main() {\n  while (true) {\n    await sweep();\n"
            "    await new Promise((r) => setTimeout(r, 4000));\n  }\n}\nmain();"
        ),
        ("sleep-loop", "4 s", "main"),
    ),
    "seconds to sleep": (
        (
            "const nap = (s: number) => new Promise((r) => setTimeout(r, s * 1000));\nasync function main() {\n"
            "  while (true) {\n    await sweep();\n    await nap(30);\n  }\n}\nmain();"
        ),
        ("sleep-loop", "30 s", "main"),
    ),
}


@pytest.mark.parametrize("shape", JOBS)
def test_loops_that_are_jobs(tmp_path: Path, shape: str) -> None:
    code, expected = JOBS[shape]
    found = discover(tmp_path, {"src/main.ts": DB + code}).only()

    assert (found.kind, found.schedule, found.handler) == expected


DECOYS = {
    "a retry in catch": (
        "async function connect() {\n  try { await sweep(); } catch { setTimeout(connect, 1000); }\n}\nconnect();",
        "it arms itself only after a failure: a retry",
    ),
    "a retry in a promise's catch": (
        "function connect() { sweep().catch(() => { setTimeout(connect, 1000); }); }\nconnect();",
        "it arms itself only after a failure: a retry",
    ),
    "a counted retry": (
        (
            "async function attempt(tries: number) {\n  const ok = await sweep();\n"
            "  if (!ok && tries > 0) setTimeout(() => attempt(tries - 1), 500);\n}\nattempt(3);"
        ),
        "it arms itself only after a failure: a retry",
    ),
    "waiting for a condition": (
        SLEEP
        + (
            "async function ready() {\n  while (true) {\n    if (await sweep()) return;\n"
            "    await sleep(100);\n  }\n}\nready();"
        ),
        "it waits until a condition holds",
    ),
    "an attempt that answers a callback": (
        (
            "function lock(key, callback) {\n  const attempt = () => {\n    take(key, (error, got) => {\n"
            "      if (error) return callback(error);\n      if (got) { sweep(); callback(null, got); }\n"
            "      else { setTimeout(attempt, 50); }\n    });\n  };\n  attempt();\n}\n"
            "lock('a', () => {});"
        ),
        "it goes on until it can answer its caller",
    ),
    "an attempt that has taken too long": (
        (
            "function lock(key, callback) {\n  const begun = Date.now();\n  const attempt = async () => {\n"
            "    if (Date.now() - begun > 1000) { return callback(new Error('timeout')); }\n    await sweep();\n"
            "    setTimeout(attempt, 50);\n  };\n  attempt();\n}\nlock('a', () => {});"
        ),
        "it goes on until it can answer its caller",
    ),
    "waiting for the end of the process": (
        (
            "function leave() {\n  if (clients.size === 0) { process.exit(); }\n"
            "  else { sweep(); setTimeout(() => leave(), 5000); }\n}\nleave();"
        ),
        "it waits until the process may end",
    ),
    "after an error that is returned": (
        (
            "async function connect() {\n  const result = await sweep();\n"
            "  if (result.error) { setTimeout(() => { connect(); }, 5000); return; }\n  ready = true;\n}\nconnect();"
        ),
        "it arms itself only after a failure: a retry",
    ),
    "begun again by a catch": (
        (
            "function reconnect() {\n  setTimeout(() => { void sweep().then(() => {}).catch(() => { reconnect(); }); },"
            " 1000);\n}\nreconnect();"
        ),
        "it arms itself only after a failure: a retry",
    ),
    "cleared by the function around it": (
        (
            "async function release() {\n  let timer;\n  const look = async () => {\n    await sweep();\n"
            "    timer = setTimeout(look, 2000);\n  };\n  timer = setTimeout(look, 2000);\n  await close();\n"
            "  clearTimeout(timer);\n}\nrelease();"
        ),
        "it is cleared when the function that started it ends",
    ),
    "given up at a deadline": (
        SLEEP
        + (
            "async function settled(args) {\n  const begun = Date.now();\n  while (true) {\n"
            "    const elapsed = Date.now() - begun;\n    if (elapsed > args.limit) { throw new Error('late'); }\n"
            "    await sweep();\n    await sleep(100);\n  }\n}\nsettled({ limit: 5 });"
        ),
        "it waits until a condition holds",
    ),
    "inside a request": (
        "function poll(req, res) { setTimeout(() => { sweep(); poll(req, res); }, 1000); }",
        "it lives as long as one request or connection",
    ),
}


@pytest.mark.parametrize("shape", DECOYS)
def test_loops_that_are_none_and_why(tmp_path: Path, shape: str) -> None:
    code, reason = DECOYS[shape]
    found = discover(tmp_path, {"src/main.ts": DB + code})

    assert found.jobs == ()
    assert [r.partition(" ")[2] for r in found.rejected] == [reason]


@pytest.mark.parametrize(
    "code",
    [
        "setTimeout(sweep, 5000);",
        (
            "function debounce(fn) { let t; return () => { clearTimeout(t); t = setTimeout(fn, 10); }; }\n"
            "debounce(sweep)();"
        ),
        (
            "async function drain() { let rows = 1; while (rows > 0) { rows = await sweep(); await "
            "pause(10); } }\ndrain();"
        ),
        "while (true) { sweep(); break; }",
        (
            "let waiting: string[] = [];\nlet timer;\n"
            "async function flush() { const taken = waiting; waiting = []; if (taken.length) { await sweep(); }\n"
            "  if (waiting.length > 0 && !timer) { timer = setTimeout(() => { timer = null; flush(); }, 10); } }\n"
            "export function add(x) { waiting.push(x); timer ??= setTimeout(flush, 10); }"
        ),
        (
            "async function all() { for (const x of [1, 2]) { await sweep(); await new Promise((r) => "
            "setTimeout(r, 100)); } }\nall();"
        ),
    ],
)
def test_what_ends_by_itself_is_no_loop(tmp_path: Path, code: str) -> None:
    assert discover(tmp_path, {"src/main.ts": DB + code}).jobs == ()


def test_a_pause_that_is_handed_over_in_an_object(tmp_path: Path) -> None:
    code = """
        import { Pool } from 'pg';
        const db = new Pool();
        const rest = async ({ delayMs, signal }: Rest) => {
          if (signal.aborted) return;
          await new Promise<void>((resolve) => { setTimeout(resolve, delayMs); });
        };
        async function sweeping({ signal }: { signal: AbortSignal }) {
          while (!signal.aborted) {
            await db.query('delete from carts');
            await rest({ delayMs: 30_000, signal });
          }
        }
        sweeping({ signal: new AbortController().signal });
    """

    job = discover(tmp_path, {"package.json": '{"main": "src/main.ts"}', "src/main.ts": code}).only()

    assert (job.schedule, job.runs) == ("30 s", "sweeping")
