from __future__ import annotations

import pytest

from cronaudit.model.source import Language
from cronaudit.parsing import parse

Row = tuple[str, int, int, bool, bool]


def _comments(source: str, language: Language) -> list[Row]:
    module = parse("file", source.encode(), language)
    return [(c.text, c.line, c.end_line, c.is_doc, c.is_trailing) for c in module.comments]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("// a\n//b\n\n// c\n", [("a\nb", 1, 2, False, False), ("c", 4, 4, False, False)]),
        ("x() // a\n// b\n", [("a", 1, 1, False, True), ("b", 2, 2, False, False)]),
        ("// a\nx() // b\n", [("a", 1, 1, False, False), ("b", 2, 2, False, True)]),
        ("/// a\n", [("a", 1, 1, False, False)]),
        ("/* a\n   b */\n", [("a\nb", 1, 2, False, False)]),
        (
            "// a\n/* b */\n// c\n",
            [
                ("a", 1, 1, False, False),
                ("b", 2, 2, False, False),
                ("c", 3, 3, False, False),
            ],
        ),
        ("/**\n * A job.\n *\n *  @see b\n */\nx()", [("A job.\n\n@see b", 1, 5, True, False)]),
        ("/** a */ x()", [("a", 1, 1, True, False)]),
        ("/**/ x()", [("", 1, 1, False, False)]),
        (
            "function f() {\n  // a\n  return () => {\n    b() // c\n  }\n}",
            [
                ("a", 2, 2, False, False),
                ("c", 4, 4, False, True),
            ],
        ),
        ("x = ['// no', `/* no */ ${/* a */ b}`, /[/]* no/, 'http://no']", [("a", 1, 1, False, True)]),
        ("#!/usr/bin/env node\n// é\n", [("é", 2, 2, False, False)]),
        ("// a\r\n// b\r\n", [("a\nb", 1, 2, False, False)]),
    ],
)
def test_javascript(source: str, expected: list[Row]) -> None:
    assert _comments(source, Language.JAVASCRIPT) == expected
    assert _comments(source, Language.TYPESCRIPT) == expected


def test_comments_in_jsx() -> None:
    source = "x = <A>// no {/* a */}</A>"
    assert _comments(source, Language.TSX) == [("a", 1, 1, False, True)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# a\n#b\n\n#: c\n", [("a\nb", 1, 2, False, False), ("c", 4, 4, False, False)]),
        ("x() # a\n# b\n", [("a", 1, 1, False, True), ("b", 2, 2, False, False)]),
        ("#!/usr/bin/env python\n# a\n", [("a", 2, 2, False, False)]),
        ("x = '# no'\ny = f'{a}# no'\n", []),
        ('"""Module."""\nimport a\n', [("Module.", 1, 1, True, False)]),
        ("# a\n'''Module.'''\n", [("a", 1, 1, False, False), ("Module.", 2, 2, True, False)]),
        (
            'def f():\n    """\n    First.\n\n      Indented.\n    """\n    # a\n',
            [("First.\n\n  Indented.", 2, 6, True, False), ("a", 7, 7, False, False)],
        ),
        (
            "class A:\n  r'Doc.'\n  def b(self):\n    'Own.'\n",
            [
                ("Doc.", 2, 2, True, False),
                ("Own.", 4, 4, True, False),
            ],
        ),
        ('class A(B): """One line."""\n', [("One line.", 1, 1, True, False)]),
        ("def f():\n  # a\n  'Doc.'\n", [("a", 2, 2, False, False), ("Doc.", 3, 3, True, False)]),
        ("def f():\n  a()\n  'no'\n", []),
        ("x = [\n  'no',\n  'no'\n]\ny = {\n  'a': 'no'}\n", []),
        ("if a:\n  'no'\n", []),
        ('def f():\n  """Doc.\n  # no\n  "no"\n  """\n', [('Doc.\n# no\n"no"', 2, 5, True, False)]),
    ],
)
def test_python(source: str, expected: list[Row]) -> None:
    assert _comments(source, Language.PYTHON) == expected
