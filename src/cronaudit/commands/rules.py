"""`cronaudit rules`: the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from cronaudit.commands.jobs import ListFormat
from cronaudit.commands.parameters import Rules
from cronaudit.commands.running import emit


def rules(
    form: Annotated[ListFormat, typer.Option("--format", "-f", help="How to print it.")] = ListFormat.TABLE,
    own: Rules = None,
) -> None:
    """List the checks and the issues that they raise."""
    from cronaudit.audit import load_catalogue
    from cronaudit.report.catalogue import rules_json, rules_table

    render = rules_json if form is ListFormat.JSON else rules_table
    emit(render(load_catalogue(tuple(own or ()))))
