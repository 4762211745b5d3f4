"""``service.runtime``: what the jobs run on."""

from __future__ import annotations

from typing import Literal

from cronaudit.model.facts import Fact
from cronaudit.model.ir import Module
from cronaudit.model.source import Language, Location
from cronaudit.recognition.context import JobContext, Service

_NODE = frozenset((Language.TYPESCRIPT, Language.TSX, Language.JAVASCRIPT))
_SCRIPTS = frozenset((Language.TYPESCRIPT, Language.TSX, Language.JAVASCRIPT, Language.PYTHON))


def runtime(service: Service) -> Fact[Literal["node", "python", "both", "other"]]:
    """From the code that does the work, else from where the jobs are stated."""
    seen: dict[str, Location] = {}
    for context in service.jobs:
        word = _of(context)
        if word is not None:
            seen.setdefault(word, context.site)
    if len(seen) > 1:
        return Fact("both", "Node.js and Python", tuple(seen[k] for k in sorted(seen)))
    if "node" in seen:
        return Fact("node", "Node.js", (seen["node"],))
    if "python" in seen:
        return Fact("python", "Python", (seen["python"],))
    return Fact("other", "Neither Node.js nor Python")


def _of(context: JobContext) -> str | None:
    handler = context.handler
    path = (
        handler.path
        if isinstance(handler, Module)
        else handler.function.module.path
        if handler is not None
        else ""
    )
    for candidate in (path, context.site.path):
        language = context.linker.language(candidate) if candidate else None
        if language in _SCRIPTS:
            return "node" if language in _NODE else "python"
    return None
