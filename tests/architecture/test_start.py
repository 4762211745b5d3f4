"""What the import of a module runs: every start of the program pays for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "cronaudit"
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
COMPILING = frozenset(
    ("compile", "match", "search", "fullmatch", "findall", "finditer", "split", "sub", "subn", "template")
)
"""Functions of `re` that compile what they are handed."""


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What is in `node` but for the bodies of functions: their defaults and decorators run, classes do as a whole."""
    yield node
    inner: list[ast.AST] = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        inner = [node.args, *node.decorator_list]
    elif isinstance(node, ast.Lambda):
        inner = [node.args]
    for child in inner:
        yield from run_at_import(child)


def compiled_at_import(code: str) -> list[int]:
    """The lines of a module that compile a regular expression when it is imported."""
    tree = ast.parse(code)
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "re"
        for alias in node.names
        if alias.name in COMPILING
    }
    return [
        node.lineno
        for node in run_at_import(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in names)
            or (
                isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in COMPILING
            )
        )
    ]


def test_what_counts() -> None:
    code = """
import re
from re import compile as pattern
A = re.compile("a")
B = {"b": (re.compile("b"), 1)}
class C:
    c = pattern("c")
def d(text, d=re.compile("d")):
    return re.sub("e", "", text)
LATER = lambda text: re.search("f", text)
ESCAPED = re.escape("g") + str(re.IGNORECASE)
"""
    assert compiled_at_import(code) == [4, 5, 7, 8]


@pytest.mark.parametrize("file", FILES)
def test_no_regular_expression_is_compiled_at_import(file: str) -> None:
    """`lazy_regex` is for the constants of a module."""
    assert compiled_at_import((PACKAGE / file).read_text(encoding="utf-8")) == []
