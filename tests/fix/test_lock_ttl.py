"""A lock's time to live that is raised over the timeout: unit and style stay, and the comment stays true."""

from __future__ import annotations

import pytest

from tests.fix.small_services import Fixed

NODE = """\
const cron = require('node-cron');
const Redis = require('ioredis');
const { Pool } = require('pg');
const pool = new Pool();
const redis = new Redis();
const withTimeout = (work, ms) => Promise.race([
  work,
  new Promise((_, reject) => setTimeout(() => reject(new Error('late')), ms)),
]);
async function settle() { await pool.query('DELETE FROM carts WHERE expired'); }
{declared}
cron.schedule('0 * * * *', async () => {
  const held = await redis.set('job:settle', 'me', 'PX', {ttl}, 'NX');
  if (!held) return;
  try {
    await withTimeout(settle(), 600000);
  } finally {
    await redis.del('job:settle');
  }
}, { name: 'settle', timezone: 'UTC' });
"""


def node(declared: str, ttl: str) -> dict[str, str]:
    text = NODE.replace("{declared}", declared).replace("{ttl}", ttl)
    return {
        "package.json": '{"dependencies": {"node-cron": "4", "ioredis": "5", "pg": "8"}}',
        "index.js": text,
    }


@pytest.mark.parametrize(
    ("declared", "ttl", "after"),
    [
        ("", "300000", ("", "900000")),
        ("", "300_000", ("", "900_000")),
        ("", "5 * 60 * 1000", ("", "15 * 60 * 1000")),
        (
            "const LOCK_TTL_MS = 300000; // 5 minutes",
            "LOCK_TTL_MS",
            ("const LOCK_TTL_MS = 900000; // 15 minutes", "LOCK_TTL_MS"),
        ),
        (
            "const LOCK_TTL_MS = 10 * 60 * 1000;",
            "LOCK_TTL_MS",
            ("const LOCK_TTL_MS = 15 * 60 * 1000;", "LOCK_TTL_MS"),
        ),
        (
            "const TTL = Number(process.env.LOCK_TTL || '300000');",
            "TTL",
            ("const TTL = Number(process.env.LOCK_TTL || '900000');", "TTL"),
        ),
        (
            "const options = { lockTtl: 60000 }; // 1 minute",
            "options.lockTtl",
            ("const options = { lockTtl: 900000 }; // 15 minutes", "options.lockTtl"),
        ),
    ],
)
def test_raised(fixed: Fixed, declared: str, ttl: str, after: tuple[str, str]) -> None:
    fixing = fixed(node(declared, ttl), "LOCK-03")
    (change,) = fixing.changes
    assert change.after.decode() == node(*after)["index.js"]
    (made,) = fixing.fixes
    assert (made.recipe.id, made.safe, made.jobs) == ("lock-ttl", True, ("settle",))


@pytest.mark.parametrize(
    ("declared", "ttl", "reason"),
    [
        (
            "const FIVE_MINUTES = 300000;",
            "FIVE_MINUTES",
            "the name FIVE_MINUTES states the amount itself",
        ),
        (
            "const TTLS = [300000, 300000];",
            "TTLS[0]",
            "the number is not written where it is used, or more than once",
        ),
    ],
)
def test_left_alone(fixed: Fixed, declared: str, ttl: str, reason: str) -> None:
    fixing = fixed(node(declared, ttl), "LOCK-03")
    assert fixing.changes == ()
    assert {one.reason for one in fixing.unfixed} == {reason}


def test_long_enough(fixed: Fixed) -> None:
    fixing = fixed(node("", "900000"), "LOCK-03")
    assert (fixing.changes, fixing.unfixed, fixing.without) == ((), (), 0)


def test_a_number_that_the_schedule_shares_is_left_alone(fixed: Fixed) -> None:
    """What is raised is the lock, not how often the job runs."""
    text = node("const PERIOD_MS = 300000;", "PERIOD_MS")["index.js"]
    head, _, tail = text.partition("cron.schedule('0 * * * *', async")
    shared = f"{head}setInterval(async{tail}".replace("{ name: 'settle', timezone: 'UTC' }", "PERIOD_MS")
    files = node("", "") | {"index.js": shared}
    fixing = fixed(files, "LOCK-03")
    assert fixing.changes == ()
    assert [one.reason for one in fixing.unfixed] == ["index.js is no longer the same job"]


def test_python(fixed: Fixed) -> None:
    text = """
        import redis
        import requests
        from celery import Celery

        app = Celery("shop")
        app.conf.beat_schedule = {"sync": {"task": "tasks.sync", "schedule": 3600.0}}
        client = redis.Redis()
        LOCK_TTL = 5 * 60  # 5 minutes, see the runbook


        @app.task(name="tasks.sync", time_limit=600)
        def sync():
            with client.lock("sync", timeout=LOCK_TTL):
                requests.post("https://bank.example/settle", timeout=10)
    """
    fixing = fixed({"tasks.py": text}, "LOCK-03")
    (change,) = fixing.changes
    assert "LOCK_TTL = 15 * 60  # 15 minutes, see the runbook\n" in change.after.decode()
