"""Comments and docstrings of a file.

Function bodies are lowered late or never, but their comments count at once. They are found by a byte search
for what can begin one, and the syntax tree is asked only there: ten times as fast as a query for comment
nodes, and a query takes minutes on deeply nested code.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Comment
from cronaudit.parsing.lowering import line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tree_sitter import Node

_JAVASCRIPT_START = lazy_regex(rb"//|/\*|<!--")
_PYTHON_START = lazy_regex(rb"""#|(?:^|:)[ \t]*[rRuU]?(["'])""", re.MULTILINE)
_STAR = lazy_regex(r"^[ \t]*\*+ ?")


def javascript_comments(source: bytes, root: Node) -> tuple[Comment, ...]:
    """All comments of a JavaScript or TypeScript file, in its order."""
    return tuple(_merged(source, root, _JAVASCRIPT_START, _javascript_comment))


def python_comments(source: bytes, root: Node) -> tuple[Comment, ...]:
    """All comments and docstrings of a Python file, in its order."""
    return tuple(_merged(source, root, _PYTHON_START, _python_comment))


def _merged(
    source: bytes, root: Node, start: re.Pattern[bytes], read: Callable[[bytes, Node], Comment | None]
) -> Iterator[Comment]:
    """Yield comments, neighbouring own-line line comments as one."""
    held: Comment | None = None
    held_is_block = False
    for node in _candidates(source, root, start):
        comment = read(source, node)
        if comment is None:
            continue
        is_block = comment.is_doc or source.startswith(b"/*", node.start_byte)
        if held is not None:
            joins = not (held_is_block or is_block or held.is_trailing or comment.is_trailing)
            if joins and comment.line == held.end_line + 1:
                text = f"{held.text}\n{comment.text}"
                held = Comment(text, held.line, comment.end_line, is_doc=False, is_trailing=False)
                continue
            yield held
        held, held_is_block = comment, is_block
    if held is not None:
        yield held


def _candidates(source: bytes, root: Node, start: re.Pattern[bytes]) -> Iterator[Node]:
    position = 0
    while match := start.search(source, position):
        # The quote of a docstring candidate, which may stand behind a colon.
        begin = match.start(1) if match.re.groups and match.start(1) >= 0 else match.start()
        node = root.descendant_for_byte_range(begin, begin + 1)
        if node is None:
            position = match.end()
            continue
        yield node
        # A leaf that holds the mark (a string, a comment) is done with; else go on behind the mark.
        position = max(match.end(), node.end_byte if not node.child_count else 0)


def _javascript_comment(source: bytes, node: Node) -> Comment | None:
    if node.type not in ("comment", "html_comment"):
        return None
    raw = source[node.start_byte : node.end_byte].decode()
    if raw.startswith("/*"):
        is_doc = raw.startswith("/**") and len(raw) > len("/**/")
        inner = raw[2:-2] if raw.endswith("*/") else raw[2:]
        text = "\n".join(_STAR.sub("", line).strip() for line in inner.split("\n")).strip()
    else:
        is_doc = False
        text = raw.removeprefix("<!--").lstrip("/").strip()
    return _comment(source, node, text, is_doc=is_doc)


def _python_comment(source: bytes, node: Node) -> Comment | None:
    if node.type == "comment":
        raw = source[node.start_byte : node.end_byte].decode()
        if raw.startswith("#!") and node.start_byte == 0:
            return None
        return _comment(source, node, raw.lstrip("#").removeprefix(":").strip(), is_doc=False)
    if node.type != "string_start" or (string := node.parent) is None or not _is_docstring(string):
        return None
    # Not the text of string_content: it has no node when the docstring is empty.
    text = cleandoc(source[node.end_byte : string.children[-1].start_byte].decode()).strip()
    return Comment(text, line_of(string), string.end_point[0] + 1, is_doc=True, is_trailing=False)


def _is_docstring(string: Node) -> bool:
    statement = string.parent
    if statement is None or statement.type != "expression_statement" or statement.named_child_count != 1:
        return False
    block = statement.parent
    if block is None:
        return False
    if block.type != "module" and (
        block.type != "block"
        or block.parent is None
        or block.parent.type not in ("function_definition", "class_definition")
    ):
        return False
    first = next((child for child in block.named_children if child.type != "comment"), None)
    return first is not None and first.start_byte == statement.start_byte


def _comment(source: bytes, node: Node, text: str, *, is_doc: bool) -> Comment:
    start = node.start_byte
    before = source[source.rfind(b"\n", 0, start) + 1 : start]
    return Comment(
        text,
        line_of(node),
        node.end_point[0] + 1,
        is_doc=is_doc,
        is_trailing=bool(before.strip(b" \t\r\f\xef\xbb\xbf")),
    )
