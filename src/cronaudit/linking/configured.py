"""Settings that a framework gathers into one object, from modules of the project that it loads by their name."""

from __future__ import annotations

import posixpath

from cronaudit.linking.folder import Folder
from cronaudit.model.source import Location
from cronaudit.model.value import Known, Unknown, Value

_FOR_SOME = frozenset(("dev", "develop", "development", "local", "test", "tests", "testing", "ci", "debug"))
"""Settings of a developer's machine, which no production loads."""


def setting(folder: Folder, stem: str, name: str, at: Location | None) -> Value | None:
    """The setting `name` of the modules `stem`; None where there is none, or where they do not agree."""
    if name.startswith("_") or not name.isupper():
        return None
    files = _nearest(folder.modules.assigning_files(stem, name), at)
    in_use = [f for f in files if posixpath.basename(f).removesuffix(".py") not in _FOR_SOME] or files
    found: list[Value] = []
    for path in in_use:
        module = folder.modules.module(path)
        if module is not None:
            found.append(folder.export(module, name))
    if len(found) == 1 and not isinstance(found[0], Known | Unknown):
        return found[0]
    known = [v for v in found if isinstance(v, Known) and v.value]
    same = len(known) == len(found) and len({(type(v.value), v.value, v.unit) for v in known}) == 1
    # What is off or empty here is what a deployment may turn on or fill in.
    return known[0] if same else None


def _nearest(files: tuple[str, ...], at: Location | None) -> list[str]:
    """Of several projects in one tree the settings of the one in which they are asked for."""
    if at is None:
        return list(files)
    shared = {f: len(posixpath.commonpath(["/" + f, "/" + at.path])) for f in files}
    return [f for f in files if shared[f] == max(shared.values())]
