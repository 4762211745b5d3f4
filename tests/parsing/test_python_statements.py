from __future__ import annotations

from collections.abc import Callable

import pytest

Dump = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = b = c", ["a = (b = c)"]),
        ("a, *b = c", ["[a, ...b] = c"]),
        ("(a, [b, c]) = d", ["[a, [b, c]] = d"]),
        ("a.b = c[d] = e", ["a.b = (c[d] = e)"]),
        ("a: int = 1", ["a: int = 1"]),
        ("a: int", ["a: int"]),
        ("a += 1; b //= 2; c |= d", ["a += 1", "b //= 2", "c |= d"]),
        ("x = lambda: 1", ["x = arrow x() {return 1}"]),
        ("del a, b[c]", ["?([a, b[c]])"]),
        ("assert a(), 'b'", ["?(a(), 'b')"]),
        ("global a", []),
        ("pass; ...; 'text'", []),
        ("raise A('b') from c", ["throw A('b')"]),
        ("raise", ["throw"]),
        ("x = yield a", ["x = ?(a)"]),
        ("type A = B[C]", ["interface A(B<C>) {}"]),
    ],
)
def test_simple_statements(py: Dump, source: str, expected: list[str]) -> None:
    assert py(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if a: b()\nelif c: d()\nelse: e()", ["if a {b()} else {if c {d()} else {e()}}"]),
        ("for a, b in c: d()\nelse: e()", ["each [a, b] in c {d()}", "e()"]),
        ("async def f():\n  async for a in b: c()", ["function async f() {async each a in b {c()}}"]),
        ("while a:\n  if b: break\n  continue\nelse: c()", ["while a {if b {break}; continue}", "c()"]),
        (
            "try: a()\nexcept (B, c.D) as e: f(e)\nexcept G: raise\nexcept: pass\nelse: h()\nfinally: i()",
            ["try {a(); h()} catch (B, c.D) e {f(e)} catch (G) {throw} catch {} finally {i()}"],
        ),
        ("try: a()\nexcept* B as c: d()", ["try {a()} catch (B) c {d()}"]),
        ("with a() as b, c as (d, e), f: g()", ["with a() as b, c as [d, e], f {g()}"]),
        (
            "async def f():\n  async with (a() as b, c): d()",
            ["function async f() {async with a() as b, c {d()}}"],
        ),
    ],
)
def test_compound_statements(py: Dump, source: str, expected: list[str]) -> None:
    assert py(source) == expected


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("1", "if (== x 1) {a()}"),
        ("-1", "if (== x (- 1)) {a()}"),
        ("'a' | None", "if (or (== x 'a') (== x None)) {a()}"),
        ("B.C", "if (== x B.C) {a()}"),
        ("B(c=1)", "if (instanceof x B) {a()}"),
        ("b.C() as d", "if (instanceof x b.C) {d = x; a()}"),
        ("d if d > 1", "if (> d 1) {d = x; a()}"),
        ("[b, *_]", "if ?(x) {a()}"),
        ("{'b': c}", "if ?(x) {a()}"),
        ("b, c", "if ?(x) {a()}"),
    ],
)
def test_match(py: Dump, case: str, expected: str) -> None:
    source = f"match x:\n  case {case}: a()\n  case _: b()\n  case 2: never()"
    assert py(source) == [f"{expected} else {{b()}}"]


def test_a_match_that_takes_all(py: Dump) -> None:
    assert py("match x():\n  case a: b(a)") == ["x()", "a = x()", "b(a)"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a", ["import * from 'a' as 'a'"]),
        ("import a.b.c", ["import * from 'a' as 'a'", "import * from 'a.b.c' as ''"]),
        ("import a.b as c, d", ["import * from 'a.b' as 'c'", "import * from 'd' as 'd'"]),
        ("from a.b import c, d as e", ["import c from 'a.b' as 'c'", "import d from 'a.b' as 'e'"]),
        ("from a import (\n  b,\n  c as d,\n)", ["import b from 'a' as 'b'", "import c from 'a' as 'd'"]),
        ("from . import a", ["import a from '.' as 'a'"]),
        ("from ..a.b import c", ["import c from '..a.b' as 'c'"]),
        ("from a import *", ["import * from 'a' as '*'"]),
        ("from __future__ import annotations", []),
        (
            "if TYPE_CHECKING:\n  from a import b\nelse:\n  c = 1",
            ["type import b from 'a' as 'b'", "c = 1"],
        ),
        ("if typing.TYPE_CHECKING:\n  import a", ["type import * from 'a' as 'a'"]),
        (
            "try:\n  import a\nexcept ImportError:\n  a = None",
            ["try {import * from 'a' as 'a'} catch (ImportError) {a = None}"],
        ),
    ],
)
def test_imports(py: Dump, source: str, expected: list[str]) -> None:
    assert py(source) == expected
