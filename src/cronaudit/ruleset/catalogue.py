"""The rules in force, from their compiled form where it still fits and from YAML where it does not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from cronaudit.model.rule import Catalogue
from cronaudit.problems import Problem
from cronaudit.ruleset.compiled import content_key, load_compiled, save_compiled
from cronaudit.ruleset.folder import read_folder
from cronaudit.ruleset.problem import CatalogueError

__all__ = ["SHIPPED", "CatalogueError", "Problem", "compile_catalogue", "load_catalogue"]

SHIPPED = "catalogue.json"
"""The compiled form beside the rules in a wheel."""


def load_catalogue(roots: Sequence[Path], cache: Path | None = None) -> Catalogue:
    """Return the rules in force: those of the first folder, changed and extended by the others in order.

    A later rule with the same id replaces an earlier one as a whole. A compiled form is taken where its key, over the
    content of every file, fits: the one in the wheel, or the one that an earlier call left in the folder ``cache``
    (JSON, never a pickle; not written where it cannot be). Raises CatalogueError with everything that is wrong.
    """
    folders = [read_folder(root) for root in roots]
    key = content_key(folders)
    shipped = roots[0] / SHIPPED if len(roots) == 1 else None
    kept = cache / f"catalogue-{_places(roots)}.json" if cache is not None else None
    for compiled in (shipped, kept):
        if compiled is not None and (found := load_compiled(compiled, key)) is not None:
            return found
    from cronaudit.ruleset.merge import read_catalogue

    catalogue = read_catalogue(folders)
    if kept is not None:
        save_compiled(kept, key, catalogue)
    return catalogue


def compile_catalogue(root: Path, target: Path) -> None:
    """Write the compiled form of a rules folder, as a wheel carries it. Raises CatalogueError."""
    from cronaudit.ruleset.merge import read_catalogue

    folders = [read_folder(root)]
    save_compiled(target, content_key(folders), read_catalogue(folders))


def _places(roots: Sequence[Path]) -> str:
    # One file for each set of folders, written over when they change: the cache does not grow.
    places = "\n".join(root.resolve().as_posix() for root in roots)
    return hashlib.sha256(places.encode()).hexdigest()[:16]
