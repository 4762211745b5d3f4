"""The command line. Each command is a module of `cronaudit.commands`, and imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from cronaudit import __version__
from cronaudit.commands.explain import explain
from cronaudit.commands.fix import fix
from cronaudit.commands.jobs import jobs
from cronaudit.commands.rules import rules
from cronaudit.commands.running import ContainedCommand
from cronaudit.commands.scan import ScanCommand, scan
from cronaudit.commands.schema import schema

app = typer.Typer(
    name="cronaudit",
    help="Audits the scheduled jobs of a codebase: finds every job, judges it against 67 checks, shows file:line.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it imports rich at start-up, and would print the values of local variables
    rich_markup_mode=None,  # as above; help is plain text, so that the README can quote it
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 the gate holds, 1 it does not, 2 wrong usage or configuration, 3 nothing to audit, "
    "4 internal error.",
)
app.command(cls=ScanCommand)(scan)
app.command(cls=ContainedCommand)(fix)
app.command(cls=ContainedCommand)(jobs)
app.command(cls=ContainedCommand)(rules)
app.command(cls=ContainedCommand)(explain)
app.command(cls=ContainedCommand)(schema)


def _print_version(value: bool) -> None:  # noqa: FBT001 - the shape of a Typer callback
    if value:
        typer.echo(f"cronaudit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    app()
