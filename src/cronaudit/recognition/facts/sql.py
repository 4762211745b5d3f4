"""SQL text read into what it does: which rows it reads or writes, and on which conditions.

Texts are parsed with sqlglot where it can; what it cannot read (a dialect of its own, a hole in an odd place) is read
by its clauses. A hole in a template stands for a parameter, or for a name where a name must stand.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.recognition.facts.sql_clauses import by_clauses
from cronaudit.recognition.facts.sql_statement import HOLE, Statement
from cronaudit.recognition.facts.sql_tree import parse

_NAME_FOLLOWS = lazy_regex(r"(?:\b(?:FROM|INTO|UPDATE|JOIN|TABLE|BY)\s+|[\w\"`]\.|[\"`])\Z", re.IGNORECASE)
_SQL = lazy_regex(
    r"""\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*
    (?: WITH\s+(?:RECURSIVE\s+)?[\w"`]+ (?:\s*\([^)]*\))? \s+AS\s+(?:NOT\s+MATERIALIZED\s+|MATERIALIZED\s+)?\(
      | \(?\s*SELECT\s+(?: [^;]*?\bFROM\s+\S | [\w.]+\s*\( | \d )
      | INSERT\s+(?:(?:IGNORE|LOW_PRIORITY|DELAYED|OR\s+\w+)\s+)*INTO\s+\S
      | REPLACE\s+INTO\s+\S
      | UPDATE\s+(?:(?:ONLY|IGNORE|OR\s+\w+)\s+)*\S+\s+(?:(?:AS\s+)?\w+\s+)?(?:(?:INNER\s+|LEFT\s+)?JOIN\s.*?)?SET\s+\S
      | DELETE\s+(?:\w+\s+)?FROM\s+\S
      | MERGE\s+INTO\s+\S
      | TRUNCATE\s+(?:TABLE\s+)?\S
      | CALL\s+[\w.]+\s*\(
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_SIGNS = lazy_regex(r"[*,()=?$<>]|\b(?:where|limit|join|values)\b", re.IGNORECASE)
_UPPER = lazy_regex(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|CALL|WITH)\b")
"""A sentence may begin like a statement; it has no signs, and no verb in capitals."""
_MODE = (
    r"(?:\s+(?:TRANSACTION|WORK|IMMEDIATE|EXCLUSIVE|DEFERRED|ISOLATION|LEVEL|SERIALIZABLE|REPEATABLE|READ|WRITE|ONLY"
    r"|COMMITTED|,))*"
)
_TRANSACTION = lazy_regex(
    rf"\s*(?:(BEGIN|START\s+TRANSACTION){_MODE}|(COMMIT|END){_MODE}|(ROLLBACK){_MODE}(?:\s+TO\s+.*)?)\s*;?\s*\Z",
    re.IGNORECASE,
)
_PERCENT = lazy_regex(r"%\(\w+\)s|%s")


def is_sql(text: str) -> bool:
    """Whether a text is a statement: a verb with the clause that must follow it, not a sentence."""
    return _SQL.match(text) is not None and (
        _SIGNS.search(text) is not None or _UPPER.match(text) is not None
    )


def transaction_verb(text: str) -> Literal["begin", "commit", "rollback"] | None:
    """What a text does to a transaction, where that is all it does."""
    match = _TRANSACTION.match(text)
    if match is None:
        return None
    return "begin" if match[1] else "commit" if match[2] else "rollback"


@lru_cache(maxsize=4096)
def read(text: str) -> tuple[Statement, ...]:
    """The statements of a text, in order; empty where it is none. Holes are written ``${…}``."""
    verb = transaction_verb(text)
    if verb is not None:
        return (Statement(verb, None),)
    if not is_sql(text):
        return ()
    plain = _without_holes(text)
    parsed = parse(plain)
    if parsed and all(s.verb != "other" for s in parsed):
        return tuple(parsed)
    return tuple(by_clauses(part) for part in plain.split(";") if part.strip())


# ---- holes ------------------------------------------------------------------------------------------------------


def _without_holes(text: str) -> str:
    parts = text.split("${…}")
    result = parts[0]
    for number, part in enumerate(parts[1:]):
        result += (HOLE if _NAME_FOLLOWS.search(result) else f":{HOLE}{number}") + part
    return _PERCENT.sub(f":{HOLE}", result).replace("??", HOLE)
