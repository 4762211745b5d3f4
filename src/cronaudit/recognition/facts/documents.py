"""The texts that document a job, with their places: on its handler, its class, its definition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Assign, Call, Class, Comment, Export, Function, Module
from cronaudit.model.source import Language, Location
from cronaudit.model.value import Choice, Closure, Instance, Known, Record, Value
from cronaudit.model.walking import expressions
from cronaudit.recognition.context import JobContext, doc_of, over_settings
from cronaudit.recognition.facts.remarks import comments_of, planner_comment, taken_by
from cronaudit.recognition.facts.spans import core_of, spans_of

_MACHINE: Final = lazy_regex(
    r"^\s*(?:eslint|tslint|biome|prettier|istanbul|c8|v8|@ts-|ts-|noqa|type:|pylint|mypy|pragma|region|endregion|#|"
    r"copyright|spdx|license|todo\b|fixme\b|hack\b|xxx\b|webpack)",
    re.IGNORECASE,
)
_TAG: Final = lazy_regex(r"^\s*[@:](?!desc|file|overview|summary)\w+.*$", re.MULTILINE)
_JOB_CLASS: Final = lazy_regex(r"job|task|worker|cron|processor|command|schedul|sweep|runner", re.IGNORECASE)
_RUN_NAMES: Final = frozenset(
    "run execute execute_core executeCore handle process perform call __call__ work invoke tick task handler main"
    " job".split()
)
_HANDLER_KEYS: Final = frozenset(("fn", "callback", "processor", "function", "onTick", "action"))
_LOGS: Final = lazy_regex(r"^(?:console|_?log(?:ger)?)$", re.IGNORECASE)
"""How an object is called whose methods only say what goes on."""
_SHORT: Final = 4
"""Statements: a function shorter than this that calls one function of the project only hands on to it."""
_SHORT_ITEM: Final = 40
"""Lines: a longer definition is a file of its own."""


class Text(Struct, frozen=True):
    """One text about the job."""

    kind: Literal["doc", "comment", "description"]
    text: str
    """Without tags and marks."""
    location: Location
    on: str
    """What it documents: ``handler``, ``class``, ``definition``, ``body``."""


_PLANS = lazy_regex(r"\s*(?:start|init|register|set ?up|schedul|boot|create|launch|run)", re.IGNORECASE)
"""How a comment begins that speaks of arming jobs, not of what a job does."""


def texts_of(context: JobContext) -> tuple[Text, ...]:
    """The job's own texts: documentation first, then loose comments."""
    found: list[Text] = []
    functions = list(_functions(context))
    for function in functions:
        found.extend(_of_function(context, function))
    for cls in _classes(context, functions):
        found.extend((*_above(cls.module, _first_line(cls), "class"), *_docstring(cls)))
    scripts = {id(h): h for h in _handlers(context) if isinstance(h, Module)}
    for script in scripts.values():
        found.extend(_of_script(script))
    found.extend(_of_definition(context))
    planner = planner_comment(context)
    if planner is not None and not planner.is_doc and not _PLANS.match(planner.text):
        found.extend(_text(planner, context.site.path, "definition"))
    for function in functions:
        found.extend(_in_body(function))
    distinct: dict[tuple[Location, str], Text] = {}
    for text in found:  # a docstring stands above the first statement of the body too
        distinct.setdefault((text.location, text.kind), text)
    return tuple(sorted(distinct.values(), key=lambda t: t.kind == "comment"))


# ---- functions -------------------------------------------------------------------------------------------------


def _functions(context: JobContext) -> Iterator[Function]:
    """The work itself: the method that the job's class fills in, the handler, and what a short one hands on to."""
    seen: set[int] = set()
    core = core_of(context, spans_of(context))
    candidates: list[Closure] = []
    if core is not None and isinstance(core.callee, Closure) and context.registration.work is None:
        candidates.append(core.callee)
    candidates += [h for h in _handlers(context) if isinstance(h, Closure)]
    candidates += [c for h in _handlers(context) if isinstance(h, Module) for c in _run_by(context, h)]
    named = _named_like_job(context)
    if named is not None:
        candidates.insert(0, named)
    candidates += _stated_handlers(context)
    for closure in list(candidates):
        handed = _handed_on(context, closure)
        if handed is not None:
            candidates.append(handed)
    for closure in candidates:
        function = closure.function
        is_base = (
            core is not None
            and isinstance(closure.this, Instance)
            and function.owner is not closure.this.of.cls
        )
        if id(function) not in seen and not is_base:
            seen.add(id(function))
            yield function


def _run_by(context: JobContext, script: Module) -> tuple[Closure, ...]:
    """The one function of its own that a script calls, and does nothing but call it: ``main()`` at its end."""
    called = {
        id(e.callee.function): e.callee
        for e in context.trace.events
        if isinstance(e.callee, Closure) and e.scope.node is script and e.callee.function.module is script
    }
    return tuple(called.values()) if len(called) == 1 else ()


def _of_script(script: Module) -> Iterator[Text]:
    """The docstring of a Python file that is run as it is."""
    first = min((s.line for s in script.body), default=0)
    for comment in script.comments:
        if comment.is_doc and comment.line <= first and script.language is Language.PYTHON:
            yield from _text(comment, script.path, "handler")
            return


def _named_like_job(context: JobContext) -> Closure | None:
    """The function that a runner of many jobs calls for this one: ``daily-close`` → ``dailyClose``."""
    name = context.registration.name
    if name is None or context.registration.consumer is None:
        return None
    wanted = _plain(name)
    for event in context.trace.events:
        callee = event.callee
        for option in callee.options if isinstance(callee, Choice) else (callee,):
            if not isinstance(option, Closure) or not option.function.name:
                continue
            if wanted in (_plain(option.function.name), _plain(option.function.symbol.split(".")[0])):
                return option
    return None


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return re.sub(r"(?:job|task|handler|worker|processor|process)$", "", plain) or plain


def _handlers(context: JobContext) -> tuple[Closure | Module | None, ...]:
    """What runs; a method of a base class that only puts the work into a queue documents the queue, not the work."""
    registration = context.registration
    return (registration.work,) if registration.work is not None else (context.handler, registration.handler)


def _stated_handlers(context: JobContext) -> Iterator[Closure]:
    """The functions in the registry entry of a job: ``{id, cron, handler: async () => …}``."""
    for item in context.registration.bound.items:
        if isinstance(item.value, Record):
            for key, raw in item.value.entries.items():
                value = context.linker.force(raw)
                if isinstance(value, Closure) and (key in _RUN_NAMES or key in _HANDLER_KEYS):
                    yield value


def _handed_on(context: JobContext, closure: Closure) -> Closure | None:
    """The one function of the project that a short handler calls: ``(await import('./x')).run(io)``."""
    function = closure.function
    if len(function.body) >= _SHORT:
        return None
    scope = context.linker.scope_of(function)
    found = [
        callee
        for expr in expressions(function.body)
        if isinstance(expr, Call)
        and not _LOGS.search(getattr(getattr(expr.callee, "object", None), "name", ""))
        and isinstance(callee := context.linker.fold(expr.callee, scope), Closure)
    ]
    return found[0] if len(found) == 1 and found[0].function is not function else None


def _of_function(context: JobContext, function: Function) -> Iterator[Text]:
    doc = doc_of(function)
    first = _first_line(function)
    if doc is None:
        doc = _over_blank(context, function.module, first)
    if doc is not None:
        yield from _text(doc, function.module.path, "handler")
    for comment in function.module.comments:
        if not comment.is_doc and not comment.is_trailing and comment.end_line == first - 1:
            yield from _text(comment, function.module.path, "handler")
    work = context.registration.work
    if doc is None and work is not None and work.function is function and isinstance(function.parent, Module):
        for comment in over_settings(context.linker, function.module, first):
            yield from _text(comment, function.module.path, "handler")


def _over_blank(context: JobContext, module: Module, first: int) -> Comment | None:
    """A doc comment with one empty line between it and what it documents."""
    found = next(
        (c for c in module.comments if c.is_doc and c.end_line == first - 2 and not c.is_trailing), None
    )
    if found is None:
        return None
    lines = context.linker.source(module.path).splitlines()
    return found if not lines[first - 2].strip() else None


def _in_body(function: Function) -> Iterator[Text]:
    """The first comment above one of the first statements of the body."""
    lines = {s.line for s in function.body[:_SHORT]}
    for comment in function.module.comments:
        if (
            function.line < comment.line <= function.end_line
            and not comment.is_trailing
            and comment.end_line + 1 in lines
        ):
            yield from _text(comment, function.module.path, "body")
            return


def _first_line(node: Function | Class) -> int:
    return min([node.line, *(getattr(d, "line", node.line) for d in node.decorators)])


# ---- classes ---------------------------------------------------------------------------------------------------


def _classes(context: JobContext, functions: list[Function]) -> Iterator[Class]:
    """The job's own class: not one that holds the job among other things."""
    seen: set[int] = set()
    for handler in _handlers(context):
        this = handler.this if isinstance(handler, Closure) else None
        if (
            isinstance(this, Instance)
            and isinstance(handler, Closure)
            and this.of.cls is not handler.function.owner
        ) and id(this.of.cls) not in seen:
            seen.add(id(this.of.cls))
            yield this.of.cls
    for function in functions:
        cls = function.owner
        if cls is None or id(cls) in seen:
            continue
        if function.name in _RUN_NAMES or _JOB_CLASS.search(cls.name or ""):
            seen.add(id(cls))
            yield cls


def _above(module: Module, line: int, on: str) -> Iterator[Text]:
    for comment in module.comments:
        if comment.end_line == line - 1 and not comment.is_trailing:
            yield from _text(comment, module.path, on)


def _docstring(cls: Class) -> Iterator[Text]:
    """The docstring of a Python class, before its first member."""
    lines = [m.line for m in cls.methods] + [f.line for f in cls.fields]
    first = min(lines, default=cls.end_line + 1)
    for comment in cls.module.comments:
        if comment.is_doc and cls.line < comment.line < first and cls.module.language is Language.PYTHON:
            yield from _text(comment, cls.module.path, "class")


# ---- definitions -----------------------------------------------------------------------------------------------


def _of_definition(context: JobContext) -> Iterator[Text]:
    registration = context.registration
    for description in (registration.options.get("description"), _own_description(context)):
        if (
            isinstance(description, Known)
            and isinstance(description.value, str)
            and description.value.strip()
        ):
            yield Text("description", description.value.strip(), description.at or context.site, "definition")
            break
    lines: set[tuple[str, int]] = set()
    for place in (registration.item, registration.site):
        if place is None:
            continue
        lines.add((place.path, place.line))
        start = _definition_line(context, place)
        if start is not None:
            lines.add((place.path, start))
    taken = taken_by(context.linker.module(registration.site.path), registration.site.line)
    if taken is not None:
        lines.add((registration.site.path, taken))
    for path, line in sorted(lines):
        module = context.linker.module(path)
        if module is not None:
            yield from _above(module, line, "definition")
        else:
            for comment in comments_of(context, path):
                if comment.end_line == line - 1 and not comment.is_trailing:
                    yield from _text(comment, path, "definition")


def _own_description(context: JobContext) -> Value | None:
    """What an object that is one job says of itself: ``Sweep(description="Removes …")``, ``description = '…'``."""
    for handler in _handlers(context):
        this = handler.this if isinstance(handler, Closure) else None
        found = context.linker.member(this, "description") if isinstance(this, Instance) else None
        if isinstance(found, Known) and found.value != context.registration.name:
            return found
    return None


def _definition_line(context: JobContext, place: Location) -> int | None:
    """The line of the top-level statement around a place, where it states this job only."""
    module = context.linker.module(place.path)
    if module is None:
        return None
    for statement in module.body:
        end = getattr(statement, "end_line", statement.line)
        if not isinstance(statement, Assign | Export) or not statement.line <= place.line <= end:
            continue
        if end - statement.line > _SHORT_ITEM or isinstance(statement.value, Function | Class):
            return None
        others = [
            j
            for j in context.service.jobs
            if j is not context
            and (at := j.registration.item or j.site).path == place.path
            and statement.line <= at.line <= end
        ]
        return None if others else statement.line
    return None


# ---- texts -----------------------------------------------------------------------------------------------------


def _text(comment: Comment, path: str, on: str) -> Iterator[Text]:
    plain = _TAG.sub("", comment.text)
    lines = [line for line in plain.splitlines() if line.strip() and not _MACHINE.match(line)]
    text = "\n".join(lines).strip()
    if len(re.findall(r"[^\W\d_]{2,}", text)) >= 2 and not _is_code(text):
        at = Location(path, comment.line, comment.end_line if comment.end_line != comment.line else None)
        yield Text("doc" if comment.is_doc else "comment", text, at, on)


def _is_code(text: str) -> bool:
    """Whether a comment is code that somebody has switched off."""
    return (
        re.search(
            r"^\s*(?:@\w+|(?:await|return|const|let|var|if|for|from|import)\b.*[;({:]|\w[\w.]*\(.*\);?)\s*$",
            text,
            re.MULTILINE,
        )
        is not None
        and len(text.split()) < 12
    )
