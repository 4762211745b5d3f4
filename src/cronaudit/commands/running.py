"""How a command runs: its exit codes, and what happens when it fails."""

from __future__ import annotations

import os
import sys
import traceback
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperCommand

from cronaudit.model.options import ConfigurationError


class ExitCode(IntEnum):
    """What the caller's script is told."""

    OK = 0
    """The audit ran and the gate holds."""
    GATE = 1
    """The audit ran and a gate does not hold."""
    USAGE = 2
    """Wrong usage, configuration or catalogue."""
    NOTHING = 3
    """Nothing to audit."""
    INTERNAL = 4
    """An internal error; everything else is still written."""
    INTERRUPTED = 130
    """Interrupted from the keyboard, as shells count it."""


class ContainedCommand(TyperCommand):
    """A command whose failures end in one line and an exit code, not in a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer does not export the types of its parser
        try:
            return super().invoke(ctx)
        except typer.Exit:
            raise
        except ConfigurationError as error:
            complain(str(error))
            raise typer.Exit(ExitCode.USAGE) from None
        except KeyboardInterrupt:
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except Exception as error:  # noqa: BLE001 - whatever is not foreseen is an internal error, said as such
            report_internal_error(error)
            raise typer.Exit(ExitCode.INTERNAL) from None


def complain(message: str) -> None:
    """Say on standard error why something is not as it should be."""
    typer.echo(f"cronaudit: {message}", err=True)


def report_internal_error(error: Exception, doing: str = "") -> None:
    """Say an unforeseen error in a line; with CRONAUDIT_TRACEBACK=1, where it happened."""
    where = f" while {doing}" if doing else ""
    complain(f"internal error{where}: {type(error).__name__}: {error}")
    show_traceback("".join(traceback.format_exception(error)))


def show_traceback(text: str) -> None:
    """Show a traceback to whom asked for it, and tell the others how to ask."""
    if os.environ.get("CRONAUDIT_TRACEBACK") == "1":
        typer.echo(text, err=True)
    else:
        typer.echo("  CRONAUDIT_TRACEBACK=1 shows where; please report it with that", err=True)


def emit(text: str) -> None:
    """Write to standard output. A reader that went away (`| head`) is no error: the exit code stays the audit's.

    Always UTF-8 into a pipe or file, so that the same tree gives the same bytes in every locale.
    """
    stream = sys.stdout
    encoding = stream.encoding if stream.isatty() else "utf-8"
    try:
        stream.flush()
        stream.buffer.write(text.encode(encoding or "utf-8", "backslashreplace"))
        stream.buffer.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
