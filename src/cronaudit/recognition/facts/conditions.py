"""Conditions of library calls: which columns of a ``where`` tell a state, and which only name a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, If, Loop, Member, Name, Operation, Try
from cronaudit.model.linker import Linker
from cronaudit.model.value import (
    Choice,
    Closure,
    External,
    Known,
    Lazy,
    Record,
    Scope,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from cronaudit.model.walking import inside, statement_expressions

FILTERS = frozenset((
    "where", "andWhere", "orWhere", "whereNull", "whereNotNull", "whereIn", "whereNot", "whereBetween", "whereRaw",
    "whereNotIn", "filter", "filter_by", "exclude", "eq", "neq", "is", "lt", "lte", "gt", "gte", "in", "match", "not",
    "having", "objects",
))  # fmt: skip
"""Names that query builders give to a condition."""
ORDERS = frozenset(("orderBy", "order_by", "order", "sort", "addOrderBy"))
"""Names under which they order rows."""
_STATE_FILTERS = frozenset(("whereNull", "whereNotNull", "is"))
_KEY = lazy_regex(r"(^|_|\.)(id|pk|uuid|guid|key)(__in)?$|[a-z](Id|Uuid|Key|ID)$")
_COMPARED = lazy_regex(r"['\"`]?([\w.]+)['\"`]?\s*(=|<>|!=|<=?|>=?|\bIS\b|\bIN\b)", re.IGNORECASE)
_LOOKUP = lazy_regex(r"__(?:lt|lte|gt|gte|isnull|in|exact|ne|date|range|startswith|contains)$")
_TIMES = lazy_regex(r"(?:^global:Date\(\)|\bnow\b|timezone|datetime|dayjs|moment|luxon|date-fns|Date\.)")
_DEPTH = 5
_MORE = frozenset(("and", "or", "not", "$and", "$or", "AND", "OR", "NOT"))


class Condition(Struct, frozen=True):
    """Which rows a read or write is about."""

    states: frozenset[str] = frozenset()
    """Columns compared with a constant, NULL or the time: a state of the row."""
    keys: frozenset[str] = frozenset()
    """Columns that must equal something that only the run knows."""
    filtered: bool = False
    """Whether there is a condition at all."""
    excludes: bool = False
    """Whether it leaves out what is there already."""
    as_read: bool = False
    """Whether the row must still be as it was read: ``filter(id=order.id, state=order.state)``."""
    is_open: bool = False
    """Whether there is a condition of which no column can be told."""

    @property
    def is_single(self) -> bool:
        """Whether it names one row by its key."""
        return any(_KEY.search(k) for k in self.keys)


_COMPARING = frozenset(("==", "!=", "<", "<=", ">", ">="))
_ASKING = frozenset(("is_", "is_not", "in_", "isnot"))


def condition_of(
    where: Value | None, view: External, linker: Linker, added: tuple[External, ...] = ()
) -> Condition:
    """The condition of a call: its own, those of the chain that it ends, and those `added` to its builder before."""
    states: set[str] = set()
    keys: set[str] = set()
    filtered = where is not None and not (isinstance(where, Known) and where.value is None)
    if where is not None:
        _collect(where, linker, states, keys, 0)
    for link in (*chain_of(view), *added):
        name = re.sub(r"(\(\)|\[\])+$", "", link.path).rpartition(".")[2]
        if name in FILTERS and link.args is not None:
            filtered = True
            _link(name, link, linker, states, keys)
        if link.path.rpartition(".")[0].endswith("[]"):
            break  # an item of what was found: the query that found it is no part of this call
    read = {column for column in keys if _is_as_read(column, view, linker)}
    as_read = bool(read) and any(_KEY.search(k) for k in keys)
    states |= read if as_read else set()
    is_open = bool(added) and not states and not keys
    return Condition(frozenset(states), frozenset(keys), filtered, as_read=as_read, is_open=is_open)


def chain_of(view: External) -> Iterator[External]:
    """The calls of a query builder's chain, the last first, each with its arguments."""
    current: External | None = view
    seen = 0
    while current is not None and seen < 40:
        yield current
        current = current.receiver
        seen += 1


def _is_as_read(column: str, view: External, linker: Linker) -> bool:
    """Whether a condition compares a column with what was read from it."""
    given = (
        linker.force(link.args.named[column])
        for link in chain_of(view)
        if link.args and column in link.args.named
    )
    return not _KEY.search(column) and any(
        isinstance(v, External) and v.path.endswith(f").{column}") for v in given
    )


def _link(name: str, link: External, linker: Linker, states: set[str], keys: set[str]) -> None:
    """One call of a chain: ``where('status', 'pending')``, ``where({…})``, ``filter(status='x')``."""
    args = link.args
    assert args is not None  # noqa: S101 - the caller has looked
    for column, raw in args.named.items():
        _column(_LOOKUP.sub("", column), linker.force(raw), linker, states, keys)
    for raw in args.positional:
        _compared(raw, linker, states, keys)
    positional = [linker.force(raw) for raw in args.positional]
    first = positional[0] if positional else None
    if isinstance(first, Known) and isinstance(first.value, str):
        texts = _COMPARED.findall(first.value)
        if texts:
            _collect(first, linker, states, keys, 0)
        elif name in _STATE_FILTERS:
            states.add(first.value)
        elif len(positional) > 1:
            _column(first.value, positional[-1], linker, states, keys)
    elif first is not None:
        for value in positional:
            if isinstance(value, Closure):
                _stated_in(value, linker, states, keys)
            else:
                _collect(value, linker, states, keys, 0)


def _stated_in(stating: Closure, linker: Linker, states: set[str], keys: set[str]) -> None:
    """``where((b) => b.where('state', 'old'))``, ``where((eb) => eb.or([eb('at', '<', cutoff)]))``.

    What stands under a test in it holds for some runs only, and is left out.
    """
    function = stating.function
    names = {p.name for p in function.params}
    scope = Scope(function, stating.scope, this=stating.this)
    for statement in function.body:
        if isinstance(statement, If | Loop | Try):
            continue
        for call in (
            e for root in statement_expressions(statement) for e in inside(root) if isinstance(e, Call)
        ):
            callee = call.callee
            name = callee.name if isinstance(callee, Member | Name) else ""
            if isinstance(callee, Member) and name in FILTERS:
                args = linker.arguments(call, scope)
                _link(name, External(f".{name}", args), linker, states, keys)
            elif isinstance(callee, Name) and name in names and len(call.args) > 1:
                args = linker.arguments(call, scope)
                _link("where", External(".where", args), linker, states, keys)


def _compared(raw: Value | Lazy, linker: Linker, states: set[str], keys: set[str]) -> None:
    """``Reading.celsius < -80``, ``Tariff.published.is_(False)``: a condition of Python's operators."""
    if not isinstance(raw, Lazy):
        return
    expr = raw.expr
    if isinstance(expr, Operation) and expr.op in _COMPARING and len(expr.operands) == 2:
        left, right = expr.operands
        if isinstance(left, Member):
            # Rows behind a position are many; only those that equal it are told by a key.
            told = keys if expr.op == "==" else set()
            _column(left.name, linker.fold(right, raw.scope), linker, states, told)
    elif isinstance(expr, Call) and isinstance(expr.callee, Member) and expr.callee.name in _ASKING:
        column = expr.callee.object
        if isinstance(column, Member) and expr.args:
            _column(column.name, linker.fold(expr.args[0].value, raw.scope), linker, states, keys)


def _collect(value: Value, linker: Linker, states: set[str], keys: set[str], depth: int) -> None:
    if depth > _DEPTH:
        return
    if isinstance(value, Record):
        for column, raw in value.entries.items():
            if column in _MORE:
                _collect(linker.force(raw), linker, states, keys, depth + 1)
            elif not column.startswith("\0"):
                _column(column, linker.force(raw), linker, states, keys)
    elif isinstance(value, Sequence):
        for raw in value.items:
            _collect(linker.force(raw), linker, states, keys, depth + 1)
    elif isinstance(value, Choice):
        _collect(value.options[0], linker, states, keys, depth + 1)
    elif isinstance(value, Known) and isinstance(value.value, str):
        # `'status = :status AND expires_at < now()'`
        for part in re.split(r"\bAND\b", value.value, flags=re.IGNORECASE):
            match = _COMPARED.search(part)
            if match is None:
                continue
            column = match[1].rpartition(".")[2]
            right = part[match.end() :]
            is_open = re.match(r"\s*\(?\s*(?:[:$?]|\.\.\.)", right) is not None
            (keys if is_open and not _is_time_word(column) else states).add(column)
    elif isinstance(value, External) and value.args is not None:
        # `eq(orders.status, 'pending')`, `isNull(orders.sentAt)`, `and(…)`
        positional = [linker.force(raw) for raw in value.args.positional]
        name = re.sub(r"(\(\))+$", "", value.path).rpartition(".")[2].rpartition(":")[2]
        column = _member(positional[0]) if positional else ""
        if name.lower() in ("and", "or", "not") or not column:
            for inner in positional:
                _collect(inner, linker, states, keys, depth + 1)
        elif len(positional) == 1:
            states.add(column)
        else:
            _column(column, positional[1], linker, states, keys)


def _column(name: str, value: Value, linker: Linker, states: set[str], keys: set[str]) -> None:
    column = name.rpartition(".")[2]
    if _is_state(value, linker, 0) or (_is_time_word(column) and not isinstance(value, Known)):
        states.add(column)
    else:
        keys.add(column)


def _is_state(value: Value, linker: Linker, depth: int) -> bool:
    """A constant, NULL, the time, or an object of operators with one of them."""
    if isinstance(value, Known):
        return True
    if isinstance(value, Choice):
        return any(_is_state(o, linker, depth + 1) for o in value.options)
    if isinstance(value, External):
        # `new Date()`, `Status.PENDING`; the result of any other call only the run knows.
        return _TIMES.search(value.path) is not None or (
            not value.path.endswith((")", "]"))
            and "." in value.path
            and value.path.rpartition(".")[2].isupper()
        )
    if isinstance(value, Record) and depth < _DEPTH:
        return any(_is_state(linker.force(raw), linker, depth + 1) for raw in value.entries.values())
    if isinstance(value, Sequence):
        return bool(value.items) and all(
            _is_state(linker.force(raw), linker, depth + 1) for raw in value.items
        )
    return False


def _is_time_word(column: str) -> bool:
    return column.lower().endswith(("at", "_on", "date", "time", "until", "expires", "timestamp", "expiry"))


def _member(value: Value) -> str:
    if isinstance(value, External | Symbol | Unknown | Closure):
        path = value.path if isinstance(value, External) else ".".join(getattr(value, "path", ()))
        return path.rpartition(".")[2].rpartition(":")[2] if path and not path.endswith(")") else ""
    return ""


# ---- what is written -------------------------------------------------------------------------------------------


def columns_of(data: Value | None, linker: Linker) -> frozenset[str]:
    """The columns of the record that is written; those under ``$set`` and the like too."""
    if isinstance(data, Sequence) and data.items:
        return columns_of(linker.force(data.items[0]), linker)
    if isinstance(data, Choice):
        return frozenset(c for o in data.options for c in columns_of(o, linker))
    if not isinstance(data, Record):
        return frozenset()
    found: set[str] = set()
    for name, raw in data.entries.items():
        if name.startswith("$"):
            found |= columns_of(linker.force(raw), linker)
        elif not name.startswith("\0"):
            found.add(name)
    return frozenset(found)


def words_in(data: Value | Lazy | None, linker: Linker, depth: int = 0) -> frozenset[str]:
    """Texts, and names of constants, in the record that is written."""
    if data is None or depth > _DEPTH:
        return frozenset()
    value = linker.force(data)
    if isinstance(value, Known):
        return frozenset((value.value,)) if isinstance(value.value, str) else frozenset()
    if isinstance(value, External):
        last = value.path.rpartition(".")[2]
        return frozenset((last,)) if not value.path.endswith(")") else frozenset()
    inner: tuple[Value | Lazy, ...] = ()
    if isinstance(value, Record):
        inner = tuple(value.entries.values())
    elif isinstance(value, Sequence):
        inner = value.items
    elif isinstance(value, Choice):
        inner = value.options
    return frozenset(w for raw in inner for w in words_in(raw, linker, depth + 1))


def order_columns(view: External, linker: Linker) -> frozenset[str]:
    """Columns under ``orderBy`` in the options of a read."""
    found: set[str] = set()
    for raw in view.args.positional if view.args is not None else ():
        entries = getattr(linker.force(raw), "entries", {})
        for name in ORDERS & set(entries):
            order = linker.force(entries[name])
            for item in order.items if isinstance(order, Sequence) else (order,):
                found |= columns_of(linker.force(item), linker)
    return frozenset(found)
