"""What a fix must prove before it is kept, and that a second run finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from cronaudit.fixing import FixOptions, fix
from cronaudit.model.options import AuditOptions, ConfigurationError
from tests.fix.small_services import Files, Fixed

SERVICE = {
    "package.json": '{"dependencies": {"node-cron": "^4.1.0"}}',
    "index.js": """
        const cron = require('node-cron');
        const { Pool } = require('pg');
        const pool = new Pool();
        async function settle() { await pool.query('DELETE FROM carts WHERE expired'); }
        cron.schedule('*/5 * * * *', settle);
        cron.schedule('0 4 * * *', () => settle(), { name: 'nightly' });
    """,
}


def recipe(folder: Path, text: str, name: str = "own") -> Path:
    (folder / "fixes").mkdir(parents=True, exist_ok=True)
    (folder / "fixes" / f"{name}.yaml").write_text(dedent(text))
    return folder


def test_a_second_run_finds_nothing(fixed: Fixed) -> None:
    fixing = fixed(SERVICE, unsafe=True)
    assert {(f.recipe.id, f.line) for f in fixing.fixes} == {
        ("name", 5),
        ("no-overlap", 5),
        ("no-overlap", 6),
        ("timezone", 5),
        ("timezone", 6),
    }
    again = fixed(SERVICE | {change.path: change.after for change in fixing.changes}, unsafe=True)
    assert (again.changes, again.fixes, again.hidden) == ((), (), ())


def test_nothing_is_written(fixed: Fixed, tmp_path: Path) -> None:
    fixed(SERVICE, unsafe=True)
    assert (tmp_path / "service" / "index.js").read_text() == dedent(SERVICE["index.js"]).lstrip("\n")


def test_a_fix_that_does_not_help_is_dropped(fixed: Fixed, tmp_path: Path) -> None:
    rules = recipe(
        tmp_path / "rules",
        """
        id: own
        title: say what it is for
        checks: [JOB-05]
        safe: true
        places:
          - call: node-cron:schedule
            set: {args.2.purpose: unknown to all}
        """,
    )
    fixing = fixed(SERVICE, "JOB-05", rules=(rules,))
    assert (fixing.changes, fixing.fixes, fixing.hidden) == ((), (), ())
    assert {one.reason for one in fixing.unfixed} == {"JOB-05 would still not be PASS"}


def test_a_fix_that_harms_another_check_is_dropped(fixed: Fixed, tmp_path: Path) -> None:
    """The name would be there, but the clocks would skip the run; the fix of the other job is kept all the same."""
    rules = recipe(
        tmp_path / "rules",
        """
        id: name
        title: give the job a name
        checks: [JOB-01]
        safe: true
        places:
          - call: node-cron:schedule
            set: {args.2.name: $name, args.2.timezone: Europe/Vienna}
            over: {args.2.timezone: [UTC]}
        """,
        "name",
    )
    lines = dedent(SERVICE["index.js"]).lstrip("\n").splitlines()
    lines[4:] = [
        "async function purge() { await pool.query('DELETE FROM carts WHERE old'); }",
        "cron.schedule('30 2 * * *', settle, { timezone: 'UTC' });",
        "cron.schedule('30 8 * * *', purge, { timezone: 'UTC' });",
    ]
    fixing = fixed(SERVICE | {"index.js": "\n".join(lines)}, "JOB-01", rules=(rules,))
    assert [(f.jobs, f.line) for f in fixing.fixes] == [(("purge",), 7)]
    assert [(one.target.job, one.reason) for one in fixing.unfixed] == [(0, "JOB-04 falls from PASS to FAIL")]


def test_a_fix_after_which_nothing_starts_the_job_is_dropped(fixed: Fixed, tmp_path: Path) -> None:
    rules = recipe(
        tmp_path / "rules",
        """
        id: own
        title: stop it
        checks: [JOB-03]
        safe: true
        places:
          - call: node-cron:schedule
            set: {args.2.timezone: UTC, args.2.name: other, args.2.scheduled: false}
        """,
    )
    fixing = fixed(SERVICE, "JOB-03", rules=(rules,))
    assert {f.recipe.id for f in fixing.fixes} == {"timezone"}
    reasons = {one.reason for one in fixing.unfixed if one.recipe == "own"}
    assert reasons == {"JOB-03 would still not be PASS"}


def test_select_takes_checks_and_sections(fixed: Fixed) -> None:
    assert [f.checks for f in fixed(SERVICE, "JOB-03,LOCK").fixes] == [("JOB-03",)]
    assert {f.checks for f in fixed(SERVICE, "lock", unsafe=True).fixes} == {("LOCK-01",)}
    with pytest.raises(ConfigurationError, match="there is no check 'LOCK-99'; did you mean 'LOCK-0"):
        fixed(SERVICE, "LOCK-99")


def test_only_some_jobs(write: Callable[[Files], Path]) -> None:
    options = AuditOptions(date(2026, 11, 23), job_globs=("night*",))
    fixing = fix(write(SERVICE), FixOptions(options, ("JOB-03",), unsafe=True))
    assert [f.jobs for f in fixing.fixes] == [("nightly",)]


def test_a_single_file(write: Callable[[Files], Path]) -> None:
    folder = write(SERVICE)
    fixing = fix(folder / "index.js", FixOptions(AuditOptions(date(2026, 11, 23)), ("JOB-03",)))
    assert [(f.path, f.line) for f in fixing.fixes] == [("index.js", 5)]


def test_counts_of_what_has_no_fix(fixed: Fixed) -> None:
    fixing = fixed(SERVICE, "JOB-05", "JOB-06")
    assert fixing.without == 2
    assert [(one.target.check, one.reason) for one in fixing.unfixed] == [
        ("JOB-06", "node-cron has no option for it that is known"),
        ("JOB-06", "node-cron has no option for it that is known"),
    ]
