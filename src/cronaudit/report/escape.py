"""Text from the target made harmless in Markdown.

A job may be called ``a|b<script>``. Everything that a template prints is escaped unless it is `Markdown` already, so
that a forgotten filter cannot open a hole. Only what would take effect is escaped (CommonMark 0.31, section 6, and
the tables of GFM), so that the source stays as readable as the page.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from cronaudit.lazy_regex import lazy_regex
from cronaudit.report.text import plain

_ACTIVE = lazy_regex(
    r"""
      (?P<mention> (?<![\w`@/])@[A-Za-z][\w/-]* )     # `@Cron` would notify the user of that name in a forge's comment
    | (?P<escape>  \\(?=[!-/:-@\[-`{-~]|$)            # a backslash before punctuation
                 | [|`\[\]~]
                 | \*(?!(?<=\s\*)\s)                  # not one between blanks, which can open nothing
                 | (?<![^\W_])_ | _(?![^\W_]) )       # not one inside a word
    | (?P<tag>     <(?=[A-Za-z/!?]) )                 # a tag or an autolink; `Lock TTL < timeout` is neither
    | (?P<entity>  &(?=\#?\w+;) )
    """,
    re.VERBOSE,
)


class Markdown(str):
    """Text that is Markdown already and is not escaped again."""

    __slots__ = ()


def escape(text: object) -> Markdown:
    """Make text show as it is, in a paragraph, a heading, a list item or a cell of a table."""
    if isinstance(text, Markdown):
        return text
    return escape_part(plain(str(text)))


def escape_part(text: str) -> Markdown:
    """The same for a piece of a line that is `plain` already: the blanks at its ends belong to the line."""
    escaped = _ACTIVE.sub(_escaped, text)
    if escaped.count("$") > 1:  # forges set what stands between two of them as a formula: `${a}:${b}`
        escaped = escaped.replace("$", "\\$")
    return Markdown(escaped)


def _escaped(match: re.Match[str]) -> str:
    found = match.group()
    match match.lastgroup:
        case "mention":
            return f"`{found}`"
        case "tag":
            return "&lt;"
        case "entity":
            return "&amp;"
        case _:
            return f"\\{found}"


def code(text: str) -> Markdown:
    """A code span for a cell of a table, where a pipe needs its backslash even inside code."""
    content = plain(text).replace("|", "\\|")
    if not content:
        return Markdown("")
    fence = "`" * (_longest_run(content) + 1)
    pad = " " if content[0] == "`" or content[-1] == "`" else ""
    return Markdown(f"{fence}{pad}{content}{pad}{fence}")


def fenced(content: str, language: str) -> Markdown:
    """A fenced block that its content cannot close."""
    fence = "`" * max(3, _longest_run(content) + 1)
    name = re.sub(r"[^\w+#-]", "", language)
    return Markdown(f"{fence}{name}\n{content.rstrip()}\n{fence}")


def link(text: str, url: str) -> Markdown:
    """A link. The address has gone through `address`."""
    return Markdown(f"[{escape(text)}]({url})")


def address(base: str, path: str, line: int) -> str:
    """Where a forge shows that line. Every forge understands ``#L42``; ranges are written differently on each."""
    return f"{base.rstrip('/')}/{quote(path, safe='/@:+,~')}#L{line}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
