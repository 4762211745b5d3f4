"""SQL as sqlglot parses it, read into statements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cronaudit.lazy_regex import lazy_regex
from cronaudit.recognition.facts.sql_statement import HOLE, Statement

if TYPE_CHECKING:
    from sqlglot import exp

_CURRENT = lazy_regex(
    r"\b(?:now|current_timestamp|current_date|sysdate|getdate|datetime|unixepoch|julianday)\b", re.IGNORECASE
)
_DIALECTS = ("postgres", "mysql", "sqlite")


def parse(text: str) -> list[Statement] | None:
    """The statements of a text; None where no dialect can read it."""
    import logging

    import sqlglot  # dear to import, and most trees have no SQL
    from sqlglot.errors import SqlglotError

    # It warns of statements that it keeps as they are; they are read by their clauses.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    for dialect in _DIALECTS:
        try:
            trees: list[Any] = list(sqlglot.parse(text, read=dialect))
        except (SqlglotError, RecursionError, ValueError):
            continue
        return [_read(tree) for tree in trees if tree is not None]
    return None


def _read(tree: exp.Expr) -> Statement:
    from sqlglot import exp

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
    states, keys, behind = (
        _conditions(where.this) if where is not None else (frozenset(), frozenset(), frozenset())
    )
    if isinstance(tree, exp.Update):
        sets = frozenset(_column(e.this) for e in tree.expressions if isinstance(e, exp.EQ)) - {""}
        words = frozenset(
            str(e.expression.this)
            for e in tree.expressions
            if isinstance(e, exp.EQ) and _is_word(e.expression)
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
    from sqlglot import exp

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
    from sqlglot import exp

    source = tree.args.get("from_") or tree.args.get("from")
    limit = tree.args.get("limit")
    bound = limit.args.get("expression") or limit.args.get("count") if limit is not None else None
    order = tree.args.get("order")
    ordered = (
        frozenset(_column(o.this) for o in order.expressions) - {""} if order is not None else frozenset()
    )
    single = source is None or (
        bool(tree.selects) and not tree.args.get("group") and all(_is_aggregate(e) for e in tree.selects)
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
    from sqlglot import exp

    name = node.name.lower() if isinstance(node, exp.Table) else ""
    return name if name and not name.startswith(HOLE) else None


def _column(node: object) -> str:
    from sqlglot import exp

    return node.name.lower() if isinstance(node, exp.Column | exp.Identifier) else ""


def _within(tree: exp.Expr, kind: type[exp.Expr]) -> bool:
    return tree.find(kind) is not None


def _skips(tree: exp.Expr) -> bool:
    from sqlglot import exp

    # `wait` is False where rows that others hold are passed over, True for NOWAIT.
    return any(lock.args.get("wait") is False for lock in tree.find_all(exp.Lock))


def _is_aggregate(node: exp.Expr) -> bool:
    from sqlglot import exp

    if isinstance(node, exp.Exists):
        return True
    return node.find(exp.AggFunc) is not None and node.find(exp.Window) is None


def _conditions(node: exp.Expr) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Columns compared with a state, with a key, and that lie behind a parameter; of all that must hold."""
    from sqlglot import exp

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
    from sqlglot import exp

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
    from sqlglot import exp

    inner = part.this.unnest() if isinstance(part, exp.Not) and isinstance(part.this, exp.Expr) else part
    if isinstance(inner, exp.Is):
        return _column(inner.this)
    if isinstance(inner, exp.In):
        items = inner.expressions
        return (
            _column(inner.this) if items and all(isinstance(i.unnest(), exp.Literal) for i in items) else ""
        )
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
    from sqlglot import exp

    if isinstance(part, exp.GT):
        return {_column(part.this)} - {""} if not _is_time(part.expression) else set()
    if isinstance(part, exp.LT):
        column = _column(part.this)
        return {column} - {""} if _is_open(part.expression) and not _is_time_column(column) else set()
    return set()


def _is_open(node: exp.Expr) -> bool:
    from sqlglot import exp

    bare = node.this if isinstance(node, exp.Cast) else node
    return isinstance(bare, exp.Placeholder | exp.Parameter)


def _is_word(node: exp.Expr) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.Literal) and node.is_string


def _is_time(node: exp.Expr) -> bool:
    return _CURRENT.search(node.sql()) is not None


_TIME_WORDS = ("_at", "_on", "date", "time", "expire", "until", "deadline", "due", "created", "updated")


def _is_time_column(name: str) -> bool:
    return any(word in name for word in _TIME_WORDS)
