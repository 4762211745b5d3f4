"""The git repository around a target: what its index tracks, and its ignore files above the target."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from cronaudit.target.ignore import IgnoreChain, IgnoreFile

if TYPE_CHECKING:
    from pathlib import Path

GIT_IGNORE_FILE: Final = ".gitignore"
OWN_IGNORE_FILE: Final = ".cronauditignore"
"""Same syntax; what a team tells the audit overrules what it tells git."""

_HEADER: Final = struct.Struct(">4sII")
_FLAGS_AT: Final = 40
_EXTENDED: Final = 0x4000
_PREFIX_COMPRESSED: Final = 4


class Repository(Struct, frozen=True):
    """A work tree with a `.git`."""

    root: Path
    git_folder: Path
    """Where the index lies; for a linked work tree not the `.git` beside it."""
    common_folder: Path
    """Where `info/exclude` lies."""

    @classmethod
    def around(cls, folder: Path) -> Repository | None:
        """The innermost repository that a folder lies in."""
        for candidate in (folder, *folder.parents):
            marker = candidate / ".git"
            try:
                if marker.is_dir():
                    return cls(candidate, marker, marker)
                if marker.is_file():
                    # A submodule or linked work tree: gitrepository-layout(5).
                    link = marker.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
                    git_folder = (candidate / link).resolve()
                    common = git_folder / "commondir"
                    name = common.read_text("utf-8", "replace").strip() if common.is_file() else "."
                    return cls(candidate, git_folder, (git_folder / name).resolve())
            except OSError:
                return None
        return None

    def ignored_above(self, target: Path) -> tuple[IgnoreChain, IgnoreChain]:
        """What reaches the target from above: `.cronauditignore` files first, then git's own.

        Both empty where these ignore the target itself: who points at a folder wants to see what is in it.
        """
        own, git = IgnoreChain(), IgnoreChain()
        exclude = _ignore_file(self.common_folder / "info" / "exclude")
        if exclude is not None:
            git = git.with_file(exclude)
        folder = self.root
        for segment in target.relative_to(self.root).parts:
            own_file, git_file = (
                _ignore_file(folder / OWN_IGNORE_FILE),
                _ignore_file(folder / GIT_IGNORE_FILE),
            )
            own = own if own_file is None else own.with_file(own_file)
            git = git if git_file is None else git.with_file(git_file)
            if own.decide(segment, folder=True) or git.decide(segment, folder=True):
                return IgnoreChain(), IgnoreChain()
            own, git = own.entering(segment), git.entering(segment)
            folder /= segment
        return own, git

    def tracked(self) -> Tracked | None:
        """The paths in the index; None where there is none that can be read."""
        try:
            content = (self.git_folder / "index").read_bytes()
            config = (self.common_folder / "config").read_bytes()
        except OSError:
            return None
        try:
            return Tracked.parse(content, 32 if b"sha256" in config.lower() else 20)
        except (struct.error, ValueError, IndexError):
            return None


class Tracked(Struct, frozen=True):
    """What git tracks: no ignore file takes that away (gitignore(5)), so the audit keeps it too."""

    files: frozenset[str]
    folders: frozenset[str]

    @classmethod
    def parse(cls, content: bytes, hash_size: int) -> Tracked:
        """Paths of an index file, versions 2 to 4 (gitformat-index(5)).

        Raises ValueError, IndexError or struct.error where the bytes are no such index.
        """
        signature, version, count = _HEADER.unpack_from(content)
        if signature != b"DIRC" or version not in {2, 3, 4}:
            raise ValueError("no index of version 2 to 4")
        files: list[str] = []
        position = _HEADER.size
        previous = b""
        for _ in range(count):
            start = position
            flags_at = start + _FLAGS_AT + hash_size
            name_at = flags_at + (4 if content[flags_at] << 8 & _EXTENDED else 2)
            if version == _PREFIX_COMPRESSED:
                removed, name_at = _variable_width(content, name_at)
                end = content.index(b"\0", name_at)
                previous = previous[: len(previous) - removed] + content[name_at:end]
                position = end + 1
            else:
                end = content.index(b"\0", name_at)
                previous = content[name_at:end]
                # Entries are padded with one to eight NULs to a multiple of eight bytes.
                position = start + (end - start + 8) // 8 * 8
            files.append(previous.decode("utf-8", "surrogateescape"))
        folders: set[str] = set()
        for path in files:
            parent = path.rpartition("/")[0]
            while parent and parent not in folders:
                folders.add(parent)
                parent = parent.rpartition("/")[0]
        return cls(frozenset(files), frozenset(folders))


def _variable_width(content: bytes, position: int) -> tuple[int, int]:
    """The offset encoding of pack files: each further byte adds one before it shifts."""
    byte = content[position]
    value = byte & 0x7F
    while byte & 0x80:
        position += 1
        byte = content[position]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, position + 1


def _ignore_file(path: Path) -> IgnoreFile | None:
    try:
        return IgnoreFile.parse(path.read_bytes())
    except OSError:
        return None
