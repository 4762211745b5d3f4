"""The result document: a promise to the scripts of users, described by the JSON Schema in `cronaudit.schema`."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Final

from cronaudit.model.facts import Walk
from cronaudit.model.job import Job
from cronaudit.model.result import AuditResult, RaisedIssue
from cronaudit.model.source import Location
from cronaudit.model.verdict import CheckResult, Verdict
from cronaudit.report.facts import fact_document, is_plainly_absent, location_document, named_facts, number
from cronaudit.report.findings import SERVICE, Findings, schedule_words, timezone
from cronaudit.report.options import RenderOptions

SCHEMA_VERSION: Final = 1
_RUNS_LISTED: Final = 3

Document = dict[str, object]


def render(result: AuditResult, options: RenderOptions) -> str:
    """Render the result document."""
    return json.dumps(document(result, options), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def document(result: AuditResult, options: RenderOptions) -> Document:
    """Build the result document."""
    findings = Findings(result)
    summary, baseline = result.summary, result.baseline
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "cronaudit", "version": result.version, "catalogue": result.catalogue.digest},
        "target": {
            "path": result.target.path,
            "name": result.target.name,
            "runtime": list(result.target.runtimes),
        },
        "date": result.date,
        "summary": {
            "pass": summary.passed,
            "partial": summary.partial,
            "fail": summary.failed,
            "unknown": summary.unknown,
            "not_applicable": summary.not_applicable,
            "applicable": summary.applicable,
            "pass_rate": summary.pass_rate,
            "score": summary.pass_rate,
            "sections": [
                {
                    "id": s.id,
                    "title": s.title,
                    "runtime": s.runtime,
                    "pass": s.passed,
                    "applicable": s.applicable,
                }
                for s in summary.sections
            ],
            "issues": [_issue(issue, findings) for issue in summary.issues],
        },
        "jobs": [job_document(job, options, date.fromisoformat(result.date)) for job in result.jobs],
        "checks": [_check(check, findings) for check in result.checks],
        "baseline": baseline
        and {
            "new": _pairs(baseline.new),
            "known": _pairs(baseline.known),
            "fixed": _pairs(baseline.fixed),
        },
        "suppressions": [
            {
                "job": s.job,
                "check": s.check,
                "reason": s.reason,
                "location": location_document(Location(s.path, s.line)),
            }
            for s in result.suppressions
        ],
        "diagnostics": [{"path": d.path, "reason": d.reason} for d in result.diagnostics],
    }


def job_document(job: Job, options: RenderOptions, start: date) -> Document:
    """A job as the result document writes it."""
    place, handler, schedule = job.location, job.handler, job.schedule
    interval, zone = schedule.interval_seconds, timezone(job)
    return {
        "id": job.id,
        "name": job.name,
        "display_name": job.display_name,
        "state": job.state,
        "state_reason": job.state_reason,
        "kind": job.kind,
        "trigger": job.trigger,
        "location": {"path": place.path, "line": place.line, "end_line": place.end_line or place.line},
        "schedule": {
            "expression": schedule.expression,
            "interval_seconds": None if interval is None else number(interval),
            "text": schedule_words(job),
            "timezone": zone,
            "next_runs": [
                _moment(run, zone) for run in options.next_runs(schedule, zone, start, _RUNS_LISTED)
            ],
        },
        "handler": handler
        and {"path": handler.location.path, "line": handler.location.line, "symbol": handler.symbol},
        "walk": _walk(job.walk),
        "facts": {
            name: fact_document(fact) for name, fact in named_facts(job.facts) if not is_plainly_absent(fact)
        },
    }


def _issue(issue: RaisedIssue, findings: Findings) -> Document:
    finding = findings.leading(issue)
    place = findings.place(issue)
    return {
        "id": issue.id,
        "severity": issue.severity,
        "priority": issue.severity.priority,
        "title": issue.title,
        "checks": list(issue.checks),
        "jobs": list(issue.jobs),
        "recommendation": issue.recommendation,
        "location": place and location_document(place),
        "novelty": finding and finding.novelty,
    }


def _check(check: CheckResult, findings: Findings) -> Document:
    return {
        "id": check.id,
        "section": check.section,
        "title": check.title,
        "scope": "job" if check.service is None else SERVICE,
        "status": check.status,
        "severity": check.severity,
        "issue": check.issue,
        "evidence": check.evidence,
        "locations": [location_document(place) for place in check.locations],
        "novelty": findings.row_novelty(check),
        "jobs": [
            {"job": entry.job, **_verdict(entry.verdict), "novelty": findings.novelty(entry.job, check.id)}
            for entry in check.jobs
        ],
    }


def _verdict(verdict: Verdict) -> Document:
    return {
        "status": verdict.status,
        "evidence": verdict.evidence,
        "location": verdict.location and location_document(verdict.location),
        "issue": verdict.issue,
    }


def _walk(walk: Walk) -> Document:
    return {"complete": walk.complete, "reason": walk.reason}


def _moment(moment: datetime, zone: str | None) -> str:
    # Where no zone is set, the host's decides: an offset would be a guess.
    return (moment if zone else moment.replace(tzinfo=None)).isoformat(timespec="seconds")


def _pairs(pairs: tuple[tuple[str, str], ...]) -> list[Document]:
    return [{"job": job, "check": check} for job, check in pairs]
