"""Whether a text names the services and tables that a job needs, and whether it says that it needs them."""

from __future__ import annotations

import re
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.sql import read as read_sql
from cronaudit.recognition.sightings import Sighting

_LABEL: Final = lazy_regex(
    r"^[\s*-]*(?:(?:depends|relies)\s+(?:up)?on|depend(?:s|encies)|requires?|requirements|needs|uses|prerequisites?"
    r"|reads?(?:\s+from)?|writes?(?:\s+to)?)\s*:\s*(\S.*)",
    re.IGNORECASE | re.MULTILINE,
)
"""``Depends on: tables accounts and ledger_entries``: whatever stands behind the colon is what it needs."""
_VERB: Final = lazy_regex(
    r"\b(?:depends\s+(?:up)?on|relies\s+on|requires|needs|uses|reads\s+from|writes\s+to|talks\s+to|calls)\b([^.\n;]*(?:\n[^.\n;]+)?)",
    re.IGNORECASE,
)
_RESOURCE: Final = lazy_regex(
    r"`?([\w./-]+)`?\s+(?:database\s+)?(?:tables?|collections?|buckets?|apis?|queues?|topics?|streams?|endpoints?|webhooks?)\b"
    r"|\b(?:tables?|collections?|buckets?|queues?|topics?)\s+`?([\w.-]+)`?",
    re.IGNORECASE,
)
_LONGEST: Final = 80
_NO_NAMES: Final = frozenset(
    "the a an this that these those its their our your each every all any some no one two other another same of in on"
    " to from and or for with by job new old own database sql redis external internal public rest http message"
    " is are was be which where when who it s whole entire given main".split()
)
_SERVICES: Final = lazy_regex(
    r"\b(?:redis|valkey|postgres(?:ql)?|mysql|mariadb|mongo(?:db)?|sqlite|dynamodb|cassandra|elasticsearch|opensearch"
    r"|meilisearch|algolia|typesense|clickhouse|bigquery|snowflake|redshift|kafka|rabbitmq|sqs|sns|s3|gcs|minio|r2"
    r"|stripe|paypal|adyen|braintree|mollie|slack|discord|telegram|twilio|sendgrid|mailgun|postmark|resend|smtp"
    r"|sentry|posthog|segment|mixpanel|amplitude|datadog|prometheus|grafana|github|gitlab|jira|salesforce|hubspot"
    r"|zendesk|intercom|openai|anthropic|cloudflare|firebase|supabase|auth0|okta|ldap|keycloak|vault|shopify"
    r"|quickbooks|xero|netsuite|memcached|etcd|zookeeper|consul|temporal|celery|imap|sftp|ftp)\b",
    re.IGNORECASE,
)
"""Services by the names that people write."""


def known_names(context: JobContext) -> tuple[str, ...]:
    """The tables and models that the job's walk reads and writes, as written."""
    found: set[str] = set()
    for sighting in context.seen_everywhere("db.*"):
        table = _table(sighting)
        if table and "${" not in table and len(table) > 2:
            found.add(table)
    return tuple(sorted(found))


def _table(sighting: Sighting) -> str | None:
    sql = sighting.text("sql")
    if sql is not None:
        return next((s.table for s in read_sql(sql) if s.table), None)
    return sighting.text("table")


def dependencies_stated(text: str, names: tuple[str, ...]) -> str:
    """The words that say what the job needs; empty where none do."""
    label = _LABEL.search(text)
    if label is not None:
        return _short(label[0])
    for match in _VERB.finditer(text):
        if dependencies_named(match[1], names):
            return _short(match[0])
    return ""


def _short(text: str) -> str:
    words = " ".join(text.split()).strip("*- ")
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3].rstrip()}..."


def dependencies_named(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Services and tables named in a text."""
    found: dict[str, None] = {}
    for match in _SERVICES.finditer(text):
        found.setdefault(match[0], None)
    for match in _RESOURCE.finditer(text):
        name = match[1] or match[2]
        if name and name.lower() not in _NO_NAMES and not name.isdigit():
            found.setdefault(" ".join(match[0].replace("`", "").split()), None)
    for name in names:
        if _names(text, name):
            found.setdefault(name, None)
    return tuple(found)


def _names(text: str, name: str) -> bool:
    """Whether a table stands in a text as such: one of several words in any spelling, one word only as code.

    A single noun is no proof: "orders" in prose may be what customers send.
    """
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)
    if len(words) > 1:
        pattern = r"[\s_-]?".join(re.escape(w) for w in words)
        return re.search(rf"\b{pattern}(?:e?s)?\b", text, re.IGNORECASE) is not None
    plain = re.escape(name)
    if re.search(rf"`{plain}`|\b{plain}\.\w+|'{plain}'", text):
        return True
    return name[:1].isupper() and re.search(rf"(?<![.!?]\s)(?<!^)\b{plain}\b", text) is not None
