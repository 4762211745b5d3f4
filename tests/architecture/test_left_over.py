"""Nothing is left behind that nobody uses: a constant or function of a module's own has a reader."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "cronaudit"
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def private_names(tree: ast.Module) -> Iterator[str]:
    """The names with an underscore that a module defines; a decorator may hand a function on."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            named = [] if node.decorator_list else [node.name]
        elif isinstance(node, ast.Assign):
            named = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            named = [node.target.id]
        else:
            named = []
        yield from (name for name in named if name.startswith("_") and not name.startswith("__"))


def left_over(code: str) -> list[str]:
    """The private names of a module that it speaks of only once, where it defines them."""
    spoken = Counter(re.findall(r"\w+", code))
    return [name for name in private_names(ast.parse(code)) if spoken[name] == 1]


def test_what_counts() -> None:
    code = """
_USED = 3
_UNUSED: int = 4
class _Kept: ...
def _called() -> _Kept: return _called() if _USED else _Kept()
def _dead() -> None: ...
@app.callback
def _handed() -> None: ...
"""
    assert left_over(code) == ["_UNUSED", "_dead"]


@pytest.mark.parametrize("file", FILES)
def test_nothing_is_left_over(file: str) -> None:
    assert left_over((PACKAGE / file).read_text(encoding="utf-8")) == []
