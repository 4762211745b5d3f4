"""The target's files and their content."""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import Diagnostic, Language, Role, SourceFile
from cronaudit.target.classify import dependencies_of
from cronaudit.target.languages import CODE, SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cronaudit.target.roles import ContentRule, RoleRules

LARGEST_CODE: Final = 500_000
"""Bytes. tree-sitter takes 250 to 470 MB for one megabyte of dense JavaScript."""
LARGEST_PYTHON: Final = 1_000_000
"""Bytes. People write such files by hand (one of 22,000 lines arms 27 jobs); one of 940 kB takes 0.25 s
and 20 MB, as much of written-out data 1.4 s and 150 MB."""
LARGEST_TEXT: Final = 5_000_000
"""Bytes, for what is not code: translations, fixtures, API descriptions."""

_LIMITS: Final = {Language.PYTHON: LARGEST_PYTHON}
_CACHED: Final = 256_000_000
_BINARY_PROBE: Final = 8_000
_SMALLEST_DENSE: Final = 5_000
_DENSE_LINE: Final = 200
_DENSE_PUNCTUATION: Final = 0.03
_PARSED: Final = frozenset({Role.SERVER, Role.TEST})
_LINE_END: Final = lazy_regex(rb"\n")


@dataclass(frozen=True)
class Tree:
    """A walked target. Content is read when it is asked for, and then kept."""

    root: Path
    """Absolute, without symbolic links."""
    files: tuple[SourceFile, ...]
    """Sorted by path."""
    rules: RoleRules = field(repr=False)
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Symbolic links that stay inside the target: path of the link, path of what it points at."""
    walked: tuple[Diagnostic, ...] = ()
    """What the walk skipped."""
    overlay: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Contents that stand in for those on disk, by path: of edits that nobody has written yet."""
    _by_path: dict[str, SourceFile] = field(default_factory=dict, repr=False, compare=False)
    _by_name: dict[str, list[SourceFile]] = field(default_factory=dict, repr=False, compare=False)
    _content: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    _kept: list[int] = field(default_factory=lambda: [0], repr=False, compare=False)
    _roles: dict[str, Role] = field(default_factory=dict, repr=False, compare=False)
    _lines: dict[str, list[int]] = field(default_factory=dict, repr=False, compare=False)
    _packages: dict[str, ScriptPackage] = field(default_factory=dict, repr=False, compare=False)
    _unusable: dict[str, Diagnostic] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for file in self.files:
            self._by_path[file.path] = file

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What the walk skipped and what reading could not use so far, sorted."""
        return tuple(sorted({*self.walked, *self._unusable.values()}))

    def with_contents(self, overlay: Mapping[str, bytes]) -> Tree:
        """The same target with other contents in some of its files."""
        return Tree(self.root, self.files, self.rules, self.links, self.walked, overlay) if overlay else self

    def get(self, path: str) -> SourceFile | None:
        """The file at a relative path; a path through a symbolic link inside the target leads to its end."""
        found = self._by_path.get(path)
        if found is not None or not self.links:
            return found
        for _ in range(len(self.links)):
            for link, end in self.links.items():
                if path == link or path.startswith(link + "/"):
                    path = (end + path[len(link) :]).lstrip("/")
                    break
            else:
                break
            if path in self._by_path:
                return self._by_path[path]
        return None

    def by_name(self, basename: str) -> tuple[SourceFile, ...]:
        """All files of that name, sorted by path."""
        if not self._by_name:
            for file in self.files:
                self._by_name.setdefault(file.path.rpartition("/")[2], []).append(file)
        return tuple(self._by_name.get(basename, ()))

    def read(self, path: str) -> bytes:
        """Content as UTF-8 without byte order mark.

        Empty, with a diagnostic, where the file is binary or cannot be read, and where it is code that is too
        large or too dense to be parsed. Of those, files that no one would parse anyway (pages, bundles,
        vendored libraries) get no diagnostic: their role says it. Raises KeyError for a path outside `files`.
        """
        known = self._content.get(path)
        if known is not None:
            return known
        file = self._by_path.get(path) or self.get(path)
        if file is None:
            raise KeyError(path)
        content = self._usable(file)
        if self._kept[0] < _CACHED:
            self._kept[0] += len(content)
            self._content[path] = content
        return content

    def text(self, path: str) -> str:
        """`read` as text; bytes that are no UTF-8 become U+FFFD."""
        return self.read(path).decode("utf-8", "replace")

    def role_of(self, path: str) -> Role:
        """The role of a file with its content taken into account. Raises KeyError as `read` does."""
        known = self._roles.get(path)
        if known is None:
            content = self.read(path)
            file = self.get(path)
            known = Role.CONFIG if file is None else self.rules.role_of(file, content)
            if file is not None and known is file.role is Role.SERVER and file.language in SCRIPTS:
                known = self.rules.role_in_package(file, self._package(file.path))
            self._roles[path] = known
        return known

    def line_of(self, path: str, offset: int) -> int:
        """Line, counted from 1, of an offset into `read(path)`."""
        ends = self._lines.get(path)
        if ends is None:
            ends = self._lines[path] = [match.start() for match in _LINE_END.finditer(self.read(path))]
        return bisect_left(ends, offset) + 1

    def _package(self, path: str) -> ScriptPackage:
        folder = path.rpartition("/")[0]
        while folder and f"{folder}/package.json" not in self._by_path:
            folder = folder.rpartition("/")[0]
        known = self._packages.get(folder)
        if known is None:
            known = self._packages[folder] = ScriptPackage(self, folder)
        return known

    def _usable(self, file: SourceFile) -> bytes:
        code = file.language in CODE
        limit = _LIMITS.get(file.language, LARGEST_CODE) if code else LARGEST_TEXT
        if file.size > limit:
            return self._leave_out(file, f"not read: {file.size:,} bytes, the limit is {limit:,}")
        try:
            content = self.overlay.get(file.path)
            if content is None:
                content = _bytes_of(os.path.join(self.root, file.path), file.size)  # noqa: PTH118 - a third of the time
        except OSError as error:
            return self._refuse(file, f"not readable: {error.strerror}")
        if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            content = content.decode("utf-16", "replace").encode("utf-8", "replace")
        elif content[:3] == b"\xef\xbb\xbf":
            content = content[3:]
        if b"\0" in content[:_BINARY_PROBE]:
            return self._refuse(file, "not read: binary content")
        if code and len(content) > _SMALLEST_DENSE and _is_dense(content):
            return self._leave_out(file, "not parsed: minified")
        return content

    def _refuse(self, file: SourceFile, reason: str) -> bytes:
        self._unusable[file.path] = Diagnostic(file.path, reason)
        return b""

    def _leave_out(self, file: SourceFile, reason: str) -> bytes:
        if file.language not in CODE or file.role in _PARSED:
            self._unusable[file.path] = Diagnostic(file.path, reason)
        return b""


class ScriptPackage(Struct):
    """The scripts below one package.json, without those of packages further down."""

    tree: Tree
    folder: str
    _answers: dict[int, bool] = {}

    def suits(self, rule: ContentRule) -> bool:
        """Whether some script holds what the rule wants, and none, nor the dependencies, what it does not."""
        known = self._answers.get(id(rule))
        if known is None:
            known = self._answers[id(rule)] = self._ask(rule)
        return known

    def _ask(self, rule: ContentRule) -> bool:
        manifest = f"{self.folder}/package.json" if self.folder else "package.json"
        if self.tree.get(manifest) is None or rule.dependencies is None:
            return False
        if any(map(rule.dependencies.fullmatch, dependencies_of(self.tree.read(manifest)))):
            return False
        found = False
        for file in self._scripts():
            content = self.tree.read(file.path)
            if any(clue.found(content) for clue in rule.absent):
                return False
            found = found or any(clue.found(content) for clue in rule.present)
        return found

    def _scripts(self) -> Iterator[SourceFile]:
        prefix = f"{self.folder}/" if self.folder else ""
        below = tuple(
            manifest.path.removesuffix("package.json")
            for manifest in self.tree.by_name("package.json")
            if manifest.path.startswith(prefix) and manifest.path != prefix + "package.json"
        )
        for file in self.tree.files:
            if (
                file.role is Role.SERVER
                and file.language in SCRIPTS
                and file.path.startswith(prefix)
                and not file.path.startswith(below)
            ):
                yield file


def _bytes_of(path: str, size: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        content = os.read(descriptor, size + 1)
        if len(content) == size:
            return content
        # The file grew or shrank since the walk, or the read was cut short.
        parts = [content]
        while part := os.read(descriptor, LARGEST_TEXT):
            parts.append(part)
            if sum(map(len, parts)) > LARGEST_TEXT:
                break
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _is_dense(content: bytes) -> bool:
    """Code in long lines. Long lines alone are no sign: a picture or a font in a literal is easily parsed."""
    if len(content) < _DENSE_LINE * (content.count(b"\n") + 1):
        return False
    return sum(map(content.count, (b"(", b"{", b";", b"}"))) > _DENSE_PUNCTUATION * len(content)
