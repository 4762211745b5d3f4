"""Bounds in time: of the run, of a part of it, declared only."""

from __future__ import annotations

from collections.abc import Callable

from cronaudit.model.facts import TimeoutFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import timeout

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

PACKAGE = """
{"name": "shop", "scripts": {"start": "node src/index.js"}, "dependencies": {"node-cron": "^3.0.0", "pg": "^8.0.0"}}
"""
HEAD = """\
const cron = require('node-cron');
const { Pool } = require('pg');
const { setTimeout: sleep } = require('node:timers/promises');
const pool = new Pool();
const log = require('pino')();
async function settle() { await pool.query('DELETE FROM carts WHERE expired'); }
async function fetchRates() { await fetch('https://rates.example', { signal: AbortSignal.timeout(5000) }); }
const withTimeout = (work, timeoutMs) => Promise.race([
  work,
  new Promise((_, reject) => setTimeout(() => reject(new Error('timeout')), timeoutMs)),
]);
"""
FIRST = HEAD.count("\n") + 1


def facts(service_of: ServiceOf, source: str) -> TimeoutFacts:
    found = service_of({"package.json": PACKAGE, "src/index.js": HEAD + source})
    assert len(found) == 1
    return timeout.build(found[0])


def words(found: TimeoutFacts) -> tuple[object, object]:
    return (found.scope.value, found.seconds.value)


def test_nothing(service_of: ServiceOf) -> None:
    assert words(facts(service_of, "cron.schedule('0 * * * *', settle, { name: 'settle' });\n")) == (
        "none",
        None,
    )


def test_race_around_the_run(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const SETTLE_TIMEOUT_MS = 5 * 60 * 1000;
cron.schedule('0 * * * *', async () => { await withTimeout(settle(), SETTLE_TIMEOUT_MS); }, { name: 'settle' });
""",
    )
    assert words(found) == ("run", 300.0)
    assert found.seconds.detail == "SETTLE_TIMEOUT_MS: 5 * 60 * 1000"
    assert found.seconds.locations[0].line - FIRST + 1 == 2


def test_race_around_a_part(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  await withTimeout(pool.query('DELETE FROM mails'), 1000);
  await settle();
}, { name: 'settle' });
""",
    )
    assert words(found) == ("part", 1.0)


def test_race_after_a_query_without_a_bound_is_a_part(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  await pool.query('SELECT id FROM carts');
  await withTimeout(settle(), 1000);
}, { name: 'settle' });
""",
    )
    assert words(found) == ("part", 1.0)


def test_race_of_each_item(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  for (const name of ['a', 'b', 'c']) {
    await withTimeout(settle(name), 1000);
  }
}, { name: 'settle' });
""",
    )
    assert words(found) == ("part", 1.0)


def test_a_timer_that_resolves_bounds_nothing_with_an_error(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  await Promise.race([settle(), new Promise((resolve) => setTimeout(resolve, 1000))]);
}, { name: 'settle' });
""",
    )
    assert words(found) == ("none", None)


def test_sleep_that_throws(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  await Promise.race([settle(), sleep(90000).then(() => { throw new Error('too slow'); })]);
}, { name: 'settle' });
""",
    )
    assert words(found) == ("run", 90.0)


def test_unresolved_bound(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  await withTimeout(settle(), Number(process.env.LIMIT_MS));
}, { name: 'settle' });
""",
    )
    assert found.scope.value == "run"
    assert isinstance(found.seconds.value, Unresolved)
    assert "LIMIT_MS" in found.seconds.value.reason


def test_default_of_the_environment(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  await withTimeout(settle(), Number(process.env.LIMIT_MS || 60000));
}, { name: 's' });
""",
    )
    assert words(found) == ("run", 60.0)


def test_each_attempt_of_a_bounded_retry(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    try {
      return await withTimeout(settle(), 60000);
    } catch (err) {
      if (attempt === 3) throw err;
    }
  }
}, { name: 'settle' });
""",
    )
    assert words(found) == ("run", 180.0)


def test_each_attempt_of_an_unbounded_retry(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
cron.schedule('0 * * * *', async () => {
  for (;;) {
    try {
      return await withTimeout(settle(), 60000);
    } catch (err) {
      log.warn({ err }, 'again');
    }
  }
}, { name: 'settle' });
""",
    )
    assert words(found) == ("part", 60.0)


def test_one_request(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        "cron.schedule('0 * * * *', async () => { await fetchRates(); await settle(); }, { name: 's' });\n",
    )
    assert words(found) == ("part", 5.0)


def test_signal_of_the_whole_run(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
async function sync(signal) {
  signal.throwIfAborted();
  await settle();
}
cron.schedule('0 * * * *', async () => { await sync(AbortSignal.timeout(45000)); }, { name: 'settle' });
""",
    )
    assert words(found) == ("run", 45.0)


def test_signal_that_nobody_heeds(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
async function sync(_options) { await settle(); }
cron.schedule('0 * * * *', async () => { await sync(AbortSignal.timeout(45000)); }, { name: 'settle' });
""",
    )
    assert words(found) == ("part", 45.0)


def test_declared_and_only_compared_with(service_of: ServiceOf) -> None:
    found = facts(
        service_of,
        """
const config = { timeoutMs: 120000 };
cron.schedule('0 * * * *', async () => {
  const startedAt = Date.now();
  await settle();
  const durationMs = Date.now() - startedAt;
  if (durationMs > config.timeoutMs) log.warn('slow');
}, { name: 'settle' });
""",
    )
    assert words(found) == ("declared", 120.0)
    assert found.seconds.detail == "timeoutMs: 120000"
