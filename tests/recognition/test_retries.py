"""Timers that try again, beside those that go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

PACKAGE = '{"main": "main.js", "dependencies": {"pg": "8"}}'

CONNECTION = """
    const { Pool } = require('pg');
    class Link {
      constructor() { this.pool = new Pool(); }
      async open() {
        const client = await this.pool.connect();
        await client.query('listen orders');
        client.on('EVENT', () => { this.again(); });
      }
      again() {
        setTimeout(async () => { try { await this.open(); } catch (e) { this.again(); } }, 5000);
      }
    }
    new Link().open();
"""

ATTEMPTS = """
    const { Pool } = require('pg');
    const pool = new Pool();
    class Sender {
      constructor() { this.attempt = 0; }
      get attemptsUsedUp() { return this.attempt > 5; }
      go() {
        this.timer = setTimeout(async () => {
          this.attempt += 1;
          try {
            await pool.query('update mails set sent = now()');
            if (TEST) { this.go(); }
          } catch (e) { if (!this.attemptsUsedUp) { this.go(); } }
        }, 1000);
      }
    }
    new Sender().go();
"""


@pytest.mark.parametrize(("event", "jobs"), [("close", []), ("error", []), ("message", ["5 s"])])
def test_what_only_goes_on_when_something_has_ended(tmp_path: Path, event: str, jobs: list[str]) -> None:
    files = {"package.json": PACKAGE, "main.js": CONNECTION.replace("EVENT", event)}
    assert [j.schedule for j in discover(tmp_path, files).jobs] == jobs


@pytest.mark.parametrize(("test", "jobs"), [("!this.attemptsUsedUp", []), ("this.running", ["1 s"])])
def test_what_only_goes_on_while_attempts_are_left(tmp_path: Path, test: str, jobs: list[str]) -> None:
    files = {"package.json": PACKAGE, "main.js": ATTEMPTS.replace("TEST", test)}
    assert [j.schedule for j in discover(tmp_path, files).jobs] == jobs


ROUNDS = """
    const { Pool } = require('pg');
    const pool = new Pool();
    class Cleaner {
      start() { this.plan(0); }
      plan(ms) { this.timer = setTimeout(() => { try { this.clean(); } catch (e) { console.error(e); } }, ms); }
      clean() {
        const found = pool.query('delete from lines where old limit 200');
        BODY
      }
    }
    new Cleaner().start();
"""


@pytest.mark.parametrize(
    ("body", "jobs"),
    [
        # Each round says how long it rests.
        ("if (found < 200) { this.plan(300000); } else { this.plan(5000); }", ["open"]),
        ("if (this.stopped) { return; } this.plan(300000);", ["300 s"]),
        # It waits, and does the work when it need not.
        ("if (!this.ready) { this.plan(10000); } else { pool.query('delete from words'); }", []),
    ],
)
def test_a_round_that_another_method_ends(tmp_path: Path, body: str, jobs: list[str]) -> None:
    files = {"package.json": PACKAGE, "main.js": ROUNDS.replace("BODY", body)}
    assert [j.schedule for j in discover(tmp_path, files).jobs] == jobs
