"""What runs by the clock and is not audited: the result says so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from cronaudit.audit import audit
from cronaudit.model.options import AuditOptions
from cronaudit.model.source import Diagnostic


def test_a_crontab_line_that_runs_no_code_of_the_tree(tmp_path: Path) -> None:
    (tmp_path / "sweep.py").write_text("import psycopg2\npsycopg2.connect('').execute('delete from carts')\n")
    (tmp_path / "crontab").write_text("0 3 * * * python sweep.py\n0 4 * * * /usr/bin/freshclam\n")

    result = audit(tmp_path, AuditOptions(date(2026, 11, 23))).result

    assert [job.display_name for job in result.jobs] == ["sweep.py"]
    assert result.diagnostics == (
        Diagnostic(
            "crontab",
            "line 2: scheduled, and not audited: its command runs no code of this tree, or a script of the shell",
        ),
    )
