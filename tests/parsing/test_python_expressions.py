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
        ("x = 'a\\'b\\x41\\u0041\\101\\n\\d'", 'x = "a\'bAAA\\n\\\\d"'),
        ("x = '\\N{BULLET}\\U0001F600'", "x = '•😀'"),
        ("x = r'a\\n' 'b\\n'", "x = 'a\\\\nb\\n'"),
        ("x = b'a'", "x = 'a'"),
        ("x = '''a\nb'''", "x = 'a\\nb'"),
        ("x = ''", "x = ''"),
        ("x = [0x1F, 1_000, 1e3, 0o17, 1.5]", "x = [31, 1000, 1000.0, 15, 1.5]"),
        ("x = [3j, ...]", "x = [?(), ?()]"),
        ("x = [None, True, False]", "x = [None, True, False]"),
    ],
)
def test_literals(py: Dump, source: str, expected: str) -> None:
    assert py(source) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = f'a{b}c{d.e()!r:>{w}}{{}}\\n'", "x = `a${b}c${d.e()}{}\\n`"),
        ("x = f'a{b}' 'c' f'{d}'", "x = `a${b}c${d}`"),
        ("x = rf'\\d{a}'", "x = `\\d${a}`"),
        ("x = f'a'", "x = 'a'"),
        ("x = 'a %s' % b", "x = `a ${b}`"),
        ("x = '%s-%5.2f %%' % (a, b)", "x = `${a}-${b} %`"),
        ("x = '%(a)s %(b)s' % {'a': c, 'b': d}", "x = `${c} ${d}`"),
        ("x = '%(a)s' % b", "x = `${b['a']}`"),
        ("x = '%s %s' % (a,)", "x = `${a} ${?()}`"),
        ("x = a % b", "x = (% a b)"),
        ("x = '{} {{}} {}'.format(a, b)", "x = `${a} {} ${b}`"),
        ("x = '{1}{0}{c.d[0][e]!r:>10}'.format(a, b, c=f)", "x = `${b}${a}${f.d[0]['e']}`"),
        ("x = '{}{a}'.format(*b, **c)", "x = `${?(b, c)}${?(b, c)}`"),
        ("x = a.format(b)", "x = a.format(b)"),
    ],
)
def test_templates(py: Dump, source: str, expected: str) -> None:
    assert [line.replace("\n", "\\n") for line in py(source)] == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a and b or not c", "(or (and a b) (not c))"),
        ("-a ** ~b // c @ d", "(@ (// (- (** a (~ b))) c) d)"),
        ("a < b <= c", "(and (< a b) (<= b c))"),
        ("a not in b", "(not (in a b))"),
        ("a is not None", "(not (is a None))"),
        ("a is b == c", "(and (is a b) (== b c))"),
        ("b if a else c", "(a ? b : c)"),
        ("(a := b)", "(a = b)"),
        ("(yield a)", "?(a)"),
        ("a.b(c, *d, e=f, **g)", "a.b(c, ...d, e=f, **g)"),
        ("a(b for b in c)", "a((generator b for b in c))"),
        ("a[b]", "a[b]"),
        ("a[b, c]", "a[[b, c]]"),
        ("a[b:c:d]", "a[?(b, c, d)]"),
        ("a, *b", "[a, ...b]"),
        ("(a, b)", "[a, b]"),
        ("{a, b}", "[a, b]"),
        ("{'a': b, c: d, 1: e, **f}", "{a: b, [c]: d, [1]: e, ...f}"),
        ("[a for b in c if d if e]", "(list a for b in c if d if e)"),
        ("{a for b in c for d in e if f}", "(set (set a for d in e if f) for b in c)"),
        ("{a: b for a, b in c}", "(dict [a, b] for [a, b] in c)"),
        ("super().a(b)", "super.a(b)"),
        ("super(A, self).a()", "super.a()"),
        (
            "f(lambda: a, key=lambda b, *c, d=1: e)",
            ("f(arrow <anonymous>() {return a}, key=arrow key(b, *c, d = 1) {return e})"),
        ),
        ("print('a', file=b)", "print('a', file=b)"),
        ("print 'a', b", "print('a', b)"),
    ],
)
def test_expressions(py: Dump, source: str, expected: str) -> None:
    assert py(source) == [expected]


def test_a_link_of_a_chain_stands_on_the_line_of_its_name() -> None:
    module = parse("file", b"x = (queue\n  .add(\n    a)\n  .then(b))", Language.PYTHON)
    (statement,) = module.body
    assert isinstance(statement, ir.Assign)
    then = statement.value
    assert isinstance(then, ir.Call)
    assert isinstance(then.callee, ir.Member)
    add = then.callee.object
    assert isinstance(add, ir.Call)
    assert (statement.line, add.line, add.end_line, then.line, then.end_line) == (1, 2, 3, 4, 4)
