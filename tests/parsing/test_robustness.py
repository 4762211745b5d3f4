from __future__ import annotations

from collections.abc import Iterator

import pytest

from cronaudit.model import ir
from cronaudit.model.source import Language
from cronaudit.parsing import LANGUAGES, parse

_SCRIPTS = (Language.TYPESCRIPT, Language.TSX, Language.JAVASCRIPT)
_ALL = (*_SCRIPTS, Language.PYTHON)


def _nodes(module: ir.Module) -> Iterator[object]:
    """Yield every node, the bodies of functions included, without recursion."""
    pending: list[object] = [module.body]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending.extend(node)
            continue
        slots = getattr(type(node), "__slots__", ())
        if not slots:
            continue
        yield node
        pending.extend(
            getattr(node, slot)
            for slot in slots
            if slot not in ("module", "parent", "owner", "lower", "_body")
        )
        if isinstance(node, ir.Function):
            pending.append(node.body)


def _names(module: ir.Module) -> set[str]:
    return {node.name for node in _nodes(module) if isinstance(node, ir.Name)}


_NESTED = [
    ("f(", "a", ")", _ALL),
    ("[", "a", "]", _ALL),
    ("(", "a", ")", _ALL),
    ("{'k': ", "a", "}", _ALL),
    ("-", "a", "", _ALL),
    ("!", "a", "", _SCRIPTS),
    ("await ", "a", "", _SCRIPTS),
    ("`${", "a", "}`", _SCRIPTS),
    ("(() => ", "a", ")", _SCRIPTS),
    ("class { k = ", "a", "}", _SCRIPTS),
    ("(k = ", "a", ") => k", _SCRIPTS),
    ("k = ", "a", "", _ALL),
    ("b ? c : ", "a", "", _SCRIPTS),
    ("b ? ", "a", " : c", _SCRIPTS),
    ("<A b={", "a", "}/>", (Language.TSX, Language.JAVASCRIPT)),
    ("<A>{", "a", "}</A>", (Language.TSX, Language.JAVASCRIPT)),
    ("not ", "a", "", (Language.PYTHON,)),
    ("lambda: ", "a", "", (Language.PYTHON,)),
    ("b if c else ", "a", "", (Language.PYTHON,)),
]


@pytest.mark.parametrize(
    ("before", "inside", "after", "language"),
    [(before, inside, after, language) for before, inside, after, langs in _NESTED for language in langs],
)
def test_deep_nesting_is_cut(before: str, inside: str, after: str, language: Language) -> None:
    deep = 5_000
    module = parse("file", f"x = {before * deep}{inside}{after * deep}\ny = z\n".encode(), language)
    names = _names(module)
    assert {"x", "y", "z"} <= names
    shallow = parse("file", f"x = {before * 8}{inside}{after * 8}\n".encode(), language)
    assert "a" in _names(shallow)


@pytest.mark.parametrize("language", _SCRIPTS)
@pytest.mark.parametrize("start", ["{", "if (b) {", "for (;;) {", "try {", "function f() {", "() => {"])
def test_deep_statements_are_cut(language: Language, start: str) -> None:
    end = "} catch {}" if start == "try {" else "}"
    names = _names(parse("file", f"{start * 3_000}{end * 3_000};y = z".encode(), language))
    assert {"y", "z"} <= names


@pytest.mark.parametrize("language", _ALL)
@pytest.mark.parametrize("links", [1_000, 5_000])
def test_long_chains(language: Language, links: int) -> None:
    source = f"x = a + {' + '.join(f'b{i}' for i in range(links))}\ny = r{''.join(f'.m(c{i})' for i in range(links))}\n"
    names = _names(parse("file", source.encode(), language))
    assert names == {"x", "a", "y", "r", *(f"{name}{i}" for name in "bc" for i in range(links))}


@pytest.mark.parametrize("language", _SCRIPTS)
def test_long_else_if(language: Language) -> None:
    source = "if (a) b(); " + " ".join(f"else if (c{i}) d{i}();" for i in range(5_000))
    names = _names(parse("file", source.encode(), language))
    assert names == {"a", "b", *(f"{name}{i}" for name in "cd" for i in range(5_000))}


def test_a_chain_is_one_tree_up_to_a_thousand_links() -> None:
    module = parse("file", b"a" + b".b()" * 1_000, Language.TYPESCRIPT)
    (statement,) = module.body
    assert isinstance(statement, ir.Do)
    value, calls = statement.value, 0
    while isinstance(value, ir.Call):
        assert isinstance(value.callee, ir.Member)
        value, calls = value.callee.object, calls + 1
    assert isinstance(value, ir.Name)
    assert (value.name, calls) == ("a", 1_000)


def test_broken_javascript_gives_what_can_be_read() -> None:
    module = parse("file", b"a();\nlet = = ;\nfunction f() { b( }\nc();\n", Language.TYPESCRIPT)
    assert module.errors == (2, 3)
    assert {"a", "c"} <= _names(module)


def test_broken_python_gives_what_can_be_read() -> None:
    module = parse("file", b"a()\ndef f(:\n    b()\nc()\n", Language.PYTHON)
    assert module.errors == (2,)
    assert {"a", "b", "c"} <= _names(module)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 'é'".encode(), "é"),
        ("x = 'é'".encode("utf-8-sig"), "é"),
        ("x = 'é'".encode("utf-16"), "é"),
        ("x = 'é'".encode("latin-1"), "\ufffd"),
        (b"x = '\xf0\x9f\x98\x80'", "😀"),
    ],
)
@pytest.mark.parametrize("language", [Language.JAVASCRIPT, Language.PYTHON])
def test_encodings(source: bytes, expected: str, language: Language) -> None:
    (statement,) = parse("file", source, language).body
    assert isinstance(statement, ir.Assign)
    assert isinstance(statement.value, ir.Const)
    assert statement.value.value == expected


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_an_empty_file(language: Language) -> None:
    module = parse("file", b"", language)
    assert (module.path, module.body, module.comments, module.errors) == ("file", (), (), ())


def test_other_languages_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot parse yaml"):
        parse("file", b"a: 1", Language.YAML)
