"""The comments of a file: those of its parsed module, else the ``#`` lines of a manifest, a workflow or a crontab."""

from __future__ import annotations

from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Comment, Do, Function, Module, Object
from cronaudit.model.walking import functions_in, statements
from cronaudit.recognition.context import JobContext, Service, once_a_service

_HASHED: Final = (
    ".yml",
    ".yaml",
    ".toml",
    ".tf",
    ".ini",
    ".conf",
    ".cfg",
    ".crontab",
    ".cron",
    ".service",
    ".timer",
    ".sh",
)
_TRAILING: Final = lazy_regex(r"(?:^|\s)#\s?(?P<text>[^#]*)$")
_MOST_BYTES: Final = 500_000


def comments_of(context: JobContext, path: str) -> tuple[Comment, ...]:
    """The comments of a file in its order; neighbouring lines are one comment."""
    module = context.linker.module(path)
    if module is not None:
        return module.comments
    return _comments_in(context.service, path)


@once_a_service
def _comments_in(service: Service, path: str) -> tuple[Comment, ...]:
    """Those of a file that is no code."""
    name = path.rsplit("/", 1)[-1]
    is_hashed = path.endswith(_HASHED) or "cron" in name.lower()
    source = service.tree.read(path) if is_hashed else b""
    return tuple(_hashed(source.decode("utf-8", "replace"))) if len(source) <= _MOST_BYTES else ()


def _hashed(text: str) -> list[Comment]:
    found: list[Comment] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("#"):
            said = stripped.lstrip("#").strip()
            last = found[-1] if found else None
            if last is not None and last.end_line == number - 1 and not last.is_trailing:
                found[-1] = Comment(
                    f"{last.text}\n{said}", last.line, number, is_doc=False, is_trailing=False
                )
            else:
                found.append(Comment(said, number, number, is_doc=False, is_trailing=False))
        elif stripped and (match := _TRAILING.search(line)) is not None and line.count("'") % 2 == 0:
            found.append(Comment(match["text"].strip(), number, number, is_doc=False, is_trailing=True))
    return found


_LONG_CALL: Final = 12
"""Lines: how far a registration may stand below the head of what it is part of."""
_HEAD: Final = 3
"""Lines: a function whose first statement arms the job is about that job."""


def planner_comment(context: JobContext) -> Comment | None:
    """The comment above a function that does nothing but arm this one job."""
    registration = context.registration
    node = registration.node
    if not isinstance(node, Function) or not 0 < registration.site.line - node.line <= _HEAD:
        return None
    if sum(job.registration.node is node for job in context.service.jobs) > 1:
        return None
    return next((c for c in node.module.comments if c.end_line == node.line - 1 and not c.is_trailing), None)


def taken_by(module: Module | None, line: int) -> int | None:
    """The first line of a call that takes what the registration gives: ``jobs.push({id, job: schedule(…)})``."""
    if module is None:
        return None
    best: int | None = None
    nodes: tuple[Function | Module, ...] = (module, *functions_in(module))
    for node in nodes:
        for statement in statements(node.body):
            call = statement.value if isinstance(statement, Do) else None
            if (
                not isinstance(call, Call)
                or not call.line < line <= call.end_line
                or line - call.line > _LONG_CALL
            ):
                continue
            if any(isinstance(a.value, Object) and a.value.line <= line for a in call.args):
                best = call.line if best is None else max(best, call.line)
    return best
