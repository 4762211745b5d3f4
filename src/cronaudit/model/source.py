"""Files of the target tree and places in them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Language(StrEnum):
    """What a file is written in, as far as the audit reads it."""

    TYPESCRIPT = "typescript"
    TSX = "tsx"
    JAVASCRIPT = "javascript"
    PYTHON = "python"
    YAML = "yaml"
    JSON = "json"
    TOML = "toml"
    INI = "ini"
    DOCKERFILE = "dockerfile"
    SHELL = "shell"
    PROCFILE = "procfile"
    CRONTAB = "crontab"
    MARKDOWN = "markdown"
    SQL = "sql"
    PRISMA = "prisma"
    ENV = "env"
    HTML = "html"
    OTHER = "other"


class Role(StrEnum):
    """What a file is for: it decides whether the file may define jobs."""

    SERVER = "server"
    BROWSER = "browser"
    TEST = "test"
    DOCS = "docs"
    GENERATED = "generated"
    VENDORED = "vendored"
    DEPLOY = "deploy"
    CONFIG = "config"


NOT_RUN: Final = frozenset((Role.TEST, Role.DOCS, Role.GENERATED, Role.VENDORED))
"""What files are for of which nothing runs as code of the project's own."""


class Location(Struct, frozen=True, order=True):
    """A place in the target that a person can click."""

    path: str
    """POSIX path, relative to the target."""
    line: int
    """First line, counted from 1."""
    end_line: int | None = None
    """Last line, where the place is a range."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class SourceFile(Struct, frozen=True):
    """A file of the target, not yet read."""

    path: str
    """POSIX path, relative to the target."""
    language: Language
    role: Role
    size: int
    """Bytes."""


class Diagnostic(Struct, frozen=True, order=True):
    """Something that was skipped, cut or unreadable. Nothing is lost in silence."""

    path: str
    """POSIX path, relative to the target; "." for the target itself."""
    reason: str


class ImportSite(Struct, frozen=True, order=True):
    """One place that imports something, found by its bytes: it may sit in a comment or a string."""

    path: str
    """The importing file."""
    offset: int
    """Where `from`, `import` or `require` starts, in the bytes of `SourceTree.read`."""
    specifier: str
    """As written (`../queue`, `@acme/jobs`, `..tasks`, `plane.bgtasks`); for a name taken from a Python
    package the two joined (`from plane import celery` is `plane.celery`)."""


class SourceTree(Protocol):
    """The target as later stages see it: relative POSIX paths in, bytes out."""

    @property
    def files(self) -> Sequence[SourceFile]:
        """All files, sorted by path."""

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """What was skipped or unreadable so far, sorted."""

    def get(self, path: str) -> SourceFile | None:
        """The file at a path, also where the path leads through a symbolic link inside the tree."""

    def by_name(self, basename: str) -> Sequence[SourceFile]:
        """All files of that name, sorted by path."""

    def read(self, path: str) -> bytes:
        """UTF-8 content without byte order mark; empty where the file cannot be used."""

    def role_of(self, path: str) -> Role:
        """The role with the content taken into account, which `SourceFile.role` is not."""

    def line_of(self, path: str, offset: int) -> int:
        """Line, counted from 1, of a byte offset."""


class ImportIndex(Protocol):
    """Who imports what, before anything is resolved."""

    def files_importing(self, last_segment: str) -> Sequence[ImportSite]:
        """Sites whose specifier ends in that segment, without a code suffix."""

    def imports_of(self, path: str) -> Sequence[ImportSite]:
        """The import sites of one file, in file order."""

    def segments(self) -> Iterable[str]:
        """All last segments, sorted."""
