"""The jobs of a service, without a verdict."""

from __future__ import annotations

import json
from datetime import date

from cronaudit.model.job import Job, JobState
from cronaudit.model.result import AuditResult
from cronaudit.report.findings import notes, schedule_words, timezone
from cronaudit.report.json import SCHEMA_VERSION, job_document
from cronaudit.report.options import RenderOptions
from cronaudit.report.text import columns, plain

_HEAD = ("JOB", "SCHEDULE", "NEXT RUN", "TIMEZONE", "KIND", "PLACE", "HANDLER")


def inventory_table(result: AuditResult, options: RenderOptions) -> str:
    """A line a job, or folded cells where the terminal is too narrow for that; dormant ones apart."""
    start = date.fromisoformat(result.date)
    live = [_row(job, options, start) for job in result.jobs if job.state is JobState.LIVE]
    dormant = [job for job in result.jobs if job.state is JobState.DORMANT]
    blocks = [_table(live, options)] if live else ["No job that anything starts was found.\n"]
    if dormant:
        rows = [
            (*_row(job, options, start)[:2], plain(str(job.location)), plain(job.state_reason))
            for job in dormant
        ]
        blocks.append("Defined but never started:\n" + _lines([("JOB", "SCHEDULE", "PLACE", "WHY"), *rows]))
    if said := [
        f"{plain(job.display_name)}: {plain(note)}"
        for job in result.jobs
        if job.state is JobState.LIVE
        for note in notes(job)
    ]:
        blocks.append("\n".join(said) + "\n")
    return "\n".join(blocks)


def inventory_json(result: AuditResult, options: RenderOptions) -> str:
    """The jobs as the result document writes them."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "cronaudit", "version": result.version, "catalogue": result.catalogue.digest},
        "target": {
            "path": result.target.path,
            "name": result.target.name,
            "runtime": list(result.target.runtimes),
        },
        "date": result.date,
        "jobs": [job_document(job, options, date.fromisoformat(result.date)) for job in result.jobs],
        "diagnostics": [{"path": d.path, "reason": d.reason} for d in result.diagnostics],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _row(job: Job, options: RenderOptions, start: date) -> tuple[str, ...]:
    runs = options.next_runs(job.schedule, timezone(job), start, 1)
    words, expression = schedule_words(job), job.schedule.expression
    schedule = f"{words} ({expression})" if words and expression else words or expression or ""
    cells = (
        job.display_name,
        schedule,
        f"{runs[0]:%Y-%m-%d %H:%M}" if runs else "-",
        timezone(job) or "not set",
        job.kind,
        str(job.location),
        f"{job.handler.symbol} {job.handler.location}" if job.handler else "not resolved",
    )
    return tuple(plain(cell) for cell in cells)


def _table(rows: list[tuple[str, ...]], options: RenderOptions) -> str:
    lines = _lines([_HEAD, *rows])
    longest = max(len(line) for line in lines.splitlines())
    return lines if options.width is None or longest <= options.width else _folded(rows, options.width)


def _lines(rows: list[tuple[str, ...]]) -> str:
    return "\n".join(columns(rows)) + "\n"


def _folded(rows: list[tuple[str, ...]], width: int) -> str:
    """A block a job: seven columns folded into 80 are narrower than a path, which then cannot be clicked."""
    blocks = []
    for row in rows:
        name, *rest = row
        labelled = [(f"  {head.lower()}", cell) for head, cell in zip(_HEAD[1:], rest, strict=True)]
        blocks.append("\n".join([name[: max(width, 20)], *columns(labelled)]) + "\n")
    return "\n".join(blocks)
