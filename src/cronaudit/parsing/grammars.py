"""The tree-sitter grammars, each loaded when a file first needs it."""

from __future__ import annotations

from functools import cache

import tree_sitter
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript

from cronaudit.model.source import Language

_GRAMMARS = {
    Language.TYPESCRIPT: tree_sitter_typescript.language_typescript,
    Language.TSX: tree_sitter_typescript.language_tsx,
    Language.JAVASCRIPT: tree_sitter_javascript.language,
    Language.PYTHON: tree_sitter_python.language,
}

LANGUAGES = frozenset(_GRAMMARS)
"""What can be parsed."""


@cache
def parser(language: Language) -> tree_sitter.Parser:
    """The parser of a language.

    Raises:
        KeyError: the language is none of `LANGUAGES`.

    """
    return tree_sitter.Parser(tree_sitter.Language(_GRAMMARS[language]()))
