"""What a job does to its data: one `Operation` for each read and write on its walk, whatever says it.

A write may be a method of a library (`db.update` with its parameters), a chain of a query builder, or SQL text in any
call. All three come to the same: a table, a condition, the columns that are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from cronaudit.model.ir import Call, Template
from cronaudit.model.linker import Linker
from cronaudit.model.source import Location
from cronaudit.model.trace import Event, EventKind
from cronaudit.model.value import Closure, External, Known, Text, Value
from cronaudit.recognition.context import JobContext, once
from cronaudit.recognition.facts import sql
from cronaudit.recognition.facts.chains import (
    LIMITS,
    Statements,
    asks_one,
    is_limited,
    last_of_chains,
    model_of,
    named_in,
    plain_text,
    positions_in,
)
from cronaudit.recognition.facts.conditions import (
    FILTERS,
    ORDERS,
    Condition,
    chain_of,
    columns_of,
    condition_of,
    order_columns,
    words_in,
)
from cronaudit.recognition.facts.frames import Frame, Frames
from cronaudit.recognition.facts.saved_rows import row_of
from cronaudit.recognition.facts.sql_statement import Statement
from cronaudit.recognition.facts.usage import asks_for_one, call_before, takes_one
from cronaudit.recognition.sightings import Sighting, text_of

OperationKind = Literal[
    "read", "read-one", "stream", "insert", "upsert", "update", "delete", "begin", "commit", "rollback"
]
WRITES = frozenset(("insert", "upsert", "update", "delete"))
_EFFECTS: dict[str, OperationKind] = {
    "db.read": "read",
    "db.read_one": "read-one",
    "db.stream": "stream",
    "db.insert": "insert",
    "db.upsert": "upsert",
    "db.update": "update",
    "db.delete": "delete",
    "tx.begin": "begin",
    "tx.commit": "commit",
    "tx.rollback": "rollback",
}
_QUIET = (
    "log",
    "alert.",
    "tracker.",
    "metric.",
    "monitor.",
    "lock.",
    "leader.",
    "mail.",
    "http.",
    "queue.",
    "board.",
)
"""A text that looks like SQL in such a call is none."""
_RUNS = frozenset(("query", "execute", "exec", "run", "raw", "sql", "unsafe", "none", "any", "all", "get", "each",
                   "executeraw", "queryraw", "command", "execute_sql", "executescript", "querystream"))  # fmt: skip
"""Names under which the one word of a transaction (``BEGIN``) is a statement."""
_TABLES = frozenset(("from", "into", "table", "collection", "model", "getRepository", "selectFrom", "insertInto",
                     "updateTable", "deleteFrom", "update", "insert", "delete"))  # fmt: skip
"""Links of a chain whose first argument names the table."""


class Operation(Struct, eq=False):
    """One read or write."""

    kind: OperationKind
    event: Event
    table: str | None = None
    condition: Condition = Condition()
    sets: frozenset[str] = frozenset()
    """Columns that are written."""
    words: frozenset[str] = frozenset()
    """Texts and names of constants that are written."""
    limited: bool = False
    pages: bool = False
    """Keyset paging: rows behind a position, in its order, a few at a time."""
    ordered: frozenset[str] = frozenset()
    """Columns that the rows are ordered by."""
    set_based: bool = False
    """Whether one statement writes all rows that its condition holds for."""
    enqueued: bool = False
    """Whether the work that the job enqueues does it."""
    is_sql: bool = False
    may_exist: bool = False
    """Whether an insert may as well update a row that was read before: nobody can tell which."""
    made_by: tuple[Call, ...] = ()
    """The calls that gave the object on which it is called: the query whose rows a loop goes over."""

    @property
    def location(self) -> Location:
        """Where the call stands."""
        return self.event.location

    @property
    def path(self) -> tuple[str, ...]:
        """The symbols from the trigger to here."""
        return self.event.path

    @property
    def writes(self) -> bool:
        """Whether it changes rows."""
        return self.kind in WRITES


class Operations(Struct, eq=False):
    """All of one job, in the order of its walk."""

    all: tuple[Operation, ...]
    opaque: tuple[Event, ...]
    """Statements whose text is not resolved: each may read or write."""
    frames: Frames

    def of(self, *kinds: OperationKind) -> tuple[Operation, ...]:
        """Those of some kinds."""
        return tuple(o for o in self.all if o.kind in kinds)

    @property
    def writes(self) -> tuple[Operation, ...]:
        """Those that change rows."""
        return tuple(o for o in self.all if o.writes)


@once
def operations_of(context: JobContext) -> Operations:
    """What the job, and the work that it enqueues, does to its data."""
    return _Collector(context).collect()


class _Collector:
    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._linker: Linker = context.linker
        self._frames = Frames(context.trace.events)
        self._built = Statements(context)
        self._opaque: list[Event] = []
        self._claimed: list[tuple[str, Event]] = []

    def collect(self) -> Operations:
        by_event: dict[int, list[Sighting]] = {}
        streamed = {id(call_before(s.event)) for s in self._context.sightings if s.effect == "db.stream"}
        for sighting in last_of_chains(self._context.sightings):
            by_event.setdefault(sighting.event.order, []).append(sighting)
        found: list[Operation] = []
        for event in self._context.trace.events:
            # ``sql`select …`.cursor(200)``: the inner call only states what the outer one reads.
            if event.kind is EventKind.CALL and id(event.call) not in streamed:
                found.extend(self._of_event(event, by_event.get(event.order, ())))
        later: dict[int, list[Sighting]] = {}
        for sighting in last_of_chains(self._context.enqueued):
            later.setdefault(id(sighting.event), []).append(sighting)
        for sightings in later.values():
            for operation in self._of_event(sightings[0].event, sightings):
                operation.enqueued = True
                found.append(operation)
        return Operations(tuple(found), tuple(self._opaque), self._frames)

    def _of_event(self, event: Event, sightings: list[Sighting] | tuple[()]) -> Iterator[Operation]:
        database = [s for s in sightings if s.effect.startswith(("db.", "tx."))]
        if not database and any(s.effect.startswith(_QUIET) for s in sightings):
            return
        queries = [s for s in database if s.effect == "db.query"]
        text = self._text(event, queries)
        if text is not None and (queries or not database):
            statements = (
                sql.read(text) if sql.is_sql(text) or self._runs_transaction(text, event, queries) else ()
            )
            if statements and self._is_query(event, text):
                yield from self._statements(statements, event)
                return
        if queries and text is None and not self._is_plain_wrapper(event):
            self._opaque.append(event)
        if not sightings:
            yield from self._awaited_chain(event)
        conflict = any(s.effect == "db.conflict" for s in database)
        for sighting in database:
            merges = conflict or self._built.merges(sighting)
            operation = self._of_sighting(sighting, is_upsert=merges)
            if operation is not None:
                yield operation

    def _awaited_chain(self, event: Event) -> Iterator[Operation]:
        """``await knex('members').where('status', 'free')``: a chain that is awaited without saying so reads."""
        path, name = event.external or "", getattr(getattr(event.call, "callee", None), "name", "")
        if not event.awaited or name not in FILTERS or event.call is None:
            return
        before = path.removesuffix(f".{name}")
        if not any(e.effect == "db.read" for e in self._context.service.matcher.effects(f"{before}.select")):
            return
        receiver = event.callee.receiver if isinstance(event.callee, External) else None
        view = External(
            path, self._linker.arguments(event.call, event.scope), event.location, receiver, event.call
        )
        root = list(chain_of(view))[-1]
        table = (
            plain_text(root.args.positional[0], self._linker) if root.args and root.args.positional else ""
        )
        yield Operation("read", event, table or None, condition_of(None, view, self._linker),
                        limited=any(part.split("(")[0] in LIMITS for part in path.split(".")))  # fmt: skip

    # ---- SQL -----------------------------------------------------------------------------------------------------

    def _text(self, event: Event, queries: list[Sighting]) -> str | None:
        for sighting in queries:
            text = sighting.text("sql")
            if text:
                return text
        if event.call is None or not event.call.args:
            return None
        first = event.call.args[0]
        if first.spread or (first.name not in (None, "sql", "query", "text")):
            return None
        value = self._linker.fold(first.value, event.scope)
        text = text_of(value) if isinstance(value, Known | Text) else None
        if text is None and isinstance(first.value, Template):
            text = "".join(p if isinstance(p, str) else "${…}" for p in first.value.parts)
        if text is None and isinstance(value, External):
            # `query(sql`SELECT …`)`, `execute(text("SELECT …"))`: the inner call holds the text and is seen itself.
            return None
        return text if isinstance(text, str) else None

    def _runs_transaction(self, text: str, event: Event, queries: list[Sighting]) -> bool:
        if sql.transaction_verb(text) is None:
            return False
        name = getattr(getattr(event.call, "callee", None), "name", "")
        return bool(queries) or name.lower().lstrip("$") in _RUNS

    def _is_query(self, event: Event, text: str) -> bool:
        """Whether a text is run here: a wrapper of the project counts at its call, not again inside."""
        frame = self._frames.of(event)
        for claimed, call in self._claimed:
            if claimed == text and any(f.call is call for f in frame.outward()):
                return False
        if isinstance(event.callee, Closure):
            inner = self._frames.first(event.callee.function)
            if inner is None or not self._queries_inside(inner):
                return False
            self._claimed.append((text, event))
        return True

    def _queries_inside(self, frame: Frame) -> bool:
        if frame.enter is None:
            return False
        depth = len(frame.enter.path)
        orders = {s.event.order for s in self._context.sightings if s.effect.startswith("db.")}
        for event in self._context.trace.events[frame.enter.order + 1 :]:
            if len(event.path) <= depth:
                return False
            name = getattr(getattr(event.call, "callee", None), "name", None) or ""
            if event.order in orders or (event.kind is EventKind.CALL and name.lower().lstrip("$") in _RUNS):
                return True
        return False

    def _is_plain_wrapper(self, event: Event) -> bool:
        """Whether the text of a statement is a parameter: its callers state it, and are seen themselves."""
        return any(call is event or event.path[: len(call.path)] == call.path for _, call in self._claimed)

    def _statements(self, statements: tuple[Statement, ...], event: Event) -> Iterator[Operation]:
        for statement in statements:
            yield from self._statements(statement.others, event)
            kind = _kind_of(statement, event)
            if kind is None:
                continue
            yield Operation(
                kind,
                event,
                statement.table,
                Condition(
                    statement.states, statement.keys, filtered=statement.filtered, excludes=statement.excludes
                ),
                statement.sets,
                statement.words,
                limited=statement.limited,
                pages=bool(statement.pages) and statement.limited,
                ordered=statement.ordered,
                set_based=kind in ("update", "delete")
                and not (statement.keys & _single_keys(statement.keys)),
                is_sql=True,
            )

    # ---- methods of libraries ------------------------------------------------------------------------------------

    def _of_sighting(self, sighting: Sighting, *, is_upsert: bool) -> Operation | None:
        kind = _EFFECTS.get(sighting.effect)
        if kind is None:
            return None
        if kind == "insert" and (is_upsert or _is_set(sighting.param("ignore"))):
            kind = "upsert"
        row = row_of(sighting, self._context) if sighting.description.word("saves") is True else "new"
        if row == "read" and kind == "insert":
            kind = "update"
        whole = self._built.of(sighting)
        where = sighting.param("where")
        data = sighting.param("data")
        condition = condition_of(where, whole, self._linker, self._built.added(sighting))
        if kind == "read" and (takes_one(sighting.event) or asks_one(whole, self._linker)):
            kind = "read-one"
        limited = is_limited(sighting, whole, self._linker)
        ordered = frozenset(c for name in ORDERS for c in named_in(whole, name, self._linker))
        return Operation(
            kind,
            sighting.event,
            self._table(sighting),
            condition,
            columns_of(data, self._linker) | self._built.sets(sighting),
            words_in(data, self._linker) | self._built.words(sighting),
            limited=limited,
            pages=limited and bool(positions_in(whole) & ordered),
            ordered=ordered | order_columns(sighting.view, self._linker),
            set_based=kind in ("update", "delete") and row == "new" and not condition.is_single,
            may_exist=row == "open",
            made_by=tuple(link.call for link in chain_of(sighting.view) if link.call is not None),
        )

    def _table(self, sighting: Sighting) -> str | None:
        stated = sighting.text("table")
        if stated:
            return stated
        table = sighting.param("table")
        if isinstance(table, External):
            return table.path.rpartition(".")[2].rpartition(":")[2].removesuffix("()") or None
        args = sighting.view.args
        own = model_of(args.positional[0], self._linker) if args is not None and args.positional else ""
        if own:
            return own
        links = list(chain_of(sighting.view))
        model = next((link.of for link in links if link.of), None)
        if model is not None:
            return model
        for link in links:
            name = re.sub(r"(\(\)|\[\])+$", "", link.path).rpartition(".")[2]
            if link.args is not None and link.args.positional and (link is links[-1] or name in _TABLES):
                first = link.args.positional[0]
                name = plain_text(first, self._linker) or model_of(first, self._linker)
                if name and name.replace("_", "").isalnum():
                    return name
        parts = [p for p in sighting.view.path.partition(":")[2].split(".") if p]
        members = [p for p in parts[:-1] if not p.endswith(")")]
        return members[-1] if members else None


def _kind_of(statement: Statement, event: Event) -> OperationKind | None:
    match statement.verb:
        case "select":
            if statement.table is None:
                return None
            one = statement.aggregate or statement.exists or statement.limit == 1
            return "read-one" if one or takes_one(event) or asks_for_one(event) else "read"
        case "insert":
            return "upsert" if statement.upsert else "insert"
        case "update":
            return "update"
        case "delete":
            return "delete"
        case "begin":
            return "begin"
        case "commit":
            return "commit"
        case "rollback":
            return "rollback"
        case _:
            return None


def _single_keys(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(k for k in keys if is_key(k))


def is_key(column: str) -> bool:
    """Whether a column names one row by its name."""
    return column in ("id", "pk", "uuid", "key", "_id", "guid") or column.endswith(("_id", "_uuid", "_key"))


def _is_set(value: Value | None) -> bool:
    return value is not None and not (isinstance(value, Known) and not value.value)
