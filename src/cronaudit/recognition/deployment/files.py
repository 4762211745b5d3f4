"""The files that the manifests are read from: those of the target, and others that are handed in."""

from __future__ import annotations

import json
import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final, Protocol

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import Diagnostic, Language, Location, Role, SourceFile

_LARGEST: Final = 400_000
"""Bytes above which a manifest is data, not a manifest."""
_LINE_COMMENT: Final = lazy_regex(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA: Final = lazy_regex(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])')


class Manifests(Protocol):
    """The target as this package sees it."""

    @property
    def files(self) -> Iterable[SourceFile]:
        """All files of the target."""

    def text(self, path: str) -> str:
        """Content of a file; empty where it cannot be used."""


class Enclosing(Struct, frozen=True):
    """Manifests of the repository around the target. They count only where they point at the target (ruling 19)."""

    at: str
    """The target's own path in that repository: ``services/orders``."""
    texts: Mapping[str, str]
    """Content by path, relative to the root of that repository."""


class Files(Struct):
    """Look-ups by path, name and suffix, and the text of what is asked for."""

    manifests: Manifests
    enclosing: Enclosing | None = None
    diagnostics: set[Diagnostic] = set()
    outside: dict[str, str] = {}
    """Handed-in content by path relative to the target: ``../../docker-compose.yml``."""
    conventions: dict[tuple[str, str], tuple[str, ...]] = {}
    """Files that a framework loads by their place, by folder and framework."""
    _by_path: dict[str, SourceFile] = {}
    _sorted: list[str] = []
    _by_language: dict[Language, list[SourceFile]] = {}
    _by_name: dict[str, list[str]] = {}
    _folders: dict[str, list[str]] = {}
    _texts: dict[str, str] = {}
    _json: dict[str, dict[str, object]] = {}

    def __post_init__(self) -> None:
        for file in self.manifests.files:
            self._by_path[file.path] = file
            self._by_language.setdefault(file.language, []).append(file)
        for files in self._by_language.values():
            files.sort(key=attrgetter("path"))
        if self.enclosing is not None:
            for path, text in sorted(self.enclosing.texts.items()):
                relative = posixpath.relpath(path, self.enclosing.at or ".")
                if relative.startswith("../"):
                    self.outside[relative] = text

    def written_in(self, language: Language) -> list[SourceFile]:
        """All files of a language, sorted by path."""
        return self._by_language.get(language, [])

    def note(self, path: str, reason: str) -> None:
        self.diagnostics.add(Diagnostic(path, reason))

    def get(self, path: str) -> SourceFile | None:
        return self._by_path.get(path)

    def has(self, path: str) -> bool:
        return path in self._by_path or path in self.outside

    def named(self, name: str) -> list[str]:
        """Paths of all files of that name, sorted."""
        self._index()
        return self._by_name.get(name, [])

    def inside(self, folder: str) -> list[str]:
        """Paths of the files directly in a folder, sorted; the target's own folder is the empty string."""
        self._index()
        return self._folders.get(folder, [])

    def below(self, folder: str) -> list[str]:
        """Paths of all files below a folder, sorted."""
        paths = self._all()
        if not folder:
            return paths
        prefix = f"{folder}/"
        return paths[bisect_left(paths, prefix) : bisect_left(paths, prefix[:-1] + "0")]

    def is_folder(self, folder: str) -> bool:
        paths = self._all()
        at = bisect_left(paths, f"{folder}/")
        return at < len(paths) and paths[at].startswith(f"{folder}/")

    def _index(self) -> None:
        if self._by_name:
            return
        for path in self._all():
            folder, _, name = path.rpartition("/")
            self._by_name.setdefault(name, []).append(path)
            self._folders.setdefault(folder, []).append(path)

    def _all(self) -> list[str]:
        if not self._sorted:
            self._sorted = sorted(self._by_path)
        return self._sorted

    def ending(self, suffix: str) -> str | None:
        """The only file whose path ends so; None where there is none, or more than one."""
        suffix = suffix.strip("/")
        found = [
            path
            for path in self.named(suffix.rpartition("/")[2])
            if (path == suffix or path.endswith("/" + suffix)) and self._by_path[path].role is not Role.TEST
        ]
        return found[0] if len(found) == 1 else None

    def text(self, path: str) -> str:
        known = self._texts.get(path)
        if known is None:
            if path in self.outside:
                known = self.outside[path]
            elif path in self._by_path and self._by_path[path].size <= _LARGEST:
                known = self.manifests.text(path)
            else:
                known = ""
            self._texts[path] = known
        return known

    def normal(self, path: str) -> str | None:
        """A path without dots, relative to the target; empty for the target, None where it leads elsewhere.

        Paths of handed-in files start with `../`; what they name inside the target comes back without.
        """
        path = posixpath.normpath(path)
        if path == ".":
            return ""
        if path.startswith("/"):
            return None
        if not path.startswith(".."):
            return path
        if self.enclosing is None:
            return None
        around = posixpath.normpath(posixpath.join(self.enclosing.at, path))
        if around.startswith(".."):
            return None
        back = posixpath.relpath(around, self.enclosing.at or ".")
        return "" if back == "." else back

    def join(self, folder: str, path: str) -> str | None:
        """`path` as seen from `folder`, as `normal` gives it."""
        return self.normal(posixpath.join(folder or ".", path))

    def document(self, path: str) -> dict[str, object]:
        """A JSON object, comments and trailing commas allowed; empty, with a diagnostic, where it is none."""
        known = self._json.get(path)
        if known is None:
            known = self._json[path] = self._parsed(path)
        return known

    def _parsed(self, path: str) -> dict[str, object]:
        text = self.text(path)
        if not text.strip():
            return {}
        try:
            value = json.loads(text)
        except ValueError:
            plain = _LINE_COMMENT.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)
            plain = _TRAILING_COMMA.sub(lambda match: match[1] or " ", plain)
            try:
                value = json.loads(plain)
            except (ValueError, RecursionError) as error:
                self.note(path, f"not read: no JSON ({error})")
                return {}
        except RecursionError:
            self.note(path, "not read: JSON nested too deeply")
            return {}
        return value if isinstance(value, dict) else {}

    def place(self, path: str, pattern: str, start: int = 0) -> Location:
        """The line of the first match of a regular expression; the first line where there is none."""
        text = self.text(path)
        match = re.compile(pattern).search(text, start)
        return Location(path, 1 if match is None else text.count("\n", 0, match.start()) + 1)

    def key_place(self, path: str, *keys: str) -> Location:
        """The line of a key of a JSON document, found by looking for one key after the other."""
        text = self.text(path)
        at = 0
        for key in keys:
            match = re.compile(rf'"{re.escape(json.dumps(key)[1:-1])}"\s*:').search(text, at)
            if match is None:
                break
            at = match.end()
        return Location(path, text.count("\n", 0, at) + 1)
