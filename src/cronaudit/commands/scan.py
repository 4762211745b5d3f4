"""`cronaudit scan`: audit, write the documents, hold the gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from msgspec import Struct

from cronaudit.commands.documents import Document, FormatOption, OutputOption, check_writable, pair, write
from cronaudit.commands.gates import Gates, broken
from cronaudit.commands.parameters import Config, Day, Jobs, Rules, Target, colored, render_options
from cronaudit.commands.progress import progress
from cronaudit.commands.running import (
    ContainedCommand,
    ExitCode,
    complain,
    report_internal_error,
    show_traceback,
)
from cronaudit.commands.settings import audit_options, check_link_base, read_settings
from cronaudit.model.options import AuditOptions, AuditOutcome, ConfigurationError
from cronaudit.model.verdict import Severity
from cronaudit.report.formats import FORMATS
from cronaudit.report.options import RenderOptions

if TYPE_CHECKING:  # start-up: the dataclasses of a result cost 30 ms, and not every command has one
    from cronaudit.model.result import AuditResult

T = TypeVar("T")

_ORDER: Final = "cronaudit.order"


class ScanCommand(ContainedCommand):
    """Remembers the order of ``--format`` and ``-o``, which the lists that Typer hands over have lost."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as in `ContainedCommand`
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_ORDER] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


def scan(  # noqa: PLR0913, PLR0917 - an argument an option
    ctx: typer.Context,
    path: Target,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="|".join(FORMATS),
            help="Format of a document; may be given several times, each with its -o.",
            show_default=False,
        ),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="File for the --format before it; - is standard output.",
            show_default=False,
        ),
    ] = None,
    fail_under: Annotated[
        int | None,
        typer.Option(
            metavar="PERCENT", help="Exit 1 if the pass rate is lower.", min=0, max=100, show_default=False
        ),
    ] = None,
    fail_on: Annotated[
        Severity | None,
        typer.Option(
            help="Exit 1 if an issue of this severity or a worse one is raised.", show_default=False
        ),
    ] = None,
    fail_on_new: Annotated[
        bool | None,
        typer.Option(
            "--fail-on-new/--no-fail-on-new",
            help="Exit 1 if there is a finding that the baseline does not know.",
            show_default=False,
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Findings to tell apart as known.",
            show_default=False,
        ),
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write today's findings as the baseline.", show_default=False),
    ] = None,
    rules: Rules = None,
    config: Config = None,
    link_base: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address of PATH on a forge: places become links (https://github.com/org/repo/blob/main/service).",
            show_default=False,
        ),
    ] = None,
    day: Day = None,
    jobs: Jobs = None,
    allow_no_jobs: Annotated[
        bool | None,
        typer.Option(
            "--allow-no-jobs/--no-allow-no-jobs", help="Exit 0 if there is no job.", show_default=False
        ),
    ] = None,
    quiet: Annotated[
        bool | None,
        typer.Option("--quiet/--no-quiet", "-q", help="No summary, no progress.", show_default=False),
    ] = None,
    no_color: Annotated[
        bool | None, typer.Option("--no-color/--color", help="No colours.", show_default=False)
    ] = None,
) -> None:
    """Audit the scheduled jobs of a service."""
    settings = read_settings(path, config)
    documents = pair(_in_order(ctx, formats or [], outputs or [])) or list(settings.documents)
    gates = Gates(
        fail_under=_first(fail_under, settings.fail_under),
        fail_on=_first(fail_on, settings.fail_on),
        fail_on_new=_first(fail_on_new, settings.fail_on_new) or False,
    )
    known = _first(baseline, settings.baseline)
    if gates.fail_on_new and known is None:
        raise ConfigurationError("--fail-on-new needs a --baseline to compare with")
    if known is not None and not known.is_file():
        raise ConfigurationError(f"baseline {known}: there is no such file; --write-baseline makes one")
    if write_baseline is not None:
        check_writable(write_baseline)
    address = check_link_base(link_base) if link_base else settings.link_base
    silent = _first(quiet, settings.quiet) or False
    color = colored(no_color=_first(no_color, settings.no_color) or False)
    render = render_options(link_base=address, color=color)
    options = audit_options(settings, day=day, rules=rules, jobs=jobs, baseline=known)

    outcome = run_audit(path, options, quiet=silent)
    run = _Run(outcome.result, render)
    failed = run.write(documents, write_baseline)
    if not silent and not any(
        document.output is None or document.format == "console" for document in documents
    ):
        failed |= run.summarise()
    for trace in outcome.errors:
        complain(f"internal error: {trace.rstrip().rsplit(chr(10), 1)[-1]}; the result is incomplete")
        show_traceback(trace)
    raise typer.Exit(
        ExitCode.INTERNAL
        if failed or outcome.errors
        else _verdict(
            path, outcome.result, gates, allow_no_jobs=_first(allow_no_jobs, settings.allow_no_jobs) or False
        )
    )


def run_audit(path: Path, options: AuditOptions, *, quiet: bool) -> AuditOutcome:
    """Run the pipeline, with progress for whoever waits."""
    from msgspec.structs import replace

    from cronaudit.survey import surveying

    # Half of what comes before the first job is looking at files, the other half is loading what looks into them.
    with surveying(path, options.rules, options.processes) as survey, progress(quiet=quiet) as on_progress:
        from cronaudit.audit import audit

        return audit(path, replace(options, on_progress=on_progress), survey)


class _Run(Struct, frozen=True):
    """Writes what a result becomes. What fails unforeseen costs one document, not the others."""

    result: AuditResult
    options: RenderOptions

    def write(self, documents: list[Document], baseline: Path | None) -> bool:
        """Write documents and baseline; say whether any could not be rendered."""
        failed = False
        for document in documents:
            failed |= self._write(document)
        if baseline is not None:
            from cronaudit.audit import baseline_text

            write(baseline, baseline_text(self.result))
        return failed

    def summarise(self) -> bool:
        return self._write(Document("console", None))

    def _write(self, document: Document) -> bool:
        try:
            text = FORMATS[document.format].render(self.result, self._options(document))
        except Exception as error:  # noqa: BLE001 - the other documents are still written
            report_internal_error(error, f"rendering {document.format}")
            return True
        write(document.output, text)
        return False

    def _options(self, document: Document) -> RenderOptions:
        from msgspec.structs import replace

        return self.options if document.output is None else replace(self.options, color=False, width=None)


def _verdict(path: Path, result: AuditResult, gates: Gates, *, allow_no_jobs: bool) -> ExitCode:
    if not result.jobs and not allow_no_jobs:
        complain(f"no job found in {path}; --allow-no-jobs accepts that")
        return ExitCode.NOTHING
    said = broken(gates, result)
    for reason in said:
        complain(f"gate: {reason}")
    return ExitCode.GATE if said else ExitCode.OK


def _in_order(
    ctx: typer.Context, formats: list[str], outputs: list[str]
) -> list[FormatOption | OutputOption]:
    names, files = iter(formats), iter(outputs)
    options: list[FormatOption | OutputOption] = []
    for parameter in ctx.meta.get(_ORDER, []):
        if parameter == "formats":
            options.append(FormatOption(next(names)))
        elif parameter == "outputs":
            options.append(OutputOption(next(files)))
    return options


def _first(stated: T | None, configured: T | None) -> T | None:
    return configured if stated is None else stated
