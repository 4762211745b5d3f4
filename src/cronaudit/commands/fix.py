"""`cronaudit fix`: show the fixes that hold, or make them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cronaudit.commands.parameters import Config, Day, Jobs, Rules, Target, colored
from cronaudit.commands.progress import progress
from cronaudit.commands.running import ExitCode, complain, emit
from cronaudit.commands.settings import audit_options, read_settings
from cronaudit.model.options import AuditOptions

if TYPE_CHECKING:  # start-up: what finds fixes imports all stages
    from cronaudit.fixing import Fixing


def fix(  # noqa: PLR0913 - each is an option of the command line
    path: Target,
    *,
    do_write: Annotated[
        bool, typer.Option("--write", help="Write the fixes into the files. Else they are only shown.")
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="CHECKS",
            help="Only fixes for these checks: ids or sections of them (LOCK-03,JOB); may be given several times.",
            show_default=False,
        ),
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Also fixes that may change what a job does or when it runs.")
    ] = False,
    names: Jobs = None,
    rules: Rules = None,
    config: Config = None,
    day: Day = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
) -> None:
    """Fix what can be fixed: show the changes, or write them."""
    from cronaudit.commands.fix_report import diff_text, summary_text

    settings = read_settings(path, config)
    options = audit_options(settings, day=day, rules=rules, jobs=names)
    fixing = _run(path, options, tuple(select or ()), unsafe=unsafe)
    if not fixing.jobs:
        complain(f"no job found in {path}")
        raise typer.Exit(ExitCode.NOTHING)
    color = colored(no_color=no_color or bool(settings.no_color))
    if not do_write:
        emit(diff_text(fixing.changes, color=color))
        emit(summary_text(fixing, written=False, untouched=(), color=color))
        raise typer.Exit(ExitCode.GATE if fixing.fixes else ExitCode.OK)
    untouched = _write(path, fixing)
    emit(summary_text(fixing, written=True, untouched=untouched, color=color))
    raise typer.Exit(ExitCode.GATE if untouched else ExitCode.OK)


def _run(path: Path, options: AuditOptions, select: tuple[str, ...], *, unsafe: bool) -> Fixing:
    from msgspec.structs import replace

    from cronaudit.fixing import FixOptions
    from cronaudit.fixing import fix as find_fixes

    with progress(quiet=False) as on_progress:
        return find_fixes(path, FixOptions(replace(options, on_progress=on_progress), select, unsafe))


def _write(path: Path, fixing: Fixing) -> tuple[str, ...]:
    """Write what was found; give the files that were not touched, each with a complaint."""
    from cronaudit.commands.replacing import UntouchedError, replace_content

    root = path if path.is_dir() else path.parent
    untouched = []
    for change in fixing.changes:
        try:
            replace_content(root / change.path, change.before, change.after)
        except UntouchedError as error:
            complain(f"{change.path} is left as it is: {error}")
            untouched.append(change.path)
    return tuple(untouched)
