from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.source import Language
from cronaudit.parsing import parse

Dump = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "const a = await tx.$queryRaw<Row[]>`SELECT ${b}`; c()",
            ["let a = (await tx.$queryRaw(`SELECT ${b}`))", "c()"],
        ),
        ("a = sql<{b: string; c: () => D}[]>`x`; e()", ["a = sql(`x`)", "e()"]),
        ("a = sql<\n  B,\n  C<D>\n>`é ${f}`.g()", ["a = sql(`é ${f}`).g()"]),
        ("a = sql<B>`x`", ["a = sql(`x`)"]),
    ],
)
def test_a_tag_with_type_arguments_is_a_call(ts: Dump, source: str, expected: list[str]) -> None:
    assert ts(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if (a<b && c>`d`) e()", "if (and (< a b) (> c 'd')) {e()}"),
        ("a = b > `c`", "a = (> b 'c')"),
        ("a = () => `b`", "a = arrow a() {return 'b'}"),
        ("a = `<p>b<i>`", "a = '<p>b<i>'"),
        ("a = [`b<c`, d, `e>`, `f`]", "a = ['b<c', d, 'e>', 'f']"),
    ],
)
def test_other_angles_before_a_quote_stay(ts: Dump, source: str, expected: str) -> None:
    assert ts(source) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a(await b<typeof import('c')>())", "a((await b()))"),
        ("a.b<C>?.(d)", "a.b(d)"),
        ("class A { static accessor b = 1 }", "class A() {static b = 1}"),
        ("interface A<in out T, out U> { b: C }", "interface A() {b: C}"),
    ],
)
def test_unreadable_types_are_blanked(ts: Dump, source: str, expected: str) -> None:
    assert ts(source) == [expected]


def test_lines_stay_where_they_are() -> None:
    module = parse("file", b"a = sql<\n  B\n>`x`\nb()", Language.TYPESCRIPT)
    assert [statement.line for statement in module.body] == [1, 4]


def test_flow_types_are_read(js: Dump) -> None:
    source = """
        // @flow
        import type {A} from 'b'
        function c(d: A, e?: string): Promise<void> { f() }
    """
    assert js(source) == [
        "type import A from 'b' as 'A'",
        "function c(d: A, e: string) -> Promise<void> {f()}",
    ]
