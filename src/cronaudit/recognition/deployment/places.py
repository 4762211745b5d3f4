"""Where a command runs, and which file of the tree a path means there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.recognition.deployment.dockerfile import Dockerfile, Stage
from cronaudit.recognition.deployment.files import Files
from cronaudit.recognition.deployment.sources import Sources

_ROOTS: Final = ("package.json", "manage.py", "pyproject.toml", "requirements.txt", "setup.py")
"""Files in the folder of a project."""


class Place(Struct, frozen=True):
    """A working directory: a folder of the tree, or one of an image."""

    files: Files
    sources: Sources
    folder: str = ""
    """Folder of the tree: of the command, or of the build context of its image."""
    dockerfile: Dockerfile | None = None
    stage: Stage | None = None
    workdir: str = "/"
    """Working directory in the image."""
    foreign: bool = False
    """An image that nothing in the tree is known to build: any folder of the tree may be in it."""

    def cd(self, path: str) -> Place:
        """Change the working directory."""
        if self.stage is not None:
            return replace(self, workdir=posixpath.normpath(posixpath.join(self.workdir, path)))
        if path.startswith("/"):
            found = next((one for one in _suffixes(path) if self.files.is_folder(one)), None)
            return self if found is None else replace(self, folder=found, foreign=False)
        joined = self.files.join(self.folder, path)
        return self if joined is None else replace(self, folder=joined)

    @property
    def copies_programs(self) -> bool:
        """Whether the image takes a program from the tree into a folder of programs."""
        if self.stage is None or self.dockerfile is None:
            return False
        stages = self.dockerfile.lineage(self.stage)
        return any(copy.stage is None and "/bin" in copy.target for stage in stages for copy in stage.copies)

    def at(self, folder: str) -> Place:
        """A folder of the tree, with nothing known of an image."""
        return replace(self, folder=folder, dockerfile=None, stage=None, foreign=False)

    def candidates(self, path: str) -> Iterator[str]:
        """Paths of the tree that `path` may mean, the likeliest first."""
        if self.stage is not None and self.dockerfile is not None:
            inside = posixpath.normpath(posixpath.join(self.workdir, path))
            for origin in self.dockerfile.origins(self.stage, inside):
                joined = self.files.join(self.folder, origin)
                if joined is not None:
                    yield joined
            for suffix in _suffixes(inside):
                joined = self.files.join(self.folder, suffix)
                if joined is not None:
                    yield joined
        elif path.startswith("/"):
            for suffix in _suffixes(path):
                yield posixpath.normpath(posixpath.join(self.folder, suffix))
        else:
            joined = self.files.join(self.folder, path)
            if joined is not None:
                yield joined

    def folders(self) -> list[str]:
        """Folders of the tree that the working directory may be."""
        if self.stage is None:
            return [self.folder]
        found: dict[str, None] = {}
        for path in self.candidates("."):
            found[path] = None
        found[self.folder] = None
        return [folder for folder in found if folder == "" or self.files.is_folder(folder)]

    def find(self, path: str, *, by_name: bool = True) -> str | None:
        """A file as it is named; where it lies elsewhere, the only one of the tree whose path ends so.

        `by_name`: in an image from elsewhere its name alone may be enough. That is too little for code, of which
        every project has its `server.js`.
        """
        for candidate in self.candidates(path):
            if self.files.has(candidate):
                return candidate
        if self.foreign or path.startswith("/") or self.stage is not None:
            for suffix in _suffixes(posixpath.normpath(path)):
                if "/" in suffix or (by_name and self.foreign):
                    found = self.files.ending(suffix)
                    if found is not None:
                        return found
        return None

    def source(self, path: str) -> str | None:
        """The source of a file that is run."""
        for candidate in dict.fromkeys(self.candidates(path)):
            found = self.sources.of(candidate)
            if found is not None:
                return found
        found = self.find(path, by_name=False)
        if found is not None or not self.foreign:
            return found
        # Of an image from elsewhere only the folders of projects come into question, and only if one alone fits.
        roots = {posixpath.dirname(manifest) for name in _ROOTS for manifest in self.files.named(name)} | {""}
        hits = {self.sources.of(posixpath.join(root, path.lstrip("/"))) for root in roots} - {None}
        return hits.pop() if len(hits) == 1 else None

    def module(self, name: str) -> str | None:
        """The file of a Python module."""
        return self.sources.module(name, self.folders())


def _suffixes(path: str) -> Iterator[str]:
    parts = path.strip("/").split("/")
    for index in range(len(parts)):
        yield "/".join(parts[index:])
