"""Whether a description holds for the version of a package that a tree uses."""

from __future__ import annotations

from cronaudit.lazy_regex import lazy_regex

_COMPARATOR = lazy_regex(r"(>=|<=|>|<|=)\s*(\d+(?:\.\d+)*)")
_RANGE = lazy_regex(r"(?:(?:>=|<=|>|<|=)\s*\d+(?:\.\d+)*[\s,]*)+")
_NUMBER = lazy_regex(r"\d+(?:\.\d+)*")


def is_range(text: str) -> bool:
    """Return whether a text is a range: comparators with blanks between them, or nothing at all."""
    return not text or _RANGE.fullmatch(text) is not None


def is_open(versions: str) -> bool:
    """Return whether a range goes up to the newest version."""
    return "<" not in versions


def holds_for(versions: str, stated: str) -> bool:
    """Return whether a range contains the version that a manifest states (``^3.1.0``, ``3.1.0``, ``~=4.2``).

    The lower end of what the manifest states decides: it is what a lock file has at least.
    """
    found = _NUMBER.search(stated)
    if found is None:
        return is_open(versions)
    version = _parts(found[0])
    for operator, bound in _COMPARATOR.findall(versions):
        limit = _parts(bound)
        same = version[: len(limit)] == limit
        if operator == ">=" and version < limit and not same:
            return False
        if operator == "<=" and version > limit and not same:
            return False
        if operator == ">" and version <= limit:
            return False
        if operator == "<" and version >= limit:
            return False
        if operator == "=" and not same:
            return False
    return True


def _parts(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
