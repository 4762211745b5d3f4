"""SQL text read into what it does: which rows it reads or writes, and on which conditions.

Texts are parsed with sqlglot where it can; what it cannot read (a dialect of its own, a hole in an odd place) is read
by its clauses. A hole in a template stands for a parameter, or for a name where a name must stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from sqlglot import exp

Verb = Literal["select", "insert", "update", "delete", "begin", "commit", "rollback", "other"]

_HOLE = "cronaudit_hole"
_NAME_FOLLOWS = re.compile(r"(?:\b(?:FROM|INTO|UPDATE|JOIN|TABLE|BY)\s+|[\w\"`]\.|[\"`])\Z", re.IGNORECASE)
_SQL = re.compile(
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
_SIGNS = re.compile(r"[*,()=?$<>]|\b(?:where|limit|join|values)\b", re.IGNORECASE)
_UPPER = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|CALL|WITH)\b")
"""A sentence may begin like a statement; it has no signs, and no verb in capitals."""
_TRANSACTION = re.compile(
    r"\s*(?:(BEGIN|START\s+TRANSACTION)\b[\w\s,]*|(COMMIT|END)\b[\w\s]*|(ROLLBACK)\b[\w\s]*);?\s*\Z", re.IGNORECASE
)
_PERCENT = re.compile(r"%\(\w+\)s|%s")
_CURRENT = re.compile(r"\b(?:now|current_timestamp|current_date|sysdate|getdate|datetime|unixepoch|julianday)\b", re.IGNORECASE)
_DIALECTS = ("postgres", "mysql", "sqlite")


@dataclass(frozen=True, slots=True)
class Statement:
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


def is_sql(text: str) -> bool:
    """Whether a text is a statement: a verb with the clause that must follow it, not a sentence."""
    return _SQL.match(text) is not None and (_SIGNS.search(text) is not None or _UPPER.match(text) is not None)


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
    parsed = _parse(plain)
    if parsed is not None:
        found = tuple(_read(tree) for tree in parsed if tree is not None)
        if found and all(s.verb != "other" for s in found):
            return found
    return tuple(_by_clauses(part) for part in plain.split(";") if part.strip())


# ---- holes ------------------------------------------------------------------------------------------------------


def _without_holes(text: str) -> str:
    parts = text.split("${…}")
    result = parts[0]
    for number, part in enumerate(parts[1:]):
        result += (_HOLE if _NAME_FOLLOWS.search(result) else f":{_HOLE}{number}") + part
    return _PERCENT.sub(f":{_HOLE}", result).replace("??", _HOLE)


def _parse(text: str) -> list[Any] | None:
    import logging  # noqa: PLC0415

    import sqlglot  # noqa: PLC0415 - dear to import, and most trees have no SQL
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    # It warns of statements that it keeps as they are; they are read by their clauses.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    for dialect in _DIALECTS:
        try:
            return list(sqlglot.parse(text, read=dialect))
        except (SqlglotError, RecursionError, ValueError):
            continue
    return None


# ---- the parsed tree --------------------------------------------------------------------------------------------


def _read(tree: exp.Expr) -> Statement:
    from sqlglot import exp  # noqa: PLC0415

    inner = tuple(
        _read(cte.this)
        for cte in tree.find_all(exp.CTE)
        if isinstance(cte.this, exp.Insert | exp.Update | exp.Delete)
    )
    functions = frozenset(
        str(f.this if isinstance(f, exp.Anonymous) else f.sql_name()).lower()
        for f in tree.find_all(exp.Func)
        if isinstance(f, exp.Anonymous) or hasattr(f, "sql_name")
    )
    if isinstance(tree, exp.Insert):
        return _insert(tree, functions, inner)
    if isinstance(tree, exp.Merge):
        return Statement("insert", _table(tree.this), upsert=True, functions=functions, others=inner)
    where = tree.args.get("where")
    states, keys, behind = _conditions(where.this) if where is not None else (frozenset(), frozenset(), frozenset())
    if isinstance(tree, exp.Update):
        sets = frozenset(_column(e.this) for e in tree.expressions if isinstance(e, exp.EQ)) - {""}
        words = frozenset(
            str(e.expression.this) for e in tree.expressions if isinstance(e, exp.EQ) and _is_word(e.expression)
        )
        return Statement(
            "update", _table(tree.this), filtered=where is not None, states=states, keys=keys, sets=sets, words=words,
            limited=_within(tree, exp.Limit), functions=functions, others=inner, skips_locked=_skips(tree),
        )  # fmt: skip
    if isinstance(tree, exp.Delete):
        return Statement(
            "delete", _table(tree.this), filtered=where is not None, states=states, keys=keys,
            limited=_within(tree, exp.Limit), functions=functions, others=inner, skips_locked=_skips(tree),
        )  # fmt: skip
    if isinstance(tree, exp.TruncateTable):
        return Statement("delete", _table(next(iter(tree.expressions), None)), functions=functions)
    if isinstance(tree, exp.Query):
        return _select(tree, states, keys, behind, functions, inner)
    return Statement("other", None, functions=functions, others=inner)


def _insert(tree: exp.Insert, functions: frozenset[str], inner: tuple[Statement, ...]) -> Statement:
    from sqlglot import exp  # noqa: PLC0415

    target = tree.this
    columns: Iterable[Any] = target.expressions if isinstance(target, exp.Schema) else ()
    query = tree.expression if isinstance(tree.expression, exp.Query) else None
    alternative = str(tree.args.get("alternative") or "").upper()
    words = frozenset(str(e.this) for e in tree.find_all(exp.Literal) if e.is_string)
    return Statement(
        "insert",
        _table(target.this if isinstance(target, exp.Schema) else target),
        sets=frozenset(str(getattr(c, "name", "")).lower() for c in columns) - {""},
        words=words,
        upsert=bool(
            tree.args.get("conflict")
            or tree.args.get("ignore")
            or tree.args.get("overwrite")
            or alternative in ("IGNORE", "REPLACE")
        ),
        from_select=query is not None and query.find(exp.From) is not None,
        excludes=query is not None and any(isinstance(n.this, exp.Exists) for n in query.find_all(exp.Not)),
        functions=functions,
        others=inner,
    )


def _select(
    tree: exp.Query,
    states: frozenset[str],
    keys: frozenset[str],
    behind: frozenset[str],
    functions: frozenset[str],
    inner: tuple[Statement, ...],
) -> Statement:
    from sqlglot import exp  # noqa: PLC0415

    source = tree.args.get("from_") or tree.args.get("from")
    limit = tree.args.get("limit")
    bound = limit.args.get("expression") or limit.args.get("count") if limit is not None else None
    order = tree.args.get("order")
    ordered = frozenset(_column(o.this) for o in order.expressions) - {""} if order is not None else frozenset()
    single = (
        source is None
        or bool(tree.selects)
        and not tree.args.get("group")
        and all(_is_aggregate(e) for e in tree.selects)
    )
    locks = [lock for lock in tree.args.get("locks") or () if lock.args.get("update")]
    return Statement(
        "select",
        _table(source.this) if source is not None else None,
        limited=limit is not None,
        limit=int(bound.this) if isinstance(bound, exp.Literal) and not bound.is_string else None,
        filtered=tree.args.get("where") is not None,
        states=states,
        keys=keys,
        pages=behind & ordered,
        ordered=ordered,
        aggregate=single,
        exists=bool(tree.selects) and all(isinstance(e, exp.Literal) for e in tree.selects),
        locks=bool(locks),
        skips_locked=_skips(tree),
        functions=functions,
        others=inner,
    )


def _table(node: object) -> str | None:
    from sqlglot import exp  # noqa: PLC0415

    name = node.name.lower() if isinstance(node, exp.Table) else ""
    return name if name and not name.startswith(_HOLE) else None


def _column(node: object) -> str:
    from sqlglot import exp  # noqa: PLC0415

    return node.name.lower() if isinstance(node, exp.Column | exp.Identifier) else ""


def _within(tree: exp.Expr, kind: type[exp.Expr]) -> bool:
    return tree.find(kind) is not None


def _skips(tree: exp.Expr) -> bool:
    from sqlglot import exp  # noqa: PLC0415

    # `wait` is False where rows that others hold are passed over, True for NOWAIT.
    return any(lock.args.get("wait") is False for lock in tree.find_all(exp.Lock))


def _is_aggregate(node: exp.Expr) -> bool:
    from sqlglot import exp  # noqa: PLC0415

    if isinstance(node, exp.Exists):
        return True
    return node.find(exp.AggFunc) is not None and node.find(exp.Window) is None


def _conditions(node: exp.Expr) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Columns compared with a state, with a key, and that lie behind a parameter; of all that must hold."""
    from sqlglot import exp  # noqa: PLC0415

    states: set[str] = set()
    keys: set[str] = set()
    behind: set[str] = set()
    for part in _conjuncts(node):
        if isinstance(part, exp.Or):
            # ``$1 IS NULL OR id > $1``: the first page has no position.
            for option in part.flatten():
                behind |= _behind(option.unnest())
            tests = [_state_of(o.unnest()) for o in part.flatten()]
            if all(tests):
                states.update(t for t in tests if t)
            continue
        state = _state_of(part)
        if state:
            states.add(state)
        elif isinstance(part, exp.EQ):
            keys |= {c for c, other in _sides(part) if _is_open(other)}
        elif isinstance(part, exp.In):
            query = part.args.get("query")
            inner = query.find(exp.Where) if query is not None else None
            if inner is not None:
                states |= _conditions(inner.this)[0]
            else:
                keys |= {_column(part.this)} - {""}
        behind |= _behind(part)
    return frozenset(states), frozenset(keys), frozenset(behind)


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    from sqlglot import exp  # noqa: PLC0415

    node = node.unnest()
    if isinstance(node, exp.And):
        for part in node.flatten():
            yield from _conjuncts(part)
    else:
        yield node


def _sides(part: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    left, right = part.this, part.args.get("expression")
    for one, other in ((left, right), (right, left)):
        column = _column(one)
        if column and other is not None:
            yield column, other


def _state_of(part: exp.Expr) -> str:
    """The column that a condition compares with a constant, NULL or the time."""
    from sqlglot import exp  # noqa: PLC0415

    inner = part.this.unnest() if isinstance(part, exp.Not) and isinstance(part.this, exp.Expr) else part
    if isinstance(inner, exp.Is):
        return _column(inner.this)
    if isinstance(inner, exp.In):
        items = inner.expressions
        return _column(inner.this) if items and all(isinstance(i.unnest(), exp.Literal) for i in items) else ""
    if isinstance(inner, exp.Column):
        return inner.name.lower()
    if isinstance(inner, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE):
        for column, other in _sides(inner):
            if isinstance(other, exp.Literal | exp.Boolean) or _is_time(other):
                return column
            # ``created_at < ${cutoff}``: an age, unless it is the position of a page.
            if isinstance(inner, exp.LT | exp.LTE) and _is_open(other) and _is_time_column(column):
                return column
    if isinstance(inner, exp.Between):
        return _column(inner.this) if _is_time_column(_column(inner.this)) else ""
    return ""


def _behind(part: exp.Expr) -> set[str]:
    from sqlglot import exp  # noqa: PLC0415

    if isinstance(part, exp.GT):
        return {_column(part.this)} - {""} if not _is_time(part.expression) else set()
    if isinstance(part, exp.LT):
        column = _column(part.this)
        return {column} - {""} if _is_open(part.expression) and not _is_time_column(column) else set()
    return set()


def _is_open(node: exp.Expr) -> bool:
    from sqlglot import exp  # noqa: PLC0415

    bare = node.this if isinstance(node, exp.Cast) else node
    return isinstance(bare, exp.Placeholder | exp.Parameter)


def _is_word(node: exp.Expr) -> bool:
    from sqlglot import exp  # noqa: PLC0415

    return isinstance(node, exp.Literal) and node.is_string


def _is_time(node: exp.Expr) -> bool:
    return _CURRENT.search(node.sql()) is not None


_TIME_WORDS = ("_at", "_on", "date", "time", "expire", "until", "deadline", "due", "created", "updated")


def _is_time_column(name: str) -> bool:
    return any(word in name for word in _TIME_WORDS)


# ---- by clauses, where it cannot be parsed ----------------------------------------------------------------------

_VERBS: tuple[tuple[re.Pattern[str], Verb], ...] = (
    (re.compile(r"\bINSERT\s+(?:\w+\s+)*?INTO\s+([\w.\"`\[\]]+)", re.IGNORECASE), "insert"),
    (re.compile(r"\bREPLACE\s+INTO\s+([\w.\"`\[\]]+)", re.IGNORECASE), "insert"),
    (re.compile(r"\bMERGE\s+INTO\s+([\w.\"`\[\]]+)", re.IGNORECASE), "insert"),
    (re.compile(r"\bDELETE\s+(?:\w+\s+)?FROM\s+([\w.\"`\[\]]+)", re.IGNORECASE), "delete"),
    (re.compile(r"\bTRUNCATE\s+(?:TABLE\s+)?([\w.\"`\[\]]+)", re.IGNORECASE), "delete"),
    (re.compile(r"\bUPDATE\s+(?:ONLY\s+)?([\w.\"`\[\]]+)", re.IGNORECASE), "update"),
    (re.compile(r"\bSELECT\b.*?\bFROM\s+([\w.\"`\[\]]+)", re.IGNORECASE | re.DOTALL), "select"),
)
_UPSERT = re.compile(r"\bON\s+CONFLICT\b|\bON\s+DUPLICATE\s+KEY\b|\b(?:INSERT|OR)\s+IGNORE\b|\bREPLACE\s+INTO\b|"
                     r"\bOR\s+REPLACE\b|\bMERGE\s+INTO\b", re.IGNORECASE)  # fmt: skip
_LIMIT = re.compile(r"\b(?:LIMIT|TOP|FETCH\s+(?:FIRST|NEXT))\b\s*\(?\s*(\d+)?", re.IGNORECASE)
_WHERE = re.compile(r"\bWHERE\b(.*)", re.IGNORECASE | re.DOTALL)
_SET = re.compile(r"\bSET\b(.*?)(?:\bWHERE\b|\bFROM\b|\Z)", re.IGNORECASE | re.DOTALL)
_ASSIGNED = re.compile(r"([\w\"`]+)\s*=")
_STATE = re.compile(r"([\w\"`]+)\s*(?:(?:=|<>|!=|IN\s*\()\s*'[^']*'|IS\s+(?:NOT\s+)?NULL|[<>]=?\s*\(?\s*(?:now|current_)|"
                    r"=\s*(?:true|false|\d+)\b)", re.IGNORECASE)  # fmt: skip
_AGGREGATE = re.compile(r"\bSELECT\s+(?:count|sum|min|max|avg|exists)\s*\(", re.IGNORECASE)


def _by_clauses(text: str) -> Statement:
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
            table if table and not table.startswith(_HOLE) else None,
            limited=limit is not None,
            limit=int(limit[1]) if limit is not None and limit[1] else None,
            filtered=where is not None,
            states=frozenset(s.strip('"`').lower() for s in _STATE.findall(where[1])) if where else frozenset(),
            sets=frozenset(s.strip('"`').lower() for s in _ASSIGNED.findall(assigned[1])) if assigned else frozenset(),
            aggregate=verb == "select" and _AGGREGATE.search(text) is not None and "group by" not in text.lower(),
            upsert=verb == "insert" and _UPSERT.search(text) is not None,
            locks=re.search(r"\bFOR\s+UPDATE\b", text, re.IGNORECASE) is not None,
            skips_locked=re.search(r"\bSKIP\s+LOCKED\b", text, re.IGNORECASE) is not None,
        )
    return Statement("other", None)
