"""From a module specifier to a file of the tree: relative paths, tsconfig paths, workspaces, Python packages."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex

_SCRIPT_SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_COMPILED_TO_SOURCE = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_JSON_COMMENT = lazy_regex(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = lazy_regex(r",(\s*[}\]])")
_BUILT = lazy_regex(r"^(\./)?(dist|lib|build|out)/")
"""Where compilers put what they build from ``src``."""


def parse_jsonc(text: str) -> Any:  # noqa: ANN401 - JSON
    """Read JSON with comments and trailing commas, as tsconfig files are; raises ValueError."""
    without = _JSON_COMMENT.sub(lambda m: m.group(1) or "", text)
    return json.loads(_TRAILING_COMMA.sub(r"\1", without))


class _PathConfig(Struct):
    """The ``baseUrl`` and ``paths`` in force for a directory."""

    base: str | None
    paths: tuple[tuple[str, str | None, tuple[str, ...]], ...]
    """Prefix, suffix (None where the pattern has no ``*``), and the targets, longest prefix first."""


class Resolver(Struct):
    """Finds the file that a specifier means. Knows the list of files and reads only manifests."""

    paths: frozenset[str]
    """All files of the tree."""
    read: Callable[[str], bytes]
    _configs: dict[str, _PathConfig | None] = {}
    _read_configs: dict[str, tuple[_PathConfig | None, tuple[str, ...]]] = {}
    _packages: dict[str, tuple[str, dict[str, Any]]] | None = None
    _cache: dict[tuple[str, str], str | None] = {}
    _python_roots: tuple[str, ...] | None = None
    _folders: frozenset[str] | None = None
    _entries: dict[str, list[str]] | None = None

    def resolve(self, specifier: str, importer: str) -> str | None:
        """The path of the file that `specifier` means in `importer`; None where it lies outside the tree."""
        key = (importer.rpartition("/")[0], specifier)
        try:
            return self._cache[key]
        except KeyError:
            found = self._cache[key] = self._resolve_script(specifier, key[0])
            return found

    # ---- JavaScript and TypeScript --------------------------------------------------------------------------

    def _resolve_script(self, specifier: str, folder: str) -> str | None:
        if specifier.startswith("."):
            path = posixpath.normpath(posixpath.join(folder, specifier))
            root = self.package_folder(folder)
            built = posixpath.relpath(path, root or ".") + "/"  # ``bin/www`` starts ``../dist/app.js``
            return self._file(path) or self._source_of(built, root)
        if specifier.startswith("/"):  # from the root of the application, as Meteor and bundlers read it
            return self._file(posixpath.normpath(posixpath.join(self.package_folder(folder), specifier[1:])))
        config = self._config_for(folder)
        if config is not None:
            for prefix, suffix, targets in config.paths:
                fits = specifier == prefix if suffix is None else _between(specifier, prefix, suffix)
                if fits:
                    middle = "" if suffix is None else specifier[len(prefix) : len(specifier) - len(suffix)]
                    for target in targets:
                        found = self._file(posixpath.normpath(target.replace("*", middle)))
                        if found:
                            return found
            if config.base is not None:
                found = self._file(posixpath.normpath(posixpath.join(config.base, specifier)))
                if found:
                    return found
        return self._package_file(specifier, folder)

    def package_folder(self, folder: str) -> str:
        """The nearest folder at or above `folder` that holds a ``package.json``; the root where none does."""
        while folder and f"{folder}/package.json" not in self.paths:
            folder = posixpath.dirname(folder)
        return folder

    def _file(self, base: str) -> str | None:
        if base in self.paths and base.endswith((*_SCRIPT_SUFFIXES, ".json")):
            return base
        stem, suffix = posixpath.splitext(base)
        for source in _COMPILED_TO_SOURCE.get(suffix, ()):
            if stem + source in self.paths:
                return stem + source
        for suffix in _SCRIPT_SUFFIXES:
            if base + suffix in self.paths:
                return base + suffix
        folder = "" if base == "." else base + "/"
        manifest = self._manifest(folder + "package.json") if folder else None
        if manifest and isinstance(manifest.get("main"), str):
            main = posixpath.normpath(folder + manifest["main"])
            if main != base and (found := self._file(main)):
                return found
        for suffix in _SCRIPT_SUFFIXES:
            if f"{folder}index{suffix}" in self.paths:
                return f"{folder}index{suffix}"
        return None

    def _config_for(self, folder: str) -> _PathConfig | None:
        if folder in self._configs:
            return self._configs[folder]
        prefix = folder + "/" if folder else ""
        config: _PathConfig | None = None
        for name in ("tsconfig.json", "jsconfig.json", "tsconfig.base.json"):
            if prefix + name in self.paths:
                config = self._config_of(prefix + name)
                if config is not None and (config.paths or config.base is not None):
                    break
        if (config is None or not (config.paths or config.base is not None)) and folder:
            config = self._config_for(posixpath.dirname(folder))
        self._configs[folder] = config
        return config

    def _config_of(self, path: str) -> _PathConfig | None:
        """What the file nearest to a folder says; where it only refers to projects, what the last of them says."""
        config, references = self._read_config(path)
        if config is None or config.paths or config.base is not None:
            return config
        folder = posixpath.dirname(path)
        found = [self._config_path(f"./{r}", folder) for r in references]
        projects = [p for p in (self._read_config(f)[0] for f in reversed(found) if f) if p is not None]
        return next((p for p in projects if p.paths or p.base is not None), config)

    def _read_config(self, path: str) -> tuple[_PathConfig | None, tuple[str, ...]]:
        """What a file and those it extends say, and the projects it refers to. A circle of files says nothing more."""
        if path not in self._read_configs:
            self._read_configs[path] = (None, ())
            self._read_configs[path] = self._parse_config(path)
        return self._read_configs[path]

    def _parse_config(self, path: str) -> tuple[_PathConfig | None, tuple[str, ...]]:
        try:
            raw = parse_jsonc(self.read(path).decode("utf-8", "replace"))
        except ValueError:
            return None, ()
        if not isinstance(raw, dict):
            return None, ()
        folder = posixpath.dirname(path)
        inherited = _PathConfig(None, ())
        extends = raw.get("extends")
        for parent in [extends] if isinstance(extends, str) else extends or []:
            parent_path = self._config_path(str(parent), folder)
            above = self._read_config(parent_path)[0] if parent_path else None
            if above is not None:
                inherited = _over(inherited, above)
        options = raw.get("compilerOptions")
        options = options if isinstance(options, dict) else {}
        base = options.get("baseUrl")
        base = posixpath.normpath(posixpath.join(folder, base)) if isinstance(base, str) else None
        if base is None:
            base = inherited.base
        paths = options.get("paths")
        compiled = (
            _compile_paths(paths, base if base is not None else folder) if isinstance(paths, dict) else None
        )
        referred = raw.get("references")
        projects = (
            [r.get("path") for r in referred if isinstance(r, dict)] if isinstance(referred, list) else []
        )
        return (
            _PathConfig(base, inherited.paths if compiled is None else compiled),
            tuple(p for p in projects if isinstance(p, str)),
        )

    def _config_path(self, specifier: str, folder: str) -> str | None:
        if specifier.startswith("."):
            base = posixpath.normpath(posixpath.join(folder, specifier))
            candidates: Iterable[str] = (base, base + ".json", base + "/tsconfig.json")
        else:
            name, _, rest = _split_package(specifier)
            found = self._workspaces().get(name)
            if found is None:
                return None
            base = posixpath.join(found[0], rest) if rest else found[0]
            candidates = (base, base + ".json", base + "/tsconfig.json")
        return next((c for c in candidates if c in self.paths), None)

    def _manifest(self, path: str) -> dict[str, Any] | None:
        if path not in self.paths:
            return None
        try:
            raw = json.loads(self.read(path))
        except ValueError:
            return None
        return raw if isinstance(raw, dict) else None

    def _workspaces(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Packages of the tree by their name. Every manifest counts: tools disagree on how to list workspaces."""
        if self._packages is None:
            self._packages = {}
            for path in sorted(p for p in self.paths if p.rsplit("/", 1)[-1] == "package.json"):
                manifest = self._manifest(path)
                if manifest and isinstance(manifest.get("name"), str):
                    self._packages.setdefault(manifest["name"], (posixpath.dirname(path), manifest))
        return self._packages

    def package_segments(self, path: str) -> tuple[str, ...]:
        """The last segments of the package names (and subpaths) whose entry `path` is."""
        if self._entries is None:
            self._entries = {}
            for name, (_root, manifest) in sorted(self._workspaces().items()):
                exports = manifest.get("exports")
                subpaths = (
                    [k for k in exports if k.startswith("./") and "*" not in k]
                    if isinstance(exports, dict)
                    else []
                )
                for specifier in (name, *(f"{name}/{k[2:]}" for k in subpaths)):
                    entry = self._package_file(specifier, "")
                    if entry is not None:
                        self._entries.setdefault(entry, []).append(specifier.rsplit("/", 1)[-1])
        return tuple(self._entries.get(path, ()))

    def _package_file(self, specifier: str, folder: str) -> str | None:
        name, _, rest = _split_package(specifier)
        if specifier.startswith("#"):
            return self._subpath_import(specifier, folder)
        found = self._workspaces().get(name)
        if found is None:
            return None
        root, manifest = found
        for target in _export_targets(manifest, rest):
            path = self._file(posixpath.normpath(posixpath.join(root, target))) or self._source_of(
                target, root
            )
            if path:
                return path
        built = _BUILT.sub("src/", rest)
        for base in (rest, f"src/{rest}", built) if rest else ("src/index", "index", "src"):
            path = self._file(posixpath.normpath(posixpath.join(root, base)))
            if path:
                return path
        return None

    def _source_of(self, target: str, root: str) -> str | None:
        """``dist/x.js`` is built from ``src/x.ts``; only the source is in the tree."""
        sources = self._source_folders(root) if _BUILT.match(target) else ()
        tried = (self._file(posixpath.normpath(posixpath.join(root, _BUILT.sub(s, target)))) for s in sources)
        return next((path for path in tried if path), None)

    def _source_folders(self, root: str) -> tuple[str, ...]:
        """Where a package's compiler may take its sources from: what it says, else where they usually lie."""
        try:
            raw = parse_jsonc(self.read(posixpath.join(root, "tsconfig.json")).decode("utf-8", "replace"))
            stated = raw["compilerOptions"]["rootDir"]
        except (KeyError, OSError, TypeError, ValueError):
            stated = None
        return (*((f"{stated}/",) if isinstance(stated, str) else ()), "src/", "lib/", "")

    def _subpath_import(self, specifier: str, folder: str) -> str | None:
        while True:
            manifest = self._manifest(posixpath.join(folder, "package.json") if folder else "package.json")
            if manifest is not None:
                imports = manifest.get("imports")
                if isinstance(imports, dict):
                    for target in _match_conditions(imports, specifier):
                        found = self._file(posixpath.normpath(posixpath.join(folder, target)))
                        if found:
                            return found
                return None
            if not folder:
                return None
            folder = posixpath.dirname(folder)

    # ---- Python ----------------------------------------------------------------------------------------------

    def resolve_python(self, module: str, importer: str) -> str | None:
        """The file of a dotted module name, relative dots included; a package gives its ``__init__.py``."""
        key = (posixpath.dirname(importer), module)
        if key not in self._cache:
            self._cache[key] = self._resolve_python(module, key[0])
        found = self._cache[key]
        # ``from celery import Celery`` in a file celery.py means the library: a module does not import itself.
        return None if found == importer and not module.startswith(".") else found

    def may_be_package(self, module: str, importer: str) -> bool:
        """Whether a dotted name may be a package of the tree, with an ``__init__.py`` or without."""
        found = self.resolve_python(module, importer)
        if found is not None:
            return found.endswith("__init__.py")
        if self._folders is None:
            self._folders = frozenset(posixpath.basename(posixpath.dirname(p)) for p in self.paths)
        return module.endswith(".") or module.rpartition(".")[2] in self._folders

    def _resolve_python(self, module: str, folder: str) -> str | None:
        name = module.lstrip(".")
        dots = len(module) - len(name)
        tail = name.replace(".", "/")
        if dots:
            for _ in range(dots - 1):
                folder = posixpath.dirname(folder)
            return self._python_file(posixpath.join(folder, tail) if tail else folder)
        for root in self._roots(folder):
            found = self._python_file(posixpath.join(root, tail) if root else tail)
            if found:
                return found
        # A script in a package has its own folder on the path: ``python app/main.py`` imports ``sync.users``.
        while folder and "/" in tail:
            found = self._python_file(posixpath.join(folder, tail))
            if found:
                return found
            folder = posixpath.dirname(folder)
        return None

    def _python_file(self, base: str) -> str | None:
        for candidate in (f"{base}.py", f"{base}/__init__.py" if base else "__init__.py", f"{base}.pyi"):
            if candidate in self.paths:
                return candidate
        return None

    def _roots(self, folder: str) -> Iterable[str]:
        """Folders that may be on the path: those above the importer, inner first, then every package root."""
        while folder:
            if f"{folder}/__init__.py" not in self.paths:
                yield folder
            folder = posixpath.dirname(folder)
        yield ""
        if self._python_roots is None:
            folders = {posixpath.dirname(p) for p in self.paths if p.endswith("/__init__.py")}
            outer = {posixpath.dirname(f) for f in folders if posixpath.dirname(f) not in folders}
            self._python_roots = tuple(sorted(outer, key=lambda f: (f.count("/"), f)))
        yield from self._python_roots


def _over(inherited: _PathConfig, later: _PathConfig) -> _PathConfig:
    """What two extended configurations come to: the later one wins in what it sets."""
    return _PathConfig(inherited.base if later.base is None else later.base, later.paths or inherited.paths)


def _split_package(specifier: str) -> tuple[str, str, str]:
    parts = specifier.split("/", 2 if specifier.startswith("@") else 1)
    count = 2 if specifier.startswith("@") else 1
    return "/".join(parts[:count]), "/", "/".join(parts[count:])


def _between(text: str, prefix: str, suffix: str) -> bool:
    return text.startswith(prefix) and text.endswith(suffix) and len(text) >= len(prefix) + len(suffix)


def _compile_paths(paths: dict[str, Any], base: str) -> tuple[tuple[str, str | None, tuple[str, ...]], ...]:
    compiled = []
    for pattern, targets in paths.items():
        if not isinstance(targets, list):
            continue
        prefix, star, suffix = pattern.partition("*")
        where = tuple(posixpath.join(base, t) for t in targets if isinstance(t, str))
        compiled.append((prefix, suffix if star else None, where))
    return tuple(sorted(compiled, key=lambda entry: (-len(entry[0]), entry[0])))


def _export_targets(manifest: dict[str, Any], rest: str) -> Iterable[str]:
    exports = manifest.get("exports")
    if isinstance(exports, str) and not rest:
        yield exports
    elif isinstance(exports, dict):
        if any(key.startswith(".") for key in exports):
            yield from _match_conditions(exports, f"./{rest}" if rest else ".")
        elif not rest:
            yield from _conditions(exports)
    if not rest:
        for key in ("source", "main", "module", "types", "typings"):
            if isinstance(manifest.get(key), str):
                yield manifest[key]


def _match_conditions(table: dict[str, Any], name: str) -> Iterable[str]:
    if name in table:
        yield from _conditions(table[name])
        return
    for pattern in sorted(table, key=len, reverse=True):
        prefix, star, suffix = pattern.partition("*")
        if star and _between(name, prefix, suffix):
            middle = name[len(prefix) : len(name) - len(suffix)]
            for target in _conditions(table[pattern]):
                yield target.replace("*", middle)


def _conditions(target: Any) -> Iterable[str]:  # noqa: ANN401 - JSON
    if isinstance(target, str):
        yield target
    elif isinstance(target, dict):
        for value in target.values():
            yield from _conditions(value)
    elif isinstance(target, list):
        for value in target:
            yield from _conditions(value)
