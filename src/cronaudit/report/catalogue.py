"""The catalogue, listed."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cronaudit.model.rule import Catalogue, Check
from cronaudit.report.text import columns, plain


def rules_table(catalogue: Catalogue) -> str:
    """A line a check, by section."""
    checks, issues = {check.id: check for check in catalogue.checks}, {i.id: i for i in catalogue.issues}
    rows = [("CHECK", "SCOPE", "TITLE", "ISSUES")]
    for section in catalogue.sections:
        for check in (checks[name] for name in section.checks if name in checks):
            raised = [issues[name] for name in raised_by(check) if name in issues]
            said = ", ".join(f"{issue.title} ({issue.severity})" for issue in raised)
            rows.append((check.id, check.scope, plain(check.title), plain(said)))
    return "\n".join(columns(rows)) + "\n"


def rules_json(catalogue: Catalogue) -> str:
    """All checks and issues with their prose and tables."""
    document = {
        "catalogue": catalogue.digest,
        "sections": [
            {"id": s.id, "titles": dict(s.titles), "checks": list(s.checks)} for s in catalogue.sections
        ],
        "checks": [
            {
                "id": check.id,
                "section": check.section,
                "title": check.title,
                "scope": check.scope,
                "why": check.why,
                "how": check.how,
                "outcomes": [
                    {"when": o.when, "status": o.status, "evidence": o.evidence, "issue": o.issue}
                    for o in check.outcomes
                ],
                "remediation": check.remediation,
                "source": check.source,
            }
            for check in catalogue.checks
        ],
        "issues": [
            {
                "id": issue.id,
                "title": issue.title,
                "severity": issue.severity,
                "priority": issue.severity.priority,
                "recommendation": issue.recommendation,
                "source": issue.source,
            }
            for issue in catalogue.issues
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def raised_by(check: Check) -> Iterable[str]:
    """The issues that a check may raise, in the order of its outcomes."""
    return dict.fromkeys(outcome.issue for outcome in check.outcomes if outcome.issue)
