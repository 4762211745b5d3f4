from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model import ir
from cronaudit.model.source import Language
from cronaudit.parsing import parse

Dump = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 'a\\'b\\x41\\u0041\\u{41}\\101\\n'", 'x = "a\'bAAAA\\n"'),
        ("x = 'a\\\nb'", "x = 'ab'"),
        ("x = '\\ud83d\\ude00'", "x = '😀'"),
        ("x = '\\ud83d'", "x = '\ufffd'"),
        ("x = 0x10 + 1_000 + 1e3", "x = (+ (+ 16 1000) 1000)"),
        ("x = [10n, 0b11, 0o17, 017, .5, 1.50]", "x = [10, 3, 15, 15, 0.5, 1.5]"),
        ("x = [undefined, null, void 0, true, false, NaN]", "x = [None, None, None, True, False, NaN]"),
        ("x = /a'b/g", "x = ?()"),
        ("x = `plain\\n`", "x = 'plain\\n'"),
        ("x = ``", "x = ''"),
        ("x = `a ${b} \\u{41}${`c${d}`}`", "x = `a ${b} A${`c${d}`}`"),
        ("x = sql`SELECT ${a}`", "x = sql(`SELECT ${a}`)"),
        ("x = sql`SELECT 1`", "x = sql(`SELECT 1`)"),
    ],
)
def test_literals(js: Dump, source: str, expected: str) -> None:
    assert js(source) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a === b && c !== d || !e", "(or (and (== a b) (!= c d)) (not e))"),
        ("a ?? b", "(?? a b)"),
        ("-a + +b - ~c", "(- (+ (- a) (+ b)) (~ c))"),
        ("a >>> 1", "(>> a 1)"),
        ("a ** b % c", "(% (** a b) c)"),
        ("typeof a === 'string'", "(== (typeof a) 'string')"),
        ("a instanceof B", "(instanceof a B)"),
        ("'a' in b", "(in 'a' b)"),
        ("#x in b", "(in '#x' b)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("delete a.b", "?(a.b)"),
        ("f(void g())", "f(?(g()))"),
        ("f((a(), b()))", "f(?(a(), b()))"),
        ("(0, a.b)(c)", "a.b(c)"),
        ("f(i++, --j)", "f((i += 1), (j -= 1))"),
        ("f(t = g())", "f((t = g()))"),
        ("f(t ??= g())", "f((t ??= g()))"),
        ("import('x').then(f)", "import('x').then(f)"),
        ("import.meta.url", "import.meta.url"),
        ("new.target", "?()"),
    ],
)
def test_operators(js: Dump, source: str, expected: str) -> None:
    assert js(source) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a?.b?.[c]?.(d)", "a.b[c](d)"),
        ("a.b(c, ...d, e)", "a.b(c, ...d, e)"),
        ("new A", "new A()"),
        ("new a.B(c)", "new a.B(c)"),
        ("new A().b()", "new A().b()"),
        ("super.a()", "super.a()"),
        ("this.#a.b", "this.#a.b"),
        ("await a.b()", "(await a.b())"),
        ("(await a()).b", "(await a()).b"),
        ("f(/* no */ a, // no\n b)", "f(a, b)"),
        ("(function () { a() })()", "function <anonymous>() {a()}()"),
        ("(async () => { await a() })()", "arrow async <anonymous>() {(await a())}()"),
    ],
)
def test_chains(js: Dump, source: str, expected: str) -> None:
    assert js(source) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a!.b!()", "a.b()"),
        ("(a as B).c", "a.c"),
        ("f(a satisfies B, <C>d)", "f(a, d)"),
        ("f({a: 1} as const)", "f({a: 1})"),
        ("f<T>(a).g<U>(b)", "f(a).g(b)"),
        ("new Map<string, A>([[a, b]])", "new Map([[a, b]])"),
        ("a<b> as any", "a"),
    ],
)
def test_types_leave_no_trace_in_expressions(ts: Dump, source: str, expected: str) -> None:
    assert ts(source) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # The grammar makes a call of the operator: `(await f)<T>(a)`.
        ("await f<T>(a)", "(await f(a))"),
        ("await this.q.add<T>(a).b<U>(c)", "(await this.q.add(a).b(c))"),
        ("!f<T>(a) && g.h<U>(b)", "(and (not f(a)) g.h(b))"),
        ("a + f<T>(b)", "(+ a f(b))"),
        ("a ?? await f<T>(b)", "(?? a (await f(b)))"),
        ("a == b && c + f<T>(d).e", "(and (== a b) (+ c f(d).e))"),
        ("await new A<T>(b).c<U>(d)", "(await new A(b).c(d))"),
        ("await (await f<T>(a)).g<U>(b)", "(await (await f(a)).g(b))"),
    ],
)
def test_an_operator_before_a_generic_call_applies_to_its_result(
    ts: Dump, source: str, expected: str
) -> None:
    assert ts(source) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = [a, ...b, , c]", "x = [a, ...b, ?(), c]"),
        ("x = {a, b: 1, 'c-d': 2, 3: 4, ...e}", "x = {a: a, b: 1, c-d: 2, 3: 4, ...e}"),
        ("x = {[a]: 1, ['b']: 2, [`c`]: 3}", "x = {[a]: 1, b: 2, c: 3}"),
        (
            "x = {a() {}, async *b() {}, get c() {}, set c(v) {}, async: 1}",
            "x = {a: method a() {}, b: method async generator b() {}, c: getter c() {}, c: setter c(v) {}, async: 1}",
        ),
        (
            "x = {a: () => 1, b: function () {}, c: function d() {}, e: class {}}",
            "x = {a: arrow a() {return 1}, b: function b() {}, c: function d() {}, e: class e() {}}",
        ),
    ],
)
def test_displays(js: Dump, source: str, expected: str) -> None:
    assert js(source) == [expected]


def test_jsx_keeps_its_expressions(tsx: Dump) -> None:
    source = """
        x = <A b={c()} d="e" {...f} g={<H i={j} />}>text {k.map((l) => <M>{l()}</M>)} {/* no */}</A>;
        y = <></>;
    """
    assert tsx(source) == [
        "x = ?(c(), f, ?(j), k.map(arrow <anonymous>(l) {return ?(l())}))",
        "y = ?()",
    ]


def test_a_link_of_a_chain_stands_on_the_line_of_its_name() -> None:
    module = parse("file", b"queue\n  .add(\n    a)\n  .then(b);", Language.JAVASCRIPT)
    (statement,) = module.body
    assert isinstance(statement, ir.Do)
    then = statement.value
    assert isinstance(then, ir.Call)
    assert isinstance(then.callee, ir.Member)
    add = then.callee.object
    assert isinstance(add, ir.Call)
    assert (statement.line, add.line, add.end_line, then.line, then.end_line) == (1, 2, 3, 4, 4)
