"""Roles of files: the rules of `rules/roles.yaml`, validated and compiled.

The path decides first (`classify`), for all files at once; the content may correct it (`RoleRules.role_of`),
one file at a time and only for files that somebody asks about, because that means reading them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import Language, Role, SourceFile
from cronaudit.target.needles import Needle, alternatives, needle, occurrences

_PATH_KEYS: Final = frozenset(
    {
        "role",
        "why",
        "folders",
        "not_below",
        "beside",
        "mirrors",
        "holding",
        "at_least",
        "without",
        "files",
        "pattern",
        "twin",
        "languages",
        "package",
    }
)
_CONTENT_KEYS: Final = frozenset(
    {
        "from",
        "to",
        "why",
        "languages",
        "files",
        "pattern",
        "not_below",
        "head",
        "matches",
        "lacks_match",
        "evidence",
        "lacks",
        "scope",
    }
)


class PackageCondition(Struct, frozen=True):
    """What the nearest package.json must depend on."""

    any_of: frozenset[str]
    none_of: re.Pattern[str]

    def holds(self, dependencies: frozenset[str]) -> bool:
        return not self.any_of.isdisjoint(dependencies) and not any(map(self.none_of.fullmatch, dependencies))


class PathRule(Struct, frozen=True):
    """One rule of the `path` list. An empty condition holds always."""

    role: Role
    folders: tuple[str, ...]
    not_below: frozenset[str]
    beside: frozenset[str]
    mirrors: frozenset[str]
    holding: frozenset[str]
    at_least: int
    """How many of `holding` the folder must have."""
    without: frozenset[str]
    name: str
    """Regular expression for the lower-case name, or empty."""
    twin: tuple[str, ...]
    languages: frozenset[Language]
    package: PackageCondition | None


class ContentRule(Struct, frozen=True):
    """One rule of the `content` list."""

    sources: frozenset[Role]
    role: Role
    languages: frozenset[Language]
    name: re.Pattern[str] | None
    not_below: re.Pattern[str] | None
    head: int | None
    """Bytes that are looked at; None for all."""
    present: tuple[Clue, ...]
    """At least one is found, where there is any."""
    absent: tuple[Clue, ...]
    """None is found."""

    dependencies: re.Pattern[str] | None
    """For a rule on whole packages: what the package must not depend on."""

    def concerns(self, file: SourceFile) -> bool:
        if file.role not in self.sources or (self.languages and file.language not in self.languages):
            return False
        folder, _, name = file.path.lower().rpartition("/")
        if self.name is not None and self.name.fullmatch(name) is None:
            return False
        return self.not_below is None or not any(map(self.not_below.fullmatch, folder.split("/")))

    def holds(self, content: bytes) -> bool:
        seen = content if self.head is None else content[: self.head]
        return (not self.present or any(clue.found(seen) for clue in self.present)) and not any(
            clue.found(seen) for clue in self.absent
        )


class Clue(Protocol):
    """Something that a file may hold."""

    def found(self, content: bytes) -> bool:
        """Whether it does."""


class Package(Protocol):
    """The scripts of one package.json, read only if a rule comes to that."""

    def suits(self, rule: ContentRule) -> bool:
        """Whether the package as a whole holds what the rule wants, and nothing that it does not."""


class RoleRules(Struct, frozen=True):
    """All that is known about roles. Build it with `from_mapping`."""

    path: tuple[PathRule, ...]
    content: tuple[ContentRule, ...]
    pruned: frozenset[str]
    """Folders that are never entered, by name."""
    pruned_with: frozenset[str]
    """Folders that hold one of these files are not entered either."""
    assets: frozenset[str]
    """Suffixes, without the dot, of files that are not listed."""

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> RoleRules:
        """Compile the parsed `rules/roles.yaml`. Raises ValueError naming the place that is wrong."""
        _only(mapping, {"prune", "assets", "evidence", "path", "content"}, "roles")
        evidence = {
            name: _Evidence.from_mapping(_mapping(value, f"evidence.{name}"), f"evidence.{name}")
            for name, value in _mapping(mapping.get("evidence", {}), "evidence").items()
        }
        prune = [_mapping(item, "prune") for item in _list(mapping.get("prune", []), "prune")]
        assets = _mapping(mapping.get("assets", {}), "assets")
        return cls(
            path=tuple(
                _path_rule(_mapping(item, f"path[{number}]"), f"path[{number}]", evidence)
                for number, item in enumerate(_list(mapping.get("path", []), "path"))
            ),
            content=tuple(
                _content_rule(_mapping(item, f"content[{number}]"), f"content[{number}]", evidence)
                for number, item in enumerate(_list(mapping.get("content", []), "content"))
            ),
            pruned=frozenset(
                name for item in prune for name in _strings(item.get("names", []), "prune.names")
            ),
            pruned_with=frozenset(
                name for item in prune for name in _strings(item.get("with", []), "prune.with")
            ),
            assets=frozenset(_strings(assets.get("suffixes", []), "assets.suffixes")),
        )

    def role_of(self, file: SourceFile, content: bytes) -> Role:
        """The role with the content taken into account; `file.role` where no rule says otherwise."""
        for rule in self.content:
            if rule.dependencies is None and rule.concerns(file) and rule.holds(content):
                return rule.role
        return file.role

    def role_in_package(self, file: SourceFile, package: Package) -> Role:
        """The role with the file's package taken into account; `file.role` where no rule says otherwise."""
        for rule in self.content:
            if rule.dependencies is not None and rule.concerns(file) and package.suits(rule):
                return rule.role
        return file.role

    def may_become(self, roles: frozenset[Role]) -> frozenset[Role]:
        """The roles by path among whose files one with these roles may be found."""
        return roles | {source for rule in self.content if rule.role in roles for source in rule.sources}


_IMPORTING: Final = (b"from", b"require(", b"import")
_IMPORT: Final = lazy_regex(rb"""\b(?:from|require\(|import\(?)\s*['"]([^'"]*)['"]""")


class _Evidence(Struct, frozen=True):
    packages: re.Pattern[str]
    patterns: tuple[Needle, ...]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object], where: str) -> _Evidence:
        _only(mapping, {"why", "imports", "patterns"}, where)
        names = _strings(mapping.get("imports", []), f"{where}.imports")
        packages = _alternation(re.escape(name).replace(r"\*", r"[^'\"\s]*") for name in sorted(set(names)))
        patterns = _strings(mapping.get("patterns", []), f"{where}.patterns")
        return cls(
            re.compile(packages),
            tuple(needle(part, re.MULTILINE) for pattern in patterns for part in alternatives(pattern)),
        )

    def found(self, content: bytes) -> bool:
        """Whether a file imports one of the packages or holds one of the patterns."""
        for word in _IMPORTING:
            for at in occurrences(content, word):
                imported = _IMPORT.match(content, at)
                if imported is not None and self.packages.fullmatch(imported[1].decode("utf-8", "replace")):
                    return True
        return any(pattern.found(content) for pattern in self.patterns)


def names_pattern(names: Sequence[str]) -> str:
    """One regular expression for several names with `*` and `?`."""
    return _alternation(re.escape(name).replace(r"\*", ".*").replace(r"\?", ".") for name in names)


def _alternation(parts: Iterable[str]) -> str:
    joined = "|".join(parts)
    return f"(?:{joined})" if joined else r"(?!)"


def _path_rule(item: Mapping[str, object], where: str, evidence: Mapping[str, _Evidence]) -> PathRule:
    _only(item, _PATH_KEYS, where)
    rule = PathRule(
        role=_role(item.get("role"), where),
        folders=tuple(_strings(item.get("folders", []), f"{where}.folders")),
        not_below=frozenset(_strings(item.get("not_below", []), f"{where}.not_below")),
        beside=frozenset(_strings(item.get("beside", []), f"{where}.beside")),
        mirrors=frozenset(_strings(item.get("mirrors", []), f"{where}.mirrors")),
        holding=frozenset(_strings(item.get("holding", []), f"{where}.holding")),
        at_least=_count(item.get("at_least", 1), f"{where}.at_least"),
        without=frozenset(_strings(item.get("without", []), f"{where}.without")),
        name=_name(item, where),
        twin=tuple(_strings(item.get("twin", []), f"{where}.twin")),
        languages=_languages(item.get("languages", []), f"{where}.languages"),
        package=_package(item.get("package"), f"{where}.package", evidence),
    )
    if not (rule.folders or rule.name or rule.package):
        raise ValueError(f"{where}: a rule needs folders, files, a pattern or a package")
    of_folders = rule.not_below | rule.beside | rule.mirrors | rule.holding | rule.without
    if of_folders and not rule.folders:
        raise ValueError(
            f"{where}: not_below, beside, mirrors, holding and without are about folders, and there are none"
        )
    return rule


def _package(value: object, where: str, evidence: Mapping[str, _Evidence]) -> PackageCondition | None:
    if value is None:
        return None
    mapping = _mapping(value, where)
    _only(mapping, {"any", "none"}, where)
    none = _evidence(mapping.get("none"), where, evidence)
    return PackageCondition(
        frozenset(_strings(mapping.get("any", []), f"{where}.any")),
        re.compile("(?!)") if none is None else none.packages,
    )


def _content_rule(item: Mapping[str, object], where: str, evidence: Mapping[str, _Evidence]) -> ContentRule:
    _only(item, _CONTENT_KEYS, where)
    name = _name(item, where)
    below = _strings(item.get("not_below", []), f"{where}.not_below")
    head = item.get("head")
    if head is not None and not isinstance(head, int):
        raise ValueError(f"{where}.head: a number of bytes is expected")
    scope = item.get("scope")
    if scope not in {None, "package"}:
        raise ValueError(f"{where}.scope: {scope!r} is not 'package'")
    present = _clues(item.get("matches", []), f"{where}.matches")
    absent = _clues(item.get("lacks_match", []), f"{where}.lacks_match")
    has, lacks = (_evidence(item.get(key), where, evidence) for key in ("evidence", "lacks"))
    return ContentRule(
        sources=frozenset(_role(role, where) for role in _strings(item.get("from", []), f"{where}.from")),
        role=_role(item.get("to"), where),
        languages=_languages(item.get("languages", []), f"{where}.languages"),
        name=re.compile(name) if name else None,
        not_below=re.compile(names_pattern(below)) if below else None,
        head=head,
        present=present if has is None else (*present, has),
        absent=absent if lacks is None else (*absent, lacks),
        dependencies=None if scope is None else re.compile("(?!)") if lacks is None else lacks.packages,
    )


def _evidence(value: object, where: str, evidence: Mapping[str, _Evidence]) -> _Evidence | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in evidence:
        raise ValueError(f"{where}: {value!r} is none of the evidence lists {sorted(evidence)}")
    return evidence[value]


def _name(item: Mapping[str, object], where: str) -> str:
    files = [name.lower() for name in _strings(item.get("files", []), f"{where}.files")]
    pattern = item.get("pattern")
    if pattern is None:
        return names_pattern(files) if files else ""
    if files or not isinstance(pattern, str):
        raise ValueError(f"{where}: either files or one pattern")
    _regex(pattern, where)
    return f"(?:{pattern})"


def _clues(value: object, where: str) -> tuple[Clue, ...]:
    return tuple(clue for pattern in _strings(value, where) for clue in _needles(pattern, where))


def _needles(pattern: str, where: str) -> tuple[Needle, ...]:
    _regex(pattern, where)
    return tuple(needle(part) for part in alternatives(pattern))


def _regex(pattern: str, where: str) -> re.Pattern[bytes]:
    try:
        return re.compile(pattern.encode())
    except re.error as error:
        raise ValueError(f"{where}: {pattern!r} is no regular expression: {error}") from error


def _role(value: object, where: str) -> Role:
    try:
        return Role(str(value))
    except ValueError as error:
        raise ValueError(
            f"{where}: {value!r} is none of the roles {[role.value for role in Role]}"
        ) from error


def _languages(value: object, where: str) -> frozenset[Language]:
    try:
        return frozenset(Language(name) for name in _strings(value, where))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _only(mapping: Mapping[str, object], keys: frozenset[str] | set[str], where: str) -> None:
    unknown = sorted(set(mapping) - keys)
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}; known are {sorted(keys)}")


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: a mapping is expected")  # noqa: TRY004 - one error type for a catalogue that is wrong
    return value


def _list(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise ValueError(f"{where}: a list is expected")  # noqa: TRY004 - one error type for a catalogue that is wrong
    return value


def _count(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{where}: a number of one or more is expected")
    return value


def _strings(value: object, where: str) -> list[str]:
    items = _list(value, where)
    for item in items:
        if not isinstance(item, str):
            raise ValueError(f"{where}: {item!r} is no text")  # noqa: TRY004 - one error type for a catalogue that is wrong
    return [str(item) for item in items]
