"""Folders that a program reads at run time to load what lies in them.

``readdirSync(join(__dirname, 'jobs')).map((file) => require(join(__dirname, 'jobs', file)))``: the files of the tree
stand for those that the program will find there.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re

from cronaudit.lazy_regex import lazy_regex
from cronaudit.linking.folder import Folder
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, External, Known, Lazy, Namespace, Record, Sequence, Value

TREE = "\0tree/"
_READS = lazy_regex(r"(fs|fs-extra|fs/promises|graceful-fs):(default\.)?(promises\.)?readdir(Sync)?$")
_GLOBS = lazy_regex(
    r"(glob|fast-glob|globby|tinyglobby):(default|default\.sync|default\.globSync|sync|globSync|glob|glob\.sync|globbySync|globby)$"
)
_IMPORTS = "global:import.meta.glob"
_MOST = 200
"""Files; a folder with more holds no jobs but data."""


def listed(folder: Folder, callee: External, args: Arguments, at: Location | None) -> Value | None:
    """What a call that lists files gives; None where it is another call, or the folder cannot be told."""
    if at is None or not args.positional:
        return None
    if _READS.match(callee.path):
        return _read(folder, args, at)
    if _GLOBS.match(callee.path) or callee.path == _IMPORTS:
        return _matching(folder, args, at, is_import=callee.path == _IMPORTS)
    return None


def _read(folder: Folder, args: Arguments, at: Location) -> Value | None:
    where = folder.force(args.positional[0])
    if not isinstance(where, Known) or not isinstance(where.value, str):
        return None
    path = tree_path(where, at)
    if path is None:
        return None
    options = folder.force(args.positional[1]) if len(args.positional) > 1 else None
    entries = options.entries if isinstance(options, Record) else {}
    names: list[Value | Lazy] = []
    for found in folder.modules.sources_in(path, deep="recursive" in entries):
        if found != at.path:
            name = Known(found[len(path) + 1 if path else 0 :], Location(found, 1))
            entry = Record({"name": name}, complete=False, at=Location(found, 1))
            names.append(entry if "withFileTypes" in entries else name)
    return Sequence(tuple(names), complete=False, at=at) if 0 < len(names) <= _MOST else None


def _matching(folder: Folder, args: Arguments, at: Location, *, is_import: bool) -> Value | None:
    """``import.meta.glob('./jobs/*.ts')`` gives the modules by path, a glob of a package the paths."""
    pattern = folder.force(args.positional[0])
    if not isinstance(pattern, Known) or not isinstance(pattern.value, str):
        return None
    base = posixpath.dirname(at.path)
    text = pattern.value
    if text.startswith(TREE):
        whole = text[len(TREE) :]
    elif text.startswith("."):
        whole = posixpath.normpath(posixpath.join(base, text))
    else:
        return None
    root = re.split(r"[*?{\[]", whole, maxsplit=1)[0].rpartition("/")[0]
    globs = _alternatives(whole)
    found = [
        p
        for p in folder.modules.sources_in(root, deep="**" in whole or "/*/" in whole)
        if p != at.path and any(fnmatch.fnmatchcase(p, g) for g in globs)
    ]
    if not 0 < len(found) <= _MOST:
        return None
    if not is_import:
        return Sequence(tuple(Known(TREE + p, Location(p, 1)) for p in found), complete=False, at=at)
    modules = {p: module for p in found if (module := folder.modules.module(p)) is not None}
    entries: dict[str, Value | Lazy] = {
        "./" + posixpath.relpath(p, base or "."): Namespace(module) for p, module in modules.items()
    }
    return Record(entries, complete=False, at=at)


def _alternatives(pattern: str) -> list[str]:
    """``jobs/*.{ts,js}`` as its alternatives, with ``**/`` also standing for no folder at all."""
    braces = re.search(r"\{([^{}]*)\}", pattern)
    if braces is not None:
        head, tail = pattern[: braces.start()], pattern[braces.end() :]
        return [g for one in braces[1].split(",") for g in _alternatives(head + one + tail)]
    return [pattern, pattern.replace("**/", "")] if "**/" in pattern else [pattern]


def tree_path(where: Known, at: Location) -> str | None:
    """The file or folder that a path means; a relative one is taken from the root, where the program is started."""
    text = str(where.value)
    if text.startswith("\0__dirname"):
        rest = text.removeprefix("\0__dirname").strip("/")
        return posixpath.normpath(posixpath.join(posixpath.dirname((where.at or at).path), rest))
    if text.startswith(TREE):
        return posixpath.normpath(text[len(TREE) :].strip("/") or ".").removeprefix("./")
    if text.startswith("./") and ".." not in text:
        return posixpath.normpath(text)
    return None


_BUILT = lazy_regex(r"(^|/)(dist|build|out|lib)/")


def sources_of(path: str) -> tuple[str, ...]:
    """Where the source of a compiled file or folder may lie: ``dist/tasks`` is made of ``src/tasks`` or ``tasks``."""
    return tuple(_BUILT.sub(rf"\1{source}", f"{path}/", count=1).rstrip("/") for source in ("src/", ""))
