"""Ignore files: `.gitignore`, `.git/info/exclude` and `.cronauditignore`, in git's own semantics.

Source of the semantics: gitignore(5). Of all entries of a repository few are named by any pattern, so a file
of patterns is compiled into set look-ups and few regexes that may say yes too often and never no too often; what
passes them is judged pattern by pattern, the last that matches deciding. `pathspec` translates the patterns that
are more than stars and question marks, and is imported only for those (35 ms).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex

_PLAIN: Final = lazy_regex(r"[^*?\[\]\\]+")
_GLOB: Final = lazy_regex(r"(?:[^*?\[\]\\]|\*(?!\*)|\?)+")


class _Pattern(Struct, frozen=True):
    """One line of an ignore file."""

    negated: bool
    folders_only: bool
    name: str | re.Pattern[str] | None
    """Matched against the entry's name; None where the pattern is about the path."""
    path: str | re.Pattern[str] | None = None
    """Matched against the path relative to the ignore file."""

    def matches(self, path: str, name: str, *, folder: bool) -> bool:
        if self.folders_only and not folder:
            return False
        if self.name is not None:
            return self.name == name if isinstance(self.name, str) else self.name.fullmatch(name) is not None
        if isinstance(self.path, str):
            return self.path == path
        # pathspec's expressions for folders want the slash; with it, `foo/**` would also match foo itself.
        return (
            self.path is not None and self.path.match(path + "/" if self.folders_only else path) is not None
        )


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The patterns of one ignore file, ready to be asked about entries below its folder."""

    patterns: tuple[_Pattern, ...]
    problems: tuple[str, ...] = ()
    """Lines that are no valid pattern, with the reason."""
    _names: frozenset[str] = field(default=frozenset(), repr=False)
    _paths: frozenset[str] = field(default=frozenset(), repr=False)
    _name_glob: re.Pattern[str] | None = field(default=None, repr=False)
    _path_globs: tuple[re.Pattern[str], ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, content: bytes) -> IgnoreFile:
        """Patterns of an ignore file's bytes; what git would not understand is named in `problems`."""
        patterns: list[_Pattern] = []
        problems: list[str] = []
        text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                pattern = _parse_line(line)
            except ValueError as error:
                problems.append(f"line {number} is no valid pattern: {error}")
                continue
            if pattern is not None:
                patterns.append(pattern)
        name_globs = [p.name.pattern for p in patterns if isinstance(p.name, re.Pattern)]
        return cls(
            tuple(patterns),
            tuple(problems),
            frozenset(p.name for p in patterns if isinstance(p.name, str)),
            frozenset(p.path for p in patterns if isinstance(p.path, str)),
            re.compile("|".join(name_globs)) if name_globs else None,
            tuple(p.path for p in patterns if isinstance(p.path, re.Pattern)),
        )

    def decide(self, path: str, name: str, *, folder: bool) -> bool | None:
        """Whether the entry is ignored (True), kept by a negation (False) or not named here (None).

        `path` is relative to the folder of the ignore file.
        """
        if not (
            name in self._names
            or (self._name_glob is not None and self._name_glob.fullmatch(name) is not None)
            or path in self._paths
            or any(glob.match(path + "/") or glob.match(path) for glob in self._path_globs)
        ):
            return None
        for pattern in reversed(self.patterns):
            if pattern.matches(path, name, folder=folder):
                return not pattern.negated
        return None


class IgnoreChain(Struct, frozen=True):
    """The ignore files of one kind that reach a folder, innermost and strongest first."""

    files: tuple[tuple[IgnoreFile, str], ...] = ()
    """With each the path of the folder relative to that of the ignore file."""

    def decide(self, name: str, *, folder: bool) -> bool | None:
        """As `IgnoreFile.decide`, for an entry of the folder."""
        for file, at in self.files:
            decided = file.decide(f"{at}/{name}" if at else name, name, folder=folder)
            if decided is not None:
                return decided
        return None

    def entering(self, name: str) -> IgnoreChain:
        """The chain one folder further down."""
        return IgnoreChain(tuple((file, f"{at}/{name}" if at else name) for file, at in self.files))

    def with_file(self, file: IgnoreFile) -> IgnoreChain:
        """The chain with a further file that lies in this folder."""
        return IgnoreChain(((file, ""), *self.files)) if file.patterns else self


def _parse_line(line: str) -> _Pattern | None:
    line = line.removesuffix("\r")
    stripped = line.rstrip(" ")
    if stripped.endswith("\\") and stripped != line:
        stripped += " "
    if not stripped or stripped.startswith("#"):
        return None
    negated = stripped.startswith("!")
    body = stripped[1:] if negated else stripped
    folders_only = body.endswith("/")
    inner = body.removesuffix("/")
    while inner.startswith("**/"):
        inner = inner[3:]
        if "/" in inner:
            break
    if not inner.strip("/"):
        return None
    if _GLOB.fullmatch(inner) is None or ("/" in inner and body.startswith("**/")):
        translated = _by_pathspec(body)
        return None if translated is None else _Pattern(negated, folders_only, None, translated)
    if "/" not in inner:
        return _Pattern(negated, folders_only, inner if _PLAIN.fullmatch(inner) else _glob(inner))
    anchored = inner.removeprefix("/")
    return _Pattern(
        negated, folders_only, None, anchored if _PLAIN.fullmatch(anchored) else _glob(anchored + "/")
    )


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    """A pattern of stars and question marks; a slash at its end stands for the end of the path."""
    parts = ("[^/]*" if char == "*" else "[^/]" if char == "?" else re.escape(char) for char in pattern)
    expression = "".join(parts)
    return re.compile(f"{expression}?\\Z" if expression.endswith("/") else expression)


@cache
def _by_pathspec(pattern: str) -> re.Pattern[str] | None:
    from pathspec import GitIgnoreSpec

    for compiled in GitIgnoreSpec.from_lines([pattern]).patterns:
        regex = getattr(compiled, "regex", None)
        if isinstance(regex, re.Pattern):
            return regex
    return None
