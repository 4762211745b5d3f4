"""Routes that one file serves for many paths: ``api/jobs/[...path]/route.ts`` with a router inside."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Module
from cronaudit.model.linker import Linker
from cronaudit.model.value import Closure, External, Known, Value

_VERBS = ("get", "post", "all", "put", "use")
_SEGMENT = lazy_regex(r"\[\[?(\.\.\.)?[^\]]+\]?\]")


def file_of(route: str, paths: Iterable[tuple[str, str]]) -> str | None:
    """The file whose path with open segments serves `route`; the one with the fewest open segments."""
    found = [
        (len(_SEGMENT.findall(pattern)), "[..." in pattern, pattern, path)
        for pattern, path in paths
        if "[" in pattern and _as_expression(pattern).fullmatch(route)
    ]
    return min(found)[3] if found else None


def _as_expression(pattern: str) -> re.Pattern[str]:
    parts = []
    for segment in pattern.split("/"):
        match = _SEGMENT.fullmatch(segment)
        if match is None:
            parts.append(re.escape(segment))
        elif match[1]:
            parts.append(".+")
        else:
            parts.append("[^/]+")
    return re.compile("/".join(parts))


def handler_of(route: str, module: Module, exported: Value, linker: Linker) -> Closure | None:
    """The function that a router of the file runs for `route`: ``app.get('/cleanup', async (c) => …)``."""
    files = [module, *(m for p in _made_in(exported, linker) if (m := linker.module(p)) is not None)]
    best: tuple[int, Closure] | None = None
    for file in files:
        calls = linker.calls(file)
        for call, node in (site for verb in _VERBS for site in calls.get(verb, ())):
            if len(call.args) < 2:
                continue
            scope = linker.scope_of(node)
            stated = linker.fold(call.args[0].value, scope)
            text = stated.value if isinstance(stated, Known) and isinstance(stated.value, str) else ""
            if not text.strip("/*") or not f"/{route}".endswith(f"/{text.strip('/')}"):
                continue
            handler = linker.fold(call.args[-1].value, scope)
            if isinstance(handler, Closure) and (best is None or len(text) > best[0]):
                best = (len(text), handler)
    return best[1] if best is not None else None


def _made_in(exported: Value, linker: Linker) -> list[str]:
    """The files in which the routers were made that an adapter is handed: ``handle(app)``."""
    args = exported.args.positional if isinstance(exported, External) and exported.args is not None else ()
    made = (linker.force(a) for a in args)
    return [m.at.path for m in made if isinstance(m, External) and m.at is not None]
