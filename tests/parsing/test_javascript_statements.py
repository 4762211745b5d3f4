from __future__ import annotations

from collections.abc import Callable

import pytest

Dump = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("let a, b = 1; var c", ["let a", "let b = 1", "let c"]),
        ("a = b = c", ["a = (b = c)"]),
        ("a += 1; b ??= 2; c ||= 3; d >>>= 4", ["a += 1", "b ??= 2", "c or= 3", "d >>= 4"]),
        ("a++; --b", ["a += 1", "b -= 1"]),
        ("(a = b())", ["a = b()"]),
        ("a(), b = c", ["a()", "b = c"]),
        ("void a()", ["a()"]),
        ("'use strict'; debugger;;", []),
        ("throw new Error('a')", ["throw new Error('a')"]),
        ("{ a() }", ["a()"]),
        (
            "const {a, b: c, d = 1, [e]: f, g: {h} = {}, ...i} = j",
            ["let {a: a, b: c, d: (d = 1), [e]: f, g: ({h: h} = {}), ...i} = j"],
        ),
        ("const [a, , b = 1, [c], ...d] = e", ["let [a, ?(), (b = 1), [c], ...d] = e"]),
        ("[a, b.c] = [d, e]; ({f} = g)", ["[a, b.c] = [d, e]", "{f: f} = g"]),
    ],
)
def test_simple_statements(js: Dump, source: str, expected: list[str]) -> None:
    assert js(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if (a) b(); else if (c) { d() } else e()", ["if a {b()} else {if c {d()} else {e()}}"]),
        ("if (a) {} // no\nelse /* no */ b()", ["if a {} else {b()}"]),
        (
            "for (let i = 0, n = 1; i < n; i++) a()",
            ["let i = 0", "let n = 1", "while (< i n); (i += 1) {a()}"],
        ),
        ("for (;;) a()", ["while {a()}"]),
        ("for (i = 0; ;) a()", ["i = 0", "while {a()}"]),
        ("for (const [a, b] of c()) d()", ["each [a, b] in c() {d()}"]),
        ("for (a.b in c) d()", ["keys a.b in c {d()}"]),
        (
            "async () => { for await (const a of b) c() }",
            ["arrow async <anonymous>() {async each a in b {c()}}"],
        ),
        ("while (a) b()", ["while a {b()}"]),
        ("do a(); while (b)", ["do b {a()}"]),
        ("x: while (a) { while (b) { break x; continue x } }", ["while a {while b {break; continue}}"]),
        ("with (a) b()", ["a", "b()"]),
        ("try { a() } catch { b() } finally { c() }", ["try {a()} catch {b()} finally {c()}"]),
        ("try { a() } catch (e) { b(e) }", ["try {a()} catch e {b(e)}"]),
        (
            "try { a() } catch ({message}) { b(message) }",
            ["try {a()} catch <error> {let {message: message} = <error>; b(message)}"],
        ),
        ("try { a() } finally { b() }", ["try {a()} finally {b()}"]),
    ],
)
def test_compound_statements(js: Dump, source: str, expected: list[str]) -> None:
    assert js(source) == expected


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ("case 1: a(); break; case 2: b(); break", "if (== x 1) {a()} else {if (== x 2) {b()}}"),
        ("case 1: case 2: a(); break; default: b()", "if (or (== x 1) (== x 2)) {a()} else {b()}"),
        ("case 1: { a(); break } default: b()", "if (== x 1) {a()} else {b()}"),
        ("default: a(); break; case 1: b()", "if (== x 1) {b()} else {a()}"),
        (
            "case 1: a(); case 2: b(); case 3: c(); break; case 4: d()",
            (
                "if (== x 1) {a(); b(); c()} else {if (== x 2) {b(); c()}"
                " else {if (== x 3) {c()} else {if (== x 4) {d()}}}}"
            ),
        ),
        ("case 1: default: a()", "a()"),
        ("case 1: return; case 2: throw e", "if (== x 1) {return} else {if (== x 2) {throw e}}"),
    ],
)
def test_switch(js: Dump, cases: str, expected: str) -> None:
    assert js(f"switch (x) {{ {cases} }}") == [expected]


def test_break_in_a_switch_ends_no_loop(js: Dump) -> None:
    source = "while (a) { switch (b) { case 1: if (c) break; while (d) { break } } break }"
    assert js(source) == ["while a {if (== b 1) {if c {}; while d {break}}; break}"]


def test_break_in_a_function_in_a_switch(js: Dump) -> None:
    source = "switch (a) { case 1: f(() => { while (b) { break } }) }"
    assert js(source) == ["if (== a 1) {f(arrow <anonymous>() {while b {break}})}"]


def test_an_effect_in_the_subject_of_an_empty_switch_is_kept(js: Dump) -> None:
    assert js("switch (a()) { default: b() }") == ["a()", "b()"]


@pytest.mark.parametrize("source", ["a(); using b = c(); d(); await using e = f(); g();"])
def test_using_holds_the_rest_of_its_block(js: Dump, ts: Dump, source: str) -> None:
    expected = ["a()", "with c() as b {d(); async with f() as e {g()}}"]
    assert js(source) == expected
    assert ts(source) == expected
