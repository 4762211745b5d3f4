"""SQL read by its clauses, where it cannot be parsed."""

from __future__ import annotations

import re

from cronaudit.lazy_regex import lazy_regex
from cronaudit.recognition.facts.sql_statement import HOLE, Statement, Verb

_VERBS: tuple[tuple[re.Pattern[str], Verb], ...] = (
    (lazy_regex(r"\bINSERT\s+(?:\w+\s+)*?INTO\s+([\w.\"`\[\]]+)", re.IGNORECASE), "insert"),
    (lazy_regex(r"\bREPLACE\s+INTO\s+([\w.\"`\[\]]+)", re.IGNORECASE), "insert"),
    (lazy_regex(r"\bMERGE\s+INTO\s+([\w.\"`\[\]]+)", re.IGNORECASE), "insert"),
    (lazy_regex(r"\bDELETE\s+(?:\w+\s+)?FROM\s+([\w.\"`\[\]]+)", re.IGNORECASE), "delete"),
    (lazy_regex(r"\bTRUNCATE\s+(?:TABLE\s+)?([\w.\"`\[\]]+)", re.IGNORECASE), "delete"),
    (lazy_regex(r"\bUPDATE\s+(?:ONLY\s+)?([\w.\"`\[\]]+)", re.IGNORECASE), "update"),
    (lazy_regex(r"\bSELECT\b.*?\bFROM\s+([\w.\"`\[\]]+)", re.IGNORECASE | re.DOTALL), "select"),
)
_UPSERT = lazy_regex(r"\bON\s+CONFLICT\b|\bON\s+DUPLICATE\s+KEY\b|\b(?:INSERT|OR)\s+IGNORE\b|\bREPLACE\s+INTO\b|"
                     r"\bOR\s+REPLACE\b|\bMERGE\s+INTO\b", re.IGNORECASE)  # fmt: skip
_LIMIT = lazy_regex(r"\b(?:LIMIT|TOP|FETCH\s+(?:FIRST|NEXT))\b\s*\(?\s*(\d+)?", re.IGNORECASE)
_WHERE = lazy_regex(r"\bWHERE\b(.*)", re.IGNORECASE | re.DOTALL)
_SET = lazy_regex(r"\bSET\b(.*?)(?:\bWHERE\b|\bFROM\b|\Z)", re.IGNORECASE | re.DOTALL)
_ASSIGNED = lazy_regex(r"([\w\"`]+)\s*=")
_STATE = lazy_regex(
    r"([\w\"`]+)\s*(?:(?:=|<>|!=|IN\s*\()\s*'[^']*'|IS\s+(?:NOT\s+)?NULL|[<>]=?\s*\(?\s*(?:now|current_)"
    r"|=\s*(?:true|false|\d+)\b)",
    re.IGNORECASE,
)
_AGGREGATE = lazy_regex(r"\bSELECT\s+(?:count|sum|min|max|avg|exists)\s*\(", re.IGNORECASE)


def by_clauses(text: str) -> Statement:
    """The first verb of a text, with its table and conditions."""
    for pattern, verb in _VERBS:
        match = pattern.search(text)
        if match is None:
            continue
        table = match[1].strip('"`[]').rpartition(".")[2].strip('"`[]').lower()
        where = _WHERE.search(text)
        limit = _LIMIT.search(text)
        assigned = _SET.search(text) if verb == "update" else None
        return Statement(
            verb,
            table if table and not table.startswith(HOLE) else None,
            limited=limit is not None,
            limit=int(limit[1]) if limit is not None and limit[1] else None,
            filtered=where is not None,
            states=frozenset(s.strip('"`').lower() for s in _STATE.findall(where[1]))
            if where
            else frozenset(),
            sets=frozenset(s.strip('"`').lower() for s in _ASSIGNED.findall(assigned[1]))
            if assigned
            else frozenset(),
            aggregate=verb == "select"
            and _AGGREGATE.search(text) is not None
            and "group by" not in text.lower(),
            upsert=verb == "insert" and _UPSERT.search(text) is not None,
            locks=re.search(r"\bFOR\s+UPDATE\b", text, re.IGNORECASE) is not None,
            skips_locked=re.search(r"\bSKIP\s+LOCKED\b", text, re.IGNORECASE) is not None,
        )
    return Statement("other", None)
