"""Options that several commands have, and what they come to."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cronaudit.model.schedule import Schedule
from cronaudit.report.options import RenderOptions

Target = Annotated[
    Path,
    typer.Argument(metavar="PATH", help="The folder or file to audit.", exists=True, show_default=False),
]
Rules = Annotated[
    list[Path] | None,
    typer.Option(
        "--rules",
        metavar="DIR",
        help="Folder with own checks, issues and libraries; may be given several times.",
        exists=True,
        file_okay=False,
        show_default=False,
    ),
]
Jobs = Annotated[
    list[str] | None,
    typer.Option(
        "--job",
        metavar="GLOB",
        help="Only jobs whose name or id fits; may be given several times.",
        show_default=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration to use instead of cronaudit.toml or [tool.cronaudit] in pyproject.toml of the target.",
        show_default=False,
    ),
]
Day = Annotated[
    str | None,
    typer.Option(
        "--date",
        metavar="YYYY-MM-DD",
        help="Date of the report and start of every look-ahead; else SOURCE_DATE_EPOCH, else today (UTC).",
        show_default=False,
    ),
]


def colored(*, no_color: bool) -> bool:
    """Whether standard output takes colour (https://no-color.org, https://force-color.org)."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def render_options(*, link_base: str | None = None, color: bool = False) -> RenderOptions:
    """Give what renderers need from the outside: the templates, the calendar, the terminal."""
    from cronaudit.assets import templates_dir

    return RenderOptions(
        templates=templates_dir(),
        link_base=link_base,
        next_runs=_next_runs,
        color=color,
        width=shutil.get_terminal_size().columns if sys.stdout.isatty() else None,
    )


def _next_runs(schedule: Schedule, zone: str | None, start: date, number: int) -> tuple[datetime, ...]:
    from cronaudit.schedule.occurrences import next_runs

    # "Later than" in the calendar: a run at midnight of the day itself belongs to the day.
    return next_runs(schedule, zone, datetime.combine(start, time()) - timedelta(seconds=1), number)
