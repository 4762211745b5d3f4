"""`cronaudit jobs`: the inventory."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cronaudit.commands.parameters import Config, Day, Jobs, Rules, Target, render_options
from cronaudit.commands.running import ExitCode, complain, emit
from cronaudit.commands.scan import run_audit
from cronaudit.commands.settings import audit_options, read_settings


class ListFormat(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSON = "json"


def jobs(
    path: Target,
    form: Annotated[ListFormat, typer.Option("--format", "-f", help="How to print it.")] = ListFormat.TABLE,
    rules: Rules = None,
    config: Config = None,
    day: Day = None,
    names: Jobs = None,
) -> None:
    """List the scheduled jobs: when they run, what runs, where."""
    from cronaudit.report.inventory import inventory_json, inventory_table

    options = audit_options(read_settings(path, config), day=day, rules=rules, jobs=names)
    outcome = run_audit(path, options, quiet=False)
    render = inventory_json if form is ListFormat.JSON else inventory_table
    emit(render(outcome.result, render_options()))
    if not outcome.result.jobs:
        complain(f"no job found in {path}")
        raise typer.Exit(ExitCode.NOTHING)
