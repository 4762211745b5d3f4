"""Parsing: one module a language, all lowered to the same IR, callees as written."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from cronaudit.model.ir import Module
from cronaudit.model.source import Language
from cronaudit.parsing.comments import javascript_comments, python_comments
from cronaudit.parsing.grammars import LANGUAGES, parser
from cronaudit.parsing.javascript import JavaScript, repair
from cronaudit.parsing.javascript.prototypes import with_classes
from cronaudit.parsing.lowering import error_lines
from cronaudit.parsing.python import Python

if TYPE_CHECKING:
    from tree_sitter import Tree

__all__ = ["LANGUAGES", "parse"]

_HEAD = 2000
"""Bytes in which a file says that it is Flow."""


def parse(path: str, source: bytes, language: Language) -> Module:
    """Parse one file; function bodies are lowered when they are first asked for.

    A broken file gives what can be read of it, and `Module.errors` says where it cannot. Files that are dense
    or too large should not come here: parsing takes some 400 bytes of memory a byte of minified code.

    Raises:
        ValueError: the language is none of `LANGUAGES`.

    """
    if language not in LANGUAGES:
        msg = f"cannot parse {language}"
        raise ValueError(msg)
    source = _utf8(source)
    module = Module(path, language)
    tree = _tree(source, language)
    root = tree.root_node
    module.errors = error_lines(root)
    if language is Language.PYTHON:
        module.body = Python(source, module).block(root.named_children)
        module.comments = python_comments(source, root)
    else:
        module.body = JavaScript(source, module).block(root.named_children)
        if b".prototype" in source or b"inherits(" in source:
            module.body = with_classes(module.body, module)
        module.comments = javascript_comments(source, root)
    return module


def _tree(source: bytes, language: Language) -> Tree:
    if language in (Language.TYPESCRIPT, Language.TSX):
        return _typescript(source, language)
    if language is Language.PYTHON:
        return parser(language).parse(source)
    tree = parser(language).parse(source)
    if tree.root_node.has_error:
        tree = _better(tree, parser(language).parse(repair.without_unreadable(source)))
    # Flow's annotations are close to TypeScript's; the JavaScript grammar knows none.
    if tree.root_node.has_error and b"@flow" in source[:_HEAD]:
        tree = _better(tree, parser(Language.TSX).parse(source))
    return tree


def _typescript(source: bytes, language: Language) -> Tree:
    readable = repair.without_tag_types(source)
    tree = parser(language).parse(readable)
    if tree.root_node.has_error:
        tree = _better(tree, parser(language).parse(repair.without_unreadable(readable)))
        if readable != source:
            tree = _better(tree, parser(language).parse(source))
    return tree


def _better(tree: Tree, other: Tree) -> Tree:
    """The tree with fewer unreadable lines."""
    return min(tree, other, key=lambda each: len(error_lines(each.root_node)))


def _utf8(source: bytes) -> bytes:
    """Source that decodes anywhere: what is no UTF-8 is replaced."""
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return source.decode("utf-16", "replace").encode()
    try:
        source.decode()
    except UnicodeDecodeError:
        return source.decode("utf-8", "replace").encode()
    return source
