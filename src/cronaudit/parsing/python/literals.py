"""Literals of Python: what their text means."""

from __future__ import annotations

import re
import unicodedata

from cronaudit.lazy_regex import lazy_regex

_ESCAPE = lazy_regex(
    r"\\(?:\r?\n|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^}]+)\}|([0-7]{1,3})|([abfnrtv\\'\"]))"
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SURROGATE = lazy_regex("[\ud800-\udfff]")
_LAST_CODE_POINT = 0x10FFFF


def unescape(text: str) -> str:
    """Decode the escapes of a string; a surrogate, which no output could encode, becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", _ESCAPE.sub(_escape, text)) if "\\" in text else text


def _escape(match: re.Match[str]) -> str:
    two, four, eight, name, octal, simple = match.groups()
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    if octal is not None:
        return chr(int(octal, 8))
    if name is not None:
        try:
            return unicodedata.lookup(name)
        except KeyError:
            return match[0]
    digits = two or four or eight
    if digits is None:
        return ""
    code = int(digits, 16)
    return chr(code) if code <= _LAST_CODE_POINT else "\ufffd"


def number(text: str) -> int | float | None:
    """Read a numeric literal; ``None`` for a complex one."""
    digits = text.replace("_", "").rstrip("lL")
    try:
        if digits.isdigit() and digits[0] == "0":
            return int(digits, 8)
        try:
            return int(digits, 0)
        except ValueError:
            value = float(digits)
    except ValueError:
        return None
    return None if value in (float("inf"), float("-inf")) else value


_PERCENT = lazy_regex(r"%(?:\(([^)]*)\))?[-#0 +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?([a-zA-Z%])")


def percent_fields(text: str) -> list[str | tuple[str | None]]:
    """Split a ``%`` format into text and fields: ``(None,)`` takes the next value, ``(name,)`` that key."""
    parts: list[str | tuple[str | None]] = []
    end = 0
    for match in _PERCENT.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        parts.append("%" if match[2] == "%" else (match[1],))
    parts.append(text[end:])
    return parts


_BRACES = lazy_regex(r"\{\{|\}\}|\{([^{}!:.\[]*)([^{}!:]*)(?:![rsa])?(?::(?:[^{}]|\{[^{}]*\})*)?\}")


def brace_fields(text: str) -> list[str | tuple[str, str]]:
    """Split a ``str.format`` format into text and fields: the name or number, and the path behind it."""
    parts: list[str | tuple[str, str]] = []
    end = 0
    for match in _BRACES.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        parts.append(match[0][0] if match[1] is None else (match[1].strip(), match[2].strip()))
    parts.append(text[end:])
    return parts
