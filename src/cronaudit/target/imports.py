"""Who imports what, by bytes: an index of a whole tree in a fraction of the time of parsing it.

It errs on the side of too much: an import in a comment or a string is in it. Whoever follows one parses the
file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import ImportSite, Language
from cronaudit.target.languages import SCRIPTS
from cronaudit.target.search import code_files, matcher

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cronaudit.model.source import SourceFile
    from cronaudit.target.tree import Tree

_PLACE: Final = attrgetter("path", "offset", "specifier")
"""The order of sites; comparing them by themselves takes three times as long."""
_QUOTED: Final = (b"from '", b'from "', b"import '", b'import "', b"from'", b'from"', b"import'", b'import"')
_OPEN: Final = (
    b"require(",
    b"import(",
    b"require (",
    b"import (",
    b"require.resolve(",
    b"from`",
    b"from  ",
    b"from\t",
)
_BROKEN: Final = (b"from\n", b"from\r\n", b"from/*", b"from /*")
_MARKERS: Final = (*_QUOTED, *_OPEN, *_BROKEN)
_LONGEST_SPECIFIER: Final = 400
_SPECIFIER: Final = lazy_regex(
    rb"""\s*(?:(?:/\*(?:[^*]|\*(?!/)){0,400}\*/|//[^\n]{0,400}\n)\s*)*(['"`])([^'"`\n$]{1,400})\1"""
)
_PARENTHESIS: Final = ord("(")
_KEYWORD: Final = len("from")
_CODE_SUFFIX: Final = lazy_regex(r"\.(?:[cm]?[jt]s|[jt]sx)\Z")
_WORD_BYTES: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$")

_PYTHON_MARKERS: Final = (b"import ", b"import(", b"import\t", b"import\\")
_KEYWORD_IMPORT: Final = len("import")
_PYTHON_FROM: Final = lazy_regex(rb"(?:\A|[:;])\s*from\s*((?:\.|\s)*[\w.\x80-\xff]*)\Z")
_PYTHON_NAMES: Final = lazy_regex(rb"\s*(?:\(([^)]*)\)|((?:[^\n\\;#]|\\\r?\n)*))")
_PYTHON_COMMENT: Final = lazy_regex(rb"#[^\n]*")


@dataclass(frozen=True, slots=True)
class ImportTable:
    """All import sites of a tree, found by the last segment of what they name."""

    _scripts: dict[str, list[tuple[str, int]]]
    """By specifier: path and offset."""
    _modules: dict[str, list[tuple[str, int]]]
    """By dotted name of a Python module: path and offset."""
    _names: dict[str, list[tuple[str, int, str]]]
    """By name taken from a Python module: path, offset and module."""
    _segments: dict[str, list[tuple[str, list[tuple[str, int]]]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _by_file: dict[str, list[ImportSite]] = field(default_factory=dict, repr=False, compare=False)
    _names_by_file: dict[str, set[tuple[str, str]]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for specifier, sites in self._scripts.items():
            self._segments.setdefault(segment_of_specifier(specifier), []).append((specifier, sites))
        for module, sites in self._modules.items():
            self._segments.setdefault(segment_of_module(module), []).append((module, sites))

    def files_importing(self, last_segment: str) -> tuple[ImportSite, ...]:
        """Sites whose specifier ends in that segment (`segment_of_specifier`, `segment_of_module`), sorted.

        The index file of a folder has several: the folder's name, `index`, and `.` or `..` for importers
        inside the folder; the main file of a package has the last segment of the package's name. For Python
        the names of `from package import name` count too, because a name may be a module.
        """
        sites = [
            ImportSite(path, offset, specifier)
            for specifier, places in self._segments.get(last_segment, ())
            for path, offset in places
        ]
        sites += [
            ImportSite(
                path,
                offset,
                f"{module}{last_segment}" if module.endswith(".") else f"{module}.{last_segment}",
            )
            for path, offset, module in self._names.get(last_segment, ())
        ]
        return tuple(sorted(sites, key=_PLACE))

    def imports_of(self, path: str) -> tuple[ImportSite, ...]:
        """The import sites of one file by offset; names taken from Python modules are no own sites."""
        if not self._by_file:
            for sites in (self._scripts, self._modules):
                for specifier, places in sites.items():
                    for importer, offset in places:
                        self._by_file.setdefault(importer, []).append(ImportSite(importer, offset, specifier))
        return tuple(sorted(self._by_file.get(path, ()), key=_PLACE))

    def names_of(self, path: str) -> tuple[tuple[str, str], ...]:
        """What one Python file takes from modules, sorted: module and name, which may be a module of that package."""
        if not self._names_by_file:
            for name, sites in self._names.items():
                for importer, _offset, module in sites:
                    self._names_by_file.setdefault(importer, set()).add((module, name))
        return tuple(sorted(self._names_by_file.get(path, ())))

    def segments(self) -> tuple[str, ...]:
        """All last segments, sorted."""
        return tuple(sorted({*self._segments, *self._names}))


def segment_of_specifier(specifier: str) -> str:
    """The key of a JavaScript specifier: what follows its last slash, without query and suffix of code.

    `./queue.js` may be `queue.ts`, so both are `queue`. `.`, `./` and `../..` stay dots.
    """
    segment = specifier.partition("?")[0].rstrip("/").rpartition("/")[2]
    return _CODE_SUFFIX.sub("", segment)


def segment_of_module(module: str) -> str:
    """The key of a Python module: what follows its last dot; only dots stay as they are."""
    return module.rpartition(".")[2] or module


def imports(tree: Tree, files: Iterable[SourceFile] | None = None) -> ImportTable:
    """Index the imports of JavaScript, TypeScript and Python; of all code files where none are given."""
    scripts: dict[bytes, list[tuple[str, int]]] = {}
    modules: dict[bytes, list[tuple[str, int]]] = {}
    names: dict[bytes, list[tuple[str, int, str]]] = {}
    find_in_script = matcher(_MARKERS).find
    find_in_python = matcher(_PYTHON_MARKERS).find
    for file in code_files(tree) if files is None else files:
        if file.language in SCRIPTS:
            content = tree.read(file.path)
            _script(file.path, content, find_in_script(content), scripts)
        elif file.language is Language.PYTHON:
            content = tree.read(file.path)
            _python(file.path, content, find_in_python(content), modules, names)
    return ImportTable(
        {_text(key): value for key, value in scripts.items()},
        {_text(key): value for key, value in modules.items()},
        {_text(key): value for key, value in names.items()},
    )


def _script(
    path: str, content: bytes, matches: list[tuple[int, int]], sites: dict[bytes, list[tuple[str, int]]]
) -> None:
    for number, start in matches:
        if start and content[start - 1] in _WORD_BYTES:
            continue
        begin = start + len(_MARKERS[number])
        if number < len(_QUOTED):
            end = content.find(content[begin - 1], begin, begin + _LONGEST_SPECIFIER)
            specifier = content[begin:end]
            if end <= begin or b"\n" in specifier:
                continue
        else:
            # The blank, the comment or the back quote belongs to what comes between keyword and specifier.
            match = _SPECIFIER.match(
                content, begin if content[begin - 1] == _PARENTHESIS else start + _KEYWORD
            )
            if match is None:
                continue
            specifier = match[2]
        known = sites.get(specifier)
        if known is None:
            sites[specifier] = [(path, start)]
        else:
            known.append((path, start))


def _python(
    path: str,
    content: bytes,
    matches: list[tuple[int, int]],
    modules: dict[bytes, list[tuple[str, int]]],
    names: dict[bytes, list[tuple[str, int, str]]],
) -> None:
    for _, start in matches:
        line = content.rfind(b"\n", 0, start) + 1
        before = content[line:start].strip()
        if not before and content.endswith((b"\\\n", b"\\\r\n"), 0, line):
            line = content.rfind(b"\n", 0, content.rfind(b"\\", 0, line)) + 1
            before = content[line:start].replace(b"\\", b" ").strip()
        listed = _PYTHON_NAMES.match(content, start + _KEYWORD_IMPORT)
        if listed is None or (before and b"from" not in before):
            continue
        items = _PYTHON_COMMENT.sub(b"", listed[1] or listed[2] or b"").replace(b"\\", b" ").split(b",")
        taken = [words[0] for words in map(bytes.split, items) if words and words[0] != b"*"]
        if not before:
            for module in taken:
                modules.setdefault(module, []).append((path, start))
            continue
        statement = _PYTHON_FROM.search(before)
        if statement is None:
            continue
        module = statement[1].replace(b" ", b"")
        keyword = content.rfind(b"from", line, start)
        modules.setdefault(module, []).append((path, keyword))
        for name in taken:
            names.setdefault(name, []).append((path, keyword, _text(module)))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
