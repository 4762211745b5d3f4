"""Rewrites what the grammars cannot read to what it can, byte for byte in place.

The TypeScript grammar (0.23) takes ``sql<Row>`…` `` for two comparisons or, worse, loses the quote and with it the
rest of the file. Types say nothing at run time: they are blanked, and every other node keeps its place. Texts are
still read from the source as it was.
"""

from __future__ import annotations

from cronaudit.lazy_regex import lazy_regex

_TAGGED = lazy_regex(
    rb">(?<!=>)\s*`"
)  # the byte first, then what is not before it: so only that byte is tried
_MAX_TYPE = 2000
"""Bytes that the type arguments of one call may take."""
_PAIRS = {b"<": b">", b"{": b"}", b"[": b"]", b"(": b")"}
_NOT_A_TYPE = lazy_regex(rb"&&|\|\||`|\$\{")

_UNREADABLE = (
    (lazy_regex(rb"(?<=\bexport)\s+type(?=\s*\*)"), b" "),
    (lazy_regex(rb"\btypeof\s+import\(\s*(?:'[^'\n]*'|\"[^\"\n]*\")\s*\)"), b"_"),
    (lazy_regex(rb"(?<=[\w$])<[^<>()=;{}\n]+>(?=\?\.\()"), b" "),
    (lazy_regex(rb"(?<=['\"])[ \t]*assert[ \t]*\{[^{}\n]*\}"), b" "),
    (lazy_regex(rb"\baccessor(?=\s+[#\w$])"), b" "),
    (lazy_regex(rb"\b(?:in\s+out|in|out)(?=\s+[A-Z]\w*\s*(?:[,>]|extends\b))"), b" "),
)
"""Constructs that make an error of themselves alone, and what takes the place of each byte."""


def without_tag_types(source: bytes) -> bytes:
    """Blank the type arguments of tagged templates."""
    if not _TAGGED.search(source):
        return source
    blanked = bytearray(source)
    for match in _TAGGED.finditer(source):
        start = _opening(source, match.start())
        if start is not None:
            _fill(blanked, start, match.start() + 1, b" ")
    return bytes(blanked)


def without_unreadable(source: bytes) -> bytes:
    """Blank what is known to make an error; only worth while where there is one."""
    blanked = bytearray(source)
    for pattern, filler in _UNREADABLE:
        for match in pattern.finditer(source):
            _fill(blanked, match.start(), match.end(), filler)
    return bytes(blanked)


def _opening(source: bytes, end: int) -> int | None:
    """Find the ``<`` that belongs to the ``>`` at `end`, if types can stand between them."""
    closing = {close: opened for opened, close in _PAIRS.items()}
    pending = [b"<"]
    for position in range(end - 1, max(0, end - _MAX_TYPE), -1):
        char = source[position : position + 1]
        if char in closing and not (char == b">" and source[position - 1 : position] == b"="):
            pending.append(closing[char])
        elif char in _PAIRS:
            if pending.pop() != char:
                return None
            if not pending:
                before = source[position - 1 : position]
                is_call = before.isalnum() or before in (b"_", b"$", b")", b"]")
                return position if is_call and not _NOT_A_TYPE.search(source, position, end) else None
    return None


def _fill(target: bytearray, start: int, end: int, filler: bytes) -> None:
    for position in range(start, end):
        if target[position] not in b"\r\n":
            target[position : position + 1] = filler
