"""From what a command names to the file of the tree: build outputs back to sources, modules and packages to files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import Language, Role
from cronaudit.recognition.deployment.files import Files

_OUTPUTS: Final = frozenset(
    "dist build out output lib compiled bundle .build _build .output target dist-server built es cjs esm".split()
)
_SOURCES: Final = {
    ".js": (".ts", ".tsx", ".js", ".jsx", ".mts", ".mjs", ".cts", ".cjs"),
    ".mjs": (".mts", ".ts", ".mjs", ".js", ".tsx"),
    ".cjs": (".cts", ".ts", ".cjs", ".js", ".tsx"),
}
_SUFFIXES: Final = (".ts", ".js", ".mjs", ".cjs", ".tsx", ".mts", ".cts", ".jsx", ".py")
_CODE: Final = lazy_regex(r"\.(?:[cm]?[jt]sx?|py)$")
_EXTENDING: Final = 4
"""How many tsconfig files may extend one another."""


class Sources(Struct):
    """Finds source files. Paths are relative to the target."""

    files: Files
    _outputs: dict[str, tuple[tuple[str, str], ...]] = {}
    _commands: list[str] | None = None

    def of(self, path: str) -> str | None:
        """The source of a file that node, tsx, bun or python is given: `dist/index.js` is `src/index.ts`."""
        path = path.strip("/")
        file = self.files.get(path)
        if file is not None and file.role is not Role.GENERATED:
            return path
        built = self._built(path)
        if built is not None:
            return built
        if file is not None:
            return path
        if not _CODE.search(path):
            for suffix in _SUFFIXES:
                found = self.of(path + suffix) if suffix in {".js", ".py"} else None
                if found is not None or self.files.has(path + suffix):
                    return found or path + suffix
            return self._of_folder(path)
        stem, suffix = posixpath.splitext(path)
        return next(
            (stem + other for other in _SOURCES.get(suffix, ()) if self.files.has(stem + other)), None
        )

    def _of_folder(self, folder: str) -> str | None:
        manifest = posixpath.join(folder, "package.json")
        main = self.files.document(manifest).get("main") if self.files.has(manifest) else None
        if isinstance(main, str) and main.strip("./"):
            found = self.files.join(folder, main)
            if found and found != folder:
                return self.of(found)
        return next(
            (
                path
                for name in ("index", "src/index", "__main__")
                for suffix in _SUFFIXES
                if self.files.has(path := posixpath.join(folder, name + suffix))
            ),
            None,
        )

    def _built(self, path: str) -> str | None:
        for folder, output, root in self._configured(path):
            prefix = posixpath.join(folder, output) + "/"
            if path.startswith(prefix):
                rest = path[len(prefix) :]
                for base in (root,) if root is not None else ("src", ""):
                    found = self._source(posixpath.normpath(posixpath.join(folder, base, rest)))
                    if found is not None:
                        return found
        parts = path.split("/")
        for index, part in enumerate(parts[:-1]):
            if part in _OUTPUTS:
                prefix, inside = "/".join(parts[:index]), parts[index + 1 :]
                for base in ("src", "", "source", "lib", "server"):
                    if base == part:
                        continue
                    found = self._source(posixpath.join(prefix, base, *inside))
                    if found is not None:
                        return found
                # Nx and Nest build `apps/api/src/main.ts` to `dist/apps/api/main.js`.
                if len(inside) > 1:
                    found = self._source(posixpath.join(prefix, *inside[:-1], "src", inside[-1]))
                    if found is not None:
                        return found
        return None

    def _source(self, path: str) -> str | None:
        stem, suffix = posixpath.splitext(path)
        others = _SOURCES.get(suffix)
        if others is None:
            stem, others = path, (*_SOURCES[".js"], "/index.ts", "/index.js")
        for other in others:
            file = self.files.get(stem + other)
            if file is not None and file.role is not Role.GENERATED:
                return file.path
        return None

    def _configured(self, path: str) -> Iterator[tuple[str, str, str | None]]:
        """Folder, output and root of the tsconfig files above a path, the nearest first."""
        folder = posixpath.dirname(path)
        while True:
            for output, root in self._tsconfigs(folder):
                yield folder, output, root or None
            if not folder:
                return
            folder = posixpath.dirname(folder)

    def _tsconfigs(self, folder: str) -> tuple[tuple[str, str], ...]:
        known = self._outputs.get(folder)
        if known is None:
            found: dict[tuple[str, str], None] = {}
            for path in self.files.inside(folder):
                name = posixpath.basename(path)
                if name.startswith("tsconfig") and name.endswith(".json"):
                    output, root = self._options(path, 0)
                    if output:
                        found[self._relative(folder, output), self._relative(folder, root or "")] = None
            known = self._outputs[folder] = tuple(found)
        return known

    @staticmethod
    def _relative(folder: str, path: str) -> str:
        return posixpath.relpath(path, folder or ".") if path else ""

    def _options(self, path: str, depth: int) -> tuple[str | None, str | None]:
        """`outDir` and `rootDir`, relative to the target, of a tsconfig and those that it extends."""
        document = self.files.document(path)
        options = document.get("compilerOptions")
        folder = posixpath.dirname(path)
        found: list[str | None] = []
        for name in ("outDir", "rootDir"):
            value = options.get(name) if isinstance(options, dict) else None
            found.append((self.files.join(folder, value) or ".") if isinstance(value, str) else None)
        base = document.get("extends")
        for parent in base if isinstance(base, list) else [base]:
            if isinstance(parent, str) and parent.startswith(".") and depth < _EXTENDING:
                above = self.files.join(folder, parent if parent.endswith(".json") else parent + ".json")
                if above and self.files.has(above):
                    inherited = self._options(above, depth + 1)
                    found = [own or other for own, other in zip(found, inherited, strict=True)]
        return found[0], found[1]

    def module(self, name: str, folders: list[str]) -> str | None:
        """The file of a Python module, looked for below these folders, then anywhere by a path that is unique."""
        path = name.strip().replace(".", "/")
        if not path or not re.fullmatch(r"[\w/]+", path):
            return None
        for folder in folders:
            for base in (folder, posixpath.join(folder, "src")):
                for suffix in (".py", "/__init__.py"):
                    found = posixpath.normpath(posixpath.join(base, path + suffix))
                    if self.files.has(found):
                        return found
        return self.files.ending(path + ".py") or self.files.ending(path + "/__init__.py")

    def django_command(self, name: str, near: list[str]) -> str | None:
        """The file of a management command; of several, one near the given folders."""
        found = [path for path in self.django_commands() if posixpath.basename(path) == f"{name}.py"]
        for folder in near:
            inside = [path for path in found if path.startswith(f"{folder}/" if folder else "")]
            if len(inside) == 1:
                return inside[0]
        return found[0] if len(found) == 1 else None

    def django_commands(self) -> list[str]:
        """The files of all management commands, sorted."""
        if self._commands is None:
            self._commands = sorted(
                file.path
                for file in self.files.written_in(Language.PYTHON)
                if "management/commands/" in file.path
                and not posixpath.basename(file.path).startswith("_")
                and file.role not in {Role.TEST, Role.VENDORED}
            )
        return self._commands

    def package(self, name: str) -> str | None:
        """The folder of a workspace package."""
        for path in self.files.named("package.json"):
            file = self.files.get(path)
            if (
                file is not None
                and file.role is not Role.VENDORED
                and self.files.document(path).get("name") == name
            ):
                return posixpath.dirname(path)
        return None
