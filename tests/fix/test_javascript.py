"""Options set in TypeScript and JavaScript: the exact text that comes out of every way in which calls are written."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.fix.small_services import Fixed, Mended

PACKAGE = '{"dependencies": {"node-cron": "^4.1.0", "bullmq": "^5.1.0", "@nestjs/schedule": "^5.0.0", "croner": "9"}}'
WORK = "exports.sync = async () => { await db.query('DELETE FROM old'); };\n"


def cron(call: str) -> dict[str, str]:
    head = "const cron = require('node-cron');\nconst { sync } = require('./work');\n"
    return {"package.json": PACKAGE, "work.js": WORK, "index.js": head + dedent(call).lstrip("\n")}


def body(text: str) -> str:
    """The text behind the two lines that `cron` puts in front."""
    return text.split("\n", 2)[2]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "cron.schedule('*/5 * * * *', sync);\n",
            "cron.schedule('*/5 * * * *', sync, { timezone: 'UTC' });\n",
        ),
        (
            "cron.schedule('*/5 * * * *', sync, {});\n",
            "cron.schedule('*/5 * * * *', sync, { timezone: 'UTC' });\n",
        ),
        (
            "cron.schedule('*/5 * * * *', sync, {name: 'sync'});\n",
            "cron.schedule('*/5 * * * *', sync, {name: 'sync', timezone: 'UTC'});\n",
        ),
        (
            "cron.schedule('*/5 * * * *', sync, { name: 'sync', });\n",
            "cron.schedule('*/5 * * * *', sync, { name: 'sync', timezone: 'UTC', });\n",
        ),
        (
            "cron.schedule('*/5 * * * *', sync, {\n  name: 'sync'\n});\n",
            "cron.schedule('*/5 * * * *', sync, {\n  name: 'sync',\n  timezone: 'UTC'\n});\n",
        ),
        (
            "cron.schedule('*/5 * * * *', sync, {\n\tname: 'sync', // as the board knows it\n});\n",
            "cron.schedule('*/5 * * * *', sync, {\n\tname: 'sync', // as the board knows it\n\ttimezone: 'UTC',\n});\n",
        ),
        (
            "cron.schedule('*/5 * * * *', sync, {\n  name: 'sync' // as the board knows it\n});\n",
            "cron.schedule('*/5 * * * *', sync, {\n  name: 'sync', // as the board knows it\n  timezone: 'UTC'\n});\n",
        ),
        (
            "cron.schedule(\n  '*/5 * * * *',\n  sync,\n);\n",
            "cron.schedule(\n  '*/5 * * * *',\n  sync,\n  { timezone: 'UTC' },\n);\n",
        ),
        (
            "cron.schedule(\n  '*/5 * * * *',\n  sync\n);\n",
            "cron.schedule(\n  '*/5 * * * *',\n  sync,\n  { timezone: 'UTC' }\n);\n",
        ),
        (
            "cron.schedule('*/5 * * * *', async () => {\n  await sync();\n});\n",
            "cron.schedule('*/5 * * * *', async () => {\n  await sync();\n}, { timezone: 'UTC' });\n",
        ),
        (
            "const options = { name: 'sync' };\ncron.schedule('*/5 * * * *', sync, options);\n",
            "const options = { name: 'sync', timezone: 'UTC' };\ncron.schedule('*/5 * * * *', sync, options);\n",
        ),
        (
            'const label = "a";\nconst other = "b";\ncron.schedule("*/5 * * * *", sync);\n',
            'const label = "a";\nconst other = "b";\ncron.schedule("*/5 * * * *", sync, { timezone: "UTC" });\n',
        ),
    ],
)
def test_time_zone(mended: Mended, before: str, after: str) -> None:
    assert body(mended(cron(before), "JOB-03")["index.js"]) == after


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (
            "const options = { name: 'sync' };\ncron.schedule('*/5 * * * *', sync, options);\nlog(options);\n",
            "the options are not written out at the call",
        ),
        (
            "cron.schedule('*/5 * * * *', sync, { timezone: 'local' });\n",
            "timezone is set already, to 'local'",
        ),
        (
            "cron.schedule('*/5 * * * *', sync); cron.schedule('*/7 * * * *', sync);\n",
            "several calls stand on its line",
        ),
    ],
)
def test_what_is_not_touched(fixed: Fixed, call: str, reason: str) -> None:
    fixing = fixed(cron(call), "JOB-03")
    assert (fixing.changes, fixing.hidden) == ((), ())
    assert {one.reason for one in fixing.unfixed} == {reason}


def test_two_fixes_in_one_call(fixed: Fixed) -> None:
    fixing = fixed(cron("cron.schedule('*/5 * * * *', sync);\n"), "JOB")
    (change,) = fixing.changes
    assert (
        body(change.after.decode())
        == "cron.schedule('*/5 * * * *', sync, { name: 'sync', timezone: 'UTC' });\n"
    )
    assert [(f.recipe.id, f.checks, f.line, f.safe) for f in fixing.fixes] == [
        ("name", ("JOB-01",), 3, True),
        ("timezone", ("JOB-03",), 3, True),
    ]


def test_no_overlap_is_safe_where_the_time_is_bounded(fixed: Fixed) -> None:
    bounded = """
        const pool = new (require('pg').Pool)();
        const withTimeout = (work, ms) => Promise.race([
          work,
          new Promise((_, reject) => setTimeout(() => reject(new Error('late')), ms)),
        ]);
        async function settle() { await pool.query('DELETE FROM carts WHERE expired'); }
        cron.schedule('*/5 * * * *', async () => { await withTimeout(settle(), 60000); });
    """
    (made,) = fixed(cron(bounded), "LOCK-01").fixes
    assert (made.recipe.id, made.safe, made.caution) == ("no-overlap", True, "")
    fixing = fixed(cron("cron.schedule('*/5 * * * *', sync);\n"), "LOCK-01", "MULTI-01")
    assert fixing.fixes == ()
    (hidden,) = fixing.hidden
    assert hidden.checks == ("LOCK-01", "MULTI-01")
    assert hidden.caution == "a run that hangs holds back all that follow, for nothing bounds its time"


def test_no_overlap_over_false(mended: Mended) -> None:
    call = "cron.schedule('*/5 * * * *', sync, { noOverlap: false });\n"
    assert (
        body(mended(cron(call), "LOCK-01", unsafe=True)["index.js"])
        == "cron.schedule('*/5 * * * *', sync, { noOverlap: true });\n"
    )


@pytest.mark.parametrize("manifest", ['{"dependencies": {"node-cron": "^3.0.3"}}', "{}"])
def test_an_option_of_a_later_version(fixed: Fixed, manifest: str) -> None:
    files = cron("cron.schedule('*/5 * * * *', sync);\n") | {"package.json": manifest}
    fixing = fixed(files, "LOCK-01", unsafe=True)
    assert fixing.changes == ()
    assert {one.reason for one in fixing.unfixed} == {"it takes node-cron >=4, which no manifest states"}


def test_a_daily_run_keeps_its_hour_unless_asked(fixed: Fixed) -> None:
    fixing = fixed(cron("cron.schedule('0 4 * * *', sync);\n"), "JOB-03")
    assert (fixing.changes, fixing.fixes) == ((), ())
    (hidden,) = fixing.hidden
    assert hidden.caution == "runs move where the host's zone is another one"


def test_the_zone_of_the_other_jobs(mended: Mended) -> None:
    calls = """
        cron.schedule('*/5 * * * *', sync);
        cron.schedule('0 4 * * *', sync, { timezone: 'Europe/Vienna' });
    """
    assert body(mended(cron(calls), "JOB-03")["index.js"]) == (
        "cron.schedule('*/5 * * * *', sync, { timezone: 'Europe/Vienna' });\n"
        "cron.schedule('0 4 * * *', sync, { timezone: 'Europe/Vienna' });\n"
    )


def test_line_ends_and_byte_order_mark_stay(fixed: Fixed) -> None:
    text = (
        "const cron = require('node-cron');\r\nconst { sync } = require('./work');\r\n"
        "cron.schedule('*/5 * * * *', sync, {\r\n  name: 'größe',\r\n});\r\n"
    )
    files = cron("") | {"index.js": b"\xef\xbb\xbf" + text.encode()}
    (change,) = fixed(files, "JOB-03").changes
    assert change.before == b"\xef\xbb\xbf" + text.encode()
    assert change.after == change.before.replace(
        "größe',\r\n".encode(), "größe',\r\n  timezone: 'UTC',\r\n".encode()
    )


# ---- BullMQ ---------------------------------------------------------------------------------------------------------


def queue(call: str, statement: str = "INSERT INTO mails (id) VALUES (1)") -> dict[str, str]:
    head = 'import { Queue } from "bullmq";\nexport const queue = new Queue("mail");\n'
    worker = 'import { Worker } from "bullmq";\nnew Worker("mail", async () => { await db.query("%s"); });\n'
    return {
        "package.json": PACKAGE,
        "worker.ts": worker % statement,
        "index.ts": head + dedent(call).lstrip("\n"),
    }


def test_attempts_and_backoff(fixed: Fixed) -> None:
    fixing = fixed(
        queue('await queue.upsertJobScheduler("digest", { every: 60_000 });\n'), "ERR", "JOB-08", unsafe=True
    )
    (change,) = fixing.changes
    assert body(change.after.decode()) == (
        'await queue.upsertJobScheduler("digest", { every: 60_000 }, {\n'
        '  opts: { attempts: 3, backoff: { type: "exponential", delay: 1000 } },\n'
        "});\n"
    )
    (made,) = fixing.fixes
    assert (made.checks, made.safe) == (("JOB-08", "ERR-05", "ERR-06"), False)
    assert (
        made.caution
        == "a run that failed midway is run again, and nothing keeps it from doing its work twice"
    )


def test_attempts_are_safe_where_a_second_run_does_nothing(fixed: Fixed) -> None:
    call = 'await queue.upsertJobScheduler("digest", { every: 60_000 });\n'
    (made,) = fixed(queue(call, "DELETE FROM mails WHERE sent"), "ERR-05").fixes
    assert made.safe


def test_one_attempt_is_none(mended: Mended) -> None:
    call = 'await queue.add("weekly", {}, { repeat: { pattern: "0 6 * * 1" }, attempts: 1 });\n'
    assert body(mended(queue(call), "ERR-05", unsafe=True)["index.ts"]) == (
        'await queue.add("weekly", {}, { repeat: { pattern: "0 6 * * 1" }, attempts: 3, '
        'backoff: { type: "exponential", delay: 1000 } });\n'
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("attempts: 5 }", 'attempts: 5, backoff: { type: "exponential", delay: 1000 } }'),
        (
            'attempts: 5, backoff: { type: "fixed", delay: 3000 } }',
            'attempts: 5, backoff: { type: "exponential", delay: 3000 } }',
        ),
    ],
)
def test_backoff_alone_is_safe(fixed: Fixed, before: str, after: str) -> None:
    call = 'await queue.add("weekly", {}, { repeat: { pattern: "0 6 * * 1" }, '
    fixing = fixed(queue(f"{call}{before});\n"), "ERR-06")
    (change,) = fixing.changes
    assert body(change.after.decode()) == f"{call}{after});\n"
    assert [f.safe for f in fixing.fixes] == [True]


def test_a_zone_that_is_part_of_a_key_in_the_store_is_unsafe(fixed: Fixed) -> None:
    (hidden,) = fixed(
        queue('await queue.add("often", {}, { repeat: { every: 60_000 } });\n'), "JOB-03"
    ).hidden
    assert hidden.caution == (
        "the schedule that Redis holds already goes on beside the new one until it is removed"
    )
    assert (
        len(fixed(queue('await queue.upsertJobScheduler("often", { every: 60_000 });\n'), "JOB-03").fixes)
        == 1
    )


# ---- Nest, croner ---------------------------------------------------------------------------------------------------


def test_decorators(mended: Mended) -> None:
    service = """
        import { Cron, CronExpression } from '@nestjs/schedule';

        export class PurgeService {
          @Cron(CronExpression.EVERY_5_MINUTES)
          async handleCron() {
            await this.repo.query('DELETE FROM old');
          }
        }
    """
    main = "import { PurgeService } from './purge.service';\nnew PurgeService();\n"
    files = {"package.json": PACKAGE, "purge.service.ts": service, "main.ts": main}
    text = mended(files, "JOB")["purge.service.ts"]
    assert (
        "  @Cron(CronExpression.EVERY_5_MINUTES, { name: 'purge-service-handle-cron', timeZone: 'UTC' })\n"
        in text
    )


def test_a_name_that_may_be_taken_once_is_unsafe(fixed: Fixed) -> None:
    text = "const { Cron } = require('croner');\nconst { sync } = require('./work');\nnew Cron('*/5 * * * *', sync);\n"
    (hidden,) = fixed({"package.json": PACKAGE, "work.js": WORK, "index.js": text}, "JOB-01").hidden
    assert hidden.caution == "it takes each name once, so that a job which is made a second time fails"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("new Cron('*/5 * * * *', sync);", "new Cron('*/5 * * * *', sync, { timezone: 'UTC' });"),
        (
            "new Cron('*/5 * * * *', { name: 'sync' }, sync);",
            "new Cron('*/5 * * * *', { name: 'sync', timezone: 'UTC' }, sync);",
        ),
    ],
)
def test_options_before_and_behind_the_function(mended: Mended, before: str, after: str) -> None:
    head = "const { Cron } = require('croner');\nconst { sync } = require('./work');\n"
    files = {"package.json": PACKAGE, "work.js": WORK, "index.js": f"{head}{before}\n"}
    assert body(mended(files, "JOB-03")["index.js"]) == f"{after}\n"
