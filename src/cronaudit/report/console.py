"""The summary for a person at a terminal; without colour it is plain lines, as a pipe or a log wants them."""

from __future__ import annotations

from io import StringIO
from typing import Final

from rich.console import Console
from rich.text import Text

from cronaudit.model.result import AuditResult, RaisedIssue
from cronaudit.model.verdict import Severity
from cronaudit.report.findings import Finding, Findings
from cronaudit.report.options import RenderOptions
from cronaudit.report.text import columns, count, plain

_STYLES: Final = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
}
_FINDINGS_SHOWN: Final = 10
_NAMES_SHOWN: Final = 2


def render(result: AuditResult, options: RenderOptions) -> str:
    """Render the summary."""
    findings = Findings(result)
    lines = _head(result, findings)
    if findings.live:
        lines += [Text(), *_sections(result)]
    if result.jobs:
        lines += [Text(), *_severities(result), *_worst(result, findings)]
    if result.diagnostics:
        lines += [Text(), Text(f"{count(len(result.diagnostics), 'diagnostic')}: see the report", "dim")]
    return paint(lines, color=options.color)


def paint(lines: list[Text], *, color: bool) -> str:
    """Lines of text as a terminal takes them. Nothing is wrapped: a broken ``file:line`` cannot be clicked."""
    console = Console(
        file=StringIO(),
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        width=10_000,
    )
    with console.capture() as capture:
        for line in lines:
            console.print(line, soft_wrap=True, highlight=False)
    return capture.get()


def _head(result: AuditResult, findings: Findings) -> list[Text]:
    summary = result.summary
    score = f"{summary.pass_rate}/100"
    rate = f"{summary.passed} of {summary.applicable} applicable checks pass"
    jobs = count(len(findings.live), "job")
    if findings.dormant:
        jobs += f", {len(findings.dormant)} defined but never started"
    if result.suppressions:
        jobs += f", {count(len(result.suppressions), 'finding')} waived"
    name = (plain(result.target.name), "bold")
    if not result.jobs:  # a score of nothing would read like a bad one
        return [Text.assemble(name, ": no scheduled job found")]
    lines = [Text.assemble(name, ": ", (score, "bold"), f" ({rate})"), Text(jobs)]
    if baseline := result.baseline:
        text = f"Since the baseline: {len(baseline.new)} new, {len(baseline.known)} known, {len(baseline.fixed)} fixed"
        lines.append(Text(text, "yellow" if baseline.new else ""))
    return lines


def _sections(result: AuditResult) -> list[Text]:
    sections = result.summary.sections
    rows = [(section.id, section.title, f"{section.passed}/{section.applicable}") for section in sections]
    lines = []
    for section, line in zip(sections, columns(rows), strict=True):
        full = section.passed == section.applicable
        style = "green" if full else "yellow" if section.passed else "red"
        text = Text("  " + line)
        text.stylize(style, len(text) - len(f"{section.passed}/{section.applicable}"))
        lines.append(text)
    return lines


def _severities(result: AuditResult) -> list[Text]:
    lines = []
    for severity in Severity:
        titles = [plain(issue.title) for issue in result.summary.issues if issue.severity is severity]
        style = _STYLES[severity] if titles else "dim"
        lines.append(
            Text.assemble(
                (f"{severity.upper():8}", style), f"  {len(titles):>3}  {', '.join(titles) or 'None'}"
            )
        )
    return lines


def _worst(result: AuditResult, findings: Findings) -> list[Text]:
    issues = result.summary.issues
    if not issues:
        return []
    lines = [Text(), Text("Worst findings", "bold")]
    for issue in issues[:_FINDINGS_SHOWN]:
        lines += _issue(issue, findings.leading(issue), findings)
    if len(issues) > _FINDINGS_SHOWN:
        lines.append(Text(f"  and {count(len(issues) - _FINDINGS_SHOWN, 'further issue')}", "dim"))
    return lines


def _issue(issue: RaisedIssue, finding: Finding | None, findings: Findings) -> list[Text]:
    first = [finding.job.id] if finding and finding.job else []
    raised_by = plain(findings.raised_by([*first, *(j for j in issue.jobs if j not in first)], _NAMES_SHOWN))
    head = Text.assemble(
        "  ",
        (f"{issue.severity.upper():8}", _STYLES[issue.severity]),
        "  ",
        (plain(issue.title), "bold"),
        f"  {', '.join(issue.checks)}" if issue.checks else "",
        f"  {raised_by}",
    )
    lines = [head]
    if finding and finding.novelty:
        head.append(f"  {finding.novelty}", "yellow")
    if finding and finding.verdict.evidence:
        lines.append(Text(f"            {plain(finding.verdict.evidence)}"))
    if place := findings.place(issue):
        lines.append(Text(f"            {plain(str(place))}", "cyan"))
    return lines
