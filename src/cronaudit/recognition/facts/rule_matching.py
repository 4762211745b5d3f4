"""Which alert rules of the repository watch a job, and for what."""

from __future__ import annotations

import re
from typing import Final, Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.declared import AlertRule, declared_of, normal
from cronaudit.recognition.facts.metrics import job_metrics

Watches = Literal["failure", "slow", "missed"]

_TOKEN: Final = lazy_regex(r"[a-zA-Z_:][\w:]*")
_LABEL: Final = lazy_regex(r"([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*\"([^\"]*)\"")
_SUFFIXES: Final = ("", "_total", "_sum", "_count", "_bucket", "_created", "_seconds")
_JOB_LABELS: Final = lazy_regex(
    r"(?:job|task|cron|schedule|queue|function|workflow)_?\w*|name", re.IGNORECASE
)
_LAST: Final = lazy_regex(
    r"last_?(?:success|run|completion|complete|schedule|finish|executed|execution)", re.IGNORECASE
)
_AGE: Final = lazy_regex(r"\btime\s*\(\s*\)\s*-")
_NO_SUCCESS: Final = lazy_regex(r"absent(?:_over_time)?\s*\(|(?:==\s*0|<\s*1)\s*$")
_SUCCESS: Final = lazy_regex(r"success|succeed|complet|finish|\bup\b", re.IGNORECASE)
_SLOW: Final = lazy_regex(
    r"duration|latency|runtime|elapsed|run_?time|took|seconds_(?:bucket|sum)\b|histogram_quantile\s*\(",
    re.IGNORECASE,
)
_FAILED: Final = lazy_regex(r"fail|error|exception|dead|unsuccess", re.IGNORECASE)


def rule_for(context: JobContext, watches: Watches) -> AlertRule | None:
    """The first rule that watches the job for that."""
    for rule in declared_of(context.service).rules:
        if _kind(rule) == watches and _is_about(rule, context):
            return rule
    return None


def _kind(rule: AlertRule) -> Watches | None:
    expression = " ".join(rule.expression.split())
    if _AGE.search(expression) or (_NO_SUCCESS.search(expression) and _SUCCESS.search(expression)):
        return "missed" if _LAST.search(expression) or _SUCCESS.search(expression) else None
    if _SLOW.search(expression):
        return "slow"
    return "failure" if _FAILED.search(expression) else None


def _is_about(rule: AlertRule, context: JobContext) -> bool:
    """Over a metric that the job's walk records, or over one of its platform; and not for another job."""
    tokens = set(_TOKEN.findall(re.sub(r"\"[^\"]*\"", "", rule.expression)))
    labels = [(k, op, v) for k, op, v in _LABEL.findall(rule.expression) if _JOB_LABELS.fullmatch(k)]
    name = context.registration.name
    named = [_fits(op, value, name) for key, op, value in labels if key != "job" or _is_a_job(value, context)]
    if not all(named):
        return False
    if any(token == metric + s for metric in job_metrics(context) for token in tokens for s in _SUFFIXES):
        return True
    if named and any(op in ("=", "=~") for _, op, _v in labels):
        return True
    family = re.split(r"[-_]", context.registration.kind)[0]
    prefixes = {f"{family}_", f"{family[:4]}_"} if family.startswith("kube") else {f"{family}_"}
    return len(family) > 3 and any(token.startswith(p) for token in tokens for p in prefixes)


def _fits(operator: str, value: str, name: str | None) -> bool:
    if name is None:
        return False
    if operator in ("=", "!="):
        return (normal(value) == normal(name)) is (operator == "=")
    try:
        found = re.fullmatch(value, name) is not None
    except re.error:
        return False
    return found is (operator == "=~")


def _is_a_job(value: str, context: JobContext) -> bool:
    """``job`` is also the name of a scrape target: it counts only where its value names a job."""
    names = {normal(j.registration.name) for j in context.service.jobs if j.registration.name}
    return normal(value) in names
