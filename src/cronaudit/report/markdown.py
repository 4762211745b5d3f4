"""The audit report in Markdown. Its words stand in ``reports/templates``; this module says what they may ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec import Struct

from cronaudit.model.job import Job
from cronaudit.model.result import AuditResult, Novelty, RaisedIssue, SectionSummary, Snippet, Suppression
from cronaudit.model.source import Location
from cronaudit.model.verdict import CheckResult, Severity, Status
from cronaudit.report.escape import Markdown, address, code, escape, escape_part, fenced, link
from cronaudit.report.findings import Findings, notes, schedule_words, timezone, verdicts
from cronaudit.report.options import RenderOptions
from cronaudit.report.text import count, listing, plain

SYMBOLS: Final = {
    Status.PASS: "✓",
    Status.PARTIAL: "◐",
    Status.FAIL: "✗",
    Status.UNKNOWN: "?",
    Status.NOT_APPLICABLE: "-",
}
_NAMES_SHOWN = 3
_PATHS_SHOWN = 8
_CHECKS_TITLED = 2
_RUNS_SHOWN = 3
_JAVASCRIPT = (".js", ".jsx", ".mjs", ".cjs")
_NAMES_IN_MATRIX = 6
_LANGUAGES: Final = {"typescript": "Node.js", "python": "Python"}


class SeverityRow(Struct, frozen=True):
    """A row of the summary."""

    severity: Severity
    issues: tuple[RaisedIssue, ...]


class SectionRows(Struct, frozen=True):
    """A section with its rows."""

    summary: SectionSummary
    rows: tuple[CheckResult, ...]

    @property
    def count(self) -> str:
        """``5/9``; where rows are not applicable, that is said, since the rows below are more."""
        counts = f"{self.summary.passed}/{self.summary.applicable}"
        return counts if len(self.rows) == self.summary.applicable else f"{counts} applicable"

    @property
    def by_job(self) -> tuple[CheckResult, ...]:
        """The rows that are decided for each job."""
        return tuple(row for row in self.rows if row.service is None)


def render(result: AuditResult, options: RenderOptions) -> str:
    """Render the report."""
    environment = Environment(
        loader=FileSystemLoader(options.templates),
        autoescape=False,  # noqa: S701 - `finalize` escapes for Markdown, and HTML with it
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    view = MarkdownView(result, options)
    environment.filters.update(code=code, count=count)
    return environment.get_template("report.md.j2").render(view=view, result=result)


class MarkdownView:
    """What the templates ask beside the result. Whatever is no `Markdown` is escaped where it is printed."""

    def __init__(self, result: AuditResult, options: RenderOptions) -> None:
        self.result = result
        self.options = options
        self.findings = Findings(result)
        self._start = date.fromisoformat(result.date)
        self._paths = _spellings(result)
        spelled = "|".join(
            re.escape(path) for path in sorted(self._paths, key=lambda path: (-len(path), path))
        )
        self._place = re.compile(rf"(?<![\w./-])(?P<path>{spelled}):(?P<line>\d+)(?:-\d+)?")

    # ---- the head ---------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """``order-service`` → ``Order Service``; of a scoped package the part behind the scope."""
        name = self.result.target.name
        words = re.split(r"[\s_-]+", name.rpartition("/")[2] if name.startswith("@") else name)
        if len(words) == 1 and name.startswith(
            "@",
        ):  # `@acme/root`, `@acme/api`: of whom, says the scope only
            words = [*re.split(r"[\s_-]+", name[1:].partition("/")[0]), *words]
        return " ".join(word[:1].upper() + word[1:] for word in words if word)

    @property
    def severities(self) -> list[SeverityRow]:
        issues = self.result.summary.issues
        return [SeverityRow(s, tuple(issue for issue in issues if issue.severity is s)) for s in Severity]

    @property
    def sections(self) -> list[SectionRows]:
        return [
            SectionRows(
                section,
                section.rows or tuple(row for row in self.result.checks if row.section == section.id),
            )
            for section in self.result.summary.sections
        ]

    # ---- places -----------------------------------------------------------------------------------------------

    def place(self, location: Location) -> Markdown:
        """A place, as a link where the forge is known."""
        if self.options.link_base is None:
            return escape(str(location))
        return link(str(location), address(self.options.link_base, location.path, location.line))

    def evidence(self, check: CheckResult) -> Markdown:
        """The evidence with its places; where it names none, the first place of the row is put behind it."""
        text = plain(check.evidence)
        parts, end = [], 0
        for match in self._place.finditer(text) if self._paths else ():
            parts += [escape_part(text[end : match.start()]), self._place_in_text(match)]
            end = match.end()
        said = Markdown("".join([*parts, escape_part(text[end:])]))
        if parts or not check.locations:
            return said
        return Markdown(f"{said} ({self.place(check.locations[0])})".lstrip())

    def _place_in_text(self, match: re.Match[str]) -> Markdown:
        if self.options.link_base is None:
            return escape(match.group())
        path = self._paths[match["path"]]
        return link(match.group(), address(self.options.link_base, path, int(match["line"])))

    def waiver_place(self, waiver: Suppression) -> Markdown:
        return self.place(Location(waiver.path, waiver.line))

    # ---- jobs -------------------------------------------------------------------------------------------------

    def name(self, job: Job) -> Markdown:
        """The name; with what must be known before the job is judged."""
        said = notes(job)
        if job.name is None:
            said.insert(0, "unnamed")
        shown = escape(job.display_name)
        return Markdown(f"{shown}<br>({escape('; '.join(said))})") if said else shown

    def schedule(self, job: Job) -> Markdown:
        words, expression = escape(schedule_words(job)), job.schedule.expression
        if not expression:
            return words
        return Markdown(f"{words} ({code(expression)})") if words else code(expression)

    def timezone(self, job: Job) -> str:
        return timezone(job) or "not set"

    def next_runs(self, job: Job) -> Markdown:
        runs = self.options.next_runs(job.schedule, timezone(job), self._start, _RUNS_SHOWN)
        return Markdown("<br>".join(f"{run:%Y-%m-%d %H:%M}" for run in runs) or "-")

    def handler(self, job: Job) -> Markdown:
        if job.handler is None:
            return Markdown("not resolved")
        return Markdown(f"{code(job.handler.symbol)} {self.place(job.handler.location)}")

    @property
    def numbered(self) -> bool:
        """Whether the matrix names jobs by number: more names than these make it wider than a page."""
        return len(self.findings.live) > _NAMES_IN_MATRIX

    def columns(self, section: SectionRows) -> list[tuple[int, Job]]:
        """The jobs of a section's matrix with their numbers: of a table for one runtime, only the jobs of that."""
        judged = {entry.job for row in section.by_job for entry in row.jobs}
        numbered = enumerate(self.findings.live, start=1)
        return [(number, job) for number, job in numbered if job.id in judged or not section.summary.rows]

    def symbol(self, job: Job, check: CheckResult) -> str:
        """One sign for a cell of the matrix."""
        verdict = self.findings.verdict(job.id, check.id)
        if verdict is None:
            return SYMBOLS[Status.NOT_APPLICABLE]
        if self.findings.waiver(job.id, check.id):
            return "○"
        is_new = self.findings.novelty(job.id, check.id) is Novelty.NEW
        return SYMBOLS[verdict.status] + ("+" if is_new else "")

    def names(self, jobs: Sequence[str]) -> str:
        """Who raised something, by ids; a few names, for a cell has room for no more."""
        return self.findings.raised_by(jobs, _NAMES_SHOWN)

    # ---- findings ---------------------------------------------------------------------------------------------

    @property
    def urgent(self) -> list[RaisedIssue]:
        """What the remediations are for: P0 and P1."""
        severe = (Severity.CRITICAL, Severity.HIGH)
        return [issue for issue in self.result.summary.issues if issue.severity in severe]

    @property
    def recommendations(self) -> list[str]:
        """One line an issue, worst first; two issues may share one."""
        return list(dict.fromkeys(issue.recommendation for issue in self.result.summary.issues))

    def remedy(self, issue: RaisedIssue, snippet: Snippet) -> str:
        """The heading of a snippet; where two runtimes have the same, with the language of each."""
        alike = {other.language for other in issue.snippets if other.title == snippet.title}
        language = _LANGUAGES.get(snippet.language, snippet.language)
        return f"{snippet.title} ({language})" if len(alike) > 1 else snippet.title

    def snippet(self, content: str, language: str) -> Markdown:
        """A remedy in the service's own language: what is shown as TypeScript is JavaScript where all jobs are."""
        places = [job.handler.location if job.handler else job.location for job in self.findings.live]
        is_untyped = places and all(place.path.endswith(_JAVASCRIPT) for place in places)
        return fenced(content, "javascript" if language == "typescript" and is_untyped else language)

    def is_new(self, check: CheckResult) -> bool:
        return self.findings.row_novelty(check) is Novelty.NEW

    @property
    def diagnostics(self) -> list[tuple[str, int, str]]:
        """Reasons, each with the number of places and the first of them."""
        grouped: dict[str, list[str]] = {}
        for diagnostic in self.result.diagnostics:
            grouped.setdefault(diagnostic.reason, []).append(diagnostic.path)
        return [(reason, len(paths), listing(paths, _PATHS_SHOWN)) for reason, paths in grouped.items()]

    def by_jobs(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
        """Findings of a baseline: the checks, and the ids of the jobs that have them all.

        A job that came or went is one row of many checks, a check that tipped for many jobs one row of many jobs.
        """
        jobs: dict[str, list[str]] = {}
        for job, check in pairs:
            jobs.setdefault(check, []).append(job)
        checks: dict[tuple[str, ...], list[str]] = {}
        for check, found in jobs.items():
            checks.setdefault(tuple(found), []).append(check)
        return [(self._checks(names), found) for found, names in checks.items()]

    def _checks(self, names: Sequence[str]) -> str:
        if len(names) > _CHECKS_TITLED:
            return f"{count(len(names), 'check')}: {', '.join(names)}"
        return ", ".join(f"{name} {self.findings.title(name)}" for name in names)


def _spellings(result: AuditResult) -> dict[str, str]:
    """Every way to write a path of the result: in full, and by the bare name of the file where only one has it."""
    places = {job.location for job in result.jobs}
    for check in result.checks:
        places.update(check.locations)
        places.update(verdict.location for _, verdict in verdicts(check) if verdict.location)
    paths = sorted({place.path for place in places})
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)
    return {name: found[0] for name, found in by_name.items() if len(found) == 1} | {
        path: path for path in paths
    }
