"""Roles by path: the `path` rules asked for each file of a tree, the folders' part once a folder."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import Language, Role
from cronaudit.target.roles import names_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cronaudit.target.roles import PathRule, RoleRules

_SCRIPTS: Final = frozenset(("", "js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx", "coffee"))
"""Suffixes of scripts; a folder has none."""
_FEWEST_SHARED: Final = 3
_MIRRORED: Final = 0.8
_DEPENDENCIES: Final = ("dependencies", "peerDependencies", "optionalDependencies")
_OF_TESTS: Final = frozenset(
    "jsdom playwright playwright-core puppeteer puppeteer-core nodemon execa fs-extra chokidar shelljs".split()
)
"""Packages that a front end has among its devDependencies for its tests and scripts: there they tell nothing."""


class Layout(Struct, frozen=True):
    """What the rules may ask about a tree as a whole. Folders are relative, the target itself is empty."""

    names: Mapping[str, frozenset[str]]
    """Entries of each folder, files and folders alike."""
    with_code: frozenset[str]
    """Folders that hold a file of a code language, at whatever depth."""
    manifests: Mapping[str, bytes]
    """Content of the package.json of each folder that has one."""


class _Folder(Struct, frozen=True):
    path: str
    segments: tuple[str, ...]
    """In lower case."""
    holding: frozenset[int]
    """Rules whose folder condition holds here, inherited from above or won here."""
    package: frozenset[int]
    """Rules whose package condition holds here."""


class _Matcher(Struct, frozen=True):
    named: tuple[int, ...]
    """The rules whose condition on the name is left to ask, in their order."""
    otherwise: Role


class Classifier(Struct):
    """Answers for one tree; remembers folders and matchers."""

    rules: RoleRules
    layout: Layout
    _last_segments: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    _globs: list[tuple[int, re.Pattern[str]]] = []
    _folders: dict[str, _Folder] = {}
    _matchers: dict[tuple[frozenset[int], frozenset[int], Language, frozenset[str]], _Matcher] = {}
    _twin_suffixes: frozenset[str] = frozenset()
    _names: dict[int, re.Pattern[str]] = {}
    _any_name: re.Pattern[str] = lazy_regex("")

    def __post_init__(self) -> None:
        for index, rule in enumerate(self.rules.path):
            for pattern in rule.folders:
                segments = tuple(pattern.lower().split("/"))
                if "*" in pattern:
                    self._globs.append((index, re.compile(names_pattern(segments))))
                else:
                    self._last_segments.setdefault(segments[-1], []).append((index, segments))
        self._any_name = re.compile("|".join(f"(?:{rule.name})" for rule in self.rules.path if rule.name))
        self._twin_suffixes = frozenset(suffix for rule in self.rules.path for suffix in rule.twin)
        self._folders[""] = _Folder("", (), frozenset(), self._package("", frozenset()))

    def role(self, folder_path: str, name: str, language: Language) -> Role:
        """Role of the file `name` in a folder, by path alone."""
        folder = self._folder(folder_path)
        siblings = self.layout.names[folder_path]
        stem = name.rpartition(".")[0]
        twins = frozenset(x for x in self._twin_suffixes if stem + x in siblings and stem + x != name)
        key = (folder.holding, folder.package, language, twins)
        matcher = self._matchers.get(key)
        if matcher is None:
            matcher = self._matchers[key] = self._matcher(folder, language, twins)
        if matcher.named and self._any_name.fullmatch(name.lower()) is not None:
            for index in matcher.named:
                if self._name_of(index).fullmatch(name.lower()) is not None:
                    return self.rules.path[index].role
        return matcher.otherwise

    def _matcher(self, folder: _Folder, language: Language, twins: frozenset[str]) -> _Matcher:
        named: list[int] = []
        otherwise = Role.SERVER
        for index, rule in enumerate(self.rules.path):
            if (
                (rule.folders and index not in folder.holding)
                or (rule.package is not None and index not in folder.package)
                or (rule.languages and language not in rule.languages)
                or (rule.twin and twins.isdisjoint(rule.twin))
            ):
                continue
            if not rule.name:
                otherwise = rule.role
                break
            named.append(index)
        return _Matcher(tuple(named), otherwise)

    def _name_of(self, index: int) -> re.Pattern[str]:
        """The condition of one rule on the name: compiled when it is asked, since few names of a tree meet any."""
        known = self._names.get(index)
        if known is None:
            known = self._names[index] = re.compile(self.rules.path[index].name)
        return known

    def _folder(self, path: str) -> _Folder:
        known = self._folders.get(path)
        if known is not None:
            return known
        parent = self._folder(path.rpartition("/")[0])
        segments = (*parent.segments, path.rpartition("/")[2].lower())
        won = (
            index
            for index, above in self._named(segments)
            if self._counts(self.rules.path[index], path, above)
        )
        folder = _Folder(path, segments, parent.holding.union(won), self._package(path, parent.package))
        self._folders[path] = folder
        return folder

    def _named(self, segments: tuple[str, ...]) -> Iterable[tuple[int, tuple[str, ...]]]:
        """Rules that name the last of these folders, with the folders above what is named."""
        for index, wanted in self._last_segments.get(segments[-1], ()):
            if segments[-len(wanted) :] == wanted:
                yield index, segments[: -len(wanted)]
        for index, glob in self._globs:
            if glob.fullmatch(segments[-1]):
                yield index, segments[:-1]

    def _counts(self, rule: PathRule, path: str, above: tuple[str, ...]) -> bool:
        if not rule.not_below.isdisjoint(above) or not rule.without.isdisjoint(self.layout.names[path]):
            return False
        if rule.holding and len(rule.holding & self.layout.names[path]) < rule.at_least:
            return False
        wanted = rule.beside | rule.mirrors
        if not wanted:
            return True
        parent = path.rpartition("/")[0]
        siblings = (
            f"{parent}/{name}" if parent else name
            for name in self.layout.names[parent]
            if name.lower() in wanted
        )
        return any(
            one in self.layout.with_code and (not rule.mirrors or self._mirrors(path, one))
            for one in siblings
        )

    def _mirrors(self, path: str, sibling: str) -> bool:
        """Whether nearly all scripts and folders of a folder lie in the other one under the same names."""
        names, others = (_stems(self.layout.names[one]) for one in (path, sibling))
        shared = len(names & others)
        return shared >= _FEWEST_SHARED and shared >= _MIRRORED * len(names)

    def _package(self, path: str, inherited: frozenset[int]) -> frozenset[int]:
        manifest = self.layout.manifests.get(path)
        if manifest is None:
            return inherited
        dependencies = dependencies_of(manifest)
        return frozenset(
            index
            for index, rule in enumerate(self.rules.path)
            if rule.package is not None and rule.package.holds(dependencies)
        )


def _stems(names: Iterable[str]) -> frozenset[str]:
    parts = (name.partition(".") for name in names if not name.endswith((".map", ".d.ts")))
    return frozenset(stem for stem, _dot, suffix in parts if stem and suffix in _SCRIPTS)


def dependencies_of(manifest: bytes) -> frozenset[str]:
    """Names of all packages that a package.json depends on, in whatever way; none where it cannot be read."""
    try:
        parsed = json.loads(manifest)
    except (ValueError, RecursionError):
        return frozenset()
    if not isinstance(parsed, dict):
        return frozenset()
    groups = (parsed.get(group) for group in _DEPENDENCIES)
    running = frozenset(name for group in groups if isinstance(group, dict) for name in group)
    developing = parsed.get("devDependencies")
    return running | (frozenset(developing) - _OF_TESTS if isinstance(developing, dict) else frozenset())
