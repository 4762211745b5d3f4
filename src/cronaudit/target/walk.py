"""The walk over the target: which files there are, decided without reading them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from cronaudit.model.source import Diagnostic, Language, SourceFile
from cronaudit.target.classify import Classifier, Layout
from cronaudit.target.ignore import IgnoreChain, IgnoreFile
from cronaudit.target.languages import CODE, language_of, language_of_shebang
from cronaudit.target.repository import GIT_IGNORE_FILE, OWN_IGNORE_FILE, Repository
from cronaudit.target.tree import Tree

if TYPE_CHECKING:
    from cronaudit.target.repository import Tracked
    from cronaudit.target.roles import RoleRules

_MANIFEST: Final = "package.json"
_SHEBANG_PROBE: Final = 128
_LARGEST_MANIFEST: Final = 1_000_000


def walk(root: Path, roles: RoleRules) -> Tree:
    """List the files of a folder, or the one file that `root` is.

    Left out: what git ignores (unless it is tracked), what `.cronauditignore` names, dependencies, caches and
    media (`prune` and `assets` of the rules). Links are listed, not followed: what they lead to inside the
    target is walked under its own path, what lies outside is named in a diagnostic. Raises OSError where
    `root` itself cannot be read.
    """
    root = root.resolve(strict=True)
    if not root.is_dir():
        return _single(root, roles)
    repository = Repository.around(root)
    own, git = (IgnoreChain(), IgnoreChain()) if repository is None else repository.ignored_above(root)
    found = _Walk(root, roles, repository)
    found.run(_Pending("", str(root), own, git, tracked_only=False))
    return found.tree()


class _Pending(Struct, frozen=True):
    """A folder still to be listed."""

    path: str
    """Relative, empty for the target itself."""
    absolute: str
    own: IgnoreChain
    git: IgnoreChain
    tracked_only: bool
    """An ignore file takes this folder away; only what git tracks in it is kept."""


class _Walk(Struct):
    root: Path
    roles: RoleRules
    repository: Repository | None
    entries: list[tuple[str, str, Language, int]] = []
    """Folder, name, language and size of each file."""
    names: dict[str, frozenset[str]] = {}
    with_code: set[str] = set()
    manifests: dict[str, bytes] = {}
    links: dict[str, str] = {}
    diagnostics: list[Diagnostic] = []
    _index: list[Tracked | None] = []

    def run(self, target: _Pending) -> None:
        pending = [target]
        while pending:
            pending.extend(self._list(pending.pop()))

    def tree(self) -> Tree:
        classifier = Classifier(self.roles, Layout(self.names, frozenset(self.with_code), self.manifests))
        files = [
            SourceFile(
                f"{folder}/{name}" if folder else name,
                language,
                classifier.role(folder, name, language),
                size,
            )
            for folder, name, language, size in self.entries
        ]
        files.sort(key=lambda file: file.path)
        return Tree(
            self.root,
            tuple(files),
            self.roles,
            dict(sorted(self.links.items())),
            tuple(sorted(self.diagnostics)),
        )

    def _list(self, folder: _Pending) -> list[_Pending]:
        try:
            with os.scandir(folder.absolute) as scan:
                listing = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            self._say(folder.path or ".", f"folder not readable: {error.strerror}")
            return []
        names = frozenset(entry.name for entry in listing)
        if folder.path and not self.roles.pruned_with.isdisjoint(names):
            return []
        self.names[folder.path] = names
        own = self._with_file(folder, OWN_IGNORE_FILE, folder.own) if OWN_IGNORE_FILE in names else folder.own
        git = self._with_file(folder, GIT_IGNORE_FILE, folder.git) if GIT_IGNORE_FILE in names else folder.git
        folders: list[_Pending] = []
        prefix = f"{folder.path}/" if folder.path else ""
        for entry in listing:
            name, path = entry.name, prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if name in self.roles.pruned if is_folder else self._is_asset(name):
                continue
            tracked_only = folder.tracked_only
            if own.files or git.files or tracked_only:
                wanted = own.decide(name, folder=is_folder)
                if wanted:
                    continue
                if wanted is None and (tracked_only or git.decide(name, folder=is_folder)):
                    if not self._is_tracked(path, folder=is_folder):
                        continue
                    tracked_only = is_folder
            if not name.isascii() and not _is_utf8(name):
                self._say(path.encode("utf-8", "backslashreplace").decode(), "skipped: the name is no UTF-8")
            elif is_folder:
                folders.append(
                    _Pending(path, entry.path, own.entering(name), git.entering(name), tracked_only)
                )
            elif entry.is_symlink():
                self._link(path, entry.path)
            elif entry.is_file(follow_symlinks=False):
                self._file(folder.path, entry)
        folders.reverse()
        return folders

    def _is_asset(self, name: str) -> bool:
        stem, _, suffix = name.rpartition(".")
        return bool(stem) and suffix.lower() in self.roles.assets

    def _with_file(self, folder: _Pending, name: str, chain: IgnoreChain) -> IgnoreChain:
        path = f"{folder.path}/{name}" if folder.path else name
        try:
            file = IgnoreFile.parse(Path(folder.absolute, name).read_bytes())
        except OSError as error:
            self._say(path, f"not readable: {error.strerror}")
            return chain
        for problem in file.problems:
            self._say(path, problem)
        return chain.with_file(file)

    def _is_tracked(self, path: str, *, folder: bool) -> bool:
        if self.repository is None:
            return False
        if not self._index:
            self._index.append(self.repository.tracked())
        tracked = self._index[0]
        if tracked is None:
            return False
        below = self.root.relative_to(self.repository.root).as_posix()
        in_repository = path if below == "." else f"{below}/{path}"
        return in_repository in (tracked.folders if folder else tracked.files)

    def _link(self, path: str, absolute: str) -> None:
        end = Path(os.path.realpath(absolute))
        if not end.exists():
            self._say(path, "not followed: broken symbolic link")
        elif not end.is_relative_to(self.root):
            self._say(path, "not followed: symbolic link out of the target")
        else:
            relative = end.relative_to(self.root).as_posix()
            self.links[path] = "" if relative == "." else relative

    def _file(self, folder: str, entry: os.DirEntry[str]) -> None:
        name = entry.name
        try:
            size = entry.stat(follow_symlinks=False).st_size
            language = language_of(name, folder.rpartition("/")[2].lower())
            if language is Language.OTHER and "." not in name and size:
                language = language_of_shebang(_head(entry.path, _SHEBANG_PROBE))
            elif name == _MANIFEST and size < _LARGEST_MANIFEST:
                self.manifests[folder] = _head(entry.path, size)
        except OSError as error:
            self._say(f"{folder}/{name}" if folder else name, f"not readable: {error.strerror}")
            return
        self.entries.append((folder, name, language, size))
        if language in CODE:
            while folder not in self.with_code:
                self.with_code.add(folder)
                folder = folder.rpartition("/")[0]

    def _say(self, path: str, reason: str) -> None:
        self.diagnostics.append(Diagnostic(path, reason))


def _single(path: Path, roles: RoleRules) -> Tree:
    with path.open("rb") as stream:
        head = stream.read(_SHEBANG_PROBE)
    language = language_of(path.name, "")
    if language is Language.OTHER and "." not in path.name:
        language = language_of_shebang(head)
    classifier = Classifier(roles, Layout({"": frozenset({path.name})}, frozenset(), {}))
    file = SourceFile(path.name, language, classifier.role("", path.name, language), path.stat().st_size)
    return Tree(path.parent, (file,), roles)


def _head(path: str, size: int) -> bytes:
    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - paths of scandir are text
        return stream.read(size) or b""


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
