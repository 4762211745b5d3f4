"""What one SQL statement does."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Verb = Literal["select", "insert", "update", "delete", "begin", "commit", "rollback", "other"]
HOLE = "cronaudit_hole"
"""What stands where a template has a hole: a name, or behind a colon a parameter."""


class Statement(Struct, frozen=True):
    """One statement."""

    verb: Verb
    table: str | None
    """The table that is read from or written to, without schema; none where a hole or a function stands there."""
    limited: bool = False
    """Whether a LIMIT, TOP or FETCH bounds the rows."""
    limit: int | None = None
    """The bound, where it is a literal."""
    filtered: bool = False
    """Whether it has a WHERE."""
    states: frozenset[str] = frozenset()
    """Columns that the condition compares with a word, a constant, NULL or the time: a state of the row."""
    keys: frozenset[str] = frozenset()
    """Columns that must equal a parameter."""
    pages: frozenset[str] = frozenset()
    """Columns that must lie behind a parameter and that the rows are ordered by: keyset paging."""
    ordered: frozenset[str] = frozenset()
    """Columns that the rows are ordered by."""
    sets: frozenset[str] = frozenset()
    """Columns that are written."""
    words: frozenset[str] = frozenset()
    """Text literals that are written."""
    aggregate: bool = False
    """Whether it gives one row by its form: an aggregate without GROUP BY, EXISTS, no table at all."""
    exists: bool = False
    """Whether it selects constants only: it asks whether there is a row."""
    upsert: bool = False
    """Whether an insert passes over or updates rows that are there."""
    from_select: bool = False
    """Whether an insert takes its rows from a query."""
    excludes: bool = False
    """Whether that query leaves out what is there (NOT EXISTS)."""
    locks: bool = False
    """FOR UPDATE."""
    skips_locked: bool = False
    """FOR UPDATE SKIP LOCKED: a claim of rows."""
    functions: frozenset[str] = frozenset()
    """Names of the functions that it calls, lower case."""
    others: tuple[Statement, ...] = ()
    """Writing statements inside it (``WITH gone AS (DELETE …)``)."""
