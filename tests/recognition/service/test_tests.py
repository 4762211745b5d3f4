from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from cronaudit.model.facts import ServiceFacts
from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

JOB = """
    import { Pool } from 'pg';
    import cron from 'node-cron';
    const pool = new Pool();
    export async function expireCarts() {
      await pool.query("UPDATE carts SET state = 'expired' WHERE state = 'open'");
      return helper();
    }
    export async function helper() {
      await pool.query('SELECT 1');
    }
    cron.schedule('0 * * * *', expireCarts);
"""


def tried(
    service_of: ServiceOf, test: str, name: str = "tests/expire.test.ts", job: str = JOB, **more: str
) -> ServiceFacts:
    (context, *_rest) = service_of({"src/expire.ts": job, name: test, **more})
    return service_facts.build(context.service)


def test_the_same_run_twice_and_an_assertion(service_of: ServiceOf) -> None:
    facts = tried(
        service_of,
        """
        import { expect, test } from 'vitest';
        import { expireCarts } from '../src/expire';

        test('expires once', async () => {
          await expireCarts();
          await expireCarts();
          expect(await releases()).toHaveLength(1);
        });
        """,
    )
    assert facts.tests.value is True
    assert (facts.double_run_test.value, str(facts.double_run_test.locations[0])) == (
        True,
        "tests/expire.test.ts:4",
    )
    assert facts.concurrent_test.value is False
    assert facts.crash_test.value is False


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("await expireCarts();\nexpect(1).toBe(1);", id="once"),
        pytest.param("await expireCarts();\nawait expireCarts();", id="nothing asserted"),
        pytest.param("await helper();\nawait helper();\nexpect(1).toBe(1);", id="only a helper"),
        pytest.param(
            "await expireCarts('a');\nawait expireCarts('b');\nexpect(1).toBe(1);", id="other arguments"
        ),
        pytest.param(
            "expect(1).toBe(1);\nawait expireCarts();\nawait expireCarts();",
            id="asserted before the second run",
        ),
        pytest.param(
            "await expect(expireCarts()).rejects.toThrow();\nawait expect(expireCarts()).rejects.toThrow();",
            id="both fail",
        ),
    ],
)
def test_these_are_no_second_run(service_of: ServiceOf, body: str) -> None:
    facts = tried(
        service_of,
        "import { expect, test } from 'vitest';\nimport { expireCarts, helper } from '../src/expire';\n"
        f"test('expires', async () => {{\n{body}\n}});\n",
    )
    assert facts.double_run_test.value is False
    assert facts.double_run_test.detail == "Tests exist, none runs a job twice"


def test_a_mocked_job_is_not_run(service_of: ServiceOf) -> None:
    facts = tried(
        service_of,
        """
        import { expect, test, vi } from 'vitest';
        import { expireCarts } from '../src/expire';
        vi.mock('../src/expire');
        test('expires once', async () => {
          await expireCarts();
          await expireCarts();
          expect(expireCarts).toHaveBeenCalledTimes(2);
        });
        """,
    )
    assert facts.double_run_test.value is False


def test_a_skipped_test_tries_nothing(service_of: ServiceOf) -> None:
    facts = tried(
        service_of,
        """
        import { expireCarts } from '../src/expire';
        test.skip('expires once', async () => {
          await expireCarts();
          await expireCarts();
          expect(1).toBe(1);
        });
        """,
    )
    assert facts.double_run_test.value is False


def test_a_loop_over_a_written_list_runs_it_more_than_once(service_of: ServiceOf) -> None:
    facts = tried(
        service_of,
        """
        import { expireCarts } from '../src/expire';
        test('expires once', async () => {
          for (let i = 0; i < 3; i += 1) {
            await expireCarts();
          }
          expect(await releases()).toHaveLength(1);
        });
        """,
    )
    assert facts.double_run_test.value is True


@pytest.mark.parametrize(
    "body",
    [
        "await Promise.all([expireCarts(), expireCarts()]);\nexpect(await n()).toBe(1);",
        "await Promise.all(Array.from({ length: 5 }, () => expireCarts()));\nexpect(await n()).toBe(1);",
        "const r = await Promise.allSettled([expireCarts(), expireCarts()]);\nexpect(r).toHaveLength(2);",
    ],
)
def test_two_runs_at_once(service_of: ServiceOf, body: str) -> None:
    facts = tried(
        service_of,
        f"import {{ expireCarts }} from '../src/expire';\nit('is exclusive', async () => {{\n{body}\n}});\n",
    )
    assert (facts.concurrent_test.value, str(facts.concurrent_test.locations[0])) == (
        True,
        "tests/expire.test.ts:2",
    )
    assert facts.double_run_test.value is False


def test_one_run_beside_something_else_is_not_concurrent(service_of: ServiceOf) -> None:
    facts = tried(
        service_of,
        """
        import { expireCarts } from '../src/expire';
        it('runs', async () => {
          await Promise.all([expireCarts(), seed()]);
          expect(await n()).toBe(1);
        });
        """,
    )
    assert facts.concurrent_test.value is False


def test_a_run_that_fails_midway_and_is_repeated(service_of: ServiceOf) -> None:
    facts = tried(
        service_of,
        """
        import { expireCarts } from '../src/expire';
        it('resumes', async () => {
          bank.failAfter(2);
          await expect(expireCarts()).rejects.toThrow();
          await expireCarts();
          expect(await n()).toBe(5);
        });
        """,
    )
    assert (facts.crash_test.value, str(facts.crash_test.locations[0])) == (True, "tests/expire.test.ts:2")
    assert facts.double_run_test.value is False


def test_a_killed_child_that_runs_the_job(service_of: ServiceOf) -> None:
    test = """
        import { fork } from 'node:child_process';
        import { expireCarts } from '../src/expire';
        test('resumes', async () => {
          const child = fork('./run.ts');
          child.kill('SIGKILL');
          await expireCarts();
          expect(await n()).toBe(5);
        });
    """
    job = "import { expireCarts } from '../src/expire';\nawait expireCarts();\n"
    facts = tried(service_of, test, **{"tests/run.ts": job})
    assert facts.crash_test.value is True
    facts = tried(service_of, test, **{"tests/run.ts": "console.log('ready');\n"})
    assert facts.crash_test.value is False


def test_no_tests(service_of: ServiceOf) -> None:
    (context,) = service_of({"src/expire.ts": JOB, "vitest.config.ts": "export default {};\n"})
    facts = service_facts.build(context.service)
    assert (facts.tests.value, facts.tests.detail) == (False, "No tests in the tree")


def test_a_method_of_a_class_is_a_run(service_of: ServiceOf) -> None:
    job = """
        import { Pool } from 'pg';
        export class Expiration {
          private readonly pool = new Pool();
          start() {
            setInterval(() => this.run(), 60_000);
          }
          async run() {
            await this.pool.query('DELETE FROM carts');
          }
        }
        new Expiration().start();
    """
    facts = tried(
        service_of,
        """
        import { Expiration } from '../src/expire';
        test('twice', async () => {
          const job = new Expiration();
          await job.run();
          await job.run();
          expect(await n()).toBe(0);
        });
        """,
        job=job,
    )
    assert facts.double_run_test.value is True


PYTHON = """
    import schedule
    import psycopg2

    connection = psycopg2.connect("dbname=shop")


    def expire_carts():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE carts SET state = 'expired'")


    schedule.every(10).minutes.do(expire_carts)
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    expire_carts()\n    expire_carts()\n    assert count() == 1\n", True),
        ("    for _ in range(3):\n        expire_carts()\n    assert count() == 1\n", True),
        ("    expire_carts()\n    assert count() == 1\n", False),
        (
            "    with pytest.raises(Error):\n        expire_carts()\n    expire_carts()\n    assert count() == 1\n",
            False,
        ),
    ],
)
def test_python(service_of: ServiceOf, body: str, *, expected: bool) -> None:
    (context,) = service_of(
        {
            "shop/__init__.py": "",
            "shop/expire.py": PYTHON,
            "tests/test_expire.py": "import pytest\nfrom shop.expire import expire_carts\n\n"
            f"def test_expire():\n{body}",
        }
    )
    facts = service_facts.build(context.service)
    assert facts.runtime.value == "python"
    assert facts.double_run_test.value is expected
    assert facts.crash_test.value is ("raises" in body)


PYTHON_JOB = """
    from apscheduler.schedulers.blocking import BlockingScheduler
    from shop.stock import release

    scheduler = BlockingScheduler()

    @scheduler.scheduled_job("interval", hours=1)
    def settle(only=None):
        release(only)

    scheduler.start()
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # what is paused between the two runs makes them two cases, each with a mock of its own
        (
            """
            shelf = make()
            shelf.pause()
            with patch("shop.stock.release") as released:
                settle()
                released.assert_not_called()
            shelf.resume()
            with patch("shop.stock.release") as released:
                settle()
                released.assert_called_once()
            """,
            False,
        ),
        (
            """
            with patch("shop.stock.release") as released:
                settle()
                released.assert_called_once()
            with patch("shop.stock.release") as released:
                settle()
                released.assert_not_called()
            """,
            True,
        ),
        # the name stands for another shelf by then
        (
            """
            shelf = make()
            settle([shelf.pk])
            shelf = make()
            settle([shelf.pk])
            assert shelf.empty
            """,
            False,
        ),
        (
            """
            shelf = make()
            settle([shelf.pk])
            settle([shelf.pk])
            assert shelf.empty
            """,
            True,
        ),
    ],
)
def test_two_runs_of_which_something_is_changed_in_between(
    service_of: ServiceOf, body: str, expected: bool
) -> None:
    test = (
        "from unittest.mock import patch\nfrom shop.jobs import settle\nfrom shop.stock import make\n\n\n"
        "def test_settle():\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n"
    )
    (context,) = service_of(
        {
            "requirements.txt": "apscheduler\n",
            "shop/__init__.py": "",
            "shop/stock.py": "def make():\n    return 1\n\ndef release(only):\n    open('/tmp/x', 'w').close()\n",
            "shop/jobs.py": PYTHON_JOB,
            "tests/test_jobs.py": test,
        }
    )
    assert service_facts.build(context.service).double_run_test.value is expected
