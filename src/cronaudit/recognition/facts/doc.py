"""``doc``: what is written about the job, and about what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import DocFacts, Fact
from cronaudit.model.source import Language, Location
from cronaudit.model.value import Closure
from cronaudit.recognition.context import JobContext, Service, once_a_service
from cronaudit.recognition.facts.documents import Text, texts_of
from cronaudit.recognition.facts.needs import dependencies_named, dependencies_stated, known_names
from cronaudit.schedule.sentences import read_sentences

Dependencies = Literal["stated", "prose", "runbook", "none"]

_ABOUT_JOBS: Final = lazy_regex(
    r"\b(?:cron|jobs?|scheduled?|schedules|scheduler|background|workers?|tasks?|runbook|periodic)\b",
    re.IGNORECASE,
)
_HEADING: Final = lazy_regex(r"^(#{1,6})\s+(.*)$")
_NO_DOCUMENT: Final = lazy_regex(
    r"(?:^|/)\.|(?:^|/)(?:change_?log|history|news|plans?|todo)\b", re.IGNORECASE
)
"""Plans, notes for tools and lists of changes describe no running job."""
_LINK: Final = lazy_regex(r"\b(?:https?://|www\.)\S+|(?<!\S)[\w.-]*/[\w./-]*\.\w{1,4}(?!\S)")
"""Where to read on, and the path of a file, say nothing by themselves."""
_MOST_BYTES: Final = 300_000
_MOST_DOCUMENTS: Final = 300
_QUOTED: Final = 60
"""Characters of a text that evidence quotes."""


def build(context: JobContext) -> DocFacts:
    """The purpose and the dependencies as written."""
    texts = texts_of(context)
    return DocFacts(purpose=_purpose(context, texts), dependencies=_dependencies(context, texts))


def _purpose(context: JobContext, texts: tuple[Text, ...]) -> Fact[Literal["doc", "comment", "none"]]:
    """A text on the schedule alone is no purpose (ruling 21)."""
    for text in texts:
        if text.kind != "comment" and says_purpose(text.text):
            what = "Description" if text.kind == "description" else f"Doc comment on the {text.on}"
            return Fact("doc", f"{what}: '{_beginning(text.text)}'", (text.location,))
    for text in texts:
        if text.kind == "comment" and says_purpose(text.text) and not _is_shared(text, context):
            return Fact("comment", f"Only a loose comment: '{_beginning(text.text)}'", (text.location,))
    if context.registration.handler is None and context.linker.language(context.site.path) is not None:
        return context.absent("none", "No doc comment")
    return Fact("none", "No doc comment")


def _is_shared(text: Text, context: JobContext) -> bool:
    """Whether a comment stands inside a function that runs other jobs too: it speaks of their dispatch."""
    at = text.location
    others = (c.registration.handler for c in context.service.jobs if c is not context)
    return text.on == "body" and any(
        isinstance(h, Closure)
        and h.function.module.path == at.path
        and h.function.line <= at.line <= h.function.end_line
        for h in others
    )


def _beginning(text: str) -> str:
    """The first sentence, as far as a cell of a table has room for it."""
    words = " ".join(text.split())
    sentence = re.split(r"(?<=\w[.!?])\s", words, maxsplit=1)[0].rstrip(".")
    return sentence if len(sentence) <= _QUOTED else f"{sentence[:_QUOTED].rsplit(' ', 1)[0].rstrip(',;:')} …"


def says_purpose(text: str) -> bool:
    """Whether anything in a text is about something else than when the job runs."""
    for sentence in read_sentences(_LINK.sub(" ", text)):
        about_time = bool(sentence.claims or sentence.sizes)
        if len(sentence.rest) >= (4 if about_time else 2) or (
            not about_time and sentence.rest and sentence.speaks_of_runs
        ):
            return True
    return False


def _dependencies(context: JobContext, texts: tuple[Text, ...]) -> Fact[Dependencies]:
    names = known_names(context)
    own = [t for t in texts if t.on != "body"]
    for text in own:
        found = dependencies_stated(text.text, names)
        if found:
            return Fact("stated", f"'{found}'", (text.location,))
    for text in own:
        named = dependencies_named(_LINK.sub(" ", text.text), names)
        if named:
            return Fact("prose", f"Names {', '.join(named)} in prose, not as needs", (text.location,))
    for section, at in _sections(context):
        if dependencies_stated(section, names) or dependencies_named(section, names):
            return Fact("runbook", "Only in a README or runbook", (at,))
    documented = [t.location for t in own]
    return Fact("none", "No explicit docs", tuple(documented[:1]))


def _sections(context: JobContext) -> Iterator[tuple[str, Location]]:
    """Sections of documents that are about jobs and name this one."""
    name = context.registration.name
    if not name or len(name) < 4:
        return
    for path, text in _documents(context.service):
        if name not in text:
            continue
        heading, start, lines = "", 1, text.splitlines()
        block: list[str] = []
        for number, line in enumerate((*lines, "# "), 1):
            match = _HEADING.match(line)
            if match is None and number <= len(lines):
                block.append(line)
                continue
            section = "\n".join(block)
            if name in section and _ABOUT_JOBS.search(f"{heading} {path}"):
                yield section, Location(path, start)
            heading, start, block = (match[2] if match else ""), number, []


@once_a_service
def _documents(service: Service) -> tuple[tuple[str, str], ...]:
    tree = service.tree
    files = [
        f
        for f in tree.files
        if f.language is Language.MARKDOWN and f.size <= _MOST_BYTES and not _NO_DOCUMENT.search(f.path)
    ]
    return tuple((f.path, tree.read(f.path).decode("utf-8", "replace")) for f in files[:_MOST_DOCUMENTS])
