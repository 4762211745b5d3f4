"""Regular expressions that are compiled when they are first asked: hundreds would add a third to every start."""

from __future__ import annotations

import re
from typing import Any, AnyStr, Final, Generic, cast

_ASKED: Final = (
    "search",
    "match",
    "fullmatch",
    "finditer",
    "findall",
    "sub",
    "subn",
    "split",
    "pattern",
    "flags",
)


class _Regex(Generic[AnyStr]):
    """Stands for a regular expression, and from its first use on holds the methods of the compiled one."""

    __slots__ = (*_ASKED, "_flags", "_source")

    def __init__(self, source: AnyStr, flags: int) -> None:
        self._source: AnyStr = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of whatever is asked; only reached before the first use
        compiled = re.compile(self._source, self._flags)
        for asked in _ASKED:
            setattr(self, asked, getattr(compiled, asked))
        return getattr(compiled, name)


def lazy_regex(source: AnyStr, flags: int | re.RegexFlag = 0) -> re.Pattern[AnyStr]:
    """``re.compile`` for the constants of a module; a mistake in `source` raises re.error at the first use."""
    return cast("re.Pattern[AnyStr]", _Regex(source, int(flags)))
