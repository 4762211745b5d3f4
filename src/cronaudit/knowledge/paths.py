"""Paths of symbols outside the tree, and patterns over them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from cronaudit.lazy_regex import lazy_regex

_NAME = r"[A-Za-z_$#][\w$]*"
_TAIL = r"(?:\(\)|\[\])*"
_CHAIN = rf"(?:\.{_NAME}{_TAIL})*"
_GAP = rf"(?:\*\*(?:\.{_NAME}{_TAIL})+)?"
_PACKAGE = r"(?:meteor/[\w.-]+:)?(?:@[\w.-]+/)?[\w.-]+(?:/[\w.-]+)*"
_JS = lazy_regex(rf"{_PACKAGE}:(?:{_NAME})?{_TAIL}{_CHAIN}{_GAP}")
_PYTHON = lazy_regex(rf"{_NAME}{_TAIL}{_CHAIN}{_GAP}")
_METHOD = lazy_regex(rf"\*(?:\.{_NAME}{_TAIL})+")
_SHAPES = {"npm": "package:member().method", "pypi": "package.module.name"}
_BRACES = lazy_regex(r"\{([^{}]*)\}")
_LAST = lazy_regex(r"([\w$#]*)(?:\(\)|\[\])*\Z")


def alias_problem_of(pattern: str, ecosystem: str) -> str | None:
    """Return why a pattern is no alias: a path whose package may hold ``*`` (``*:PrismaClient``), or be any at all.

    ``**.models.*.objects`` is a module of any package; the single star is a class, or how its name begins.
    """
    if pattern.startswith("**."):
        pattern = pattern[3:].replace("*", "X")
    package, colon, rest = pattern.partition(":")
    return (
        problem_of(package.replace("*", "x") + colon + rest, ecosystem)
        if colon
        else problem_of(pattern, ecosystem)
    )


def problem_of(pattern: str, ecosystem: str) -> str | None:
    """Return why a pattern is no path of that ecosystem; None where it is one."""
    if all(_is_path(path, ecosystem) for path in expanded(pattern)):
        return None
    return f"`{pattern}` is no path: like {_SHAPES.get(ecosystem, _SHAPES['npm'])}"


def _is_path(path: str, ecosystem: str) -> bool:
    if _METHOD.fullmatch(path):
        return True
    if ecosystem != "pypi" and _JS.fullmatch(path):
        return True
    return ecosystem != "npm" and ":" not in path and _PYTHON.fullmatch(path) is not None


def expanded(pattern: str) -> Iterator[str]:
    """Yield the patterns that the braces of a pattern stand for, in order."""
    match = _BRACES.search(pattern)
    if match is None:
        yield pattern
        return
    for word in match[1].split(","):
        yield from expanded(pattern[: match.start()] + word.strip() + pattern[match.end() :])


@cache
def root_of(path: str) -> str:
    """Return the package of a path: what stands before the colon, else the first name."""
    package, colon, _ = path.partition(":")
    return package if colon else re.split(r"[.(\[*]", path, maxsplit=1)[0]


@cache
def last_of(path: str) -> str:
    """Return the last name of a path, calls and indexes behind it left out; empty for a package itself."""
    match = _LAST.search(path)
    return match[1] if match else ""


def is_of(specifier: str, packages: frozenset[str]) -> bool:
    """Return whether an import is of one of the packages, or of a module inside it."""
    while specifier:
        if specifier in packages:
            return True
        cut = max(specifier.rfind("/"), specifier.rfind("."))
        specifier = specifier[:cut] if cut > 0 else ""
    return False


@cache
def module_of(path: str) -> str:
    """Return what is imported to call a path: the package of a script, the module of a Python function or class."""
    package, colon, _ = path.partition(":")
    if colon:
        return package
    parts = path.split(".")
    inner = next((n for n, part in enumerate(parts) if not part.isidentifier() or part[0].isupper()), -1)
    return ".".join(parts[:inner])


def leads_to(specifier: str, module: str) -> bool:
    """Return whether an import is of a module, of something inside it, or of a package that holds it."""
    return (specifier.startswith(module) and specifier[len(module) : len(module) + 1] in ("", ".", "/")) or (
        module.startswith(f"{specifier}.")
    )


def begins(path: str, prefix: str) -> bool:
    """Return whether a path is `prefix` or something of it."""
    if not path.startswith(prefix):
        return False
    rest = path[len(prefix) :]
    return not rest or prefix.endswith(":") or rest[0] in ".([:*"


def is_alias(path: str, alias: str, canonical: str) -> bool:
    """Return whether a path begins with an alias and is not written in full already.

    Of ``pkg:`` for ``pkg:Name``, the default export for the named one, only the package itself is rewritten.
    """
    if not begins(path, alias):
        return False
    return not begins(canonical, alias) or path[len(alias) :][:1] in {"", "(", "["}


def matches(path: str, pattern: str) -> bool:
    """Return whether a path is the pattern, whose braces are expanded; ``**`` is any chain."""
    prefix, gap, suffix = pattern.partition("**")
    if not gap:
        return path == pattern
    inside = len(path) >= len(prefix) + len(suffix)
    return inside and begins(path, prefix) and path.endswith(suffix)


def replaced(path: str, prefix: str, by: str) -> str:
    """Return the path with another beginning."""
    rest = path[len(prefix) :]
    if by.endswith(":") and rest.startswith("."):
        rest = rest[1:]
    elif rest and not by.endswith(":") and rest[0] not in ".([":
        rest = f".{rest}"
    return by + rest
