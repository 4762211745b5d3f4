"""SQL texts: what they read and write, and on which conditions."""

from __future__ import annotations

import pytest

from cronaudit.recognition.facts import sql
from cronaudit.recognition.facts.sql_statement import Statement


def one(text: str) -> Statement:
    statements = sql.read(text)
    assert len(statements) == 1
    return statements[0]


@pytest.mark.parametrize(
    ("text", "table", "limit", "states", "pages"),
    [
        (
            "SELECT id FROM orders WHERE status = 'pending' AND expires_at < now() ORDER BY expires_at LIMIT 50",
            "orders",
            50,
            {"status", "expires_at"},
            set(),
        ),
        (
            "SELECT id FROM a WHERE $1::uuid IS NULL OR id > $1::uuid ORDER BY id LIMIT $2",
            "a",
            None,
            set(),
            {"id"},
        ),
        ("SELECT * FROM shop.users WHERE name = $1", "users", None, set(), set()),
        (
            "SELECT c.id FROM carts c WHERE c.reminded_at IS NULL LIMIT $1",
            "carts",
            None,
            {"reminded_at"},
            set(),
        ),
    ],
)
def test_select(text: str, table: str, limit: int | None, states: set[str], pages: set[str]) -> None:
    found = one(text)
    assert (found.verb, found.table, found.limit) == ("select", table, limit)
    assert (set(found.states), set(found.pages)) == (states, pages)


@pytest.mark.parametrize(
    ("text", "single"),
    [
        ("SELECT count(*) FROM users", True),
        ("SELECT EXISTS (SELECT 1 FROM users)", True),
        ("SELECT team, count(*) FROM users GROUP BY team", False),
        ("SELECT row_number() OVER (ORDER BY id) FROM users", False),
        ("SELECT pg_try_advisory_lock(42)", True),
    ],
)
def test_one_row_by_its_form(text: str, single: bool) -> None:
    assert one(text).aggregate is single


def test_existence() -> None:
    assert one("SELECT 1 FROM day_closings WHERE day = $1").exists
    assert not one("SELECT id FROM day_closings WHERE day = $1").exists


@pytest.mark.parametrize(
    ("text", "upsert"),
    [
        ("INSERT INTO invoices (order_id) VALUES ($1) RETURNING id", False),
        ("INSERT INTO days (day) VALUES ($1) ON CONFLICT (day) DO NOTHING", True),
        ("INSERT IGNORE INTO days (day) VALUES (?)", True),
        ("INSERT INTO days (day) VALUES (?) ON DUPLICATE KEY UPDATE day = day", True),
        ("INSERT OR REPLACE INTO days (day) VALUES (?)", True),
        ("REPLACE INTO days (day) VALUES (?)", True),
        (
            "MERGE INTO days USING new ON days.day = new.day WHEN NOT MATCHED THEN INSERT VALUES (new.day)",
            True,
        ),
    ],
)
def test_insert(text: str, upsert: bool) -> None:
    found = one(text)
    assert (found.verb, found.upsert) == ("insert", upsert)


def test_insert_that_leaves_out_what_is_there() -> None:
    text = "INSERT INTO a SELECT * FROM b WHERE NOT EXISTS (SELECT 1 FROM a WHERE a.id = b.id)"
    assert (one(text).from_select, one(text).excludes) == (True, True)


def test_conditional_update() -> None:
    found = one("UPDATE payouts SET state = 'sent', transfer_id = $2 WHERE id = $1 AND state = 'due'")
    assert (set(found.states), set(found.keys), set(found.sets)) == (
        {"state"},
        {"id"},
        {"state", "transfer_id"},
    )
    assert found.words == {"sent"}


def test_unconditional_update() -> None:
    found = one("UPDATE orders SET status = 'expired', updated_at = now() WHERE id = %s")
    assert (set(found.states), set(found.keys), set(found.sets)) == (set(), {"id"}, {"status", "updated_at"})


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM beats WHERE time < ${…}",
        "DELETE FROM beats WHERE time < DATE_SUB(NOW(), INTERVAL ? DAY)",
        "DELETE FROM beats WHERE id IN (SELECT id FROM beats WHERE time < now() LIMIT 100)",
        "DELETE FROM beats WHERE time < datetime('now', '-30 days')",
    ],
)
def test_delete_by_age(text: str) -> None:
    found = one(text)
    assert (found.verb, found.table, set(found.states)) == ("delete", "beats", {"time"})


def test_holes_stand_for_names_and_parameters() -> None:
    found = one("DELETE FROM ${…} WHERE id = ${…}")
    assert (found.verb, found.table, set(found.keys)) == ("delete", None, {"id"})


def test_writing_statement_inside_a_query() -> None:
    found = one("WITH gone AS (DELETE FROM old WHERE at < now() RETURNING *) SELECT count(*) FROM gone")
    assert [(o.verb, o.table) for o in found.others] == [("delete", "old")]


def test_what_cannot_be_parsed_is_read_by_its_clauses() -> None:
    found = one("UPDATE x SET status = 'done' FROM @@@ WHERE status = 'open'")
    assert (found.verb, found.table, set(found.sets), set(found.states)) == (
        "update",
        "x",
        {"status"},
        {"status"},
    )


@pytest.mark.parametrize(
    ("text", "verb"),
    [("BEGIN", "begin"), ("start transaction", "begin"), ("COMMIT;", "commit"), ("ROLLBACK", "rollback")],
)
def test_transactions(text: str, verb: str) -> None:
    assert one(text).verb == verb


@pytest.mark.parametrize(
    "text",
    [
        "Select an option from the list",
        "Update the settings",
        "Delete from here",
        "begin at the end",
        "SELECTED",
    ],
)
def test_sentences_are_no_statements(text: str) -> None:
    assert sql.read(text) == ()
