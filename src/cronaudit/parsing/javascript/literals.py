"""Literals of JavaScript: what their text means."""

from __future__ import annotations

import re

from cronaudit.lazy_regex import lazy_regex

_ESCAPE = lazy_regex(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-3]?[0-7]{1,2})|(\r\n|[\s\S]))"
)
_SIMPLE = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\n": "",
    "\r": "",
    "\r\n": "",
    "\u2028": "",
    "\u2029": "",
}
_SURROGATES = lazy_regex("[\ud800-\udbff][\udc00-\udfff]")
_LONE_SURROGATE = lazy_regex("[\ud800-\udfff]")
_LAST_CODE_POINT = 0x10FFFF


def unescape(text: str) -> str:
    r"""Decode the escapes of a string or template literal.

    A surrogate pair (``\ud83d\ude00``) becomes its character; a lone surrogate, which no output could encode,
    becomes U+FFFD.
    """
    if "\\" not in text:
        return text
    text = _ESCAPE.sub(_escape, text)
    text = _SURROGATES.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return _LONE_SURROGATE.sub("\ufffd", text)


def _escape(match: re.Match[str]) -> str:
    braced, four, two, octal, simple = match.groups()
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    if octal is not None:
        return chr(int(octal, 8))
    code = int(braced or four or two, 16)
    return chr(code) if code <= _LAST_CODE_POINT else "\ufffd"


def number(text: str) -> int | float | None:
    """Read a numeric literal; whole numbers are ints however they are written. ``None`` where it is none."""
    digits = text.replace("_", "").removesuffix("n")
    try:
        if digits[:1] == "0" and len(digits) > 1 and digits[1] in "xXoObB":
            return int(digits, 0)
        if digits[:1] == "0" and digits.isdigit() and not set(digits) & {"8", "9"}:
            return int(digits, 8)
        if digits.isdigit():
            return int(digits)
        value = float(digits)
    except ValueError:
        return None
    if value in (float("inf"), float("-inf")):
        return None
    return int(value) if value.is_integer() else value
