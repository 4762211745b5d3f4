"""The knowledge base, from its compiled form where that still fits and from YAML where it does not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from cronaudit import compiled
from cronaudit.knowledge.aliases import Aliases
from cronaudit.knowledge.form import from_form, to_form
from cronaudit.knowledge.matcher import is_untyped
from cronaudit.knowledge.paths import expanded, last_of, root_of
from cronaudit.knowledge.problem import KnowledgeError
from cronaudit.model.knowledge import KnowledgeBase, Library
from cronaudit.problems import Problem

__all__ = ["SHIPPED", "KnowledgeError", "Problem", "compile_libraries", "load", "read_base"]

SHIPPED = "libraries.json"
"""The compiled form beside the library files in a wheel."""
VOCABULARY = "effects.yaml"
_BUILT_IN = {"rules", "_rules"}
_PACKAGE = Path(__file__).resolve().parent.parent
_CODE = (
    *(_PACKAGE / "model" / f"{name}.py" for name in ("facts", "knowledge", "schedule")),
    *(_PACKAGE / f"{name}.py" for name in ("compiled", "placed_yaml", "problems")),
    *sorted(Path(__file__).resolve().parent.glob("*.py")),
)
"""What decides on the form of a file's content. By path: the modules themselves are not needed to read it back."""


class _File(Struct, frozen=True):
    path: str
    """As a person can open it."""
    source: str
    """As the result names it: the built-in rules are ``rules/…`` in a wheel too."""
    is_vocabulary: bool
    content: bytes


def load(roots: Sequence[Path], cache: Path | None = None) -> KnowledgeBase:
    """Return what is known of libraries: the first rules folder, changed and extended by the others in order.

    A later file in ``libraries`` replaces an earlier one of the same name as a whole; a later ``effects.yaml`` adds
    effects. A compiled form is taken where its key, over the content of every file, fits: the one in the wheel, or the
    one that an earlier call left in the folder ``cache`` (not written where it cannot be). Raises KnowledgeError with
    everything that is wrong.
    """
    files = [file for root in roots for file in _files(root)]
    key = _key(files)
    shipped = roots[0] / SHIPPED if len(roots) == 1 else None
    kept = cache / f"libraries-{_places(roots)}.json" if cache is not None else None
    for form in (shipped, kept):
        if form is not None and (found := _compiled(form, key)) is not None:
            return found
    base = read_base(files)
    if kept is not None:
        compiled.save(kept, key, to_form(base))
    return base


def compile_libraries(root: Path, target: Path) -> None:
    """Write the compiled form of a rules folder, as a wheel carries it. Raises KnowledgeError."""
    files = _files(root)
    compiled.save(target, _key(files), to_form(read_base(files)))


def read_base(files: Sequence[_File]) -> KnowledgeBase:
    """Return the knowledge base from YAML. Raises KnowledgeError."""
    from cronaudit.knowledge.folds import OPERATIONS
    from cronaudit.knowledge.library import read_library
    from cronaudit.knowledge.vocabulary import Vocabulary, read_vocabulary

    problems: list[Problem] = []
    vocabulary = Vocabulary({}, {}, {})
    for file in files:
        if file.is_vocabulary:
            vocabulary = vocabulary.updated(read_vocabulary(file.content, file.path, problems))
    libraries: dict[str, Library] = {}
    for file in files:
        if not file.is_vocabulary:
            library = read_library(file.content, file.path, file.source, vocabulary, OPERATIONS, problems)
            if library is not None:
                libraries[library.id] = library
    if problems:
        raise KnowledgeError(problems)
    listed = tuple(libraries[name] for name in sorted(libraries))
    aliases = Aliases(listed)
    found = tuple(_findable(library, aliases) for library in listed)
    return KnowledgeBase(found, _digest(found))


def _findable(library: Library, aliases: Aliases) -> Library:
    """The library with what its entries are found by."""
    calls = [*(effect.call for effect in library.effects), *(fold.call for fold in library.folds)]
    roots = {root_of(pattern) for call in calls for pattern in aliases.patterns(call)} - {""}
    untyped = (effect.call for effect in library.effects if is_untyped(effect))
    methods = {last_of(pattern) for call in untyped for pattern in expanded(call)}
    return replace(library, roots=tuple(sorted(roots)), methods=tuple(sorted(methods)))


def _files(root: Path) -> list[_File]:
    """Return the vocabulary and the library files of a folder, in order of their names."""
    label = "rules" if root.name in _BUILT_IN else root.as_posix()
    problems: list[Problem] = []
    found: list[_File] = []
    if (root / VOCABULARY).is_file():
        path = root / VOCABULARY
        found.append(
            _File(path.as_posix(), f"{label}/{VOCABULARY}", is_vocabulary=True, content=path.read_bytes())
        )
    folder = root / "libraries"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = path.name
        if name.endswith(".yaml"):
            source = f"{label}/libraries/{name}"
            found.append(_File(path.as_posix(), source, is_vocabulary=False, content=path.read_bytes()))
        elif name.endswith((".yml", ".json")):
            problems.append(Problem(path.as_posix(), 1, "would not be read: library files are .yaml"))
    if problems:
        raise KnowledgeError(problems)
    return found


def _compiled(path: Path, key: str) -> KnowledgeBase | None:
    form = compiled.load(path, key)
    try:
        return from_form(cast("list[Any]", form)) if form is not None else None
    except (LookupError, TypeError, ValueError):
        return None


def _key(files: Sequence[_File]) -> str:
    return compiled.content_key(((file.source, file.content) for file in files), _CODE)


def _digest(libraries: tuple[Library, ...]) -> str:
    """The SHA-256 over the meaning of the files: comments and places do not count."""
    nowhere = KnowledgeBase(tuple(replace(library, source="") for library in libraries), "")
    return hashlib.sha256(repr(to_form(nowhere)).encode()).hexdigest()


def _places(roots: Sequence[Path]) -> str:
    # One file for each set of folders, written over when they change: the cache does not grow.
    places = "\n".join(root.resolve().as_posix() for root in roots)
    return hashlib.sha256(places.encode()).hexdigest()[:16]
